package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/web"
)

// Evaluations follow each other at the earliest after evaluationRest, and take at most a part 1/(1+evaluationShare) of the time, so
// that a sweep of thousands of batches does not spend itself on evaluating each.
const (
	evaluationRest  = 250 * time.Millisecond
	evaluationShare = 4
)

// exporter carries what collectors emit to the ledger, and what the ledger knows to the exposition.
type exporter struct {
	ledger    *ledger.Ledger
	store     *exposition.Store
	telemetry *telemetry
	load      func() (*config.Config, error)
	logger    *slog.Logger
	now       func() time.Time

	// landed holds a token while something has changed since the last evaluation began.
	landed chan struct{}
	// passed is closed when every collector has ended its first run and the evaluation of that has been published.
	passed    atomic.Bool
	evaluated atomic.Pointer[time.Time]
	evidence  evidenceCache
	// onFounding, if set, is done once, right after the import of history has ended.
	onFounding func(context.Context) error

	// applying is held while the configuration changes and while an evaluation reads it with the ledger.
	applying sync.Mutex
	config   atomic.Pointer[config.Config]
	policy   *policy.Policy
	running  map[instanceKey]*runningInstance
	lifetime context.Context
	stopped  sync.WaitGroup
}

func newExporter(kept *ledger.Ledger, t *telemetry, load func() (*config.Config, error), logger *slog.Logger) *exporter {
	e := &exporter{
		ledger: kept, telemetry: t, load: load, logger: logger, now: t.clock.Now,
		landed: make(chan struct{}, 1), running: map[instanceKey]*runningInstance{},
	}
	registry := t.registry(kept.Stats)
	e.store = exposition.New(withoutClash(registry), logger)
	registry.MustRegister(e.store)
	return e
}

// run evaluates after each landed batch and at each interval until ctx ends and every collector has stopped.
func (e *exporter) run(ctx context.Context) error {
	defer e.stopped.Wait()
	firstPass := make(chan struct{})
	e.stopped.Go(func() { e.awaitFirstPass(ctx, firstPass) })
	if !e.ledger.Founded().IsZero() {
		e.evaluate(ctx) // what an earlier run learned is true until somebody says otherwise
	}
	timer := time.NewTimer(e.current().EvaluationInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-firstPass:
			firstPass = nil
		case <-e.landed:
		case <-timer.C:
		}
		if firstPass == nil {
			e.found(ctx) // again, if the ledger failed the last time
		}
		var took time.Duration
		if !e.ledger.Founded().IsZero() {
			began := time.Now()
			e.evaluate(ctx)
			took = time.Since(began)
			if firstPass == nil && !e.passed.Swap(true) && ctx.Err() == nil {
				e.logger.Info("Ready: every collector has run and its metrics are served")
			}
		}
		timer.Reset(e.current().EvaluationInterval)
		if !rest(ctx, max(evaluationRest, evaluationShare*took)) {
			return nil
		}
	}
}

// rest waits and reports whether ctx still holds.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// awaitFirstPass closes done when every instance that was there at the start has ended its first run.
func (e *exporter) awaitFirstPass(ctx context.Context, done chan<- struct{}) {
	e.applying.Lock()
	var first []*runningInstance
	for _, r := range e.running {
		first = append(first, r)
	}
	e.applying.Unlock()
	for _, r := range first {
		select {
		case <-r.scheduler.FirstPass():
		case <-r.done: // a reload removed it
		case <-ctx.Done():
			return
		}
	}
	close(done)
}

// found tells the ledger that the history of what was there before us has been imported.
func (e *exporter) found(ctx context.Context) {
	if !e.ledger.Founded().IsZero() {
		e.telemetry.clock.Founded()
		return
	}
	if !e.telemetry.clock.Settled() {
		return // the dates of answers disagree with the clock, and which of them is right shows soon
	}
	if err := e.ledger.MarkFounded(ctx, e.now()); err != nil && ctx.Err() == nil {
		e.telemetry.ledgerFailed("marking the end of the first pass", err)
	}
	if done := e.onFounding; done != nil && !e.ledger.Founded().IsZero() {
		e.onFounding = nil
		if err := done(ctx); err != nil && ctx.Err() == nil {
			e.logger.Error("What follows the first pass failed", "error", err)
		}
	}
}

// evaluate computes every family as of now and publishes the result.
func (e *exporter) evaluate(ctx context.Context) {
	at := e.now()
	e.applying.Lock()
	if err := e.ledger.Settle(ctx, at); err != nil && ctx.Err() == nil {
		e.telemetry.ledgerFailed("settling what fell due", err)
	}
	known, decided := e.ledger.Snapshot(), e.policy
	e.applying.Unlock()
	if ctx.Err() != nil {
		return
	}
	if known.At.After(at) {
		at = known.At // the clock stepped back: what was counted already stays counted, so that no counter falls
	}
	began := time.Now()
	evaluation := metrics.Evaluate(known, decided, at)
	evaluation.Took = time.Since(began)
	e.store.Publish(evaluation)
	e.evaluated.Store(&at)
	e.evidence.evaluated(known, decided, at)
}

// sink is where schedulers bring what collectors emit.
type sink struct{ *exporter }

// Cursors returns the stored cursors of an instance.
func (s sink) Cursors(ctx context.Context, collector, instance string) (map[string]record.Cursor, error) {
	return s.ledger.Cursors(ctx, collector, instance)
}

// Apply stores a batch and asks for an evaluation.
func (s sink) Apply(ctx context.Context, collector, instance string, b record.Batch) error {
	if err := s.ledger.Apply(ctx, collector, instance, b, s.now()); err != nil {
		return err // the scheduler logs it as the failure of the run
	}
	s.touch()
	return nil
}

// touch asks for an evaluation soon.
func (e *exporter) touch() {
	select {
	case e.landed <- struct{}{}:
	default:
	}
}

// current is the configuration in force.
func (e *exporter) current() *config.Config { return e.config.Load() }

// status is what the landing page and readiness say.
func (e *exporter) status() web.Status {
	s := web.Status{Collectors: e.telemetry.status()}
	if at := e.evaluated.Load(); at != nil {
		s.Evaluated = *at
	}
	if !e.passed.Load() {
		s.NotReady = "not every collector has ended its first run; metrics appear when all have"
	}
	return s
}
