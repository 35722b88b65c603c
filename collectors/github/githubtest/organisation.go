// Package githubtest is a fake GitHub for tests: the answers of an organisation acme with the repositories api, web and old, as JSON and as handlers, and
// collectors before it. It is imported by tests alone.
//
// To share one more answer: a function in the file of the part that asks for it. What one test needs stays in the test.
package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const repositoryJSON = `"repository":{"full_name":"Acme/%[1]s","html_url":"https://github.com/Acme/%[1]s"}`

// InRepository is the field that says which repository an alert is of.
func InRepository(name string) string { return fmt.Sprintf(repositoryJSON, name) }

// RepositoryJSON is a private repository of acme in the list of an organisation; more adds fields.
func RepositoryJSON(name, more string) string {
	return fmt.Sprintf(`{"full_name":"Acme/%[1]s","html_url":"https://github.com/Acme/%[1]s","visibility":"private","default_branch":"main",`+
		`"pushed_at":"2026-02-01T00:00:00Z","topics":["go"]%[2]s}`, name, more)
}

// Pages answers the protection query page by page.
func Pages(pages ...string) http.HandlerFunc {
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

// ProtectionNode is a repository in the answer to the query about branch protection.
func ProtectionNode(name, ref string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","isArchived":false,"isFork":false,"visibility":"PRIVATE",`+
		`"pushedAt":"2026-02-01T00:00:00Z","hasVulnerabilityAlertsEnabled":true,"isSecurityPolicyEnabled":false,"defaultBranchRef":%[2]s}`, name, ref)
}

// BareRef is a branch without any protection.
const BareRef = `{"name":"main","refUpdateRule":null,"branchProtectionRule":null,"rules":{"totalCount":0,"nodes":[]}}`

// Serve serves the repositories, alerts and protection of acme.
func Serve(s *collectorstest.Server) {
	s.LinkPages("GET /orgs/acme/repos", "page", collectorstest.Items(RepositoryJSON("api", ""), RepositoryJSON("web", "")), collectorstest.Items(RepositoryJSON("old", `,"archived":true`)))
	s.LinkPages("GET /orgs/acme/dependabot/alerts", "after",
		collectorstest.Items(DependabotJSON(1, "open", ""), DependabotJSON(2, "fixed", `,"fixed_at":"2026-01-20T00:00:00Z"`)),
		collectorstest.Items(DependabotJSON(3, "open", "")))
	s.LinkPages("GET /orgs/acme/code-scanning/alerts", "after", collectorstest.Items(CodeScanningJSON(1, `,"state":"open"`)), collectorstest.Items(CodeScanningJSON(2, `,"state":"open"`)))
	s.LinkPages("GET /orgs/acme/secret-scanning/alerts", "after", collectorstest.Items(SecretJSON(1, "")), collectorstest.Items(SecretJSON(2, "")))
	s.Handle("POST /graphql", Pages(ProtectionNode("api", BareRef)+","+ProtectionNode("old", "null"), ProtectionNode("web", BareRef)))
}

// Configuration reads repositories, alerts and branch protection of acme, and nothing else.
func Configuration(url string, token apiclient.Secret) github.Config {
	c := github.Default()
	c.Name, c.URL, c.Organizations, c.Token = "test", url, []string{"Acme"}, token
	c.Trust = trust.Config{}
	c.Alerts.Manifests, c.Alerts.GenericSecretTypes = false, nil
	c.Inventory.Properties, c.Protection.Environments, c.Alerts.Scanning, c.Trust.Actions, c.Protection.Bypasses, c.Delivery.Deployments = false, false, false, false, false, false
	return c
}

// Setup makes a collector before a fake GitHub.
func Setup(t *testing.T, change func(*github.Config)) (*github.Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	s, clock := collectorstest.NewServer(t), collectorstest.NewClock()
	Serve(s)
	return Restarted(t, s, clock, change), s, clock
}

