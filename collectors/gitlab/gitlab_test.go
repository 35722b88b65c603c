package gitlab

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// projectJSON is a project of group acme.
func projectJSON(id int, path, more string) string {
	return fmt.Sprintf(`{"id":%d,"path_with_namespace":%q,"web_url":"https://gitlab.example.com/%s","visibility":"private","archived":false,"default_branch":"main",
 "topics":["pay"],"last_activity_at":"2026-03-01T10:00:00.000Z","only_allow_merge_if_pipeline_succeeds":true,"allow_pipeline_trigger_approve_deployment":false,
 "pre_receive_secret_detection_enabled":true%s}`, id, path, path, more)
}

// vulnerabilityJSON is a vulnerability of acme/api.
func vulnerabilityJSON(number int, state, more string) string {
	return fmt.Sprintf(`{"id":"gid://gitlab/Vulnerability/%d","title":"Prototype pollution","severity":"HIGH","state":%q,"reportType":"DEPENDENCY_SCANNING",
 "detectedAt":"2026-01-10T10:00:00Z","updatedAt":"2026-02-01T10:00:00Z","webUrl":"https://gitlab.example.com/acme/api/-/security/vulnerabilities/%d",
 "project":{"fullPath":"acme/api","webUrl":"https://gitlab.example.com/acme/api"},"scanner":{"externalId":"gemnasium","name":"Gemnasium"},
 "primaryIdentifier":{"name":"Gemnasium-1"},"identifiers":[{"externalType":"cve","externalId":"CVE-2026-0001","name":"CVE-2026-0001"},{"externalType":"cwe","externalId":"1321","name":"CWE-1321"}],
 "location":{"file":"package-lock.json","dependency":{"package":{"name":"qs"},"version":"6.0.0"}}%s}`, number, state, number, more)
}

