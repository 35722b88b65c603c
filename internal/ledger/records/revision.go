package records

import (
	"math"

	"prodsec_exporter/internal/ledger/store"
)

// keepRevisions makes a table remember what its records said before, by a rule that dates their changes.
func (h *Table[T]) keepRevisions(rule dating[T]) { h.dating = rule }

// sinceOf is from when the new value of an entry holds. Until the import has ended, and for what a scope holds that was never read, the
// value itself is all the history that there is.
func (h *Table[T]) sinceOf(e *Entry[T], value *T, o observation, imports bool) int64 {
	if h.dating == nil || imports || o.read == 0 {
		return Always
	}
	var before *Revision[T]
	if n := len(e.Revisions); n > 0 {
		before = &e.Revisions[n-1]
	}
	return h.dating(before, value, o)
}

// revise adds a revision that holds from an instant on.
func (h *Table[T]) revise(e *Entry[T], value T, since int64) {
	if h.dating == nil {
		return
	}
	kept := len(e.Revisions)
	for kept > 0 && e.Revisions[kept-1].From >= since {
		kept--
	}
	revisions := append([]Revision[T](nil), e.Revisions[:kept]...) // whoever was given them keeps what they were
	if kept > 0 {
		last := &revisions[kept-1]
		last.Until = min(last.Until, since)
	}
	e.Revisions = append(revisions, Revision[T]{Value: value, From: since, Until: math.MaxInt64})
}

// end says that the last revision holds no longer.
func (h *Table[T]) end(e *Entry[T], at int64) {
	if n := len(e.Revisions); n > 0 {
		revisions := append([]Revision[T](nil), e.Revisions...)
		revisions[n-1].Until = min(revisions[n-1].Until, at)
		e.Revisions = revisions
	}
}

// loadRevision enters a stored revision.
func (h *Table[T]) loadRevision(e *Entry[T], value T, row store.RecordRow) {
	since := row.Since
	if since == 0 {
		since = Always
	}
	h.revise(e, value, since)
	if row.ValidTo != 0 {
		h.end(e, row.ValidTo)
	}
}
