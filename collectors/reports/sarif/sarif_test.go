package sarif

import (
	"fmt"
	"prodsec_exporter/collectors/reports/format"
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
		"kind review, no level":         {"x", `{"id": "r", "defaultConfiguration": {"level": "error"}}`, `{"ruleId": "r", "kind": "review"}`, record.Finding{Severity: record.SeverityUnknown}},
		"kind open, level":              {"x", `{"id": "r"}`, `{"ruleId": "r", "kind": "open", "level": "note"}`, record.Finding{Severity: record.SeverityLow}},
		"first detection":               {"x", `{"id": "r"}`, `{"ruleId": "r", "provenance": {"firstDetectionTimeUtc": "2026-01-15T00:00:00Z"}}`, record.Finding{FirstSeen: time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)}},
		"rule by guid":                  {"x", `{"id": "r", "guid": "6F1B", "properties": {"security-severity": "9.9"}}`, `{"rule": {"guid": "6f1b"}}`, record.Finding{Rule: "r", Severity: record.SeverityCritical}},
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
	result := func(line int, message, prints, snippet string) string {
		return fmt.Sprintf(`{"ruleId": "r", "message": {"text": %q}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.go"}, "region": {"startLine": %d, "snippet": {"text": %q}}}}] %s}`, message, line, snippet, prints)
	}
	id := func(result string) string {
		return formattest.MustRead(t, Format{}, sarifOf("x", `{"id": "r"}`, result)).Findings[0].ID
	}
	hash := `, "partialFingerprints": {"primaryLocationLineHash": "abc:1", "volatile": "1"}`
	moved := `, "partialFingerprints": {"primaryLocationLineHash": "abc:1", "volatile": "2"}`
	login := `, "fingerprints": {"matchBasedId/v1": "requires login"}`
	for name, tt := range map[string]struct {
		a, b string
		same bool
	}{
		"line hash, moved":               {result(1, "m", hash, ""), result(9, "other words", moved, "z"), true},
		"text, moved":                    {result(1, "m at 1", "", "x := y"), result(9, "m at 9", "", "  x  := y "), true},
		"other text":                     {result(1, "m", "", "x := y"), result(1, "m", "", "x := z"), false},
		"no fingerprint behind a login":  {result(1, "m", login, "x := y"), result(1, "m", login, "x := z"), false},
		"message alone, moved":           {result(1, "m", "", ""), result(2, "m", "", ""), true},
		"another message":                {result(1, "m", "", ""), result(1, "n", "", ""), false},
		"fingerprint of another version": {result(1, "m", `, "fingerprints": {"a": "1"}`, ""), result(1, "m", `, "fingerprints": {"a": "2"}`, ""), false},
	} {
		if got := id(tt.a) == id(tt.b); got != tt.same {
			t.Errorf("%s: same %t, want %t", name, got, tt.same)
		}
	}
	twice := formattest.MustRead(t, Format{}, sarifOf("x", `{"id": "r"}`, result(1, "m", hash, "")+","+result(1, "m", hash, "")))
	if len(twice.Findings) != 2 || twice.Findings[1].ID != twice.Findings[0].ID+"~2" {
		t.Errorf("equal results must be numbered, got %+v", twice.Findings)
	}
}

