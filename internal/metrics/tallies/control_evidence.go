package tallies

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// controlEvidence is the evidence of the controls, arranged by what it is about. What a control makes of it is up to policy.
type controlEvidence struct {
	in          *Input
	sources     *Sources
	deployments *Deployments
	scans       []ClassScans
	postures    []Posture
	postureOf   []int32 // by position in Snapshot.Repositories, -1 without one
	// names are the names that statements may have, source after source of each control; statements are by name and service or repository.
	names        map[string]int
	nameOf       [][]int
	ofService    map[statementKey[int32]][]policy.Statement
	ofRepository map[statementKey[record.RepositoryName]][]policy.Statement
	reviews      map[reviewKey]policy.Statement
	// reviewed are the kinds of review that any source knows.
	reviewed  map[record.ReviewKind]bool
	rollbacks map[int32]policy.Statement
	// positions are those in Snapshot.Repositories; releases and deployed are by them.
	positions map[record.RepositoryName]int32
	releases  []releaseEvidence
	deployed  []releaseEvidence
	pipelines map[record.RepositoryName][]releaseEvidence
	runners   *runnerEvidence
	// These are true if all records of the kind were read, so that missing evidence is an answer.
	evidenceComplete, reviewsComplete, catalogsComplete bool
	// buffer is for the statements of one source.
	buffer []policy.Statement
}

// statementKey is what a statement calls the control, by its position in names, and what it is about.
type statementKey[T comparable] struct {
	name  int
	about T
}

type reviewKey struct {
	kind    record.ReviewKind
	service int32
}

// releaseEvidence is the evidence that the newest release, deployment or run carries.
type releaseEvidence struct {
	known    bool
	at       time.Time
	dropped  bool
	evidence map[record.EvidenceKind]record.Answer
}

func newControlEvidence(in *Input, sources *Sources, repositories Repositories, deployments *Deployments, postures []Posture, scans []ClassScans) *controlEvidence {
	e := &controlEvidence{
		in: in, sources: sources, deployments: deployments, scans: scans, postures: postures, postureOf: positionsOf(in.Snapshot, postures),
		ofService: map[statementKey[int32]][]policy.Statement{}, ofRepository: map[statementKey[record.RepositoryName]][]policy.Statement{},
		reviews: map[reviewKey]policy.Statement{}, reviewed: map[record.ReviewKind]bool{}, rollbacks: map[int32]policy.Statement{},
		releases: make([]releaseEvidence, len(in.Snapshot.Repositories)), deployed: make([]releaseEvidence, len(in.Snapshot.Repositories)), pipelines: map[record.RepositoryName][]releaseEvidence{},
		evidenceComplete: sources.Of(record.KindEvidence).Complete(), reviewsComplete: sources.Of(record.KindReview).Complete(),
		catalogsComplete: sources.Of(record.KindService).Complete(),
	}
	e.positions = make(map[record.RepositoryName]int32, len(in.Snapshot.Repositories))
	for i := range in.Snapshot.Repositories {
		e.positions[in.Snapshot.Repositories[i].Name] = int32(i)
	}
	e.readNames()
	e.readStatements()
	e.readReviews()
	e.readDeployments()
	e.readReleases()
	e.runners = newRunnerEvidence(in, sources, repositories)
	return e
}

// positionsOf are the positions of the postures by repository. Postures are in the order of the repositories.
func positionsOf(s *snapshot.Snapshot, postures []Posture) []int32 {
	positions := make([]int32, len(s.Repositories))
	next := 0
	for i := range s.Repositories {
		positions[i] = -1
		if next < len(postures) && postures[next].Repository == s.Repositories[i].Name {
			positions[i] = int32(next)
			next++
		}
	}
	return positions
}

// readNames gathers the names under which controls look for statements.
func (e *controlEvidence) readNames() {
	e.names = map[string]int{}
	controls := e.in.Policy.Controls()
	e.nameOf = make([][]int, len(controls))
	for i := range controls {
		e.nameOf[i] = make([]int, len(controls[i].Sources))
		for j := range controls[i].Sources {
			s := &controls[i].Sources[j]
			if s.From != policy.FromEvidence {
				continue
			}
			name := strings.ToLower(s.Name)
			if _, known := e.names[name]; !known {
				e.names[name] = len(e.names)
			}
			e.nameOf[i][j] = e.names[name]
		}
	}
}

func (e *controlEvidence) readStatements() {
	for i := range e.in.Snapshot.Evidence {
		h := &e.in.Snapshot.Evidence[i]
		name, asked := e.names[strings.ToLower(strings.TrimSpace(h.Record.Control))]
		if !asked {
			continue
		}
		stated := policy.Produced(h.Record.Holds, h.Record.ProducedAt)
		if e.sources.IsDropped(h.Scope) {
			stated = policy.Present(record.AnswerUnknown)
		}
		switch {
		case h.Record.Repository != "":
			key := statementKey[record.RepositoryName]{name, h.Record.Repository}
			e.ofRepository[key] = append(e.ofRepository[key], stated)
		case h.Service > 0:
			key := statementKey[int32]{name, h.Service}
			e.ofService[key] = append(e.ofService[key], stated)
		}
	}
}

