package numbers_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// TestExceptionStories: a critical of day 2, which is due on day 9, and what becomes of its exception: the days that it was in force move the deadline, each once, and
// nothing that happens to the ticket, the finding or the service later takes them back or adds others.
func TestExceptionStories(t *testing.T) {
	f := critical("f", 2)
	story := func(name string, play func(o *organisation), due int) {
		t.Run(name, func(t *testing.T) {
			f = critical("f", 2)
			o := founded(t, nil)
			o.sweep(noon(2), "one", f)
			play(o)
			o.restart()
			o.daily(due-1, due-1, f)
			o.due(due, f)
		})
	}
	e := tolerated(noon(3), noon(40))
	story("deleted on 10, back on 15, until 20", func(o *organisation) {
		o.decide(noon(3), e)
		o.daily(4, 9, f)
		o.decide(noon(10))
		o.daily(10, 14, f)
		back := e
		back.ExpiresAt = noon(20)
		o.decide(noon(15), back)
		o.daily(15, 20, f)
	}, 9+7+5)
	story("narrowed on 8, widened on 12, ended 14", func(o *organisation) {
		o.decide(noon(3), e)
		o.daily(4, 7, f)
		n := e
		n.Categories, n.UpdatedAt = []string{"CWE-89"}, noon(8)
		o.decide(noon(8), n)
		o.daily(8, 11, f)
		w := e
		w.UpdatedAt = noon(12)
		o.decide(noon(12), w)
		w.State, w.EndedAt, w.UpdatedAt = record.ExceptionEnded, noon(14), noon(14)
		o.decide(noon(14), w)
	}, 9+5+2)
	story("two overlap; first deleted", func(o *organisation) {
		b := e
		b.ID, b.ExpiresAt = "B", noon(12)
		o.decide(noon(3), e, b)
		o.daily(4, 7, f)
		o.decide(noon(8), b)
		o.daily(8, 12, f)
	}, 9+9)
	story("backdated decision of a new ticket", func(o *organisation) {
		o.daily(3, 7, f)
		o.decide(noon(8))
		n := e
		n.RequestedAt, n.DecidedAt, n.ExpiresAt, n.UpdatedAt = noon(3), noon(3), noon(12), noon(9)
		o.decide(noon(9), n)
		o.daily(9, 12, f)
	}, 9+4) // from the last reading that did not show it
	story("sent back to requested, deleted, approved anew", func(o *organisation) {
		o.decide(noon(3), e)
		o.daily(4, 7, f)
		r := e
		r.State, r.DecidedAt, r.ExpiresAt, r.UpdatedAt = record.ExceptionRequested, time.Time{}, time.Time{}, noon(8)
		o.decide(noon(8), r)
		o.decide(noon(9))
		a := e
		a.DecidedAt, a.ExpiresAt, a.UpdatedAt = noon(12), noon(14), noon(12)
		o.decide(noon(12), a)
		o.daily(12, 14, f)
	}, 9+5+2)
	story("the finding is closed during it and comes back", func(o *organisation) {
		o.decide(noon(3), e)
		o.daily(4, 5, f)
		o.sweep(noon(6), "one", closed(f, record.ClosureRiskAccepted, noon(6)))
		w := e
		w.State, w.EndedAt, w.UpdatedAt = record.ExceptionEnded, noon(10), noon(10)
		o.decide(noon(10), w)
		o.sweep(noon(11), "one", again(f, noon(11)))
		f = again(f, noon(11))
	}, 9+7)
	story("tickets fail for a week, and the change is seen late", func(o *organisation) {
		o.decide(noon(3), e)
		o.daily(4, 5, f)
		for d := 5; d < 12; d++ {
			o.apply(noon(d), "tickets", "main", record.Batch{Scope: "query:exceptions", Err: &record.Error{Reason: record.ReasonServer}})
		}
		w := e
		w.State, w.EndedAt, w.UpdatedAt = record.ExceptionEnded, noon(8), noon(8)
		o.decide(noon(12), w)
		o.daily(12, 12, f)
	}, 9+5)
	story("the service is split while tickets are read by repository", func(o *organisation) {
		x := e
		x.Service, x.Repository = "", "acme/api"
		o.decide(noon(3), x)
		o.daily(4, 9, f)
		split := api("red")
		split.Name = "api-core"
		o.catalog(noon(10), split, web())
		x.State, x.EndedAt, x.UpdatedAt = record.ExceptionEnded, noon(13), noon(13)
		o.decide(noon(13), x)
	}, 9+10)
}

// TestDeadlinesAroundChangesOfTheClock: the last second of the due day, seven days on, where the clock changes on the way, or at the midnight that ends the day.
func TestDeadlinesAroundChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		zone string
		seen time.Time
		last string
	}{
		{"America/New_York", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "2026-03-09T03:59:59Z"},
		{"America/New_York", time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC), "2026-11-02T04:59:59Z"},
		{"Africa/Cairo", time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC), "2026-04-24T20:59:59Z"},
		{"Asia/Kolkata", time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC), "2026-04-24T18:29:59Z"},
		{"America/Santiago", time.Date(2026, 8, 30, 12, 0, 0, 0, time.UTC), "2026-09-07T02:59:59Z"},
	} {
		p := standardPolicy(t, func(cfg *policy.Config) { cfg.TimeZone = c.zone })
		due := p.Due(policy.Clock{Start: c.seen.Unix(), Target: p.Target(policy.IndexOfSeverity(record.SeverityCritical), p.FactsOf(record.Service{}), false)})
		if got := time.Unix(due, 0).UTC().Format(time.RFC3339); got != c.last {
			t.Errorf("%s %s: due %s, want %s", c.zone, c.seen, got, c.last)
		}
	}
}
