package alerts_test

import (
	"encoding/json"
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
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// collector makes the part alone, for what needs no requests.
func collector(t testing.TB) *alerts.Collector {
	env := githubtest.Env(t)
	return alerts.New(alerts.Default(), env, inventory.New(inventory.Default(), env))
}

// TestDependabotBeyondTheFirstPage: GitHub pages Dependabot alerts by cursor only; a client that counts pages stops after 100 of them
// and sees no error.
func TestDependabotBeyondTheFirstPage(t *testing.T) {
	c, s, _ := githubtest.Setup(t, nil)
	var first, rest []string
	for n := 1; n <= 231; n++ {
		alert := githubtest.DependabotJSON(n, "open", "")
		if n <= 100 {
			first = append(first, alert)
		} else {
			rest = append(rest, alert)
		}
	}
	s.LinkPages("GET /orgs/acme/dependabot/alerts", "after", collectorstest.Items(first...), collectorstest.Items(rest[:100]...), collectorstest.Items(rest[100:]...))
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["dependabot:acme"]; b.Err != nil || len(b.Findings) != 231 || b.Findings[100].ID != "dependabot:acme/api#101" {
		t.Errorf("%d findings, error %v; want 231 with the 101st", len(b.Findings), b.Err)
	}
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "alerts") && (r.Query.Has("page") || r.Query.Get("per_page") != "100") {
			t.Errorf("%s was asked for with %v", r.Path, r.Query)
		}
	}
}

// updatedAt is an alert that was updated at a time.
func updatedAt(n int, t time.Time) string {
	return strings.Replace(githubtest.DependabotJSON(n, "open", ""), fmt.Sprintf(`"updated_at":"2026-02-01T00:%02d:00Z"`, n%60), fmt.Sprintf(`"updated_at":%q`, t.Format(time.RFC3339)), 1)
}

func TestDeltaStopsAtItsWatermark(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) {
		c.Alerts.Kinds, c.Protection.Branches = []alerts.Kind{alerts.Dependabot}, false
		c.Inventory.Repositories.Switch(false)
	})
	watermark := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	newest := watermark.Add(3 * time.Hour)
	s.LinkPages("GET /orgs/acme/dependabot/alerts", "after",
		collectorstest.Items(updatedAt(5, newest), updatedAt(4, watermark.Add(time.Hour))),
		collectorstest.Items(updatedAt(3, watermark), updatedAt(2, watermark.Add(-alerts.Overlap)), updatedAt(1, watermark.Add(-alerts.Overlap-time.Second))),
		collectorstest.Items(updatedAt(0, watermark.Add(-time.Hour))))
	batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"dependabot:acme": record.Cursor(watermark.Format(time.RFC3339))})
	if err != nil {
		t.Fatal(err)
	}
	b := batches["dependabot:acme"]
	if b.Mode != record.Delta || len(b.Findings) != 4 || b.Cursor != record.Cursor(newest.Format(time.RFC3339)) {
		t.Errorf("batch = %s with %d findings and the cursor %s, want a delta of 4 and %s", b.Mode, len(b.Findings), b.Cursor, newest)
	}
	requests := s.Requests()
	if len(requests) != 2 {
		t.Errorf("%d pages were read, want 2", len(requests))
	}
	if q := requests[0].Query; q.Get("sort") != "updated" || q.Get("direction") != "desc" {
		t.Errorf("a delta asks for %v", q)
	}
}

func TestSweepOrderAndWatermark(t *testing.T) {
	c, s, clock := githubtest.Setup(t, func(c *github.Config) { c.Alerts.Kinds = []alerts.Kind{alerts.Dependabot} })
	s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(updatedAt(1, clock.Now().Add(time.Hour)), updatedAt(1, clock.Now().Add(2*time.Hour))))
	batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"dependabot:acme": "nonsense"})
	if err != nil {
		t.Fatal(err)
	}
	b := batches["dependabot:acme"]
	if b.Mode != record.Full || len(b.Findings) != 1 || !b.Findings[0].UpdatedAt.Equal(clock.Now().Add(2*time.Hour)) {
		t.Errorf("batch = %+v, want a full one with the newer report of the alert that came twice", b)
	}
	if b.Cursor != record.Cursor(clock.Now().Format(time.RFC3339)) {
		t.Errorf("cursor = %s, want no later than the start of the reading: what is updated meanwhile must be met again", b.Cursor)
	}
	for _, r := range s.Requests() {
		if strings.HasSuffix(r.Path, "alerts") && (r.Query.Get("sort") != "created" || r.Query.Get("direction") != "asc") {
			t.Errorf("a sweep asks for %v", r.Query)
		}
	}
}

