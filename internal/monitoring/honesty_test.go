package monitoring

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rules"
)

// The rules of this file are those by which a number stays true: what is exempt stays in denominators, an alert does not end with its source, a counter's first event is not lost.

// companionOf is what a family withholds while scopes are dropped, if it says so.
func companionOf(family string) (name string, ok bool) {
	name = "prodsec_withheld_" + strings.TrimPrefix(family, "prodsec_")
	_, ok = names.Known()[name]
	return name, ok
}

// TestAlertsHoldWhenTheirSourceGoesAway: an alert derived from facts reads what is withheld of each family that it reads, and its rule tests show that it goes on.
func TestAlertsHoldWhenTheirSourceGoesAway(t *testing.T) {
	behind := map[string][]string{}
	for _, g := range rules.Groups() {
		for _, r := range g.Rules {
			behind[r.Record] = append(behind[r.Record], resolve(r.Expr, behind)...)
		}
	}
	held := 0
	for _, r := range allAlerts() {
		if _, derived := r.Labels["derived_from"]; !derived {
			continue
		}
		read := resolve(r.Expr, behind)
		for _, family := range read {
			companion, ok := companionOf(family)
			if !ok {
				continue
			}
			if held++; !slices.Contains(read, companion) {
				t.Errorf("%s reads %s and not %s: it ends when a scope is dropped", r.Alert.Name, family, companion)
			}
		}
		content, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/tests", r.Alert.Name+".yml"))
		if err != nil || !strings.Contains(string(content), "a source that is partly gone") {
			t.Errorf("%s has no case in which its source is partly gone (%v)", r.Alert.Name, err)
		}
	}
	if held == 0 {
		t.Error("no alert reads a family that is withheld")
	}
}

// TestRatiosAreRecomputed: each recorded ratio is derived in docs/definitions.md and recomputed by a rule test, before and after everything that is not good was waived.
func TestRatiosAreRecomputed(t *testing.T) {
	definitions, err := os.ReadFile(filepath.Join(root, "docs/definitions.md"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/tests/ratios.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Exprs []struct {
				Expr string `yaml:"expr"`
			} `yaml:"promql_expr_test"`
		} `yaml:"tests"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	recomputed := map[string]int{}
	for _, test := range file.Tests {
		for _, e := range test.Exprs {
			for _, name := range promql.NamesIn(e.Expr) {
				recomputed[name]++
			}
		}
	}
	found := 0
	for name := range names.Known() {
		if _, operation, recorded := strings.Cut(strings.Replace(name, ":", " ", 1), ":"); !recorded || !strings.Contains(operation, "ratio") {
			continue
		}
		found++
		if recomputed[name] < 2 {
			t.Errorf("ratios.yml recomputes %s %d times, want it before and after waivers", name, recomputed[name])
		}
		if !strings.Contains(string(definitions), "`"+name+"`") {
			t.Errorf("docs/definitions.md (Ratios) does not define %s", name)
		}
	}
	if found == 0 {
		t.Error("no ratio is recorded")
	}
}

// TestWaiversStayInDenominators: nothing takes what is exempt out of what it divides by.
func TestWaiversStayInDenominators(t *testing.T) {
	for _, e := range expressions() {
		if strings.Contains(e.expr, `status!="exempt"`) || strings.Contains(e.expr, `status!~"exempt`) {
			t.Errorf("%s leaves out what is exempt: %s", e.where, e.expr)
		}
	}
}
