package metrics_test

import (
	"testing"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestDeploymentsThatTheSourceCallsProduction: an environment whose name no pattern matches counts where the source says so, with the protection that the repository has for it.
func TestDeploymentsThatTheSourceCallsProduction(t *testing.T) {
	p, err := policy.New(policy.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		production record.Answer
		reviewers  record.Answer
		// label is under which environment the deployment is counted, path the status of the path to it; empty for none.
		label, path string
	}{
		{record.AnswerUnknown, record.AnswerYes, "other", ""}, {record.AnswerNo, record.AnswerYes, "other", ""},
		{record.AnswerYes, record.AnswerYes, "live", "protected"}, {record.AnswerYes, record.AnswerNo, "live", "unprotected"},
	} {
		d := deployment("1", "ledger", day(3, 1), record.ApprovalApproved)
		d.Repository, d.Environment, d.Production = "acme/ledger", "Live", tt.production
		s := organisation(p)
		s.Repositories[1].Environments = []record.EnvironmentProtection{{Environment: "Live", RequiredReviewers: tt.reviewers, BranchPolicy: record.AnswerYes}}
		s.Services[ledger].Repositories = s.Services[ledger].Repositories[1:]
		s.Deployments = []snapshot.Held[record.Deployment]{{Record: d, Scope: scopeDeliveries, Service: ledger, Owner: ledger}}
		s.Deployed = []snapshot.Milestone[record.Deployment]{{At: d.FinishedAt, Counted: d.FinishedAt, Held: s.Deployments[0]}}
		s.Scopes[scopeDeliveries].Kinds = []record.Kind{record.KindDeployment}
		out := metrics.Evaluate(s, p, noon)
		if got, _ := value(family(out, "prodsec_deployments_in_window"), "window=90d,trust_tier=tier1,environment="+tt.label+",approval=approved"); got != 1 {
			t.Errorf("production %q: %v deployments to %s, want 1", tt.production, got, tt.label)
		}
		for _, status := range []string{"protected", "unprotected"} {
			got, ok := value(family(out, "prodsec_deployment_paths"), "trust_tier=tier1,environment=live,status="+status)
			if ok != (tt.path != "") || (got == 1) != (status == tt.path) {
				t.Errorf("production %q, reviewers %q: %v paths are %s (shown: %t), want %q", tt.production, tt.reviewers, got, status, ok, tt.path)
			}
		}
	}
}
