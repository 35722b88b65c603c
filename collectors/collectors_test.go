package collectors_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

func TestCommonOr(t *testing.T) {
	hours := func(n int) collectors.Duration { return collectors.Duration(time.Duration(n) * time.Hour) }
	defaults := collectors.Common{Interval: hours(1), FullInterval: hours(6), StaleAfter: hours(24), Timeout: hours(2)}
	for name, tt := range map[string]struct{ set, want collectors.Common }{
		"nothing is set":                 {collectors.Common{Name: "a"}, collectors.Common{Name: "a", Interval: hours(1), FullInterval: hours(6), StaleAfter: hours(24), Timeout: hours(2)}},
		"what is set stays":              {collectors.Common{Interval: hours(2), Timeout: hours(1)}, collectors.Common{Interval: hours(2), FullInterval: hours(6), StaleAfter: hours(24), Timeout: hours(1)}},
		"a sweep is no shorter interval": {collectors.Common{Interval: hours(9)}, collectors.Common{Interval: hours(9), FullInterval: hours(9), StaleAfter: hours(24), Timeout: hours(2)}},
	} {
		if got := tt.set.Or(defaults); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestEmitter(t *testing.T) {
	full := errors.New("the ledger is full")
	ctx, cancel := context.WithCancel(t.Context())
	emitted := 0
	emit := collectors.Emitter(ctx, "kind", func(record.Batch) error { emitted++; return full })
	if err := emit(record.Batch{Scope: "findings:a"}); !errors.Is(err, full) || !strings.Contains(err.Error(), "kind: emit findings:a") {
		t.Errorf("a failing ledger: %v", err)
	}
	cancel()
	if err := emit(record.Batch{Scope: "findings:b"}); record.ReasonOf(err) != record.ReasonCanceled || emitted != 1 {
		t.Errorf("after the end of the context: %v, and %d batches were handed on", err, emitted)
	}
}

func TestCursors(t *testing.T) {
	known := collectors.Cursors{"findings:a": "", "findings:b": "", "findings:c": "", "projects:all": ""}
	if !known.Sweep() || !collectors.Cursors(nil).Sweep() {
		t.Error("scopes without cursors are no full sweep")
	}
	known["findings:c"] = "2026"
	if known.Sweep() {
		t.Error("a stored cursor asks for a full sweep")
	}
	if gone := known.Gone("findings", func(scope string) bool { return scope == "findings:b" }); !slices.Equal(gone, []string{"findings:a", "findings:c"}) {
		t.Errorf("gone are %v, want the known ones of the kind that do not exist, in order", gone)
	}
	if b := collectors.Retired("findings:a", record.ClosureOutOfScope); !b.Retired || b.Mode != record.Full || b.Absence != record.ClosureOutOfScope || b.Scope != "findings:a" {
		t.Errorf("the batch is %+v", b)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if collectors.Canceled(ctx) != nil {
		t.Error("a context that lives is said to have ended")
	}
	cancel()
	if err := collectors.Canceled(ctx); !errors.Is(err, context.Canceled) || record.ReasonOf(err) != record.ReasonCanceled {
		t.Errorf("Canceled() = %v", err)
	}
}
