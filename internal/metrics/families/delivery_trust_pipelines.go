package families

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// pipelineChecks are the values of the label "check" of prodsec_privileged_pipeline_protection.
var pipelineChecks = []string{tallies.ScopeBranch, tallies.ScopeEnvironment, string(policy.CheckRequired)}

func privilegedPipelineProtection(in *tallies.Tallies, out *frame.Sink) {
	out.Product(pipelineChecks, valuesOf(tallies.ProtectionResults))
	dim := func(check int, status policy.Status) int {
		return check*len(tallies.ProtectionResults) + slices.Index(tallies.ProtectionResults, status)
	}
	shown := map[int32]bool{}
	for i := range in.Snapshot.Pipelines {
		h := &in.Snapshot.Pipelines[i]
		if in.Repositories.Inactive(h.Record.Repository) || !in.Policy.PrivilegedPipeline(&h.Record, in.Privileged[h.Record.Repository]) {
			continue
		}
		repository := in.Repositories[h.Record.Repository]
		group := in.Owners.GroupOf[in.Snapshot.Services[h.Service].Owner]
		dropped := in.Sources.IsDropped(h.Scope) || repository != nil && repository.Scope >= 0 && in.Sources.IsDropped(repository.Scope)
		branch := branchStatus(in, repository)
		out.AddCount(group, dim(0, branch), 1, dropped)
		together := branch
		if environment, deploys := environmentStatus(in, repository, &h.Record); deploys {
			out.AddCount(group, dim(1, environment), 1, dropped)
			together = policy.Worst(branch, environment)
		}
		out.AddCount(group, dim(2, together), 1, dropped)
		shown[group] = true
	}
	if !in.Sources.Of(record.KindPipeline).Complete() || !in.Sources.Of(record.KindRepository).Complete() {
		return
	}
	for group := range shown {
		for at := range out.Dims() {
			out.Zero(group, at)
		}
	}
}

// branchStatus is whether the branches of a pipeline's repository pass every required check; unknown for a repository that no source host lists.
func branchStatus(in *tallies.Tallies, r *snapshot.Repository) policy.Status {
	if r == nil || len(r.Branches) == 0 {
		return policy.StatusUnknown
	}
	var all []policy.Status
	for i := range r.Branches {
		all = append(all, in.Policy.Branch(&r.Branches[i], policy.CheckRequired))
	}
	return policy.Worst(all...)
}

// environmentStatus is whether the production environments that a pipeline deploys to pass every required check; deploys is false if there is none.
func environmentStatus(in *tallies.Tallies, r *snapshot.Repository, p *record.Pipeline) (status policy.Status, deploys bool) {
	var all []policy.Status
	for _, name := range p.Environments {
		if !in.Policy.Production(name) {
			continue
		}
		found := policy.StatusUnknown
		if r != nil {
			for i := range r.Environments {
				if r.Environments[i].Environment == name {
					found = in.Policy.Environment(&r.Environments[i], policy.CheckRequired)
				}
			}
		}
		all = append(all, found)
	}
	if len(all) == 0 {
		return policy.StatusUnknown, false
	}
	return policy.Worst(all...), true
}
