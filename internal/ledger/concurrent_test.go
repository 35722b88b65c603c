package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestConcurrentUse lets several collectors write while others read: every snapshot is whole, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	s := newStory(t, nil)
	const writers, batches = 3, 12
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for n := range batches {
				b := record.Batch{Scope: fmt.Sprintf("alerts:%d", w), Mode: record.Delta, Findings: []record.Finding{critical(fmt.Sprintf("%d/%d", w, n), 2)}}
				if err := s.Apply(t.Context(), "scanner", "one", b, day(2+n)); err != nil {
					t.Error(err)
				}
				if n == batches/2 {
					if err := s.MarkFounded(t.Context(), day(2+n)); err != nil {
						t.Error(err)
					}
				}
				if err := s.Settle(t.Context(), day(2+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reading.Go(func() {
		for {
			known := s.Snapshot()
			open, sum := 0, 0
			for _, w := range known.Weaknesses.All() {
				if w.Open() {
					open++
				}
			}
			for _, e := range known.Events.All() {
				if e.Sums.InWindows() {
					sum += e.Kind.Sign()
				}
			}
			// Before the founding a reader may see the snapshot before the last: it is whole all the same.
			if open != sum {
				t.Errorf("a snapshot shows %d open weaknesses and a sum of flows of %d", open, sum)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	writing.Wait()
	close(done)
	reading.Wait()
	var known *snapshot.Snapshot
	if known = s.Snapshot(); known.Weaknesses.Len() != writers*batches {
		t.Errorf("%d weaknesses, want %d%s", known.Weaknesses.Len(), writers*batches, ledgertest.Describe(known))
	}
}
