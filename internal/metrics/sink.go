package metrics

import (
	"math"
	"slices"
)

// Sink gathers the series of one family. A contribution is made to an entity (a position in Snapshot.Owners, or of a group,
// team or unit, as the labels of the family say; noEntity for a family about no owner) and a dimension: the values of the
// remaining labels, in order.
type Sink struct {
	family *Family
	budget int
	// entities are the owners the family is about, nil if none; at is where their labels stand.
	entities *entities
	at       int
	dims     [][]string
	dimOf    map[string]int
	cells    []cell
	// zeros are the known combinations that are shown at 0 if the budget allows.
	zeros []cell
	empty *Histogram
	// spare is room that one family after the other uses.
	spare *spare
	// dropped counts what could not become a series, by reason.
	dropped map[string]int
}

// spare is memory for cells, of which there may be many more than series.
type spare struct{ cells, sorted []cell }

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

func newSink(f *Family, o *ownership, budget int, room *spare, dropped map[string]int) *Sink {
	s := &Sink{family: f, budget: budget, cells: room.cells[:0], spare: room, dropped: dropped}
	s.entities, s.at = o.of(f.Labels)
	if f.Histogrammed() {
		s.empty = newTally(f.Bounds).histogram()
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

// Dim is the dimension with the given label values, which may be any text.
func (s *Sink) Dim(values ...string) int {
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = labelValue(v)
	}
	if s.dimOf == nil {
		s.dimOf = map[string]int{}
	}
	key := joined(clean)
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
	if len(s.zeros)*s.lines() <= s.budget { // one too many says enough
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

// lines is how many series in the sense of a Prometheus server one label set makes.
func (s *Sink) lines() int {
	if s.family.Histogrammed() {
		return len(s.family.Bounds) + 3 // the bucket of +Inf, _sum and _count
	}
	return 1
}

// finish sums what meets, keeps the budget and puts the series in order. Folded is how many entities, and values of labels without a bound, became "other".
func (s *Sink) finish() (series []Series, folded int) {
	s.spare.cells = s.cells[:0]
	cells := s.merge(s.cells)
	if len(s.zeros)*s.lines() <= s.budget {
		if filled := s.merge(slices.Concat(cells, s.zeros)); len(filled)*s.lines() <= s.budget {
			cells = filled
		}
	}
	if len(cells)*s.lines() > s.budget {
		cells, folded = s.foldUnbound(cells)
	}
	if len(cells)*s.lines() > s.budget && s.entities != nil {
		var owners int
		cells, owners = s.fold(cells)
		folded += owners
	}
	return s.series(cells), folded
}

// series writes cells out. Different names may have become the same label value, so what meets only now is combined, too.
func (s *Sink) series(cells []cell) []Series {
	type row struct {
		labels []string
		cell
	}
	rows := make([]row, 0, len(cells))
	for _, c := range cells {
		labels := s.labels(c)
		if len(labels) == len(s.family.Labels) && (c.unknown || s.family.Histogrammed() == (c.histogram != nil)) {
			rows = append(rows, row{labels, c})
			continue
		}
		s.dropped["malformed"]++
	}
	slices.SortFunc(rows, func(a, b row) int { return slices.Compare(a.labels, b.labels) })
	series := make([]Series, 0, len(rows))
	for i := 0; i < len(rows); {
		c, labels := rows[i].cell, rows[i].labels
		for i++; i < len(rows) && slices.Equal(rows[i].labels, labels); i++ {
			s.family.combine(&c, &rows[i].cell)
		}
		switch {
		case c.unknown:
		case math.IsNaN(c.value) || math.IsInf(c.value, 0):
			s.dropped["not_finite"]++
		default:
			series = append(series, Series{Labels: labels, Value: c.value, Histogram: c.histogram})
		}
	}
	return series
}

// labels are the label values of a cell in the order of the family.
func (s *Sink) labels(c cell) []string {
	dim := s.dims[c.dim]
	if s.entities == nil || len(dim) < s.at {
		return dim
	}
	labels := make([]string, 0, len(s.family.Labels))
	return append(append(append(labels, dim[:s.at]...), s.entities.labels[c.entity]...), dim[s.at:]...)
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

// sorted orders cells by entity and dimension: two stable counting sorts, because there may be more cells than series and
// comparing them would cost more than all the rest.
func (s *Sink) sorted(cells []cell) []cell {
	inOrder := true
	for i := 1; i < len(cells) && inOrder; i++ {
		a, b := &cells[i-1], &cells[i]
		inOrder = a.entity < b.entity || a.entity == b.entity && a.dim <= b.dim
	}
	if inOrder {
		return cells
	}
	entities := 1
	if s.entities != nil {
		entities = len(s.entities.labels)
	}
	s.spare.sorted = slices.Grow(s.spare.sorted[:0], len(cells))
	scratch := s.spare.sorted[:len(cells)]
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
