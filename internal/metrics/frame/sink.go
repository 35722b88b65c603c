package frame

import (
	"cmp"
	"math"
	"slices"
)

// Sink gathers the series of one family. A contribution is made to an entity (a position in the Entities that the labels of the family
// name; NoEntity for a family about none) and a dimension: the values of the remaining labels, in order.
type Sink struct {
	family *Family
	budget int
	// entities are what the family is about, nil if nothing; at is where their labels stand.
	entities *Entities
	at       int
	dims     [][]string
	dimOf    map[string]int
	cells    []cell
	// zeros are the known combinations that are shown at 0 if the budget allows.
	zeros []cell
	empty *Histogram
	// buffers are reused by one family after the other.
	buffers *buffers
	// dropped counts what could not become a series, by reason.
	dropped map[string]int
}

// buffers hold cells, of which there may be many more than series.
type buffers struct{ cells, zeros, filled, sorted []cell }

// NoEntity is the entity of families that are about none.
const NoEntity int32 = 0

// cell is a contribution to one label set.
type cell struct {
	entity, dim int32
	// unknown: the label set cannot be known, whatever else contributes.
	unknown   bool
	value     float64
	histogram *Histogram
}

func newSink(f *Family, entities []*Entities, budget int, b *buffers, dropped map[string]int) *Sink {
	s := &Sink{family: f, budget: budget, cells: b.cells[:0], zeros: b.zeros[:0], buffers: b, dropped: dropped}
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

// NewDim adds a dimension with label values that are fit to be shown, without looking whether there is one like it. It is for
// many dimensions that each get few contributions.
func (s *Sink) NewDim(values ...string) int {
	s.dims = append(s.dims, values)
	return len(s.dims) - 1
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
	if len(s.zeros)*s.family.Lines() <= s.budget { // one too many says enough
		s.zeros = append(s.zeros, cell{entity: entity, dim: int32(dim), histogram: s.empty})
	}
}

// AddOrZero contributes a value or, if it is 0, says no more than that the combination is known.
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
		var owners int
		cells, owners = s.fold(cells)
		folded += owners
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

// wellFormed reports whether a cell has as many label values as its family has labels, and the kind of value.
func (s *Sink) wellFormed(c *cell) bool {
	width := len(s.dims[c.dim])
	if s.entities != nil {
		width += len(s.entities.Names)
	}
	return width == len(s.family.Labels) && (c.unknown || s.family.Histogrammed() == (c.histogram != nil))
}

// labels adds the label values of a cell in the order of the family.
func (s *Sink) labels(to []string, c *cell) []string {
	dim := s.dims[c.dim]
	if s.entities == nil || len(dim) < s.at {
		return append(to, dim...)
	}
	return append(append(append(to, dim[:s.at]...), s.entities.Labels[c.entity]...), dim[s.at:]...)
}

// merge combines the cells of the same entity and dimension and orders them by both. It may use the memory of what it is given.
func (s *Sink) merge(cells []cell) []cell {
	cells = s.sorted(cells)
	merged := cells[:0]
	for i := range cells {
		c := &cells[i]
		if last := len(merged) - 1; last >= 0 && merged[last].entity == c.entity && merged[last].dim == c.dim {
			s.family.combine(&merged[last], c)
			continue
		}
		merged = append(merged, *c)
	}
	return merged
}

// filled puts zeros where there is no cell. Both are in order.
func (s *Sink) filled(cells, zeros []cell) []cell {
	filled := slices.Grow(s.buffers.filled[:0], len(cells)+len(zeros))
	for len(cells) > 0 && len(zeros) > 0 {
		switch order := compareCells(&cells[0], &zeros[0]); {
		case order > 0:
			filled, zeros = append(filled, zeros[0]), zeros[1:]
			continue
		case order == 0:
			if s.family.Combine == Least { // else a zero changes nothing
				s.family.combine(&cells[0], &zeros[0])
			}
			zeros = zeros[1:]
		}
		filled, cells = append(filled, cells[0]), cells[1:]
	}
	filled = append(append(filled, cells...), zeros...)
	s.buffers.filled = filled[:0]
	return filled
}

func compareCells(a, b *cell) int {
	if a.entity != b.entity {
		return cmp.Compare(a.entity, b.entity)
	}
	return cmp.Compare(a.dim, b.dim)
}

// sorted orders cells by entity and dimension: two stable counting sorts, because there may be more cells than series and
// comparing them would cost more than all the rest.
func (s *Sink) sorted(cells []cell) []cell {
	inOrder := true
	for i := 1; i < len(cells) && inOrder; i++ {
		inOrder = compareCells(&cells[i-1], &cells[i]) <= 0
	}
	if inOrder {
		return cells
	}
	entities := 1
	if s.entities != nil {
		entities = len(s.entities.Labels)
	}
	s.buffers.sorted = slices.Grow(s.buffers.sorted[:0], len(cells))
	scratch := s.buffers.sorted[:len(cells)]
	countingSort(scratch, cells, len(s.dims), func(c *cell) int32 { return c.dim })
	countingSort(cells, scratch, entities, func(c *cell) int32 { return c.entity })
	return cells
}

// countingSort puts from into order by a key below limit.
func countingSort(to, from []cell, limit int, key func(*cell) int32) {
	next := make([]int, limit+1)
	for i := range from {
		next[key(&from[i])+1]++
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	for i := range from {
		k := key(&from[i])
		to[next[k]] = from[i]
		next[k]++
	}
}

// combine makes a what it and b make together.
func (f *Family) combine(a, b *cell) {
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
}
