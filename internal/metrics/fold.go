package metrics

import "slices"

// fold brings cells within a series budget: the least important entities become "other". If the folded part alone would take
// more than half of the budget, the next wider label becomes "other", too. The sum over all label sets stays what it was.
func (s *Sink) fold(cells []cell, budget int) ([]cell, int) {
	limit := max(budget/s.lines(), 1)
	var to *folding
	for level := 1; level <= s.levels(); level++ {
		to = s.newFolding(level)
		if to.size(cells) <= limit/2 {
			break
		}
	}
	kept := s.keep(cells, limit-to.size(cells))
	for i, c := range cells {
		if !kept[c.entity] {
			cells[i].entity, cells[i].dim = to.entity(c.entity), to.dim(c.dim)
		}
	}
	folded := 0
	for entity := range s.entities.labels {
		if !kept[entity] && to.from[entity] {
			folded++
		}
	}
	s.entities = to.entities
	return s.merge(cells), folded
}

// levels is how often the entities can be widened: until all labels but trust_tier are "other".
func (s *Sink) levels() int {
	n := len(s.entities.names)
	if slices.Contains(s.entities.names, "trust_tier") {
		n--
	}
	return n
}

// keep chooses the entities that stay, in order of importance until the room is used up. For a counter every entity is taken to
// need all its label sets, so that the choice depends on nothing that changes from day to day.
func (s *Sink) keep(cells []cell, room int) []bool {
	counter := s.family.Type == Counter || s.family.Type == EventHistogram
	need := make([]int, len(s.entities.labels))
	for _, c := range cells {
		need[c.entity]++
	}
	kept := make([]bool, len(need))
	for _, entity := range s.entities.byImportance(counter) {
		if need[entity] == 0 {
			continue
		}
		if counter {
			room -= len(s.dims)
		} else {
			room -= need[entity]
		}
		if room < 0 {
			break
		}
		kept[entity] = true
	}
	return kept
}

// folding maps entities and dimensions to those they are folded into.
type folding struct {
	sink  *Sink
	level int
	// entities are those of the sink and, behind them, the folded ones.
	entities *entities
	index    *index
	entityTo map[int32]int32
	dimTo    map[int32]int32
	from     map[int]bool
}

func (s *Sink) newFolding(level int) *folding {
	e := &entities{names: s.entities.names, labels: slices.Clone(s.entities.labels), weight: slices.Clone(s.entities.weight)}
	f := &folding{
		sink: s, level: level, entities: e, index: newIndex(e),
		entityTo: map[int32]int32{}, dimTo: map[int32]int32{}, from: map[int]bool{},
	}
	for i, labels := range e.labels {
		if slices.Contains(labels, other) { // somebody's real name; what is folded joins it
			f.index.at[joined(labels)] = int32(i)
		}
	}
	return f
}

// size is the number of label sets there would be if everything were folded.
func (f *folding) size(cells []cell) int {
	seen := map[uint64]bool{}
	for _, c := range cells {
		seen[cell{entity: f.entity(c.entity), dim: f.dim(c.dim)}.key()] = true
	}
	return len(seen)
}

// entity is what an entity becomes: its last level labels before the trust tier are "other".
func (f *folding) entity(from int32) int32 {
	if to, ok := f.entityTo[from]; ok {
		return to
	}
	labels := slices.Clone(f.sink.entities.labels[from])
	last := f.sink.levels()
	for i := last - f.level; i < last; i++ {
		labels[i] = other
	}
	to := f.index.of(weight{}, labels...)
	f.entityTo[from], f.from[int(from)] = to, true
	return to
}

// dim is what a dimension becomes: labels that mean nothing without the service are "other".
func (f *folding) dim(from int32) int32 {
	if len(f.sink.family.Detail) == 0 {
		return from
	}
	if to, ok := f.dimTo[from]; ok {
		return to
	}
	values := slices.Clone(f.sink.dims[from])
	for _, name := range f.sink.family.Detail {
		at := slices.Index(f.sink.family.Labels, name)
		if at > f.sink.at {
			at -= len(f.sink.entities.names)
		}
		values[at] = other
	}
	to := int32(f.sink.intern(values))
	f.dimTo[from] = to
	return to
}