// AtPath matches requests for a path.
func AtPath(path string) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool { return r.Path == path }
}

// PostureOn is a configuration with every scope.
func PostureOn(c github.Config) github.Config {
	c.Inventory.Properties, c.Protection.Environments, c.Alerts.Scanning, c.Trust.Actions, c.Alerts.SecurityConfigurations = true, true, true, true, true
	c.Protection.Bypasses, c.Alerts.Manifests, c.Delivery.Deployments = true, true, true
	return c
}

// TrustOn is a configuration with every scope about building and releasing.
func TrustOn(c github.Config) github.Config {
	actions := c.Trust.Actions
	c.Trust = trust.Default()
	c.Trust.Actions = actions
	c.Trust.RepositoryRunners = true
	return c
}

// Either matches what one of some matchers matches.
func Either(some ...func(collectorstest.Request) bool) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool {
		return slices.ContainsFunc(some, func(match func(collectorstest.Request) bool) bool { return match(r) })
	}
}

// NamedList is a page of a list that GitHub holds in an object.
func NamedList(name string, total int, items ...string) string {
	return fmt.Sprintf(`{"total_count":%d,%q:[%s]}`, total, name, strings.Join(items, ","))
}

// Refused answers with a code and a message.
func Refused(code int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		collectorstest.WriteJSON(w, map[string]string{"message": message})
	}
}

// Discard logs nothing.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// ByQuery answers a query about protection, and others by the text that their name begins with.
func ByQuery(protection http.HandlerFunc) http.HandlerFunc { return ByQueryAnd(protection, nil) }

// ByQueryAnd is ByQuery with some of its answers replaced.
func ByQueryAnd(protection http.HandlerFunc, others map[string]http.HandlerFunc) http.HandlerFunc {
	handlers := map[string]http.HandlerFunc{
		"query Protection(":       protection,
		"query Environments(":     Pages(EnvironmentNode("api", `{"errors":[]}`, OneEnvironment), EnvironmentNode("web", `null`, NoEnvironments)),
		"query Manifests(":        NewFiles("acme/api web/package-lock.json", "acme/api README.md").Answer,
		"query ReleaseBranches(":  Pages(`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","refs":{"pageInfo":{"hasNextPage":false},"nodes":[]}}`),
		"query EnvironmentNames(": Pages(NamesNode("api", "production"), NamesNode("web")),
		"query Deployments(":      Pages(DeploymentsNode("api", HealthyDeployments()...), DeploymentsNode("web")),
		"query PullsOfCommits(":   PullsOfCommits(map[string][]string{SHA("b"): {Associated(12, 6*24*time.Hour)}}),
		"query PullRequests(":     PullRequests(map[int]string{12: PullJSON(12, "")}),
		"query Checks(":           Answering(`{"data":{"repository":{"defaultBranchRef":null}}}`),
	}
	maps.Copy(handlers, TrustQueries())
	maps.Copy(handlers, others)
	return Dispatch(handlers)
}

// Dispatch answers a GraphQL query by the handler of the text that it begins with.
func Dispatch(handlers map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var q struct{ Query string }
		_ = json.Unmarshal(body, &q)
		for prefix, handler := range handlers {
			if strings.HasPrefix(q.Query, prefix) {
				r.Body = io.NopCloser(bytes.NewReader(body))
				handler(w, r)
				return
			}
		}
		http.Error(w, `{"message":"unknown query"}`, http.StatusBadRequest)
	}
}

// Asks matches the GraphQL query that begins with a text.
func Asks(prefix string) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool {
		var q struct{ Query string }
		return r.Path == "/graphql" && json.Unmarshal(r.Body, &q) == nil && strings.HasPrefix(q.Query, prefix)
	}
}

// Answering answers with a body.
func Answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, body) }
}

// Answers, for short.
const (
	Yes     = record.AnswerYes
	No      = record.AnswerNo
	Unknown = record.AnswerUnknown
)
