package sqlite

import (
	"context"

	"prodsec_exporter/internal/ledger/store"
)

// Driver opens ledgers that are SQLite files; a location is the path of the file.
type Driver struct{}

var _ store.Driver = Driver{}

// Takes takes any path.
func (Driver) Takes(string) bool { return true }

// Open opens or makes the file.
func (Driver) Open(ctx context.Context, path string) (store.Store, error) {
	s, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenForReading opens a file that is there.
func (Driver) OpenForReading(ctx context.Context, path string) (store.Reader, error) {
	s, err := openForReading(ctx, path)
	if err != nil {
		return nil, err
	}
	return s, nil
}
