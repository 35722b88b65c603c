package metrics_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// small is a synthetic organisation that is large enough to have every kind of series.
var small = size{weaknesses: 20_000, services: 200, repositories: 300}

// withBudget is the default policy with another series budget.
func withBudget(t *testing.T, budget int) *policy.Policy {
	t.Helper()
	c := policy.DefaultConfig()
	c.Detail.MaxSeries = budget
	p, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// family is the result of one family, empty if it is absent.
func family(e *metrics.Evaluation, name string) metrics.Result {
	for _, r := range e.Results {
		if r.Family.Name == name {
			return r
		}
	}
	return metrics.Result{Family: &metrics.Family{Name: name}}
}

// value is the value of a series by its labels, written name=value and separated by commas; ok is false if it is absent.
func value(r metrics.Result, selector string) (sum float64, ok bool) {
	for _, s := range r.Series {
		matches := true
		for pair := range strings.SplitSeq(selector, ",") {
			name, want, _ := strings.Cut(pair, "=")
			at := slices.Index(r.Family.Labels, name)
			matches = matches && at >= 0 && s.Labels[at] == want
		}
		if matches {
			ok = true
			sum += s.Value
			if s.Histogram != nil {
				sum += float64(s.Histogram.Count)
			}
		}
	}
	return sum, ok
}

// sumBy adds the series of a family up by some labels. Histograms count with their number, sum and buckets.
func sumBy(r metrics.Result, names ...string) map[string]float64 {
	sums := map[string]float64{}
	for _, s := range r.Series {
		var key []string
		for _, name := range names {
			key = append(key, s.Labels[slices.Index(r.Family.Labels, name)])
		}
		at := strings.Join(key, "/")
		sums[at] += s.Value
		if h := s.Histogram; h != nil {
			sums[at+" count"] += float64(h.Count)
			sums[at+" sum"] += h.Sum
			for i, n := range h.Counts {
				sums[fmt.Sprintf("%s bucket %d", at, i)] += float64(n)
			}
			for i, n := range h.Native {
				sums[fmt.Sprintf("%s native %d", at, i)] += float64(n)
			}
		}
	}
	for at, sum := range sums {
		if sum == 0 {
			delete(sums, at) // zeros give way to the budget
		}
	}
	return sums
}

// lines is the number of series as a Prometheus server counts them.
func lines(r metrics.Result) int {
	if r.Family.Histogrammed() {
		return len(r.Series) * (len(r.Family.Bounds) + 3)
	}
	return len(r.Series)
}

func TestEvaluateIsDeterministic(t *testing.T) {
	p := withBudget(t, 500)
	s := synthetic(small, p, 7)
	first := metrics.Evaluate(s, p, evaluated)
	for range 3 {
		if again := metrics.Evaluate(s, p, evaluated); exposed(t, again) != exposed(t, first) {
			t.Fatal("the same snapshot, policy and instant gave two expositions")
		}
	}
	for i, r := range first.Results {
		if i > 0 && first.Results[i-1].Family.Name >= r.Family.Name {
			t.Errorf("%s is not in order of name", r.Family.Name)
		}
		for j := 1; j < len(r.Series); j++ {
			if slices.Compare(r.Series[j-1].Labels, r.Series[j].Labels) >= 0 {
				t.Errorf("%s: series %v and %v are not in strict order", r.Family.Name, r.Series[j-1].Labels, r.Series[j].Labels)
			}
		}
	}
}

// TestFoldingKeepsSums: whatever the budget, sums over services, teams and units stay what they were.
func TestFoldingKeepsSums(t *testing.T) {
	wide := withBudget(t, 1_000_000)
	s := synthetic(small, wide, 3)
	whole := metrics.Evaluate(s, wide, evaluated)
	if len(whole.Folded) > 0 {
		t.Fatalf("folded although the budget is large: %v", whole.Folded)
	}
	for _, budget := range []int{2_000, 500, 100} {
		p := withBudget(t, budget)
		folded := metrics.Evaluate(s, p, evaluated)
		if len(folded.Folded) == 0 {
			t.Fatalf("budget %d: nothing was folded", budget)
		}
		for name, n := range folded.Folded {
			if n <= 0 {
				t.Errorf("budget %d: %s folded %d entities", budget, name, n)
			}
		}
		for _, r := range folded.Results {
			full := family(whole, r.Family.Name)
			// With all owners folded there remain trust tier × severity × class and the like, which 100 does not hold.
			if n := lines(r); n > budget && budget > 100 {
				t.Errorf("budget %d: %s has %d series", budget, r.Family.Name, n)
			}
			if r.Family.Combine == metrics.Least && least(full) != least(r) {
				t.Errorf("budget %d: %s: the least is %v, was %v", budget, r.Family.Name, least(r), least(full))
			}
			if r.Family.Combine != metrics.Sum {
				continue
			}
			keep := slices.DeleteFunc(slices.Clone(r.Family.Labels), func(l string) bool {
				return slices.Contains([]string{"business_unit", "team", "service_name", "repository"}, l) || slices.Contains(r.Family.Unbound, l)
			})
			if diff := cmp.Diff(sumBy(full, keep...), sumBy(r, keep...)); diff != "" {
				t.Errorf("budget %d: %s: sums by %v changed (-whole +folded):\n%s", budget, r.Family.Name, keep, diff)
			}
		}
	}
}

// least is the smallest value of a family by trust tier and the labels behind the owner.
func least(r metrics.Result) string {
	least := map[string]float64{}
	for _, s := range r.Series {
		at := strings.Join(s.Labels[min(3, len(s.Labels)):], "/")
		if v, ok := least[at]; !ok || s.Value < v {
			least[at] = s.Value
		}
	}
	return fmt.Sprint(least)
}

// TestCountersFoldTheSame: which services of a counter are folded does not depend on how much has happened so far.
func TestCountersFoldTheSame(t *testing.T) {
	p := withBudget(t, 600)
	s := synthetic(small, p, 3)
	shown := func(at time.Time) map[string]bool {
		names := map[string]bool{}
		for _, one := range family(metrics.Evaluate(s, p, at), "prodsec_sla_outcomes_total").Series {
			names[one.Labels[2]] = true
		}
		return names
	}
	before, after := shown(evaluated.AddDate(0, 0, -120)), shown(evaluated)
	if diff := cmp.Diff(before, after); diff != "" || !after["other"] || len(after) < 3 {
		t.Errorf("services shown 120 days before and now (-before +after): %s %v", diff, after)
	}
}

// TestFoldingTakesTheLeastImportant: what stays is at least as important as what is folded, by tier, then by exposure, then by the
// number of open criticals and highs.
func TestFoldingTakesTheLeastImportant(t *testing.T) {
	p := withBudget(t, 600)
	s := synthetic(small, p, 3)
	r := family(metrics.Evaluate(s, p, evaluated), "prodsec_findings_open")
	kept := map[string]bool{}
	for _, one := range r.Series {
		kept[one.Labels[2]] = true
	}
	if !kept["other"] || len(kept) < 3 {
		t.Fatalf("want some services and other, got %d names", len(kept))
	}
	urgent := make([]int, len(s.Services))
	for _, w := range s.Weaknesses.All() {
		if w.Open() && w.Severity <= policy.IndexOfSeverity(record.SeverityHigh) {
			urgent[w.Service]++
		}
	}
	rank := func(i int) int { // the smaller the more important
		f := s.Services[i].Facts
		n := int(f.Tier) * 2
		if !f.InternetFacing && !f.CrownJewel {
			n++
		}
		return n*1_000_000 - urgent[i]
	}
	worstKept, bestFolded := math.MinInt, math.MaxInt
	for i := 1; i < len(s.Services); i++ {
		if kept[s.Services[i].Name] {
			worstKept = max(worstKept, rank(i))
		} else {
			bestFolded = min(bestFolded, rank(i))
		}
	}
	if worstKept > bestFolded {
		t.Errorf("a service of rank %d is shown while one of rank %d is folded", worstKept, bestFolded)
	}
}

// TestWindowsAgainstNaive compares the windows with a count that is as simple as the definition.
func TestWindowsAgainstNaive(t *testing.T) {
	p := withBudget(t, 1_000_000)
	s := synthetic(small, p, 5)
	e := metrics.Evaluate(s, p, evaluated)
	want := map[string]float64{}
	for _, w := range p.Windows() {
		start := evaluated.Add(-w.Length).Unix()
		for _, event := range s.Events.All() {
			if event.Counted > start && event.Counted <= evaluated.Unix() && event.Kind < snapshot.EventMet {
				o := s.Owners[event.Owner]
				want[strings.Join([]string{w.Name, o.BusinessUnit, o.Team, o.TrustTier, string(event.Severity.Severity()), event.Kind.String()}, "/")]++
			}
		}
	}
	got := sumBy(family(e, "prodsec_finding_flow_in_window"), "window", "business_unit", "team", "trust_tier", "severity", "event")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows in windows (-naive +got):\n%s", diff)
	}
}

