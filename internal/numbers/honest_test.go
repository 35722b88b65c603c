package numbers_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// lived is a ledger after a random history, and the instant that the history came to.
func lived(t *testing.T, seed uint64) (*ledger.Ledger, time.Time) {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "honest")
	if err != nil {
		folder = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("history %d: %v", seed, err)
		}
	}
	r := ledgertest.NewRandom(seed)
	l, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(folder, "ledger.db"), Policy: policy.Default()})
	must(err)
	t.Cleanup(func() { _ = l.Close() })
	must(l.Configure(t.Context(), ledgertest.Sources(), r.Now()))
	must(l.Apply(t.Context(), "tickets", "t", record.Batch{Scope: "waivers:all", Mode: record.Full, Exceptions: []record.Exception{}}, r.Now()))
	for i := range 30 {
		collector, instance, b := r.Batch()
		if err := l.Apply(t.Context(), collector, instance, b, r.Now()); err != nil && !errors.Is(err, ledger.ErrNotConfigured) {
			must(err)
		}
		if i == 6 {
			must(l.MarkFounded(t.Context(), r.Now()))
		}
		if r.IntN(3) == 0 {
			r.Pass()
		}
	}
	must(l.Settle(t.Context(), r.Now()))
	return l, r.Now()
}

// seriesOf are the values of a family by its labels, less those that are left out, as text.
func seriesOf(e *metrics.Evaluation, family string, without ...string) map[string]float64 {
	found := map[string]float64{}
	for _, r := range e.Results {
		if r.Family.Name != family {
			continue
		}
		for _, s := range r.Series {
			key := ""
			for i, name := range r.Family.Labels {
				if !slices.Contains(without, name) {
					key += fmt.Sprintf("%s=%s ", name, s.Labels[i])
				}
			}
			found[key] += s.Value
		}
	}
	return found
}

// share is a ratio of docs/definitions.md: the part of a family that has one of the values of a label, of all or of those of some values.
type share struct {
	family, label string
	good, all     []string
}

var shares = []share{
	{family: "prodsec_protected_repositories", label: "status", good: []string{"pass"}},
	{family: "prodsec_control_services", label: "status", good: []string{"pass"}},
	{family: "prodsec_baseline_services", label: "status", good: []string{"pass"}},
	{family: "prodsec_scan_repositories", label: "status", good: []string{"current"}},
	{family: "prodsec_deployment_paths", label: "status", good: []string{"protected"}},
	{family: "prodsec_deployments_in_window", label: "approval", good: []string{"approved"}},
	{family: "prodsec_release_evidence_in_window", label: "status", good: []string{"present"}},
	{family: "prodsec_privileged_pipelines", label: "status", good: []string{"present"}},
	{family: "prodsec_cloud_identity_repositories", label: "method", good: []string{"oidc"}, all: []string{"oidc", "static_key", "unknown"}},
	{family: "prodsec_sla_outcomes_in_window", label: "outcome", good: []string{"met"}, all: []string{"met", "missed"}},
}

// of are the ratios by the other labels.
func (s *share) of(t *testing.T, e *metrics.Evaluation) map[string]float64 {
	t.Helper()
	good, all := map[string]float64{}, map[string]float64{}
	for _, r := range e.Results {
		if r.Family.Name != s.family {
			continue
		}
		at := slices.Index(r.Family.Labels, s.label)
		if at < 0 {
			t.Fatalf("%s has no label %s, but %v", s.family, s.label, r.Family.Labels)
		}
		for _, one := range r.Series {
			key := fmt.Sprint(slices.Delete(slices.Clone(one.Labels), at, at+1))
			if s.all == nil || slices.Contains(s.all, one.Labels[at]) {
				all[key] += one.Value
			}
			if slices.Contains(s.good, one.Labels[at]) {
				good[key] += one.Value
			}
		}
	}
	ratios := map[string]float64{}
	for key, n := range all {
		if n > 0 {
			ratios[key] = good[key] / n
		}
	}
	return ratios
}

