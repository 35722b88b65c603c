package sonarqube

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

func issueJSON(key, status, more string) string {
	return fmt.Sprintf(`{"key":%q,"rule":"java:S3649","severity":"CRITICAL","component":"acme_api:src/a.java","project":"acme_api","line":7,"issueStatus":%q,"message":"SQL built from input",
 "tags":["cwe","sql"],"creationDate":"2026-01-02T04:00:00-0400","updateDate":"2026-02-01T00:00:00+0000","impacts":[{"softwareQuality":"SECURITY","severity":"BLOCKER"}]%s}`, key, status, more)
}

func hotspotJSON(key, status, resolution string) string {
	return fmt.Sprintf(`{"key":%q,"component":"K1","project":"acme_api","securityCategory":"auth","vulnerabilityProbability":"HIGH","status":%q,"resolution":%q,"line":9,
 "message":"Hard-coded?","creationDate":"2026-01-02T00:00:00+0000","updateDate":"2026-03-01T00:00:00+0000","ruleKey":"java:S2068"}`, key, status, resolution)
}

func page(list string, total int, items ...string) string {
	return fmt.Sprintf(`{"paging":{"pageIndex":1,"pageSize":500,"total":%d},%q:[%s],"components":[{"key":"K1","path":"src/login.java"}]}`, total, list, strings.Join(items, ","))
}

// numbered serves pages by number, and empty ones after the last.
func numbered(list string, total int, pages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var number int
		if _, err := fmt.Sscan(r.URL.Query().Get("p"), &number); err != nil || number < 1 {
			http.Error(w, `{"errors":[{"msg":"p"}]}`, http.StatusBadRequest)
			return
		}
		if number > len(pages) {
			collectorstest.WriteJSON(w, page(list, total))
			return
		}
		collectorstest.WriteJSON(w, pages[number-1])
	}
}

var issuePages = []string{
	page("issues", 3, issueJSON("i1", "OPEN", ""), issueJSON("i2", "FIXED", `,"closeDate":"2026-02-03T00:00:00+0000"`)),
	page("issues", 3, issueJSON("i3", "ACCEPTED", "")),
}

func serve(s *collectorstest.Server) {
	s.Handle("GET /api/server/version", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("2025.1.0.102418")) })
	s.JSON("GET /api/components/search", `{"paging":{"total":1},"components":[{"key":"acme_api","name":"API","qualifier":"TRK"}]}`)
	s.JSON("GET /api/project_analyses/search", `{"analyses":[{"key":"A","date":"2026-04-01T00:00:00+0000"}]}`)
	s.Handle("GET /api/issues/search", numbered("issues", 3, issuePages...))
	s.Handle("GET /api/hotspots/search", numbered("hotspots", 2, page("hotspots", 2, hotspotJSON("h1", "TO_REVIEW", ""), hotspotJSON("h2", "REVIEWED", "SAFE"))))
	s.Handle("GET /api/rules/show", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("key") == "java:S3649" {
			collectorstest.WriteJSON(w, `{"rule":{"key":"java:S3649","securityStandards":["owaspTop10:a1","cwe:89"]}}`)
			return
		}
		http.NotFound(w, r)
	})
}

func testEnv() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

var rules = []translate.Project{{Match: "acme_(.+)", Repository: "acme/$1"}}

