package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The families of this file count milestones: see tallies.EachCounted.

func reviewFirstResponse(in *tallies.Tallies, out *frame.Sink) {
	times, clock := frame.NewDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	tallies.EachCounted(&in.Input, in.Snapshot.Answered, func(m *snapshot.Milestone[record.Review]) {
		if !m.Record.RequestedAt.IsZero() {
			times.Observe(in.Owners.UnitOf[m.Owner], out.Dim(tallies.ReviewKind(m.Record.Kind)), tallies.ResponseSeconds(clock, &m.Record, m.Record.RequestedAt, m.At))
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindReview).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, kind := range tallies.ReviewKinds {
			out.Zero(unit, out.Dim(string(kind)))
		}
	}
}

func reviewFirstResponseInWindow(in *tallies.Tallies, out *frame.Sink) {
	times, clock := frame.NewDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	tallies.EachCounted(&in.Input, in.Snapshot.Answered, func(m *snapshot.Milestone[record.Review]) {
		if m.Record.RequestedAt.IsZero() {
			return
		}
		took := tallies.ResponseSeconds(clock, &m.Record, m.Record.RequestedAt, m.At)
		for _, w := range in.WindowsHolding(m.At) {
			times.Observe(frame.NoEntity, out.Dim(w.Name, tallies.ReviewKind(m.Record.Kind)), took)
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindReview).Ever {
		return
	}
	for _, w := range in.Policy.Windows() {
		for _, kind := range tallies.ReviewKinds {
			out.Zero(frame.NoEntity, out.Dim(w.Name, string(kind)))
		}
	}
}

// The values of the label "decision". What was approved and has ended since was approved all the same.
const (
	decisionApproved = "approved"
	decisionRejected = "rejected"
)

func exceptionDecision(in *tallies.Tallies, out *frame.Sink) {
	times := frame.NewDistributions(out)
	eachDecision(in, func(m *snapshot.Milestone[record.Exception], decision string, took uint32) {
		times.Observe(in.Owners.UnitOf[m.Owner], out.Dim(frame.Named(m.Record.Category, frame.None), decision), took)
	})
	times.Finish()
	if !in.Sources.Of(record.KindException).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		out.Zero(unit, out.Dim(frame.None, decisionApproved))
		out.Zero(unit, out.Dim(frame.None, decisionRejected))
	}
}

// eachDecision calls with the first decision on every exception that was requested, and how long it took on the clock of decisions. A scanner's own acceptance has
// no request.
func eachDecision(in *tallies.Tallies, call func(m *snapshot.Milestone[record.Exception], decision string, took uint32)) {
	clock := in.Policy.Calendar(policy.CalendarDecisions)
	tallies.EachCounted(&in.Input, in.Snapshot.Decided, func(m *snapshot.Milestone[record.Exception]) {
		if m.Record.VendorAcceptance || m.Record.RequestedAt.IsZero() {
			return
		}
		decision := decisionApproved
		if m.Record.State == record.ExceptionRejected {
			decision = decisionRejected
		}
		call(m, decision, tallies.BusinessSeconds(clock, m.Record.RequestedAt, m.At))
	})
}

func exceptionDecisionInWindow(in *tallies.Tallies, out *frame.Sink) {
	times := frame.NewDistributions(out)
	eachDecision(in, func(m *snapshot.Milestone[record.Exception], decision string, took uint32) {
		for _, w := range in.WindowsHolding(m.At) {
			times.Observe(in.Owners.UnitOf[m.WindowOwner()], out.Dim(w.Name, decision), took)
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindException).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, w := range in.Policy.Windows() {
			out.Zero(unit, out.Dim(w.Name, decisionApproved))
			out.Zero(unit, out.Dim(w.Name, decisionRejected))
		}
	}
}

func followupCloseInWindow(in *tallies.Tallies, out *frame.Sink) {
	times := frame.NewDistributions(out)
	tallies.EachCounted(&in.Input, in.Snapshot.Completed, func(m *snapshot.Milestone[record.Followup]) {
		if m.Record.CreatedAt.IsZero() {
			return
		}
		took := tallies.SecondsBetween(m.Record.CreatedAt.Unix(), m.At.Unix())
		for _, w := range in.WindowsHolding(m.At) {
			times.Observe(in.Owners.UnitOf[m.WindowOwner()], out.Dim(w.Name), took)
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindFollowup).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, w := range in.Policy.Windows() {
			out.Zero(unit, out.Dim(w.Name))
		}
	}
}

func escalationsInWindow(in *tallies.Tallies, out *frame.Sink) {
	windows := in.Policy.Windows()
	tallies.EachCounted(&in.Input, in.Snapshot.Raised, func(m *snapshot.Milestone[record.Escalation]) {
		group, kind, reason := in.Owners.GroupOf[m.WindowOwner()], tallies.EscalationKind(m.Record.Kind), frame.Named(m.Record.Reason, frame.None)
		held := in.WindowsHolding(m.At)
		for _, w := range held {
			out.Add(group, out.Dim(w.Name, kind, reason), 1)
		}
		if len(held) > 0 { // shorter windows that do not hold it show 0
			for _, w := range windows {
				out.Zero(group, out.Dim(w.Name, kind, reason))
			}
		}
	})
	if !in.Sources.Of(record.KindEscalation).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, w := range windows {
			for _, kind := range tallies.EscalationKinds {
				out.Zero(group, out.Dim(w.Name, string(kind), frame.None))
			}
		}
	}
}

func followupClose(in *tallies.Tallies, out *frame.Sink) {
	times, all := frame.NewDistributions(out), out.Dim()
	tallies.EachCounted(&in.Input, in.Snapshot.Completed, func(m *snapshot.Milestone[record.Followup]) {
		if !m.Record.CreatedAt.IsZero() {
			times.Observe(in.Owners.UnitOf[m.Owner], all, tallies.SecondsBetween(m.Record.CreatedAt.Unix(), m.At.Unix()))
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindFollowup).Ever {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		out.Zero(unit, all)
	}
}

func escalationsRaised(in *tallies.Tallies, out *frame.Sink) {
	tallies.EachCounted(&in.Input, in.Snapshot.Raised, func(m *snapshot.Milestone[record.Escalation]) {
		dim := out.Dim(tallies.EscalationKind(m.Record.Kind), frame.Named(m.Record.Reason, frame.None))
		out.Add(in.Owners.GroupOf[m.Owner], dim, 1)
	})
	if !in.Sources.Of(record.KindEscalation).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, kind := range tallies.EscalationKinds {
			out.Zero(group, out.Dim(string(kind), frame.None))
		}
	}
}
