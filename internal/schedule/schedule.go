// Package schedule decides when collectors run. Each instance has one goroutine, so its runs never overlap; a run reads
// everything (a full sweep) or what changed since the stored cursors (a delta), and what it emits goes to a Sink, batch by batch.
//
// Times are spread by jitter so that instances do not ask in step. A run that fails is tried again after a wait that
// doubles from RetryFirst; a run in which only some scopes fail is no failed run: the good scopes are fresh.
//
// It knows the contract of collectors and nothing of what is measured or stored. To change when an instance runs: runner.go; what a webhook triggers: hints.go.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

const (
	// RetryFirst is the wait after the first failure, if the interval is not shorter.
	RetryFirst = 30 * time.Second
	// RetryMost bounds the wait after many failures, if the interval is not longer.
	RetryMost = time.Hour
	// intervalJitter is the part of an interval by which it varies up and down.
	intervalJitter = 0.1
	// HintDelay is how long a hint waits for others, so that a burst of them is one reading.
	HintDelay = 5 * time.Second
	// HintRest is the least time between two readings by hint.
	HintRest = 30 * time.Second
	// maxHinted bounds the scopes that wait to be read; polling reads the rest.
	maxHinted = 1000
	// startSpread is the time over which first runs are spread.
	startSpread = 500 * time.Millisecond
)

// Job is a collector instance and how often it runs.
type Job struct {
	// Collector is the kind's name and Instance tells instances of a kind apart.
	Collector string
	Instance  string
	Run       collectors.Collector
	// Interval is the time between runs, FullInterval between full sweeps (0: every run is one), Timeout the bound of
	// one run (0: none).
	Interval     time.Duration
	FullInterval time.Duration
	Timeout      time.Duration
}

// Sink takes what collectors learned, and remembers where they were.
type Sink interface {
	// Cursors returns the stored cursors of an instance by scope, empty for a scope that is known and has none.
	Cursors(ctx context.Context, collector, instance string) (map[string]record.Cursor, error)
	// Apply stores a batch or nothing of it.
	Apply(ctx context.Context, collector, instance string, b record.Batch) error
}

// Observer is told of every run. Implementations are safe for concurrent use and return soon.
type Observer interface {
	// Started is called before a run.
	Started(collector, instance string, full bool)
	// Batch is called for each batch once the sink has taken it; b.Err says whether its scope could be read.
	Batch(collector, instance string, b *record.Batch)
	// Ended is called after a run.
	Ended(r Result)
}

// Result is how a run ended.
type Result struct {
	Collector string
	Instance  string
	Full      bool
	// Hinted says that only the scopes were read that the source had hinted at.
	Hinted   bool
	Started  time.Time
	Duration time.Duration
	// Scopes is the number of batches, Failed that of batches with an error, Records the sum of the others' sizes.
	Scopes  int
	Failed  int
	Records int
	// Errors counts errors by reason: those of scopes, and that of the run.
	Errors map[record.ErrorReason]int
	// Rejected counts items left out, by reason.
	Rejected map[record.RejectReason]int
	// Unstored says that something which the run needed or learned could not be read from or stored in the sink.
	Unstored bool
	// Panicked says that the collector panicked; Err then says with what.
	Panicked bool
	// Err is why the run as a whole failed: Collect's error, the sink's, or that of the first scope when all failed.
	Err error

	firstErr error // of a scope
}

// Options configure a Scheduler.
type Options struct {
	Jobs []Job
	Sink Sink
	// Observer may be nil.
	Observer Observer
	// Logger gets one line per failed run; nil logs nothing.
	Logger *slog.Logger
	// Now is the clock and Rand a source of numbers in [0,1); nil uses the system's.
	Now  func() time.Time
	Rand func() float64
}

// Scheduler runs jobs.
type Scheduler struct {
	options   Options
	runners   map[key]*runner
	firstPass chan struct{}

	mu      sync.Mutex
	running bool
	pending int
}

type key struct{ collector, instance string }

// New checks the options. It starts nothing.
func New(o Options) (*Scheduler, error) {
	if o.Sink == nil {
		return nil, errors.New("a schedule needs a sink")
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	s := &Scheduler{options: o, runners: map[key]*runner{}, firstPass: make(chan struct{})}
	for _, job := range o.Jobs {
		k := key{job.Collector, job.Instance}
		switch {
		case job.Run == nil || job.Collector == "":
			return nil, fmt.Errorf("collector %s of kind %q cannot run: it has no kind or no code", job.Instance, job.Collector)
		case s.runners[k] != nil:
			return nil, fmt.Errorf("collector %s of kind %s is scheduled twice: give each instance a name of its own", job.Instance, job.Collector)
		case job.Interval <= 0:
			return nil, fmt.Errorf("collector %s of kind %s has the interval %s: it must be positive", job.Instance, job.Collector, job.Interval)
		}
		s.runners[k] = newRunner(job, &s.options)
	}
	s.pending = len(s.runners)
	if s.pending == 0 {
		close(s.firstPass)
	}
	return s, nil
}

// Run runs all jobs until ctx ends and every run under way has returned. It can be called once.
func (s *Scheduler) Run(ctx context.Context) error {
	s.mu.Lock()
	again := s.running
	s.running = true
	s.mu.Unlock()
	if again {
		return errors.New("the schedule runs already")
	}
	var all sync.WaitGroup
	for _, r := range s.runners {
		all.Go(func() { r.loop(ctx, s.firstDone) })
	}
	all.Wait()
	return nil
}

func (s *Scheduler) firstDone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending--; s.pending == 0 {
		close(s.firstPass)
	}
}

// FirstPass is closed when each job has ended a run, well or not, of which everything that it learned was stored.
func (s *Scheduler) FirstPass() <-chan struct{} { return s.firstPass }

// ErrUnknownJob is wrapped by the error of Trigger.
var ErrUnknownJob = errors.New("no such collector is scheduled")

// Trigger makes an instance run soon, once, besides its interval. Triggers that come while one is waiting are one.
func (s *Scheduler) Trigger(collector, instance string) error {
	r, ok := s.runners[key{collector, instance}]
	if !ok {
		return fmt.Errorf("%w: %s of kind %s", ErrUnknownJob, instance, collector)
	}
	select {
	case r.trigger <- struct{}{}:
	default:
	}
	return nil
}

// Hint makes scopes of an instance be read soon, besides its interval: once HintDelay has gathered what hints there are. A collector that cannot read single
// scopes runs as by Trigger. While an instance fails, and before its first run has ended, hints are forgotten: its next run reads what they are about.
func (s *Scheduler) Hint(collector, instance string, scopes ...string) error {
	r, ok := s.runners[key{collector, instance}]
	if !ok {
		return fmt.Errorf("%w: %s of kind %s", ErrUnknownJob, instance, collector)
	}
	if _, ok := r.job.Run.(collectors.Hinted); !ok {
		return s.Trigger(collector, instance)
	}
	r.note(scopes)
	return nil
}

type unobserved struct{}

func (unobserved) Started(string, string, bool)        {}
func (unobserved) Batch(string, string, *record.Batch) {}
func (unobserved) Ended(Result)                        {}
