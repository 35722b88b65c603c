package metrics

import (
	"slices"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// evidenceStatuses are the values of the label "status" of evidence. Present is not verified.
var evidenceStatuses = []string{"present", "missing", "unknown"}

// evidenceStatus is the label value of what was found.
func evidenceStatus(a record.Answer) string {
	switch a {
	case record.AnswerYes:
		return evidenceStatuses[0]
	case record.AnswerNo:
		return evidenceStatuses[1]
	case record.AnswerUnknown:
		return evidenceStatuses[2]
	default:
		return evidenceStatuses[2]
	}
}

// approvalEvidence is what a deployment's approval says where its evidence says nothing: a bypass is no approval.
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
	in  *Input
	out *Sink
}

// add counts one release or deployment of an owner, in the windows that hold the instant.
func (c evidenceTally) add(carrier policy.EvidenceCarrier, owner, scope int32, at time.Time, found func(record.EvidenceKind) record.Answer) {
	windows := windowsOf(c.in, at)
	if len(windows) == 0 {
		return
	}
	dropped := c.in.shared.sources.isDropped(scope)
	for _, kind := range c.in.Policy.EvidenceRequired(carrier, c.in.Snapshot.Owners[owner].TrustTier) {
		status := evidenceStatus(found(kind))
		for _, w := range windows {
			addKnown(c.out, c.in.shared.own.groupOf[owner], c.out.Dim(w.Name, string(kind), status), 1, dropped)
		}
	}
}

// releaseEvidence counts deployments as they are known now, since evidence may be found after they ended, and those that left their source
// as they were.
func releaseEvidence(in *Input, out *Sink) {
	c, longest := evidenceTally{in, out}, in.Policy.Windows()[len(in.Policy.Windows())-1]
	for i := range in.Snapshot.Releases {
		h := &in.Snapshot.Releases[i]
		c.add(policy.CarrierRelease, h.Owner, h.Scope, h.Record.PublishedAt, func(k record.EvidenceKind) record.Answer { return h.Record.Evidence[k] })
	}
	type identity struct{ instance, id string }
	held := map[identity]*record.Deployment{}
	for i := range in.Snapshot.Deployments {
		if h := &in.Snapshot.Deployments[i]; inWindow(&longest, h.Record.FinishedAt, in.At) {
			held[identity{h.Instance, h.Record.ID}] = &h.Record
		}
	}
	for i := range in.Snapshot.Deployed {
		m := &in.Snapshot.Deployed[i]
		if m.Record.Status != record.DeploymentSucceeded || !production(in.shared.delivery.environmentOf[i]) || m.Counted.After(in.At) || !inWindow(&longest, m.At, in.At) {
			continue
		}
		d := &m.Record
		if now, ok := held[identity{m.Instance, d.ID}]; ok {
			d = now
		}
		c.add(policy.CarrierDeployment, m.Owner, m.Scope, m.At, func(k record.EvidenceKind) record.Answer { return approvalEvidence(d, k) })
	}
	zeroEvidence(in, out)
}

// zeroEvidence shows 0 for what no release or deployment of a group has. What is asked of releases and of deployments counts together, so both
// have to be read where both are asked.
func zeroEvidence(in *Input, out *Sink) {
	releases, deployments := in.shared.sources.of(record.KindRelease), in.shared.sources.of(record.KindDeployment)
	if releases.partly || deployments.partly || !releases.ever && !deployments.ever {
		return
	}
	for _, owner := range in.shared.own.present {
		tier := in.Snapshot.Owners[owner].TrustTier
		var kinds []record.EvidenceKind
		if releases.ever {
			kinds = append(kinds, in.Policy.EvidenceRequired(policy.CarrierRelease, tier)...)
		}
		if deployments.ever {
			kinds = append(kinds, in.Policy.EvidenceRequired(policy.CarrierDeployment, tier)...)
		}
		for _, kind := range kinds {
			for _, w := range in.Policy.Windows() {
				for _, status := range evidenceStatuses {
					out.Zero(in.shared.own.groupOf[owner], out.Dim(w.Name, string(kind), status))
				}
			}
		}
	}
}

// evidenceRequired is the value of the label "evidence" for all that policy asks together.
const evidenceRequired = "required"

func privilegedPipelines(in *Input, out *Sink) {
	groups := map[int32][]string{}
	for i := range in.Snapshot.Pipelines {
		h := &in.Snapshot.Pipelines[i]
		service := &in.Snapshot.Services[h.Service]
		if r := in.shared.repositories[h.Record.Repository]; r != nil && (r.Archived || r.Fork) {
			continue
		}
		if !in.Policy.PrivilegedPipeline(&h.Record, in.shared.privileged[h.Record.Repository]) {
			continue
		}
		asked := in.Policy.EvidenceRequired(policy.CarrierPipeline, service.TrustTier)
		if len(asked) == 0 {
			continue
		}
		group, dropped, all := in.shared.own.groupOf[service.Owner], in.shared.sources.isDropped(h.Scope), record.AnswerYes
		for _, kind := range asked {
			found := h.Record.Evidence[kind]
			all = all.And(found)
			addKnown(out, group, out.Dim(string(kind), evidenceStatus(found)), 1, dropped)
			groups[group] = appendOnce(groups[group], string(kind))
		}
		addKnown(out, group, out.Dim(evidenceRequired, evidenceStatus(all)), 1, dropped)
		groups[group] = appendOnce(groups[group], evidenceRequired)
	}
	if !in.shared.sources.of(record.KindPipeline).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, kind := range groups[group] {
			for _, status := range evidenceStatuses {
				out.Zero(group, out.Dim(kind, status))
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

// repositoriesByName finds repositories that a source host knows.
func repositoriesByName(s *snapshot.Snapshot) map[record.RepositoryName]*snapshot.Repository {
	byName := make(map[record.RepositoryName]*snapshot.Repository, len(s.Repositories))
	for i := range s.Repositories {
		byName[s.Repositories[i].Name] = &s.Repositories[i]
	}
	return byName
}

// privilegedRepositories are those that policy calls privileged.
func privilegedRepositories(postures []posture) map[record.RepositoryName]bool {
	privileged := map[record.RepositoryName]bool{}
	for i := range postures {
		if postures[i].privileged {
			privileged[postures[i].repository] = true
		}
	}
	return privileged
}
