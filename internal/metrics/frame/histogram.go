package frame

import (
	"math"
	"math/bits"
	"sort"
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

// Distribution counts whole seconds in buckets. Many are filled in hot loops, so it holds arrays only.
type Distribution struct {
	bounds  []float64
	sum     float64
	zero    uint64
	classic []uint64
	native  [nativeBuckets]uint32
}

// NewDistribution returns an empty distribution over classic buckets with the given upper bounds.
func NewDistribution(bounds []float64) *Distribution {
	return &Distribution{bounds: bounds, classic: make([]uint64, len(bounds)+1)}
}

// Observe counts one observation.
func (d *Distribution) Observe(seconds uint32) {
	d.sum += float64(seconds)
	d.count(seconds, 1)
}

// AddSum adds to the sum alone, for observations whose buckets are counted by CountHours.
func (d *Distribution) AddSum(seconds float64) { d.sum += seconds }

// CountHours counts n observations that are known to the hour, rounded up, and leaves the sum as it is.
func (d *Distribution) CountHours(hours uint32, n uint64) {
	d.count(uint32(min(uint64(hours)*secondsPerHour, math.MaxUint32)), n)
}

func (d *Distribution) count(seconds uint32, n uint64) {
	d.classic[sort.SearchFloat64s(d.bounds, float64(seconds))] += n
	if seconds == 0 {
		d.zero += n
		return
	}
	d.native[nativeBucket(seconds)] += uint32(n)
}

// Histogram is the distribution in its final form.
func (d *Distribution) Histogram() *Histogram {
	h := &Histogram{Sum: d.sum, Counts: d.classic, Zero: d.zero, Native: map[int]uint64{}}
	for _, n := range d.classic {
		h.Count += n
	}
	for i, n := range d.native {
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

const secondsPerHour = 3600

// HourTable holds the classic and native buckets of whole hours up to almost two years, so that a loop over many observations need not
// search for them.
type HourTable struct {
	bounds  []float64
	buckets [1 << 14]struct{ classic, native uint16 }
}

// NewHourTable returns the table for distributions with the given bounds.
func NewHourTable(bounds []float64) *HourTable {
	t := &HourTable{bounds: bounds}
	for hours := 1; hours < len(t.buckets); hours++ {
		seconds := uint32(hours) * secondsPerHour
		t.buckets[hours].classic = uint16(sort.SearchFloat64s(bounds, float64(seconds)))
		t.buckets[hours].native = uint16(nativeBucket(seconds))
	}
	return t
}

// Bounds are the upper bounds of the classic buckets.
func (t *HourTable) Bounds() []float64 { return t.bounds }

// Observe counts one observation: its buckets by the hours, rounded up, its sum exactly.
func (t *HourTable) Observe(d *Distribution, seconds, hours uint32) {
	d.sum += float64(seconds)
	if hours == 0 || hours >= uint32(len(t.buckets)) {
		d.CountHours(hours, 1)
		return
	}
	b := &t.buckets[hours]
	d.classic[b.classic]++
	d.native[b.native]++
}
