package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// ErrNewerSchema is wrapped by Open when the ledger was written by a newer version of the program.
var ErrNewerSchema = errors.New("the ledger was written by a newer version")

// errOtherWriter says that another process changed the ledger while this one held it in memory.
var errOtherWriter = errors.New("another process writes to this ledger")

// store keeps what the ledger knows. It decides nothing: every derivation happens in memory, before a transaction is
// committed. Implementations pass the suite of package ledgertest.
type store interface {
	// load streams everything that has to be in memory.
	load(ctx context.Context, into *loaded) error
	// begin starts the only writing transaction. It fails with errOtherWriter when the file has moved on without us.
	begin(ctx context.Context) (tx, error)
	// size is the bytes that the ledger occupies.
	size() int64
	close() error
}

// tx is one transaction. Writes may be buffered until commit.
type tx interface {
	putMeta(name, value string) error
	putString(id int32, text string) error
	putOwner(id int32, o snapshot.Owner) error
	putName(roster string, id int32, name string, removed bool) error
	putScope(id int32, s *scope) error
	putSources(sources []Source) error
	putBlock(t blockTable, number int32, body []byte) error
	putPauses(weakness int32, spans string) error
	putPolicy(id int, v policyRow) error
	putCountingChange(id int, c snapshot.CountingChange) error
	// putHistory appends what takes the transaction back.
	putHistory(at int64, undo []byte) error
	putCode(enumeration string, code int, name string) error
	putFinding(row findingRow) error
	putRecord(row recordRow) error
	// findings yields the stored rows of the given reports, in any order. yield must not use the transaction.
	findings(reports []int32, yield func(findingRow) error) error
	commit() error
	// rollback gives up; after commit it does nothing.
	rollback()
}

// blockTable is one of the tables of compact state.
type blockTable string

// The tables of compact state.
const (
	reportBlocks   blockTable = "report_blocks"
	weaknessBlocks blockTable = "weakness_blocks"
	eventBlocks    blockTable = "event_blocks"
)

// sourceID names a collector instance.
type sourceID struct{ collector, instance string }

func (s sourceID) String() string { return s.collector + "/" + s.instance }

// findingRow is a report as stored.
type findingRow struct {
	report, weakness, scope int32
	id                      string
	firstObserved           int64
	changedAt               int64
	// goneAt is 0 while the source still has it.
	goneAt int64
	body   []byte
}

// recordRow is a record of another kind than finding as stored. revision counts from 1; a row with a body that is
// new ends the revision before it.
type recordRow struct {
	record        int32
	kind          record.Kind
	scope         int32
	id            string
	owner         int32
	firstObserved int64
	changedAt     int64
	goneAt        int64
	revision      int32
	// validFrom is when the revision was observed; only read, for it is written as changedAt.
	validFrom int64
	body      []byte
	// revised says that body is new since the row was written last.
	revised bool
}

// policyRow is a policy that verdicts fell under.
type policyRow struct {
	version    string
	since      int64
	firstEvent int64
	config     string
}

// loaded receives what a store holds. Every func is called in the order of ids.
type loaded struct {
	meta     func(name, value string) error
	code     func(enumeration string, code int, name string)
	text     func(id int32, text string)
	owner    func(id int32, o snapshot.Owner)
	name     func(roster string, id int32, name string, removed bool)
	source   func(Source)
	scope    func(id int32, s scope)
	block    func(t blockTable, number int32, body []byte) error
	pauses   func(weakness int32, spans string) error
	policy   func(policyRow)
	counting func(snapshot.CountingChange)
	record   func(recordRow) error
}

// failed wraps an error with what was being done.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// unix is t in Unix seconds, 0 for the zero time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// timeOf is the inverse of unix, in UTC.
func timeOf(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
