package metrics

import (
	"cmp"
	"slices"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The families of this file count milestones, which stay whatever becomes of the record, under the owner of the day on which the
// record was first held. So their counters never fall.

// eachCounted calls with every milestone that counts at the instant of the evaluation.
func eachCounted[T any](in *Input, milestones []snapshot.Milestone[T], call func(*snapshot.Milestone[T])) {
	for i := range milestones {
		if m := &milestones[i]; !m.Counted.After(in.At) {
			call(m)
		}
	}
}

func reviewFirstResponse(in *Input, out *Sink) {
	times, clock := newDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	eachCounted(in, in.Snapshot.Answered, func(m *snapshot.Milestone[record.Review]) {
		if !m.Record.RequestedAt.IsZero() {
			times.observe(in.shared.own.unitOf[m.Owner], out.Dim(reviewKind(m.Record.Kind)), workingSeconds(clock, m.Record.RequestedAt, m.At))
		}
	})
	times.finish()
	if !in.shared.sources.of(record.KindReview).ever {
		return
	}
	for _, unit := range presentUnits(in) {
		for _, kind := range reviewKinds {
			out.Zero(unit, out.Dim(string(kind)))
		}
	}
}

func reviewFirstResponseInWindow(in *Input, out *Sink) {
	times, clock := newDistributions(out), in.Policy.Calendar(policy.CalendarReviews)
	eachCounted(in, in.Snapshot.Answered, func(m *snapshot.Milestone[record.Review]) {
		if m.Record.RequestedAt.IsZero() {
			return
		}
		took := workingSeconds(clock, m.Record.RequestedAt, m.At)
		for _, w := range windowsOf(in, m.At) {
			times.observe(noEntity, out.Dim(w.Name, reviewKind(m.Record.Kind)), took)
		}
	})
	times.finish()
	if !in.shared.sources.of(record.KindReview).ever {
		return
	}
	for _, w := range in.Policy.Windows() {
		for _, kind := range reviewKinds {
			out.Zero(noEntity, out.Dim(w.Name, string(kind)))
		}
	}
}

// windowsOf are the trailing windows that hold an instant; their start is not in them.
func windowsOf(in *Input, t time.Time) []policy.Window {
	if t.After(in.At) {
		return nil
	}
	all := in.Policy.Windows() // shortest first
	first := slices.IndexFunc(all, func(w policy.Window) bool { return t.After(in.At.Add(-w.Length)) })
	if first < 0 {
		return nil
	}
	return all[first:]
}

// The values of the label "decision". What was approved and has ended since was approved all the same.
const (
	decisionApproved = "approved"
	decisionRejected = "rejected"
)

func exceptionDecision(in *Input, out *Sink) {
	times, clock := newDistributions(out), in.Policy.Calendar(policy.CalendarDecisions)
	eachCounted(in, in.Snapshot.Decided, func(m *snapshot.Milestone[record.Exception]) {
		if m.Record.VendorAcceptance || m.Record.RequestedAt.IsZero() {
			return // a scanner's own acceptance is asked of nobody
		}
		decision := decisionApproved
		if m.Record.State == record.ExceptionRejected {
			decision = decisionRejected
		}
		dim := out.Dim(named(m.Record.Category, none), decision)
		times.observe(in.shared.own.unitOf[m.Owner], dim, workingSeconds(clock, m.Record.RequestedAt, m.At))
	})
	times.finish()
	if !in.shared.sources.of(record.KindException).ever {
		return
	}
	for _, unit := range presentUnits(in) {
		out.Zero(unit, out.Dim(none, decisionApproved))
		out.Zero(unit, out.Dim(none, decisionRejected))
	}
}

// grant is an approval of an exception.
type grant struct {
	at       time.Time
	owner    int32
	category string
	// of is the service, or what the exception names where no catalog knows it.
	of string
	// exception is as it was granted.
	exception *record.Exception
}

// grants are all approvals that count, oldest first: the first of each exception, and the present one where it was approved anew.
func grants(in *Input) []grant {
	var all []grant
	first := map[string]time.Time{}
	add := func(h *snapshot.Held[record.Exception]) {
		of := in.Snapshot.Services[h.Service].Name
		if h.Service == 0 {
			of = joined([]string{h.Record.Service, string(h.Record.Repository)})
		}
		all = append(all, grant{h.Record.DecidedAt, h.Owner, named(h.Record.Category, none), of, &h.Record})
	}
	id := func(h *snapshot.Held[record.Exception]) string { return joined([]string{h.Instance, h.Record.ID}) }
	eachCounted(in, in.Snapshot.Decided, func(m *snapshot.Milestone[record.Exception]) {
		if in.Policy.Granted(&m.Record) {
			first[id(&m.Held)] = m.At
			add(&m.Held)
		}
	})
	for i := range in.Snapshot.Exceptions {
		h := &in.Snapshot.Exceptions[i]
		if at, counted := first[id(h)]; in.Policy.Granted(&h.Record) && counted && h.Record.DecidedAt.After(at) {
			first[id(h)] = h.Record.DecidedAt
			add(h)
		}
	}
	slices.SortStableFunc(all, func(a, b grant) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.of, b.of)) })
	return all
}

