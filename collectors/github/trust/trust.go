// Package trust reads how software is built and released: workflows and the pipelines among them, releases and their evidence (provenance, SBOM, signature,
// approval), how pipelines prove who they are to a cloud, self-hosted runners, and which actions may run.
//
// It may import api, part and inventory. A further kind of evidence goes into evidence.go (of releases) and pipelines.go (of runs); a further fact about
// workflows into workflow_file.go, with a case in its test.
package trust

import (
	"cmp"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// The first parts of the names of the scopes that say how software is built and released.
const (
	scopeReleases      = "releases"
	scopeWorkflows     = "workflows"
	scopePipelines     = "pipelines"
	scopeCloudIdentity = "cloud_identity"
	scopeRunners       = "runners"
	scopeActions       = "actions"
)

// What the scopes about building and releasing need, besides what stands where it is asked for.
const (
	orgRunnersPermission  = "organization_self_hosted_runners=read"
	repoRunnersPermission = "administration=read"
)

// Collector reads how software is built and released.
type Collector struct {
	part.Env
	config    Config
	inventory *inventory.Inventory
	state     *part.State[organisation]
}

var _ part.Collector = (*Collector)(nil)

// organisation is what is remembered of an organisation.
type organisation struct {
	actions orgActions
	// workflows are what the last walk found, nil before there was one; workflowsCut says that it met repositories that it could not name.
	workflows    map[record.RepositoryName]repositoryWorkflows
	workflowsCut bool
	// heavyWorkflows are the repositories, by their GraphQL identity, whose files GitHub failed to answer for at the last reading.
	heavyWorkflows map[string]bool
	attested       attestedRepositories
	// attestable is when the credential last saw that a repository has no attestations of an artifact.
	attestable map[record.RepositoryName]time.Time
	// approvals are those of the runs that made releases; runs the evidence of the last successful run of pipelines.
	approvals map[string]record.Answer
	runs      map[string]runEvidence
	// releasing are the repositories that have releases, nil before they were looked for; evidence is that of the releases that were read.
	releasing map[record.RepositoryName]bool
	evidence  map[string]runEvidence
	// unreadReleases are the repositories whose releases could not be read at the last reading.
	unreadReleases map[record.RepositoryName]bool
	// runnerRequests is what the last reading of runners took.
	runnerRequests int
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory) *Collector {
	return &Collector{Env: env, config: config, inventory: repositories, state: part.NewState(func() organisation { return organisation{} })}
}

// actionsPolicy is what a policy for GitHub Actions demands, of an organisation or a repository.
type actionsPolicy struct {
	enabled, restricted, pinned, readOnly, cannotApprove record.Answer
}

// orgActions is an organisation's policy. What it forbids, no repository can allow.
type orgActions struct {
	actionsPolicy
	readAt time.Time
}

// attestedRepositories are the repositories of an organisation that have any attestation.
type attestedRepositories struct {
	readAt time.Time
	// Known is false where the credential may not look, which refusal says, or the server has no attestations or the feature is off.
	known bool
	refusal
	// Names are lower-case and without the owner.
	names map[string]bool
}

// runEvidence is what a run left behind.
type runEvidence struct {
	run int64
	// Released says that the run made a release.
	released bool
	evidence map[record.EvidenceKind]record.Answer
	refusal
}

// complete says whether nothing is left that could become known.
func (e *runEvidence) complete() bool { return !e.refused && e.evidence != nil }

// refusal says that GitHub refused to answer a part, and which permission is missing if one is.
type refusal struct {
	refused    bool
	permission string
}

// refuse notes why a part is not answered, if it is not.
func (r *refusal) refuse(refused error) {
	if refused != nil {
		r.refused, r.permission = true, cmp.Or(r.permission, api.Permission(refused))
	}
}

// merge adds what was refused elsewhere.
func (r *refusal) merge(other refusal) {
	r.refused, r.permission = r.refused || other.refused, cmp.Or(r.permission, other.permission)
}

// repositoryWorkflows is what is known about the workflows of a repository.
type repositoryWorkflows struct {
	// ID is the repository's identity in GraphQL; tree that of the folder, empty when there is none.
	id, tree string
	// Files are the workflows; known says whether they could be read, and permission what that lacks.
	files      []workflow
	known      bool
	permission string
	// Environments are the names of the repository's environments, where environmentsKnown.
	environments      []string
	environmentsKnown bool
}
