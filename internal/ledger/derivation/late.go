package derivation

import (
	"math"

	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Late history. A scope that is read for the first time after the founding brings history, as the first pass did: what its records say of themselves
// happened on their dates, and only the reading is new. Two kinds of sums see it differently:
//
//   - Windows have it on its dates, as if the scope had been read with the others. So the history of a weakness that the scope brings, and of one that it
//     completes, is derived from the weakness as it stands, as at the founding, and takes the place of what windows had of it.
//   - Counters go up by what is observed, since Prometheus takes every increase for something that happens now: they have that the weaknesses came into view
//     (scope_gained), moved or closed, and no outcome. Otherwise a scanner that is added would be a day of a thousand misses.
//
// This holds while all that is known of a weakness is history (snapshot.ImportedHistory). What was observed of others stays as it was observed.

// importLate ends a first reading: the history of what it touched is derived anew.
func (s *State) importLate() {
	touched := s.late.touched
	s.late = nil
	anew, known := map[int32]bool{}, false
	for p := range touched {
		if s.weaknesses.At(int(p)).Flags.Has(snapshot.ImportedHistory) {
			anew[p] = true
			known = known || int(p) < s.origin.weaknesses.Len()
		}
	}
	if known {
		for i := range s.events.Len() {
			if e := s.events.At(i); anew[e.Weakness] && e.Sums.InWindows() {
				s.changeSums(int32(i), e.Sums.WithoutWindows())
			}
		}
	}
	settled := s.at
	s.at = math.MinInt64
	for _, p := range sortedKeys(anew) {
		s.deriveHistory(p, snapshot.InWindows, true)
	}
	s.at = settled
}

// changeSums changes in which sums an event takes part.
func (s *State) changeSums(i int32, sums snapshot.Sums) {
	e := s.events.Change(int(i))
	if o := s.origin; o != nil && int(i) < o.events {
		if _, ok := o.sums[i]; !ok {
			o.sums[i] = e.Sums
		}
	}
	e.Sums = sums
	s.dirtyEvents[i/blockSize] = struct{}{}
}

// deriveHistory emits the history of a weakness as it follows from the weakness as it stands, on the dates of its sources. waits says that a fix before a
// deadline that has passed may still be reported.
func (s *State) deriveHistory(p int32, sums snapshot.Sums, waits bool) {
	s.deriving, s.derivedSums = true, sums
	defer func() { s.deriving = false }()
	w := s.weaknesses.At(int(p))
	before := w.Outcome
	if w.Outcome != snapshot.OutcomeNone || w.Flags.Has(snapshot.UncountedOutcome) {
		w = s.changeWeakness(p)
		w.Outcome = snapshot.OutcomeNone
		w.Flags &^= snapshot.UncountedOutcome
	}
	if w.Reports == 0 {
		return // it was folded into another one before anybody counted it
	}
	if !w.Flags.Has(snapshot.ImportedHistory) {
		s.changeWeakness(p).Flags |= snapshot.ImportedHistory
	}
	is := *s.weaknesses.At(int(p))
	s.emit(snapshot.EventOpened, p, &is, is.FirstSeen, is.FirstSeen)
	s.importPauses(p, &is)
	if !is.Open() {
		s.emit(snapshot.EventOfClosure(is.Closure.Closure()), p, &is, is.ClosedAt, is.ClosedAt)
		s.closeClock(p, &is, is.ClosedAt)
	}
	s.lapse(p, s.now, 0, waits)
	if now := s.weaknesses.At(int(p)).Outcome; sums == snapshot.InWindows && now != snapshot.OutcomeNone && now != before {
		s.changeWeakness(p).Flags |= snapshot.UncountedOutcome
	}
}

// sinceMoved is from when it counts that a weakness belongs to another service: from now, unless a catalog is read for the first time and says where a
// weakness belongs of which all is history.
func (s *State) sinceMoved(p int32) int64 {
	if s.late != nil && s.weaknesses.At(int(p)).Flags.Has(snapshot.ImportedHistory) {
		return records.Always
	}
	return s.now
}

// ImportHistory derives every event anew from the weaknesses as they stand, with the source's dates. It makes windows right
// on the first day, and the order in which sources were first read (catalog before findings or after) leaves no trace.
func (s *State) ImportHistory() {
	s.events = snapshot.Edit(snapshot.Table[snapshot.Event]{})
	clear(s.dirtyEvents)
	settled := s.at
	s.at = math.MinInt64 // nothing was served yet, so everything counts from its own date
	s.nextDue, s.nextEdge = policy.Forever, policy.Forever
	for i := range s.weaknesses.Len() {
		s.deriveHistory(int32(i), snapshot.InAll, false)
	}
	s.at = settled
}

// importPauses emits the pauses that fell into the time in which a weakness was open.
func (s *State) importPauses(p int32, w *snapshot.Weakness) {
	end := s.now
	if !w.Open() {
		end = min(end, w.ClosedAt)
	}
	for _, pause := range s.pauses[p] {
		start := max(pause.Start, w.FirstSeen)
		if start > end || pause.End <= w.FirstSeen {
			continue
		}
		s.emit(snapshot.EventExcepted, p, w, start, start)
		if pause.End <= end {
			s.emit(snapshot.EventExceptionEnded, p, w, pause.End, pause.End)
		}
	}
	s.nextEdge = min(s.nextEdge, nextEdge(s.pauses[p], s.now))
}
