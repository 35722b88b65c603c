package github

import (
	"context"

	"prodsec_exporter/internal/record"
)

// The first parts of the names of the scopes that say how software is built and released.
const (
	scopeRunners = "runners"
)

// What the scopes about building and releasing need.
const (
	orgRunnersPermission  = "organization_self_hosted_runners=read"
	repoRunnersPermission = "administration=read"
)

// Trust is the part of the configuration that says what to read about building and releasing.
type Trust struct {
	// Runners are the self-hosted runners of organisations, RepositoryRunners those of single repositories, which are asked of each repository and are off
	// by default: few are registered there, and most organisations forbid it.
	Runners           bool `yaml:"runners"`
	RepositoryRunners bool `yaml:"repository_runners"`
}

func defaultTrust() Trust {
	return Trust{Runners: true}
}

// trustScopes are the scopes of organisations that say how software is built and released.
func (c *Collector) trustScopes(org string) []scope {
	var list []scope
	if c.config.Runners {
		list = append(list, scope{scopeRunners + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch { return c.readRunners(ctx, org) }})
	}
	return list
}

// trustRepositoryScopes are those of single repositories.
func (c *Collector) trustRepositoryScopes() []repositoryScope {
	var list []repositoryScope
	if c.config.RepositoryRunners {
		list = append(list, repositoryScope{kind: scopeRunners, read: c.readRepositoryRunners, requests: 1})
	}
	return list
}
