package derivation

import (
	"prodsec_exporter/internal/snapshot"
)

// calendarKinds are the events that follow from dates alone, so that they can be derived anew.
var calendarKinds = map[snapshot.EventKind]bool{
	snapshot.EventExcepted: true, snapshot.EventExceptionEnded: true, snapshot.EventMissed: true,
}

// reckon says in which sums an event takes part; ok is false if in none.
func (s *State) reckon(kind snapshot.EventKind, p int32) (sums snapshot.Sums, ok bool) {
	w := s.weaknesses.At(int(p))
	switch {
	case s.deriving:
		return s.derivedSums, true
	case s.late != nil && w.Flags.Has(snapshot.ImportedHistory):
		s.touch(p)
		return snapshot.InCounters, kind < snapshot.EventMet
	case kind == snapshot.EventRevoked && w.Flags.Has(snapshot.UncountedOutcome):
		return snapshot.InWindows, true
	}
	if !calendarKinds[kind] && w.Flags.Has(snapshot.ImportedHistory) {
		s.changeWeakness(p).Flags &^= snapshot.ImportedHistory
	}
	return snapshot.InAll, true
}

// emit appends an event about a weakness, with the owner, severity and class of w frozen in it.
func (s *State) emit(kind snapshot.EventKind, p int32, w *snapshot.Weakness, at, counted int64) {
	s.emitUnder(s.ownerOf(w), kind, p, w, at, counted)
}

// emitUnder is emit with another owner than the present one.
func (s *State) emitUnder(owner int32, kind snapshot.EventKind, p int32, w *snapshot.Weakness, at, counted int64) {
	sums, ok := s.reckon(kind, p)
	if !ok {
		return
	}
	e := snapshot.Event{At: at, Counted: counted, Weakness: p, Owner: owner, Kind: kind, Severity: w.Severity, Class: w.Class, Sums: sums}
	if kind == snapshot.EventFixed {
		e.Seconds = uint32(min(max(0, at-w.FirstSeen), 1<<32-1))
	}
	i := int32(s.events.Append(e))
	s.dirtyEvents[i/blockSize] = struct{}{}
}
