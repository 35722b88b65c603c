package families

import (
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

func grantKind(g *tallies.Grant) string {
	if g.Renewal {
		return grantRenewal
	}
	return grantFirst
}

func exceptionsGranted(in *tallies.Tallies, out *frame.Sink) {
	for _, g := range in.Grants() {
		kind := grantKind(&g)
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

// exceptionsByStandard counts a grant for each control that it sets aside.
func exceptionsByStandard(in *tallies.Tallies, out *frame.Sink) {
	all, windows := in.Policy.Controls(), in.Policy.Windows()
	seen := map[[2]int32]bool{}
	for _, g := range in.Grants() {
		held := in.WindowsHolding(g.At)
		if len(held) == 0 {
			continue
		}
		found := in.Policy.ControlsOfException(g.Exception)
		if len(found) == 0 {
			found = []int{len(all)}
		}
		unit := in.Owners.UnitOf[g.Owner]
		for _, control := range found {
			name := frame.None
			if control < len(all) {
				name = all[control].Name
			}
			for _, w := range held {
				out.Add(unit, out.Dim(w.Name, name, grantKind(&g)), 1)
			}
			if at := [2]int32{unit, int32(control)}; !seen[at] {
				seen[at] = true
				for _, w := range windows { // shorter windows that do not hold it show 0
					out.Zero(unit, out.Dim(w.Name, name, grantFirst))
					out.Zero(unit, out.Dim(w.Name, name, grantRenewal))
				}
			}
		}
	}
	if !in.Sources.Of(record.KindException).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, w := range windows {
			out.Zero(unit, out.Dim(w.Name, frame.None, grantFirst))
			out.Zero(unit, out.Dim(w.Name, frame.None, grantRenewal))
		}
	}
}
