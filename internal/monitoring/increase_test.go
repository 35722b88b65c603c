package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// bornAtZero are the counters of which rules and boards read the increase, and the proof that each series is there at 0 before it counts: without that the first of each is lost, because a
// series that begins at 1 has not increased. Counters that are not here are read as totals, or as exact windows.
var bornAtZero = map[string]string{
	names.CountingChanges:  "every kind, shown below",
	names.LedgerErrors:     "one series without labels, which is there at 0 once it is registered",
	names.SeriesDropped:    "every reason, made at the start: TestBadSeries of package exposition",
	names.CollectionErrors: "every reason of every instance, made at the start: TestSelfMetrics of cmd/prodsec_exporter",
	names.ClockJumps:       "one series without labels, which is there at 0 once it is registered",
}

func TestEveryIncreaseBeginsAtZero(t *testing.T) {
	reading := regexp.MustCompile(`\b(?:increase|rate|irate|delta|idelta)\s*\(([^\[]*)\[`)
	read := map[string]bool{}
	for _, e := range expressions() {
		for _, m := range reading.FindAllStringSubmatch(e.expr, -1) {
			for _, name := range promql.NamesIn(m[1]) {
				read[name] = true
				if bornAtZero[name] == "" {
					t.Errorf("%s reads the increase of %s, and nothing proves that its series begin at 0: %s", e.where, name, e.expr)
				}
			}
		}
	}
	for name := range bornAtZero {
		if !read[name] {
			t.Errorf("nothing reads the increase of %s", name)
		}
	}
	empty := &snapshot.Snapshot{Services: []snapshot.Service{{Service: record.Service{Name: record.Unattributed}}}, Owners: []snapshot.Owner{snapshot.UnattributedOwner}}
	kinds := 0
	for _, r := range metrics.Evaluate(empty, policy.Default(), time.Now()).Results {
		for _, s := range r.Series {
			if r.Family.Name == names.CountingChanges && s.Value == 0 {
				kinds++
			}
		}
	}
	if kinds != len(snapshot.CountingKinds()) {
		t.Errorf("%d kinds of counting changes are shown at 0 before the first, want %d", kinds, len(snapshot.CountingKinds()))
	}
}

// TestRunbooksReadIncreasesThatBeginAtZero: whoever looks into an alert must not miss the first event either.
func TestRunbooksReadIncreasesThatBeginAtZero(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs/runbooks/*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	reading := regexp.MustCompile(`\bincrease\(([a-z_]+)`)
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reading.FindAllStringSubmatch(string(content), -1) {
			if bornAtZero[m[1]] == "" {
				t.Errorf("%s reads the increase of %s", filepath.Base(f), m[1])
			}
		}
	}
}
