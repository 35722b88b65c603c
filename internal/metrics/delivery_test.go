package metrics_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// deliveryDerivedByHand are lines about delivery, which TestDerivedByHand looks for.
var deliveryDerivedByHand = []derivation{
	{`prodsec_deployment_paths{` + tier0 + `,environment="production",status="unprotected"} 1`, "acme/shop's release branch needs no approvals; R1 and D4 went around"},
	{`prodsec_deployment_paths{` + tier0 + `,environment="production",status="protected"} 0`, "known combination"},
	{`prodsec_deployment_paths{` + tier1 + `,environment="prod-eu",status="unprotected"} 1`, "acme/ledger lists no such environment, so nothing protects it"},
	{`prodsec_deployment_paths{` + docsGroup + `,environment="unknown",status="unknown"} 1`, "acme/docs: its environments could not be read"},

	{`prodsec_deployments_total{` + checkoutOwner + `,environment="production",approval="approved"} 2`, "D1, D2; D3 failed"},
	{`prodsec_deployments_total{` + checkoutOwner + `,environment="production",approval="bypassed"} 1`, "R1"},
	{`prodsec_deployments_total{` + checkoutOwner + `,environment="production",approval="unknown"} 0`, "known combination"},
	{`prodsec_deployments_in_window{window="7d",` + tier0 + `,environment="production",approval="none"} 1`, "D4"},
	{`prodsec_deployments_in_window{window="7d",` + tier0 + `,environment="production",approval="approved"} 0`, "D2 was 21 d ago"},
	{`prodsec_deployments_in_window{window="30d",` + tier0 + `,environment="production",approval="approved"} 1`, "D2; D1 was exactly 30 d ago, which is not in the window"},
	{`prodsec_deployments_in_window{window="30d",` + tier1 + `,environment="other",approval="approved"} 1`, "D5 went to staging"},

	{`prodsec_release_evidence_in_window{window="7d",` + tier0 + `,evidence="provenance",status="present"} 2`, "V1 and D4"},
	{`prodsec_release_evidence_in_window{window="30d",` + tier0 + `,evidence="provenance",status="unknown"} 2`, "nobody looked for that of D2 and R1"},
	{`prodsec_release_evidence_in_window{window="30d",` + tier0 + `,evidence="approval",status="missing"} 2`, "R1 and D4"},
	{`prodsec_release_evidence_in_window{window="7d",` + tier0 + `,evidence="sbom",status="missing"} 1`, "V1; no SBOM is asked of D4"},
	{`prodsec_release_evidence_in_window{window="7d",` + tier0 + `,evidence="signature",status="unknown"} 1`, "nobody looked for that of V1"},
	{`prodsec_release_evidence_in_window{window="7d",` + docsGroup + `,evidence="sbom",status="missing"} 0`, "read whole, none"},

	{`prodsec_privileged_pipelines{` + tier0 + `,evidence="provenance",status="present"} 1`, "P1 deploys to production"},
	{`prodsec_privileged_pipelines{` + tier0 + `,evidence="required",status="missing"} 1`, "P1's approval"},
	{`prodsec_privileged_pipelines{` + docsGroup + `,evidence="required",status="unknown"} 1`, "P2 publishes; nobody looked"},
	{`prodsec_privileged_pipeline_protection{` + tier0 + `,check="branch",status="fail"} 1`, "P1: acme/shop's release branch needs no approvals"},
	{`prodsec_privileged_pipeline_protection{` + tier0 + `,check="environment",status="pass"} 1`, "P1 deploys to production, which is protected"},
	{`prodsec_privileged_pipeline_protection{` + tier0 + `,check="required",status="fail"} 1`, "the worse of the two"},
	{`prodsec_privileged_pipeline_protection{` + docsGroup + `,check="branch",status="unknown"} 1`, "P2: the branches of acme/docs could not be read; it deploys nowhere"},
	{`prodsec_deployment_rework_in_window{window="90d",` + tier0 + `,rework="planned"} 4`, "D1 to D4; none while an incident of checkout was open"},
	{`prodsec_deployment_rework_in_window{window="90d",` + tier0 + `,rework="rollback"} 1`, "R1, during I1"},
	{`prodsec_deployment_rework_in_window{window="7d",` + tier0 + `,rework="rollback"} 0`, "21 d ago"},
	{`prodsec_runners{scope="all",trust="public_exposed",ephemeral="false"} 1`, "1"},
	{`prodsec_runners{scope="repository",trust="dedicated",ephemeral="true"} 1`, "2"},
	{`prodsec_runners{scope="unknown",trust="unknown",ephemeral="unknown"} 1`, "3"},
	{`prodsec_runners{scope="all",trust="shared",ephemeral="true"} 0`, "known combination"},
	{`prodsec_cloud_identity_repositories{` + tier0 + `,method="static_key"} 1`, "acme/shop has a key besides its tokens"},
	{`prodsec_cloud_identity_repositories{` + tier0 + `,method="oidc"} 0`, "known combination"},
	{`prodsec_cloud_identity_repositories{` + tier1 + `,method="oidc"} 1`, "acme/ledger"},
	{`prodsec_cloud_identity_repositories{` + docsGroup + `,method="unknown"} 1`, "acme/docs: secrets could not be read"},
	{`prodsec_rollback_exercise_timestamp_seconds{` + checkoutOwner + `} 1.7731548e+09`, "R1: 10 March 15:00"},
	{`prodsec_rollback_exercise_timestamp_seconds{business_unit="retail",team="payments",service_name="ledger",trust_tier="tier1"} 1.7726688e+09`, "evidence of 5 March"},
	{`prodsec_rollback_exercise_timestamp_seconds{business_unit="platform",team="docs",service_name="docs",trust_tier="tier3"} 1.769904e+09`, "the catalog says 1 February"},
	{`prodsec_rule_bypasses_total{` + checkoutOwner + `,result="bypass"} 1`, "B1"},
	{`prodsec_rule_bypasses_in_window{window="30d",` + tier0 + `} 1`, "B1 on 2 March"},
	{`prodsec_rule_bypasses_in_window{window="7d",` + tier0 + `} 0`, "B1 is older"},
	{`prodsec_rule_bypasses_total{business_unit="platform",team="docs",service_name="docs",trust_tier="tier3",result="bypass"} 0`, "known combination"},

	{`prodsec_change_lead_time_seconds_sum{` + tier0 + `,security_review="early"} 86400`, "change 1 of D2: a day"},
	{`prodsec_change_lead_time_seconds_sum{` + tier0 + `,security_review="none"} 345600`, "change 2 of D2: four days"},
	{`prodsec_change_lead_time_seconds_sum{` + tier0 + `,security_review="unknown"} 7200`, "change 4 of D4: two hours; 0 of D1 had no known predecessor, 3 of D3 never got there"},
	{`prodsec_change_lead_time_seconds_count{` + tier0 + `,security_review="late"} 0`, "known combination"},
	{`prodsec_change_lead_time_seconds_count{` + tier1 + `,security_review="unknown"} 0`, "D5's change went to staging"},
	{`prodsec_change_lead_time_in_window_seconds_sum{window="7d",business_unit="retail",security_review="unknown"} 7200`, "D4"},
	{`prodsec_change_lead_time_in_window_seconds_count{window="7d",business_unit="retail",security_review="early"} 0`, "D2 was 21 d ago"},
	{`prodsec_changes_total{` + tier0 + `} 4`, "D1 to D4; R1 brought an older commit back"},
	{`prodsec_changes_total{` + tier1 + `} 1`, "D6; D5 is no production"},
	{`prodsec_changes_in_window{window="30d",` + tier0 + `} 3`, "D2, D3, D4"},
	{`prodsec_change_failures_total{` + tier0 + `,cause="control_gap"} 1`, "D2: R1 and I1 are one failure"},
	{`prodsec_change_failures_total{` + tier0 + `,cause="unknown"} 1`, "D3 failed"},
	{`prodsec_change_failures_total{` + tier1 + `,cause="other"} 1`, "D6: I3, a day later"},
	{`prodsec_change_failures_total{` + docsGroup + `,cause="control_gap"} 0`, "known combination"},
	{`prodsec_change_failures_in_window{window="7d",` + tier0 + `,cause="control_gap"} 0`, "D2 was 21 d ago"},
	{`prodsec_change_failures_in_window{window="30d",` + tier0 + `,cause="control_gap"} 1`, "D2"},
	{`prodsec_incidents_in_window{window="7d",` + docsGroup + `,attribution="unattributed"} 1`, "I2: docs deploys nothing"},
	{`prodsec_incidents_in_window{window="7d",` + tier1 + `,attribution="deployment"} 1`, "I3"},
	{`prodsec_restore_seconds_sum{` + tier0 + `,security_impact="true"} 5400`, "I1: an hour and a half"},
	{`prodsec_restore_seconds_sum{` + tier1 + `,security_impact="false"} 43200`, "I3: half a day"},
	{`prodsec_restore_seconds_count{` + docsGroup + `,security_impact="unknown"} 0`, "I2 goes on"},
	{`prodsec_restore_in_window_seconds_sum{window="7d",business_unit="retail",security_impact="false"} 43200`, "I3"},
}

