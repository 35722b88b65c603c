package github

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

// pipelineRoutes serves the runs of workflows and what they may use. In the organisation that was bought the credential may not read the names of secrets.
func (g *gitHub) pipelineRoutes() {
	g.repositoryRoute("/actions/runs", func(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
		var list []*world.Run
		for _, workflow := range g.world.WorkflowsOf(repository) {
			list = append(list, g.world.RunsAt(repository, workflow, g.now())...)
		}
		g.runs(w, r, repository, list)
	})
	g.repositoryRoute("/actions/workflows/{workflow}/runs", func(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
		for _, workflow := range g.world.WorkflowsOf(repository) {
			if workflow.File == r.PathValue("workflow") {
				g.runs(w, r, repository, g.world.RunsAt(repository, workflow, g.now()))
				return
			}
		}
		g.refuse(w, http.StatusNotFound, "Not Found")
	})
	g.runRoute("", func(w http.ResponseWriter, r *http.Request, run *world.Run) { g.answer(w, r, runItem(run)) })
	g.runRoute("/approvals", g.approvals)
	g.runRoute("/artifacts", g.artifacts)
	g.secretRoutes()
	g.organisationRoute("/actions/oidc/customization/sub", func(w http.ResponseWriter, r *http.Request, _ string) {
		g.answer(w, r, map[string]any{"include_claim_keys": []string{"repo", "context"}})
	})
	g.repositoryRoute("/actions/oidc/customization/sub", func(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
		g.answer(w, r, map[string]any{"use_default": !repository.CustomSubject()})
	})
}

// runs answers with runs that the request's filters let pass.
func (g *gitHub) runs(w http.ResponseWriter, r *http.Request, repository *world.Repository, list []*world.Run) {
	query := r.URL.Query()
	list = answer.Filter(list, func(run *world.Run) bool {
		status := query.Get("status")
		return (status == "" || status == "completed" || (status == "success") == run.Succeeded) && (query.Get("head_sha") == "" || query.Get("head_sha") == run.Commit)
	})
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := make([]any, 0, to-from)
	for _, run := range list[from:to] {
		items = append(items, runItem(run))
	}
	g.answer(w, r, map[string]any{"total_count": len(list), "workflow_runs": items})
}

func runItem(run *world.Run) map[string]any {
	conclusion, status := any(map[bool]string{true: "success", false: "failure"}[run.Succeeded]), "completed"
	if run.EndedAt.IsZero() {
		conclusion, status = nil, "in_progress"
	}
	event := map[bool]string{true: "push", false: "workflow_dispatch"}[run.ID%3 != 0]
	who := gitHubUser{"release-bot", 6000, "Bot"}
	if run.Deployment != nil {
		who = gitHubUser{run.Deployment.Creator, 6001, "User"}
	}
	return map[string]any{
		"id": run.ID, "name": run.Workflow.Name, "path": run.Workflow.Path(), "head_branch": "main", "head_sha": run.Commit, "event": event, "status": status,
		"conclusion": conclusion, "created_at": answer.Stamp(run.StartedAt), "run_started_at": answer.Stamp(run.StartedAt), "updated_at": answer.Stamp(run.EndedAt),
		"html_url": fmt.Sprintf("%s%s/actions/runs/%d", answer.WebURL, run.Repository.FullName(), run.ID), "actor": who, "triggering_actor": who,
	}
}

// runRoute serves a path below a run.
func (g *gitHub) runRoute(path string, handle func(http.ResponseWriter, *http.Request, *world.Run)) {
	g.repositoryRoute("/actions/runs/{run}"+path, func(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
		id, err := strconv.ParseInt(r.PathValue("run"), 10, 64)
		if err != nil {
			g.refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		deployment := g.world.DeploymentOf(repository, id, g.now())
		for _, workflow := range g.world.WorkflowsOf(repository) {
			if deployment != nil && workflow.Deploys {
				handle(w, r, g.world.RunOf(deployment, workflow))
				return
			}
			for _, run := range g.world.RunsAt(repository, workflow, g.now()) {
				if run.ID == id {
					handle(w, r, run)
					return
				}
			}
		}
		g.refuse(w, http.StatusNotFound, "Not Found")
	})
}

// approvals are the answers of reviewers. In the organisation that was bought the credential may not read them.
func (g *gitHub) approvals(w http.ResponseWriter, r *http.Request, run *world.Run) {
	switch {
	case run.Repository.Organisation == world.OrgLabs:
		g.forbidden("actions=read")(w, r, run.Repository.Organisation)
	case run.Deployment != nil:
		g.answer(w, r, approvalsOf(run.Deployment))
	case run.Approved:
		g.answer(w, r, []any{map[string]any{
			"state": "approved", "comment": "", "user": gitHubUser{"mina-okafor", 5003, "User"}, "environments": []any{map[string]any{"id": 1, "name": "production"}},
		}})
	default:
		g.answer(w, r, []any{})
	}
}

func (g *gitHub) artifacts(w http.ResponseWriter, r *http.Request, run *world.Run) {
	items := []any{}
	if run.Artifact != nil {
		items = append(items, map[string]any{"id": run.ID, "name": run.Artifact.Name, "size_in_bytes": 1 << 24, "expired": false, "digest": run.Artifact.Digest})
	}
	g.answer(w, r, map[string]any{"total_count": len(items), "artifacts": items})
}

func (g *gitHub) secretRoutes() {
	serve := func(path string, keep func(*http.Request, world.Secret) bool) {
		g.repositoryRoute(path, func(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
			if repository.Organisation == world.OrgLabs {
				g.forbidden("secrets=read")(w, r, repository.Organisation)
				return
			}
			list := answer.Filter(g.world.SecretsOf(repository), func(s world.Secret) bool { return keep(r, s) })
			from, to := g.numbered(w, r, repositoryBase(repository), len(list))
			items := make([]any, 0, to-from)
			for _, s := range list[from:to] {
				items = append(items, map[string]any{"name": s.Name, "created_at": answer.Stamp(s.UpdatedAt), "updated_at": answer.Stamp(s.UpdatedAt)})
			}
			g.answer(w, r, map[string]any{"total_count": len(list), "secrets": items})
		})
	}
	serve("/actions/secrets", func(_ *http.Request, s world.Secret) bool { return s.Scope == record.SecretRepository })
	serve("/actions/organization-secrets", func(_ *http.Request, s world.Secret) bool { return s.Scope == record.SecretOrganization })
	serve("/environments/{environment}/secrets", func(r *http.Request, s world.Secret) bool {
		environment, err := url.PathUnescape(r.PathValue("environment"))
		return err == nil && s.Scope == record.SecretEnvironment && s.Environment == environment
	})
}
