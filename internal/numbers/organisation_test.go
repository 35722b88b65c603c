// Package numbers_test follows numbers the whole way: records go into a ledger as collectors bring them, and the exposition text that
// comes out is compared with what the definitions of docs/metrics.md give, worked out by hand.
package numbers_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// epoch is the midnight before day 1 of every story.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at is a time of a day, days being counted from 1 January 2026.
func at(day, hour, minute int) time.Time {
	return epoch.AddDate(0, 0, day-1).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// noon is the middle of a day.
func noon(day int) time.Time { return at(day, 12, 0) }

// organisation is a ledger with what is configured around it.
type organisation struct {
	t       *testing.T
	ledger  *ledger.Ledger
	path    string
	policy  *policy.Policy
	sources []ledger.Source
	now     time.Time
}

// keep is how long records are shown without being read again.
const keep = 3 * policy.Day

func standardSources() []ledger.Source {
	return []ledger.Source{
		{Collector: "catalog", Instance: "main"},
		{Collector: "scanner", Instance: "one", StaleAfter: keep, StaleFrom: time.Hour, Classes: []record.Class{record.ClassSCA}},
		{Collector: "scanner", Instance: "two", StaleAfter: keep, StaleFrom: time.Hour, Classes: []record.Class{record.ClassSCA}},
		{Collector: "tickets", Instance: "main"},
		{Collector: "host", Instance: "main"},
	}
}

// targets are 7 days for criticals, 30 for highs, 90 for mediums; lows have none. On tier0 criticals have 2 days.
func standardPolicy(t *testing.T, change func(*policy.Config)) *policy.Policy {
	t.Helper()
	config := policy.DefaultConfig()
	config.TrustTiers = []string{"tier0", "tier1", "tier2"}
	config.SLA.Targets = []policy.Target{
		{Severity: record.SeverityCritical, Within: policy.Duration(7 * policy.Day)},
		{Severity: record.SeverityCritical, TrustTiers: []string{"tier0"}, Within: policy.Duration(2 * policy.Day)},
		{Severity: record.SeverityHigh, Within: policy.Duration(30 * policy.Day)},
		{Severity: record.SeverityMedium, Within: policy.Duration(90 * policy.Day)},
	}
	if change != nil {
		change(&config)
	}
	p, err := policy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// unfounded opens an organisation of which nothing was read.
func unfounded(t *testing.T, change func(*policy.Config)) *organisation {
	t.Helper()
	o := &organisation{t: t, path: filepath.Join(t.TempDir(), "ledger.db"), policy: standardPolicy(t, change), sources: standardSources(), now: noon(1)}
	o.start()
	t.Cleanup(func() { _ = o.ledger.Close() })
	return o
}

// founded is an organisation whose first pass found a catalog with two services, and nothing else, on day 1.
func founded(t *testing.T, change func(*policy.Config)) *organisation {
	t.Helper()
	o := unfounded(t, change)
	o.catalog(noon(1), api("red"), web())
	o.sweep(noon(1), "one")
	o.sweep(noon(1), "two")
	o.decide(noon(1))
	o.must(o.ledger.MarkFounded(t.Context(), noon(1)))
	return o
}

func (o *organisation) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *organisation) start() {
	o.t.Helper()
	l, err := ledger.Open(o.t.Context(), ledger.Options{Path: o.path, Policy: o.policy})
	o.must(err)
	o.ledger = l
	o.must(l.Configure(o.t.Context(), o.sources, o.now))
}

// restart closes the ledger and opens it again.
func (o *organisation) restart() {
	o.t.Helper()
	o.must(o.ledger.Close())
	o.start()
}

func (o *organisation) apply(when time.Time, collector, instance string, b record.Batch) {
	o.t.Helper()
	o.must(o.ledger.Apply(o.t.Context(), collector, instance, b, when))
	o.pass(when)
}

func (o *organisation) sweep(when time.Time, instance string, findings ...record.Finding) {
	o.t.Helper()
	o.apply(when, "scanner", instance, record.Batch{Scope: "alerts:" + instance, Mode: record.Full, Findings: append([]record.Finding{}, findings...)})
}

func (o *organisation) fail(when time.Time, instance string) {
	o.t.Helper()
	o.apply(when, "scanner", instance, record.Batch{Scope: "alerts:" + instance, Err: &record.Error{Reason: record.ReasonServer}})
}

func (o *organisation) catalog(when time.Time, services ...record.Service) {
	o.t.Helper()
	o.apply(when, "catalog", "main", record.Batch{Scope: "catalog:main", Mode: record.Full, Services: append([]record.Service{}, services...)})
}

func (o *organisation) decide(when time.Time, exceptions ...record.Exception) {
	o.t.Helper()
	o.apply(when, "tickets", "main", record.Batch{Scope: "query:exceptions", Mode: record.Full, Exceptions: append([]record.Exception{}, exceptions...)})
}

// pass lets time go by as the exporter does: a settling a minute would see the same as one now.
func (o *organisation) pass(when time.Time) {
	o.t.Helper()
	if when.After(o.now) {
		o.now = when
	}
	o.must(o.ledger.Settle(o.t.Context(), when))
}

// passDays settles at every midnight and noon up to an instant, as a running exporter does.
func (o *organisation) passDays(until time.Time) {
	o.t.Helper()
	for next := o.now.Truncate(12 * time.Hour).Add(12 * time.Hour); next.Before(until); next = next.Add(12 * time.Hour) {
		o.pass(next)
	}
	o.pass(until)
}

// text is the exposition as of now.
func (o *organisation) text() string { return o.textAt(o.now) }

func (o *organisation) textAt(when time.Time) string {
	o.t.Helper()
	store := exposition.New(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	store.Publish(metrics.Evaluate(o.ledger.Snapshot(), o.policy, when))
	answer := httptest.NewRecorder()
	store.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		o.t.Fatalf("the exposition answers %d", answer.Code)
	}
	return answer.Body.String()
}

// sample is one line of the exposition.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// parse reads exposition text as this product writes it: label values without quotes, commas and spaces.
func parse(t *testing.T, text string) []sample {
	t.Helper()
	var samples []sample
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		series, number, ok := strings.Cut(line, " ")
		value, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil {
			t.Fatalf("not a sample: %q", line)
		}
		s := sample{labels: map[string]string{}, value: value}
		var labels string
		s.name, labels, _ = strings.Cut(strings.TrimSuffix(series, "}"), "{")
		for _, pair := range strings.Split(labels, ",") {
			if name, quoted, ok := strings.Cut(pair, "="); ok {
				s.labels[name] = strings.Trim(quoted, `"`)
			}
		}
		samples = append(samples, s)
	}
	return samples
}