// TestOpenIsTheSumOfSigns: open now is everything that was added minus everything that was taken away.
func TestOpenIsTheSumOfSigns(t *testing.T) {
	p := withBudget(t, 1_000_000)
	e := metrics.Evaluate(synthetic(small, p, 9), p, evaluated)
	flows := family(e, "prodsec_finding_events_total")
	want := map[string]float64{}
	for _, one := range flows.Series {
		kind, err := snapshot.ParseEventKind(one.Labels[5])
		if err != nil {
			t.Fatal(err)
		}
		if v := one.Value * float64(kind.Sign()); v != 0 {
			want[strings.Join([]string{one.Labels[1], one.Labels[3], one.Labels[4]}, "/")] += v
		}
	}
	maps.DeleteFunc(want, func(_ string, sum float64) bool { return sum == 0 })
	got := sumBy(family(e, "prodsec_findings_open"), "team", "severity", "class")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open weaknesses by team, severity and class (-Σ signed events +open):\n%s", diff)
	}
	ages := sumBy(family(e, "prodsec_finding_age_seconds"), "team", "severity")
	for at, n := range sumBy(family(e, "prodsec_findings_open"), "team", "severity") {
		if ages[at+" count"] != n {
			t.Errorf("%s: %v ages for %v open weaknesses", at, ages[at+" count"], n)
		}
	}
}

