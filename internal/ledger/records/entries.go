package records

import (
	"crypto/sha256"
	"math"
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// milestone is the record as of the first revision that reached it.
type milestone[T any] struct {
	value T
	// at is by the source, zero if it gives no date; observed is when the revision was.
	at       time.Time
	observed int64
}

// goal says whether a record has reached a milestone, and when by its source.
type goal[T any] func(*T) (at time.Time, ok bool)

// Placement says what a record belongs to. It is how tables see the ledger that they are a part of.
type Placement interface {
	// Service is the service that a record is about, and who owns that now: positions in the snapshot.
	Service(about Subject) (service, owner int32)
	// Scope is the instance that a scope belongs to, and the position of the scope in the snapshot.
	Scope(number int32) (source store.SourceID, position int32)
	// Founded is when the import ended, zero before that.
	Founded() time.Time
	// ReadLater reports whether a service came with the first reading of a catalog, after the import had ended and after a record was first observed.
	ReadLater(service int32, observed int64) bool
}

// AnyTable is a table without the type of its records.
type AnyTable interface {
	load(row store.RecordRow) error
	Drop(at int64, t store.Tx, scope int32, keep map[string]bool) error
	Refresh(in Placement, moved bool)
	Freeze(in Placement, at int64, t store.Tx) error
	Size() (record.Kind, int)
	counts() (record.Kind, bool)
}

// Always is the instant from which a revision holds that reaches as far back as its own dates tell.
const Always = int64(math.MinInt64)

// Revision is what a record said over a span of time, in Unix seconds; Until is exclusive.
type Revision[T any] struct {
	Value       T
	From, Until int64
}

// observation is what a rule about revisions goes by.
type observation struct {
	// at is when a revision is observed, and read when its scope was read last before that, 0 if never.
	at, read int64
}

// dating says from when a revision holds; before is the one that it replaces, nil if the record was not there. What it replaces ends then; Always
// or an instant at which before began take its place altogether.
type dating[T any] func(before *Revision[T], value *T, o observation) int64

// Table holds the records of one kind other than finding, whole and in memory: there are thousands of them, not millions.
type Table[T any] struct {
	kind    record.Kind
	Entries map[Key]*Entry[T]
	// about is what a record says of itself: its id in its scope, and what it belongs to.
	about func(*T) Subject
	// carry, if set, takes over into a record of a delta or of a source that did not look everywhere what is known and the batch does not say.
	carry func(known, value *T)
	// Stale says that held has to be made anew.
	Stale bool
	Held  []snapshot.Held[T]
	// goals say whether a record has reached what its kind is counted by, and when; there are none if nothing is. reached are the
	// milestones of all records in the snapshot's form, by goal, made with held.
	goals   []goal[T]
	Reached [][]snapshot.Milestone[T]
	// dating is the rule by which its revisions are dated; nil if none are kept.
	dating dating[T]
	// live is the number of entries that are not gone.
	live int
}

// Key finds a record: its id in the scope that yields it, by the number of the scope.
type Key struct {
	scope int32
	id    string
}

// Entry is a record with what the ledger knows about it.
type Entry[T any] struct {
	number        int32
	Scope         int32
	id            string
	Value         T
	digest        [sha256.Size]byte
	owner         int32
	firstObserved int64
	Gone          bool
	revision      int32
	// milestones are by goal, nil until it is reached.
	milestones []*milestone[T]
	// Revisions are what it said over time, oldest first, if its table keeps them.
	Revisions []Revision[T]
}

// Subject is what a record says of itself.
type Subject struct {
	id         string
	Service    string
	Repository record.RepositoryName
}

func newTable[T any](kind record.Kind, about func(*T) Subject) *Table[T] {
	return &Table[T]{kind: kind, about: about, Entries: map[Key]*Entry[T]{}, Stale: true}
}

// unowned is the position of the owner of what no catalog claims.
const unowned = 0

// hold is the snapshot's form of an entry whose record is, or once was, value.
func (h *Table[T]) hold(in Placement, e *Entry[T], value T) snapshot.Held[T] {
	service, present := in.Service(h.about(&value))
	owner := present
	if !in.Founded().IsZero() {
		owner = e.owner
	}
	later := int32(0)
	if owner == unowned && in.ReadLater(service, e.firstObserved) {
		later = present
	}
	source, position := in.Scope(e.Scope)
	return snapshot.Held[T]{
		Record: value, Instance: source.String(), Scope: position, Service: service, Owner: owner, LaterOwner: later, FirstObserved: store.TimeOf(e.firstObserved),
	}
}
