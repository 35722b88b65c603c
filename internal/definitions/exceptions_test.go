package definitions_test

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// changes takes the words of the document for what becomes of an exception at an instant; ok is false when its ticket is gone.
func changes(t *testing.T, e *record.Exception, word string, at time.Time) (ok bool) {
	t.Helper()
	e.UpdatedAt = at
	switch word {
	case "approved":
		e.State, e.DecidedAt, e.EndedAt = record.ExceptionApproved, at, time.Time{}
	case "approved-for-another":
		e.State, e.DecidedAt, e.Categories = record.ExceptionApproved, at, []string{"CWE-89"}
	case "approved-from-the-12th":
		e.State, e.DecidedAt = record.ExceptionApproved, dayOf(t, "2026-01-12")
	case "requested":
		e.State, e.DecidedAt = record.ExceptionRequested, time.Time{}
	case "withdrawn":
		e.State, e.EndedAt = record.ExceptionEnded, at
	case "narrowed":
		e.Categories = []string{"CWE-89"}
	case "widened":
		e.Categories = []string{"CWE-89", "CWE-79"}
	case "deleted":
		return false
	default:
		t.Fatalf("the document says that an exception is %q", word)
	}
	return true
}

// renames gives a service another name, with or without saying that it is the same.
func renames(t *testing.T, services []record.Service, name, word string) {
	t.Helper()
	for i := range services {
		if services[i].Name != name {
			continue
		}
		switch services[i].Name = name + laterName; word {
		case "service-renamed":
			services[i].RenamedFrom = []string{name}
		case "service-replaced":
		default:
			t.Fatalf("the document says that a service is %q", word)
		}
	}
}

// laterName is the end of a service's later name.
const laterName = "-core"

func TestExceptionsInTime(t *testing.T) {
	rows := example(t, "exceptions in time")
	o := newOrganisation(t)
	start, end := dayOf(t, "2026-01-01"), dayOf(t, "2026-02-01")
	var services []record.Service
	var findings []record.Finding
	exceptions := map[string]record.Exception{}
	for _, r := range rows {
		name := r["Weakness"]
		repository := record.RepositoryName("acme/" + name)
		services = append(services, record.Service{Name: name, TrustTier: "tier2", Repositories: []record.RepositoryPath{{Repository: repository}}})
		findings = append(findings, record.Finding{
			ID: name, Tool: "scan", Class: record.ClassSAST, Repository: repository, Category: "CWE-79", Severity: record.SeverityCritical,
			FirstSeen: dayOf(t, "2026-01-05"), UpdatedAt: dayOf(t, "2026-01-05"),
		})
	}
	o.catalog(start, services...)
	for day := start; !day.After(end); day = day.AddDate(0, 0, 1) {
		for _, r := range rows {
			name := r["Weakness"]
			for part := range strings.SplitSeq(r["What becomes of its exception"], ", ") {
				when, word, _ := strings.Cut(part, " ")
				if !dayOf(t, when).Equal(day) {
					continue
				}
				if strings.HasPrefix(word, "service-") {
					renames(t, services, name, word)
					o.catalog(day, services...)
					continue
				}
				e, known := exceptions[name]
				if !known {
					e = record.Exception{ID: name, Service: name, Categories: []string{"CWE-79"}, RequestedAt: day}
				}
				if exceptions[name] = e; changes(t, &e, word, day) {
					exceptions[name] = e
				} else {
					delete(exceptions, name)
				}
			}
		}
		all := []record.Exception{}
		for _, e := range exceptions {
			all = append(all, e)
		}
		o.must(o.ledger.Apply(t.Context(), "scanner", "main", record.Batch{Scope: "exceptions:main", Mode: record.Full, Exceptions: all}, day))
		if !day.Before(dayOf(t, "2026-01-05")) {
			o.findings(day, findings...)
		}
		o.evaluate(day)
	}
	known := o.ledger.Snapshot()
	stood, deadlines := map[string]time.Duration{}, map[string]string{}
	for i, w := range known.Weaknesses.All() {
		name, facts := strings.TrimSuffix(known.Services[w.Service].Name, laterName), known.Services[w.Service].Facts
		for _, pause := range known.Pauses[int32(i)] {
			stood[name] += time.Duration(pause.End-pause.Start) * time.Second
		}
		due := o.policy.Due(policy.Clock{Start: w.ClockStart, Target: o.policy.Target(w.Severity, facts, false), Pauses: known.Pauses[int32(i)]})
		deadlines[name] = time.Unix(due, 0).UTC().Format(time.DateOnly)
	}
	for _, r := range rows {
		name := r["Weakness"]
		if got := policy.Duration(stood[name]).String(); got != r["Stood still"] || deadlines[name] != r["Deadline"] {
			t.Errorf("the clock of %s stood still for %s, and it is due on %s; the document says %s and %s", name, got, deadlines[name], r["Stood still"], r["Deadline"])
		}
	}
}
