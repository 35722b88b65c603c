package semgrep

import (
	"encoding/json"
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

const deploymentsPage = `{"deployments":[{"slug":"acme","id":4711,"name":"Acme"}]}`

func sastJSON(id int, status, more string) string {
	return fmt.Sprintf(`{"id":%d,"ref":"main","repository":{"name":"acme/api","url":"https://github.com/Acme/api"},"line_of_code_url":"https://github.com/acme/api/blob/c0/src/a.py#L7",
 "state":"unresolved","status":%q,"severity":"high","confidence":"high","created_at":"2026-01-02T03:04:05.268845Z","rule_name":"python.sqli","location":{"file_path":"src/a.py","line":7},
 "rule":{"name":"python.sqli","cwe_names":["CWE-89: SQL Injection"],"vulnerability_classes":["SQL Injection"]}%s}`, id, status, more)
}

const scaItem = `{"id":"9001","repository":{"name":"acme/api","url":"https://github.com/acme/api"},"state":"unresolved","status":"open","severity":"critical","created_at":"2026-02-01T00:00:00Z",
 "rule":{"name":"ssc-1","cwe_names":[]},"location":{"file_path":"src/use.ts","line":3},"vulnerability_identifier":"CVE-2022-31129","reachability":"unreachable","epss_score":{"score":"0.25"},
 "found_dependency":{"package":"moment","version":"2.29.2","ecosystem":"npm","lockfile_line_url":"https://github.com/acme/api/blob/c0/web/package-lock.json#L14373"},"fix_recommendations":[{"package":"moment","version":"2.29.4"}]}`

func secretJSON(id, status string) string {
	return fmt.Sprintf(`{"id":%q,"severity":"SEVERITY_HIGH","status":%q,"validationState":"VALIDATION_STATE_CONFIRMED_VALID","type":"OpenAI","findingPath":"src/ai.py:232",
 "findingPathUrl":"https://github.com/acme/api/blob/c0/src/ai.py#L232","ruleHashId":"lBU41LA","createdAt":"2026-03-01T00:00:00Z","updatedAt":"2026-03-05T00:00:00Z",
 "repository":{"name":"acme/api","url":"https://github.com/acme/api"}}`, id, status)
}

func findingsPage(items ...string) string { return `{"findings":[` + strings.Join(items, ",") + `]}` }

// numbered serves pages counted from 0 under a key, and empty ones after the last.
func numbered(key string, pages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.URL.Query().Get("page"))
		switch {
		case err != nil:
			http.Error(w, `{"error":"page"}`, http.StatusBadRequest)
		case number >= len(pages):
			collectorstest.WriteJSON(w, `{"`+key+`":[]}`)
		default:
			collectorstest.WriteJSON(w, pages[number])
		}
	}
}

// byType serves the findings of Code and Supply Chain, to those who ask as they should.
func byType(sast, sca http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("dedup") != "true" && q.Get("page_size") != "1":
			http.Error(w, `{"error":"dedup"}`, http.StatusBadRequest)
		case q.Get("issue_type") == "sca":
			sca(w, r)
		default:
			sast(w, r)
		}
	}
}

func serve(s *collectorstest.Server) {
	s.JSON("GET /api/v1/deployments", deploymentsPage)
	s.Handle("GET /api/v1/deployments/acme/projects", numbered("projects", `{"projects":[
 {"id":1,"name":"acme/api","url":"https://github.com/acme/api","latest_scan_at":"2026-04-01T00:00:00Z"},{"id":2,"name":"local_scan/x","latest_scan_at":"2026-04-01T00:00:00Z"}]}`))
	s.Handle("GET /api/v1/deployments/acme/findings", byType(
		numbered("findings", findingsPage(sastJSON(1, "open", ""), sastJSON(2, "fixed", `,"state_updated_at":"2026-02-02T00:00:00Z"`)), findingsPage(sastJSON(3, "ignored", `,"triage_reason":"false_positive","triaged_at":"2026-02-03T00:00:00Z"`))),
		numbered("findings", findingsPage(scaItem))))
	s.Handle("GET /api/v1/deployments/4711/secrets", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "Y3Vyc29y" {
			collectorstest.WriteJSON(w, `{"findings":[`+secretJSON("s2", "FINDING_STATUS_IGNORED")+`],"cursor":""}`)
			return
		}
		collectorstest.WriteJSON(w, `{"findings":[`+secretJSON("s1", "FINDING_STATUS_OPEN")+`],"cursor":"Y3Vyc29y"}`)
	})
}

