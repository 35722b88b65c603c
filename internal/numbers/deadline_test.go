package numbers_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// A critical first seen on day 2 is due at the end of day 9: 2 + 7, and the day of the deadline counts.

func TestLastSecond(t *testing.T) {
	for _, c := range []struct {
		name, outcomes string
		when           time.Time
	}{
		{"in the last second of the due day", "met=1", at(10, 0, 0).Add(-time.Second)},
		{"in the first second of the next day", "missed=1", at(10, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := founded(t, nil)
			o.sweep(noon(2), "one", critical("f", 2))
			o.sweep(c.when, "one", fixed(critical("f", 2), c.when))
			o.expect(c.name, c.outcomes, c.outcomes, "")
		})
	}
}

// TestPolledAfterTheDeadline: the fix was in time, the poll that tells of it comes after midnight, and the exporter settled in between.
func TestPolledAfterTheDeadline(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	o.sweep(at(9, 23, 30), "one", critical("f", 2))
	o.pass(at(10, 0, 1))
	o.expect("nobody knows yet whether it was fixed in time", "", "", "breached=1")
	o.restart()
	o.pass(at(10, 0, 2))
	o.expect("nor does a restart tell", "", "", "breached=1")
	o.sweep(at(10, 0, 30), "one", fixed(critical("f", 2), at(9, 23, 45)))
	o.expect("it was", "met=1", "met=1", "")
	o.passDays(noon(20))
	o.expect("and that stays", "met=1", "met=1", "")
}

// TestPolledAfterTheDeadlineStillOpen: the same poll finds it open.
func TestPolledAfterTheDeadlineStillOpen(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	o.sweep(at(9, 23, 30), "one", critical("f", 2))
	o.pass(at(10, 0, 1))
	o.sweep(at(10, 0, 30), "one", critical("f", 2))
	o.expect("still open after the deadline", "missed=1", "missed=1", "breached=1")
	o.sweep(noon(11), "one", fixed(critical("f", 2), noon(11)))
	o.expect("fixed late", "missed=1", "missed=1", "")
}

// TestDeadlineWhileTheSourceIsDown: what nobody can know is no verdict until its records are too old to be believed; from then on it is
// missed for good, because an outcome is frozen when it falls.
func TestDeadlineWhileTheSourceIsDown(t *testing.T) {
	tell := func(back int) *organisation {
		o := founded(t, nil)
		o.sweep(noon(8), "one", critical("f", 2)) // believed until noon of day 11
		o.fail(noon(9), "one")
		o.passDays(noon(back))
		o.sweep(noon(back), "one", fixed(critical("f", 2), noon(9)))
		return o
	}
	tell(11).expect("back before the records are dropped", "met=1", "met=1", "")
	tell(13).expect("back after they were dropped", "missed=1", "missed=1", "")
}

func TestReopened(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", f)
	o.sweep(noon(3), "one", fixed(f, noon(3)))
	o.expect("fixed", "met=1", "met=1", "")
	o.sweep(noon(4), "one", again(f, noon(4)))
	o.expect("reopened", "met=1 revoked=1", "", "within=1")
	o.sweep(noon(5), "one", fixed(f, noon(5)))
	o.expect("fixed again", "met=2 revoked=1", "met=1", "")
	o.sweep(noon(6), "one", again(f, noon(6)))
	o.expect("reopened again", "met=2 revoked=2", "", "within=1")
	o.passDays(noon(9))
	o.sweep(at(10, 0, 1), "one", again(f, noon(6)))
	o.expect("open past the old deadline", "met=2 missed=1 revoked=2", "missed=1", "breached=1")
	o.sweep(noon(11), "one", fixed(f, noon(11)))
	o.sweep(noon(12), "one", again(f, noon(12)))
	o.expect("reopened after a miss", "met=2 missed=1 revoked=2", "missed=1", "breached=1")
}

func TestReopenedLate(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", f)
	o.sweep(noon(3), "one", fixed(f, noon(3)))
	o.sweep(at(33, 12, 0), "one", again(f, noon(33))) // 30 days to the second: the old clock, long run out
	o.expect("reopened after 30 d", "met=1 missed=1 revoked=1", "missed=1", "breached=1")

	o = founded(t, nil)
	o.sweep(noon(2), "one", f)
	o.sweep(noon(3), "one", fixed(f, noon(3)))
	o.sweep(at(33, 12, 1), "one", again(f, at(33, 12, 1)))
	o.expect("reopened a minute later still", "met=1", "", "within=1") // the met is of day 3, outside of the window
	o.sweep(at(41, 0, 0), "one", again(f, at(33, 12, 1)))              // 33 + 7
	o.expect("past the new deadline", "met=1 missed=1", "missed=1", "breached=1")
}

