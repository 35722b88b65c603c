package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// runnerScopes are the values of the label "scope" of runners.
var runnerScopes = []string{
	string(record.RunnerAll), string(record.RunnerPrivate), string(record.RunnerSelected), string(record.RunnerRepository), runnerScopeUnknown,
}

const runnerScopeUnknown = "unknown"

// runnerScope is the label value of a visibility; an unexpected value is unknown.
func runnerScope(v record.RunnerVisibility) string {
	switch v {
	case record.RunnerAll, record.RunnerPrivate, record.RunnerSelected, record.RunnerRepository:
		return string(v)
	case record.RunnerUnknown:
		return runnerScopeUnknown
	default:
		return runnerScopeUnknown
	}
}

func runners(in *tallies.Tallies, out *frame.Sink) {
	for i := range in.Snapshot.Runners {
		h := &in.Snapshot.Runners[i]
		r := &h.Record
		trust := in.Policy.RunnerTrust(r, in.Repositories.AnyPublic(r.Repositories))
		dim := out.Dim(runnerScope(r.Visibility), string(trust), boolean(r.Ephemeral))
		out.AddCount(frame.NoEntity, dim, 1, in.Sources.IsDropped(h.Scope))
	}
	if !in.Sources.Of(record.KindRunner).Complete() {
		return
	}
	for _, scope := range runnerScopes {
		for _, trust := range policy.RunnerTrusts() {
			for _, ephemeral := range []record.Answer{record.AnswerNo, record.AnswerYes, record.AnswerUnknown} {
				out.Zero(frame.NoEntity, out.Dim(scope, string(trust), boolean(ephemeral)))
			}
		}
	}
}

func cloudIdentities(in *tallies.Tallies, out *frame.Sink) {
	seen := map[record.RepositoryName]bool{}
	for i := range in.Snapshot.CloudIdentities {
		h := &in.Snapshot.CloudIdentities[i]
		if in.Repositories.Inactive(h.Record.Repository) || seen[h.Record.Repository] {
			continue
		}
		seen[h.Record.Repository] = true
		group := in.Owners.GroupOf[in.Snapshot.Services[h.Service].Owner]
		out.AddCount(group, out.Dim(string(in.Policy.CloudMethod(&h.Record))), 1, in.Sources.IsDropped(h.Scope))
	}
	if !in.Sources.Of(record.KindCloudIdentity).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, method := range policy.CloudMethods() {
			out.Zero(group, out.Dim(string(method)))
		}
	}
}
