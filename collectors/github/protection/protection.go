// Package protection reads what guards code and environments: the effective protection of branches (classic protection and rulesets), who may pass by it
// and who did, deployment environments, and who owns code.
//
// It may import api, part and inventory. A further type of rule is a case in effective.go (branches) or in inventory.Protection (environments), with a row in
// README.md and a case in its test.
package protection

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// The first parts of the names of scopes.
const (
	scopeBranches     = "protection"
	scopeEnvironments = "environments"
	scopeRuleSuites   = "bypasses"
)

// Config is the part of the configuration about protection.
type Config struct {
	// Branches switches the protection of branches; on by default.
	Branches bool `yaml:"protection"`
	// ReleaseBranches are glob patterns (* and ?, neither matches a slash) of branches whose protection counts beside the default branch's; none by default.
	ReleaseBranches []string `yaml:"release_branches,omitempty"`
	// Environments switches environments and CODEOWNERS; on by default.
	Environments bool `yaml:"environments"`
	// Bypasses switches reading the rule bypasses of a repository; on by default, and needs the list of repositories.
	Bypasses bool `yaml:"bypasses"`
}

// Default reads everything, but no release branches.
func Default() Config { return Config{Branches: true, Environments: true, Bypasses: true} }

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate() error {
	for i, pattern := range c.ReleaseBranches {
		if literalPart(pattern) == "" || strings.ContainsAny(pattern, `[]\`) {
			return fmt.Errorf("release_branches[%d]: %q is not the name of a branch in which * and ? may stand for a part", i, pattern)
		}
		if slices.Contains(c.ReleaseBranches[:i], pattern) {
			return fmt.Errorf("release_branches[%d]: %s is there twice", i, pattern)
		}
	}
	return nil
}

// Collector reads protection.
type Collector struct {
	part.Env
	config    Config
	inventory *inventory.Inventory
	state     *part.State[organisation]
}

var _ part.Collector = (*Collector)(nil)

// organisation is what is remembered of an organisation.
type organisation struct {
	// bypass is who may pass by each ruleset, by the ruleset's number.
	bypass map[int64]bypass
	// environments are what REST answered about those of each repository.
	environments map[record.RepositoryName]environmentDetails
	// ruleSuites are those of which the detail was read, by repository and number.
	ruleSuites map[record.RepositoryName]map[int64]record.Bypass
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory) *Collector {
	return &Collector{Env: env, config: config, inventory: repositories, state: part.NewState(func() organisation { return organisation{} })}
}

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
	return []part.RepositoryScope{{Kind: scopeRuleSuites, Read: c.readRuleSuites, Requests: 1, Empty: record.Batch{Bypasses: []record.Bypass{}}}}
}

// Forecast adds the pages of branches and environments, and what REST is asked once per full interval.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	pages, bypass, environments := c.inventory.Pages(org, api.FirstPage), 0, 0
	c.state.With(org, func(o *organisation) { bypass, environments = len(o.bypass), len(o.environments) })
	if c.config.Branches {
		requests["graphql"] += part.PerHour(c.Intervals.Posture) * pages * float64(1+len(c.config.ReleaseBranches))
		requests["core"] += part.PerHour(c.Intervals.Full) * float64(bypass)
	}
	if c.config.Environments {
		requests["graphql"] += part.PerHour(c.Intervals.Posture) * pages
		requests["core"] += part.PerHour(c.Intervals.Full) * float64(environments)
	}
}

// Hints are the events about rules.
func (c *Collector) Hints() map[string][]string {
	return map[string][]string{
		"branch_protection_rule": {scopeBranches}, "branch_protection_configuration": {scopeBranches}, "repository_ruleset": {scopeBranches},
	}
}
