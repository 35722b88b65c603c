package derivation

import (
	"maps"
	"slices"

	"prodsec_exporter/internal/ledger/store"
)

// nameTable gives names positions in the snapshot. A name keeps its number for ever, and numbers are what is stored; positions are
// dense and follow the order of numbers, so they change only when a name leaves.
type nameTable struct {
	kind  string
	names []string
	// position by number, -1 for a name that left; order is the inverse.
	position []int32
	order    []int32
	byName   map[string]int32
	touched  map[int32]struct{}
}

// The tables of names, as they are called in the store.
const (
	NamesOfServices     = "service"
	NamesOfRepositories = "repository"
)

func newNameTable(kind string) nameTable {
	return nameTable{kind: kind, byName: map[string]int32{}, touched: map[int32]struct{}{}}
}

// load enters a stored name; call it in the order of numbers.
func (r *nameTable) load(number int32, name string, removed bool) {
	for int32(len(r.names)) <= number {
		r.names = append(r.names, "")
		r.position = append(r.position, -1)
	}
	r.names[number] = name
	if !removed {
		r.position[number] = int32(len(r.order))
		r.order = append(r.order, number)
		r.byName[name] = number
	}
}

// add returns the position of a name, entering it at the end if it is not there.
func (r *nameTable) add(name string) int32 {
	if number, ok := r.byName[name]; ok {
		return r.position[number]
	}
	number := int32(len(r.names))
	r.load(number, name, false)
	r.touched[number] = struct{}{}
	return r.position[number]
}

// rename gives a name that is there another one that is not, and returns its number. Its position stays.
func (r *nameTable) rename(old, present string) int32 {
	number := r.byName[old]
	delete(r.byName, old)
	r.names[number] = present
	r.byName[present] = number
	r.touched[number] = struct{}{}
	return number
}

// find is the position of a name, -1 if it is not there.
func (r *nameTable) find(name string) int32 {
	if number, ok := r.byName[name]; ok {
		return r.position[number]
	}
	return -1
}

// at is the name at a position.
func (r *nameTable) at(position int32) string { return r.names[r.order[position]] }

// positionOf is the inverse of number; what left has none.
func (r *nameTable) positionOf(number int32) int32 {
	if number < 0 || int(number) >= len(r.position) {
		return -1
	}
	return r.position[number]
}

// keep drops every name for which stays is false. It returns the new position by old position (-1 for those that left), or nil
// when nothing changed.
func (r *nameTable) keep(stays func(name string) bool) []int32 {
	moved := make([]int32, len(r.order))
	order := r.order[:0:0]
	for old, number := range r.order {
		if stays(r.names[number]) {
			moved[old] = int32(len(order))
			order = append(order, number)
			continue
		}
		moved[old] = -1
		delete(r.byName, r.names[number])
		r.position[number] = -1
		r.touched[number] = struct{}{}
	}
	if len(order) == len(r.order) {
		return nil
	}
	r.order = order
	for position, number := range order {
		r.position[number] = int32(position)
	}
	return moved
}

// left are the numbers below n of names that left since the last save, in order.
func (r *nameTable) left(n int) []int32 {
	var left []int32
	for _, number := range sortedKeys(r.touched) {
		if int(number) < n && r.position[number] < 0 {
			left = append(left, number)
		}
	}
	return left
}

// save writes what changed.
func (r *nameTable) save(t store.Tx) error {
	for number := range r.touched {
		if err := t.PutName(r.kind, number, r.names[number], r.position[number] < 0); err != nil {
			return err
		}
	}
	clear(r.touched)
	return nil
}

// sortedKeys are the keys of a map in order, so that events are derived in an order that does not depend on the run.
func sortedKeys[V any](m map[int32]V) []int32 { return slices.Sorted(maps.Keys(m)) }

// sortedNames are the keys of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
