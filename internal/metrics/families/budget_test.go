package families_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics/families"
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// bounded is how many values each label has at most that is neither an owner's nor in Family.Unbound. A label that is not here has to be added with
// its bound, or to Family.Unbound if its values come from outside.
var bounded = map[string]int{
	"objective": 8, "rework": 4,
	"severity": len(record.Severities()), "class": len(record.Classes()), "sla": len(policy.SLAs()), "event": len(snapshot.FlowKinds()),
	"outcome": len(snapshot.OutcomeKinds()), "evidence": 4, "dimension": 3, "top": 3, "window": 3, "state": 5, "expires": len(policy.Horizons()),
	"kind": 5, "status": 4, "check": 16, "scope": 2, "privileged": 2, "crown_jewel": 3, "internet_facing": 3, "reason": 5, "field": 8, "decision": 2,
	"overdue": 3, "version": 1, "approval": 4, "security_review": 4, "security_impact": 3, "cause": 5, "attribution": 2, "result": 4, "method": 4,
	"trust": 4, "ephemeral": 3, "source": 4, "control": 40, "domain": 1 /* follows from the control */, "exploited": 2, "metric": 8,
}

// exempt are families that are as large as the configuration of the exporter or the policy makes them.
var exempt = map[string]string{
	"prodsec_sla_target_seconds":                   "a table of the policy, of at most 17 tiers",
	"prodsec_unread_scopes":                        "at most 21 series for every kind of scope and status",
	"prodsec_record_scopes":                        "a series for every kind of record and status",
	"prodsec_scopes":                               "a few series for every collector that is configured",
	"prodsec_scope_last_success_timestamp_seconds": "a series for every instance and kind of scope",
	"prodsec_records":                              "a series for every kind of record",
}

// manyOwners is an organisation that is larger than any budget: 400 business units with a team and ten services each, in four tiers.
func manyOwners() *tallies.Ownership {
	s := &snapshot.Snapshot{}
	for i := range 4000 {
		s.Owners = append(s.Owners, snapshot.Owner{
			BusinessUnit: fmt.Sprintf("unit-%d", i/10), Team: fmt.Sprintf("team-%d", i/10), Service: fmt.Sprintf("service-%d", i), TrustTier: fmt.Sprintf("tier%d", i%4),
		})
	}
	return tallies.NewOwnership(s, policy.Default())
}

// TestEveryFamilyKeepsItsBudget fills every family with more label sets than its budget, of the widest organisation and of texts without end, and
// holds that what comes out is within the budget and adds up to what went in.
func TestEveryFamilyKeepsItsBudget(t *testing.T) {
	own := manyOwners()
	budget := policy.DefaultConfig().Detail.MaxSeries
	for _, f := range families.All() {
		if exempt[f.Name] != "" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			e, in := frame.NewEvaluator(time.Time{}, budget, own.Entities()...), 0.0
			e.Collect(f, func(out *frame.Sink) { in = fill(t, f, own, out) })
			var series []frame.Series
			for _, r := range e.Evaluation().Results {
				series = r.Series
			}
			lines, sum := 0, 0.0
			for _, s := range series {
				lines += f.Lines()
				sum += s.Value
				if s.Histogram != nil {
					sum += float64(s.Histogram.Count)
				}
			}
			if lines > budget {
				t.Errorf("%d series, the budget is %d", lines, budget)
			}
			if f.Combine == frame.Sum && sum != in {
				t.Errorf("%v went in and %v came out", in, sum)
			}
			if len(series) == 0 {
				t.Error("nothing came out")
			}
		})
	}
}

// fill contributes at random and returns the sum.
func fill(t *testing.T, f *frame.Family, own *tallies.Ownership, out *frame.Sink) (sum float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	entities, labels := about(f, own)
	one := frame.NewDistribution(f.Bounds)
	one.Observe(60)
	observed := one.Histogram()
	for range 12_000 {
		values := make([]string, len(labels))
		for i, name := range labels {
			n, known := bounded[name]
			switch {
			case slices.Contains(f.Unbound, name), slices.Contains(f.Detail, name):
				n = 5000
			case !known:
				t.Fatalf("the number of values of the label %s is not known: add it to bounded, or to Family.Unbound", name)
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

// about is the number of entities that a family is about, and the labels that it has besides theirs.
func about(f *frame.Family, own *tallies.Ownership) (entities int, others []string) {
	for _, e := range own.Entities() {
		for at := 0; at+len(e.Names) <= len(f.Labels); at++ {
			if slices.Equal(f.Labels[at:at+len(e.Names)], e.Names) {
				return len(e.Labels), slices.Concat(f.Labels[:at], f.Labels[at+len(e.Names):])
			}
		}
	}
	return 1, f.Labels
}
