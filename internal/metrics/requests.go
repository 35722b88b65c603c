package metrics

import (
	"strconv"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The label values of the requests to people, in the order of the documentation.
var (
	reviewKinds      = []record.ReviewKind{record.ReviewThreatModel, record.ReviewDesign, record.ReviewCode, record.ReviewOther}
	openReviewStates = []record.ReviewState{record.ReviewWaiting, record.ReviewInProgress, record.ReviewBlocked}
	escalationKinds  = []record.EscalationKind{record.EscalationReleaseBlock, record.EscalationUrgent}
	// overdueValues: whether a follow-up is overdue cannot be known while it names no day.
	overdueValues = []string{"false", "true", overdueUnknown}
)

const overdueUnknown = "unknown"

// reviewKind is the label value of a kind; a word that nobody knows is another kind.
func reviewKind(k record.ReviewKind) string {
	for _, known := range reviewKinds {
		if k == known {
			return string(k)
		}
	}
	return string(record.ReviewOther)
}

// startOf is when something was asked for by its source, or when it was first seen where the source gives no date.
func startOf[T any](h *snapshot.Held[T], asked time.Time) time.Time {
	if asked.IsZero() {
		return h.FirstObserved
	}
	return asked
}

// eachOpen calls with every record that is open, its present owner, and whether what is known of it is too old to be shown.
func eachOpen[T any](in *Input, held []snapshot.Held[T], open func(*T) bool, call func(h *snapshot.Held[T], owner int32, dropped bool)) {
	for i := range held {
		if h := &held[i]; open(&h.Record) {
			call(h, in.Snapshot.Services[h.Service].Owner, in.shared.sources.isDropped(h.Scope))
		}
	}
}

// reviewState is where a review stands: one that is answered does not wait, whatever its status is called.
func reviewState(r *record.Review) record.ReviewState {
	switch {
	case r.State == record.ReviewDone || !r.ClosedAt.IsZero():
		return record.ReviewDone
	case r.State == record.ReviewBlocked:
		return record.ReviewBlocked
	case r.FirstResponseAt.IsZero():
		return record.ReviewWaiting
	default:
		return record.ReviewInProgress
	}
}

func reviewsOpen(in *Input, out *Sink) {
	open := func(r *record.Review) bool { return reviewState(r) != record.ReviewDone }
	eachOpen(in, in.Snapshot.Reviews, open, func(h *snapshot.Held[record.Review], owner int32, dropped bool) {
		group, dim := in.shared.own.groupOf[owner], out.Dim(reviewKind(h.Record.Kind), string(reviewState(&h.Record)))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.shared.sources.of(record.KindReview).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, kind := range reviewKinds {
			for _, state := range openReviewStates {
				out.Zero(group, out.Dim(string(kind), string(state)))
			}
		}
	}
}

func reviewWaiting(in *Input, out *Sink) {
	ages, clock := newDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	waits := func(r *record.Review) bool { return reviewState(r) == record.ReviewWaiting }
	eachOpen(in, in.Snapshot.Reviews, waits, func(h *snapshot.Held[record.Review], owner int32, dropped bool) {
		unit, dim := in.shared.own.unitOf[owner], out.Dim(reviewKind(h.Record.Kind))
		if dropped {
			out.Unknown(unit, dim)
			return
		}
		ages.observe(unit, dim, workingSeconds(clock, startOf(h, h.Record.RequestedAt), in.At))
	})
	ages.finish()
	if !in.shared.sources.of(record.KindReview).complete() {
		return
	}
	for _, unit := range presentUnits(in) {
		for _, kind := range reviewKinds {
			out.Zero(unit, out.Dim(string(kind)))
		}
	}
}

func followupOpen(f *record.Followup) bool { return f.ClosedAt.IsZero() }

// overdue says whether a follow-up is past its day, which ends at DueAt.
func overdue(f *record.Followup, at time.Time) string {
	if f.DueAt.IsZero() {
		return overdueUnknown
	}
	return strconv.FormatBool(!at.Before(f.DueAt))
}

func followupsOpen(in *Input, out *Sink) {
	eachOpen(in, in.Snapshot.Followups, followupOpen, func(h *snapshot.Held[record.Followup], owner int32, dropped bool) {
		group, dim := in.shared.own.groupOf[owner], out.Dim(overdue(&h.Record, in.At))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.shared.sources.of(record.KindFollowup).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, value := range overdueValues {
			out.Zero(group, out.Dim(value))
		}
	}
}

func followupAge(in *Input, out *Sink) {
	ages, all := newDistributions(out), out.Dim()
	eachOpen(in, in.Snapshot.Followups, followupOpen, func(h *snapshot.Held[record.Followup], owner int32, dropped bool) {
		unit := in.shared.own.unitOf[owner]
		if dropped {
			out.Unknown(unit, all)
			return
		}
		ages.observe(unit, all, secondsBetween(startOf(h, h.Record.CreatedAt).Unix(), in.At.Unix()))
	})
	ages.finish()
	if !in.shared.sources.of(record.KindFollowup).complete() {
		return
	}
	for _, unit := range presentUnits(in) {
		out.Zero(unit, all)
	}
}

// escalationKind is the label value of a kind; whatever is no release block is urgent.
func escalationKind(k record.EscalationKind) string {
	if k == record.EscalationReleaseBlock {
		return string(k)
	}
	return string(record.EscalationUrgent)
}

func escalationsOpen(in *Input, out *Sink) {
	open := func(e *record.Escalation) bool { return e.ClosedAt.IsZero() }
	eachOpen(in, in.Snapshot.Escalations, open, func(h *snapshot.Held[record.Escalation], owner int32, dropped bool) {
		group, dim := in.shared.own.groupOf[owner], out.Dim(escalationKind(h.Record.Kind))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.shared.sources.of(record.KindEscalation).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, kind := range escalationKinds {
			out.Zero(group, out.Dim(string(kind)))
		}
	}
}
