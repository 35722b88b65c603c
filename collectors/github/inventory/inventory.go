// Package inventory reads which repositories an organisation has: their list, their custom properties (also as a catalog of services), and the environments
// of one repository. What it learned is shared by all parts, as is the vocabulary of settings and tools in which parts write about repositories.
//
// It may import api and part, and no part that uses it.
//
// A further fact about every repository that the list of an organisation holds goes into repositories.go. A further setting is a constant in settings.go and a
// row in README.md.
package inventory

import (
	"context"
	"encoding/json"
	"math"
	"net/url"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// The first parts of the names of scopes.
const (
	scopeRepositories = "repositories"
	scopeProperties   = "properties"
	scopeCatalog      = "catalog"
)

// Config is the part of the configuration about the inventory.
type Config struct {
	// Repositories says which repositories count; false switches their list off, which scopes of single repositories need. All by default.
	Repositories Selection `yaml:"repositories,omitempty"`
	// Properties switches custom properties; on by default.
	Properties bool `yaml:"properties"`
	// Catalog makes custom properties a catalog of services; off unless it names the property of the service.
	Catalog Catalog `yaml:"catalog,omitempty"`
}

// Default reads all but a catalog.
func Default() Config { return Config{Repositories: everyRepository(), Properties: true} }

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate() error {
	if err := c.Repositories.validate(); err != nil {
		return err
	}
	return c.Catalog.validate()
}

// Inventory reads the inventory and answers questions about it.
type Inventory struct {
	part.Env
	config Config
	state  *part.State[organisation]
}

var _ part.Collector = (*Inventory)(nil)

// organisation is what is known of an organisation.
type organisation struct {
	archived map[record.RepositoryName]bool
	// repositories are in the order of their names; nil until they were listed.
	repositories []api.Repository
	// count is the number of repositories that the largest reading met, with which forecasts reckon.
	count int
	// left are the repositories that the configuration leaves out, and why.
	left map[record.RepositoryName]Leaving
	// failure is why the list could not be read.
	failure error
}

// New makes a collector that knows nothing yet.
func New(config Config, env part.Env) *Inventory {
	return &Inventory{Env: env, config: config, state: part.NewState(func() organisation { return organisation{} })}
}

// Listed reports whether the configuration asks for the list of repositories.
func (c *Inventory) Listed() bool { return !c.config.Repositories.off }

// Repositories are those of an organisation as they were listed last, in the order of their names; nil until they were.
func (c *Inventory) Repositories(org string) (list []api.Repository) {
	c.state.With(org, func(o *organisation) { list = o.repositories })
	return list
}

// Repository is one of them, the zero value if it was not listed.
func (c *Inventory) Repository(org string, name record.RepositoryName) api.Repository {
	for _, r := range c.Repositories(org) {
		if r.Name == name {
			return r
		}
	}
	return api.Repository{}
}

// Archived says of each repository that was listed last whether it is archived; nil until they were.
func (c *Inventory) Archived(org string) (archived map[record.RepositoryName]bool) {
	c.state.With(org, func(o *organisation) { archived = o.archived })
	return archived
}

// Saw notes that a reading met so many repositories, for forecasts where the list is not read.
func (c *Inventory) Saw(org string, repositories int) {
	c.state.With(org, func(o *organisation) { o.count = max(o.count, repositories) })
}

// Pages is how many pages of a size the repositories of an organisation fill, at least one.
func (c *Inventory) Pages(org string, size float64) float64 {
	count := 0
	c.state.With(org, func(o *organisation) { count = o.count })
	return max(1, math.Ceil(float64(count)/size))
}

// Sample is a repository that is not archived, nil when there is none. It is asked for anew.
func (c *Inventory) Sample(ctx context.Context, org string) (*api.Repository, error) {
	var found *api.Repository
	_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/repos", listQuery(), func(items []json.RawMessage) bool {
		for _, item := range items {
			r, identity, why, err := c.repositoryRecord(item)
			if err == nil && why == "" && !r.Archived {
				found = &identity
				return false
			}
		}
		return true
	})
	return found, err
}

// Scopes are the list of repositories, their custom properties, and the catalog that these are.
func (c *Inventory) Scopes(org string) []part.Scope {
	var list []part.Scope
	add := func(kind string, read func(context.Context, string) record.Batch) {
		list = append(list, part.Scope{Name: kind + ":" + org, Slow: true, Read: func(ctx context.Context, _ record.Cursor) record.Batch { return read(ctx, org) }})
	}
	if c.Listed() {
		add(scopeRepositories, c.readRepositories)
	}
	if c.config.Properties {
		add(scopeProperties, c.readProperties)
	}
	add(scopeCatalog, c.readCatalog)
	if !c.Describes() {
		// A catalog that was read when custom properties still were one is emptied.
		ended := &list[len(list)-1]
		ended.Ended, ended.Read = true, func(context.Context, record.Cursor) record.Batch {
			return record.Batch{Mode: record.Full, Services: []record.Service{}, Cursor: c.ReadAt()}
		}
	}
	return list
}

// Scope is the name of the scope that lists the repositories of an organisation.
func Scope(org string) string { return scopeRepositories + ":" + org }

// RepositoryScopes are none.
func (c *Inventory) RepositoryScopes() []part.RepositoryScope { return nil }

// Check asks for one repository, the custom properties of one, and the whole catalog, which must be free of contradictions.
func (c *Inventory) Check(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	path := "orgs/" + url.PathEscape(org)
	if c.Listed() {
		results = append(results, c.checkRepositories(ctx, org))
	}
	if c.config.Properties {
		results = append(results, collectors.CheckResult{
			Subject: "custom properties", Err: c.API.Probe(ctx, path+"/properties/values", nil, propertiesPermission),
			Unknown: "what custom properties say about owners, tiers and exposure",
		})
	}
	if c.Describes() {
		results = append(results, collectors.CheckResult{
			Subject: "catalog of services", Err: c.readCatalog(ctx, org).Err,
			Unknown: "owners, tiers and exposure of services, as far as custom properties describe them",
		})
	}
	return results
}

// checkRepositories asks for one repository, or for all where some are left out, which are counted.
func (c *Inventory) checkRepositories(ctx context.Context, org string) collectors.CheckResult {
	result := collectors.CheckResult{Subject: "repositories", Unknown: "which repositories exist, their visibility and which scanners are switched on"}
	if c.config.Repositories.all() {
		result.Err = c.API.Probe(ctx, "orgs/"+url.PathEscape(org)+"/repos", nil, "")
		return result
	}
	if result.Err = c.readRepositories(ctx, org).Err; result.Err == nil {
		if note := leftOut(c.Left(org), len(c.Repositories(org))); note != "" {
			result.Notes = append(result.Notes, note)
		}
	}
	return result
}

// Forecast adds a page per hundred repositories of each list in each posture interval.
func (c *Inventory) Forecast(org string, requests map[string]float64) {
	for _, on := range []bool{c.Listed(), c.config.Properties, c.Describes()} {
		if on {
			requests["core"] += part.PerHour(c.Intervals.Posture) * c.Pages(org, 100)
		}
	}
}

// Hints are the events about repositories and their properties.
func (c *Inventory) Hints() map[string][]string {
	return map[string][]string{
		"repository": {scopeRepositories}, "security_and_analysis": {scopeRepositories},
		"custom_property": {scopeProperties, scopeCatalog}, "custom_property_values": {scopeProperties, scopeCatalog},
	}
}
