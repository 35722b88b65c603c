package tools

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// described is what docs/metrics.md says about a family.
type described struct {
	rows    map[string]string
	labels  []string
	example string
}

var (
	labelName = regexp.MustCompile("`([a-z_]+)`")
	chapter   = regexp.MustCompile("(?s)^`([a-z_]+)`\n(.*)$")
)

func reference(t *testing.T) map[string]described {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]described{}
	for _, part := range strings.Split(string(text), "\n### ")[1:] {
		m := chapter.FindStringSubmatch(part)
		if m == nil {
			t.Fatalf("not a family: %.60q", part)
		}
		d := described{rows: map[string]string{}}
		for _, line := range strings.Split(m[2], "\n") {
			if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| ") && len(cells) > 1 {
				d.rows[strings.TrimPrefix(cells[0], "| ")] = strings.TrimSuffix(strings.Join(cells[1:], " | "), " |")
			}
		}
		for _, label := range labelName.FindAllStringSubmatch(d.rows["Labels"], -1) {
			d.labels = append(d.labels, label[1])
		}
		if _, after, found := strings.Cut(m[2], "```promql\n"); found {
			d.example, _, _ = strings.Cut(after, "\n```")
		}
		families[m[1]] = d
	}
	return families
}

// TestReference: every family says all that an auditor asks, and its example is a query that this version of Prometheus parses, over families and labels
// that exist, with rate() on counters alone.
func TestReference(t *testing.T) {
	families := reference(t)
	if len(families) < 60 {
		t.Fatalf("only %d families were found", len(families))
	}
	for name, d := range families {
		for _, row := range []string{"Type", "Stability", "Computed from", "Refreshed"} {
			if d.rows[row] == "" {
				t.Errorf("%s does not say %q", name, row)
			}
		}
		if d.example == "" {
			t.Errorf("%s has no example", name)
			continue
		}
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(d.example)
		if err != nil {
			t.Errorf("%s: %s: %v", name, d.example, err)
			continue
		}
		parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				checkSelector(t, name, families, selector, path)
			}
			return nil
		})
	}
}

// overTime are the functions that make sense for counters and histograms of events alone.
var overTime = []string{"rate", "irate", "increase"}

func checkSelector(t *testing.T, name string, families map[string]described, selector *parser.VectorSelector, path []parser.Node) {
	t.Helper()
	base, labels := selector.Name, []string{"__name__", "job", "instance"}
	d, known := families[base]
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if trimmed, cut := strings.CutSuffix(selector.Name, suffix); cut && !known {
			base, labels = trimmed, append(labels, "le")
			d, known = families[base]
		}
	}
	if !known {
		t.Errorf("%s: the example reads %s, which is no family", name, selector.Name)
		return
	}
	for _, matcher := range selector.LabelMatchers {
		if !slices.Contains(append(labels, d.labels...), matcher.Name) {
			t.Errorf("%s: the example selects by %s, which %s has not", name, matcher.Name, base)
		}
	}
	for _, above := range path {
		if call, ok := above.(*parser.Call); ok && slices.Contains(overTime, call.Func.Name) && d.rows["Type"] != "counter" && d.rows["Type"] != "histogram" {
			t.Errorf("%s: the example rates %s, which is a %s", name, base, d.rows["Type"])
		}
	}
}
