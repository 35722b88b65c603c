package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// TestClockStepsBack shows that what was counted stays counted when the machine's clock is set back: a counter that falls would be
// taken for a restart, and everything since the founding for new.
func TestClockStepsBack(t *testing.T) {
	kept, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	at := &clock{time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	logger := slog.New(slog.DiscardHandler)
	e := newExporter(kept, newTelemetry(logger, at.now), nil, logger)
	e.now, e.policy = at.now, policy.Default()
	say := func(findings ...record.Finding) {
		t.Helper()
		b := record.Batch{Scope: "alerts:x", Mode: record.Full, Findings: findings}
		if err := kept.Apply(t.Context(), "scanner", "one", b, at.now()); err != nil {
			t.Fatal(err)
		}
	}
	say([]record.Finding{}...)
	if err := kept.MarkFounded(t.Context(), at.now()); err != nil {
		t.Fatal(err)
	}
	at.at = at.at.Add(time.Hour)
	say(record.Finding{ID: "f", Class: record.ClassSCA, Severity: record.SeverityCritical, FirstSeen: at.now()})
	for _, when := range []time.Time{at.now(), at.now().Add(-30 * time.Minute), at.now().Add(-25 * time.Minute)} {
		at.at = when
		e.evaluate(t.Context())
		answer := httptest.NewRecorder()
		e.store.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		const counted = `severity="critical",class="sca",event="opened"} 1`
		if !strings.Contains(answer.Body.String(), counted) {
			t.Errorf("at %s the opening is not counted", when)
		}
	}
}