func TestArchivedRepositoriesCloseTheirOpenAlerts(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { c.Alerts.Kinds = []alerts.Kind{alerts.Dependabot} })
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("api", `,"archived":true`)))
	for run := range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := batches["dependabot:acme"].Findings
		if len(f) != 3 || f[0].Closure != record.ClosureRepositoryArchived || f[1].Closure != record.ClosureFixed {
			t.Errorf("run %d: findings = %+v, want the open one closed as archived and the fixed one left", run, f)
		}
		// What was known stays known when the list cannot be read.
		s.Inject(&collectorstest.Fault{Match: githubtest.AtPath("/orgs/acme/repos"), Apply: collectorstest.Status(http.StatusForbidden)})
	}
}

func TestSecretsAreNeitherRequestedNorKept(t *testing.T) {
	c, s, _ := githubtest.Setup(t, nil)
	for _, cursors := range []collectors.Cursors{nil, {"secret_scanning:acme": "2020-01-01T00:00:00Z"}} {
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%+v", batches); strings.Contains(text, "LITERAL") {
			t.Errorf("a batch holds a secret: %s", text)
		}
	}
	asked := 0
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "secret-scanning") {
			asked++
			if r.Query.Get("hide_secret") != "true" {
				t.Errorf("secrets were not declined: %v", r.Query)
			}
		}
	}
	if asked < 4 {
		t.Errorf("%d requests for secret scanning, want at least 4", asked)
	}
}

func TestUnchangedAlertsCostNoBudget(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) {
		c.Alerts.Kinds, c.Protection.Branches = []alerts.Kind{alerts.CodeScanning}, false
		c.Inventory.Repositories.Switch(false)
	})
	conditional := 0
	s.Handle("GET /orgs/acme/code-scanning/alerts", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			conditional++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		collectorstest.WriteJSON(w, collectorstest.Items(githubtest.CodeScanningJSON(1, `,"state":"open"`)))
	})
	for range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil || len(batches["code_scanning:acme"].Findings) != 1 {
			t.Fatalf("batches = %+v, error %v", batches, err)
		}
	}
	if conditional != 1 {
		t.Errorf("%d answers of 304, want 1", conditional)
	}
}

