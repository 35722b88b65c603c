package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
)

// inFile returns an Open for a new SQLite file.
func inFile(t *testing.T) ledgertest.Open { return inFolder(t, t.TempDir()) }

func inFolder(t *testing.T, folder string) ledgertest.Open {
	path := filepath.Join(folder, "ledger.db")
	return func(p *policy.Policy) (*ledger.Ledger, error) {
		return ledger.Open(t.Context(), ledger.Options{Path: path, Policy: p})
	}
}

// inMemory returns an Open for a new SQLite file in a file system that is held in memory, where there is one: the suite makes
// thousands of files and syncs each of them many times, and is not about disks.
func inMemory(t *testing.T) ledgertest.Open {
	folder, err := os.MkdirTemp("/dev/shm", "ledger")
	if err != nil {
		return inFile(t)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return inFolder(t, folder)
}

// TestSQLite runs the suite that every store has to pass.
func TestSQLite(t *testing.T) {
	histories := 1000
	if raceDetector || testing.Short() {
		histories = 200 // interleavings are what is looked for here, and a few histories have them all
	}
	ledgertest.Run(t, inMemory, histories)
}
