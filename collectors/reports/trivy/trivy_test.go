package trivy

import (
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"strings"
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
		{Tool: "trivy", Class: record.ClassContainer, Repository: repo, Rule: "CVE-2026-1", Title: "CVE-2026-1 in openssl", Severity: record.SeverityLow, Category: "deb", Package: "deb/openssl", Version: "1", Place: "reg.example.com:5000/acme/api", FixAvailable: record.AnswerNo},
		{Tool: "trivy", Class: record.ClassSCA, Repository: repo, Rule: "GHSA-aaaa-bbbb-cccc", Title: "GHSA-aaaa-bbbb-cccc in golang.org/x/net", URL: "https://x.example/1", Severity: record.SeverityCritical, Category: "CWE-79", Aliases: []string{"GHSA-AAAA-BBBB-CCCC", "CVE-2026-11111"}, Package: "go/golang.org/x/net", Place: "reg.example.com:5000/acme/api:app/go.mod", FixAvailable: record.AnswerYes},
		{Tool: "trivy", Class: record.ClassIaC, Repository: repo, Rule: "DS002", Title: "root", Severity: record.SeverityHigh, Category: "DS002", Place: "reg.example.com:5000/acme/api:Dockerfile", Line: 3},
		{Tool: "trivy", Class: record.ClassSecret, Repository: repo, Rule: "private-key", Title: "Key", Severity: record.SeverityCritical, Category: "private-key", Place: "reg.example.com:5000/acme/api:k.pem", Line: 1},
		{Tool: "trivy", Class: record.ClassSCA, Repository: repo, Rule: "CVE-2026-22222", Title: "CVE-2026-22222 in x", Severity: record.SeverityHigh, Category: "go", Aliases: []string{"CVE-2026-22222"}, Package: "go/x", Place: "reg.example.com:5000/acme/api:app/go.mod", FixAvailable: record.AnswerNo, Closure: record.ClosureFalsePositive},
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

// TestWhatWasLookedFor: the classes that a report shows its scan was about, how it ended, and what it replaces besides.
func TestWhatWasLookedFor(t *testing.T) {
	const lang, conf, secret, system = `{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod"}`, `{"Target": "main.tf", "Class": "config", "Type": "terraform", "MisconfSummary": {"Successes": 3}}`,
		`{"Target": "x", "Class": "secret", "Secrets": [{"RuleID": "k"}]}`, `{"Target": "x (debian 8)", "Class": "os-pkgs", "Type": "debian"}`
	for name, tt := range map[string]struct {
		metadata, results string
		scans, covers     string
	}{
		"configuration alone": {"", conf, "iac succeeded", ""},
		"secrets alone":       {"", secret, "secret succeeded", ""},
		"licences alone":      {"", `{"Target": "LICENSE", "Class": "license-file", "Licenses": [{"Name": "MIT"}]}`, "", ""},
		"packages":            {"", lang, "sca succeeded", "secret"},
		"distribution":        {`"OS": {"Family": "debian", "EOSL": false}`, system, "container succeeded", "secret"},
		"end of life":         {`"OS": {"Family": "debian", "EOSL": true}`, system + "," + lang, "sca succeeded, container failed", "secret"},
		"everything":          {"", strings.Join([]string{lang, conf, secret, system}, ","), "sca succeeded, secret succeeded, container succeeded, iac succeeded", "secret"},
		"nothing":             {"", "", "", "all"},
	} {
		r := formattest.MustRead(t, Format{}, `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "container_image", "Metadata": {`+tt.metadata+`}, "Results": [`+tt.results+`]}`)
		var scans, covers []string
		for _, s := range r.Scans {
			scans = append(scans, string(s.Class)+" "+string(s.Outcome))
		}
		for _, c := range r.Covered {
			covers = append(covers, map[bool]string{true: "all", false: string(c.Class)}[c.Class == ""])
		}
		if strings.Join(scans, ", ") != tt.scans || strings.Join(covers, ", ") != tt.covers {
			t.Errorf("%s: scans %q, covers %q; want %q and %q", name, scans, covers, tt.scans, tt.covers)
		}
	}
}

func TestImages(t *testing.T) {
	for want, image := range map[string]string{
		"acme/api": `"ArtifactName": "docker.io/acme/api:1@sha256:aa"`, "alpine": `"ArtifactName": "docker.io/library/alpine:3"`,
		"acme/web": `"ArtifactName": "web.tar", "Metadata": {"RepoTags": ["acme/web:2"]}`, "acme/db": `"ArtifactName": "sha256:0123", "Metadata": {"RepoDigests": ["acme/db@sha256:aa"]}`,
	} {
		r := formattest.MustRead(t, Format{}, `{"SchemaVersion": 2, `+image+`, "ArtifactType": "container_image", "Results": [{"Target": "t (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1111", "PkgName": "p"}]},
			{"Target": "Java", "Class": "lang-pkgs", "Type": "jar", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-2222", "PkgName": "a:b", "PkgPath": "/app/x.jar"}]}]}`)
		if r.Findings[0].Place != want || r.Findings[1].Place != want+":app/x.jar" {
			t.Errorf("%s: got %q and %q", want, r.Findings[0].Place, r.Findings[1].Place)
		}
	}
}

// TestScoresAndStatuses: what rates where Trivy has no word, and what its statuses mean.
func TestScoresAndStatuses(t *testing.T) {
	read := func(vulnerability string) record.Finding {
		return formattest.MustRead(t, Format{}, `{"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Target": "a", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1111", "PkgName": "p", `+vulnerability+`}]}]}`).Findings[0]
	}
	for cvss, want := range map[string]record.Severity{
		`{"ghsa": {"V40Score": 9.3, "V3Score": 5}}`: record.SeverityCritical, `{"nvd": {"V2Score": 7.5}}`: record.SeverityHigh, `{"nvd": {"V2Score": 10}}`: record.SeverityHigh,
		`{"nvd": {"V2Vector": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}`: record.SeverityHigh, `{"nvd": {"V3Score": 5}, "zzz": {"V3Score": 9}}`: record.SeverityMedium, `{}`: record.SeverityUnknown,
	} {
		if got := read(`"Severity": "UNKNOWN", "CVSS": ` + cvss).Severity; got != want {
			t.Errorf("%s: got %s, want %s", cvss, got, want)
		}
	}
	for status, want := range map[string]record.Answer{
		"fixed": record.AnswerYes, "affected": record.AnswerNo, "will_not_fix": record.AnswerNo, "fix_deferred": record.AnswerNo, "end_of_life": record.AnswerNo, "under_investigation": record.AnswerUnknown, "unknown": record.AnswerUnknown,
	} {
		if f := read(`"Status": "` + status + `"`); f.FixAvailable != want || f.Closure != record.ClosureNone {
			t.Errorf("%s: fix %q, closure %q; want %q and open", status, f.FixAvailable, f.Closure, want)
		}
	}
}

func FuzzTrivy(f *testing.F) {
	formattest.Seeds(f, "trivy")
	formattest.Fuzz(f, Format{}, `{"SchemaVersion": 2, "ArtifactName": "https://github.com/acme/api", "ArtifactType": "repository", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod",
		"Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]}`,
		`[{"Target": "go.mod", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]`, `{"ClusterName": "", "Resources": [{"Results": [{"Class": "config"}]}]}`)
}
