package derivation

import (
	"math/rand/v2"
	"slices"
	"testing"

	"prodsec_exporter/internal/policy"
)

// TestIndex enters, replaces and removes at random and compares with a map. Few distinct hashes make long chains.
func TestIndex(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		hashes := make([]uint64, 400)
		for i := range hashes {
			hashes[i] = uint64(i*7) % 61 << rng.IntN(3)
		}
		x := index{hash: func(p int32) uint64 { return hashes[p] }}
		held := map[int32]bool{}
		for range 4000 {
			p := int32(rng.IntN(len(hashes)))
			if held[p] {
				x.remove(p)
			} else {
				x.add(p)
			}
			held[p] = !held[p]
			q := int32(rng.IntN(len(hashes)))
			found := x.probe(hashes[q], func(p int32) bool { return p == q })
			if (found == q) != held[q] {
				t.Fatalf("seed %d: position %d found: %v, held: %v", seed, q, found == q, held[q])
			}
		}
	}
}

func TestPausesComeBack(t *testing.T) {
	for _, want := range [][]policy.Pause{nil, {{Start: 1, End: 2}}, {{Start: 1, End: 2}, {Start: 5, End: policy.Forever}}} {
		got, err := parsePauses(formatPauses(want))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v comes back as %v, %v", want, got, err)
		}
	}
	if _, err := parsePauses("1-x"); err == nil {
		t.Error("1-x is a span of time")
	}
}

func TestUnion(t *testing.T) {
	got := union([]policy.Pause{{Start: 50, End: 60}, {Start: 1, End: 10}, {Start: 5, End: 20}, {Start: 20, End: 30}, {Start: 40, End: policy.Forever}})
	if want := []policy.Pause{{Start: 1, End: 30}, {Start: 40, End: policy.Forever}}; !slices.Equal(got, want) {
		t.Errorf("union %v, want %v", got, want)
	}
}
