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
		Serve: func(s *collectorstest.Server) {
			serve(s)
			s.JSON("GET /api/v2/sca/feature-enabled", `{"enabled":true}`)
			s.Handle("GET /api/v2/sca/issues-releases", func(w http.ResponseWriter, r *http.Request) {
				items := map[string]string{"1": `{"key":"d1","status":"OPEN"},{"key":"d2","status":"SAFE"}`, "2": `{"key":"d3","status":"OPEN"}`}[r.URL.Query().Get("pageIndex")]
				collectorstest.WriteJSON(w, `{"issuesReleases":[`+items+`],"page":{"total":3}}`)
			})
			s.Handle("GET /api/hotspots/search", numbered("hotspots", 2, page("hotspots", 2, hotspotJSON("h1", "TO_REVIEW", "")), page("hotspots", 2, hotspotJSON("h2", "REVIEWED", "SAFE"))))
		},
		Scopes: []collectorstest.Scope{
			{Name: "dependencies:acme_api", Records: 3, Requests: path("/api/v2/sca/issues-releases"), Pages: 2, Items: "issuesReleases", Total: "page.total"},
			{Name: "issues:acme_api", Records: 4, Requests: path("/api/issues/search"), Pages: 2, Items: "issues", Total: "paging.total"},
			{Name: "hotspots:acme_api", Records: 2, Requests: path("/api/hotspots/search"), Pages: 2, Items: "hotspots", Total: "paging.total"},
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
				Name: "a project is deleted", Retired: []string{"issues:acme_api", "hotspots:acme_api", "dependencies:acme_api"}, Reason: record.ClosureOutOfScope,
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", `{"paging":{"total":0},"components":[]}`)
					s.Handle("GET /api/components/show", func(w http.ResponseWriter, _ *http.Request) {
						http.Error(w, `{"errors":[{"msg":"Component key 'acme_api' not found"}]}`, http.StatusNotFound)
					})
				},
			},
			{
				Name: "the token may not browse a project any more", Hidden: []string{"issues:acme_api", "hotspots:acme_api"},
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", `{"paging":{"total":0},"components":[]}`)
					s.Handle("GET /api/components/show", func(w http.ResponseWriter, _ *http.Request) {
						http.Error(w, `{"errors":[{"msg":"Insufficient privileges"}]}`, http.StatusForbidden)
					})
				},
			},
			{
				Name: "the search index lacks a project that is there",
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /api/components/search", `{"paging":{"total":0},"components":[]}`)
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
		if got := c.severity(w, SecurityByImpact); got != want {
			t.Errorf("severity of %s = %q, want %q", in, got, want)
		}
	}
	demoted := &wireIssue{Severity: "MINOR"}
	if err := json.Unmarshal([]byte(`{"impacts":[{"softwareQuality":"SECURITY","severity":"HIGH"}]}`), demoted); err != nil || c.severity(demoted, SecurityByType) != record.SeverityLow {
		t.Errorf("severity by type = %q (%v), want the issue's own", c.severity(demoted, SecurityByType), err)
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
	for in, want := range map[wireBinding]record.RepositoryName{
		{ALM: "github", URL: "https://git.example.com/api/v3", Repository: "Acme/API"}:                     "git.example.com/acme/api",
		{ALM: "github", URL: "https://api.github.com", Repository: "api"}:                                  "",
		{ALM: "github", Repository: "acme/api"}:                                                            "acme/api",
		{ALM: "github", URL: "://", Repository: "acme/api"}:                                                "",
		{ALM: "gitlab", URL: "https://gitlab.example.com/api/v4", Repository: "grp/sub/app"}:               "gitlab.example.com/grp/sub/app",
		{ALM: "gitlab", URL: "https://gitlab.example.com/api/v4", Repository: "4711"}:                      "",
		{ALM: "azure", URL: "https://dev.azure.com/acme", Slug: "Shop", Repository: "api"}:                 "dev.azure.com/acme/shop/api",
		{ALM: "azure", URL: "https://acme.visualstudio.com", Slug: "Shop", Repository: "api"}:              "dev.azure.com/acme/shop/api",
		{ALM: "azure", URL: "https://dev.azure.com/acme", Repository: "api"}:                               "",
		{ALM: "bitbucket", URL: "https://bitbucket.example.com", Repository: "PAY", Slug: "app"}:           "bitbucket.example.com/pay/app",
		{ALM: "bitbucketcloud", URL: "https://api.bitbucket.org/2.0/repositories/acme", Repository: "app"}: "bitbucket.org/acme/app",
		{ALM: "bitbucketcloud", Repository: "acme/app"}:                                                    "bitbucket.org/acme/app",
		{ALM: "bitbucketcloud", Repository: "app"}:                                                         "",
		{ALM: "forge", URL: "https://forge.example", Repository: "a/b"}:                                    "",
	} {
		if got := in.repository(); got != want {
			t.Errorf("%+v is bound to %q, want %q", in, got, want)
		}
	}
}

