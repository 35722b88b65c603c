package ledgertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// reading is a batch and the instance that it comes from.
type reading struct {
	collector, instance string
	batch               record.Batch
}

// splitInTime reads the same sources before the founding, and some of them after it, and compares what windows have: a source that could not be read in the
// first pass, or that is added later, brings the history that it would have brought.
func splitInTime(t *testing.T, fresh func(t *testing.T) Open, seed uint64) {
	t.Helper()
	h, reports := population(seed)
	var one, two []record.Finding
	for i := range reports {
		if i%3 == 0 {
			two = append(two, reports[i])
		} else {
			one = append(one, reports[i])
		}
	}
	exceptions := h.exceptions()
	for i := range exceptions {
		exceptions[i].InForce = nil
	}
	readings := []reading{
		{"catalog", "a", record.Batch{Scope: "catalog:x", Mode: record.Full, Services: h.services()}},
		{"scanner", "one", record.Batch{Scope: "alerts:p", Mode: record.Full, Findings: one}},
		{"scanner", "two", record.Batch{Scope: "alerts:p", Mode: record.Full, Findings: two}},
		{"tickets", "t", record.Batch{Scope: "query:exceptions", Mode: record.Full, Exceptions: exceptions}},
		{"lists", "l", record.Batch{Scope: "kev:list", Mode: record.Full, Exploitations: h.exploitations()}},
	}
	later := h.at.Add(10 * time.Second)
	result := func(late func(i int) bool) []string {
		l := MustOpen(t, fresh(t), policy.Default())
		check(t, l.Configure(t.Context(), sources, h.at))
		apply := func(r reading, at time.Time) { check(t, l.Apply(t.Context(), r.collector, r.instance, r.batch, at)) }
		for i, r := range readings {
			if !late(i) {
				apply(r, h.at)
			}
		}
		check(t, l.MarkFounded(t.Context(), h.at))
		for i, r := range readings {
			if late(i) {
				apply(r, later)
			}
		}
		check(t, l.Settle(t.Context(), later))
		s := l.Snapshot()
		if diff := cmp.Diff(open(s), flows(s, later.Unix(), snapshot.Sums.InCounters), cmp.AllowUnexported(cell{})); diff != "" {
			t.Errorf("seed %d: counters do not reconcile (-open +flows):\n%s", seed, diff)
		}
		check(t, l.Close())
		return windowed(s, h.at.Unix(), later.Unix())
	}
	want := result(func(int) bool { return false })
	for i := range readings {
		for name, late := range map[string]func(int) bool{"alone": func(j int) bool { return i == j }, "with all after it": func(j int) bool { return j >= i }} {
			if diff := cmp.Diff(want, result(late)); diff != "" {
				t.Fatalf("seed %d: %s/%s read later, %s, gives other windows (-at once +later):\n%s", seed, readings[i].collector, readings[i].instance, name, diff)
			}
		}
	}
}

// windowed are the events that windows have, the outcomes and the pauses, for people and in an order that does not depend on positions. What was lived under
// from the founding until the rest was read stays so, and is left out.
func windowed(s *snapshot.Snapshot, founded, later int64) []string {
	var lines []string
	for _, e := range s.Events.All() {
		lived := (e.Kind == snapshot.EventExcepted || e.Kind == snapshot.EventExceptionEnded) && founded <= e.At && e.At <= later
		if e.Sums.InWindows() && !lived {
			lines = append(lines, fmt.Sprintf("%s at %d counted %d %v %s %s", e.Kind, e.At, e.Counted, s.Owners[e.Owner], e.Severity.Severity(), e.Class.Class()))
		}
	}
	for i, w := range s.Weaknesses.All() {
		if w.Reports > 0 {
			lines = append(lines, fmt.Sprintf("weakness of %d, closed %d, %s: %q, paused %v", w.FirstSeen, w.ClosedAt, w.Severity.Severity(), w.Outcome, without(s.Pauses[int32(i)], founded, later)))
		}
	}
	slices.Sort(lines)
	return lines
}

// without is what of pauses lies outside of [from, until).
func without(pauses []policy.Pause, from, until int64) []policy.Pause {
	var left []policy.Pause
	for _, p := range pauses {
		for _, part := range []policy.Pause{{Start: p.Start, End: min(p.End, from)}, {Start: max(p.Start, until), End: p.End}} {
			if part.Start < part.End {
				left = append(left, part)
			}
		}
	}
	return left
}
