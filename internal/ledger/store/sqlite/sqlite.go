// Package sqlite keeps a ledger in one SQLite file. It stores and reads rows and decides nothing.
//
// The folder schema holds the migrations in order. They are forward only; a released one is never changed.
//
// To change the schema: a migration with the next number, its rows in package store, and the ledger of the last release in the test of migrations.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

//go:embed schema/*.sql
var schema embed.FS

// open opens or creates the file and brings it to the newest schema.
func open(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("opening the ledger: no path given")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if err := secure(path); err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	pragmas := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(OFF)",
			"cache_size(-16000)", "temp_store(MEMORY)", "journal_size_limit(67108864)",
			"wal_autocheckpoint(16000)", // pages: folding the log into the file costs as much as ten deltas wrote
		},
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // one writer; readers use the snapshot
	s := &Store{path: path, db: db}
	if err := errors.Join(s.migrate(ctx), s.identify()); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", path, s.inWords(err)), db.Close())
	}
	return s, nil
}

// migrations are the embedded schema files in order; the position of each is one less than the version it leads to.
func migrations() ([]string, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the schema: %w", err)
	}
	var steps []string
	for _, name := range names {
		step, err := schema.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the schema: %w", err)
		}
		steps = append(steps, string(step))
	}
	return steps, nil
}

// migrate runs the migrations that the file lacks, all in one transaction. There is no way back.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	version, err := s.version(ctx, len(steps))
	if err != nil {
		return err
	}
	if version == len(steps) {
		if s.marked {
			return nil
		}
		_, err := s.db.ExecContext(ctx, markStatement()) // an earlier version of the program did not
		return err
	}
	t, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrating from schema %d: %w", version, err)
	}
	defer func() { _ = t.Rollback() }() // after Commit it does nothing
	for i, step := range steps[version:] {
		if _, err := t.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("migrating from schema %d to %d: %w", version+i, version+i+1, err)
		}
	}
	for _, statement := range []string{"PRAGMA user_version = " + strconv.Itoa(len(steps)), markStatement()} {
		if _, err := t.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("setting its version: %w", err)
		}
	}
	s.upgraded = version > 0
	if err := t.Commit(); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// version is the schema of the file, which is none that this program does not know.
func (s *Store) version(ctx context.Context, known int) (int, error) {
	version, err := s.recognise(ctx)
	if err != nil {
		return 0, err
	}
	if version > known {
		return 0, fmt.Errorf("%w: %s has schema %d and this program knows schemas up to %d; upgrade the program or use another file",
			store.ErrNewerSchema, s.path, version, known)
	}
	return version, nil
}

// Size is the bytes of the file and its log.
func (s *Store) Size() int64 {
	var total int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			total += info.Size()
		}
	}
	return total
}

// Migrated says that opening it brought it to a newer schema.
func (s *Store) Migrated() bool { return s.upgraded }

// Close closes the file.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the ledger %s: %w", s.path, err)
	}
	return nil
}

