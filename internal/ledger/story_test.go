package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// day is an instant of the stories: noon of a day in 2026, counted from 1 January.
func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

// story plays what sources say, day by day, into one ledger.
type story struct {
	t *testing.T
	*ledger.Ledger
	open ledgertest.Open
	// policy is the one that the ledger is opened with.
	policy *policy.Policy
	// after is the number of events that next skips.
	after int
}

func newStory(t *testing.T, change func(*policy.Config)) *story {
	t.Helper()
	config := policy.DefaultConfig()
	config.SLA.Targets = []policy.Target{
		{Severity: record.SeverityCritical, Within: policy.Duration(7 * policy.Day)},
		{Severity: record.SeverityHigh, Within: policy.Duration(30 * policy.Day)},
	}
	if change != nil {
		change(&config)
	}
	p, err := policy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, open: inFile(t), policy: p}
	s.Ledger = ledgertest.MustOpen(t, s.open, p)
	return s
}

// begun is a story whose ledger has been founded on day 1, the scope having been read and found empty.
func begun(t *testing.T, change func(*policy.Config)) *story {
	t.Helper()
	s := newStory(t, change)
	s.says(1)
	s.decides(1)
	s.must(s.MarkFounded(t.Context(), day(1)))
	return s
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) apply(n int, instance string, b record.Batch) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), "scanner", instance, b, day(n)))
}

// says is a full sweep of the scanner on a day.
func (s *story) says(n int, findings ...record.Finding) {
	s.t.Helper()
	s.apply(n, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: append([]record.Finding{}, findings...)})
}

// decides is all exceptions as of a day.
func (s *story) decides(n int, exceptions ...record.Exception) {
	s.t.Helper()
	s.apply(n, "tickets", record.Batch{Scope: "query:x", Mode: record.Full, Exceptions: append([]record.Exception{}, exceptions...)})
}

func (s *story) settle(at time.Time) {
	s.t.Helper()
	s.must(s.Settle(s.t.Context(), at))
}

// next are the events since the last call: kind, severity, and the days of At and Counted.
func (s *story) next() string {
	known := s.Snapshot()
	var lines []string
	for i, e := range known.Events.All() {
		if i >= s.after {
			line := fmt.Sprintf("%s %s %d/%d", e.Kind, e.Severity.Severity(), dayOf(e.At), dayOf(e.Counted))
			lines = append(lines, line+map[snapshot.Sums]string{snapshot.InCounters: " in counters", snapshot.InWindows: " in windows"}[e.Sums])
		}
	}
	s.after = known.Events.Len()
	return strings.Join(lines, ", ")
}

func dayOf(seconds int64) int {
	return int(time.Unix(seconds, 0).Sub(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))/policy.Day) - 2191
}

func (s *story) expect(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Errorf("events:\n got %s\nwant %s", got, want)
	}
}

// critical is an open critical finding, first seen on a day.
func critical(id string, seen int) record.Finding {
	return record.Finding{
		ID: id, Tool: "scan", Class: record.ClassSCA, Repository: "acme/api", Severity: record.SeverityCritical, Category: "CWE-79",
		FirstSeen: day(seen), UpdatedAt: day(seen),
	}
}

// closed closes a finding on a day.
func closed(f record.Finding, c record.Closure, n int) record.Finding {
	f.Closure, f.ClosedAt, f.UpdatedAt = c, day(n), day(n)
	return f
}

// updated is a finding whose source changed it on a day.
func updated(f record.Finding, n int) record.Finding {
	f.UpdatedAt = day(n)
	return f
}

// accepted is an approved exception for a finding.
func accepted(id string, from, until int) record.Exception {
	e := record.Exception{ID: "EX-1", State: record.ExceptionApproved, Findings: []string{id}, DecidedAt: day(from)}
	if until > 0 {
		e.ExpiresAt = day(until)
	}
	return e
}

