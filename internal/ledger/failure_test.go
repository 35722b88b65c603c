package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// raw opens the file of a ledger as any SQLite tool would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// filled is a founded ledger at a path, with one open finding and a cursor.
func filled(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{critical("f", 2)}, Cursor: "c1"}
	if err := errors.Join(l.Apply(t.Context(), "scanner", "one", b, day(2)), l.MarkFounded(t.Context(), day(2))); err != nil {
		t.Fatal(err)
	}
	return l
}

// more is a batch that changes a good deal.
func more() record.Batch {
	b := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{}, Cursor: "c2"}
	for _, id := range strings.Split(strings.Repeat("x", 400), "") {
		f := critical(id+string(rune('a'+len(b.Findings)%26))+strings.Repeat("i", len(b.Findings)), 3)
		f.Title = strings.Repeat("long ", 50)
		b.Findings = append(b.Findings, f)
	}
	return b
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := filled(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, path), "PRAGMA user_version = 99")
	_, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if !errors.Is(err, ledger.ErrNewerSchema) {
		t.Fatalf("opening a newer ledger: %v, want ErrNewerSchema", err)
	}
	for _, want := range []string{path, "schema 99", "up to 3"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestNoPathIsAnError(t *testing.T) {
	if _, err := ledger.Open(t.Context(), ledger.Options{}); err == nil {
		t.Error("a ledger without a path was opened")
	}
}

// TestFailedTransaction makes the write of a batch fail in several ways: nothing of it is to be seen, and the next attempt works.
func TestFailedTransaction(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(t *testing.T, db *sql.DB) (ctx context.Context, mend func())
		// counted says that it is the ledger's failure, not the caller's wish.
		counted bool
	}{
		"a table refuses": {counted: true, fail: func(t *testing.T, db *sql.DB) (context.Context, func()) {
			execute(t, db, "CREATE TRIGGER full BEFORE INSERT ON findings WHEN new.report > 200 BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
			return t.Context(), func() { execute(t, db, "DROP TRIGGER full") }
		}},
		"the last write refuses": {counted: true, fail: func(t *testing.T, db *sql.DB) (context.Context, func()) {
			execute(t, db, "CREATE TRIGGER full BEFORE INSERT ON meta WHEN new.name = 'founded' BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
			return t.Context(), func() { execute(t, db, "DROP TRIGGER full") }
		}},
		"the caller gives up": {fail: func(t *testing.T, db *sql.DB) (context.Context, func()) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, func() {}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := filled(t, path)
			before := ledgertest.Flatten(l.Snapshot())
			ctx, mend := c.fail(t, raw(t, path))
			if err := l.Apply(ctx, "scanner", "one", more(), day(3)); err == nil {
				t.Fatal("the batch was applied")
			}
			if diff := ledgertest.Diff(before, ledgertest.Flatten(l.Snapshot())); diff != "" {
				t.Errorf("a failed batch changed the snapshot:\n%s", diff)
			}
			if cursors, err := l.Cursors(t.Context(), "scanner", "one"); err != nil || cursors["alerts:acme"] != "c1" {
				t.Errorf("cursors %v, %v after a failed batch; want the one before", cursors, err)
			}
			if got := l.Stats().Errors > 0; got != c.counted {
				t.Errorf("%d errors counted", l.Stats().Errors)
			}
			mend()
			if err := l.Apply(t.Context(), "scanner", "one", more(), day(4)); err != nil {
				t.Fatalf("applying after the failure: %v", err)
			}
			if got := l.Snapshot().Weaknesses.Len(); got != 401 {
				t.Errorf("%d weaknesses after the second attempt, want 401", got)
			}
		})
	}
}

// TestSecondWriter shows that a process whose memory is out of date does not write over what another one wrote.
func TestSecondWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	one := filled(t, path)
	two, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = two.Close() }()
	if err := two.Apply(t.Context(), "scanner", "one", more(), day(3)); err != nil {
		t.Fatal(err)
	}
	err = one.Apply(t.Context(), "scanner", "one", more(), day(4))
	if err == nil || !strings.Contains(err.Error(), "another process writes to this ledger") {
		t.Errorf("the first writer: %v, want to hear of the other process", err)
	}
}

