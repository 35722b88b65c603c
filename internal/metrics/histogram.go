package metrics

import (
	"math"
	"math/bits"
	"sort"
	"time"

	"prodsec_exporter/internal/policy"
)

// Histogram is a distribution, in classic buckets and, for the protobuf format, native ones.
type Histogram struct {
	Count uint64
	Sum   float64
	// Counts holds the number of observations per classic bucket (not cumulative); the last is beyond every bound.
	Counts []uint64
	// Native holds the number of observations per native bucket index of schema NativeSchema; Zero those that are 0.
	Native map[int]uint64
	Zero   uint64
}

// NativeSchema is the resolution of native histograms: 2^(2^-3), about 9 % per bucket.
const NativeSchema = 3

const (
	nativePerOctave = 1 << NativeSchema
	// nativeBuckets is enough for whole seconds up to 2^32, 136 years.
	nativeBuckets = 32*nativePerOctave + 1
)

// nativeSteps are the upper bounds of the native buckets of one power of two.
var nativeSteps = func() (steps [nativePerOctave]float64) {
	for i := range steps {
		steps[i] = math.Exp2(float64(i) / nativePerOctave)
	}
	return steps
}()

// nativeBucket is the index of the native bucket of a positive number of seconds: bucket i holds what is greater than
// 2^((i-1)/8) and at most 2^(i/8).
func nativeBucket(seconds uint32) int {
	octave := bits.Len32(seconds) - 1
	mantissa := float64(seconds) / float64(uint64(1)<<octave)
	step := 0
	for step < nativePerOctave && mantissa > nativeSteps[step] {
		step++
	}
	return octave*nativePerOctave + step
}

// tally gathers whole seconds; many are filled in hot loops, so it holds arrays only.
type tally struct {
	sum     float64
	zero    uint64
	classic []uint64
	native  [nativeBuckets]uint32
}

// newTally returns an empty tally for the given bounds.
func newTally(bounds []float64) *tally { return &tally{classic: make([]uint64, len(bounds)+1)} }

// observe counts n observations in the buckets of a number of seconds; the caller adds to sum.
func (t *tally) observe(bounds []float64, seconds uint32, n uint64) {
	t.classic[sort.SearchFloat64s(bounds, float64(seconds))] += n
	if seconds == 0 {
		t.zero += n
		return
	}
	t.native[nativeBucket(seconds)] += uint32(n)
}

// histogram is the tally in its final form.
func (t *tally) histogram() *Histogram {
	h := &Histogram{Sum: t.sum, Counts: t.classic, Zero: t.zero, Native: map[int]uint64{}}
	for _, n := range t.classic {
		h.Count += n
	}
	for i, n := range t.native {
		if n > 0 {
			h.Native[i] = uint64(n)
		}
	}
	return h
}

// merge is the sum of two histograms over the same bounds.
func (h *Histogram) merge(other *Histogram) *Histogram {
	sum := &Histogram{
		Count: h.Count + other.Count, Sum: h.Sum + other.Sum, Zero: h.Zero + other.Zero,
		Counts: make([]uint64, len(h.Counts)), Native: map[int]uint64{},
	}
	for i := range sum.Counts {
		sum.Counts[i] = h.Counts[i] + other.Counts[i]
	}
	for _, native := range []map[int]uint64{h.Native, other.Native} {
		for i, n := range native {
			sum.Native[i] += n
		}
	}
	return sum
}

// secondsBetween is the time from one Unix time to another in whole seconds, never negative.
func secondsBetween(from, to int64) uint32 {
	return uint32(min(max(to-from, 0), math.MaxUint32))
}

// workingSeconds is the time from one instant to another on the clock of a calendar in whole seconds, never negative.
func workingSeconds(clock *policy.Calendar, from, to time.Time) uint32 {
	return uint32(min(clock.BusinessSeconds(from, to), math.MaxUint32))
}
