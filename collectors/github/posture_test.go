package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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

// everythingOn is a configuration with every scope.
func everythingOn(c Config) Config {
	c.Properties, c.Environments, c.Scanning, c.Actions, c.SecurityConfigurations = true, true, true, true, true
	c.Bypasses, c.Manifests, c.Deployments = true, true, true
	return c
}

func environmentNode(name, codeowners, environments string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","defaultBranchRef":{"name":"main"},"codeowners":%[2]s,"environments":%[3]s}`,
		name, codeowners, environments)
}

const (
	oneEnvironment = `{"totalCount":1,"nodes":[{"name":"production","protectionRules":{"nodes":[` +
		`{"type":"REQUIRED_REVIEWERS","timeout":0,"preventSelfReview":true},{"type":"WAIT_TIMER","timeout":30},{"type":"BRANCH_POLICY","timeout":0}]}}]}`
	noEnvironments   = `{"totalCount":0,"nodes":[]}`
	restEnvironments = `{"total_count":1,"environments":[{"name":"production","can_admins_bypass":false,"deployment_branch_policy":{"protected_branches":true},` +
		`"protection_rules":[{"type":"required_reviewers","prevent_self_review":true,"reviewers":[{"type":"Team"}]},{"type":"wait_timer","wait_timer":30},{"type":"branch_policy"}]}]}`
	analysisJSON = `{"ref":"refs/heads/main","created_at":"%s","error":"%s","tool":{"name":"%s"}}`
)

// byQuery answers a query about protection, and others by the text that their name begins with.
func byQuery(protection http.HandlerFunc) http.HandlerFunc { return byQueryAnd(protection, nil) }

// byQueryAnd is byQuery with some of its answers replaced.
func byQueryAnd(protection http.HandlerFunc, others map[string]http.HandlerFunc) http.HandlerFunc {
	handlers := map[string]http.HandlerFunc{
		"query Protection(":       protection,
		"query Environments(":     graphQLPages(environmentNode("api", `{"errors":[]}`, oneEnvironment), environmentNode("web", `null`, noEnvironments)),
		"query Manifests(":        newFiles("acme/api web/package-lock.json", "acme/api README.md").answer,
		"query ReleaseBranches(":  graphQLPages(`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","refs":{"pageInfo":{"hasNextPage":false},"nodes":[]}}`),
		"query EnvironmentNames(": graphQLPages(namesNode("api", "production"), namesNode("web")),
		"query Deployments(":      graphQLPages(deploymentsNode("api", healthyDeployments()...), deploymentsNode("web")),
		"query PullsOfCommits(":   pullsOfCommits(map[string][]string{sha("b"): {associated(12, 6*24*time.Hour)}}),
		"query PullRequests(":     pullRequests(map[int]string{12: pullJSON(12, "")}),
		"query Checks(":           answering(`{"data":{"repository":{"defaultBranchRef":null}}}`),
	}
	maps.Copy(handlers, trustQueries())
	maps.Copy(handlers, others)
	return dispatch(handlers)
}

