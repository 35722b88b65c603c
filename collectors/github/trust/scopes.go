package trust

import (
	"context"

	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

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
		Kind: scopeActions, Read: c.readActions, Requests: 2, Pushed: true, Empty: record.Batch{Repositories: []record.Repository{}},
	})
	add(c.config.Pipelines, part.RepositoryScope{
		Kind: scopePipelines, Read: c.readPipelines, Pushed: true, Requests: requestsPerPipeline, Among: c.withWorkflows(c.hasPipelines), Empty: record.Batch{Pipelines: []record.Pipeline{}},
	})
	add(c.config.CloudIdentity, part.RepositoryScope{
		Kind: scopeCloudIdentity, Read: c.readCloudIdentity, Pushed: true, Requests: requestsPerIdentity, Empty: record.Batch{CloudIdentities: []record.CloudIdentity{}},
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