func TestSARIFRun(t *testing.T) {
	const text = `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": %q, "rules": [%s]}}, "invocations": [{"executionSuccessful": %t, "endTimeUtc": "2026-01-02T03:04:05.6Z" %s}],
		"versionControlProvenance": [{"repositoryUri": "https://github.com/Acme/API.git"}], "results": %s}]}`
	const quality, security = `{"id": "q", "properties": {"tags": ["style"]}}`, `{"id": "s", "properties": {"tags": ["security"]}}`
	scan := func(tool string, class record.Class, outcome format.Outcome) []format.Scan {
		return []format.Scan{{Subject: format.Subject{Tool: tool, Class: class}, Repository: "acme/api", Outcome: outcome}}
	}
	notified := func(list string) string { return `, "toolExecutionNotifications": [` + list + `]` }
	const placed = `"locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}}}]`
	for name, tt := range map[string]struct {
		tool, rules, more, results string
		failed                     bool
		want                       []format.Scan
		covers                     bool
		unread                     []string
	}{
		"clean":                      {tool: "X", results: "[]", want: scan("x", record.ClassSAST, format.Succeeded), covers: true},
		"failed":                     {tool: "X", results: "[]", failed: true, want: scan("x", record.ClassSAST, format.Failed), covers: true},
		"no list":                    {tool: "X", results: "null", want: scan("x", record.ClassSAST, format.Failed), covers: true},
		"error":                      {tool: "X", results: "[]", more: notified(`{"level": "error", "descriptor": {"id": "AcmeError"}}`), want: scan("x", record.ClassSAST, format.Failed), covers: true},
		"configuration error":        {tool: "X", results: "[]", more: `, "toolConfigurationNotifications": [{"level": "error"}]`, want: scan("x", record.ClassSAST, format.Failed), covers: true},
		"error in a file":            {tool: "X", results: "[]", more: notified(`{"level": "error", ` + placed + `}`), want: scan("x", record.ClassSAST, format.Partial), covers: true, unread: []string{"a.py"}},
		"timeout of a file":          {tool: "X", results: "[]", more: notified(`{"level": "warning", "descriptor": {"id": "Timeout"}, ` + placed + `}`), want: scan("x", record.ClassSAST, format.Partial), covers: true, unread: []string{"a.py"}},
		"timeout, as Semgrep writes": {tool: "Semgrep OSS", results: "[]", more: notified(`{"level": "warning", "descriptor": {"id": "Timeout"}, "message": {"text": "Timeout when running acme.rules.x on src/a.py:\n "}}`), want: scan("semgrep", record.ClassSAST, format.Partial), covers: true, unread: []string{"src/a.py"}},
		"a file that is no code":     {tool: "Semgrep OSS", results: "[]", more: notified(`{"level": "warning", "descriptor": {"id": "Syntax error"}, "message": {"text": "Syntax error at line src/b.ts:14:\n x"}}`), want: scan("semgrep", record.ClassSAST, format.Succeeded), covers: true, unread: []string{"src/b.ts"}},
		"warning":                    {tool: "X", results: "[]", more: notified(`{"level": "warning", "descriptor": {"id": "Deprecated"}}`), want: scan("x", record.ClassSAST, format.Succeeded), covers: true},
		"quality alone":              {tool: "CodeQL", rules: quality, results: `[{"ruleId": "q"}]`},
		"quality, clean":             {tool: "CodeQL", rules: quality, results: "[]"},
		"quality and security":       {tool: "CodeQL", rules: quality + "," + security, results: "[]", want: scan("codeql", record.ClassSAST, format.Succeeded), covers: true},
		"a linter":                   {tool: "ESLint", results: "[]", covers: true},
		"Trivy, nothing":             {tool: "Trivy", results: "[]", covers: true},
		"Trivy, a configuration":     {tool: "Trivy", rules: `{"id": "DS002", "name": "Misconfiguration"}`, results: `[{"ruleId": "DS002"}]`, want: scan("trivy", record.ClassIaC, format.Succeeded)},
		"Trivy, licences":            {tool: "Trivy", rules: `{"id": "x:GPL", "name": "License"}`, results: `[{"ruleId": "x:GPL"}]`},
		"Gitleaks, clean":            {tool: "gitleaks", results: "[]", want: scan("gitleaks", record.ClassSecret, format.Succeeded), covers: true},
		"Scorecard":                  {tool: "Scorecard", rules: security, results: `[{"ruleId": "s"}]`, want: scan("scorecard", record.ClassOther, format.Succeeded), covers: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := formattest.MustRead(t, Format{}, fmt.Sprintf(text, tt.tool, tt.rules, !tt.failed, tt.more, tt.results))
			if d := cmp.Diff(tt.want, r.Scans); d != "" || !r.ProducedAt.Equal(time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC)) {
				t.Errorf("produced %v, scans (-want +got):\n%s", r.ProducedAt, d)
			}
			if covers := len(r.Covered) == 1 && r.Covered[0] == (format.Subject{Tool: record.ToolNamed(tt.tool).Name}); covers != tt.covers {
				t.Errorf("covers %v, want all of the tool's findings: %t", r.Covered, tt.covers)
			}
			if d := cmp.Diff(tt.unread, r.Unread); d != "" {
				t.Errorf("unread (-want +got):\n%s", d)
			}
		})
	}
}

