//go:build e2e

package contract

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/internal/record"
)

// described is GitHub as its own OpenAPI description and GraphQL schema describe it: requests go on to Prism, which answers with GitHub's examples and refuses
// what the description does not allow, and to a server of made-up data in the form of the schema.
type described struct {
	prism, graphql string
	// parameters are those that each operation takes in its query.
	parameters map[string][]string
	// rewritten are examples of operations in another state than GitHub shows.
	rewritten map[string]func(example string) string

	mu       sync.Mutex
	asked    map[string]int
	queries  map[string]int
	problems []string
}

func newDescribed(t *testing.T) *described {
	t.Helper()
	folder := packages(t)
	out := t.TempDir()
	spec, parameters := filepath.Join(out, "spec.json"), filepath.Join(out, "parameters.json")
	node(t, folder, "prune.mjs", "operations.txt", spec, parameters)
	d := &described{
		prism: servePrism(t, folder, spec), graphql: "http://127.0.0.1:" + serve(t, folder, "graphql.mjs"),
		asked: map[string]int{}, queries: map[string]int{},
	}
	data, err := os.ReadFile(parameters)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d.parameters); err != nil {
		t.Fatal(err)
	}
	return d
}

// ServeHTTP passes a request on.
func (d *described) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	target := d.prism
	if r.URL.Path == "/graphql" {
		target = d.graphql
		var q struct{ Query string }
		_ = json.Unmarshal(body, &q)
		name, _, _ := strings.Cut(q.Query, "(")
		d.note(func() { d.queries[name]++ })
	} else {
		d.look(r)
	}
	onward, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	// Prism knows only the type by which the description lists its examples.
	onward.Header.Set("Accept", "application/json")
	onward.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := http.DefaultClient.Do(onward)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close() //nolint:errcheck // Read whole.
	if resp.StatusCode >= 400 {
		answer, _ := io.ReadAll(resp.Body)
		d.problem("%s %s is refused with %d: %.1000s", r.Method, r.URL.RequestURI(), resp.StatusCode, answer)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	// The examples' header Link leads to api.github.com, and to a second page for ever.
	w.WriteHeader(resp.StatusCode)
	if rewrite := d.rewritten[d.operation(r.URL.EscapedPath())]; rewrite != nil {
		example, _ := io.ReadAll(resp.Body)
		_, _ = io.WriteString(w, rewrite(string(example)))
		return
	}
	_, _ = io.Copy(w, resp.Body)
}

func (d *described) note(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *described) problem(format string, arguments ...any) {
	d.note(func() { d.problems = append(d.problems, fmt.Sprintf(format, arguments...)) })
}

// look finds the operation of a request and checks its parameters: Prism lets unknown ones pass.
func (d *described) look(r *http.Request) {
	operation := d.operation(r.URL.EscapedPath())
	if operation == "" {
		d.problem("%s %s is none of operations.txt", r.Method, r.URL.Path)
		return
	}
	d.note(func() { d.asked[operation]++ })
	for name := range r.URL.Query() {
		if !slices.Contains(d.parameters[operation], name) {
			d.problem("%s has no parameter %q", operation, name)
		}
	}
	if got := r.Header.Get("Accept"); got != "application/vnd.github+json" {
		d.problem("%s is asked for as %q", operation, got)
	}
	if got := r.Header.Get("X-GitHub-Api-Version"); got != "2022-11-28" {
		d.problem("%s is asked of version %q", operation, got)
	}
}

// operation is the path of the description that matches, the one with the most literal segments if several do.
func (d *described) operation(path string) string {
	segments := strings.Split(path, "/")
	best, most := "", -1
	for candidate := range d.parameters {
		parts := strings.Split(candidate, "/")
		if len(parts) != len(segments) {
			continue
		}
		literal, matches := 0, true
		for i, part := range parts {
			switch {
			case strings.HasPrefix(part, "{"):
			case part == segments[i]:
				literal++
			default:
				matches = false
			}
		}
		if matches && literal > most {
			best, most = candidate, literal
		}
	}
	return best
}

