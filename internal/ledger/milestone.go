package ledger

import (
	"cmp"
	"slices"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// A milestone is what is counted once of a record: that a review was answered, an exception decided, a follow-up closed, an
// escalation raised. The record is kept as it was then, for good: tickets are reopened, relabelled and deleted, and no counter
// may fall. Nothing more has to be stored, because the revisions of a record hold every state that it was in.

// milestone is the record as of the first revision that reached it.
type milestone[T any] struct {
	value T
	// at is by the source, zero if it gives no date; observed is when the revision was.
	at       time.Time
	observed int64
}

// reach notes the milestone of an entry whose value was observed at an instant, unless it was reached before.
func (h *shelf[T]) reach(e *entry[T], observed int64) {
	if h.milestone == nil || e.milestone != nil {
		return
	}
	if at, ok := h.milestone(&e.value); ok {
		e.milestone = &milestone[T]{value: e.value, at: at, observed: observed}
	}
}

// milestones are those of all entries, those that are gone included, in the order in which they were reached. A record that several
// scopes of one instance held, or that came back under a new scope, is counted once.
func (h *shelf[T]) milestones(s *state) []snapshot.Milestone[T] {
	var entries []*entry[T]
	for _, e := range h.entries {
		if e.milestone != nil {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *entry[T]) int {
		return cmp.Or(cmp.Compare(a.milestone.observed, b.milestone.observed), cmp.Compare(a.number, b.number))
	})
	type key struct {
		source sourceID
		id     string
	}
	counted := map[key]bool{}
	reached := make([]snapshot.Milestone[T], 0, len(entries))
	for _, e := range entries {
		k := key{s.scopes[e.scope].source, e.id}
		if counted[k] {
			continue
		}
		counted[k] = true
		m := e.milestone
		from := timeOf(m.observed)
		if !m.at.IsZero() && (s.importing() || !from.After(s.founded)) {
			from = m.at
		}
		reached = append(reached, snapshot.Milestone[T]{Held: h.hold(s, e, m.value), At: m.at, Counted: from})
	}
	return reached
}

// dated is a milestone that is reached with its date.
func dated(at time.Time) (time.Time, bool) { return at, !at.IsZero() }

func answered(r *record.Review) (time.Time, bool)    { return dated(r.FirstResponseAt) }
func completed(f *record.Followup) (time.Time, bool) { return dated(f.ClosedAt) }

// raised is reached by every escalation, whether or not its source gives the date.
func raised(e *record.Escalation) (time.Time, bool) { return e.RaisedAt, true }

// decided is reached by what was approved or rejected on a date. What has ended since was approved if it has one.
func decided(e *record.Exception) (time.Time, bool) {
	switch e.State {
	case record.ExceptionApproved, record.ExceptionRejected, record.ExceptionEnded:
		return dated(e.DecidedAt)
	case record.ExceptionRequested, record.ExceptionOther:
		return time.Time{}, false
	default:
		return time.Time{}, false
	}
}
