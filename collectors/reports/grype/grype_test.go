package grype

import (
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGrype(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"matches": [
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
	if d := cmp.Diff(want, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.Rejected[record.RejectNoID] != 1 || r.Rejected[record.RejectDecode] != 1 {
		t.Errorf("rejected %v, want one of each", r.Rejected)
	}
}

func TestScans(t *testing.T) {
	const match = `{"vulnerability": {"id": "CVE-2026-1111"}, "artifact": {"name": "x", "type": "npm"}}`
	for name, tt := range map[string]struct{ report, want string }{
		"folder":       {`"matches": [], "source": {"type": "directory", "target": "."}`, "sca succeeded"},
		"image":        {`"matches": [], "source": {"type": "image", "target": {"userInput": "a:1"}}`, "container succeeded"},
		"image, npm":   {`"matches": [` + match + `], "source": {"type": "image", "target": {"userInput": "a:1"}}`, "sca succeeded, container succeeded"},
		"nothing":      {`"matches": null`, "sca failed"},
		"end of life":  {`"matches": [` + match + `], "alertsByPackage": [{"alerts": [{"type": "distro-eol"}]}], "source": {"type": "image", "target": {"userInput": "a:1"}}`, "sca succeeded, container failed"},
		"other alerts": {`"matches": [], "alertsByPackage": [{"alerts": [{"type": "x"}]}], "source": {"type": "image", "target": {"userInput": "a:1"}}`, "container succeeded"},
	} {
		var got []string
		for _, s := range formattest.MustRead(t, Format{}, `{`+tt.report+`}`).Scans {
			got = append(got, string(s.Class)+" "+string(s.Outcome))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestIgnoredAndImages(t *testing.T) {
	for rules, want := range map[string]record.Closure{
		`{"fix-state": "wont-fix"}`: record.ClosureWontFix, `{"fix-state": "not-fixed"}`: record.ClosureOther, `{"vex-status": "not_affected"}`: record.ClosureFalsePositive, `{"vex-status": "fixed"}`: record.ClosureFixed,
		`{"reason": "risk accepted by CISO"}`: record.ClosureRiskAccepted, ``: record.ClosureOther,
	} {
		r := formattest.MustRead(t, Format{}, `{"matches": [], "ignoredMatches": [{"vulnerability": {"id": "CVE-2026-1111"}, "artifact": {"name": "x", "type": "deb"}, "appliedIgnoreRules": [`+rules+`]}],
			"source": {"type": "image", "target": {"userInput": "registry:reg.acme.example:5000/team/api:1.2@sha256:aa"}}}`)
		if f := r.Findings[0]; f.Closure != want || f.Place != "reg.acme.example:5000/team/api" {
			t.Errorf("%s: got %q in %q, want %q in the image", rules, f.Closure, f.Place, want)
		}
	}
	r := formattest.MustRead(t, Format{}, `{"matches": [{"vulnerability": {"id": "CVE-2026-1111"}, "artifact": {"name": "x", "type": "deb"}}], "source": {"type": "image", "target": {"userInput": "docker-archive:x.tar", "tags": ["docker.io/library/x:1"]}}}`)
	if got := r.Findings[0].Place; got != "x" {
		t.Errorf("an image from a file: got %q, want its tag", got)
	}
}

func FuzzGrype(f *testing.F) {
	formattest.Seeds(f, "anchore_grype")
	formattest.Fuzz(f, Format{}, `{"matches": [{"vulnerability": {"id": "CVE-2026-0001", "severity": "Negligible", "fix": {"state": "fixed"}}, "artifact": {"name": "x", "type": "deb"}}], "source": {"type": "image", "target": {"userInput": "a:1"}}}`)
}
