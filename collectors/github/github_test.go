package github

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const repositoryJSON = `"repository":{"full_name":"Acme/%[1]s","html_url":"https://github.com/Acme/%[1]s"}`

func dependabotJSON(n int, state, more string) string {
	return fmt.Sprintf(`{"number":%d,"state":%q,"html_url":"https://github.com/Acme/api/security/dependabot/%d",`+
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-01T00:%02d:00Z",`+repositoryJSON2("api")+`,`+
		`"dependency":{"package":{"ecosystem":"npm","name":"lodash"},"manifest_path":"web/package-lock.json"},`+
		`"security_advisory":{"ghsa_id":"GHSA-abcd-efgh-ijkl","cve_id":"CVE-2026-1234","summary":"Prototype pollution","severity":"high",`+
		`"epss":{"percentage":"0.16001e0","percentile":"0.9"},"cwes":[{"cwe_id":"CWE-01321"}]},`+
		`"security_vulnerability":{"severity":"high","vulnerable_version_range":"< 4.17.21","first_patched_version":{"identifier":"4.17.21"}}%s}`,
		n, state, n, n%60, more)
}

func repositoryJSON2(name string) string { return fmt.Sprintf(repositoryJSON, name) }

func codeScanningJSON(n int, more string) string {
	return fmt.Sprintf(`{"number":%d,"html_url":"https://github.com/Acme/api/security/code-scanning/%d","created_at":"2026-01-02T03:04:05Z",`+
		`"updated_at":"2026-02-01T00:00:00Z",`+repositoryJSON2("api")+`,"rule":{"id":"js/xss","severity":"warning","security_severity_level":"high",`+
		`"description":"Cross-site scripting","tags":["security","external/cwe/cwe-079"]},"tool":{"name":"CodeQL","version":"2.20"},`+
		`"most_recent_instance":{"location":{"path":"web/view.js","start_line":17}}%s}`, n, n, more)
}

func secretJSON(n int, more string) string {
	return fmt.Sprintf(`{"number":%d,"state":"open","html_url":"https://github.com/Acme/api/security/secret-scanning/%d","created_at":"2026-01-02T03:04:05Z",`+
		`"updated_at":"2026-02-01T00:00:00Z",`+repositoryJSON2("api")+`,"secret_type":"aws_access_key","secret_type_display_name":"AWS access key",`+
		`"secret":"AKIA-LITERAL-SECRET","validity":"active"%s}`, n, n, more)
}

func repoJSON(name, more string) string {
	return fmt.Sprintf(`{"full_name":"Acme/%[1]s","html_url":"https://github.com/Acme/%[1]s","visibility":"private","default_branch":"main",`+
		`"pushed_at":"2026-02-01T00:00:00Z","topics":["go"]%[2]s}`, name, more)
}

// graphQLPages answers the protection query page by page.
func graphQLPages(pages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Variables struct{ Cursor string } }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		page := 0
		if q.Variables.Cursor != "" {
			_, _ = fmt.Sscanf(q.Variables.Cursor, "c%d", &page)
		}
		next := fmt.Sprintf(`{"hasNextPage":%t,"endCursor":"c%d"}`, page+1 < len(pages), page+1)
		collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":`+next+`,"nodes":[`+pages[page]+`]}}}}`)
	}
}

func nodeJSON(name, ref string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","isArchived":false,"isFork":false,"visibility":"PRIVATE",`+
		`"pushedAt":"2026-02-01T00:00:00Z","hasVulnerabilityAlertsEnabled":true,"isSecurityPolicyEnabled":false,"defaultBranchRef":%[2]s}`, name, ref)
}

const bareRef = `{"name":"main","refUpdateRule":null,"branchProtectionRule":null,"rules":{"totalCount":0,"nodes":[]}}`

