package tallies

import (
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Exception is an exception of the inventory, judged at the instant of the evaluation.
type Exception struct {
	*snapshot.Held[record.Exception]
	// Owner is a position in Snapshot.Owners, Category the label value.
	Owner    int32
	Category string
	Standing policy.ExceptionStanding
	Expires  policy.Horizon
	// Dropped: what is known of it is too old to be shown.
	Dropped bool
}

// newExceptions judges all exceptions.
func newExceptions(in *Input, sources *Sources) []Exception {
	var all []Exception
	for i := range in.Snapshot.Exceptions {
		held := &in.Snapshot.Exceptions[i]
		standing := in.Policy.ExceptionStanding(&held.Record, in.At)
		if standing == policy.StandingGone {
			continue
		}
		all = append(all, Exception{
			Held:     held,
			Owner:    in.Snapshot.Services[held.Service].Owner,
			Category: frame.Named(held.Record.Category, frame.None),
			Standing: standing,
			Expires:  policy.HorizonOf(&held.Record, in.At),
			Dropped:  sources.IsDropped(held.Scope),
		})
	}
	return all
}

// Since is when the exception was approved or, where that is not known, requested or first observed.
func (e *Exception) Since() time.Time {
	for _, t := range []time.Time{e.Record.DecidedAt, e.Record.RequestedAt} {
		if !t.IsZero() {
			return t
		}
	}
	return e.FirstObserved
}

// Approved reports whether the exception was approved and is still open in its source.
func (e *Exception) Approved() bool {
	return e.Standing == policy.StandingActive || e.Standing == policy.StandingExpired || e.Standing == policy.StandingUnscoped
}
