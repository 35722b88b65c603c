package tallies_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
)

// TestWindowsHolding: the end of a trailing window is in it and its start is not; what is to come is in none.
func TestWindowsHolding(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	in := tallies.Input{Policy: policy.Default(), At: now}
	var names []string
	for _, w := range in.Policy.Windows() {
		names = append(names, w.Name)
	}
	shortest, longest := in.Policy.Windows()[0].Length, in.Policy.Windows()[len(names)-1].Length
	for _, c := range []struct {
		name string
		at   time.Time
		want []string
	}{
		{"now", now, names},
		{"in a second", now.Add(time.Second), nil},
		{"a second after the start of the shortest", now.Add(time.Second - shortest), names},
		{"the start of the shortest", now.Add(-shortest), names[1:]},
		{"a second after the start of the longest", now.Add(time.Second - longest), names[len(names)-1:]},
		{"the start of the longest", now.Add(-longest), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, w := range in.WindowsHolding(c.at) {
				got = append(got, w.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("windows (-want +got):\n%s", diff)
			}
		})
	}
}

// TestJoinWindowCounts: counts add up by window, and a part that is too old to be shown hides the sum.
func TestJoinWindowCounts(t *testing.T) {
	var sum tallies.WindowCounts
	sum.Join(&tallies.WindowCounts{})
	if sum.In != nil || sum.Total != 0 {
		t.Errorf("nothing joined is %+v", sum)
	}
	sum.Join(&tallies.WindowCounts{Total: 3, In: []uint64{1, 2}, Dropped: []bool{false, true}})
	sum.Join(&tallies.WindowCounts{Total: 5, In: []uint64{0, 4}, Dropped: []bool{false, false}})
	want := tallies.WindowCounts{Total: 8, In: []uint64{1, 6}, Dropped: []bool{false, true}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
}
