package metrics

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// bounded is how many values each label has at most that is neither an owner's nor in Family.Unbound. A label that is not here has to be added with
// its bound, or to Family.Unbound if its values come from outside.
var bounded = map[string]int{
	"severity": len(record.Severities()), "class": len(record.Classes()), "sla": len(policy.SLAs()), "event": len(snapshot.FlowKinds()),
	"outcome": len(snapshot.OutcomeKinds()), "evidence": 4, "dimension": 3, "top": 3, "window": 3, "state": 5, "expires": len(policy.Horizons()),
	"kind": 5, "status": 4, "check": 16, "scope": 2, "privileged": 2, "crown_jewel": 3, "internet_facing": 3, "reason": 5, "field": 8, "decision": 2,
	"overdue": 3, "version": 1, "approval": 4, "security_review": 4, "security_impact": 3, "cause": 5, "attribution": 2, "result": 4, "method": 4,
	"trust": 4, "ephemeral": 3, "source": 4, "control": 40, "domain": 1 /* follows from the control */, "exploited": 2, "metric": 8,
}

// exempt are families that are as large as the configuration of the exporter or the policy makes them.
var exempt = map[string]string{
	"prodsec_sla_target_seconds":                   "a table of the policy, of at most 17 tiers",
	"prodsec_scopes":                               "a few series for every collector that is configured",
	"prodsec_scope_last_success_timestamp_seconds": "a series for every instance and kind of scope",
	"prodsec_records":                              "a series for every kind of record",
}

// manyOwners is an organisation that is larger than any budget: 400 business units with a team and ten services each, in four tiers.
func manyOwners() *ownership {
	s := &snapshot.Snapshot{}
	for i := range 4000 {
		s.Owners = append(s.Owners, snapshot.Owner{
			BusinessUnit: fmt.Sprintf("unit-%d", i/10), Team: fmt.Sprintf("team-%d", i/10), Service: fmt.Sprintf("service-%d", i), TrustTier: fmt.Sprintf("tier%d", i%4),
		})
	}
	return newOwnership(s, policy.Default())
}

// TestEveryFamilyKeepsItsBudget fills every family with more label sets than its budget, of the widest organisation and of texts without end, and
// holds that what comes out is within the budget and adds up to what went in.
func TestEveryFamilyKeepsItsBudget(t *testing.T) {
	own := manyOwners()
	budget := policy.DefaultConfig().Detail.MaxSeries
	for _, f := range All() {
		if exempt[f.Name] != "" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			var room spare
			out := newSink(f, own, budget, &room, map[string]int{})
			in := fill(t, f, out)
			series, _ := out.finish()
			lines, sum := 0, 0.0
			for _, s := range series {
				lines += out.lines()
				sum += s.Value
				if s.Histogram != nil {
					sum += float64(s.Histogram.Count)
				}
			}
			if lines > budget {
				t.Errorf("%d series, the budget is %d", lines, budget)
			}
			if f.Combine == Sum && sum != in {
				t.Errorf("%v went in and %v came out", in, sum)
			}
			if len(series) == 0 {
				t.Error("nothing came out")
			}
		})
	}
}

// fill contributes at random and returns the sum.
func fill(t *testing.T, f *Family, out *Sink) (sum float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	entities := 1
	var labels []string
	if out.entities != nil {
		entities = len(out.entities.labels)
		labels = append(slices.Clone(f.Labels[:out.at]), f.Labels[out.at+len(out.entities.names):]...)
	} else {
		labels = f.Labels
	}
	one := newTally(f.Bounds)
	one.observe(f.Bounds, 60, 1)
	observed := one.histogram()
	for range 12_000 {
		values := make([]string, len(labels))
		for i, name := range labels {
			n, known := bounded[name]
			switch {
			case slices.Contains(f.Unbound, name), slices.Contains(f.Detail, name):
				n = 5000
			case !known:
				t.Fatalf("nobody knows how many values the label %s has: say so in bounded, or in Family.Unbound", name)
			}
			values[i] = fmt.Sprintf("%s-%d", name, rng.IntN(n))
		}
		entity, dim := int32(rng.IntN(entities)), out.Dim(values...)
		if f.Histogrammed() {
			out.Observe(entity, dim, observed)
		} else {
			out.Add(entity, dim, 1)
		}
		sum++
	}
	return sum
}

// TestUnboundCountersFoldTheSame: a counter's value that has a series of its own keeps it, whatever else appears later.
func TestUnboundCountersFoldTheSame(t *testing.T) {
	f := &Family{Name: "prodsec_test_total", Type: Counter, Labels: []string{"reason"}, Unbound: []string{"reason"}}
	shown := func(values int) map[string]float64 {
		var room spare
		out := newSink(f, manyOwners(), 10, &room, map[string]int{})
		for i := range values {
			out.Add(noEntity, out.Dim(fmt.Sprintf("reason-%02d", 99-i)), float64(1+i))
		}
		series, folded := out.finish()
		if folded != values-9 {
			t.Errorf("of %d values %d are said to be folded, want all but 9", values, folded)
		}
		byReason := map[string]float64{}
		for _, s := range series {
			byReason[s.Labels[0]] = s.Value
		}
		return byReason
	}
	before, after := shown(15), shown(60)
	if len(before) != 10 || len(after) != 10 {
		t.Fatalf("a budget of 10 holds %d and %d series", len(before), len(after))
	}
	for reason, value := range before {
		if reason != other && after[reason] != value || reason == other && after[reason] < value {
			t.Errorf("%s was %v and is %v", reason, value, after[reason])
		}
	}
}

// TestUnboundFoldsTheInnerLabelFirst: an area stays as long as folding categories is enough, and the largest categories stay.
func TestUnboundFoldsTheInnerLabelFirst(t *testing.T) {
	f := &Family{Name: "prodsec_test", Type: Gauge, Labels: []string{"area", "category"}, Unbound: []string{"area", "category"}}
	var room spare
	out := newSink(f, manyOwners(), 20, &room, map[string]int{})
	for area := range 4 {
		for category := range 30 {
			out.Add(noEntity, out.Dim(fmt.Sprintf("area-%d", area), fmt.Sprintf("category-%02d", category)), float64(1+category))
		}
	}
	series, _ := out.finish()
	var got []string
	for _, s := range series {
		got = append(got, strings.Join(s.Labels, " "))
	}
	for area := range 4 {
		for _, want := range []string{other, "category-29", "category-28", "category-27", "category-26"} {
			if label := fmt.Sprintf("area-%d %s", area, want); !slices.Contains(got, label) {
				t.Errorf("%s is not shown, but %v", label, got)
			}
		}
	}
	if len(got) > 20 {
		t.Errorf("%d series, the budget is 20", len(got))
	}
}
