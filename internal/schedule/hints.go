package schedule

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// hints are the scopes that a source said had changed.
type hints struct {
	mu     sync.Mutex
	scopes map[string]bool
	// noted holds a token while there are scopes that nobody has begun to gather.
	noted chan struct{}

	// gathered fires when it is time to read them; nil while nothing is gathered. Only the runner's goroutine touches it, and last, the time of the last
	// reading.
	gathered <-chan time.Time
	last     time.Time
}

func newHints() hints { return hints{scopes: map[string]bool{}, noted: make(chan struct{}, 1)} }

// note remembers scopes until they are read.
func (r *runner) note(scopes []string) {
	h := &r.hints
	h.mu.Lock()
	for _, scope := range scopes {
		if len(h.scopes) < maxHinted {
			h.scopes[scope] = true
		}
	}
	h.mu.Unlock()
	select {
	case h.noted <- struct{}{}:
	default:
	}
}

// gather begins to wait for more hints, if it does not wait already.
func (h *hints) gather() {
	if h.gathered != nil {
		return
	}
	wait := HintDelay
	if !h.last.IsZero() {
		wait = max(wait, HintRest-time.Since(h.last))
	}
	h.gathered = time.After(wait)
}

// take returns the scopes that wait and forgets them.
func (h *hints) take() []string {
	h.gathered = nil
	h.mu.Lock()
	defer h.mu.Unlock()
	scopes := slices.Sorted(maps.Keys(h.scopes))
	clear(h.scopes)
	return scopes
}

// follow reads the scopes that were hinted at. It changes nothing about when the instance runs: a hint is not a turn, and its failure is not one either.
func (r *runner) follow(ctx context.Context) {
	scopes := r.hints.take()
	if len(scopes) == 0 || r.failures > 0 || r.lastFull.IsZero() {
		return
	}
	result := r.run(ctx, scopes)
	r.hints.last = time.Now()
	if ctx.Err() != nil {
		return
	}
	if err := result.firstErr; result.Err != nil || err != nil {
		if result.Err != nil {
			err = result.Err
		}
		r.o.Logger.LogAttrs(ctx, slog.LevelWarn, "Some scopes that were hinted at could not be read", slog.String("collector", r.job.Collector),
			slog.String("instance_name", r.job.Instance), slog.Int("failed_scopes", result.Failed), slog.Any("error", err))
	}
	r.o.Observer.Ended(result)
}