// vulnerabilities serves GraphQL: pages of one vulnerability each, and the scanners of a project.
func vulnerabilities(nodes ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var q struct {
			Query     string `json:"query"`
			Variables struct {
				After *string `json:"after"`
			} `json:"variables"`
		}
		if err := json.Unmarshal(body, &q); err != nil {
			http.Error(w, `{"errors":[{"message":"no query"}]}`, http.StatusBadRequest)
			return
		}
		if strings.Contains(q.Query, "securityScanners") {
			collectorstest.WriteJSON(w, `{"data":{"project":{"securityScanners":{"available":["SAST"],"enabled":["SAST"]},"pipelines":{"nodes":[
			 {"finishedAt":"2026-03-01T09:00:00Z","securityReportSummary":{"sast":{"scans":{"nodes":[{"status":"SUCCEEDED"}]}},"dast":null}}]}}}}`)
			return
		}
		at := 0
		if q.Variables.After != nil {
			_, _ = fmt.Sscanf(*q.Variables.After, "after%d", &at)
		}
		node, next := "", at+1 < len(nodes)
		if at < len(nodes) {
			node = nodes[at]
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"data":{"group":{"vulnerabilities":{"pageInfo":{"hasNextPage":%t,"endCursor":"after%d"},"nodes":[%s]}}}}`, next, at+1, node))
	}
}

func list(items ...string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(items, ",") + "]")
}

const (
	groupProjects = "GET /api/v4/groups/acme/projects"
	project7      = "/api/v4/projects/7/"
)

// deploymentJSON is a deployment of acme/api.
func deploymentJSON(id int, status, sha, updated, environment, tier string) string {
	return fmt.Sprintf(`{"id":%d,"ref":"main","sha":%q,"status":%q,"created_at":%q,"updated_at":%q,"environment":{"name":%q,"tier":%q},"deployable":{"tag":false,"finished_at":%[5]q}}`,
		id, sha, status, updated, updated, environment, tier)
}

func serve(s *collectorstest.Server) {
	s.LinkPages(groupProjects, "page", list(projectJSON(7, "acme/api", "")), list(projectJSON(8, "acme/old", `,"archived":true`)))
	s.Counted(groupProjects, "X-Total", 2)
	s.Handle("POST /api/graphql", vulnerabilities(
		vulnerabilityJSON(1, "DETECTED", ""), vulnerabilityJSON(2, "RESOLVED", `,"resolvedAt":"2026-02-02T10:00:00Z"`),
		vulnerabilityJSON(3, "DISMISSED", `,"dismissedAt":"2026-02-03T10:00:00Z","dismissalReason":"FALSE_POSITIVE"`)))
	s.JSON("GET /api/v4/groups/acme/runners", list(`{"id":5,"description":"big","runner_type":"project_type","online":true}`))
	s.JSON("GET /api/v4/runners/5", `{"id":5,"description":"big","runner_type":"project_type","online":true,"projects":[{"id":7}],"tag_list":["deploy"]}`)
	s.JSON("GET "+project7+"protected_branches", list(`{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false,"code_owner_approval_required":true}`))
	s.JSON("GET "+project7+"approval_rules", list(`{"rule_type":"any_approver","approvals_required":2}`))
	s.JSON("GET "+project7+"approvals", `{"reset_approvals_on_push":true,"merge_requests_author_approval":false}`)
	s.JSON("GET "+project7+"push_rule", `{"reject_unsigned_commits":true}`)
	s.JSON("GET "+project7+"environments", list(`{"name":"production","tier":"production"}`, `{"name":"live/eu","tier":"production"}`, `{"name":"staging","tier":"staging"}`))
	s.JSON("GET "+project7+"protected_environments", list(`{"name":"production","required_approval_count":1,"approval_rules":[]}`))
	s.JSON("GET /api/v4/groups/acme/protected_environments", `[]`)
	s.JSON("GET "+project7+"pipelines/1/jobs", list(`{"id":70,"artifacts":[{"file_type":"archive","filename":"artifacts.zip"}]}`, `{"id":71,"artifacts":[{"file_type":"cyclonedx","filename":"gl-sbom.cdx.json"}]}`))
	s.JSON("GET "+project7+"audit_events", list(
		`{"id":801,"created_at":"2026-03-01T08:00:00Z","details":{"event_name":"security_policy_user_push_bypass","project_id":7,"branch_name":"main"}}`,
		`{"id":802,"created_at":"2026-03-01T07:00:00Z","details":{"event_name":"project_unarchived"}}`))
	s.JSON("GET "+project7+"ci/lint", `{"valid":true,"merged_yaml":"variables:\n  RUNNER_GENERATE_ARTIFACTS_METADATA: \"true\"\ndeploy:\n  id_tokens:\n    AWS: {aud: x}\n"}`)
	s.Handle("GET "+project7+"pipelines", func(w http.ResponseWriter, r *http.Request) {
		at := "2026-03-02T09:00:00Z"
		if r.URL.Query().Get("status") == "success" {
			at = "2026-03-01T09:00:00Z"
		}
		collectorstest.WriteJSON(w, list(fmt.Sprintf(`{"id":1,"updated_at":%q}`, at)))
	})
	s.JSON("GET "+project7+"variables", list(`{"key":"AWS_SECRET_ACCESS_KEY","value":"never decoded","environment_scope":"*"}`, `{"key":"TOKEN","environment_scope":"production"}`))
	s.Handle("GET "+project7+"deployments", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("status") == "success" {
			collectorstest.WriteJSON(w, list(
				deploymentJSON(12, "success", "b", "2026-03-02T10:00:00Z", "production", "production"), deploymentJSON(11, "success", "a", "2026-03-01T10:00:00Z", "production", "production")))
			return
		}
		collectorstest.WriteJSON(w, list(
			deploymentJSON(12, "success", "b", "2026-03-02T10:00:00Z", "production", "production"), deploymentJSON(13, "running", "c", "2026-03-03T10:00:00Z", "production", "production")))
	})
	s.JSON("GET "+project7+"deployments/12", `{"id":12,"pending_approval_count":0,"approvals":[{"status":"approved"}]}`)
	s.JSON("GET "+project7+"repository/branches/main", `{"name":"main","protected":true}`)
	s.JSON("GET "+project7+"deployments/12/merge_requests", list(`{"id":900,"iid":3,"project_id":7,"created_at":"2026-02-20T10:00:00Z","merged_at":"2026-03-01T12:00:00Z","labels":["security-reviewed"]}`))
	s.JSON("GET "+project7+"merge_requests/3/commits", list(`{"authored_date":"2026-02-21T10:00:00Z"}`, `{"authored_date":"2026-02-19T10:00:00+01:00"}`))
	s.JSON("GET "+project7+"merge_requests/3/approvals", `{"approved_by":[{"approved_at":"2026-02-28T10:00:00Z"}]}`)
	s.JSON("GET "+project7+"merge_requests/3/resource_label_events", list(`{"action":"add","created_at":"2026-02-25T10:00:00Z","label":{"name":"security-reviewed"}}`))
	s.JSON("GET "+project7+"releases", list(
		`{"tag_name":"v1","released_at":"2026-03-01T10:00:00Z","assets":{"links":[{"name":"app.cdx.json","url":"https://x.example/app.cdx.json"},{"name":"app.sig","url":"https://x.example/app.sig"}]}}`))
}

func newCollector(baseURL string, token apiclient.Secret, env collectors.Env) (*Collector, error) {
	return New(Config{
		URL: baseURL, Token: token, Groups: []string{"acme"}, Bypasses: true, ReviewLabels: []string{"security-reviewed"}, DeploymentHistory: collectors.Duration(20 * 365 * 24 * 3600e9),
	}, env)
}

// noEnvironments: a role that may not see environments leaves them out.
func noEnvironments(b record.Batch) error {
	if r := b.Repositories[0]; r.Environments != nil || len(r.Branches) != 1 {
		return fmt.Errorf("environments %v and %d branches, want none, and one", r.Environments, len(r.Branches))
	}
	return nil
}

func TestConformance(t *testing.T) {
	is := func(paths ...string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool {
			for _, path := range paths {
				if r.Path == path {
					return true
				}
			}
			return false
		}
	}
	asks := func(what string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool {
			return r.Path == "/api/graphql" && strings.Contains(string(r.Body), what)
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return newCollector(baseURL, token, env)
		},
		Serve: serve,
		Scopes: []collectorstest.Scope{
			{
				Name: "projects:acme", Records: 2, Requests: is("/api/v4/groups/acme/projects"), Pages: 2, Cursor: true, Links: true, Items: "", Total: "X-Total",
				Along: []string{"project:7", "deployments:7", "releases:7", "bypasses:7"},
			},
			{Name: "vulnerabilities:acme", Records: 3, Requests: asks("vulnerabilities(first"), Pages: 3, Cursor: true, Items: "data.group.vulnerabilities.nodes"},
			{Name: "runners:acme", Records: 1, Requests: is("/api/v4/groups/acme/runners")},
			{Name: "project:7", Records: 8, Requests: is(project7 + "environments"), Tolerates: map[string]func(record.Batch) error{"403": noEnvironments, "404": noEnvironments}},
			{Name: "deployments:7", Records: 2, Requests: is(project7 + "deployments"), Along: []string{"project:7"}},
			{Name: "releases:7", Records: 1, Requests: is(project7 + "releases")},
			{Name: "bypasses:7", Records: 1, Requests: is(project7 + "audit_events")},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown words", Scope: "vulnerabilities:acme", Records: 1,
				Serve: func(s *collectorstest.Server) {
					s.Handle("POST /api/graphql", vulnerabilities(strings.NewReplacer("HIGH", "CATASTROPHIC", "DEPENDENCY_SCANNING", "QUANTUM").Replace(vulnerabilityJSON(1, "PONDERED", ""))))
				},
				Check: func(b record.Batch) error {
					if f := b.Findings[0]; f.Severity != record.SeverityUnknown || f.Class != record.ClassOther || f.Closure != record.ClosureNone {
						return fmt.Errorf("got %s, %s, %q, want unknown, other and open", f.Severity, f.Class, f.Closure)
					}
					return nil
				},
			},
			{
				Name: "items that cannot be read", Scope: "vulnerabilities:acme", Records: 1, Rejected: 3,
				Serve: func(s *collectorstest.Server) {
					s.Handle("POST /api/graphql", vulnerabilities(vulnerabilityJSON(1, "DETECTED", ""), `{"id":7}`, `{"id":""}`, `{"id":"gid://gitlab/Vulnerability/9","detectedAt":"soon"}`))
				},
			},
		},
		Gone: []collectorstest.Gone{
			{
				Name: "the project was deleted", Retired: []string{"project:7", "deployments:7", "releases:7", "bypasses:7"}, Reason: record.ClosureRepositoryDeleted,
				Serve: func(s *collectorstest.Server) {
					s.JSON(groupProjects, list(projectJSON(8, "acme/old", `,"archived":true`)))
				},
			},
			{
				Name: "the project was archived", Retired: []string{"project:7", "deployments:7", "releases:7", "bypasses:7"}, Reason: record.ClosureRepositoryArchived,
				Serve: func(s *collectorstest.Server) {
					s.JSON(groupProjects, list(projectJSON(7, "acme/api", `,"archived":true`)))
				},
			},
		},
		Readme: "README.md",
	})
}
