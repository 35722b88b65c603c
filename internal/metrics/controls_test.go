package metrics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// resultOf is the result of a control for checkout, the only service in tier0, or ledger, the only one in tier1.
func resultOf(e *metrics.Evaluation, control string, service int) string {
	tier := map[int]string{checkout: "tier0", ledger: "tier1", docs: "tier3"}[service]
	var found []string
	for _, status := range policy.Statuses() {
		if n, _ := value(family(e, "prodsec_control_services"), fmt.Sprintf("control=%s,trust_tier=%s,status=%s", control, tier, status)); n > 0 {
			found = append(found, string(status))
		}
	}
	return strings.Join(found, "+")
}

// with is the hand-made organisation under a policy with one more control, "mine", which has the given sources.
func with(t *testing.T, change func(*snapshot.Snapshot), sources ...policy.SourceConfig) *metrics.Evaluation {
	t.Helper()
	c := policy.DefaultConfig()
	c.Controls = policy.ControlsConfig{"mine": {Domain: policy.DomainDelivery, Evidence: sources}}
	p, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := organisation(p)
	if change != nil {
		change(s)
	}
	return metrics.Evaluate(s, p, noon)
}

func evidence(service int32, repository record.RepositoryName, control string, holds record.Answer, at time.Time) snapshot.Held[record.Evidence] {
	e := record.Evidence{ID: control, Control: control, Repository: repository, Holds: holds, ProducedAt: at}
	return snapshot.Held[record.Evidence]{Record: e, Service: service, Scope: scopeCatalog}
}

// unread makes a snapshot one in which no scope speaks of a kind of record.
func unread(s *snapshot.Snapshot, kind record.Kind) {
	for i := range s.Scopes {
		s.Scopes[i].Kinds = slices.DeleteFunc(slices.Clone(s.Scopes[i].Kinds), func(k record.Kind) bool { return k == kind })
	}
	if kind == record.KindBypass {
		s.Bypasses, s.Bypassed = nil, nil
	}
}