// TestChoosingToLiveWithItStopsNoClock: neither a won't fix nor a scanner that was gone for a while buys a new deadline.
func TestChoosingToLiveWithItStopsNoClock(t *testing.T) {
	for name, away := range map[string]func(o *organisation, f record.Finding){
		"won't fix": func(o *organisation, f record.Finding) {
			o.sweep(noon(4), "one", closed(f, record.ClosureWontFix, noon(4)))
		},
		"seen no more": func(o *organisation, _ record.Finding) { o.sweep(noon(4), "one") },
		"source reconfigured": func(o *organisation, _ record.Finding) {
			all := o.sources
			o.must(o.ledger.Configure(o.t.Context(), []ledger.Source{all[0], all[2], all[3]}, noon(4)))
			o.must(o.ledger.Configure(o.t.Context(), all, at(4, 13, 0)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			f := of(critical("f", 2), record.SeverityMedium, 2) // due at the end of day 92
			o.sweep(noon(2), "one", f)
			away(o, f)
			o.passDays(noon(60))
			o.sweep(noon(60), "one", again(f, noon(60)))
			if got := o.standing(); got != "within=1" {
				t.Errorf("back on day 60 it stands %q, want within", got)
			}
			o.sweep(at(93, 0, 0), "one", again(f, noon(60)))
			if got := o.standing(); got != "breached=1" {
				t.Errorf("after its only deadline it stands %q, want breached", got)
			}
		})
	}
}

func TestSeverityMovesTheDeadline(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", of(f, record.SeverityHigh, 2)) // due on day 32
	o.sweep(noon(20), "one", of(f, record.SeverityCritical, 20))
	o.expect("raised: due eleven days ago", "missed=1", "missed=1", "breached=1")
	o.sweep(noon(21), "one", of(f, record.SeverityHigh, 21))
	o.expect("lowered again: the miss stays, the standing follows", "missed=1", "missed=1", "within=1")
	if got := by(parse(t, o.text()), "severity", outcomesFamily); got != "critical=1" {
		t.Errorf("missed under %q, want critical as it was then", got)
	}
	o.sweep(noon(22), "one", of(f, record.SeverityLow, 22))
	o.expect("lowered to what has no target", "missed=1", "missed=1", "none=1")
}

// TestLoweredOverTheDeadline: between two polls the deadline passed and the severity fell. It was critical until day 12, so it was missed.
func TestLoweredOverTheDeadline(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(at(9, 23, 0), "one", f)
	o.pass(at(10, 1, 0))
	o.sweep(noon(12), "one", of(f, record.SeverityHigh, 12))
	o.expect("lowered too late", "missed=1", "missed=1", "within=1")
}

func TestExceptions(t *testing.T) {
	never := time.Time{}
	for _, c := range []struct {
		name       string
		exceptions []record.Exception
		// decided is the day on which they are read, checks the days of the expectations.
		decided                   int
		before, after             int
		outcomesThen, outcomesNow string
		standingThen, standingNow string
	}{
		{"approved in time, for ten days: due at the end of day 19", []record.Exception{approved("E", noon(4), noon(14), "f")}, 4, 19, 20, "", "missed=1", "due_soon=1", "breached=1"},
		{"two that overlap count once: days 4 to 12", []record.Exception{approved("E", noon(4), noon(10), "f"), approved("G", noon(8), noon(12), "f")}, 8, 17, 18, "", "missed=1", "due_soon=1", "breached=1"},
		{"two apart count both: 2 and 3 days", []record.Exception{approved("E", noon(3), noon(5), "f"), approved("G", noon(6), noon(9), "f")}, 3, 14, 15, "", "missed=1", "due_soon=1", "breached=1"},
		{"without end", []record.Exception{approved("E", noon(4), never, "f")}, 4, 20, 400, "", "", "excepted=1", "excepted=1"},
		{"approved after the deadline", []record.Exception{approved("E", noon(11), noon(30), "f")}, 11, 12, 31, "missed=1", "missed=1", "excepted=1", "breached=1"},
		{"of another finding", []record.Exception{approved("E", noon(4), noon(14), "g")}, 4, 9, 10, "", "missed=1", "due_soon=1", "breached=1"},
		{"withdrawn after two days: due on day 11", []record.Exception{{
			ID: "E", State: record.ExceptionEnded, Findings: []string{"f"}, DecidedAt: noon(4), ExpiresAt: noon(40), EndedAt: noon(6),
		}}, 6, 11, 12, "", "missed=1", "due_soon=1", "breached=1"},
		{"asked for only", []record.Exception{{ID: "E", State: record.ExceptionRequested, Findings: []string{"f"}, RequestedAt: noon(4)}}, 4, 9, 10, "", "missed=1", "due_soon=1", "breached=1"},
		{"a scanner's own acceptance, which policy does not count", []record.Exception{{
			ID: "E", State: record.ExceptionApproved, Findings: []string{"f"}, DecidedAt: noon(4), ExpiresAt: noon(14), VendorAcceptance: true, Tool: "dojo",
		}}, 4, 9, 10, "", "missed=1", "due_soon=1", "breached=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for order, read := range map[string]func(o *organisation){
				"finding first": func(o *organisation) {
					o.sweep(noon(2), "one", critical("f", 2))
					o.passDays(noon(c.decided))
					o.decide(noon(c.decided), c.exceptions...)
				},
				"exception first": func(o *organisation) {
					if c.decided < 9 {
						o.decide(noon(c.decided), c.exceptions...)
					}
					o.sweep(noon(c.decided), "one", critical("f", 2))
					o.decide(noon(c.decided), c.exceptions...)
				},
			} {
				o := founded(t, nil)
				read(o)
				for _, then := range []struct {
					day                int
					outcomes, standing string
				}{{c.before, c.outcomesThen, c.standingThen}, {c.after, c.outcomesNow, c.standingNow}} {
					o.passDays(noon(then.day))
					o.sweep(noon(then.day), "one", critical("f", 2))
					if got := o.outcomes(); got != then.outcomes {
						t.Errorf("%s, day %d: outcomes %q, want %q", order, then.day, got, then.outcomes)
					}
					if got := o.standing(); got != then.standing {
						t.Errorf("%s, day %d: stands %q, want %q", order, then.day, got, then.standing)
					}
				}
			}
		})
	}
}