// TestGitHubAsDescribed lets the collector read everything from GitHub as GitHub describes it.
func TestGitHubAsDescribed(t *testing.T) {
	d := newDescribed(t)
	server := httptest.NewServer(d)
	defer server.Close()
	config := github.Default()
	config.Name, config.URL, config.Organizations, config.Token = "contract", server.URL, []string{"octocat"}, collectorstest.Secret(t, "token")
	config.Alerts.ReviewRequests = true
	config.Alerts.SecurityConfigurations, config.Protection.ReleaseBranches, config.Trust.RepositoryRunners = true, []string{"te*"}, true
	// The examples are of 2013.
	config.Trust.ReleaseHistory, config.Trust.DependencyGraphSBOM = collectors.Duration(100*365*24*time.Hour), true
	// The example of a run is still queued.
	over := func(example string) string {
		return strings.NewReplacer(`"status":"queued"`, `"status":"completed"`, `"conclusion":null`, `"conclusion":"success"`).Replace(example)
	}
	d.rewritten = map[string]func(string) string{
		"/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs": over, "/repos/{owner}/{repo}/actions/runs": over,
		// That of a comparison shows an older commit, and that of rule suites is older than GitHub keeps them.
		"/repos/{owner}/{repo}/compare/{basehead}":   strings.NewReplacer(`"status":"behind"`, `"status":"ahead"`).Replace,
		"/repos/{owner}/{repo}/rulesets/rule-suites": strings.NewReplacer("2023-07-06T08:43:03Z", time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)).Replace,
	}
	config.Delivery.DeploymentHistory, config.Delivery.SecurityReview.Teams = config.Trust.ReleaseHistory, []string{"octocat/justice-league"}
	config.Delivery.DeploymentServices = []delivery.ServiceRule{{Repository: "octocat/*", Environment: "staging", Service: "hello", Paths: []string{"*"}}}
	collector, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(t.Output(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkBatches(t, batches)
	cursors := collectors.Cursors{}
	for scope, b := range batches {
		cursors[scope] = b.Cursor
	}
	deltas, err := collectorstest.Gather(t.Context(), collector, cursors)
	if err != nil {
		t.Fatal(err)
	}
	for scope, b := range deltas {
		if b.Err != nil {
			t.Errorf("changes of %s: %v", scope, b.Err)
		}
	}
	if results, err := collector.Check(t.Context()); err != nil {
		t.Error(err)
	} else {
		for _, r := range results {
			if r.Err != nil {
				t.Errorf("check of %s: %v", r.Subject, r.Err)
			}
		}
	}
	// Artifacts are asked for where the repository has attestations.
	d.rewritten["/orgs/{org}/attestations/repositories"] = func(string) string { return `[{"id":1296269,"name":"Hello-World"}]` }
	if collector, err = github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	if batches, err = collectorstest.Gather(t.Context(), collector, nil); err != nil {
		t.Fatal(err)
	}
	checkBatches(t, batches)
	d.check(t)
}

// checkBatches wants every scope read, nothing rejected, and something in each.
func checkBatches(t *testing.T, batches map[string]record.Batch) {
	t.Helper()
	for _, scope := range slices.Sorted(maps.Keys(batches)) {
		b := batches[scope]
		t.Logf("%s: %d records", scope, b.Size())
		switch {
		case b.Err != nil:
			t.Errorf("%s: %v", scope, b.Err)
		case len(b.Rejected) > 0:
			t.Errorf("%s: rejected %v of GitHub's own examples", scope, b.Rejected)
		}
	}
	for _, scope := range []string{
		"repositories:octocat", "dependabot:octocat", "code_scanning:octocat", "secret_scanning:octocat", "protection:octocat", "environments:octocat",
		"properties:octocat", "security_configurations:octocat", "scanning:octocat/hello-world", "actions:octocat/hello-world",
		"runners:octocat", "runners:octocat/hello-world", "releases:octocat", "workflows:octocat", "pipelines:octocat/hello-world", "cloud_identity:octocat/hello-world",
		"bypasses:octocat/hello-world", "deployments:octocat/hello-world", "review_requests:octocat",
	} {
		if b := batches[scope]; b.Err == nil && b.Size() == 0 {
			t.Errorf("%s holds nothing of GitHub's examples", scope)
		}
	}
	repositories := batches["environments:octocat"].Repositories
	if len(repositories) != 1 || len(repositories[0].Environments) == 0 {
		t.Errorf("environments of the examples: %+v", repositories)
	}
	if list := batches["bypasses:octocat/hello-world"].Bypasses; len(list) != 1 || !slices.Equal(list[0].Rules, []string{"pull_request"}) {
		t.Errorf("bypasses of the examples: %+v", list)
	}
	// The one who approved the run of the example also started it.
	list := batches["deployments:octocat/hello-world"].Deployments
	if len(list) != 2 || list[1].Approval != record.ApprovalNone || list[1].Pipeline != "octocat/hello-world:.github/workflows/build.yml" || len(list[1].Changes) != 1 ||
		list[1].ChangesKnown != record.AnswerYes || list[1].Changes[0].ApprovedAt.IsZero() {
		t.Errorf("deployments of the examples: %+v", list)
	}
}

// check reports what GitHub's description does not allow, and what should have been asked and was not.
func (d *described) check(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, problem := range d.problems {
		t.Error(problem)
	}
	for _, operation := range []string{
		"/orgs/{org}/repos", "/orgs/{org}/dependabot/alerts", "/orgs/{org}/code-scanning/alerts", "/orgs/{org}/secret-scanning/alerts",
		"/orgs/{org}/properties/values", "/orgs/{org}/code-security/configurations", "/orgs/{org}/code-security/configurations/{configuration_id}/repositories",
		"/orgs/{org}/actions/permissions", "/orgs/{org}/actions/permissions/workflow", "/repos/{owner}/{repo}/actions/permissions",
		"/repos/{owner}/{repo}/environments", "/repos/{owner}/{repo}/code-scanning/analyses", "/repos/{owner}/{repo}/code-scanning/default-setup",
		"/repos/{owner}/{repo}/rulesets/{ruleset_id}",
		"/orgs/{org}/actions/runners", "/orgs/{org}/actions/runner-groups", "/orgs/{org}/actions/runner-groups/{runner_group_id}/runners",
		"/orgs/{org}/actions/runner-groups/{runner_group_id}/repositories", "/repos/{owner}/{repo}/actions/runners",
		"/repos/{owner}/{repo}/releases", "/orgs/{org}/attestations/repositories", "/orgs/{org}/attestations/bulk-list", "/repos/{owner}/{repo}/attestations/{subject_digest}",
		"/repos/{owner}/{repo}/dependency-graph/sbom", "/repos/{owner}/{repo}/actions/runs", "/repos/{owner}/{repo}/actions/runs/{run_id}/approvals",
		"/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", "/repos/{owner}/{repo}/actions/secrets",
		"/repos/{owner}/{repo}/actions/organization-secrets", "/repos/{owner}/{repo}/environments/{environment_name}/secrets",
		"/repos/{owner}/{repo}/actions/oidc/customization/sub", "/repos/{owner}/{repo}/rulesets/rule-suites", "/repos/{owner}/{repo}/rulesets/rule-suites/{rule_suite_id}",
		"/repos/{owner}/{repo}/actions/runs/{run_id}", "/repos/{owner}/{repo}/compare/{basehead}", "/repos/{owner}/{repo}/deployments", "/repos/{owner}/{repo}/pulls",
		"/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "/orgs/{org}/actions/oidc/customization/sub", "/orgs/{org}/bypass-requests/secret-scanning", "/orgs/{org}/dismissal-requests/secret-scanning",
		"/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies",
	} {
		if d.asked[operation] == 0 {
			t.Errorf("%s was not asked, so nothing was shown about it", operation)
		}
	}
	for _, query := range []string{
		"query Protection", "query ReleaseBranches", "query Environments", "query Manifests", "query ManifestHistories", "query Releases", "query WorkflowTrees", "query Workflows", "query Deployed",
		"query EnvironmentNames", "query Deployments", "query MoreDeployments", "query MoreStatuses", "query PullsOfCommits", "query PullRequests", "query Checks", "query Teams",
	} {
		if d.queries[query] == 0 {
			t.Errorf("%s was not sent, so nothing was shown about it", query)
		}
	}
	t.Logf("REST: %v", d.asked)
	t.Logf("GraphQL: %v", d.queries)
}

// TestInstallationsAsDescribed lets an App find its installations, and read the organisation of the one in GitHub's example.
func TestInstallationsAsDescribed(t *testing.T) {
	d := newDescribed(t)
	// The installation of the example belongs to a person.
	d.rewritten = map[string]func(string) string{"/app/installations": strings.NewReplacer(`"type":"User"`, `"type":"Organization"`).Replace}
	mux := http.NewServeMux()
	mux.Handle("/", d)
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"token":"ghs_example","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	config := github.Default()
	config.Name, config.URL, config.App.ID, config.App.PrivateKey = "contract", server.URL, 1, collectorstest.Secret(t, string(text))
	collector, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := slices.ContainsFunc(slices.Collect(maps.Keys(batches)), func(scope string) bool { return strings.HasPrefix(scope, "repositories:") && batches[scope].Err == nil })
	if !found || d.asked["/app/installations"] == 0 {
		t.Errorf("no organisation of an installation was read: %v", slices.Sorted(maps.Keys(batches)))
	}
	for _, problem := range d.problems {
		if strings.Contains(problem, "/app/installations") {
			t.Error(problem)
		}
	}
}

// TestDescriptionRefuses proves that the test above could fail.
func TestDescriptionRefuses(t *testing.T) {
	d := newDescribed(t)
	server := httptest.NewServer(d)
	defer server.Close()
	client := &http.Client{Timeout: 30 * time.Second}
	for _, path := range []string{
		"/orgs/octocat/nothing", "/orgs/octocat/secret-scanning/alerts?hide_secrets=true", "/orgs/octocat/code-scanning/alerts?sort=size",
	} {
		if resp, err := client.Get(server.URL + path); err != nil {
			t.Error(err)
		} else {
			_ = resp.Body.Close()
		}
	}
	resp, err := client.Post(server.URL+"/graphql", "application/json", strings.NewReader(`{"query":"query Wrong($org:String!){organization(login:$org){secrets}}","variables":{"org":"acme"}}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, want := range []string{
		"none of operations.txt", `no parameter "hide_secrets"`, "sort=size is refused with 422", `/graphql is refused with 400: {"message":"Cannot query field`,
	} {
		if !slices.ContainsFunc(d.problems, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("nothing says %q among:\n%s", want, strings.Join(d.problems, "\n"))
		}
	}
}
