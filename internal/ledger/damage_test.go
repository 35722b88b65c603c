package ledger_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/record"
)

// A file that something else has written into is refused by name, or what it says is used: it must not bring the program down. Each
// four bytes of a block become one that points nowhere; then the ledger is opened, evaluated and told of a change.
func TestDamagedBlocksAreNoPanic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := filled(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	references := map[string][]int{"report_blocks": {16, 20, 24}, "weakness_blocks": {36, 40}, "event_blocks": {16, 20}}
	for table, length := range map[string]int{"report_blocks": 32, "weakness_blocks": 61, "event_blocks": 31} {
		var body []byte
		if err := db.QueryRowContext(t.Context(), "SELECT body FROM "+table+" WHERE number = 0").Scan(&body); err != nil {
			t.Fatal(err)
		}
		for at := 0; at+4 <= min(length, len(body)); at += 4 {
			t.Run(fmt.Sprintf("%s at %d", table, at), func(t *testing.T) {
				damaged := append([]byte(nil), body...)
				copy(damaged[at:], []byte{0x66, 0x77, 0x55, 0x13})
				put := func(b []byte) {
					t.Helper()
					if _, err := db.ExecContext(t.Context(), "UPDATE "+table+" SET body = ? WHERE number = 0", b); err != nil {
						t.Fatal(err)
					}
				}
				put(damaged)
				defer put(body)
				err := useDamaged(t, path)
				if slices.Contains(references[table], at) && (err == nil || !strings.Contains(err.Error(), "the file is damaged")) {
					t.Errorf("a reference to nowhere: error %v, want one that says that the file is damaged", err)
				}
			})
		}
	}
}

func useDamaged(t *testing.T, path string) error {
	l, err := ledger.Open(t.Context(), ledger.Options{Path: path})
	if err != nil {
		return err
	}
	_ = l.Snapshot()
	gone := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{}}
	return errors.Join(l.Settle(t.Context(), day(300).Add(time.Hour)), l.Apply(t.Context(), "scanner", "one", gone, day(301)), l.Close())
}
