package githubtest

import (
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/collectors/collectorstest"
)

// EnvironmentNode is a repository in the answer to the query about environments.
func EnvironmentNode(name, codeowners, environments string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","defaultBranchRef":{"name":"main"},"codeowners":%[2]s,"environments":%[3]s}`,
		name, codeowners, environments)
}

// OneEnvironment, NoEnvironments and RESTEnvironments are environments in the forms of GraphQL and REST; AnalysisJSON is the format of an analysis.
const (
	OneEnvironment = `{"totalCount":1,"nodes":[{"name":"production","protectionRules":{"nodes":[` +
		`{"type":"REQUIRED_REVIEWERS","timeout":0,"preventSelfReview":true},{"type":"WAIT_TIMER","timeout":30},{"type":"BRANCH_POLICY","timeout":0}]}}]}`
	NoEnvironments   = `{"totalCount":0,"nodes":[]}`
	RESTEnvironments = `{"total_count":1,"environments":[{"name":"production","can_admins_bypass":false,"deployment_branch_policy":{"protected_branches":true},` +
		`"protection_rules":[{"type":"required_reviewers","prevent_self_review":true,"reviewers":[{"type":"Team"}]},{"type":"wait_timer","wait_timer":30},{"type":"branch_policy"}]}]}`
	AnalysisJSON = `{"ref":"refs/heads/main","created_at":"%s","error":"%s","tool":{"name":"%s"}}`
)

// ServePosture serves environments, properties, security configurations, analyses and Actions policies.
func ServePosture(s *collectorstest.Server) {
	s.Handle("POST /graphql", ByQuery(Pages(ProtectionNode("api", BareRef)+","+ProtectionNode("old", "null"), ProtectionNode("web", BareRef))))
	s.LinkPages("GET /orgs/acme/properties/values", "page",
		collectorstest.Items(`{"repository_full_name":"Acme/api","properties":[{"property_name":"tier","value":"tier1"},{"property_name":"regions","value":["us","eu"]},{"property_name":"none","value":null}]}`),
		collectorstest.Items(`{"repository_full_name":"Acme/web","properties":[]}`))
	s.JSON("GET /orgs/acme/code-security/configurations", collectorstest.Items(
		`{"id":17,"enforcement":"enforced","code_scanning_default_setup":"enabled","dependabot_alerts":"disabled","secret_scanning":"not_set","secret_scanning_push_protection":"enabled"}`))
	s.LinkPages("GET /orgs/acme/code-security/configurations/17/repositories", "after",
		collectorstest.Items(`{"status":"attached","repository":{"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}}`),
		collectorstest.Items(`{"status":"failed","repository":{"full_name":"Acme/web","html_url":"https://github.com/Acme/web"}}`))
	s.JSON("GET /repos/Acme/api/environments", RESTEnvironments)
	s.JSON("GET /repos/Acme/api/branches", `[{"name":"main","protected":true}]`)
	policies := map[string]string{"/orgs/acme": `{"enabled_repositories":"all","allowed_actions":"all"}`}
	now := time.Now().UTC()
	for _, name := range []string{"api", "web"} {
		repo := "/repos/Acme/" + name
		policies[repo] = `{"enabled":true,"allowed_actions":"selected","sha_pinning_required":false}`
		s.LinkPages("GET "+repo+"/code-scanning/analyses", "page",
			collectorstest.Items(fmt.Sprintf(AnalysisJSON, now.Add(-time.Hour).Format(time.RFC3339), "out of memory", "CodeQL"), fmt.Sprintf(AnalysisJSON, now.Add(-48*time.Hour).Format(time.RFC3339), "", "CodeQL")),
			collectorstest.Items(fmt.Sprintf(AnalysisJSON, now.Add(-72*time.Hour).Format(time.RFC3339), "", "Trivy")))
		s.JSON("GET "+repo+"/code-scanning/default-setup", `{"state":"configured"}`)
	}
	for path, policy := range policies {
		s.JSON("GET "+path+"/actions/permissions", policy)
		s.JSON("GET "+path+"/actions/permissions/workflow", `{"default_workflow_permissions":"write","can_approve_pull_request_reviews":false}`)
	}
}

// SuiteJSON is a bypassed rule suite of acme/api, pushed some time ago; more adds fields.
func SuiteJSON(id int, ago time.Duration, more string) string {
	return fmt.Sprintf(`{"id":%d,"actor_name":"ada","ref":"refs/heads/main","repository_name":"api","pushed_at":%q,"result":"bypass"%s}`,
		id, time.Now().UTC().Add(-ago).Format(time.RFC3339), more)
}

// SuiteDetail lists rules as TYPE:ENFORCEMENT:RESULT.
func SuiteDetail(id int, rules ...string) string {
	var list []string
	for _, rule := range rules {
		field := strings.Split(rule, ":")
		list = append(list, fmt.Sprintf(`{"rule_source":{"type":"ruleset","id":2},"rule_type":%q,"enforcement":%q,"result":%q}`, field[0], field[1], field[2]))
	}
	return SuiteJSON(id, time.Hour, `,"rule_evaluations":[`+strings.Join(list, ",")+`]`)
}

// ServeSuites serves rule suites and their details.
func ServeSuites(s *collectorstest.Server) {
	s.LinkPages("GET /repos/Acme/api/rulesets/rule-suites", "page",
		collectorstest.Items(SuiteJSON(12, time.Hour, "")), collectorstest.Items(SuiteJSON(11, 10*24*time.Hour, "")))
	s.JSON("GET /repos/Acme/web/rulesets/rule-suites", `[]`)
	s.JSON("GET /repos/Acme/api/rulesets/rule-suites/12", SuiteDetail(12,
		"required_signatures:active:pass", "pull_request:active:fail", "deletion:evaluate:fail", "code_scanning:active:fail", "pull_request:active:fail"))
	s.JSON("GET /repos/Acme/api/rulesets/rule-suites/11", SuiteDetail(11, "non_fast_forward:active:fail"))
}

// SuitesOfAPI is the path of the rule suites of acme/api.
const SuitesOfAPI = "/repos/Acme/api/rulesets/rule-suites"