// TestOutcomes tells how deadlines end. A critical finding first seen on day 2 is due at the end of day 9.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy func(*policy.Config)
		tell   func(s *story)
	}{
		{name: "fixed on the due day is in time", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.expect("opened critical 2/2")
			s.says(9, closed(critical("f", 2), record.ClosureFixed, 9))
			s.expect("fixed critical 9/9, met critical 9/9")
		}},
		{name: "fixed on the due day and read the day after, with nothing settled between, is in time", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(10, closed(critical("f", 2), record.ClosureFixed, 9))
			s.expect("opened critical 2/2, fixed critical 9/10, met critical 9/10")
		}},
		{name: "open past due is missed at the last second of the due day and stays open", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.settle(time.Date(2026, 1, 9, 23, 59, 59, 0, time.UTC))
			s.expect("opened critical 2/2")
			s.settle(time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC))
			s.expect("missed critical 9/9")
			if w := s.Snapshot().Weaknesses.At(0); !w.Open() || w.Outcome != snapshot.OutcomeMissed {
				s.t.Errorf("a breached weakness is %+v, want it open and missed", *w)
			}
			s.settle(day(40))
			s.says(41, closed(critical("f", 2), record.ClosureFixed, 41))
			s.expect("fixed critical 41/41")
		}},
		{name: "reopened soon: the old clock goes on and the met is revoked", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(4, closed(critical("f", 2), record.ClosureFixed, 4))
			s.says(6, updated(critical("f", 2), 6))
			s.expect("opened critical 2/2, fixed critical 4/4, met critical 4/4, reopened critical 6/6, revoked critical 6/6")
			s.settle(day(12))
			s.expect("missed critical 9/9")
		}},
		{name: "reopened soon but past the old deadline: missed at the reopening", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(4, closed(critical("f", 2), record.ClosureFixed, 4))
			s.next()
			s.says(15, updated(critical("f", 2), 15))
			s.expect("reopened critical 15/15, revoked critical 15/15, missed critical 15/15")
		}},
		{name: "reopened late: a new clock, the old outcome stands", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(4, closed(critical("f", 2), record.ClosureFixed, 4))
			s.says(40, updated(critical("f", 2), 40))
			s.expect("opened critical 2/2, fixed critical 4/4, met critical 4/4, reopened critical 40/40")
			if w := s.Snapshot().Weaknesses.At(0); w.ClockStart != day(40).Unix() || !w.Flags.Has(snapshot.RestartedClock) {
				s.t.Errorf("the clock of %+v did not restart at the reopening", *w)
			}
			retitled := updated(critical("f", 2), 42)
			retitled.Category = "CWE-80"
			s.says(42, retitled)
			s.settle(day(50))
			s.expect("missed critical 47/47") // the news of day 42 left the clock alone
		}},
		{name: "policy restarts every reopening", policy: func(c *policy.Config) { c.SLA.Reopen = policy.ReopenRestart }, tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(4, closed(critical("f", 2), record.ClosureFixed, 4))
			s.says(6, updated(critical("f", 2), 6))
			s.settle(day(30))
			s.expect("opened critical 2/2, fixed critical 4/4, met critical 4/4, reopened critical 6/6, missed critical 13/13")
		}},
		{name: "missed, fixed and reopened is missed once", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(11, closed(critical("f", 2), record.ClosureFixed, 11))
			s.says(12, updated(critical("f", 2), 12))
			s.settle(day(60))
			s.expect("opened critical 2/2, missed critical 9/9, fixed critical 11/11, reopened critical 12/12")
		}},
		{name: "lowered severity moves the deadline, and both severities reconcile", tell: func(s *story) {
			s.says(2, critical("f", 2))
			lower := updated(critical("f", 2), 5)
			lower.Severity = record.SeverityHigh
			s.says(5, lower)
			s.settle(day(20))
			s.expect("opened critical 2/2, severity_left critical 5/5, severity_lowered high 5/5")
			s.settle(day(40))
			s.expect("missed high 32/32")
		}},
		{name: "severity raised past its new deadline is missed when it is raised", tell: func(s *story) {
			high := critical("f", 2)
			high.Severity = record.SeverityHigh
			s.says(2, high)
			s.says(20, updated(critical("f", 2), 20))
			s.expect("opened high 2/2, severity_left high 20/20, severity_raised critical 20/20, missed critical 9/20")
		}},
		{name: "a policy that comes after the outcome changes nothing", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(4, closed(critical("f", 2), record.ClosureFixed, 4))
			s.next()
			s.shorter(5)
			s.expect("")
			if w := s.Snapshot().Weaknesses.At(0); w.Outcome != snapshot.OutcomeMet {
				s.t.Errorf("outcome %q, want met: it fell under the old policy", w.Outcome)
			}
		}},
		{name: "a shorter policy misses from its own day what it makes late", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.shorter(6)
			s.expect("opened critical 2/2, missed critical 4/6")
		}},
		{name: "false positive before the deadline is void, after it missed", tell: func(s *story) {
			s.says(2, critical("f", 2), critical("g", 2))
			s.says(5, closed(critical("f", 2), record.ClosureFalsePositive, 5), critical("g", 2))
			s.says(12, closed(critical("f", 2), record.ClosureFalsePositive, 5), closed(critical("g", 2), record.ClosureFalsePositive, 12))
			s.expect("opened critical 2/2, opened critical 2/2, dismissed_false_positive critical 5/5, void critical 5/5, " +
				"missed critical 9/9, dismissed_false_positive critical 12/12")
		}},
		{name: "won't fix leaves the clock running", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(5, closed(critical("f", 2), record.ClosureWontFix, 5))
			s.settle(day(20))
			s.expect("opened critical 2/2, dismissed_wont_fix critical 5/5, missed critical 9/9")
		}},
		{name: "won't fix, then fixed in time after all", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.says(5, closed(critical("f", 2), record.ClosureWontFix, 5))
			s.says(8, closed(critical("f", 2), record.ClosureFixed, 8))
			s.settle(day(20))
			s.expect("opened critical 2/2, dismissed_wont_fix critical 5/5, met critical 8/8")
		}},
		{name: "an exception stops the clock and its expiry starts it again, whether or not anybody can be asked", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.decides(4, accepted("f", 4, 24))
			s.apply(23, "tickets", record.Batch{Scope: "query:x", Err: &record.Error{Reason: record.ReasonServer}})
			s.settle(day(25))
			s.expect("opened critical 2/2, excepted critical 4/4, exception_ended critical 24/24")
			s.settle(day(28))
			s.expect("")
			s.settle(day(40))
			s.expect("missed critical 29/29") // 9 + 20 days
		}},
		{name: "an exception without end stops the clock for good, until it is withdrawn", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.decides(4, accepted("f", 4, 0))
			s.settle(day(300))
			s.expect("opened critical 2/2, excepted critical 4/4")
			s.decides(301)
			s.expect("exception_ended critical 301/301")
			s.settle(day(310))
			s.expect("missed critical 306/306") // 9 + 297 days
		}},
		{name: "risk accepted under an exception is not missed", tell: func(s *story) {
			s.says(2, critical("f", 2))
			s.decides(4, accepted("f", 4, 0))
			s.says(5, closed(critical("f", 2), record.ClosureRiskAccepted, 5))
			s.settle(day(100))
			s.expect("opened critical 2/2, excepted critical 4/4, dismissed_wont_fix critical 5/5")
		}},
		{name: "a day ends in the policy's time zone, also when the clocks change", policy: func(c *policy.Config) {
			c.TimeZone = "America/New_York" // 8 March 2026 has 23 hours
		}, tell: func(s *story) {
			f := critical("f", 60)
			f.FirstSeen = time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
			s.says(60, f) // due at the end of 8 March in New York: 04:00 UTC on the 9th
			s.settle(time.Date(2026, 3, 9, 3, 59, 59, 0, time.UTC))
			s.expect("opened critical 60/60")
			s.settle(time.Date(2026, 3, 9, 4, 0, 0, 0, time.UTC))
			s.expect("missed critical 68/68")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.tell(begun(t, c.policy))
		})
	}
}

