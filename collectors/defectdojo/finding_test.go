package defectdojo

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

func decoded(t *testing.T, text string) record.Finding {
	t.Helper()
	var f finding
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	r, ok := f.record("https://dojo.example", target{service: "s"}, nil)
	if !ok {
		t.Fatalf("a date cannot be read: %s", text)
	}
	return r
}

func TestFindingWhole(t *testing.T) {
	got := decoded(t, item(4711, 1, `, "active": false, "is_mitigated": true, "mitigated": "2026-02-10T00:00:00+01:00", "component_name": "org.apache:log4j",
		"component_version": "2.14", "vulnerability_ids": [{"vulnerability_id": "CVE-2021-44228"}, {"vulnerability_id": "ghsa-jfh8-c2jp-5v3q"}, {"vulnerability_id": "DSA-1"}],
		"cve": "CVE-2021-44228", "file_path": "pom.xml", "line": 7, "epss_score": 0.97, "known_exploited": true, "fix_available": null, "cwe": 0,
		"related_fields": {"test": {"test_type": {"name": "Trivy Scan"}}}, "unknown": [1]`))
	want := record.Finding{
		ID: "defectdojo#4711", Tool: "trivy", Class: record.ClassSCA, Service: "s", Title: "Finding 4711", URL: "https://dojo.example/finding/4711",
		Severity: record.SeverityHigh, Category: "maven", Aliases: []string{"CVE-2021-44228", "GHSA-JFH8-C2JP-5V3Q"}, Package: "maven/org.apache:log4j", Version: "2.14",
		Place: "pom.xml", Line: 7, Closure: record.ClosureFixed, FirstSeen: time.Date(2026, 1, 2, 10, 0, 0, 5e8, time.UTC),
		ClosedAt: time.Date(2026, 2, 9, 23, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2026, 2, 5, 10, 0, 0, 0, time.UTC),
		KnownExploited: record.AnswerYes, EPSS: 0.97,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestClosure goes through all combinations of the flags.
func TestClosure(t *testing.T) {
	for bits := range 1 << 8 {
		flag := func(n int) bool { return bits&(1<<n) != 0 }
		f := finding{
			Active: flag(0), FalsePositive: flag(1), Duplicate: flag(2), OutOfScope: flag(3), RiskAccepted: flag(4), IsMitigated: flag(5), UnderReview: flag(6),
			DefectReview: flag(7),
		}
		want := record.ClosureOther
		for _, rule := range []struct {
			applies bool
			closure record.Closure
		}{
			{f.Active || f.UnderReview || f.DefectReview, record.ClosureNone}, {f.RiskAccepted, record.ClosureRiskAccepted}, {f.IsMitigated, record.ClosureFixed},
			{f.OutOfScope, record.ClosureOutOfScope}, {f.FalsePositive, record.ClosureFalsePositive}, {f.Duplicate, record.ClosureDuplicate},
		} {
			if rule.applies {
				want = rule.closure // the later rule outweighs
			}
		}
		if got := f.closure(); got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	for name, tt := range map[string]struct {
		fields string
		want   time.Time
	}{
		"created that day": {`"date": "2026-01-02", "created": "2026-01-02T10:00:00Z"`, time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)},
		"imported later":   {`"date": "2025-06-01", "created": "2026-01-02T10:00:00Z"`, time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)},
		"no date":          {`"date": null, "created": "2026-01-02T10:00:00+02:00"`, time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)},
		"neither":          {`"date": ""`, time.Time{}},
	} {
		if got := decoded(t, fmt.Sprintf(`{"id": 1, "active": true, %s}`, tt.fields)); !got.FirstSeen.Equal(tt.want) || !got.ClosedAt.IsZero() {
			t.Errorf("%s: first seen %v, closed %v; want %v and open", name, got.FirstSeen, got.ClosedAt, tt.want)
		}
	}
	for _, wrong := range []string{`"soon"`, `7`, `{}`} {
		var f finding
		if err := json.Unmarshal([]byte(`{"id": 1, "date": `+wrong+`}`), &f); err != nil {
			t.Fatal(err)
		}
		if _, ok := f.record("", target{}, nil); ok {
			t.Errorf("date %s was read", wrong)
		}
	}
}