func TestConformance(t *testing.T) {
	path := func(paths ...string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return slices.Contains(paths, r.Path) }
	}
	swap := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON("GET /api/issues/search", page("issues", len(items), items...)) }
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: baseURL, Token: token, Projects: rules}, env)
		},
		Serve: serve,
		Scopes: []collectorstest.Scope{
			{Name: "issues:acme_api", Records: 4, Requests: path("/api/issues/search"), Pages: 2, Items: "issues"},
			{Name: "hotspots:acme_api", Records: 2, Requests: path("/api/hotspots/search"), Pages: 1},
		},
		Altered: []collectorstest.Altered{
			{Name: "unknown status", Scope: "issues:acme_api", Records: 2, Serve: swap(issueJSON("i1", "HAUNTED", "")), Check: func(b record.Batch) error {
				if b.Findings[0].Closure != record.ClosureNone {
					return fmt.Errorf("got closure %q, want an open finding", b.Findings[0].Closure)
				}
				return nil
			}},
			{Name: "items that cannot be read", Scope: "issues:acme_api", Records: 2, Rejected: 3, Serve: swap(issueJSON("i1", "OPEN", ""), `{"key":7}`, `{"key":""}`, `{"key":"x","updateDate":"soon"}`)},
			{Name: "hotspot that cannot be read", Scope: "hotspots:acme_api", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
				s.JSON("GET /api/hotspots/search", page("hotspots", 2, hotspotJSON("h1", "TO_REVIEW", ""), `{"key":[]}`))
			}, Check: func(b record.Batch) error {
				if b.Absence != record.ClosureNone {
					return fmt.Errorf("absence %q, want none where an item could not be read", b.Absence)
				}
				return nil
			}},
		},
		Gone: []collectorstest.Gone{
			{
				Name: "a project is deleted", Retired: []string{"issues:acme_api", "hotspots:acme_api"}, Reason: record.ClosureOutOfScope,
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", page("components", 0))
					s.Handle("GET /api/components/show", func(w http.ResponseWriter, _ *http.Request) {
						http.Error(w, `{"errors":[{"msg":"Component key 'acme_api' not found"}]}`, http.StatusNotFound)
					})
				},
			},
			{
				Name: "the token may not browse a project any more", Hidden: []string{"issues:acme_api", "hotspots:acme_api"},
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", page("components", 0))
					s.Handle("GET /api/components/show", func(w http.ResponseWriter, _ *http.Request) {
						http.Error(w, `{"errors":[{"msg":"Insufficient privileges"}]}`, http.StatusForbidden)
					})
				},
			},
			{
				Name: "the search index lacks a project that is there",
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", page("components", 0))
					s.JSON("GET /api/components/show", `{"component":{"key":"acme_api"}}`)
				},
			},
		},
		Readme: "README.md",
	})
}