// shorter puts a policy in force on a day under which criticals are due after two days.
func (s *story) shorter(n int) {
	s.t.Helper()
	config := s.policy.Config()
	config.SLA.Targets = slices.Clone(config.SLA.Targets)
	config.SLA.Targets[0].Within = policy.Duration(2 * policy.Day)
	p, err := policy.New(config)
	s.must(err)
	s.must(s.SetPolicy(s.t.Context(), p, day(n)))
}

// TestAbsence tells what it means that a sweep lacks something.
func TestAbsence(t *testing.T) {
	s := begun(t, nil)
	s.says(2, critical("f", 2), critical("g", 2))
	s.next()
	s.apply(3, "one", record.Batch{Scope: "alerts:acme", Mode: record.Delta, Findings: []record.Finding{}})
	s.expect("")
	s.apply(3, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full})
	s.expect("") // a batch that does not speak of findings takes none away
	s.says(4, critical("g", 2))
	s.expect("scope_lost critical 4/4, void critical 4/4")
	s.says(5, critical("f", 2), critical("g", 2))
	s.expect("scope_gained critical 5/5")
	s.apply(6, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{critical("g", 2)}, Absence: record.ClosureFixed})
	s.expect("fixed critical 6/6, met critical 6/6")
	s.says(7, critical("f", 2), critical("g", 2))
	s.expect("reopened critical 7/7, revoked critical 7/7")
}

