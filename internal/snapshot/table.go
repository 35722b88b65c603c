package snapshot

import "iter"

// chunkSize balances the cost of copying a chunk on its first change against the length of the chunk list.
const chunkSize = 1024

// Table is an immutable sequence that shares unchanged parts with the tables it was made from: taking a snapshot of
// a million entries costs a copy of the chunk list, and a change to one entry the copy of one chunk.
// The zero Table is empty.
type Table[T any] struct {
	chunks []*[chunkSize]T
	n      int
}

// Len is the number of entries.
func (t *Table[T]) Len() int { return t.n }

// At is the entry at position i, which the caller must not change.
func (t *Table[T]) At(i int) *T { return &t.chunks[i/chunkSize][i%chunkSize] }

// All yields every position and entry in order. The caller must not change the entries.
func (t *Table[T]) All() iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		for c, chunk := range t.chunks {
			for i := range min(chunkSize, t.n-c*chunkSize) {
				if !yield(c*chunkSize+i, &chunk[i]) {
					return
				}
			}
		}
	}
}

// Editor builds the next version of a table. It is not safe for concurrent use. The zero Editor edits an empty table.
type Editor[T any] struct {
	table Table[T]
	// owned[c]: chunk c was made since the last Freeze and may be changed in place.
	owned []bool
}

// Edit returns an editor that starts from t.
func Edit[T any](t Table[T]) *Editor[T] {
	return &Editor[T]{
		table: Table[T]{chunks: append([]*[chunkSize]T(nil), t.chunks...), n: t.n},
		owned: make([]bool, len(t.chunks)),
	}
}

// Len is the number of entries.
func (e *Editor[T]) Len() int { return e.table.n }

// At is the entry at position i, which the caller must not change; use Change.
func (e *Editor[T]) At(i int) *T { return e.table.At(i) }

// Change returns the entry at position i for changing, until the next Freeze.
func (e *Editor[T]) Change(i int) *T {
	c := i / chunkSize
	if !e.owned[c] {
		fresh := *e.table.chunks[c]
		e.table.chunks[c] = &fresh
		e.owned[c] = true
	}
	return &e.table.chunks[c][i%chunkSize]
}

// Append adds an entry and returns its position.
func (e *Editor[T]) Append(v T) int {
	i := e.table.n
	if i == len(e.table.chunks)*chunkSize {
		e.table.chunks = append(e.table.chunks, new([chunkSize]T))
		e.owned = append(e.owned, true)
	}
	e.table.n++
	*e.Change(i) = v
	return i
}

// Freeze returns the table as it is now. Later changes through the editor do not reach it.
func (e *Editor[T]) Freeze() Table[T] {
	clear(e.owned)
	return Table[T]{chunks: append([]*[chunkSize]T(nil), e.table.chunks...), n: e.table.n}
}