// TestKill copies the files as a killed process leaves them, at every step of a story, and goes on from the copy.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	l := filled(t, path)
	for n, findings := range [][]record.Finding{
		{critical("f", 2), critical("g", 3)},
		{closed(critical("f", 2), record.ClosureFixed, 4), critical("g", 3)},
		{critical("g", 3)},
	} {
		b := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: findings}
		if err := l.Apply(t.Context(), "scanner", "one", b, day(3+n)); err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "ledger.db")
		for _, suffix := range []string{"", "-wal"} {
			copyFile(t, path+suffix, copied+suffix)
		}
		again, err := ledger.Open(t.Context(), ledger.Options{Path: copied})
		if err != nil {
			t.Fatalf("opening what a killed process left: %v", err)
		}
		if diff := ledgertest.Diff(ledgertest.Flatten(l.Snapshot()), ledgertest.Flatten(again.Snapshot())); diff != "" {
			t.Errorf("step %d: the copy differs (-process +copy):\n%s", n, diff)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClosed(t *testing.T) {
	l := filled(t, filepath.Join(t.TempDir(), "ledger.db"))
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := l.Cursors(t.Context(), "scanner", "one")
	for what, err := range map[string]error{
		"Apply": l.Apply(t.Context(), "scanner", "one", more(), day(3)), "Settle": l.Settle(t.Context(), day(3)), "Cursors": err,
		"SetPolicy": l.SetPolicy(t.Context(), other(t), day(3)), "Configure": l.Configure(t.Context(), nil, day(3)),
	} {
		if !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("%s on a closed ledger: %v, want ErrClosed", what, err)
		}
	}
	if l.Snapshot().Weaknesses.Len() != 1 {
		t.Error("the last snapshot is gone")
	}
}

func other(t *testing.T) *policy.Policy {
	t.Helper()
	config := policy.DefaultConfig()
	config.SLA.DueSoonRatio = 0.5
	p, err := policy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPolicyChangedWhileStopped shows that a policy that differs at the next start is a counting change, and that its versions
// are kept.
func TestPolicyChangedWhileStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := filled(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	p := other(t)
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := l.Snapshot()
	if n := len(s.PolicyVersions); n != 2 || s.PolicyVersions[1].Version != p.Version() || s.PolicyVersions[0].Version != policy.Default().Version() {
		t.Errorf("policy versions %v", s.PolicyVersions)
	}
	if len(s.CountingChanges) != 1 {
		t.Errorf("counting changes %v, want one", s.CountingChanges)
	}
}

// TestEvidence asks the file what people with an SQLite tool would ask it.
func TestEvidence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := filled(t, path)
	review := record.Review{ID: "R-1", Title: "first"}
	for n, title := range []string{"first", "first", "second"} {
		review.Title = title
		b := record.Batch{Scope: "query:reviews", Mode: record.Full, Reviews: []record.Review{review}}
		if err := l.Apply(t.Context(), "tickets", "t", b, day(3+n)); err != nil {
			t.Fatal(err)
		}
	}
	b := record.Batch{Scope: "query:reviews", Mode: record.Full, Reviews: []record.Review{}}
	if err := l.Apply(t.Context(), "tickets", "t", b, day(9)); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	for query, want := range map[string]string{
		"SELECT json_extract(body, '$.Severity') FROM evidence WHERE kind = 'finding' AND id = 'f'":                          "critical",
		"SELECT instance || ' ' || scope FROM evidence WHERE kind = 'finding'":                                               "scanner/one alerts:acme",
		"SELECT count(*) FROM revisions":                                                                                     "2",
		"SELECT json_extract(body, '$.Title') FROM evidence WHERE kind = 'review' AND gone_at IS NOT NULL":                   "second",
		"SELECT group_concat((valid_to - valid_from) / 86400) FROM (SELECT * FROM revisions ORDER BY revision)":              "2,4",
		"SELECT group_concat(name) FROM (SELECT name FROM codes WHERE enumeration = 'outcome' AND name <> '' ORDER BY code)": "met,missed,void",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
}

// TestReconfigureIsAllOrNothing: where the policy cannot be stored the sources stay, too, in the file and in memory.
func TestReconfigureIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := filled(t, path)
	one := []ledger.Source{{Collector: "scanner", Instance: "one"}}
	if err := l.Configure(t.Context(), one, day(3)); err != nil {
		t.Fatal(err)
	}
	before := ledgertest.Flatten(l.Snapshot())
	db := raw(t, path)
	execute(t, db, "CREATE TRIGGER full BEFORE INSERT ON policies BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
	config := policy.DefaultConfig()
	config.SLA.AttainmentTarget = 0.5
	other, err := policy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reconfigure(t.Context(), nil, other, day(4)); err == nil {
		t.Fatal("the configuration was taken over although its policy cannot be stored")
	}
	if diff := ledgertest.Diff(before, ledgertest.Flatten(l.Snapshot())); diff != "" {
		t.Errorf("half a configuration was taken over:\n%s", diff)
	}
	if err := l.Apply(t.Context(), "scanner", "one", more(), day(4)); err != nil {
		t.Errorf("the instance that was to leave: %v, want it to go on", err)
	}
	execute(t, db, "DROP TRIGGER full")
	if err := l.Reconfigure(t.Context(), one, other, day(5)); err != nil {
		t.Fatal(err)
	}
	if versions := l.Snapshot().PolicyVersions; versions[len(versions)-1].Version != other.Version() {
		t.Errorf("policies %v, want the other one last", versions)
	}
}