// TestRejected shows that a sweep which could not understand more than the last one takes nothing away: what it lacks may be
// just that. An item that was never understood changes nothing.
func TestRejected(t *testing.T) {
	s := begun(t, nil)
	s.says(2, critical("f", 2), critical("g", 2))
	s.decides(2, accepted("f", 2, 0))
	s.next()
	rejected := map[record.RejectReason]int{record.RejectDecode: 1}
	s.apply(3, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Absence: record.ClosureFixed, Rejected: rejected,
		Findings: []record.Finding{critical("g", 2), critical("h", 3)}})
	s.apply(3, "tickets", record.Batch{Scope: "query:x", Mode: record.Full, Exceptions: []record.Exception{}, Rejected: rejected})
	s.expect("opened critical 3/3")
	known := s.Snapshot()
	if len(known.Exceptions) != 1 || !known.Scopes[0].LastFull.Equal(day(2)) || !known.Scopes[0].LastSuccess.Equal(day(3)) {
		t.Errorf("%d exceptions, scope %+v; want the exception kept and the last full sweep on day 2", len(known.Exceptions), known.Scopes[0])
	}
	s.says(4, critical("g", 2), critical("h", 3))
	s.expect("scope_lost critical 4/4, void critical 4/4")
	odd := record.Batch{Scope: "alerts:odd", Mode: record.Full, Rejected: rejected, Absence: record.ClosureFixed}
	odd.Findings = []record.Finding{critical("i", 5), critical("j", 5)}
	s.apply(5, "one", odd)
	s.next()
	odd.Findings = odd.Findings[:1]
	s.apply(6, "one", odd)
	s.expect("fixed critical 6/6, met critical 6/6")
}

// TestSpeaks shows that a scope keeps what it speaks of, even of what it holds none, also after a restart and a failure.
func TestSpeaks(t *testing.T) {
	s := newStory(t, nil)
	b := record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{}, Scans: []record.Scan{}, Classes: []record.Class{record.ClassSCA}}
	s.apply(1, "one", b)
	s.apply(1, "one", record.Batch{Scope: "alerts:other", Classes: []record.Class{record.ClassSecret}, Err: &record.Error{Reason: record.ReasonPermission}})
	s.must(s.Close())
	s.Ledger = ledgertest.MustOpen(t, s.open, s.policy)
	scopes := s.Snapshot().Scopes
	if got, want := fmt.Sprint(scopes[0].Kinds, scopes[0].Classes, scopes[1].Kinds, scopes[1].Classes), "[finding scan] [sca] [] [secret]"; got != want {
		t.Errorf("kinds and classes of the scopes: got %s, want %s", got, want)
	}
}

