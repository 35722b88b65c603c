package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"prodsec_exporter/internal/ledger/past"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// The errors of History.
var (
	// ErrNoLedger is wrapped when there is no ledger at the path.
	ErrNoLedger = store.ErrNoLedger
	// ErrNotFounded is wrapped when the first full pass has not ended, so that nothing was served yet.
	ErrNotFounded = past.ErrNotFounded
	// ErrBeforeHistory is wrapped for an instant that the ledger knows nothing of.
	ErrBeforeHistory = past.ErrBeforeHistory
)

// History reads a ledger as it was. It never writes, and may be open beside the ledger itself, in the same process or another.
type History struct {
	store  store.Reader
	path   string
	logger *slog.Logger
}

// OpenHistory opens the ledger at path for reading its past. The error wraps ErrNoLedger when there is none, and ErrNewerSchema when a
// newer version wrote it. logger is told of what cannot be understood any more; nil discards.
func OpenHistory(ctx context.Context, path string, logger *slog.Logger) (*History, error) {
	s, err := driverOf(path).OpenForReading(ctx, path)
	if err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &History{store: s, path: path, logger: logger}, nil
}

// Close releases the file.
func (h *History) Close() error { return h.store.Close() }

// AsOf is what the ledger knew at an instant, with everything settled that fell due until then, and the policy that was in force: evaluated
// at that instant they give what was served. For an instant between two evaluations it is what would have been served, and for one
// at which nothing ran, what would have been if nothing had been read in the meantime. Several changes within one second count as one.
//
// Before the founding nothing was served. As of such an instant the ledger knows the history that it imported, by the sources' dates: what
// had been seen and closed by then, with all else (catalog, severities, protection) as it was first read. The error wraps
// ErrBeforeHistory for an instant before all of that, and ErrNotFounded while the import is under way.
func (h *History) AsOf(ctx context.Context, at time.Time) (*snapshot.Snapshot, *policy.Policy, error) {
	return h.asOf(ctx, at, nil)
}

func (h *History) asOf(ctx context.Context, at time.Time, other *policy.Policy) (*snapshot.Snapshot, *policy.Policy, error) {
	known, inForce, err := past.Read(ctx, h.store, at, other, h.logger)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the ledger %s as of %s: %w", h.path, at.UTC().Format(time.RFC3339), err)
	}
	return known, inForce, nil
}

// AsOfUnder is AsOf for another policy than the one that was in force: who owns what, deadlines that had not passed, and what is left to
// evaluation follow from it. Outcomes that had fallen stay as they fell, and exceptions stop the clocks that they stopped.
func (h *History) AsOfUnder(ctx context.Context, at time.Time, other *policy.Policy) (*snapshot.Snapshot, error) {
	known, _, err := h.asOf(ctx, at, other)
	return known, err
}
