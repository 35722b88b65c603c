package tallies

import (
	"iter"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Records are the records behind the families at an instant, each judged as the families judge it: the same policy, the same
// instant, the same rule for what is too old to be shown. Evidence pages list them, so that a number and its list agree.
type Records struct {
	in *Tallies
}

// NewRecords judges all records. It costs as much as an evaluation without its families.
func NewRecords(s *snapshot.Snapshot, p *policy.Policy, at time.Time) *Records {
	return &Records{in: New(s, p, at)}
}

// At is the instant of the evaluation.
func (r *Records) At() time.Time { return r.in.At }

// Snapshot is what was judged.
func (r *Records) Snapshot() *snapshot.Snapshot { return r.in.Snapshot }

// Policy is what the records are judged by.
func (r *Records) Policy() *policy.Policy { return r.in.Policy }

// Owner is who owns a service now, by its index in Snapshot.Services, as label values.
func (r *Records) Owner(service int32) snapshot.Owner {
	return r.OwnerAt(r.in.Snapshot.Services[service].Owner)
}

// OwnerAt is an owner of now or then, by its index in Snapshot.Owners, as label values.
func (r *Records) OwnerAt(owner int32) snapshot.Owner {
	labels := r.in.Owners.Owners.Labels[owner]
	return snapshot.Owner{BusinessUnit: labels[0], Team: labels[1], Service: labels[2], TrustTier: labels[3]}
}

// Weakness is a weakness with its SLA standing.
type Weakness struct {
	*snapshot.Weakness
	// Position is its place in Snapshot.Weaknesses.
	Position int32
	Standing policy.SLA
	// Due is its deadline in Unix seconds, 0 where there is none.
	Due          int64
	Exploitation policy.Exploitation
}

// Open yields the open weaknesses that prodsec_findings_open counts, in the order of their positions.
func (r *Records) Open() iter.Seq[Weakness] {
	return func(yield func(Weakness) bool) {
		for i, w := range r.in.Snapshot.Weaknesses.All() {
			if !w.Open() || r.in.Sources.IsDropped(w.Scope) {
				continue
			}
			if !yield(r.judged(i, w)) {
				return
			}
		}
	}
}

// WeaknessAt is the weakness at a position, open or closed; ok is false where there is none.
func (r *Records) WeaknessAt(position int32) (w Weakness, ok bool) {
	table := r.in.Snapshot.Weaknesses
	if position < 0 || int(position) >= table.Len() {
		return Weakness{}, false
	}
	return r.judged(int(position), table.At(int(position))), true
}

func (r *Records) judged(i int, w *snapshot.Weakness) Weakness {
	clock := clockOf(&r.in.Input, i, w)
	judged := Weakness{
		Weakness: w, Position: int32(i), Standing: r.in.Policy.Standing(clock, r.in.At.Unix()),
		Exploitation: r.in.Policy.Exploitation(w.Flags.Has(snapshot.KnownExploited), w.Flags.Has(snapshot.ActiveSecret), w.EPSS),
	}
	if clock.Target > 0 {
		judged.Due = r.in.Policy.Due(clock)
	}
	return judged
}

// Events yields what happened to a weakness, oldest first, that counts at the instant.
func (r *Records) Events(position int32) iter.Seq[*snapshot.Event] {
	return func(yield func(*snapshot.Event) bool) {
		for _, e := range r.in.Snapshot.Events.All() {
			if e.Weakness == position && e.Counted <= r.in.At.Unix() && e.Sums != snapshot.InNone && !yield(e) {
				return
			}
		}
	}
}

// Exceptions are those that prodsec_exceptions counts.
func (r *Records) Exceptions() []Exception {
	var all []Exception
	for _, e := range r.in.Exceptions {
		if !e.Dropped {
			all = append(all, e)
		}
	}
	return all
}

// ControlResult is the result of a control for a service.
type ControlResult struct {
	// Service is an index into Snapshot.Services.
	Service int32
	Control *policy.Control
	policy.Verdict
}

// Controls are the results that prodsec_control_services counts.
func (r *Records) Controls() []ControlResult {
	var all []ControlResult
	controls := r.in.Controls
	for _, service := range r.in.Services {
		for i, verdict := range controls.Of(service) {
			if verdict.Status != "" {
				all = append(all, ControlResult{int32(service), &controls.All[i], verdict})
			}
		}
	}
	return all
}

// Protection is the result of a check of a repository.
type Protection struct {
	Repository record.RepositoryName
	// Owner is an index into Snapshot.Owners.
	Owner      int32
	Privileged bool
	Check      policy.Check
	// Scope is ScopeBranch or ScopeEnvironment.
	Scope  string
	Status policy.Status
}

// Protections are the results that prodsec_protected_repositories counts.
func (r *Records) Protections() []Protection {
	var all []Protection
	for i := range r.in.Postures {
		p := &r.in.Postures[i]
		if p.Dropped {
			continue
		}
		for at, result := range p.Results {
			if result != NotApplicable {
				c := ProtectionChecks[at]
				all = append(all, Protection{p.Repository, p.Owner, p.Privileged, c.Check, c.Scope, ProtectionResults[result]})
			}
		}
	}
	return all
}

// Review is an open review and its state; Kind is the label value.
type Review struct {
	*snapshot.Held[record.Review]
	Kind  string
	State record.ReviewState
	Since time.Time
}

// Reviews are those that prodsec_reviews_open counts.
func (r *Records) Reviews() []Review {
	var all []Review
	EachOpen(r.in, r.in.Snapshot.Reviews, ReviewOpen, func(h *snapshot.Held[record.Review], _ int32, dropped bool) {
		if !dropped {
			all = append(all, Review{h, ReviewKind(h.Record.Kind), ReviewState(&h.Record, r.in.At), StartOf(h, h.Record.RequestedAt)})
		}
	})
	return all
}

// Followup is an open follow-up; Overdue is the label value.
type Followup struct {
	*snapshot.Held[record.Followup]
	Overdue string
}

// Followups are those that prodsec_followups_open counts.
func (r *Records) Followups() []Followup {
	var all []Followup
	EachOpen(r.in, r.in.Snapshot.Followups, FollowupOpen, func(h *snapshot.Held[record.Followup], _ int32, dropped bool) {
		if !dropped {
			all = append(all, Followup{h, Overdue(&h.Record, r.in.At)})
		}
	})
	return all
}

// Escalation is an open escalation; Kind is the label value.
type Escalation struct {
	*snapshot.Held[record.Escalation]
	Kind string
}

// Escalations are those that prodsec_escalations_open counts.
func (r *Records) Escalations() []Escalation {
	var all []Escalation
	EachOpen(r.in, r.in.Snapshot.Escalations, EscalationOpen, func(h *snapshot.Held[record.Escalation], _ int32, dropped bool) {
		if !dropped {
			all = append(all, Escalation{h, EscalationKind(h.Record.Kind)})
		}
	})
	return all
}

// Deployments are the deployments that ended until the instant, also those whose record is gone since; prodsec_deployments_total counts
// those that succeeded.
func (r *Records) Deployments() []*snapshot.Milestone[record.Deployment] {
	var all []*snapshot.Milestone[record.Deployment]
	EachCounted(&r.in.Input, r.in.Snapshot.Deployed, func(m *snapshot.Milestone[record.Deployment]) { all = append(all, m) })
	return all
}
