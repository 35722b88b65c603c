package ledgertest

import (
	"fmt"
	"maps"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Open opens the ledger of one test; calling it again after Close opens the same one as it was left.
type Open func(p *policy.Policy) (*ledger.Ledger, error)

// MustOpen opens a ledger and closes it when the test ends.
func MustOpen(t *testing.T, open Open, p *policy.Policy) *ledger.Ledger {
	t.Helper()
	l, err := open(p)
	if err != nil {
		t.Fatalf("opening the ledger: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test that closed it itself has looked at the error
	return l
}

// cell is what the reconciliation must hold for.
type cell struct {
	owner    int32
	severity policy.SeverityIndex
	class    snapshot.ClassIndex
}

// open counts the open weaknesses by cell.
func open(s *snapshot.Snapshot) map[cell]int {
	counts := map[cell]int{}
	for _, w := range s.Weaknesses.All() {
		if w.Open() {
			counts[cell{s.Services[w.Service].Owner, w.Severity, w.Class}]++
		}
	}
	return counts
}

// flows sums the signs of what counts until an instant in counters, or in windows.
func flows(s *snapshot.Snapshot, until int64, in func(snapshot.Sums) bool) map[cell]int {
	sums := map[cell]int{}
	for _, e := range s.Events.All() {
		if e.Counted <= until && in(e.Sums) {
			sums[cell{e.Owner, e.Severity, e.Class}] += e.Kind.Sign()
		}
	}
	maps.DeleteFunc(sums, func(_ cell, n int) bool { return n == 0 })
	return sums
}

// population is a random set of findings of two scanners, each with a date of update.
func population(seed uint64) (h *history, reports []record.Finding) {
	h = newHistory(seed)
	for i := range 30 {
		f := h.finding(fmt.Sprintf("f%d", i), nil)
		f.Service = ""
		if f.FirstSeen.IsZero() {
			f.FirstSeen = h.at
		}
		if f.Closure != record.ClosureNone && f.ClosedAt.IsZero() {
			f.ClosedAt = h.at
		}
		reports = append(reports, f)
	}
	return h, reports
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
