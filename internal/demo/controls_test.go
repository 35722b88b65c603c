package demo_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// checkControls puts what the collectors learned into a ledger and wants every built-in control to have services, and several results among them.
func checkControls(t *testing.T, batches map[string]record.Batch, at time.Time) {
	t.Helper()
	p := policy.Default()
	l, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // It is thrown away.
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var sources []ledger.Source
	for _, k := range kinds() {
		sources = append(sources, ledger.Source{Collector: k.Name, Instance: "demo"})
	}
	must(l.Configure(t.Context(), sources, at))
	for scope, b := range batches {
		collector, _, _ := strings.Cut(scope, " ")
		b.Findings = nil // they are many, and nothing here depends on them
		must(l.Apply(t.Context(), collector, "demo", b, at))
	}
	must(l.MarkFounded(t.Context(), at))
	must(l.Settle(t.Context(), at))
	results, failures := map[string]map[string]int{}, map[string]float64{}
	for _, r := range metrics.Evaluate(l.Snapshot(), p, at).Results {
		for _, s := range r.Series {
			label := func(name string) string { return s.Labels[slices.Index(r.Family.Labels, name)] }
			switch r.Family.Name {
			case "prodsec_control_services", "prodsec_baseline_services":
				control := "(baseline of a tier)"
				if r.Family.Name == "prodsec_control_services" {
					control = label("control")
				}
				if results[control] == nil {
					results[control] = map[string]int{}
				}
				results[control][label("status")] += int(s.Value)
			case "prodsec_control_failures_in_window":
				failures[label("source")] += s.Value
			}
		}
	}
	exempt := 0
	for _, c := range append(p.Controls(), policy.Control{Name: "(baseline of a tier)"}) {
		got := results[c.Name]
		t.Logf("%s: %v", c.Name, got)
		exempt += got["exempt"]
		different := 0
		for _, n := range got {
			if n > 0 {
				different++
			}
		}
		if different < 2 && c.Name != policy.ControlOwner {
			t.Errorf("%s: %v, want different results", c.Name, got)
		}
	}
	if results[policy.ControlOwner]["pass"] != 60 || exempt < 3 {
		t.Errorf("%d services have an owner, want 60; %d results are exempt", results[policy.ControlOwner]["pass"], exempt)
	}
	if failures["exception"] == 0 || failures["bypass"] == 0 {
		t.Errorf("failures laid at doors: %v", failures)
	}
}
