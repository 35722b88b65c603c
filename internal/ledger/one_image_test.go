package ledger_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/reports"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// TestTwoToolsOneImage reads the reports of two scanners on one image and folds them. The table was made by hand from the two files.
// Thirteen reports are eight weaknesses: what both tools found is one, whichever of an advisory's ids each of them knows; two packages built from one source,
// two copies of one package and what only one tool found stay what they are.
func TestTwoToolsOneImage(t *testing.T) {
	want := []string{
		"container critical: 2 reports, 2 open", // CVE-2026-10001 in libssl3: the worse of two severities
		"container critical: 2 reports, 2 open", // CVE-2026-10001 in openssl: the same advisory, another package
		"container low: 1 reports, 1 open",      // CVE-2026-10006 in bash: only Grype found it
		"container medium: 2 reports, 1 open",   // CVE-2026-10002 in zlib1g: Grype was told to accept it, Trivy reports it
		"sca critical: 1 reports, 1 open",       // CVE-2026-10005 in Go's standard library: only Trivy found it
		"sca high: 2 reports, 2 open",           // CVE-2026-10004 in golang.org/x/net: Grype knows it by its GHSA id
		"sca medium: 1 reports, 1 open",         // CVE-2026-10003 in the copy of jinja2 below /opt: only Trivy found it
		"sca medium: 2 reports, 2 open",         // CVE-2026-10003 in the distribution's jinja2
	}
	for _, order := range [][]string{{"trivy.json", "grype.json"}, {"grype.json", "trivy.json"}} {
		t.Run(strings.Join(order, " before "), func(t *testing.T) {
			l := ledgertest.MustOpen(t, inFile(t), policy.Default())
			if d := cmp.Diff(want, weaknessesOf(t, l, order)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// weaknessesOf applies reports in an order, and describes each weakness.
func weaknessesOf(t *testing.T, l *ledger.Ledger, files []string) []string {
	t.Helper()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	if err := l.Configure(t.Context(), []ledger.Source{{Collector: "reports", Instance: "ci", StaleAfter: 24 * time.Hour}}, at); err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		c, err := reports.New(reports.Config{
			Paths: []string{"testdata/one-image/" + file}, Repository: reports.RepositoryConfig{Default: "acme/api"},
		}, env)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Collect(t.Context(), nil, func(b record.Batch) error {
			if b.Err != nil {
				return b.Err
			}
			return l.Apply(t.Context(), "reports", "ci", b, at.Add(time.Duration(i)*time.Minute))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, w := range l.Snapshot().Weaknesses.All() {
		if w.Reports > 0 { // what became a part of another weakness has none
			lines = append(lines, fmt.Sprintf("%s %s: %d reports, %d open", w.Class.Class(), w.Severity.Severity(), w.Reports, w.OpenReports))
		}
	}
	slices.Sort(lines)
	return lines
}