func serve(s *collectorstest.Server) {
	s.LinkPages("GET /orgs/acme/repos", "page", collectorstest.Items(repoJSON("api", ""), repoJSON("web", "")), collectorstest.Items(repoJSON("old", `,"archived":true`)))
	s.LinkPages("GET /orgs/acme/dependabot/alerts", "after",
		collectorstest.Items(dependabotJSON(1, "open", ""), dependabotJSON(2, "fixed", `,"fixed_at":"2026-01-20T00:00:00Z"`)),
		collectorstest.Items(dependabotJSON(3, "open", "")))
	s.LinkPages("GET /orgs/acme/code-scanning/alerts", "after", collectorstest.Items(codeScanningJSON(1, `,"state":"open"`)), collectorstest.Items(codeScanningJSON(2, `,"state":"open"`)))
	s.LinkPages("GET /orgs/acme/secret-scanning/alerts", "after", collectorstest.Items(secretJSON(1, "")), collectorstest.Items(secretJSON(2, "")))
	s.Handle("POST /graphql", graphQLPages(nodeJSON("api", bareRef)+","+nodeJSON("old", "null"), nodeJSON("web", bareRef)))
}

func config(url string, token apiclient.Secret) Config {
	c := Default()
	c.Name, c.URL, c.Organizations, c.Token = "test", url, []string{"Acme"}, token
	c.Trust = Trust{}
	c.Manifests = false
	c.Properties, c.Environments, c.Scanning, c.Actions, c.Bypasses, c.Deployments = false, false, false, false, false, false
	return c
}

// setup makes a collector before a fake GitHub.
func setup(t *testing.T, change func(*Config)) (*Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	s, clock := collectorstest.NewServer(t), collectorstest.NewClock()
	serve(s)
	cfg := config(s.URL(), collectorstest.Secret(t, collectorstest.Token))
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg, collectorstest.Env(clock, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return c, s, clock
}

func at(path string) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool { return r.Path == path }
}

func TestConformance(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(trustOn(everythingOn(config(baseURL, token))), env)
		},
		Serve: func(s *collectorstest.Server) { serve(s); servePosture(s); serveDelivery(s); serveTrust(s) },
		Scopes: append(slices.Concat(postureScopes(), deliveryScopes(), trustScopes()), []collectorstest.Scope{
			{Name: "repositories:acme", Records: 3, Requests: at("/orgs/acme/repos"), Pages: 2, Cursor: true, Links: true, Along: append(needList(), needListOfTrust()...)},
			{Name: "dependabot:acme", Records: 3, Requests: at("/orgs/acme/dependabot/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "code_scanning:acme", Records: 2, Requests: at("/orgs/acme/code-scanning/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "secret_scanning:acme", Records: 2, Requests: at("/orgs/acme/secret-scanning/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "protection:acme", Records: 6, Requests: asks("query Protection("), Pages: 2, Cursor: true},
		}...),
		Altered: slices.Concat(altered(), alteredPosture(), alteredDelivery(), alteredTrust()),
		Readme:  "README.md",
	})
}

func altered() []collectorstest.Altered {
	dependabot := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(items...))
		}
	}
	return []collectorstest.Altered{
		{
			Name: "unknown state, severity and reason", Scope: "dependabot:acme", Records: 2,
			Serve: dependabot(dependabotJSON(1, "snoozed", ""), strings.ReplaceAll(dependabotJSON(2, "dismissed", `,"dismissed_reason":"moon_phase"`), `"severity":"high"`, `"severity":"spicy"`)),
			Check: func(b record.Batch) error {
				if b.Findings[0].Closure != record.ClosureNone || b.Findings[1].Closure != record.ClosureOther || b.Findings[1].Severity != record.SeverityUnknown {
					return fmt.Errorf("findings %+v, want the first open, the second closed as other and of unknown severity", b.Findings)
				}
				return nil
			},
		},
		{Name: "undecodable item", Scope: "dependabot:acme", Records: 1, Rejected: 1, Serve: dependabot(dependabotJSON(1, "open", ""), `{"number":"one"}`)},
		{Name: "item without repository", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(`{"number":1,"state":"open"}`)},
		{Name: "item without number", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(dependabotJSON(0, "open", ""))},
		{Name: "time that is none", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(dependabotJSON(1, "open", `,"fixed_at":"yesterday"`))},
		{Name: "no alerts", Scope: "dependabot:acme", Records: 0, Serve: dependabot()},
		{Name: "repository without name", Scope: "repositories:acme", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/repos", collectorstest.Items(repoJSON("api", ""), `{"full_name":"nameless"}`))
		}},
		{Name: "repository that GraphQL leaves out", Scope: "protection:acme", Records: 2, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", byQuery(graphQLPages(nodeJSON("api", bareRef)+",null")))
		}},
	}
}

