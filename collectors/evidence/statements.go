package evidence

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// statementSet is what a source says, by control and what it is about: one piece of evidence for each, however many items are about it.
type statementSet map[subjectKey]*record.Evidence

type subjectKey struct {
	control    string
	service    string
	repository record.RepositoryName
}

// add puts what one item says to what others say of the same: one that says no decides, then one that is unclear. The date is the oldest, since
// all of them together are as old as that; an unknown one makes the whole undated.
func (s statementSet) add(e *record.Evidence) {
	key := subjectKey{e.Control, e.Service, e.Repository}
	known := s[key]
	if known == nil {
		one := *e
		one.ID = one.Control + "/" + cmp.Or(one.Service, string(one.Repository))
		if one.Repository != "" {
			one.ID = one.Control + "//" + string(one.Repository)
		}
		s[key] = &one
		return
	}
	if together := known.Holds.And(e.Holds); together != known.Holds {
		known.Holds, known.URL, known.Source = together, e.URL, e.Source
	}
	known.ProducedAt = oldest(known.ProducedAt, e.ProducedAt)
}

func oldest(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	return record.Earliest(a, b)
}

// evidence is the set in the order of its ids, never nil.
func (s statementSet) evidence() []record.Evidence {
	all := make([]record.Evidence, 0, len(s))
	for _, e := range slices.SortedFunc(maps.Values(s), func(a, b *record.Evidence) int { return cmp.Compare(a.ID, b.ID) }) {
		all = append(all, *e)
	}
	return all
}
