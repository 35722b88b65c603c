package githubtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/collectorstest"
)

// ReleaseWorkflow publishes, TestWorkflow does not, and DeployWorkflow finds its environment out when it runs.
const (
	ReleaseWorkflow = "name: Ship it\non: {push: {tags: ['v*']}}\npermissions: {contents: read}\njobs:\n  build:\n    permissions: {id-token: write, contents: write}\n" +
		"    environment: production\n    steps: [{uses: softprops/action-gh-release@v2}]\n"
	TestWorkflow   = "name: Test\non: push\njobs: {test: {steps: [{run: make test}]}}\n"
	DeployWorkflow = "on: workflow_dispatch\njobs: {go: {environment: '${{ inputs.where }}', steps: [{run: ./deploy}]}}\n"
)

// WorkflowsNode is a repository with the files of its workflows, by their names.
func WorkflowsNode(name string, files map[string]string) string {
	var entries []string
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text, _ := json.Marshal(files[file])
		entries = append(entries, fmt.Sprintf(`{"name":%q,"type":"blob","object":{"byteSize":%d,"isBinary":false,"isTruncated":false,"text":%s}}`, file, len(files[file]), text))
	}
	return fmt.Sprintf(`{"id":"R_%[1]s","object":{"oid":"tree-of-%[1]s","entries":[%[2]s]}}`, name, strings.Join(entries, ","))
}

// TreeNode is a repository with the identity of its workflows.
func TreeNode(name, oid, environments string) string {
	tree := "null"
	if oid != "" {
		tree = fmt.Sprintf(`{"oid":%q}`, oid)
	}
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","id":"R_%[1]s","object":%[2]s,"environments":%[3]s}`, name, tree, environments)
}

// ReleasingNode is a repository in the answer to the query about releases.
func ReleasingNode(name string, releases ...string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","releases":{"nodes":[%[2]s]}}`, name, strings.Join(releases, ","))
}

// ReleasedAt is a release in that answer.
func ReleasedAt(id int, at, commit string) string {
	return fmt.Sprintf(`{"databaseId":%d,"publishedAt":%q,"updatedAt":%[2]q,"tagCommit":{"oid":%[3]q}}`, id, at, commit)
}

