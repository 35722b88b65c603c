package github

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

// in lists the repositories of an organisation by name, as sort=full_name does.
func (g *gitHub) in(org string) []*world.Repository {
	list := answer.Filter(g.world.Repositories, func(r *world.Repository) bool { return r.Organisation == org })
	slices.SortFunc(list, func(a, b *world.Repository) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (g *gitHub) repositories(w http.ResponseWriter, r *http.Request, org string) {
	list := g.in(org)
	from, to := g.numbered(w, r, organisationBase(org), len(list))
	items := make([]any, 0, to-from)
	for _, repository := range list[from:to] {
		items = append(items, g.describe(repository))
	}
	g.answer(w, r, items)
}

func (g *gitHub) repository(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	g.answer(w, r, g.describe(repository))
}

// describe is a repository in the form of the REST API.
func (g *gitHub) describe(r *world.Repository) map[string]any {
	on := map[string]string{"status": "enabled"}
	off := map[string]string{"status": "disabled"}
	scanning := on
	if r.Organisation == world.OrgLabs {
		scanning = off
	}
	return map[string]any{
		"id": r.ID, "node_id": nodeID(r), "name": r.Name, "full_name": r.FullName(), "private": r.Visibility != record.VisibilityPublic,
		"owner":    gitHubUser{r.Organisation, organisationIDs[r.Organisation], "Organization"},
		"html_url": answer.WebURL + r.FullName(), "url": g.url + "/repos/" + r.FullName(), "description": nil, "fork": r.Fork,
		"archived": r.Archived, "disabled": false, "visibility": r.Visibility, "default_branch": "main", "topics": topics(r),
		"created_at": answer.Stamp(r.CreatedAt), "pushed_at": answer.Stamp(pushedAt(r, g.now())), "updated_at": answer.Stamp(pushedAt(r, g.now())),
		"language": nil, "permissions": map[string]bool{"admin": false, "maintain": false, "push": false, "triage": true, "pull": true},
		"security_and_analysis": map[string]any{
			"advanced_security": scanning, "dependabot_security_updates": on,
			"secret_scanning": scanning, "secret_scanning_push_protection": scanning,
		},
	}
}

func topics(r *world.Repository) []string {
	if r.Topics == nil {
		return []string{}
	}
	return r.Topics
}

// pushedAt is when somebody last pushed: several times a day where there is life.
func pushedAt(r *world.Repository, t time.Time) time.Time {
	if r.Archived {
		return r.CreatedAt.Add(200 * 24 * time.Hour)
	}
	rhythm := time.Duration(3+r.Index%40) * time.Hour
	return t.Truncate(rhythm).Add(-time.Duration(r.Index) * time.Second)
}

// properties answers that no custom properties have been set.
func (g *gitHub) properties(w http.ResponseWriter, r *http.Request, org string) {
	list := g.in(org)
	from, to := g.numbered(w, r, organisationBase(org), len(list))
	items := make([]any, 0, to-from)
	for _, repository := range list[from:to] {
		items = append(items, map[string]any{
			"repository_id": repository.ID, "repository_name": repository.Name, "repository_full_name": repository.FullName(), "properties": []any{},
		})
	}
	g.answer(w, r, items)
}

func (g *gitHub) rulesets(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	items := []any{}
	for _, ruleset := range repository.Protection.Rulesets {
		items = append(items, rulesetHead(ruleset, repository))
	}
	g.answer(w, r, items)
}

func (g *gitHub) ruleset(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	for _, ruleset := range repository.Protection.Rulesets {
		if strconv.FormatInt(ruleset.ID, 10) != r.PathValue("id") {
			continue
		}
		detail := rulesetHead(ruleset, repository)
		detail["conditions"] = map[string]any{"ref_name": map[string]any{"include": []string{"~DEFAULT_BRANCH"}, "exclude": []string{}}}
		detail["rules"] = rulesOf(ruleset.Rules)
		if repository.Organisation != world.OrgLabs { // where the credential may not write rulesets, GitHub leaves this out
			actors := []any{}
			for _, a := range ruleset.Bypass {
				actors = append(actors, map[string]any{"actor_id": a.ID, "actor_type": a.Type, "bypass_mode": a.Mode})
			}
			detail["bypass_actors"] = actors
		}
		g.answer(w, r, detail)
		return
	}
	g.refuse(w, http.StatusNotFound, "Not Found")
}

func rulesetHead(r *world.Ruleset, in *world.Repository) map[string]any {
	sourceType, source := "Repository", in.FullName()
	if r.Organisation {
		sourceType, source = "Organization", in.Organisation
	}
	return map[string]any{
		"id": r.ID, "name": r.Name, "target": "branch", "source_type": sourceType, "source": source, "enforcement": r.Enforcement,
		"node_id": "RRS_demo" + strconv.FormatInt(r.ID, 10),
	}
}

// rule is a rule of a ruleset.
type rule struct {
	Type       string         `json:"type"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

func rulesOf(b world.BranchRules) []rule {
	rules := []rule{}
	if b.BlockDeletion {
		rules = append(rules, rule{Type: "deletion"})
	}
	if b.BlockForcePush {
		rules = append(rules, rule{Type: "non_fast_forward"})
	}
	if b.PullRequest {
		rules = append(rules, rule{"pull_request", map[string]any{
			"required_approving_review_count": b.Approvals, "require_code_owner_review": b.CodeOwners,
			"dismiss_stale_reviews_on_push": b.DismissStale, "require_last_push_approval": false, "required_review_thread_resolution": false,
		}})
	}
	if len(b.StatusChecks) > 0 {
		checks := []any{}
		for _, context := range b.StatusChecks {
			checks = append(checks, map[string]any{"context": context})
		}
		rules = append(rules, rule{"required_status_checks", map[string]any{
			"required_status_checks": checks, "strict_required_status_checks_policy": false,
		}})
	}
	if b.Signatures {
		rules = append(rules, rule{Type: "required_signatures"})
	}
	return rules
}

// effectiveRules lists the rules of active rulesets, whatever the branch.
func (g *gitHub) effectiveRules(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	items := []any{}
	for _, ruleset := range repository.Protection.Rulesets {
		if ruleset.Enforcement != world.EnforcementActive {
			continue
		}
		for _, rule := range rulesOf(ruleset.Rules) {
			head := rulesetHead(ruleset, repository)
			item := map[string]any{
				"type": rule.Type, "ruleset_id": ruleset.ID, "ruleset_source": head["source"], "ruleset_source_type": head["source_type"],
			}
			if rule.Parameters != nil {
				item["parameters"] = rule.Parameters
			}
			items = append(items, item)
		}
	}
	from, to := g.numbered(w, r, repositoryBase(repository), len(items))
	g.answer(w, r, items[from:to])
}

// branches lists the branches of a repository, of which there is one; protected=true those that a classic rule or an active ruleset protects, as on GitHub.
func (g *gitHub) branches(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	protected := repository.Protection.Classic != nil || slices.ContainsFunc(repository.Protection.Rulesets, func(s *world.Ruleset) bool {
		return s.Enforcement == world.EnforcementActive && len(rulesOf(s.Rules)) > 0
	})
	items := []any{}
	if wanted := r.URL.Query().Get("protected"); wanted == "" || wanted == strconv.FormatBool(protected) {
		items = append(items, map[string]any{
			"name": "main", "commit": map[string]string{"sha": fmt.Sprintf("%040x", repository.ID)}, "protected": protected,
		})
	}
	from, to := g.numbered(w, r, repositoryBase(repository), len(items))
	g.answer(w, r, items[from:to])
}

// classicProtection is hidden behind the same 404 that says that something does not exist, as on GitHub.
func (g *gitHub) classicProtection(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	b := repository.Protection.Classic
	branch, err := url.PathUnescape(r.PathValue("branch"))
	switch {
	case err != nil || branch != "main" || repository.Protection.Hidden:
		w.Header().Set("X-Accepted-GitHub-Permissions", "administration=read")
		g.refuse(w, http.StatusNotFound, "Not Found")
		return
	case b == nil:
		g.refuse(w, http.StatusNotFound, "Branch not protected")
		return
	}
	enabled := func(yes bool) map[string]bool { return map[string]bool{"enabled": yes} }
	answer := map[string]any{
		"enforce_admins": enabled(b.IncludingAdmins), "allow_force_pushes": enabled(!b.BlockForcePush), "allow_deletions": enabled(!b.BlockDeletion),
		"required_signatures": enabled(b.Signatures), "required_linear_history": enabled(false), "lock_branch": enabled(false),
	}
	if b.PullRequest {
		answer["required_pull_request_reviews"] = map[string]any{
			"required_approving_review_count": b.Approvals, "require_code_owner_reviews": b.CodeOwners, "dismiss_stale_reviews": b.DismissStale,
		}
	}
	if len(b.StatusChecks) > 0 {
		answer["required_status_checks"] = map[string]any{"strict": false, "contexts": b.StatusChecks}
	}
	g.answer(w, r, answer)
}

func (g *gitHub) environments(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	list := repository.Environments
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := []any{}
	for i, e := range list[from:to] {
		id := repository.ID*10 + int64(i)
		rules := []any{}
		if e.Reviewers > 0 {
			reviewers := []any{}
			for n := range e.Reviewers {
				reviewers = append(reviewers, map[string]any{"type": "Team", "reviewer": map[string]any{"id": 41 + n, "slug": "release", "name": "release"}})
			}
			rules = append(rules, map[string]any{
				"id": id*10 + 1, "type": "required_reviewers", "prevent_self_review": e.PreventSelfReview, "reviewers": reviewers,
			})
		}
		if e.WaitTimerInMinutes > 0 {
			rules = append(rules, map[string]any{"id": id*10 + 2, "type": "wait_timer", "wait_timer": e.WaitTimerInMinutes})
		}
		var policy any
		if e.BranchPolicy {
			policy = map[string]bool{"protected_branches": true, "custom_branch_policies": false}
			rules = append(rules, map[string]any{"id": id*10 + 3, "type": "branch_policy"})
		}
		items = append(items, map[string]any{
			"id": id, "name": e.Name, "protection_rules": rules, "deployment_branch_policy": policy, "can_admins_bypass": e.AdminsCanBypass,
			"created_at": answer.Stamp(repository.CreatedAt), "updated_at": answer.Stamp(repository.CreatedAt),
			"html_url": answer.WebURL + repository.FullName() + "/deployments/activity_log?environments_filter=" + url.QueryEscape(e.Name),
		})
	}
	g.answer(w, r, map[string]any{"total_count": len(list), "environments": items})
}
