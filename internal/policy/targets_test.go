package policy_test

import (
	"strings"
	"testing"

	"prodsec_exporter/internal/policy"
)

func TestEveryObjectiveHasATarget(t *testing.T) {
	p := policy.Default()
	for _, o := range policy.Objectives() {
		if got := p.ObjectiveTarget(o); got <= 0 || got > 1 {
			t.Errorf("objective %s: target %v, want a share above 0 and up to 1", o, got)
		}
	}
}

func TestTargetsAreConfigured(t *testing.T) {
	c := policy.DefaultConfig()
	c.SLA.AttainmentTarget = 0.5
	c.Targets = policy.TargetsConfig{
		Protection: 0.11, Ownership: 0.12, Controls: 0.13, Approval: 0.14, Evidence: 0.15, Remediation: 0.16,
		Concentration: 0.17, MinimumOutcomes: 8,
	}
	p, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	want := map[policy.Objective]float64{
		policy.ObjectiveSLAAttainment: 0.5, policy.ObjectiveProtection: 0.11, policy.ObjectiveOwnership: 0.12, policy.ObjectiveControls: 0.13,
		policy.ObjectiveApproval: 0.14, policy.ObjectiveEvidence: 0.15, policy.ObjectiveRemediation: 0.16, policy.ObjectiveConcentration: 0.17,
	}
	if len(want) != len(policy.Objectives()) {
		t.Fatalf("the test knows %d objectives, the policy %d", len(want), len(policy.Objectives()))
	}
	for o, target := range want {
		if got := p.ObjectiveTarget(o); got != target {
			t.Errorf("objective %s: got %v, want %v", o, got, target)
		}
	}
	if got := p.MinimumOutcomes(); got != 8 {
		t.Errorf("minimum outcomes: got %d, want 8", got)
	}
	if p.Version() == policy.Default().Version() {
		t.Error("a policy with other targets has the version of the default")
	}
}

func TestTargetsOutOfRangeAndMissingWindowsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*policy.Config)
		want   string
	}{
		{"a target of nothing", func(c *policy.Config) { c.Targets.Evidence = 0 }, "policy.targets.evidence: 0 is not a share above 0 and up to 1"},
		{"a percentage", func(c *policy.Config) { c.Targets.Protection = 95 }, "policy.targets.protection: 95 is not a share above 0 and up to 1"},
		{"a negative minimum", func(c *policy.Config) { c.Targets.MinimumOutcomes = -1 }, "policy.targets.minimum_outcomes: -1 is no size of a denominator"},
		{"windows that no rule reads", func(c *policy.Config) {
			c.Windows = []policy.Duration{policy.Duration(14 * policy.Day), policy.Duration(60 * policy.Day)}
		},
			"policy.windows: lacks 30d, which rules and boards read; add it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := policy.DefaultConfig()
			c.change(&config)
			_, err := policy.New(config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