// TestSARIFQuality leaves out what is not about security, counted, unless it is asked for.
func TestSARIFQuality(t *testing.T) {
	report := sarifOf("CodeQL", `{"id": "q", "properties": {"tags": ["maintainability"]}}, {"id": "l", "properties": {"tags": ["license"]}}`, `{"ruleId": "q"}, {"ruleId": "l"}, {"ruleId": "unknown"}`)
	r := formattest.MustRead(t, Format{}, report)
	if len(r.Findings) != 1 || r.Findings[0].Rule != "unknown" || r.Rejected[record.RejectNotSecurity] != 2 {
		t.Errorf("got %+v, rejected %v; want the rule alone of which nothing is known", r.Findings, r.Rejected)
	}
	if r := formattest.MustRead(t, Format{Quality: true}, report); len(r.Findings) != 2 || r.Rejected[record.RejectNotSecurity] != 1 {
		t.Errorf("with quality: %d findings, rejected %v; want 2, and the licence left out", len(r.Findings), r.Rejected)
	}
}

func TestSARIFOverrides(t *testing.T) {
	const run = `{"runs": [{"invocations": [%s], "results": [{"ruleId": "a", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "x.c"}}}] %s}, {"ruleId": "a", "level": "warning"}],
		"tool": {"driver": {"name": "x", "rules": [{"id": "a", "guid": "6F1B", "defaultConfiguration": {"level": "error"}}]}}}]}`
	override := func(descriptor, level string) string {
		return `{"executionSuccessful": true, "ruleConfigurationOverrides": [{"descriptor": {` + descriptor + `}, "configuration": {"level": "` + level + `"}}]}`
	}
	for name, tt := range map[string]struct {
		invocations, more string
		want              record.Severity
	}{
		"none":             {`{"executionSuccessful": true}`, "", record.SeverityHigh},
		"by index":         {override(`"index": 0`, "note"), "", record.SeverityLow},
		"by id":            {override(`"id": "a"`, "note"), "", record.SeverityLow},
		"by guid":          {override(`"guid": "6f1b"`, "note"), "", record.SeverityLow},
		"another rule":     {override(`"id": "b"`, "note"), "", record.SeverityHigh},
		"named invocation": {override(`"id": "a"`, "warning") + "," + override(`"id": "a"`, "note"), `, "provenance": {"invocationIndex": 1}`, record.SeverityLow},
	} {
		r := formattest.MustRead(t, Format{}, fmt.Sprintf(run, tt.invocations, tt.more))
		if r.Findings[0].Severity != tt.want || r.Findings[1].Severity != record.SeverityMedium {
			t.Errorf("%s: %s and %s, want %s and, of a result with its own level, medium", name, r.Findings[0].Severity, r.Findings[1].Severity, tt.want)
		}
	}
}

func TestSARIFTaxa(t *testing.T) {
	const run = `{"runs": [{"tool": {"driver": {"name": "x", "rules": [{"id": "a", "relationships": [%s]}], "taxa": [{"id": "CWE-20"}]}},
		"results": [{"ruleId": "a", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "x.c"}}}], "taxa": [%s]}],
		"taxonomies": [{"name": "OWASP", "guid": "0A", "taxa": [{"id": "A1", "guid": "0B"}]}, {"name": "CWE", "guid": "FF", "taxa": [{"id": "89"}, {"id": "327", "guid": "AA"}]}]}]}`
	for reference, want := range map[string]string{
		`{"index": 1, "toolComponent": {"index": 1}}`:    "CWE-327",
		`{"index": 0, "toolComponent": {"guid": "ff"}}`:  "CWE-89",
		`{"index": 0, "toolComponent": {"name": "CWE"}}`: "CWE-89",
		`{"guid": "aa", "toolComponent": {"index": 1}}`:  "CWE-327",
		`{"guid": "aa"}`: "CWE-327",
		`{"id": "327", "toolComponent": {"guid": "FF"}}`: "CWE-327",
		`{"index": 0}`: "CWE-20",
		`{"index": 0, "toolComponent": {"index": 0}}`:                     "a",
		`{"index": 9, "toolComponent": {"index": 1}}`:                     "a",
		`{"id": "CWE-79", "toolComponent": {"name": "CWE", "index": 77}}`: "CWE-79",
	} {
		for _, text := range []string{fmt.Sprintf(run, "", reference), fmt.Sprintf(run, `{"target": `+reference+`}`, "")} {
			if got := formattest.MustRead(t, Format{}, text).Findings[0].Category; got != want {
				t.Errorf("%s: got %q, want %q", reference, got, want)
			}
		}
	}
}

