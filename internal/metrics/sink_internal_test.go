package metrics

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
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

// TestImportance: tier, then exposure, then what is urgent (not for counters), then the name.
func TestImportance(t *testing.T) {
	e := &entities{
		labels: [][]string{{"d"}, {"c"}, {"b"}, {"a"}, {"e"}},
		weight: []weight{{tier: 1, exposed: true}, {tier: 1, urgent: 5}, {tier: 1}, {tier: 2, exposed: true, urgent: 99}, {tier: 0}},
	}
	names := func(order []int32) (names []string) {
		for _, at := range order {
			names = append(names, e.labels[at][0])
		}
		return names
	}
	if diff := cmp.Diff([]string{"e", "d", "c", "b", "a"}, names(e.byImportance(false))); diff != "" {
		t.Errorf("for a state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"e", "d", "b", "c", "a"}, names(e.byImportance(true))); diff != "" {
		t.Errorf("for a counter (-want +got):\n%s", diff)
	}
	joined := weight{tier: 3, urgent: 1}.join(weight{tier: 1, exposed: true, urgent: 2})
	if joined != (weight{tier: 1, exposed: true, urgent: 3}) || joined.join(weight{tier: 2}).tier != 1 {
		t.Errorf("joined weight: %+v", joined)
	}
}

// TestSinkLeavesOut: what could not be served is left out and counted, and unknown wins over everything it meets.
func TestSinkLeavesOut(t *testing.T) {
	family := &Family{Name: "prodsec_test", Type: Gauge, Labels: []string{"a", "b"}}
	dropped := map[string]int{}
	sink := newSink(family, newOwnership(&snapshot.Snapshot{}, policy.Default()), 100, &spare{}, dropped)
	good := sink.Dim("1", "2")
	sink.Add(noEntity, good, 3)
	sink.Add(noEntity, sink.Dim("too few"), 1)
	sink.Add(noEntity, sink.Dim("not", "a number"), math.NaN())
	sink.Add(noEntity, sink.Dim("far", "too much"), math.Inf(1))
	sink.Observe(noEntity, sink.Dim("a", "histogram"), &Histogram{})
	sink.Add(noEntity, sink.Dim("known", "in part"), 7)
	sink.Unknown(noEntity, sink.Dim("known", "in part"))
	sink.Zero(noEntity, sink.Dim("known", "in part"))
	sink.Add(noEntity, good, 4)
	// The same label values, once declared and once more.
	sink.Add(noEntity, sink.NewDim("1", "2"), 5)
	sink.Unknown(noEntity, sink.NewDim("late", "to meet"))
	sink.Add(noEntity, sink.Dim("late", "to meet"), 1)
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
	own := &ownership{owners: entities{names: ownerLabels}}
	for i, name := range []string{"a", other, "b", "c"} {
		own.owners.labels = append(own.owners.labels, []string{"unit", "team", name, "tier0"})
		own.owners.weight = append(own.owners.weight, weight{urgent: uint32(10 - i)})
	}
	family := &Family{Name: "prodsec_test", Type: Gauge, Labels: slices.Concat(ownerLabels, []string{"x"})}
	sink := newSink(family, own, 4, &spare{}, map[string]int{})
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
		{Labels: []string{"unit", "team", other, "tier0", "1"}, Value: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" || folded != 3 {
		t.Errorf("series (-want +got, %d folded, want 3):\n%s", folded, diff)
	}
}
