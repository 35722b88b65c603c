package frame

import "slices"

// fold brings cells within the series budget: the least important entities become "other". If the folded part alone would take
// more than half of the budget, the next wider label becomes "other", too. The sum over all label sets stays what it was.
func (s *labelSpace) fold(cells []cell) ([]cell, int) {
	limit := max(s.budget/s.family.Lines(), 1)
	var to *folding
	size := 0
	for level := 1; level <= s.levels(); level++ {
		to = s.newFolding(level)
		if size = to.size(cells); size <= limit/2 {
			break
		}
	}
	need := make([]int, len(s.entities.Labels))
	for i := range cells {
		need[cells[i].entity]++
	}
	kept := s.keep(need, limit-size)
	for i := range cells {
		if c := &cells[i]; !kept[c.entity] {
			c.entity, c.dim = to.entityTo[c.entity], to.dim(c.dim)
		}
	}
	folded := 0
	for entity, n := range need {
		if n > 0 && !kept[entity] {
			folded++
		}
	}
	s.entities = to.entities
	return s.merge(cells), folded
}

// levels is how often the entities can be widened: until all labels but the fixed ones are "other".
func (s *labelSpace) levels() int { return len(s.entities.Names) - s.entities.Fixed }

// keep chooses the entities that stay, in order of importance until the budget is used up. For a counter every entity is taken to
// need all its label sets, so that the choice depends on nothing that changes from day to day.
func (s *labelSpace) keep(need []int, left int) []bool {
	counter := s.family.cumulative()
	kept := make([]bool, len(need))
	for _, entity := range s.entities.byImportance(counter) {
		if need[entity] == 0 {
			continue
		}
		if counter {
			left -= len(s.dims)
		} else {
			left -= need[entity]
		}
		if left < 0 {
			break
		}
		kept[entity] = true
	}
	return kept
}

// folding maps entities and dimensions to those they are folded into.
type folding struct {
	space *labelSpace
	*foldedEntities
	// dimTo leads from the dimensions there were to one more than those they become, 0 until it is needed.
	dimTo []int32
	dimOf map[string]int32
}

// newFolding folds the last level labels before the fixed ones.
func (s *labelSpace) newFolding(level int) *folding {
	return &folding{space: s, foldedEntities: s.entities.fold(level, s.levels()), dimTo: make([]int32, len(s.dims)), dimOf: map[string]int32{}}
}

// size is the number of label sets there would be if everything were folded.
func (f *folding) size(cells []cell) int {
	seen := make([][]bool, len(f.entities.Labels)) // by entity, then dimension
	n := 0
	for i := range cells {
		entity, dim := f.entityTo[cells[i].entity], int(f.dim(cells[i].dim))
		if dim >= len(seen[entity]) {
			seen[entity] = slices.Grow(seen[entity], len(f.space.dims)-len(seen[entity]))[:len(f.space.dims)]
		}
		if !seen[entity][dim] {
			seen[entity][dim] = true
			n++
		}
	}
	return n
}

// dim is what a dimension becomes: labels that mean nothing without the service are "other".
func (f *folding) dim(from int32) int32 {
	family := f.space.family
	if len(family.Detail) == 0 {
		return from
	}
	if to := f.dimTo[from]; to > 0 {
		return to - 1
	}
	values := slices.Clone(f.space.dims[from])
	for _, name := range family.Detail {
		at := slices.Index(family.Labels, name)
		if at > f.space.at {
			at -= len(f.entities.Names)
		}
		values[at] = Other
	}
	key := Key(values...)
	to, ok := f.dimOf[key]
	if !ok {
		to = int32(f.space.NewDim(values...))
		f.dimOf[key] = to
	}
	f.dimTo[from] = to + 1
	return to
}