func TestConformance(t *testing.T) {
	of := func(path, kind string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Path == path && r.Query.Get("issue_type") == kind }
	}
	const findings = "/api/v1/deployments/acme/findings"
	swap := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.Handle("GET "+findings, byType(numbered("findings", findingsPage(items...)), numbered("findings", findingsPage(scaItem))))
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: baseURL, Token: token}, env)
		},
		Serve: serve,
		Scopes: []collectorstest.Scope{
			{Name: "projects:acme", Records: 1, Requests: of("/api/v1/deployments/acme/projects", ""), Pages: 2, Items: "projects"},
			{Name: "sast:acme", Records: 3, Requests: of(findings, "sast"), Pages: 3, Items: "findings"},
			{Name: "sca:acme", Records: 1, Requests: of(findings, "sca"), Pages: 2, Items: "findings"},
			{Name: "secrets:acme", Records: 2, Requests: of("/api/v1/deployments/4711/secrets", ""), Pages: 2, Cursor: true, Items: "findings"},
		},
		Altered: []collectorstest.Altered{
			{Name: "unknown status", Scope: "sast:acme", Records: 1, Serve: swap(sastJSON(1, "hibernating", "")), Check: func(b record.Batch) error {
				if b.Findings[0].Closure != record.ClosureNone {
					return fmt.Errorf("got closure %q, want an open finding", b.Findings[0].Closure)
				}
				return nil
			}},
			{Name: "items that cannot be read", Scope: "sast:acme", Records: 1, Rejected: 3, Serve: swap(sastJSON(1, "open", ""), `{"id":{}}`, `{"id":""}`, `{"id":5,"created_at":"soon"}`)},
		},
		Gone: []collectorstest.Gone{{
			Name: "the token sees another deployment", Retired: []string{"projects:acme", "sast:acme", "sca:acme", "secrets:acme"}, Reason: record.ClosureVanished,
			Serve: func(s *collectorstest.Server) {
				s.JSON("GET /api/v1/deployments", `{"deployments":[{"slug":"other","id":4712}]}`)
			},
		}},
		Readme: "README.md",
	})
}

// gather reads a scripted source once.
func gather(t *testing.T, config Config, script func(*collectorstest.Server)) (map[string]record.Batch, *collectorstest.Server, error) {
	t.Helper()
	server := collectorstest.NewServer(t)
	script(server)
	config.URL, config.Token = server.URL(), collectorstest.Secret(t, collectorstest.Token)
	c, err := New(config, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	return batches, server, err
}

func testEnv() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func TestRecords(t *testing.T) {
	batches, _, err := gather(t, Config{}, serve)
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2026, 1, 2, 3, 4, 5, 268845000, time.UTC)
	sast := record.Finding{
		ID: "sast:1", Tool: tool, Class: record.ClassSAST, Repository: "acme/api", Title: "python.sqli", URL: "https://github.com/acme/api/blob/c0/src/a.py#L7",
		Severity: record.SeverityHigh, Category: "CWE-89", Rule: "python.sqli", Place: "src/a.py", Line: 7, FirstSeen: created, UpdatedAt: created,
	}
	fixed, ignored := sast, sast
	fixed.ID, fixed.Closure, fixed.ClosedAt, fixed.UpdatedAt = "sast:2", record.ClosureFixed, day(2, 2), day(2, 2)
	ignored.ID, ignored.Closure, ignored.ClosedAt, ignored.UpdatedAt = "sast:3", record.ClosureFalsePositive, day(2, 3), day(2, 3)
	secret := record.Finding{
		ID: "secrets:s1", Tool: tool, Class: record.ClassSecret, Repository: "acme/api", Title: "Leaked secret: OpenAI", URL: "https://github.com/acme/api/blob/c0/src/ai.py#L232",
		Severity: record.SeverityHigh, Category: "openai", Rule: "lBU41LA", Place: "src/ai.py", Line: 232, FirstSeen: day(3, 1), UpdatedAt: day(3, 5), ActiveSecret: record.AnswerYes,
	}
	ignoredSecret := secret
	ignoredSecret.ID, ignoredSecret.Closure, ignoredSecret.ClosedAt = "secrets:s2", record.ClosureOther, day(3, 5)
	for scope, want := range map[string][]record.Finding{
		"sast:acme": {sast, fixed, ignored},
		"sca:acme": {{
			ID: "sca:9001", Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Title: "CVE-2022-31129 in moment (unreachable)", Severity: record.SeverityCritical,
			Category: "npm", Rule: "ssc-1", Aliases: []string{"CVE-2022-31129"}, Package: "npm/moment", Version: "2.29.2", Place: "web/package-lock.json",
			FirstSeen: day(2, 1), UpdatedAt: day(2, 1), FixAvailable: record.AnswerYes, EPSS: 0.25,
		}},
		"secrets:acme": {secret, ignoredSecret},
	} {
		if diff := cmp.Diff(want, batches[scope].Findings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", scope, diff)
		}
	}
	scans := []record.Scan{{Tool: tool, Class: record.ClassSAST, Repository: "acme/api", Enabled: record.AnswerYes, SucceededAt: day(4, 1), AttemptedAt: day(4, 1)}}
	if diff := cmp.Diff(scans, batches["projects:acme"].Scans); diff != "" {
		t.Errorf("scans (-want +got):\n%s", diff)
	}
}