// TestLinks: a project on GitLab is bound to a number; the link to its source, which scanners set, has the name.
func TestLinks(t *testing.T) {
	for link, want := range map[string]record.RepositoryName{
		`{"type":"scm","url":"https://gitlab.example.com/grp/app.git"}`:                                          "gitlab.example.com/grp/app",
		`{"type":"homepage","url":"https://x.example/a/b"},{"type":"scm","url":"scm:git:git@github.com:acme/x"}`: "acme/x",
		`{"type":"ci","url":"https://ci.example.com/a/b"}`:                                                       "",
	} {
		c, _ := bench(t, Config{ALMBindings: true}, func(s *collectorstest.Server) {
			s.JSON("GET /api/alm_settings/get_binding", `{"alm":"gitlab","repository":"4711","url":"https://gitlab.example.com/api/v4"}`)
			s.JSON("GET /api/project_links/search", `{"links":[`+link+`]}`)
		})
		if f := gather(t, c, nil)["issues:acme_api"].Findings[0]; f.Repository != want {
			t.Errorf("linked by %s: %q, want %q", link, f.Repository, want)
		}
	}
}

// TestModes: an instance in standard experience has issues of type VULNERABILITY with severities of their own, whatever its version.
func TestModes(t *testing.T) {
	for answer, want := range map[string]string{`{"mode":"STANDARD_EXPERIENCE","modified":false}`: "types", `{"mode":"MQR"}`: "impactSoftwareQualities", "": "impactSoftwareQualities"} {
		c, server := bench(t, Config{}, func(s *collectorstest.Server) {
			if answer != "" {
				s.JSON("GET /api/v2/clean-code-policy/mode", answer)
			}
			s.JSON("GET /api/issues/search", page("issues", 1, strings.Replace(issueJSON("i1", "OPEN", ""), `"severity":"CRITICAL"`, `"severity":"MINOR"`, 1)))
		})
		b := gather(t, c, nil)["issues:acme_api"]
		for _, r := range server.Requests() {
			if r.Path == "/api/issues/search" && (!r.Query.Has(want) || r.Query.Get("components") != "acme_api") {
				t.Errorf("in mode %s searched with %v, want %s", answer, r.Query, want)
			}
		}
		if low := b.Findings[0].Severity == record.SeverityLow; low != (want == "types") {
			t.Errorf("in mode %s the severity is %s", answer, b.Findings[0].Severity)
		}
	}
	c, _ := bench(t, Config{}, func(s *collectorstest.Server) {
		s.Handle("GET /api/v2/clean-code-policy/mode", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusServiceUnavailable) })
	})
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonServer {
		t.Errorf("a mode that cannot be read: %v, want the failure", err)
	}
}

