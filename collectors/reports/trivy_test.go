package reports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/internal/record"
)

func TestTrivyReport(t *testing.T) {
	r := mustRead(t, `{"SchemaVersion": 2, "CreatedAt": "2026-01-15T08:58:29.8Z", "ArtifactName": "reg.example.com:5000/acme/api:1.2@sha256:aa", "ArtifactType": "container_image",
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
	if d := cmp.Diff(want, r.findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[record.RejectReason]int{record.RejectDecode: 1, record.RejectNoID: 1}, r.rejected); d != "" {
		t.Errorf("rejected (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"license": 2, "misconfiguration of status PASS": 1}, r.ignored); d != "" {
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
			if r := mustRead(t, tt.report); len(r.findings) != tt.want || r.incomplete {
				t.Errorf("got %d findings (incomplete: %t), want %d", len(r.findings), r.incomplete, tt.want)
			}
		})
	}
}

func TestTrivyIdentityOutlivesTags(t *testing.T) {
	report := func(tag, version string) string {
		return `{"SchemaVersion": 2, "ArtifactName": "acme/api:` + tag + `", "ArtifactType": "container_image", "Results": [{"Target": "acme/api:` + tag +
			` (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-1", "PkgName": "p", "InstalledVersion": "` + version + `"}]}]}`
	}
	a, b := mustRead(t, report("1.0", "1")), mustRead(t, report("2.0", "2"))
	if a.findings[0].ID != b.findings[0].ID {
		t.Error("the same weakness in the next version of an image must keep its id")
	}
}

func TestMalformedReports(t *testing.T) {
	for name, tt := range map[string]struct {
		report string
		reason record.ErrorReason
		want   []string
	}{
		"empty file":      {"", record.ReasonTruncated, []string{"empty"}},
		"cut off":         {"{\"version\": \"2.1.0\",\n \"runs\": [{\"results\": [{\"ruleId\"", record.ReasonTruncated, []string{"line 2", "SARIF", "ends early"}},
		"syntax":          {"{\"version\": \"2.1.0\",\n\n \"runs\": [}", record.ReasonDecode, []string{"line 3", "byte"}},
		"half of UTF-16":  {"\xff\xfe{\x00\"\x00}", record.ReasonTruncated, []string{"ends early"}},
		"an old encoding": {`<?xml version="1.0" encoding="klingon"?><bom/>`, record.ReasonDecode, []string{"klingon"}},
		"blanks, HTML":    {"\n\n <html>", record.ReasonDecode, []string{"XML or HTML", "JSON"}},
		"Semgrep's API":   {`{"findings": []}`, record.ReasonDecode, []string{`let the collector "semgrep" read it`}},
		"DefectDojo's":    {`{"count": 0, "next": null, "previous": null, "results": []}`, record.ReasonDecode, []string{`let the collector "defectdojo" read it`}},
		"GitHub's alerts": {`[{"number": 1, "state": "open", "secret_type": "x"}]`, record.ReasonDecode, []string{`let the collector "github" read it`}},
		"HTML":            {"<html>", record.ReasonDecode, []string{"XML or HTML", "JSON"}},
		"unknown format":  {`{"weather": "fine"}`, record.ReasonDecode, []string{"known format", "SARIF", "weather"}},
		"a number":        {"7", record.ReasonDecode, []string{"want an object or a list"}},
		"SARIF 1":         {`{"version": "1.0.0", "runs": []}`, record.ReasonDecode, []string{"1.0.0", "2.1.0"}},
		"no runs":         {`{"$schema": "https://x/sarif-2.1.0.json", "version": "2.1.0"}`, record.ReasonDecode, []string{`"runs" is missing`}},
		"runs no list":    {`{"runs": {}}`, record.ReasonDecode, []string{"want a list, got an object"}},
		"two reports":     {"[]\n[]", record.ReasonDecode, []string{"another report"}},
		"damaged gzip":    {"\x1f\x8bxxxxxxxxxxxxxxxxx", record.ReasonDecode, []string{"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readText(t, tt.report)
			if r != nil || record.ReasonOf(err) != tt.reason {
				t.Fatalf("got %v, %v; want reason %s", r, err, tt.reason)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
		})
	}
}
