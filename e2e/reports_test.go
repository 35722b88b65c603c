//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scans holds real output of real scanners, which this repository does not copy.
const scans = "../../shared/fixtures/scans"

// malformed are the reports there that their tools would refuse, too, and why.
var malformed = map[string]string{}

// TestRealReports points the exporter at reports that tools wrote and checks that each is read whole or rejected by name.
func TestRealReports(t *testing.T) {
	var files []string
	for _, kind := range []string{"sarif", "trivy"} {
		dir, err := filepath.Abs(filepath.Join(scans, kind))
		if err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no reports in %s: %v; this test needs the recorded scans beside the clone", dir, err)
		}
		files = append(files, found...)
	}
	dir := t.TempDir()
	var list strings.Builder
	for _, file := range files {
		list.WriteString("        - " + file + "\n")
	}
	broken := write(t, filepath.Join(dir, "cut-in-half.sarif"), read(t, files[0])[:200])
	list.WriteString("        - " + broken + "\n")
	config := write(t, filepath.Join(dir, "prodsec.yml"), "collectors:\n  reports:\n    - name: scans\n      paths:\n"+list.String())
	e := startExporter(t, "--config.file="+config, "--ledger.path="+filepath.Join(dir, "ledger.db"))
	e.ready(30 * time.Second)

	rejected := map[string]bool{filepath.Base(broken): true}
	for name := range malformed {
		rejected[name] = true
	}
	families := e.families()
	fresh, _ := value(families, "prodsec_scopes", map[string]string{"collector": "reports", "status": "fresh"})
	if want := float64(len(files) + 1 - len(rejected)); fresh != want {
		t.Errorf("%v reports were read, want %v", fresh, want)
	}
	failures, _ := value(families, "prodsec_collection_errors_total", map[string]string{"collector": "reports"})
	if failures != float64(len(rejected)) {
		t.Errorf("%v reports were rejected, want %d", failures, len(rejected))
	}
	if findings, _ := value(families, "prodsec_records", map[string]string{"kind": "finding"}); findings < 500 {
		t.Errorf("%v findings, want at least 500", findings)
	}
	if up, _ := value(families, "prodsec_collector_up", map[string]string{"collector": "reports"}); up != 1 {
		t.Errorf("prodsec_collector_up is %v although reports were read", up)
	}
	page, err := get(e.url("/"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), filepath.Base(broken)) {
		t.Errorf("the landing page does not name %s", filepath.Base(broken))
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		t.Errorf("the ledger: %v", err)
	}
}