// TestOldServersAreSignedInTo: before version 10 a token is the user of basic authentication, and a bearer token is refused.
func TestOldServersAreSignedInTo(t *testing.T) {
	for name, open := range map[string]bool{"anybody may read the version": true, "nothing is read without signing in": false} {
		c, server := bench(t, Config{}, func(s *collectorstest.Server) {
			s.Handle("GET /api/server/version", func(w http.ResponseWriter, r *http.Request) {
				if !open && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				_, _ = w.Write([]byte("9.9.4.87374"))
			})
		})
		if b := gather(t, c, nil)["issues:acme_api"]; b.Err != nil {
			t.Errorf("%s: %v", name, b.Err)
		}
		for _, r := range server.Requests() {
			user, password, basic := (&http.Request{Header: r.Header}).BasicAuth()
			if r.Path != "/api/server/version" && (!basic || user != collectorstest.Token || password != "") {
				t.Errorf("%s: %s was asked for with %q", name, r.Path, r.Header.Get("Authorization"))
			}
		}
	}
	c, _ := bench(t, Config{}, func(s *collectorstest.Server) {
		s.Handle("GET /api/server/version", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	})
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonUnauthorized || c.signIn.old.Load() {
		t.Errorf("a token that no way is good for: %v", err)
	}
}

func TestDependencyRisks(t *testing.T) {
	risk := func(key, status, more string) string {
		return fmt.Sprintf(`{"key":%q,"severity":"HIGH","type":"VULNERABILITY","quality":"SECURITY","status":%q,"createdAt":"2026-02-01T00:00:00Z","vulnerabilityId":"CVE-2026-0001","cweIds":["CWE-79"],"cvssScore":"9.8",
 "release":{"packageUrl":"pkg:npm/lodash@4.17.10","packageManager":"npm","packageName":"lodash","version":"4.17.10","dependencyFilePaths":["web/package-lock.json"]}%s}`, key, status, more)
	}
	serve := func(s *collectorstest.Server) {
		s.Handle("GET /api/v2/sca/issues-releases", func(w http.ResponseWriter, r *http.Request) {
			items := []string{risk("d1", "OPEN", ""), risk("d2", "ACCEPT", `,"severity":""`), risk("d3", "SAFE", `,"type":"PROHIBITED_LICENSE","vulnerabilityId":""`)}
			if r.URL.Query().Get("pageIndex") != "1" || r.URL.Query().Get("projectKey") != "acme_api" {
				items = nil
			}
			collectorstest.WriteJSON(w, `{"issuesReleases":[`+strings.Join(items, ",")+`],"page":{"pageIndex":1,"pageSize":500,"total":3}}`)
		})
	}
	c, _ := bench(t, Config{Projects: rules}, serve)
	b := gather(t, c, nil)["dependencies:acme_api"]
	want := record.Finding{
		ID: "dependency:d1", Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Title: "CVE-2026-0001 in lodash", Severity: record.SeverityHigh, Category: "CWE-79", Rule: "CVE-2026-0001",
		Aliases: []string{"CVE-2026-0001"}, Package: "npm/lodash", Version: "4.17.10", Place: "web/package-lock.json", FirstSeen: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		URL: c.URL + "/dependency-risks?id=acme_api&key=d1",
	}
	if b.Err != nil || len(b.Findings) != 3 {
		t.Fatalf("got %+v", b)
	}
	if diff := cmp.Diff(want, b.Findings[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f := b.Findings[1]; f.Closure != record.ClosureRiskAccepted || f.Severity != record.SeverityCritical {
		t.Errorf("an accepted one without a severity: %+v, want it rated by its score", f)
	}
	if f := b.Findings[2]; f.Closure != record.ClosureFalsePositive || f.Class != record.ClassOther || f.Aliases != nil {
		t.Errorf("a licence: %+v", f)
	}
	for name, script := range map[string]func(*collectorstest.Server){
		"an older server": func(*collectorstest.Server) {},
		"switched off": func(s *collectorstest.Server) {
			serve(s)
			s.JSON("GET /api/v2/sca/feature-enabled", `{"enabled":false}`)
		},
		"another edition": func(s *collectorstest.Server) {
			s.Handle("GET /api/v2/sca/issues-releases", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		},
	} {
		c, _ := bench(t, Config{}, script)
		if batches := gather(t, c, nil); batches["dependencies:acme_api"].Scope != "" || batches["issues:acme_api"].Err != nil {
			t.Errorf("%s: %+v", name, batches["dependencies:acme_api"])
		}
		if b := gather(t, c, collectors.Cursors{"dependencies:acme_api": ""})["dependencies:acme_api"]; record.ReasonOf(b.Err) != record.ReasonFeatureOff {
			t.Errorf("%s, after there were some: %+v, want a failure and not an end", name, b)
		}
	}
	c, server := bench(t, Config{WithoutDependencyRisks: true}, serve)
	if b := gather(t, c, collectors.Cursors{"dependencies:acme_api": ""})["dependencies:acme_api"]; !b.Retired {
		t.Errorf("left out: %+v, want it retired", b)
	}
	if slices.ContainsFunc(server.Requests(), func(r collectorstest.Request) bool { return strings.Contains(r.Path, "/sca/") }) {
		t.Error("what is left out was asked for")
	}
}

func TestBranches(t *testing.T) {
	list := `{"branches":[{"name":"main","isMain":true},{"name":"release/1.0/hotfix","isMain":false},{"name":"develop","isMain":false},{"name":"feature/x","isMain":false}]}`
	c, server := bench(t, Config{Branches: []string{"release/*", "dev*p"}, Projects: rules}, func(s *collectorstest.Server) {
		s.Handle("GET /api/project_branches/list", func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, list) })
	})
	batches := gather(t, c, nil)
	for _, scope := range []string{"issues:acme_api", "issues:acme_api@develop", "issues:acme_api@release/1.0/hotfix", "hotspots:acme_api@develop", "hotspots:acme_api@release/1.0/hotfix"} {
		if b, ok := batches[scope]; !ok || b.Err != nil {
			t.Errorf("%s: read %t, %v", scope, ok, b.Err)
		}
	}
	if len(batches) != 6 {
		t.Errorf("%d scopes, want the main branch's and those of two more", len(batches))
	}
	asked := map[string]bool{}
	for _, r := range server.Requests() {
		asked[r.Path+" "+r.Query.Get("branch")] = true
	}
	for _, path := range []string{"/api/issues/search", "/api/hotspots/search", "/api/project_analyses/search"} {
		if !asked[path+" develop"] || !asked[path+" "] || asked[path+" main"] {
			t.Errorf("%s was asked for %v", path, asked)
		}
	}
	known := collectors.Cursors{}
	for scope := range batches {
		known[scope] = ""
	}
	list = `{"branches":[{"name":"main","isMain":true},{"name":"develop","isMain":false}]}`
	batches = gather(t, c, known)
	for _, scope := range []string{"issues:acme_api@release/1.0/hotfix", "hotspots:acme_api@release/1.0/hotfix"} {
		if b := batches[scope]; !b.Retired || b.Absence != record.ClosureOutOfScope {
			t.Errorf("%s of a branch that is gone: %+v, want it retired", scope, b)
		}
	}
	list = `{}`
	batches = gather(t, c, known)
	for scope, b := range batches {
		if branch := strings.Contains(scope, "@"); branch != (b.Err != nil) || b.Retired {
			t.Errorf("%s while the branches cannot be listed: %+v", scope, b)
		}
	}
	if _, err := New(Config{URL: "https://sonar.example.com", Token: apiclient.Secret{Env: "T"}, Branches: []string{"[x"}}, testEnv()); err == nil || !strings.Contains(err.Error(), "branches") {
		t.Errorf("a pattern that is none: %v", err)
	}
}

func TestApplications(t *testing.T) {
	c, _ := bench(t, Config{Applications: true}, func(s *collectorstest.Server) {
		s.Handle("GET /api/components/search", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("qualifiers") == "APP" {
				collectorstest.WriteJSON(w, `{"paging":{"total":2},"components":[{"key":"shop","qualifier":"APP"},{"key":"all","qualifier":"APP"}]}`)
				return
			}
			collectorstest.WriteJSON(w, `{"paging":{"total":2},"components":[{"key":"acme_api","qualifier":"TRK"},{"key":"acme_web","qualifier":"TRK"}]}`)
		})
		s.Handle("GET /api/applications/show", func(w http.ResponseWriter, r *http.Request) {
			projects := `{"key":"acme_api"},{"key":"acme_web"}`
			if r.URL.Query().Get("application") == "all" {
				projects = `{"key":"acme_web"}`
			}
			collectorstest.WriteJSON(w, `{"application":{"key":"x","name":"App `+r.URL.Query().Get("application")+`","projects":[`+projects+`]}}`)
		})
	})
	batches := gather(t, c, nil)
	if f := batches["issues:acme_api"].Findings[0]; f.Service != "App shop" {
		t.Errorf("service %q, want the application's name", f.Service)
	}
	if f := batches["issues:acme_web"].Findings[0]; f.Service != "" {
		t.Errorf("service %q of a project of two applications, want none", f.Service)
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
