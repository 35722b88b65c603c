package github

import (
	"time"

	"prodsec_exporter/internal/record"
)

// EmptyBatches are what empties the scopes of single repositories, by kind.
func (c *Collector) EmptyBatches() map[string]record.Batch {
	empty := map[string]record.Batch{}
	for _, s := range c.repositoryScopes() {
		empty[s.Kind] = s.Empty
	}
	return empty
}

// RepositoryInterval is the time between two readings of one repository's scopes.
func (c *Collector) RepositoryInterval() time.Duration { return c.config.RepositoryInterval.Std() }

// Signed reports whether a signature proves a body.
func Signed(signature, secret string, body []byte) bool { return signed(signature, secret, body) }