func TestWholeFindings(t *testing.T) {
	c := collector(t)
	created, updated := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		kind alerts.Kind
		item string
		want record.Finding
	}{
		{alerts.Dependabot, githubtest.DependabotJSON(60, "open", ""), record.Finding{
			ID: "dependabot:acme/api#60", Tool: "dependabot", Class: record.ClassSCA, Repository: "acme/api", Title: "Prototype pollution",
			URL: "https://github.com/Acme/api/security/dependabot/60", Severity: record.SeverityHigh, Category: "CWE-1321", Rule: "GHSA-abcd-efgh-ijkl",
			Aliases: []string{"GHSA-ABCD-EFGH-IJKL", "CVE-2026-1234"}, Package: "npm/lodash", Version: "< 4.17.21", Place: "web/package-lock.json",
			FirstSeen: created, UpdatedAt: updated, FixAvailable: record.AnswerYes, EPSS: 0.16001,
		}},
		{alerts.CodeScanning, githubtest.CodeScanningJSON(7, `,"state":"open"`), record.Finding{
			ID: "code_scanning:acme/api#7", Tool: "codeql", Class: record.ClassSAST, Repository: "acme/api", Title: "Cross-site scripting",
			URL: "https://github.com/Acme/api/security/code-scanning/7", Severity: record.SeverityHigh, Category: "CWE-79", Rule: "js/xss",
			Place: "web/view.js", Line: 17, FirstSeen: created, UpdatedAt: updated,
		}},
		{alerts.SecretScanning, githubtest.SecretJSON(9, `,"first_location_detected":{"path":"/.env","start_line":3}`), record.Finding{
			ID: "secret_scanning:acme/api#9", Tool: "secret-scanning", Class: record.ClassSecret, Repository: "acme/api", Title: "AWS access key",
			URL: "https://github.com/Acme/api/security/secret-scanning/9", Severity: record.SeverityCritical, Category: "CWE-798", Rule: "aws_access_key",
			Place: ".env", Line: 3, FirstSeen: created, UpdatedAt: updated, ActiveSecret: record.AnswerYes,
		}},
	}
	for _, tt := range tests {
		got, err := c.Decode(tt.kind, json.RawMessage(tt.item))
		if err != nil {
			t.Errorf("%s: %v", tt.kind, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
	}
}

type closureCase struct {
	name, item string
	kind       alerts.Kind
	want       record.Closure
	dated      bool
}

const closedAt = `"2026-01-20T00:00:00Z"`

func stateCases() []closureCase {
	dependabot, code, secret := alerts.Dependabot, alerts.CodeScanning, alerts.SecretScanning
	return []closureCase{
		{"dependabot open", githubtest.DependabotJSON(1, "open", ""), dependabot, record.ClosureNone, false},
		{"dependabot fixed", githubtest.DependabotJSON(1, "fixed", `,"fixed_at":`+closedAt), dependabot, record.ClosureFixed, true},
		{"dependabot auto", githubtest.DependabotJSON(1, "auto_dismissed", `,"auto_dismissed_at":`+closedAt), dependabot, record.ClosureAutoDismissed, true},
		{"code open", githubtest.CodeScanningJSON(1, `,"state":"open"`), code, record.ClosureNone, false},
		{"code fixed", githubtest.CodeScanningJSON(1, `,"state":"fixed","fixed_at":`+closedAt), code, record.ClosureFixed, true},
		{"code null, fixed", githubtest.CodeScanningJSON(1, `,"state":null,"fixed_at":`+closedAt), code, record.ClosureFixed, true},
		{"code null, dismissed", githubtest.CodeScanningJSON(1, `,"state":null,"dismissed_reason":"mitigated","dismissed_at":`+closedAt), code, record.ClosureMitigated, true},
		{"code null", githubtest.CodeScanningJSON(1, `,"state":null,"fixed_at":null`), code, record.ClosureNone, false},
		{"code unknown", githubtest.CodeScanningJSON(1, `,"state":"parked"`), code, record.ClosureNone, false},
		{"secret open", githubtest.SecretJSON(1, ""), secret, record.ClosureNone, false},
		{"code unknown, fixed", githubtest.CodeScanningJSON(1, `,"state":"parked","fixed_at":`+closedAt), code, record.ClosureOther, true},
		{"code unknown, dismissed", githubtest.CodeScanningJSON(1, `,"state":"parked","fixed_at":null,"dismissed_at":`+closedAt), code, record.ClosureOther, true},
		{"dependabot unknown", githubtest.DependabotJSON(1, "parked", `,"fixed_at":null,"dismissed_at":null,"auto_dismissed_at":null`), dependabot, record.ClosureNone, false},
		{"dependabot unknown, fixed", githubtest.DependabotJSON(1, "parked", `,"fixed_at":`+closedAt), dependabot, record.ClosureOther, true},
		{"dependabot unknown, dismissed", githubtest.DependabotJSON(1, "parked", `,"dismissed_reason":"inaccurate","dismissed_at":`+closedAt), dependabot, record.ClosureOther, true},
		{"dependabot unknown, auto-dismissed", githubtest.DependabotJSON(1, "parked", `,"auto_dismissed_at":`+closedAt), dependabot, record.ClosureOther, true},
		{"dependabot open with a stale date", githubtest.DependabotJSON(1, "open", `,"fixed_at":`+closedAt), dependabot, record.ClosureNone, false},
		{"secret unknown", githubtest.SecretJSON(1, `,"state":"parked","resolved_at":null`), secret, record.ClosureNone, false},
		{"secret unknown, resolved", githubtest.SecretJSON(1, `,"state":"parked","resolved_at":`+closedAt), secret, record.ClosureOther, true},
	}
}

func reasonCases() []closureCase {
	var cases []closureCase
	add := func(kind alerts.Kind, item func(more string) string, format string, reasons map[string]record.Closure) {
		for reason, want := range reasons {
			fields := fmt.Sprintf(format, reason, closedAt)
			cases = append(cases, closureCase{reason, item(fields), kind, want, true})
		}
	}
	add(alerts.CodeScanning, func(more string) string { return githubtest.CodeScanningJSON(1, more) }, `,"state":"dismissed","dismissed_reason":%q,"dismissed_at":%s`, map[string]record.Closure{
		"false positive": record.ClosureFalsePositive, "won't fix": record.ClosureWontFix, "used in tests": record.ClosureUsedInTests,
		"mitigated": record.ClosureMitigated, "new": record.ClosureOther,
	})
	add(alerts.Dependabot, func(more string) string { return githubtest.DependabotJSON(1, "dismissed", more) }, `,"dismissed_reason":%q,"dismissed_at":%s`, map[string]record.Closure{
		"fix_started": record.ClosureOther, "inaccurate": record.ClosureFalsePositive, "no_bandwidth": record.ClosureWontFix,
		"not_used": record.ClosureOutOfScope, "tolerable_risk": record.ClosureRiskAccepted, "": record.ClosureOther, "new": record.ClosureOther,
	})
	add(alerts.SecretScanning, func(more string) string { return githubtest.SecretJSON(1, more) }, `,"state":"resolved","resolution":%q,"resolved_at":%s`, map[string]record.Closure{
		"false_positive": record.ClosureFalsePositive, "wont_fix": record.ClosureWontFix, "revoked": record.ClosureFixed,
		"used_in_tests": record.ClosureUsedInTests, "pattern_edited": record.ClosureAutoDismissed, "pattern_deleted": record.ClosureAutoDismissed,
		"new": record.ClosureOther,
	})
	return cases
}

func TestClosures(t *testing.T) {
	c := collector(t)
	for _, tt := range append(stateCases(), reasonCases()...) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Decode(tt.kind, json.RawMessage(tt.item))
			if err != nil || got.Closure != tt.want || got.ClosedAt.IsZero() == tt.dated {
				t.Errorf("closure %q at %s, error %v; want %q, dated %t", got.Closure, got.ClosedAt, err, tt.want, tt.dated)
			}
		})
	}
}