func bench(t *testing.T, config Config, scripts ...func(*collectorstest.Server)) (*Collector, *collectorstest.Server) {
	t.Helper()
	server := collectorstest.NewServer(t)
	serve(server)
	for _, script := range scripts {
		script(server)
	}
	config.URL, config.Token = server.URL()+"/api/", collectorstest.Secret(t, collectorstest.Token)
	c, err := New(config, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

func gather(t *testing.T, c *Collector, cursors collectors.Cursors) map[string]record.Batch {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func TestRecords(t *testing.T) {
	c, server := bench(t, Config{Projects: rules})
	batches := gather(t, c, nil)
	open := record.Finding{
		ID: "issue:i1", Tool: tool, Class: record.ClassSAST, Repository: "acme/api", Title: "SQL built from input", URL: server.URL() + "/project/issues?id=acme_api&open=i1",
		Severity: record.SeverityCritical, Category: "CWE-89", Rule: "java:S3649", Place: "src/a.java", Line: 7,
		FirstSeen: time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC), UpdatedAt: day(2, 1),
	}
	fixed, accepted := open, open
	fixed.ID, fixed.URL, fixed.Closure, fixed.ClosedAt = "issue:i2", server.URL()+"/project/issues?id=acme_api&open=i2", record.ClosureFixed, day(2, 3)
	accepted.ID, accepted.URL, accepted.Closure, accepted.ClosedAt = "issue:i3", server.URL()+"/project/issues?id=acme_api&open=i3", record.ClosureRiskAccepted, day(2, 1)
	issues := record.Batch{
		Scope: "issues:acme_api", Mode: record.Full, Findings: []record.Finding{open, fixed, accepted}, Rejected: map[record.RejectReason]int{}, Cursor: "2026-02-01T00:00:00Z",
		Scans: []record.Scan{{Tool: tool, Class: record.ClassSAST, Repository: "acme/api", SucceededAt: day(4, 1), AttemptedAt: day(4, 1), Enabled: record.AnswerYes}},
	}
	if diff := cmp.Diff(issues, batches["issues:acme_api"]); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	toReview := record.Finding{
		ID: "hotspot:h1", Tool: tool, Class: record.ClassSAST, Repository: "acme/api", Title: "Hard-coded?", URL: server.URL() + "/security_hotspots?id=acme_api&hotspots=h1",
		Severity: record.SeverityHigh, Category: "auth", Rule: "java:S2068", Place: "src/login.java", Line: 9, FirstSeen: day(1, 2), UpdatedAt: day(3, 1),
	}
	safe := toReview
	safe.ID, safe.URL, safe.Closure, safe.ClosedAt = "hotspot:h2", server.URL()+"/security_hotspots?id=acme_api&hotspots=h2", record.ClosureFalsePositive, day(3, 1)
	hotspots := record.Batch{
		Scope: "hotspots:acme_api", Mode: record.Full, Findings: []record.Finding{toReview, safe}, Rejected: map[record.RejectReason]int{}, Absence: record.ClosureFixed,
	}
	if diff := cmp.Diff(hotspots, batches["hotspots:acme_api"]); diff != "" {
		t.Errorf("hotspots (-want +got):\n%s", diff)
	}
	server.Forget()
	gather(t, c, nil)
	for _, r := range server.Requests() {
		if r.Path == "/api/rules/show" {
			t.Errorf("the rule %s was read twice", r.Query.Get("key"))
		}
	}
}

func TestDelta(t *testing.T) {
	old := strings.ReplaceAll(issueJSON("old", "OPEN", ""), "2026-02-01T", "2025-02-01T")
	c, server := bench(t, Config{Projects: rules}, func(s *collectorstest.Server) {
		s.Handle("GET /api/issues/search", numbered("issues", 700, page("issues", 700, issueJSON("i1", "OPEN", ""), old), page("issues", 700, old)))
	})
	b := gather(t, c, collectors.Cursors{"issues:acme_api": "2026-02-01T00:10:00Z"})["issues:acme_api"]
	if b.Err != nil || b.Mode != record.Delta || len(b.Findings) != 2 || b.Cursor != "2026-02-01T00:10:00Z" {
		t.Errorf("got %+v, want a delta of the first page whose cursor does not go back", b)
	}
	asked := 0
	for _, r := range server.Requests() {
		if r.Path == "/api/issues/search" {
			asked++
			if r.Query.Get("s") != "UPDATE_DATE" || r.Query.Get("asc") != "false" {
				t.Errorf("the search %v is not ordered by change", r.Query)
			}
		}
	}
	if asked != 1 {
		t.Errorf("%d searches, want one: the page ends before the cursor", asked)
	}
	if b := gather(t, c, collectors.Cursors{"issues:acme_api": "gibberish"})["issues:acme_api"]; b.Mode == record.Delta {
		t.Error("a cursor that cannot be read gives a delta")
	}
}

func TestSecurityByVersion(t *testing.T) {
	for _, tt := range []struct {
		version string
		config  Config
		want    string
	}{
		{"9.9.8.100196", Config{}, "types"}, {"10.1.0.73491", Config{}, "types"}, {"10.2.0.77647\n", Config{}, "impactSoftwareQualities"}, {"2025.1.0.102418", Config{}, "impactSoftwareQualities"},
		{"10.8", Config{SecurityBy: SecurityByType}, "types"}, {"8.0.0.1", Config{Organization: "acme"}, "impactSoftwareQualities"},
	} {
		c, server := bench(t, tt.config, func(s *collectorstest.Server) {
			s.Handle("GET /api/server/version", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tt.version)) })
		})
		gather(t, c, nil)
		for _, r := range server.Requests() {
			if r.Path == "/api/issues/search" && (!r.Query.Has(tt.want) || r.Query.Get("organization") != tt.config.Organization) {
				t.Errorf("%s, %+v: searched with %v, want %s", tt.version, tt.config, r.Query, tt.want)
			}
		}
	}
	for _, version := range []string{"", "ten.two.0", "10"} {
		c, _ := bench(t, Config{}, func(s *collectorstest.Server) {
			s.Handle("GET /api/server/version", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(version)) })
		})
		if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonDecode {
			t.Errorf("version %q = %v, want a decode error", version, err)
		}
	}
}

