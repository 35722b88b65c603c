package frame

import (
	"math"
	"slices"
)

// Sink gathers the series of one family. A contribution is made to an entity (a position in the Entities that the labels of the family
// name; NoEntity for a family about none) and a dimension: the values of the remaining labels, in order.
type Sink struct {
	labelSpace
	dimOf map[string]int
	cells []cell
	// zeros are the known combinations that are shown at 0 if the budget allows.
	zeros []cell
	empty *Histogram
	// dropped counts what could not become a series, by reason.
	dropped map[string]int
}

// NewSink returns a Sink without a budget, for Total.
func NewSink(f *Family, entities ...*Entities) *Sink {
	return newSink(f, entities, math.MaxInt32, &buffers{}, map[string]int{})
}

func newSink(f *Family, entities []*Entities, budget int, b *buffers, dropped map[string]int) *Sink {
	s := &Sink{labelSpace: labelSpace{family: f, budget: budget, buffers: b}, cells: b.cells[:0], zeros: b.zeros[:0], dropped: dropped}
	s.entities, s.at = entitiesOf(f.Labels, entities)
	if f.Histogrammed() {
		s.empty = NewDistribution(f.Bounds).Histogram()
	}
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

// Dims is the number of dimensions that were declared.
func (s *Sink) Dims() int { return len(s.dims) }

// Dim is the dimension with the given label values, which may be any text.
func (s *Sink) Dim(values ...string) int {
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = LabelValue(v)
	}
	if s.dimOf == nil {
		s.dimOf = map[string]int{}
	}
	key := Key(clean...)
	dim, ok := s.dimOf[key]
	if !ok {
		dim = s.NewDim(clean...)
		s.dimOf[key] = dim
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

// Unknown marks a label set whose value cannot be known: the series is left out, whatever else contributes to it, so
// that no sum is too small.
func (s *Sink) Unknown(entity int32, dim int) {
	s.cells = append(s.cells, cell{entity: entity, dim: int32(dim), unknown: true})
}

// Zero marks a combination that is known, and is 0 if nothing contributes. Zeros give way to the series budget, all at once.
func (s *Sink) Zero(entity int32, dim int) {
	if len(s.zeros)*s.family.Lines() <= s.budget { // one too many is enough to know
		s.zeros = append(s.zeros, cell{entity: entity, dim: int32(dim), histogram: s.empty})
	}
}

// AddOrZero contributes a value or, if it is 0, only marks the combination as known.
func (s *Sink) AddOrZero(entity int32, dim int, value float64) {
	if value == 0 {
		s.Zero(entity, dim)
		return
	}
	s.Add(entity, dim, value)
}

// AddCount contributes a count, unless a part of it cannot be known; 0 is no contribution.
func (s *Sink) AddCount(entity int32, dim int, n uint64, unknown bool) {
	switch {
	case unknown:
		s.Unknown(entity, dim)
	case n > 0:
		s.Add(entity, dim, float64(n))
	}
}

// finish sums what meets, keeps the budget and puts the series in order. Folded is how many entities, and values of labels without a bound, became "other".
func (s *Sink) finish() (series []Series, folded int) {
	s.buffers.cells = s.cells[:0]
	cells := s.merge(s.cells)
	s.buffers.zeros = s.zeros[:0]
	if len(s.zeros)*s.family.Lines() <= s.budget {
		if filled := s.filled(cells, s.merge(s.zeros)); len(filled)*s.family.Lines() <= s.budget {
			cells = filled
		}
	}
	if len(cells)*s.family.Lines() > s.budget {
		cells, folded = s.foldUnbound(cells)
	}
	if len(cells)*s.family.Lines() > s.budget && s.entities != nil {
		var entities int
		cells, entities = s.fold(cells)
		folded += entities
	}
	return s.series(cells), folded
}

// series writes cells out. Different names may have become the same label value, so what meets only now is combined, too.
func (s *Sink) series(cells []cell) []Series {
	fit := cells[:0]
	for i := range cells {
		if s.wellFormed(&cells[i]) {
			fit = append(fit, cells[i])
			continue
		}
		s.dropped["malformed"]++
	}
	width := len(s.family.Labels)
	series, labels := make([]Series, 0, len(fit)), make([]string, 0, len(fit)*width)
	for rest := s.inOrder(fit); len(rest) > 0; {
		c, n := fit[rest[0].cell], 1
		for ; n < len(rest) && rest[n].compare(rest[0]) == 0; n++ {
			s.family.combine(&c, &fit[rest[n].cell])
		}
		rest = rest[n:]
		switch {
		case c.unknown:
		case math.IsNaN(c.value) || math.IsInf(c.value, 0):
			s.dropped["not_finite"]++
		default:
			labels = s.labels(labels, &c)
			series = append(series, Series{Labels: labels[len(labels)-width : len(labels) : len(labels)], Value: c.value, Histogram: c.histogram})
		}
	}
	return series
}