// TestCompactionChangesNoCounter: events that became sums count as they did.
func TestCompactionChangesNoCounter(t *testing.T) {
	p := withBudget(t, 1_000_000)
	s := synthetic(small, p, 11)
	before := metrics.Evaluate(s, p, evaluated)
	horizon := evaluated.AddDate(0, 0, -100).Unix()
	var kept snapshot.Editor[snapshot.Event]
	compacted := *s
	type key struct {
		owner    int32
		kind     snapshot.EventKind
		severity policy.SeverityIndex
		class    snapshot.ClassIndex
	}
	sums := map[key]*snapshot.BaseCount{}
	for _, e := range s.Events.All() {
		if e.Counted >= horizon {
			kept.Append(*e)
			continue
		}
		k := key{e.Owner, e.Kind, e.Severity, e.Class}
		if sums[k] == nil {
			sums[k] = &snapshot.BaseCount{Owner: e.Owner, Kind: e.Kind, Severity: e.Severity, Class: e.Class, Hours: map[uint32]uint64{}}
		}
		sums[k].Count++
		sums[k].Seconds += float64(e.Seconds)
		if e.Kind == snapshot.EventFixed {
			sums[k].Hours[snapshot.HoursOf(e.Seconds)]++
		}
	}
	for _, b := range sums {
		compacted.Base = append(compacted.Base, *b)
	}
	compacted.Events = kept.Freeze()
	after := metrics.Evaluate(&compacted, p, evaluated)
	for i, r := range before.Results {
		if diff := cmp.Diff(sumBy(r, r.Family.Labels...), sumBy(after.Results[i], r.Family.Labels...)); diff != "" {
			t.Errorf("%s changed by compaction:\n%s", r.Family.Name, diff)
		}
	}
}

