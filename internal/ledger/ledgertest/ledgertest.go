// Package ledgertest holds what every store of the ledger has to pass: properties over random histories, and the rules of
// applying, absence and failure that do not depend on where the ledger is kept.
//
// To hold stores to one more rule: a test that Run calls. It opens ledgers through the function that a store's test gives it and knows no store.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Run runs the suite. fresh returns an Open for a new and empty ledger. histories is how many random histories the properties
// are tried on.
func Run(t *testing.T, fresh func(t *testing.T) Open, histories int) {
	t.Run("FlowsReconcileAndRestartChangesNothing", func(t *testing.T) {
		const parts = 4
		for part := range parts {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for i := range histories / parts {
					seed := uint64(part*histories + i)
					if !t.Run(fmt.Sprint(seed), func(t *testing.T) { runHistory(t, fresh(t), seed) }) {
						return
					}
				}
			})
		}
	})
	t.Run("OrderOfArrivalLeavesNoTrace", func(t *testing.T) {
		for seed := range uint64(max(1, histories/10)) {
			orderOfArrival(t, fresh, seed)
		}
	})
	t.Run("SourcesReadLaterGiveTheSameWindows", func(t *testing.T) {
		for seed := range uint64(max(1, histories/20)) {
			splitInTime(t, fresh, seed)
		}
	})
	t.Run("DeltasInAnyOrderEqualTheSweep", func(t *testing.T) {
		for seed := range uint64(max(1, histories/10)) {
			deltasEqualSweep(t, fresh, seed)
		}
	})
}

// served is what was shown at an instant after the founding.
type served struct {
	at   time.Time
	open map[cell]int
}

// runHistory applies one random history, checking after every step that open = Σ flows, that counters do not fall and that a
// restart changes nothing; and at the end that every past instant is still reconstructed as it was served.
func runHistory(t *testing.T, reopen Open, seed uint64) bool {
	t.Helper()
	h, choices := newHistory(seed), policies()
	current := choices[0]
	l := MustOpen(t, reopen, current)
	ctx := t.Context()
	step := func(what string, err error) bool {
		if err != nil {
			t.Errorf("history %d: %s: %v", seed, what, err)
		}
		return err == nil
	}
	if !step("configuring", l.Configure(ctx, sources, h.at)) {
		return false
	}
	var past []served
	events, configured := 0, sources
	founding := h.rng.IntN(8)
	for i := range 24 {
		h.pass()
		before := l.Snapshot()
		var err error
		what := "settling"
		switch n := h.rng.IntN(24); {
		case i == founding:
			what, err = "founding", l.MarkFounded(ctx, h.at)
		case n == 0:
			current = choices[h.rng.IntN(2)]
			what, err = "changing the policy", l.SetPolicy(ctx, current, h.at)
		case n == 1:
			if configured = sources; h.chance(2) {
				gone := h.rng.IntN(len(sources))
				configured = slices.Delete(slices.Clone(sources), gone, gone+1)
			}
			what, err = "configuring", l.Configure(ctx, configured, h.at)
			clear(h.world)
		case n < 5:
			err = l.Settle(ctx, h.at)
		default:
			what, err = h.apply(ctx, l, configured)
		}
		if !step(fmt.Sprintf("step %d: %s", i, what), err) || !step("settling", l.Settle(ctx, h.at)) {
			return false
		}
		s := l.Snapshot()
		if !reconciled(t, s, h.at, seed, i, what) {
			return false
		}
		if !s.Founded.IsZero() {
			if s.Events.Len() < events {
				t.Errorf("history %d, step %d (%s): %d events became %d", seed, i, what, events, s.Events.Len())
				return false
			}
			events = s.Events.Len()
			past = append(past, served{h.at, open(s)})
		}
		if !consistent(t, s, seed, i, what) || !lived(t, before, s, fmt.Sprintf("history %d, step %d (%s)", seed, i, what)) {
			return false
		}
		if h.chance(6) {
			before := Flatten(s)
			if !step("closing", l.Close()) {
				return false
			}
			l = MustOpen(t, reopen, current)
			if !step("configuring", l.Configure(ctx, configured, h.at)) {
				return false
			}
			if diff := Diff(before, Flatten(l.Snapshot())); diff != "" {
				t.Errorf("history %d, step %d (%s): a restart changed the snapshot (-before +after):\n%s", seed, i, what, diff)
				return false
			}
		}
	}
	if !reconstructed(t, l.Snapshot(), past, seed) {
		return false
	}
	return step("closing", l.Close())
}

