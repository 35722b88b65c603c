// Package delivery reads what was deployed where: deployments and how they ended, who approved them, which changes (pull requests) they brought, and whether
// security looked at these.
//
// It may import api, part and inventory. A further fact about a deployment goes into details.go, which is asked once for each that has ended; one about a pull
// request into pull_requests.go; a further way to tell services apart into service_rules.go.
package delivery

import (
	"regexp"
	"slices"
	"time"

	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// scopeDeployments is the first part of the names of scopes.
const scopeDeployments = "deployments"

// Collector reads deployments.
type Collector struct {
	part.Env
	config    Config
	inventory *inventory.Inventory
	state     *part.State[organisation]
	// releaseBranches are patterns of branches that are protected beside the default branch.
	releaseBranches []string
	// services tell services apart that share a repository; environments match those that deployments are read of.
	services     serviceRules
	environments []*regexp.Regexp
}

var _ part.Collector = (*Collector)(nil)

// organisation is what is remembered of an organisation. Deployments that have ended do not change any more: what was found out about them is kept as long as
// they are within the history, so that a whole reading costs little more than a list.
type organisation struct {
	deployed         map[record.RepositoryName]map[string]knownDeployment
	rules            map[record.RepositoryName]*environmentRules
	environmentNames environmentNames
	// stated are the names of environments about which was asked whether they are production.
	stated map[string]statedName
	// deploymentsAt is the time of the last look for new ones; zero if something was left to do.
	deploymentsAt time.Time
}

// knownDeployment is a deployment of which the details were read, and the questions that the repository refused then.
type knownDeployment struct {
	record.Deployment
	refused []string
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory, releaseBranches []string) *Collector {
	c := &Collector{
		Env: env, config: config, inventory: repositories, releaseBranches: releaseBranches, services: newServiceRules(config.DeploymentServices),
		state: part.NewState(func() organisation {
			return organisation{deployed: map[record.RepositoryName]map[string]knownDeployment{}, rules: map[record.RepositoryName]*environmentRules{}}
		}),
	}
	for _, pattern := range config.environmentPatterns() {
		c.environments = append(c.environments, namePattern(pattern))
	}
	return c
}

// statedName is whether deployments to environments of a name are production by the word of those who made them, and when that was asked.
type statedName struct {
	production bool
	askedAt    time.Time
}

// environmentRules are the rules of a repository's environments.
type environmentRules struct {
	list []inventory.Environment
	// known is false where they are hidden.
	known  bool
	readAt time.Time
}

// environmentNames are the environments of an organisation that deployments are read of.
type environmentNames struct {
	names []string
	// production are those that are production by the word of their deployments.
	production map[string]bool
	unnamed    map[record.RepositoryName]bool
	readAt     time.Time
}

// isRead reports whether deployments to an environment of this name are read.
func (c *Collector) isRead(name string) bool {
	return slices.ContainsFunc(c.environments, func(p *regexp.Regexp) bool { return p.MatchString(name) })
}
