package schedule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// script is a collector whose every run is a function.
type script func(ctx context.Context, run int, cursors collectors.Cursors, emit func(record.Batch) error) error

type scripted struct {
	mu     sync.Mutex
	play   script
	starts []time.Time
	// given are the scopes with a cursor, known all that were named, by run.
	given []string
	known []string
	busy  int
	most  int
}

func (c *scripted) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	c.mu.Lock()
	run := len(c.starts)
	c.starts = append(c.starts, time.Now())
	given := slices.Sorted(maps.Keys(cursors))
	c.known = append(c.known, strings.Join(given, ","))
	given = slices.DeleteFunc(given, func(scope string) bool { return cursors[scope] == "" })
	c.given = append(c.given, strings.Join(given, ","))
	c.busy++
	c.most = max(c.most, c.busy)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.busy--
		c.mu.Unlock()
	}()
	return c.play(ctx, run, cursors, emit)
}

// memory is a sink that keeps cursors.
type memory struct {
	mu      sync.Mutex
	cursors map[string]record.Cursor
	applied []string
	fail    error
}

func (m *memory) Cursors(context.Context, string, string) (map[string]record.Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.cursors), m.fail
}

func (m *memory) Apply(_ context.Context, collector, instance string, b record.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.cursors == nil {
		m.cursors = map[string]record.Cursor{}
	}
	if b.Err == nil && b.Cursor != "" {
		m.cursors[b.Scope] = b.Cursor
	}
	m.applied = append(m.applied, collector+"/"+instance+"/"+b.Scope)
	return nil
}

type results struct {
	mu   sync.Mutex
	list []Result
}

func (*results) Started(string, string, bool)        {}
func (*results) Batch(string, string, *record.Batch) {}
func (r *results) Ended(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, result)
}

// run runs jobs for a time of the bubble and returns what was observed and logged.
func run(t *testing.T, d time.Duration, sink Sink, jobs ...Job) ([]Result, string) {
	t.Helper()
	seen, logged := &results{}, &bytes.Buffer{}
	s, err := New(Options{Jobs: jobs, Sink: sink, Observer: seen, Logger: slog.New(slog.NewTextHandler(logged, nil)), Rand: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatalf("Run() = %v", err)
	}
	return seen.list, logged.String()
}

func job(c collectors.Collector) Job {
	return Job{Collector: "toy", Instance: "one", Run: c, Interval: 10 * time.Minute, FullInterval: time.Hour}
}

func whole(scope string) record.Batch {
	return record.Batch{Scope: scope, Mode: record.Full, Cursor: "c", Findings: make([]record.Finding, 2)}
}

func failed(scope string, reason record.ErrorReason) record.Batch {
	return record.Batch{Scope: scope, Err: &record.Error{Reason: reason, Err: errors.New("no")}}
}

func TestFullSweepsAndDeltas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			return errors.Join(emit(whole("a")), emit(whole("b")))
		}}
		list, logged := run(t, 2*time.Hour, &memory{}, job(c))
		want := []string{"", "a,b", "a,b", "a,b", "a,b", "a,b", "", "a,b"}
		if len(c.given) < len(want) || !slices.Equal(c.given[:len(want)], want) {
			t.Errorf("cursors per run = %q, want %q: a full sweep first and each hour", c.given, want)
		}
		if c.known[6] != "a,b" {
			t.Errorf("a full sweep was told of the scopes %q, want all that are known", c.known[6])
		}
		if gap := c.starts[2].Sub(c.starts[1]); gap != 10*time.Minute {
			t.Errorf("runs are %s apart, want the interval", gap)
		}
		if c.starts[0].Sub(list[0].Started) != 0 || list[0].Records != 4 || list[0].Scopes != 2 || list[0].Err != nil || !list[0].Full || list[1].Full {
			t.Errorf("results = %+v", list[:2])
		}
		if logged != "" {
			t.Errorf("good runs logged %s", logged)
		}
	})
}