// TestDeliveryIsNotShown names what the hand-made organisation must not show about delivery.
func TestDeliveryIsNotShown(t *testing.T) {
	p := policy.Default()
	lines := strings.Split(exposed(t, metrics.Evaluate(organisation(p), p, noon)), "\n")
	for _, absent := range []string{`evidence="sbom",status="unknown"} 2`, `environment="Prod-EU"`, `environment="staging"`} {
		for _, line := range lines {
			if strings.Contains(line, absent) {
				t.Errorf("%s must not be shown: %s", absent, line)
			}
		}
	}
}

// TestPaths: what makes the path of a service whose environment and branch are protected unprotected or unknown.
func TestPaths(t *testing.T) {
	config := policy.DefaultConfig()
	config.Delivery.PathDeployments = 2
	p, err := policy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	good := deployment("1", "ledger", day(3, 1), record.ApprovalApproved)
	good.Repository = "acme/ledger"
	older := good
	older.ID, older.FinishedAt, older.Approval = "0", day(2, 1), record.ApprovalNone
	bypassed, elsewhere, failed, unsure := good, good, good, good
	bypassed.ID, bypassed.FinishedAt, bypassed.Approval = "2", day(3, 2), record.ApprovalBypassed
	elsewhere.ID, elsewhere.FromProtectedBranch = "2", record.AnswerNo
	failed.ID, failed.Status, failed.Approval = "2", record.DeploymentFailed, record.ApprovalNone
	unsure.ID, unsure.Approval = "2", record.ApprovalUnknown
	foreign := good
	foreign.ID, foreign.Repository = "2", "acme/elsewhere"
	second := good
	second.ID, second.FinishedAt = "3", day(3, 3)
	for _, c := range []struct {
		name        string
		change      func(*snapshot.Snapshot)
		deployments []record.Deployment
		want        string
	}{
		{"all is well", nil, []record.Deployment{good}, "protected"},
		{"nothing was deployed yet", nil, []record.Deployment{}, "protected"},
		{"deployments were never read", nil, nil, "unknown"},
		{"one went around", nil, []record.Deployment{good, bypassed}, "unprotected"},
		{"one from another branch", nil, []record.Deployment{good, elsewhere}, "unprotected"},
		{"one that went around failed", nil, []record.Deployment{good, failed}, "protected"},
		{"one of which nobody can say", nil, []record.Deployment{good, unsure}, "unknown"},
		{"one from a repository nobody knows", nil, []record.Deployment{good, foreign}, "unknown"},
		{"two ago one went around", nil, []record.Deployment{older, good, second}, "protected"},
		{"two ago, in another order", nil, []record.Deployment{second, older, good}, "protected"},
		{"the last but one went around", nil, []record.Deployment{bypassed, second}, "unprotected"},
		{"reviewers are not required", func(s *snapshot.Snapshot) {
			s.Repositories[1].Environments[0].RequiredReviewers = record.AnswerNo
		}, []record.Deployment{good}, "unprotected"},
		{"nobody says whether they are", func(s *snapshot.Snapshot) {
			s.Repositories[1].Environments[0].RequiredReviewers = record.AnswerUnknown
		}, []record.Deployment{good}, "unknown"},
		{"the branch takes pushes", func(s *snapshot.Snapshot) {
			s.Repositories[1].Branches = slices.Clone(s.Repositories[1].Branches)
			s.Repositories[1].Branches[0].PullRequest = record.AnswerNo
		}, []record.Deployment{good}, "unprotected"},
		{"no branch was read", func(s *snapshot.Snapshot) { s.Repositories[1].Branches = nil }, []record.Deployment{good}, "unknown"},
		{"the repository is archived", func(s *snapshot.Snapshot) { s.Repositories[1].Archived = true }, []record.Deployment{}, ""},
	} {
		s := organisation(p)
		s.Repositories[1].Environments = []record.EnvironmentProtection{{Environment: "Production", RequiredReviewers: record.AnswerYes, BranchPolicy: record.AnswerYes}}
		s.Services[ledger].Repositories = s.Services[ledger].Repositories[1:] // acme/ledger alone
		s.Deployments, s.Deployed = nil, nil
		if c.deployments == nil {
			s.Scopes[scopeDeliveries].LastSuccess = time.Time{}
		}
		s.Scopes[scopeDeliveries].Kinds = []record.Kind{record.KindDeployment}
		for _, d := range c.deployments {
			s.Deployments = append(s.Deployments, snapshot.Held[record.Deployment]{Record: d, Scope: scopeDeliveries, Service: ledger, Owner: ledger})
		}
		if c.change != nil {
			c.change(s)
		}
		r := family(metrics.Evaluate(s, p, noon), "prodsec_deployment_paths")
		for _, status := range policy.PathStatuses() {
			want := 0.0
			if string(status) == c.want {
				want = 1
			}
			if got, ok := value(r, "trust_tier=tier1,environment=production,status="+string(status)); got != want || ok != (c.want != "") {
				t.Errorf("%s: %v %s, want %v", c.name, got, status, want)
			}
		}
	}
}

