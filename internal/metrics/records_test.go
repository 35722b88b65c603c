package metrics_test

import (
	"fmt"
	"strings"
	"testing"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// TestRecordsAgreeWithFamilies: what Records lists, counted by the labels of a family, is what the family says.
func TestRecordsAgreeWithFamilies(t *testing.T) {
	p := withBudget(t, 1_000_000)
	s := synthetic(small, p, 11)
	hand := organisation(policy.Default())
	for name, tt := range map[string]struct {
		records    *metrics.Records
		evaluation *metrics.Evaluation
	}{
		"synthetic": {metrics.NewRecords(s, p, evaluated), metrics.Evaluate(s, p, evaluated)},
		"hand-made": {metrics.NewRecords(hand, policy.Default(), noon), metrics.Evaluate(hand, policy.Default(), noon)},
	} {
		t.Run(name, func(t *testing.T) {
			r := tt.records
			counted := map[string]map[string]float64{}
			count := func(family string, labels ...string) {
				if counted[family] == nil {
					counted[family] = map[string]float64{}
				}
				counted[family][strings.Join(labels, "/")]++
			}
			for w := range r.Open() {
				count("prodsec_findings_open service_name severity class sla", r.Owner(w.Service).Service, string(w.Severity.Severity()), string(w.Class.Class()), w.Standing.String())
				if evidence := w.Exploitation.String(); evidence != "" {
					count("prodsec_findings_exploited_open service_name severity evidence", r.Owner(w.Service).Service, string(w.Severity.Severity()), evidence)
				}
			}
			for _, e := range r.Exceptions() {
				count("prodsec_exceptions team category state expires", r.Owner(e.Service).Team, e.Category, string(e.Standing), string(e.Expires))
			}
			for _, c := range r.Controls() {
				count("prodsec_control_services control domain team status", c.Control.Name, string(c.Control.Domain), r.Owner(c.Service).Team, string(c.Status))
			}
			for _, c := range r.Protections() {
				count("prodsec_protected_repositories check scope privileged team status", string(c.Check), c.Scope, fmt.Sprint(c.Privileged), r.OwnerAt(c.Owner).Team, string(c.Status))
			}
			for _, v := range r.Reviews() {
				count("prodsec_reviews_open team kind state", r.Owner(v.Service).Team, v.Kind, string(v.State))
			}
			for _, f := range r.Followups() {
				count("prodsec_followups_open team overdue", r.Owner(f.Service).Team, f.Overdue)
			}
			for _, e := range r.Escalations() {
				count("prodsec_escalations_open team kind", r.Owner(e.Service).Team, e.Kind)
			}
			for _, d := range r.Deployments() {
				if d.Record.Status != record.DeploymentSucceeded {
					continue
				}
				count("prodsec_deployments_total service_name approval", r.OwnerAt(d.Owner).Service, string(d.Record.Approval))
			}
			for key, want := range counted {
				name, labels, _ := strings.Cut(key, " ")
				got := sumBy(family(tt.evaluation, name), strings.Fields(labels)...)
				if len(got) != len(want) {
					t.Errorf("%s: %d label sets are not 0, the records have %d", key, len(got), len(want))
				}
				for at, n := range want {
					if got[at] != n {
						t.Errorf("%s %s: the family says %v, %v records are listed", key, at, got[at], n)
					}
				}
			}
			if name == "hand-made" && len(counted) < 9 {
				t.Errorf("only %d families are compared", len(counted))
			}
		})
	}
}

func TestRecordsExplainAWeakness(t *testing.T) {
	r := metrics.NewRecords(organisation(policy.Default()), policy.Default(), noon)
	if _, ok := r.WeaknessAt(-1); ok {
		t.Error("there is a weakness before the first")
	}
	if _, ok := r.WeaknessAt(1 << 20); ok {
		t.Error("there is a weakness after the last")
	}
	for w := range r.Open() {
		same, ok := r.WeaknessAt(w.Position)
		if !ok || same != w {
			t.Errorf("weakness %d: %+v, %t", w.Position, same, ok)
		}
		for e := range r.Events(w.Position) {
			if e.Weakness != w.Position || e.Counted > noon.Unix() {
				t.Errorf("an event of another weakness or of the future: %+v", e)
			}
		}
	}
}