func TestConfiguredDeploymentsAndProducts(t *testing.T) {
	batches, server, err := gather(t, Config{Deployments: []string{"acme", "gone"}, Products: []Product{ProductSAST}, Ref: "refs/heads/main"}, serve)
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["sast:gone"]; record.ReasonOf(b.Err) != record.ReasonNotFound {
		t.Errorf("a deployment that does not exist: %v, want not_found", b.Err)
	}
	if b := batches["sast:acme"]; b.Err != nil || len(b.Findings) != 3 || len(batches) != 4 {
		t.Errorf("got %d scopes and %+v", len(batches), b)
	}
	for _, r := range server.Requests() {
		if strings.HasSuffix(r.Path, "/findings") && r.Query.Get("ref") != "refs/heads/main" {
			t.Errorf("the request %v names no branch", r.Query)
		}
	}
	if _, _, err := gather(t, Config{}, func(s *collectorstest.Server) { s.JSON("GET /api/v1/deployments", `{"deployments":[]}`) }); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a token that sees no deployment = %v, want not_found", err)
	}
}

func TestAnswersThatAreNoLists(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		reason record.ErrorReason
	}{
		"repeated page": {func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, findingsPage(sastJSON(1, "open", "")))
		}, record.ReasonTruncated},
		"without list":   {func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, `{"results":[]}`) }, record.ReasonDecode},
		"no list":        {func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, `{"findings":{}}`) }, record.ReasonDecode},
		"feature is off": {http.NotFound, record.ReasonNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			batches, _, err := gather(t, Config{}, func(s *collectorstest.Server) {
				serve(s)
				s.Handle("GET /api/v1/deployments/acme/findings", byType(tt.answer, numbered("findings", findingsPage(scaItem))))
			})
			if err != nil {
				t.Fatal(err)
			}
			if b := batches["sast:acme"]; record.ReasonOf(b.Err) != tt.reason {
				t.Errorf("error %v, want reason %q", b.Err, tt.reason)
			}
			if b := batches["sca:acme"]; b.Err != nil || len(b.Findings) != 1 {
				t.Errorf("the other product: %+v", b)
			}
		})
	}
}

