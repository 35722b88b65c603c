package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// graphQL answers GitHub's GraphQL API for the part of its schema that covers repositories and their protection.
func (g *gitHub) graphQL(w http.ResponseWriter, r *http.Request) {
	const limit = 1 << 20
	var request struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		g.refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	data, failures, cost := g.execute(request.Query, request.OperationName, request.Variables)
	g.state(w, "graphql", cost)
	found := map[string]any{}
	if data != nil {
		found["data"] = data
	}
	if len(failures) > 0 {
		found["errors"] = failures
	}
	answer.WriteJSON(w, http.StatusOK, found)
}

// execute answers a query; data is nil when the query is wrong.
func (g *gitHub) execute(text, operation string, variables map[string]any) (data map[string]any, failures []queryError, cost int) {
	q, err := parseQuery(text, operation, variables)
	if err == nil {
		cost = q.cost()
		data = map[string]any{}
		err = q.run(g.root(cost), q.operation.SelectionSet, nil, data)
	}
	if wrong, ok := errors.AsType[*invalidQuery](err); ok {
		return nil, []queryError{wrong.queryError}, max(cost, 1)
	}
	return data, q.errors, cost
}

// root is the type Query.
func (g *gitHub) root(cost int) *object {
	return &object{"Query", map[string]any{
		"rateLimit": func(arguments) (any, error) {
			b := g.spend("graphql", 0)
			return &object{"RateLimit", map[string]any{
				"cost": cost, "limit": b.limit, "used": b.used + cost, "remaining": max(b.limit-b.used-cost, 0), "resetAt": answer.Stamp(b.reset), "nodeCount": cost * 100,
			}}, nil
		},
		"viewer": &object{"User", map[string]any{"login": "prodsec-exporter"}},
		"organization": func(a arguments) (any, error) {
			login, _ := a["login"].(string)
			if _, ok := organisationIDs[strings.ToLower(login)]; !ok {
				return &refusal{"NOT_FOUND", fmt.Sprintf("Could not resolve to an Organization with the login of '%s'.", login)}, nil
			}
			return g.organisationObject(strings.ToLower(login)), nil
		},
		"nodes": g.nodes,
		"repository": func(a arguments) (any, error) {
			name := fmt.Sprintf("%v/%v", a["owner"], a["name"])
			for _, r := range g.world.Repositories {
				if strings.EqualFold(r.FullName(), name) {
					return g.repositoryObject(r), nil
				}
			}
			return &refusal{"NOT_FOUND", fmt.Sprintf("Could not resolve to a Repository with the name '%s'.", name)}, nil
		},
	}}
}

func (g *gitHub) organisationObject(org string) *object {
	return &object{"Organization", map[string]any{
		"login": org, "name": org, "databaseId": organisationIDs[org], "id": fmt.Sprintf("O_demo%d", organisationIDs[org]), "url": answer.WebURL + org,
		"repositories": func(a arguments) (any, error) {
			list := g.in(org)
			if archived, given := a["isArchived"].(bool); given {
				list = answer.Filter(list, func(r *world.Repository) bool { return r.Archived == archived })
			}
			return connection("RepositoryConnection", len(list), func(i int) *object { return g.repositoryObject(list[i]) })(a)
		},
		"teams": connection("TeamConnection", 1, func(int) *object { return &object{"Team", map[string]any{"slug": world.SecurityTeam}} }),
	}}
}

func (g *gitHub) repositoryObject(r *world.Repository) *object {
	pushed := pushedAt(r, g.now())
	return &object{"Repository", map[string]any{
		"id": nodeID(r), "databaseId": r.ID, "name": r.Name, "nameWithOwner": r.FullName(), "url": answer.WebURL + r.FullName(),
		"owner":      &object{"Organization", map[string]any{"login": r.Organisation}},
		"isArchived": r.Archived, "isFork": r.Fork, "isPrivate": r.Visibility != "public", "isDisabled": false, "isEmpty": false, "isTemplate": false,
		"visibility": strings.ToUpper(string(r.Visibility)), "viewerPermission": "TRIAGE",
		"createdAt": answer.Stamp(r.CreatedAt), "pushedAt": answer.Stamp(pushed), "updatedAt": answer.Stamp(pushed),
		"hasVulnerabilityAlertsEnabled": !r.Archived && (r.Ecosystem != "" || r.Index%4 != 3), "isSecurityPolicyEnabled": r.Index%3 != 0,
		"repositoryTopics": connection("RepositoryTopicConnection", len(r.Topics), func(i int) *object {
			return &object{"RepositoryTopic", map[string]any{"topic": &object{"Topic", map[string]any{"name": r.Topics[i]}}}}
		}),
		"defaultBranchRef": branchObject(r, pushed), "codeowners": codeowners(r),
		"deployments": g.deploymentObjects(r), "pullRequest": g.pullRequest(r),
		"rulesets": connection("RepositoryRulesetConnection", len(r.Protection.Rulesets), func(i int) *object {
			return rulesetObject(r.Protection.Rulesets[i])
		}),
		"object": g.commitOr(r, g.workflowsFolder(r)), "releases": g.releaseObjects(r),
		"environments": connection("EnvironmentConnection", len(r.Environments), func(i int) *object {
			return environmentObject(r, i)
		}),
	}}
}

