package sqlite

import (
	"database/sql"
	"os"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// Store keeps the ledger in one file. Write-ahead logging lets people read it with another tool while we write;
// synchronous=FULL costs one fsync for each batch and buys that no counter falls even when the power fails.
type Store struct {
	path       string
	db         *sql.DB
	generation int64
	upgraded   bool
	// opened is the file as it was opened.
	opened os.FileInfo
	// marked says that the file has the application_id of ledgers.
	marked bool
}

// nullable is NULL for 0.
func nullable(seconds int64) sql.NullInt64 { return sql.NullInt64{Int64: seconds, Valid: seconds != 0} }