// TestScopeError shows that a scope that cannot be read keeps everything but its freshness.
func TestScopeError(t *testing.T) {
	s := begun(t, nil)
	s.says(2, critical("f", 2))
	s.apply(2, "one", record.Batch{Scope: "alerts:acme", Mode: record.Delta, Cursor: "c1"})
	before := ledgertest.Flatten(s.Snapshot())
	s.apply(3, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{}, Cursor: "c2",
		Err: &record.Error{Reason: record.ReasonPermission}})
	known := s.Snapshot()
	if got := known.Scopes[0]; got.LastError != record.ReasonPermission || !got.LastSuccess.Equal(day(2)) || got.Freshness(day(3)) != snapshot.Stale {
		t.Errorf("scope after an error: %+v", got)
	}
	after := ledgertest.Flatten(known)
	after.Snapshot.Scopes = before.Snapshot.Scopes
	if diff := ledgertest.Diff(before, after); diff != "" {
		t.Errorf("an error changed records (-before +after):\n%s", diff)
	}
	if cursors, err := s.Cursors(t.Context(), "scanner", "one"); err != nil || cursors["alerts:acme"] != "c1" {
		t.Errorf("cursors %v, %v; want the one of the last success", cursors, err)
	}
}

// TestNewScope shows that a scope that is read later brings its history with its dates for windows, and that counters have only what came into view.
func TestNewScope(t *testing.T) {
	s := begun(t, nil)
	s.next()
	b := record.Batch{Scope: "alerts:other", Mode: record.Full, Findings: []record.Finding{
		critical("old", -20), closed(critical("done", -20), record.ClosureFixed, -15), critical("new", 9),
	}}
	s.apply(10, "one", b)
	s.expect("scope_gained critical -20/10 in counters, scope_gained critical 9/10 in counters, " +
		"opened critical -20/-20 in windows, fixed critical -15/-15 in windows, met critical -15/-15 in windows, " +
		"opened critical -20/-20 in windows, missed critical -13/-13 in windows, opened critical 9/9 in windows")
	if changes := s.Snapshot().CountingChanges; len(changes) != 1 || changes[0].Kind != snapshot.CountingScope {
		t.Errorf("counting changes %v, want one of a scope", changes)
	}
}

// TestNewScopeRevives shows that a weakness that was closed and that a scope added later reports as open is gained, not reopened.
func TestNewScopeRevives(t *testing.T) {
	s := begun(t, nil)
	s.says(2, sca("1", "", "CVE-1"))
	s.says(3, closed(sca("1", "", "CVE-1"), record.ClosureFixed, 3))
	s.next()
	s.apply(4, "two", record.Batch{Scope: "alerts:new", Mode: record.Full, Findings: []record.Finding{sca("2", "", "CVE-1")}})
	s.expect("scope_gained high 4/4, revoked high 4/4")
}

// TestImport shows that before the founding events carry the source's dates, and that a catalog read last still owns them.
func TestImport(t *testing.T) {
	s := newStory(t, nil)
	s.says(100, critical("open", 2), closed(critical("fixed", 2), record.ClosureFixed, 4))
	s.apply(100, "catalog", record.Batch{Scope: "catalog:x", Mode: record.Full, Services: []record.Service{
		{Name: "api", Team: "red", Repositories: []record.RepositoryPath{{Repository: "acme/api"}}},
	}})
	want := "opened critical 2/2, fixed critical 4/4, met critical 4/4, opened critical 2/2, missed critical 9/9"
	s.expect(want)
	s.must(s.MarkFounded(t.Context(), day(100)))
	s.after = 0
	s.expect(want)
	known := s.Snapshot()
	for i, e := range known.Events.All() {
		if known.Owners[e.Owner].Team != "red" {
			t.Errorf("event %d belongs to %+v, want the owner of the catalog", i, known.Owners[e.Owner])
		}
	}
	if got := known.Events.At(1).Seconds; got != uint32(2*policy.Day/time.Second) {
		t.Errorf("fixed after %d s, want two days", got)
	}
	s.must(s.MarkFounded(t.Context(), day(101)))
	if !s.Founded().Equal(day(100)) {
		t.Errorf("founded %v, want the first time", s.Founded())
	}
}
