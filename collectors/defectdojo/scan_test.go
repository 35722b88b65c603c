package defectdojo

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func TestScans(t *testing.T) {
	d := healthy()
	const semgrep = "Semgrep JSON Report"
	d.tests = []string{
		testOf(1, 1, semgrep, "2026-02-02T03:00:00Z"), testOf(2, 1, semgrep, "2026-02-01T03:00:00Z"), // the latest counts, whatever the order
		testOf(3, 2, "Trivy Scan", "2099-01-01T00:00:00Z"), // planned ahead: when it was changed
		testOf(4, 3, semgrep, "2026-02-03T00:00:00Z"),      // no repository
		testOf(5, 2, "Novel Scan", "2026-02-03T00:00:00Z"), // who knows what it looks for
		strings.Replace(testOf(6, 2, semgrep, "2026-02-03T00:00:00Z"), `"scan_type": "Semgrep JSON Report"`, `"scan_type": null`, 1), // nothing imported
		testOf(7, 99, semgrep, "2026-02-03T00:00:00Z"), testOf(8, 2, semgrep, "soon"), `"nonsense"`,
	}
	config := Config{Products: map[string]ProductConfig{"search": {Repository: "acme/configured"}}}
	batches, _ := gather(t, d, config, nil)
	b := batches[testScope]
	at := func(day int, hour int) time.Time { return time.Date(2026, 2, day, hour, 0, 0, 0, time.UTC) }
	want := []record.Scan{
		{Tool: "semgrep", Class: record.ClassSAST, Repository: "acme/configured", SucceededAt: at(2, 3), AttemptedAt: at(2, 3), Enabled: record.AnswerYes},
		{Tool: "trivy", Class: record.ClassSCA, Repository: "acme/pay", SucceededAt: at(4, 0), AttemptedAt: at(4, 0), Enabled: record.AnswerYes},
	}
	if diff := cmp.Diff(want, b.Scans); diff != "" || b.Mode != record.Full || b.Err != nil {
		t.Errorf("mode %s, error %v (-want +got):\n%s", b.Mode, b.Err, diff)
	}
	rejected := map[record.RejectReason]int{record.RejectDecode: 1, record.RejectNoTarget: 1, record.RejectTimestamp: 1}
	if diff := cmp.Diff(rejected, b.Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

func TestScansAreReadNowAndThen(t *testing.T) {
	now := collectorstest.NewClock().Now()
	for name, tt := range map[string]struct {
		config Config
		age    time.Duration
		want   bool
	}{
		"lately":   {age: testsEvery - time.Minute},
		"long ago": {age: testsEvery + time.Minute, want: true},
		"unwanted": {config: Config{WithoutScans: true}, age: 100 * testsEvery},
	} {
		batches, _ := gather(t, healthy(), tt.config, collectors.Cursors{testScope: record.CursorAt(now.Add(-tt.age))})
		b, ok := batches[testScope]
		if ok && !b.Retired != tt.want || !ok && tt.want || b.Retired != tt.config.WithoutScans {
			t.Errorf("%s: read %t, retired %t, want %t", name, ok, b.Retired, tt.want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	beside := map[string]map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(`{"endpoints": {
		"1": {"id": 1, "protocol": "https", "userinfo": "bob:hunter2", "host": "shop.example", "port": 8443, "path": "cart/add", "query": "token=x", "fragment": "y"},
		"2": {"id": 2, "protocol": null, "host": "2001:db8::1", "port": 22, "path": null},
		"3": {"id": 3, "location_type": "url", "location_value": "https://bob:hunter2@api.example/v1?token=x"},
		"4": {"id": 4, "location_type": "dependency", "location_value": "pkg:npm/x@1"},
		"5": "nonsense", "6": {"id": 6, "host": null}
	}}`), &beside); err != nil {
		t.Fatal(err)
	}
	for fields, want := range map[string]string{
		`"endpoints": [1]`: "https://shop.example:8443/cart/add", `"endpoints": [2]`: "[2001:db8::1]:22/", `"endpoints": [3]`: "https://api.example/v1",
		`"endpoints": [1, 3, 2]`: "[2001:db8::1]:22/", `"endpoints": [4, 5, 6, 7]`: "", `"endpoints": null`: "", `"endpoints": [{"host": "x"}]`: "",
		`"endpoints": [1], "file_path": "a.py"`: "a.py", `"endpoints": [1], "component_name": "log4j"`: "",
	} {
		var f finding
		if err := json.Unmarshal([]byte(`{"id": 1, "severity": "High", "dynamic_finding": true, `+fields+`}`), &f); err != nil {
			t.Fatal(err)
		}
		f.locate(beside)
		if r, _ := f.record("https://dojo.example", target{}, nil); r.Place != want {
			t.Errorf("%s: place %q, want %q", fields, r.Place, want)
		}
	}
}

func TestEndpointsArePrefetched(t *testing.T) {
	for name, cursors := range map[string]collectors.Cursors{"whole": nil, "changes": {"product:search": "2026-01-01T00:00:00Z", "product:payments": "2026-01-01T00:00:00Z"}} {
		d := healthy()
		d.findings[1] = []string{item(11, 1, `, "endpoints": [7]`)}
		d.beside["endpoints"] = map[string]any{"7": map[string]any{"id": 7, "protocol": "https", "host": "shop.example", "path": "cart"}}
		batches, _ := gather(t, d, Config{}, cursors)
		if b := batches["product:search"]; len(b.Findings) != 1 || b.Findings[0].Place != "https://shop.example/cart" {
			t.Errorf("%s: got %+v, %v", name, b.Findings, b.Err)
		}
	}
}

// TestSweepGoesOn lets a full sweep run out of time after its first product; the next one begins with the others.
func TestSweepGoesOn(t *testing.T) {
	s := collectorstest.NewServer(t)
	healthy().serve(s)
	c, err := New(Config{URL: s.URL(), Token: collectorstest.Secret(t, "t0ken-of-dojo")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		err := c.Collect(ctx, nil, func(b record.Batch) error {
			if strings.HasPrefix(b.Scope, "product:") {
				order = append(order, b.Scope)
				cancel()
			}
			return nil
		})
		if record.ReasonOf(err) != record.ReasonCanceled {
			t.Fatalf("got %v, want a sweep that ran out of time", errors.Unwrap(err))
		}
	}
	if want := []string{"product:search", "product:payments"}; !cmp.Equal(order, want) {
		t.Errorf("read %v, want %v", order, want)
	}
}

// FuzzPrefetch reads what pages send beside findings and tests.
func FuzzPrefetch(f *testing.F) {
	f.Add([]byte(`{"endpoints": {"1": {"protocol": "https", "host": "shop.example", "port": 8443, "path": "cart"}, "2": {"location_value": "https://u:p@h/x?y"}}}`), []byte(`[1, 2]`),
		[]byte(testOf(1, 1, "Trivy Scan", "2026-02-02T03:00:00Z")))
	f.Add([]byte(`{"endpoints": {"1": {"host": "a b/@", "port": -1, "path": "//%zz?"}}}`), []byte(`["1"]`), []byte(`{"scan_type": "Trivy Scan", "target_end": 5}`))
	f.Fuzz(func(t *testing.T, prefetch, numbers, testData []byte) {
		all := listed[finding]{beside: map[string]map[string]json.RawMessage{}}
		all.keep(prefetch)
		item := finding{Endpoints: numbers}
		item.locate(all.beside)
		if len(item.endpoint) > record.MaxText {
			t.Errorf("a place of %d bytes", len(item.endpoint))
		}
		var read test
		if json.Unmarshal(testData, &read) != nil {
			return
		}
		if scan, reason := read.scan("acme/api"); reason == "" && scan.Class != "" && (scan.Tool == "" || scan.SucceededAt.IsZero()) {
			t.Errorf("%s became %+v", testData, scan)
		}
	})
}
