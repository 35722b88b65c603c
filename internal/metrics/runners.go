package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// runnerScopes are the values of the label "scope" of runners.
var runnerScopes = []string{
	string(record.RunnerAll), string(record.RunnerPrivate), string(record.RunnerSelected), string(record.RunnerRepository), runnerScopeUnknown,
}

const runnerScopeUnknown = "unknown"

// runnerScope is the label value of a visibility; a word that nobody knows is unknown.
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

func runners(in *Input, out *Sink) {
	for i := range in.Snapshot.Runners {
		h := &in.Snapshot.Runners[i]
		r := &h.Record
		trust := in.Policy.RunnerTrust(r, publicAmong(in, r.Repositories))
		dim := out.Dim(runnerScope(r.Visibility), string(trust), boolean(r.Ephemeral))
		addKnown(out, noEntity, dim, 1, in.shared.sources.isDropped(h.Scope))
	}
	if !in.shared.sources.of(record.KindRunner).complete() {
		return
	}
	for _, scope := range runnerScopes {
		for _, trust := range policy.RunnerTrusts() {
			for _, ephemeral := range []record.Answer{record.AnswerNo, record.AnswerYes, record.AnswerUnknown} {
				out.Zero(noEntity, out.Dim(scope, string(trust), boolean(ephemeral)))
			}
		}
	}
}

// publicAmong says whether one of the repositories is public: no only if all of them are known not to be.
func publicAmong(in *Input, names []record.RepositoryName) record.Answer {
	if len(names) == 0 {
		return record.AnswerUnknown
	}
	public := record.AnswerNo
	for _, name := range names {
		one := record.AnswerUnknown
		if r := in.shared.repositories[name]; r != nil && r.Visibility != record.VisibilityUnknown {
			one = record.AnswerOf(r.Visibility == record.VisibilityPublic)
		}
		public = public.Or(one)
	}
	return public
}

func cloudIdentities(in *Input, out *Sink) {
	seen := map[record.RepositoryName]bool{}
	for i := range in.Snapshot.CloudIdentities {
		h := &in.Snapshot.CloudIdentities[i]
		if r := in.shared.repositories[h.Record.Repository]; r != nil && (r.Archived || r.Fork) || seen[h.Record.Repository] {
			continue
		}
		seen[h.Record.Repository] = true
		group := in.shared.own.groupOf[in.Snapshot.Services[h.Service].Owner]
		addKnown(out, group, out.Dim(string(in.Policy.CloudMethod(&h.Record))), 1, in.shared.sources.isDropped(h.Scope))
	}
	if !in.shared.sources.of(record.KindCloudIdentity).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, method := range policy.CloudMethods() {
			out.Zero(group, out.Dim(string(method)))
		}
	}
}