// querier is a database or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each runs a query and hands every row to scan.
func each(ctx context.Context, q querier, query string, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told what went wrong
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Load reads all tables but the bodies of findings, which stay on disk.
func (s *Store) Load(ctx context.Context, into *store.Rows) error {
	return s.read(ctx, s.db, into, recordQuery(into.Revisions))
}

// read hands over all tables but the bodies of findings, and the records that a query selects.
func (s *Store) read(ctx context.Context, q querier, into *store.Rows, records string) error {
	s.generation = 0
	for _, step := range []struct {
		what, query string
		scan        func(*sql.Rows) error
	}{
		{"settings", settingsQuery, func(r *sql.Rows) error { return scanSetting(r, s.setting(into)) }},
		{"codes", "SELECT enumeration, code, name FROM codes ORDER BY enumeration, code", func(r *sql.Rows) error {
			var row store.CodeRow
			err := r.Scan(&row.Enumeration, &row.Code, &row.Name)
			into.Code(row)
			return err
		}},
		{"texts", "SELECT id, text FROM strings ORDER BY id", func(r *sql.Rows) error {
			var id int32
			var text string
			err := r.Scan(&id, &text)
			into.Text(id, text)
			return err
		}},
		{"owners", "SELECT id, business_unit, team, service, trust_tier FROM owners ORDER BY id", func(r *sql.Rows) error {
			var id int32
			var o snapshot.Owner
			err := r.Scan(&id, &o.BusinessUnit, &o.Team, &o.Service, &o.TrustTier)
			into.Owner(id, o)
			return err
		}},
		{"names", "SELECT roster, id, name, removed FROM names ORDER BY roster, id", func(r *sql.Rows) error {
			var kind, name string
			var id int32
			var removed bool
			err := r.Scan(&kind, &id, &name, &removed)
			into.Name(kind, id, name, removed)
			return err
		}},
		{"sources", sourceQuery, func(r *sql.Rows) error { return loadSource(r, into) }},
		{"scopes", scopeQuery, func(r *sql.Rows) error { return loadScope(r, into) }},
		{"reports", "SELECT number, body FROM report_blocks ORDER BY number", loadBlock(store.ReportBlocks, into)},
		{"weaknesses", "SELECT number, body FROM weakness_blocks ORDER BY number", loadBlock(store.WeaknessBlocks, into)},
		{"events", "SELECT number, body FROM event_blocks ORDER BY number", loadBlock(store.EventBlocks, into)},
		{"pauses", "SELECT weakness, spans FROM pauses", func(r *sql.Rows) error {
			var weakness int32
			var spans string
			if err := r.Scan(&weakness, &spans); err != nil {
				return err
			}
			return into.Pauses(weakness, spans)
		}},
		{"policies", "SELECT version, since, first_event, config FROM policies ORDER BY id", func(r *sql.Rows) error {
			var p store.PolicyRow
			err := r.Scan(&p.Version, &p.Since, &p.FirstEvent, &p.Config)
			into.Policy(p)
			return err
		}},
		{"counting changes", "SELECT kind, at, restated FROM counting_changes ORDER BY id", func(r *sql.Rows) error {
			return loadCountingChange(r, into)
		}},
		{"records", records, func(r *sql.Rows) error { return loadRecord(r, into) }},
	} {
		if err := each(ctx, q, step.query, step.scan); err != nil {
			return fmt.Errorf("reading the %s of the ledger %s: %w", step.what, s.path, err)
		}
	}
	return nil
}

func loadCountingChange(r *sql.Rows, into *store.Rows) error {
	var c snapshot.CountingChange
	var at int64
	var restated string
	if err := r.Scan(&c.Kind, &at, &restated); err != nil {
		return err
	}
	c.At = store.TimeOf(at)
	if restated != "" {
		if err := json.Unmarshal([]byte(restated), &c.Restated); err != nil {
			return fmt.Errorf("decoding what a change of counting did: %w", err)
		}
	}
	into.Counting(c)
	return nil
}

const settingsQuery = "SELECT name, value FROM meta"

func scanSetting(r *sql.Rows, take func(name, value string) error) error {
	var name, value string
	if err := r.Scan(&name, &value); err != nil {
		return err
	}
	return take(name, value)
}

// setting keeps the store's own setting and hands on the others.
func (s *Store) setting(into *store.Rows) func(name, value string) error {
	return func(name, value string) (err error) {
		if name == "generation" {
			s.generation, err = strconv.ParseInt(value, 10, 64)
			return err
		}
		return into.Meta(name, value)
	}
}

const sourceQuery = "SELECT collector, instance, stale_after, stale_from, classes FROM sources ORDER BY position, collector, instance"

func loadSource(r *sql.Rows, into *store.Rows) error {
	var s store.Source
	var classes string
	err := r.Scan(&s.Collector, &s.Instance, &s.StaleAfter, &s.StaleFrom, &classes)
	for class := range strings.FieldsSeq(classes) {
		s.Classes = append(s.Classes, record.Class(class))
	}
	into.Source(s)
	return err
}

const scopeQuery = `SELECT id, collector, instance, name, removed, cursor, classes, kinds, left_out, last_attempt, last_success, last_full, last_error
	FROM scopes ORDER BY id`

func loadScope(r *sql.Rows, into *store.Rows) error {
	var s store.ScopeRow
	var id int32
	var classes, kinds string
	var attempt, success, full int64
	err := r.Scan(&id, &s.Source.Collector, &s.Source.Instance, &s.Name, &s.Removed, &s.Cursor, &classes, &kinds, &s.LeftOut, &attempt, &success,
		&full, &s.LastError)
	for class := range strings.FieldsSeq(classes) {
		s.Classes = append(s.Classes, record.Class(class))
	}
	for kind := range strings.FieldsSeq(kinds) {
		s.Kinds = append(s.Kinds, record.Kind(kind))
	}
	s.LastAttempt, s.LastSuccess, s.LastFull = store.TimeOf(attempt), store.TimeOf(success), store.TimeOf(full)
	into.Scope(id, s)
	return err
}

func loadBlock(t store.BlockTable, into *store.Rows) func(*sql.Rows) error {
	var raw sql.RawBytes
	return func(r *sql.Rows) error {
		var number int32
		if err := r.Scan(&number, &raw); err != nil {
			return err
		}
		return into.Block(t, number, raw)
	}
}

const recordColumns = `SELECT r.record, r.kind, r.scope, r.id, r.owner, r.first_observed, r.changed_at, coalesce(r.gone_at, 0), v.revision,
	 v.valid_from, coalesce(v.valid_to, 0), v.since, v.body
	FROM records r JOIN revisions v ON v.record = r.record`

// recordQuery reads the last revision of every record, and all of them where a milestone may be in an earlier one.
func recordQuery(revisions []record.Kind) string {
	return recordColumns + ` AND (r.kind IN ('` + strings.Join(texts(revisions), "', '") + `')
	  OR v.revision = (SELECT max(revision) FROM revisions x WHERE x.record = r.record))
	ORDER BY r.record, v.revision`
}

func loadRecord(r *sql.Rows, into *store.Rows) error {
	var row store.RecordRow
	if err := r.Scan(&row.Record, &row.Kind, &row.Scope, &row.ID, &row.Owner, &row.FirstObserved, &row.ChangedAt, &row.GoneAt,
		&row.Revision, &row.ValidFrom, &row.ValidTo, &row.Since, &row.Body); err != nil {
		return err
	}
	return into.Record(row)
}

// Begin starts a transaction and takes the file's next generation, which fails if anybody else took it.
func (s *Store) Begin(ctx context.Context) (store.Tx, error) {
	if err := s.present(); err != nil {
		return nil, err
	}
	t, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("starting a transaction: %w", s.inWords(err))
	}
	w := &transaction{ctx: ctx, store: s, tx: t, statements: map[string]*sql.Stmt{}}
	if err := w.advance(); err != nil {
		w.Rollback()
		return nil, err
	}
	return w, nil
}

func (w *transaction) advance() error {
	next := strconv.FormatInt(w.store.generation+1, 10)
	if w.store.generation == 0 {
		return w.exec("INSERT INTO meta (name, value) VALUES ('generation', ?)", next)
	}
	statement, err := w.prepare("UPDATE meta SET value = ? WHERE name = 'generation' AND value = ?")
	if err != nil {
		return err
	}
	result, err := statement.ExecContext(w.ctx, next, strconv.FormatInt(w.store.generation, 10))
	if err != nil {
		return fmt.Errorf("taking the next generation: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%w: %s", store.ErrOtherWriter, w.store.path), err)
	}
	return nil
}

var _ store.Store = (*Store)(nil)
