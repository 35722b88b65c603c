package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// runner is one job and what its last runs were like. Only its own goroutine touches it, but for trigger.
type runner struct {
	job      Job
	o        *Options
	trigger  chan struct{}
	failures int
	lastFull time.Time
	// owed are the scopes that the last full sweep could not read; they get an empty cursor until they were read whole.
	owed  map[string]bool
	hints hints
}

func newRunner(job Job, o *Options) *runner {
	return &runner{job: job, o: o, trigger: make(chan struct{}, 1), owed: map[string]bool{}, hints: newHints()}
}

func (r *runner) loop(ctx context.Context, firstDone func()) {
	first := sync.OnceFunc(firstDone)
	turn := time.NewTimer(time.Duration(r.o.Rand() * float64(min(startSpread, r.job.Interval/10))))
	defer turn.Stop()
	for {
		switch r.await(ctx, turn.C) {
		case stopped:
			return
		case hinted:
			r.follow(ctx)
		case due:
			result := r.run(ctx, nil)
			if ctx.Err() != nil {
				return
			}
			wait := r.next(&result)
			turn.Reset(wait)
			r.report(ctx, &result, wait)
			r.o.Observer.Ended(result)
			if !result.Unstored {
				first()
			}
		}
	}
}

// occasion is why a runner stops waiting.
type occasion int

const (
	stopped occasion = iota
	due
	hinted
)

// await waits for the next run, a hint or the end.
func (r *runner) await(ctx context.Context, turn <-chan time.Time) occasion {
	for {
		select {
		case <-ctx.Done():
			return stopped
		case <-turn:
		case <-r.trigger:
		case <-r.hints.noted:
			r.hints.gather()
			continue
		case <-r.hints.gathered:
			return hinted
		}
		if ctx.Err() != nil {
			return stopped
		}
		return due
	}
}

// next is the wait until the next run.
func (r *runner) next(result *Result) time.Duration {
	vary := func(d time.Duration) time.Duration {
		return time.Duration(float64(d) * (1 - intervalJitter + 2*intervalJitter*r.o.Rand()))
	}
	if result.Err == nil {
		r.failures = 0
		return vary(r.job.Interval)
	}
	wait := min(max(RetryMost, r.job.Interval), min(RetryFirst, r.job.Interval)<<min(r.failures, 20))
	r.failures++
	wait = vary(wait)
	if e, ok := errors.AsType[*record.Error](result.Err); ok {
		wait = max(wait, e.RetryAfter)
	}
	return wait
}

// run reads everything, or nothing but the scopes that are named.
func (r *runner) run(ctx context.Context, scopes []string) Result {
	started := r.o.Now()
	full := scopes == nil && (r.lastFull.IsZero() || started.Sub(r.lastFull) >= r.job.FullInterval)
	t := &tally{runner: r, Result: Result{
		Collector: r.job.Collector, Instance: r.job.Instance, Full: full, Hinted: scopes != nil, Started: started,
		Errors: map[record.ErrorReason]int{}, Rejected: map[record.RejectReason]int{},
	}}
	r.o.Observer.Started(r.job.Collector, r.job.Instance, full)
	if r.job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.job.Timeout)
		defer cancel()
	}
	err := r.collect(ctx, t, scopes)
	t.close()
	if err == nil && full {
		r.lastFull = started
	}
	if err != nil {
		t.Errors[reasonOf(err)]++
	} else if t.Scopes > 0 && t.Failed == t.Scopes {
		err = t.firstErr
	}
	t.Err = err
	t.Duration = r.o.Now().Sub(started)
	return t.Result
}

func (r *runner) collect(ctx context.Context, t *tally, scopes []string) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			t.Panicked = true
			err = fmt.Errorf("the collector panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	stored, err := r.o.Sink.Cursors(ctx, r.job.Collector, r.job.Instance)
	if err != nil {
		t.Unstored = true
		return fmt.Errorf("read the stored cursors: %w", err)
	}
	cursors := make(collectors.Cursors, len(stored))
	for scope, cursor := range stored {
		if t.Full || r.owed[scope] {
			cursor = ""
		}
		cursors[scope] = cursor
	}
	take := func(b record.Batch) error { return t.take(ctx, b) }
	if run, ok := r.job.Run.(collectors.Hinted); ok && t.Hinted {
		return run.CollectScopes(ctx, scopes, cursors, take)
	}
	return r.job.Run.Collect(ctx, cursors, take)
}

// report writes the one line about a failed run.
func (r *runner) report(ctx context.Context, result *Result, wait time.Duration) {
	attrs := []slog.Attr{
		slog.String("collector", r.job.Collector), slog.String("instance_name", r.job.Instance), slog.Bool("full", result.Full),
		slog.Duration("duration", result.Duration), slog.Int("scopes", result.Scopes), slog.Int("records", result.Records),
		slog.Duration("next", wait.Round(time.Second)),
	}
	switch {
	case result.Err != nil:
		attrs = append(attrs, slog.Int("failed_scopes", result.Failed), slog.Any("error", result.Err))
		r.o.Logger.LogAttrs(ctx, slog.LevelError, "Collection failed", attrs...)
	case result.Failed > 0:
		attrs = append(attrs, slog.Int("failed_scopes", result.Failed), slog.Any("reasons", result.reasons()), slog.Any("first_error", result.firstErr))
		r.o.Logger.LogAttrs(ctx, slog.LevelWarn, "Some scopes could not be read", attrs...)
	default:
		r.o.Logger.LogAttrs(ctx, slog.LevelDebug, "Collected", attrs...)
	}
}

func (r *Result) reasons() []string {
	var list []string
	for _, reason := range slices.Sorted(maps.Keys(r.Errors)) {
		list = append(list, fmt.Sprintf("%s: %d", reason, r.Errors[reason]))
	}
	return list
}

// reasonOf knows the end of a run's time, which a collector may hand on unclassified.
func reasonOf(err error) record.ErrorReason {
	reason := record.ReasonOf(err)
	if reason == record.ReasonOther && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return record.ReasonCanceled
	}
	return reason
}

// tally takes the batches of one run. A collector may emit from several goroutines.
type tally struct {
	Result
	runner *runner

	mu     sync.Mutex
	closed bool
}

var errRunEnded = errors.New("a batch was emitted after its run had ended")

func (t *tally) take(ctx context.Context, b record.Batch) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return errRunEnded
	case b.Scope == "":
		return errors.New("a batch names no scope")
	}
	r := t.runner
	if err := r.o.Sink.Apply(ctx, r.job.Collector, r.job.Instance, b); err != nil {
		t.Unstored = true
		return fmt.Errorf("store scope %s: %w", b.Scope, err)
	}
	t.count(&b)
	r.o.Observer.Batch(r.job.Collector, r.job.Instance, &b)
	return nil
}

func (t *tally) count(b *record.Batch) {
	t.Scopes++
	if b.Err != nil {
		t.Failed++
		t.Errors[reasonOf(b.Err)]++
		if t.firstErr == nil {
			t.firstErr = fmt.Errorf("scope %s: %w", b.Scope, b.Err)
		}
		if t.Full {
			t.runner.owed[b.Scope] = true
		}
		return
	}
	t.Records += b.Size()
	for reason, n := range b.Rejected {
		t.Rejected[reason] += n
	}
	if b.Mode == record.Full {
		delete(t.runner.owed, b.Scope)
	}
}

func (t *tally) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}