// TestArchivedProjects: what is open in a project that is archived is closed as that, and nobody expects it to be scanned. What was listed last counts while the list cannot be read.
func TestArchivedProjects(t *testing.T) {
	for name, mark := range map[string]string{"is_archived": `,"is_archived":true`, "archived": `,"archived":true`, "state": `,"state":"ARCHIVED"`, "not": ""} {
		server := collectorstest.NewServer(t)
		serve(server)
		server.Handle("GET /api/v1/deployments/acme/projects", numbered("projects", `{"projects":[{"id":1,"name":"acme/api","url":"https://github.com/acme/api","latest_scan_at":"2026-04-01T00:00:00Z"`+mark+`}]}`))
		c, err := New(Config{URL: server.URL(), Token: collectorstest.Secret(t, "sgp_123456")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		check := func(scans int) {
			t.Helper()
			batches, err := collectorstest.Gather(t.Context(), c, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := record.ClosureNone
			if mark != "" {
				want = record.ClosureRepositoryArchived
			}
			if b := batches["projects:acme"]; b.Err == nil && len(b.Scans) != scans {
				t.Errorf("%s: %d scans, want %d", name, len(b.Scans), scans)
			}
			for _, scope := range []string{"sast:acme", "sca:acme", "secrets:acme"} {
				if got := batches[scope].Findings[0].Closure; got != want {
					t.Errorf("%s: what is open in %s is closed as %q, want %q", name, scope, got, want)
				}
			}
			if fixed := batches["sast:acme"].Findings[1]; fixed.Closure != record.ClosureFixed {
				t.Errorf("%s: what was fixed is closed as %q", name, fixed.Closure)
			}
		}
		scans := 1
		if mark != "" {
			scans = 0
		}
		check(scans)
		server.Handle("GET /api/v1/deployments/acme/projects", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		check(scans)
	}
}

func TestClosures(t *testing.T) {
	c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	changed := translate.Time{Time: day(5, 5)}
	for status, want := range map[string]record.Closure{
		"open": record.ClosureNone, "reviewing": record.ClosureNone, "fixing": record.ClosureNone, "reopened": record.ClosureNone, "untriaged": record.ClosureNone,
		"unresolved": record.ClosureNone, "provisionally_ignored": record.ClosureNone, "": record.ClosureNone, "unspecified": record.ClosureNone, "unknown": record.ClosureNone,
		"fixed": record.ClosureFixed, "removed": record.ClosureOutOfScope, "ignored": record.ClosureOther, "muted": record.ClosureOther, "hibernating": record.ClosureNone,
	} {
		got, at := c.closure(&wireFinding{Status: status, StateUpdatedAt: changed, TriagedAt: changed})
		if got != want || (got == record.ClosureNone) != at.IsZero() {
			t.Errorf("status %q = %q at %v, want %q", status, got, at, want)
		}
		if byState, _ := c.closure(&wireFinding{State: status}); byState != want {
			t.Errorf("state %q = %q, want %q", status, byState, want)
		}
	}
	for reason, want := range map[string]record.Closure{
		"false_positive": record.ClosureFalsePositive, "acceptable_risk": record.ClosureRiskAccepted, "no_time": record.ClosureWontFix,
		"no_triage_reason": record.ClosureOther, "": record.ClosureOther, "full_moon": record.ClosureNone,
	} {
		if got, _ := c.closure(&wireFinding{Status: "ignored", TriageReason: reason}); got != want {
			t.Errorf("reason %q = %q, want %q", reason, got, want)
		}
	}
	for word, want := range map[string]string{"SEVERITY_HIGH": "HIGH", "severity_high": "HIGH", "HIGH": "HIGH", "": ""} {
		if got := bare(word, "SEVERITY_"); got != want {
			t.Errorf("bare(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestOwners(t *testing.T) {
	projects, err := translate.NewProjects([]translate.Project{{Name: "local_scan/legacy", Service: "billing"}})
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{Base: &platform.Base{Projects: projects}}
	for in, want := range map[repository]translate.Owner{
		{Name: "acme/api", URL: "https://gitlab.example.com/acme/api"}: {Repository: "gitlab.example.com/acme/api"},
		{Name: "acme/api"}:          {Repository: "acme/api"},
		{Name: "local_scan/x"}:      {},
		{Name: "local_scan/legacy"}: {Service: "billing"},
		{Name: "monolith"}:          {},
	} {
		if got := c.ownerOf(in); got != want {
			t.Errorf("ownerOf(%+v) = %+v, want %+v", in, got, want)
		}
	}
}

func TestEPSSForms(t *testing.T) {
	for in, want := range map[string]float64{`0.5`: 0.5, `"0.5"`: 0.5, `{"score":0.5}`: 0.5, `{"score":"0.5"}`: 0.5, `null`: 0, `[]`: 0, `{"score":7}`: 0} {
		var got epss
		if err := json.Unmarshal([]byte(in), &got); err != nil || translate.Number(got).Probability() != want {
			t.Errorf("epss from %s = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestCheckAndForecast(t *testing.T) {
	server := collectorstest.NewServer(t)
	serve(server)
	server.Handle("GET /api/v1/deployments/4711/secrets", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
	c, err := New(Config{URL: server.URL(), Token: collectorstest.Secret(t, "sgp_123456"), Common: collectors.Common{Interval: collectors.Duration(15 * time.Minute)}}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if failed := r.Subject == "deployment acme: secrets"; failed != (r.Err != nil) || failed && !strings.Contains(r.Err.Error(), webAPI) {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	server.Forget()
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Forecast()[""], 4*float64(len(server.Requests())); got != want || len(results) != 5 {
		t.Errorf("Forecast() = %v, want %v; %d checks", got, want, len(results))
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	token := apiclient.Secret{Env: "SEMGREP_TOKEN"}
	for want, config := range map[string]Config{
		"token":               {},
		"page_size":           {Token: token, Requests: platform.Requests{PageSize: -1}},
		"requests_per_second": {Token: token, Requests: platform.Requests{RequestsPerSecond: -1}},
		"dast":                {Token: token, Products: []Product{"dast"}},
		"rule 1":              {Token: token, Projects: []translate.Project{{Name: "x"}}},
		"url":                 {Token: token, URL: "semgrep.dev"},
	} {
		if _, err := New(config, testEnv()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}

// TestRecordedReports puts what the command-line tool reported about real code into the form of the platform's API: rules, severities,
// paths and CWEs as they occur.
func TestRecordedReports(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "fixtures", "scans", "semgrep")
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
	c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	read := 0
	for _, file := range files {
		for i, raw := range asAPI(t, file) {
			f, err := c.finding(raw, ProductSAST)
			if err != nil || f.Severity == record.SeverityUnknown || f.Place == "" || f.Line == 0 || f.Rule == "" {
				t.Errorf("%s, result %d: %+v, %v", filepath.Base(file), i, f, err)
			}
			read++
		}
	}
	if want := 60; read != want { // jq '.results | length'
		t.Errorf("%d results read, want %d", read, want)
	}
	if unknown := c.Words.List(); len(unknown) > 0 {
		t.Errorf("words of real reports are unknown: %v", unknown)
	}
}

func asAPI(t *testing.T, file string) []json.RawMessage {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Results []struct {
			CheckID string `json:"check_id"`
			Path    string `json:"path"`
			Start   struct{ Line int }
			Extra   struct {
				Severity string `json:"severity"`
				Metadata struct {
					CWE json.RawMessage `json:"cwe"`
				} `json:"metadata"`
			}
		}
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	var items []json.RawMessage
	for i, r := range report.Results {
		var cwes []string
		if json.Unmarshal(r.Extra.Metadata.CWE, &cwes) != nil {
			var one string
			_ = json.Unmarshal(r.Extra.Metadata.CWE, &one)
			cwes = []string{one}
		}
		item, err := json.Marshal(map[string]any{
			"id": i + 1, "status": "open", "severity": r.Extra.Severity, "location": map[string]any{"file_path": r.Path, "line": r.Start.Line},
			"rule": map[string]any{"name": r.CheckID, "cwe_names": cwes},
		})
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	return items
}

func FuzzFinding(f *testing.F) {
	f.Add([]byte(sastJSON(1, "open", "")))
	f.Add([]byte(scaItem))
	f.Add([]byte(secretJSON("s1", "FINDING_STATUS_OPEN")))
	c := &Collector{Base: &platform.Base{Words: translate.NewUnknownWords(slog.New(slog.DiscardHandler))}}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, translated := range []func() (record.Finding, error){
			func() (record.Finding, error) { return c.finding(data, ProductSAST) },
			func() (record.Finding, error) { return c.finding(data, ProductSCA) },
			func() (record.Finding, error) { return c.secret(data) },
		} {
			got, err := translated()
			if err != nil {
				continue
			}
			switch {
			case got.ID == "" || !slices.Contains(record.Classes(), got.Class) || !slices.Contains(record.Severities(), got.Severity):
				t.Errorf("%s became %+v", data, got)
			case len(got.Title) > record.MaxText || len(got.Place) > record.MaxText || got.Line < 0 || got.EPSS < 0 || got.EPSS > 1:
				t.Errorf("%s is not kept within bounds: %+v", data, got)
			case got.Closure == record.ClosureNone && !got.ClosedAt.IsZero():
				t.Errorf("%s is open and was closed at %v", data, got.ClosedAt)
			}
		}
	})
}