// TestRevocation: a revocation takes off its own met and no other, wherever the two fall.
func TestRevocation(t *testing.T) {
	p := policy.Default()
	for _, c := range []struct {
		name   string
		events []eventAt // days before the evaluation, in the order in which they were derived
		want   map[string]float64
	}{
		{"both within the week", []eventAt{{snapshot.EventMet, 3}, {snapshot.EventRevoked, 1}}, map[string]float64{"7d": 0, "30d": 0, "90d": 0}},
		{"met before the week", []eventAt{{snapshot.EventMet, 10}, {snapshot.EventRevoked, 1}}, map[string]float64{"7d": 0, "30d": 0, "90d": 0}},
		{"met before every window", []eventAt{{snapshot.EventMet, 100}, {snapshot.EventRevoked, 80}, {snapshot.EventMet, 5}}, map[string]float64{"7d": 1, "30d": 1, "90d": 1}},
		{"met again", []eventAt{{snapshot.EventMet, 20}, {snapshot.EventRevoked, 15}, {snapshot.EventMet, 2}}, map[string]float64{"7d": 1, "30d": 1, "90d": 1}},
		{"revoked twice", []eventAt{{snapshot.EventMet, 20}, {snapshot.EventRevoked, 15}, {snapshot.EventMet, 5}, {snapshot.EventRevoked, 2}}, map[string]float64{"7d": 0, "30d": 0, "90d": 0}},
		{"after a clock that was restarted, whose outcome stands", []eventAt{{snapshot.EventMet, 25}, {snapshot.EventMet, 15}, {snapshot.EventRevoked, 10}}, map[string]float64{"7d": 0, "30d": 1, "90d": 1}},
		{"the start of a window is not in it", []eventAt{{snapshot.EventMet, 7}}, map[string]float64{"7d": 0, "30d": 1, "90d": 1}},
		{"revocation still to come", []eventAt{{snapshot.EventMet, 3}, {snapshot.EventRevoked, -1}}, map[string]float64{"7d": 1, "30d": 1, "90d": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := organisation(p)
			var weaknesses snapshot.Editor[snapshot.Weakness]
			weaknesses.Append(snapshot.Weakness{Service: docs, FirstSeen: 1, Closure: 1})
			weaknesses.Append(snapshot.Weakness{Service: docs, FirstSeen: 1, Closure: 1})
			var events snapshot.Editor[snapshot.Event]
			for _, e := range c.events {
				at := noon.AddDate(0, 0, -e.daysAgo).Unix()
				events.Append(snapshot.Event{At: at, Counted: at, Owner: docs, Kind: e.kind})
			}
			// Another weakness's met must stay whatever happens to this one.
			events.Append(snapshot.Event{Counted: noon.Unix(), Weakness: 1, Owner: checkout, Kind: snapshot.EventMet})
			s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
			r := family(metrics.Evaluate(s, p, noon), "prodsec_sla_outcomes_in_window")
			for window, want := range c.want {
				if got, _ := value(r, "team=docs,outcome=met,window="+window); got != want {
					t.Errorf("met in %s: got %v, want %v", window, got, want)
				}
				if got, _ := value(r, "team=payments,outcome=met,window="+window); got != 1 {
					t.Errorf("met of the other weakness in %s: got %v, want 1", window, got)
				}
			}
		})
	}
}

type eventAt struct {
	kind    snapshot.EventKind
	daysAgo int
}

// TestNames: names from outside are bounded and valid, and two that become alike are counted together, not refused.
func TestNames(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	long := strings.Repeat("é", 100)
	for i, name := range map[int]string{checkout: long + "a", ledger: long + "b"} {
		s.Owners[i].Service, s.Owners[i].TrustTier = name, "tier0"
	}
	s.Owners[docs].Team = "bad\xff\nteam"
	r := family(metrics.Evaluate(s, p, noon), "prodsec_findings_open")
	if v, _ := value(r, "service_name="+strings.Repeat("é", 64)+",severity=critical"); v != 4 {
		t.Errorf("criticals of two services with the same first 128 bytes: got %v, want 4", v)
	}
	if v, _ := value(r, "team=bad\uFFFD team,severity=unknown"); v != 1 {
		t.Errorf("a team whose name is not valid UTF-8: got %v, want 1", v)
	}
}

