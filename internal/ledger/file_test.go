package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/record"
)

// TestFilesThatAreNoLedger are refused by name, and stay as they are.
func TestFilesThatAreNoLedger(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"text", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("services:\n  - name: api\n", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is no SQLite file"},
		{"another program's", func(t *testing.T, path string) {
			execute(t, raw(t, path), "CREATE TABLE bookmarks (id INTEGER)")
		}, "the database of another program"},
		{"another program's, with a version that ledgers have", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "CREATE TABLE bookmarks (id INTEGER)")
			execute(t, db, "PRAGMA user_version = 2")
		}, "the database of another program"},
		{"another program's, with a version of its own", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "CREATE TABLE bookmarks (id INTEGER)")
			execute(t, db, "PRAGMA user_version = 75")
		}, "the database of another program"},
		{"another program's, by its application_id", func(t *testing.T, path string) {
			execute(t, raw(t, path), "PRAGMA application_id = 252006674")
		}, "application_id 252006674"},
		{"a negative version", func(t *testing.T, path string) {
			if err := filled(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, raw(t, path), "PRAGMA user_version = -1")
		}, "schema -1, which no version of this program writes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			c.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = ledger.Open(t.Context(), ledger.Options{Path: path})
			if !errors.Is(err, ledger.ErrNoLedger) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want ErrNoLedger with the path and %q", err, c.want)
			}
			if after, err := os.ReadFile(path); err != nil || string(before) != string(after) && c.name == "text" {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

// TestLedgerOfAnEarlierVersion has no application_id, and is taken and marked.
func TestLedgerOfAnEarlierVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := filled(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, path), "PRAGMA application_id = 0")
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var id int
	if err := raw(t, path).QueryRowContext(t.Context(), "PRAGMA application_id").Scan(&id); err != nil || id == 0 {
		t.Errorf("application_id %d, %v, want the mark of ledgers", id, err)
	}
}

// TestNobodyElseReadsTheLedger: its files say where an organisation is vulnerable.
func TestNobodyElseReadsTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	filled(t, path)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v: want the file and its log", files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), mode)
		}
	}
}

// TestLedgerThatIsDeletedUnderneath is noticed: what SQLite would write has no name.
func TestLedgerThatIsDeletedUnderneath(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(path string) error
	}{
		{"deleted", os.Remove},
		{"replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := filled(t, path)
			if err := c.lose(path); err != nil {
				t.Fatal(err)
			}
			err := l.Apply(t.Context(), "scanner", "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{critical("g", 3)}}, day(3))
			if err == nil || !strings.Contains(err.Error(), "deleted or replaced") {
				t.Errorf("got %v, want an error that says so", err)
			}
			if l.Stats().Errors == 0 {
				t.Error("the error is not counted")
			}
		})
	}
}
