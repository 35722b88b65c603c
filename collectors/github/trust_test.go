package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// trustOn is a configuration with every scope about building and releasing.
func trustOn(c Config) Config {
	c.Trust = defaultTrust()
	c.RepositoryRunners = true
	return c
}

const (
	releaseWorkflow = "name: Ship it\non: {push: {tags: ['v*']}}\npermissions: {contents: read}\njobs:\n  build:\n    permissions: {id-token: write, contents: write}\n" +
		"    environment: production\n    steps: [{uses: softprops/action-gh-release@v2}]\n"
	testWorkflow   = "name: Test\non: push\njobs: {test: {steps: [{run: make test}]}}\n"
	deployWorkflow = "on: workflow_dispatch\njobs: {go: {environment: '${{ inputs.where }}', steps: [{run: ./deploy}]}}\n"
)

// workflowsNode is a repository with the files of its workflows, by their names.
func workflowsNode(name string, files map[string]string) string {
	var entries []string
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text, _ := json.Marshal(files[file])
		entries = append(entries, fmt.Sprintf(`{"name":%q,"type":"blob","object":{"byteSize":%d,"isBinary":false,"isTruncated":false,"text":%s}}`, file, len(files[file]), text))
	}
	return fmt.Sprintf(`{"id":"R_%[1]s","object":{"oid":"tree-of-%[1]s","entries":[%[2]s]}}`, name, strings.Join(entries, ","))
}

// treeNode is a repository with the identity of its workflows.
func treeNode(name, oid, environments string) string {
	tree := "null"
	if oid != "" {
		tree = fmt.Sprintf(`{"oid":%q}`, oid)
	}
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","id":"R_%[1]s","object":%[2]s,"environments":%[3]s}`, name, tree, environments)
}

func releasingNode(name string, releases ...string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","releases":{"nodes":[%[2]s]}}`, name, strings.Join(releases, ","))
}

func releasedAt(id int, at, commit string) string {
	return fmt.Sprintf(`{"databaseId":%d,"publishedAt":%q,"updatedAt":%[2]q,"tagCommit":{"oid":%[3]q}}`, id, at, commit)
}

