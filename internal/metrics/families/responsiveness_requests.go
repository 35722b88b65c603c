package families

import (
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

func reviewsOpen(in *tallies.Tallies, out *frame.Sink) {
	tallies.EachOpen(in, in.Snapshot.Reviews, tallies.ReviewOpen, func(h *snapshot.Held[record.Review], owner int32, dropped bool) {
		group, dim := in.Owners.GroupOf[owner], out.Dim(tallies.ReviewKind(h.Record.Kind), string(tallies.ReviewState(&h.Record, in.At)))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.Sources.Of(record.KindReview).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, kind := range tallies.ReviewKinds {
			for _, state := range tallies.OpenReviewStates {
				out.Zero(group, out.Dim(string(kind), string(state)))
			}
		}
	}
}

func reviewWaiting(in *tallies.Tallies, out *frame.Sink) {
	ages, clock := frame.NewDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	waits := func(r *record.Review, at time.Time) bool { return tallies.ReviewState(r, at) == record.ReviewWaiting }
	tallies.EachOpen(in, in.Snapshot.Reviews, waits, func(h *snapshot.Held[record.Review], owner int32, dropped bool) {
		unit, dim := in.Owners.UnitOf[owner], out.Dim(tallies.ReviewKind(h.Record.Kind))
		if dropped {
			out.Unknown(unit, dim)
			return
		}
		ages.Observe(unit, dim, tallies.ResponseSeconds(clock, &h.Record, tallies.StartOf(h, h.Record.RequestedAt), in.At))
	})
	ages.Finish()
	if !in.Sources.Of(record.KindReview).Complete() {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, kind := range tallies.ReviewKinds {
			out.Zero(unit, out.Dim(string(kind)))
		}
	}
}

func followupsOpen(in *tallies.Tallies, out *frame.Sink) {
	tallies.EachOpen(in, in.Snapshot.Followups, tallies.FollowupOpen, func(h *snapshot.Held[record.Followup], owner int32, dropped bool) {
		group, dim := in.Owners.GroupOf[owner], out.Dim(tallies.Overdue(&h.Record, in.At))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.Sources.Of(record.KindFollowup).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, value := range tallies.OverdueValues {
			out.Zero(group, out.Dim(value))
		}
	}
}

func followupAge(in *tallies.Tallies, out *frame.Sink) {
	ages, all := frame.NewDistributions(out), out.Dim()
	tallies.EachOpen(in, in.Snapshot.Followups, tallies.FollowupOpen, func(h *snapshot.Held[record.Followup], owner int32, dropped bool) {
		unit := in.Owners.UnitOf[owner]
		if dropped {
			out.Unknown(unit, all)
			return
		}
		ages.Observe(unit, all, tallies.SecondsBetween(tallies.StartOf(h, h.Record.CreatedAt).Unix(), in.At.Unix()))
	})
	ages.Finish()
	if !in.Sources.Of(record.KindFollowup).Complete() {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		out.Zero(unit, all)
	}
}

func escalationsOpen(in *tallies.Tallies, out *frame.Sink) {
	tallies.EachOpen(in, in.Snapshot.Escalations, tallies.EscalationOpen, func(h *snapshot.Held[record.Escalation], owner int32, dropped bool) {
		group, dim := in.Owners.GroupOf[owner], out.Dim(tallies.EscalationKind(h.Record.Kind))
		if dropped {
			out.Unknown(group, dim)
			return
		}
		out.Add(group, dim, 1)
	})
	if !in.Sources.Of(record.KindEscalation).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, kind := range tallies.EscalationKinds {
			out.Zero(group, out.Dim(string(kind)))
		}
	}
}
