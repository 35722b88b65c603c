package tallies

import (
	"strconv"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The label values of reviews, follow-ups and escalations, in the order of the documentation.
var (
	ReviewKinds      = []record.ReviewKind{record.ReviewThreatModel, record.ReviewDesign, record.ReviewCode, record.ReviewOther}
	OpenReviewStates = []record.ReviewState{record.ReviewWaiting, record.ReviewInProgress, record.ReviewBlocked}
	EscalationKinds  = []record.EscalationKind{record.EscalationReleaseBlock, record.EscalationUrgent}
	// OverdueValues: whether a follow-up without a due day is overdue is unknown.
	OverdueValues = []string{"false", "true", overdueUnknown}
)

const overdueUnknown = "unknown"

// ReviewKind is the label value of a kind; an unexpected value is other.
func ReviewKind(k record.ReviewKind) string {
	for _, known := range ReviewKinds {
		if k == known {
			return string(k)
		}
	}
	return string(record.ReviewOther)
}

// StartOf is when something was requested, or when it was first observed where the source has no date.
func StartOf[T any](h *snapshot.Held[T], requested time.Time) time.Time {
	if requested.IsZero() {
		return h.FirstObserved
	}
	return requested
}

// EachOpen calls with every record that is open, its present owner, and whether what is known of it is too old to be shown.
func EachOpen[T any](in *Tallies, held []snapshot.Held[T], open func(*T, time.Time) bool, call func(h *snapshot.Held[T], owner int32, dropped bool)) {
	for i := range held {
		if h := &held[i]; open(&h.Record, in.At) {
			call(h, in.Snapshot.Services[h.Service].Owner, in.Sources.IsDropped(h.Scope))
		}
	}
}

// reached reports whether a date has come; one that a source dates in the future has not.
func reached(date, at time.Time) bool { return !date.IsZero() && !date.After(at) }

// ReviewState is the state of a review at an instant. A review that was answered is not waiting, whatever its status.
func ReviewState(r *record.Review, at time.Time) record.ReviewState {
	switch {
	case r.State == record.ReviewDone || reached(r.ClosedAt, at):
		return record.ReviewDone
	case r.State == record.ReviewBlocked:
		return record.ReviewBlocked
	case !reached(r.FirstResponseAt, at):
		return record.ReviewWaiting
	default:
		return record.ReviewInProgress
	}
}

// FollowupOpen reports whether a follow-up is open at an instant.
func FollowupOpen(f *record.Followup, at time.Time) bool { return !reached(f.ClosedAt, at) }

// Overdue is the label value of whether a follow-up is past its due day, which ends at DueAt.
func Overdue(f *record.Followup, at time.Time) string {
	if f.DueAt.IsZero() {
		return overdueUnknown
	}
	return strconv.FormatBool(!at.Before(f.DueAt))
}

// EscalationKind is the label value of a kind; everything but a release block is urgent.
func EscalationKind(k record.EscalationKind) string {
	if k == record.EscalationReleaseBlock {
		return string(k)
	}
	return string(record.EscalationUrgent)
}

// ReviewOpen reports whether a review is not done at an instant.
func ReviewOpen(r *record.Review, at time.Time) bool { return ReviewState(r, at) != record.ReviewDone }

// EscalationOpen reports whether an escalation is open at an instant.
func EscalationOpen(e *record.Escalation, at time.Time) bool { return !reached(e.ClosedAt, at) }