func branchObject(r *world.Repository, pushed time.Time) *object {
	type active struct {
		rule
		ruleset *world.Ruleset
	}
	var rules []active
	for _, ruleset := range r.Protection.Rulesets {
		if ruleset.Enforcement != world.EnforcementActive {
			continue // the field lists what applies
		}
		for _, rule := range rulesOf(ruleset.Rules) {
			rules = append(rules, active{rule, ruleset})
		}
	}
	fields := map[string]any{
		"id": fmt.Sprintf("REF_demo%d", r.ID), "name": "main", "prefix": "refs/heads/",
		"target":        &object{"Commit", map[string]any{"oid": fmt.Sprintf("%040x", r.ID), "committedDate": answer.Stamp(pushed), "statusCheckRollup": rollup(r, &world.PullRequest{OpenedAt: pushed})}},
		"refUpdateRule": (*object)(nil), "branchProtectionRule": (*object)(nil),
		"rules": connection("RepositoryRuleConnection", len(rules), func(i int) *object {
			return ruleObject(rules[i].rule, rules[i].ruleset)
		}),
	}
	if b := r.Protection.Classic; b != nil {
		fields["refUpdateRule"] = updateRuleObject(b)
		fields["branchProtectionRule"] = classicObject(r, b)
	}
	if r.Protection.Hidden {
		fields["branchProtectionRule"] = &refusal{"FORBIDDEN", "Resource not accessible by personal access token"}
	}
	return &object{"Ref", fields}
}

// approvals is null where no review is required.
func approvals(b *world.BranchRules) any {
	if !b.PullRequest {
		return nil
	}
	return b.Approvals
}

func updateRuleObject(b *world.BranchRules) *object {
	return &object{"RefUpdateRule", map[string]any{
		"pattern": "main", "requiredApprovingReviewCount": approvals(b), "requiresCodeOwnerReviews": b.CodeOwners, "requiresSignatures": b.Signatures,
		"requiredStatusCheckContexts": b.StatusChecks, "allowsForcePushes": !b.BlockForcePush, "allowsDeletions": !b.BlockDeletion,
		"blocksCreations": false, "requiresLinearHistory": false, "requiresConversationResolution": false, "viewerCanPush": false,
		"viewerAllowedToDismissReviews": false,
	}}
}

func classicObject(r *world.Repository, b *world.BranchRules) *object {
	checks := make([]*object, len(b.StatusChecks))
	for i, context := range b.StatusChecks {
		checks[i] = &object{"RequiredStatusCheckDescription", map[string]any{"context": context, "app": (*object)(nil)}}
	}
	return &object{"BranchProtectionRule", map[string]any{
		"id": fmt.Sprintf("BPR_demo%d", r.ID), "databaseId": r.ID + 1, "pattern": "main", "isAdminEnforced": b.IncludingAdmins, "requiresApprovingReviews": b.PullRequest,
		"requiredApprovingReviewCount": approvals(b), "requiresCodeOwnerReviews": b.CodeOwners, "requireLastPushApproval": false,
		"dismissesStaleReviews": b.DismissStale, "requiresCommitSignatures": b.Signatures, "requiresStatusChecks": len(checks) > 0,
		"requiresStrictStatusChecks": true, // means something only together with requiresStatusChecks
		"requiredStatusChecks":       checks, "requiredStatusCheckContexts": b.StatusChecks, "requiresDeployments": false,
		"requiredDeploymentEnvironments": []string{}, "restrictsPushes": false, "allowsForcePushes": !b.BlockForcePush,
		"allowsDeletions": !b.BlockDeletion, "lockBranch": false, "requiresConversationResolution": false, "requiresLinearHistory": false,
		"bypassPullRequestAllowances": connection("BypassPullRequestAllowanceConnection", 0, nil),
		"bypassForcePushAllowances":   connection("BypassForcePushAllowanceConnection", 0, nil),
	}}
}

