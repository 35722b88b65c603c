package numbers_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// TestAsOf plays random histories of every kind of record, with failures, changes of policy and of sources, restarts, and times at which
// nothing ran, and remembers what was served at every step. Afterwards the ledger as of each of these instants gives the same
// text, byte for byte, every family included.
func TestAsOf(t *testing.T) {
	histories, steps := 200, 32
	if raceDetector || testing.Short() {
		histories = 20 // one goroutine at a time: there is no interleaving to look for; make unit runs all of them without the detector
	}
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for i := range histories / parts {
				if playBack(t, uint64(part*histories+i), steps); t.Failed() {
					return
				}
			}
		})
	}
}

// player is a random history on its way into a ledger.
type player struct {
	t          *testing.T
	random     ledgertest.Random
	seed       uint64
	path       string
	ledger     *ledger.Ledger
	policy     *policy.Policy
	configured []ledger.Source
	served     []servedText
}

// servedText is what was served at an instant.
type servedText struct {
	at   time.Time
	text string
	by   string
}

func playBack(t *testing.T, seed uint64, steps int) {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "asof")
	if err != nil {
		folder = t.TempDir()
	}
	defer func() { _ = os.RemoveAll(folder) }()
	p := &player{
		t: t, random: ledgertest.NewRandom(seed), seed: seed, path: filepath.Join(folder, "ledger.db"), policy: ledgertest.Policies()[0],
		configured: ledgertest.Sources(),
	}
	p.open()
	founding := p.random.IntN(8)
	for i := range steps {
		p.random.Pass()
		what := "founding"
		if i == founding {
			p.must(what, p.ledger.MarkFounded(t.Context(), p.random.Now()))
		} else {
			what = p.step()
		}
		p.serve(what)
		if t.Failed() {
			return
		}
	}
	p.compare()
	p.must("closing", p.ledger.Close())
	p.served = p.served[:min(2, len(p.served))]
	p.compare() // nobody holds it now, and the way back is the longest
}

func (p *player) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("history %d: %s: %v", p.seed, what, err)
	}
}

func (p *player) open() {
	l, err := ledger.Open(p.t.Context(), ledger.Options{Path: p.path, Policy: p.policy, At: p.random.Now(), Measure: metrics.Headlines})
	p.must("opening", err)
	p.ledger = l
	p.must("configuring", l.Configure(p.t.Context(), p.configured, p.random.Now()))
}

// step lets one thing happen.
func (p *player) step() string {
	ctx, r := p.t.Context(), p.random
	switch n := r.IntN(24); {
	case n == 0:
		p.policy = ledgertest.Policies()[r.IntN(2)]
		p.must("changing the policy", p.ledger.SetPolicy(ctx, p.policy, r.Now()))
		return "a policy"
	case n == 1:
		p.configured = ledgertest.Sources()
		if r.IntN(2) == 0 {
			gone := r.IntN(len(p.configured))
			p.configured = slices.Delete(p.configured, gone, gone+1)
		} else {
			slices.Reverse(p.configured)
			p.configured[0].StaleAfter = 2 * policy.Day
		}
		p.must("configuring", p.ledger.Configure(ctx, p.configured, r.Now()))
		r.Forget()
		return "a configuration"
	case n == 2:
		p.must("closing", p.ledger.Close())
		if r.IntN(2) == 0 {
			r.Pass()
		}
		p.policy = ledgertest.Policies()[r.IntN(2)]
		p.open()
		return "a restart"
	case n < 6:
		return "nothing"
	default:
		collector, instance, b := r.Batch()
		err := p.ledger.Apply(ctx, collector, instance, b, r.Now())
		if errors.Is(err, ledger.ErrNotConfigured) {
			r.Forget()
			err = nil
		}
		p.must("applying "+b.Scope, err)
		return "a batch of " + b.Scope
	}
}

// serve evaluates as the exporter does and remembers the text. Before the founding nothing is served.
func (p *player) serve(what string) {
	now := p.random.Now()
	p.must("settling", p.ledger.Settle(p.t.Context(), now))
	if !p.ledger.Founded().IsZero() {
		p.served = append(p.served, servedText{now, expose(p.t, p.ledger.Snapshot(), p.policy, now), what})
	}
}

// between asks for an instant at which nothing was served: the open weaknesses are the sum of the flows then, too.
func (p *player) between(history *ledger.History, from, to time.Time) {
	p.t.Helper()
	at := from.Add(time.Duration(p.random.IntN(1+int(to.Sub(from)/time.Second))) * time.Second)
	known, _, err := history.AsOf(p.t.Context(), at)
	p.must("going back", err)
	open, flows := 0, 0
	for _, w := range known.Weaknesses.All() {
		if w.Open() {
			open++
		}
	}
	for _, e := range known.Events.All() {
		if e.Counted <= at.Unix() && e.Sums.InWindows() {
			flows += e.Kind.Sign()
		}
	}
	if open != flows {
		p.t.Errorf("history %d: as of %s %d weaknesses are open, and the flows until then sum to %d", p.seed, at, open, flows)
	}
}

// compare asks for every instant at which something was served, in any order.
func (p *player) compare() {
	history, err := ledger.OpenHistory(p.t.Context(), p.path, nil)
	p.must("opening the history", err)
	defer func() { p.must("closing the history", history.Close()) }()
	for i, s := range p.served {
		known, decided, err := history.AsOf(p.t.Context(), s.at)
		p.must("going back", err)
		if text := expose(p.t, known, decided, s.at); text != s.text {
			p.t.Errorf("history %d: at step %d (%s, after %s) something else was served (-served +as of):\n%s", p.seed, i, s.at, s.by,
				cmp.Diff(s.text, text))
			return
		}
		if i > 0 && p.random.IntN(8) == 0 {
			p.between(history, p.served[i-1].at, s.at)
		}
	}
}

// expose is the exposition of every family at an instant.
func expose(t *testing.T, s *snapshot.Snapshot, p *policy.Policy, at time.Time) string {
	t.Helper()
	store := exposition.New(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	store.Publish(metrics.Evaluate(s, p, at))
	answer := httptest.NewRecorder()
	store.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("the exposition answers %d", answer.Code)
	}
	return answer.Body.String()
}
