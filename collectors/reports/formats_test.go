package reports

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/internal/record"
)

const cyclonedxDocument = `{"$schema": "x", "bomFormat": "CycloneDX", "specVersion": "1.5",
	"vulnerabilities": [
	  {"id": "SNYK-1", "references": [{"id": "CVE-2026-11111"}], "source": {"name": "NVD", "url": "https://nvd.example/1"}, "cwes": [502], "description": "bad",
	   "ratings": [{"source": {"name": "other"}, "severity": "critical"}, {"source": {"name": "NVD"}, "severity": "medium"}],
	   "affects": [{"ref": "a"}, {"ref": "urn:cdx:1/1#part"}]},
	  {"id": "CVE-2026-22222", "ratings": [{"severity": "info"}, {"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
	   "analysis": {"state": "false_positive"}, "affects": [{"ref": "pkg:deb/debian/bash@5"}]},
	  {"id": "CVE-2026-33333", "ratings": [{"severity": "none"}], "analysis": {"state": "exploitable", "response": ["will_not_fix"]}},
	  {"ratings": []}, "nonsense"],
	"components": [{"bom-ref": "a", "name": "jackson", "group": "com.x", "version": "2", "purl": "pkg:maven/com.x/jackson@2",
	  "components": [{"bom-ref": "part", "name": "inner", "version": "3"}]}],
	"metadata": {"timestamp": "2026-01-02T03:04:05Z", "tools": {"components": [{"name": "cdxgen"}, {"name": "Trivy"}]}, "component": {"type": "container", "name": "acme/api:1"}}}`

func TestCycloneDX(t *testing.T) {
	r := mustRead(t, cyclonedxDocument)
	base := record.Finding{Tool: "trivy", Class: record.ClassSCA, Place: "acme/api"}
	first := base
	first.Rule, first.Title, first.URL, first.Severity, first.Category = "SNYK-1", "bad", "https://nvd.example/1", record.SeverityMedium, "CWE-502"
	first.Aliases, first.Package, first.Version = []string{"CVE-2026-11111"}, "maven/com.x:jackson", "2"
	inner := first
	inner.Package, inner.Version = "generic/inner", "3"
	system := base
	system.Class, system.Rule, system.Title, system.Severity = record.ClassContainer, "CVE-2026-22222", "CVE-2026-22222", record.SeverityCritical
	system.Category, system.Aliases, system.Package, system.Closure = "deb", []string{"CVE-2026-22222"}, "deb/bash", record.ClosureFalsePositive
	bare := base
	bare.Rule, bare.Title, bare.Severity = "CVE-2026-33333", "CVE-2026-33333", record.SeverityUnknown
	bare.Aliases, bare.Closure = []string{"CVE-2026-33333"}, record.ClosureWontFix
	if d := cmp.Diff([]record.Finding{first, inner, system, bare}, r.findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[record.RejectReason]int{record.RejectDecode: 1, record.RejectNoID: 1}, r.rejected); d != "" || r.incomplete {
		t.Errorf("incomplete %t, rejected (-want +got):\n%s", r.incomplete, d)
	}
	if r := mustRead(t, `{"bomFormat": "CycloneDX", "components": []}`); !r.incomplete {
		t.Error("a bill of materials without a list of vulnerabilities says nothing about them")
	}
}

