package main

import (
	"context"
	"sync"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// evidenceCache remembers what the metrics that are served were computed from, and judges its records when somebody asks for the first
// time, because nobody may ever do.
type evidenceCache struct {
	mu       sync.Mutex
	snapshot *snapshot.Snapshot
	policy   *policy.Policy
	at       time.Time
	records  *metrics.Records
}

// evaluated notes what was evaluated last.
func (c *evidenceCache) evaluated(s *snapshot.Snapshot, p *policy.Policy, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshot, c.policy, c.at, c.records = s, p, at, nil
}

// Records are what the metrics that are served were computed from; nil before the first evaluation.
func (e *exporter) Records() *metrics.Records {
	c := &e.evidence
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records == nil && c.snapshot != nil {
		c.records = metrics.NewRecords(c.snapshot, c.policy, c.at)
	}
	return c.records
}

// Reports are the reports of weaknesses by position.
func (e *exporter) Reports(ctx context.Context, weaknesses ...int32) (map[int32][]ledger.Report, error) {
	return e.ledger.Reports(ctx, weaknesses...)
}
