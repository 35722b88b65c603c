package github

import (
	"net/http"
	"strconv"

	"prodsec_exporter/internal/demo/world"
)

// runnerRoutes serves self-hosted runners and their groups. In the organisation that was bought the credential may not read groups.
func (g *gitHub) runnerRoutes() {
	g.organisationRoute("/actions/runners", func(w http.ResponseWriter, r *http.Request, org string) {
		var own []*world.Runner
		for _, group := range g.world.RunnerGroups[org] {
			if !group.Inherited { // which the organisation does not list as its own
				own = append(own, group.Runners...)
			}
		}
		g.runners(w, r, org, own)
	})
	g.organisationRoute("/actions/runner-groups", g.runnerGroups)
	g.groupRoute("/runners", func(w http.ResponseWriter, r *http.Request, org string, group *world.RunnerGroup) {
		g.runners(w, r, org, group.Runners)
	})
	g.groupRoute("/repositories", g.groupRepositories)
}

// groupRoute serves a path below a group of runners.
func (g *gitHub) groupRoute(path string, handle func(http.ResponseWriter, *http.Request, string, *world.RunnerGroup)) {
	g.organisationRoute("/actions/runner-groups/{group}"+path, func(w http.ResponseWriter, r *http.Request, org string) {
		for _, group := range g.world.RunnerGroups[org] {
			if org != world.OrgLabs && strconv.FormatInt(group.ID, 10) == r.PathValue("group") {
				handle(w, r, org, group)
				return
			}
		}
		g.refuse(w, http.StatusNotFound, "Not Found")
	})
}

func (g *gitHub) runners(w http.ResponseWriter, r *http.Request, org string, list []*world.Runner) {
	from, to := g.numbered(w, r, organisationBase(org), len(list))
	items := make([]any, 0, to-from)
	for _, runner := range list[from:to] {
		status := map[bool]string{true: "online", false: "offline"}[runner.Online(g.now())]
		labels := make([]any, len(runner.Labels))
		for i, label := range runner.Labels {
			labels[i] = map[string]any{"id": i + 1, "name": label, "type": "custom"}
		}
		items = append(items, map[string]any{
			"id": runner.ID, "name": runner.Name, "os": "linux", "status": status, "busy": false, "ephemeral": runner.Ephemeral, "labels": labels,
		})
	}
	g.answer(w, r, map[string]any{"total_count": len(list), "runners": items})
}

func (g *gitHub) runnerGroups(w http.ResponseWriter, r *http.Request, org string) {
	if org == world.OrgLabs {
		g.forbidden("organization_self_hosted_runners=read")(w, r, org)
		return
	}
	list := g.world.RunnerGroups[org]
	from, to := g.numbered(w, r, organisationBase(org), len(list))
	items := make([]any, 0, to-from)
	for _, group := range list[from:to] {
		item := map[string]any{
			"id": group.ID, "name": group.Name, "visibility": group.Visibility, "default": group.ID == 1, "inherited": group.Inherited,
			"allows_public_repositories": group.AllowsPublic, "restricted_to_workflows": group.Workflows != nil, "workflow_restrictions_read_only": group.Inherited,
			"selected_workflows": append([]string{}, group.Workflows...),
			"runners_url":        g.url + "/orgs/" + org + "/actions/runner-groups/" + strconv.FormatInt(group.ID, 10) + "/runners",
		}
		if group.Inherited {
			item["inherited_allows_public_repositories"] = group.AllowsPublic
		}
		items = append(items, item)
	}
	g.answer(w, r, map[string]any{"total_count": len(list), "runner_groups": items})
}

func (g *gitHub) groupRepositories(w http.ResponseWriter, r *http.Request, org string, group *world.RunnerGroup) {
	from, to := g.numbered(w, r, organisationBase(org), len(group.Repositories))
	items := make([]any, 0, to-from)
	for _, repository := range group.Repositories[from:to] {
		items = append(items, g.describe(repository))
	}
	g.answer(w, r, map[string]any{"total_count": len(group.Repositories), "repositories": items})
}
