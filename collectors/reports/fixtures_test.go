package reports

import (
	"io"
	"os"
	"path/filepath"
	"testing"

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
	severities map[record.Severity]int // nil where the file rates by rules that jq cannot repeat in a line
}

var recordedReports = map[string]fixture{
	"sarif/SuppressionTestCurrent.sarif":                                   {findings: 4, dismissed: 3},
	"sarif/appendix_k.sarif":                                               {findings: 1, dismissed: 1},
	"sarif/bash-report-fabricated-no-internal-dupes-subset.sarif":          {findings: 4},
	"sarif/bash-report-fabricated-no-internal-dupes.sarif":                 {findings: 5},
	"sarif/bash-report-subset-same-hash-code-same-unique-id.sarif":         {findings: 4},
	"sarif/cxf-3.4.6.sarif":                                                {findings: 22},
	"sarif/gitleaks_7.5.0.sarif":                                           {findings: 8},
	"sarif/issue_10191.json":                                               {findings: 77},
	"sarif/mobsfscan.json":                                                 {findings: 9},
	"sarif/no_runs.sarif":                                                  {incomplete: true},
	"sarif/spotbugs.sarif":                                                 {findings: 56, incomplete: true},
	"sarif/suppression_test.sarif":                                         {findings: 5, dismissed: 3},
	"trivy/all_statuses.json":                                              {findings: 8, dismissed: 1, severities: map[record.Severity]int{"low": 8}},
	"trivy/cvssv4_severity_source.json":                                    {findings: 3, severities: map[record.Severity]int{"low": 2, "medium": 1}},
	"trivy/issue_10991.json":                                               {findings: 37, severities: map[record.Severity]int{"high": 1, "medium": 5, "low": 31}},
	"trivy/issue_14136.json":                                               {findings: 1, severities: map[record.Severity]int{"low": 1}},
	"trivy/issue_9170.json":                                                {findings: 37, severities: map[record.Severity]int{"high": 1, "medium": 5, "low": 31}},
	"trivy/issue_9263.json":                                                {findings: 1, severities: map[record.Severity]int{"high": 1}},
	"trivy/kubernetes_fabricated_subset.json":                              {findings: 13, severities: map[record.Severity]int{"medium": 5, "low": 8}},
	"trivy/legacy_many_vulns.json":                                         {findings: 93},
	"trivy/legacy_trivy_mix.json":                                          {findings: 6, rejected: 1, severities: map[record.Severity]int{"high": 6}},
	"trivy/misconfigurations_and_secrets.json":                             {findings: 5, severities: map[record.Severity]int{"critical": 2, "high": 2, "medium": 1}},
	"trivy/scheme_2_many_vulns.json":                                       {findings: 5, severities: map[record.Severity]int{"critical": 1, "high": 1, "medium": 3}},
	"anchore_grype/check_all_fields.json":                                  {findings: 6},
	"anchore_grype/check_all_fields_different_ids_fabricated.json":         {findings: 1},
	"anchore_grype/check_all_fields_no_ids_fabricated.json":                {findings: 1},
	"cyclonedx/issue_8022.json":                                            {findings: 1, dismissed: 1, severities: map[record.Severity]int{"critical": 1}},
	"cyclonedx/issue_9277.json":                                            {findings: 14},
	"cyclonedx/valid-vulnerability-1.4.json":                               {findings: 1, dismissed: 1, severities: map[record.Severity]int{"critical": 1}},
	"semgrep/close_old_findings_report_line31.json":                        {findings: 1},
	"semgrep/close_old_findings_report_second_run_line24.json":             {findings: 1},
	"semgrep/close_old_findings_report_third_run_different_unique_id.json": {findings: 1},
	"semgrep/issue_8435.json":                                              {findings: 1},
	"semgrep/many_findings.json":                                           {findings: 3},
	"semgrep/many_vulns.json":                                              {findings: 48},
	"semgrep/semgrep_version_1_30_0_line_27.json":                          {findings: 5},
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
			if filepath.Ext(name) == ".xml" {
				continue // CycloneDX in XML, which is refused: see TestMalformedReports
			}
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
	r, err := read(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		t.Fatal(err)
	}
	dismissed, rejected, severities, ids := 0, 0, map[record.Severity]int{}, map[string]bool{}
	for _, f := range r.findings {
		severities[f.Severity]++
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
	for _, n := range r.rejected {
		rejected += n
	}
	if len(r.findings) != want.findings || dismissed != want.dismissed || rejected != want.rejected || r.incomplete != want.incomplete {
		t.Errorf("got %d findings, %d dismissed, %d rejected (%v), incomplete %t; want %+v",
			len(r.findings), dismissed, rejected, r.rejected, r.incomplete, want)
	}
	for s, n := range want.severities {
		if severities[s] != n {
			t.Errorf("got severities %v, want %v", severities, want.severities)
		}
	}
}