// apply applies one random batch. One of a source that is not configured must be refused, which is no error here.
func (h *history) apply(ctx context.Context, l *ledger.Ledger, configured []ledger.Source) (what string, err error) {
	collector, instance, b := h.batch()
	known := slices.ContainsFunc(configured, func(s ledger.Source) bool { return s.Collector == collector && s.Instance == instance })
	if err = l.Apply(ctx, collector, instance, b, h.at); !known && errors.Is(err, ledger.ErrNotConfigured) {
		clear(h.world)
		err = nil
	}
	return "applying " + b.Scope, err
}

// reconciled checks that what is open is the sum of the flows up to an instant, in counters and in windows.
func reconciled(t *testing.T, s *snapshot.Snapshot, at time.Time, seed uint64, step int, what string) bool {
	t.Helper()
	for sums, in := range map[string]func(snapshot.Sums) bool{"counters": snapshot.Sums.InCounters, "windows": snapshot.Sums.InWindows} {
		if diff := cmp.Diff(open(s), flows(s, at.Unix(), in), cmp.AllowUnexported(cell{})); diff != "" {
			t.Errorf("history %d, step %d (%s): open weaknesses are not the sum of flows in %s (-open +flows):\n%s%s", seed, step, what, sums, diff, Describe(s))
			return false
		}
	}
	return true
}

// reconstructed checks that the flows still give what was served at every past instant.
func reconstructed(t *testing.T, s *snapshot.Snapshot, past []served, seed uint64) bool {
	t.Helper()
	for _, p := range past {
		if diff := cmp.Diff(p.open, flows(s, p.at.Unix(), snapshot.Sums.InCounters), cmp.AllowUnexported(cell{})); diff != "" {
			t.Errorf("history %d: %s is not reconstructed as it was served (-served +reconstructed):\n%s", seed, p.at, diff)
			return false
		}
	}
	return true
}

// consistent checks what must hold for every snapshot by itself.
func consistent(t *testing.T, s *snapshot.Snapshot, seed uint64, step int, what string) bool {
	t.Helper()
	complain := func(format string, args ...any) bool {
		t.Errorf("history %d, step %d (%s): %s%s", seed, step, what, fmt.Sprintf(format, args...), Describe(s))
		return false
	}
	reports := 0
	for i, w := range s.Weaknesses.All() {
		reports += int(w.Reports)
		switch {
		case w.Open() != (w.OpenReports > 0), w.Open() != (w.ClosedAt == 0):
			return complain("weakness %d is half open", i)
		case w.Open() && (w.Scope < 0 || int(w.Scope) >= len(s.Scopes)):
			return complain("open weakness %d has no scope", i)
		case int(w.Repository) >= len(s.Repositories), int(w.Service) >= len(s.Services), w.ID != int64(i)+1:
			return complain("weakness %d points nowhere", i)
		}
	}
	if reports != s.Records[record.KindFinding] {
		return complain("%d reports are folded, %d are held", reports, s.Records[record.KindFinding])
	}
	outcome := map[int32]int{}
	for _, e := range s.Events.All() {
		if !e.Sums.InWindows() {
			continue
		}
		switch e.Kind {
		case snapshot.EventMet, snapshot.EventMissed, snapshot.EventVoid:
			outcome[e.Weakness]++
		case snapshot.EventExcepted:
			outcome[^e.Weakness]++
		case snapshot.EventExceptionEnded:
			if outcome[^e.Weakness]--; outcome[^e.Weakness] < 0 {
				return complain("an exception of weakness %d ended that never began", e.Weakness)
			}
		case snapshot.EventRevoked:
			if outcome[e.Weakness]--; outcome[e.Weakness] < 0 {
				return complain("weakness %d lost an outcome it never had", e.Weakness)
			}
		default:
		}
	}
	return true
}

// Describe lists weaknesses and events for people.
func Describe(s *snapshot.Snapshot) string {
	text := "\n"
	for i, w := range s.Weaknesses.All() {
		text += fmt.Sprintf("weakness %d: %+v\n", i, *w)
	}
	for _, e := range s.Events.All() {
		text += fmt.Sprintf("%s weakness %d at %d counted %d owner %d %s %s in %d\n", e.Kind, e.Weakness, e.At, e.Counted, e.Owner, e.Severity.Severity(), e.Class.Class(), e.Sums)
	}
	return text
}

// Flat is a snapshot in a form that can be compared.
type Flat struct {
	Snapshot   snapshot.Snapshot
	Weaknesses []snapshot.Weakness
	Events     []snapshot.Event
}

// Flatten makes a snapshot comparable.
func Flatten(s *snapshot.Snapshot) Flat {
	flat := Flat{Snapshot: *s}
	for _, w := range s.Weaknesses.All() {
		flat.Weaknesses = append(flat.Weaknesses, *w)
	}
	for _, e := range s.Events.All() {
		flat.Events = append(flat.Events, *e)
	}
	return flat
}

