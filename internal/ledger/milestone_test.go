package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// asks is all reviews as of a day, as one scope of the ticket system has them.
func (s *story) asks(n int, scope string, reviews ...record.Review) {
	s.t.Helper()
	b := record.Batch{Scope: scope, Mode: record.Full, Reviews: append([]record.Review{}, reviews...)}
	s.must(s.Apply(s.t.Context(), "tickets", "t", b, day(n)))
}

// TestMilestonesStay follows tickets that are answered, relabelled, reopened, dropped and held twice, over a restart: what was counted
// stays counted as it was.
func TestMilestonesStay(t *testing.T) {
	s := newStory(t, nil)
	old := record.Review{ID: "R-1", Kind: record.ReviewCode, RequestedAt: day(1), FirstResponseAt: day(2)}
	waiting := record.Review{ID: "R-2", Kind: record.ReviewDesign, RequestedAt: day(3)}
	s.asks(5, "reviews", old, waiting)
	s.must(s.MarkFounded(t.Context(), day(5)))

	answered := waiting
	answered.FirstResponseAt = day(6)
	s.asks(7, "reviews", old, answered)
	want := []string{"R-1 code 2/2 unattributed", "R-2 design 6/7 unattributed"}
	s.answered(want)

	relabelled := answered
	relabelled.Kind, relabelled.FirstResponseAt = record.ReviewOther, day(4)
	s.asks(8, "reviews", old, relabelled)
	s.answered(want)
	s.asks(9, "reviews", waiting) // R-1 is gone, the answer to R-2 deleted
	s.answered(want)
	s.asks(10, "more reviews", old)
	s.answered(want)
	s.asks(11, "reviews")
	s.answered(want)
	if n := len(s.Snapshot().Reviews); n != 1 {
		t.Errorf("%d reviews held, want that of the second scope alone", n)
	}

	s.must(s.Close())
	s.Ledger = ledgertest.MustOpen(t, s.open, s.policy)
	s.answered(want)
}

// answered compares the answers that are counted: id, kind, the days of the answer and of its counting, and the owner's unit.
func (s *story) answered(want []string) {
	s.t.Helper()
	known := s.Snapshot()
	var got []string
	for _, m := range known.Answered {
		got = append(got, milestoneLine(known, &m))
	}
	if len(got) != len(want) {
		s.t.Fatalf("answers %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Errorf("answer %q, want %q", got[i], want[i])
		}
	}
}

func milestoneLine(s *snapshot.Snapshot, m *snapshot.Milestone[record.Review]) string {
	return fmt.Sprintf("%s %s %d/%d %s", m.Record.ID, m.Record.Kind, dayOf(m.At.Unix()), dayOf(m.Counted.Unix()), s.Owners[m.Owner].BusinessUnit)
}

// TestWhatReachesAMilestone says of every kind what is counted, and that it is counted once.
func TestWhatReachesAMilestone(t *testing.T) {
	s := begun(t, nil)
	b := record.Batch{
		Scope: "query:all", Mode: record.Full,
		Exceptions: []record.Exception{
			{ID: "requested", State: record.ExceptionRequested, DecidedAt: day(2)}, {ID: "approved", State: record.ExceptionApproved, DecidedAt: day(2)},
			{ID: "rejected", State: record.ExceptionRejected, DecidedAt: day(2)}, {ID: "withdrawn", State: record.ExceptionEnded},
			{ID: "ended", State: record.ExceptionEnded, DecidedAt: day(2)},
		},
		Followups:   []record.Followup{{ID: "open"}, {ID: "closed", ClosedAt: day(2)}},
		Escalations: []record.Escalation{{ID: "undated"}, {ID: "closed", RaisedAt: day(2), ClosedAt: day(2)}},
	}
	for n := range 2 {
		s.must(s.Apply(t.Context(), "tickets", "t", b, day(3+n)))
		known := s.Snapshot()
		var got []string
		for _, m := range known.Decided {
			got = append(got, m.Record.ID)
		}
		for _, m := range known.Completed {
			got = append(got, m.Record.ID)
		}
		for _, m := range known.Raised {
			got = append(got, fmt.Sprintf("%s %d", m.Record.ID, dayOf(m.Counted.Unix())))
		}
		if want := "approved rejected ended closed undated 3 closed 3"; strings.Join(got, " ") != want {
			t.Errorf("milestones %q, want %q", strings.Join(got, " "), want)
		}
		b.Followups[1].ClosedAt, b.Escalations[1].Reason, b.Exceptions[1].State = day(1), "another", record.ExceptionEnded
	}
}
