package metrics_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// TestHeadlines: they are the sums of the families of the same instant.
func TestHeadlines(t *testing.T) {
	p := policy.Default()
	for name, s := range map[string]*snapshot.Snapshot{"by hand": organisation(p), "synthetic": synthetic(small, p, 3)} {
		at := s.At
		e, got := metrics.Evaluate(s, p, at), metrics.Headlines(s, p, at)
		for metric, of := range map[string]struct{ family, series string }{
			"findings_open_critical": {"prodsec_findings_open", "severity=critical"},
			"findings_open_high":     {"prodsec_findings_open", "severity=high"},
			"findings_breached":      {"prodsec_findings_open", "sla=breached"},
			"exceptions_active":      {"prodsec_exceptions", "state=active"},
		} {
			want, known := value(family(e, of.family), of.series)
			if v, ok := got[metric]; ok != known || v != want {
				t.Errorf("%s: %s is %v (%t), the family says %v (%t)", name, metric, v, ok, want, known)
			}
		}
		window := family(e, "prodsec_sla_outcomes_in_window")
		met, _ := value(window, "window=30d,outcome=met")
		missed, _ := value(window, "window=30d,outcome=missed")
		if got["sla_attainment_ratio"] != met/(met+missed) {
			t.Errorf("%s: attainment %v, the family says %v of %v", name, got["sla_attainment_ratio"], met, met+missed)
		}
		for metric, of := range map[string]string{"unmapped_repositories": "prodsec_unmapped_repositories", "risk_score": "prodsec_risk_score"} {
			want := 0.0
			for _, series := range family(e, of).Series {
				if metric == "unmapped_repositories" && series.Labels[0] != "no_catalog_entry" && series.Labels[0] != "no_owner" {
					continue // prodsec_scope_size does not count it
				}
				want += series.Value
			}
			if got[metric] != want {
				t.Errorf("%s: %s is %v, the family says %v", name, metric, got[metric], want)
			}
		}
	}
}

// TestHeadlinesThatNobodyKnows: what was never read, or is too old in part, is no number.
func TestHeadlinesThatNobodyKnows(t *testing.T) {
	p := policy.Default()
	if got := metrics.Headlines(&snapshot.Snapshot{Services: organisation(p).Services[:1], Owners: []snapshot.Owner{snapshot.UnattributedOwner}}, p, noon); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}
	s := organisation(p)
	late := noon
	for i := range s.Scopes {
		if s.Scopes[i].StaleAfter > 0 {
			late = noon.Add(2 * s.Scopes[i].StaleAfter)
		}
	}
	got := metrics.Headlines(s, p, late.Add(time.Hour))
	for _, metric := range []string{"findings_open_critical", "risk_score"} {
		if v, ok := got[metric]; ok {
			t.Errorf("%s is %v although a scope was not read for too long", metric, v)
		}
	}
}

// TestRestatedShowsTheLastOfEachCause: an earlier change of the same cause is forgotten, one to come is not shown, and one that nobody
// measured says nothing.
func TestRestatedShowsTheLastOfEachCause(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	s.CountingChanges = []snapshot.CountingChange{
		{Kind: snapshot.CountingPolicy, At: day(2, 1), Restated: map[string]float64{"findings_breached": 7, "risk_score": 1}},
		{Kind: snapshot.CountingScope, At: day(2, 2), Restated: map[string]float64{"findings_open_high": 3}},
		{Kind: snapshot.CountingMigration, At: day(2, 2), Restated: map[string]float64{"findings_open_high": 0}},
		{Kind: snapshot.CountingPolicy, At: day(2, 3), Restated: map[string]float64{"findings_breached": -2}},
		{Kind: snapshot.CountingScope, At: day(2, 4)},
		{Kind: snapshot.CountingPolicy, At: noon.Add(time.Hour), Restated: map[string]float64{"findings_breached": 9}},
	}
	r := family(metrics.Evaluate(s, p, noon), "prodsec_restated")
	if len(r.Series) != 2 {
		t.Errorf("%d series, want one of the policy and one of the migration: %v", len(r.Series), r.Series)
	}
	for selector, want := range map[string]float64{"metric=findings_breached,cause=policy": -2, "metric=findings_open_high,cause=migration": 0} {
		if v, ok := value(r, selector); !ok || v != want {
			t.Errorf("%s: %v (%t), want %v", selector, v, ok, want)
		}
	}
}