func dispatch(handlers map[string]http.HandlerFunc) http.HandlerFunc {
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

// asks matches the GraphQL query that begins with a text.
func asks(prefix string) func(collectorstest.Request) bool {
	return func(r collectorstest.Request) bool {
		var q struct{ Query string }
		return r.Path == "/graphql" && json.Unmarshal(r.Body, &q) == nil && strings.HasPrefix(q.Query, prefix)
	}
}

func servePosture(s *collectorstest.Server) {
	s.Handle("POST /graphql", byQuery(graphQLPages(nodeJSON("api", bareRef)+","+nodeJSON("old", "null"), nodeJSON("web", bareRef))))
	s.LinkPages("GET /orgs/acme/properties/values", "page",
		collectorstest.Items(`{"repository_full_name":"Acme/api","properties":[{"property_name":"tier","value":"tier1"},{"property_name":"regions","value":["us","eu"]},{"property_name":"none","value":null}]}`),
		collectorstest.Items(`{"repository_full_name":"Acme/web","properties":[]}`))
	s.JSON("GET /orgs/acme/code-security/configurations", collectorstest.Items(
		`{"id":17,"enforcement":"enforced","code_scanning_default_setup":"enabled","dependabot_alerts":"disabled","secret_scanning":"not_set","secret_scanning_push_protection":"enabled"}`))
	s.LinkPages("GET /orgs/acme/code-security/configurations/17/repositories", "after",
		collectorstest.Items(`{"status":"attached","repository":{"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}}`),
		collectorstest.Items(`{"status":"failed","repository":{"full_name":"Acme/web","html_url":"https://github.com/Acme/web"}}`))
	s.JSON("GET /repos/Acme/api/environments", restEnvironments)
	policies := map[string]string{"/orgs/acme": `{"enabled_repositories":"all","allowed_actions":"all"}`}
	now := time.Now().UTC()
	for _, name := range []string{"api", "web"} {
		repo := "/repos/Acme/" + name
		policies[repo] = `{"enabled":true,"allowed_actions":"selected","sha_pinning_required":false}`
		s.LinkPages("GET "+repo+"/code-scanning/analyses", "page",
			collectorstest.Items(fmt.Sprintf(analysisJSON, now.Add(-time.Hour).Format(time.RFC3339), "out of memory", "CodeQL"), fmt.Sprintf(analysisJSON, now.Add(-48*time.Hour).Format(time.RFC3339), "", "CodeQL")),
			collectorstest.Items(fmt.Sprintf(analysisJSON, now.Add(-72*time.Hour).Format(time.RFC3339), "", "Trivy")))
		s.JSON("GET "+repo+"/code-scanning/default-setup", `{"state":"configured"}`)
	}
	for path, policy := range policies {
		s.JSON("GET "+path+"/actions/permissions", policy)
		s.JSON("GET "+path+"/actions/permissions/workflow", `{"default_workflow_permissions":"write","can_approve_pull_request_reviews":false}`)
	}
}

// needList are the scopes that need the list of repositories.
func needList() []string {
	return []string{
		"scanning:acme/api", "scanning:acme/web", "actions:acme/api", "actions:acme/web", "security_configurations:acme", "bypasses:acme/api", "bypasses:acme/web",
		"deployments:acme/api", "deployments:acme/web",
	}
}

func postureScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "properties:acme", Records: 2, Requests: at("/orgs/acme/properties/values"), Pages: 2, Cursor: true, Links: true},
		{Name: "environments:acme", Records: 2, Requests: asks("query Environments("), Pages: 2, Cursor: true},
		{Name: "security_configurations:acme", Records: 3, Requests: at("/orgs/acme/code-security/configurations/17/repositories"), Pages: 2, Cursor: true, Links: true},
		{Name: "scanning:acme/api", Records: 3, Requests: at("/repos/Acme/api/code-scanning/analyses"), Pages: 2, Cursor: true, Links: true},
		{Name: "scanning:acme/web", Records: 3, Requests: at("/repos/Acme/web/code-scanning/analyses"), Pages: 2, Cursor: true, Links: true},
		{Name: "actions:acme/api", Records: 1, Requests: at("/repos/Acme/api/actions/permissions"), Pages: 1},
		{Name: "actions:acme/web", Records: 1, Requests: at("/repos/Acme/web/actions/permissions/workflow"), Pages: 1},
	}
}

