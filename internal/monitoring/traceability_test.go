package monitoring

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
)

func TestTraceFailsForWhatNothingAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		packrow.Trace
		want string
	}{
		{"no family", packrow.Trace{Row: "X1", Families: []string{"prodsec_nonsense"}}, "names families that do not exist"},
		{"no panel", packrow.Trace{Row: "X2", Asks: "anything", Families: []string{names.FindingsOpen}}, "X2 of the pack (anything) is answered by no panel"},
		{"both", packrow.Trace{Row: packrow.PackFlow, Families: []string{names.FindingFlow}}, ""},
	} {
		var out bytes.Buffer
		err := writeTrace(&out, c.Trace)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTraceNamesEveryRow also proves that a row is in one section only.
func TestTraceNamesEveryRow(t *testing.T) {
	var rows []packrow.Row
	for _, s := range packrow.Sections {
		for _, trace := range s.Traces {
			rows = append(rows, trace.Row)
		}
	}
	if !slices.Equal(rows, packrow.All()) {
		t.Errorf("the trace has the rows %v, the pack %v", rows, packrow.All())
	}
}

// TestHeadlinesDoNotMislead: a number in large type is never a bare total, a number of scans or records, or a mean severity.
func TestHeadlinesDoNotMislead(t *testing.T) {
	// Other rules hold criticals and highs alone.
	total := regexp.MustCompile(`(\b` + names.RecOpen + `|[^:\w]` + names.FindingsOpen + `\b)(\{[^}]*\})?`)
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			if p.Look != panel.Stat {
				continue
			}
			for _, q := range p.Queries {
				for _, use := range total.FindAllString(q.Expr, -1) {
					if !strings.Contains(use, "severity") {
						t.Errorf("%s, %q: %s is a total without severity", b.Title, p.Title, use)
					}
				}
				if slices.Contains(promql.NamesIn(q.Expr), names.Records) {
					t.Errorf("%s, %q: counts records, which says nothing about risk", b.Title, p.Title)
				}
				if strings.Contains(q.Expr, "avg") && strings.Contains(q.Expr, "severity") {
					t.Errorf("%s, %q: a mean over severities", b.Title, p.Title)
				}
			}
		}
	}
}