// TestExceptionExpiresWhileItsSourceIsDown: the date alone ends it.
func TestExceptionExpiresWhileItsSourceIsDown(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	o.decide(noon(4), approved("E", noon(4), noon(8), "f")) // due at the end of day 13
	o.passDays(noon(5))
	o.apply(noon(5), "tickets", "main", record.Batch{Scope: "query:exceptions", Err: &record.Error{Reason: record.ReasonServer}})
	o.sweep(noon(8), "one", critical("f", 2))
	samples := parse(t, o.text())
	if got := by(samples, "state", "prodsec_exceptions"); got != "expired=1" {
		t.Errorf("exceptions %q, want one that expired", got)
	}
	if got := by(samples, "event", eventsFamily); got != "excepted=1 exception_ended=1 opened=1" {
		t.Errorf("events %q", got)
	}
	o.expect("expired", "", "", "within=1")
	o.sweep(at(14, 0, 0), "one", critical("f", 2))
	o.expect("past its deadline", "missed=1", "missed=1", "breached=1")
}

// TestDeadlineInBerlin: the clocks go forward on 29 March 2026 and back on 25 October.
func TestDeadlineInBerlin(t *testing.T) {
	for _, c := range []struct{ seen, last time.Time }{
		{time.Date(2026, 3, 22, 11, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 21, 59, 59, 0, time.UTC)},
		{time.Date(2026, 10, 18, 11, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 22, 59, 59, 0, time.UTC)},
		{time.Date(2026, 3, 21, 22, 59, 59, 0, time.UTC), time.Date(2026, 3, 28, 22, 59, 59, 0, time.UTC)}, // 23:59:59 in Berlin
		{time.Date(2026, 3, 21, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 21, 59, 59, 0, time.UTC)},   // midnight in Berlin
	} {
		for _, late := range []time.Duration{0, time.Second} {
			o := founded(t, func(p *policy.Config) { p.TimeZone = "Europe/Berlin" })
			f := critical("f", 2)
			f.FirstSeen = c.seen
			o.sweep(c.seen, "one", f)
			o.sweep(c.last.Add(late), "one", fixed(f, c.last.Add(late)))
			if got, want := o.outcomes(), map[bool]string{true: "met=1", false: "missed=1"}[late == 0]; got != want {
				t.Errorf("first seen %s, fixed %s: %q, want %q", c.seen, c.last.Add(late), got, want)
			}
		}
	}
}
