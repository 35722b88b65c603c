package github

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// deliveryRoutes serves what GitHub says about deployments, the changes in them, and rule bypasses.
func (g *gitHub) deliveryRoutes() {
	g.repositoryRoute("/rulesets/rule-suites", g.ruleSuites)
	g.repositoryRoute("/rulesets/rule-suites/{id}", g.ruleSuite)
	g.repositoryRoute("/deployments", g.deployments)
	g.repositoryRoute("/compare/{basehead}", g.compare)
	g.repositoryRoute("/pulls", g.pulls)
}

// deploymentsNewestFirst are the deployments of a repository to some environments, all if none is named.
func (g *gitHub) deploymentsNewestFirst(r *world.Repository, environments []string) []*world.Deployment {
	list := answer.Filter(g.world.DeploymentsAt(r, g.now()), func(d *world.Deployment) bool {
		return len(environments) == 0 || slices.Contains(environments, d.Environment)
	})
	slices.Reverse(list)
	return list
}

func (g *gitHub) deployments(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	var environments []string
	if name := r.URL.Query().Get("environment"); name != "" && name != "none" {
		environments = []string{name}
	}
	list := g.deploymentsNewestFirst(repository, environments)
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := make([]any, 0, to-from)
	for _, d := range list[from:to] {
		items = append(items, map[string]any{
			"id": d.ID, "node_id": deploymentID(d), "sha": d.Commit, "ref": "main", "task": d.Task, "environment": d.Environment, "original_environment": d.Environment,
			"creator": gitHubUser{d.Creator, 6001, "User"}, "created_at": answer.Stamp(d.CreatedAt), "updated_at": answer.Stamp(lastStep(d).At), "payload": map[string]any{},
		})
	}
	g.answer(w, r, items)
}

func deploymentID(d *world.Deployment) string { return fmt.Sprintf("DE_demo%d", d.ID) }

func lastStep(d *world.Deployment) world.DeploymentStep {
	if len(d.Steps) == 0 {
		return world.DeploymentStep{At: d.CreatedAt, To: world.StateWaiting}
	}
	return d.Steps[len(d.Steps)-1]
}

// deploymentObjects are the deployments of a repository in the order that is asked for; by default the oldest come first.
func (g *gitHub) deploymentObjects(r *world.Repository) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		var environments []string
		names, _ := a["environments"].([]any)
		for _, name := range names {
			environments = append(environments, fmt.Sprint(name))
		}
		list := g.deploymentsNewestFirst(r, environments)
		if order, _ := a["orderBy"].(map[string]any); order["direction"] != "DESC" {
			slices.Reverse(list)
		}
		return connection("DeploymentConnection", len(list), func(i int) *object { return deploymentObject(list[i]) })(a)
	}
}

func deploymentObject(d *world.Deployment) *object {
	last := lastStep(d)
	state := string(last.To)
	if last.To == world.StateSuccess {
		state = "ACTIVE" // until the next one succeeds
	}
	return &object{"Deployment", map[string]any{
		"id": deploymentID(d), "createdAt": answer.Stamp(d.CreatedAt), "updatedAt": answer.Stamp(last.At), "commitOid": d.Commit, "state": state, "task": d.Task,
		"environment": d.Environment, "latestEnvironment": d.Environment, "originalEnvironment": d.Environment, "description": nil, "payload": nil,
		"creator": &object{"User", map[string]any{"login": d.Creator}}, "ref": &object{"Ref", map[string]any{"name": "main", "prefix": "refs/heads/"}},
		"statuses": connection("DeploymentStatusConnection", len(d.Steps), func(i int) *object {
			s := d.Steps[len(d.Steps)-1-i]
			return &object{"DeploymentStatus", map[string]any{
				"state": string(s.To), "createdAt": answer.Stamp(s.At), "environmentUrl": nil,
				"logUrl": fmt.Sprintf("%s%s/actions/runs/%d/job/%d", answer.WebURL, d.Repository.FullName(), d.Run, d.ID),
			}}
		}),
	}}
}

// compare says how a commit stands to another. Branches are not told apart: there is one.
func (g *gitHub) compare(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	base, head, ok := strings.Cut(r.PathValue("basehead"), "...")
	named := func(ref string) string {
		if ref == "main" {
			return ""
		}
		return ref
	}
	ahead, behind, found := g.world.Between(repository, named(base), named(head), g.now())
	if base == head {
		ahead, behind, found = nil, 0, true
	}
	if !ok || !found {
		g.refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	status := "identical"
	switch {
	case len(ahead) > 0:
		status = "ahead"
	case behind > 0:
		status = "behind"
	}
	from, to := g.numbered(w, r, repositoryBase(repository), len(ahead))
	commits := make([]any, 0, to-from)
	for _, c := range ahead[from:to] {
		parents := []any{map[string]any{"sha": base}}
		if c.Merge {
			parents = append(parents, map[string]any{"sha": c.SHA})
		}
		commits = append(commits, map[string]any{"sha": c.SHA, "parents": parents, "commit": map[string]any{"committer": map[string]any{"date": answer.Stamp(c.At)}}})
	}
	g.answer(w, r, map[string]any{
		"status": status, "ahead_by": len(ahead), "behind_by": behind, "total_commits": len(ahead), "base_commit": map[string]any{"sha": base}, "commits": commits, "files": []any{},
	})
}

func (g *gitHub) pulls(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	list := g.world.PullRequestsAt(repository, g.now())
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := make([]any, 0, to-from)
	for _, p := range list[from:to] {
		items = append(items, map[string]any{
			"number": p.Number, "title": p.Title, "state": "closed", "created_at": answer.Stamp(p.OpenedAt), "merged_at": answer.Stamp(p.MergedAt), "user": gitHubUser{p.Author, 6002, "User"},
			"html_url": fmt.Sprintf("%s%s/pull/%d", answer.WebURL, repository.FullName(), p.Number),
		})
	}
	g.answer(w, r, items)
}

// approvalsOf are the answers of the reviewers of a deployment's environment.
func approvalsOf(d *world.Deployment) []any {
	if d.Approver == "" {
		return []any{}
	}
	return []any{map[string]any{
		"state": "approved", "comment": "", "user": gitHubUser{d.Approver, 6003, "User"}, "environments": []any{map[string]any{"id": d.Repository.ID * 10, "name": d.Environment}},
	}}
}
