package ledger_test

import (
	"maps"
	"path/filepath"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// openAndLate measures what is open, and what of it is past a deadline of the given policy.
func openAndLate(s *snapshot.Snapshot, p *policy.Policy, at time.Time) map[string]float64 {
	measured := map[string]float64{"open": 0, "late": 0}
	for i, w := range s.Weaknesses.All() {
		if !w.Open() {
			continue
		}
		measured["open"]++
		target := p.Target(w.Severity, s.Services[w.Service].Facts, false)
		if p.Standing(policy.Clock{Start: w.ClockStart, Target: target, Pauses: s.Pauses[int32(i)]}, at.Unix()) == policy.SLABreached {
			measured["late"]++
		}
	}
	return measured
}

// TestRestated follows every kind of change: each says what it alone did, over the same records, whatever else a batch brings, and
// goes on saying it after a restart.
func TestRestated(t *testing.T) {
	path := fromSchema(t, 1)
	open := func(at time.Time, p *policy.Policy) *ledger.Ledger {
		t.Helper()
		l, err := ledger.Open(t.Context(), ledger.Options{Path: path, At: at, Policy: p, Measure: openAndLate})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open(day(8), nil)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	last := func(kind snapshot.CountingKind) map[string]float64 {
		var found map[string]float64
		for _, c := range l.Snapshot().CountingChanges {
			if c.Kind == kind {
				found = c.Restated
			}
		}
		return found
	}
	expect := func(kind snapshot.CountingKind, opened, late float64) {
		t.Helper()
		if got, want := last(kind), (map[string]float64{"open": opened, "late": late}); !maps.Equal(got, want) {
			t.Errorf("%s restated %v, want %v", kind, got, want)
		}
	}
	expect(snapshot.CountingMigration, 0, 0)

	scanners := []ledger.Source{{Collector: "catalog", Instance: "a"}, {Collector: "scanner", Instance: "one"}, {Collector: "tickets", Instance: "t"}}
	must(l.Configure(t.Context(), append(scanners, ledger.Source{Collector: "scanner", Instance: "two"}), day(8)))
	expect(snapshot.CountingSource, 0, 0) // nothing of it was read yet
	older := with(sca("1", "", "CVE-1"), func(f *record.Finding) { f.FirstSeen, f.Repository = day(-60), "acme/web" })
	reports := func(n int, mode record.Mode, findings ...record.Finding) {
		t.Helper()
		must(l.Apply(t.Context(), "scanner", "two", record.Batch{Scope: "alerts:two", Mode: mode, Findings: findings}, day(n)))
	}
	other := with(sca("2", "", "GHSA-1"), func(f *record.Finding) { f.FirstSeen, f.Repository = day(7), "acme/web" })
	more := with(sca("3", "", "CVE-3"), func(f *record.Finding) { f.FirstSeen, f.Repository = day(7), "acme/web" })
	reports(9, record.Full, older, other, more)
	expect(snapshot.CountingScope, 3, 1)

	// The same batch closes one weakness and shows that two others are one.
	joined := with(other, func(f *record.Finding) { f.Aliases = []string{"GHSA-1", "CVE-1"} })
	reports(10, record.Delta, joined, closed(more, record.ClosureFixed, 10))
	expect(snapshot.CountingDeduplication, -1, 0)
	reports(11, record.Full, older, other)
	expect(snapshot.CountingDeduplication, 1, 0)
	expect(snapshot.CountingScope, 3, 1)

	strict := policy.DefaultConfig()
	for i := range strict.SLA.Targets {
		if strict.SLA.Targets[i].Severity == record.SeverityHigh {
			strict.SLA.Targets[i].Within = policy.Duration(time.Hour)
		}
	}
	p, err := policy.New(strict)
	must(err)
	must(l.SetPolicy(t.Context(), p, day(12)))
	expect(snapshot.CountingPolicy, 0, 1) // the second high is late now, too
	must(l.Configure(t.Context(), scanners, day(13)))
	expect(snapshot.CountingSource, -2, -2)

	before := l.Snapshot().CountingChanges
	must(l.Close())
	l = open(day(14), p)
	defer func() { _ = l.Close() }()
	for i, c := range l.Snapshot().CountingChanges {
		if c.Kind != before[i].Kind || !c.At.Equal(before[i].At) || !maps.Equal(c.Restated, before[i].Restated) {
			t.Errorf("after a restart change %d is %+v, want %+v", i, c, before[i])
		}
	}
}

// TestNobodyMeasures: without a measure a change says that it changed something, not that it changed nothing.
func TestNobodyMeasures(t *testing.T) {
	l := filled(t, filepath.Join(t.TempDir(), "ledger.db"))
	if err := l.SetPolicy(t.Context(), other(t), day(3)); err != nil {
		t.Fatal(err)
	}
	if c := l.Snapshot().CountingChanges; len(c) != 1 || c[0].Restated != nil {
		t.Errorf("%+v, want a change that says nothing", c)
	}
}
