//go:build e2e

package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/gitlab"
	"prodsec_exporter/internal/record"
)

// GitLab's own client. A newer version is taken by its version and its hash ("go mod download -json").
const (
	gitlabClient  = "gitlab.com/gitlab-org/api/client-go"
	gitlabVersion = "v1.46.0"
	gitlabSum     = "h1:YxBWFZIFYKcGESCb9fpkwzouo+apyB9pr/XTWzNoL24="
)

// gitlabValues are values that the collector understands, by the names of fields and of types.
var gitlabValues = map[string]any{
	"archived": false, "marked_for_deletion_at": nil, "marked_for_deletion_on": nil, "path_with_namespace": "acme/api", "web_url": "https://gitlab.example.com/acme/api",
	"visibility": "private", "name": "main", "default_branch": "main", "ref": "main", "ci_config_path": "", "builds_access_level": "enabled", "rule_type": "regular", "runner_type": "project_type",
	"tier": "production", "status": "success", "AccessLevelValue": 0, "user_id": nil, "group_id": nil, "deploy_key_id": nil, "action": "add", "upcoming_release": false,
	"merged_yaml": "deploy:\n  id_tokens:\n    AWS: {aud: x}\n", "event_name": "security_policy_user_push_bypass", "labels": []string{"security-reviewed"}, "file_type": "cyclonedx",
	"tag": false, "sha": "0123456789abcdef0123456789abcdef01234567", "force_remove_source_branch": nil,
}

// describedGitLab answers as GitLab's client expects, and notes what it does not know.
type describedGitLab struct {
	client *goClient

	mu       sync.Mutex
	asked    map[string]bool
	problems []string
}

func (d *describedGitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/api/graphql" { // which the client leaves to whoever uses it
		_, _ = io.WriteString(w, `{"data":{"project":null}}`)
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v4/")
	operation := d.client.find(path)
	if operation == nil {
		d.problems = append(d.problems, path+" is no path of the client")
		http.NotFound(w, r)
		return
	}
	d.asked[operation.path] = true
	for name := range r.URL.Query() {
		if !operation.parameters[name] {
			d.problems = append(d.problems, fmt.Sprintf("%s has no parameter %q", operation.path, name))
		}
	}
	answer := d.client.example(operation.answer, "", gitlabValues, 0)
	if list, ok := answer.([]any); ok && operation.path == "projects/{}/deployments" {
		newer := maps.Clone(list[0].(map[string]any))
		newer["id"] = 8
		answer = []any{newer, list[0]} // one to compare the other with
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// TestGitLabAsDescribed lets the collector read everything that REST answers from GitLab as its own client describes it: each path and parameter is one of the
// client's, and each field that a record is made of is one of its answers.
func TestGitLabAsDescribed(t *testing.T) {
	d := &describedGitLab{client: readGoClient(t, gitlabClient, gitlabVersion, gitlabSum), asked: map[string]bool{}}
	server := httptest.NewServer(d)
	defer server.Close()
	no := false
	collector, err := gitlab.New(gitlab.Config{
		Common: collectors.Common{Name: "contract"}, URL: server.URL, Token: collectorstest.Secret(t, "token"), Groups: []string{"acme"}, Vulnerabilities: &no, Bypasses: true,
		ReleaseBranches: []string{"release/*"}, ReviewLabels: []string{"security-reviewed"},
	}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(t.Output(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range d.problems {
		t.Error(problem)
	}
	t.Logf("asked: %s", strings.Join(slices.Sorted(maps.Keys(d.asked)), " "))
	for scope, b := range batches {
		if b.Err != nil || len(b.Rejected) > 0 {
			t.Errorf("%s: %v, rejected: %v", scope, b.Err, b.Rejected)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	checkGitLabPosture(t, batches["project:7"])
	checkGitLabDelivery(t, batches)
}

func checkGitLabPosture(t *testing.T, b record.Batch) {
	t.Helper()
	r := b.Repositories[0]
	branch, environment := r.Branches[0], r.Environments[0]
	for what, answer := range map[string]record.Answer{
		"pull requests": branch.PullRequest, "code owners": branch.CodeOwnerReview, "stale approvals": branch.StaleDismissal, "status checks": branch.StatusChecks,
		"force pushes": branch.ForcePushBlocked, "signed commits": branch.SignedCommits, "administrators": branch.AdminsBound,
		"reviewers of environments": environment.RequiredReviewers, "own reviews": environment.SelfReviewPrevented,
		"bills of materials": b.Pipelines[0].Evidence[record.EvidenceSBOM], "OpenID Connect": b.CloudIdentities[0].OIDC, "names of variables": b.CloudIdentities[0].SecretsKnown,
	} {
		if !answer.Known() {
			t.Errorf("%s: unknown", what)
		}
	}
	if branch.Approvals != 6 { // seven, one of which may be the author's
		t.Errorf("%d approvals", branch.Approvals)
	}
	if p := b.Pipelines[0]; p.LastRunAt.IsZero() || p.LastSuccessAt.IsZero() || len(b.CloudIdentities[0].Secrets) != 1 {
		t.Errorf("pipeline %+v, identity %+v", p, b.CloudIdentities[0])
	}
}

func checkGitLabDelivery(t *testing.T, batches map[string]record.Batch) {
	t.Helper()
	at := slices.IndexFunc(batches["deployments:7"].Deployments, func(d record.Deployment) bool { return len(d.Changes) > 0 })
	if at < 0 {
		t.Fatalf("no deployment has changes: %+v", batches["deployments:7"].Deployments)
	}
	d := batches["deployments:7"].Deployments[at]
	if c := d.Changes[0]; c.OpenedAt.IsZero() || c.MergedAt.IsZero() || c.FirstCommitAt.IsZero() || c.SecurityReviewed != record.AnswerYes {
		t.Errorf("change %+v", c)
	}
	if d.Status != record.DeploymentSucceeded || d.FinishedAt.IsZero() || d.Commit == "" || !d.FromProtectedBranch.Known() || !d.Rollback.Known() {
		t.Errorf("deployment %+v", d)
	}
	if r := batches["releases:7"].Releases; len(r) != 1 || r[0].Version == "" || r[0].PublishedAt.IsZero() {
		t.Errorf("releases %+v", r)
	}
	if r := batches["runners:acme"].Runners; len(r) != 1 || r[0].Visibility != record.RunnerRepository || !r[0].Online.Known() || len(r[0].Repositories) != 1 {
		t.Errorf("runners %+v", r)
	}
	if b := batches["bypasses:7"].Bypasses; len(b) != 1 || b[0].At.IsZero() {
		t.Errorf("bypasses %+v", b)
	}
}
