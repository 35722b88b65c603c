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

func TestRatings(t *testing.T) {
	for name, tt := range map[string]struct {
		ratings string
		want    record.Severity
	}{
		"CVSS 4, vector":          {`{"method": "CVSSv4", "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}`, record.SeverityCritical},
		"CVSS 4, score":           {`{"method": "CVSSv4", "score": 9.3}`, record.SeverityCritical},
		"newest of a source":      {`{"source": {"name": "NVD"}, "method": "CVSSv2", "severity": "high"}, {"source": {"name": "NVD"}, "method": "CVSSv31", "severity": "medium"}, {"source": {"name": "NVD"}, "method": "CVSSv3", "severity": "critical"}`, record.SeverityMedium},
		"own source":              {`{"source": {"name": "nvd"}, "method": "CVSSv4", "severity": "critical"}, {"source": {"name": "OSS"}, "method": "CVSSv31", "severity": "low"}`, record.SeverityLow},
		"NVD before others":       {`{"source": {"name": "vendor"}, "method": "CVSSv4", "severity": "critical"}, {"source": {"name": "NVD"}, "method": "CVSSv31", "severity": "high"}`, record.SeverityHigh},
		"the worst of equals":     {`{"source": {"name": "a"}, "severity": "low"}, {"source": {"name": "b"}, "severity": "high"}`, record.SeverityHigh},
		"another method, a score": {`{"method": "other", "score": 9.0}`, record.SeverityUnknown},
		"another method, a word":  {`{"method": "OWASP", "severity": "medium"}`, record.SeverityMedium},
		"CVSS before a word":      {`{"source": {"name": "a"}, "severity": "critical"}, {"source": {"name": "a"}, "method": "CVSSv31", "severity": "medium"}`, record.SeverityMedium},
		"none and info":           {`{"method": "CVSSv31", "severity": "none", "score": 0.0}, {"severity": "info"}, {"method": "SSVC", "severity": "unknown"}`, record.SeverityUnknown},
	} {
		r := formattest.MustRead(t, JSON{}, `{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2026-1111", "source": {"name": "OSS"}, "ratings": [`+tt.ratings+`]}]}`)
		if got := r.Findings[0].Severity; got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestAffectedVersions(t *testing.T) {
	for versions, want := range map[string]record.Closure{
		``: "", `{"version": "2", "status": "affected"}`: "", `{"version": "2", "status": "unaffected"}`: "false_positive", `{"version": "1", "status": "unaffected"}`: "false_positive",
		`{"version": "1", "status": "unaffected"}, {"version": "2", "status": "affected"}`: "", `{"range": "vers:npm/<3", "status": "unaffected"}, {"version": "2", "status": "unknown"}`: "",
		`{"range": "vers:npm/<2", "status": "affected"}, {"version": "2", "status": "unaffected"}`: "false_positive",
	} {
		r := formattest.MustRead(t, JSON{}, `{"bomFormat": "CycloneDX", "components": [{"bom-ref": "a", "name": "a", "version": "2", "purl": "pkg:npm/a@2"}], "vulnerabilities": [{"id": "CVE-2026-1111", "affects": [{"ref": "a", "versions": [`+versions+`]}]}]}`)
		if got := r.Findings[0].Closure; got != want {
			t.Errorf("%s: got %q, want %q", versions, got, want)
		}
	}
}

// TestWhatIsAScan: a bill of materials and a VEX are none.
func TestWhatIsAScan(t *testing.T) {
	for name, tt := range map[string]struct {
		document   string
		scans      string
		incomplete bool
	}{
		"clean":             {`"components": [], "vulnerabilities": []`, "sca", false},
		"clean image":       {`"metadata": {"component": {"type": "container", "name": "x"}}, "vulnerabilities": []`, "container", false},
		"bill of materials": {`"components": []`, "", true},
		"VEX":               {`"vulnerabilities": [{"id": "CVE-2026-1111", "analysis": {"state": "exploitable"}}]`, "", false},
		"rejected":          {`"components": [{"bom-ref": "a", "name": "a"}], "vulnerabilities": [{"id": "CVE-2026-1111", "rejected": "2026-10-01T00:00:00Z"}]`, "sca", false},
	} {
		r := formattest.MustRead(t, JSON{}, `{"bomFormat": "CycloneDX", `+tt.document+`}`)
		scans := ""
		for _, s := range r.Scans {
			scans += string(s.Class)
		}
		if scans != tt.scans || r.Incomplete != tt.incomplete {
			t.Errorf("%s: scans %q, incomplete %t; want %q and %t", name, scans, r.Incomplete, tt.scans, tt.incomplete)
		}
		for _, f := range r.Findings {
			if f.Closure != record.ClosureFalsePositive || f.ClosedAt.Format("2006-01-02") != "2026-10-01" {
				t.Errorf("%s: got %q since %s, want what was rejected closed since then", name, f.Closure, f.ClosedAt)
			}
		}
	}
}

func FuzzCycloneDX(f *testing.F) {
	formattest.Seeds(f, "cyclonedx")
	formattest.Fuzz(f, JSON{}, cyclonedxDocument, `{"bomFormat": "CycloneDX", "metadata": {"tools": 7}, "vulnerabilities": [{"id": "x", "cwes": [-1, 1e9]}]}`)
}
