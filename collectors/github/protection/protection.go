// Package protection reads what guards code and environments: the effective protection of branches (classic protection and rulesets), who may pass by it
// and who did, deployment environments, and who owns code.
//
// It may import api, part and inventory. A further type of rule is a case in effective.go (branches) or in inventory.Protection (environments), with a row in
// README.md and a case in its test.
package protection

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	// protected are the repositories whose default branch is protected, as the last walk over branches found.
	protected map[record.RepositoryName]bool
	// ruleSuites are those of which the detail was read, by repository and number.
	ruleSuites map[record.RepositoryName]map[int64]record.Bypass
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory) *Collector {
	return &Collector{Env: env, config: config, inventory: repositories, state: part.NewState(func() organisation { return organisation{} })}
}

// literalPart is the longest part of a glob pattern without wildcards; every name that matches holds it.
func literalPart(pattern string) string {
	longest := ""
	for part := range strings.FieldsFuncSeq(pattern, func(r rune) bool { return strings.ContainsRune(`*?[]\`, r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// bypass is what is known about who may pass by a ruleset.
type bypass struct {
	// adminsBound: administrators may not; limited: nobody may, but by way of a pull request.
	adminsBound, limited record.Answer
	permission           string
	readAt               time.Time
}

// environmentDetails are the environments of a repository as REST showed them, nil where it did not.
type environmentDetails struct {
	list   []record.EnvironmentProtection
	readAt time.Time
	// protected says whether the repository has a protected branch, once that was asked.
	protected *record.Answer
}

// protectionWalk gathers the repositories of an organisation.
type protectionWalk struct {
	collector *Collector
	org       string
	// strict makes a failure of the server an error, for a check.
	strict bool
	batch  record.Batch
	names  map[record.RepositoryName]bool
	// bypass is what is known about rulesets, from this walk and earlier ones; used are those that this walk met.
	bypass map[int64]bypass
	used   map[int64]bool
	// protected are the repositories whose default branch is protected.
	protected map[record.RepositoryName]bool
	// releases are the branches that match release_branches.
	releases map[record.RepositoryName][]record.BranchProtection
}