func TestSeverity(t *testing.T) {
	for word, want := range map[string]record.Severity{
		"Critical": record.SeverityCritical, "High": record.SeverityHigh, "Medium": record.SeverityMedium, "Low": record.SeverityLow,
		"Info": record.SeverityUnknown, "": record.SeverityUnknown, "Spicy": record.SeverityUnknown,
	} {
		if got := severityOf(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestClassAndTool(t *testing.T) {
	for name, tt := range map[string]struct {
		scan, fields string
		tool         string
		class        record.Class
		category     string
	}{
		"static analysis":          {"Semgrep JSON Report", `"static_finding": true, "cwe": 79`, "semgrep", record.ClassSAST, "CWE-79"},
		"no CWE":                   {"Semgrep JSON Report", `"vuln_id_from_tool": "r.1"`, "semgrep", record.ClassSAST, "r.1"},
		"dependency":               {"Trivy Scan", `"component_name": "x", "cve": "CVE-2026-0001"`, "trivy", record.ClassSCA, ""},
		"misconfiguration":         {"Trivy Scan", `"vuln_id_from_tool": "DS002", "file_path": "Dockerfile"`, "trivy", record.ClassIaC, "DS002"},
		"infrastructure":           {"Checkov Scan", `"static_finding": true`, "checkov", record.ClassIaC, ""},
		"dynamic":                  {"ZAP Scan", `"dynamic_finding": true, "static_finding": true`, "zap", record.ClassDAST, ""},
		"secrets":                  {"Gitleaks Scan", ``, "gitleaks", record.ClassSecret, ""},
		"unknown, component":       {"Novel Scan", `"component_name": "x", "static_finding": true`, "novel", record.ClassSCA, ""},
		"unknown, dynamic":         {"Novel Scan", `"dynamic_finding": true`, "novel", record.ClassDAST, ""},
		"unknown, static":          {"Novel Scan", `"static_finding": true`, "novel", record.ClassSAST, ""},
		"unknown":                  {"Novel Scan", ``, "novel", record.ClassOther, ""},
		"by hand, nothing is said": {"", ``, "defectdojo", record.ClassOther, ""},
	} {
		fields := ""
		if tt.fields != "" {
			fields = ", " + tt.fields
		}
		f := decoded(t, fmt.Sprintf(`{"id": 1, "related_fields": {"test": {"test_type": {"name": %q}}} %s}`, tt.scan, fields))
		if f.Tool != tt.tool || f.Class != tt.class || f.Category != tt.category {
			t.Errorf("%s: got tool %q, class %q, category %q; want %q, %q, %q", name, f.Tool, f.Class, f.Category, tt.tool, tt.class, tt.category)
		}
	}
}

func TestPackage(t *testing.T) {
	for _, tt := range []struct{ name, tool, want string }{
		{"org.apache:log4j", "", "maven/org.apache:log4j"},
		{"@babel/core", "", "npm/@babel/core"},
		{"github.com/x/y", "", "go/github.com/x/y"},
		{"pkg:npm/%40babel/core@7.0.0?x=y", "", "npm/@babel/core"},
		{"pkg:pypi/Django@4", "", "pip/django"},
		{"lodash", "npm audit", "npm/lodash"},
		{"lodash", "trivy", "generic/lodash"},
		{"", "trivy", ""},
	} {
		if got := packageOf(tt.name, tt.tool); got != tt.want {
			t.Errorf("packageOf(%q, %q) = %q, want %q", tt.name, tt.tool, got, tt.want)
		}
	}
}

func TestAcceptance(t *testing.T) {
	var a acceptance
	if err := json.Unmarshal([]byte(acceptanceOf(7, `"A"`)), &a); err != nil {
		t.Fatal(err)
	}
	got, reason := a.record("https://dojo.example", nil)
	day := func(month time.Month, n int) time.Time { return time.Date(2026, month, n, 0, 0, 0, 0, time.UTC) }
	want := record.Exception{
		ID: "acceptance#7", Title: "Accepted 7", URL: "https://dojo.example/api/v2/risk_acceptance/7/", State: record.ExceptionApproved, Category: "accept",
		Findings: []string{"defectdojo#11", "defectdojo#12"}, RequestedAt: day(1, 5), DecidedAt: day(1, 5), ExpiresAt: day(12, 31), UpdatedAt: day(1, 6),
		VendorAcceptance: true, Tool: "defectdojo",
	}
	if d := cmp.Diff(want, got); d != "" || reason != "" {
		t.Errorf("reason %q, (-want +got):\n%s", reason, d)
	}
}

func FuzzFinding(f *testing.F) {
	f.Add([]byte(item(1, 1, "")))
	f.Add([]byte(`{"id": -1, "line": -5, "epss_score": 1e9, "component_name": "pkg:", "vulnerability_ids": [{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var item finding
		if json.Unmarshal(data, &item) != nil {
			return
		}
		r, ok := item.record("https://dojo.example", target{}, nil)
		if ok && (r.ID == "" || r.Tool == "" || r.Class == "" || r.Severity == "" || r.Line < 0 || r.EPSS < 0 || r.EPSS > 1 || len(r.Title) > record.MaxText) {
			t.Fatalf("not sound: %+v", r)
		}
	})
}
