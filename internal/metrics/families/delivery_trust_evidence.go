package families

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// evidenceStatuses are the values of the label "status" of evidence. Present is not verified.
var evidenceStatuses = []string{"present", "missing", "unknown"}

// evidenceStatus is the position in evidenceStatuses of what was found.
func evidenceStatus(a record.Answer) int {
	switch a {
	case record.AnswerYes:
		return 0
	case record.AnswerNo:
		return 1
	case record.AnswerUnknown:
		return 2
	default:
		return 2
	}
}

// evidenceValues are the values of the label "evidence", evidenceIndex the position of a kind in them.
var evidenceValues = func() (values []string) {
	for _, kind := range policy.EvidenceKinds() {
		values = append(values, string(kind))
	}
	return values
}()

func evidenceIndex(kind record.EvidenceKind) int { return slices.Index(evidenceValues, string(kind)) }

// approvalEvidence is the evidence of a kind; where there is none of approval, the deployment's approval counts, and a bypass is none.
func approvalEvidence(d *record.Deployment, kind record.EvidenceKind) record.Answer {
	if a := d.Evidence[kind]; a.Known() || kind != record.EvidenceApproval {
		return a
	}
	switch d.Approval {
	case record.ApprovalApproved:
		return record.AnswerYes
	case record.ApprovalBypassed, record.ApprovalNone:
		return record.AnswerNo
	case record.ApprovalUnknown:
		return record.AnswerUnknown
	default:
		return record.AnswerUnknown
	}
}

// evidenceTally counts what carries evidence in the windows.
type evidenceTally struct {
	in  *tallies.Tallies
	out *frame.Sink
	// found and dropped are by group and dimension.
	found   []uint64
	dropped []bool
}

// dim is the dimension of a window, a kind and a status, by position.
func (c evidenceTally) dim(window, kind, status int) int {
	return (window*len(evidenceValues)+kind)*len(evidenceStatuses) + status
}

// add counts one release or deployment of an owner, in the windows from the first that holds it.
func (c evidenceTally) add(carrier policy.EvidenceCarrier, owner, scope int32, first int, found func(record.EvidenceKind) record.Answer) {
	windows, dropped := len(c.in.Policy.Windows()), c.in.Sources.IsDropped(scope)
	base := int(c.in.Owners.GroupOf[owner]) * c.out.Dims()
	for _, kind := range c.in.Policy.EvidenceRequired(carrier, c.in.Snapshot.Owners[owner].TrustTier) {
		status, index := evidenceStatus(found(kind)), evidenceIndex(kind)
		for w := first; w < windows; w++ {
			at := base + c.dim(w, index, status)
			c.found[at]++
			c.dropped[at] = c.dropped[at] || dropped
		}
	}
}

func (c evidenceTally) finish() {
	for at, n := range c.found {
		c.out.AddCount(int32(at/c.out.Dims()), at%c.out.Dims(), n, c.dropped[at])
	}
}

// zero shows 0 for what no release or deployment of a group has. Evidence that is required of both counts together, so both have to be read.
func (c evidenceTally) zero() {
	releases, deployments := c.in.Sources.Of(record.KindRelease), c.in.Sources.Of(record.KindDeployment)
	if releases.Partly || deployments.Partly {
		return
	}
	for _, group := range c.in.Owners.PresentGroups() {
		labels := c.in.Owners.Groups.Labels[group]
		tier := labels[len(labels)-1]
		var kinds []record.EvidenceKind
		if releases.Ever {
			kinds = append(kinds, c.in.Policy.EvidenceRequired(policy.CarrierRelease, tier)...)
		}
		if deployments.Ever {
			kinds = append(kinds, c.in.Policy.EvidenceRequired(policy.CarrierDeployment, tier)...)
		}
		for _, kind := range kinds {
			for w := range c.in.Policy.Windows() {
				for status := range evidenceStatuses {
					c.out.Zero(group, c.dim(w, evidenceIndex(kind), status))
				}
			}
		}
	}
}

// releaseEvidence counts deployments as they are known now, since evidence may be found after they ended, and those that left their source
// as they were.
func releaseEvidence(in *tallies.Tallies, out *frame.Sink) {
	out.Product(windowNames(in.Policy), evidenceValues, evidenceStatuses)
	windows, cells := in.Policy.Windows(), len(in.Owners.Groups.Labels)*out.Dims()
	c, longest := evidenceTally{in, out, make([]uint64, cells), make([]bool, cells)}, windows[len(windows)-1]
	for i := range in.Snapshot.Releases {
		h := &in.Snapshot.Releases[i]
		c.add(policy.CarrierRelease, h.WindowOwner(), h.Scope, tallies.FirstWindow(windows, h.Record.PublishedAt, in.At), func(k record.EvidenceKind) record.Answer { return h.Record.Evidence[k] })
	}
	type identity struct{ instance, id string }
	held := make(map[identity]*record.Deployment, len(in.Snapshot.Deployments))
	for i := range in.Snapshot.Deployments {
		if h := &in.Snapshot.Deployments[i]; tallies.InWindow(&longest, h.Record.FinishedAt, in.At) {
			held[identity{h.Instance, h.Record.ID}] = &h.Record
		}
	}
	for i := range in.Snapshot.Deployed {
		e, m := &in.Deployments.Ended[i], &in.Snapshot.Deployed[i]
		if !e.InProduction() || e.Status != record.DeploymentSucceeded || int(e.Window) == len(windows) {
			continue
		}
		d := &m.Record
		if now, ok := held[identity{m.Instance, d.ID}]; ok {
			d = now
		}
		c.add(policy.CarrierDeployment, m.WindowOwner(), m.Scope, int(e.Window), func(k record.EvidenceKind) record.Answer { return approvalEvidence(d, k) })
	}
	c.finish()
	c.zero()
}

// evidenceRequired is the value of the label "evidence" for all that policy requires together.
const evidenceRequired = "required"

func privilegedPipelines(in *tallies.Tallies, out *frame.Sink) {
	out.Product(append(slices.Clone(evidenceValues), evidenceRequired), evidenceStatuses)
	dim := func(evidence, status int) int { return evidence*len(evidenceStatuses) + status }
	required := map[int32][]int{} // of the pipelines of a group, by position among the values of "evidence"
	for i := range in.Snapshot.Pipelines {
		h := &in.Snapshot.Pipelines[i]
		service := &in.Snapshot.Services[h.Service]
		if in.Repositories.Inactive(h.Record.Repository) {
			continue
		}
		kinds := in.Policy.EvidenceRequired(policy.CarrierPipeline, service.TrustTier)
		if len(kinds) == 0 || !in.Policy.PrivilegedPipeline(&h.Record, in.Privileged[h.Record.Repository]) {
			continue
		}
		group, dropped, all := in.Owners.GroupOf[service.Owner], in.Sources.IsDropped(h.Scope), record.AnswerYes
		for _, kind := range kinds {
			found := h.Record.Evidence[kind]
			all = all.And(found)
			out.AddCount(group, dim(evidenceIndex(kind), evidenceStatus(found)), 1, dropped)
			required[group] = appendOnce(required[group], evidenceIndex(kind))
		}
		out.AddCount(group, dim(len(evidenceValues), evidenceStatus(all)), 1, dropped)
		required[group] = appendOnce(required[group], len(evidenceValues))
	}
	if !in.Sources.Of(record.KindPipeline).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, evidence := range required[group] {
			for status := range evidenceStatuses {
				out.Zero(group, dim(evidence, status))
			}
		}
	}
}

func appendOnce[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
