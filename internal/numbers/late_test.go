package numbers_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/record"
)

// windowed are the samples of families that look back, of the given window.
func windowed(samples []sample, window string) map[string]float64 {
	found := map[string]float64{}
	for _, s := range samples {
		if strings.Contains(s.name, "_in_window") && s.labels["window"] == window && s.value != 0 {
			labels := []string{s.name}
			for _, name := range slices.Sorted(maps.Keys(s.labels)) {
				labels = append(labels, name+"="+s.labels[name])
			}
			found[strings.Join(labels, " ")] = s.value
		}
	}
	return found
}

// TestScopeReadLater: an organisation is imported on day 120, and one of its scanners, its tickets or its catalog could not be read then. Read a minute later,
// or after two days, they bring what they would have brought: windows are the same, counters have come into view what is open and miss nothing,
// and the change of counting has its true size.
func TestScopeReadLater(t *testing.T) {
	one, two, exceptions := history()
	parts := map[string]func(o *organisation, when time.Time){
		"catalog": func(o *organisation, when time.Time) { o.catalog(when, api("red"), web()) },
		"one":     func(o *organisation, when time.Time) { o.sweep(when, "one", one...) },
		"two":     func(o *organisation, when time.Time) { o.sweep(when, "two", two...) },
		"tickets": func(o *organisation, when time.Time) { o.decide(when, exceptions...) },
	}
	imported := func(t *testing.T, missing string) *organisation {
		o := unfounded(t, nil)
		o.now = noon(120)
		o.must(o.ledger.Close())
		measured, err := ledger.Open(t.Context(), ledger.Options{Path: o.path, Policy: o.policy, Measure: metrics.Headlines})
		o.must(err)
		o.ledger = measured
		o.must(o.ledger.Configure(t.Context(), o.sources, o.now))
		for _, part := range []string{"catalog", "one", "two", "tickets"} {
			if part == missing {
				o.apply(noon(120), "host", "main", record.Batch{Scope: "other:" + part, Err: &record.Error{Reason: record.ReasonPermission}})
			} else {
				parts[part](o, noon(120))
			}
		}
		o.must(o.ledger.MarkFounded(t.Context(), noon(120)))
		o.pass(noon(120))
		return o
	}
	for _, delay := range []time.Duration{time.Minute, 2 * 24 * time.Hour} {
		read := noon(120).Add(delay)
		whole := imported(t, "")
		for _, part := range []string{"catalog", "one", "two", "tickets"} {
			parts[part](whole, read)
		}
		for _, missing := range []string{"catalog", "one", "two", "tickets"} {
			t.Run(missing+" after "+delay.String(), func(t *testing.T) {
				o := imported(t, missing)
				for _, part := range []string{"catalog", "one", "two", "tickets"} {
					if part != missing {
						parts[part](o, read)
					}
				}
				before := parse(t, o.text())
				missed, _ := sum(before, outcomesFamily, "outcome=missed")
				parts[missing](o, read)
				after := parse(t, o.text())
				for _, window := range []string{"7d", "30d", "90d"} {
					want, got := windowed(parse(t, whole.text()), window), windowed(after, window)
					if missing == "catalog" { // what is no finding keeps the owner that it had when it was first held
						maps.DeleteFunc(want, func(series string, _ float64) bool { return strings.HasPrefix(series, "prodsec_exceptions_granted") })
						maps.DeleteFunc(got, func(series string, _ float64) bool { return strings.HasPrefix(series, "prodsec_exceptions_granted") })
					}
					for series, value := range want {
						if got[series] != value {
							t.Errorf("%s is %v, and %v had all been read at once", series, got[series], value)
						}
						delete(got, series)
					}
					for series, value := range got {
						t.Errorf("%s is %v, and 0 had all been read at once", series, value)
					}
				}
				if got, _ := sum(after, outcomesFamily, "outcome=missed"); got != missed {
					t.Errorf("the counter of misses goes from %v to %v", missed, got)
				}
				change := o.ledger.Snapshot().CountingChanges
				if len(change) != 1 {
					t.Fatalf("%d changes of counting, want one", len(change))
				}
				attainment, ok := change[0].Restated["sla_attainment_ratio"]
				if was, is := attained(before), attained(after); missing != "catalog" && (!ok || was == is || attainment-(is-was) > 1e-9 || attainment-(is-was) < -1e-9) {
					t.Errorf("attainment went from %v to %v, and is restated by %v", was, is, attainment)
				}
			})
		}
	}
}

// attained is the SLA attainment over 30 days.
func attained(samples []sample) float64 {
	met, _ := sum(samples, "prodsec_sla_outcomes_in_window", "window=30d", "outcome=met")
	missed, _ := sum(samples, "prodsec_sla_outcomes_in_window", "window=30d", "outcome=missed")
	return met / (met + missed)
}

// TestCatalogReadLater: records of a service that nobody was known to own when they were imported belong to it in windows, once its catalog could be read for the first
// time, also after a restart and a rename; counters stay where they were, because they never fall. A service that the catalog only learns of later owns what comes from then on.
func TestCatalogReadLater(t *testing.T) {
	tell := func(o *organisation) {
		o.deploys(noon(20), live("1", "acme/api", noon(9), change("c", noon(8))), live("2", "acme/shop", noon(9)))
		o.suffers(noon(20), incident("I", "api", noon(10), record.AnswerYes))
		o.decide(noon(20), tolerated(noon(12), noon(40)))
		o.apply(noon(20), "tickets", "main", record.Batch{
			Scope: "query:other", Mode: record.Full, Followups: []record.Followup{{ID: "F", Service: "api", CreatedAt: noon(8), ClosedAt: noon(12)}},
			Escalations: []record.Escalation{{ID: "X", Kind: record.EscalationUrgent, Service: "api", Reason: "other", RaisedAt: noon(12)}},
		})
	}
	atOnce, late := unfounded(t, nil), unfounded(t, nil)
	for _, o := range []*organisation{atOnce, late} {
		o.now = noon(20)
		if o == atOnce {
			o.catalog(noon(20), api("red"), web())
		}
		tell(o)
		o.must(o.ledger.MarkFounded(t.Context(), noon(20)))
		o.pass(noon(20))
	}
	counted := counters(parse(t, late.text()))
	late.catalog(at(20, 12, 1), api("red"), web())
	after := counters(parse(t, late.text()))
	for series, n := range counted {
		if after[series] < n {
			t.Errorf("%s fell from %v to %v", series, n, after[series])
		}
	}
	atOnce.pass(at(20, 12, 1))
	same := func(what string) {
		t.Helper()
		for _, window := range []string{"7d", "30d"} {
			want, got := windowed(parse(t, atOnce.text()), window), windowed(parse(t, late.text()), window)
			if !maps.Equal(want, got) {
				for key, n := range want {
					if got[key] != n {
						t.Errorf("%s: %s is %v, want %v", what, key, got[key], n)
					}
				}
				for key, n := range got {
					if _, there := want[key]; !there {
						t.Errorf("%s: %s is %v, want none", what, key, n)
					}
				}
			}
		}
	}
	same("read later")
	late.restart()
	same("after a restart")
	renamed, shop := api("red"), record.Service{Name: "shop", Team: "pink", Repositories: []record.RepositoryPath{{Repository: "acme/shop"}}}
	renamed.Name, renamed.RenamedFrom = "api-core", []string{"api"}
	for _, o := range []*organisation{atOnce, late} {
		o.catalog(noon(21), renamed, web(), shop)
	}
	same("after a rename, and with a service that is new")
}
