//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// scans holds real output of real scanners, which this repository does not copy.
const scans = "../../shared/fixtures/scans"

// realReports are the SARIF and Trivy reports there. All of them are well-formed.
func realReports(t *testing.T) (files []string) {
	t.Helper()
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
	return files
}

// items counts what a report complains of, by a rule so simple that it shares no mistake with the collector: SARIF results whose
// kind is a failure, and the entries of Trivy's lists.
func items(value any) (n int) {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			n += items(e)
		}
	case map[string]any:
		for key, e := range v {
			list, isList := e.([]any)
			switch {
			case isList && key != "results" && count(list, "Kind") > 0:
				n += items(e) // the resources of a cluster, under a key that holds findings elsewhere
			case isList && (key == "Vulnerabilities" || key == "Secrets"):
				n += len(list)
			case isList && key == "Misconfigurations":
				n += count(list, "Status", "FAIL")
			case isList && key == "results":
				n += count(list, "kind", "fail", "review", "open")
			default:
				n += items(e)
			}
		}
	}
	return n
}

// count is how many objects have one of the values under a key, or any if none is given; the first value is what absence means.
func count(list []any, key string, values ...string) (n int) {
	for _, e := range list {
		object, ok := e.(map[string]any)
		if !ok {
			continue
		}
		have, ok := object[key].(string)
		if !ok && len(values) > 0 {
			have, ok = values[0], true
		}
		if ok && (len(values) == 0 || slices.Contains(values, have)) {
			n++
		}
	}
	return n
}

// TestRealReports points the exporter at reports that tools wrote, with broken ones among them, and checks that each is read whole or
// rejected by name.
func TestRealReports(t *testing.T) {
	files := realReports(t)
	want := 0
	for _, file := range files {
		var value any
		if err := json.Unmarshal(bytes.TrimPrefix([]byte(read(t, file)), []byte("\ufeff")), &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want += items(value)
	}
	dir := t.TempDir()
	broken := map[string]string{
		"cut-in-half.sarif": read(t, files[0])[:len(read(t, files[0]))/2],
		"empty.json":        "",
		"not-a-report.json": `{"hello": "world"}`,
	}
	var list strings.Builder
	for name, text := range broken {
		files = append(files, write(t, filepath.Join(dir, "broken", name), text))
	}
	for _, file := range files {
		list.WriteString("        - " + file + "\n")
	}
	config := write(t, filepath.Join(dir, "prodsec.yml"), "collectors:\n  reports:\n    - name: scans\n      paths:\n"+list.String())
	e := startExporter(t, "--config.file="+config, "--ledger.path="+filepath.Join(dir, "ledger.db"))
	e.ready(30 * time.Second)

	families := e.families()
	fresh, _ := value(families, "prodsec_scopes", map[string]string{"collector": "reports", "status": "fresh"})
	// A report has a scope for each tool and class that it covers.
	if good := float64(len(files) - len(broken)); fresh < good {
		t.Errorf("%v scopes were read, want one of each of %v reports at least", fresh, good)
	}
	failures, _ := value(families, "prodsec_collection_errors_total", map[string]string{"collector": "reports"})
	if failures != float64(len(broken)) {
		t.Errorf("%v reports were rejected, want %d", failures, len(broken))
	}
	findings, _ := value(families, "prodsec_records", map[string]string{"kind": "finding"})
	rejected, _ := value(families, "prodsec_records_rejected_total", map[string]string{"collector": "reports"})
	// An item that cannot be understood keeps every scope of its report from closing anything, and is counted in each.
	if findings > float64(want) || findings+rejected < float64(want) {
		t.Errorf("%v findings and %v rejected items of %d: some were lost or made up", findings, rejected, want)
	}
	if up, _ := value(families, "prodsec_collector_up", map[string]string{"collector": "reports"}); up != 1 {
		t.Errorf("prodsec_collector_up is %v although reports were read", up)
	}
	rejectedByName(t, config, broken)
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		t.Errorf("the ledger: %v", err)
	}
}

// rejectedByName checks that "check --online" names every broken report and no other.
func rejectedByName(t *testing.T, config string, broken map[string]string) {
	t.Helper()
	p := start(t, t.TempDir(), binary, "--config.file="+config, "check", "--online")
	<-p.done
	if p.err == nil {
		t.Error("check --online is content with broken reports")
	}
	failed := 0
	for line := range strings.Lines(p.log.String()) {
		if !strings.Contains(line, "FAILED") {
			continue
		}
		failed++
		if _, ok := broken[filepath.Base(strings.TrimSpace(line))]; !ok {
			t.Errorf("not a broken report: %s", line)
		}
	}
	if failed != len(broken) {
		t.Errorf("%d reports are named as broken, want %d:\n%s", failed, len(broken), p.log)
	}
}