// TestDeliveryDropped: what is too old is absent in the families about the present, nothing turns zero, and counters go on.
func TestDeliveryDropped(t *testing.T) {
	p := policy.Default()
	for _, c := range []struct {
		scope         int
		absent, stays []string
	}{
		{
			scopeDeliveries,
			[]string{
				"prodsec_deployments_in_window", "prodsec_release_evidence_in_window", "prodsec_privileged_pipelines", "prodsec_runners",
				"prodsec_cloud_identity_repositories", "prodsec_changes_in_window", "prodsec_change_failures_in_window", "prodsec_change_lead_time_in_window_seconds",
			},
			[]string{
				"prodsec_deployments_total", "prodsec_changes_total", "prodsec_change_failures_total", "prodsec_change_lead_time_seconds", "prodsec_rule_bypasses_total",
				"prodsec_restore_seconds", "prodsec_restore_in_window_seconds",
			},
		},
		{
			scopeIncidents,
			[]string{"prodsec_restore_in_window_seconds", "prodsec_change_failures_in_window", "prodsec_incidents_in_window"},
			[]string{"prodsec_restore_seconds", "prodsec_change_failures_total", "prodsec_changes_in_window", "prodsec_deployments_in_window"},
		},
	} {
		s := organisation(p)
		s.Scopes[c.scope].LastSuccess, s.Scopes[c.scope].StaleAfter = noon.Add(-25*time.Hour), 24*time.Hour
		e := metrics.Evaluate(s, p, noon)
		for _, name := range c.absent {
			if r := family(e, name); len(r.Series) > 0 {
				t.Errorf("%s dropped: %s still has %v", s.Scopes[c.scope].Name, name, r.Series[0].Labels)
			}
		}
		for _, name := range c.stays {
			if r := family(e, name); len(r.Series) == 0 {
				t.Errorf("%s dropped: %s is gone, too", s.Scopes[c.scope].Name, name)
			}
		}
	}
}