// TestHistograms: the classic and the native buckets of every histogram hold every observation.
func TestHistograms(t *testing.T) {
	p := policy.Default()
	for _, r := range metrics.Evaluate(synthetic(small, p, 2), p, evaluated).Results {
		for _, s := range r.Series {
			if s.Histogram == nil {
				continue
			}
			native, classic := s.Histogram.Zero, uint64(0)
			for i, n := range s.Histogram.Native {
				native += n
				if upper := math.Exp2(float64(i) / 8); n > 0 && upper > 2*400*86400 {
					t.Errorf("%s %v: a bucket up to %v s, beyond every age", r.Family.Name, s.Labels, upper)
				}
			}
			for _, n := range s.Histogram.Counts {
				classic += n
			}
			if native != s.Histogram.Count || classic != s.Histogram.Count {
				t.Errorf("%s %v: %d observations, %d in classic and %d in native buckets", r.Family.Name, s.Labels, s.Histogram.Count, classic, native)
			}
		}
	}
}

// TestAllocations: ten times as many records of the same organisation cost hardly more allocations, because there are hardly more
// series.
func TestAllocations(t *testing.T) {
	p := policy.Default()
	allocations := func(weaknesses int) float64 {
		s := synthetic(size{weaknesses: weaknesses, services: 20, repositories: 30}, p, 1)
		return testing.AllocsPerRun(2, func() { metrics.Evaluate(s, p, evaluated) })
	}
	if few, many := allocations(20_000), allocations(200_000); many > few*1.2 {
		t.Errorf("%v allocations for 20,000 weaknesses, %v for 200,000", few, many)
	}
}

// TestBucketsUnderAPolicy: with other buckets every histogram still holds the same observations, cumulated the same at the bounds that stay, and
// the native buckets, the sums and every other family do not change.
func TestBucketsUnderAPolicy(t *testing.T) {
	c := policy.DefaultConfig()
	c.Buckets = policy.BucketsConfig{
		Ages: bounds(2, 7, 30, 90, 180, 365), Remediation: bounds(2, 7, 30, 90, 180, 365), Requests: bounds(2, 5, 14), LeadTime: bounds(2, 7), Restore: bounds(2),
	}
	coarse, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	before, after := metrics.Evaluate(organisation(policy.Default()), policy.Default(), noon), metrics.Evaluate(organisation(coarse), coarse, noon)
	histograms := 0
	for i, r := range after.Results {
		old := before.Results[i]
		for j, s := range r.Series {
			if s.Histogram == nil {
				continue
			}
			histograms++
			h, was := s.Histogram, old.Series[j].Histogram
			if h.Count != was.Count || h.Sum != was.Sum || !maps.Equal(h.Native, was.Native) || len(h.Counts) != len(r.Family.Bounds)+1 {
				t.Errorf("%s %v: %+v, was %+v", r.Family.Name, s.Labels, h, was)
			}
			for _, bound := range r.Family.Bounds {
				if got, want := upTo(r.Family.Bounds, h, bound), upTo(old.Family.Bounds, was, bound); slices.Contains(old.Family.Bounds, bound) && got != want {
					t.Errorf("%s %v: %d are at most %v s, were %d", r.Family.Name, s.Labels, got, bound, want)
				}
			}
		}
	}
	if histograms < 50 {
		t.Errorf("only %d histograms were compared", histograms)
	}
	if !strings.Contains(exposed(t, after), `prodsec_finding_age_seconds_bucket{business_unit="retail",team="payments",severity="critical",le="172800"}`) {
		t.Error("the exposition has no bucket of the policy")
	}
}

func bounds(days ...int) (list []policy.Duration) {
	for _, n := range days {
		list = append(list, policy.Duration(time.Duration(n)*policy.Day))
	}
	return list
}

func upTo(bounds []float64, h *metrics.Histogram, bound float64) (n uint64) {
	for i, b := range bounds {
		if b <= bound {
			n += h.Counts[i]
		}
	}
	return n
}
