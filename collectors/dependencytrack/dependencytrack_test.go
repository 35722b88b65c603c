package dependencytrack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

const (
	apiUUID  = "aaaaaaaa-0000-0000-0000-000000000001"
	shopUUID = "bbbbbbbb-0000-0000-0000-000000000002"
)

const projectsPage = `[
 {"uuid":"` + shopUUID + `","name":"shop","version":"2","active":true,"lastBomImport":1760000000000,"externalReferences":[{"type":"vcs","url":"git+https://github.com/Acme/shop.git"}]},
 {"uuid":"` + apiUUID + `","group":"acme","name":"api","version":"1","active":true,"lastBomImport":1760086400000,"tags":[{"name":"pci"},{"name":"repository:acme/api"}]}]`

func findingJSON(project, component, vulnerability, severity, analysis string) string {
	return fmt.Sprintf(`{"component":{"uuid":%q,"name":"left-pad","version":"1.0.0","purl":"pkg:npm/left-pad@1.0.0","project":%q},
 "vulnerability":{"vulnId":%q,"source":"NVD","severity":%q,"cvssV3BaseScore":7.5,"epssScore":0.12,"isKev":true,"cwes":[{"cweId":79,"name":"XSS"}],
 "aliases":[{"cveId":%q,"ghsaId":"GHSA-aaaa-bbbb-cccc"}]},"analysis":%s,"attribution":{"analyzerIdentity":"OSSINDEX_ANALYZER","attributedOn":1755000000000}}`,
		component, project, vulnerability, severity, vulnerability, analysis)
}

var findingPages = []any{
	collectorstest.Items(
		findingJSON(apiUUID, "c1", "CVE-2026-0001", "CRITICAL", `{"state":"NOT_SET","isSuppressed":false}`),
		findingJSON(shopUUID, "c2", "CVE-2026-0001", "HIGH", `{"isSuppressed":false}`)),
	collectorstest.Items(
		findingJSON(apiUUID, "c3", "CVE-2026-0002", "LOW", `{"state":"FALSE_POSITIVE","isSuppressed":true}`),
		findingJSON("cccccccc-0000-0000-0000-000000000003", "c9", "CVE-2026-0003", "LOW", `{}`)),
}

const violationsPage = `[{"uuid":"V1","type":"LICENSE","text":"GPL is not allowed","timestamp":1750000000000,"project":{"uuid":"` + apiUUID + `","name":"api"},
 "component":{"uuid":"c1","name":"left-pad","version":"1.0.0","purl":"pkg:npm/left-pad@1.0.0"},
 "policyCondition":{"uuid":"pc","subject":"LICENSE","policy":{"name":"Licenses","violationState":"FAIL"}},"analysis":{"analysisState":"APPROVED"}}]`

// numbered serves pages by number, and empty ones after the last, with an exact total.
func numbered(pages ...any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.URL.Query().Get("pageNumber"))
		if err != nil || number < 1 {
			http.Error(w, `{"message":"bad page"}`, http.StatusBadRequest)
			return
		}
		if number > len(pages) {
			collectorstest.WriteJSON(w, `[]`)
			return
		}
		collectorstest.WriteJSON(w, pages[number-1])
	}
}

func serve(s *collectorstest.Server) {
	s.JSON("GET /api/version", `{"application":"Dependency-Track","version":"4.14.1"}`)
	s.Handle("GET /api/v1/project", numbered(projectsPage))
	s.Handle("GET /api/v1/finding", numbered(findingPages...))
	s.Handle("GET /api/v1/violation", numbered(violationsPage))
	s.JSON("GET /api/v1/metrics/portfolio/current", fmt.Sprintf(`{"lastOccurrence":%d}`, time.Now().UnixMilli()))
}

func build(baseURL string, key apiclient.Secret, env collectors.Env) (*Collector, error) {
	return New(Config{URL: baseURL, APIKey: key, Requests: platform.Requests{PageSize: 2}}, env)
}

