package snapshot

import (
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Imported is the history that a ledger imported as of an instant before its founding, by the sources' dates; s is what it knew at
// the founding. Nothing was served or observed then, so it is less than what is known of later instants: what had been seen,
// decided and closed by then is known, and everything else (catalog, severities, protection, counts of records) is as it was first
// read. ok is false for an instant before the first date that was imported.
func (s *Snapshot) Imported(at time.Time) (made *Snapshot, ok bool) {
	until := at.Unix()
	imported := *s
	imported.At = at
	imported.Weaknesses, ok = weaknessesUntil(&s.Weaknesses, until)
	var events Editor[Event]
	for _, e := range s.Events.All() {
		if e.Counted <= until {
			events.Append(*e)
		}
	}
	imported.Events = events.Freeze()
	outcomesOf(&imported)
	imported.Pauses = pausesUntil(s.Pauses, until)
	imported.hold(s, at)
	count := 0
	imported.Answered, count = milestonesUntil(s.Answered, at, count)
	imported.Decided, count = milestonesUntil(s.Decided, at, count)
	imported.Completed, count = milestonesUntil(s.Completed, at, count)
	imported.Raised, count = milestonesUntil(s.Raised, at, count)
	imported.Deployed, count = milestonesUntil(s.Deployed, at, count)
	imported.Opened, count = milestonesUntil(s.Opened, at, count)
	imported.Restored, count = milestonesUntil(s.Restored, at, count)
	imported.Bypassed, count = milestonesUntil(s.Bypassed, at, count)
	return &imported, ok || count > 0
}

// weaknessesUntil are the weaknesses as they were by their dates. Positions stay: one that was not seen yet is a part of nothing.
func weaknessesUntil(all *Table[Weakness], until int64) (Table[Weakness], bool) {
	var editor Editor[Weakness]
	seen := false
	for _, w := range all.All() {
		then := *w
		then.Outcome = OutcomeNone
		switch {
		case w.FirstSeen > until:
			then.Withdraw()
		case w.ClosedAt > until:
			then.Closure, then.ClosedAt, then.OpenReports = 0, 0, w.Reports
		}
		seen = seen || w.FirstSeen <= until
		editor.Append(then)
	}
	return editor.Freeze(), seen
}

// outcomesOf gives the weaknesses the outcomes of the events.
func outcomesOf(s *Snapshot) {
	outcomes := map[EventKind]Outcome{EventMet: OutcomeMet, EventMissed: OutcomeMissed, EventVoid: OutcomeVoid}
	editor := Edit(s.Weaknesses)
	for _, e := range s.Events.All() {
		if o, ok := outcomes[e.Kind]; ok {
			editor.Change(int(e.Weakness)).Outcome = o
		}
	}
	s.Weaknesses = editor.Freeze()
}

// pausesUntil are the pauses that had begun.
func pausesUntil(all map[int32][]policy.Pause, until int64) map[int32][]policy.Pause {
	begun := make(map[int32][]policy.Pause, len(all))
	for p, pauses := range all {
		for _, pause := range pauses {
			if pause.Start <= until {
				begun[p] = append(begun[p], pause)
			}
		}
	}
	return begun
}

func milestonesUntil[T any](all []Milestone[T], at time.Time, count int) ([]Milestone[T], int) {
	var reached []Milestone[T]
	for _, m := range all {
		if !m.Counted.After(at) {
			reached = append(reached, m)
		}
	}
	return reached, count + len(reached)
}

// hold takes over the records that were there by their own dates, and takes back what happened to them later.
func (s *Snapshot) hold(known *Snapshot, at time.Time) {
	s.Exceptions = heldUntil(known.Exceptions, at, exceptionUntil)
	s.Reviews = heldUntil(known.Reviews, at, reviewUntil)
	s.Followups = heldUntil(known.Followups, at, func(f *record.Followup, at time.Time) bool {
		f.ClosedAt = until(f.ClosedAt, at)
		return !f.CreatedAt.After(at)
	})
	s.Incidents = heldUntil(known.Incidents, at, func(i *record.Incident, at time.Time) bool {
		i.RestoredAt = until(i.RestoredAt, at)
		return !i.OpenedAt.After(at)
	})
	s.Deployments = heldUntil(known.Deployments, at, func(d *record.Deployment, at time.Time) bool {
		if d.FinishedAt.After(at) {
			d.FinishedAt, d.Status = time.Time{}, record.DeploymentPending
		}
		return !d.CreatedAt.After(at)
	})
	s.Releases = heldUntil(known.Releases, at, func(r *record.Release, at time.Time) bool { return !r.PublishedAt.After(at) })
	s.Escalations = heldUntil(known.Escalations, at, func(e *record.Escalation, at time.Time) bool {
		e.ClosedAt = until(e.ClosedAt, at)
		return !e.RaisedAt.After(at)
	})
	s.Evidence = heldUntil(known.Evidence, at, func(e *record.Evidence, at time.Time) bool { return !e.ProducedAt.After(at) })
	s.Scans = heldUntil(known.Scans, at, func(sc *record.Scan, at time.Time) bool { return !sc.SucceededAt.After(at) })
	s.Bypasses = heldUntil(known.Bypasses, at, func(b *record.Bypass, at time.Time) bool { return !b.At.After(at) })
}

// heldUntil are the records for which there is true; it may change the copy that it is given.
func heldUntil[T any](all []Held[T], at time.Time, there func(*T, time.Time) bool) []Held[T] {
	var held []Held[T]
	for _, h := range all {
		if there(&h.Record, at) {
			held = append(held, h)
		}
	}
	return held
}

// until is a date unless it lies later.
func until(date, at time.Time) time.Time {
	if date.After(at) {
		return time.Time{}
	}
	return date
}

func exceptionUntil(e *record.Exception, at time.Time) bool {
	if e.EndedAt.After(at) {
		e.EndedAt, e.State = time.Time{}, record.ExceptionApproved
	}
	if e.DecidedAt.After(at) {
		e.DecidedAt, e.ExpiresAt, e.State = time.Time{}, time.Time{}, record.ExceptionRequested
	}
	return !e.RequestedAt.After(at)
}

func reviewUntil(r *record.Review, at time.Time) bool {
	if r.ClosedAt.After(at) {
		r.ClosedAt, r.State = time.Time{}, record.ReviewInProgress
	}
	if r.FirstResponseAt.After(at) {
		r.FirstResponseAt, r.State = time.Time{}, record.ReviewWaiting
	}
	return !r.RequestedAt.After(at)
}
