package metrics_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// weaknessOf is a weakness of a service in a category, by position in the strings of the hand-made snapshot.
func weaknessOf(service, category int32, seen time.Time) snapshot.Weakness {
	return snapshot.Weakness{FirstSeen: seen.Unix(), ClockStart: seen.Unix(), Service: service, Category: category, Tool: 1, Reports: 1, OpenReports: 1}
}

// TestRepeatIsWhatCameBackAfterItWasFixed: in the same product area and category, and only after something was fixed there.
func TestRepeatIsWhatCameBackAfterItWasFixed(t *testing.T) {
	const xss, sqli = 3, 4
	for _, c := range []struct {
		name         string
		closure      record.Closure
		fixed        time.Time
		service      int32
		category     int32
		wantRepeated float64
	}{
		{"fixed before in the area", record.ClosureFixed, day(3, 10), checkout, xss, 1},
		{"fixed at the same instant", record.ClosureFixed, day(3, 20), checkout, xss, 0},
		{"fixed later", record.ClosureFixed, day(3, 25), checkout, xss, 0},
		{"dismissed, not fixed", record.ClosureFalsePositive, day(3, 10), checkout, xss, 0},
		{"another area", record.ClosureFixed, day(3, 10), docs, xss, 0},
		{"another category", record.ClosureFixed, day(3, 10), checkout, sqli, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy.Default()
			s := organisation(p)
			before := weaknessOf(checkout, xss, day(1, 2))
			before.Closure, before.ClosedAt, before.OpenReports = snapshot.IndexOfClosure(c.closure), c.fixed.Unix(), 0
			after := weaknessOf(c.service, c.category, day(3, 20))
			var weaknesses snapshot.Editor[snapshot.Weakness]
			weaknesses.Append(before)
			weaknesses.Append(after)
			var events snapshot.Editor[snapshot.Event]
			events.Append(snapshot.Event{At: day(3, 20).Unix(), Counted: day(3, 20).Unix(), Weakness: 1, Owner: c.service, Kind: snapshot.EventOpened})
			s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
			e := metrics.Evaluate(s, p, noon)
			categories, failures := family(e, "prodsec_category_findings_in_window"), family(e, "prodsec_control_failures_in_window")
			if got, _ := value(categories, "window=30d,kind=repeat"); got != c.wantRepeated {
				t.Errorf("repeated categories: got %v, want %v", got, c.wantRepeated)
			}
			if got, _ := value(categories, "window=30d,kind=new"); got != 1-c.wantRepeated {
				t.Errorf("new categories: got %v, want %v", got, 1-c.wantRepeated)
			}
			if got, _ := value(failures, "window=30d,source=repeat"); got != c.wantRepeated {
				t.Errorf("repeated failures of controls: got %v, want %v", got, c.wantRepeated)
			}
		})
	}
}

// TestGrantsThatNameNothingRenewNothing: two exceptions that name neither service nor repository are about nothing that they could share.
func TestGrantsThatNameNothingRenewNothing(t *testing.T) {
	grant := func(id string, repository record.RepositoryName, at time.Time) snapshot.Held[record.Exception] {
		return snapshot.Held[record.Exception]{Record: record.Exception{
			ID: id, State: record.ExceptionApproved, Category: "legacy", Repository: repository, DecidedAt: at,
		}, Instance: "jira/psec", Scope: scopeExceptions}
	}
	for _, c := range []struct {
		name         string
		repository   record.RepositoryName
		wantRenewals float64
	}{{"nothing", "", 0}, {"a repository that no catalog knows", "acme/elsewhere", 1}} {
		t.Run(c.name, func(t *testing.T) {
			p := policy.Default()
			s := organisation(p)
			s.Exceptions = []snapshot.Held[record.Exception]{grant("a", c.repository, day(3, 1)), grant("b", c.repository, day(3, 20))}
			s.Decided = milestones(s.Exceptions, func(e *record.Exception) time.Time { return e.DecidedAt })
			granted := family(metrics.Evaluate(s, p, noon), "prodsec_exceptions_granted_in_window")
			if got, _ := value(granted, "window=90d,kind=renewal"); got != c.wantRenewals {
				t.Errorf("renewals: got %v, want %v", got, c.wantRenewals)
			}
			if got, _ := value(granted, "window=90d,kind=first"); got != 2-c.wantRenewals {
				t.Errorf("first grants: got %v, want %v", got, 2-c.wantRenewals)
			}
		})
	}
}
