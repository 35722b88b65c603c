package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/monitoring/alerts"
	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/rules"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// root is the repository, as seen from this package.
const root = "../.."

// expression is a query and where it stands.
type written struct{ where, expr string }

// expressions are all that is generated.
func expressions() []written {
	var list []written
	for _, g := range slices.Concat(rules.Groups(), alerts.Groups()) {
		for _, r := range g.Rules {
			name := r.Record
			if r.Alert != nil {
				name = r.Alert.Name
			}
			list = append(list, written{"rule " + name, r.Expr})
		}
	}
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			for _, q := range p.Queries {
				list = append(list, written{"board " + b.Title + ", panel " + p.Title + ", query " + q.Name, q.Expr})
			}
		}
	}
	return list
}

func allAlerts() []rulefile.Rule {
	var list []rulefile.Rule
	for _, g := range alerts.Groups() {
		list = append(list, g.Rules...)
	}
	return list
}

// TestNamesAreKnown also proves that the reference and the queries agree on what a name is.
func TestNamesAreKnown(t *testing.T) {
	for _, e := range expressions() {
		read := promql.NamesIn(e.expr)
		if len(read) == 0 {
			t.Errorf("%s: reads nothing: %s", e.where, e.expr)
		}
		for _, name := range read {
			if _, ok := names.Known()[names.BaseName(name)]; !ok {
				t.Errorf("%s: no family and no rule is called %s", e.where, name)
			}
		}
	}
}

func TestLabelsOfRejectsUnknownNames(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("labelsOf accepted a name that nothing has")
		}
	}()
	names.LabelsOf("prodsec_no_such_family")
}

// TestSelectorsUseLabelsThatExist reads every selector's matchers.
func TestSelectorsUseLabelsThatExist(t *testing.T) {
	selector := regexp.MustCompile(`([a-z_]+:)?(prodsec_[a-z_]+)(:[a-z_]+)?\{([^}]*)\}`)
	matcher := regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"`)
	for _, e := range expressions() {
		for _, s := range selector.FindAllStringSubmatch(e.expr, -1) {
			name := s[1] + s[2] + s[3]
			labels := names.LabelsOf(names.BaseName(name))
			for _, m := range matcher.FindAllStringSubmatch(s[4], -1) {
				if m[1] != "le" && !slices.Contains(labels, m[1]) {
					t.Errorf("%s: %s has no label %q", e.where, name, m[1])
				}
			}
		}
	}
}

// TestReplicasAreFolded: a family is read only through an expression in which two replicas count once.
func TestReplicasAreFolded(t *testing.T) {
	replicas := " without (" + strings.Join(names.ReplicaLabels, ", ") + ") ("
	fold, count := "max"+replicas, "count"+replicas // counting replicas is about replicas
	family := regexp.MustCompile(`(^|[^:a-z_])(prodsec_[a-z_]+)(\{|\[|\)|\s|$)`)
	for _, e := range expressions() {
		for _, at := range family.FindAllStringSubmatchIndex(e.expr, -1) {
			before := e.expr[:at[4]]
			if !strings.HasSuffix(before, fold) && !strings.HasSuffix(before, fold+"increase(") && !strings.HasSuffix(before, fold+"max_over_time(") && !strings.HasSuffix(before, fold+"abs(") && !strings.HasSuffix(before, "absent(") &&
				(!strings.HasSuffix(before, count) || !slices.Contains([]string{names.Leader, names.BuildInfo}, e.expr[at[4]:at[5]])) {
				t.Errorf("%s: %s is read without folding replicas", e.where, e.expr[at[4]:at[5]])
			}
		}
	}
}

// TestSnapshotHistogramsAreNeverRated: they fall, so a rate of them is noise.
func TestSnapshotHistogramsAreNeverRated(t *testing.T) {
	counters := regexp.MustCompile(`(?:rate|increase)\((prodsec_[a-z_]+)`)
	kinds := map[string]metrics.Type{}
	for _, f := range names.Families() {
		kinds[f.Name] = f.Type
	}
	rated := 0
	for _, e := range expressions() {
		for _, m := range counters.FindAllStringSubmatch(e.expr, -1) {
			rated++
			if kind := kinds[names.BaseName(m[1])]; kind != metrics.Counter && kind != metrics.EventHistogram {
				t.Errorf("%s: rates %s, which is a %s", e.where, m[1], kind)
			}
		}
	}
	if rated == 0 {
		t.Error("no query rates a counter; the test reads the wrong thing")
	}
}

// exactly are the exact windows that boards read in the place of counters, which serve free ranges. A counter loses the first of a label set that it did not know before.
var exactly = map[string]string{
	"prodsec_finding_events_total":       names.FindingFlow,
	"prodsec_exception_decision_seconds": names.DecisionIn,
	"prodsec_followup_close_seconds":     names.FollowupCloseIn,
	"prodsec_escalations_total":          names.EscalationsIn,
	"prodsec_deployments_total":          names.DeploymentsIn,
	"prodsec_rule_bypasses_total":        names.BypassesIn,
}

