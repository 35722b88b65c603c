package frame

import (
	"cmp"
	"slices"
	"strings"
)

// foldUnbound turns the least values of labels that have no bound into "other", where folding entities alone would not keep the series
// budget. A counter's values stay in the order in which they first appeared, so that the choice does not change from day to day; anything
// else keeps the largest. Sums over all label sets stay what they were. Folded is how many values became "other".
func (s *labelSpace) foldUnbound(cells []cell) (kept []cell, folded int) {
	limit := max(s.budget/s.family.Lines(), 1)
	if s.entities != nil {
		limit /= 2 // as much as folding leaves for what entities become
	}
	wide := s.widest()
	for level := 1; level <= len(s.family.Unbound) && wide.count(cells) > limit; level++ {
		u := s.newUnbound(level)
		u.weigh(cells, wide)
		u.choose(limit)
		for i := range cells {
			if !u.values[u.valueOf[cells[i].dim]].kept {
				cells[i].dim = u.other(cells[i].dim)
			}
		}
		cells = s.merge(cells)
		folded = u.count()
	}
	return cells, folded
}

// widening leads from entities to what they become when all their labels that can be are "other"; entityTo is nil for a family about none.
type widening struct{ entityTo []int32 }

// labelSet is a label set of the widest entities.
type labelSet struct{ entity, dim int32 }

func (s *labelSpace) widest() widening {
	if s.entities == nil {
		return widening{}
	}
	return widening{s.newFolding(s.levels()).entityTo}
}

// each calls with every cell that makes a label set of the widest entities which none before it made.
func (w widening) each(cells []cell, call func(entity int32, c *cell)) {
	if w.entityTo == nil {
		for i := range cells {
			call(NoEntity, &cells[i])
		}
		return
	}
	seen := map[labelSet]bool{}
	for i := range cells {
		p := labelSet{w.entityTo[cells[i].entity], cells[i].dim}
		if !seen[p] {
			seen[p] = true
			call(p.entity, &cells[i])
		}
	}
}

// count is the number of label sets there are with the widest entities.
func (w widening) count(cells []cell) (n int) {
	w.each(cells, func(int32, *cell) { n++ })
	return n
}

// unbound folds values of the last level labels of Family.Unbound.
type unbound struct {
	space *labelSpace
	// at are the positions in a dimension of the labels that become "other".
	at []int
	// values are told apart by their joined text; valueOf is by dimension.
	values  []unboundValue
	valueOf []int32
	// folded is the number of label sets that there would be if every value were folded.
	folded int
	// otherOf leads from a dimension to one more than the folded one, 0 until it is needed.
	otherOf []int32
	dimOf   map[string]int32
	// key is a buffer for a key of dimOf.
	key []byte
}

// unboundValue is how much one value matters: its sum and the label sets it takes.
type unboundValue struct {
	text string
	sum  float64
	sets int
	kept bool
}

func (s *labelSpace) newUnbound(level int) *unbound {
	u := &unbound{space: s, valueOf: make([]int32, len(s.dims)), otherOf: make([]int32, len(s.dims)), dimOf: map[string]int32{}}
	names := s.family.Unbound
	for _, name := range names[len(names)-level:] {
		at := slices.Index(s.family.Labels, name)
		if s.entities != nil && at > s.at {
			at -= len(s.entities.Names)
		}
		u.at = append(u.at, at)
	}
	known := map[string]int32{}
	for dim, labels := range s.dims {
		u.key = u.key[:0]
		for _, at := range u.at {
			u.key = append(append(u.key, labels[at]...), separator)
		}
		value, ok := known[string(u.key)]
		if !ok {
			value = int32(len(u.values)) // in the order of dimensions, which is that of first appearance
			known[string(u.key)] = value
			u.values = append(u.values, unboundValue{text: string(u.key)})
		}
		u.valueOf[dim] = value
	}
	return u
}

// weigh measures every value.
func (u *unbound) weigh(cells []cell, wide widening) {
	for i := range cells {
		v := &u.values[u.valueOf[cells[i].dim]]
		v.sum += cells[i].value
		if h := cells[i].histogram; h != nil {
			v.sum += float64(h.Count)
		}
	}
	folded := map[labelSet]bool{}
	wide.each(cells, func(entity int32, c *cell) {
		u.values[u.valueOf[c.dim]].sets++
		folded[labelSet{entity, u.other(c.dim)}] = true
	})
	u.folded = len(folded)
}

// choose keeps values until the budget is used up.
func (u *unbound) choose(limit int) {
	order := make([]*unboundValue, len(u.values))
	for i := range u.values {
		order[i] = &u.values[i]
	}
	if !u.space.family.cumulative() {
		slices.SortFunc(order, func(a, b *unboundValue) int { return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(a.text, b.text)) })
	}
	left := limit - u.folded
	for _, v := range order {
		if left -= v.sets; left < 0 {
			break
		}
		v.kept = true
	}
}

// count is how many values were folded.
func (u *unbound) count() (n int) {
	for i := range u.values {
		if v := &u.values[i]; v.sets > 0 && !v.kept && v.text != u.allOther() {
			n++
		}
	}
	return n
}

// allOther is the text of a value of which every label is "other" already.
func (u *unbound) allOther() string {
	return strings.Repeat(Other+string([]byte{separator}), len(u.at))
}

// other is a dimension with its values folded.
func (u *unbound) other(from int32) int32 {
	if to := u.otherOf[from]; to > 0 {
		return to - 1
	}
	u.key = u.key[:0]
	for at, label := range u.space.dims[from] {
		if slices.Contains(u.at, at) {
			label = Other
		}
		u.key = append(append(u.key, label...), separator)
	}
	to, ok := u.dimOf[string(u.key)]
	if !ok {
		labels := slices.Clone(u.space.dims[from])
		for _, at := range u.at {
			labels[at] = Other
		}
		to = int32(u.space.NewDim(labels...))
		u.dimOf[string(u.key)] = to
	}
	u.otherOf[from] = to + 1
	return to
}