// TestWaivingRaisesNoRatio: whatever was lived through, approving an exception for everything, everywhere, raises no ratio.
func TestWaivingRaisesNoRatio(t *testing.T) {
	compared := map[string]int{}
	for seed := range uint64(60) {
		l, now := lived(t, seed)
		known := l.Snapshot()
		before := metrics.Evaluate(known, policy.Default(), now)
		var waivers []record.Exception
		waive := func(e record.Exception) {
			e.State, e.Category, e.RequestedAt, e.DecidedAt, e.UpdatedAt = record.ExceptionApproved, "all", now, now, now
			e.ID = fmt.Sprintf("W-%d", len(waivers))
			waivers = append(waivers, e)
		}
		var controls []string
		for _, c := range policy.Default().Controls() {
			controls = append(controls, c.Name)
		}
		for i := range known.Services {
			waive(record.Exception{Service: known.Services[i].Name, Controls: controls})
			waive(record.Exception{Service: known.Services[i].Name, Categories: []string{"CWE-79", "CWE-89"}})
		}
		for i := range known.Repositories {
			waive(record.Exception{Repository: known.Repositories[i].Name, Controls: controls})
			waive(record.Exception{Repository: known.Repositories[i].Name, Categories: []string{"CWE-79", "CWE-89"}})
		}
		if err := l.Apply(t.Context(), "tickets", "t", record.Batch{Scope: "waivers:all", Mode: record.Full, Exceptions: waivers}, now); err != nil {
			t.Fatal(err)
		}
		after := metrics.Evaluate(l.Snapshot(), policy.Default(), now)
		for _, s := range shares {
			was := s.of(t, before)
			for key, ratio := range s.of(t, after) {
				compared[s.family]++
				if ratio > was[key]+1e-9 {
					t.Errorf("history %d: waiving raised %s of %s from %v to %v", seed, s.family, key, was[key], ratio)
				}
			}
		}
	}
	t.Logf("compared: %v", compared)
	for _, s := range shares {
		if compared[s.family] == 0 {
			t.Errorf("%s was never there", s.family)
		}
	}
}

// headlineFamilies are the families behind the headlines, without their prefix.
var headlineFamilies = []string{"findings_open", "risk_score", "findings_exploited_open"}

// TestDroppingImprovesNoHeadline: whatever was lived through, a source that is not read for too long lowers neither what is shown and withheld of a headline nor raises
// a ratio of what it is about.
func TestDroppingImprovesNoHeadline(t *testing.T) {
	total := func(e *metrics.Evaluation, family string, without ...string) map[string]float64 {
		all := seriesOf(e, "prodsec_"+family, without...)
		maps.Copy(all, seriesOf(e, "prodsec_withheld_"+family, without...))
		return all
	}
	withheld := map[string]int{}
	for seed := range uint64(60) {
		l, now := lived(t, seed)
		known := l.Snapshot()
		before := metrics.Evaluate(known, policy.Default(), now)
		for _, source := range ledgertest.Sources() {
			if source.Collector == "catalog" {
				continue
			}
			s := *known
			s.Scopes = slices.Clone(known.Scopes)
			for i := range s.Scopes {
				if of := &s.Scopes[i]; of.Collector == source.Collector && of.Instance == source.Instance && !of.LastSuccess.IsZero() {
					of.StaleAfter = max(of.StaleAfter, time.Hour)
					of.LastSuccess = now.Add(-of.StaleAfter - time.Second)
				}
			}
			after := metrics.Evaluate(&s, policy.Default(), now)
			for _, part := range shares {
				was := part.of(t, before)
				for key, ratio := range part.of(t, after) {
					if n, shown := was[key]; shown && ratio > n+1e-9 {
						t.Errorf("history %d: without %s/%s the ratio of %s of %s is %v, it was %v", seed, source.Collector, source.Instance, part.family, key, ratio, n)
					}
				}
			}
			for _, family := range headlineFamilies {
				then := total(after, family)
				withheld[family] += len(seriesOf(after, "prodsec_withheld_"+family))
				for key, n := range total(before, family) {
					if then[key] < n-1e-9 {
						t.Errorf("history %d: without %s/%s %s of %s is %v, it was %v", seed, source.Collector, source.Instance, family, key, then[key], n)
					}
				}
			}
		}
	}
	for _, family := range headlineFamilies {
		if withheld[family] == 0 {
			t.Errorf("nothing of %s was ever withheld", family)
		}
	}
}
