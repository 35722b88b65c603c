package ledger_test

import (
	"path/filepath"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
)

// inFile returns an Open for a new SQLite file.
func inFile(t *testing.T) ledgertest.Open {
	path := filepath.Join(t.TempDir(), "ledger.db")
	return func(p *policy.Policy) (*ledger.Ledger, error) {
		return ledger.Open(t.Context(), ledger.Options{Path: path, Policy: p})
	}
}
