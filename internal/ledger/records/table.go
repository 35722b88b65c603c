package records

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// putting is a batch that is being stored.
type putting struct {
	in    Placement
	at    int64
	tx    store.Tx
	scope int32
	whole bool
	// partial says that the source did not look everywhere, so that what it does not state may be as it was.
	partial bool
	// read is when the scope was read last before the batch, 0 if never.
	read int64
	// next is the number of the next record of any kind.
	next *int32
}

// put stores the records of one kind and, for a whole batch that covers the kind, drops what it lacks.
func put[T any](p *putting, h *Table[T], items []T) error {
	if items == nil {
		return nil
	}
	keep := make(map[string]bool, len(items))
	for i := range items {
		id := h.about(&items[i]).id
		if id == "" {
			continue // nothing to know it by; collectors reject such items themselves
		}
		keep[id] = true
		if err := h.put(p, id, items[i]); err != nil {
			return err
		}
	}
	if p.whole {
		return h.Drop(p.at, p.tx, p.scope, keep)
	}
	return nil
}

func (h *Table[T]) put(p *putting, id string, value T) error {
	key := Key{p.scope, id}
	e := h.Entries[key]
	if h.carry != nil && p.partial && e != nil {
		h.carry(&e.Value, &value)
	}
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding %s %q: %w", h.kind, id, err)
	}
	digest := sha256.Sum256(body)
	if e != nil && e.digest == digest && !e.Gone {
		return nil
	}
	if e == nil {
		e = &Entry[T]{number: *p.next, Scope: p.scope, id: id, firstObserved: p.at, Gone: true}
		*p.next++
		h.Entries[key] = e
		_, e.owner = p.in.Service(h.about(&value))
	}
	revised := e.digest != digest
	if revised {
		e.revision++
	}
	if e.Gone {
		h.live++
	}
	since := h.sinceOf(e, &value, observation{at: p.at, read: p.read}, p.in.Founded().IsZero())
	h.revise(e, value, since)
	e.Value, e.digest, e.Gone = value, digest, false
	h.reach(e, p.at)
	h.Stale = true
	return h.store(p.tx, e, p.at, since, body, revised)
}

func (h *Table[T]) store(t store.Tx, e *Entry[T], at, since int64, body []byte, revised bool) error {
	row := store.RecordRow{
		Record: e.number, Kind: h.kind, Scope: e.Scope, ID: e.id, Owner: e.owner, FirstObserved: e.firstObserved,
		ChangedAt: at, Revision: e.revision, Body: body, Revised: revised,
	}
	if e.Gone {
		row.GoneAt = at
	}
	if since != Always {
		row.Since = since
	}
	if err := t.PutRecord(row); err != nil {
		return fmt.Errorf("storing %s %q: %w", h.kind, e.id, err)
	}
	return nil
}

// Drop marks the records of a scope as gone that are not to be kept.
func (h *Table[T]) Drop(at int64, t store.Tx, scope int32, keep map[string]bool) error {
	for key, e := range h.Entries {
		if key.scope != scope || e.Gone || keep[key.id] {
			continue
		}
		e.Gone = true
		h.live--
		h.Stale = true
		h.end(e, at)
		e.digest = [sha256.Size]byte{} // its return is a revision: the one before ends now
		if err := h.store(t, e, at, 0, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// load enters a revision of a stored record; the last one is what it says now.
func (h *Table[T]) load(row store.RecordRow) error {
	key := Key{row.Scope, row.ID}
	e := h.Entries[key]
	if e == nil {
		e = &Entry[T]{number: row.Record, Scope: row.Scope, id: row.ID, owner: row.Owner, firstObserved: row.FirstObserved, Gone: true}
		h.Entries[key] = e
	}
	if gone := row.GoneAt != 0; gone != e.Gone {
		e.Gone = gone
		if gone {
			h.live--
		} else {
			h.live++
		}
	}
	var value T
	if err := json.Unmarshal(row.Body, &value); err != nil {
		return fmt.Errorf("decoding %s %q: %w", row.Kind, row.ID, err)
	}
	e.Value, e.revision = value, row.Revision
	if !e.Gone {
		e.digest = sha256.Sum256(row.Body)
	}
	h.loadRevision(e, value, row)
	h.reach(e, row.ValidFrom)
	h.Stale = true
	return nil
}

// Size is the kind of the records and how many of them are not gone.
func (h *Table[T]) Size() (record.Kind, int) { return h.kind, h.live }

// counts says whether anything is counted by milestones of the kind.
func (h *Table[T]) counts() (record.Kind, bool) { return h.kind, len(h.goals) > 0 }

// Ordered are the entries that are not gone, in the order in which they were first held.
func (h *Table[T]) Ordered() []*Entry[T] {
	result := make([]*Entry[T], 0, h.live)
	for _, e := range h.Entries {
		if !e.Gone {
			result = append(result, e)
		}
	}
	slices.SortFunc(result, func(a, b *Entry[T]) int { return cmp.Compare(a.number, b.number) })
	return result
}

// Refresh makes the snapshot's form of the table if something changed, or moved in the snapshot that records refer to.
func (h *Table[T]) Refresh(in Placement, moved bool) {
	if !h.Stale && !moved {
		return
	}
	entries := h.Ordered()
	h.Held = make([]snapshot.Held[T], 0, len(entries))
	for _, e := range entries {
		h.Held = append(h.Held, h.hold(in, e, e.Value))
	}
	h.Reached = make([][]snapshot.Milestone[T], len(h.goals))
	for i := range h.goals {
		h.Reached[i] = h.milestones(in, i)
	}
	h.Stale = false
}

// Freeze fixes the owners of everything held at the founding: until then a catalog may have been read after what it owns.
func (h *Table[T]) Freeze(in Placement, at int64, t store.Tx) error {
	h.Stale = true // milestones of what is gone have the owner of the day they were first held from now on
	for _, e := range h.Entries {
		_, owner := in.Service(h.about(&e.Value))
		if owner == e.owner || e.Gone {
			continue
		}
		e.owner = owner
		if err := h.store(t, e, at, 0, nil, false); err != nil {
			return err
		}
	}
	return nil
}
