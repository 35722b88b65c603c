package derivation

import (
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
	"prodsec_exporter/internal/snapshot"
)

// lengths in their order.
func (s *State) lengths() undo.Lengths {
	return undo.Lengths{
		s.reports.Len(), s.weaknesses.Len(), s.events.Len(), len(s.texts.values), len(s.owners.values), len(s.scopes), len(s.services.names),
		len(s.repositories.names), len(s.policies), len(s.countingChanges),
	}
}

func (s *State) numbering() numbering {
	return numbering{s.services.order, s.repositories.order, s.scopeOrder}
}

// Begin starts an operation at an instant, or at the one that was settled should that be later, and remembers the state before it. Before the
// founding there is no past to keep, and a clock that was wrong may go back.
func (s *State) Begin(at int64) {
	s.now = max(s.at, at)
	s.origin = nil
	if s.Importing() {
		s.now = max(at, 0)
		return
	}
	s.origin = &origin{
		at: s.at, lengths: s.lengths(), numbering: s.numbering(), weaknesses: s.weaknesses.Freeze(), sources: s.configuredSources(),
		scopes: map[int32]scope{}, pauses: map[int32]string{}, sums: map[int32]snapshot.Sums{}, events: s.events.Len(), renamed: map[int32]string{},
	}
}

// configuredSources are the configured instances in the order of the configuration.
func (s *State) configuredSources() []store.Source {
	sources := make([]store.Source, 0, len(s.sources))
	for _, id := range s.sources {
		source, ok := s.configured[id]
		if !ok {
			source = store.Source{Collector: id.Collector, Instance: id.Instance}
		}
		sources = append(sources, source)
	}
	return sources
}

// changeScope returns a scope for changing.
func (s *State) changeScope(number int32) *scope {
	s.dirtyScopes[number] = struct{}{}
	if o := s.origin; o != nil && int(number) < o.lengths[undo.GrownScopes] {
		if _, ok := o.scopes[number]; !ok {
			o.scopes[number] = s.scopes[number]
		}
	}
	return &s.scopes[number]
}

// undo compares the state with what it was when the operation began.
func (s *State) undo() *undo.Transaction {
	o := s.origin
	u := &undo.Transaction{Settled: o.at}
	for i, n := range s.lengths() {
		u.Added[i] = n - o.lengths[i]
	}
	u.Services, u.Repositories = s.services.left(o.lengths[undo.GrownServices]), s.repositories.left(o.lengths[undo.GrownRepositories])
	for _, number := range sortedKeys(o.scopes) {
		was := o.scopes[number]
		u.Scopes = append(u.Scopes, undo.ScopeBefore{
			Number: number, Removed: was.Removed, Success: store.Unix(was.LastSuccess), Full: store.Unix(was.LastFull), Failed: string(was.LastError),
			Classes: len(was.Classes), Kinds: len(was.Kinds),
		})
	}
	u.Weaknesses = s.weaknessesBefore()
	for _, p := range sortedKeys(o.pauses) {
		if int(p) < o.lengths[undo.GrownWeaknesses] && o.pauses[p] != formatPauses(s.pauses[p]) {
			u.Pauses = append(u.Pauses, undo.PausesBefore{Weakness: p, Spans: o.pauses[p]})
		}
	}
	for _, number := range sortedKeys(o.renamed) {
		u.Renamed = append(u.Renamed, undo.NameBefore{Number: number, Name: o.renamed[number]})
	}
	for _, i := range sortedKeys(o.sums) {
		if o.sums[i] != s.events.At(int(i)).Sums {
			u.Sums = append(u.Sums, undo.SumsBefore{Event: i, Sums: uint8(o.sums[i])})
		}
	}
	if s.dirtySources && !slices.EqualFunc(o.sources, s.configuredSources(), sameSource) {
		u.Sources = o.sources
	}
	return u
}

func sameSource(a, b store.Source) bool {
	return a.Collector == b.Collector && a.Instance == b.Instance && a.StaleAfter == b.StaleAfter && a.StaleFrom == b.StaleFrom &&
		slices.Equal(a.Classes, b.Classes)
}

// weaknessesBefore compares the weaknesses of every block that has to be written.
func (s *State) weaknessesBefore() []undo.WeaknessBefore {
	var changed []undo.WeaknessBefore
	var was, is []byte
	then, now := s.origin.numbering, s.numbering()
	renumbered := !slices.Equal(then.services, now.services) || !slices.Equal(then.repositories, now.repositories) || !slices.Equal(then.scopes, now.scopes)
	for _, block := range sortedKeys(s.dirtyWeaknesses) {
		first := int(block) * blockSize
		for i := first; i < min(first+blockSize, s.origin.lengths[undo.GrownWeaknesses]); i++ {
			before, after := s.origin.weaknesses.At(i), s.weaknesses.At(i)
			if *before == *after && !renumbered {
				continue
			}
			was, is = s.codec.appendWeakness(was[:0], then, before), s.codec.appendWeakness(is[:0], now, after)
			b := undo.WeaknessBefore{Position: int32(i)}
			for at := range was {
				if was[at] != is[at] {
					b.Mask |= 1 << at
					b.Bytes = append(b.Bytes, was[at])
				}
			}
			if b.Mask != 0 {
				changed = append(changed, b)
			}
		}
	}
	return changed
}

// saveUndo stores what takes the transaction back.
func (s *State) saveUndo(t store.Tx) error {
	if s.origin == nil {
		return nil
	}
	body, err := s.undo().Encode(s.now)
	if err != nil {
		return err
	}
	return t.PutHistory(s.now, body)
}