func alteredPosture() []collectorstest.Altered {
	properties := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/properties/values", collectorstest.Items(items...))
		}
	}
	return []collectorstest.Altered{
		{Name: "property that is an object", Scope: "properties:acme", Records: 1, Rejected: 1, Serve: properties(
			`{"repository_full_name":"Acme/api","properties":[{"property_name":"tier","value":{"a":1}}]}`, `{"repository_full_name":"Acme/web","properties":[{"property_name":"gold","value":true}]}`)},
		{Name: "properties of nobody", Scope: "properties:acme", Records: 0, Rejected: 1, Serve: properties(`{"properties":[]}`)},
		{Name: "environments of nobody", Scope: "environments:acme", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", dispatch(map[string]http.HandlerFunc{
				"query Protection(":   graphQLPages(nodeJSON("api", bareRef)),
				"query Environments(": graphQLPages(environmentNode("web", "null", noEnvironments) + ",null"),
			}))
		}},
		{Name: "configuration in a state that is not known", Scope: "security_configurations:acme", Records: 3, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/code-security/configurations/17/repositories", collectorstest.Items(`{"status":"pondering","repository":{"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}}`))
		}, Check: func(b record.Batch) error {
			if a := b.Repositories[0].Settings[settingConfiguration]; a.Known() {
				return fmt.Errorf("security_configuration is %q, want unknown", a)
			}
			return nil
		}},
		{Name: "configuration that cannot be understood", Scope: "security_configurations:acme", Records: 0, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/code-security/configurations", collectorstest.Items(`{"id":"seventeen"}`))
		}},
		{Name: "analysis that cannot be understood", Scope: "scanning:acme/api", Records: 2, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/code-scanning/analyses", collectorstest.Items(`{"created_at":"soon"}`))
		}},
		{Name: "policy in words that are not known", Scope: "actions:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/permissions", `{"enabled":true,"allowed_actions":"some"}`)
			s.JSON("GET /repos/Acme/api/actions/permissions/workflow", `{"default_workflow_permissions":"append"}`)
		}, Check: func(b record.Batch) error {
			if diff := cmp.Diff(map[string]record.Answer{settingActionsEnabled: yes, settingTokenCannotApprove: yes}, b.Repositories[0].Settings); diff != "" {
				return fmt.Errorf("settings (-want +got):\n%s", diff)
			}
			return nil
		}},
	}
}

// posture collects once from a source with every scope.
func posture(t *testing.T, change func(*Config), alter func(*collectorstest.Server)) (map[string]record.Batch, *Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := setup(t, func(cfg *Config) {
		*cfg = everythingOn(*cfg)
		if change != nil {
			change(cfg)
		}
	})
	servePosture(s)
	serveDelivery(s)
	if alter != nil {
		alter(s)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return batches, c, s, clock
}

func TestPostureFacts(t *testing.T) {
	batches, _, _, _ := posture(t, nil, nil)
	repositories := func(scope string) []record.Repository { return batches[scope].Repositories }
	want := map[string][]record.Repository{
		"properties:acme": {
			{Name: "acme/api", Properties: map[string]string{"tier": "tier1", "regions": "eu,us"}}, {Name: "acme/web", Properties: map[string]string{}},
		},
		"environments:acme": {
			{Name: "acme/api", Settings: map[string]record.Answer{"codeowners": yes, "codeowners_valid": yes}, Environments: []record.EnvironmentProtection{{
				Environment: "production", RequiredReviewers: yes, SelfReviewPrevented: yes, BranchPolicy: yes, AdminsBound: yes, WaitTimer: 30 * time.Minute,
			}}},
			{Name: "acme/web", Settings: map[string]record.Answer{"codeowners": no}, Environments: []record.EnvironmentProtection{}},
		},
		"security_configurations:acme": {
			{Name: "acme/api", Settings: map[string]record.Answer{"security_configuration": yes, "security_configuration_enforced": yes, "push_protection": yes},
				Scanners: map[record.Class]record.Answer{record.ClassSAST: yes, record.ClassSCA: no}},
			{Name: "acme/web", Settings: map[string]record.Answer{"security_configuration": no}, Scanners: map[record.Class]record.Answer{}},
			{Name: "acme/old", Settings: map[string]record.Answer{"security_configuration": no}},
		},
		"scanning:acme/api": {{Name: "acme/api", Settings: map[string]record.Answer{"code_scanning_default_setup": yes}, Scanners: map[record.Class]record.Answer{record.ClassSAST: yes}}},
		"actions:acme/api": {{Name: "acme/api", Settings: map[string]record.Answer{
			"actions_enabled": yes, "actions_restricted": yes, "actions_pinned": no, "actions_token_read_only": no, "actions_token_cannot_approve": yes,
		}}},
	}
	for scope, list := range want {
		if diff := cmp.Diff(list, repositories(scope)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", scope, diff)
		}
	}
	now := time.Now()
	scans := batches["scanning:acme/api"].Scans
	for i, w := range []struct {
		tool             string
		class            record.Class
		enabled          record.Answer
		success, attempt time.Duration
	}{{"codeql", record.ClassSAST, yes, 48 * time.Hour, time.Hour}, {"trivy", record.ClassContainer, unknown, 72 * time.Hour, 72 * time.Hour}} {
		near := func(at time.Time, ago time.Duration) bool { return now.Add(-ago).Sub(at).Abs() < time.Minute }
		if s := scans[i]; s.Tool != w.tool || s.Class != w.class || s.Enabled != w.enabled || !near(s.SucceededAt, w.success) || !near(s.AttemptedAt, w.attempt) {
			t.Errorf("scan %d = %+v, want %+v", i, s, w)
		}
	}
}

// TestEnvironmentsByREST covers what GraphQL does not say and REST may refuse.
func TestEnvironmentsByREST(t *testing.T) {
	protected := record.EnvironmentProtection{
		Environment: "production", RequiredReviewers: yes, SelfReviewPrevented: yes, BranchPolicy: yes, WaitTimer: 30 * time.Minute,
	}
	bound := protected
	bound.AdminsBound = yes
	unseen := protected
	unseen.MissingPermission = environmentsPermission
	hidden := `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + environmentNode("api", "null", "null") + `]}}},` +
		`"errors":[{"type":"FORBIDDEN","path":["organization","repositories","nodes",0,%q],"message":"no"}]}`
	tests := []struct {
		name, graphql  string
		rest           int
		want           []record.EnvironmentProtection
		codeowners     record.Answer
		secondRequests int
	}{
		{"readable", "", 200, []record.EnvironmentProtection{bound}, yes, 0},
		{"REST refuses", "", 403, []record.EnvironmentProtection{unseen}, yes, 0},
		{"REST finds nothing", "", 404, []record.EnvironmentProtection{unseen}, yes, 0},
		{"GraphQL hides environments", fmt.Sprintf(hidden, "environments"), 200, []record.EnvironmentProtection{bound}, no, 0},
		{"both hide them", fmt.Sprintf(hidden, "environments"), 403, nil, no, 0},
		{"CODEOWNERS is hidden", fmt.Sprintf(hidden, "codeowners"), 403, nil, unknown, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, c, s, _ := posture(t, nil, func(s *collectorstest.Server) {
				if tt.graphql != "" {
					s.Handle("POST /graphql", dispatch(map[string]http.HandlerFunc{
						"query Protection(":   graphQLPages(nodeJSON("api", bareRef)),
						"query Environments(": func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, tt.graphql) },
					}))
				}
				s.Handle("GET /repos/Acme/api/environments", func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(tt.rest)
					collectorstest.WriteJSON(w, restEnvironments)
				})
			})
			got := batches["environments:acme"]
			if got.Err != nil || len(got.Repositories) == 0 {
				t.Fatalf("%+v", got)
			}
			if diff := cmp.Diff(tt.want, got.Repositories[0].Environments); diff != "" {
				t.Errorf("environments (-want +got):\n%s", diff)
			}
			if a := got.Repositories[0].Settings[settingCodeowners]; a != tt.codeowners {
				t.Errorf("codeowners is %q, want %q", a, tt.codeowners)
			}
			s.Forget()
			if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
				t.Fatal(err)
			}
			if n := len(slices.DeleteFunc(s.Requests(), func(r collectorstest.Request) bool { return r.Path != "/repos/Acme/api/environments" })); n != 0 {
				t.Errorf("%d requests for environments within the full interval, want none", n)
			}
		})
	}
}