func TestSeverities(t *testing.T) {
	c := collector(t)
	code := func(rule string) string {
		return strings.Replace(githubtest.CodeScanningJSON(1, ""), `"severity":"warning","security_severity_level":"high"`, rule, 1)
	}
	dependabot := func(vulnerability, advisory string) string {
		parts := strings.Split(githubtest.DependabotJSON(1, "open", ""), `"severity":"high"`)
		return parts[0] + fmt.Sprintf(`"severity":%q`, advisory) + parts[1] + fmt.Sprintf(`"severity":%q`, vulnerability) + parts[2]
	}
	secret := func(validity string) string {
		return strings.Replace(githubtest.SecretJSON(1, ""), `"validity":"active"`, validity, 1)
	}
	tests := []struct {
		item string
		kind alerts.Kind
		want record.Severity
	}{
		{dependabot("critical", "low"), alerts.Dependabot, record.SeverityCritical},
		{dependabot("", "low"), alerts.Dependabot, record.SeverityLow},
		{dependabot("moderate", ""), alerts.Dependabot, record.SeverityMedium},
		{dependabot("", ""), alerts.Dependabot, record.SeverityUnknown},
		{code(`"severity":"note","security_severity_level":"critical"`), alerts.CodeScanning, record.SeverityCritical},
		{code(`"severity":"error","security_severity_level":null`), alerts.CodeScanning, record.SeverityHigh},
		{code(`"severity":"warning"`), alerts.CodeScanning, record.SeverityMedium},
		{code(`"severity":"note"`), alerts.CodeScanning, record.SeverityLow},
		{code(`"severity":"none"`), alerts.CodeScanning, record.SeverityUnknown},
		{code(`"severity":"shiny"`), alerts.CodeScanning, record.SeverityUnknown},
		{code(`"severity":"error","security_severity_level":"shiny"`), alerts.CodeScanning, record.SeverityUnknown},
		{secret(`"validity":"active"`), alerts.SecretScanning, record.SeverityCritical},
		{secret(`"validity":"inactive"`), alerts.SecretScanning, record.SeverityMedium},
		{secret(`"validity":"unknown"`), alerts.SecretScanning, record.SeverityHigh},
		{secret(`"validity":null`), alerts.SecretScanning, record.SeverityHigh},
	}
	for _, tt := range tests {
		got, err := c.Decode(tt.kind, json.RawMessage(tt.item))
		if err != nil || got.Severity != tt.want {
			t.Errorf("severity %q, error %v; want %q of %s", got.Severity, err, tt.want, tt.item)
		}
	}
}