func TestEveryStableFamilyIsUsed(t *testing.T) {
	uses := usesOfFamilies()
	for _, f := range metrics.All() {
		if f.Stability == metrics.Stable && len(uses[f.Name]) == 0 && len(uses[exactly[f.Name]]) == 0 {
			t.Errorf("no board and no alert reads %s", f.Name)
		}
	}
}

func TestRecordedSeriesHaveTheLabelsThatAreDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, s := range names.Recorded {
		declared[s.Record] = true
	}
	for _, g := range rules.Groups() {
		for _, r := range g.Rules {
			var static []string
			for label := range r.Labels {
				static = append(static, label)
			}
			want := "by (" + names.LabelsWithout(names.RecordedLabels(r.Record), static...) + ") ("
			if names.RecordedLabels(r.Record) == "" {
				want = "sum ("
			}
			if !strings.Contains(r.Expr, want) {
				t.Errorf("%s: declared %s %s…, written:\n%s", r.Record, "sum", want, r.Expr)
			}
			delete(declared, r.Record)
		}
	}
	for record := range declared {
		t.Errorf("%s is declared and never recorded", record)
	}
}

func TestExpressionsAreBalanced(t *testing.T) {
	closing := map[rune]rune{')': '(', '}': '{', ']': '['}
	for _, e := range expressions() {
		var open []rune
		for _, c := range promql.Quoted.ReplaceAllString(e.expr, "") {
			switch c {
			case '(', '{', '[':
				open = append(open, c)
			case ')', '}', ']':
				if len(open) == 0 || open[len(open)-1] != closing[c] {
					t.Fatalf("%s: unbalanced %c in %s", e.where, c, e.expr)
				}
				open = open[:len(open)-1]
			case '"':
				t.Fatalf("%s: a quote is not closed in %s", e.where, e.expr)
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %c is not closed in %s", e.where, open, e.expr)
		}
	}
}

func TestAlertsSayWhomAndWhere(t *testing.T) {
	onBoard := map[names.BoardUID][]panel.Panel{}
	for _, b := range boards.All() {
		onBoard[b.UID] = panels(b)
	}
	for _, r := range allAlerts() {
		a := r.Alert
		if a.For <= 0 || a.Hold <= 0 {
			t.Errorf("%s: for %v, keep firing for %v: both are needed against flapping", a.Name, a.For, a.Hold)
		}
		if r.Labels["notify"] == "" {
			t.Errorf("%s has no label notify", a.Name)
		}
		if r.Labels["severity"] != "" {
			t.Errorf("%s sets severity, which is the severity of findings", a.Name)
		}
		if r.Why == "" || !strings.HasSuffix(a.Description, ".") {
			t.Errorf("%s: a reason and a description in sentences are needed", a.Name)
		}
		if !slices.ContainsFunc(onBoard[a.Board], func(p panel.Panel) bool { return p.ID == a.Panel }) {
			t.Errorf("%s links to panel %d of %s, which does not exist", a.Name, a.Panel, a.Board)
		}
		if _, derived := r.Labels["derived_from"]; derived != (len(a.Select) > 0) {
			t.Errorf("%s: an alert about somebody's services is derived from facts and selects them on the board; one about the exporter is neither", a.Name)
		}
	}
}

// TestLabelsInTemplatesExist: every label that a text names is one the expression keeps.
func TestLabelsInTemplatesExist(t *testing.T) {
	used := regexp.MustCompile(`\$labels\.([a-z_]+)`)
	for _, r := range allAlerts() {
		texts := r.Alert.Summary + r.Alert.Description + r.Alert.BoardPath() + r.Labels["notify"]
		for _, m := range used.FindAllStringSubmatch(texts, -1) {
			outer := regexp.MustCompile(`^\(*(?:sum|max|min) by \(([^)]*)\)`).FindStringSubmatch(r.Expr)
			if outer == nil || !slices.Contains(names.SplitLabels(outer[1]), m[1]) {
				t.Errorf("%s: the text names %s, which the expression does not keep: %s", r.Alert.Name, m[1], r.Expr)
			}
		}
	}
}

// TestAgeRangesAreBuckets: a range that does not end at a bucket's bound would be absent.
func TestAgeRangesAreBuckets(t *testing.T) {
	for _, f := range metrics.All() {
		if f.Name != names.FindingAge && f.Name != names.FindingRemediation {
			continue
		}
		for _, r := range settings.AgeRanges {
			if r.To > 0 && !slices.Contains(f.Bounds, settings.DaysOf(r.To).Seconds()) {
				t.Errorf("%s has no bucket that ends at %d days", f.Name, r.To)
			}
		}
	}
}

// TestBucketsThatAreReadAreRequired: a bound that a rule or panel reads must be one that no policy can leave out.
func TestBucketsThatAreReadAreRequired(t *testing.T) {
	matcher := regexp.MustCompile(`([a-z_:]+)\{[^}]*le=~"([0-9]+)\|`)
	behind, group, found := map[string][]string{}, map[string]policy.BucketGroup{}, 0
	for _, f := range metrics.All() {
		group[f.Name] = policy.BucketGroup(f.Buckets)
	}
	for _, g := range rules.Groups() {
		for _, r := range g.Rules {
			behind[r.Record] = append(behind[r.Record], resolve(r.Expr, behind)...)
		}
	}
	for _, e := range expressions() {
		for _, m := range matcher.FindAllStringSubmatch(e.expr, -1) {
			found++
			for _, family := range resolve(m[1], behind) {
				var required []string
				for _, b := range policy.RequiredBuckets(group[family]) {
					required = append(required, formatFixed(b.Std().Seconds()))
				}
				if !slices.Contains(required, m[2]) {
					t.Errorf("%s reads the bucket %s of %s; policy.RequiredBuckets lacks it", e.where, m[2], family)
				}
			}
		}
	}
	if found == 0 {
		t.Error("nothing reads a bucket")
	}
}

// ruleTest is the part of a promtool test file that the checks below read.
type ruleTest struct {
	RuleFiles []string `yaml:"rule_files"`
	Tests     []struct {
		Name   string `yaml:"name"`
		Alerts []struct {
			At        string           `yaml:"eval_time"`
			Alertname string           `yaml:"alertname"`
			Expected  []map[string]any `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	} `yaml:"tests"`
}

// TestEveryAlertHasRuleTests: silent one step before it fires, firing at its time, resolved after, silent without its source.
func TestEveryAlertHasRuleTests(t *testing.T) {
	for _, r := range allAlerts() {
		name := r.Alert.Name
		content, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/tests", name+".yml"))
		if err != nil {
			t.Errorf("%s has no rule tests: %v", name, err)
			continue
		}
		var file ruleTest
		if err := yaml.Unmarshal(content, &file); err != nil {
			t.Fatalf("%s.yml: %v", name, err)
		}
		if !fires(t, file, name) {
			t.Errorf("%s.yml shows the alert nowhere silent at one minute and firing at the next", name)
		}
		for _, wanted := range []string{"resolve", "replica"} {
			if !strings.Contains(string(content), wanted) && name != alerts.SLADueSoon {
				t.Errorf("%s.yml has no case about %q", name, wanted)
			}
		}
		if !strings.Contains(string(content), "stale") {
			t.Errorf("%s.yml has no case in which its source is gone", name)
		}
	}
}

// fires reports whether a test shows the alert silent at an instant and firing one minute later.
func fires(t *testing.T, file ruleTest, name string) bool {
	for _, test := range file.Tests {
		silent := map[time.Duration]bool{}
		for _, a := range test.Alerts {
			at, err := model.ParseDuration(a.At)
			if err != nil {
				t.Fatalf("%s: %v", test.Name, err)
			}
			if a.Alertname == name && len(a.Expected) == 0 {
				silent[time.Duration(at)] = true
			}
			if a.Alertname == name && len(a.Expected) > 0 && silent[time.Duration(at)-settings.EvaluationInterval] {
				return true
			}
		}
	}
	return false
}

func TestRunbooks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs/runbooks", "Prodsec*.md"))
	if err != nil {
		t.Fatal(err)
	}
	runbooks := map[string]bool{}
	for _, f := range files {
		runbooks[strings.TrimSuffix(filepath.Base(f), ".md")] = true
	}
	for _, r := range allAlerts() {
		if !runbooks[r.Alert.Name] {
			t.Errorf("%s has no runbook", r.Alert.Name)
		}
		delete(runbooks, r.Alert.Name)
		checkRunbook(t, r.Alert.Name)
	}
	for name := range runbooks {
		t.Errorf("the runbook %s.md belongs to no alert", name)
	}
}

// checkRunbook wants the five headings, links to panels that exist, and names of families that exist.
func checkRunbook(t *testing.T, name string) {
	content, err := os.ReadFile(filepath.Join(root, "docs/runbooks", name+".md"))
	if err != nil {
		return // reported by the caller
	}
	text := string(content)
	at := 0
	for _, heading := range []string{"# " + name, "## Meaning", "## Impact", "## Diagnosis", "## Likely causes", "## Remediation"} {
		i := strings.Index(text[at:], heading+"\n")
		if i < 0 {
			t.Errorf("%s.md lacks the heading %q, or has it out of order", name, heading)
			continue
		}
		at += i
	}
	for _, m := range regexp.MustCompile(`/d/([a-z-]+)\?viewPanel=(\d+)`).FindAllStringSubmatch(text, -1) {
		if !panelExists(names.BoardUID(m[1]), m[2]) {
			t.Errorf("%s.md links to panel %s of %s, which does not exist", name, m[2], m[1])
		}
	}
	for _, block := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, n := range promql.NamesIn(block[1]) {
			if _, ok := names.Known()[names.BaseName(n)]; !ok {
				t.Errorf("%s.md: no family and no rule is called %s", name, n)
			}
		}
	}
}