func TestScanningStates(t *testing.T) {
	refuse := func(code int, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			collectorstest.WriteJSON(w, map[string]string{"message": message})
		}
	}
	setup := func(state string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, map[string]string{"state": state})
		}
	}
	tests := []struct {
		name            string
		analyses, setup http.HandlerFunc
		reason          record.ErrorReason
		enabled, sast   record.Answer
	}{
		{"never analysed, set up", refuse(404, "no analysis found"), setup("configured"), "", yes, yes},
		{"never analysed, not set up", refuse(404, "no analysis found"), setup("not-configured"), "", no, no},
		{"never analysed, set up in words that are not known", refuse(404, "no analysis found"), setup("maybe"), "", unknown, unknown},
		{"never analysed, set-up hidden", refuse(404, "no analysis found"), refuse(403, "Resource not accessible by integration"), "", unknown, unknown},
		{"switched off", refuse(403, "Code Security must be enabled for this repository to use code scanning."), setup("configured"), "", no, no},
		{"hidden", refuse(403, "Resource not accessible by integration"), setup("configured"), record.ReasonPermission, "", ""},
		{"hidden by 404", refuse(404, "Not Found"), setup("configured"), record.ReasonPermission, "", ""},
		{"analysed, not set up", nil, setup("not-configured"), "", unknown, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := posture(t, nil, func(s *collectorstest.Server) {
				if tt.analyses != nil {
					s.Handle("GET /repos/Acme/api/code-scanning/analyses", tt.analyses)
				}
				s.Handle("GET /repos/Acme/api/code-scanning/default-setup", tt.setup)
			})
			b := batches["scanning:acme/api"]
			if tt.reason != "" {
				if record.ReasonOf(b.Err) != tt.reason || !strings.Contains(fmt.Sprint(b.Err), "security_events=read") {
					t.Errorf("error %v, want %s with the permission named", b.Err, tt.reason)
				}
				return
			}
			if b.Err != nil {
				t.Fatal(b.Err)
			}
			if got := b.Repositories[0].Scanners[record.ClassSAST]; got != tt.sast {
				t.Errorf("SAST is %q, want %q", got, tt.sast)
			}
			if b.Scans[0].Tool != "codeql" || b.Scans[0].Enabled != tt.enabled {
				t.Errorf("scan %+v, want CodeQL %q", b.Scans[0], tt.enabled)
			}
		})
	}
}

