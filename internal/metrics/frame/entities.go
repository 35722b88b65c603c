package frame

import (
	"cmp"
	"slices"
)

// Entities are what families are about, e.g. services, or the teams that they belong to: label sets that many families share. A family
// refers to them by position.
type Entities struct {
	// Names are the label names that identify an entity, widest first; folding leaves the last Fixed of them as they are.
	Names []string
	Fixed int
	// Labels hold the values in the order of Names, Weights how much each entity matters.
	Labels  [][]string
	Weights []Weight
	// ordered are all positions by importance, for a counter and for anything else; made when first needed.
	ordered map[bool][]int32
	// ranked are the ranks, and folded what becomes of the entities when so many of their labels do; both made when first needed.
	ranked []int32
	folded map[int]*foldedEntities
}

// NoEntity is the entity of families that are about none.
const NoEntity int32 = 0

// Weight says how much an entity matters when not all can be shown: first by Rank, then by Exposed, then by Urgent.
type Weight struct {
	// Rank is lower for what matters more.
	Rank    uint8
	Exposed bool
	// Urgent is higher for what matters more. It changes from day to day, so counters leave it out.
	Urgent uint32
}

// Join is the weight of several entities taken together.
func (w Weight) Join(o Weight) Weight {
	return Weight{Rank: min(w.Rank, o.Rank), Exposed: w.Exposed || o.Exposed, Urgent: w.Urgent + o.Urgent}
}

// byImportance lists positions, the most important first. Counters must not move to and fro between their own series and
// "other", so for them what changes from day to day does not count.
func (e *Entities) byImportance(counter bool) []int32 {
	if order, ok := e.ordered[counter]; ok {
		return order
	}
	order := make([]int32, len(e.Labels))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := e.Weights[a], e.Weights[b]
		if c := cmp.Compare(x.Rank, y.Rank); c != 0 {
			return c
		}
		if x.Exposed != y.Exposed {
			if x.Exposed {
				return -1
			}
			return 1
		}
		if c := cmp.Compare(y.Urgent, x.Urgent); c != 0 && !counter {
			return c
		}
		return slices.Compare(e.Labels[a], e.Labels[b])
	})
	if e.ordered == nil {
		e.ordered = map[bool][]int32{}
	}
	e.ordered[counter] = order
	return order
}

// Index finds or adds entities by their labels.
type Index struct {
	in *Entities
	at map[string]int32
	// key is a buffer for a key of at.
	key []byte
}

// NewIndex returns an Index that adds to some entities.
func NewIndex(e *Entities) *Index { return &Index{in: e, at: map[string]int32{}} }

// Of finds or adds an entity and joins a weight to its own. It keeps a copy of the labels.
func (x *Index) Of(w Weight, labels ...string) int32 {
	x.key = x.key[:0]
	for _, label := range labels {
		x.key = append(append(x.key, label...), separator)
	}
	at, ok := x.at[string(x.key)]
	if !ok {
		at = int32(len(x.in.Labels))
		x.at[string(x.key)] = at
		x.in.Labels = append(x.in.Labels, slices.Clone(labels))
		x.in.Weights = append(x.in.Weights, w)
	}
	x.in.Weights[at] = x.in.Weights[at].Join(w)
	return at
}

// foldedEntities are entities and, behind them, what they are folded into; entityTo leads from the former to the latter.
type foldedEntities struct {
	entities *Entities
	entityTo []int32
}

// fold makes "other" of level labels that end before the last one. All families about the same entities share the result.
func (e *Entities) fold(level, last int) *foldedEntities {
	if f, ok := e.folded[level]; ok {
		return f
	}
	all := &Entities{Names: e.Names, Fixed: e.Fixed, Labels: slices.Clone(e.Labels), Weights: slices.Clone(e.Weights)}
	f := &foldedEntities{entities: all, entityTo: make([]int32, len(e.Labels))}
	index, labels := NewIndex(all), make([]string, len(e.Names))
	for i := range e.Labels {
		copy(labels, e.Labels[i])
		for at := last - level; at < last; at++ {
			labels[at] = Other
		}
		f.entityTo[i] = index.Of(e.Weights[i], labels...)
	}
	if e.folded == nil {
		e.folded = map[int]*foldedEntities{}
	}
	e.folded[level] = f
	return f
}

// ranks are those of all entities, made when first needed.
func (e *Entities) ranks() []int32 {
	if e.ranked == nil {
		e.ranked = ranksOf(e.Labels)
	}
	return e.ranked
}

// entitiesOf picks the entities that the labels of a family name, and where among the labels they stand; nil if the family is about none.
func entitiesOf(labels []string, entities []*Entities) (e *Entities, at int) {
	for _, e := range entities {
		for at := 0; at+len(e.Names) <= len(labels); at++ {
			if slices.Equal(labels[at:at+len(e.Names)], e.Names) {
				return e, at
			}
		}
	}
	return nil, 0
}
