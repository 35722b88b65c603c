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

// TestDeliveryStays: a deployment that failed and is called a success later, an incident that is reopened, renamed and gone, a push that
// went past a rule. What was counted of them stays as it was first observed, over a restart, too.
func TestDeliveryStays(t *testing.T) {
	s := begun(t, nil)
	deploys := func(n int, d []record.Deployment, i []record.Incident, b []record.Bypass) {
		t.Helper()
		s.must(s.Apply(t.Context(), "host", "h", record.Batch{Scope: "deployments:all", Mode: record.Full, Deployments: d, Incidents: i, Bypasses: b}, day(n)))
	}
	failed := record.Deployment{ID: "D", Environment: "production", Status: record.DeploymentFailed, FinishedAt: day(2)}
	retried := failed
	retried.Status, retried.FinishedAt = record.DeploymentSucceeded, day(3)
	pending := record.Deployment{ID: "P", Status: record.DeploymentPending, FinishedAt: day(2)}
	open := record.Incident{ID: "I", OpenedAt: day(2)}
	over, renamed := open, open
	over.RestoredAt, over.ControlGap = day(3), record.AnswerYes
	renamed.Title, renamed.RestoredAt = "again", day(6)
	stopped := record.Bypass{ID: "B", Result: record.BypassFailed, At: day(2)}
	deploys(3, []record.Deployment{failed, pending}, []record.Incident{open}, []record.Bypass{stopped})
	deploys(4, []record.Deployment{retried, pending}, []record.Incident{over}, []record.Bypass{stopped})
	deploys(5, []record.Deployment{retried}, []record.Incident{open}, []record.Bypass{})
	deploys(6, []record.Deployment{}, []record.Incident{renamed}, []record.Bypass{})
	counted := func() string {
		known := s.Snapshot()
		var lines []string
		for _, m := range known.Deployed {
			lines = append(lines, fmt.Sprint(m.Record.ID, " ", m.Record.Status, " ", dayOf(m.At.Unix()), dayOf(m.Counted.Unix()), dayOf(m.Observed.Unix())))
		}
		for _, of := range [][]snapshot.Milestone[record.Incident]{known.Opened, known.Restored} {
			for _, m := range of {
				lines = append(lines, fmt.Sprint(m.Record.ID, m.Record.ControlGap, " ", dayOf(m.At.Unix()), dayOf(m.Observed.Unix())))
			}
		}
		for _, m := range known.Bypassed {
			lines = append(lines, fmt.Sprint(m.Record.ID, " ", m.Record.Result, " ", dayOf(m.At.Unix()), dayOf(m.Observed.Unix())))
		}
		return strings.Join(lines, "; ")
	}
	want := "D failed 2 3 3; I 2 3; Iyes 3 4; B fail 2 3"
	if got := counted(); got != want {
		t.Errorf("counted %q, want %q", got, want)
	}
	s.must(s.Close())
	s.Ledger = ledgertest.MustOpen(t, s.open, s.policy)
	if got := counted(); got != want {
		t.Errorf("after a restart %q, want %q", got, want)
	}
}
