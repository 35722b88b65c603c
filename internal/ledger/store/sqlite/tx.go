package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/snapshot"
)

// rowsPerInsert is how many rows one statement inserts where there are many: the cost of a statement is then small
// beside that of its rows.
const rowsPerInsert = 64

// transaction is one transaction. Rows of findings are buffered and written many at a time.
type transaction struct {
	ctx        context.Context
	store      *Store
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	buffered   []any
	rows       int
	done       bool
}

func (w *transaction) prepare(query string) (*sql.Stmt, error) {
	if s, ok := w.statements[query]; ok {
		return s, nil
	}
	s, err := w.tx.PrepareContext(w.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	w.statements[query] = s
	return s, nil
}

func (w *transaction) exec(query string, args ...any) error {
	s, err := w.prepare(query)
	if err != nil {
		return err
	}
	if _, err := s.ExecContext(w.ctx, args...); err != nil {
		return fmt.Errorf("writing to the ledger: %w", err)
	}
	return nil
}

func (w *transaction) PutMeta(name, value string) error {
	return w.exec("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)
}

func (w *transaction) PutString(id int32, text string) error {
	return w.exec("INSERT INTO strings (id, text) VALUES (?, ?)", id, text)
}

func (w *transaction) PutOwner(id int32, o snapshot.Owner) error {
	return w.exec("INSERT OR REPLACE INTO owners (id, business_unit, team, service, trust_tier) VALUES (?, ?, ?, ?, ?)",
		id, o.BusinessUnit, o.Team, o.Service, o.TrustTier)
}

func (w *transaction) PutName(kind string, id int32, name string, removed bool) error {
	return w.exec("INSERT OR REPLACE INTO names (roster, id, name, removed) VALUES (?, ?, ?, ?)", kind, id, name, removed)
}

func (w *transaction) PutSources(sources []store.Source) error {
	if err := w.exec("DELETE FROM sources"); err != nil {
		return err
	}
	for i, s := range sources {
		if err := w.exec("INSERT INTO sources (collector, instance, position, stale_after, stale_from, classes) VALUES (?, ?, ?, ?, ?, ?)",
			s.Collector, s.Instance, i, int64(s.StaleAfter), int64(s.StaleFrom), words(s.Classes)); err != nil {
			return err
		}
	}
	return nil
}

func (w *transaction) PutHistory(at int64, undo []byte) error {
	return w.exec("INSERT INTO history (at, undo) VALUES (?, ?)", at, undo)
}

func (w *transaction) PutScope(id int32, s store.ScopeRow) error {
	return w.exec(`INSERT OR REPLACE INTO scopes (id, collector, instance, name, removed, cursor, classes, kinds, left_out, last_attempt, last_success,
		last_full, last_error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, s.Source.Collector, s.Source.Instance, s.Name, s.Removed,
		string(s.Cursor), words(s.Classes), words(s.Kinds), s.LeftOut, store.Unix(s.LastAttempt), store.Unix(s.LastSuccess), store.Unix(s.LastFull), string(s.LastError))
}

// words is a list of names as stored.
func words[T ~string](names []T) string { return strings.Join(texts(names), " ") }

func texts[T ~string](names []T) []string {
	result := make([]string, len(names))
	for i, name := range names {
		result[i] = string(name)
	}
	return result
}

func (w *transaction) PutBlock(t store.BlockTable, number int32, body []byte) error {
	return w.exec("INSERT OR REPLACE INTO "+string(t)+" (number, body) VALUES (?, ?)", number, body)
}

func (w *transaction) PutPauses(weakness int32, spans string) error {
	if spans == "" {
		return w.exec("DELETE FROM pauses WHERE weakness = ?", weakness)
	}
	return w.exec("INSERT OR REPLACE INTO pauses (weakness, spans) VALUES (?, ?)", weakness, spans)
}

func (w *transaction) PutPolicy(id int, p store.PolicyRow) error {
	return w.exec("INSERT OR REPLACE INTO policies (id, version, since, first_event, config) VALUES (?, ?, ?, ?, ?)",
		id, p.Version, p.Since, p.FirstEvent, p.Config)
}

func (w *transaction) PutCountingChange(id int, c snapshot.CountingChange) error {
	restated := ""
	if c.Restated != nil {
		body, err := json.Marshal(c.Restated)
		if err != nil {
			return fmt.Errorf("encoding what a change of counting did: %w", err)
		}
		restated = string(body)
	}
	return w.exec("INSERT INTO counting_changes (id, kind, at, restated) VALUES (?, ?, ?, ?)", id, string(c.Kind), store.Unix(c.At), restated)
}

func (w *transaction) PutCode(row store.CodeRow) error {
	return w.exec("INSERT INTO codes (enumeration, code, name) VALUES (?, ?, ?)", row.Enumeration, row.Code, row.Name)
}

const insertFinding = "INSERT OR REPLACE INTO findings (report, weakness, scope, id, first_observed, changed_at, gone_at, body) VALUES "

func (w *transaction) PutFinding(r store.FindingRow) error {
	w.buffered = append(w.buffered, int64(r.Report), int64(r.Weakness), int64(r.Scope), r.ID, r.FirstObserved, r.ChangedAt,
		nullable(r.GoneAt), string(r.Body))
	if w.rows++; w.rows == rowsPerInsert {
		return w.flush()
	}
	return nil
}

// flush writes the buffered rows.
func (w *transaction) flush() error {
	if w.rows == 0 {
		return nil
	}
	query := insertFinding + strings.Repeat("(?,?,?,?,?,?,?,?),", w.rows-1) + "(?,?,?,?,?,?,?,?)"
	err := w.exec(query, w.buffered...)
	w.buffered, w.rows = w.buffered[:0], 0
	return err
}

func (w *transaction) PutRecord(r store.RecordRow) error {
	if err := w.exec(`INSERT OR REPLACE INTO records (record, kind, scope, id, owner, first_observed, changed_at, gone_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.Record, string(r.Kind), r.Scope, r.ID, r.Owner, r.FirstObserved, r.ChangedAt,
		nullable(r.GoneAt)); err != nil {
		return err
	}
	if r.Revised || r.GoneAt != 0 {
		if err := w.exec("UPDATE revisions SET valid_to = ? WHERE record = ? AND valid_to IS NULL", r.ChangedAt, r.Record); err != nil {
			return err
		}
	}
	if !r.Revised {
		return nil
	}
	return w.exec("INSERT INTO revisions (record, valid_from, revision, valid_to, since, body) VALUES (?, ?, ?, NULL, ?, ?)",
		r.Record, r.ChangedAt, r.Revision, r.Since, string(r.Body))
}

func (w *transaction) Findings(reports []int32, yield func(store.FindingRow) error) error {
	if len(reports) == 0 {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(reports)), rowsPerInsert) {
		if err := w.readFindings(chunk, yield); err != nil {
			return err
		}
	}
	return nil
}

const selectFindings = `SELECT report, weakness, scope, id, first_observed, changed_at, coalesce(gone_at, 0), body FROM findings
	WHERE report IN (`

// readFindings yields the rows of at most rowsPerInsert reports.
func (w *transaction) readFindings(reports []int32, yield func(store.FindingRow) error) error {
	statement, err := w.prepare(selectFindings + strings.Repeat("?,", len(reports)-1) + "?)")
	if err != nil {
		return err
	}
	args := make([]any, len(reports))
	for i, r := range reports {
		args[i] = int64(r)
	}
	rows, err := statement.QueryContext(w.ctx, args...)
	if err != nil {
		return fmt.Errorf("reading reports: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has told what went wrong
	found := 0
	for ; rows.Next(); found++ {
		var r store.FindingRow
		if err := rows.Scan(&r.Report, &r.Weakness, &r.Scope, &r.ID, &r.FirstObserved, &r.ChangedAt, &r.GoneAt, &r.Body); err != nil {
			return fmt.Errorf("reading reports: %w", err)
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading reports: %w", err)
	}
	if found != len(reports) {
		return fmt.Errorf("reading reports: %d of %d are stored", found, len(reports))
	}
	return nil
}

func (w *transaction) Commit() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.tx.Commit(); err != nil {
		return fmt.Errorf("committing to the ledger: %w", err)
	}
	w.done = true
	w.store.generation++
	return nil
}

func (w *transaction) Rollback() {
	if !w.done {
		w.done = true
		_ = w.tx.Rollback() // the file keeps what it had; the cause is already on its way to the caller
	}
}