func TestConformance(t *testing.T) {
	path := func(p string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Path == p }
	}
	findings, violations := path("/api/v1/finding"), path("/api/v1/violation")
	along := []string{"findings:" + apiUUID, "findings:" + shopUUID, "violations:" + apiUUID, "violations:" + shopUUID}
	swap := func(page string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.Handle("GET /api/v1/finding", numbered(page))
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, key apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return build(baseURL, key, env)
		},
		Serve: func(s *collectorstest.Server) {
			serve(s)
			var projects, violations []json.RawMessage
			for text, list := range map[string]*[]json.RawMessage{
				projectsPage: &projects, strings.TrimSuffix(violationsPage, "]") + "," + strings.TrimPrefix(strings.ReplaceAll(violationsPage, "V1", "V2"), "["): &violations,
			} {
				if err := json.Unmarshal([]byte(text), list); err != nil {
					panic(err)
				}
			}
			s.Handle("GET /api/v1/project", numbered(projects[:1], projects[1:]))
			s.Counted("GET /api/v1/project", "X-Total-Count", 2)
			s.Handle("GET /api/v1/finding", numbered(findingPages...))
			s.Counted("GET /api/v1/finding", "X-Total-Count", 4)
			s.Handle("GET /api/v1/violation", numbered(violations[:1], violations[1:]))
			s.Counted("GET /api/v1/violation", "X-Total-Count", 2)
		},
		Scopes: []collectorstest.Scope{
			{Name: "projects:portfolio", Records: 2, Requests: path("/api/v1/project"), Pages: 3, Along: along, Total: "X-Total-Count"},
			{Name: along[0], Records: 2, Requests: findings, Pages: 3, Along: along[1:2], Total: "X-Total-Count"},
			{Name: along[1], Records: 1, Requests: findings, Pages: 3, Along: along[0:1], Total: "X-Total-Count"},
			{Name: along[2], Records: 2, Requests: violations, Pages: 3, Along: along[3:], Total: "X-Total-Count"},
			{Name: along[3], Records: 0, Requests: violations, Pages: 3, Along: along[2:3], Total: "X-Total-Count"},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown state and severity", Scope: along[0], Records: 1,
				Serve: swap("[" + findingJSON(apiUUID, "c1", "CVE-2026-0001", "GIGANTIC", `{"state":"SNOOZED"}`) + "]"),
				Check: func(b record.Batch) error {
					if f := b.Findings[0]; f.Closure != record.ClosureNone || f.Severity != record.SeverityHigh || b.Absence != record.ClosureFixed {
						return fmt.Errorf("got %+v, want an open finding rated by its score", f)
					}
					return nil
				},
			},
			{
				Name: "items that cannot be read", Scope: along[0], Records: 1, Rejected: 3,
				Serve: swap("[" + findingJSON(apiUUID, "c1", "CVE-2026-0001", "LOW", `{}`) + `,{"component":7},{"component":{"uuid":"c"},"vulnerability":{"vulnId":"x"}},` +
					`{"component":{"uuid":"c","project":"` + apiUUID + `"}}]`),
				Check: func(b record.Batch) error {
					if b.Absence != record.ClosureNone {
						return errors.New("what is absent from a batch with rejected items is taken for fixed")
					}
					return nil
				},
			},
		},
		Gone: []collectorstest.Gone{
			{
				Name: "a project is inactive, the other deleted", Reason: record.ClosureOutOfScope, Retired: along,
				Serve: func(s *collectorstest.Server) {
					s.Handle("GET /api/v1/project", numbered(`[]`))
					s.JSON("GET /api/v1/project/"+apiUUID, `{"uuid":"`+apiUUID+`","name":"api","active":false}`)
				},
			},
			{
				Name: "a project is hidden from the team", Hidden: []string{along[0], along[2]},
				Serve: func(s *collectorstest.Server) {
					s.Handle("GET /api/v1/project", numbered(projectsPage[:strings.LastIndex(projectsPage, ",\n")]+"]"))
					s.Handle("GET /api/v1/project/"+apiUUID, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
				},
			},
			{
				Name: "a project that was switched on a moment ago",
				Serve: func(s *collectorstest.Server) {
					s.Handle("GET /api/v1/project", numbered(projectsPage[:strings.LastIndex(projectsPage, ",\n")]+"]"))
					s.JSON("GET /api/v1/project/"+apiUUID, `{"uuid":"`+apiUUID+`","name":"api","active":true}`)
				},
			},
		},
		Readme: "README.md",
	})
}

// gather reads a scripted source once.
func gather(t *testing.T, config Config, script func(*collectorstest.Server)) (map[string]record.Batch, *collectorstest.Server, error) {
	t.Helper()
	server := collectorstest.NewServer(t)
	script(server)
	config.URL, config.APIKey = server.URL(), collectorstest.Secret(t, collectorstest.Token)
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	return batches, server, err
}

