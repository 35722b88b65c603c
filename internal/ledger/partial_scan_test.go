package ledger_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// TestFailedScanKeepsTheLastSuccess: a scan that failed is an attempt, and does not take back when the last one succeeded.
func TestFailedScanKeepsTheLastSuccess(t *testing.T) {
	s := begun(t, nil)
	scan := func(n int, mode record.Mode, succeeded bool) {
		one := record.Scan{Tool: "scanner", Class: record.ClassSAST, Repository: "acme/api", AttemptedAt: day(n)}
		if succeeded {
			one.SucceededAt = day(n)
		}
		s.apply(n, "one", record.Batch{Scope: "report:a", Mode: mode, Scans: []record.Scan{one}})
	}
	last := func() (succeeded, attempted time.Time) {
		t.Helper()
		scans := s.Snapshot().Scans
		if len(scans) != 1 {
			t.Fatalf("%d scans, want 1", len(scans))
		}
		return scans[0].Record.SucceededAt, scans[0].Record.AttemptedAt
	}
	scan(2, record.Full, true)
	scan(3, record.Delta, false)
	if succeeded, attempted := last(); !succeeded.Equal(day(2)) || !attempted.Equal(day(3)) {
		t.Errorf("after a failure: succeeded %s, attempted %s; want day 2 and day 3", succeeded, attempted)
	}
	s.next()
	s.apply(3, "one", record.Batch{Scope: "report:a", Mode: record.Full, Unread: []string{"a.py"}, Scans: []record.Scan{{Tool: "scanner", Class: record.ClassSAST, Repository: "acme/api", AttemptedAt: day(3)}}})
	if succeeded, _ := last(); !succeeded.Equal(day(2)) {
		t.Errorf("after a scan that gave up a file: succeeded %s, want day 2", succeeded)
	}
	scan(4, record.Delta, true)
	if succeeded, _ := last(); !succeeded.Equal(day(4)) {
		t.Errorf("after a success: %s, want day 4", succeeded)
	}
	scan(5, record.Full, false)
	if succeeded, _ := last(); !succeeded.IsZero() {
		t.Errorf("a source that is read whole and knows of no success: %s, want none", succeeded)
	}
}

// TestUnreadPlacesKeepTheirFindings: what a whole batch lacks stays where its source did not look.
func TestUnreadPlacesKeepTheirFindings(t *testing.T) {
	s := begun(t, nil)
	at := func(id, place string) record.Finding {
		f := critical(id, 2)
		f.Place = place
		return f
	}
	batch := func(n int, unread, read []string, findings ...record.Finding) {
		s.apply(n, "one", record.Batch{Scope: "report:a", Mode: record.Full, Absence: record.ClosureFixed, Unread: unread, Read: read, Findings: append([]record.Finding{}, findings...)})
	}
	open := func() (n int) {
		known := s.Snapshot()
		for _, w := range known.Weaknesses.All() {
			if w.Open() {
				n++
			}
		}
		return n
	}
	expect := func(want int, why string) {
		t.Helper()
		if got := open(); got != want {
			t.Errorf("%s: %d open, want %d", why, got, want)
		}
		s.next()
	}
	batch(2, nil, nil, at("x", "a.py"), at("y", "b.py"), at("z", "c.py"))
	batch(3, []string{"a.py"}, []string{"a.py", "b.py"})
	expect(2, "a file that was given up, and one that was not looked at")
	batch(4, []string{"a.py"}, nil)
	expect(1, "a file that was given up")
	batch(5, nil, []string{})
	expect(1, "nothing was looked at")
	batch(6, nil, nil)
	expect(0, "everything was looked at")
}

func TestWhatIsNoWeaknessIsNotLeftOut(t *testing.T) {
	b := record.Batch{Rejected: map[record.RejectReason]int{record.RejectNotSecurity: 7, record.RejectDecode: 2}}
	if got := b.LeftOut(); got != 2 {
		t.Errorf("LeftOut() = %d, want 2: what was understood hides no news", got)
	}
}