func TestScanningStopsAtTheHorizon(t *testing.T) {
	batches, _, s, _ := posture(t, nil, func(s *collectorstest.Server) {
		s.LinkPages("GET /repos/Acme/api/code-scanning/analyses", "page",
			collectorstest.Items(fmt.Sprintf(analysisJSON, time.Now().Add(-2*scanHorizon).UTC().Format(time.RFC3339), "", "CodeQL")),
			collectorstest.Items(fmt.Sprintf(analysisJSON, time.Now().Add(-3*scanHorizon).UTC().Format(time.RFC3339), "", "Semgrep")))
	})
	if b := batches["scanning:acme/api"]; b.Err != nil || len(b.Scans) != 1 || b.Scans[0].SucceededAt.IsZero() {
		t.Errorf("batch %+v, want the one scan of the first page", b)
	}
	asked := 0
	for _, r := range s.Requests() {
		if r.Path == "/repos/Acme/api/code-scanning/analyses" {
			asked++
			if got := r.Query.Get("ref"); got != "refs/heads/main" {
				t.Errorf("asked for %q, want the default branch", got)
			}
		}
	}
	if asked != 1 {
		t.Errorf("%d pages were read, want 1", asked)
	}
}

func TestScanningReadsOnPastWhatItCannotUnderstand(t *testing.T) {
	batches, _, _, _ := posture(t, nil, func(s *collectorstest.Server) {
		s.LinkPages("GET /repos/Acme/api/code-scanning/analyses", "page", collectorstest.Items(`{"created_at":"soon"}`),
			collectorstest.Items(fmt.Sprintf(analysisJSON, time.Now().UTC().Format(time.RFC3339), "", "CodeQL")))
	})
	if b := batches["scanning:acme/api"]; b.Err != nil || len(b.Scans) != 1 || b.Scans[0].SucceededAt.IsZero() || b.Rejected[record.RejectTimestamp] != 1 {
		t.Errorf("batch %+v, want one analysis rejected and the one of the second page", b)
	}
}

func TestOrganisationSettlesTheActionsToken(t *testing.T) {
	batches, _, s, _ := posture(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/actions/permissions", `{"enabled_repositories":"all","allowed_actions":"local_only","sha_pinning_required":true}`)
		s.JSON("GET /orgs/acme/actions/permissions/workflow", `{"default_workflow_permissions":"read","can_approve_pull_request_reviews":false}`)
		s.JSON("GET /repos/Acme/api/actions/permissions", `{"enabled":true,"allowed_actions":"all"}`)
	})
	want := map[string]record.Answer{
		"actions_enabled": yes, "actions_restricted": yes, "actions_pinned": yes, "actions_token_read_only": yes, "actions_token_cannot_approve": yes,
	}
	if diff := cmp.Diff(want, batches["actions:acme/api"].Repositories[0].Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	organisation := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/repos/") && strings.HasSuffix(r.Path, "/workflow") {
			t.Errorf("%s was read although the organisation settles it", r.Path)
		}
		if strings.HasPrefix(r.Path, "/orgs/acme/actions/") {
			organisation++
		}
	}
	if organisation != 2 {
		t.Errorf("the organisation's policy took %d requests for two repositories, want 2", organisation)
	}
}

