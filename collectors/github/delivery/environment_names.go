package delivery

import (
	"context"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// environmentNamesQuery reads the names of environments, to find those that a pattern matches. It costs a point for fifty repositories.
const environmentNamesQuery = `query EnvironmentNames($org:String!,$first:Int!,$cursor:String){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url environments(first:100){totalCount nodes{name}} } } } }`

type namedEnvironments struct {
	api.RepositoryNode
	Environments *struct {
		TotalCount int `json:"totalCount"`
		Nodes      []*struct {
			Name string `json:"name"`
		} `json:"nodes"`
	} `json:"environments"`
}

// nameEnvironments finds the names of the environments that are read: GitHub filters by whole names only. Those without wildcards are asked for in the usual
// spellings. Names are read again once per posture interval.
func (w *deploymentWalk) nameEnvironments(ctx context.Context) error {
	var names environmentNames
	w.collector.state.With(w.org, func(o *organisation) { names = o.environmentNames })
	now := w.collector.Now()
	if names.readAt.IsZero() || now.Sub(names.readAt) >= w.collector.Intervals.Posture {
		var err error
		if names, err = w.collector.readEnvironmentNames(ctx, w.org); err != nil {
			return err
		}
		w.collector.state.With(w.org, func(o *organisation) { o.environmentNames = names })
	}
	w.environments, w.unnamed, w.production = names.names, names.unnamed, names.production
	return nil
}

func (c *Collector) readEnvironmentNames(ctx context.Context, org string) (environmentNames, error) {
	found := environmentNames{unnamed: map[record.RepositoryName]bool{}, readAt: c.Now()}
	names, others := map[string]bool{}, map[string][]string{}
	wild := len(c.config.ProductionWorkflows) > 0
	for _, pattern := range c.config.environmentPatterns() {
		if strings.ContainsAny(pattern, "*?") || strings.Contains(pattern, serviceMark) {
			wild = true
			continue
		}
		lower := strings.ToLower(pattern)
		for _, name := range []string{pattern, lower, strings.ToUpper(lower[:1]) + lower[1:], strings.ToUpper(lower)} {
			names[name] = true
		}
	}
	if wild {
		query := api.RepositoryQuery[namedEnvironments]{
			Text: environmentNamesQuery, Node: func(r *namedEnvironments) *api.RepositoryNode { return &r.RepositoryNode }, Fields: []string{"environments"},
		}
		err := query.Walk(ctx, c.API, org, func(node *namedEnvironments) error { return c.nameAll(ctx, node, names, others, found.unnamed) })
		if err != nil {
			return environmentNames{}, err
		}
		if found.production, err = c.statedProduction(ctx, org, others); err != nil {
			return environmentNames{}, err
		}
	}
	for name := range found.production {
		names[name] = true
	}
	if len(c.config.ProductionWorkflows) > 0 {
		for name := range others {
			names[name] = true
		}
	}
	found.names = slices.Sorted(maps.Keys(names))
	return found, nil
}

// nameAll adds the names of a repository's environments that a pattern matches. Where there are more than a page holds, REST lists them.
func (c *Collector) nameAll(ctx context.Context, node *namedEnvironments, names map[string]bool, others map[string][]string, unnamed map[record.RepositoryName]bool) error {
	if node == nil {
		return nil
	}
	repository, err := c.API.RepositoryName(node.URL, node.NameWithOwner)
	if err != nil {
		return nil //nolint:nilerr // The walk over deployments has no scope for it.
	}
	var list []string
	switch {
	case node.Lacks("environments") || node.Environments == nil:
		unnamed[repository] = true
	case node.Environments.TotalCount > len(node.Environments.Nodes):
		rules, err := c.inventory.Environments(ctx, node.NameWithOwner)
		switch reason := record.ReasonOf(err); {
		case err == nil:
		case reason == record.ReasonPermission || reason == record.ReasonNotFound:
			unnamed[repository] = true
		default:
			return err
		}
		for i := range rules {
			list = append(list, rules[i].Name)
		}
	default:
		for _, e := range node.Environments.Nodes {
			if e != nil {
				list = append(list, e.Name)
			}
		}
	}
	for _, name := range list {
		if c.isRead(name) {
			names[name] = true
		} else if len(others[name]) < repositoriesAsked {
			others[name] = append(others[name], node.NameWithOwner)
		}
	}
	return nil
}
