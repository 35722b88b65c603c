package policy

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

const (
	yes = record.AnswerYes
	no  = record.AnswerNo
	na  = record.AnswerUnknown
)

// TestDeliveryErrors: what makes no sense is named by its key.
func TestDeliveryErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Delivery.PathDeployments = 0 }, "policy.delivery.path_deployments: 0 deployments show no path"},
		{func(c *Config) { c.Delivery.DedicatedRepositories = 0 }, "policy.delivery.dedicated_repositories: a runner"},
		{func(c *Config) { c.Delivery.Evidence.Releases = []record.EvidenceKind{"sbom", "sbom"} }, `policy.delivery.evidence.releases[1]: "sbom" is listed twice`},
		{func(c *Config) { c.Delivery.Evidence.Pipelines = []record.EvidenceKind{"notes"} }, `policy.delivery.evidence.pipelines[0]: "notes" is not one of`},
		{func(c *Config) { c.Delivery.Evidence.TrustTiers = []string{"gold"} }, `policy.delivery.evidence.trust_tiers: "gold" is not listed`},
		{func(c *Config) { c.Delivery.PrivilegedPipelines.Paths = []string{"["} }, `policy.delivery.privileged_pipelines.paths: "[" is not a glob`},
		{func(c *Config) { c.Delivery.StaticKeys = []string{"*_key"} }, `policy.delivery.static_keys[0]: "*_key" would match nothing`},
		{func(c *Config) { c.DORA.LateReviewRatio = 1.1 }, "policy.dora.late_review_ratio: 1.1 is not between 0 and 1"},
		{func(c *Config) { c.DORA.FailureWindow = 0 }, "policy.dora.failure_window: must be longer than 0"},
	} {
		config := DefaultConfig()
		c.change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestRunnerTrust(t *testing.T) {
	p := Default()
	alone := []record.RepositoryName{"acme/one"}
	two := []record.RepositoryName{"acme/one", "acme/two"}
	for _, c := range []struct {
		name   string
		runner record.Runner
		public record.Answer
		want   RunnerTrust
	}{
		{"public repositories may use it", record.Runner{Visibility: record.RunnerAll, PublicRepositories: yes}, na, RunnerPublicExposed},
		{"even if only by some workflows", record.Runner{Visibility: record.RunnerAll, PublicRepositories: yes, RestrictedToWorkflows: yes}, na, RunnerPublicExposed},
		{"they might, but none of the selected ones is public", record.Runner{Visibility: record.RunnerSelected, PublicRepositories: yes, Repositories: two, RestrictedToWorkflows: no}, no, RunnerShared},
		{"one of the selected ones is public", record.Runner{Visibility: record.RunnerSelected, Repositories: two}, yes, RunnerPublicExposed},
		{"one is public, which may not use it", record.Runner{Visibility: record.RunnerSelected, PublicRepositories: no, Repositories: alone}, yes, RunnerDedicated},
		{"nobody says whether public ones may", record.Runner{Visibility: record.RunnerSelected, Repositories: alone, RestrictedToWorkflows: yes}, na, RunnerTrustUnknown},
		{"only listed workflows", record.Runner{Visibility: record.RunnerAll, PublicRepositories: no, RestrictedToWorkflows: yes}, na, RunnerDedicated},
		{"one repository's own", record.Runner{Visibility: record.RunnerRepository, PublicRepositories: no}, na, RunnerDedicated},
		{"one selected repository", record.Runner{Visibility: record.RunnerSelected, PublicRepositories: no, Repositories: alone}, na, RunnerDedicated},
		{"two selected repositories", record.Runner{Visibility: record.RunnerSelected, PublicRepositories: no, RestrictedToWorkflows: no, Repositories: two}, na, RunnerShared},
		{"all private repositories", record.Runner{Visibility: record.RunnerPrivate, PublicRepositories: no, RestrictedToWorkflows: no}, na, RunnerShared},
		{"many, perhaps restricted", record.Runner{Visibility: record.RunnerAll, PublicRepositories: no}, na, RunnerTrustUnknown},
		{"nothing is known", record.Runner{}, na, RunnerTrustUnknown},
		{"nobody says who may", record.Runner{PublicRepositories: no, RestrictedToWorkflows: no}, na, RunnerTrustUnknown},
	} {
		if got := p.RunnerTrust(&c.runner, c.public); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestCloudMethod(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		name     string
		identity record.CloudIdentity
		want     CloudMethod
	}{
		{"tokens", record.CloudIdentity{OIDC: yes, SecretsKnown: yes, Secrets: []record.SecretName{{Name: "AWS_ROLE_ARN"}, {Name: "NPM_TOKEN"}}}, CloudOIDC},
		{"both", record.CloudIdentity{OIDC: yes, SecretsKnown: yes, Secrets: []record.SecretName{{Name: "prod_aws_access_key_id"}}}, CloudStaticKey},
		{"a key among those that could be read", record.CloudIdentity{SecretsKnown: no, Secrets: []record.SecretName{{Name: "GCP_SA_KEY"}}}, CloudStaticKey},
		{"tokens, secrets unreadable", record.CloudIdentity{OIDC: yes}, CloudUnknown},
		{"neither", record.CloudIdentity{OIDC: no, SecretsKnown: yes}, CloudNone},
		{"workflows unreadable", record.CloudIdentity{SecretsKnown: yes}, CloudUnknown},
	} {
		if got := p.CloudMethod(&c.identity); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for name, want := range map[string]bool{
		"AWS_SECRET_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID_PROD": true, "AZURE_CREDENTIALS": true, "AZURE_CLIENT_SECRET": true, "GCP_CREDENTIALS": true,
		"GOOGLE_APPLICATION_CREDENTIALS_JSON": true, "DEPLOY_SA_KEY": true, "GCP_SERVICE_ACCOUNT_KEY": true, "ARM_CLIENT_SECRET": true,
		"AWS_REGION": false, "AZURE_CLIENT_ID": false, "AZURE_TENANT_ID": false, "GCP_WORKLOAD_IDENTITY_PROVIDER": false, "SIGNING_KEY": false,
		"SLACK_WEBHOOK": false, "VISA_KEY": false,
	} {
		if got := p.StaticKey(name); got != want {
			t.Errorf("%s is a static key: %v, want %v", name, got, want)
		}
	}
}

func TestPrivilegedPipeline(t *testing.T) {
	c := DefaultConfig()
	c.Delivery.PrivilegedPipelines.Paths = []string{".github/workflows/terraform*"}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		pipeline record.Pipeline
		within   bool
		want     bool
	}{
		{"deploys to production", record.Pipeline{Environments: []string{"staging", "prod-eu"}, Publishes: no}, false, true},
		{"deploys elsewhere", record.Pipeline{Environments: []string{"staging"}, Publishes: no}, true, false},
		{"publishes", record.Pipeline{Publishes: yes}, false, true},
		{"nobody can say, in a privileged repository", record.Pipeline{}, true, true},
		{"nobody can say, elsewhere", record.Pipeline{}, false, false},
		{"by its file", record.Pipeline{Path: ".github/workflows/terraform-apply.yml", Publishes: no}, false, true},
	} {
		if got := p.PrivilegedPipeline(&c.pipeline, c.within); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCameProtected(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		approval record.Approval
		branch   record.Answer
		want     Status
	}{
		{record.ApprovalApproved, yes, StatusPass},
		{record.ApprovalApproved, no, StatusFail},
		{record.ApprovalApproved, na, StatusUnknown},
		{record.ApprovalBypassed, yes, StatusFail},
		{record.ApprovalNone, na, StatusFail},
		{record.ApprovalUnknown, yes, StatusUnknown},
		{record.ApprovalUnknown, no, StatusFail},
		{"", yes, StatusUnknown},
	} {
		if got := p.CameProtected(&record.Deployment{Approval: c.approval, FromProtectedBranch: c.branch}); got != c.want {
			t.Errorf("%s from a protected branch %q: %s, want %s", c.approval, c.branch, got, c.want)
		}
	}
	for _, c := range []struct {
		parts []Status
		want  PathStatus
	}{
		{[]Status{StatusPass, StatusPass}, PathProtected},
		{[]Status{StatusUnknown, StatusFail}, PathUnprotected},
		{[]Status{StatusUnknown, StatusPass}, PathUnknown},
		{nil, PathUnknown},
	} {
		if got := p.Path(c.parts...); got != c.want {
			t.Errorf("%v: %s, want %s", c.parts, got, c.want)
		}
	}
}

// TestFactDate: a day begins where the organisation is.
func TestFactDate(t *testing.T) {
	c := DefaultConfig()
	c.TimeZone = "Europe/Berlin"
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-03-01": "2026-02-28T23:00:00Z", " 2026-03-01 ": "2026-02-28T23:00:00Z", "2026-03-01T12:00:00+02:00": "2026-03-01T10:00:00Z", "yes": "", "": "", "March": "",
	} {
		got := ""
		if at, ok := p.FactDate(text); ok {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestEvidenceRequired(t *testing.T) {
	c := DefaultConfig()
	c.Delivery.Evidence.TrustTiers = []string{"tier0"}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.EvidenceRequired(CarrierRelease, "tier0"); len(got) != 3 {
		t.Errorf("of a release at tier0: %v", got)
	}
	if got := p.EvidenceRequired(CarrierRelease, "tier3"); got != nil {
		t.Errorf("of a release at tier3: %v, want nothing", got)
	}
	if got := Default().EvidenceRequired(CarrierPipeline, "tier3"); len(got) != 2 {
		t.Errorf("of a pipeline by default: %v", got)
	}
}

// TestSecurityReview: a change of four days whose last quarter is its fourth day.
func TestSecurityReview(t *testing.T) {
	p := Default()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	after := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	live := after(96)
	for _, c := range []struct {
		name   string
		change record.Change
		want   record.SecurityReview
	}{
		{"before the approval", record.Change{FirstCommitAt: start, ApprovedAt: after(48), SecurityReviewAt: after(47), SecurityReviewed: yes}, record.SecurityReviewEarly},
		{"with the approval", record.Change{FirstCommitAt: start, ApprovedAt: after(48), SecurityReviewAt: after(48), SecurityReviewed: yes}, record.SecurityReviewEarly},
		{"after the approval", record.Change{FirstCommitAt: start, ApprovedAt: after(48), SecurityReviewAt: after(49), SecurityReviewed: yes}, record.SecurityReviewLate},
		{"where the last quarter begins", record.Change{FirstCommitAt: start, ApprovedAt: after(95), SecurityReviewAt: after(72), SecurityReviewed: yes}, record.SecurityReviewEarly},
		{"in the last quarter, before the approval", record.Change{FirstCommitAt: start, ApprovedAt: after(95), SecurityReviewAt: after(73), SecurityReviewed: yes}, record.SecurityReviewLate},
		{"nobody approved", record.Change{FirstCommitAt: start, SecurityReviewAt: after(10), SecurityReviewed: yes}, record.SecurityReviewEarly},
		{"when it was live", record.Change{FirstCommitAt: start, SecurityReviewAt: after(97), SecurityReviewed: yes}, record.SecurityReviewNone},
		{"none", record.Change{FirstCommitAt: start, SecurityReviewed: no}, record.SecurityReviewNone},
		{"not known", record.Change{FirstCommitAt: start}, record.SecurityReviewUnknown},
		{"no date", record.Change{FirstCommitAt: start, SecurityReviewed: yes}, record.SecurityReviewUnknown},
		{"no first commit", record.Change{SecurityReviewAt: after(10), SecurityReviewed: yes}, record.SecurityReviewUnknown},
	} {
		if got := p.SecurityReview(&c.change, live); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLeadTime(t *testing.T) {
	p := Default()
	live := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		first time.Time
		want  time.Duration
		ok    bool
	}{
		{live.Add(-time.Hour), time.Hour, true},
		{live, 0, true},
		{live.Add(time.Second), 0, false},
		{time.Time{}, 0, false},
	} {
		if got, ok := p.LeadTime(&record.Change{FirstCommitAt: c.first}, live); got != c.want || ok != c.ok {
			t.Errorf("from %v: %v %v, want %v %v", c.first, got, ok, c.want, c.ok)
		}
	}
	for _, c := range []struct {
		deployment record.Deployment
		want       bool
	}{
		{record.Deployment{Status: record.DeploymentSucceeded, ChangesKnown: yes}, true},
		{record.Deployment{Status: record.DeploymentSucceeded, ChangesKnown: yes, Rollback: no}, true},
		{record.Deployment{Status: record.DeploymentSucceeded, ChangesKnown: yes, Rollback: yes}, false},
		{record.Deployment{Status: record.DeploymentSucceeded, ChangesKnown: no}, false},
		{record.Deployment{Status: record.DeploymentSucceeded}, false},
		{record.Deployment{Status: record.DeploymentFailed, ChangesKnown: yes}, false},
	} {
		if got := p.Carries(&c.deployment); got != c.want {
			t.Errorf("%+v carries: %v, want %v", c.deployment, got, c.want)
		}
	}
}

func TestCause(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		said []record.Answer
		want FailureCause
	}{
		{nil, CauseUnknown},
		{[]record.Answer{na}, CauseUnknown},
		{[]record.Answer{na, no}, CauseOther},
		{[]record.Answer{no, yes, na}, CauseControlGap},
	} {
		if got := p.Cause(c.said...); got != c.want {
			t.Errorf("%v: %s, want %s", c.said, got, c.want)
		}
	}
}
