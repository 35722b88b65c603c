package definitions_test

import (
	"testing"

	"prodsec_exporter/internal/record"
)

// TestClosings: each reason for which a weakness closes has the event and the outcomes that the document gives it, and the document has them all.
func TestClosings(t *testing.T) {
	rows := example(t, "closings")
	if len(rows) != len(record.Closures()) {
		t.Errorf("the document has %d reasons, there are %d", len(rows), len(record.Closures()))
	}
	for _, r := range rows {
		t.Run(r["Closed as"], func(t *testing.T) {
			o := newOrganisation(t)
			begin := dayOf(t, "2026-01-05")
			f := record.Finding{ID: "f", Tool: "scan", Class: record.ClassSAST, Repository: "acme/shop", Severity: record.SeverityCritical, FirstSeen: begin, UpdatedAt: begin}
			o.catalog(begin, record.Service{Name: "shop", TrustTier: "tier2", Repositories: []record.RepositoryPath{{Repository: "acme/shop"}}})
			o.findings(begin, f)
			o.evaluate(begin)
			closed := dayOf(t, "2026-01-08")
			f.Closure, f.ClosedAt, f.UpdatedAt = record.Closure(r["Closed as"]), closed, closed
			o.findings(closed, f)
			e := o.evaluate(closed)
			if got := sum(e, "prodsec_finding_events_total", "event="+r["Event"]); got != 1 {
				t.Errorf("%v events %s, the document says one", got, r["Event"])
			}
			if got := sum(e, "prodsec_finding_events_total"); got != 2 {
				t.Errorf("%v events, want the opening and the closing", got)
			}
			outcome := func(when, want string) {
				t.Helper()
				all, one := sum(e, "prodsec_sla_outcomes_total"), 0.0
				if want != "" {
					one = sum(e, "prodsec_sla_outcomes_total", "outcome="+want)
				}
				if all != one || want != "" && one != 1 {
					t.Errorf("%s %v outcomes, %v of them %q, the document says %q alone", when, all, one, want, want)
				}
			}
			outcome("before the deadline", r["Outcome before the deadline"])
			after := dayOf(t, "2026-02-05")
			o.findings(after, f)
			e = o.evaluate(after)
			outcome("after the deadline", r["Outcome after it"])
		})
	}
}
