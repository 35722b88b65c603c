package metrics

import (
	"cmp"
	"math"
	"slices"
)

// Sink gathers the series of one family. A contribution is made to an entity (a position in Snapshot.Owners, or of a group,
// team or unit, as the labels of the family say; noEntity for a family about no owner) and a dimension: the values of the
// remaining labels, in order.
type Sink struct {
	family *Family
	// entities are the owners the family is about, nil if none; at is where their labels stand.
	entities *entities
	at       int
	dims     [][]string
	dimOf    map[string]int
	cells    []cell
	// zeros are the known combinations that are shown at 0 if the budget allows.
	zeros []cell
	// dropped counts what could not become a series, by reason.
	dropped map[string]int
}

// noEntity is the entity of families that are about no owner.
const noEntity int32 = 0

// cell is a contribution to one label set.
type cell struct {
	entity, dim int32
	// unknown: the label set cannot be known, whatever else contributes.
	unknown   bool
	value     float64
	histogram *Histogram
}

func (c cell) key() uint64 { return uint64(uint32(c.entity))<<32 | uint64(uint32(c.dim)) }

func newSink(f *Family, o *ownership, dropped map[string]int) *Sink {
	s := &Sink{family: f, dropped: dropped}
	s.entities, s.at = o.of(f.Labels)
	return s
}

// Product declares the dimensions to be every combination of the values of some labels, the last one fastest. A caller
// computes the position in that order.
func (s *Sink) Product(axes ...[]string) {
	s.dims = [][]string{nil}
	for _, axis := range axes {
		next := make([][]string, 0, len(s.dims)*len(axis))
		for _, prefix := range s.dims {
			for _, v := range axis {
				next = append(next, append(slices.Clip(prefix), v))
			}
		}
		s.dims = next
	}
}

// Dim is the dimension with the given label values, which may be any text.
func (s *Sink) Dim(values ...string) int {
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = labelValue(v)
	}
	return s.intern(clean)
}

func (s *Sink) intern(values []string) int {
	if s.dimOf == nil {
		s.dimOf = make(map[string]int, len(s.dims))
		for i, d := range s.dims {
			s.dimOf[joined(d)] = i
		}
	}
	key := joined(values)
	dim, ok := s.dimOf[key]
	if !ok {
		dim = len(s.dims)
		s.dimOf[key] = dim
		s.dims = append(s.dims, values)
	}
	return dim
}

// Add contributes a value.
func (s *Sink) Add(entity int32, dim int, value float64) {
	s.cells = append(s.cells, cell{entity: entity, dim: int32(dim), value: value})
}

// Observe contributes a distribution.
func (s *Sink) Observe(entity int32, dim int, h *Histogram) {
	s.cells = append(s.cells, cell{entity: entity, dim: int32(dim), histogram: h})
}

// Unknown says that the value of a label set cannot be known: the series is left out, whatever else contributes to it, so
// that no sum is too small.
func (s *Sink) Unknown(entity int32, dim int) {
	s.cells = append(s.cells, cell{entity: entity, dim: int32(dim), unknown: true})
}

// Zero says that a combination is known and is 0 if nothing contributes. Zeros give way to the series budget, all at once.
func (s *Sink) Zero(entity int32, dim int) {
	c := cell{entity: entity, dim: int32(dim)}
	if s.family.Histogrammed() {
		c.histogram = newTally(s.family.Bounds).histogram()
	}
	s.zeros = append(s.zeros, c)
}

// lines is how many series in the sense of a Prometheus server one label set makes.
func (s *Sink) lines() int {
	if s.family.Histogrammed() {
		return len(s.family.Bounds) + 3 // the bucket of +Inf, _sum and _count
	}
	return 1
}

// finish sums what meets, keeps the budget and puts the series in order. Folded is how many entities became "other".
func (s *Sink) finish(budget int) (series []Series, folded int) {
	cells := s.merge(s.cells)
	if len(s.zeros)*s.lines() <= budget {
		if filled := s.merge(slices.Concat(cells, s.zeros)); len(filled)*s.lines() <= budget {
			cells = filled
		}
	}
	if len(cells)*s.lines() > budget && s.entities != nil {
		cells, folded = s.fold(cells, budget)
	}
	series = make([]Series, 0, len(cells))
	for _, c := range cells {
		if one, ok := s.series(c); ok {
			series = append(series, one)
		}
	}
	slices.SortFunc(series, func(a, b Series) int { return slices.Compare(a.Labels, b.Labels) })
	return series, folded
}

// series writes a cell out; ok is false if there is nothing to write.
func (s *Sink) series(c cell) (one Series, ok bool) {
	if c.unknown {
		return Series{}, false
	}
	labels := s.dims[c.dim]
	if s.entities != nil {
		dim := labels
		labels = make([]string, 0, len(s.family.Labels))
		labels = append(append(append(labels, dim[:s.at]...), s.entities.labels[c.entity]...), dim[s.at:]...)
	}
	switch {
	case len(labels) != len(s.family.Labels), s.family.Histogrammed() != (c.histogram != nil):
		s.dropped["malformed"]++
		return Series{}, false
	case math.IsNaN(c.value) || math.IsInf(c.value, 0):
		s.dropped["not_finite"]++
		return Series{}, false
	}
	return Series{Labels: labels, Value: c.value, Histogram: c.histogram}, true
}

// merge combines the cells of the same label set and orders them by entity and dimension.
func (s *Sink) merge(cells []cell) []cell {
	if s.entities != nil && len(s.entities.same) > 0 {
		for i := range cells {
			if first, ok := s.entities.same[cells[i].entity]; ok {
				cells[i].entity = first
			}
		}
	}
	byKey := func(a, b cell) int { return cmp.Compare(a.key(), b.key()) }
	if !slices.IsSortedFunc(cells, byKey) {
		slices.SortStableFunc(cells, byKey)
	}
	merged := cells[:0]
	for _, c := range cells {
		if last := len(merged) - 1; last >= 0 && merged[last].key() == c.key() {
			merged[last] = s.family.combine(merged[last], c)
			continue
		}
		merged = append(merged, c)
	}
	return merged
}

// combine is what two contributions to one label set make.
func (f *Family) combine(a, b cell) cell {
	a.unknown = a.unknown || b.unknown
	switch {
	case a.unknown:
		a.histogram = nil
	case a.histogram != nil && b.histogram != nil:
		a.histogram = a.histogram.merge(b.histogram)
	case f.Combine == Sum:
		a.value += b.value
	case f.Combine == Least:
		a.value = min(a.value, b.value)
	}
	return a
}
