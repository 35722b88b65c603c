package ledger

import (
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The past is kept backwards: with every transaction since the founding goes what is needed to take it back. The present is what the
// store holds anyway, so what is added costs nothing here, and the past costs what changed: about 20 bytes for a weakness that is
// closed, about 30 for a poll that brought nothing new. How to read a past instant is in past.go.

// origin is what a state was when the operation under way began.
type origin struct {
	at         int64
	lengths    lengths
	numbering  numbering
	weaknesses snapshot.Table[snapshot.Weakness]
	sources    []Source
	// scopes and pauses hold those that the operation changes, as they were.
	scopes map[int32]scope
	pauses map[int32]string
}

// lengths are those of everything that only grows.
type lengths [10]int

// lengths in their order.
func (s *state) lengths() lengths {
	return lengths{
		s.reports.Len(), s.weaknesses.Len(), s.events.Len(), len(s.texts.values), len(s.owners.values), len(s.scopes), len(s.services.names),
		len(s.repositories.names), len(s.policies), len(s.countingChanges),
	}
}

// numbering gives the number under which something is stored by its position in the snapshot.
type numbering struct{ services, repositories, scopes []int32 }

func (s *state) numbering() numbering {
	return numbering{s.services.order, s.repositories.order, s.scopeOrder}
}

// numberAt is the number at a position, -1 for none.
func numberAt(order []int32, position int32) int32 {
	if position < 0 {
		return -1
	}
	return order[position]
}

// begin remembers the state before an operation. Before the founding there is no past to keep.
func (s *state) begin() {
	s.origin = nil
	if s.importing() {
		return
	}
	s.origin = &origin{
		at: s.at, lengths: s.lengths(), numbering: s.numbering(), weaknesses: s.weaknesses.Freeze(), sources: s.configuredSources(),
		scopes: map[int32]scope{}, pauses: map[int32]string{},
	}
}

// configuredSources are the configured instances in the order of the configuration.
func (s *state) configuredSources() []Source {
	sources := make([]Source, 0, len(s.sources))
	for _, id := range s.sources {
		source, ok := s.configured[id]
		if !ok {
			source = Source{Collector: id.collector, Instance: id.instance}
		}
		sources = append(sources, source)
	}
	return sources
}

// changeScope returns a scope for changing.
func (s *state) changeScope(number int32) *scope {
	s.dirtyScopes[number] = struct{}{}
	if o := s.origin; o != nil && int(number) < o.lengths[grownScopes] {
		if _, ok := o.scopes[number]; !ok {
			o.scopes[number] = s.scopes[number]
		}
	}
	return &s.scopes[number]
}

// The positions in lengths.
const (
	grownReports = iota
	grownWeaknesses
	grownEvents
	grownTexts
	grownOwners
	grownScopes
	grownServices
	grownRepositories
	grownPolicies
	grownCountingChanges
)

// undo is what takes a transaction back.
type undo struct {
	// settled is the instant up to which time-driven events had been settled.
	settled int64
	// added is how much the transaction added to everything that grows.
	added lengths
	// services and repositories are the numbers of names that left.
	services, repositories []int32
	scopes                 []scopeBefore
	weaknesses             []weaknessBefore
	pauses                 []pausesBefore
	// sources are nil if they stayed.
	sources []Source
}

// scopeBefore is a scope as it was; classes and kinds are how many of those that it has now it had then.
type scopeBefore struct {
	number         int32
	removed        bool
	success, full  int64
	failed         string
	classes, kinds int
}

// weaknessBefore is what a weakness that was changed was: the bytes of its stored form at the set bits of mask.
type weaknessBefore struct {
	position int32
	mask     uint64
	bytes    []byte
}

// pausesBefore are the pauses that a weakness had, in the stored form.
type pausesBefore struct {
	weakness int32
	spans    string
}

// undo compares the state with what it was when the operation began.
func (s *state) undo() *undo {
	o := s.origin
	u := &undo{settled: o.at}
	for i, n := range s.lengths() {
		u.added[i] = n - o.lengths[i]
	}
	u.services, u.repositories = s.services.left(o.lengths[grownServices]), s.repositories.left(o.lengths[grownRepositories])
	for _, number := range sortedKeys(o.scopes) {
		was := o.scopes[number]
		u.scopes = append(u.scopes, scopeBefore{
			number: number, removed: was.removed, success: unix(was.lastSuccess), full: unix(was.lastFull), failed: string(was.lastError),
			classes: len(was.classes), kinds: len(was.kinds),
		})
	}
	u.weaknesses = s.weaknessesBefore()
	for _, p := range sortedKeys(o.pauses) {
		if int(p) < o.lengths[grownWeaknesses] && o.pauses[p] != formatPauses(s.pauses[p]) {
			u.pauses = append(u.pauses, pausesBefore{p, o.pauses[p]})
		}
	}
	if s.dirtySources && !slices.EqualFunc(o.sources, s.configuredSources(), sameSource) {
		u.sources = o.sources
	}
	return u
}

func sameSource(a, b Source) bool {
	return a.Collector == b.Collector && a.Instance == b.Instance && a.StaleAfter == b.StaleAfter && a.StaleFrom == b.StaleFrom &&
		slices.Equal(a.Classes, b.Classes)
}

// weaknessesBefore compares the weaknesses of every block that has to be written.
func (s *state) weaknessesBefore() []weaknessBefore {
	var changed []weaknessBefore
	var was, is []byte
	then, now := s.origin.numbering, s.numbering()
	renumbered := !slices.Equal(then.services, now.services) || !slices.Equal(then.repositories, now.repositories) || !slices.Equal(then.scopes, now.scopes)
	for _, block := range sortedKeys(s.dirtyWeaknesses) {
		first := int(block) * blockSize
		for i := first; i < min(first+blockSize, s.origin.lengths[grownWeaknesses]); i++ {
			before, after := s.origin.weaknesses.At(i), s.weaknesses.At(i)
			if *before == *after && !renumbered {
				continue
			}
			was, is = s.codec.appendWeakness(was[:0], then, before), s.codec.appendWeakness(is[:0], now, after)
			b := weaknessBefore{position: int32(i)}
			for at := range was {
				if was[at] != is[at] {
					b.mask |= 1 << at
					b.bytes = append(b.bytes, was[at])
				}
			}
			if b.mask != 0 {
				changed = append(changed, b)
			}
		}
	}
	return changed
}

// saveUndo stores what takes the transaction back.
func (s *state) saveUndo(t tx) error {
	if s.origin == nil {
		return nil
	}
	body, err := s.undo().encode(s.now)
	if err != nil {
		return err
	}
	return t.putHistory(s.now, body)
}

// apply makes a scope what it was.
func (b *scopeBefore) apply(s *scope) {
	s.removed, s.lastSuccess, s.lastFull, s.lastError = b.removed, timeOf(b.success), timeOf(b.full), record.ErrorReason(b.failed)
	s.classes, s.kinds = s.classes[:min(b.classes, len(s.classes))], s.kinds[:min(b.kinds, len(s.kinds))]
}
