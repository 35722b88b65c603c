package tallies

import (
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// runnerEvidence is which self-hosted runners a repository may use, and how its pipelines authenticate to clouds.
type runnerEvidence struct {
	// byRepository are runners that list it, byOrganisation those that all of an organisation's repositories may use.
	byRepository   map[record.RepositoryName][]judgedRunner
	byOrganisation map[string][]judgedRunner
	// read are the organisations and repositories, as "name" and "owner/name", whose runners were read and are not too old.
	read       map[string]bool
	identities map[record.RepositoryName]policy.Statement
}

// judgedRunner is a runner and how far it is to be trusted.
type judgedRunner struct {
	trust policy.RunnerTrust
	// privateOnly: public repositories may not use it.
	privateOnly bool
}

func newRunnerEvidence(in *Input, sources *Sources, repositories Repositories) *runnerEvidence {
	e := &runnerEvidence{
		byRepository: map[record.RepositoryName][]judgedRunner{}, byOrganisation: map[string][]judgedRunner{},
		read: map[string]bool{}, identities: map[record.RepositoryName]policy.Statement{},
	}
	for i := range in.Snapshot.Scopes {
		s := &in.Snapshot.Scopes[i]
		if slices.Contains(s.Kinds, record.KindRunner) && !s.LastSuccess.IsZero() && !sources.IsDropped(int32(i)) {
			e.read[placeOf(s)] = true
		}
	}
	e.readRunners(in, sources, repositories)
	for i := range in.Snapshot.CloudIdentities {
		h := &in.Snapshot.CloudIdentities[i]
		e.identities[h.Record.Repository] = identityStatement(in.Policy, h, sources.IsDropped(h.Scope))
	}
	return e
}

// placeOf is what a scope is about, by its name: "runners:acme" is about acme.
func placeOf(s *snapshot.Scope) string {
	_, place, _ := strings.Cut(s.Name, ":")
	return strings.ToLower(place)
}

func (e *runnerEvidence) readRunners(in *Input, sources *Sources, repositories Repositories) {
	for i := range in.Snapshot.Runners {
		h := &in.Snapshot.Runners[i]
		judged := judgedRunner{in.Policy.RunnerTrust(&h.Record, repositories.AnyPublic(h.Record.Repositories)), h.Record.Visibility == record.RunnerPrivate}
		if sources.IsDropped(h.Scope) {
			judged.trust = policy.RunnerTrustUnknown
		}
		for _, repository := range h.Record.Repositories {
			e.byRepository[repository] = append(e.byRepository[repository], judged)
		}
		if len(h.Record.Repositories) == 0 && h.Scope >= 0 {
			place := placeOf(&in.Snapshot.Scopes[h.Scope])
			e.byOrganisation[place] = append(e.byOrganisation[place], judged)
		}
	}
}

// runner judges the self-hosted runners that a repository may use. That there is none is known only where those of its organisation and
// its own were read.
func (e *runnerEvidence) runner(s *policy.Source, r *snapshot.Repository) policy.Statement {
	name := strings.Split(string(r.Name), "/")
	owner := name[max(0, len(name)-2)]
	own := path.Join(owner, name[len(name)-1])
	answer := record.AnswerYes
	for _, judged := range slices.Concat(e.byRepository[r.Name], e.byOrganisation[owner], e.byOrganisation[own]) {
		if judged.privateOnly && r.Visibility == record.VisibilityPublic {
			continue
		}
		answer = answer.And(s.AcceptsRunner(judged.trust))
	}
	switch {
	case answer == record.AnswerNo || answer == record.AnswerUnknown:
		return policy.Present(answer)
	case e.read[owner] && e.read[own]:
		return policy.Present(record.AnswerYes)
	case e.read[owner] || e.read[own]:
		return policy.Present(record.AnswerUnknown)
	default:
		return policy.Statement{}
	}
}

func identityStatement(p *policy.Policy, h *snapshot.Held[record.CloudIdentity], dropped bool) policy.Statement {
	if dropped {
		return policy.Present(record.AnswerUnknown)
	}
	switch p.CloudMethod(&h.Record) {
	case policy.CloudOIDC:
		return policy.Present(record.AnswerYes)
	case policy.CloudStaticKey:
		return policy.Present(record.AnswerNo)
	case policy.CloudNone:
		return policy.Inapplicable()
	case policy.CloudUnknown:
		return policy.Present(record.AnswerUnknown)
	default:
		return policy.Present(record.AnswerUnknown)
	}
}