// trustQueries answers the GraphQL queries about building and releasing.
func trustQueries() map[string]http.HandlerFunc {
	production := `{"totalCount":1,"nodes":[{"name":"prod/eu"}]}`
	return map[string]http.HandlerFunc{
		"query Releases(":      graphQLPages(releasingNode("api", releasedAt(2, ago(2*day), "c2"), releasedAt(1, ago(30*day), "c1")), releasingNode("web", releasedAt(7, ago(400*day), "w7"))),
		"query WorkflowTrees(": graphQLPages(treeNode("api", "tree-of-api", production), treeNode("web", "", noEnvironments)),
		"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"nodes":[`+workflowsNode("api", map[string]string{
				"deploy.yaml": deployWorkflow, "ship.yml": releaseWorkflow, "test.yml": testWorkflow, "README.md": "# Workflows",
			})+`]}}`)
		},
		"query Deployed(": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"node":{"deployments":{"nodes":[{"environment":"staging","latestStatus":{"logUrl":"https://github.com/Acme/api/actions/runs/70/job/1"}},{"environment":"elsewhere","latestStatus":null}]}}}}`)
		},
	}
}

func digestOf(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func releaseJSON(id int, tag, at, more string, assets ...string) string {
	return fmt.Sprintf(`{"id":%d,"tag_name":%q,"html_url":"https://github.com/Acme/api/releases/%[2]s","draft":false,"immutable":false,"created_at":%[3]q,"published_at":%[3]q%[4]s,"assets":[%[5]s]}`,
		id, tag, at, more, strings.Join(assets, ","))
}

func assetJSON(name, digest string) string {
	if digest == "" {
		return fmt.Sprintf(`{"name":%q,"digest":null}`, name)
	}
	return fmt.Sprintf(`{"name":%q,"digest":%q}`, name, digest)
}

func finishedRun(id int, conclusion, commit string, ended time.Duration) string {
	return fmt.Sprintf(`{"id":%d,"name":"Ship it","path":".github/workflows/ship.yml","head_branch":"main","head_sha":%q,"event":"push","status":"completed","conclusion":%q,`+
		`"html_url":"https://github.com/Acme/api/actions/runs/%[1]d","created_at":%[4]q,"updated_at":%[5]q}`, id, commit, conclusion, ago(ended+time.Hour), ago(ended))
}

// bulk answers which of some digests are attested, in either of the forms that GitHub's description knows.
func bulk(asList bool, attested map[string][]int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var question struct {
			Digests   []string `json:"subject_digests"`
			Predicate string   `json:"predicate_type"`
		}
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil || len(question.Digests) == 0 || len(question.Digests) > 1024 {
			http.Error(w, `{"message":"Invalid request"}`, http.StatusUnprocessableEntity)
			return
		}
		answer := map[string]any{}
		for _, digest := range question.Digests {
			answer[digest] = nil
			for _, n := range attested[question.Predicate] {
				if digest == digestOf(n) {
					answer[digest] = []any{map[string]any{"repository_id": 1, "bundle_url": "https://elsewhere.example/1.json.sn"}}
				}
			}
		}
		page := map[string]any{"attestations_subject_digests": answer, "page_info": map[string]any{"has_next": false}}
		if asList {
			page["attestations_subject_digests"] = []any{answer}
		}
		collectorstest.WriteJSON(w, page)
	}
}

func serveTrust(s *collectorstest.Server) {
	serveRunners(s)
	s.JSON("GET /repos/Acme/api/releases", collectorstest.Items(
		`{"id":3,"tag_name":"v2.1","draft":true,"created_at":"`+ago(time.Hour)+`","assets":[]}`,
		releaseJSON(2, "v2.0", ago(2*day), "", assetJSON("app.tar.gz", digestOf(1)), assetJSON("app.tar.gz.sig", digestOf(2)), assetJSON("sbom.spdx.json", digestOf(3))),
		releaseJSON(1, "v1.0", ago(30*day), "", assetJSON("app.tar.gz", digestOf(4))), releaseJSON(0, "v0", "2019-01-01T00:00:00Z", ""),
		releaseJSON(8, "v0.1", "2019-01-01T00:00:00Z", "")))
	s.JSON("GET /orgs/acme/attestations/repositories", collectorstest.Items(`{"id":1,"name":"api"}`))
	s.Handle("POST /orgs/acme/attestations/bulk-list", bulk(false, map[string][]int{"provenance": {1}}))
	s.JSON("GET /repos/Acme/api/actions/runs", list("workflow_runs", 1, finishedRun(60, "success", "c2", 2*day-5*time.Minute)))
	s.JSON("GET /repos/Acme/api/actions/runs/60/approvals", collectorstest.Items(`{"state":"approved","environments":[{"name":"production"}]}`))
	s.JSON("GET /repos/Acme/api/actions/runs/70/approvals", collectorstest.Items())
	s.JSON("GET /repos/Acme/api/actions/runs/70/artifacts", list("artifacts", 1, assetJSON("image.tar", digestOf(9))))
	s.Handle("GET /repos/Acme/api/actions/workflows/ship.yml/runs", byStatus(
		list("workflow_runs", 2, finishedRun(61, "failure", "c3", time.Hour), finishedRun(60, "success", "c2", 2*day-5*time.Minute)), list("workflow_runs", 0)))
	s.Handle("GET /repos/Acme/api/actions/workflows/deploy.yaml/runs", byStatus(
		list("workflow_runs", 999, cancelledRuns()...), list("workflow_runs", 1, finishedRun(70, "success", "c8", 60*day))))
	repo := "/repos/Acme/api"
	s.LinkPages("GET "+repo+"/actions/secrets", "page",
		list("secrets", 2, `{"name":"AWS_SECRET_ACCESS_KEY","updated_at":"2024-01-02T03:04:05Z"}`), list("secrets", 2, `{"name":"NPM_TOKEN","updated_at":"2025-01-02T03:04:05Z"}`))
	s.JSON("GET "+repo+"/actions/organization-secrets", list("secrets", 1, `{"name":"REGISTRY","updated_at":"2025-06-01T00:00:00Z"}`))
	s.JSON("GET "+repo+"/environments/prod%2Feu/secrets", list("secrets", 1, `{"name":"KUBECONFIG","updated_at":"2025-06-02T00:00:00Z"}`))
	s.JSON("GET "+repo+"/actions/oidc/customization/sub", `{"use_default":false}`)
	s.JSON("GET /orgs/acme/actions/oidc/customization/sub", `{"include_claim_keys":["repo","environment"]}`)
}

// cancelledRuns are a full page of runs of which none succeeded but those of pull requests, the newest one's.
func cancelledRuns() []string {
	pull := strings.ReplaceAll(finishedRun(99, "success", "c9", time.Hour), `"event":"push"`, `"event":"pull_request"`)
	runs := []string{pull}
	for i := range runsPerPipeline - 1 {
		runs = append(runs, finishedRun(71+i, "cancelled", "c9", 2*time.Hour+time.Duration(i)*time.Minute))
	}
	return runs
}

// byStatus answers with the last runs, or with those that succeeded.
func byStatus(completed, success string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("status") == "success" {
			collectorstest.WriteJSON(w, success)
			return
		}
		collectorstest.WriteJSON(w, completed)
	}
}

func either(some ...func(collectorstest.Request) bool) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool {
		return slices.ContainsFunc(some, func(match func(collectorstest.Request) bool) bool { return match(r) })
	}
}

func trustScopes() []collectorstest.Scope {
	hiddenRuns := func(b record.Batch) error {
		for _, p := range b.Pipelines {
			if p.MissingPermission != runsPermission || !p.LastRunAt.IsZero() || p.Evidence[record.EvidenceApproval].Known() {
				return fmt.Errorf("pipeline %+v", p)
			}
		}
		return nil
	}
	hiddenSecrets := func(b record.Batch) error {
		if i := b.CloudIdentities; len(i) != 1 || i[0].SecretsKnown.Known() || i[0].MissingPermission != secretsPermission {
			return fmt.Errorf("identities %+v", i)
		}
		return nil
	}
	tolerate := func(unknown func(record.Batch) error) map[string]func(record.Batch) error {
		return map[string]func(record.Batch) error{"403": unknown, "404": unknown}
	}
	return append(runnerScopes(), []collectorstest.Scope{
		{Name: "releases:acme", Records: 2, Requests: either(asks("query Releases("), at("/repos/Acme/api/releases")), Pages: 3, Cursor: true, Along: []string{"pipelines:acme/api"}},
		{Name: "workflows:acme", Records: 2, Requests: either(asks("query WorkflowTrees("), asks("query Workflows(")), Pages: 3, Cursor: true, Along: needWorkflows()},
		{Name: "pipelines:acme/api", Records: 2, Requests: func(r collectorstest.Request) bool {
			return strings.HasPrefix(r.Path, "/repos/Acme/api/actions/workflows/")
		}, Pages: 1, Tolerates: tolerate(hiddenRuns)},
		{Name: "cloud_identity:acme/api", Records: 1, Requests: at("/repos/Acme/api/actions/secrets"), Pages: 1, Tolerates: tolerate(hiddenSecrets)},
	}...)
}

// needWorkflows are the scopes that need the workflows of the organisation.
func needWorkflows() []string { return []string{"pipelines:acme/api", "cloud_identity:acme/api"} }

// needListOfTrust are the scopes that need the list of repositories.
func needListOfTrust() []string {
	return append([]string{"runners:acme/api", "runners:acme/web"}, needWorkflows()...)
}

func alteredTrust() []collectorstest.Altered {
	return append(alteredRunners(), []collectorstest.Altered{
		{Name: "release that cannot be understood", Scope: "releases:acme", Records: 1, Rejected: 2, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/releases", collectorstest.Items(`{"id":"one"}`, releaseJSON(2, "v2.0", ago(2*day), ""), releaseJSON(0, "v1", ago(2*day), "")))
		}},
		{Name: "run that cannot be understood", Scope: "pipelines:acme/api", Records: 2, Rejected: 2, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/workflows/ship.yml/runs", list("workflow_runs", 2, `{"id":"x"}`, `{"path":"y"}`))
		}},
		{Name: "secret without name", Scope: "cloud_identity:acme/api", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/secrets", list("secrets", 1, `{}`))
		}, Check: func(b record.Batch) error {
			if b.CloudIdentities[0].SecretsKnown.Known() {
				return errors.New("one secret was rejected and the names are said to be known")
			}
			return nil
		}},
		{Name: "workflow that is no YAML", Scope: "cloud_identity:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", byQueryAnd(graphQLPages(nodeJSON("api", bareRef)), map[string]http.HandlerFunc{
				"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
					collectorstest.WriteJSON(w, `{"data":{"nodes":[`+workflowsNode("api", map[string]string{"a.yml": "jobs: [\t", "b.yml": testWorkflow})+`]}}`)
				},
			}))
		}, Check: func(b record.Batch) error {
			if a := b.CloudIdentities[0].OIDC; a.Known() {
				return fmt.Errorf("OIDC is %q, want unknown", a)
			}
			return nil
		}},
	}...)
}

func TestTrustIsChecked(t *testing.T) {
	_, c, s, _ := released(t, nil, nil)
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
	results = append(results, refuse(at("/repos/Acme/api/environments/prod/eu/secrets"))...)
	for subject, permission := range map[string]string{
		"names of secrets of environments": environmentSecretsPermission, "self-hosted runners": orgRunnersPermission, "runner groups": orgRunnersPermission, "runners of single repositories": repoRunnersPermission,
		"releases": contentsPermission, "attestations": attestationsPermission, "workflows": contentsPermission, "runs of workflows": runsPermission,
		"names of secrets": secretsPermission, "subject of tokens": oidcPermission, "subject of tokens of the organisation": orgOIDCPermission,
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
	for want, change := range map[string]func(*Trust){
		"release_history":                     func(t *Trust) { t.ReleaseHistory = 0 },
		"pipeline_patterns[0]":                func(t *Trust) { t.PipelinePatterns = []string{"[a"} },
		"pipeline_patterns[1]: * is there":    func(t *Trust) { t.PipelinePatterns = []string{"*", "*"} },
		`pipeline_patterns[1]: "" is not the`: func(t *Trust) { t.PipelinePatterns = []string{"*", ""} },
	} {
		trust := defaultTrust()
		change(&trust)
		if err := trust.validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate() = %v, want an error with %q", err, want)
		}
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	var repos, trees, nodes []string
	for i := range 10 {
		name := fmt.Sprintf("r%d", i)
		repos, trees = append(repos, repoJSON(name, "")), append(trees, treeNode(name, "tree-of-"+name, noEnvironments))
		nodes = append(nodes, workflowsNode(name, map[string]string{"test.yml": testWorkflow}))
	}
	batches, _, s, _ := released(t, func(c *Config) { c.RepositoryRunners = false }, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(repos...))
		s.Handle("POST /graphql", byQueryAnd(graphQLPages(nodeJSON("api", bareRef)), map[string]http.HandlerFunc{
			"query WorkflowTrees(": graphQLPages(strings.Join(trees, ",")),
			"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
				collectorstest.WriteJSON(w, `{"data":{"nodes":[`+strings.Join(nodes, ",")+`]}}`)
			},
		}))
		s.Handle("GET /repos/{org}/{repo}/actions/secrets", refused(http.StatusForbidden, "Resource not accessible by integration"))
		s.Handle("GET /repos/{org}/{repo}/actions/organization-secrets", refused(http.StatusForbidden, "Resource not accessible by integration"))
	})
	asked := 0
	for _, r := range s.Requests() {
		if strings.HasSuffix(r.Path, "/actions/secrets") {
			asked++
		}
	}
	if asked != maxRefusals {
		t.Errorf("%d requests for secrets that may not be read, want %d", asked, maxRefusals)
	}
	unknownOnes := 0
	for scope, b := range batches {
		if strings.HasPrefix(scope, scopeIdentity+":") && b.Err == nil && !b.CloudIdentities[0].SecretsKnown.Known() && b.CloudIdentities[0].MissingPermission == secretsPermission {
			unknownOnes++
		}
	}
	if unknownOnes != 10 {
		t.Errorf("%d of 10 repositories are known to have unknown secrets", unknownOnes)
	}
}

// TestWorkflowsAreReadWhenTheyChange: an unchanged folder is not read again, and a repository that loses its pipelines loses the scope.
func TestWorkflowsAreReadWhenTheyChange(t *testing.T) {
	batches, c, s, clock := released(t, nil, nil)
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
	if slices.ContainsFunc(s.Requests(), asks("query Workflows(")) {
		t.Error("the workflows are read again although nothing changed")
	}
	if diff := cmp.Diff(batches["cloud_identity:acme/api"].CloudIdentities, again["cloud_identity:acme/api"].CloudIdentities); diff != "" {
		t.Errorf("identities of an unchanged repository (-first +second):\n%s", diff)
	}
	s.Handle("POST /graphql", byQueryAnd(graphQLPages(nodeJSON("api", bareRef)), map[string]http.HandlerFunc{
		"query WorkflowTrees(": graphQLPages(treeNode("api", "", noEnvironments)),
	}))
	gone := next()
	for _, scope := range needWorkflows() {
		if b, ok := gone[scope]; !ok || b.Err != nil || !strings.HasPrefix(string(b.Cursor), retired) || len(b.Kinds()) != 1 || b.Size() != 0 {
			t.Errorf("%s of a repository without workflows: %+v, want it emptied", scope, b)
		}
	}
}

func TestTrustIsForecast(t *testing.T) {
	_, c, _, _ := released(t, func(cfg *Config) { cfg.Alerts, cfg.Repositories, cfg.Protection = nil, true, false }, nil)
	forecast := c.Forecast()
	// Per hour a page of repositories, the list of those with attestations and three questions about them, and 7 lists of runners and groups; each 4 h two requests for each of two
	// pipelines, three and one environment for the one identity, and the runners of two repositories; each 24 h the releases of two repositories, and per hour two pages of GraphQL.
	if want := 1 + 4 + 6 + (2*2+3+1+2)/4.0 + 2/24.0; fmt.Sprintf("%.3f", forecast["core"]) != fmt.Sprintf("%.3f", want) {
		t.Errorf("forecast of core is %v, want %v", forecast["core"], want)
	}
	if forecast["graphql"] != 2 {
		t.Errorf("forecast of GraphQL is %v, want 2", forecast["graphql"])
	}
}
