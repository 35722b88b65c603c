package metrics_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// evaluated is the instant of all synthetic snapshots.
var evaluated = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// size says how large a synthetic organisation is.
type size struct{ weaknesses, services, repositories, deployments int }

// syntheticCategories is how many categories of finding there are.
const syntheticCategories = 100

// synthetic makes an organisation of a size: a quarter of the weaknesses is open, every weakness has three events. The same size
// and seed make the same organisation.
func synthetic(n size, p *policy.Policy, seed uint64) *snapshot.Snapshot {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &snapshot.Snapshot{
		At: evaluated, Founded: evaluated.AddDate(-1, 0, 0),
		PolicyVersions: []snapshot.PolicyVersion{{Version: p.Version(), Since: evaluated.AddDate(0, -2, 0)}},
		Strings:        []string{"", "codeql", "trivy", "dependabot"},
		Records:        map[record.Kind]int{record.KindFinding: n.weaknesses},
		Pauses:         map[int32][]policy.Pause{},
	}
	for cwe := range syntheticCategories {
		s.Strings = append(s.Strings, fmt.Sprintf("CWE-%d", cwe))
	}
	s.Scopes = []snapshot.Scope{
		{Collector: "github", Instance: "github", Name: "alerts:acme", Kind: "alerts", Classes: record.Classes()[:4], LastSuccess: evaluated.Add(-time.Hour)},
		{Collector: "github", Instance: "github", Name: "repositories:acme", Kind: "repositories", Kinds: []record.Kind{record.KindRepository}, LastSuccess: evaluated.Add(-time.Hour)},
	}
	addServices(s, n, p)
	addRepositories(s, n, rng)
	addWeaknesses(s, n, rng)
	addDeployments(s, n, rng)
	return s
}

func addServices(s *snapshot.Snapshot, n size, p *policy.Policy) {
	for i := range n.services {
		tier := []string{"tier0", "tier1", "tier2", "tier3"}[i%4]
		owner := snapshot.Owner{
			BusinessUnit: fmt.Sprintf("unit-%d", i%8), Team: fmt.Sprintf("team-%d", i%96), Service: fmt.Sprintf("service-%d", i), TrustTier: tier,
		}
		service := record.Service{
			Name: owner.Service, BusinessUnit: owner.BusinessUnit, Team: owner.Team, TrustTier: tier,
			ProductArea: fmt.Sprintf("area-%d", i%40), InternetFacing: record.AnswerOf(i%5 == 0), CrownJewel: record.AnswerOf(i%17 == 0),
		}
		if i == 0 {
			owner, service = snapshot.UnattributedOwner, record.Service{Name: record.Unattributed}
		}
		s.Owners = append(s.Owners, owner)
		s.Services = append(s.Services, snapshot.Service{Service: service, Owner: int32(i), Facts: p.FactsOf(service)})
	}
}

func addRepositories(s *snapshot.Snapshot, n size, rng *rand.Rand) {
	answer := func() record.Answer {
		return []record.Answer{record.AnswerYes, record.AnswerYes, record.AnswerNo, record.AnswerUnknown}[rng.IntN(4)]
	}
	for i := range n.repositories {
		r := snapshot.Repository{Service: int32(i % n.services), Scope: 1}
		r.Name = record.RepositoryName(fmt.Sprintf("acme/repo-%d", i))
		r.Branches = []record.BranchProtection{{
			Branch: "main", Default: true, PullRequest: answer(), Approvals: rng.IntN(3), StatusChecks: answer(), ForcePushBlocked: answer(),
			DeletionBlocked: answer(), AdminsBound: answer(), BypassLimited: answer(),
		}}
		s.Repositories = append(s.Repositories, r)
		owner := &s.Services[r.Service]
		owner.Repositories = append(owner.Repositories, record.RepositoryPath{Repository: r.Name})
	}
}

func addWeaknesses(s *snapshot.Snapshot, n size, rng *rand.Rand) {
	var weaknesses snapshot.Editor[snapshot.Weakness]
	var events snapshot.Editor[snapshot.Event]
	for i := range n.weaknesses {
		seen := evaluated.Unix() - int64(rng.IntN(400*86400)) - 1
		w := snapshot.Weakness{
			ID: int64(i), FirstSeen: seen, ClockStart: seen, Service: int32(rng.IntN(n.services)), Repository: int32(rng.IntN(n.repositories)),
			Tool: int32(1 + rng.IntN(3)), Category: int32(3 + rng.IntN(syntheticCategories)), EPSS: uint16(rng.IntN(6000)), Reports: uint16(1 + rng.IntN(20)/19), OpenReports: 1,
			Severity: policy.SeverityIndex(rng.IntN(4)), Class: snapshot.ClassIndex(rng.IntN(4)),
		}
		closed := seen + int64(rng.IntN(int(evaluated.Unix()-seen)))
		e := snapshot.Event{At: seen, Counted: seen, Weakness: int32(i), Owner: w.Service, Severity: w.Severity, Class: w.Class}
		events.Append(e)
		e.At, e.Counted, e.Kind = closed, closed, snapshot.EventExcepted
		if i%4 != 0 {
			w.Closure, w.ClosedAt, w.OpenReports = snapshot.IndexOfClosure(record.ClosureFixed), closed, 0
			e.Kind, e.Seconds = snapshot.EventFixed, uint32(closed-seen)
		} else if i%40 == 0 {
			s.Pauses[int32(i)] = []policy.Pause{{Start: closed, End: closed + 30*86400}}
		}
		events.Append(e)
		e.Kind, e.Seconds = snapshot.EventMet+snapshot.EventKind(rng.IntN(2)), 0
		if i%50 == 0 {
			e.Kind = snapshot.EventRevoked
		}
		events.Append(e)
		weaknesses.Append(w)
	}
	s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
}