func TestRecords(t *testing.T) {
	batches, server, err := gather(t, Config{Projects: []translate.Project{{Match: "sh.p@2", Service: "web-shop"}}}, serve)
	if err != nil {
		t.Fatal(err)
	}
	want := record.Finding{
		ID: "finding:" + apiUUID + ":c1:CVE-2026-0001", Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Title: "CVE-2026-0001 in left-pad",
		URL: server.URL() + "/projects/" + apiUUID + "/findings", Severity: record.SeverityCritical, Category: "CWE-79", Rule: "CVE-2026-0001",
		Aliases: []string{"CVE-2026-0001", "GHSA-AAAA-BBBB-CCCC"}, Package: "npm/left-pad", Version: "1.0.0",
		FirstSeen: time.UnixMilli(1755000000000).UTC(), KnownExploited: record.AnswerYes, EPSS: 0.12,
	}
	if diff := cmp.Diff(want, batches["findings:"+apiUUID].Findings[0]); diff != "" {
		t.Errorf("finding (-want +got):\n%s", diff)
	}
	if f := batches["findings:"+shopUUID].Findings[0]; f.Service != "web-shop" || f.Repository != "" {
		t.Errorf("the rule for name@version was not used: %+v", f)
	}
	violation := record.Finding{
		ID: "violation:v1", Tool: tool, Class: record.ClassOther, Repository: "acme/api", Title: "GPL is not allowed",
		URL: server.URL() + "/projects/" + apiUUID + "/policyViolations", Severity: record.SeverityHigh, Category: "policy-license", Rule: "Licenses",
		Package: "npm/left-pad", Version: "1.0.0", Closure: record.ClosureRiskAccepted, FirstSeen: time.UnixMilli(1750000000000).UTC(),
	}
	if diff := cmp.Diff(violation, batches["violations:"+apiUUID].Findings[0]); diff != "" {
		t.Errorf("violation (-want +got):\n%s", diff)
	}
	scans := []record.Scan{{
		Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Enabled: record.AnswerYes,
		SucceededAt: time.UnixMilli(1760086400000).UTC(), AttemptedAt: time.UnixMilli(1760086400000).UTC(),
	}}
	if diff := cmp.Diff(scans, batches["projects:portfolio"].Scans); diff != "" {
		t.Errorf("scans (-want +got):\n%s", diff)
	}
}

func TestTotals(t *testing.T) {
	withTotal := func(total, kind string, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Total-Count", total)
			w.Header().Set("X-Total-Count-Type", kind)
			next(w, r)
		}
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		reason  record.ErrorReason
	}{
		"exact total above the items":     {withTotal("5", "", numbered(findingPages...)), record.ReasonTruncated},
		"exact total of version 5":        {withTotal("5", "EXACT", numbered(findingPages...)), record.ReasonTruncated},
		"bounded total":                   {withTotal("10000", "BOUNDED", numbered(findingPages...)), ""},
		"total below the items":           {withTotal("2", "EXACT", numbered(findingPages...)), ""},
		"server that ignores page number": {func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, findingPages[0]) }, record.ReasonTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			batches, _, err := gather(t, Config{Requests: platform.Requests{PageSize: 2}}, func(s *collectorstest.Server) {
				serve(s)
				s.Handle("GET /api/v1/finding", tt.handler)
			})
			if err != nil {
				t.Fatal(err)
			}
			b := batches["findings:"+apiUUID]
			if (tt.reason == "") != (b.Err == nil) || b.Err != nil && record.ReasonOf(b.Err) != tt.reason {
				t.Errorf("error %v, want reason %q", b.Err, tt.reason)
			}
			if tt.reason == "" && len(b.Findings) != 2 {
				t.Errorf("%d findings, want 2 from two pages", len(b.Findings))
			}
		})
	}
}

// older serves a version without the portfolio call, whose call per project knows no pages.
func older(version string) func(*collectorstest.Server) {
	return func(s *collectorstest.Server) {
		serve(s)
		s.JSON("GET /api/version", `{"version":"`+version+`"}`)
		s.Handle("GET /api/v1/finding", http.NotFound)
		s.Handle("GET /api/v1/finding/project/{uuid}", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("suppressed") != "true" {
				http.Error(w, `{}`, http.StatusBadRequest)
				return
			}
			if r.PathValue("uuid") == shopUUID {
				http.Error(w, `{}`, http.StatusForbidden)
				return
			}
			w.Header().Set("X-Total-Count", "3")
			collectorstest.WriteJSON(w, collectorstest.Items(
				findingJSON("", "c1", "CVE-2026-0001", "HIGH", `{}`), findingJSON("", "c2", "CVE-2026-0001", "HIGH", `{}`), findingJSON("", "c3", "CVE-2026-0001", "HIGH", `{}`)))
		})
	}
}

