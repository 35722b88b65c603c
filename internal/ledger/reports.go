package ledger

import (
	"context"

	"prodsec_exporter/internal/ledger/derivation"
)

// Report is one tool's report of a weakness.
type Report = derivation.Report

// Reports are the reports of weaknesses, by position in Snapshot.Weaknesses, the primary one first. A position that is not there has
// none. It waits for a batch that is being applied.
func (l *Ledger) Reports(ctx context.Context, weaknesses ...int32) (map[int32][]derivation.Report, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reports, err := l.reports(ctx, weaknesses)
	return reports, failed("reading the reports of weaknesses", err)
}

func (l *Ledger) reports(ctx context.Context, weaknesses []int32) (map[int32][]derivation.Report, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	t, err := l.store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Rollback()
	return l.state.Explain(t, weaknesses)
}
