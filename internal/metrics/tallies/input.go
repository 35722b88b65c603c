// Package tallies counts, once per evaluation, what several metric families need: who owns what, which sources were read, open weaknesses,
// events, protection of repositories, deployments, lead times, change failures, exceptions, scans and the results of controls. Records lists
// the same records one by one, judged as the families judge them, for package evidence.
//
// A tally is a pure function of Input (snapshot, policy and instant) and of tallies that were made before it. It does no I/O, looks at no
// clock and keeps nothing between evaluations. It knows package frame for entities and distributions, but no family: what is shown, under
// which labels and with which zeros is up to package families.
//
// To add a tally, write a type with a constructor that takes Input and the tallies it needs in a file of its own, and add a field of Tallies
// that New fills. What needs a walk over all weaknesses or all events joins the walk in weaknesses.go or events.go and counts into arrays
// indexed by small integers, because there may be millions of them. What only one family needs stays with that family.
package tallies

import (
	"math"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Input is what everything is computed from.
type Input struct {
	Snapshot *snapshot.Snapshot
	Policy   *policy.Policy
	// At is the instant of the evaluation.
	At time.Time
}

// EachCounted calls with every milestone that counts at the instant of the evaluation. Milestones stay whatever becomes of the record, under
// the owner of the day on which it was first held, so counters of them never fall.
func EachCounted[T any](in *Input, milestones []snapshot.Milestone[T], call func(*snapshot.Milestone[T])) {
	for i := range milestones {
		if m := &milestones[i]; !m.Counted.After(in.At) {
			call(m)
		}
	}
}

// SecondsBetween is the time from one Unix time to another in whole seconds, never negative.
func SecondsBetween(from, to int64) uint32 {
	return uint32(min(max(to-from, 0), math.MaxUint32))
}

// BusinessSeconds is the time from one instant to another on the clock of a calendar in whole seconds, never negative.
func BusinessSeconds(clock *policy.Calendar, from, to time.Time) uint32 {
	return uint32(min(clock.BusinessSeconds(from, to), math.MaxUint32))
}

// ResponseSeconds is the time from the request for a review to an instant at which it was answered or still waits, in seconds: by the source's own clock where it
// has one, else by that of a calendar.
func ResponseSeconds(clock *policy.Calendar, r *record.Review, requested, until time.Time) uint32 {
	if r.Response == nil {
		return BusinessSeconds(clock, requested, until)
	}
	elapsed := r.Response.Elapsed.Seconds()
	if r.Response.Running {
		elapsed += clock.BusinessSeconds(r.Response.AsOf, until)
	}
	return uint32(min(max(elapsed, 0), math.MaxUint32))
}

// Latest is the later of two instants.
func Latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// knownAt is when something that was observed at an instant became known: what was imported became known at the founding.
func knownAt(s *snapshot.Snapshot, observed time.Time) time.Time {
	if s.Founded.IsZero() || observed.Before(s.Founded) {
		return s.Founded
	}
	return observed
}