func TestScopeThatFailedInASweepIsReadWholeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, run int, _ collectors.Cursors, emit func(record.Batch) error) error {
			b := whole("b")
			if run == 0 || run == 1 {
				b = failed("b", record.ReasonServer)
			}
			return errors.Join(emit(whole("a")), emit(b))
		}}
		sink := &memory{cursors: map[string]record.Cursor{"a": "old", "b": "old"}}
		list, logged := run(t, 35*time.Minute, sink, job(c))
		if want := []string{"", "a", "a", "a,b"}; !slices.Equal(c.given, want) {
			t.Errorf("cursors per run = %q, want %q", c.given, want)
		}
		if list[0].Err != nil || list[0].Failed != 1 || list[0].Errors[record.ReasonServer] != 1 {
			t.Errorf("result = %+v, want one failed scope and no failed run", list[0])
		}
		if got := strings.Count(logged, "\n"); got != 2 || !strings.Contains(logged, "scope b") {
			t.Errorf("%d log lines, want one per poll with a failed scope:\n%s", got, logged)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, run int, _ collectors.Cursors, emit func(record.Batch) error) error {
			if run < 10 || run == 11 {
				return emit(failed("a", record.ReasonUnauthorized))
			}
			return emit(whole("a"))
		}}
		list, logged := run(t, 6*time.Hour, &memory{}, job(c))
		var gaps []time.Duration
		for i := range 12 {
			gaps = append(gaps, c.starts[i+1].Sub(c.starts[i]))
		}
		m := time.Minute
		want := []time.Duration{m / 2, m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 60 * m, 60 * m, 60 * m, 10 * m, m / 2}
		if !slices.Equal(gaps, want) {
			t.Errorf("waits = %v, want %v", gaps, want)
		}
		if list[0].Err == nil || list[0].Errors[record.ReasonUnauthorized] != 1 {
			t.Errorf("a run in which every scope failed = %+v, want a failed run, counted once", list[0])
		}
		if got := strings.Count(logged, "Collection failed"); got != 11 {
			t.Errorf("%d log lines, want one per failed run", got)
		}
	})
}

func TestSweepThatFailedIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, run int, _ collectors.Cursors, emit func(record.Batch) error) error {
			if run < 2 {
				return errors.New("the list of organisations cannot be read")
			}
			return emit(whole("a"))
		}}
		run(t, 15*time.Minute, &memory{cursors: map[string]record.Cursor{"a": "old"}}, job(c))
		if want := []string{"", "", "", "a"}; !slices.Equal(c.given, want) {
			t.Errorf("cursors per run = %q, want %q", c.given, want)
		}
	})
}

func TestBackoffHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(context.Context, int, collectors.Cursors, func(record.Batch) error) error {
			return &record.Error{Reason: record.ReasonRateLimited, RetryAfter: 45 * time.Minute}
		}}
		run(t, 50*time.Minute, &memory{}, job(c))
		if len(c.starts) != 2 || c.starts[1].Sub(c.starts[0]) != 45*time.Minute {
			t.Errorf("runs at %v, want two, 45 minutes apart", c.starts)
		}
	})
}

func TestTimeoutAndNoOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(ctx context.Context, _ int, _ collectors.Cursors, _ func(record.Batch) error) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		slow := job(c)
		slow.Timeout = 25 * time.Minute
		list, _ := run(t, time.Hour, &memory{}, slow)
		if c.most != 1 {
			t.Errorf("%d runs at once", c.most)
		}
		if len(list) != 2 || list[0].Duration != 25*time.Minute || list[0].Errors[record.ReasonCanceled] != 1 {
			t.Errorf("results = %+v, want two runs ended by their timeout", list)
		}
	})
}

func TestPanicIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := &scripted{play: func(context.Context, int, collectors.Cursors, func(record.Batch) error) error { panic("nil map") }}
		good := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			return emit(whole("a"))
		}}
		other := job(good)
		other.Instance = "two"
		list, logged := run(t, 25*time.Minute, &memory{}, job(bad), other)
		panics := 0
		for _, r := range list {
			if r.Panicked {
				panics++
				if r.Err == nil || !strings.Contains(r.Err.Error(), "nil map") {
					t.Errorf("result of a panic = %+v", r)
				}
			}
		}
		if panics < 2 || len(good.starts) != 3 || !strings.Contains(logged, "nil map") {
			t.Errorf("%d panics, %d good runs, want both to go on; log: %s", panics, len(good.starts), logged)
		}
	})
}

func TestTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := &scripted{play: func(_ context.Context, run int, _ collectors.Cursors, emit func(record.Batch) error) error {
			if run == 1 {
				<-release
			}
			return emit(whole("a"))
		}}
		s, err := New(Options{Jobs: []Job{job(c)}, Sink: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		<-s.FirstPass()
		before := time.Now()
		trigger(t, s, 1)
		synctest.Wait()
		trigger(t, s, 3)
		close(release)
		synctest.Wait()
		if len(c.starts) != 3 || time.Since(before) != 0 {
			t.Errorf("%d runs after %s, want 3 at once: the first, the triggered, and one for the triggers during it", len(c.starts), time.Since(before))
		}
		if err := s.Trigger("toy", "nobody"); !errors.Is(err, ErrUnknownJob) {
			t.Errorf("Trigger of an unknown job = %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func trigger(t *testing.T, s *Scheduler, times int) {
	t.Helper()
	for range times {
		if err := s.Trigger("toy", "one"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFirstPassWaitsForEveryJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			<-release
			return errors.New("and then it failed")
		}}
		quick := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			return emit(whole("a"))
		}}
		other := job(quick)
		other.Instance = "two"
		s, err := New(Options{Jobs: []Job{job(slow), other}, Sink: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(time.Minute)
		select {
		case <-s.FirstPass():
			t.Error("FirstPass() is closed while a job is in its first run")
		default:
		}
		close(release)
		synctest.Wait()
		select {
		case <-s.FirstPass():
		default:
			t.Error("FirstPass() is open after each job ended its first run")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// TestFirstPassIsOneThatCouldBeStored: what was read in vain has to be read again, before anybody may say that all history was read.
func TestFirstPassIsOneThatCouldBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			if err := emit(whole("a")); err != nil {
				return err
			}
			return emit(whole("b"))
		}}
		sink := &memory{fail: errors.New("disk full")}
		s, err := New(Options{Jobs: []Job{job(c)}, Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(10 * time.Minute)
		select {
		case <-s.FirstPass():
			t.Error("FirstPass() is closed although nothing could be stored")
		default:
		}
		sink.mu.Lock()
		sink.fail = nil
		sink.mu.Unlock()
		time.Sleep(20 * time.Minute)
		select {
		case <-s.FirstPass():
		default:
			t.Error("FirstPass() is open after a run that was stored")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func TestShutdownIsPromptAndNoFirstPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(ctx context.Context, _ int, _ collectors.Cursors, _ func(record.Batch) error) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		s, err := New(Options{Jobs: []Job{job(c)}, Sink: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run() = %v", err)
			}
		default:
			t.Error("Run() did not return when its context ended")
		}
		select {
		case <-s.FirstPass():
			t.Error("a first run that was cut off counts as a first pass")
		default:
		}
	})
}

func TestSinkErrorsFailTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			return emit(whole("a"))
		}}
		full := errors.New("disk full")
		list, _ := run(t, 15*time.Minute, &memory{fail: full}, job(c))
		if len(list) == 0 || !errors.Is(list[0].Err, full) || list[0].Records != 0 {
			t.Errorf("results = %+v, want runs failed by the sink", list)
		}
	})
}

func TestLateAndNamelessBatchesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late func(record.Batch) error
		var nameless error
		c := &scripted{play: func(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
			late, nameless = emit, emit(record.Batch{})
			return nil
		}}
		sink := &memory{}
		run(t, time.Minute, sink, job(c))
		if err := late(whole("a")); !errors.Is(err, errRunEnded) || nameless == nil || len(sink.applied) != 0 {
			t.Errorf("late = %v, nameless = %v, applied %v", err, nameless, sink.applied)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	c := &scripted{}
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"no sink", Options{}, "sink"},
		{"twice", Options{Sink: &memory{}, Jobs: []Job{job(c), job(c)}}, "twice"},
		{"no code", Options{Sink: &memory{}, Jobs: []Job{{Collector: "toy", Interval: 1}}}, "cannot run"},
		{"no interval", Options{Sink: &memory{}, Jobs: []Job{{Collector: "toy", Run: c}}}, "positive"},
	}
	for _, tt := range tests {
		if _, err := New(tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New with %s = %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	s, err := New(Options{Sink: &memory{}})
	if err != nil {
		t.Fatal(err)
	}
	<-s.FirstPass()
	if err := errors.Join(s.Run(t.Context()), s.Run(t.Context())); err == nil || fmt.Sprint(err) != "the schedule runs already" {
		t.Errorf("a second Run = %v, want a refusal", err)
	}
}
