// Package ledger keeps what collectors learned, durably, and derives from it what happened: weaknesses from reports, events from
// changes, outcomes from deadlines. It hands all of it over as immutable snapshots.
//
// # How it works
//
// A batch is applied in one transaction: its records are stored, the weaknesses they touch are folded anew, the differences
// become events, and the scope's cursor moves. Memory is only shown (as a new Snapshot) after the transaction is
// committed; if it fails, memory is loaded again from the store, so the two never differ. A record that did not
// change costs a hash and a look-up, and no write.
//
// This package is the face: it orders operations, runs each in a transaction, and shows the result. Below it, references run one way:
//
//   - store: the interface of a store, its rows; a folder per store. A store decides nothing.
//   - identity, catalog, records, undo: which reports are one weakness; who owns what; records that are not findings; the stored form of what
//     takes a transaction back.
//   - derivation: everything in memory, and what follows from a change.
//   - past: a ledger as it was at an instant.
//
// Package ledgertest is the suite that every store has to pass.
//
// # The founding
//
// Until the first full pass over all sources has ended (MarkFounded) everything read is history: no events are stored, and
// those in a Snapshot are derived anew from the weaknesses as they stand, with the source's dates, so that the order in which
// sources were read first leaves no trace and windows are right on the first day. At the founding that history is stored once.
// From then on an event counts from when it was observed; see package snapshot.
//
// To add an operation: a method here that runs in a transaction. What follows from a change belongs into package derivation, a new store below package store.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"prodsec_exporter/internal/ledger/derivation"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Options say where the ledger is and what it decides by.
type Options struct {
	// Path is where the ledger is, in the form of one of the stores: a file for SQLite, whose folder is made if it does not exist.
	Path string
	// Policy decides deadlines and exceptions until SetPolicy gives another one; nil means policy.Default.
	Policy *policy.Policy
	// At is when it is opened: a policy that differs from the one in force, and a migration, count from then. Zero means from the last
	// operation.
	At time.Time
	// Resume, if set, says when it is opened instead of At, given the instant up to which it was settled, zero for a new one.
	Resume func(settled time.Time) time.Time
	// Measure computes the headline numbers by name, for what a change of counting does to them; nil leaves that open. It is given and not
	// called by name, because a ledger does not know what is measured.
	Measure func(*snapshot.Snapshot, *policy.Policy, time.Time) map[string]float64
	// Logger is told of what the ledger recovers from; nil discards.
	Logger *slog.Logger
}

// Source is a configured collector instance.
type Source = store.Source

// Stats are facts about the ledger itself.
type Stats struct {
	// Bytes is what its files occupy.
	Bytes int64
	// Errors counts transactions that failed since it was opened.
	Errors uint64
}

// Ledger is safe for concurrent use. Operations that change it wait for each other; Snapshot waits for nothing once the ledger is
// founded.
type Ledger struct {
	mu      sync.Mutex
	store   store.Store
	logger  *slog.Logger
	policy  *policy.Policy
	sources []Source
	measure derivation.Measure
	// state is nil when it has to be loaded again after a failure.
	state  *derivation.State
	closed bool

	current atomic.Pointer[snapshot.Snapshot]
	// unread says that history was read which current does not show yet (before the founding).
	unread atomic.Bool
	errors atomic.Uint64
}

// ErrClosed is returned by operations on a ledger after Close.
var ErrClosed = errors.New("the ledger is closed")

// ErrNewerSchema is wrapped by Open and OpenHistory when the ledger was written by a newer version of the program.
var ErrNewerSchema = store.ErrNewerSchema

// ErrNotConfigured is wrapped by Apply for a batch of an instance that Configure did not name: its collector was stopped while
// the batch was under way, and its records have left already.
var ErrNotConfigured = errors.New("the collector instance is not configured any more")

// Open opens the ledger at o.Path or makes a new one. The error wraps ErrNewerSchema when a newer version wrote it.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	s, err := driverOf(o.Path).Open(ctx, o.Path)
	if err != nil {
		return nil, err
	}
	return open(ctx, s, o)
}

func open(ctx context.Context, s store.Store, o Options) (*Ledger, error) {
	l := &Ledger{store: s, logger: o.Logger, policy: o.Policy, measure: o.Measure}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.policy == nil {
		l.policy = policy.Default()
	}
	loaded, err := derivation.Load(ctx, l.store, derivation.Options{Policy: l.policy, Measure: l.measure, Sources: l.sources, Logger: l.logger})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	l.state = loaded
	l.publish(loaded)
	opened := o.At
	if o.Resume != nil {
		opened = o.Resume(loaded.SettledUntil())
	}
	if err := l.change(ctx, later(opened, loaded.SettledUntil()), func(t store.Tx, st *derivation.State) error { return st.Open(t, l.policy, s.Migrated()) }); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return l, nil
}

// failed wraps an error with what was being done.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// later is the later of two instants.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// change runs one operation in one transaction and shows its result. When anything fails, the store and what is shown stay as
// they were, and memory is loaded again before the next operation.
func (l *Ledger) change(ctx context.Context, at time.Time, operate func(store.Tx, *derivation.State) error) (err error) {
	defer func() {
		if err != nil && ctx.Err() == nil {
			l.errors.Add(1)
		}
	}()
	if err := l.ready(ctx); err != nil {
		return err
	}
	t, err := l.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer t.Rollback()
	st := l.state
	l.state = nil // until the transaction is committed memory may be ahead of the store
	st.Begin(store.Unix(at))
	if err := operate(t, st); err != nil {
		return err
	}
	if err := st.Save(t); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	l.state = st
	l.publish(st)
	return nil
}

