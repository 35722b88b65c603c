package trivy

import (
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTrivyReport(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"SchemaVersion": 2, "CreatedAt": "2026-01-15T08:58:29.8Z", "ArtifactName": "reg.example.com:5000/acme/api:1.2@sha256:aa", "ArtifactType": "container_image",
	"Metadata": {"ImageConfig": {"config": {"Labels": {"org.opencontainers.image.source": "https://github.com/Acme/API"}}}},
	"Results": [
	 {"Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1", "PkgName": "openssl", "InstalledVersion": "1", "Severity": "LOW", "Status": "will_not_fix", "VendorIDs": ["DSA-1"]}],
	  "Target": "reg.example.com:5000/acme/api:1.2 (debian 12)", "Class": "os-pkgs", "Type": "debian"},
	 {"Target": "app/go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [
	  {"VulnerabilityID": "GHSA-aaaa-bbbb-cccc", "VendorIDs": ["CVE-2026-11111"], "PkgName": "golang.org/x/net", "FixedVersion": "2", "Severity": "UNKNOWN", "CweIDs": ["CWE-79"],
	   "CVSS": {"nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}, "PrimaryURL": "https://x.example/1"}, 7, {"PkgName": "without id"}]},
	 {"Target": "Dockerfile", "Class": "config", "Type": "dockerfile", "Misconfigurations": [
	  {"ID": "DS002", "Title": "root", "Severity": "HIGH", "Status": "FAIL", "CauseMetadata": {"StartLine": 3}}, {"ID": "DS003", "Status": "PASS"}]},
	 {"Target": "k.pem", "Class": "secret", "Secrets": [{"RuleID": "private-key", "Category": "x", "Severity": "CRITICAL", "Title": "Key", "StartLine": 1, "Match": "-----BEGIN"}]},
	 {"Target": "l", "Class": "license", "Licenses": [{"Name": "GPL"}, {"Name": "MIT"}]},
	 {"Target": "app/go.mod", "Class": "lang-pkgs", "Type": "gomod", "ExperimentalModifiedFindings": [
	  {"Type": "vulnerability", "Status": "not_affected", "Statement": "", "Finding": {"VulnerabilityID": "CVE-2026-22222", "PkgName": "x", "Severity": "HIGH"}}]}
	]}`)
	const repo = "acme/api"
	want := []record.Finding{
		{Tool: "trivy", Class: record.ClassContainer, Repository: repo, Rule: "CVE-2026-1", Title: "CVE-2026-1 in openssl", Severity: record.SeverityLow, Category: "debian", Package: "deb/openssl", Version: "1", Place: "reg.example.com:5000/acme/api", FixAvailable: record.AnswerNo},
		{Tool: "trivy", Class: record.ClassSCA, Repository: repo, Rule: "GHSA-aaaa-bbbb-cccc", Title: "GHSA-aaaa-bbbb-cccc in golang.org/x/net", URL: "https://x.example/1", Severity: record.SeverityCritical, Category: "CWE-79", Aliases: []string{"GHSA-AAAA-BBBB-CCCC", "CVE-2026-11111"}, Package: "go/golang.org/x/net", Place: "reg.example.com:5000/acme/api:app/go.mod", FixAvailable: record.AnswerYes},
		{Tool: "trivy", Class: record.ClassIaC, Repository: repo, Rule: "DS002", Title: "root", Severity: record.SeverityHigh, Category: "DS002", Place: "reg.example.com:5000/acme/api:Dockerfile", Line: 3},
		{Tool: "trivy", Class: record.ClassSecret, Repository: repo, Rule: "private-key", Title: "Key", Severity: record.SeverityCritical, Category: "private-key", Place: "reg.example.com:5000/acme/api:k.pem", Line: 1},
		{Tool: "trivy", Class: record.ClassSCA, Repository: repo, Rule: "CVE-2026-22222", Title: "CVE-2026-22222 in x", Severity: record.SeverityHigh, Category: "gomod", Aliases: []string{"CVE-2026-22222"}, Package: "go/x", Place: "reg.example.com:5000/acme/api:app/go.mod", FixAvailable: record.AnswerNo, Closure: record.ClosureFalsePositive},
	}
	if d := cmp.Diff(want, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[record.RejectReason]int{record.RejectDecode: 1, record.RejectNoID: 1}, r.Rejected); d != "" {
		t.Errorf("rejected (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"license": 2, "misconfiguration of status PASS": 1}, r.Ignored); d != "" {
		t.Errorf("ignored (-want +got):\n%s", d)
	}
}

func TestTrivyForms(t *testing.T) {
	for name, tt := range map[string]struct {
		report string
		want   int
	}{
		"null":               {"null", 0},
		"empty list":         {"[]", 0},
		"no results":         {`{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem"}`, 0},
		"null results":       {`{"SchemaVersion": 2, "ArtifactName": "x", "Results": null}`, 0},
		"null list":          {`[{"Target": "a", "Type": "npm", "Vulnerabilities": null}]`, 0},
		"legacy":             {`[{"Target": "a", "Type": "npm", "Vulnerabilities": [{"VulnerabilityID": "CVE-1"}]}, {"Target": "b"}]`, 1},
		"byte order mark":    {"\ufeff[]", 0},
		"cluster, resources": {`{"ClusterName": "c", "Resources": [{"Namespace": "n", "Kind": "Pod", "Name": "p", "Results": [{"Target": "Pod/p", "Class": "config", "Misconfigurations": [{"ID": "KSV1", "Status": "FAIL"}]}]}]}`, 1},
		"cluster, older": {`{"ClusterName": "c", "Vulnerabilities": [{"Name": "p", "Results": [{"Target": "i:1 (debian 12)", "Class": "os-pkgs", "Vulnerabilities": [{"VulnerabilityID": "CVE-1"}]}]}],
			"Misconfigurations": [{"Name": "p", "Results": [{"Target": "Pod/p", "Class": "config", "Misconfigurations": [{"ID": "KSV1", "Status": "FAIL"}]}]}]}`, 2},
		"cluster, findings": {`{"ClusterName": "c", "Findings": [{"Name": "p", "Results": [{"Target": "t", "Vulnerabilities": [{"VulnerabilityID": "CVE-1"}]}]}]}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if r := formattest.MustRead(t, Format{}, tt.report); len(r.Findings) != tt.want || r.Incomplete {
				t.Errorf("got %d findings (incomplete: %t), want %d", len(r.Findings), r.Incomplete, tt.want)
			}
		})
	}
}

func TestTrivyIdentityOutlivesTags(t *testing.T) {
	report := func(tag, version string) string {
		return `{"SchemaVersion": 2, "ArtifactName": "acme/api:` + tag + `", "ArtifactType": "container_image", "Results": [{"Target": "acme/api:` + tag +
			` (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-1", "PkgName": "p", "InstalledVersion": "` + version + `"}]}]}`
	}
	a, b := formattest.MustRead(t, Format{}, report("1.0", "1")), formattest.MustRead(t, Format{}, report("2.0", "2"))
	if a.Findings[0].ID != b.Findings[0].ID {
		t.Error("the same weakness in the next version of an image must keep its id")
	}
}

func FuzzTrivy(f *testing.F) {
	formattest.Seeds(f, "trivy")
	formattest.Fuzz(f, Format{}, `{"SchemaVersion": 2, "ArtifactName": "https://github.com/acme/api", "ArtifactType": "repository", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod",
		"Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]}`,
		`[{"Target": "go.mod", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]`, `{"ClusterName": "", "Resources": [{"Results": [{"Class": "config"}]}]}`)
}
