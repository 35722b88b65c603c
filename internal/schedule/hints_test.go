package schedule

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// told is a collector that can read single scopes.
type told struct {
	scripted
	asked []string
	at    []time.Time
	fail  bool
}

var _ collectors.Hinted = (*told)(nil)

func (*told) TakesHints() bool                                  { return true }
func (*told) Hint(http.Header, []byte) (collectors.Hint, error) { return collectors.Hint{}, nil }

func (c *told) CollectScopes(_ context.Context, scopes []string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	c.mu.Lock()
	c.asked, c.at = append(c.asked, strings.Join(scopes, ",")+" from "+string(cursors["a"])), append(c.at, time.Now())
	c.mu.Unlock()
	if c.fail {
		return errors.New("it is down")
	}
	return emit(whole("a"))
}

// hinting runs a job for as long as do takes.
func hinting(t *testing.T, c collectors.Collector, do func(*Scheduler)) []Result {
	t.Helper()
	seen := &results{}
	s, err := New(Options{Jobs: []Job{job(c)}, Sink: &memory{}, Observer: seen, Rand: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	do(s)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return seen.list
}

func hint(t *testing.T, s *Scheduler, scopes ...string) {
	t.Helper()
	if err := s.Hint("toy", "one", scopes...); err != nil {
		t.Fatal(err)
	}
}

func reads(_ context.Context, _ int, _ collectors.Cursors, emit func(record.Batch) error) error {
	return errors.Join(emit(whole("a")), emit(whole("b")))
}

func TestBurstOfHintsIsOneReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &told{scripted: scripted{play: reads}}
		list := hinting(t, c, func(s *Scheduler) {
			<-s.FirstPass()
			time.Sleep(time.Minute)
			began := time.Now()
			for range 50 {
				hint(t, s, "b", "a")
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(10 * time.Second)
			hint(t, s, "a")
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(c.asked) != 2 || c.asked[0] != "a,b from c" || c.asked[1] != "a from c" {
				t.Fatalf("read %q, want a and b once, from the stored cursor, and then a", c.asked)
			}
			if wait := c.at[0].Sub(began); wait != HintDelay {
				t.Errorf("the first reading began after %s, want %s", wait, HintDelay)
			}
			if gap := c.at[1].Sub(c.at[0]); gap < HintRest-time.Second || gap > HintRest+time.Second {
				t.Errorf("the second reading began %s after the first, want %s", gap, HintRest)
			}
			time.Sleep(10 * time.Minute)
		})
		if len(c.starts) != 2 || c.starts[1].Sub(c.starts[0]) != 10*time.Minute {
			t.Errorf("runs at %v, want them at their interval, whatever was hinted at", c.starts)
		}
		hintedRuns := 0
		for _, r := range list {
			if r.Hinted {
				hintedRuns++
			}
			if r.Hinted && (r.Full || r.Scopes != 1 || r.Records != 2) {
				t.Errorf("result of a reading by hint = %+v", r)
			}
		}
		if hintedRuns != 2 {
			t.Errorf("%d results say that they were hinted at, want 2", hintedRuns)
		}
	})
}

func TestHintsDoNotPressASourceThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &told{scripted: scripted{play: func(context.Context, int, collectors.Cursors, func(record.Batch) error) error {
			return &record.Error{Reason: record.ReasonRateLimited, RetryAfter: 45 * time.Minute}
		}}}
		hinting(t, c, func(s *Scheduler) {
			<-s.FirstPass()
			for range 30 {
				hint(t, s, "a")
				time.Sleep(time.Minute)
			}
		})
		if len(c.asked) != 0 || len(c.starts) != 1 {
			t.Errorf("%d readings and %d runs while the source asked to be left alone", len(c.asked), len(c.starts))
		}
	})
}

func TestReadingByHintThatFailsChangesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &told{scripted: scripted{play: reads}, fail: true}
		list := hinting(t, c, func(s *Scheduler) {
			<-s.FirstPass()
			hint(t, s, "a")
			time.Sleep(10*time.Minute + time.Second)
		})
		if len(c.asked) != 1 || len(c.starts) != 2 || c.starts[1].Sub(c.starts[0]) != 10*time.Minute {
			t.Errorf("%d readings, runs at %v", len(c.asked), c.starts)
		}
		if !list[1].Hinted || list[1].Err == nil || list[1].Errors[record.ReasonOther] != 1 {
			t.Errorf("result = %+v, want a failure that is counted", list[1])
		}
	})
}

func TestHintToACollectorWithoutScopesTriggersIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{play: reads}
		hinting(t, c, func(s *Scheduler) {
			<-s.FirstPass()
			hint(t, s, "a")
			synctest.Wait()
			if err := s.Hint("toy", "two", "a"); !errors.Is(err, ErrUnknownJob) {
				t.Errorf("Hint() of an unknown job = %v", err)
			}
		})
		if len(c.starts) != 2 {
			t.Errorf("%d runs, want 2", len(c.starts))
		}
	})
}
