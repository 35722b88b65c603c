package reports

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// recorded is where real reports of many tools are kept beside the repository; see want for what is in them.
const recorded = "../../../shared/fixtures/scans"

// fixture is what a recorded report must yield. The counts were made with jq from the files, e.g. for Trivy
//
//	jq '[.. | objects | .Vulnerabilities[]?, (.Misconfigurations[]? | select(.Status=="FAIL")), .Secrets[]?] | length'
//
// and not with the parsers.
type fixture struct {
	findings   int
	dismissed  int
	rejected   int
	incomplete bool
	// scans are what the report shows that its tool looked for, where that did not succeed with how it ended.
	scans      string
	severities map[record.Severity]int
	categories map[string]int // the most frequent ones
}

var recordedReports = map[string]fixture{
	"sarif/SuppressionTestCurrent.sarif":                                   {scans: "codescanner/sast", findings: 4, dismissed: 3, severities: map[record.Severity]int{"medium": 4}},
	"sarif/appendix_k.sarif":                                               {scans: "codescanner/sast partial", findings: 1, dismissed: 1, severities: map[record.Severity]int{"high": 1}},
	"sarif/bash-report-fabricated-no-internal-dupes-subset.sarif":          {rejected: 4},
	"sarif/bash-report-fabricated-no-internal-dupes.sarif":                 {rejected: 5},
	"sarif/bash-report-subset-same-hash-code-same-unique-id.sarif":         {rejected: 4},
	"sarif/cxf-3.4.6.sarif":                                                {scans: "grype/sca", findings: 22, severities: map[record.Severity]int{"low": 6, "high": 11, "medium": 4, "critical": 1}},
	"sarif/gitleaks_7.5.0.sarif":                                           {scans: "gitleaks/secret", findings: 8, severities: map[record.Severity]int{"medium": 8}},
	"sarif/issue_10191.json":                                               {scans: "semgrep/sast partial", findings: 77, severities: map[record.Severity]int{"medium": 42, "high": 1, "critical": 34}, categories: map[string]int{"CWE-943": 27, "CWE-22": 15, "CWE-338": 11}},
	"sarif/mobsfscan.json":                                                 {scans: "mobsf/sast", findings: 9, severities: map[record.Severity]int{"low": 7, "high": 1, "medium": 1}, categories: map[string]int{"CWE-919": 2, "CWE-295": 2}},
	"sarif/no_runs.sarif":                                                  {incomplete: true},
	"sarif/spotbugs.sarif":                                                 {rejected: 56},
	"sarif/suppression_test.sarif":                                         {scans: "codescanner/sast", findings: 5, dismissed: 3, severities: map[record.Severity]int{"medium": 5}},
	"trivy/all_statuses.json":                                              {scans: "trivy/container", findings: 8, dismissed: 1, severities: map[record.Severity]int{"low": 8}, categories: map[string]int{"deb": 2, "CWE-347": 1, "CWE-273": 1, "CWE-190": 1}},
	"trivy/cvssv4_severity_source.json":                                    {scans: "trivy/sca", findings: 3, severities: map[record.Severity]int{"low": 2, "medium": 1}, categories: map[string]int{"CWE-20": 2, "CWE-404": 1}},
	"trivy/issue_10991.json":                                               {scans: "trivy/iac", findings: 37, severities: map[record.Severity]int{"high": 1, "medium": 5, "low": 31}, categories: map[string]int{"KSV116": 13, "KSV003": 2, "KSV014": 2}},
	"trivy/issue_14136.json":                                               {scans: "trivy/iac", findings: 1, severities: map[record.Severity]int{"low": 1}, categories: map[string]int{"AVD-AWS-0143": 1}},
	"trivy/issue_9170.json":                                                {scans: "trivy/iac", findings: 37, severities: map[record.Severity]int{"high": 1, "medium": 5, "low": 31}, categories: map[string]int{"KSV116": 13, "KSV015": 2}},
	"trivy/issue_9263.json":                                                {scans: "trivy/sca", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"CWE-399": 1}},
	"trivy/kubernetes_fabricated_subset.json":                              {scans: "trivy/container, trivy/iac", findings: 13, severities: map[record.Severity]int{"medium": 5, "low": 8}, categories: map[string]int{"CWE-190": 2, "CWE-347": 2, "KSV001": 2}},
	"trivy/legacy_many_vulns.json":                                         {scans: "trivy/container", findings: 93, severities: map[record.Severity]int{"low": 65, "high": 18, "medium": 9, "unknown": 1}, categories: map[string]int{"deb": 21, "CWE-119": 8, "CWE-20": 7, "CWE-674": 5}},
	"trivy/legacy_trivy_mix.json":                                          {scans: "trivy/sca, trivy/container", findings: 6, rejected: 1, severities: map[record.Severity]int{"high": 6}, categories: map[string]int{"apk": 5, "CWE-190": 1}},
	"trivy/misconfigurations_and_secrets.json":                             {scans: "trivy/sca, trivy/secret, trivy/iac", findings: 5, severities: map[record.Severity]int{"critical": 2, "high": 2, "medium": 1}, categories: map[string]int{"github-pat": 2, "CWE-400": 1, "CWE-295": 1, "DS002": 1}},
	"trivy/scheme_2_many_vulns.json":                                       {scans: "trivy/sca, trivy/container", findings: 5, severities: map[record.Severity]int{"critical": 1, "high": 1, "medium": 3}, categories: map[string]int{"CWE-787": 2, "CWE-835": 2, "CWE-674": 1}},
	"anchore_grype/check_all_fields.json":                                  {scans: "grype/sca, grype/container", findings: 6, severities: map[record.Severity]int{"low": 1, "high": 3, "critical": 2}, categories: map[string]int{"deb": 3, "pip": 3}},
	"anchore_grype/check_all_fields_different_ids_fabricated.json":         {scans: "grype/sca, grype/container", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"pip": 1}},
	"anchore_grype/check_all_fields_no_ids_fabricated.json":                {scans: "grype/sca, grype/container", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"pip": 1}},
	"cyclonedx/issue_8022.json":                                            {scans: "cyclonedx/sca", findings: 1, dismissed: 1, severities: map[record.Severity]int{"critical": 1}, categories: map[string]int{"CWE-184": 1}},
	"cyclonedx/issue_9277.json":                                            {scans: "trivy/container", findings: 14, severities: map[record.Severity]int{"low": 13, "medium": 1}, categories: map[string]int{"CWE-674": 4, "CWE-770": 2, "CWE-74": 2, "CWE-787": 2, "CWE-20": 1, "CWE-400": 1, "deb": 2}},
	"cyclonedx/valid-vulnerability-1.4.json":                               {scans: "cyclonedx/sca", findings: 1, dismissed: 1, severities: map[record.Severity]int{"critical": 1}, categories: map[string]int{"CWE-184": 1}},
	"cyclonedx/cyclonedx_bom.xml":                                          {incomplete: true},
	"cyclonedx/jake.xml":                                                   {incomplete: true},
	"cyclonedx/log4j.xml":                                                  {scans: "grype/sca", findings: 8, severities: map[record.Severity]int{"critical": 4, "high": 1, "medium": 3}, categories: map[string]int{"maven": 8}},
	"cyclonedx/multiple_cwes_fabricated.xml":                               {scans: "grype/sca", findings: 1, severities: map[record.Severity]int{"critical": 1}, categories: map[string]int{"CWE-79": 1}},
	"cyclonedx/spec1.xml":                                                  {scans: "cyclonedx/sca", findings: 1, severities: map[record.Severity]int{"critical": 1}, categories: map[string]int{"CWE-184": 1}},
	"cyclonedx/spec1_lowfirst.xml":                                         {scans: "cyclonedx/sca", findings: 1, severities: map[record.Severity]int{"critical": 1}, categories: map[string]int{"CWE-184": 1}},
	"semgrep/close_old_findings_report_line31.json":                        {scans: "semgrep/sast", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"CWE-78": 1}},
	"semgrep/close_old_findings_report_second_run_line24.json":             {scans: "semgrep/sast", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"CWE-78": 1}},
	"semgrep/close_old_findings_report_third_run_different_unique_id.json": {scans: "semgrep/sast", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"CWE-78": 1}},
	"semgrep/issue_8435.json":                                              {scans: "semgrep/sast, semgrep/secret", findings: 1, severities: map[record.Severity]int{"high": 1}, categories: map[string]int{"CWE-798": 1}},
	"semgrep/many_findings.json":                                           {scans: "semgrep/sast", findings: 3, severities: map[record.Severity]int{"medium": 2, "low": 1}, categories: map[string]int{"CWE-696": 3}},
	"semgrep/many_vulns.json":                                              {scans: "semgrep/sast", findings: 48, severities: map[record.Severity]int{"high": 13, "medium": 35}, categories: map[string]int{"CWE-327": 33, "CWE-611": 10, "CWE-1236": 1}},
	"semgrep/semgrep_version_1_30_0_line_27.json":                          {scans: "semgrep/sast", findings: 5, severities: map[record.Severity]int{"medium": 5}, categories: map[string]int{"CWE-79": 5}},
}