// TestWithoutIncidents: while no source of incidents was ever read, nothing is shown of control gaps, not even zero.
func TestWithoutIncidents(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	s.Incidents, s.Opened, s.Restored, s.Scopes = nil, nil, nil, s.Scopes[:scopeIncidents]
	e := metrics.Evaluate(s, p, noon)
	for _, name := range []string{"prodsec_change_failures_total", "prodsec_change_failures_in_window"} {
		r := family(e, name)
		if n, ok := value(r, "cause=control_gap"); ok {
			t.Errorf("%s says %v control gaps", name, n)
		}
		if n, ok := value(r, "trust_tier=tier0,cause=unknown"); !ok || n == 0 {
			t.Errorf("%s: %v failures, want those of D2 and D3", name, n)
		}
	}
	if r := family(e, "prodsec_restore_seconds"); len(r.Series) > 0 {
		t.Errorf("times to restore %v", r.Series)
	}
}

// TestDeliveryWindows: what a window holds is what the counter grew by, where things count from when they happened.
func TestDeliveryWindows(t *testing.T) {
	p := policy.Default()
	s := synthetic(size{weaknesses: 100, services: 40, repositories: 60, deployments: 3000}, p, 3)
	now := metrics.Evaluate(s, p, evaluated)
	for _, w := range p.Windows() {
		before := metrics.Evaluate(s, p, evaluated.Add(-w.Length))
		for _, c := range []struct {
			counter, window string
			by              []string
		}{
			{"prodsec_deployments_total", "prodsec_deployments_in_window", []string{"business_unit", "team", "trust_tier", "environment", "approval"}},
			{"prodsec_changes_total", "prodsec_changes_in_window", []string{"business_unit", "team", "trust_tier"}},
			{"prodsec_change_lead_time_seconds", "prodsec_change_lead_time_in_window_seconds", []string{"business_unit", "security_review"}},
			{"prodsec_restore_seconds", "prodsec_restore_in_window_seconds", []string{"business_unit", "security_impact"}},
		} {
			grew := sumBy(family(now, c.counter), c.by...)
			for key, n := range sumBy(family(before, c.counter), c.by...) {
				grew[key] -= n
			}
			within := family(now, c.window)
			within.Series = slices.DeleteFunc(slices.Clone(within.Series), func(one metrics.Series) bool { return one.Labels[0] != w.Name })
			total := 0.0
			for key, n := range sumBy(within, c.by...) {
				if grew[key] != n {
					t.Errorf("%s in %s, %s: %v, but the counter grew by %v", c.window, w.Name, key, n, grew[key])
				}
				total += n
				delete(grew, key)
			}
			for key, n := range grew {
				if n != 0 {
					t.Errorf("%s in %s, %s: nothing, but the counter grew by %v", c.window, w.Name, key, n)
				}
			}
			if total == 0 {
				t.Errorf("%s in %s: nothing at all", c.window, w.Name)
			}
		}
	}
}

