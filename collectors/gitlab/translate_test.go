package gitlab

import (
	"fmt"
	"io"
	"log/slog"
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

// gather reads a source once.
func gather(t *testing.T, cursors collectors.Cursors, change func(*collectorstest.Server)) (map[string]record.Batch, *collectorstest.Server) {
	t.Helper()
	server := collectorstest.NewServer(t)
	serve(server)
	if change != nil {
		change(server)
	}
	c, err := newCollector(server.URL(), collectorstest.Secret(t, collectorstest.Token), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches, server
}

func at(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return parsed.UTC()
}

func TestPosture(t *testing.T) {
	batches, _ := gather(t, nil, nil)
	b := batches["project:7"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	const name = record.RepositoryName("gitlab.example.com/acme/api")
	yes, no := record.AnswerYes, record.AnswerNo
	want := record.Repository{
		Name: name,
		Branches: []record.BranchProtection{{
			Branch: "main", Default: true, PullRequest: yes, Approvals: 2, CodeOwnerReview: yes, StaleDismissal: yes, StatusChecks: yes, ForcePushBlocked: yes,
			DeletionBlocked: yes, AdminsBound: yes, BypassLimited: yes, SignedCommits: yes, RequiredDeployment: no,
		}},
		Environments: []record.EnvironmentProtection{
			{Environment: "production", RequiredReviewers: yes, SelfReviewPrevented: yes, BranchPolicy: no, AdminsBound: yes},
			{Environment: "production-live-eu", RequiredReviewers: no, SelfReviewPrevented: no, BranchPolicy: no, AdminsBound: no},
			{Environment: "staging", RequiredReviewers: no, SelfReviewPrevented: no, BranchPolicy: no, AdminsBound: no},
		},
		Scanners: map[record.Class]record.Answer{
			record.ClassSAST: yes, record.ClassSCA: no, record.ClassContainer: no, record.ClassSecret: no, record.ClassDAST: no,
		},
	}
	if diff := cmp.Diff([]record.Repository{want}, b.Repositories); diff != "" {
		t.Errorf("repository (-want +got):\n%s", diff)
	}
	sast := b.Scans[slices.IndexFunc(b.Scans, func(s record.Scan) bool { return s.Class == record.ClassSAST })]
	if diff := cmp.Diff(record.Scan{
		Tool: "gitlab-sast", Class: record.ClassSAST, Repository: name, Enabled: yes, SucceededAt: at("2026-03-01T09:00:00Z"), AttemptedAt: at("2026-03-01T09:00:00Z"),
	}, sast); diff != "" {
		t.Errorf("scan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]record.Pipeline{{
		ID: "pipeline:7", Repository: name, Name: ".gitlab-ci.yml", Path: ".gitlab-ci.yml", URL: "https://gitlab.example.com/acme/api/-/pipelines", Publishes: no,
		Environments: []string{"production", "production-live-eu", "staging"}, LastRunAt: at("2026-03-02T09:00:00Z"), LastSuccessAt: at("2026-03-01T09:00:00Z"),
		Evidence: map[record.EvidenceKind]record.Answer{
			record.EvidenceProvenance: yes, record.EvidenceSBOM: yes, record.EvidenceSignature: record.AnswerUnknown, record.EvidenceApproval: yes,
		},
	}}, b.Pipelines); diff != "" {
		t.Errorf("pipeline (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]record.CloudIdentity{{
		Repository: name, OIDC: yes, SecretsKnown: yes, Secrets: []record.SecretName{
			{Name: "AWS_SECRET_ACCESS_KEY", Scope: record.SecretRepository}, {Name: "TOKEN", Scope: record.SecretEnvironment, Environment: "production"},
		},
	}}, b.CloudIdentities); diff != "" {
		t.Errorf("cloud identity (-want +got):\n%s", diff)
	}
	if strings.Contains(fmt.Sprintf("%+v", batches), "never decoded") {
		t.Error("a variable's value is in a record")
	}
}

// TestBranches: what GitLab's rules amount to for the branch main.
func TestBranches(t *testing.T) {
	yes, no, unknown := record.AnswerYes, record.AnswerNo, record.AnswerUnknown
	for _, c := range []struct {
		name      string
		protected string
		rules     string
		settings  string
		want      func(*record.BranchProtection)
	}{
		{"nobody may push", `[{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false}]`, "[]", "{}", nil},
		{"maintainers may push", `[{"name":"main","push_access_levels":[{"access_level":40}],"allow_force_push":false}]`, "[]", "{}", func(b *record.BranchProtection) {
			b.PullRequest, b.BypassLimited, b.AdminsBound = no, no, no
		}},
		{"one person may push", `[{"name":"main","push_access_levels":[{"access_level":0},{"access_level":40,"user_id":3}],"allow_force_push":false}]`, "[]", "{}", func(b *record.BranchProtection) {
			b.PullRequest, b.BypassLimited, b.AdminsBound = no, no, no
		}},
		{"a wildcard that matches, too, lets push", `[{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false},{"name":"m*","push_access_levels":[{"access_level":30}],"allow_force_push":true}]`, "[]", "{}", func(b *record.BranchProtection) {
			b.PullRequest, b.BypassLimited, b.AdminsBound, b.ForcePushBlocked = no, no, no, no
		}},
		{"another branch is protected", `[{"name":"release/*","push_access_levels":[{"access_level":0}]}]`, "[]", "{}", func(b *record.BranchProtection) {
			b.PullRequest, b.BypassLimited, b.AdminsBound, b.ForcePushBlocked, b.DeletionBlocked = no, no, no, no, no
		}},
		{"the author may approve", `[{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false}]`, `[{"rule_type":"regular","approvals_required":1}]`, `{"merge_requests_author_approval":true,"reset_approvals_on_push":false}`, func(b *record.BranchProtection) {
			b.StaleDismissal = no
		}},
		{"a rule of another branch", `[{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false}]`, `[{"rule_type":"regular","approvals_required":3,"protected_branches":[{"name":"release/*"}]},{"rule_type":"report_approver","approvals_required":5}]`, `{"merge_requests_author_approval":false}`, nil},
		{"a rule of all protected branches", `[{"name":"main","push_access_levels":[{"access_level":0}],"allow_force_push":false}]`, `[{"rule_type":"regular","approvals_required":2,"applies_to_all_protected_branches":true}]`, `{"merge_requests_author_approval":false}`, func(b *record.BranchProtection) {
			b.Approvals = 2
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			batches, _ := gather(t, nil, func(s *collectorstest.Server) {
				s.JSON("GET "+project7+"protected_branches", c.protected)
				s.JSON("GET "+project7+"approval_rules", c.rules)
				s.JSON("GET "+project7+"approvals", c.settings)
				s.JSON("GET "+project7+"push_rule", "null") // there is none
			})
			b := batches["project:7"]
			if b.Err != nil {
				t.Fatal(b.Err)
			}
			want := record.BranchProtection{
				Branch: "main", Default: true, PullRequest: yes, Approvals: 0, CodeOwnerReview: no, StaleDismissal: unknown, StatusChecks: yes, ForcePushBlocked: yes,
				DeletionBlocked: yes, AdminsBound: yes, BypassLimited: yes, SignedCommits: unknown, RequiredDeployment: no, MissingPermission: premiumOrRole,
			}
			if c.want != nil {
				c.want(&want)
			}
			if diff := cmp.Diff(want, b.Repositories[0].Branches[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatATierLacksIsUnknown: never no protection.
func TestWhatATierLacksIsUnknown(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"404 Not Found"}`, http.StatusNotFound)
	}
	batches, _ := gather(t, nil, func(s *collectorstest.Server) {
		for _, path := range []string{"protected_branches", "approval_rules", "approvals", "push_rule", "protected_environments", "variables"} {
			s.Handle("GET "+project7+path, refuse)
		}
	})
	b := batches["project:7"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	branch, environment := b.Repositories[0].Branches[0], b.Repositories[0].Environments[0]
	if branch.PullRequest.Known() || branch.Approvals != record.ApprovalsUnknown || branch.MissingPermission == "" {
		t.Errorf("branch: %+v, want unknown and the permission", branch)
	}
	if environment.RequiredReviewers.Known() || environment.MissingPermission == "" {
		t.Errorf("environment: %+v, want unknown and the permission", environment)
	}
	if identity := b.CloudIdentities[0]; identity.SecretsKnown != record.AnswerNo || identity.MissingPermission == "" {
		t.Errorf("identity: %+v, want unknown secrets and the permission", identity)
	}
}

func TestDeployments(t *testing.T) {
	batches, _ := gather(t, nil, nil)
	b := batches["deployments:7"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	want := record.Deployment{
		ID: "deployment:7:12", Repository: "gitlab.example.com/acme/api", Environment: "production", Commit: "b", Ref: "main", FromProtectedBranch: record.AnswerYes, Pipeline: "pipeline:7",
		Status: record.DeploymentSucceeded, Approval: record.ApprovalApproved, CreatedAt: at("2026-03-02T10:00:00Z"), FinishedAt: at("2026-03-02T10:00:00Z"), UpdatedAt: at("2026-03-02T10:00:00Z"),
		Rollback: record.AnswerNo, ChangesKnown: record.AnswerYes, Changes: []record.Change{{
			ID: "900", FirstCommitAt: at("2026-02-19T09:00:00Z"), OpenedAt: at("2026-02-20T10:00:00Z"), ApprovedAt: at("2026-02-28T10:00:00Z"), MergedAt: at("2026-03-01T12:00:00Z"),
			SecurityReviewAt: at("2026-02-25T10:00:00Z"), SecurityReviewed: record.AnswerYes,
		}},
	}
	if diff := cmp.Diff(want, b.Deployments[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if running := b.Deployments[1]; running.Status != record.DeploymentPending || !running.FinishedAt.IsZero() {
		t.Errorf("running: %+v", running)
	}
	if b.Cursor != "2026-03-03T10:00:00Z" {
		t.Errorf("cursor %q, want that of the last change", b.Cursor)
	}
}

// TestRollbacks: a commit that was live before, with another one since.
func TestRollbacks(t *testing.T) {
	success := func(id int, sha string) string {
		return deploymentJSON(id, "success", sha, "2026-03-02T10:00:00Z", "production", "production")
	}
	for _, c := range []struct {
		name    string
		before  []string
		want    record.Answer
		changes record.Answer
	}{
		{"back to an older one", []string{success(11, "a"), success(10, "b")}, record.AnswerYes, record.AnswerUnknown},
		{"the same again", []string{success(11, "b"), success(10, "a")}, record.AnswerNo, record.AnswerYes},
		{"something new", []string{success(11, "a")}, record.AnswerNo, record.AnswerYes},
		{"the first", nil, record.AnswerNo, record.AnswerNo},
	} {
		t.Run(c.name, func(t *testing.T) {
			batches, _ := gather(t, nil, func(s *collectorstest.Server) {
				s.Handle("GET "+project7+"deployments", func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Query().Get("status") == "success" {
						collectorstest.WriteJSON(w, list(append([]string{success(12, "b")}, c.before...)...))
						return
					}
					collectorstest.WriteJSON(w, list(success(12, "b")))
				})
			})
			d := batches["deployments:7"].Deployments[0]
			if d.Rollback != c.want || d.ChangesKnown != c.changes {
				t.Errorf("rollback %q and changes known %q, want %q and %q", d.Rollback, d.ChangesKnown, c.want, c.changes)
			}
		})
	}
}

// TestApprovals: what the answer about one deployment says.
func TestApprovals(t *testing.T) {
	for answer, want := range map[string]record.Approval{
		`{"id":12,"pending_approval_count":0,"approvals":[{"status":"approved"}]}`: record.ApprovalApproved,
		`{"id":12,"pending_approval_count":0,"approvals":[]}`:                      record.ApprovalNone,
		`{"id":12,"pending_approval_count":1,"approvals":[]}`:                      record.ApprovalBypassed,
		`{"id":12}`: record.ApprovalUnknown, // the tier has none
	} {
		batches, _ := gather(t, nil, func(s *collectorstest.Server) { s.JSON("GET "+project7+"deployments/12", answer) })
		if got := batches["deployments:7"].Deployments[0].Approval; got != want {
			t.Errorf("%s: got %s, want %s", answer, got, want)
		}
	}
}

// TestPagesThatAreTooComplex are asked for in smaller ones, and fields that a version lacks are left out.
func TestPagesThatAreTooComplex(t *testing.T) {
	var sizes []string
	batches, _ := gather(t, nil, func(s *collectorstest.Server) {
		healthy := vulnerabilities(vulnerabilityJSON(1, "DETECTED", ""))
		s.Handle("POST /api/graphql", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			text := string(body)
			r.Body = io.NopCloser(strings.NewReader(text))
			switch {
			case strings.Contains(text, "findingTokenStatus"):
				collectorstest.WriteJSON(w, `{"errors":[{"message":"Field 'findingTokenStatus' doesn't exist on type 'Vulnerability'"}]}`)
			case strings.Contains(text, `"first":100`) || strings.Contains(text, `"first":50`):
				sizes = append(sizes, text[strings.Index(text, `"first":`):][:11])
				collectorstest.WriteJSON(w, `{"errors":[{"message":"Query has complexity of 312, which exceeds max complexity of 250"}]}`)
			default:
				healthy(w, r)
			}
		})
	})
	if b := batches["vulnerabilities:acme"]; b.Err != nil || len(b.Findings) != 1 {
		t.Errorf("got %d findings, %v; want 1", len(b.Findings), b.Err)
	}
	if len(sizes) != 2 {
		t.Errorf("pages that were too complex: %v, want 100 and 50", sizes)
	}
}

// TestVulnerabilitiesThatAreNotShown are a failure, never none.
func TestVulnerabilitiesThatAreNotShown(t *testing.T) {
	for body, want := range map[string]record.ErrorReason{
		`{"data":{"group":null}}`:                     record.ReasonNotFound,
		`{"data":{"group":{"vulnerabilities":null}}}`: record.ReasonPermission,
		`{"data":null}`:                               record.ReasonDecode,
		`{"errors":[{"message":"You don't have permission to perform this action"}]}`: record.ReasonPermission,
	} {
		batches, _ := gather(t, nil, func(s *collectorstest.Server) { s.JSON("POST /api/graphql", body) })
		if b := batches["vulnerabilities:acme"]; record.ReasonOf(b.Err) != want {
			t.Errorf("%s: got %v, want %s", body, b.Err, want)
		}
	}
}

func TestFindings(t *testing.T) {
	batches, _ := gather(t, nil, func(s *collectorstest.Server) {
		s.Handle("POST /api/graphql", vulnerabilities(
			vulnerabilityJSON(1, "CONFIRMED", `,"cveEnrichment":{"epssScore":0.7,"isKnownExploit":true},"hasRemediations":true`),
			vulnerabilityJSON(2, "DETECTED", `,"resolvedOnDefaultBranch":true`),
			vulnerabilityJSON(3, "DISMISSED", `,"dismissedAt":"2026-02-03T10:00:00Z","dismissalReason":"ACCEPTABLE_RISK"`),
			strings.Replace(vulnerabilityJSON(4, "DETECTED", `,"findingTokenStatus":{"status":"ACTIVE"}`), "DEPENDENCY_SCANNING", "SECRET_DETECTION", 1)))
	})
	findings := batches["vulnerabilities:acme"].Findings
	if diff := cmp.Diff(record.Finding{
		ID: "vulnerability:1", Tool: "gemnasium", Class: record.ClassSCA, Repository: "gitlab.example.com/acme/api", Title: "Prototype pollution",
		URL: "https://gitlab.example.com/acme/api/-/security/vulnerabilities/1", Severity: record.SeverityHigh, Category: "CWE-1321", Rule: "Gemnasium-1", Aliases: []string{"CVE-2026-0001"},
		Package: "npm/qs", Version: "6.0.0", Place: "package-lock.json", FirstSeen: at("2026-01-10T10:00:00Z"), UpdatedAt: at("2026-02-01T10:00:00Z"),
		FixAvailable: record.AnswerYes, KnownExploited: record.AnswerYes, EPSS: 0.7,
	}, findings[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, want := range []record.Closure{record.ClosureNone, record.ClosureFixed, record.ClosureRiskAccepted, record.ClosureNone} {
		if findings[i].Closure != want {
			t.Errorf("finding %d is %q, want %q", i+1, findings[i].Closure, want)
		}
	}
	if findings[3].ActiveSecret != record.AnswerYes {
		t.Errorf("a secret that works: %q", findings[3].ActiveSecret)
	}
}

// TestCategories: the weakness's CWE, else the ecosystem of its package, else its rule.
func TestCategories(t *testing.T) {
	noCWE := strings.NewReplacer("cwe", "other")
	noPackage := strings.NewReplacer("cwe", "other", "CVE-2026-0001", "Gemnasium-1", "dependency", "other")
	batches, _ := gather(t, nil, func(s *collectorstest.Server) {
		s.Handle("POST /api/graphql", vulnerabilities(vulnerabilityJSON(1, "DETECTED", ""), noCWE.Replace(vulnerabilityJSON(2, "DETECTED", "")),
			noPackage.Replace(vulnerabilityJSON(3, "DETECTED", ""))))
	})
	var got []string
	for _, f := range batches["vulnerabilities:acme"].Findings {
		got = append(got, f.Category)
	}
	if diff := cmp.Diff([]string{"CWE-1321", "npm", "Gemnasium-1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestScopesOfProjectsThatAreGone are retired once, with the reason, and not while the list could not be read.
func TestScopesOfProjectsThatAreGone(t *testing.T) {
	cursors := collectors.Cursors{"project:7": "", "project:8": "", "deployments:8": "x", "releases:9": "", "project:9": ""}
	batches, _ := gather(t, cursors, nil)
	for scope, want := range map[string]record.Closure{
		"project:8": record.ClosureRepositoryArchived, "deployments:8": record.ClosureRepositoryArchived, "project:9": record.ClosureRepositoryDeleted, "releases:9": record.ClosureRepositoryDeleted,
	} {
		if b := batches[scope]; !b.Retired || b.Absence != want {
			t.Errorf("%s: retired %t for %q, want for %q", scope, b.Retired, b.Absence, want)
		}
	}
	if batches["project:7"].Retired {
		t.Error("a project that is there was retired")
	}
	batches, _ = gather(t, cursors, func(s *collectorstest.Server) {
		s.Handle(groupProjects, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusForbidden) })
	})
	for scope, b := range batches {
		if b.Retired {
			t.Errorf("%s was retired although the projects could not be listed", scope)
		}
	}
}

// TestProjectsAreReadInTurn: those never read first, none before its time, and no more than configured.
func TestProjectsAreReadInTurn(t *testing.T) {
	clock := collectorstest.NewClock()
	c, err := newCollector("https://gitlab.example.com", collectorstest.Secret(t, "x"), collectorstest.Env(clock, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	c.config.ProjectsPerCollection = 3
	ago := func(d time.Duration) record.Cursor { return record.Cursor(clock.Now().Add(-d).Format(time.RFC3339)) }
	projects := []*project{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}, {ID: 5}, {ID: 6, Archived: true}}
	var got []int64
	for _, p := range c.due(projects, collectors.Cursors{"project:1": ago(5 * time.Hour), "project:2": ago(time.Hour), "project:3": ago(9 * time.Hour), "project:4": ""}) {
		got = append(got, p.ID)
	}
	if diff := cmp.Diff([]int64{4, 5, 3}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunners(t *testing.T) {
	names := map[int64]record.RepositoryName{7: "gitlab.example.com/acme/api"}
	type of = struct {
		ID int64 `json:"id"`
	}
	for _, c := range []struct {
		name       string
		runner     runner
		visibility record.RunnerVisibility
		public     record.Answer
	}{
		{"of the instance", runner{ID: 1, Type: "instance_type"}, record.RunnerAll, record.AnswerUnknown},
		{"of the group", runner{ID: 2, Type: "group_type"}, record.RunnerAll, record.AnswerNo},
		{"of one project", runner{ID: 3, Type: "project_type", Projects: []of{{7}}}, record.RunnerRepository, record.AnswerNo},
		{"of several projects", runner{ID: 4, Type: "project_type", Projects: []of{{7}, {8}}}, record.RunnerSelected, record.AnswerNo},
		{"of a kind that nobody knows", runner{ID: 5, Type: "quantum"}, record.RunnerUnknown, record.AnswerUnknown},
	} {
		if got := translateRunner(&c.runner, names); got.Visibility != c.visibility || got.PublicRepositories != c.public {
			t.Errorf("%s: got %q and %q, want %q and %q", c.name, got.Visibility, got.PublicRepositories, c.visibility, c.public)
		}
	}
}

func TestReleases(t *testing.T) {
	batches, _ := gather(t, nil, nil)
	if diff := cmp.Diff([]record.Release{{
		ID: "release:7:v1", Repository: "gitlab.example.com/acme/api", Version: "v1", PublishedAt: at("2026-03-01T10:00:00Z"), UpdatedAt: at("2026-03-01T10:00:00Z"),
		Evidence: map[record.EvidenceKind]record.Answer{record.EvidenceSBOM: record.AnswerYes, record.EvidenceSignature: record.AnswerYes, record.EvidenceProvenance: record.AnswerNo},
	}}, batches["releases:7"].Releases); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestConfigurationMistakes are named all at once.
func TestConfigurationMistakes(t *testing.T) {
	_, err := New(Config{
		URL: "gitlab.example.com", Groups: []string{"https://gitlab.com/acme", ""}, Exclude: []string{"["},
		Common: collectors.Common{StaleAfter: collectors.Duration(time.Hour)},
	}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	for _, want := range []string{"token: ", "url: must be the address", "groups[0]: ", "groups[1]: ", "exclude[0]: ", "posture_interval: 4h must be shorter"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

// TestCheck proves each thing by a request and names what is missing.
func TestCheck(t *testing.T) {
	server := collectorstest.NewServer(t)
	serve(server)
	server.Handle("GET "+project7+"approval_rules", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusForbidden) })
	c, err := newCollector(server.URL(), collectorstest.Secret(t, "x"), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, r := range results {
		if r.Err != nil {
			failed++
			if !strings.Contains(r.Subject, "approval rules") || !strings.Contains(r.Err.Error(), "Premium") || !r.Optional {
				t.Errorf("%s: %v", r.Subject, r.Err)
			}
		}
	}
	if failed != 1 || len(results) != 10 {
		t.Errorf("%d of %d checks failed, want 1 of 10", failed, len(results))
	}
}
