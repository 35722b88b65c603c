// Package trust reads how software is built and released: workflows and the pipelines among them, releases and their evidence (provenance, SBOM, signature,
// approval), how pipelines prove who they are to a cloud, self-hosted runners, and which actions may run.
//
// It may import api, part and inventory. A further kind of evidence goes into evidence.go (of releases) and pipelines.go (of runs); a further fact about
// workflows into workflow_file.go, with a case in its test.
package trust

import (
	"context"
	"time"

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

// Scopes are the releases, workflows and runners of an organisation.
func (c *Collector) Scopes(org string) []part.Scope {
	var list []part.Scope
	add := func(on bool, kind string, read func(context.Context, string, record.Cursor) record.Batch) {
		if on {
			list = append(list, part.Scope{Name: kind + ":" + org, Slow: true, Read: func(ctx context.Context, cursor record.Cursor) record.Batch { return read(ctx, org, cursor) }})
		}
	}
	add(c.config.Releases, scopeReleases, c.readReleases)
	add(c.config.Pipelines || c.config.CloudIdentity, scopeWorkflows, c.readWorkflows)
	add(c.config.Runners, scopeRunners, c.readRunners)
	return list
}

// RepositoryScopes are those of single repositories. Which repositories have pipelines is known from the workflows of the organisation.
func (c *Collector) RepositoryScopes() []part.RepositoryScope {
	var list []part.RepositoryScope
	add := func(on bool, s part.RepositoryScope) {
		if on {
			list = append(list, s)
		}
	}
	add(c.config.Actions, part.RepositoryScope{
		Kind: scopeActions, Read: c.readActions, Requests: 2, Empty: record.Batch{Repositories: []record.Repository{}},
	})
	add(c.config.Pipelines, part.RepositoryScope{
		Kind: scopePipelines, Read: c.readPipelines, Among: c.withWorkflows(c.hasPipelines), Empty: record.Batch{Pipelines: []record.Pipeline{}},
	})
	add(c.config.CloudIdentity, part.RepositoryScope{
		Kind: scopeCloudIdentity, Read: c.readCloudIdentity, Empty: record.Batch{CloudIdentities: []record.CloudIdentity{}},
		Among: c.withWorkflows(func(w repositoryWorkflows) bool { return w.tree != "" }),
	})
	add(c.config.RepositoryRunners, part.RepositoryScope{
		Kind: scopeRunners, Read: c.readRepositoryRunners, Requests: 1, Empty: record.Batch{Runners: []record.Runner{}},
	})
	return list
}

// Hints are the events about releases.
func (c *Collector) Hints() map[string][]string {
	return map[string][]string{"release": {scopeReleases}}
}