// TestControlSources: what each source says of checkout, whose only repository is acme/shop.
func TestControlSources(t *testing.T) {
	yes, no := record.AnswerYes, record.AnswerNo
	answer := map[string]record.Answer{"pass": yes, "fail": no, "unknown": record.AnswerUnknown}
	shop := func(change func(*snapshot.Repository)) func(*snapshot.Snapshot) {
		return func(s *snapshot.Snapshot) { change(&s.Repositories[0]) }
	}
	for _, c := range []struct {
		name   string
		source policy.SourceConfig
		change func(*snapshot.Snapshot)
		want   string
	}{
		{"a filled field", policy.SourceConfig{From: policy.FromCatalogField, Name: "lifecycle"}, nil, "pass"},
		{"a fact", policy.SourceConfig{From: policy.FromCatalogFact, Name: "paved"}, func(s *snapshot.Snapshot) {
			s.Services[checkout].Service.Facts = map[string]string{"paved": "yes"}
		}, "pass"},
		{"no fact", policy.SourceConfig{From: policy.FromCatalogFact}, nil, "unknown"},
		{"no fact, which fails", policy.SourceConfig{From: policy.FromCatalogFact, Absent: policy.AbsenceFail}, nil, "fail"},
		{"no fact, but a catalog was not read", policy.SourceConfig{From: policy.FromCatalogFact, Absent: policy.AbsenceFail}, func(s *snapshot.Snapshot) {
			s.Scopes = append(s.Scopes, snapshot.Scope{Name: "services", Kinds: []record.Kind{record.KindService}})
		}, "unknown"},
		{"a setting", policy.SourceConfig{From: policy.FromSetting, Name: "x"}, shop(func(r *snapshot.Repository) { r.Settings = map[string]record.Answer{"x": yes} }), "pass"},
		{"no setting", policy.SourceConfig{From: policy.FromSetting, Name: "x"}, nil, "unknown"},
		{"a property", policy.SourceConfig{From: policy.FromProperty, Name: "x", Accept: []string{"gold"}}, shop(func(r *snapshot.Repository) { r.Properties = map[string]string{"x": "tin"} }), "fail"},
		{"a scanner", policy.SourceConfig{From: policy.FromScanner, Name: "iac"}, shop(func(r *snapshot.Repository) { r.Scanners = map[record.Class]record.Answer{"iac": yes} }), "pass"},
		{"a class that nobody scans, switched on", policy.SourceConfig{From: policy.FromScan, Name: "iac"}, shop(func(r *snapshot.Repository) { r.Scanners = map[record.Class]record.Answer{"iac": yes} }), "pass"},
		{"a class that nobody scans, switched off", policy.SourceConfig{From: policy.FromScan, Name: "iac"}, shop(func(r *snapshot.Repository) { r.Scanners = map[record.Class]record.Answer{"iac": no} }), "fail"},
		{"a fresh scan, although it is switched off at the host", policy.SourceConfig{From: policy.FromScan, Name: "iac"}, func(s *snapshot.Snapshot) {
			s.Repositories[0].Scanners = map[record.Class]record.Answer{"iac": no}
			s.Scopes[scopeSecrets].LastSuccess = noon
			s.Scans = append(s.Scans, snapshot.Held[record.Scan]{Scope: scopeSecrets, Record: record.Scan{Class: "iac", Repository: "acme/shop", SucceededAt: noon}})
		}, "pass"},
		{"branches", policy.SourceConfig{From: policy.FromBranchProtection, Name: "required"}, nil, "fail"},
		{"environments", policy.SourceConfig{From: policy.FromEnvironmentProtection, Name: "required"}, nil, "pass"},
		{"no environment to protect", policy.SourceConfig{From: policy.FromEnvironmentProtection, Name: "required"}, shop(func(r *snapshot.Repository) { r.Environments = []record.EnvironmentProtection{} }), ""},
		{"a finished review", policy.SourceConfig{From: policy.FromReview, Name: "design"}, func(s *snapshot.Snapshot) {
			s.Reviews = append(s.Reviews, snapshot.Held[record.Review]{Service: checkout, Scope: scopeRequests, Record: record.Review{Kind: "design", State: record.ReviewDone, ClosedAt: day(3, 1)}})
		}, "pass"},
		{"a review under way", policy.SourceConfig{From: policy.FromReview, Name: "threat_model", Absent: policy.AbsenceFail}, nil, "fail"},
		{"a kind of review that nobody keeps there", policy.SourceConfig{From: policy.FromReview, Name: "other", Absent: policy.AbsenceFail}, nil, "unknown"},
		{"a statement about the repository", policy.SourceConfig{From: policy.FromEvidence}, func(s *snapshot.Snapshot) {
			s.Evidence = append(s.Evidence, evidence(0, "acme/shop", "MINE", no, day(3, 1)), evidence(checkout, "", "mine", yes, day(3, 1)))
		}, "fail"},
		{"a statement under another name", policy.SourceConfig{From: policy.FromEvidence, Name: "signed_releases"}, func(s *snapshot.Snapshot) {
			s.Evidence = append(s.Evidence, evidence(checkout, "", "signed_releases", yes, day(3, 1)))
		}, "pass"},
		{"a statement about nobody's service", policy.SourceConfig{From: policy.FromEvidence}, func(s *snapshot.Snapshot) {
			s.Evidence = append(s.Evidence, evidence(unattributed, "", "mine", yes, day(3, 1)))
		}, "unknown"},
		{"the last release", policy.SourceConfig{From: policy.FromRelease, Name: "sbom"}, func(s *snapshot.Snapshot) {
			s.Releases = []snapshot.Held[record.Release]{
				{Record: record.Release{ID: "2", Repository: "acme/shop", PublishedAt: day(3, 2), Evidence: map[record.EvidenceKind]record.Answer{"sbom": no}}},
				{Record: record.Release{ID: "1", Repository: "acme/shop", PublishedAt: day(3, 1), Evidence: map[record.EvidenceKind]record.Answer{"sbom": yes}}},
			}
		}, "fail"},
		{"evidence that was not looked for", policy.SourceConfig{From: policy.FromRelease, Name: "sbom"}, func(s *snapshot.Snapshot) {
			s.Releases = []snapshot.Held[record.Release]{{Record: record.Release{ID: "1", Repository: "acme/shop", PublishedAt: day(3, 1)}}}
		}, "unknown"},
		{"the last deployment to production that succeeded", policy.SourceConfig{From: policy.FromDeployment, Name: "provenance"}, func(s *snapshot.Snapshot) {
			of := func(d int, env string, status record.DeploymentStatus, has record.Answer) snapshot.Held[record.Deployment] {
				return snapshot.Held[record.Deployment]{Service: checkout, Record: record.Deployment{
					Repository: "acme/shop", Environment: env, Status: status, FinishedAt: day(3, d), Evidence: map[record.EvidenceKind]record.Answer{"provenance": has},
				}}
			}
			s.Deployments = []snapshot.Held[record.Deployment]{
				of(1, "production", record.DeploymentSucceeded, no), of(2, "production", record.DeploymentSucceeded, yes),
				of(3, "production", record.DeploymentFailed, no), of(4, "staging", record.DeploymentSucceeded, no),
			}
		}, "pass"},
		{"all pipelines that publish or deploy", policy.SourceConfig{From: policy.FromPipeline, Name: "provenance"}, func(s *snapshot.Snapshot) {
			of := func(publishes, has record.Answer, environments ...string) snapshot.Held[record.Pipeline] {
				return snapshot.Held[record.Pipeline]{Record: record.Pipeline{
					Repository: "acme/shop", Publishes: publishes, Environments: environments, Evidence: map[record.EvidenceKind]record.Answer{"provenance": has},
				}}
			}
			s.Pipelines = []snapshot.Held[record.Pipeline]{of(yes, yes), of(no, no), of(no, record.AnswerUnknown, "staging")}
		}, "unknown"},
		{"a rollback that succeeded", policy.SourceConfig{From: policy.FromRollback}, func(s *snapshot.Snapshot) {
			s.Deployed = []snapshot.Milestone[record.Deployment]{{At: day(3, 1), Counted: day(3, 1), Held: snapshot.Held[record.Deployment]{
				Service: checkout, Record: record.Deployment{Environment: "production", Status: record.DeploymentSucceeded, Rollback: yes},
			}}}
		}, "pass"},
		{"a repository that no host knows", policy.SourceConfig{From: policy.FromSetting, Name: "x"}, shop(func(r *snapshot.Repository) {
			r.Settings, r.Scope = map[string]record.Answer{"x": yes}, -1
		}), "unknown"},
		{"an archived repository", policy.SourceConfig{From: policy.FromSetting, Name: "x"}, shop(func(r *snapshot.Repository) {
			r.Settings, r.Archived = map[string]record.Answer{"x": yes}, true
		}), "unknown"},
	} {
		if got := resultOf(with(t, c.change, c.source), "mine", checkout); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	for want, a := range answer {
		e := with(t, shop(func(r *snapshot.Repository) { r.Settings = map[string]record.Answer{"x": a} }), policy.SourceConfig{From: policy.FromSetting, Name: "x"})
		if got := resultOf(e, "mine", checkout); got != want {
			t.Errorf("the answer %q: got %q, want %q", a, got, want)
		}
	}
}

// TestControlsWithoutRepositories: a repository that a control is not about decides nothing; where no other is left, the control does not apply.
func TestControlsWithoutRepositories(t *testing.T) {
	for _, c := range []struct {
		without, topics []string
		want            string
	}{
		{nil, nil, "fail"}, {[]string{"acme/led*"}, nil, "fail"}, {[]string{"*/shop"}, nil, "pass"}, {nil, []string{"docs", "deploy"}, "pass"},
		{[]string{"*"}, nil, ""},
	} {
		config := policy.DefaultConfig()
		config.Controls = policy.ControlsConfig{"mine": {
			Domain: policy.DomainDelivery, Evidence: []policy.SourceConfig{{From: policy.FromSetting, Name: "x"}}, WithoutRepositories: c.without, WithoutTopics: c.topics,
		}}
		p, err := policy.New(config)
		if err != nil {
			t.Fatal(err)
		}
		s := organisation(p)
		s.Repositories[0].Settings, s.Repositories[0].Topics = map[string]record.Answer{"x": record.AnswerNo}, []string{"deploy"}
		s.Repositories[1].Settings = map[string]record.Answer{"x": record.AnswerYes}
		if got := resultOf(metrics.Evaluate(s, p, noon), "mine", ledger); got != c.want { // in acme/shop and acme/ledger
			t.Errorf("without %v and the topics %v: got %q, want %q", c.without, c.topics, got, c.want)
		}
	}
}

// TestRunnersAsEvidence: which self-hosted runners acme/shop may use, and whether all of them are known.
func TestRunnersAsEvidence(t *testing.T) {
	scope := func(name string) snapshot.Scope {
		return snapshot.Scope{Collector: "github", Name: name, Kind: "runners", Kinds: []record.Kind{record.KindRunner}, LastSuccess: noon}
	}
	for _, c := range []struct {
		name   string
		scopes []string
		runner *record.Runner
		accept []string
		want   string
	}{
		{"nothing read", nil, nil, nil, "unknown"},
		{"none of the organisation's, but its own were not read", []string{"runners:acme"}, nil, nil, "unknown"},
		{"none at all", []string{"runners:acme", "runners:acme/shop"}, nil, nil, "pass"},
		{"a dedicated one", []string{"runners:acme", "runners:acme/shop"}, &record.Runner{Visibility: record.RunnerSelected, Repositories: []record.RepositoryName{"acme/shop"}, PublicRepositories: record.AnswerNo}, nil, "pass"},
		{"somebody else's", []string{"runners:acme", "runners:acme/shop"}, &record.Runner{Visibility: record.RunnerSelected, Repositories: []record.RepositoryName{"acme/docs"}, PublicRepositories: record.AnswerYes}, nil, "pass"},
		{"a shared one", []string{"runners:acme"}, &record.Runner{Visibility: record.RunnerAll, PublicRepositories: record.AnswerNo, RestrictedToWorkflows: record.AnswerNo}, nil, "fail"},
		{"a shared one, which is accepted", []string{"runners:acme", "runners:acme/shop"}, &record.Runner{Visibility: record.RunnerAll, PublicRepositories: record.AnswerNo, RestrictedToWorkflows: record.AnswerNo}, []string{"dedicated", "shared"}, "pass"},
		{"of another organisation", []string{"runners:beta", "runners:acme", "runners:acme/shop"}, &record.Runner{Visibility: record.RunnerAll, PublicRepositories: record.AnswerYes}, nil, "pass"},
		{"of which nobody knows who may use it", []string{"runners:acme", "runners:acme/shop"}, &record.Runner{}, nil, "unknown"},
	} {
		e := with(t, func(s *snapshot.Snapshot) {
			unread(s, record.KindRunner)
			s.Runners = nil
			first := int32(len(s.Scopes))
			for _, name := range c.scopes {
				s.Scopes = append(s.Scopes, scope(name))
			}
			if c.runner != nil {
				s.Runners = []snapshot.Held[record.Runner]{{Record: *c.runner, Scope: first}}
			}
		}, policy.SourceConfig{From: policy.FromRunner, Accept: c.accept})
		if got := resultOf(e, "mine", checkout); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCloudIdentityAsEvidence(t *testing.T) {
	for _, c := range []struct {
		identity record.CloudIdentity
		want     string
	}{
		{record.CloudIdentity{OIDC: record.AnswerYes, SecretsKnown: record.AnswerYes}, "pass"},
		{record.CloudIdentity{OIDC: record.AnswerYes, SecretsKnown: record.AnswerYes, Secrets: []record.SecretName{{Name: "AWS_SECRET_ACCESS_KEY"}}}, "fail"},
		{record.CloudIdentity{OIDC: record.AnswerYes}, "unknown"},
		{record.CloudIdentity{OIDC: record.AnswerNo, SecretsKnown: record.AnswerYes}, ""},
	} {
		e := with(t, func(s *snapshot.Snapshot) {
			c.identity.Repository = "acme/shop"
			s.CloudIdentities = []snapshot.Held[record.CloudIdentity]{{Record: c.identity, Scope: scopeRepositories}}
		}, policy.SourceConfig{From: policy.FromCloudIdentity})
		if got := resultOf(e, "mine", checkout); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.identity, got, c.want)
		}
	}
}

// TestDroppedEvidence: what is too old to be shown is unknown, for or against, and so is an exception.
func TestDroppedEvidence(t *testing.T) {
	drop := func(s *snapshot.Snapshot, scope int) {
		s.Scopes[scope].LastSuccess, s.Scopes[scope].StaleAfter = noon.Add(-25*time.Hour), 24*time.Hour
	}
	setting := policy.SourceConfig{From: policy.FromSetting, Name: "x"}
	for _, a := range []record.Answer{record.AnswerYes, record.AnswerNo} {
		e := with(t, func(s *snapshot.Snapshot) {
			s.Repositories[0].Settings = map[string]record.Answer{"x": a}
			drop(s, scopeRepositories)
		}, setting)
		if got := resultOf(e, "mine", checkout); got != "unknown" {
			t.Errorf("a setting that is %q in a dropped scope: got %q", a, got)
		}
		e = with(t, func(s *snapshot.Snapshot) {
			held := evidence(checkout, "", "mine", a, day(3, 1))
			held.Scope = scopeExceptions
			s.Evidence = append(s.Evidence, held)
			drop(s, scopeExceptions)
		}, policy.SourceConfig{From: policy.FromEvidence})
		if got := resultOf(e, "mine", checkout); got != "unknown" {
			t.Errorf("a statement %q in a dropped scope: got %q", a, got)
		}
	}
	excepted := func(s *snapshot.Snapshot) {
		s.Repositories[0].Settings = map[string]record.Answer{"x": record.AnswerNo}
		s.Exceptions = append(s.Exceptions, snapshot.Held[record.Exception]{Scope: scopeExceptions, Service: checkout, Record: record.Exception{
			ID: "9", State: record.ExceptionApproved, Service: "checkout", Controls: []string{"Mine"}, DecidedAt: day(3, 1), ExpiresAt: day(4, 1),
		}})
	}
	if got := resultOf(with(t, excepted, setting), "mine", checkout); got != "exempt" {
		t.Errorf("with an exception in force: got %q", got)
	}
	doubtful := func(s *snapshot.Snapshot) { excepted(s); drop(s, scopeExceptions) }
	if got := resultOf(with(t, doubtful, setting), "mine", checkout); got != "unknown" {
		t.Errorf("with an exception that is too old to be shown: got %q", got)
	}
	gone := with(t, func(s *snapshot.Snapshot) { drop(s, scopeCatalog) }, setting)
	for _, name := range []string{"prodsec_control_services", "prodsec_control_gap", "prodsec_baseline_services", "prodsec_control_evidence_timestamp_seconds"} {
		if r := family(gone, name); len(r.Series) > 0 {
			t.Errorf("%s is shown although every catalog is too old", name)
		}
	}
}

// TestExceptionsOfRepositories: an exception that names a repository says nothing of another, and one that names both needs both.
func TestExceptionsOfRepositories(t *testing.T) {
	for _, c := range []struct {
		name      string
		exception record.Exception
		service   int32
		want      string
	}{
		{"its repository", record.Exception{Repository: "acme/shop"}, checkout, "exempt"},
		{"another repository", record.Exception{Repository: "acme/ledger"}, ledger, "fail"},
		{"service and repository", record.Exception{Service: "checkout", Repository: "acme/shop"}, checkout, "exempt"},
		{"another service in the same repository", record.Exception{Service: "ledger", Repository: "acme/shop"}, ledger, "fail"},
		{"a service that no catalog knows", record.Exception{Service: "nobody", Repository: "acme/shop"}, unattributed, "fail"},
		{"another control", record.Exception{Service: "checkout", Controls: []string{"sca"}}, checkout, "fail"},
		{"expired", record.Exception{Service: "checkout", ExpiresAt: noon}, checkout, "fail"},
		{"not approved", record.Exception{Service: "checkout", State: record.ExceptionRequested}, checkout, "fail"},
	} {
		e := with(t, func(s *snapshot.Snapshot) {
			s.Repositories[0].Settings = map[string]record.Answer{"x": record.AnswerNo}
			if c.exception.State == "" {
				c.exception.State = record.ExceptionApproved
			}
			if c.exception.Controls == nil {
				c.exception.Controls = []string{"mine"}
			}
			s.Exceptions = append(s.Exceptions, snapshot.Held[record.Exception]{Scope: scopeExceptions, Service: c.service, Record: c.exception})
		}, policy.SourceConfig{From: policy.FromSetting, Name: "x"})
		if got := resultOf(e, "mine", checkout); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestControlFailures: openings, reopenings, grants and bypasses by window and control.
func TestControlFailures(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	s.Strings = []string{"", "CWE-862", "CWE-89"}
	var weaknesses snapshot.Editor[snapshot.Weakness]
	var events snapshot.Editor[snapshot.Event]
	for i, w := range []struct {
		class          record.Class
		category       int32
		opened, reopen time.Time
	}{
		{record.ClassSCA, 0, day(3, 26), day(3, 28)},  // A
		{record.ClassSCA, 2, day(3, 5), time.Time{}},  // B
		{record.ClassSAST, 1, day(3, 10), day(4, 2)},  // C
		{record.ClassSAST, 2, day(3, 1), time.Time{}}, // D
		{record.ClassSCA, 0, day(1, 20), time.Time{}}, // E
		{record.ClassSCA, 0, day(1, 1).AddDate(-1, 0, 0), time.Time{}},
	} {
		class := snapshot.IndexOfClass(w.class)
		weaknesses.Append(snapshot.Weakness{Category: w.category, Class: class, Reports: 1, OpenReports: 1, Service: checkout, FirstSeen: w.opened.Unix()})
		events.Append(snapshot.Event{Weakness: int32(i), Class: class, Counted: w.opened.Unix(), Kind: snapshot.EventOpened})
		events.Append(snapshot.Event{Weakness: int32(i), Class: class, Counted: w.opened.Unix(), Kind: snapshot.EventFixed})
		if !w.reopen.IsZero() {
			events.Append(snapshot.Event{Weakness: int32(i), Class: class, Counted: w.reopen.Unix(), Kind: snapshot.EventReopened})
		}
	}
	s.Weaknesses, s.Events, s.Pauses = weaknesses.Freeze(), events.Freeze(), nil
	s.Exceptions[0].Record.Controls, s.Exceptions[0].Record.Rules = []string{"sast", "logging"}, nil
	s.Decided = nil
	for i := range s.Exceptions {
		if h := s.Exceptions[i]; !h.Record.DecidedAt.IsZero() {
			s.Decided = append(s.Decided, snapshot.Milestone[record.Exception]{Held: h, At: h.Record.DecidedAt, Counted: h.Record.DecidedAt})
		}
	}
	s.Scopes[scopeRepositories].Kinds = append(s.Scopes[scopeRepositories].Kinds, record.KindBypass)
	s.Bypassed = nil
	for i, at := range []time.Time{day(3, 30), day(3, 2), noon.Add(time.Second)} {
		s.Bypassed = append(s.Bypassed, snapshot.Milestone[record.Bypass]{At: at, Counted: at, Held: snapshot.Held[record.Bypass]{
			Record: record.Bypass{ID: fmt.Sprint(i), Result: record.BypassBypassed, Rules: []string{"pull_request"}, At: at},
		}})
	}
	r := family(metrics.Evaluate(s, p, noon), "prodsec_control_failures_in_window")
	for _, c := range []struct {
		labels string
		want   float64
		why    string
	}{
		{"window=7d,control=sca,source=finding", 1, "A of 26 March"},
		{"window=30d,control=sca,source=finding", 2, "A, and B of 5 March"},
		{"window=90d,control=sca,source=finding", 3, "A, B, E of 20 January"},
		{"window=30d,control=design_review,source=finding", 1, "C is about missing authorisation"},
		{"window=30d,control=sast,source=finding", 0, "D of 1 March is older than 30 days by half a day"},
		{"window=90d,control=sast,source=finding", 1, "D"},
		{"window=7d,control=sca,source=regression", 1, "A came back on 28 March"},
		{"window=90d,control=design_review,source=regression", 0, "C comes back on 2 April"},
		{"window=30d,control=sast,source=renewal", 1, "exception 1 of 5 March names it, 63 d after 2"},
		{"window=30d,control=logging,source=renewal", 1, "exception 1 names it, too"},
		{"window=30d,control=sast,source=exception", 0, "1 is a renewal"},
		{"window=90d,control=none,source=exception", 2, "2 covers a rule of no row, 3 names nothing"},
		{"window=7d,control=branch_protection,source=bypass", 1, "30 March; the third has not counted yet"},
		{"window=30d,control=branch_protection,source=bypass", 2, "and 2 March"},
		{"window=7d,control=rollback,source=bypass", 0, "read, and none"},
	} {
		if got, ok := value(r, c.labels); !ok || got != c.want {
			t.Errorf("%s: got %v (%v), want %v: %s", c.labels, got, ok, c.want, c.why)
		}
	}
	s = organisation(p)
	unread(s, record.KindBypass)
	r = family(metrics.Evaluate(s, p, noon), "prodsec_control_failures_in_window")
	if slices.ContainsFunc(r.Series, func(s metrics.Series) bool { return s.Labels[2] == "bypass" }) {
		t.Error("bypasses are shown although nobody reads them")
	}
}

// TestControlsAddUp: over synthetic organisations, each service that a control applies to has one result, whatever is folded, and a gap if it is
// in policy.detail and has none of the good ones.
func TestControlsAddUp(t *testing.T) {
	for seed := range uint64(8) {
		for _, budget := range []int{10_000, 150} {
			c := policy.DefaultConfig()
			c.Detail.MaxSeries = budget
			p, err := policy.New(c)
			if err != nil {
				t.Fatal(err)
			}
			s := synthetic(size{weaknesses: 2_000, services: 120, repositories: 240}, p, seed)
			e := metrics.Evaluate(s, p, evaluated)
			got := sumBy(family(e, "prodsec_control_services"), "control")
			for i := range p.Controls() {
				control, want := &p.Controls()[i], 0.0
				for at := 1; at < len(s.Services); at++ {
					if control.Applies(&s.Services[at].Service, len(s.Services[at].Repositories) > 0) {
						want++
					}
				}
				if control.Name == "cloud_identity" || control.Name == "runner_tier" {
					continue // of repositories without anything to look at there is no result
				}
				if got[control.Name] != want {
					t.Errorf("seed %d, %d series: %v results of %s, want %v", seed, budget, got[control.Name], control.Name, want)
				}
			}
			bad := sumBy(family(e, "prodsec_control_services"), "status")
			gaps := sumBy(family(e, "prodsec_control_gap"), "status")
			if gaps["fail"] == 0 || gaps["fail"] > bad["fail"] || gaps["unknown"] > bad["unknown"] {
				t.Errorf("seed %d, %d series: gaps %v of results %v", seed, budget, gaps, bad)
			}
			all := sumBy(family(e, "prodsec_baseline_services"))
			if all[""] != float64(len(s.Services)-1) {
				t.Errorf("seed %d, %d series: %v services have a baseline, want %d", seed, budget, all[""], len(s.Services)-1)
			}
		}
	}
}
