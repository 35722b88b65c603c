package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/snapshot"
)

// rowsPerInsert is how many rows one statement inserts where there are many: the cost of a statement is then small
// beside that of its rows.
const rowsPerInsert = 64

// sqliteTx is one transaction. Rows of findings are buffered and written many at a time.
type sqliteTx struct {
	ctx        context.Context
	store      *sqlite
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	buffered   []any
	rows       int
	done       bool
}

func (w *sqliteTx) prepare(query string) (*sql.Stmt, error) {
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

func (w *sqliteTx) exec(query string, args ...any) error {
	s, err := w.prepare(query)
	if err != nil {
		return err
	}
	if _, err := s.ExecContext(w.ctx, args...); err != nil {
		return fmt.Errorf("writing to the ledger: %w", err)
	}
	return nil
}

func (w *sqliteTx) putMeta(name, value string) error {
	return w.exec("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)
}

func (w *sqliteTx) putString(id int32, text string) error {
	return w.exec("INSERT INTO strings (id, text) VALUES (?, ?)", id, text)
}

func (w *sqliteTx) putOwner(id int32, o snapshot.Owner) error {
	return w.exec("INSERT INTO owners (id, business_unit, team, service, trust_tier) VALUES (?, ?, ?, ?, ?)",
		id, o.BusinessUnit, o.Team, o.Service, o.TrustTier)
}

func (w *sqliteTx) putName(roster string, id int32, name string, removed bool) error {
	return w.exec("INSERT OR REPLACE INTO names (roster, id, name, removed) VALUES (?, ?, ?, ?)", roster, id, name, removed)
}

func (w *sqliteTx) putSources(sources []Source) error {
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

func (w *sqliteTx) putHistory(at int64, undo []byte) error {
	return w.exec("INSERT INTO history (at, undo) VALUES (?, ?)", at, undo)
}

func (w *sqliteTx) putScope(id int32, s *scope) error {
	return w.exec(`INSERT OR REPLACE INTO scopes (id, collector, instance, name, removed, cursor, classes, kinds, left_out, last_attempt, last_success,
		last_full, last_error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, s.source.collector, s.source.instance, s.name, s.removed,
		string(s.cursor), words(s.classes), words(s.kinds), s.leftOut, unix(s.lastAttempt), unix(s.lastSuccess), unix(s.lastFull), string(s.lastError))
}

// words is a list of names as stored.
func words[T ~string](names []T) string { return strings.Join(namesOf(names), " ") }

func (w *sqliteTx) putBlock(t blockTable, number int32, body []byte) error {
	return w.exec("INSERT OR REPLACE INTO "+string(t)+" (number, body) VALUES (?, ?)", number, body)
}

func (w *sqliteTx) putPauses(weakness int32, spans string) error {
	if spans == "" {
		return w.exec("DELETE FROM pauses WHERE weakness = ?", weakness)
	}
	return w.exec("INSERT OR REPLACE INTO pauses (weakness, spans) VALUES (?, ?)", weakness, spans)
}

func (w *sqliteTx) putPolicy(id int, p policyRow) error {
	return w.exec("INSERT OR REPLACE INTO policies (id, version, since, first_event, config) VALUES (?, ?, ?, ?, ?)",
		id, p.version, p.since, p.firstEvent, p.config)
}

func (w *sqliteTx) putCountingChange(id int, c snapshot.CountingChange) error {
	restated := ""
	if c.Restated != nil {
		body, err := json.Marshal(c.Restated)
		if err != nil {
			return fmt.Errorf("encoding what a change of counting did: %w", err)
		}
		restated = string(body)
	}
	return w.exec("INSERT INTO counting_changes (id, kind, at, restated) VALUES (?, ?, ?, ?)", id, string(c.Kind), unix(c.At), restated)
}

func (w *sqliteTx) putCode(enumeration string, code int, name string) error {
	return w.exec("INSERT INTO codes (enumeration, code, name) VALUES (?, ?, ?)", enumeration, code, name)
}

const insertFinding = "INSERT OR REPLACE INTO findings (report, weakness, scope, id, first_observed, changed_at, gone_at, body) VALUES "

func (w *sqliteTx) putFinding(r findingRow) error {
	w.buffered = append(w.buffered, int64(r.report), int64(r.weakness), int64(r.scope), r.id, r.firstObserved, r.changedAt,
		nullable(r.goneAt), string(r.body))
	if w.rows++; w.rows == rowsPerInsert {
		return w.flush()
	}
	return nil
}

// flush writes the buffered rows.
func (w *sqliteTx) flush() error {
	if w.rows == 0 {
		return nil
	}
	query := insertFinding + strings.Repeat("(?,?,?,?,?,?,?,?),", w.rows-1) + "(?,?,?,?,?,?,?,?)"
	err := w.exec(query, w.buffered...)
	w.buffered, w.rows = w.buffered[:0], 0
	return err
}

func (w *sqliteTx) putRecord(r recordRow) error {
	if err := w.exec(`INSERT OR REPLACE INTO records (record, kind, scope, id, owner, first_observed, changed_at, gone_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.record, string(r.kind), r.scope, r.id, r.owner, r.firstObserved, r.changedAt,
		nullable(r.goneAt)); err != nil {
		return err
	}
	if r.revised || r.goneAt != 0 {
		if err := w.exec("UPDATE revisions SET valid_to = ? WHERE record = ? AND valid_to IS NULL", r.changedAt, r.record); err != nil {
			return err
		}
	}
	if !r.revised {
		return nil
	}
	return w.exec("INSERT INTO revisions (record, valid_from, revision, valid_to, body) VALUES (?, ?, ?, NULL, ?)",
		r.record, r.changedAt, r.revision, string(r.body))
}

func (w *sqliteTx) findings(reports []int32, yield func(findingRow) error) error {
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
func (w *sqliteTx) readFindings(reports []int32, yield func(findingRow) error) error {
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
		var r findingRow
		if err := rows.Scan(&r.report, &r.weakness, &r.scope, &r.id, &r.firstObserved, &r.changedAt, &r.goneAt, &r.body); err != nil {
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

func (w *sqliteTx) commit() error {
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

func (w *sqliteTx) rollback() {
	if !w.done {
		w.done = true
		_ = w.tx.Rollback() // the file keeps what it had; the cause is already on its way to the caller
	}
}
