package definitions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/catalog"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
)

// table is an example without code marks.
func table(t *testing.T, name string) []row {
	t.Helper()
	rows := example(t, name)
	for _, r := range rows {
		for heading, text := range r {
			delete(r, heading)
			r[strings.ReplaceAll(heading, "`", "")] = strings.ReplaceAll(text, "`", "")
		}
	}
	return rows
}

// block reads an example that is a fenced block.
func block(t *testing.T, name string) string {
	t.Helper()
	document, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(document), "<!-- example: "+name+" -->\n```")
	_, rest, named := strings.Cut(rest, "\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !named || !closed {
		t.Fatalf("example %q is not a fenced block", name)
	}
	return text
}

// policyOf reads an example that is the section "policy" of a configuration.
func policyOf(t *testing.T, name string) *policy.Policy {
	t.Helper()
	text := block(t, name) + "collectors:\n  catalog:\n    - {name: main, path: services.yml}\n"
	c, err := config.Load("definitions.yml", []byte(text), []collectors.Kind{catalog.Kind()})
	if err != nil {
		t.Fatalf("example %q: %v", name, err)
	}
	return c.Policy
}

// midnight is that in UTC at which a day begins.
func midnight(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// sums adds up the series of a family that have all of the given labels ("name=value"), by the values of one label.
func sums(e *metrics.Evaluation, family, by string, having ...string) map[string]float64 {
	total := map[string]float64{}
	for _, r := range e.Results {
		if r.Family.Name != family {
			continue
		}
		for _, s := range r.Series {
			labels := map[string]string{}
			for i, name := range r.Family.Labels {
				labels[name] = s.Labels[i]
			}
			if matches(labels, having) {
				total[labels[by]] += s.Value
			}
		}
	}
	return total
}

func matches(labels map[string]string, having []string) bool {
	for _, condition := range having {
		if name, value, _ := strings.Cut(condition, "="); labels[name] != value {
			return false
		}
	}
	return true
}

var marker = regexp.MustCompile(`(?m)^<!-- example: (.+) -->$`)

// TestEveryExampleIsRead: an example that no test reads proves nothing.
func TestEveryExampleIsRead(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(data)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	found := marker.FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Fatal("the document has no example")
	}
	for _, m := range found {
		if !strings.Contains(sources.String(), `"`+m[1]+`"`) {
			t.Errorf("no test reads the example %q", m[1])
		}
	}
}
