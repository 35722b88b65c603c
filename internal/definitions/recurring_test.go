package definitions_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

func TestRecurringCategories(t *testing.T) {
	o := newOrganisation(t)
	o.catalog(dayOf(t, "2025-12-01"), record.Service{Name: "shop", Team: "web", ProductArea: "shop", Repositories: []record.RepositoryPath{{Repository: "acme/shop"}}})
	o.findings(dayOf(t, "2025-12-01"))
	o.evaluate(dayOf(t, "2025-12-01"))
	events := example(t, "recurring events")
	slices.SortStableFunc(events, func(a, b row) int { return strings.Compare(a["Day"], b["Day"]) })
	now := map[string]record.Finding{}
	for _, r := range events {
		day := dayOf(t, r["Day"])
		f := now[r["Weakness"]]
		f.UpdatedAt = day
		switch r["What happens"] {
		case "opens":
			f = record.Finding{ID: r["Weakness"], Tool: "scanner", Class: record.ClassOther, Repository: "acme/shop", Severity: record.SeverityHigh, Category: r["Category"], FirstSeen: day, UpdatedAt: day}
		case "is fixed":
			f.Closure, f.ClosedAt = record.ClosureFixed, day
		case "is reopened":
			f.Closure, f.ClosedAt = record.ClosureNone, time.Time{}
		default:
			t.Fatalf("the test does not know what it means that a weakness %q", r["What happens"])
		}
		now[r["Weakness"]] = f
		var all []record.Finding
		for _, f := range now {
			all = append(all, f)
		}
		o.findings(day, all...)
	}
	e := o.evaluate(dayOf(t, "2026-03-31"))
	for _, r := range example(t, "recurring counts") {
		for _, window := range []string{"7d", "30d", "90d"} {
			got := sum(e, "prodsec_category_findings_in_window", "window="+window, "product_area=shop", "category="+r["Category"], "kind="+r["Kind"])
			if want := number(t, r[window]); got != want {
				t.Errorf("%s, %s in %s: %v, want %v", r["Category"], r["Kind"], window, got, want)
			}
		}
	}
}
