package monitoring

import (
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/names"
)

// onBoard is a panel of a board.
func onBoard(t *testing.T, uid names.BoardUID, id uint32) panel.Panel {
	t.Helper()
	for _, b := range boards.All() {
		for _, r := range b.Rows {
			if i := slices.IndexFunc(r.Panels, func(p panel.Panel) bool { return p.ID == id }); b.UID == uid && i >= 0 {
				return r.Panels[i]
			}
		}
	}
	t.Fatalf("board %s has no panel %d", uid, id)
	return panel.Panel{}
}

// exprOf is a query of a panel.
func exprOf(t *testing.T, p panel.Panel, name string) string {
	t.Helper()
	i := slices.IndexFunc(p.Queries, func(q panel.Query) bool { return q.Name == name })
	if i < 0 {
		t.Fatalf("%q has no query %q", p.Title, name)
	}
	return p.Queries[i].Expr
}

// TestControlFailuresRankWhatComesBack: the investment case ranks controls by what came back and would be gone had they held. What opened first is no repeat work, and what no control
// is answerable for is shown.
func TestControlFailuresRankWhatComesBack(t *testing.T) {
	p := onBoard(t, names.BoardExposure, 64)
	total := exprOf(t, p, "Total")
	if want := `source=~"repeat|regression|renewal|sla_miss"`; !strings.Contains(total, want) {
		t.Errorf("the total %s does not select %s", total, want)
	}
	if strings.Contains(total, "control=") || strings.Contains(total, "control!=") {
		t.Errorf("the total %s selects among controls", total)
	}
	if len(p.Sort) == 0 || p.Sort[0] != panel.Descending("Total") {
		t.Errorf("sorted by %v, want the total", p.Sort)
	}
	recurring := onBoard(t, names.BoardExposure, 63)
	if expr := exprOf(t, recurring, "Recurring"); !strings.Contains(expr, `kind=~"repeat|reopened"`) || strings.Contains(expr, "new") {
		t.Errorf("recurring categories are ranked by %s", expr)
	}
}

// TestFrictionStandsBesideSafety: one row has both directions, for the programme and by business unit.
func TestFrictionStandsBesideSafety(t *testing.T) {
	var read []string
	for _, id := range []uint32{70, 71} {
		for _, q := range onBoard(t, names.BoardResponsiveness, id).Queries {
			read = append(read, q.Expr)
		}
	}
	all, table := strings.Join(read, "\n"), onBoard(t, names.BoardResponsiveness, 72)
	for _, record := range []string{
		names.RecReviewWaiting, names.RecDecisionIn, names.RecWrong, names.RecEscalationsIn, names.RecOpenExposure, names.RecBypasses, names.RecFailures,
	} {
		if !strings.Contains(all, record) {
			t.Errorf("friction against safety does not show %s", record)
		}
		if record == names.RecWrong {
			continue // tools have no business unit
		}
		if !slices.ContainsFunc(table.Queries, func(q panel.Query) bool { return strings.Contains(q.Expr, record) }) {
			t.Errorf("friction against safety by business unit does not show %s", record)
		}
	}
}

// TestRollbacksThatNeverHappenedCount: the share divides by every service to which the control applies, not by those that have a date.
func TestRollbacksThatNeverHappenedCount(t *testing.T) {
	p := onBoard(t, names.BoardDeliveryTrust, 61)
	for _, q := range p.Queries {
		if strings.Contains(q.Expr, names.RollbackExercised) || !strings.Contains(q.Expr, names.RecControls) {
			t.Errorf("%s: %s is not about every service to which the control applies", q.Name, q.Expr)
		}
	}
}

// TestTablesMergeTheirQueries: Grafana joins the rows of a table's queries on all labels, the name of a series included, so a query of a table aggregates.
func TestTablesMergeTheirQueries(t *testing.T) {
	tables := 0
	for _, b := range boards.All() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				if p.Look != panel.Table || len(p.Queries) < 2 {
					continue
				}
				tables++
				for _, q := range p.Queries {
					if !strings.Contains(q.Expr, " by (") && !strings.Contains(q.Expr, " without (") && !strings.Contains(q.Expr, "/") {
						t.Errorf("board %s, %q, %q keeps the name of its series: %s", b.UID, p.Title, q.Name, q.Expr)
					}
				}
			}
		}
	}
	if tables == 0 {
		t.Error("no table has two queries")
	}
}
