package collectorstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Token is the credential that the suite puts into the secret file. It must reach the source and nothing else.
const Token = "s3cr3t-c0nformance-t0ken" //nolint:gosec // Not a credential.

// Suite describes a collector and a source for it.
type Suite struct {
	// Kind is the kind under test; its name is checked, and its sample configuration is decoded by it.
	Kind collectors.Kind
	// New builds the collector against a source. The token is in a file.
	New func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error)
	// Serve scripts a healthy source whose paged scopes have at least two pages.
	Serve func(*Server)
	// Scopes are all scopes that the healthy source yields.
	Scopes []Scope
	// Altered are changes to the healthy source and what they lead to; at least one brings an unknown value of an
	// enumeration and one an item that cannot be understood.
	Altered []Altered
	// Gone are sources that have no more what some scopes are about; at least one, unless Fixed says why no scope can end.
	Gone []Gone
	// Fixed says why the collector's scopes cannot end at the source: that the configuration names them, say.
	Fixed string
	// Readme is the file whose first YAML block is a sample configuration of the kind.
	Readme string

	// open are the findings that are open in a healthy source.
	open map[string]bool
}

// Scope is one scope and what it should hold.
type Scope struct {
	Name string
	// Records is the number of records in a healthy source.
	Records int
	// Requests tells which requests the scope is read by.
	Requests func(Request) bool
	// Pages is how many requests it takes to read the scope; from 2 on, faults hit the last one, too.
	Pages int
	// Cursor says that pages are found by a cursor or link, which can be repeated, and not by a number.
	Cursor bool
	// Links says that the next page is named by the header Link.
	Links bool
	// Along names scopes that cannot be read either when this one cannot.
	Along []string
	// Reasons replaces what is expected of a fault, by its name; none means the usual.
	Reasons map[string][]record.ErrorReason
	// Tolerates are faults, by their name, that the scope survives: what could not be read because of them is unknown in its records, as the function checks.
	Tolerates map[string]func(record.Batch) error
	// Items is where the items are in an answer: the key of the list, with dots where it is nested; empty where the answer is the list. Steady, where it is set, says why
	// items of the list cannot be hidden by others that move between its pages: because pages are continued after the last item that was given, say.
	Items, Steady string
	// Total is where an answer counts the items of the whole list: the key of the count, with dots where it is nested, or the name of a header; empty where the source does not count.
	Total string
	// Nothing is the JSON text by which the source is documented to say that there is nothing, where that is null or an empty object;
	// elsewhere these are faults.
	Nothing string
}

// Altered is a source that differs from the healthy one in one place.
type Altered struct {
	Name  string
	Serve func(*Server)
	Scope string
	// Records and Rejected are what the scope's batch should hold.
	Records  int
	Rejected int
	// Check, if set, looks at the scope's batch.
	Check func(record.Batch) error
}

// Gone is a source that changed so that what some scopes were about is no longer there, or no longer visible.
type Gone struct {
	Name  string
	Serve func(*Server)
	// Retired are the scopes that end, and Reason why.
	Retired []string
	Reason  record.Closure
	// Hidden are the scopes whose end nobody can tell from a missing permission: they fail.
	Hidden []string
}

// Run runs every check of the suite as a subtest.
func Run(t *testing.T, s Suite) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			for _, problem := range c.find(t, &s) {
				t.Error(problem)
			}
		})
	}
}

type check struct {
	name string
	find func(testing.TB, *Suite) []string
}

func checks() []check {
	return []check{
		{"healthy source is read whole", checkHealthy},
		{"two collections are equal", checkEqual},
		{"failures never look like less", checkFaults},
		{"what refuses stops no other, and is read once it answers", checkRefused},
		{"what is gone is retired, and nothing else", checkGone},
		{"items that move between pages are not lost", checkMoved},
		{"a list that shrinks is not whole", checkShrunk},
		{"Retry-After is honoured", checkRetryAfter},
		{"a canceled context ends it promptly", checkCancel},
		{"a failing ledger stops it", checkEmit},
		{"altered sources", checkAltered},
		{"sample configuration", checkSample},
	}
}

// Clock is the system's clock, on which waiting takes no time.
type Clock struct {
	mu    sync.Mutex
	start time.Time
	slept time.Duration
}

// NewClock starts a clock now; it only moves when somebody sleeps on it.
func NewClock() *Clock { return &Clock{start: time.Now().UTC().Truncate(time.Second)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(c.slept)
}

// Sleep moves the clock and returns at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
	return ctx.Err()
}

// Slept is how long everybody slept in total.
func (c *Clock) Slept() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// Env is an environment for a collector that logs to w at every level and waits on the clock.
func Env(clock *Clock, logger *slog.Logger) collectors.Env {
	return collectors.Env{Logger: logger, Observer: discard{}, Now: clock.Now, Sleep: clock.Sleep}
}

type discard struct{}

func (discard) Requested(int, bool)                {}
func (discard) Budget(string, int, int, time.Time) {}

// Secret puts a value into a file and names it.
func Secret(t testing.TB, value string) apiclient.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return apiclient.Secret{File: path}
}

// Gather runs one collection and returns its batches by scope. Two batches of one scope are an error.
func Gather(ctx context.Context, c collectors.Collector, cursors collectors.Cursors) (map[string]record.Batch, error) {
	batches := map[string]record.Batch{}
	var mu sync.Mutex
	var twice error
	err := c.Collect(ctx, cursors, func(b record.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := batches[b.Scope]; ok {
			twice = errors.Join(twice, fmt.Errorf("scope %s was emitted twice", b.Scope))
		}
		batches[b.Scope] = b
		return nil
	})
	return batches, errors.Join(err, twice)
}

// bench is one collector before one source.
type bench struct {
	server    *Server
	clock     *Clock
	logged    *bytes.Buffer
	collector collectors.Collector
}

func (s *Suite) bench(t testing.TB) (*bench, error) {
	t.Helper()
	b := &bench{server: NewServer(t), clock: NewClock(), logged: &bytes.Buffer{}}
	s.Serve(b.server)
	logger := slog.New(slog.NewTextHandler(&lockedWriter{to: b.logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	b.collector, err = s.New(b.server.URL(), Secret(t, Token), Env(b.clock, logger))
	if err != nil {
		return nil, fmt.Errorf("build the collector: %w", err)
	}
	return b, nil
}

const patience = 30 * time.Second

func (b *bench) gather(t testing.TB) (map[string]record.Batch, error) { return b.gatherFrom(t, nil) }

func (b *bench) gatherFrom(t testing.TB, cursors collectors.Cursors) (map[string]record.Batch, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return Gather(ctx, b.collector, cursors)
}

// leaks lists where the token should not be.
func (b *bench) leaks(batches map[string]record.Batch, err error) []string {
	var problems []string
	see := func(what, text string) {
		if bytes.Contains([]byte(text), []byte(Token)) {
			problems = append(problems, fmt.Sprintf("%s holds the token: %s", what, text))
		}
	}
	if err != nil {
		see("the error of Collect", err.Error())
	}
	for _, scope := range slices.Sorted(maps.Keys(batches)) {
		if batch := batches[scope]; batch.Err != nil {
			see("the error of "+scope, batch.Err.Error())
		}
		see("the batch of "+scope, fmt.Sprintf("%+v", batches[scope]))
	}
	see("the log", b.logged.String())
	if leaked := b.server.Leaked(); len(leaked) > 0 {
		problems = append(problems, fmt.Sprintf("%d requests reached another host", len(leaked)))
	}
	return problems
}

type lockedWriter struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
