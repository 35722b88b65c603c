package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/clock"
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
	at := &steppedClock{time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
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

// TestClockJumpsForward: while the wall clock is 40 days ahead no deadline passes, and when it is right again nothing is left of it.
func TestClockJumpsForward(t *testing.T) {
	kept, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var passed, ahead time.Duration
	logger := slog.New(slog.DiscardHandler)
	telemetry := newTelemetry(logger, time.Now)
	telemetry.clock = clock.New(clock.Options{Read: func() (time.Time, time.Duration) { return start.Add(passed + ahead), passed }})
	e := newExporter(kept, telemetry, nil, logger)
	e.policy = policy.Default()
	f := record.Finding{ID: "f", Class: record.ClassSCA, Severity: record.SeverityCritical, FirstSeen: start}
	say := func() {
		t.Helper()
		if err := (sink{e}).Apply(t.Context(), "scanner", "one", record.Batch{Scope: "alerts:x", Mode: record.Full, Findings: []record.Finding{f}}); err != nil {
			t.Fatal(err)
		}
	}
	say()
	e.found(t.Context())
	for _, step := range []struct{ passed, ahead time.Duration }{{time.Second, 0}, {2 * time.Second, 40 * policy.Day}, {8 * time.Second, 40 * policy.Day}, {9 * time.Second, 0}} {
		passed, ahead = step.passed, step.ahead
		telemetry.clock.Answered("api", start.Add(passed))
		say()
		e.evaluate(t.Context())
		answer := httptest.NewRecorder()
		e.store.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		text := answer.Body.String()
		if strings.Contains(text, `outcome="missed"} 1`) || strings.Contains(text, `sla="breached"} 1`) {
			t.Errorf("%s ahead: a deadline has passed", ahead)
		}
		if got := e.evaluated.Load(); !got.Equal(start.Add(passed)) {
			t.Errorf("%s ahead: evaluated as of %s, want %s", ahead, got, start.Add(passed))
		}
	}
}