// TestDeliveryAllocations: ten times as many deployments of the same organisation cost hardly more allocations.
func TestDeliveryAllocations(t *testing.T) {
	p := policy.Default()
	allocations := func(deployments int) float64 {
		s := synthetic(size{weaknesses: 100, services: 20, repositories: 30, deployments: deployments}, p, 1)
		s.Incidents, s.Opened, s.Restored = nil, nil, nil
		return testing.AllocsPerRun(2, func() { metrics.Evaluate(s, p, evaluated) })
	}
	if few, many := allocations(3_000), allocations(30_000); many > few*1.3 {
		t.Errorf("%v allocations for 3,000 deployments, %v for 30,000", few, many)
	}
}

// TestRepositoryScopes: deployments are read for each repository by itself. One that was never read or is too old hides the zeros of all, because nobody knows
// what it holds; one whose repository is archived or gone hides nothing.
func TestRepositoryScopes(t *testing.T) {
	p := policy.Default()
	day := 24 * time.Hour
	for _, c := range []struct {
		name, scope string
		last        time.Time
		zeros       bool
	}{
		{"read", "deployments:ACME/docs", noon, true},
		{"too old", "deployments:ACME/docs", noon.Add(-7 * day), false},
		{"never read", "deployments:ACME/docs", time.Time{}, false},
		{"archived, too old", "deployments:acme/old", noon.Add(-7 * day), true},
		{"archived, never read", "deployments:acme/old", time.Time{}, true},
		{"gone, too old", "deployments:acme/gone", noon.Add(-7 * day), true},
		{"of another sort, never read", "surveys:acme/docs", time.Time{}, true},
		{"about no repository, too old", "reports:/var/lib/reports", noon.Add(-7 * day), false},
	} {
		s := organisation(p)
		s.Scopes[scopeDeliveries].Name, s.Scopes[scopeDeliveries].Kind = "deployments:acme/shop", "deployments"
		s.Scopes[scopeDeliveries].Kinds = []record.Kind{record.KindDeployment}
		kind, _, _ := strings.Cut(c.scope, ":")
		scope := snapshot.Scope{Collector: "github", Instance: "acme", Name: c.scope, Kind: kind, LastSuccess: c.last, StaleAfter: day}
		if !c.last.IsZero() {
			scope.Kinds = []record.Kind{record.KindRepository, record.KindDeployment}
		}
		s.Scopes = append(s.Scopes, scope)
		e := metrics.Evaluate(s, p, noon)
		if n, ok := value(family(e, "prodsec_changes_in_window"), "team=docs,window=7d"); ok != c.zeros || n != 0 {
			t.Errorf("%s: %v changes of docs are shown: %v, want %v", c.name, n, ok, c.zeros)
		}
		if n, _ := value(family(e, "prodsec_changes_in_window"), "trust_tier=tier0,window=30d"); n != 3 {
			t.Errorf("%s: %v changes of checkout, want 3", c.name, n)
		}
	}
	s := organisation(p) // what an archived repository deployed counts on
	s.Scopes[scopeDeliveries].Name, s.Scopes[scopeDeliveries].Kind, s.Scopes[scopeDeliveries].Kinds = "deployments:acme/shop", "deployments", []record.Kind{record.KindDeployment}
	s.Scopes[scopeDeliveries].LastSuccess, s.Scopes[scopeDeliveries].StaleAfter = noon.Add(-7*day), day
	if n, ok := value(family(metrics.Evaluate(s, p, noon), "prodsec_changes_in_window"), "trust_tier=tier0,window=30d"); ok {
		t.Errorf("%v changes are shown although what is known of them is too old", n)
	}
	s.Repositories[0].Archived = true
	if n, _ := value(family(metrics.Evaluate(s, p, noon), "prodsec_changes_in_window"), "trust_tier=tier0,window=30d"); n != 3 {
		t.Errorf("%v changes of an archived repository, want 3", n)
	}
}
