package cyclonedx

import (
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
	r := formattest.MustRead(t, JSON{}, cyclonedxDocument)
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
	if d := cmp.Diff([]record.Finding{first, inner, system, bare}, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[record.RejectReason]int{record.RejectDecode: 1, record.RejectNoID: 1}, r.Rejected); d != "" || r.Incomplete {
		t.Errorf("incomplete %t, rejected (-want +got):\n%s", r.Incomplete, d)
	}
	if r := formattest.MustRead(t, JSON{}, `{"bomFormat": "CycloneDX", "components": []}`); !r.Incomplete {
		t.Error("a bill of materials without a list of vulnerabilities says nothing about them")
	}
}

func FuzzCycloneDX(f *testing.F) {
	formattest.Seeds(f, "cyclonedx")
	formattest.Fuzz(f, JSON{}, cyclonedxDocument, `{"bomFormat": "CycloneDX", "metadata": {"tools": 7}, "vulnerabilities": [{"id": "x", "cwes": [-1, 1e9]}]}`)
}
