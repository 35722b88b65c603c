package monitoring

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTraceFailsForWhatNothingAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		trace
		want string
	}{
		{"no family", trace{row: "X1", families: []string{"prodsec_nonsense"}}, "names families that do not exist"},
		{"no panel", trace{row: "X2", asks: "anything", families: []string{findingsOpen}}, "X2 of the pack (anything) is answered by no panel"},
		{"both", trace{row: PackFlow, families: []string{findingFlow}}, ""},
	} {
		var out bytes.Buffer
		err := c.write(&out)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTraceNamesEveryRow also proves that a row is in one section only.
func TestTraceNamesEveryRow(t *testing.T) {
	var rows []PackRow
	for _, s := range traceSections {
		for _, trace := range s.traces {
			rows = append(rows, trace.row)
		}
	}
	if !slices.Equal(rows, PackRows()) {
		t.Errorf("the trace has the rows %v, the pack %v", rows, PackRows())
	}
}

// TestHeadlinesDoNotMislead: a number in large type is never a bare total, a number of scans or records, or a mean severity.
func TestHeadlinesDoNotMislead(t *testing.T) {
	// Other rules hold criticals and highs alone.
	total := regexp.MustCompile(`(\b` + recOpen + `|[^:\w]` + findingsOpen + `\b)(\{[^}]*\})?`)
	for _, b := range Boards() {
		for _, p := range panels(b) {
			if p.Look != Stat {
				continue
			}
			for _, q := range p.Queries {
				for _, use := range total.FindAllString(q.Expr, -1) {
					if !strings.Contains(use, "severity") {
						t.Errorf("%s, %q: %s is a total without severity", b.Title, p.Title, use)
					}
				}
				if slices.Contains(namesIn(q.Expr), records) {
					t.Errorf("%s, %q: counts records, which says nothing about risk", b.Title, p.Title)
				}
				if strings.Contains(q.Expr, "avg") && strings.Contains(q.Expr, "severity") {
					t.Errorf("%s, %q: a mean over severities", b.Title, p.Title)
				}
			}
		}
	}
}
