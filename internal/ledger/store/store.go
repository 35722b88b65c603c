// Package store is what the ledger asks of the place where it is kept: the interface of a store, and the rows that are stored. It knows
// nothing of how weaknesses and events are derived.
//
// # Adding a store
//
// A store is a folder below this one that implements Store, Reader and Driver, and one line in the list stores of package ledger. Its
// test calls the suite of package ledgertest.
package store

import (
	"context"
	"errors"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// ErrNewerSchema is wrapped by Open when the ledger was written by a newer version of the program.
var ErrNewerSchema = errors.New("the ledger was written by a newer version")

// ErrNoLedger is wrapped when a ledger is to be read where there is none.
var ErrNoLedger = errors.New("there is no ledger")

// ErrOtherWriter says that another process changed the ledger while this one held it in memory.
var ErrOtherWriter = errors.New("another process writes to this ledger")

// Driver opens the ledgers of one kind of store.
type Driver interface {
	// Takes reports whether a location, as configured, is one of this kind.
	Takes(location string) bool
	// Open opens a ledger for writing or makes a new one, and brings it to the newest schema. The error wraps ErrNewerSchema when a newer
	// version of the program wrote it.
	Open(ctx context.Context, location string) (Store, error)
	// OpenForReading opens a ledger that is there, beside the process that writes it. The error wraps ErrNoLedger when there is none.
	OpenForReading(ctx context.Context, location string) (Reader, error)
}

// Store keeps what the ledger knows. It decides nothing: every derivation happens in memory, before a transaction is
// committed. Implementations pass the suite of package ledgertest.
type Store interface {
	Reader
	// Load streams everything that has to be in memory.
	Load(ctx context.Context, into *Rows) error
	// Begin starts the only writing transaction. It fails with errOtherWriter when the file has moved on without us.
	Begin(ctx context.Context) (Tx, error)
	// Size is the bytes that the ledger occupies.
	Size() int64
	// Migrated says that it was brought to a newer schema when it was opened.
	Migrated() bool
}

// Reader reads a ledger, which another process may be writing meanwhile.
type Reader interface {
	// LoadPast streams everything as it is now, and then what takes transactions back; all of it as of one instant.
	LoadPast(ctx context.Context, into *PastRows) error
	Close() error
}

// PastRows receives what a store holds, for going back to an instant.
type PastRows struct {
	Rows
	// Ready is called once the settings have been handed over, before anything else. It says as of which instant records are wanted: every
	// revision that was observed until then, with the time at which it ended if that is not later. An error ends the reading.
	Ready func() (recordsUntil int64, err error)
	// Undo takes back a transaction that was committed at an instant; the last one comes first. It reports whether the one before has to be looked at.
	Undo func(at int64, body []byte) (more bool, err error)
}

// Tx is one transaction. Writes may be buffered until commit.
type Tx interface {
	PutMeta(name, value string) error
	PutString(id int32, text string) error
	PutOwner(id int32, o snapshot.Owner) error
	PutName(kind string, id int32, name string, removed bool) error
	PutScope(id int32, s ScopeRow) error
	PutSources(sources []Source) error
	PutBlock(t BlockTable, number int32, body []byte) error
	PutPauses(weakness int32, spans string) error
	PutPolicy(id int, v PolicyRow) error
	PutCountingChange(id int, c snapshot.CountingChange) error
	// PutHistory appends what takes the transaction back.
	PutHistory(at int64, undo []byte) error
	PutCode(row CodeRow) error
	PutFinding(row FindingRow) error
	PutRecord(row RecordRow) error
	// Findings yields the stored rows of the given reports, in any order. yield must not use the transaction.
	Findings(reports []int32, yield func(FindingRow) error) error
	Commit() error
	// Rollback gives up; after commit it does nothing.
	Rollback()
}

// BlockTable is one of the tables of compact state.
type BlockTable string

// The tables of compact state.
const (
	ReportBlocks   BlockTable = "report_blocks"
	WeaknessBlocks BlockTable = "weakness_blocks"
	EventBlocks    BlockTable = "event_blocks"
)

// SourceID names a collector instance.
type SourceID struct{ Collector, Instance string }

// ID names the instance.
func (s *Source) ID() SourceID { return SourceID{s.Collector, s.Instance} }

func (s SourceID) String() string { return s.Collector + "/" + s.Instance }

// Source is a configured collector instance.
type Source struct {
	Collector string
	Instance  string
	// StaleAfter and StaleFrom are copied to the snapshot's scopes; see snapshot.Scope.
	StaleAfter time.Duration
	StaleFrom  time.Duration
	// Classes are those that its scopes can yield, if that is known beforehand.
	Classes []record.Class
}

// FindingRow is a report as stored.
type FindingRow struct {
	Report, Weakness, Scope int32
	ID                      string
	FirstObserved           int64
	ChangedAt               int64
	// GoneAt is 0 while the source still has it.
	GoneAt int64
	Body   []byte
}

// RecordRow is a record of another kind than finding as stored. revision counts from 1; a row with a body that is
// new ends the revision before it.
type RecordRow struct {
	Record        int32
	Kind          record.Kind
	Scope         int32
	ID            string
	Owner         int32
	FirstObserved int64
	ChangedAt     int64
	GoneAt        int64
	Revision      int32
	// Since is from when the revision holds, which may be before it was observed; 0 is as far back as its own dates tell.
	Since int64
	// ValidTo is when the revision ended, 0 while it holds; only read.
	ValidTo int64
	// ValidFrom is when the revision was observed; only read, for it is written as changedAt.
	ValidFrom int64
	Body      []byte
	// Revised says that body is new since the row was written last.
	Revised bool
}

// PolicyRow is a policy that verdicts fell under.
type PolicyRow struct {
	Version    string
	Since      int64
	FirstEvent int64
	Config     string
}

// CodeRow gives a code to a constant of an enumeration, so that no number of the program is ever stored.
type CodeRow struct {
	Enumeration string
	Code        int
	Name        string
}

// ScopeRow is a scope as stored.
type ScopeRow struct {
	Source  SourceID
	Name    string
	Removed bool
	Cursor  record.Cursor
	Classes []record.Class
	// Kinds are the kinds of record that it ever spoke of.
	Kinds []record.Kind
	// LeftOut is how many items its last whole sweep could not understand.
	LeftOut     int
	LastAttempt time.Time
	LastSuccess time.Time
	LastFull    time.Time
	LastError   record.ErrorReason
}

// Rows receives what a store holds. Every func is called in the order of ids.
type Rows struct {
	// Revisions are the kinds of record of which every revision is handed over; of the others only the last is.
	Revisions []record.Kind

	Meta     func(name, value string) error
	Code     func(CodeRow)
	Text     func(id int32, text string)
	Owner    func(id int32, o snapshot.Owner)
	Name     func(kind string, id int32, name string, removed bool)
	Source   func(Source)
	Scope    func(id int32, s ScopeRow)
	Block    func(t BlockTable, number int32, body []byte) error
	Pauses   func(weakness int32, spans string) error
	Policy   func(PolicyRow)
	Counting func(snapshot.CountingChange)
	Record   func(RecordRow) error
}

// Unix is t in Unix seconds, 0 for the zero time.
func Unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// TimeOf is the inverse of unix, in UTC.
func TimeOf(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