// TestCodeScanningRules: what an alert is about its rule and its tool tell. Alerts of rules that are not about security are counted as left out, and taken in where the
// configuration says so; advisories are aliases, so that lists of exploited ones and other tools' reports meet them.
func TestCodeScanningRules(t *testing.T) {
	tests := []struct {
		name, rule, tool string
		class            record.Class
		aliases          []string
		left             record.RejectReason
	}{
		{"CodeQL, security", `"id":"js/xss","security_severity_level":"high","tags":["security","external/cwe/cwe-079"]`, "CodeQL", record.ClassSAST, nil, ""},
		{"CodeQL, a suite of quality", `"id":"js/unused-local-variable","severity":"note","tags":["maintainability","quality"]`, "CodeQL", record.ClassSAST, nil, record.RejectNotSecurity},
		{"a linter", `"id":"no-unused-vars","severity":"warning"`, "ESLint", record.ClassSAST, nil, record.RejectNotSecurity},
		{"a linter's rule about security", `"id":"security/detect-eval","severity":"warning"`, "ESLint", record.ClassSAST, nil, ""},
		{"a rule that says nothing", `"id":"x1","severity":"error"`, "acme-scan", record.ClassSAST, nil, ""},
		{"Trivy, a package of an image", `"id":"CVE-2021-44228","name":"OsPackageVulnerability","severity":"error","security_severity_level":"critical","tags":["vulnerability"]`, "Trivy", record.ClassContainer, []string{"CVE-2021-44228"}, ""},
		{"Trivy, a licence", `"id":"GPL-3.0","name":"License","severity":"error"`, "Trivy", "", nil, record.RejectNotSecurity},
		{"Grype", `"id":"GHSA-jfh8-c2jp-5v3q-log4j-core","security_severity_level":"critical"`, "Grype", record.ClassSCA, []string{"GHSA-JFH8-C2JP-5V3Q"}, ""},
		{"OSV", `"id":"GO-2024-2611","security_severity_level":"medium"`, "osv-scanner", record.ClassSCA, []string{"GO-2024-2611"}, ""},
		{"Snyk names the advisory in the description", `"id":"SNYK-JS-LODASH-1018905","description":"(CVE-2021-23337) lodash@4.17.20","security_severity_level":"high"`, "Snyk Open Source", record.ClassSCA, []string{"SNYK-JS-LODASH-1018905", "CVE-2021-23337"}, ""},
		{"Semgrep supply chain", `"id":"ssc-1234","name":"ssc-1234","description":"CVE-2023-26136","security_severity_level":"high"`, "Semgrep OSS", record.ClassSCA, []string{"CVE-2023-26136"}, ""},
		{"source analysis that mentions one", `"id":"java/log4j-injection","description":"Log4j, as in CVE-2021-44228","security_severity_level":"high","tags":["security"]`, "CodeQL", record.ClassSAST, nil, ""},
		{"Checkov", `"id":"CKV_AWS_1","severity":"error"`, "checkov", record.ClassIaC, nil, ""},
	}
	for _, tt := range tests {
		item := `{"number":1,"state":"open","created_at":"2026-01-02T03:04:05Z",` + githubtest.InRepository("api") + `,"rule":{` + tt.rule + `},"tool":{"name":"` + tt.tool + `"}}`
		got, err := collector(t).Decode(alerts.CodeScanning, json.RawMessage(item))
		if tt.left != "" {
			if err == nil || api.RejectReasonOf(err) != tt.left {
				t.Errorf("%s: %+v, %v; want it left out as %s", tt.name, got, err, tt.left)
			}
			continue
		}
		if err != nil || got.Class != tt.class || !slices.Equal(got.Aliases, tt.aliases) {
			t.Errorf("%s: class %s, aliases %v, error %v; want %s and %v", tt.name, got.Class, got.Aliases, err, tt.class, tt.aliases)
		}
	}
	env := githubtest.Env(t)
	config := alerts.Default()
	config.CodeQuality = true
	lint := `{"number":1,"state":"open",` + githubtest.InRepository("api") + `,"rule":{"id":"no-unused-vars","severity":"warning"},"tool":{"name":"ESLint"}}`
	if f, err := alerts.New(config, env, inventory.New(inventory.Default(), env)).Decode(alerts.CodeScanning, json.RawMessage(lint)); err != nil || f.Severity != record.SeverityMedium {
		t.Errorf("taken in by the configuration: %+v, %v", f, err)
	}
}

