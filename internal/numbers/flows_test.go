package numbers_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// signs are what an event adds to the open weaknesses, as docs/metrics.md says under prodsec_finding_events_total. They are written out
// here because the text alone has to reconcile.
var signs = map[string]float64{
	"opened": 1, "reopened": 1, "scope_gained": 1, "moved_in": 1, "severity_raised": 1, "severity_lowered": 1,
	"fixed": -1, "dismissed_false_positive": -1, "dismissed_wont_fix": -1, "dismissed_used_in_tests": -1, "dismissed_other": -1,
	"duplicate": -1, "out_of_scope": -1, "scope_lost": -1, "moved_out": -1, "severity_left": -1,
	"excepted": 0, "exception_ended": 0,
}

func groupOf(s sample) string {
	return strings.Join([]string{s.labels["business_unit"], s.labels["team"], s.labels["trust_tier"], s.labels["severity"]}, "/")
}

// openBy is prodsec_findings_open by group and severity.
func openBy(samples []sample) map[string]float64 {
	open := map[string]float64{}
	for _, s := range samples {
		if s.name == openFamily {
			open[groupOf(s)] += s.value
		}
	}
	return nonzero(open)
}

// flowBy is the signed sum of prodsec_finding_flow_in_window by group and severity.
func flowBy(t *testing.T, samples []sample, window string) map[string]float64 {
	t.Helper()
	flows := map[string]float64{}
	for _, s := range samples {
		if s.name != flowFamily || s.labels["window"] != window {
			continue
		}
		sign, known := signs[s.labels["event"]]
		if !known {
			t.Fatalf("the event %q is not documented", s.labels["event"])
		}
		flows[groupOf(s)] += sign * s.value
	}
	return nonzero(flows)
}

func nonzero(m map[string]float64) map[string]float64 {
	maps.DeleteFunc(m, func(_ string, n float64) bool { return n == 0 })
	return m
}

// difference is a - b.
func difference(a, b map[string]float64) map[string]float64 {
	d := maps.Clone(a)
	for key, n := range b {
		d[key] -= n
	}
	return nonzero(d)
}

// neverFall are the names of samples of counters and of histograms that count events.
var neverFall = func() map[string]bool {
	names := map[string]bool{}
	for _, f := range metrics.All() {
		switch f.Type {
		case metrics.Counter:
			names[f.Name] = true
		case metrics.EventHistogram:
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				names[f.Name+part] = true
			}
		case metrics.Gauge, metrics.StateHistogram, metrics.Info:
		}
	}
	return names
}()

// counters are all series that must never fall.
func counters(samples []sample) map[string]float64 {
	found := map[string]float64{}
	for _, s := range samples {
		if neverFall[s.name] {
			found[s.name+fmt.Sprint(s.labels)] = s.value
		}
	}
	return found
}

// TestEventNames holds the table above against the program's own.
func TestEventNames(t *testing.T) {
	if kinds := snapshot.FlowKinds(); len(kinds) != len(signs) {
		t.Errorf("%d kinds of event, %d are in the table", len(kinds), len(signs))
	}
}

// TestFlowsReconcileInTheText lives through random years, a step a day, and holds against each other what was exposed on different
// days: open now - open then = the signed flows of the window between, and no counter fell.
func TestFlowsReconcileInTheText(t *testing.T) {
	histories := 16
	if testing.Short() {
		histories = 4
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			liveThrough(t, seed)
		})
	}
}

// scopesRead is how many scopes were read for the first time since the founding.
func scopesRead(o *organisation) (n int) {
	for _, c := range o.ledger.Snapshot().CountingChanges {
		if c.Kind == snapshot.CountingScope {
			n++
		}
	}
	return n
}

