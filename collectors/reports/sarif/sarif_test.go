package sarif

import (
	"fmt"
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sarifOf wraps one result and one rule into a report of a tool.
func sarifOf(tool, rule, result string) string {
	return fmt.Sprintf(`{"version": "2.1.0", "runs": [{"results": [%s], "tool": {"driver": {"name": %q, "rules": [%s]}}}]}`, result, tool, rule)
}

func TestSARIFResult(t *testing.T) {
	for name, tt := range map[string]struct {
		tool, rule, result string
		want               record.Finding
	}{
		"score decides over level": {
			"CodeQL", `{"id": "r", "properties": {"security-severity": "9.1", "tags": ["security", "external/cwe/cwe-079"]}}`,
			`{"ruleId": "r", "ruleIndex": 0, "level": "note", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "./a%20b.go"}, "region": {"startLine": 7}}}]}`,
			record.Finding{Tool: "codeql", Class: record.ClassSAST, Rule: "r", Title: "m", Severity: record.SeverityCritical, Category: "CWE-79", Place: "a b.go", Line: 7},
		},
		"words for a score":             {"Semgrep OSS", `{"id": "r", "properties": {"security-severity": "HIGH"}}`, `{"ruleId": "r"}`, record.Finding{Tool: "semgrep", Class: record.ClassSAST, Severity: record.SeverityHigh}},
		"level of the result":           {"x", `{"id": "r", "defaultConfiguration": {"level": "note"}}`, `{"ruleId": "r", "level": "error"}`, record.Finding{Severity: record.SeverityHigh}},
		"level of the rule":             {"x", `{"id": "r", "defaultConfiguration": {"level": "note"}}`, `{"ruleId": "r"}`, record.Finding{Severity: record.SeverityLow}},
		"no level at all":               {"x", `{"id": "r"}`, `{"ruleId": "r"}`, record.Finding{Severity: record.SeverityMedium}},
		"level none":                    {"x", `{"id": "r"}`, `{"ruleId": "r", "level": "none"}`, record.Finding{Severity: record.SeverityUnknown}},
		"score 0 is no score":           {"x", `{"id": "r", "properties": {"security-severity": "0.0"}}`, `{"ruleId": "r", "level": "error"}`, record.Finding{Severity: record.SeverityHigh}},
		"rule by hierarchical id":       {"x", `{"id": "r", "properties": {"security-severity": 5}}`, `{"ruleId": "r/sub"}`, record.Finding{Rule: "r/sub", Severity: record.SeverityMedium}},
		"CWE from taxa":                 {"x", `{"id": "r"}`, `{"ruleId": "r", "taxa": [{"id": "352", "toolComponent": {"name": "CWE"}}]}`, record.Finding{Category: "CWE-352"}},
		"CWE from relationship":         {"x", `{"id": "r", "relationships": [{"target": {"id": "CWE-22", "toolComponent": {"name": "cwe"}}}]}`, `{"ruleId": "r"}`, record.Finding{Category: "CWE-22"}},
		"CWE in words":                  {"x", `{"id": "r", "properties": {"tags": ["CWE-798: Use of Hard-coded Credentials"]}}`, `{"ruleId": "r"}`, record.Finding{Category: "CWE-798"}},
		"no CWE":                        {"x", `{"id": "r"}`, `{"ruleId": "r"}`, record.Finding{Category: "r"}},
		"message by id":                 {"x", `{"id": "r", "messageStrings": {"d": {"text": "{0} meets {1}"}}}`, `{"ruleId": "r", "message": {"id": "d", "arguments": ["a", "b"]}}`, record.Finding{Title: "a meets b"}},
		"secret: no message":            {"gitleaks", `{"id": "aws", "shortDescription": {"text": "AWS key"}}`, `{"ruleId": "aws", "message": {"text": "found AKIAxxxx"}}`, record.Finding{Class: record.ClassSecret, Title: "AWS key"}},
		"advisory":                      {"Grype", `{"id": "CVE-2021-44228-log4j-core"}`, `{"ruleId": "CVE-2021-44228-log4j-core"}`, record.Finding{Class: record.ClassSCA, Aliases: []string{"CVE-2021-44228"}}},
		"Trivy by rule":                 {"Trivy", `{"id": "DS002", "name": "Misconfiguration"}`, `{"ruleId": "DS002"}`, record.Finding{Tool: "trivy", Class: record.ClassIaC}},
		"infrastructure":                {"Checkov", `{"id": "r"}`, `{"ruleId": "r"}`, record.Finding{Class: record.ClassIaC}},
		"dynamic":                       {"OWASP ZAP", `{"id": "r"}`, `{"ruleId": "r"}`, record.Finding{Class: record.ClassDAST}},
		"suppressed":                    {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "external"}]}`, record.Finding{Closure: record.ClosureOther}},
		"suppressed as false positive":  {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "external", "status": "accepted", "justification": "False positive"}]}`, record.Finding{Closure: record.ClosureFalsePositive}},
		"suppressed as won't fix":       {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "external", "justification": "won't fix"}]}`, record.Finding{Closure: record.ClosureWontFix}},
		"suppressed in tests":           {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "external", "justification": "used_in_tests"}]}`, record.Finding{Closure: record.ClosureUsedInTests}},
		"suppression under review":      {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "external", "status": "underReview"}]}`, record.Finding{}},
		"one suppression rejected":      {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]}`, record.Finding{}},
		"suppressions empty":            {"x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": []}`, record.Finding{}},
		"baseline absent":               {"x", `{"id": "r"}`, `{"ruleId": "r", "baselineState": "absent"}`, record.Finding{Closure: record.ClosureFixed}},
		"baseline unchanged":            {"x", `{"id": "r"}`, `{"ruleId": "r", "baselineState": "unchanged"}`, record.Finding{}},
		"script link":                   {"x", `{"id": "r", "helpUri": "javascript:alert(1)"}`, `{"ruleId": "r"}`, record.Finding{}},
		"windows path and absolute URI": {"x", `{"id": "r"}`, `{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src\\a.cs"}}}]}`, record.Finding{Place: "src/a.cs"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := formattest.MustRead(t, Format{}, sarifOf(tt.tool, tt.rule, tt.result))
			if len(r.Findings) != 1 {
				t.Fatalf("got %d findings, want 1", len(r.Findings))
			}
			got, want := r.Findings[0], tt.want
			// What a row does not name is not its subject, except that an open finding is open and no script is a link.
			blank(&want.Tool, &got.Tool)
			blank(&want.Rule, &got.Rule)
			blank(&want.Title, &got.Title)
			blank(&want.Category, &got.Category)
			blank(&want.Class, &got.Class)
			blank(&want.Severity, &got.Severity)
			got.ID = ""
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func blank[T comparable](want, got *T) {
	var zero T
	if *want == zero {
		*got = zero
	}
}

func TestSARIFRulesInExtensionsAndAfterResults(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"runs": [{
		"results": [
			{"rule": {"index": 1, "toolComponent": {"index": 0}}},
			{"rule": {"id": "b", "toolComponent": {"name": "pack"}}},
			{"ruleId": "b"},
			{"ruleId": "b", "ruleIndex": -1},
			{"ruleId": "b", "ruleIndex": 999}],
		"artifacts": [{"location": {"uri": "x.go"}}],
		"tool": {"driver": {"name": "CodeQL", "rules": []}, "extensions": [{"name": "pack", "rules": [{"id": "a"}, {"id": "b", "properties": {"security-severity": "9.9"}}]}]}}]}`)
	for i, f := range r.Findings {
		if f.Rule != "b" || f.Severity != record.SeverityCritical {
			t.Errorf("result %d: rule %q, severity %q; want b, critical", i, f.Rule, f.Severity)
		}
	}
	if len(r.Findings) != 5 {
		t.Errorf("got %d findings, want 5", len(r.Findings))
	}
}

func TestSARIFKinds(t *testing.T) {
	for kind, want := range map[string]int{"fail": 1, "review": 1, "open": 1, "": 1, "pass": 0, "notApplicable": 0, "informational": 0} {
		r := formattest.MustRead(t, Format{}, sarifOf("x", `{"id": "r"}`, fmt.Sprintf(`{"ruleId": "r", "kind": %q}`, kind)))
		if len(r.Findings) != want || len(r.Ignored) != 1-want || len(r.Rejected) != 0 {
			t.Errorf("kind %q: %d findings, ignored %v, rejected %v", kind, len(r.Findings), r.Ignored, r.Rejected)
		}
	}
}

func TestSARIFIdentity(t *testing.T) {
	result := func(line int, message, prints string) string {
		return fmt.Sprintf(`{"ruleId": "r", "message": {"text": %q}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.go"}, "region": {"startLine": %d}}}] %s}`, message, line, prints)
	}
	id := func(result string) string {
		return formattest.MustRead(t, Format{}, sarifOf("x", `{"id": "r"}`, result)).Findings[0].ID
	}
	hash := `, "partialFingerprints": {"primaryLocationLineHash": "abc:1", "volatile": "1"}`
	moved := `, "partialFingerprints": {"primaryLocationLineHash": "abc:1", "volatile": "2"}`
	if id(result(1, "m", hash)) != id(result(9, "other words", moved)) {
		t.Error("a result with the same line hash must keep its id when it moves")
	}
	if id(result(1, "m", "")) == id(result(2, "m", "")) {
		t.Error("without fingerprints, two lines are two findings")
	}
	twice := formattest.MustRead(t, Format{}, sarifOf("x", `{"id": "r"}`, result(1, "m", hash)+","+result(1, "m", hash)))
	if len(twice.Findings) != 2 || twice.Findings[1].ID != twice.Findings[0].ID+"~2" {
		t.Errorf("equal results must be numbered, got %+v", twice.Findings)
	}
}

