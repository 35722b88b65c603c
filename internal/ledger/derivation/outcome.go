package derivation

import (
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// SLA outcomes. A clock has one outcome, which falls at the earlier of closing and deadline and is then frozen:
//
//   - remediated by the last second of the due day: met; closed void by then: void; neither: missed, at the deadline.
//   - a choice to live with it (policy.Accepted) leaves the clock running: missed when due, unless an exception stops it.
//   - a reopening that policy lets continue takes back a met (event revoked) and clears it; the old deadline still stands. One
//     that restarts the clock leaves the earlier outcome and begins a new one. What was never reported as gone (a choice to live
//     with it, a source that saw it no more) had a clock that ran on, so its return restarts nothing.
//   - severity, owner, exposure, policy and exceptions move the deadline of a clock that has no outcome, never of one that has.
//
// A fix in time may be told after the deadline, by the next poll. So a deadline that passes is missed once the scope was read after it and
// still has the weakness, or once the scope's records are too old to be believed (Source.StaleAfter); until then nobody knows and
// no outcome falls. A miss has the second of the deadline as its time, and counts from when it was known: what was served for an
// earlier instant stays true. So does one that only a change made late, e.g. a raised severity.

// dueOf is the deadline of a weakness, 0 for none.
func (s *State) dueOf(p int32, w *snapshot.Weakness) int64 {
	return s.policy.Due(policy.Clock{
		Start:  w.ClockStart,
		Target: s.policy.Target(w.Severity, s.catalog.Services[w.Service].Facts, w.Flags&(snapshot.KnownExploited|snapshot.ActiveSecret) != 0),
		Pauses: s.pauses[p],
	})
}

// running reports whether time can still bring an outcome.
func running(w *snapshot.Weakness) bool {
	return w.Outcome == snapshot.OutcomeNone && w.Reports > 0 &&
		(w.Open() || policy.Treat(w.Closure.Closure()) == policy.Accepted)
}

// lapse lets the deadline of a running clock pass, if it did before the instant until. from is the earliest instant at which it
// may count as passed: a reopening, 0 otherwise.
// waits says that the weakness itself is not what was just read, so that a fix in time may still be reported.
func (s *State) lapse(p int32, until, from int64, waits bool) {
	w := s.weaknesses.At(int(p))
	if !running(w) {
		return
	}
	due := s.dueOf(p, w)
	switch {
	case due == 0 || due == policy.Forever:
	case due < until && waits && s.awaits(w, due):
	case due < until:
		s.freeze(p, w, snapshot.OutcomeMissed, max(due, from), s.countedAt(max(due, from)))
	default:
		s.nextDue = min(s.nextDue, due)
	}
}

// awaits reports whether it is still open to the scope of a weakness to tell of a fix before the deadline, and notes to look again
// when it was read, or when it is too late for that.
func (s *State) awaits(w *snapshot.Weakness, due int64) bool {
	if w.Scope < 0 || len(s.sources) == 0 {
		return false
	}
	number := s.scopeOrder[w.Scope]
	sc := &s.scopes[number]
	source, configured := s.configured[sc.Source]
	believed := store.Unix(sc.LastSuccess) + int64(source.StaleAfter/time.Second)
	switch {
	case !configured: // just opened; Configure looks again
		return true
	case source.StaleAfter <= 0, store.Unix(sc.LastSuccess) > due, believed < s.now:
		return false
	}
	s.awaited[number] = true
	s.nextDue = min(s.nextDue, believed)
	return true
}

// countedAt is from when something counts that the calendar decided for the given instant: from then, unless that was settled
// already without it.
func (s *State) countedAt(instant int64) int64 {
	if instant < s.at {
		return s.now
	}
	return instant
}

// closeClock lets the outcome of a closed weakness fall. clock is the weakness as its clock ran: with the severity and flags it
// had while it was open. counted is from when the closing counts.
func (s *State) closeClock(p int32, clock *snapshot.Weakness, counted int64) {
	w := s.weaknesses.At(int(p))
	if w.Open() || w.Outcome != snapshot.OutcomeNone {
		return
	}
	treatment := policy.Treat(w.Closure.Closure())
	if treatment == policy.Accepted {
		return // the clock runs on
	}
	due := s.dueOf(p, clock)
	switch {
	case due == 0:
	case w.ClosedAt > due:
		s.freeze(p, clock, snapshot.OutcomeMissed, due, s.countedAt(due))
	case treatment == policy.Remediated:
		s.freeze(p, clock, snapshot.OutcomeMet, w.ClosedAt, counted)
	case treatment == policy.Void:
		s.freeze(p, clock, snapshot.OutcomeVoid, w.ClosedAt, counted)
	}
}

var outcomeEvents = map[snapshot.Outcome]snapshot.EventKind{
	snapshot.OutcomeMet: snapshot.EventMet, snapshot.OutcomeMissed: snapshot.EventMissed, snapshot.OutcomeVoid: snapshot.EventVoid,
}

// freeze fixes an outcome and counts it under the owner and severity of w.
func (s *State) freeze(p int32, w *snapshot.Weakness, o snapshot.Outcome, at, counted int64) {
	frozen := *w
	s.changeWeakness(p).Outcome = o
	if !s.silent {
		s.emit(outcomeEvents[o], p, &frozen, at, counted)
	}
}

// reopenClock says what a reopening at the instant at does to the clock of a weakness that was closed as old.
func (s *State) reopenClock(p int32, old *snapshot.Weakness, at int64) {
	w := s.changeWeakness(p)
	if !s.policy.Continues(old.ClosedAt, at) && !ranOn(old) {
		w.ClockStart, w.Outcome = at, snapshot.OutcomeNone
		w.Flags |= snapshot.RestartedClock
		return
	}
	if old.Outcome == snapshot.OutcomeMet {
		s.emit(snapshot.EventRevoked, p, w, at, s.now)
	}
	if old.Outcome != snapshot.OutcomeMissed {
		w.Outcome = snapshot.OutcomeNone
	}
}

// ranOn reports whether the clock of a closed weakness went on, because no source reported it as gone: also one in a repository that was archived is still
// there when that is taken back.
func ranOn(w *snapshot.Weakness) bool {
	closure := w.Closure.Closure()
	return w.Outcome != snapshot.OutcomeMet &&
		(policy.Treat(closure) == policy.Accepted || closure == record.ClosureVanished || closure == record.ClosureRepositoryArchived)
}

// settleDeadlines lets every deadline pass that lies before now. It costs nothing until the next one.
func (s *State) settleDeadlines() {
	if s.nextDue >= s.now || s.Importing() {
		return
	}
	s.nextDue = policy.Forever
	clear(s.awaited)
	for p := range s.weaknesses.Len() {
		s.lapse(int32(p), s.now, 0, true)
	}
}

// settlePauses emits the starts and ends of pauses since the last settling, for what is open.
func (s *State) settlePauses() {
	if s.nextEdge > s.now || s.Importing() {
		return
	}
	s.nextEdge = policy.Forever
	for _, p := range sortedKeys(s.pauses) {
		w := s.weaknesses.At(int(p))
		for _, pause := range s.pauses[p] {
			if w.Open() && s.at < pause.Start && pause.Start <= s.now {
				s.emit(snapshot.EventExcepted, p, w, pause.Start, pause.Start)
			}
			if w.Open() && s.at < pause.End && pause.End <= s.now {
				s.emit(snapshot.EventExceptionEnded, p, w, pause.End, pause.End)
			}
		}
		s.nextEdge = min(s.nextEdge, nextEdge(s.pauses[p], s.now))
	}
}