// readReviews keeps the last review of each kind that was done.
func (e *controlEvidence) readReviews() {
	newest := map[reviewKey]time.Time{}
	for i := range e.in.Snapshot.Reviews {
		h := &e.in.Snapshot.Reviews[i]
		e.reviewed[h.Record.Kind] = true
		key := reviewKey{h.Record.Kind, h.Service}
		at := h.Record.ClosedAt
		known := !e.reviews[key].Silent()
		if h.Service == 0 || h.Record.State != record.ReviewDone || known && !at.After(newest[key]) {
			continue
		}
		newest[key] = at
		if e.sources.IsDropped(h.Scope) {
			e.reviews[key] = policy.Present(record.AnswerUnknown)
			continue
		}
		e.reviews[key] = policy.Produced(record.AnswerYes, at)
	}
}

// readDeployments keeps the last successful deployment to production of each repository, and the last of each service that was a rollback. That a
// rollback succeeded stays true when its record is gone.
func (e *controlEvidence) readDeployments() {
	environments := e.deployments.Environments
	for i := range e.in.Snapshot.Deployments {
		h := &e.in.Snapshot.Deployments[i]
		if d := &h.Record; d.Status == record.DeploymentSucceeded && environments.reached(d) {
			e.newer(e.deployed, d.Repository, releaseEvidence{true, d.FinishedAt, e.sources.IsDropped(h.Scope), d.Evidence})
		}
	}
	back := map[int32]time.Time{}
	for i := range e.in.Snapshot.Deployed {
		if d := &e.deployments.Ended[i]; !d.counts || !d.Rollback || d.Status != record.DeploymentSucceeded {
			continue
		}
		m := &e.in.Snapshot.Deployed[i]
		if m.Service == 0 || !environments.reached(&m.Record) {
			continue
		}
		if m.At.After(back[m.Service]) {
			back[m.Service] = m.At
			e.rollbacks[m.Service] = policy.Produced(record.AnswerYes, m.At)
		}
	}
}

func (e *controlEvidence) readReleases() {
	for i := range e.in.Snapshot.Releases {
		h := &e.in.Snapshot.Releases[i]
		e.newer(e.releases, h.Record.Repository, releaseEvidence{true, h.Record.PublishedAt, e.sources.IsDropped(h.Scope), h.Record.Evidence})
	}
	for i := range e.in.Snapshot.Pipelines {
		h := &e.in.Snapshot.Pipelines[i]
		if h.Record.Publishes != record.AnswerYes && len(h.Record.Environments) == 0 {
			continue
		}
		e.pipelines[h.Record.Repository] = append(e.pipelines[h.Record.Repository], releaseEvidence{dropped: e.sources.IsDropped(h.Scope), evidence: h.Record.Evidence})
	}
}

func (e *controlEvidence) newer(of []releaseEvidence, repository record.RepositoryName, one releaseEvidence) {
	position, held := e.positions[repository]
	if held && (!of[position].known || one.at.After(of[position].at)) {
		of[position] = one
	}
}

// statement is what was found of a kind of evidence; empty for what was not looked for.
func (l releaseEvidence) statement(kind record.EvidenceKind) policy.Statement {
	answer, looked := l.evidence[kind]
	switch {
	case l.dropped:
		return policy.Present(record.AnswerUnknown)
	case !looked:
		return policy.Statement{}
	default:
		return policy.Present(answer)
	}
}

// aboutService is what a source states about a service as a whole.
func (e *controlEvidence) aboutService(control, source int, service int32) policy.Statement {
	c := &e.in.Policy.Controls()[control]
	s := &c.Sources[source]
	of := &e.in.Snapshot.Services[service]
	stated, complete := policy.Statement{}, false
	switch s.From { //nolint:exhaustive // The others are about repositories.
	case policy.FromCatalogField:
		return policy.Present(record.AnswerOf(policy.CatalogField(&of.Service, s.Name)))
	case policy.FromCatalogFact:
		stated, complete = c.Fact(s, of.Service.Facts[s.Name]), e.catalogsComplete
	case policy.FromReview:
		// If no source has any review of the kind, reviews of it are kept elsewhere, and a missing one proves nothing.
		kind := record.ReviewKind(s.Name)
		stated, complete = e.reviews[reviewKey{kind, service}], e.reviewsComplete && e.reviewed[kind]
	case policy.FromRollback:
		stated = e.rollbacks[service]
	case policy.FromEvidence:
		stated = c.Agreed(e.ofService[statementKey[int32]{e.nameOf[control][source], service}], e.in.At)
		complete = e.evidenceComplete
	}
	return settled(s, stated, complete)
}

