package records

import (
	"cmp"
	"slices"
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// A milestone is what is counted once of a record: that a review was answered, an exception decided, a follow-up closed, an
// escalation raised. The record is kept as it was then, for good: tickets are reopened, relabelled and deleted, and no counter
// may fall. Nothing more has to be stored, because the revisions of a record hold every state that it was in.

// countedBy sets what the records of a table are counted by.
func (h *Table[T]) countedBy(goals ...goal[T]) { h.goals = goals }

// reach notes the milestones of an entry whose value was observed at an instant, unless they were reached before. One whose date lay ahead until then was
// counted by nobody, so the date may still be corrected.
func (h *Table[T]) reach(e *Entry[T], observed int64) {
	for i, reached := range h.goals {
		if len(e.milestones) > i && e.milestones[i] != nil {
			if store.Unix(e.milestones[i].at) <= observed {
				continue
			}
			e.milestones[i] = nil
		}
		if at, ok := reached(&e.Value); ok {
			if e.milestones == nil {
				e.milestones = make([]*milestone[T], len(h.goals))
			}
			e.milestones[i] = &milestone[T]{value: e.Value, at: at, observed: observed}
		}
	}
}

// milestones are those of one goal and all entries, those that are gone included, in the order in which they were reached. A record that several
// scopes of one instance held, or that came back under a new scope, is counted once.
func (h *Table[T]) milestones(in Placement, goal int) []snapshot.Milestone[T] {
	var entries []*Entry[T]
	for _, e := range h.Entries {
		if len(e.milestones) > goal && e.milestones[goal] != nil {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *Entry[T]) int {
		return cmp.Or(cmp.Compare(a.milestones[goal].observed, b.milestones[goal].observed), cmp.Compare(a.number, b.number))
	})
	type key struct {
		source store.SourceID
		id     string
	}
	counted, founded := map[key]bool{}, in.Founded()
	reached := make([]snapshot.Milestone[T], 0, len(entries))
	for _, e := range entries {
		source, _ := in.Scope(e.Scope)
		k := key{source, e.id}
		if counted[k] {
			continue
		}
		counted[k] = true
		m := e.milestones[goal]
		from := store.TimeOf(m.observed)
		if !m.at.IsZero() && (founded.IsZero() || !from.After(founded)) {
			from = m.at
		}
		if m.at.After(from) {
			from = m.at // it lies ahead, and counts from its day on
		}
		reached = append(reached, snapshot.Milestone[T]{Held: h.hold(in, e, m.value), At: m.at, Counted: from, Observed: store.TimeOf(m.observed)})
	}
	return reached
}

// dated is a milestone that is reached with its date.
func dated(at time.Time) (time.Time, bool) { return at, !at.IsZero() }

func answered(r *record.Review) (time.Time, bool)    { return dated(r.FirstResponseAt) }
func completed(f *record.Followup) (time.Time, bool) { return dated(f.ClosedAt) }

// raised is reached by every escalation, whether or not its source gives the date.
func raised(e *record.Escalation) (time.Time, bool) { return e.RaisedAt, true }

// deployed is reached by a deployment that ended, well or not, on a date.
func deployed(d *record.Deployment) (time.Time, bool) {
	switch d.Status {
	case record.DeploymentSucceeded, record.DeploymentFailed:
		return dated(d.FinishedAt)
	case record.DeploymentPending, record.DeploymentOther:
		return time.Time{}, false
	default:
		return time.Time{}, false
	}
}

func opened(i *record.Incident) (time.Time, bool)   { return dated(i.OpenedAt) }
func restored(i *record.Incident) (time.Time, bool) { return dated(i.RestoredAt) }

// bypassed is reached by every push or merge that a source tells of, whatever happened to it: the result is a fact of the record.
func bypassed(b *record.Bypass) (time.Time, bool) { return b.At, true }

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
