package inventory

import (
	"context"
	"net/url"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

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