// aboutRepository is what a source states about one repository of a service.
func (e *controlEvidence) aboutRepository(control, source int, service, repository int32) policy.Statement {
	c := &e.in.Policy.Controls()[control]
	s := &c.Sources[source]
	r := &e.in.Snapshot.Repositories[repository]
	switch s.From { //nolint:exhaustive // The others are about services.
	case policy.FromCatalogField, policy.FromCatalogFact, policy.FromReview, policy.FromRollback:
		return e.aboutService(control, source, service)
	case policy.FromEvidence:
		name := e.nameOf[control][source]
		e.buffer = append(e.buffer[:0], e.ofRepository[statementKey[record.RepositoryName]{name, r.Name}]...)
		e.buffer = append(e.buffer, e.ofService[statementKey[int32]{name, service}]...)
		return settled(s, c.Agreed(e.buffer, e.in.At), e.evidenceComplete)
	case policy.FromScan:
		return e.scan(record.Class(s.Name), r)
	case policy.FromRunner:
		return e.runners.runner(s, r)
	case policy.FromCloudIdentity:
		return e.runners.identities[r.Name]
	case policy.FromRelease:
		return e.releases[repository].statement(record.EvidenceKind(s.Name))
	case policy.FromDeployment:
		return e.deployed[repository].statement(record.EvidenceKind(s.Name))
	case policy.FromPipeline:
		e.buffer = e.buffer[:0]
		for _, p := range e.pipelines[r.Name] {
			e.buffer = append(e.buffer, p.statement(record.EvidenceKind(s.Name)))
		}
		return c.Agreed(e.buffer, e.in.At)
	default:
		return e.hosted(c, s, repository)
	}
}

// hosted is what the source host states about a repository.
func (e *controlEvidence) hosted(c *policy.Control, s *policy.Source, repository int32) policy.Statement {
	r := &e.in.Snapshot.Repositories[repository]
	switch {
	case r.Scope < 0:
		return policy.Statement{}
	case e.sources.IsDropped(r.Scope):
		return policy.Present(record.AnswerUnknown)
	}
	switch s.From { //nolint:exhaustive // The others are not the host's.
	case policy.FromSetting:
		if answer, known := r.Settings[s.Name]; known {
			return policy.Present(answer)
		}
	case policy.FromProperty:
		return c.Fact(s, r.Properties[s.Name])
	case policy.FromScanner:
		return e.scanner(record.Class(s.Name), r)
	case policy.FromBranchProtection:
		return e.protection(repository, s.Name, ScopeBranch)
	case policy.FromEnvironmentProtection:
		return e.protection(repository, s.Name, ScopeEnvironment)
	}
	return policy.Statement{}
}

func (e *controlEvidence) scanner(class record.Class, r *snapshot.Repository) policy.Statement {
	if answer, known := r.Scanners[class]; known && r.Scope >= 0 {
		if e.sources.IsDropped(r.Scope) {
			return policy.Present(record.AnswerUnknown)
		}
		return policy.Present(answer)
	}
	return policy.Statement{}
}

// scan is how fresh the scans of a class are; where no source has records of scans of the class, whether scanning is switched on.
func (e *controlEvidence) scan(class record.Class, r *snapshot.Repository) policy.Statement {
	read := &e.scans[snapshot.IndexOfClass(class)]
	if !read.Reported {
		return e.scanner(class, r)
	}
	switch read.Freshness(e.in, class, r.Name) {
	case ScanCurrent:
		return policy.Present(record.AnswerYes)
	case ScanStale, ScanNever:
		return policy.Present(record.AnswerNo)
	case ScanUnknown:
		return policy.Present(record.AnswerUnknown)
	default:
		return policy.Present(record.AnswerUnknown)
	}
}

func (e *controlEvidence) protection(repository int32, check, scope string) policy.Statement {
	at := e.postureOf[repository]
	position := slices.IndexFunc(ProtectionChecks, func(c ProtectionCheck) bool { return string(c.Check) == check && c.Scope == scope })
	if at < 0 || position < 0 {
		return policy.Statement{}
	}
	result := e.postures[at].Results[position]
	if result == NotApplicable {
		return policy.Inapplicable()
	}
	switch ProtectionResults[result] {
	case policy.StatusPass:
		return policy.Present(record.AnswerYes)
	case policy.StatusFail:
		return policy.Present(record.AnswerNo)
	case policy.StatusUnknown, policy.StatusExempt:
		return policy.Present(record.AnswerUnknown)
	default:
		return policy.Present(record.AnswerUnknown)
	}
}

// settled makes missing evidence an answer where everything was read and the policy takes it for one.
func settled(s *policy.Source, stated policy.Statement, complete bool) policy.Statement {
	if stated.Silent() && complete {
		return s.Absent()
	}
	return stated
}
