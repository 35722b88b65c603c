package frame

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNativeBucket: every whole number of seconds is in the bucket whose bounds hold it, and powers of two are at their upper end.
func TestNativeBucket(t *testing.T) {
	for octave := range 32 {
		if got := nativeBucket(1 << octave); got != octave*nativePerOctave {
			t.Errorf("2^%d is in bucket %d, want %d", octave, got, octave*nativePerOctave)
		}
	}
	for seconds := uint32(1); seconds < 40_000_000; seconds = seconds*103/100 + 1 {
		i := nativeBucket(seconds)
		lower, upper := math.Exp2(float64(i-1)/nativePerOctave), math.Exp2(float64(i)/nativePerOctave)
		if s := float64(seconds); s <= lower || s > upper {
			t.Errorf("%d is in bucket %d, (%v, %v]", seconds, i, lower, upper)
		}
	}
	if last := nativeBucket(math.MaxUint32); last >= nativeBuckets {
		t.Errorf("the longest time is in bucket %d of %d", last, nativeBuckets)
	}
}

// TestImportance: rank, then exposure, then what is urgent (not for counters), then the name.
func TestImportance(t *testing.T) {
	e := &Entities{
		Labels:  [][]string{{"d"}, {"c"}, {"b"}, {"a"}, {"e"}},
		Weights: []Weight{{Rank: 1, Exposed: true}, {Rank: 1, Urgent: 5}, {Rank: 1}, {Rank: 2, Exposed: true, Urgent: 99}, {Rank: 0}},
	}
	names := func(order []int32) (names []string) {
		for _, at := range order {
			names = append(names, e.Labels[at][0])
		}
		return names
	}
	if diff := cmp.Diff([]string{"e", "d", "c", "b", "a"}, names(e.byImportance(false))); diff != "" {
		t.Errorf("for a state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"e", "d", "b", "c", "a"}, names(e.byImportance(true))); diff != "" {
		t.Errorf("for a counter (-want +got):\n%s", diff)
	}
	joined := Weight{Rank: 3, Urgent: 1}.Join(Weight{Rank: 1, Exposed: true, Urgent: 2})
	if joined != (Weight{Rank: 1, Exposed: true, Urgent: 3}) || joined.Join(Weight{Rank: 2}).Rank != 1 {
		t.Errorf("joined weight: %+v", joined)
	}
}

// TestSinkLeavesOut: what could not be served is left out and counted, and unknown wins over everything it meets.
func TestSinkLeavesOut(t *testing.T) {
	family := &Family{Name: "prodsec_test", Type: Gauge, Labels: []string{"a", "b"}}
	dropped := map[string]int{}
	sink := newSink(family, nil, 100, &buffers{}, dropped)
	good := sink.Dim("1", "2")
	sink.Add(NoEntity, good, 3)
	sink.Add(NoEntity, sink.Dim("too few"), 1)
	sink.Add(NoEntity, sink.Dim("not", "a number"), math.NaN())
	sink.Add(NoEntity, sink.Dim("far", "too much"), math.Inf(1))
	sink.Observe(NoEntity, sink.Dim("a", "histogram"), &Histogram{})
	sink.Add(NoEntity, sink.Dim("known", "in part"), 7)
	sink.Unknown(NoEntity, sink.Dim("known", "in part"))
	sink.Zero(NoEntity, sink.Dim("known", "in part"))
	sink.Add(NoEntity, good, 4)
	// The same label values, once declared and once more.
	sink.Add(NoEntity, sink.NewDim("1", "2"), 5)
	sink.Unknown(NoEntity, sink.NewDim("late", "to meet"))
	sink.Add(NoEntity, sink.Dim("late", "to meet"), 1)
	got, folded := sink.finish()
	if diff := cmp.Diff([]Series{{Labels: []string{"1", "2"}, Value: 12}}, got); diff != "" || folded != 0 {
		t.Errorf("series (-want +got, %d folded):\n%s", folded, diff)
	}
	if diff := cmp.Diff(map[string]int{"malformed": 2, "not_finite": 2}, dropped); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// TestFoldedName: what is folded joins a service that is really called other, and what is unknown stays unknown when folded.
func TestFoldedName(t *testing.T) {
	ownerLabels := []string{"business_unit", "team", "service_name", "trust_tier"}
	owners := &Entities{Names: ownerLabels, Fixed: 1}
	for i, name := range []string{"a", Other, "b", "c"} {
		owners.Labels = append(owners.Labels, []string{"unit", "team", name, "tier0"})
		owners.Weights = append(owners.Weights, Weight{Urgent: uint32(10 - i)})
	}
	family := &Family{Name: "prodsec_test", Type: Gauge, Labels: slices.Concat(ownerLabels, []string{"x"})}
	sink := newSink(family, []*Entities{owners}, 4, &buffers{}, map[string]int{})
	sink.Product([]string{"1", "2"})
	for entity := range int32(4) {
		sink.Add(entity, 0, 1)
		sink.Add(entity, 1, 1)
	}
	sink.Unknown(3, 1)
	got, folded := sink.finish()
	want := []Series{
		{Labels: []string{"unit", "team", "a", "tier0", "1"}, Value: 1},
		{Labels: []string{"unit", "team", "a", "tier0", "2"}, Value: 1},
		{Labels: []string{"unit", "team", Other, "tier0", "1"}, Value: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" || folded != 3 {
		t.Errorf("series (-want +got, %d folded, want 3):\n%s", folded, diff)
	}
}
