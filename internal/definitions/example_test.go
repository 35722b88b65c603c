// Package definitions_test recomputes the worked examples of docs/definitions.md: the tables of the document are the inputs and the
// expected results of the tests, so that neither can change without the other.
package definitions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

const document = "../../docs/definitions.md"

// row is a row of a table by the headings of its columns.
type row map[string]string

// example reads the table that follows the mark of an example.
func example(t *testing.T, name string) []row {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "<!-- example: "+name+" -->\n")
	if !found {
		t.Fatalf("%s has no example %q", document, name)
	}
	table, _, _ := strings.Cut(after, "\n\n")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) < 3 {
		t.Fatalf("the example %q is no table", name)
	}
	headings := cells(lines[0])
	var rows []row
	for _, line := range lines[2:] {
		r := row{}
		for i, cell := range cells(line) {
			r[headings[i]] = cell
		}
		rows = append(rows, r)
	}
	return rows
}

func cells(line string) []string {
	parts := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// dayOf is noon of a day.
func dayOf(t *testing.T, text string) time.Time {
	t.Helper()
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return day.Add(12 * time.Hour)
}

// organisation is a ledger with a catalog and two scanners, under the default policy.
type organisation struct {
	t      *testing.T
	ledger *ledger.Ledger
	policy *policy.Policy
}

func newOrganisation(t *testing.T) *organisation {
	t.Helper()
	o := &organisation{t: t, policy: policy.Default()}
	var err error
	if o.ledger, err = ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Policy: o.policy}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.ledger.Close() })
	sources := []ledger.Source{{Collector: "catalog", Instance: "main"}, {Collector: "scanner", Instance: "main", Classes: record.Classes()}}
	o.must(o.ledger.Configure(t.Context(), sources, time.Time{}))
	return o
}

func (o *organisation) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *organisation) catalog(at time.Time, services ...record.Service) {
	o.t.Helper()
	o.must(o.ledger.Apply(o.t.Context(), "catalog", "main", record.Batch{Scope: "catalog:main", Mode: record.Full, Services: services}, at))
}

func (o *organisation) findings(at time.Time, findings ...record.Finding) {
	o.t.Helper()
	b := record.Batch{Scope: "alerts:main", Mode: record.Full, Findings: append([]record.Finding{}, findings...)}
	o.must(o.ledger.Apply(o.t.Context(), "scanner", "main", b, at))
}

// evaluate ends the first pass, if it has not ended, and evaluates at an instant.
func (o *organisation) evaluate(at time.Time) *metrics.Evaluation {
	o.t.Helper()
	o.must(o.ledger.MarkFounded(o.t.Context(), at))
	o.must(o.ledger.Settle(o.t.Context(), at))
	return metrics.Evaluate(o.ledger.Snapshot(), o.policy, at)
}

// sum adds up the series of a family with some labels, written name=value.
func sum(e *metrics.Evaluation, family string, labels ...string) (total float64) {
	for _, r := range e.Results {
		if r.Family.Name != family {
			continue
		}
	series:
		for _, s := range r.Series {
			have := map[string]string{}
			for i, name := range r.Family.Labels {
				have[name] = s.Labels[i]
			}
			for _, l := range labels {
				if name, want, _ := strings.Cut(l, "="); have[name] != want {
					continue series
				}
			}
			total += s.Value
		}
	}
	return total
}