func ruleObject(r rule, ruleset *world.Ruleset) *object {
	parameters := (*object)(nil)
	switch r.Type {
	case "pull_request":
		p := r.Parameters
		parameters = &object{"PullRequestParameters", map[string]any{
			"requiredApprovingReviewCount": p["required_approving_review_count"], "requireCodeOwnerReview": p["require_code_owner_review"],
			"requireLastPushApproval": p["require_last_push_approval"], "dismissStaleReviewsOnPush": p["dismiss_stale_reviews_on_push"],
			"requiredReviewThreadResolution": p["required_review_thread_resolution"],
		}}
	case "required_status_checks":
		checks := make([]*object, len(ruleset.Rules.StatusChecks))
		for i, context := range ruleset.Rules.StatusChecks {
			checks[i] = &object{"StatusCheckConfiguration", map[string]any{"context": context, "integrationId": nil}}
		}
		parameters = &object{"RequiredStatusChecksParameters", map[string]any{
			"strictRequiredStatusChecksPolicy": false, "requiredStatusChecks": checks,
		}}
	}
	return &object{"RepositoryRule", map[string]any{
		"id": fmt.Sprintf("RRL_demo%d%s", ruleset.ID, r.Type), "type": strings.ToUpper(r.Type), "parameters": parameters,
		"repositoryRuleset": rulesetObject(ruleset),
	}}
}

func rulesetObject(r *world.Ruleset) *object {
	source := &object{"Repository", map[string]any{}}
	if r.Organisation {
		source = &object{"Organization", map[string]any{}}
	}
	return &object{"RepositoryRuleset", map[string]any{
		"id": fmt.Sprintf("RRS_demo%d", r.ID), "databaseId": r.ID, "name": r.Name, "enforcement": strings.ToUpper(string(r.Enforcement)), "target": "BRANCH",
		"source": source,
		"bypassActors": connection("RepositoryRulesetBypassActorConnection", len(r.Bypass), func(i int) *object {
			b := r.Bypass[i]
			return &object{"RepositoryRulesetBypassActor", map[string]any{
				"bypassMode": strings.ToUpper(b.Mode), "organizationAdmin": false, "deployKey": false, "repositoryRoleDatabaseId": b.ID,
			}}
		}),
	}}
}

func environmentObject(r *world.Repository, i int) *object {
	e := r.Environments[i]
	var rules []*object
	add := func(kind string, timeout int, self bool) {
		rules = append(rules, &object{"DeploymentProtectionRule", map[string]any{
			"databaseId": r.ID*100 + int64(len(rules)), "type": kind, "timeout": timeout, "preventSelfReview": self,
			"reviewers": connection("DeploymentReviewerConnection", e.Reviewers, func(n int) *object {
				return &object{"Team", map[string]any{"slug": "release", "databaseId": 41 + n}}
			}),
		}})
	}
	if e.Reviewers > 0 {
		add("REQUIRED_REVIEWERS", 0, e.PreventSelfReview)
	}
	if e.WaitTimerInMinutes > 0 {
		add("WAIT_TIMER", e.WaitTimerInMinutes, false)
	}
	if e.BranchPolicy {
		add("BRANCH_POLICY", 0, false)
	}
	return &object{"Environment", map[string]any{
		"id": fmt.Sprintf("EN_demo%d%d", r.ID, i), "name": e.Name, "databaseId": r.ID*10 + int64(i),
		"protectionRules": connection("DeploymentProtectionRuleConnection", len(rules), func(n int) *object { return rules[n] }),
	}}
}

// nodes answers for repositories by their identity; null where there is none.
func (g *gitHub) nodes(a arguments) (any, error) {
	ids, _ := a["ids"].([]any)
	list := make([]*object, len(ids))
	for i, id := range ids {
		for _, r := range g.world.Repositories {
			if nodeID(r) == id {
				list[i] = g.repositoryObject(r)
			}
		}
	}
	return list, nil
}