func TestOlderServerIsReadByProject(t *testing.T) {
	batches, _, err := gather(t, Config{Requests: platform.Requests{PageSize: 2}}, older("4.8.2"))
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["findings:"+apiUUID]; b.Err != nil || len(b.Findings) != 3 || b.Findings[0].Repository != "acme/api" {
		t.Errorf("got %+v, want 3 findings of acme/api", b)
	}
	b := batches["findings:"+shopUUID]
	if record.ReasonOf(b.Err) != record.ReasonPermission || !strings.Contains(b.Err.Error(), viewVulnerability) {
		t.Errorf("project without permission: %v, want one that names %s", b.Err, viewVulnerability)
	}
	batches, server, err := gather(t, Config{}, older("5.0.4"))
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["findings:"+apiUUID]; record.ReasonOf(b.Err) != record.ReasonNotFound {
		t.Errorf("404 from a server that has the call: %v, want not_found", b.Err)
	}
	if slices.ContainsFunc(server.Requests(), func(r collectorstest.Request) bool { return strings.Contains(r.Path, "/project/") }) {
		t.Error("a server that has the portfolio call was asked project by project")
	}
}

func TestBadProjectFailsTheCollection(t *testing.T) {
	_, _, err := gather(t, Config{}, func(s *collectorstest.Server) {
		serve(s)
		s.Handle("GET /api/v1/project", numbered(`[{"uuid":""}]`))
	})
	if record.ReasonOf(err) != record.ReasonDecode {
		t.Errorf("a list with a project that has no UUID = %v, want a decode error", err)
	}
}