// TestClassificationsOfCode are kept, and left out where the configuration says so.
func TestClassificationsOfCode(t *testing.T) {
	item := json.RawMessage(strings.Replace(githubtest.CodeScanningJSON(1, ""), `"most_recent_instance":{`, `"most_recent_instance":{"classifications":["test","generated"],`, 1))
	got, err := collector(t).Decode(alerts.CodeScanning, item)
	if err != nil || !slices.Equal(got.Classifications, []string{"test", "generated"}) {
		t.Errorf("%+v, %v", got, err)
	}
	env := githubtest.Env(t)
	config := alerts.Default()
	config.ExcludeClassifications = []string{"generated"}
	if f, err := alerts.New(config, env, inventory.New(inventory.Default(), env)).Decode(alerts.CodeScanning, item); err == nil || api.RejectReasonOf(err) != record.RejectExcluded {
		t.Errorf("%+v, %v; want it left out", f, err)
	}
}

// TestGenericSecretsAreAskedFor: GitHub's list of secrets leaves out generic patterns and passwords unless they are named.
func TestGenericSecretsAreAskedFor(t *testing.T) {
	generic := strings.ReplaceAll(githubtest.SecretJSON(9, ""), "aws_access_key", "password")
	for _, cursors := range []collectors.Cursors{nil, {"secret_scanning:acme": "2020-01-01T00:00:00Z"}} {
		c, s, _ := githubtest.Setup(t, func(c *github.Config) {
			c.Alerts.Kinds, c.Alerts.GenericSecretTypes = []alerts.Kind{alerts.SecretScanning}, []string{"password", "rsa_private_key"}
		})
		s.Handle("GET /orgs/acme/secret-scanning/alerts", func(w http.ResponseWriter, r *http.Request) {
			switch types := r.URL.Query().Get("secret_type"); types {
			case "":
				collectorstest.WriteJSON(w, collectorstest.Items(githubtest.SecretJSON(1, "")))
			case "password,rsa_private_key":
				collectorstest.WriteJSON(w, collectorstest.Items(generic))
			default:
				t.Errorf("asked for %q", types)
			}
		})
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		if b := batches["secret_scanning:acme"]; b.Err != nil || len(b.Findings) != 2 || b.Findings[1].Rule != "password" {
			t.Errorf("%+v, want both secrets", b)
		}
	}
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { c.Alerts.GenericSecretTypes = alerts.Default().GenericSecretTypes })
	s.Handle("GET /orgs/acme/secret-scanning/alerts", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("secret_type") {
			githubtest.Refused(http.StatusUnprocessableEntity, "Unknown secret type")(w, r)
			return
		}
		collectorstest.WriteJSON(w, collectorstest.Items(githubtest.SecretJSON(1, "")))
	})
	if b := githubtest.Scope(t, c, "secret_scanning:acme"); b.Err == nil || !strings.Contains(b.Err.Error(), "generic_secret_types") {
		t.Errorf("error %v, want the key that is to be changed", b.Err)
	}
}

