package definitions_test

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// second reads a date and time in UTC.
func second(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSLADeadlines(t *testing.T) {
	for _, r := range example(t, "sla deadlines") {
		c := policy.DefaultConfig()
		c.TimeZone = r["Time zone"]
		p, err := policy.New(c)
		if err != nil {
			t.Fatal(err)
		}
		facts := p.FactsOf(record.Service{TrustTier: r["Tier"], InternetFacing: record.Answer(r["Internet"])})
		clock := policy.Clock{
			Start:  second(t, r["First seen (UTC)"]).Unix(),
			Target: p.Target(policy.IndexOfSeverity(record.Severity(r["Severity"])), facts, r["Exploited"] == "yes"),
		}
		if from, to, excepted := strings.Cut(r["Excepted"], " to "); excepted {
			pause := policy.Pause{Start: second(t, from).Unix(), End: policy.Forever}
			if to != "ever" {
				pause.End = second(t, to).Unix()
			}
			clock.Pauses = []policy.Pause{pause}
		}
		target, deadline := policy.Duration(time.Duration(clock.Target)*time.Second).String(), "none"
		switch due := p.Due(clock); due {
		case 0:
			target = "none"
		case policy.Forever:
			deadline = "never"
		default:
			deadline = time.Unix(due, 0).UTC().Format(time.DateTime)
		}
		if target != r["Target"] || deadline != r["Deadline (UTC)"] {
			t.Errorf("%s of %s: target %s, deadline %s; the document says %s and %s", r["Severity"], r["First seen (UTC)"], target, deadline, r["Target"], r["Deadline (UTC)"])
		}
	}
}

// lives are weaknesses by name, each in a service and a repository of its own.
type lives struct {
	*organisation
	findings map[string]record.Finding
	names    []string
	// excepted are the days on which exceptions began, and ended if they have.
	excepted map[string][2]time.Time
}

func newLives(o *organisation) *lives {
	return &lives{organisation: o, findings: map[string]record.Finding{}, excepted: map[string][2]time.Time{}}
}

// becomes takes the word of the document for what a weakness is from an instant on.
func (l *lives) becomes(name, word string, at time.Time) {
	f, known := l.findings[name]
	if !known {
		l.names = append(l.names, name)
		f = record.Finding{ID: name, Tool: "scan", Class: record.ClassSAST, Repository: record.RepositoryName("acme/" + name), FirstSeen: at}
	}
	f.UpdatedAt = at
	switch word {
	case "open":
		f.Closure, f.ClosedAt = record.ClosureNone, time.Time{}
	case "critical", "high", "medium", "low":
		f.Severity = record.Severity(word)
	case "excepted":
		l.excepted[name] = [2]time.Time{at, at.AddDate(1, 0, 0)}
	case "unexcepted":
		l.excepted[name] = [2]time.Time{l.excepted[name][0], at}
	case "gone":
		f.ID = ""
	default:
		f.Closure, f.ClosedAt = record.Closure(word), at
	}
	l.findings[name] = f
}

// read lets the sources be read at an instant.
func (l *lives) read(at time.Time) {
	l.t.Helper()
	var findings []record.Finding
	exceptions := []record.Exception{}
	for _, name := range l.names {
		if f := l.findings[name]; f.ID != "" {
			findings = append(findings, f)
		}
		if span, ok := l.excepted[name]; ok {
			exceptions = append(exceptions, record.Exception{
				ID: name, State: record.ExceptionApproved, Findings: []string{name}, Repository: record.RepositoryName("acme/" + name),
				RequestedAt: span[0], DecidedAt: span[0], ExpiresAt: span[1],
			})
		}
	}
	b := record.Batch{Scope: "exceptions:main", Mode: record.Full, Exceptions: exceptions}
	l.must(l.ledger.Apply(l.t.Context(), "scanner", "main", b, at))
	l.organisation.findings(at, findings...)
}

func TestSLAOutcomes(t *testing.T) {
	rows := example(t, "sla lives")
	l := newLives(newOrganisation(t))
	start, end := dayOf(t, "2026-01-01"), dayOf(t, "2026-03-01")
	var services []record.Service
	for _, r := range rows {
		services = append(services, record.Service{
			Name: r["Weakness"], TrustTier: "tier2", Repositories: []record.RepositoryPath{{Repository: record.RepositoryName("acme/" + r["Weakness"])}},
		})
	}
	l.catalog(start, services...)
	for day := start; !day.After(end); day = day.AddDate(0, 0, 1) {
		for _, r := range rows {
			if dayOf(t, r["First seen"]).Equal(day) {
				l.becomes(r["Weakness"], r["Severity"], day)
			}
			for part := range strings.SplitSeq(r["Then"], ", ") {
				if when, word, ok := strings.Cut(part, " "); ok && dayOf(t, when).Equal(day) {
					l.becomes(r["Weakness"], word, day)
				}
			}
		}
		l.read(day)
		l.evaluate(day)
	}
	e := l.evaluate(end)
	for _, r := range rows {
		for _, outcome := range []string{"met", "missed", "void", "revoked"} {
			if got := sum(e, "prodsec_sla_outcomes_total", "service_name="+r["Weakness"], "outcome="+outcome); got != number(t, r[outcome]) {
				t.Errorf("weakness %s: %v %s, the document says %s (%s)", r["Weakness"], got, outcome, r[outcome], r["Because"])
			}
		}
	}
	total := func(outcome string) float64 { return sum(e, "prodsec_sla_outcomes_total", "outcome="+outcome) }
	if total("met") != 8 || total("revoked") != 2 || total("missed") != 4 {
		t.Errorf("together %v met, %v revoked, %v missed; the document says 8, 2 and 4", total("met"), total("revoked"), total("missed"))
	}
}

func TestFlows(t *testing.T) {
	l := newLives(newOrganisation(t))
	l.catalog(dayOf(t, "2026-01-31"))
	l.read(dayOf(t, "2026-01-31"))
	rows := example(t, "flows")
	start, end := dayOf(t, "2026-02-03"), dayOf(t, "2026-02-10")
	events := map[string]float64{}
	for day := dayOf(t, "2026-01-31"); !day.After(end); day = day.AddDate(0, 0, 1) {
		for _, r := range rows {
			if !dayOf(t, r["Day"]).Equal(day) {
				continue
			}
			l.becomes(r["Weakness"], r["Becomes"], day)
			if day.After(start) {
				for event := range strings.SplitSeq(r["Events"], ", ") {
					events[event]++
				}
			}
		}
		l.read(day)
		e := l.evaluate(day)
		for _, total := range example(t, "flow totals") {
			severity := total["Severity"]
			open := sum(e, "prodsec_findings_open", "severity="+severity)
			want, rise, fall := 0.0, 0.0, 0.0
			for _, r := range rows {
				if flow := strings.TrimSpace(r[severity]); flow != "" && !dayOf(t, r["Day"]).After(day) {
					n := number(t, flow)
					want += n
					if dayOf(t, r["Day"]).After(start) {
						rise, fall = rise+max(n, 0), fall+max(-n, 0)
					}
				}
			}
			if open != want {
				t.Errorf("%s: %v %s open, the flows sum to %v", day.Format(time.DateOnly), open, severity, want)
			}
			if day.Equal(start) && open != number(t, total["Open at the start"]) || day.Equal(end) && open != number(t, total["Open now"]) {
				t.Errorf("%s: %v %s open, the document says otherwise", day.Format(time.DateOnly), open, severity)
			}
			if day.Equal(end) && (rise != number(t, total["Rise"]) || fall != number(t, total["Fall"])) {
				t.Errorf("%s: rise %v, fall %v, the document says %s and %s", severity, rise, fall, total["Rise"], total["Fall"])
			}
		}
	}
	e := l.evaluate(end)
	for event, want := range sums(e, "prodsec_finding_flow_in_window", "event", "window=7d") {
		if want != events[event] {
			t.Errorf("%v events %s within a week, the document has %v", want, event, events[event])
		}
		delete(events, event)
	}
	if len(events) > 0 {
		t.Errorf("the document has events that were not counted: %v", events)
	}
}
