package definitions_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// restatedLedger plays the example: a first pass on 10 February, and two changes of counting.
func restatedLedger(t *testing.T) (path string, o *organisation) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	o = &organisation{t: t, policy: policy.Default()}
	var err error
	o.ledger, err = ledger.Open(t.Context(), ledger.Options{Path: path, Policy: o.policy, Measure: metrics.Headlines})
	o.must(err)
	t.Cleanup(func() { _ = o.ledger.Close() })
	begin := dayOf(t, "2026-02-10")
	o.must(o.ledger.Configure(t.Context(), []ledger.Source{{Collector: "scanner", Instance: "main"}, {Collector: "scanner", Instance: "second"}}, begin))
	l := newLives(o)
	l.becomes("a", "critical", dayOf(t, "2026-02-01"))
	l.becomes("b", "high", dayOf(t, "2026-02-01"))
	l.becomes("c", "critical", dayOf(t, "2026-02-01"))
	l.becomes("c", "fixed", dayOf(t, "2026-02-05"))
	for day := begin; !day.After(dayOf(t, "2026-02-21")); day = day.AddDate(0, 0, 1) {
		l.read(day)
		l.evaluate(day)
		switch day {
		case dayOf(t, "2026-02-20"):
			c := policy.DefaultConfig()
			c.SLA.Targets = slices.Clone(c.SLA.Targets)
			for i := range c.SLA.Targets {
				if c.SLA.Targets[i].Severity == record.SeverityCritical {
					c.SLA.Targets[i].Within = policy.Duration(30 * policy.Day)
				}
			}
			o.policy, err = policy.New(c)
			o.must(err)
			o.must(o.ledger.SetPolicy(t.Context(), o.policy, day))
		case dayOf(t, "2026-02-21"):
			old := []record.Finding{
				{ID: "x", Class: record.ClassSAST, Severity: record.SeverityCritical, FirstSeen: dayOf(t, "2026-01-01")},
				{ID: "y", Class: record.ClassSAST, Severity: record.SeverityHigh, FirstSeen: dayOf(t, "2026-01-01")},
			}
			o.must(o.ledger.Apply(t.Context(), "scanner", "second", record.Batch{Scope: "alerts:second", Mode: record.Full, Findings: old}, day))
		}
	}
	return path, o
}

// headlines are the metrics that the example's tables have columns for.
func headlines() []string {
	return []string{"findings_open_critical", "findings_open_high", "findings_breached", "sla_attainment_ratio"}
}

func TestRestated(t *testing.T) {
	_, o := restatedLedger(t)
	for _, r := range example(t, "restated") {
		e := o.evaluate(dayOf(t, r["Day"]))
		for _, metric := range headlines() {
			if got := sum(e, "prodsec_restated", "metric="+metric, "cause="+r["Cause"]); got != number(t, r[metric]) {
				t.Errorf("%s: %s restated by %v, the document says %s", r["What changes"], metric, got, r[metric])
			}
		}
	}
}

func TestReadLater(t *testing.T) {
	_, o := restatedLedger(t)
	e := o.evaluate(dayOf(t, "2026-02-21"))
	for _, r := range example(t, "read later") {
		word := r["Event or outcome"]
		windows, counters, label := "prodsec_finding_flow_in_window", "prodsec_finding_events_total", "event="+word
		if word == "met" || word == "missed" {
			windows, counters, label = "prodsec_sla_outcomes_in_window", "prodsec_sla_outcomes_total", "outcome="+word
		}
		if got := sum(e, windows, label, "window=90d"); got != number(t, r["In windows of 90 days"]) {
			t.Errorf("%v %s in windows, the document says %s", got, word, r["In windows of 90 days"])
		}
		if got := sum(e, counters, label); got != number(t, r["In counters"]) {
			t.Errorf("%v %s in counters, the document says %s", got, word, r["In counters"])
		}
	}
}

func TestAsOf(t *testing.T) {
	path, _ := restatedLedger(t)
	history, err := ledger.OpenHistory(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = history.Close() }()
	for _, r := range example(t, "as of") {
		at := second(t, r["As of (UTC)"])
		known, decided, err := history.AsOf(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		got := metrics.Headlines(known, decided, at)
		for _, metric := range headlines()[:3] {
			if got[metric] != number(t, r[metric]) {
				t.Errorf("as of %s: %s is %v, the document says %s", at.Format(time.DateTime), metric, got[metric], r[metric])
			}
		}
		e := metrics.Evaluate(known, decided, at)
		for _, outcome := range []string{"met", "missed"} {
			if n := sum(e, "prodsec_sla_outcomes_in_window", "window=90d", "outcome="+outcome); n != number(t, r[outcome]) {
				t.Errorf("as of %s: %v %s, the document says %s", at.Format(time.DateTime), n, outcome, r[outcome])
			}
		}
	}
}