// TestExposureRaisesTheSeverityOfSecrets: one that was found in public, or that somebody pushed past push protection, is a step worse.
func TestExposureRaisesTheSeverityOfSecrets(t *testing.T) {
	for _, tt := range []struct {
		validity, more string
		want           record.Severity
	}{
		{"unknown", "", record.SeverityHigh}, {"unknown", `,"publicly_leaked":true`, record.SeverityCritical}, {"unknown", `,"push_protection_bypassed":true`, record.SeverityCritical},
		{"inactive", `,"publicly_leaked":true`, record.SeverityHigh}, {"inactive", `,"publicly_leaked":true,"push_protection_bypassed":true`, record.SeverityCritical},
		{"active", `,"publicly_leaked":true`, record.SeverityCritical}, {"unknown", `,"publicly_leaked":null,"push_protection_bypassed":false`, record.SeverityHigh},
	} {
		item := strings.Replace(githubtest.SecretJSON(1, tt.more), `"validity":"active"`, fmt.Sprintf(`"validity":%q`, tt.validity), 1)
		if got, err := collector(t).Decode(alerts.SecretScanning, json.RawMessage(item)); err != nil || got.Severity != tt.want {
			t.Errorf("%s%s: %s, %v; want %s", tt.validity, tt.more, got.Severity, err, tt.want)
		}
	}
}

func TestScopeErrors(t *testing.T) {
	tests := []struct {
		status         int
		header, body   string
		want           record.ErrorReason
		wantPermission string
	}{
		{403, "", `{"message":"Resource not accessible by integration"}`, record.ReasonPermission, "security_events=read"},
		{403, "security_events=write", `{"message":"Resource not accessible by integration"}`, record.ReasonPermission, "security_events=write"},
		{403, "", `{"message":"Advanced Security must be enabled for this organization to use code scanning."}`, record.ReasonFeatureOff, ""},
		{403, "", `{"message":"Code Security is not enabled."}`, record.ReasonFeatureOff, ""},
		{404, "", `{"message":"no analysis found"}`, record.ReasonFeatureOff, ""},
		{404, "", `{"message":"Not Found"}`, record.ReasonPermission, "security_events=read"},
		{422, "", `{"message":"Validation failed"}`, record.ReasonRejected, ""},
	}
	for _, tt := range tests {
		c, s, _ := githubtest.Setup(t, nil)
		s.Handle("GET /orgs/acme/code-scanning/alerts", func(w http.ResponseWriter, _ *http.Request) {
			if tt.header != "" {
				w.Header().Set("X-Accepted-GitHub-Permissions", tt.header)
			}
			w.WriteHeader(tt.status)
			collectorstest.WriteJSON(w, tt.body)
		})
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got *record.Error
		if e, ok := batches["code_scanning:acme"].Err.(*record.Error); ok { //nolint:errorlint // The batch holds it as it is.
			got = e
		}
		if got == nil || got.Reason != tt.want || got.Permission != tt.wantPermission {
			t.Errorf("%d %s: %v, want %s and permission %q", tt.status, tt.body, batches["code_scanning:acme"].Err, tt.want, tt.wantPermission)
		}
	}
}

func FuzzAlerts(f *testing.F) {
	f.Add(githubtest.DependabotJSON(1, "open", ""))
	f.Add(githubtest.CodeScanningJSON(2, `,"state":null`))
	f.Add(githubtest.SecretJSON(3, ""))
	c := collector(f)
	f.Fuzz(func(t *testing.T, item string) {
		for _, kind := range alerts.Kinds() {
			finding, err := c.Decode(kind, json.RawMessage(item))
			if err == nil && (finding.ID == "" || finding.Repository == "" || finding.Severity == "" || len(finding.Title) > record.MaxText) {
				t.Errorf("%s made %+v of %q", kind, finding, item)
			}
		}
	})
}
