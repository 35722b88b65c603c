package policy

import (
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// date is midnight of a day in 2026.
func date(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

// TestScopeAndCover: an exception covers what matches everything it names, and nothing if it names nothing.
func TestScopeAndCover(t *testing.T) {
	subject := Subject{
		Service: "checkout", Repository: "acme/shop", Findings: []string{"codeql:1", "trivy:2"}, Advisories: []string{"CVE-2026-1", "GHSA-x"},
		Rules: []string{"go/sql"}, Category: "CWE-89",
	}
	p := policyWith(t, func(c *Config) { c.Exceptions.VendorAcceptances = []string{"DefectDojo"} })
	for _, c := range []struct {
		name           string
		exception      record.Exception
		scoped, covers bool
	}{
		{"nothing", record.Exception{}, false, false},
		{"only a service", record.Exception{Service: "checkout"}, false, false},
		{"only a repository", record.Exception{Repository: "acme/shop"}, false, false},
		{"only a rule", record.Exception{Rules: []string{"go/sql"}}, false, false},
		{"only an advisory", record.Exception{Advisories: []string{"CVE-2026-1"}}, false, false},
		{"a finding by its id, which says where", record.Exception{Findings: []string{"trivy:2"}}, true, true},
		{"another finding", record.Exception{Findings: []string{"trivy:3"}}, true, false},
		{"service and rule", record.Exception{Service: "checkout", Rules: []string{"go/sql"}}, true, true},
		{"service and another rule", record.Exception{Service: "checkout", Rules: []string{"go/xss"}}, true, false},
		{"another service, same rule", record.Exception{Service: "ledger", Rules: []string{"go/sql"}}, true, false},
		{"repository and category, without regard to case", record.Exception{Repository: "acme/shop", Categories: []string{"cwe-89"}}, true, true},
		{"one of two advisories", record.Exception{Service: "checkout", Advisories: []string{"CVE-2025-9", "ghsa-X"}}, true, true},
		{"right advisory, wrong rule", record.Exception{Service: "checkout", Advisories: []string{"CVE-2026-1"}, Rules: []string{"go/xss"}}, true, false},
		{"right service, wrong repository", record.Exception{Service: "checkout", Repository: "acme/other", Rules: []string{"go/sql"}}, true, false},
		{"only controls: it covers no finding", record.Exception{Service: "checkout", Controls: []string{"sast"}}, true, false},
		{"an empty name matches no empty field", record.Exception{Service: "checkout", Rules: []string{""}}, true, false},
		{"a scanner's acceptance that policy counts", record.Exception{Findings: []string{"codeql:1"}, VendorAcceptance: true, Tool: "defectdojo"}, true, true},
		{"a scanner's acceptance that policy does not count", record.Exception{Findings: []string{"codeql:1"}, VendorAcceptance: true, Tool: "codeql"}, true, false},
	} {
		if got := Scoped(&c.exception); got != c.scoped {
			t.Errorf("%s: scoped %v, want %v", c.name, got, c.scoped)
		}
		if got := p.Covers(&c.exception, &subject); got != c.covers {
			t.Errorf("%s: covers %v, want %v", c.name, got, c.covers)
		}
	}
	if p.Covers(&record.Exception{Service: "checkout", Categories: []string{""}}, &Subject{Service: "checkout"}) {
		t.Error("a weakness without a category is covered by an empty category")
	}
}

func TestExceptionStanding(t *testing.T) {
	p := Default()
	now := date(6, 15)
	scoped := record.Exception{State: record.ExceptionApproved, Service: "checkout", Rules: []string{"r"}}
	with := func(change func(*record.Exception)) record.Exception {
		e := scoped
		change(&e)
		return e
	}
	for _, c := range []struct {
		name      string
		exception record.Exception
		want      ExceptionStanding
	}{
		{"requested", record.Exception{State: record.ExceptionRequested}, StandingRequested},
		{"approved without an end", scoped, StandingActive},
		{"until the next second", with(func(e *record.Exception) { e.ExpiresAt = now.Add(time.Second) }), StandingActive},
		{"until now, exclusive", with(func(e *record.Exception) { e.ExpiresAt = now }), StandingExpired},
		{"expired and unscoped", record.Exception{State: record.ExceptionApproved, ExpiresAt: date(1, 1)}, StandingExpired},
		{"unscoped", record.Exception{State: record.ExceptionApproved, Service: "checkout"}, StandingUnscoped},
		{"approved as of now", with(func(e *record.Exception) { e.DecidedAt = now }), StandingActive},
		{"approved from the next second on", with(func(e *record.Exception) { e.DecidedAt = now.Add(time.Second) }), StandingRequested},
		{"withdrawn", with(func(e *record.Exception) { e.EndedAt = now }), StandingGone},
		{"withdrawn tomorrow", with(func(e *record.Exception) { e.EndedAt = date(6, 16) }), StandingActive},
		{"ended", record.Exception{State: record.ExceptionEnded}, StandingGone},
		{"another status", record.Exception{State: record.ExceptionOther}, StandingGone},
		{"a status that is not listed", record.Exception{State: "new"}, StandingGone},
		{"rejected 30 days ago", record.Exception{State: record.ExceptionRejected, DecidedAt: date(5, 16)}, StandingRejectedRecently},
		{"rejected longer ago", record.Exception{State: record.ExceptionRejected, DecidedAt: date(5, 15)}, StandingGone},
		{"rejected nobody knows when", record.Exception{State: record.ExceptionRejected}, StandingGone},
		{"a scanner's acceptance alone", with(func(e *record.Exception) { e.VendorAcceptance, e.Tool = true, "sonarqube" }), StandingGone},
	} {
		if got := p.ExceptionStanding(&c.exception, now); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHorizonOf(t *testing.T) {
	now := date(6, 15)
	for _, c := range []struct {
		expires time.Time
		want    Horizon
	}{
		{time.Time{}, HorizonNever},
		{date(1, 1), HorizonExpired},
		{now, HorizonExpired},
		{now.Add(time.Second), Horizon7d},
		{now.Add(7 * Day), Horizon7d},
		{now.Add(7*Day + time.Second), Horizon30d},
		{now.Add(30 * Day), Horizon30d},
		{now.Add(90 * Day), Horizon90d},
		{now.Add(91 * Day), HorizonLater},
	} {
		if got := HorizonOf(&record.Exception{ExpiresAt: c.expires}, now); got != c.want {
			t.Errorf("expires %v: got %s, want %s", c.expires, got, c.want)
		}
	}
}

func TestPausesOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		exception record.Exception
		want      Pause
		ok        bool
	}{
		{"approved until", record.Exception{State: record.ExceptionApproved, RequestedAt: date(1, 1), DecidedAt: date(1, 5), ExpiresAt: date(2, 1)}, Pause{date(1, 5).Unix(), date(2, 1).Unix()}, true},
		{"approved without a date: from the request", record.Exception{State: record.ExceptionApproved, RequestedAt: date(1, 1), ExpiresAt: date(2, 1)}, Pause{date(1, 1).Unix(), date(2, 1).Unix()}, true},
		{"approved without an end", record.Exception{State: record.ExceptionApproved, DecidedAt: date(1, 5)}, Pause{date(1, 5).Unix(), Forever}, true},
		{"approved without any date", record.Exception{State: record.ExceptionApproved, ExpiresAt: date(2, 1)}, Pause{}, false},
		{"withdrawn early", record.Exception{State: record.ExceptionEnded, DecidedAt: date(1, 5), ExpiresAt: date(2, 1), EndedAt: date(1, 20)}, Pause{date(1, 5).Unix(), date(1, 20).Unix()}, true},
		{"withdrawn, last changed", record.Exception{State: record.ExceptionEnded, DecidedAt: date(1, 5), UpdatedAt: date(1, 20)}, Pause{date(1, 5).Unix(), date(1, 20).Unix()}, true},
		{"withdrawn nobody knows when", record.Exception{State: record.ExceptionEnded, DecidedAt: date(1, 5)}, Pause{}, false},
		{"ended without ever being decided", record.Exception{State: record.ExceptionEnded, RequestedAt: date(1, 1), ExpiresAt: date(2, 1)}, Pause{}, false},
		{"expired before it was approved", record.Exception{State: record.ExceptionApproved, DecidedAt: date(2, 1), ExpiresAt: date(1, 1)}, Pause{}, false},
		{"requested", record.Exception{State: record.ExceptionRequested, RequestedAt: date(1, 1)}, Pause{}, false},
		{"rejected", record.Exception{State: record.ExceptionRejected, DecidedAt: date(1, 5)}, Pause{}, false},
	} {
		got := PausesOf(&c.exception)
		if (len(got) == 1) != c.ok || c.ok && got[0] != c.want {
			t.Errorf("%s: got %v; want %v, %v", c.name, got, c.want, c.ok)
		}
	}
}

// TestPausesOfHistory: what the source says about when an exception was in force counts, and not the dates of its last decision.
func TestPausesOfHistory(t *testing.T) {
	e := record.Exception{
		State: record.ExceptionApproved, DecidedAt: date(3, 10), ExpiresAt: date(6, 1),
		InForce: []record.Interval{{From: date(1, 8), Until: date(3, 1)}, {From: date(3, 5), Until: date(3, 5)}, {From: date(3, 10)}},
	}
	want := []Pause{{date(1, 8).Unix(), date(3, 1).Unix()}, {date(3, 10).Unix(), Forever}}
	if got := PausesOf(&e); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	e.InForce = []record.Interval{}
	if got := PausesOf(&e); len(got) != 0 {
		t.Errorf("it was never in force by its source: got %v", got)
	}
}

func TestExceptionLabelValues(t *testing.T) {
	if got := ExceptionStandings(); len(got) != 5 || got[0] != "requested" || got[4] != "unscoped" {
		t.Errorf("standings: %v", got)
	}
	if got := Horizons(); len(got) != 6 || got[0] != "expired" || got[5] != "never" {
		t.Errorf("horizons: %v", got)
	}
}
