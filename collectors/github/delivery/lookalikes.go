package delivery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// shownRepositories is how many repositories are named beside the name of an environment.
const shownRepositories = 3

// checkEnvironments names the environments that look like production and match no pattern of the configuration: deployments to them are in no number.
func (c *Collector) checkEnvironments(ctx context.Context, org string) collectors.CheckResult {
	result := collectors.CheckResult{Subject: "names of environments", Unknown: "whether environments have names that no pattern matches"}
	found := map[string][]string{}
	query := api.RepositoryQuery[namedEnvironments]{
		Text: environmentNamesQuery, Node: func(r *namedEnvironments) *api.RepositoryNode { return &r.RepositoryNode }, Fields: []string{"environments"},
	}
	err := query.Walk(ctx, c.API, org, func(node *namedEnvironments) error {
		if node == nil || node.Environments == nil {
			return nil
		}
		for _, e := range node.Environments.Nodes {
			if e != nil && LooksLikeProduction(e.Name) && !c.isRead(e.Name) {
				name := record.Text(e.Name)
				found[name] = append(found[name], record.Text(node.NameWithOwner))
			}
		}
		return nil
	})
	if result.Err = api.ScopeError(err, inventory.EnvironmentsPermission); result.Err != nil {
		return result
	}
	stated, err := c.statedProduction(ctx, org, found)
	if err != nil {
		result.Err = api.ScopeError(err, deploymentsPermission)
		return result
	}
	maps.DeleteFunc(found, func(name string, _ []string) bool { return stated[name] }) // They are read by the word of their deployments.
	for _, name := range slices.Sorted(maps.Keys(found)) {
		in := found[name]
		more := ""
		if len(in) > shownRepositories {
			more = fmt.Sprintf(" and %d more", len(in)-shownRepositories)
		}
		result.Notes = append(result.Notes, fmt.Sprintf("%q looks like production and matches nothing of deployment_environments: %s%s", name, strings.Join(in[:min(shownRepositories, len(in))], ", "), more))
	}
	if len(found) > 0 {
		result.Notes = append(result.Notes, "add their names, or patterns such as *prod*, to deployment_environments and to policy.protection.production_environments")
	}
	return result
}
