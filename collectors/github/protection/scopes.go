package protection

import (
	"context"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Scopes are the branches and the environments of an organisation.
func (c *Collector) Scopes(org string) []part.Scope {
	var list []part.Scope
	add := func(on bool, kind string, read func(context.Context, string) record.Batch) {
		if on {
			list = append(list, part.Scope{Name: kind + ":" + org, Slow: true, Read: func(ctx context.Context, _ record.Cursor) record.Batch { return read(ctx, org) }})
		}
	}
	add(c.config.Branches, scopeBranches, c.readBranches)
	add(c.config.Environments, scopeEnvironments, c.readEnvironments)
	return list
}

// RepositoryScopes are the rule suites: which hold rule bypasses.
func (c *Collector) RepositoryScopes() []part.RepositoryScope {
	if !c.config.Bypasses {
		return nil
	}
	return []part.RepositoryScope{{Kind: scopeRuleSuites, Read: c.readRuleSuites, Requests: 1, Pushed: true, Empty: record.Batch{Bypasses: []record.Bypass{}}}}
}

// Forecast adds the pages of branches and environments, and what REST is asked once per full interval.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	pages, live, bypass, environments := c.inventory.Pages(org, api.FirstPage), c.inventory.LivePages(org, api.FirstPage), 0, 0
	c.state.With(org, func(o *organisation) { bypass, environments = len(o.bypass), len(o.environments) })
	if c.config.Branches {
		requests["graphql"] += part.PerHour(c.Intervals.Posture) * (pages + live*float64(len(c.config.ReleaseBranches))*pointsOfReleaseBranches)
		requests["core"] += part.PerHour(c.Intervals.Full) * float64(bypass)
	}
	if c.config.Environments {
		requests["graphql"] += part.PerHour(c.Intervals.Posture) * live * pointsOfEnvironments
		requests["core"] += part.PerHour(c.Intervals.Full) * float64(environments)
	}
}

// Hints are the events about rules.
func (c *Collector) Hints() map[string][]string {
	return map[string][]string{
		"branch_protection_rule": {scopeBranches}, "branch_protection_configuration": {scopeBranches}, "repository_ruleset": {scopeBranches},
	}
}