func services(rules ...ServiceRule) func(*Config) {
	return func(c *Config) { c.Deployments, c.DeploymentServices = true, rules }
}

func TestConfigIsChecked(t *testing.T) {
	token := collectorstest.Secret(t, "x")
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no organisation", func(c *Config) { c.Organizations = nil }, "organizations is empty"},
		{"a path as organisation", func(c *Config) { c.Organizations = []string{"acme/../other"} }, "is not the name"},
		{"twice", func(c *Config) { c.Organizations = []string{"acme", "ACME"} }, "there twice"},
		{"no credential", func(c *Config) { c.Token = apiclient.Secret{} }, "either token or app"},
		{"two credentials", func(c *Config) { c.App.ID = 1 }, "either token or app"},
		{"half an app", func(c *Config) { c.Token, c.App.ID = apiclient.Secret{}, 1 }, "installation_id"},
		{"an installation for two organisations", func(c *Config) {
			c.Token, c.Organizations = apiclient.Secret{}, []string{"acme", "acme-labs"}
			c.App = App{ID: 1, InstallationID: 2, PrivateKey: token}
		}, "one instance for each"},
		{"unknown alert", func(c *Config) { c.Alerts = []AlertKind{"licence"} }, "is not one of"},
		{"stale between readings", func(c *Config) { c.PostureInterval = c.StaleAfter }, "must be shorter than stale_after"},
		{"single repositories stale between readings", func(c *Config) { c.RepositoryInterval = c.StaleAfter }, "repository_interval"},
		{"no repository in a collection", func(c *Config) { c.RepositoriesPerCollection = 0 }, "repositories_per_collection"},
		{"a pattern for any branch", func(c *Config) { c.ReleaseBranches = []string{"*"} }, "release_branches[0]"},
		{"a class in a pattern", func(c *Config) { c.ReleaseBranches = []string{"release/*", "v[12]"} }, "release_branches[1]"},
		{"a pattern twice", func(c *Config) { c.ReleaseBranches = []string{"release/*", "release/*"} }, "there twice"},
		{"no environment", func(c *Config) { c.Deployments, c.DeploymentEnvironments = true, nil }, "deployment_environments is empty"},
		{"an environment without name", func(c *Config) { c.Deployments, c.DeploymentEnvironments = true, []string{"a", " "} }, "deployment_environments[1]"},
		{"deployments stale between readings", func(c *Config) { c.Deployments, c.DeploymentInterval = true, c.StaleAfter }, "deployment_interval"},
		{"deployments without interval", func(c *Config) { c.Deployments, c.DeploymentInterval = true, 0 }, "deployment_interval must be positive"},
		{"no history", func(c *Config) { c.Deployments, c.DeploymentHistory = true, 0 }, "deployment_history"},
		{"no deployment in a collection", func(c *Config) { c.Deployments, c.DeploymentsPerCollection = true, 0 }, "deployments_per_collection"},
		{"services of any repository", services(ServiceRule{Repository: "mono", Task: "{service}"}), "deployment_services[0]: repository"},
		{"a pattern that is none", services(ServiceRule{Repository: "acme/[", Task: "{service}"}), "deployment_services[0]: repository"},
		{"services told apart by nothing", services(ServiceRule{Repository: "acme/mono", Service: "x"}), "set environment or task"},
		{"no service", services(ServiceRule{Repository: "acme/mono", Task: "deploy"}), "0 times"},
		{"two services", services(ServiceRule{Repository: "acme/mono", Task: "{service}", Environment: "{service}"}), "2 times"},
		{"a service by name and by pattern", services(ServiceRule{Repository: "acme/mono", Task: "{service}", Service: "x"}), "no place"},
		{"an empty path", services(ServiceRule{Repository: "acme/mono", Task: "{service}", Paths: []string{""}}), "paths is empty"},
		{"a team of nowhere", func(c *Config) { c.Deployments, c.SecurityReview.Teams = true, []string{"security"} }, "security_review.teams[0]"},
		{"a check by no pattern", func(c *Config) { c.Deployments, c.SecurityReview.Checks = true, []string{"["} }, "security_review.checks[0]"},
		{"no URL", func(c *Config) { c.URL = "github.example.com" }, "must be the address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config("https://api.github.com", token)
			tt.change(&cfg)
			_, err := New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestBaseURL(t *testing.T) {
	tests := []struct{ raw, rest, graphql string }{
		{"https://api.github.com", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://api.github.com/", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://github.com", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"},
		{"https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"},
		{"https://api.octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"},
		{"https://octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"},
		{"http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/graphql"},
	}
	for _, tt := range tests {
		c, err := New(config(tt.raw, apiclient.Secret{Env: "UNUSED"}), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Errorf("New(%q): %v", tt.raw, err)
			continue
		}
		if got := c.api.base.String(); got != tt.rest {
			t.Errorf("%q: REST at %q, want %q", tt.raw, got, tt.rest)
		}
		req, err := c.api.maker.NewRequest(http.MethodPost, "../graphql", nil)
		if err != nil || req.URL.String() != tt.graphql {
			t.Errorf("%q: GraphQL at %v (%v), want %q", tt.raw, req, err, tt.graphql)
		}
	}
}

func TestEnterpriseServerPaths(t *testing.T) {
	s := collectorstest.NewServer(t)
	s.JSON("GET /api/v3/orgs/acme/repos", collectorstest.Items(strings.ReplaceAll(repoJSON("api", ""), "https://github.com", "https://ghe.example.com")))
	s.Handle("POST /api/graphql", graphQLPages(strings.ReplaceAll(nodeJSON("api", bareRef), "https://github.com", "https://ghe.example.com")))
	cfg := config(s.URL()+"/api/v3", collectorstest.Secret(t, "token-of-ghes"))
	cfg.Alerts = nil
	c, err := New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"repositories:acme", "protection:acme"} {
		b := batches[scope]
		if b.Err != nil || len(b.Repositories) != 1 || b.Repositories[0].Name != "ghe.example.com/acme/api" {
			t.Errorf("%s = %+v, want ghe.example.com/acme/api", scope, b)
		}
	}
}

func TestSlowScopesFollowThePostureInterval(t *testing.T) {
	c, s, clock := setup(t, nil)
	first, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	cursors := collectors.Cursors{}
	for scope, b := range first {
		if b.Cursor == "" {
			t.Errorf("scope %s has no cursor", scope)
		}
		cursors[scope] = b.Cursor
	}
	s.Forget()
	second, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	if len(second) != 3 || len(s.Requests()) != 6 {
		t.Errorf("%d scopes by %d requests within the posture interval, want the 3 of alerts by 6", len(second), len(s.Requests()))
	}
	restarted, err := New(c.config, c.env)
	if err != nil {
		t.Fatal(err)
	}
	if batches, err := collectorstest.Gather(t.Context(), restarted, cursors); err != nil || len(batches) != 4 || batches["repositories:acme"].Mode != record.Full {
		t.Errorf("%d scopes, error %v after a restart, want repositories with the 3 of alerts: nothing is known of archived ones", len(batches), err)
	}
	if err := clock.Sleep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	third, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil || len(third) != 5 {
		t.Errorf("%d scopes, error %v after the posture interval, want 5", len(third), err)
	}
}

func TestUnknownValuesAreLoggedOnce(t *testing.T) {
	var logged strings.Builder
	s := collectorstest.NewServer(t)
	serve(s)
	s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(dependabotJSON(1, "snoozed", ""), dependabotJSON(2, "snoozed", "")))
	c, err := New(config(s.URL(), collectorstest.Secret(t, "token")), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(logged.String(), "value=snoozed"); got != 1 {
		t.Errorf("logged %d times, want once:\n%s", got, logged.String())
	}
}