func TestSweepIsPacedAndEndsWithTheRepository(t *testing.T) {
	batches, c, s, clock := posture(t, func(cfg *Config) { cfg.RepositoriesPerCollection = 1 }, nil)
	cursors := collectors.Cursors{}
	note := func(batches map[string]record.Batch) (swept []string) {
		for scope, b := range batches {
			cursors[scope] = b.Cursor
			if strings.HasPrefix(scope, "actions:") {
				swept = append(swept, scope)
			}
		}
		return swept
	}
	next := func() []string {
		t.Helper()
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		return note(batches)
	}
	for i, got := range [][]string{note(batches), next(), next()} {
		want := [][]string{{"actions:acme/api"}, {"actions:acme/web"}, nil}[i]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("collection %d (-want +got):\n%s", i, diff)
		}
	}
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(repoJSON("api", ""), repoJSON("web", `,"archived":true`)))
	if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["scanning:acme/web"]; b.Err != nil || b.Mode != record.Full || b.Repositories == nil || b.Scans == nil || b.Size() != 0 {
		t.Errorf("scope of an archived repository: %+v, want empty and full", b)
	}
	note(batches)
	if again, err := collectorstest.Gather(t.Context(), c, cursors); err != nil || again["scanning:acme/web"].Scope != "" {
		t.Errorf("a retired scope is emitted again: %+v (%v)", again["scanning:acme/web"], err)
	}
	// Before it turns stale it is said again, or what is absent would be unknown from then on.
	if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	batches, err = collectorstest.Gather(t.Context(), c, cursors)
	if b := batches["scanning:acme/web"]; err != nil || b.Scans == nil || b.Size() != 0 {
		t.Errorf("a retired scope after four hours: %+v (%v), want it empty", b, err)
	}
	for _, s := range c.repositoryScopes() {
		b := emptied[s.kind]
		if len(b.Kinds()) == 0 {
			t.Errorf("nothing says that %s holds nothing", s.kind)
		}
	}
}

func TestRepositoryIntervalFitsIntoStaleAfter(t *testing.T) {
	for _, tt := range []struct{ set, stale, want time.Duration }{
		{0, 6 * time.Hour, 4 * time.Hour}, {0, 3 * time.Hour, 2 * time.Hour}, {0, 0, 4 * time.Hour}, {time.Hour, 3 * time.Hour, time.Hour},
	} {
		c, _, _ := setup(t, func(cfg *Config) {
			cfg.RepositoryInterval, cfg.StaleAfter = collectors.Duration(tt.set), collectors.Duration(tt.stale)
		})
		if got := c.config.RepositoryInterval.Std(); got != tt.want {
			t.Errorf("repository_interval %s with stale_after %s is %s, want %s", tt.set, tt.stale, got, tt.want)
		}
	}
}

func TestSweepGivesUpWithoutPermission(t *testing.T) {
	var repos []string
	for i := range 10 {
		repos = append(repos, repoJSON(fmt.Sprintf("r%d", i), ""))
	}
	batches, _, s, _ := posture(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(repos...))
		s.Handle("GET /repos/{org}/{repo}/actions/permissions", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			collectorstest.WriteJSON(w, `{"message":"Resource not accessible by integration"}`)
		})
	})
	failed := 0
	for scope, b := range batches {
		if strings.HasPrefix(scope, "actions:") {
			failed++
			if !strings.Contains(fmt.Sprint(b.Err), actionsPermission) {
				t.Errorf("%s: %v, want the permission named", scope, b.Err)
			}
		}
	}
	asked := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/repos/") && strings.HasSuffix(r.Path, "/actions/permissions") {
			asked++
		}
	}
	if failed != maxRefusals || asked != maxRefusals {
		t.Errorf("%d scopes failed by %d requests, want %d", failed, asked, maxRefusals)
	}
}

