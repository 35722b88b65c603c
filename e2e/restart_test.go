//go:build e2e

package e2e

import (
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// counters are the values of every product counter and event histogram by series.
func counters(families map[string]*dto.MetricFamily) map[string]float64 {
	values := map[string]float64{}
	for name, f := range families {
		// The exporter's own counters start anew with each process.
		if !strings.HasPrefix(name, "prodsec_") || strings.HasPrefix(name, "prodsec_api_") || strings.HasPrefix(name, "prodsec_collection_") ||
			strings.HasPrefix(name, "prodsec_ledger_errors") || strings.HasPrefix(name, "prodsec_records_rejected") || strings.HasPrefix(name, "prodsec_series_") {
			continue
		}
		for _, m := range f.GetMetric() {
			switch {
			case f.GetType() == dto.MetricType_COUNTER:
				values[name+series(m)] = m.GetCounter().GetValue()
			case name == "prodsec_finding_remediation_seconds":
				values[name+series(m)] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return values
}

func series(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.GetLabel() {
		b.WriteString("," + l.GetName() + "=" + l.GetValue())
	}
	return b.String()
}

// total is the value of everything that must continue.
func total(values map[string]float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func mustContinue(t *testing.T, before, after map[string]float64) {
	t.Helper()
	if len(before) == 0 || total(before) == 0 {
		t.Fatal("there was nothing to continue")
	}
	for name, old := range before {
		if now, ok := after[name]; !ok || now < old {
			t.Errorf("%s fell from %v to %v (present: %t)", name, old, now, ok)
		}
	}
}

// mustAgree checks that two exporters learned the same history. The organisation moves on while they start, so a few changes
// may be known to one of them only.
func mustAgree(t *testing.T, a, b map[string]float64) {
	t.Helper()
	const moved = 3
	names := maps.Clone(a)
	maps.Copy(names, b)
	sum := 0.0
	for name := range names {
		sum += math.Abs(a[name] - b[name])
		if math.Abs(a[name]-b[name]) > moved {
			t.Errorf("%s is %v and %v", name, a[name], b[name])
		}
	}
	if sum > 10*moved {
		t.Errorf("the counters differ by %v in all", sum)
	}
}

func TestRestartContinues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first := startExporter(t, "--demo", "--ledger.path="+path)
	first.ready(30 * time.Second)
	before := counters(first.families())
	oldest, _ := value(first.families(), "prodsec_finding_oldest_opened_timestamp_seconds", nil)
	if code := first.terminate(); code != 0 {
		t.Fatalf("exit code %d after SIGTERM", code)
	}

	second := startExporter(t, "--demo", "--ledger.path="+path)
	eventually(t, 5*time.Second, "serving what was known", func() error {
		_, err := get(second.url("/metrics"))
		return err
	})
	second.ready(30 * time.Second)
	families := second.families()
	mustContinue(t, before, counters(families))
	if again, ok := value(families, "prodsec_finding_oldest_opened_timestamp_seconds", nil); !ok || oldest == 0 || again == 0 {
		t.Errorf("the oldest findings were lost: %v before, %v after", oldest, again)
	}

	second.kill()
	third := startExporter(t, "--demo", "--ledger.path="+path)
	third.ready(30 * time.Second)
	mustContinue(t, counters(families), counters(third.families()))
	if code := third.terminate(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// TestKilledWhileImporting ends the exporter without warning in the middle of its first pass.
func TestKilledWhileImporting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first := startExporter(t, "--demo", "--ledger.path="+path)
	eventually(t, 20*time.Second, "the first records", func() error {
		_, err := os.Stat(path)
		return err
	})
	first.kill()
	second := startExporter(t, "--demo", "--ledger.path="+path)
	whole := startExporter(t, "--demo")
	second.ready(30 * time.Second)
	whole.ready(30 * time.Second)
	mustAgree(t, counters(whole.families()), counters(second.families()))
}

func TestDemoRemovesItsLedger(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	e := startExporter(t, "--demo")
	if left, err := filepath.Glob(filepath.Join(tmp, "prodsec_exporter-demo-*")); err != nil || len(left) != 1 {
		t.Fatalf("temporary ledgers %v (%v), want one", left, err)
	}
	if code := e.terminate(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	left, err := filepath.Glob(filepath.Join(tmp, "prodsec_exporter-demo-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestWrongTokenShowsAndHarmsNothing(t *testing.T) {
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message": "Bad credentials"}`))
	}))
	defer github.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "ghp_wrongwrongwrongwrongwrongwrong\n")
	config := write(t, filepath.Join(dir, "prodsec.yml"), `
collectors:
  github:
    - name: main
      url: `+github.URL+`
      organizations: [acme]
      token: {file: `+filepath.Join(dir, "token")+`}
`)
	e := startExporter(t, "--config.file="+config, "--ledger.path="+filepath.Join(dir, "ledger.db"))
	e.ready(30 * time.Second)
	families := e.families()
	who := map[string]string{"collector": "github", "instance_name": "main"}
	if up, ok := value(families, "prodsec_collector_up", who); !ok || up != 0 {
		t.Errorf("prodsec_collector_up is %v (present: %t), want 0", up, ok)
	}
	who["reason"] = "unauthorized"
	if n, _ := value(families, "prodsec_collection_errors_total", who); n == 0 {
		t.Error("prodsec_collection_errors_total counts no error with reason unauthorized")
	}
	if n, ok := value(families, "prodsec_findings_open", nil); ok {
		t.Errorf("prodsec_findings_open is %v although nothing could be read; it must be absent", n)
	}
	if body, err := get(e.url("/metrics")); err != nil || strings.Contains(string(body), "wrongwrong") || strings.Contains(e.log.String(), "wrongwrong") {
		t.Errorf("the token was shown, or: %v", err)
	}
}