func TestSARIFRun(t *testing.T) {
	const text = `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "X"}}, "invocations": [{"executionSuccessful": %t, "endTimeUtc": "2026-01-02T03:04:05.6Z"}],
		"versionControlProvenance": [{"repositoryUri": "https://github.com/Acme/API.git"}], "results": %s}]}`
	r := formattest.MustRead(t, Format{}, fmt.Sprintf(text, true, "[]"))
	want := []record.Scan{{Tool: "x", Class: record.ClassSAST, Repository: "acme/api", Enabled: record.AnswerYes, SucceededAt: time.Unix(0, 0)}}
	if d := cmp.Diff(want, r.Scans); d != "" || r.Incomplete || !r.ProducedAt.Equal(time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC)) {
		t.Errorf("clean run: incomplete %t, produced %v, scans (-want +got):\n%s", r.Incomplete, r.ProducedAt, d)
	}
	if r := formattest.MustRead(t, Format{}, fmt.Sprintf(text, false, "[]")); !r.Incomplete || !r.Scans[0].SucceededAt.IsZero() {
		t.Error("a failed invocation must not count as a clean scan")
	}
	if r := formattest.MustRead(t, Format{}, fmt.Sprintf(text, true, "null")); !r.Incomplete {
		t.Error("a run without results must not count as a clean scan")
	}
}

