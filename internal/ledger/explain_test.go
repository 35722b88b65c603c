package ledger_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/record"
)

// TestReportsExplainFolding: which reports are one weakness, which of them it continues, and why the others are the same.
func TestReportsExplainFolding(t *testing.T) {
	ctx, at := context.Background(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l, err := ledger.Open(ctx, ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // A temporary file.
	finding := func(tool, id string, seen int, aliases ...string) record.Finding {
		return record.Finding{
			ID: id, Tool: tool, Class: record.ClassSCA, Repository: "acme/pay", Package: "npm/lodash", Aliases: aliases,
			Severity: record.SeverityHigh, FirstSeen: at.AddDate(0, 0, -seen),
		}
	}
	lined := func(tool, id string) record.Finding {
		return record.Finding{
			ID: id, Tool: tool, Class: record.ClassSAST, Repository: "acme/pay", Category: "CWE-89", Place: "db.go", Line: 7,
			Severity: record.SeverityHigh, FirstSeen: at.AddDate(0, 0, -3),
		}
	}
	for instance, findings := range map[string][]record.Finding{
		"a": {finding("dependabot", "1", 9, "CVE-2021-23337", "GHSA-35JH-R3H4-6JHM"), lined("codeql", "c1")},
		"b": {finding("trivy", "2", 5, "GHSA-35JH-R3H4-6JHM"), lined("semgrep", "s1"), finding("trivy", "3", 4, "CVE-2020-8203")},
	} {
		if err := l.Apply(ctx, "reports", instance, record.Batch{Scope: "file:" + instance, Mode: record.Full, Findings: findings}, at); err != nil {
			t.Fatal(err)
		}
	}
	s := l.Snapshot()
	var all []int32
	for i := range s.Weaknesses.Len() {
		all = append(all, int32(i))
	}
	reports, err := l.Reports(ctx, append(all, 99)...)
	if err != nil {
		t.Fatal(err)
	}
	why := map[string]string{}
	for _, cluster := range reports {
		for i, r := range cluster {
			if r.Primary != (i == 0) || r.Instance == "" || r.Scope == "" || r.FirstObserved.IsZero() {
				t.Errorf("report %s: %+v", r.ID, r)
			}
			why[r.ID] = r.Folded
		}
	}
	for id, want := range map[string]string{"1": "", "3": "", "2": "shares GHSA-35JH-R3H4-6JHM and the package npm/lodash with dependabot 1"} {
		if got, ok := why[id]; !ok || got != want {
			t.Errorf("report %s is folded because %q, want %q", id, got, want)
		}
	}
	if !strings.Contains(why["s1"]+why["c1"], "is CWE-89 at db.go:7 as well as") {
		t.Errorf("the two of one line: %q, %q", why["c1"], why["s1"])
	}
	if len(reports[99]) != 0 {
		t.Errorf("a weakness that is not there has reports: %v", reports[99])
	}
	// Reading changes nothing: the ledger goes on.
	if err := l.Apply(ctx, "reports", "a", record.Batch{Scope: "file:a", Mode: record.Full, Findings: []record.Finding{}}, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}