func TestSARIFDrafts(t *testing.T) {
	for version, want := range map[string]string{
		`"version": "2.1.0"`: "", `"version": "2.2"`: "", `"$schema": "https://json.schemastore.org/sarif-2.1.0.json"`: "", `"x": 1`: "",
		`"version": "1.0.0"`: "1.0.0", `"version": "2.0.0"`: "2.0.0", `"version": "2.0.0-csd.2.beta.2019-01-24"`: "2.0.0-csd.2.beta.2019-01-24", `"version": "2.1.0-beta.0"`: "2.1.0-beta.0",
		`"$schema": "https://example.org/sarif-schema-2.0.0.json"`: "2.0.0", `"$schema": "http://json.schemastore.org/sarif-1.0.0"`: "1.0.0",
	} {
		for _, text := range []string{`{` + version + `, "runs": []}`, `{"runs": [], ` + version + `}`} {
			_, err := formattest.Read(Format{}, []byte(text))
			if (err != nil) != (want != "") || want != "" && (!strings.Contains(err.Error(), `"`+want+`"`) || !strings.Contains(err.Error(), "2.1.0;")) {
				t.Errorf("%s: got %v, want it refused: %q", text, err, want)
			}
		}
	}
}

// TestSARIFPackages reads the package, its version and its place in an image from wherever tools write them.
func TestSARIFPackages(t *testing.T) {
	for name, tt := range map[string]struct {
		tool, rule, result string
		want               record.Finding
	}{
		"Grype, image": {
			"grype", `{"id": "CVE-2026-20001-acmelib", "properties": {"security-severity": "7.5", "purls": ["pkg:deb/debian/acmelib@1.0"]}}`,
			`{"ruleId": "CVE-2026-20001-acmelib", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "image//usr/share/doc/acmelib/copyright"}}}]}`,
			record.Finding{Class: record.ClassContainer, Severity: record.SeverityHigh, Category: "deb", Package: "deb/acmelib", Version: "1.0", Aliases: []string{"CVE-2026-20001"}, Place: "/usr/share/doc/acmelib/copyright"},
		},
		"Grype, named image": {
			"grype", `{"id": "CVE-2026-20001-acmelib", "name": "ApkMatcherExactDirectMatch"}`,
			`{"ruleId": "CVE-2026-20001-acmelib", "message": {"text": "The path x reports acmelib at version 1.0  which is a vulnerable (apk) package installed in the container"},
			 "locations": [{"physicalLocation": {"artifactLocation": {"uri": "image/lib/apk/db/installed"}}, "logicalLocations": [{"fullyQualifiedName": "docker.io/acme/api:1@sha256:` + strings.Repeat("0", 64) + `:/lib/apk/db/installed"}]}]}`,
			record.Finding{Class: record.ClassContainer, Severity: record.SeverityMedium, Category: "apk", Package: "apk/acmelib", Version: "1.0", Aliases: []string{"CVE-2026-20001"}, Place: "acme/api"},
		},
		"Trivy": {
			"Trivy", `{"id": "CVE-2026-20001", "name": "LanguageSpecificPackageVulnerability", "properties": {"tags": ["vulnerability", "security"], "security-severity": "5.0"}}`,
			`{"ruleId": "CVE-2026-20001", "message": {"text": "Package: left-pad\nInstalled Version: 1.2.0\nVulnerability CVE-2026-20001"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "package-lock.json"}}}]}`,
			record.Finding{Class: record.ClassSCA, Severity: record.SeverityMedium, Category: "npm", Package: "npm/left-pad", Version: "1.2.0", Aliases: []string{"CVE-2026-20001"}, Place: "package-lock.json"},
		},
		"Snyk Container": {
			"Snyk Container", `{"id": "SNYK-DEBIAN12-OPENSSL-6190223", "fullDescription": {"text": "(CVE-2026-20001) openssl@3.0"}, "properties": {"tags": ["security", "deb"], "security-severity": "9.8"}}`,
			`{"ruleId": "SNYK-DEBIAN12-OPENSSL-6190223", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "Dockerfile"}}, "logicalLocations": [{"fullyQualifiedName": "openssl@3.0"}]}]}`,
			record.Finding{Class: record.ClassContainer, Severity: record.SeverityCritical, Category: "deb", Package: "deb/openssl", Version: "3.0", Aliases: []string{"SNYK-DEBIAN12-OPENSSL-6190223", "CVE-2026-20001"}, Place: "Dockerfile"},
		},
		"osv-scanner": {
			"osv-scanner", `{"id": "CVE-2026-20001", "deprecatedIds": ["CVE-2026-20001", "GHSA-aaaa-bbbb-cccc"]}`, `{"ruleId": "CVE-2026-20001", "properties": {"purl": "pkg:golang/example.org/x@v1"}}`,
			record.Finding{Class: record.ClassSCA, Severity: record.SeverityMedium, Category: "go", Package: "go/example.org/x", Version: "v1", Aliases: []string{"CVE-2026-20001", "GHSA-AAAA-BBBB-CCCC"}},
		},
		"osv-scanner, package of the message": {
			"osv-scanner", `{"id": "GHSA-2345-6789-cfgh", "deprecatedIds": ["CVE-2026-20002"]}`,
			`{"ruleId": "GHSA-2345-6789-cfgh", "message": {"text": "Package '@acme/queue@4.1.0' is vulnerable to 'GHSA-2345-6789-cfgh' (also known as 'CVE-2026-20002')."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "web/pnpm-lock.yaml"}}}]}`,
			record.Finding{Class: record.ClassSCA, Severity: record.SeverityMedium, Category: "npm", Package: "npm/@acme/queue", Version: "4.1.0", Aliases: []string{"GHSA-2345-6789-CFGH", "CVE-2026-20002"}, Place: "web/pnpm-lock.yaml"},
		},
		"unknown tool": {
			"Acme", `{"id": "CVE-2026-10004", "properties": {"tags": ["vulnerability", "CWE-79"], "security-severity": "9.8"}}`, `{"ruleId": "CVE-2026-10004", "level": "error"}`,
			record.Finding{Class: record.ClassSCA, Severity: record.SeverityCritical, Category: "CWE-79", Aliases: []string{"CVE-2026-10004"}},
		},
		"unknown tool, package of the result": {
			"Acme", `{"id": "X", "properties": {"tags": ["outdated"]}}`, `{"ruleId": "X", "locations": [{"logicalLocations": [{"fullyQualifiedName": "pkg:npm/left-pad@1"}]}]}`,
			record.Finding{Class: record.ClassSCA, Severity: record.SeverityMedium, Category: "npm", Package: "npm/left-pad", Version: "1", Place: "pkg:npm/left-pad@1"},
		},
	} {
		r := formattest.MustRead(t, Format{}, sarifOf(tt.tool, tt.rule, tt.result))
		got, want := r.Findings[0], tt.want
		got.ID, got.Title, got.Rule, got.Tool = "", "", "", ""
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestSARIFImageOfTrivy(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"runs": [{"tool": {"driver": {"name": "Trivy", "rules": [{"id": "CVE-2026-1111", "name": "OsPackageVulnerability"}, {"id": "CVE-2026-2222", "name": "LanguageSpecificPackageVulnerability"}]}},
		"results": [{"ruleId": "CVE-2026-1111", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "acme/api"}}}]}, {"ruleId": "CVE-2026-2222", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app/go.sum"}}}]}],
		"properties": {"imageName": "docker.io/acme/api:1.2"}}]}`)
	if r.Findings[0].Place != "acme/api" || r.Findings[1].Place != "acme/api:app/go.sum" {
		t.Errorf("got %q and %q, want the image, and the file in it", r.Findings[0].Place, r.Findings[1].Place)
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
		r := formattest.MustRead(t, Format{}, `{"runs": [{"tool": {"driver": {"name": "x"}}, "originalUriBaseIds": {"ROOT": {"uri": "file:///builds/"}, "DEEP": {"uri": "file:///builds/repo/"}, "SRC": {"uri": "src/"},
			"LIB": {"uri": "lib/", "uriBaseId": "ROOT"}, "SUB": {"uri": "sub/", "uriBaseId": "LIB"}, "LOOP": {"uri": "loop/", "uriBaseId": "LOOP"}, "NONE": {}},
			"invocations": [{"executionSuccessful": true, "workingDirectory": {"uri": "file:///work/dir"}}],
			"artifacts": [{"location": {"uri": "zero.go"}}, {"location": {"uri": "one.go"}}],
			"results": [{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": `+location+`}}]}]}]}`)
		return r.Findings[0].Place
	}
	for location, want := range map[string]string{
		`{"uri": "file:///builds/repo/a.go"}`:          "a.go", // the longest base
		`{"uri": "file:///builds/other/a.go"}`:         "other/a.go",
		`{"uri": "file:///elsewhere/a.go"}`:            "/elsewhere/a.go",
		`{"uri": "a.go", "uriBaseId": "SRC"}`:          "src/a.go",
		`{"uri": "a.go", "uriBaseId": "ROOT"}`:         "a.go",
		`{"uri": "a.go", "uriBaseId": "UNKNOWN"}`:      "a.go",
		`{"uri": "a.go", "uriBaseId": "SUB"}`:          "lib/sub/a.go",
		`{"uri": "a.go", "uriBaseId": "LOOP"}`:         "loop/loop/loop/loop/loop/loop/loop/a.go",
		`{"uri": "file:///work/dir/a.go"}`:             "a.go",
		`{"index": 1}`:                                 "one.go",
		`{"index": 7}`:                                 "",
		`{"index": -1}`:                                "",
		`{"uri": "https://shop.example/login?x=%20y"}`: "https://shop.example/login?x= y",
		`{}`: "",
	} {
		if got := place(location); got != want {
			t.Errorf("%s: got %q, want %q", location, got, want)
		}
	}
}

// TestSARIFMappedTo: several repositories may be mapped into the place that was scanned.
func TestSARIFMappedTo(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"runs": [{"tool": {"driver": {"name": "x"}}, "originalUriBaseIds": {"ROOT": {"uri": "file:///src/"}, "LIB": {"uri": "lib/", "uriBaseId": "ROOT"}},
		"versionControlProvenance": [{"repositoryUri": "https://github.com/acme/app", "mappedTo": {"uriBaseId": "ROOT"}}, {"repositoryUri": "https://github.com/acme/lib", "mappedTo": {"uriBaseId": "LIB"}}],
		"results": [{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c", "uriBaseId": "ROOT"}}}]},
			{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "b.c", "uriBaseId": "LIB"}}}]},
			{"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///src/lib/c.c"}}}]},
			{"ruleId": "r"}]}]}`)
	for i, want := range []struct {
		repository record.RepositoryName
		place      string
	}{{"acme/app", "a.c"}, {"acme/lib", "b.c"}, {"acme/lib", "c.c"}, {"", ""}} {
		if f := r.Findings[i]; f.Repository != want.repository || f.Place != want.place {
			t.Errorf("result %d: %q in %q, want %q in %q", i, f.Place, f.Repository, want.place, want.repository)
		}
	}
}

func FuzzSARIF(f *testing.F) {
	formattest.Seeds(f, "sarif")
	formattest.Fuzz(f, Format{}, sarifOf("CodeQL", `{"id": "go/sql", "properties": {"security-severity": "8.8", "tags": ["external/cwe/cwe-089"]}}`, `{"ruleId": "go/sql", "message": {"text": "SQL injection"}}`),
		sarifOf("x", `{"id": "r"}`, `{"ruleId": "r", "suppressions": [{}], "ruleIndex": -5, "rule": {"toolComponent": {"index": 9}}}`),
		`{"runs": [{"originalUriBaseIds": {"A": {"uri": "a/", "uriBaseId": "A"}}, "versionControlProvenance": [{"mappedTo": {"uriBaseId": "A"}, "repositoryUri": "https://github.com/a/b"}],
		"taxonomies": [{"name": "CWE", "taxa": [{"id": "1", "guid": "x"}]}], "invocations": [{"ruleConfigurationOverrides": [{"descriptor": {"index": 0}, "configuration": {"level": "note"}}],
		"toolExecutionNotifications": [{"level": "error", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}}}]}]}],
		"results": [{"taxa": [{"guid": "x"}], "kind": "review", "provenance": {"invocationIndex": 0, "firstDetectionTimeUtc": "2026-01-01"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a", "uriBaseId": "A"}}}]}]}]}`)
}
