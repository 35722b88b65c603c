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
func EachOpen[T any](in *Tallies, held []snapshot.Held[T], open func(*T) bool, call func(h *snapshot.Held[T], owner int32, dropped bool)) {
	for i := range held {
		if h := &held[i]; open(&h.Record) {
			call(h, in.Snapshot.Services[h.Service].Owner, in.Sources.IsDropped(h.Scope))
		}
	}
}

// ReviewState is the state of a review. A review that was answered is not waiting, whatever its status.
func ReviewState(r *record.Review) record.ReviewState {
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

// FollowupOpen reports whether a follow-up is open.
func FollowupOpen(f *record.Followup) bool { return f.ClosedAt.IsZero() }

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

// ReviewOpen reports whether a review is not done.
func ReviewOpen(r *record.Review) bool { return ReviewState(r) != record.ReviewDone }

// EscalationOpen reports whether an escalation is open.
func EscalationOpen(e *record.Escalation) bool { return e.ClosedAt.IsZero() }
