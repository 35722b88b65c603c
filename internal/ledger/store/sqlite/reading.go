package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"prodsec_exporter/internal/ledger/store"
)

// openForReading opens a file that is there, as the ledger of a running exporter may be, and never writes to it.
func openForReading(ctx context.Context, path string) (*Store, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s does not exist", store.ErrNoLedger, path)
	case err != nil:
		return nil, fmt.Errorf("opening the ledger: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", store.ErrNoLedger, path)
	}
	parameters := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(true)", "temp_store(MEMORY)"}}
	s, err := openReading(ctx, path, parameters)
	if err == nil || errors.Is(err, store.ErrNewerSchema) || errors.Is(err, store.ErrNoLedger) {
		return s, err
	}
	if _, missing := os.Stat(path + "-wal"); !errors.Is(missing, fs.ErrNotExist) {
		return nil, err
	}
	// Nobody uses it, and in a folder that this user may not write SQLite cannot make the files by which users find each other.
	parameters.Set("immutable", "1")
	return openReading(ctx, path, parameters)
}

func openReading(ctx context.Context, path string, parameters url.Values) (*Store, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: parameters.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{path: path, db: db}
	if err := s.checkVersion(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", path, err), db.Close())
	}
	return s, nil
}

// checkVersion refuses a file that this version of the program cannot read as it stands.
func (s *Store) checkVersion(ctx context.Context) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	version, err := s.version(ctx, len(steps))
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w in it", store.ErrNoLedger)
	case version < len(steps):
		return fmt.Errorf("it has schema %d, which an earlier version wrote, and this program reads schema %d: run the exporter on it once, or work on a copy",
			version, len(steps))
	}
	return nil
}

// LoadPast hands over everything as it was at an instant, in one transaction, so that a batch that lands meanwhile is seen whole or not at all.
func (s *Store) LoadPast(ctx context.Context, into *store.PastRows) error {
	t, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("starting to read: %w", err)
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	if err := each(ctx, t, settingsQuery, func(r *sql.Rows) error { return scanSetting(r, s.setting(&into.Rows)) }); err != nil {
		return fmt.Errorf("reading its settings: %w", err)
	}
	until, err := into.Ready()
	if err != nil {
		return err
	}
	if err := s.read(ctx, t, &into.Rows, recordsAsOf(until)); err != nil {
		return err
	}
	return takeBack(ctx, t, into.Undo)
}

// takeBack undoes one transaction after the other, from the last one, until the instant is reached.
func takeBack(ctx context.Context, q querier, undo func(at int64, body []byte) (bool, error)) error {
	rows, err := q.QueryContext(ctx, "SELECT at, undo FROM history ORDER BY id DESC")
	if err != nil {
		return fmt.Errorf("reading its history: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has told what went wrong
	var body sql.RawBytes
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at, &body); err != nil {
			return fmt.Errorf("reading its history: %w", err)
		}
		if more, err := undo(at, body); err != nil || !more {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading its history: %w", err)
	}
	return nil
}

// recordsAsOf selects every revision that was observed until an instant, with the time at which it ended if that is not later.
func recordsAsOf(instant int64) string {
	return fmt.Sprintf(`SELECT r.record, r.kind, r.scope, r.id, r.owner, r.first_observed, r.changed_at,
	 CASE WHEN v.valid_to <= %[1]d THEN v.valid_to ELSE 0 END, v.revision, v.valid_from, 0, v.since, v.body
	FROM records r JOIN revisions v ON v.record = r.record
	WHERE v.valid_from <= %[1]d
	ORDER BY r.record, v.revision`, instant)
}
