package families

import (
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

func exceptions(in *tallies.Tallies, out *frame.Sink) {
	own := in.Owners
	for _, s := range in.Exceptions {
		dim := out.Dim(s.Category, string(s.Standing), string(s.Expires))
		if s.Dropped {
			out.Unknown(own.GroupOf[s.Owner], dim)
			continue
		}
		out.Add(own.GroupOf[s.Owner], dim, 1)
	}
	if !in.Sources.Of(record.KindException).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		out.Zero(group, out.Dim(frame.None, string(policy.StandingRequested), string(policy.HorizonNever)))
		out.Zero(group, out.Dim(frame.None, string(policy.StandingActive), string(policy.HorizonNever)))
		out.Zero(group, out.Dim(frame.None, string(policy.StandingExpired), string(policy.HorizonExpired)))
	}
}

func exceptionAge(in *tallies.Tallies, out *frame.Sink) {
	ages := frame.NewDistributions(out)
	for _, s := range in.Exceptions {
		if !s.Approved() {
			continue
		}
		unit, dim := in.Owners.UnitOf[s.Owner], out.Dim(s.Category)
		if s.Dropped {
			out.Unknown(unit, dim)
			continue
		}
		ages.Observe(unit, dim, tallies.SecondsBetween(s.Since().Unix(), in.At.Unix()))
	}
	ages.Finish()
}

// exceptionPending is about requests alone: the clock of decisions runs from the request, or from when it was first seen where the
// source gives no date.
func exceptionPending(in *tallies.Tallies, out *frame.Sink) {
	ages, clock := frame.NewDistributions(out), in.Policy.Calendar(policy.CalendarDecisions)
	for _, s := range in.Exceptions {
		if s.Standing != policy.StandingRequested {
			continue
		}
		unit, dim := in.Owners.UnitOf[s.Owner], out.Dim(s.Category)
		if s.Dropped {
			out.Unknown(unit, dim)
			continue
		}
		ages.Observe(unit, dim, tallies.BusinessSeconds(clock, s.Since(), in.At))
	}
	ages.Finish()
	if !in.Sources.Of(record.KindException).Complete() {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		out.Zero(unit, out.Dim(frame.None))
	}
}

func exceptionNextExpiry(in *tallies.Tallies, out *frame.Sink) {
	for _, s := range in.Exceptions {
		if s.Standing != policy.StandingActive || s.Record.ExpiresAt.IsZero() {
			continue
		}
		dim := out.Dim(s.Category)
		if s.Dropped {
			out.Unknown(s.Owner, dim)
			continue
		}
		out.Add(s.Owner, dim, float64(s.Record.ExpiresAt.Unix()))
	}
}

// The values of the label "kind" of prodsec_exceptions_granted_in_window.
const (
	grantFirst   = "first"
	grantRenewal = "renewal"
)

func exceptionsGranted(in *tallies.Tallies, out *frame.Sink) {
	within := in.Policy.Config().Exceptions.RenewalWithin.Std()
	type subject struct{ of, category string }
	// last is the latest grant before the instant under way, latest that of any so far; grants of one instant renew none of each other.
	last, latest := map[subject]time.Time{}, map[subject]time.Time{}
	for _, g := range in.Grants() {
		s := subject{g.For, g.Category}
		if g.At.After(latest[s]) {
			last[s], latest[s] = latest[s], g.At
		}
		kind := grantFirst
		if before := last[s]; !before.IsZero() && g.At.Sub(before) <= within {
			kind = grantRenewal
		}
		held := in.WindowsHolding(g.At)
		for _, w := range held {
			out.Add(in.Owners.GroupOf[g.Owner], out.Dim(w.Name, g.Category, kind), 1)
		}
		if len(held) > 0 { // shorter windows that do not hold it show 0
			for _, w := range in.Policy.Windows() {
				out.Zero(in.Owners.GroupOf[g.Owner], out.Dim(w.Name, g.Category, kind))
			}
		}
	}
	if !in.Sources.Of(record.KindException).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, w := range in.Policy.Windows() {
			out.Zero(group, out.Dim(w.Name, frame.None, grantFirst))
			out.Zero(group, out.Dim(w.Name, frame.None, grantRenewal))
		}
	}
}