// ready loads the state again after a failure.
func (l *Ledger) ready(ctx context.Context) error {
	if l.closed {
		return ErrClosed
	}
	if l.state != nil {
		return nil
	}
	loaded, err := derivation.Load(ctx, l.store, derivation.Options{Policy: l.policy, Measure: l.measure, Sources: l.sources, Logger: l.logger})
	if err != nil {
		return err
	}
	l.state = loaded
	return nil
}

// Configure says which collector instances there are. Everything of an instance that is no longer among them leaves: its scopes and
// records at once, its open findings by the event scope_lost. Once founded, a change of the set is a CountingSource change.
func (l *Ledger) Configure(ctx context.Context, sources []Source, at time.Time) error {
	return l.Reconfigure(ctx, sources, nil, at)
}

// Reconfigure puts a set of collector instances and a policy in force, in one transaction: Configure and SetPolicy together, or neither. Nil is the policy that is in force.
func (l *Ledger) Reconfigure(ctx context.Context, sources []Source, p *policy.Policy, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(ctx); err != nil {
		l.errors.Add(1)
		return failed("taking over the configuration", err)
	}
	if l.state.Recounts(sources) {
		if err := l.settle(ctx, at); err != nil {
			return err
		}
	}
	err := l.change(ctx, at, func(t store.Tx, st *derivation.State) error {
		if err := st.Configure(t, sources); err != nil {
			return fmt.Errorf("the sources: %w", err)
		}
		if p == nil || p.Version() == l.policy.Version() {
			return nil
		}
		return failed("the policy", st.SetPolicy(t, p))
	})
	if err != nil {
		return failed("taking over the configuration", err)
	}
	l.sources = sources
	if p != nil {
		l.policy = p
	}
	return nil
}

// Apply brings in what a collector instance learned about one scope, as of the instant at, in one transaction. A batch with Err
// set only marks the scope. The error wraps ErrNotConfigured when the instance left the configuration. Cancelling ctx before the commit leaves everything as it was.
func (l *Ledger) Apply(ctx context.Context, collector, instance string, b record.Batch, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	source := store.SourceID{Collector: collector, Instance: instance}
	err := l.ready(ctx)
	switch {
	case err != nil:
		l.errors.Add(1)
	case !l.state.Accepts(source):
		err = ErrNotConfigured
	default:
		if l.state.Unread(source, &b) {
			err = l.settle(ctx, at) // so that what the new scope does to the numbers can be told from what fell due
		}
		if err == nil {
			err = l.change(ctx, at, func(t store.Tx, st *derivation.State) error { return st.Apply(t, source, &b) })
		}
	}
	return failed(fmt.Sprintf("applying %s of %s/%s", b.Scope, collector, instance), err)
}

// MarkFounded ends the import: the first full pass over all sources has ended, well or not. Later calls do nothing.
func (l *Ledger) MarkFounded(ctx context.Context, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != nil && !l.state.Importing() {
		return nil
	}
	return failed("founding the ledger", l.change(ctx, at, func(t store.Tx, st *derivation.State) error { return st.Found(t) }))
}

// SetPolicy puts another policy in force. Deadlines that have not passed move; outcomes that fell stay.
func (l *Ledger) SetPolicy(ctx context.Context, p *policy.Policy, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Version() == l.policy.Version() {
		return nil
	}
	err := l.change(ctx, at, func(t store.Tx, st *derivation.State) error { return st.SetPolicy(t, p) })
	if err != nil {
		return fmt.Errorf("changing the policy: %w", err)
	}
	l.policy = p
	return nil
}

// Settle lets happen what the calendar decides, up to an instant: deadlines that pass, exceptions that begin or end. It writes
// nothing when nothing happened, and doing it twice is doing it once.
func (l *Ledger) Settle(ctx context.Context, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settle(ctx, at)
}

func (l *Ledger) settle(ctx context.Context, at time.Time) error {
	if err := l.ready(ctx); err != nil {
		l.errors.Add(1)
		return failed("settling", err)
	}
	st := l.state
	if store.Unix(at) <= store.Unix(st.SettledUntil()) {
		return nil
	}
	if st.Idle(store.Unix(at)) {
		l.publish(st)
		return nil
	}
	return failed("settling", l.change(ctx, at, func(_ store.Tx, st *derivation.State) error {
		st.SettleUntil(store.Unix(at))
		return nil
	}))
}

// Cursors are the stored cursors of a collector instance by scope, empty for a scope that is known and has none.
func (l *Ledger) Cursors(ctx context.Context, collector, instance string) (map[string]record.Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(ctx); err != nil {
		return nil, fmt.Errorf("reading cursors: %w", err)
	}
	return l.state.Cursors(store.SourceID{Collector: collector, Instance: instance}), nil
}

// Founded is when the first full pass ended, zero before that.
func (l *Ledger) Founded() time.Time { return l.current.Load().Founded }

// Snapshot is all that is known, as of the last operation that succeeded.
func (l *Ledger) Snapshot() *snapshot.Snapshot {
	if l.unread.Load() && l.mu.TryLock() {
		if st := l.state; st != nil && l.unread.Load() {
			st.ImportHistory()
			l.current.Store(st.Snapshot())
			l.unread.Store(false)
		}
		l.mu.Unlock()
	}
	return l.current.Load()
}

// publish shows the state. Before the founding the history is derived only when somebody looks.
func (l *Ledger) publish(st *derivation.State) {
	if st.Importing() {
		if l.current.Load() != nil {
			l.unread.Store(true)
			return
		}
	}
	l.current.Store(st.Snapshot())
	l.unread.Store(st.Importing())
}

// Stats are the ledger's size and failures.
func (l *Ledger) Stats() Stats { return Stats{Bytes: l.store.Size(), Errors: l.errors.Load()} }

// Close releases the store. The last snapshot can still be read.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	return l.store.Close()
}