// TestRecordedReports reads every recorded report of the formats we know; a file that is not in the table fails the test.
// Without the recordings, which are not part of the repository, there is nothing to read, except under CI.
func TestRecordedReports(t *testing.T) {
	if _, err := os.Stat(recorded); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the recorded reports are missing: %v", err)
		}
		t.Logf("no recorded reports at %s", recorded)
		return
	}
	for _, folder := range []string{"sarif", "trivy", "anchore_grype", "cyclonedx", "semgrep"} {
		entries, err := os.ReadDir(filepath.Join(recorded, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := folder + "/" + entry.Name()
			t.Run(name, func(t *testing.T) {
				want, known := recordedReports[name]
				if !known {
					t.Fatal("this report is not in the table: count its findings and add it")
				}
				checkRecorded(t, filepath.Join(recorded, folder, entry.Name()), want)
			})
		}
	}
}

func checkRecorded(t *testing.T, path string, want fixture) {
	t.Helper()
	r, err := readReport(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		t.Fatal(err)
	}
	dismissed, rejected, severities, categories, ids := 0, 0, map[record.Severity]int{}, map[string]int{}, map[string]bool{}
	for _, f := range r.Findings {
		severities[f.Severity]++
		categories[f.Category]++
		if f.Closure != record.ClosureNone {
			dismissed++
		}
		if ids[f.ID] {
			t.Errorf("two findings have the id %s", f.ID)
		}
		ids[f.ID] = true
		if f.Rule == "" || f.Title == "" || f.Class == "" || f.Tool == "" {
			t.Errorf("a finding lacks what every finding has: %+v", f)
		}
	}
	for _, n := range r.Rejected {
		rejected += n
	}
	if len(r.Findings) != want.findings || dismissed != want.dismissed || rejected != want.rejected || r.Incomplete != want.incomplete {
		t.Errorf("got %d findings, %d dismissed, %d rejected (%v), incomplete %t; want %+v",
			len(r.Findings), dismissed, rejected, r.Rejected, r.Incomplete, want)
	}
	var scans []string
	for _, scan := range r.Scans {
		text := scan.Tool + "/" + string(scan.Class)
		if scan.Outcome != format.Succeeded {
			text += " " + string(scan.Outcome)
		}
		scans = append(scans, text)
	}
	if got := strings.Join(scans, ", "); got != want.scans {
		t.Errorf("got scans %q, want %q", got, want.scans)
	}
	if !maps.Equal(severities, want.severities) && len(severities)+len(want.severities) > 0 {
		t.Errorf("got severities %v, want %v", severities, want.severities)
	}
	for c, n := range want.categories {
		if categories[c] != n {
			t.Errorf("got %d of category %s, want %d", categories[c], c, n)
		}
	}
}

// TestRecordedAnswers refuses what is an API's answer and no report, and says who reads it, where that can be told.
func TestRecordedAnswers(t *testing.T) {
	if _, err := os.Stat(recorded); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the recorded answers are missing: %v", err)
		}
		t.Logf("no recorded answers at %s", recorded)
		return
	}
	for folder, says := range map[string]string{
		"dependency_track": `let the collector "dependencytrack" read it`, "snyk_issue_api": `let the collector "snyk" read it`,
		"github_vulnerability": `let the collector "github" read it`, "sonarqube": "its keys are: ", "api_sonarqube": "its keys are: ",
	} {
		entries, err := os.ReadDir(filepath.Join(recorded, folder))
		if err != nil || len(entries) == 0 {
			t.Fatalf("%s: no answers: %v", folder, err)
		}
		for _, entry := range entries {
			r, err := readReport(func() (io.ReadCloser, error) { return os.Open(filepath.Join(recorded, folder, entry.Name())) })
			if r != nil || record.ReasonOf(err) != record.ReasonDecode || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "known format") {
				t.Errorf("%s/%s: got %v, %v; want it refused with %q", folder, entry.Name(), r, err, says)
			}
		}
	}
}