func liveThrough(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	o := unfounded(t, nil)
	for i := range o.sources {
		o.sources[i].StaleAfter = 0 // nothing is dropped, so that what is open is always shown
	}
	o.must(o.ledger.Configure(t.Context(), o.sources, noon(1)))
	days := map[string]int{"7d": 7, "30d": 30, "90d": 90}
	world := randomWorld{rng: rng, held: map[string]map[string]record.Finding{"one": {}, "two": {}}}
	var opened []map[string]float64 // by days since the founding
	before := map[string]float64{}
	founding, scopes := 1+rng.IntN(5), 0
	for day := 1; day < 45; day++ {
		world.step(o, day)
		if rng.IntN(5) == 0 {
			day := o.text()
			o.restart()
			if after := o.text(); after != day {
				t.Fatalf("a restart changed the text:\n%s", diffLines(day, after))
			}
		}
		o.pass(noon(day))
		if day == founding {
			o.must(o.ledger.MarkFounded(t.Context(), noon(day)))
		}
		if day < founding {
			continue
		}
		samples := parse(t, o.textAt(noon(day)))
		now := openBy(samples)
		if n := scopesRead(o); n > scopes {
			scopes, opened = n, nil // windows have the history that a first reading brought; what was served before had not
		}
		for window, length := range days {
			if back := len(opened) - length; back >= 0 {
				if want, got := difference(now, opened[back]), flowBy(t, samples, window); !maps.Equal(got, want) {
					t.Fatalf("day %d: open changed over %s by %v, the flows say %v", day, window, want, got)
				}
			}
		}
		opened = append(opened, now)
		counted := counters(samples)
		for _, series := range slices.Sorted(maps.Keys(before)) {
			if counted[series] < before[series] { // one at 0 may go, with the last service of its group
				t.Fatalf("day %d: %s was %v and is %v", day, series, before[series], counted[series])
			}
		}
		before = counted
	}
}

func diffLines(a, b string) string {
	lines := map[string]int{}
	for line := range strings.Lines(a) {
		lines[line]--
	}
	for line := range strings.Lines(b) {
		lines[line]++
	}
	var text strings.Builder
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		if n := lines[line]; n != 0 {
			fmt.Fprintf(&text, "%+d %s", n, line)
		}
	}
	return text.String()
}

// randomWorld is what the sources have, changing from day to day.
type randomWorld struct {
	rng  *rand.Rand
	held map[string]map[string]record.Finding
}

func (w *randomWorld) step(o *organisation, day int) {
	when := noon(day).Add(-time.Duration(1+w.rng.IntN(600)) * time.Minute)
	switch w.rng.IntN(9) {
	case 0, 1:
		services := []record.Service{}
		for _, s := range []record.Service{api("red"), web()} {
			s.Team = []string{"red", "blue", "green"}[w.rng.IntN(3)]
			s.TrustTier = []string{"tier0", "tier1", "odd"}[w.rng.IntN(3)]
			if w.rng.IntN(5) > 0 {
				services = append(services, s)
			}
		}
		o.catalog(when, services...)
	case 2:
		e := approved("E", when.Add(-time.Hour), when.Add(time.Duration(w.rng.IntN(10)-1)*policy.Day), fmt.Sprint("f", w.rng.IntN(5)))
		o.decide(when, e)
	case 3:
		o.fail(when, "one")
	default:
		instance := []string{"one", "two"}[w.rng.IntN(2)]
		w.change(instance, day, when)
		findings := []record.Finding{}
		for _, id := range slices.Sorted(maps.Keys(w.held[instance])) {
			findings = append(findings, w.held[instance][id])
		}
		o.sweep(when, instance, findings...)
	}
}

// change lets findings come, change and go.
func (w *randomWorld) change(instance string, day int, when time.Time) {
	held := w.held[instance]
	for i := range 5 {
		id := fmt.Sprint("f", i)
		f, there := held[id]
		switch w.rng.IntN(6) {
		case 0:
			delete(held, id)
		case 1, 2:
			if !there {
				f = critical(id, max(1, day-w.rng.IntN(20)))
				f.Repository = []record.RepositoryName{"acme/api", "acme/web", "acme/nobody"}[w.rng.IntN(3)]
				f.Package, f.Aliases = "npm/p", []string{fmt.Sprint("CVE-", w.rng.IntN(3))}
			}
			f = again(f, when)
			f.Severity = record.Severities()[w.rng.IntN(4)]
			held[id] = f
		case 3:
			if there {
				held[id] = closed(f, record.Closures()[w.rng.IntN(len(record.Closures()))], when.Add(-time.Duration(w.rng.IntN(48))*time.Hour))
			}
		}
	}
}