func TestWithoutViolations(t *testing.T) {
	batches, _, err := gather(t, Config{WithoutViolations: true}, serve)
	if err != nil || len(batches) != 3 {
		t.Errorf("%d scopes, %v; want the projects and two scopes of findings", len(batches), err)
	}
}

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(*collectorstest.Server)
		failed []string
		text   string
	}{
		"healthy": {script: serve},
		"older":   {script: older("4.8.2")},
		"analysis asleep": {script: func(s *collectorstest.Server) {
			serve(s)
			s.JSON("GET /api/v1/metrics/portfolio/current", `{"lastOccurrence":1500000000000}`)
		}, failed: []string{"age of the portfolio's analysis"}, text: "2017"},
		"no permission": {script: func(s *collectorstest.Server) {
			serve(s)
			s.Handle("GET /api/v1/violation", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
		}, failed: []string{"policy violations"}, text: viewViolation},
	} {
		t.Run(name, func(t *testing.T) {
			server := collectorstest.NewServer(t)
			tt.script(server)
			c, err := build(server.URL(), collectorstest.Secret(t, "key-123456"), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			results, err := c.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, r := range results {
				if r.Err != nil {
					failed = append(failed, r.Subject)
					if !strings.Contains(r.Err.Error(), tt.text) || r.Unknown == "" {
						t.Errorf("%s: %v (unknown: %q), want %q in it", r.Subject, r.Err, r.Unknown, tt.text)
					}
				}
			}
			if !cmp.Equal(failed, tt.failed) {
				t.Errorf("failed: %v, want %v", failed, tt.failed)
			}
		})
	}
}

func TestForecastFollowsTheLastCollection(t *testing.T) {
	server := collectorstest.NewServer(t)
	serve(server)
	c, err := build(server.URL()+"/api/", collectorstest.Secret(t, "key-123456"), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	c.config.Interval = collectors.Duration(30 * time.Minute)
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Forecast()[""], 2*float64(len(server.Requests())); got != want {
		t.Errorf("Forecast() = %v, want %v", got, want)
	}
}

func TestAnalysesAndSuppressions(t *testing.T) {
	c := &Collector{Base: &platform.Base{}}
	for state, want := range map[string][2]record.Closure{ // not suppressed, suppressed
		"":               {record.ClosureNone, record.ClosureOther},
		"NOT_SET":        {record.ClosureNone, record.ClosureOther},
		"IN_TRIAGE":      {record.ClosureNone, record.ClosureOther},
		"EXPLOITABLE":    {record.ClosureNone, record.ClosureWontFix},
		"FALSE_POSITIVE": {record.ClosureFalsePositive, record.ClosureFalsePositive},
		"NOT_AFFECTED":   {record.ClosureFalsePositive, record.ClosureFalsePositive},
		"RESOLVED":       {record.ClosureMitigated, record.ClosureMitigated},
		"SNOOZED":        {record.ClosureNone, record.ClosureOther},
	} {
		if got := [2]record.Closure{c.closure(state, false), c.closure(state, true)}; got != want {
			t.Errorf("state %q = %q, want %q", state, got, want)
		}
	}
}

func TestClassOfContainers(t *testing.T) {
	for _, tt := range []struct {
		purl, classifier string
		want             record.Class
	}{
		{"pkg:npm/x@1", "APPLICATION", record.ClassSCA}, {"pkg:deb/debian/openssl@1", "APPLICATION", record.ClassContainer},
		{"pkg:npm/x@1", "CONTAINER", record.ClassContainer}, {"", "", record.ClassSCA},
	} {
		w := component{PURL: tt.purl, Name: "x"}
		if _, _, got := w.describe(&project{Classifier: tt.classifier}); got != tt.want {
			t.Errorf("%q in %q = %q, want %q", tt.purl, tt.classifier, got, tt.want)
		}
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	key := apiclient.Secret{Env: "DTRACK_KEY"}
	for want, config := range map[string]Config{
		"url":       {APIKey: key},
		"api_key":   {URL: "https://dtrack.example.com"},
		"page_size": {URL: "https://dtrack.example.com", APIKey: key, Requests: platform.Requests{PageSize: 5000}},
		"rule 1":    {URL: "https://dtrack.example.com", APIKey: key, Projects: []translate.Project{{Name: "x"}}},
		"absolute":  {URL: "dtrack.example.com", APIKey: key},
	} {
		if _, err := New(config, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}

// TestRecordedReports reads the exports of real servers, whose findings have the form of the API's, through the collector.
func TestRecordedReports(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "fixtures", "scans", "dependency_track")
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no recorded reports in %s", folder)
		}
		t.Logf("no recorded reports in %s: nothing to read", folder)
		return
	}
	// Counted with jq '[.findings[].matrix] | unique | length': two analysers may report one vulnerability of one component.
	want := map[string]int{
		"dependency_track_3.8.0_2021-01-18.json": 9, "deptrack_npm_4.14.1.json": 21, "many_findings.json": 3,
		"many_findings_with_alias.json": 12, "many_findings_with_empty_alias.json": 12,
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var report struct {
				Findings []json.RawMessage `json:"findings"`
			}
			if err := json.Unmarshal(data, &report); err != nil {
				t.Fatal(err)
			}
			batches, _, err := gather(t, Config{WithoutViolations: true}, func(s *collectorstest.Server) {
				older("4.8.0")(s)
				s.Handle("GET /api/v1/finding/project/{uuid}", func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Total-Count", strconv.Itoa(len(report.Findings)))
					collectorstest.WriteJSON(w, append([]json.RawMessage{}, report.Findings...))
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			b := batches["findings:"+apiUUID]
			if b.Err != nil || len(b.Findings) != want[name] || len(b.Rejected) != 0 {
				t.Fatalf("%d findings, %v rejected, %v; want %d", len(b.Findings), b.Rejected, b.Err, want[name])
			}
			for _, f := range b.Findings {
				if f.Severity == record.SeverityUnknown || f.Package == "" || !strings.HasPrefix(f.Category, "CWE-") && !bytes.Contains(data, []byte(f.Rule)) {
					t.Errorf("finding %s lacks its severity, package or category: %+v", f.ID, f)
				}
			}
		})
	}
}

func FuzzFinding(f *testing.F) {
	f.Add([]byte(findingJSON(apiUUID, "c1", "CVE-2026-0001", "CRITICAL", `{"state":"NOT_SET"}`)))
	f.Add([]byte(strings.TrimSuffix(strings.TrimPrefix(violationsPage, "["), "]")))
	c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	p := &project{ID: apiUUID}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, translated := range []translation{c.finding, c.violation} {
			got, err := translated(data, func(string) *project { return p })
			if err != nil {
				continue
			}
			switch {
			case got.ID == "" || !slices.Contains(record.Classes(), got.Class) || !slices.Contains(record.Severities(), got.Severity):
				t.Errorf("%s became %+v", data, got)
			case len(got.Title) > record.MaxText || len(got.Rule) > record.MaxText || len(got.Version) > record.MaxText || got.EPSS < 0 || got.EPSS > 1:
				t.Errorf("%s is not kept within bounds: %+v", data, got)
			}
		}
	})
}
