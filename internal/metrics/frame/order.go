package frame

import (
	"cmp"
	"slices"
)

// Series are put in the order of their label values. There are many more series than different label values, so these are ranked once,
// and series compare by ranks.

// position is the place of a cell in the order: by the rank of the labels before the entity's and of the entity in one number, and that of the
// labels behind it.
type position struct {
	first uint64
	last  int32
	cell  int32
}

func (a position) compare(b position) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
}

// inOrder are the positions of cells in the order of their labels.
func (s *labelSpace) inOrder(cells []cell) []position {
	used := make([]int32, len(s.dims)) // by dimension, one more than its position among those in use
	var before, behind [][]string
	at := 0
	if s.entities != nil {
		at = s.at
	}
	for i := range cells {
		if dim := cells[i].dim; used[dim] == 0 {
			before, behind = append(before, s.dims[dim][:at]), append(behind, s.dims[dim][at:])
			used[dim] = int32(len(before))
		}
	}
	first, last := ranksOf(before), ranksOf(behind)
	positions := make([]position, len(cells))
	for i := range cells {
		dim := used[cells[i].dim] - 1
		positions[i] = position{first: uint64(first[dim]) << 32, last: last[dim], cell: int32(i)}
		if s.entities != nil {
			positions[i].first |= uint64(s.entities.ranks()[cells[i].entity])
		}
	}
	slices.SortFunc(positions, func(a, b position) int { return cmp.Or(a.compare(b), cmp.Compare(a.cell, b.cell)) })
	return positions
}
