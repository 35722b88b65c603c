package github

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// The first parts of the names of the scopes that say how software is built and released.
const (
	scopeReleases  = "releases"
	scopeWorkflows = "workflows"
	scopePipelines = "pipelines"
	scopeIdentity  = "cloud_identity"
	scopeRunners   = "runners"
)

// What the scopes about building and releasing need, besides what stands where it is asked for.
const (
	orgRunnersPermission  = "organization_self_hosted_runners=read"
	repoRunnersPermission = "administration=read"
)

// Trust is the part of the configuration that says what to read about building and releasing.
type Trust struct {
	// Releases switches releases and their evidence, ReleaseHistory is how far back they are read, Attestations whether GitHub is asked for attestations of their files, and
	// DependencyGraphSBOM whether the SBOM that GitHub makes of a repository as it is now counts as that of its releases.
	Releases            bool                `yaml:"releases"`
	ReleaseHistory      collectors.Duration `yaml:"release_history,omitempty"`
	Attestations        bool                `yaml:"attestations"`
	DependencyGraphSBOM bool                `yaml:"dependency_graph_sbom"`
	// Pipelines switches the runs of workflows that publish or deploy. PipelinePatterns are glob patterns of their names and paths; workflows of which a job deploys to an
	// environment are looked at in any case.
	Pipelines        bool     `yaml:"pipelines"`
	PipelinePatterns []string `yaml:"pipeline_patterns,omitempty"`
	// CloudIdentity switches how pipelines prove who they are to a cloud.
	CloudIdentity bool `yaml:"cloud_identity"`
	// Runners are the self-hosted runners of organisations, RepositoryRunners those of single repositories, which are asked of each repository and are off
	// by default: few are registered there, and most organisations forbid it.
	Runners           bool `yaml:"runners"`
	RepositoryRunners bool `yaml:"repository_runners"`
}

func defaultTrust() Trust {
	const day = 24 * time.Hour
	return Trust{
		Releases: true, ReleaseHistory: collectors.Duration(90 * day), Attestations: true, Pipelines: true, CloudIdentity: true, Runners: true,
		PipelinePatterns: []string{"*release*", "*deploy*", "*publish*"},
	}
}

func (t *Trust) validate() error {
	if t.ReleaseHistory <= 0 && t.Releases {
		return errors.New("release_history must be positive")
	}
	for i, pattern := range t.PipelinePatterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("pipeline_patterns[%d]: %q is not the name or path of a workflow in which * and ? may stand for a part", i, pattern)
		}
		if slices.Contains(t.PipelinePatterns[:i], pattern) {
			return fmt.Errorf("pipeline_patterns[%d]: %s is there twice", i, pattern)
		}
	}
	return nil
}

// trustScopes are the scopes of organisations that say how software is built and released.
func (c *Collector) trustScopes(org string) []scope {
	var list []scope
	if c.config.Releases {
		list = append(list, scope{scopeReleases + ":" + org, true, func(ctx context.Context, cursor record.Cursor) record.Batch {
			return c.readPublished(ctx, org, cursor)
		}})
	}
	if c.config.Pipelines || c.config.CloudIdentity {
		list = append(list, scope{scopeWorkflows + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch { return c.readWorkflows(ctx, org) }})
	}
	if c.config.Runners {
		list = append(list, scope{scopeRunners + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch { return c.readRunners(ctx, org) }})
	}
	return list
}

// trustRepositoryScopes are those of single repositories. Which repositories have pipelines is known from the workflows of the organisation.
func (c *Collector) trustRepositoryScopes() []repositoryScope {
	var list []repositoryScope
	if c.config.Pipelines {
		list = append(list, repositoryScope{kind: scopePipelines, read: c.readPipelines, among: c.withWorkflows(c.hasPipelines)})
	}
	if c.config.CloudIdentity {
		list = append(list, repositoryScope{kind: scopeIdentity, read: c.readCloudIdentity, among: c.withWorkflows(func(w repositoryWorkflows) bool { return w.tree != "" })})
	}
	if c.config.RepositoryRunners {
		list = append(list, repositoryScope{kind: scopeRunners, read: c.readRepositoryRunners, requests: 1})
	}
	return list
}
