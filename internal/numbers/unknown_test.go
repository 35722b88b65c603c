package numbers_test

import (
	"testing"

	"prodsec_exporter/internal/record"
)

// TestIncidentsNotRead: how many changes failed is not known while a source of incidents was never read, or not for too long: no lower bound is shown.
func TestIncidentsNotRead(t *testing.T) {
	refused := func(scope string, kinds bool) record.Batch {
		b := record.Batch{Scope: scope, Err: &record.Error{Reason: record.ReasonPermission}}
		if kinds {
			b.Incidents = []record.Incident{}
		}
		return b
	}
	read := record.Batch{Scope: "incidents:a", Mode: record.Full, Incidents: []record.Incident{incident("I", "api", at(3, 13, 0), record.AnswerYes)}}
	for name, c := range map[string]struct {
		batches  []record.Batch
		failures string
		known    bool
	}{
		"all are read":                              {[]record.Batch{read}, "control_gap=1", true},
		"none is configured":                        {nil, "", true},
		"one is refused":                            {[]record.Batch{read, refused("incidents:b", true)}, "", false},
		"one is refused, by its name":               {[]record.Batch{read, refused("incidents:b", false)}, "", false},
		"the only one is refused":                   {[]record.Batch{refused("incidents:b", true)}, "", false},
		"another kind is refused":                   {[]record.Batch{read, refused("reviews:b", false)}, "control_gap=1", true},
		"one is refused, then the other drops, too": {[]record.Batch{refused("incidents:b", true), read, refused("incidents:a", false)}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			o.deploys(noon(4), live("1", "acme/api", at(3, 10, 0)), live("2", "acme/api", at(4, 10, 0)))
			for _, b := range c.batches {
				o.apply(noon(4), "tickets", "main", b)
			}
			samples := parse(t, o.text())
			if _, found := sum(samples, "prodsec_change_failures_in_window"); found != c.known {
				t.Errorf("change failures shown: %v, want %v", found, c.known)
			}
			if got := by(samples, "cause", "prodsec_change_failures_in_window", "window=30d"); got != c.failures {
				t.Errorf("change failures %q, want %q", got, c.failures)
			}
			if n, _ := sum(samples, "prodsec_changes_in_window", "window=30d"); n != 2 {
				t.Errorf("%v changes, want 2", n)
			}
		})
	}
}

// TestFutureDates: what is dated in the future counts from its day on, in totals and windows alike; a date that is corrected before counts by the correction,
// and one that is moved further on counts later.
func TestFutureDates(t *testing.T) {
	o := founded(t, nil)
	check := func(what string, want float64, family string, labels ...string) {
		t.Helper()
		if n, _ := sum(parse(t, o.text()), family, labels...); n != want {
			t.Errorf("%s, on %s: %s%v is %v, want %v", what, o.now.Format("2 Jan 15:04"), family, labels, n, want)
		}
	}
	both := func(what string, want float64, total, window string, labels ...string) {
		t.Helper()
		check(what, want, total, labels...)
		check(what, want, window, append([]string{"window=30d"}, labels...)...)
	}
	all := func(incidents, restored, decided, answered, closed, raised float64) {
		t.Helper()
		both("failures", incidents, "prodsec_change_failures_total", "prodsec_change_failures_in_window")
		check("incidents", incidents, "prodsec_incidents_in_window", "window=30d")
		both("restored", restored, "prodsec_restore_seconds_count", "prodsec_restore_in_window_seconds_count")
		both("decided", decided, "prodsec_exception_decision_seconds_count", "prodsec_exception_decision_in_window_seconds_count")
		both("answered", answered, "prodsec_review_first_response_seconds_count", "prodsec_review_first_response_in_window_seconds_count")
		both("closed", closed, "prodsec_followup_close_seconds_count", "prodsec_followup_close_in_window_seconds_count")
		both("raised", raised, "prodsec_escalations_total", "prodsec_escalations_in_window")
	}
	i := incident("I", "api", noon(12), record.AnswerYes)
	i.RestoredAt = noon(14)
	review := record.Review{ID: "R", Kind: record.ReviewDesign, State: record.ReviewInProgress, Service: "api", RequestedAt: noon(8), FirstResponseAt: noon(12)}
	followup := record.Followup{ID: "F", Service: "api", CreatedAt: noon(8), ClosedAt: noon(12)}
	escalation := record.Escalation{ID: "X", Kind: record.EscalationUrgent, Service: "api", Reason: "other", RaisedAt: noon(12)}
	tell := func(day int) {
		t.Helper()
		o.deploys(noon(day), live("1", "acme/api", noon(9)))
		o.suffers(noon(day), i)
		o.decide(noon(day), tolerated(noon(12), noon(40)))
		o.apply(noon(day), "tickets", "main", record.Batch{Scope: "query:other", Mode: record.Full, Reviews: []record.Review{review},
			Followups: []record.Followup{followup}, Escalations: []record.Escalation{escalation}})
	}
	tell(10)
	all(0, 0, 0, 0, 0, 0)
	o.restart()
	o.passDays(at(12, 11, 59))
	all(0, 0, 0, 0, 0, 0)
	tell(12)
	all(1, 0, 1, 1, 1, 1)
	i.RestoredAt = noon(15) // it was a plan
	tell(13)
	o.restart()
	tell(14)
	all(1, 0, 1, 1, 1, 1)
	tell(15)
	all(1, 1, 1, 1, 1, 1)
	i.RestoredAt = noon(20)
	tell(16)
	all(1, 1, 1, 1, 1, 1)
}

// TestEndsThatLieAhead: what is to be closed or answered on a later day is open, or waits, until then.
func TestEndsThatLieAhead(t *testing.T) {
	o := founded(t, nil)
	o.apply(noon(10), "tickets", "main", record.Batch{
		Scope: "query:other", Mode: record.Full,
		Reviews: []record.Review{
			{ID: "R", Kind: record.ReviewDesign, State: record.ReviewInProgress, Service: "api", RequestedAt: noon(8), FirstResponseAt: noon(12)},
			{ID: "S", Kind: record.ReviewDesign, State: record.ReviewInProgress, Service: "api", RequestedAt: noon(8), FirstResponseAt: noon(9), ClosedAt: noon(12)},
		},
		Followups:   []record.Followup{{ID: "F", Service: "api", CreatedAt: noon(8), ClosedAt: noon(12)}},
		Escalations: []record.Escalation{{ID: "X", Kind: record.EscalationUrgent, Service: "api", Reason: "other", RaisedAt: noon(8), ClosedAt: noon(12)}},
	})
	for day, want := range map[int][3]string{10: {"in_progress=1 waiting=1", "unknown=1", "urgent=1"}, 12: {"in_progress=1", "", ""}} {
		samples := parse(t, o.textAt(noon(day)))
		got := [3]string{by(samples, "state", "prodsec_reviews_open"), by(samples, "overdue", "prodsec_followups_open"), by(samples, "kind", "prodsec_escalations_open")}
		if got != want {
			t.Errorf("day %d: reviews, follow-ups and escalations are %q, want %q", day, got, want)
		}
	}
}