func TestReleaseBranches(t *testing.T) {
	ref := func(name, rules string) string {
		return fmt.Sprintf(`{"name":%q,"refUpdateRule":null,"branchProtectionRule":null,"rules":{"totalCount":1,"nodes":[%s]}}`, name, rules)
	}
	deletion := ruleJSON("DELETION", "ACTIVE", 1, "null")
	var asked []string
	batches, _, _, _ := posture(t, func(cfg *Config) { cfg.ReleaseBranches = []string{"release/*", "lts-?"} }, func(s *collectorstest.Server) {
		s.JSON("GET /repos/Acme/api/rulesets/1", noActors)
		s.Handle("POST /graphql", dispatch(map[string]http.HandlerFunc{
			"query Protection(":   graphQLPages(nodeJSON("api", bareRef)),
			"query Environments(": graphQLPages(environmentNode("api", "null", noEnvironments)),
			"query Manifests(":    newFiles("acme/api web/package-lock.json", "acme/api README.md").answer,
			"query ReleaseBranches(": func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					Variables struct{ Match string }
				}
				_ = json.NewDecoder(r.Body).Decode(&q)
				asked = append(asked, q.Variables.Match)
				refs := `{"pageInfo":{"hasNextPage":false},"nodes":[` + ref("release/1.0", deletion) + "," + ref("old/release/1", deletion) + "," + ref("main", deletion) + `]}`
				if q.Variables.Match == "lts-" {
					refs = `{"pageInfo":{"hasNextPage":true},"nodes":[]}`
				}
				collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","refs":`+refs+`}]}}}}`)
			},
		}))
	})
	b := batches["protection:acme"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	if diff := cmp.Diff([]string{"release/", "lts-"}, asked); diff != "" {
		t.Errorf("branches asked for (-want +got):\n%s", diff)
	}
	release := nothing()
	release.Branch, release.Default, release.DeletionBlocked = "release/1.0", false, yes
	release.AdminsBound, release.BypassLimited = yes, yes
	more := record.BranchProtection{Branch: "lts-?", Approvals: record.ApprovalsUnknown}
	if diff := cmp.Diff([]record.BranchProtection{nothing(), release, more}, b.Repositories[0].Branches); diff != "" {
		t.Errorf("branches (-want +got):\n%s", diff)
	}
}

func TestPostureIsCheckedAndForecast(t *testing.T) {
	_, c, s, _ := posture(t, func(cfg *Config) { cfg.Deployments = false }, nil)
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	s.Inject(&collectorstest.Fault{Apply: collectorstest.Status(http.StatusForbidden), Match: func(r collectorstest.Request) bool {
		return r.Path != "/orgs/acme/repos"
	}})
	if results, err = c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for subject, permission := range map[string]string{
		"custom properties": propertiesPermission, "security configurations": configurationsPermission, "environments": environmentsPermission,
		"code scanning analyses": "security_events=read", "Actions policy": actionsPermission, "rule suites": ruleSuitesPermission,
		"manifests of Dependabot alerts": contentsPermission, "CODEOWNERS": contentsPermission, "Actions policy of the organisation": orgActionsPermission,
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 || !strings.Contains(fmt.Sprint(results[at].Err), permission) || results[at].Unknown == "" {
			t.Errorf("%s does not name %s: %+v", subject, permission, results)
		}
	}
	// Two repositories in two scopes of two requests and one of one each 4 h, one of environments each 24 h, and per hour one page each of repositories, properties,
	// configurations and their repositories, besides 36 for alerts and 4 pages of sweeps a day.
	// The one manifest of the alerts is looked for once a day.
	forecast := c.Forecast()
	if want := 36 + 4 + 2.0 + 0.5 + (1+6)/24.0; fmt.Sprintf("%.3f", forecast["core"]) != fmt.Sprintf("%.3f", want) {
		t.Errorf("forecast of core is %v, want %v", forecast["core"], want)
	}
	if want := 2 + 1/24.0; fmt.Sprintf("%.6f", forecast["graphql"]) != fmt.Sprintf("%.6f", want) {
		t.Errorf("forecast of GraphQL is %v, want %v", forecast["graphql"], want)
	}
}
