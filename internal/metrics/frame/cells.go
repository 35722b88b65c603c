package frame

import (
	"cmp"
	"slices"
)

// cell is a contribution to one label set.
type cell struct {
	entity, dim int32
	// unknown: the label set cannot be known, whatever else contributes.
	unknown   bool
	value     float64
	histogram *Histogram
}

// buffers hold cells, of which there may be many more than series.
type buffers struct{ cells, zeros, filled, sorted []cell }

// labelSpace says which label set a cell stands for, and holds what is done with many cells of one family.
type labelSpace struct {
	family *Family
	// budget is how many series in the sense of a Prometheus server there may be.
	budget int
	// entities are what the family is about, nil if nothing; at is where their labels stand.
	entities *Entities
	at       int
	dims     [][]string
	// buffers are reused by one family after the other.
	buffers *buffers
}

// NewDim adds a dimension with label values that are fit to be shown, without looking whether there is one like it. It is for
// many dimensions that each get few contributions.
func (s *labelSpace) NewDim(values ...string) int {
	s.dims = append(s.dims, values)
	return len(s.dims) - 1
}

// wellFormed reports whether a cell has as many label values as its family has labels, and the kind of value.
func (s *labelSpace) wellFormed(c *cell) bool {
	width := len(s.dims[c.dim])
	if s.entities != nil {
		width += len(s.entities.Names)
	}
	return width == len(s.family.Labels) && (c.unknown || s.family.Histogrammed() == (c.histogram != nil))
}

// labels adds the label values of a cell in the order of the family.
func (s *labelSpace) labels(to []string, c *cell) []string {
	dim := s.dims[c.dim]
	if s.entities == nil || len(dim) < s.at {
		return append(to, dim...)
	}
	return append(append(append(to, dim[:s.at]...), s.entities.Labels[c.entity]...), dim[s.at:]...)
}

// merge combines the cells of the same entity and dimension and orders them by both. It may use the memory of what it is given.
func (s *labelSpace) merge(cells []cell) []cell {
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
func (s *labelSpace) filled(cells, zeros []cell) []cell {
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
func (s *labelSpace) sorted(cells []cell) []cell {
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
