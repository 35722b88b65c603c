package reports

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// history is a collector on a folder and the ledger that keeps what it emits, day by day.
type history struct {
	t      *testing.T
	dir    string
	clock  *collectorstest.Clock
	ledger *ledger.Ledger
	config Config
	c      *Collector
}

func newHistory(t *testing.T, config Config) *history {
	t.Helper()
	p, err := policy.New(policy.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &history{t: t, dir: t.TempDir(), clock: collectorstest.NewClock(), ledger: l, config: config}
	h.config.Paths = []string{h.dir}
	if h.config.Repository.Default == "" {
		h.config.Repository.Default = "acme/api"
	}
	if h.c, err = New(h.config, collectorstest.Env(h.clock, slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	if err := l.Configure(t.Context(), []ledger.Source{{Collector: "reports", Instance: "ci"}}, h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return h
}

// write puts a report at a path; an empty one deletes it.
func (h *history) write(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if text == "" {
		if err := os.Remove(path); err != nil {
			h.t.Fatal(err)
		}
		return
	}
	write(h.t, h.dir, name, text)
	if err := os.Chtimes(path, h.clock.Now(), h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// collect runs the collector once, a day later.
func (h *history) collect() {
	h.t.Helper()
	if err := h.clock.Sleep(h.t.Context(), 24*time.Hour); err != nil {
		h.t.Fatal(err)
	}
	cursors, err := h.ledger.Cursors(h.t.Context(), "reports", "ci")
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.c.Collect(h.t.Context(), cursors, func(b record.Batch) error {
		return h.ledger.Apply(h.t.Context(), "reports", "ci", b, h.clock.Now())
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// weaknesses are how many weaknesses of each class are open and, of the closed ones, why: "sca 1 open, sast 2 fixed".
func (h *history) weaknesses() string {
	counts := map[string]int{}
	for _, w := range h.ledger.Snapshot().Weaknesses.All() {
		state := string(w.Closure.Closure())
		if w.Open() {
			state = "open"
		}
		counts[string(w.Class.Class())+" %d "+state]++
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf(key, counts[key]))
	}
	return strings.Join(all, ", ")
}

// scans are the scans by class, with the days since the last success.
func (h *history) scans() string {
	var all []string
	for _, s := range h.ledger.Snapshot().Scans {
		days := "never"
		if !s.Record.SucceededAt.IsZero() {
			days = fmt.Sprint(int(h.clock.Now().Sub(s.Record.SucceededAt).Hours() / 24))
		}
		all = append(all, string(s.Record.Class)+" "+days)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Reports of one path, small.
const (
	trivyFull = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": [
		{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]},
		{"Target": "main.tf", "Class": "config", "Type": "terraform", "Misconfigurations": [{"ID": "AWS-0001", "Severity": "HIGH", "Status": "FAIL"}]},
		{"Target": "x.env", "Class": "secret", "Secrets": [{"RuleID": "acme-key", "Severity": "HIGH", "StartLine": 1}]}]}`
	trivyConfiguration = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": [{"Target": "main.tf", "Class": "config", "Type": "terraform", "MisconfSummary": {"Successes": 3, "Failures": 0}}]}`
	trivyPackages      = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod"}]}`
	trivySecret        = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": [{"Target": "y.env", "Class": "secret", "Secrets": [{"RuleID": "acme-key", "Severity": "HIGH", "StartLine": 1}]}]}`
	trivyLicences      = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": [{"Target": "LICENSE", "Class": "license-file", "Licenses": [{"Name": "MIT"}]}]}`
	trivyNothing       = `{"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem", "Results": []}`

	semgrepTwo     = `{"errors": [], "paths": {"scanned": ["a.py", "b.py"]}, "results": [{"check_id": "r", "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "lines": "x"}}, {"check_id": "r", "path": "b.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "lines": "y"}}]}`
	semgrepClean   = `{"errors": [], "paths": {"scanned": ["a.py", "b.py"]}, "results": []}`
	semgrepFailed  = `{"errors": [{"level": "error", "type": "SemgrepError", "message": "rules could not be read"}], "paths": {"scanned": []}, "results": []}`
	semgrepTimeout = `{"errors": [{"level": "warn", "type": "Timeout", "path": "a.py"}], "paths": {"scanned": ["a.py", "b.py"]}, "results": []}`
	semgrepOne     = `{"errors": [{"level": "warn", "type": "Timeout", "path": "a.py"}], "paths": {"scanned": ["a.py"]}, "results": []}`
	semgrepNothing = `{"errors": [], "paths": {"scanned": []}, "results": []}`
)

func sarifText(tool, rules, results, more string) string {
	return fmt.Sprintf(`{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": %q, "rules": [%s]}}, "results": [%s] %s}]}`, tool, rules, results, more)
}

// TestNextReportAtTheSamePath: what a report makes of what the ones before it at its path said.
func TestNextReportAtTheSamePath(t *testing.T) {
	const found = `{"ruleId": "a", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 1}}}]}`
	const security, quality = `{"id": "a", "properties": {"tags": ["security"]}}`, `{"id": "q", "properties": {"tags": ["style"]}}`
	failed := `, "invocations": [{"executionSuccessful": false}]`
	for name, tt := range map[string]struct {
		reports           []string
		weaknesses, scans string
	}{
		"Trivy, again":                      {[]string{trivyFull, trivyFull}, "iac 1 open, sca 1 open, secret 1 open", "iac 1, sca 1, secret 1"},
		"Trivy, configuration alone":        {[]string{trivyFull, trivyConfiguration}, "iac 1 fixed, sca 1 open, secret 1 open", "iac 1, sca 2, secret 2"},
		"Trivy, packages alone":             {[]string{trivyFull, trivyPackages}, "iac 1 open, sca 1 fixed, secret 1 fixed", "iac 2, sca 1, secret 2"},
		"Trivy, another secret":             {[]string{trivyFull, trivySecret}, "iac 1 open, sca 1 open, secret 1 fixed, secret 1 open", "iac 2, sca 2, secret 1"},
		"Trivy, licences alone":             {[]string{trivyFull, trivyLicences}, "iac 1 open, sca 1 open, secret 1 open", "iac 2, sca 2, secret 2"},
		"Trivy, nothing at all":             {[]string{trivyFull, trivyNothing}, "iac 1 fixed, sca 1 fixed, secret 1 fixed", "iac 2, sca 2, secret 2"},
		"Trivy, null":                       {[]string{trivyFull, "null"}, "iac 1 fixed, sca 1 fixed, secret 1 fixed", "iac 2, sca 2, secret 2"},
		"another tool":                      {[]string{trivyFull, semgrepTwo}, "iac 1 open, sast 2 open, sca 1 open, secret 1 open", "iac 2, sast 1, sca 2, secret 2"},
		"another tool, clean":               {[]string{semgrepTwo, sarifText("CodeQL", security, "", "")}, "sast 2 open", "sast 1, sast 2"},
		"another tool, and back":            {[]string{trivyFull, semgrepTwo, trivyPackages}, "iac 1 open, sast 2 open, sca 1 fixed, secret 1 fixed", "iac 3, sast 2, sca 1, secret 3"},
		"a VEX":                             {[]string{trivyFull, `{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2026-9999", "analysis": {"state": "not_affected"}, "affects": [{"ref": "pkg:npm/a@1"}]}]}`}, "iac 1 open, sca 1 open, secret 1 open", "iac 2, sca 2, secret 2"},
		"a bill of materials":               {[]string{trivyFull, `{"bomFormat": "CycloneDX", "components": []}`}, "iac 1 open, sca 1 open, secret 1 open", "iac 2, sca 2, secret 2"},
		"a broken report":                   {[]string{trivyFull, `{"Results": [`}, "iac 1 open, sca 1 open, secret 1 open", "iac 2, sca 2, secret 2"},
		"Semgrep, clean":                    {[]string{semgrepTwo, semgrepClean}, "sast 2 fixed", "sast 1"},
		"Semgrep, failed":                   {[]string{semgrepTwo, semgrepFailed}, "sast 2 open", "sast 2"},
		"Semgrep, failed at first":          {[]string{semgrepFailed}, "", "sast never"},
		"Semgrep, a file given up":          {[]string{semgrepTwo, semgrepTimeout}, "sast 1 fixed, sast 1 open", "sast 2"},
		"Semgrep, a file not looked at":     {[]string{semgrepTwo, semgrepOne}, "sast 2 open", "sast 2"},
		"Semgrep, a file given up, then ok": {[]string{semgrepTwo, semgrepTimeout, semgrepClean}, "sast 2 fixed", "sast 1"},
		"Semgrep, nothing looked at":        {[]string{semgrepTwo, semgrepNothing}, "sast 2 open", "sast 2"},
		"SARIF, fixed":                      {[]string{sarifText("Acme", "", found, ""), sarifText("Acme", "", "", "")}, "sast 1 fixed", "sast 1"},
		"SARIF, failed":                     {[]string{sarifText("Acme", "", found, ""), sarifText("Acme", "", "", failed)}, "sast 1 open", "sast 2"},
		"SARIF, moved":                      {[]string{sarifText("Acme", "", found, ""), sarifText("Acme", "", strings.Replace(found, `"startLine": 1`, `"startLine": 9`, 1), "")}, "sast 1 open", "sast 1"},
		"SARIF, rules of quality":           {[]string{sarifText("CodeQL", security, found, ""), sarifText("CodeQL", quality, "", "")}, "sast 1 open", "sast 2"},
		"SARIF, an unknown tool about packages": {
			[]string{sarifText("Acme", `{"id": "CVE-2026-1111"}`, strings.Replace(found, `"a"`, `"CVE-2026-1111"`, 1), ""), sarifText("Acme", "", "", "")}, "sca 1 fixed", "sast 1, sca 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, Config{})
			for _, text := range tt.reports {
				h.write("r.json", text)
				h.collect()
			}
			if got := h.weaknesses(); got != tt.weaknesses {
				t.Errorf("got %q, want %q", got, tt.weaknesses)
			}
			if got := h.scans(); got != tt.scans {
				t.Errorf("days since the last success are %q, want %q", got, tt.scans)
			}
		})
	}
}