// The values of the label "kind" of prodsec_exceptions_granted_in_window.
const (
	grantFirst   = "first"
	grantRenewal = "renewal"
)

func exceptionsGranted(in *Input, out *Sink) {
	within := in.Policy.Config().Exceptions.RenewalWithin.Std()
	type subject struct{ of, category string }
	// last is the latest grant before the instant under way, latest that of any so far; grants of one instant renew none of each other.
	last, latest := map[subject]time.Time{}, map[subject]time.Time{}
	for _, g := range grants(in) {
		s := subject{g.of, g.category}
		if g.at.After(latest[s]) {
			last[s], latest[s] = latest[s], g.at
		}
		kind := grantFirst
		if before := last[s]; !before.IsZero() && g.at.Sub(before) <= within {
			kind = grantRenewal
		}
		held := windowsOf(in, g.at)
		for _, w := range held {
			out.Add(in.shared.own.groupOf[g.owner], out.Dim(w.Name, g.category, kind), 1)
		}
		if len(held) > 0 { // the shorter windows that do not hold it say 0
			for _, w := range in.Policy.Windows() {
				out.Zero(in.shared.own.groupOf[g.owner], out.Dim(w.Name, g.category, kind))
			}
		}
	}
	if !in.shared.sources.of(record.KindException).ever {
		return
	}
	for _, group := range presentGroups(in) {
		for _, w := range in.Policy.Windows() {
			out.Zero(group, out.Dim(w.Name, none, grantFirst))
			out.Zero(group, out.Dim(w.Name, none, grantRenewal))
		}
	}
}

func followupClose(in *Input, out *Sink) {
	times, all := newDistributions(out), out.Dim()
	eachCounted(in, in.Snapshot.Completed, func(m *snapshot.Milestone[record.Followup]) {
		if !m.Record.CreatedAt.IsZero() {
			times.observe(in.shared.own.unitOf[m.Owner], all, secondsBetween(m.Record.CreatedAt.Unix(), m.At.Unix()))
		}
	})
	times.finish()
	if !in.shared.sources.of(record.KindFollowup).ever {
		return
	}
	for _, unit := range presentUnits(in) {
		out.Zero(unit, all)
	}
}

func escalationsRaised(in *Input, out *Sink) {
	eachCounted(in, in.Snapshot.Raised, func(m *snapshot.Milestone[record.Escalation]) {
		dim := out.Dim(escalationKind(m.Record.Kind), named(m.Record.Reason, none))
		out.Add(in.shared.own.groupOf[m.Owner], dim, 1)
	})
	if !in.shared.sources.of(record.KindEscalation).ever {
		return
	}
	for _, group := range presentGroups(in) {
		for _, kind := range escalationKinds {
			out.Zero(group, out.Dim(string(kind), none))
		}
	}
}
