package delivery

import (
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Scopes are none: there is one of each repository, so that one that cannot be read fails alone.
func (c *Collector) Scopes(string) []part.Scope { return nil }

// RepositoryScopes are the deployments, of which those of fifty repositories are read at once.
func (c *Collector) RepositoryScopes() []part.RepositoryScope {
	if !c.config.Deployments {
		return nil
	}
	return []part.RepositoryScope{{Kind: scopeDeployments, ReadAll: c.collect, Empty: record.Batch{Deployments: []record.Deployment{}}}}
}

// Hints are none: a delivery says nothing that the next look does not find.
func (c *Collector) Hints() map[string][]string { return nil }
