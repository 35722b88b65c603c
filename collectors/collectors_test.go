package collectors_test

import (
	"context"
	"errors"
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