// TestSARIFKeyOrder reads one report with its tool before and after its results: a long report is made findings while it is read, and the
// order of keys must not show.
func TestSARIFKeyOrder(t *testing.T) {
	tool := `"tool": {"driver": {"name": "CodeQL", "rules": [{"id": "r", "properties": {"security-severity": "9.5"}}]}}`
	provenance := `"versionControlProvenance": [{"repositoryUri": "https://github.com/acme/api"}]`
	results := `"results": [{"ruleId": "r", "message": {"text": "a"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.go"}, "region": {"startLine": 1}}}]},
		{"ruleId": "r", "message": {"text": "b"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "b.go"}, "region": {"startLine": 2}}}]}]`
	first := formattest.MustRead(t, Format{}, `{"runs": [{`+strings.Join([]string{tool, results, provenance}, ",")+`}]}`)
	last := formattest.MustRead(t, Format{}, `{"runs": [{`+strings.Join([]string{provenance, results, tool}, ",")+`}]}`)
	if d := cmp.Diff(first.Findings, last.Findings); d != "" {
		t.Errorf("tool first (-), tool last (+):\n%s", d)
	}
	if d := cmp.Diff(first.Scans, last.Scans); d != "" || first.Findings[1].Severity != record.SeverityCritical || first.Findings[1].Repository != "acme/api" {
		t.Errorf("got %+v, scans:\n%s", first.Findings[1], d)
	}
}

func TestSARIFPaths(t *testing.T) {
	place := func(location string) string {
		r := formattest.MustRead(t, Format{}, `{"runs": [{"tool": {"driver": {"name": "x"}}, "originalUriBaseIds": {"ROOT": {"uri": "file:///builds/"}, "DEEP": {"uri": "file:///builds/repo/"}, "SRC": {"uri": "src/"}},
			"artifacts": [{"location": {"uri": "zero.go"}}, {"location": {"uri": "one.go"}}],
			"results": [{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": `+location+`}}]}]}]}`)
		return r.Findings[0].Place
	}
	for location, want := range map[string]string{
		`{"uri": "file:///builds/repo/a.go"}`:     "a.go", // the longest base
		`{"uri": "file:///builds/other/a.go"}`:    "other/a.go",
		`{"uri": "file:///elsewhere/a.go"}`:       "/elsewhere/a.go",
		`{"uri": "a.go", "uriBaseId": "SRC"}`:     "src/a.go",
		`{"uri": "a.go", "uriBaseId": "ROOT"}`:    "a.go",
		`{"uri": "a.go", "uriBaseId": "UNKNOWN"}`: "a.go",
		`{"index": 1}`:  "one.go",
		`{"index": 7}`:  "",
		`{"index": -1}`: "",
		`{"uri": "https://shop.example/login?x=%20y"}`: "https://shop.example/login?x= y",
		`{}`: "",
	} {
		if got := place(location); got != want {
			t.Errorf("%s: got %q, want %q", location, got, want)
		}
	}
}

func FuzzSARIF(f *testing.F) {
	formattest.Seeds(f, "sarif")
	formattest.Fuzz(f, Format{}, sarifOf("CodeQL", `{"id": "go/sql", "properties": {"security-severity": "8.8", "tags": ["external/cwe/cwe-089"]}}`, `{"ruleId": "go/sql", "message": {"text": "SQL injection"}}`),
		sarifOf("x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{}], "ruleIndex": -5, "rule": {"toolComponent": {"index": 9}}}`))
}
