package metrics_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestRenewals: what is first and what a renewal, over one service and category.
func TestRenewals(t *testing.T) {
	p := policy.Default()
	for _, c := range []struct {
		name           string
		granted        []time.Time // of exceptions of their own
		again          time.Time   // the first one was approved anew
		first, renewal float64     // within 90 days
	}{
		{"alone", []time.Time{day(3, 1)}, time.Time{}, 1, 0},
		{"approved together", []time.Time{day(3, 1), day(3, 1)}, time.Time{}, 2, 0},
		{"together, after another", []time.Time{day(2, 1), day(3, 1), day(3, 1)}, time.Time{}, 1, 2},
		{"a year later", []time.Time{day(3, 1).AddDate(0, 0, -365), day(3, 1)}, time.Time{}, 0, 1},
		{"more than a year later", []time.Time{day(3, 1).AddDate(0, 0, -366), day(3, 1)}, time.Time{}, 1, 0},
		{"anew in its own ticket", []time.Time{day(2, 1)}, day(3, 1), 1, 1},
		{"still to come", []time.Time{noon.Add(time.Second)}, time.Time{}, 0, 0},
	} {
		s := organisation(p)
		s.Exceptions, s.Decided = nil, nil
		for i, at := range c.granted {
			e := record.Exception{ID: string(rune('a' + i)), State: record.ExceptionApproved, Category: "x", Service: "docs", DecidedAt: at}
			h := snapshot.Held[record.Exception]{Record: e, Instance: "jira/psec", Scope: scopeExceptions, Service: docs, Owner: docs}
			s.Decided = append(s.Decided, snapshot.Milestone[record.Exception]{Held: h, At: at, Counted: at})
			if i == 0 && !c.again.IsZero() {
				h.Record.DecidedAt = c.again
			}
			s.Exceptions = append(s.Exceptions, h)
		}
		r := family(metrics.Evaluate(s, p, noon), "prodsec_exceptions_granted_in_window")
		first, _ := value(r, "window=90d,category=x,kind=first")
		renewal, _ := value(r, "window=90d,category=x,kind=renewal")
		if first != c.first || renewal != c.renewal {
			t.Errorf("%s: %v first and %v renewals, want %v and %v", c.name, first, renewal, c.first, c.renewal)
		}
	}
}

// TestWorkingHours: with calendars, times of reviews and decisions are working hours. R1 waits from Monday noon to Tuesday noon, which
// are 5 hours of Monday and 3 of Tuesday; exception 4 since Monday midnight, which are 8 and 3.
func TestWorkingHours(t *testing.T) {
	c := policy.DefaultConfig()
	office := policy.CalendarConfig{
		TimeZone: "UTC", Days: []policy.Weekday{"mon", "tue", "wed", "thu", "fri"}, Opens: "09:00", Closes: "17:00",
	}
	c.Calendars.Reviews, c.Calendars.Decisions = office, office
	p, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := organisation(p)
	s.Reviews = s.Reviews[:1]
	e := metrics.Evaluate(s, p, noon)
	for _, c := range []struct {
		family, selector string
		want             float64
	}{
		{"prodsec_review_waiting_seconds", "business_unit=retail,kind=threat_model", 8 * 3600},
		{"prodsec_exception_pending_seconds", "business_unit=retail,category=vendor", 11 * 3600},
		// R3 was answered on a Friday before the office opened, R7 over a weekend; R5 on Sunday to Tuesday midnight, one Monday.
		{"prodsec_review_first_response_seconds", "business_unit=retail,kind=code", 0},
		{"prodsec_review_first_response_in_window_seconds", "window=90d,kind=threat_model", 8 * 3600},
		// Sunday to Thursday midnight: Monday, Tuesday, Wednesday.
		{"prodsec_exception_decision_seconds", "business_unit=retail,category=legacy", 24 * 3600},
	} {
		if got := histogramSum(family(e, c.family), c.selector); got != c.want {
			t.Errorf("%s: %v seconds, want %v", c.family, got, c.want)
		}
	}
}

// histogramSum is the sum of the observations of the histograms that a selector picks.
func histogramSum(r metrics.Result, selector string) (sum float64) {
	for _, s := range r.Series {
		if _, ok := value(metrics.Result{Family: r.Family, Series: []metrics.Series{s}}, selector); ok {
			sum += s.Histogram.Sum
		}
	}
	return sum
}

// TestClockOfTheSource: where a source measures the first response itself, without pauses and in its own hours, that counts; while it runs, the calendar goes on from
// what it last showed.
func TestClockOfTheSource(t *testing.T) {
	p, err := policy.New(policy.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		clock *record.Clock
		want  float64
	}{
		"none":    {nil, 24 * 3600},
		"paused":  {&record.Clock{Elapsed: 3 * time.Hour, AsOf: noon.Add(-20 * time.Hour)}, 3 * 3600},
		"running": {&record.Clock{Elapsed: 3 * time.Hour, AsOf: noon.Add(-2 * time.Hour), Running: true}, 5 * 3600},
	} {
		s := organisation(p)
		s.Reviews = s.Reviews[:1]
		s.Reviews[0].Record.Response = tt.clock
		if got := histogramSum(family(metrics.Evaluate(s, p, noon), "prodsec_review_waiting_seconds"), "business_unit=retail,kind=threat_model"); got != tt.want {
			t.Errorf("%s: waits for %v seconds, want %v", name, got, tt.want)
		}
		s = organisation(p)
		s.Answered = s.Answered[:1]
		s.Answered[0].Record.Response = tt.clock
		got := histogramSum(family(metrics.Evaluate(s, p, noon), "prodsec_review_first_response_seconds"), "business_unit=retail,kind=code")
		if want := map[string]float64{"none": 6 * 3600, "paused": 3 * 3600}[name]; name != "running" && got != want {
			t.Errorf("%s: answered after %v seconds, want %v", name, got, want)
		}
	}
}
