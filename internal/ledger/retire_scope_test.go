package ledger_test

import (
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/record"
)

// TestRetiredScope: what a scope held that is gone at its source is closed for the reason given, unless another scope goes on reporting it; the scope itself
// is no longer expected to be read, and may return.
func TestRetiredScope(t *testing.T) {
	s := newStory(t, nil)
	project := func(n int, scope string, findings ...record.Finding) {
		s.apply(n, "one", record.Batch{
			Scope: scope, Mode: record.Full, Cursor: "c", Findings: append([]record.Finding{}, findings...),
			Scans: []record.Scan{{Tool: "scanner", Class: record.ClassSCA, Repository: record.RepositoryName("acme/" + scope[len("project:"):])}},
		})
	}
	shared := func(id string) record.Finding {
		f := critical(id, 2)
		f.Class, f.Package, f.Aliases, f.Place = record.ClassSCA, "npm/axios", []string{"CVE-2026-0001"}, ""
		return f
	}
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "scanner", Instance: "one"}, {Collector: "scanner", Instance: "two"}}, day(1)))
	project(1, "project:old")
	project(1, "project:new")
	s.must(s.MarkFounded(t.Context(), day(1)))
	project(2, "project:old", critical("f", 2), shared("old"))
	project(2, "project:new", shared("new"))
	s.next()
	retired := record.Batch{Scope: "project:old", Mode: record.Full, Retired: true, Absence: record.ClosureOutOfScope}
	s.apply(3, "one", retired)
	s.expect("out_of_scope critical 3/3, void critical 3/3")
	known := s.Snapshot()
	open := 0
	for _, w := range known.Weaknesses.All() {
		if w.Open() {
			open++
			if known.Scopes[w.Scope].Name != "project:new" || w.OpenReports != 1 {
				t.Errorf("the weakness that goes on is in %s with %d open reports", known.Scopes[w.Scope].Name, w.OpenReports)
			}
		}
	}
	if open != 1 || len(known.Scopes) != 1 || len(known.Scans) != 1 {
		t.Errorf("%d open, %d scopes, %d scans, want the other project's alone", open, len(known.Scopes), len(known.Scans))
	}
	if cursors, err := s.Cursors(t.Context(), "scanner", "one"); err != nil || len(cursors) != 1 {
		t.Errorf("cursors are %v (%v), want none of the scope that left", cursors, err)
	}
	before := ledgertest.Flatten(known)
	s.apply(3, "one", retired)
	s.apply(3, "two", retired)
	if diff := ledgertest.Diff(before, ledgertest.Flatten(s.Snapshot())); diff != "" {
		t.Errorf("a scope that left, or never was, leaves again (-before +after):\n%s", diff)
	}
	s.next()
	project(5, "project:old", critical("f", 2), shared("old"))
	s.expect("scope_gained critical 5/5")
	if got := len(s.Snapshot().Scopes); got != 2 {
		t.Errorf("%d scopes after the return, want 2", got)
	}
}
