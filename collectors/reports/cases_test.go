package reports

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// reportCase is a small report whose meaning is easily mistaken, and what it says.
type reportCase struct {
	// findings are class, severity, rule or aliases, category, place and closure of each.
	findings []string
	// scans are class and whether they succeeded.
	scans string
	// next is the report that follows at the same path, and then what becomes of the weaknesses.
	next, then string
	leftOut    int
	err        string
}

const (
	grypeClean     = `{"matches": [], "source": {"type": "image", "target": {"userInput": "ghcr.example.com/shop/checkout:2.1"}}}`
	cyclonedxClean = `{"bomFormat": "CycloneDX", "components": [], "vulnerabilities": []}`
)

var (
	checkerClean  = sarifText("Example Checker", "", "", "")
	checkerFailed = sarifText("Example Checker", "", "", `, "invocations": [{"executionSuccessful": false}]`)
)

var reportCases = map[string]reportCase{
	"rule-override.sarif":     {findings: []string{"sast high Q8 Q8 src/clear.c"}, scans: "sast ok", next: checkerClean, then: "sast 1 fixed"},
	"kind-review.sarif":       {findings: []string{"sast unknown Q3 Q3 src/review.c", "sast unknown Q3 Q3 src/open.c"}, scans: "sast ok", next: checkerClean, then: "sast 2 fixed"},
	"trivy-licence.sarif":     {leftOut: 1, next: sarifText("Trivy", "", "", "")},
	"trivy-licence-only.json": {next: trivyNothing},
	"codeql-quality.sarif": {
		findings: []string{"sast high py/sql-injection CWE-89 app/views.py"}, scans: "sast ok", leftOut: 2, next: sarifText("CodeQL", "", "", ""), then: "sast 1 fixed",
	},
	"unknown-tool-advisory.sarif": {
		findings: []string{"sca high GHSA-2345-6789-CFGH CWE-400 services/Gemfile.lock"}, scans: "sca ok",
		next: sarifText("Example Dependency Reader", "", "", ""), then: "sca 1 fixed",
	},
	"trivy-configuration-only.json": {scans: "iac ok", next: trivyPackages},
	"trivy-secret-only.json": {
		findings: []string{"secret critical example-private-key example-private-key deploy/example.pem"}, scans: "secret ok", next: trivyConfiguration, then: "secret 1 open",
	},
	"semgrep-supply-chain.json": {findings: []string{"sca medium CVE-2026-71001 CWE-502 api/go.sum"}, scans: "sca ok", next: semgrepTwo, then: "sast 2 open, sca 1 open"},
	"first-detection.sarif":     {findings: []string{"sast medium Q9 Q9 lib/io.c since 2025-09-02"}, scans: "sast ok", next: checkerFailed, then: "sast 1 open"},
	"semgrep-failed.json":       {scans: "sast failed", next: semgrepClean},
	"semgrep-failed.sarif":      {scans: "sast failed", next: semgrepTwo, then: "sast 2 open"},
	"semgrep-file-timeout.json": {scans: "sast failed", next: semgrepTwo, then: "sast 2 open"},
	"run-failed.sarif":          {scans: "sast failed", next: sarifText("CodeQL", "", "", "")},
	"taxa-by-index.sarif":       {findings: []string{"sast medium Q5 CWE-326 key.go"}, scans: "sast ok", next: semgrepClean, then: "sast 1 open"},
	"nested-bases.sarif":        {findings: []string{"sast medium Q6 Q6 pkg/reader/read.go"}, scans: "sast ok", next: checkerClean, then: "sast 1 fixed"},
	"suppressions.sarif": {
		findings: []string{
			"sast medium S-none S-none pkg/none.go", "sast medium S-comment S-comment pkg/comment.go other", "sast medium S-wrong S-wrong pkg/wrong.go false_positive",
			"sast medium S-asked S-asked pkg/asked.go", "sast medium S-refused S-refused pkg/refused.go", "sast medium S-contested S-contested pkg/contested.go",
			"sast medium S-borne S-borne pkg/borne.go risk_accepted",
		},
		scans: "sast ok", next: checkerClean, then: "sast 1 false_positive, sast 4 fixed, sast 1 other, sast 1 risk_accepted",
	},
	"cyclonedx-ratings.json": {
		findings: []string{
			"sca low CVE-2026-51001 maven -", "sca medium CVE-2026-51002 maven -", "sca medium CVE-2026-51003 maven -", "sca unknown CVE-2026-51004 maven -",
			"sca high CVE-2026-51005 maven -", "sca unknown CVE-2026-51006 maven -", "sca unknown CVE-2026-51007 maven -", "sca unknown CVE-2026-51008 maven -",
		},
		scans: "sca ok", next: cyclonedxClean, then: "sca 8 fixed",
	},
	"cyclonedx-rejected.json": {
		findings: []string{"sca critical CVE-2026-52001 maven - false_positive"}, scans: "sca ok", next: cyclonedxClean, then: "sca 1 false_positive",
	},
	"trivy-scores-and-statuses.json": {
		findings: []string{
			"sca high CVE-2026-41001 pip poetry.lock", "sca medium CVE-2026-41002 pip poetry.lock", "sca medium CVE-2026-41010 pip poetry.lock",
			"sca medium CVE-2026-41011 pip poetry.lock", "sca medium CVE-2026-41012 pip poetry.lock", "sca medium CVE-2026-41013 pip poetry.lock",
			"sca medium CVE-2026-41014 pip poetry.lock", "sca medium CVE-2026-41015 pip poetry.lock", "sca medium CVE-2026-41016 pip poetry.lock",
			"sca medium CVE-2026-41017 pip poetry.lock false_positive",
		},
		scans: "sca ok", next: trivyPackages, then: "sca 1 false_positive, sca 9 fixed",
	},
	"grype-ignored.json": {
		findings: []string{
			"sca medium CVE-2026-61001 go ghcr.example.com/shop/checkout wont_fix", "sca medium CVE-2026-61002 go ghcr.example.com/shop/checkout false_positive",
			"sca medium CVE-2026-61003 go ghcr.example.com/shop/checkout fixed", "sca medium CVE-2026-61004 go ghcr.example.com/shop/checkout risk_accepted",
			"sca medium CVE-2026-61005 go ghcr.example.com/shop/checkout other",
		},
		scans: "container ok, sca ok", next: grypeClean, then: "sca 1 false_positive, sca 1 fixed, sca 1 other, sca 1 risk_accepted, sca 1 wont_fix",
	},
	"grype-image.sarif": {
		findings: []string{"container medium CVE-2026-31007 apk /lib/apk/db/installed"}, scans: "container ok", next: sarifText("Grype", "", "", ""), then: "container 1 fixed",
	},
	"scorecard.sarif": {
		findings: []string{"other medium PinnedDependenciesID PinnedDependenciesID .github/workflows/build.yml"}, scans: "other ok",
		next: sarifText("Scorecard", "", "", ""), then: "other 1 fixed",
	},
	"github-alerts.json": {err: `let the collector "github" read it`},
}