// sum adds up the samples of a family that have the given labels ("name=value"), and says whether there are any.
func sum(samples []sample, family string, labels ...string) (total float64, found bool) {
next:
	for _, s := range samples {
		if s.name != family {
			continue
		}
		for _, label := range labels {
			name, value, _ := strings.Cut(label, "=")
			if s.labels[name] != value {
				continue next
			}
		}
		total, found = total+s.value, true
	}
	return total, found
}

// by adds up the samples of a family by the value of one label, leaving out zeros: "fixed=1 opened=2".
func by(samples []sample, label, family string, labels ...string) string {
	sums := map[string]float64{}
	for _, s := range samples {
		if s.name == family {
			if n, _ := sum([]sample{s}, family, labels...); n != 0 {
				sums[s.labels[label]] += n
			}
		}
	}
	var parts []string
	for value, n := range sums {
		parts = append(parts, value+"="+strconv.FormatFloat(n, 'f', -1, 64))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

const (
	openFamily     = "prodsec_findings_open"
	eventsFamily   = "prodsec_finding_events_total"
	flowFamily     = "prodsec_finding_flow_in_window"
	outcomesFamily = "prodsec_sla_outcomes_total"
	windowFamily   = "prodsec_sla_outcomes_in_window"
)

// outcomes are all outcomes so far.
func (o *organisation) outcomes() string {
	o.t.Helper()
	return by(parse(o.t, o.text()), "outcome", outcomesFamily)
}

// standing is how many weaknesses are open, by the label sla.
func (o *organisation) standing() string {
	o.t.Helper()
	return by(parse(o.t, o.text()), "sla", openFamily)
}

// inWindow are the outcomes of the last 30 days.
func (o *organisation) inWindow() string {
	o.t.Helper()
	return by(parse(o.t, o.text()), "outcome", windowFamily, "window=30d")
}

// expect compares the three of them.
func (o *organisation) expect(what, outcomes, inWindow, standing string) {
	o.t.Helper()
	for _, c := range []struct{ name, got, want string }{
		{"outcomes", o.outcomes(), outcomes}, {"outcomes in 30 d", o.inWindow(), inWindow}, {"open", o.standing(), standing},
	} {
		if c.got != c.want {
			o.t.Errorf("%s, %s: %s are %q, want %q", o.now.Format("2 Jan 15:04"), what, c.name, c.got, c.want)
		}
	}
}

func api(team string) record.Service {
	return record.Service{Name: "api", BusinessUnit: "retail", Team: team, TrustTier: "tier1", Repositories: []record.RepositoryPath{{Repository: "acme/api"}}}
}

func web() record.Service {
	return record.Service{Name: "web", BusinessUnit: "bank", Team: "green", TrustTier: "tier2", Repositories: []record.RepositoryPath{{Repository: "acme/web"}}}
}

// critical is an open critical of the service api, first seen at noon of a day.
func critical(id string, seen int) record.Finding {
	return record.Finding{
		ID: id, Tool: "scan", Class: record.ClassSCA, Repository: "acme/api", Severity: record.SeverityCritical, Category: "CWE-79",
		FirstSeen: noon(seen), UpdatedAt: noon(seen),
	}
}

func of(f record.Finding, s record.Severity, changed int) record.Finding {
	f.Severity, f.UpdatedAt = s, noon(changed)
	return f
}

func closed(f record.Finding, c record.Closure, when time.Time) record.Finding {
	f.Closure, f.ClosedAt, f.UpdatedAt = c, when, when
	return f
}

func fixed(f record.Finding, when time.Time) record.Finding {
	return closed(f, record.ClosureFixed, when)
}

// again is a finding that its source opened again.
func again(f record.Finding, when time.Time) record.Finding {
	f.Closure, f.ClosedAt, f.UpdatedAt = record.ClosureNone, time.Time{}, when
	return f
}

func approved(id string, from, until time.Time, findings ...string) record.Exception {
	return record.Exception{ID: id, State: record.ExceptionApproved, Category: "legacy", Findings: findings, RequestedAt: from, DecidedAt: from, ExpiresAt: until}
}