// Diff says how two snapshots differ, "" if they do not.
func Diff(a, b Flat) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(snapshot.Snapshot{}, "Weaknesses", "Events", "At"), cmpopts.EquateEmpty())
}

// weak is a weakness without what depends on the order of arrival: its position and that of texts.
type weak struct {
	FirstSeen, ClosedAt           int64
	Category, Tool, Repo, Service string
	Reports, Open                 uint16
	Severity, Class, Closure      string
	Flags                         snapshot.Flags
}

// weaknesses are those of a snapshot in an order that does not depend on that of arrival.
func weaknesses(s *snapshot.Snapshot) []string {
	var all []string
	for _, w := range s.Weaknesses.All() {
		if w.Reports == 0 {
			continue // absorbed by another one
		}
		v := weak{
			FirstSeen: w.FirstSeen, ClosedAt: w.ClosedAt, Category: s.Strings[w.Category], Tool: s.Strings[w.Tool],
			Service: s.Services[w.Service].Name, Reports: w.Reports, Open: w.OpenReports, Severity: string(w.Severity.Severity()),
			Class: string(w.Class.Class()), Closure: string(w.Closure.Closure()), Flags: w.Flags &^ (snapshot.ImportedHistory | snapshot.UncountedOutcome),
		}
		if w.Repository >= 0 {
			v.Repo = string(s.Repositories[w.Repository].Name)
		}
		all = append(all, fmt.Sprintf("%+v", v))
	}
	slices.Sort(all)
	return all
}

// orderOfArrival applies the same reports and the same catalog in two orders, before the founding and after.
func orderOfArrival(t *testing.T, fresh func(t *testing.T) Open, seed uint64) {
	t.Helper()
	h, reports := population(seed)
	catalog := record.Batch{Scope: "catalog:x", Mode: record.Full, Services: h.services()}
	result := func(rng *rand.Rand, founded bool) []string {
		l := MustOpen(t, fresh(t), policy.Default())
		check(t, l.Configure(t.Context(), sources, h.at))
		if founded {
			check(t, l.MarkFounded(t.Context(), h.at))
		}
		order := rng.Perm(len(reports) + 1)
		for _, i := range order {
			if i == len(reports) {
				check(t, l.Apply(t.Context(), "catalog", "a", catalog, h.at))
				continue
			}
			b := record.Batch{Scope: "alerts:p", Mode: record.Delta, Findings: reports[i : i+1]}
			check(t, l.Apply(t.Context(), "scanner", []string{"one", "two"}[i%2], b, h.at))
		}
		found := weaknesses(l.Snapshot())
		check(t, l.Close())
		return found
	}
	want := result(rand.New(rand.NewPCG(seed, 2)), false)
	for i := range uint64(2) {
		if diff := cmp.Diff(want, result(rand.New(rand.NewPCG(seed, 3+i)), i == 1)); diff != "" {
			t.Fatalf("seed %d: another order of arrival gives other weaknesses (-one +other):\n%s", seed, diff)
		}
	}
}

// deltasEqualSweep splits versions of reports into deltas in any order and compares with one sweep of the newest.
func deltasEqualSweep(t *testing.T, fresh func(t *testing.T) Open, seed uint64) {
	t.Helper()
	h, reports := population(seed)
	var versions []record.Finding
	for _, f := range reports {
		older := f
		older.UpdatedAt = f.UpdatedAt.Add(-time.Hour)
		older.Severity, older.Closure, older.ClosedAt = record.SeverityLow, record.ClosureNone, time.Time{}
		versions = append(versions, older, f)
	}
	h.rng.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
	sweep, deltas := MustOpen(t, fresh(t), policy.Default()), MustOpen(t, fresh(t), policy.Default())
	check(t, sweep.Apply(t.Context(), "scanner", "one", record.Batch{Scope: "alerts:p", Mode: record.Full, Findings: reports}, h.at))
	for len(versions) > 0 {
		n := 1 + h.rng.IntN(min(7, len(versions)))
		b := record.Batch{Scope: "alerts:p", Mode: record.Delta, Findings: versions[:n]}
		check(t, deltas.Apply(t.Context(), "scanner", "one", b, h.at))
		versions = versions[n:]
	}
	if diff := cmp.Diff(weaknesses(sweep.Snapshot()), weaknesses(deltas.Snapshot())); diff != "" {
		t.Fatalf("seed %d: deltas give other weaknesses than the sweep (-sweep +deltas):\n%s", seed, diff)
	}
	check(t, sweep.Close())
	check(t, deltas.Close())
}
