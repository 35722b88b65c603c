package trust_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/record"
)

func TestTrustIsChecked(t *testing.T) {
	_, c, s, _ := githubtest.Released(t, nil, nil)
	check := func() []collectors.CheckResult {
		t.Helper()
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	for _, r := range check() {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	refuse := func(refused func(collectorstest.Request) bool) []collectors.CheckResult {
		s.Inject(&collectorstest.Fault{Apply: collectorstest.Status(http.StatusForbidden), Match: refused})
		return check()
	}
	results := refuse(func(r collectorstest.Request) bool { return r.Path != "/orgs/acme/repos" })
	results = append(results, refuse(githubtest.AtPath("/repos/Acme/api/environments/prod/eu/secrets"))...)
	for subject, permission := range map[string]string{
		"names of secrets of environments": "environments=read", "self-hosted runners": "organization_self_hosted_runners=read", "runner groups": "organization_self_hosted_runners=read", "runners of single repositories": "administration=read",
		"releases": "contents=read", "attestations": "attestations=read", "workflows": "contents=read", "runs of workflows": "actions=read",
		"names of secrets": "secrets=read", "subject of tokens": "actions=read", "subject of tokens of the organisation": "organization_administration=read",
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 {
			t.Errorf("nothing is said about %s", subject)
			continue
		}
		if r := results[at]; r.Err == nil || !strings.Contains(r.Err.Error(), permission) || r.Unknown == "" {
			t.Errorf("%s: %+v, want the permission %s and what it makes unknown", subject, r, permission)
		}
	}
}

func TestTrustConfigIsChecked(t *testing.T) {
	for want, change := range map[string]func(*trust.Config){
		"release_history":                     func(t *trust.Config) { t.ReleaseHistory = 0 },
		"pipeline_patterns[0]":                func(t *trust.Config) { t.PipelinePatterns = []string{"[a"} },
		"pipeline_patterns[1]: * is there":    func(t *trust.Config) { t.PipelinePatterns = []string{"*", "*"} },
		`pipeline_patterns[1]: "" is not the`: func(t *trust.Config) { t.PipelinePatterns = []string{"*", ""} },
	} {
		config := trust.Default()
		change(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate() = %v, want an error with %q", err, want)
		}
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	var repos, trees, nodes []string
	for i := range 15 {
		name := fmt.Sprintf("r%d", i)
		repos, trees = append(repos, githubtest.RepositoryJSON(name, "")), append(trees, githubtest.TreeNode(name, "tree-of-"+name, githubtest.NoEnvironments))
		nodes = append(nodes, githubtest.WorkflowsNode(name, map[string]string{"test.yml": githubtest.TestWorkflow}))
	}
	batches, _, s, _ := githubtest.Released(t, func(c *github.Config) { c.Trust.RepositoryRunners = false }, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(repos...))
		s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
			"query WorkflowTrees(": githubtest.Pages(strings.Join(trees, ",")),
			"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
				collectorstest.WriteJSON(w, `{"data":{"nodes":[`+strings.Join(nodes, ",")+`]}}`)
			},
		}))
		s.Handle("GET /repos/{org}/{repo}/actions/secrets", githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
		s.Handle("GET /repos/{org}/{repo}/actions/organization-secrets", githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
	})
	asked := 0
	for _, r := range s.Requests() {
		if strings.HasSuffix(r.Path, "/actions/secrets") {
			asked++
		}
	}
	if asked != api.MaxRefusals {
		t.Errorf("%d requests for secrets that may not be read, want %d", asked, api.MaxRefusals)
	}
	unknownOnes := 0
	for scope, b := range batches {
		if strings.HasPrefix(scope, "cloud_identity"+":") && b.Err == nil && !b.CloudIdentities[0].SecretsKnown.Known() && b.CloudIdentities[0].MissingPermission == "secrets=read" {
			unknownOnes++
		}
	}
	if unknownOnes != 15 {
		t.Errorf("%d of 15 repositories are known to have unknown secrets", unknownOnes)
	}
}

// TestWorkflowsAreReadWhenTheyChange: an unchanged folder is not read again, and a repository that loses its pipelines loses the scope.
func TestWorkflowsAreReadWhenTheyChange(t *testing.T) {
	batches, c, s, clock := githubtest.Released(t, nil, nil)
	cursors := collectors.Cursors{}
	for scope, b := range batches {
		cursors[scope] = b.Cursor
	}
	next := func() map[string]record.Batch {
		t.Helper()
		s.Forget()
		if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		return batches
	}
	again := next()
	if slices.ContainsFunc(s.Requests(), githubtest.Asks("query Workflows(")) {
		t.Error("the workflows are read again although nothing changed")
	}
	if diff := cmp.Diff(batches["cloud_identity:acme/api"].CloudIdentities, again["cloud_identity:acme/api"].CloudIdentities); diff != "" {
		t.Errorf("identities of an unchanged repository (-first +second):\n%s", diff)
	}
	s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
		"query WorkflowTrees(": githubtest.Pages(githubtest.TreeNode("api", "", githubtest.NoEnvironments)),
	}))
	gone := next()
	for _, scope := range []string{"pipelines:acme/api", "cloud_identity:acme/api"} {
		if b, ok := gone[scope]; !ok || b.Err != nil || !strings.HasPrefix(string(b.Cursor), "retired ") || len(b.Kinds()) != 1 || b.Size() != 0 {
			t.Errorf("%s of a repository without workflows: %+v, want it emptied", scope, b)
		}
	}
}

func TestTrustIsForecast(t *testing.T) {
	_, c, _, _ := githubtest.Released(t, func(cfg *github.Config) {
		cfg.Alerts.Kinds, cfg.Protection.Branches = nil, false
	}, nil)
	// The forecast goes by what the last readings took, and a first one takes more.
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	forecast := c.Forecast()
	// Per hour a page of repositories, the list of those with attestations and three questions about them, and 7 lists of runners and groups; each 4 h two requests for each of two
	// pipelines, one more for the runs of one of them that never succeeded, three and one environment for the one identity, and the runners of two repositories; each 24 h the releases of two repositories, and per hour two pages of GraphQL.
	if want := 1 + 4 + 6 + (2*2+3+1+2+1)/4.0 + 2/24.0; fmt.Sprintf("%.3f", forecast["core"]) != fmt.Sprintf("%.3f", want) {
		t.Errorf("forecast of core is %v, want %v", forecast["core"], want)
	}
	if forecast["graphql"] != 2 {
		t.Errorf("forecast of GraphQL is %v, want 2", forecast["graphql"])
	}
}