// TestReportCases reads every case; a file that is not in the table fails the test.
func TestReportCases(t *testing.T) {
	const folder = "testdata/cases"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(reportCases) {
		t.Errorf("%d files, %d rows", len(entries), len(reportCases))
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			want, known := reportCases[entry.Name()]
			if !known {
				t.Fatal("this case is not in the table")
			}
			text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			checkCase(t, string(text), &want)
		})
	}
}

func checkCase(t *testing.T, text string, want *reportCase) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "r", text)
	batches := collect(t, Config{Paths: []string{dir}, Repository: RepositoryConfig{Default: "acme/api"}})
	var findings, scans []string
	leftOut := 0
	for _, scope := range slices.Sorted(maps.Keys(batches)) {
		b := batches[scope]
		if (b.Err != nil) != (want.err != "") || b.Err != nil && !strings.Contains(b.Err.Error(), want.err) {
			t.Fatalf("got %v, want an error: %q", b.Err, want.err)
		}
		for i := range b.Findings {
			findings = append(findings, summary(&b.Findings[i]))
		}
		for _, s := range b.Scans {
			scans = append(scans, string(s.Class)+map[bool]string{true: " failed", false: " ok"}[s.SucceededAt.IsZero()])
		}
		leftOut += b.Rejected[record.RejectNotSecurity]
	}
	if want.err != "" {
		return
	}
	if !slices.Equal(findings, want.findings) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(findings, "\n"), strings.Join(want.findings, "\n"))
	}
	if got := strings.Join(scans, ", "); got != want.scans || leftOut != want.leftOut {
		t.Errorf("scans %q and %d left out, want %q and %d", got, leftOut, want.scans, want.leftOut)
	}
	h := newHistory(t, Config{})
	for _, report := range []string{text, want.next} {
		h.write("r", report)
		h.collect()
	}
	if got := h.weaknesses(); got != want.then {
		t.Errorf("after the next report: %q, want %q", got, want.then)
	}
}

func summary(f *record.Finding) string {
	name, place := strings.Join(f.Aliases, " "), f.Place
	if name == "" {
		name = f.Rule
	}
	if place == "" {
		place = "-"
	}
	text := fmt.Sprintf("%s %s %s %s %s", f.Class, f.Severity, name, f.Category, place)
	if f.Closure != record.ClosureNone {
		text += " " + string(f.Closure)
	}
	if !f.FirstSeen.IsZero() {
		text += " since " + f.FirstSeen.Format(time.DateOnly)
	}
	return text
}