func TestStatusesAndSeverities(t *testing.T) {
	c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	for _, tt := range []struct {
		w    wireIssue
		want record.Closure
	}{
		{wireIssue{IssueStatus: "OPEN"}, record.ClosureNone}, {wireIssue{IssueStatus: "CONFIRMED"}, record.ClosureNone}, {wireIssue{IssueStatus: "IN_SANDBOX"}, record.ClosureNone},
		{wireIssue{IssueStatus: "FALSE_POSITIVE", Status: "RESOLVED", Resolution: "FALSE-POSITIVE"}, record.ClosureFalsePositive},
		{wireIssue{IssueStatus: "ACCEPTED", Status: "RESOLVED", Resolution: "WONTFIX"}, record.ClosureRiskAccepted},
		{wireIssue{IssueStatus: "FIXED", Status: "CLOSED", Resolution: "FIXED"}, record.ClosureFixed}, {wireIssue{IssueStatus: "FIXED", Resolution: "REMOVED"}, record.ClosureOutOfScope},
		{wireIssue{IssueStatus: "HAUNTED"}, record.ClosureNone},
		{wireIssue{Status: "OPEN"}, record.ClosureNone}, {wireIssue{Status: "CONFIRMED"}, record.ClosureNone}, {wireIssue{Status: "REOPENED"}, record.ClosureNone},
		{wireIssue{Status: "TO_REVIEW"}, record.ClosureNone}, {wireIssue{Status: "IN_REVIEW"}, record.ClosureNone}, {wireIssue{}, record.ClosureNone}, {wireIssue{Status: "LOST", Resolution: "FIXED"}, record.ClosureNone},
		{wireIssue{Status: "RESOLVED", Resolution: "FIXED"}, record.ClosureFixed}, {wireIssue{Status: "CLOSED", Resolution: "FIXED"}, record.ClosureFixed},
		{wireIssue{Status: "RESOLVED", Resolution: "FALSE-POSITIVE"}, record.ClosureFalsePositive}, {wireIssue{Status: "RESOLVED", Resolution: "WONTFIX"}, record.ClosureWontFix},
		{wireIssue{Status: "CLOSED", Resolution: "REMOVED"}, record.ClosureOutOfScope}, {wireIssue{Status: "REVIEWED", Resolution: "SAFE"}, record.ClosureFalsePositive},
		{wireIssue{Status: "CLOSED"}, record.ClosureOther}, {wireIssue{Status: "CLOSED", Resolution: "EATEN"}, record.ClosureOther},
	} {
		if got := c.closure(&tt.w); got != tt.want {
			t.Errorf("%s %s %s = %q, want %q", tt.w.IssueStatus, tt.w.Status, tt.w.Resolution, got, tt.want)
		}
	}
	for in, want := range map[string]record.Severity{
		`{"severity":"BLOCKER"}`: record.SeverityCritical, `{"severity":"CRITICAL"}`: record.SeverityHigh, `{"severity":"MAJOR"}`: record.SeverityMedium, `{"severity":"MINOR"}`: record.SeverityLow,
		`{"severity":"INFO"}`: record.SeverityLow, `{}`: record.SeverityUnknown, `{"severity":"EPIC"}`: record.SeverityUnknown,
		`{"severity":"MINOR","impacts":[{"softwareQuality":"RELIABILITY","severity":"BLOCKER"},{"softwareQuality":"SECURITY","severity":"HIGH"}]}`: record.SeverityHigh,
		`{"severity":"MINOR","impacts":[{"softwareQuality":"RELIABILITY","severity":"BLOCKER"}]}`:                                                  record.SeverityLow,
		`{"impacts":[{"softwareQuality":"SECURITY","severity":"BLOCKER"}]}`:                                                                        record.SeverityCritical,
		`{"impacts":[{"softwareQuality":"SECURITY","severity":"MEDIUM"}]}`:                                                                         record.SeverityMedium,
		`{"impacts":[{"softwareQuality":"SECURITY","severity":"LOW"}]}`:                                                                            record.SeverityLow,
		`{"impacts":[{"softwareQuality":"SECURITY","severity":"INFO"}]}`:                                                                           record.SeverityLow,
		`{"impacts":[{"softwareQuality":"SECURITY","severity":"EPIC"}]}`:                                                                           record.SeverityUnknown,
	} {
		w, err := translate.Decode[wireIssue](json.RawMessage(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.severity(w); got != want {
			t.Errorf("severity of %s = %q, want %q", in, got, want)
		}
	}
	for _, tt := range []struct {
		status, resolution string
		want               record.Closure
	}{
		{"TO_REVIEW", "", record.ClosureNone}, {"REVIEWED", "FIXED", record.ClosureFixed}, {"REVIEWED", "SAFE", record.ClosureFalsePositive}, {"REVIEWED", "ACKNOWLEDGED", record.ClosureNone},
		{"REVIEWED", "", record.ClosureNone}, {"REVIEWED", "SHRUG", record.ClosureNone}, {"NAPPING", "FIXED", record.ClosureNone},
	} {
		f, err := c.hotspotIn(hotspotJSON("h", tt.status, tt.resolution))
		if err != nil || f.Closure != tt.want || (f.Closure == record.ClosureNone) != f.ClosedAt.IsZero() {
			t.Errorf("hotspot %s %s = %q at %v, %v; want %q", tt.status, tt.resolution, f.Closure, f.ClosedAt, err, tt.want)
		}
	}
	for rule, want := range map[string]record.Class{
		"java:S1": record.ClassSAST, "secrets:S6702": record.ClassSecret, "OWASP:UsingComponentWithKnownVulnerability": record.ClassSCA, "terraform:S6321": record.ClassIaC, "external_ruff:S1": record.ClassSAST, "": record.ClassSAST,
	} {
		if got := classOf(rule); got != want {
			t.Errorf("class of rule %q = %q, want %q", rule, got, want)
		}
	}
}

func (c *Collector) hotspotIn(text string) (record.Finding, error) {
	return c.hotspot(json.RawMessage(text), nil, project{key: "acme_api"})
}

func TestBindings(t *testing.T) {
	answer := `{"alm":"github","repository":"Acme/api","url":"https://api.github.com"}`
	c, server := bench(t, Config{ALMBindings: true}, func(s *collectorstest.Server) {
		s.Handle("GET /api/alm_settings/get_binding", func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, answer) })
	})
	batches := gather(t, c, nil)
	if f := batches["issues:acme_api"].Findings[0]; f.Repository != "acme/api" {
		t.Errorf("repository %q, want the bound one", f.Repository)
	}
	server.Forget()
	answer = `{"alm":"gitlab","repository":"4711","url":"https://gitlab.example.com/api/v4"}`
	if f := gather(t, c, collectors.Cursors{"issues:acme_api": "2026-01-01T00:00:00Z"})["issues:acme_api"].Findings[0]; f.Repository != "acme/api" {
		t.Errorf("repository %q of a delta, want the one that is remembered", f.Repository)
	}
	if f := gather(t, c, nil)["issues:acme_api"].Findings[0]; f.Repository != "" {
		t.Errorf("repository %q of a project bound to a number, want none", f.Repository)
	}
	server.Handle("GET /api/alm_settings/get_binding", http.NotFound)
	if b := gather(t, c, nil)["issues:acme_api"]; b.Err != nil {
		t.Errorf("a project that is bound to nothing: %v", b.Err)
	}
	server.Handle("GET /api/alm_settings/get_binding", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
	if b := gather(t, c, nil)["issues:acme_api"]; record.ReasonOf(b.Err) != record.ReasonPermission || !strings.Contains(b.Err.Error(), browse) {
		t.Errorf("a binding that may not be read: %v, want the missing permission", b.Err)
	}
	for in, want := range map[[2]string]record.RepositoryName{
		{"https://git.example.com/api/v3", "Acme/API"}: "git.example.com/acme/api", {"https://api.github.com", "api"}: "", {"", "acme/api"}: "acme/api", {"://", "acme/api"}: "",
	} {
		if got := boundRepository(in[0], in[1]); got != want {
			t.Errorf("boundRepository(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFailuresBesideTheSearch(t *testing.T) {
	fail := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) }
	for _, path := range []string{"/api/project_analyses/search", "/api/rules/show"} {
		c, _ := bench(t, Config{Projects: rules}, func(s *collectorstest.Server) { s.Handle("GET "+path, fail) })
		if b := gather(t, c, nil)["issues:acme_api"]; record.ReasonOf(b.Err) != record.ReasonPermission {
			t.Errorf("%s fails and the issues have the error %v, want permission", path, b.Err)
		}
	}
	for name, body := range map[string]string{"no list": `{"paging":{"total":1}}`, "no key": `{"paging":{"total":1},"components":[{"name":"x"}]}`} {
		c, _ := bench(t, Config{}, func(s *collectorstest.Server) { s.JSON("GET /api/components/search", body) })
		if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonDecode {
			t.Errorf("projects with %s = %v, want a decode error", name, err)
		}
	}
	c, _ := bench(t, Config{WithoutHotspots: true}, func(s *collectorstest.Server) {
		s.Handle("GET /api/issues/search", numbered("issues", 9, page("issues", 9, issueJSON("i1", "OPEN", ""))))
	})
	batches := gather(t, c, nil)
	if b := batches["issues:acme_api"]; record.ReasonOf(b.Err) != record.ReasonTruncated || len(batches) != 1 {
		t.Errorf("9 counted and 1 given: %v in %d scopes, want truncated", b.Err, len(batches))
	}
}

func TestCheckAndForecast(t *testing.T) {
	c, server := bench(t, Config{Common: collectors.Common{Interval: collectors.Duration(2 * time.Hour)}}, func(s *collectorstest.Server) {
		s.Handle("GET /api/hotspots/search", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
	})
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 5 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, r := range results {
		if failed := strings.HasSuffix(r.Subject, ": hotspots"); failed != (r.Err != nil) || r.Unknown == "" {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	server.Forget()
	gather(t, c, nil)
	if got, want := c.Forecast()[""], float64(len(server.Requests()))/2; got != want {
		t.Errorf("Forecast() = %v, want %v", got, want)
	}
	server.JSON("GET /api/components/search", `{"paging":{"total":0},"components":[]}`)
	if results, err := c.Check(t.Context()); err != nil || len(results) != 2 || record.ReasonOf(results[1].Err) != record.ReasonPermission {
		t.Errorf("a token that sees no project: %+v, %v", results, err)
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	token := apiclient.Secret{Env: "SONAR_TOKEN"}
	for want, config := range map[string]Config{
		"url is missing": {Token: token},
		"token":          {URL: "https://sonarcloud.io"},
		"security_by":    {URL: "https://sonarcloud.io", Token: token, SecurityBy: "mood"},
		"rule 1":         {URL: "https://sonarcloud.io", Token: token, Projects: []translate.Project{{}}},
		"absolute":       {URL: "sonarcloud.io", Token: token},
	} {
		if _, err := New(config, testEnv()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}

func FuzzIssue(f *testing.F) {
	f.Add([]byte(issueJSON("i1", "OPEN", `,"closeDate":"2026-02-03T00:00:00+0000"`)))
	f.Add([]byte(hotspotJSON("h1", "REVIEWED", "SAFE")))
	c := &Collector{Base: &platform.Base{URL: "https://sonar.example.com", Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	p := project{key: "acme_api"}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, translated := range []func(json.RawMessage, *answer, project) (record.Finding, error){c.issue, c.hotspot} {
			got, err := translated(data, nil, p)
			if err != nil {
				continue
			}
			switch {
			case got.ID == "" || !slices.Contains(record.Classes(), got.Class) || !slices.Contains(record.Severities(), got.Severity):
				t.Errorf("%s became %+v", data, got)
			case len(got.Title) > record.MaxText || len(got.Place) > record.MaxText || len(got.URL) > record.MaxText || got.Line < 0:
				t.Errorf("%s is not kept within bounds: %+v", data, got)
			case got.Closure == record.ClosureNone && !got.ClosedAt.IsZero():
				t.Errorf("%s is open and was closed at %v", data, got.ClosedAt)
			}
		}
	})
}