// TrustQueries answers the GraphQL queries about building and releasing.
func TrustQueries() map[string]http.HandlerFunc {
	production := `{"totalCount":1,"nodes":[{"name":"prod/eu"}]}`
	return map[string]http.HandlerFunc{
		"query Releases(":      Pages(ReleasingNode("api", ReleasedAt(2, Ago(2*Day), "c2"), ReleasedAt(1, Ago(30*Day), "c1")), ReleasingNode("web", ReleasedAt(7, Ago(400*Day), "w7"))),
		"query WorkflowTrees(": Pages(TreeNode("api", "tree-of-api", production), TreeNode("web", "", NoEnvironments)),
		"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"nodes":[`+WorkflowsNode("api", map[string]string{
				"deploy.yaml": DeployWorkflow, "ship.yml": ReleaseWorkflow, "test.yml": TestWorkflow, "README.md": "# Workflows",
			})+`]}}`)
		},
		"query Deployed(": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"node":{"deployments":{"nodes":[{"environment":"staging","latestStatus":{"logUrl":"https://github.com/Acme/api/actions/runs/70/job/1"}},{"environment":"elsewhere","latestStatus":null}]}}}}`)
		},
	}
}

// DigestOf is a SHA-256 digest made of a number.
func DigestOf(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// ReleaseJSON is a release of acme/api as REST shows it.
func ReleaseJSON(id int, tag, at, more string, assets ...string) string {
	return fmt.Sprintf(`{"id":%d,"tag_name":%q,"html_url":"https://github.com/Acme/api/releases/%[2]s","draft":false,"immutable":false,"created_at":%[3]q,"published_at":%[3]q%[4]s,"assets":[%[5]s]}`,
		id, tag, at, more, strings.Join(assets, ","))
}

// AssetJSON is a file of a release.
func AssetJSON(name, digest string) string {
	if digest == "" {
		return fmt.Sprintf(`{"name":%q,"digest":null}`, name)
	}
	return fmt.Sprintf(`{"name":%q,"digest":%q}`, name, digest)
}

// FinishedRun is a workflow run of acme/api that ended some time ago.
func FinishedRun(id int, conclusion, commit string, ended time.Duration) string {
	return fmt.Sprintf(`{"id":%d,"name":"Ship it","path":".github/workflows/ship.yml","head_branch":"main","head_sha":%q,"event":"push","status":"completed","conclusion":%q,`+
		`"html_url":"https://github.com/Acme/api/actions/runs/%[1]d","created_at":%[4]q,"updated_at":%[5]q}`, id, commit, conclusion, Ago(ended+time.Hour), Ago(ended))
}

// Bulk answers which of some digests are attested, in either of the forms that GitHub's description knows.
func Bulk(asList bool, attested map[string][]int) http.HandlerFunc {
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
				if digest == DigestOf(n) {
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

// ServeTrust serves releases, attestations, workflows, runs, secrets and runners.
func ServeTrust(s *collectorstest.Server) {
	ServeRunners(s)
	s.JSON("GET /repos/Acme/api/releases", collectorstest.Items(
		`{"id":3,"tag_name":"v2.1","draft":true,"created_at":"`+Ago(time.Hour)+`","assets":[]}`,
		ReleaseJSON(2, "v2.0", Ago(2*Day), "", AssetJSON("app.tar.gz", DigestOf(1)), AssetJSON("app.tar.gz.sig", DigestOf(2)), AssetJSON("sbom.spdx.json", DigestOf(3))),
		ReleaseJSON(1, "v1.0", Ago(30*Day), "", AssetJSON("app.tar.gz", DigestOf(4))), ReleaseJSON(0, "v0", "2019-01-01T00:00:00Z", ""),
		ReleaseJSON(8, "v0.1", "2019-01-01T00:00:00Z", "")))
	s.JSON("GET /orgs/acme/attestations/repositories", collectorstest.Items(`{"id":1,"name":"api"}`))
	s.Handle("POST /orgs/acme/attestations/bulk-list", Bulk(false, map[string][]int{"provenance": {1}}))
	s.JSON("GET /repos/Acme/api/actions/runs", NamedList("workflow_runs", 1, FinishedRun(60, "success", "c2", 2*Day-5*time.Minute)))
	s.JSON("GET /repos/Acme/api/actions/runs/60/approvals", collectorstest.Items(`{"state":"approved","environments":[{"name":"production"}]}`))
	s.JSON("GET /repos/Acme/api/actions/runs/70/approvals", collectorstest.Items())
	s.JSON("GET /repos/Acme/api/actions/runs/70/artifacts", NamedList("artifacts", 1, AssetJSON("image.tar", DigestOf(9))))
	s.Handle("GET /repos/Acme/api/actions/workflows/ship.yml/runs", ByStatus(
		NamedList("workflow_runs", 2, FinishedRun(61, "failure", "c3", time.Hour), FinishedRun(60, "success", "c2", 2*Day-5*time.Minute)), NamedList("workflow_runs", 0)))
	s.Handle("GET /repos/Acme/api/actions/workflows/deploy.yaml/runs", ByStatus(
		NamedList("workflow_runs", 999, cancelledRuns()...), NamedList("workflow_runs", 1, FinishedRun(70, "success", "c8", 60*Day))))
	repo := "/repos/Acme/api"
	s.LinkPages("GET "+repo+"/actions/secrets", "page",
		NamedList("secrets", 2, `{"name":"AWS_SECRET_ACCESS_KEY","updated_at":"2024-01-02T03:04:05Z"}`), NamedList("secrets", 2, `{"name":"NPM_TOKEN","updated_at":"2025-01-02T03:04:05Z"}`))
	s.JSON("GET "+repo+"/actions/organization-secrets", NamedList("secrets", 1, `{"name":"REGISTRY","updated_at":"2025-06-01T00:00:00Z"}`))
	s.JSON("GET "+repo+"/environments/prod%2Feu/secrets", NamedList("secrets", 1, `{"name":"KUBECONFIG","updated_at":"2025-06-02T00:00:00Z"}`))
	s.JSON("GET "+repo+"/actions/oidc/customization/sub", `{"use_default":false}`)
	s.JSON("GET /orgs/acme/actions/oidc/customization/sub", `{"include_claim_keys":["repo","environment"]}`)
}

// runsPerPage is how many runs of a workflow are read at once.
const runsPerPage = 50

// cancelledRuns are a full page of runs of which none succeeded but those of pull requests, the newest one's.
func cancelledRuns() []string {
	pull := strings.ReplaceAll(FinishedRun(99, "success", "c9", time.Hour), `"event":"push"`, `"event":"pull_request"`)
	runs := []string{pull}
	for i := range runsPerPage - 1 {
		runs = append(runs, FinishedRun(71+i, "cancelled", "c9", 2*time.Hour+time.Duration(i)*time.Minute))
	}
	return runs
}

// ByStatus answers with the last runs, or with those that succeeded.
func ByStatus(completed, success string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("status") == "success" {
			collectorstest.WriteJSON(w, success)
			return
		}
		collectorstest.WriteJSON(w, completed)
	}
}

// RunnerJSON is a self-hosted runner.
func RunnerJSON(id int, name, more string) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"os":"linux","status":"online","busy":false,"labels":[{"id":1,"name":"self-hosted"},{"id":2,"name":"linux"}]%s}`, id, name, more)
}

// ServeRunners serves runner groups and their runners.
func ServeRunners(s *collectorstest.Server) {
	s.JSON("GET /orgs/acme/actions/runner-groups", NamedList("runner_groups", 3,
		`{"id":1,"name":"Default","visibility":"all","default":true,"inherited":false,"allows_public_repositories":true,"restricted_to_workflows":false}`,
		`{"id":2,"name":"release","visibility":"selected","inherited":false,"allows_public_repositories":false,"restricted_to_workflows":true}`,
		`{"id":3,"name":"enterprise","visibility":"private","inherited":true,"allows_public_repositories":true,"inherited_allows_public_repositories":false}`))
	s.LinkPages("GET /orgs/acme/actions/runners", "page",
		NamedList("runners", 4, RunnerJSON(23, "default-1", `,"ephemeral":false`), RunnerJSON(24, "release-1", `,"ephemeral":true`)), NamedList("runners", 4, RunnerJSON(29, "loose", "")))
	s.JSON("GET /orgs/acme/actions/runner-groups/1/runners", NamedList("runners", 1, RunnerJSON(23, "default-1", `,"ephemeral":false`)))
	s.JSON("GET /orgs/acme/actions/runner-groups/2/runners", NamedList("runners", 1, RunnerJSON(24, "release-1", `,"ephemeral":true`)))
	s.JSON("GET /orgs/acme/actions/runner-groups/3/runners", NamedList("runners", 1, RunnerJSON(23, "ent-1", "")))
	s.JSON("GET /orgs/acme/actions/runner-groups/2/repositories", NamedList("repositories", 1, `{"id":1,"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}`))
	s.JSON("GET /repos/Acme/api/actions/runners", NamedList("runners", 1, RunnerJSON(5, "own", `,"ephemeral":false`)))
	s.JSON("GET /repos/Acme/web/actions/runners", NamedList("runners", 0))
}