func TestGrype(t *testing.T) {
	r := mustRead(t, `{"matches": [
	 {"vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "severity": "High", "dataSource": "https://x.example/1", "fix": {"state": "fixed"}, "epss": [{"epss": 0.4}], "knownExploited": [{}]},
	  "relatedVulnerabilities": [{"id": "CVE-2026-11111", "severity": "Critical", "cwes": [{"cwe": "CWE-79"}]}],
	  "artifact": {"name": "Flask", "version": "1", "type": "python", "purl": "pkg:pypi/Flask@1", "locations": [{"path": "/app/requirements.txt"}]}},
	 {"vulnerability": {"id": "CVE-2026-22222", "severity": "Unknown", "fix": {"state": "wont-fix"}, "cvss": [{"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
	  "artifact": {"name": "bash", "type": "deb"}},
	 {"vulnerability": {"severity": "High"}}, 7],
	 "ignoredMatches": [{"vulnerability": {"id": "CVE-2026-33333", "severity": "Negligible"}, "artifact": {"name": "x", "type": "npm"}, "appliedIgnoreRules": [{"vex-status": "not_affected"}]}],
	 "source": {"type": "image", "target": {"userInput": "docker:acme/api:1.2@sha256:aa"}}, "descriptor": {"timestamp": "2026-01-02T03:04:05Z"}}`)
	want := []record.Finding{
		{
			Tool: "grype", Class: record.ClassSCA, Rule: "GHSA-aaaa-bbbb-cccc", Title: "GHSA-aaaa-bbbb-cccc in Flask", URL: "https://x.example/1", Severity: record.SeverityHigh,
			Category: "CWE-79", Aliases: []string{"GHSA-AAAA-BBBB-CCCC", "CVE-2026-11111"}, Package: "pip/flask", Version: "1", Place: "acme/api:app/requirements.txt",
			FixAvailable: record.AnswerYes, KnownExploited: record.AnswerYes, EPSS: 0.4,
		},
		{
			Tool: "grype", Class: record.ClassContainer, Rule: "CVE-2026-22222", Title: "CVE-2026-22222 in bash", Severity: record.SeverityCritical, Category: "deb",
			Aliases: []string{"CVE-2026-22222"}, Package: "deb/bash", Place: "acme/api", FixAvailable: record.AnswerNo,
		},
		{
			Tool: "grype", Class: record.ClassSCA, Rule: "CVE-2026-33333", Title: "CVE-2026-33333 in x", Severity: record.SeverityLow, Category: "npm",
			Aliases: []string{"CVE-2026-33333"}, Package: "npm/x", Place: "acme/api", Closure: record.ClosureFalsePositive,
		},
	}
	if d := cmp.Diff(want, r.findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.rejected[record.RejectNoID] != 1 || r.rejected[record.RejectDecode] != 1 {
		t.Errorf("rejected %v, want one of each", r.rejected)
	}
}

func TestSemgrep(t *testing.T) {
	r := mustRead(t, `{"errors": [], "version": "1.100.0", "results": [
	 {"check_id": "python.sqli", "path": "./app/db.py", "start": {"line": 7, "col": 3}, "extra": {"message": "m", "severity": "ERROR", "fingerprint": "f_0", "metadata": {"cwe": ["CWE-89: SQL"], "source": "https://semgrep.dev/r/x"}}},
	 {"check_id": "generic.secrets.security.aws", "path": "k", "start": {"line": 1}, "extra": {"message": "AKIAxxx", "severity": "INFO", "is_ignored": true, "validation_state": "CONFIRMED_VALID"}},
	 {"path": "no id"}, "nonsense"]}`)
	want := []record.Finding{
		{
			Tool: "semgrep", Class: record.ClassSAST, Rule: "python.sqli", Title: "m", URL: "https://semgrep.dev/r/x", Severity: record.SeverityHigh, Category: "CWE-89",
			Place: "app/db.py", Line: 7,
		},
		{
			Tool: "semgrep", Class: record.ClassSecret, Rule: "generic.secrets.security.aws", Title: "generic.secrets.security.aws", Severity: record.SeverityLow,
			Category: "generic.secrets.security.aws", Place: "k", Line: 1, Closure: record.ClosureOther, ActiveSecret: record.AnswerYes,
		},
	}
	if d := cmp.Diff(want, r.findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.rejected[record.RejectNoID] != 1 || r.rejected[record.RejectDecode] != 1 {
		t.Errorf("rejected %v, want one of each", r.rejected)
	}
}

// TestClosureOfWords reads what people write when they dismiss something.
func TestClosureOfWords(t *testing.T) {
	for words, want := range map[string]record.Closure{
		"False positive": record.ClosureFalsePositive, "this is a false-positive": record.ClosureFalsePositive, "won't fix": record.ClosureWontFix,
		"wont_fix": record.ClosureWontFix, "used in tests": record.ClosureUsedInTests, "Risk accepted by CISO": record.ClosureRiskAccepted,
		"mitigated by WAF": record.ClosureMitigated, "out of scope": record.ClosureOutOfScope, "because": record.ClosureOther, "": record.ClosureOther,
	} {
		if got := closureOfWords(words); got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}
