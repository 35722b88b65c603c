package metrics

import (
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// standing is an exception that is part of the inventory, judged at the instant of the evaluation.
type standing struct {
	*snapshot.Held[record.Exception]
	owner    int32
	category string
	state    policy.ExceptionStanding
	expires  policy.Horizon
	// dropped: what is known of it is too old to be shown.
	dropped bool
}

// standings judges all exceptions.
func standings(in *Input, sources *readState) []standing {
	var all []standing
	for i := range in.Snapshot.Exceptions {
		held := &in.Snapshot.Exceptions[i]
		state := in.Policy.ExceptionStanding(&held.Record, in.At)
		if state == policy.StandingGone {
			continue
		}
		all = append(all, standing{
			Held:     held,
			owner:    in.Snapshot.Services[held.Service].Owner,
			category: named(held.Record.Category, none),
			state:    state,
			expires:  policy.HorizonOf(&held.Record, in.At),
			dropped:  sources.isDropped(held.Scope),
		})
	}
	return all
}

// since is when the exception was granted or, where that is not known, asked for or first seen.
func (s *standing) since() time.Time {
	for _, t := range []time.Time{s.Record.DecidedAt, s.Record.RequestedAt} {
		if !t.IsZero() {
			return t
		}
	}
	return s.FirstObserved
}

// held reports whether the exception was approved and is still open in its source.
func (s *standing) held() bool {
	return s.state == policy.StandingActive || s.state == policy.StandingExpired || s.state == policy.StandingUnscoped
}

func exceptions(in *Input, out *Sink) {
	own := in.shared.own
	for _, s := range in.shared.exceptions {
		dim := out.Dim(s.category, string(s.state), string(s.expires))
		if s.dropped {
			out.Unknown(own.groupOf[s.owner], dim)
			continue
		}
		out.Add(own.groupOf[s.owner], dim, 1)
	}
	if !in.shared.sources.of(record.KindException).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		out.Zero(group, out.Dim(none, string(policy.StandingRequested), string(policy.HorizonNever)))
		out.Zero(group, out.Dim(none, string(policy.StandingActive), string(policy.HorizonNever)))
		out.Zero(group, out.Dim(none, string(policy.StandingExpired), string(policy.HorizonExpired)))
	}
}

func exceptionAge(in *Input, out *Sink) {
	ages := newDistributions(out)
	for _, s := range in.shared.exceptions {
		if !s.held() {
			continue
		}
		unit, dim := in.shared.own.unitOf[s.owner], out.Dim(s.category)
		if s.dropped {
			out.Unknown(unit, dim)
			continue
		}
		ages.observe(unit, dim, secondsBetween(s.since().Unix(), in.At.Unix()))
	}
	ages.finish()
}

// exceptionPending is about requests alone: the clock of decisions runs from the request, or from when it was first seen where the
// source gives no date.
func exceptionPending(in *Input, out *Sink) {
	ages, clock := newDistributions(out), in.Policy.Calendar(policy.CalendarDecisions)
	for _, s := range in.shared.exceptions {
		if s.state != policy.StandingRequested {
			continue
		}
		unit, dim := in.shared.own.unitOf[s.owner], out.Dim(s.category)
		if s.dropped {
			out.Unknown(unit, dim)
			continue
		}
		ages.observe(unit, dim, workingSeconds(clock, s.since(), in.At))
	}
	ages.finish()
	if !in.shared.sources.of(record.KindException).complete() {
		return
	}
	for _, unit := range presentUnits(in) {
		out.Zero(unit, out.Dim(none))
	}
}

func exceptionNextExpiry(in *Input, out *Sink) {
	for _, s := range in.shared.exceptions {
		if s.state != policy.StandingActive || s.Record.ExpiresAt.IsZero() {
			continue
		}
		dim := out.Dim(s.category)
		if s.dropped {
			out.Unknown(s.owner, dim)
			continue
		}
		out.Add(s.owner, dim, float64(s.Record.ExpiresAt.Unix()))
	}
}