// addDeployments: every deployment carries two changes, one in thirty is a rollback, one in thirty fails, and one in twenty has an incident.
func addDeployments(s *snapshot.Snapshot, n size, rng *rand.Rand) {
	if n.deployments == 0 {
		return
	}
	scope := int32(len(s.Scopes))
	s.Scopes = append(s.Scopes, snapshot.Scope{
		Collector: "github", Instance: "github", Name: "deployments:acme", Kind: "deployments",
		Kinds: []record.Kind{record.KindDeployment, record.KindIncident}, LastSuccess: evaluated.Add(-time.Hour),
	})
	for i := range n.deployments {
		at := evaluated.Add(-time.Duration(rng.IntN(400*86400)) * time.Second)
		number := rng.IntN(len(s.Repositories))
		repository, environments := &s.Repositories[number], []string{"production", "production", "staging"}
		if number%10 == 0 {
			environments = []string{"production", "prod-eu", "staging"}
		}
		d := record.Deployment{
			ID: strconv.Itoa(i), Repository: repository.Name, Environment: environments[rng.IntN(len(environments))],
			Status: record.DeploymentSucceeded, Approval: approvals[rng.IntN(len(approvals))], FinishedAt: at, FromProtectedBranch: record.AnswerYes,
			Rollback: record.AnswerOf(rng.IntN(30) == 0), ChangesKnown: record.AnswerYes,
			Evidence: map[record.EvidenceKind]record.Answer{record.EvidenceProvenance: record.AnswerYes},
		}
		if rng.IntN(30) == 0 {
			d.Status = record.DeploymentFailed
		}
		for c := range 2 {
			took := time.Duration(rng.IntN(30*86400)) * time.Second
			d.Changes = append(d.Changes, record.Change{
				ID: strconv.Itoa(2*i + c), FirstCommitAt: at.Add(-took), ApprovedAt: at.Add(-took / 4), SecurityReviewed: record.AnswerYes, SecurityReviewAt: at.Add(-took / 3),
			})
		}
		h := snapshot.Held[record.Deployment]{Record: d, Instance: "github/github", Scope: scope, Service: repository.Service, Owner: repository.Service}
		s.Deployments = append(s.Deployments, h)
		s.Deployed = append(s.Deployed, snapshot.Milestone[record.Deployment]{Held: h, At: at, Counted: at, Observed: s.Founded})
		if i%20 == 0 {
			x := snapshot.Held[record.Incident]{
				Record:   record.Incident{ID: d.ID, OpenedAt: at.Add(time.Hour), RestoredAt: at.Add(2 * time.Hour), ControlGap: record.AnswerOf(i%3 == 0)},
				Instance: "jira/jira", Scope: scope, Service: h.Service, Owner: h.Owner,
			}
			s.Incidents = append(s.Incidents, x)
			s.Opened = append(s.Opened, snapshot.Milestone[record.Incident]{Held: x, At: x.Record.OpenedAt, Counted: x.Record.OpenedAt, Observed: s.Founded})
			s.Restored = append(s.Restored, snapshot.Milestone[record.Incident]{Held: x, At: x.Record.RestoredAt, Counted: x.Record.RestoredAt, Observed: s.Founded})
		}
	}
}

var approvals = []record.Approval{record.ApprovalApproved, record.ApprovalBypassed, record.ApprovalNone, record.ApprovalUnknown}

func benchmarkEvaluate(b *testing.B, n size) {
	for _, zone := range []string{"UTC", "Europe/Berlin"} {
		b.Run(zone, func(b *testing.B) {
			c := policy.DefaultConfig()
			c.TimeZone = zone
			p, err := policy.New(c)
			if err != nil {
				b.Fatal(err)
			}
			s := synthetic(n, p, 1)
			b.ReportAllocs()
			series := 0
			for b.Loop() {
				series = 0
				for _, r := range metrics.Evaluate(s, p, evaluated).Results {
					series += len(r.Series)
				}
			}
			b.ReportMetric(float64(series), "series")
		})
	}
}

// The budget of the design is 250 ms on one core.
func BenchmarkEvaluate1M(b *testing.B) {
	benchmarkEvaluate(b, size{1_000_000, 10_000, 20_000, 100_000})
}

// A tenth of it, to show that the cost grows linearly.
func BenchmarkEvaluate100k(b *testing.B) { benchmarkEvaluate(b, size{100_000, 1_000, 2_000, 10_000}) }
