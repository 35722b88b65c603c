package github

import (
	"fmt"
	"net/http"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// postureRoutes serves what GitHub says about how repositories are scanned and what their workflows may do.
func (g *gitHub) postureRoutes() {
	g.repositoryRoute("/code-scanning/analyses", g.analyses)
	g.repositoryRoute("/code-scanning/default-setup", g.defaultSetup)
	g.repositoryRoute("/actions/permissions", g.actionsPermissions)
	g.repositoryRoute("/actions/permissions/workflow", g.actionsToken)
	g.organisationRoute("/actions/permissions", g.organisationActions)
	g.organisationRoute("/actions/permissions/workflow", g.organisationToken)
}

// codeowners is the state of a repository's CODEOWNERS file: one in five has none, one in twenty an error in it.
func codeowners(r *world.Repository) *object {
	if r.Index%5 == 2 {
		return nil
	}
	errors := []*object{}
	if r.Index%20 == 6 {
		errors = append(errors, &object{"RepositoryCodeownersError", map[string]any{"kind": "Unknown owner", "line": 3, "column": 1, "path": "CODEOWNERS"}})
	}
	return &object{"RepositoryCodeowners", map[string]any{"errors": errors}}
}

// scannersOf are the tools that upload to code scanning from a repository.
func scannersOf(r *world.Repository) []world.Tool {
	switch {
	case r.Archived || r.Purpose == world.PurposeDocumentation:
		return nil
	case r.Purpose == world.PurposeInfrastructure:
		if r.Index%6 == 5 {
			return []world.Tool{world.ToolCheckov, world.ToolTrivy}
		}
		return []world.Tool{world.ToolCheckov, world.ToolTrivy, world.ToolCodeQL} // whose default setup looks at workflows
	default:
		return []world.Tool{world.ToolCodeQL}
	}
}

// lastAnalysed is when a repository was last analysed: each night, but for those whose workflow has long been broken.
func lastAnalysed(r *world.Repository, t time.Time) time.Time {
	const day = 24 * time.Hour
	night := t.Add(-time.Duration(r.Index) * time.Minute).Truncate(day).Add(time.Duration(r.Index) * time.Minute)
	if r.Index%9 == 4 {
		night = night.Add(-45 * day)
	}
	return night
}

func (g *gitHub) analyses(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	tools := scannersOf(repository)
	if len(tools) == 0 {
		g.refuse(w, http.StatusNotFound, "no analysis found")
		return
	}
	const kept = 20
	items := make([]any, 0, kept*len(tools))
	last := lastAnalysed(repository, g.now())
	for night := range kept {
		for i, tool := range tools {
			failure := ""
			if night%7 == 3 {
				failure = "The job ran out of memory"
			}
			items = append(items, map[string]any{
				"id": repository.ID*1000 + int64(night*len(tools)+i), "ref": "refs/heads/main", "commit_sha": fmt.Sprintf("%040x", repository.ID+int64(night)),
				"created_at": answer.Stamp(last.Add(-time.Duration(night) * 24 * time.Hour)), "error": failure, "warning": "", "category": "",
				"tool": map[string]any{"name": tool, "guid": nil, "version": nil},
			})
		}
	}
	from, to := g.numbered(w, r, repositoryBase(repository), len(items))
	g.answer(w, r, items[from:to])
}

func (g *gitHub) defaultSetup(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	state := "not-configured"
	if repository.Purpose == world.PurposeApplication && repository.Organisation == world.OrgMeridian && !repository.Archived {
		state = "configured"
	}
	g.answer(w, r, map[string]any{"state": state, "languages": []string{}, "query_suite": "default", "updated_at": nil, "schedule": "weekly"})
}

// allowedActions is what an organisation lets run: the laboratory anything, the rest what was selected.
func allowedActions(org string) string {
	if org == world.OrgLabs {
		return "all"
	}
	return "selected"
}

func (g *gitHub) organisationActions(w http.ResponseWriter, r *http.Request, org string) {
	g.answer(w, r, map[string]any{"enabled_repositories": "all", "allowed_actions": allowedActions(org), "sha_pinning_required": false})
}

func (g *gitHub) actionsPermissions(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	g.answer(w, r, map[string]any{
		"enabled": !repository.Archived, "allowed_actions": allowedActions(repository.Organisation), "sha_pinning_required": repository.Index%4 == 1,
	})
}

func (g *gitHub) organisationToken(w http.ResponseWriter, r *http.Request, _ string) {
	g.answer(w, r, map[string]any{"default_workflow_permissions": "write", "can_approve_pull_request_reviews": false})
}

func (g *gitHub) actionsToken(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	permissions := "read"
	if repository.Index%6 == 0 {
		permissions = "write"
	}
	g.answer(w, r, map[string]any{"default_workflow_permissions": permissions, "can_approve_pull_request_reviews": false})
}
