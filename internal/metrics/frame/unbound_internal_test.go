package frame

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestUnboundCountersFoldTheSame: a counter's value that has a series of its own keeps it, whatever else appears later.
func TestUnboundCountersFoldTheSame(t *testing.T) {
	f := &Family{Name: "prodsec_test_total", Type: Counter, Labels: []string{"reason"}, Unbound: []string{"reason"}}
	shown := func(values int) map[string]float64 {
		out := newSink(f, nil, 10, &buffers{}, map[string]int{})
		for i := range values {
			out.Add(NoEntity, out.Dim(fmt.Sprintf("reason-%02d", 99-i)), float64(1+i))
		}
		series, folded := out.finish()
		if folded != values-9 {
			t.Errorf("of %d values %d are reported as folded, want all but 9", values, folded)
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
		if reason != Other && after[reason] != value || reason == Other && after[reason] < value {
			t.Errorf("%s was %v and is %v", reason, value, after[reason])
		}
	}
}

// TestUnboundFoldsTheInnerLabelFirst: an area stays as long as folding categories is enough, and the largest categories stay.
func TestUnboundFoldsTheInnerLabelFirst(t *testing.T) {
	f := &Family{Name: "prodsec_test", Type: Gauge, Labels: []string{"area", "category"}, Unbound: []string{"area", "category"}}
	out := newSink(f, nil, 20, &buffers{}, map[string]int{})
	for area := range 4 {
		for category := range 30 {
			out.Add(NoEntity, out.Dim(fmt.Sprintf("area-%d", area), fmt.Sprintf("category-%02d", category)), float64(1+category))
		}
	}
	series, _ := out.finish()
	var got []string
	for _, s := range series {
		got = append(got, strings.Join(s.Labels, " "))
	}
	for area := range 4 {
		for _, want := range []string{Other, "category-29", "category-28", "category-27", "category-26"} {
			if label := fmt.Sprintf("area-%d %s", area, want); !slices.Contains(got, label) {
				t.Errorf("%s is not shown, but %v", label, got)
			}
		}
	}
	if len(got) > 20 {
		t.Errorf("%d series, the budget is 20", len(got))
	}
}
