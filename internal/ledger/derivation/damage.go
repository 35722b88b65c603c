package derivation

import "fmt"

// damage looks for positions that point nowhere in what was loaded, which only a file that something else has written into holds. A
// clear refusal at start is worth one pass over memory; found later it would be a panic, or a number attributed to the wrong owner.
func (s *State) damage() error {
	bad := func(what string, i int, field string, at int32, n int) error {
		return fmt.Errorf("%s %d has %s %d of %d: the file is damaged; restore a backup, or remove it to read everything anew", what, i, field, at, n)
	}
	within := func(at int32, least int32, n int) bool { return at >= least && int(at) < n }
	reports, weaknesses := s.reports.Len(), s.weaknesses.Len()
	for i := range reports {
		switch r := s.reports.At(i); {
		case !within(r.weakness, -1, weaknesses):
			return bad("report", i, "the weakness", r.weakness, weaknesses)
		case !within(r.next, -1, reports):
			return bad("report", i, "the successor", r.next, reports)
		}
	}
	texts := len(s.texts.values)
	for i := range weaknesses {
		switch w := s.weaknesses.At(i); {
		case !within(w.Category, 0, texts):
			return bad("weakness", i, "the category", w.Category, texts)
		case !within(w.Tool, 0, texts):
			return bad("weakness", i, "the tool", w.Tool, texts)
		}
	}
	for i := range s.events.Len() {
		switch e := s.events.At(i); {
		case !within(e.Weakness, 0, weaknesses):
			return bad("event", i, "the weakness", e.Weakness, weaknesses)
		case !within(e.Owner, 0, len(s.owners.values)):
			return bad("event", i, "the owner", e.Owner, len(s.owners.values))
		}
	}
	return nil
}
