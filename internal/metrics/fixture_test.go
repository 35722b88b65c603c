package metrics_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/internal/exposition"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// noon is the instant of the hand-made snapshot, a Tuesday.
var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

// The positions in the hand-made snapshot.
const (
	unattributed = iota
	checkout
	ledger
	docs
)

const (
	scopeCatalog = iota
	scopeRepositories
	scopeAlerts
	scopeExceptions
	scopeSecrets
	scopeRequests
	scopeDeliveries
	scopeIncidents
)

// The positions in its strings.
const (
	cwe79 = 3
	cwe89 = 4
)

// organisation is a hand-made snapshot: three services, four repositories, eight weaknesses, five exceptions, six reviews, four
// follow-ups, three escalations. The tables in the tests derive the numbers from it.
func organisation(p *policy.Policy) *snapshot.Snapshot {
	s := &snapshot.Snapshot{
		At: noon, Founded: day(1, 1),
		PolicyVersions:  []snapshot.PolicyVersion{{Version: p.Version(), Since: day(1, 1)}, {Version: "another", Since: day(1, 15)}, {Version: p.Version(), Since: day(2, 1)}},
		CountingChanges: []snapshot.CountingChange{{Kind: snapshot.CountingPolicy, At: day(2, 1), Restated: map[string]float64{"findings_breached": -2, "sla_attainment_ratio": 0.25}}, {Kind: snapshot.CountingScope, At: day(4, 2)}},
		Strings:         []string{"", "codeql", "dependabot", "CWE-79", "CWE-89"},
		Records:         map[record.Kind]int{record.KindFinding: 10, record.KindException: 5, record.KindService: 3, record.KindRepository: 4},
		Scopes: []snapshot.Scope{
			scopeCatalog:      {Collector: "catalog", Instance: "main", Name: "catalog:main", Kind: "catalog", Kinds: []record.Kind{record.KindService}, LastSuccess: noon.Add(-time.Minute)},
			scopeRepositories: {Collector: "github", Instance: "acme", Name: "repositories:acme", Kind: "repositories", Kinds: []record.Kind{record.KindRepository}, LastSuccess: noon.Add(-time.Hour)},
			scopeAlerts: {
				Collector: "github", Instance: "acme", Name: "alerts:acme", Kind: "alerts", LastSuccess: noon.Add(-2 * time.Hour),
				Classes: []record.Class{record.ClassSCA, record.ClassSAST}, StaleFrom: time.Hour, StaleAfter: 6 * time.Hour,
			},
			scopeExceptions: {Collector: "jira", Instance: "psec", Name: "exceptions:psec", Kind: "exceptions", Kinds: []record.Kind{record.KindException}, LastSuccess: noon.Add(-time.Minute)},
			scopeSecrets:    {Collector: "github", Instance: "acme", Name: "secrets:acme", Kind: "secrets", Classes: []record.Class{record.ClassSecret}, LastError: record.ReasonPermission},
			scopeRequests:   {Collector: "jira", Instance: "psec", Name: "requests:psec", Kind: "requests", LastSuccess: noon.Add(-time.Minute)},
			scopeDeliveries: {Collector: "github", Instance: "acme", Name: "deliveries:acme", Kind: "deliveries", LastSuccess: noon.Add(-time.Minute)},
			scopeIncidents:  {Collector: "jira", Instance: "psec", Name: "incidents:psec", Kind: "incidents", LastSuccess: noon.Add(-time.Minute)},
		},
	}
	for i, service := range []record.Service{
		unattributed: {Name: record.Unattributed},
		checkout: {
			Name: "checkout", BusinessUnit: "retail", Team: "payments", TrustTier: "tier0", ProductArea: "shop", Lifecycle: "production",
			CrownJewel: record.AnswerYes, InternetFacing: record.AnswerYes,
			Repositories: []record.RepositoryPath{{Repository: "acme/shop"}},
		},
		ledger: {
			Name: "ledger", BusinessUnit: "retail", Team: "payments", TrustTier: "tier1", CrownJewel: record.AnswerNo, InternetFacing: record.AnswerNo,
			Repositories: []record.RepositoryPath{{Repository: "acme/shop", Paths: []string{"ledger/**"}}, {Repository: "acme/ledger"}},
		},
		docs: {Name: "docs", BusinessUnit: "platform", Team: "docs", TrustTier: "tier3", Repositories: []record.RepositoryPath{{Repository: "acme/docs"}}, Facts: map[string]string{"rollback": "2026-02-01"}},
	} {
		owner := snapshot.Owner{BusinessUnit: service.BusinessUnit, Team: service.Team, Service: service.Name, TrustTier: service.TrustTier}
		if i == unattributed {
			owner = snapshot.UnattributedOwner
		}
		s.Owners = append(s.Owners, owner)
		s.Services = append(s.Services, snapshot.Service{Service: service, Owner: int32(i), Facts: p.FactsOf(service)})
	}
	addHandmadeRepositories(s)
	addHandmadeWeaknesses(s)
	addHandmadeExceptions(s)
	addHandmadeScans(s)
	addHandmadeRequests(s)
	addHandmadeMilestones(s)
	addHandmadeDeployments(s)
	addHandmadeIncidents(s)
	addHandmadeTrust(s)
	s.CatalogConflicts = []snapshot.CatalogConflict{
		{Service: checkout, Field: record.FieldTeam, Used: "payments", UsedBy: "catalog/main", Ignored: "shop", IgnoredBy: "backstage/portal"},
		{Service: docs, Field: record.FieldTeam, Used: "docs", UsedBy: "catalog/main", Ignored: "web", IgnoredBy: "backstage/portal"},
		{Service: docs, Field: record.FieldTrustTier, Used: "tier3", UsedBy: "catalog/main", Ignored: "tier2", IgnoredBy: "backstage/portal"},
	}
	return s
}

// addHandmadeScans: shop is scanned by all, ledger was once, nobody can say for docs whether Dependabot is on, but secret scanning is.
func addHandmadeScans(s *snapshot.Snapshot) {
	for _, scan := range []record.Scan{
		{Tool: "codeql", Class: record.ClassSAST, Repository: "acme/shop", SucceededAt: noon.AddDate(0, 0, -1)},
		{Tool: "semgrep", Class: record.ClassSAST, Repository: "acme/shop", SucceededAt: noon.AddDate(0, 0, -20)},
		{Tool: "codeql", Class: record.ClassSAST, Repository: "acme/ledger", SucceededAt: noon.AddDate(0, 0, -8)},
		{Tool: "dependabot", Class: record.ClassSCA, Repository: "acme/shop", SucceededAt: noon.AddDate(0, 0, -7)},
		{Tool: "dependabot", Class: record.ClassSCA, Repository: "acme/ledger", AttemptedAt: noon, Enabled: record.AnswerYes},
		{Tool: "dependabot", Class: record.ClassSCA, Repository: "acme/docs", Enabled: record.AnswerUnknown},
		{Tool: "gitleaks", Class: record.ClassSecret, Repository: "acme/shop", SucceededAt: noon.Add(-time.Hour)},
		{Tool: "secret-scanning", Class: record.ClassSecret, Repository: "acme/docs", Continuous: true, Enabled: record.AnswerYes},
		{Tool: "codeql", Class: record.ClassSAST, Repository: "acme/old", SucceededAt: noon},
	} {
		s.Scans = append(s.Scans, snapshot.Held[record.Scan]{Record: scan, Scope: scopeAlerts})
	}
}

func addHandmadeRepositories(s *snapshot.Snapshot) {
	protected := record.BranchProtection{
		Branch: "main", Default: true, PullRequest: record.AnswerYes, Approvals: 2, StatusChecks: record.AnswerYes,
		ForcePushBlocked: record.AnswerYes, DeletionBlocked: record.AnswerYes, SignedCommits: record.AnswerNo,
	}
	release := protected
	release.Branch, release.Default, release.Approvals = "release", false, 0
	s.Repositories = []snapshot.Repository{
		{Repository: record.Repository{
			Name: "acme/shop", Branches: []record.BranchProtection{protected, release},
			Environments: []record.EnvironmentProtection{
				{Environment: "production", RequiredReviewers: record.AnswerYes, BranchPolicy: record.AnswerYes, SelfReviewPrevented: record.AnswerNo},
				{Environment: "staging", RequiredReviewers: record.AnswerNo},
			},
		}, Service: checkout, Scope: scopeRepositories},
		{Repository: record.Repository{Name: "acme/ledger", Branches: []record.BranchProtection{protected}, Environments: []record.EnvironmentProtection{}}, Service: ledger, Scope: scopeRepositories},
		{Repository: record.Repository{Name: "acme/docs"}, Service: docs, Scope: scopeRepositories}, // protection could not be read
		{Repository: record.Repository{Name: "acme/old", Archived: true}, Unmapped: snapshot.UnmappedArchived, Scope: scopeRepositories},
	}
}

func addHandmadeWeaknesses(s *snapshot.Snapshot) {
	var weaknesses snapshot.Editor[snapshot.Weakness]
	var events snapshot.Editor[snapshot.Event]
	critical, high := policy.IndexOfSeverity(record.SeverityCritical), policy.IndexOfSeverity(record.SeverityHigh)
	sca, sast := snapshot.IndexOfClass(record.ClassSCA), snapshot.IndexOfClass(record.ClassSAST)
	add := func(service int32, severity policy.SeverityIndex, class snapshot.ClassIndex, seen time.Time, closed time.Time) int32 {
		w := snapshot.Weakness{
			FirstSeen: seen.Unix(), ClockStart: seen.Unix(), Service: service, Scope: scopeAlerts, Tool: 1 + int32(class%2),
			Severity: severity, Class: class, Reports: 1, OpenReports: 1,
		}
		if !closed.IsZero() {
			w.Closure, w.ClosedAt, w.OpenReports = snapshot.IndexOfClosure(record.ClosureFixed), closed.Unix(), 0
		}
		return int32(weaknesses.Append(w))
	}
	event := func(weakness int32, kind snapshot.EventKind, at time.Time, seconds float64) {
		w := weaknesses.At(int(weakness))
		events.Append(snapshot.Event{
			At: at.Unix(), Counted: at.Unix(), Weakness: weakness, Owner: w.Service, Severity: w.Severity, Class: w.Class,
			Kind: kind, Seconds: uint32(seconds),
		})
	}

	a := add(checkout, critical, sca, noon.AddDate(0, 0, -5), time.Time{})
	event(a, snapshot.EventOpened, noon.AddDate(0, 0, -5), 0)
	b := add(checkout, high, sca, day(3, 5), time.Time{})
	event(b, snapshot.EventOpened, day(3, 5), 0)
	c := add(ledger, critical, sast, day(3, 10), time.Time{})
	event(c, snapshot.EventOpened, day(3, 10), 0)
	event(c, snapshot.EventMissed, day(3, 25), 0)
	d := add(ledger, critical, sast, day(3, 1), time.Time{})
	event(d, snapshot.EventOpened, day(3, 1), 0)
	event(d, snapshot.EventExcepted, day(3, 5), 0)
	s.Pauses = map[int32][]policy.Pause{d: {{Start: day(3, 5).Unix(), End: day(4, 30).Unix()}}}
	e := add(docs, policy.IndexOfSeverity(record.SeverityUnknown), sast, day(3, 30).AddDate(-1, 0, 0), time.Time{})
	event(e, snapshot.EventOpened, day(3, 30).AddDate(-1, 0, 0), 0)
	f := add(ledger, high, sca, day(2, 20), day(3, 20))
	weaknesses.Change(int(f)).Reports = 3
	event(f, snapshot.EventOpened, day(2, 20), 0)
	event(f, snapshot.EventFixed, day(3, 20), 28*86400)
	event(f, snapshot.EventMet, day(3, 20), 0)
	g := add(checkout, critical, sca, day(2, 25), time.Time{})
	event(g, snapshot.EventOpened, day(2, 25), 0)
	event(g, snapshot.EventFixed, day(3, 2), 5*86400)
	event(g, snapshot.EventMet, day(3, 2), 0)
	event(g, snapshot.EventReopened, day(3, 28), 0)
	event(g, snapshot.EventRevoked, day(3, 28), 0)
	event(g, snapshot.EventMissed, day(3, 28), 0)
	h := add(docs, policy.IndexOfSeverity(record.SeverityLow), sast, day(3, 10), day(3, 20))
	weaknesses.Change(int(h)).Closure = snapshot.IndexOfClosure(record.ClosureFalsePositive)
	event(h, snapshot.EventOpened, day(3, 10), 0)
	event(h, snapshot.EventDismissedFalsePositive, day(3, 20), 0)
	event(h, snapshot.EventVoid, day(3, 20), 0)
	for at, category := range map[int32]int32{a: cwe79, c: cwe89, d: cwe89, f: cwe79, g: cwe79} {
		weaknesses.Change(int(at)).Category = category
	}
	weaknesses.Change(int(b)).EPSS = 6000
	weaknesses.Change(int(d)).Flags = snapshot.KnownExploited
	weaknesses.Change(int(e)).Flags = snapshot.ActiveSecret
	s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
}

func addHandmadeExceptions(s *snapshot.Snapshot) {
	for _, e := range []struct {
		service int32
		record.Exception
	}{
		{ledger, record.Exception{
			ID: "1", State: record.ExceptionApproved, Category: "legacy", Service: "ledger", Rules: []string{"go/sql"},
			RequestedAt: day(3, 1), DecidedAt: day(3, 5), ExpiresAt: day(4, 30),
		}},
		{ledger, record.Exception{
			ID: "2", State: record.ExceptionApproved, Category: "legacy", Service: "ledger", Rules: []string{"go/xss"},
			DecidedAt: day(1, 1), ExpiresAt: day(3, 31),
		}},
		{checkout, record.Exception{ID: "3", State: record.ExceptionApproved, Service: "checkout", DecidedAt: day(3, 29), ExpiresAt: day(4, 7)}},
		{checkout, record.Exception{ID: "4", State: record.ExceptionRequested, Category: "vendor", RequestedAt: day(3, 30)}},
		{docs, record.Exception{ID: "5", State: record.ExceptionRejected, DecidedAt: day(1, 2)}},
	} {
		s.Exceptions = append(s.Exceptions, snapshot.Held[record.Exception]{Record: e.Exception, Scope: scopeExceptions, Service: e.service, Owner: e.service})
	}
}

// addHandmadeRequests are the reviews, follow-ups and escalations. Where nothing else is said they are in state, kind or date what a
// source leaves open.
func addHandmadeRequests(s *snapshot.Snapshot) {
	for _, r := range []struct {
		service int32
		record.Review
	}{
		{checkout, record.Review{ID: "R1", Kind: record.ReviewThreatModel, State: record.ReviewWaiting, RequestedAt: noon.AddDate(0, 0, -1)}},
		{checkout, record.Review{ID: "R2", Kind: record.ReviewThreatModel, State: record.ReviewWaiting, RequestedAt: noon.AddDate(0, 0, -10)}},
		{ledger, record.Review{ID: "R3", Kind: record.ReviewCode, State: record.ReviewInProgress, RequestedAt: day(3, 20), FirstResponseAt: day(3, 20).Add(6 * time.Hour)}},
		{docs, record.Review{ID: "R4", Kind: record.ReviewDesign, State: record.ReviewBlocked, RequestedAt: day(3, 1)}},
		{ledger, record.Review{ID: "R5", Kind: record.ReviewThreatModel, State: record.ReviewDone, RequestedAt: day(2, 1), FirstResponseAt: day(2, 3), ClosedAt: day(2, 10)}},
		{docs, record.Review{ID: "R6", Kind: "privacy", State: record.ReviewWaiting, RequestedAt: day(3, 1), FirstResponseAt: day(3, 2)}},
	} {
		s.Reviews = append(s.Reviews, snapshot.Held[record.Review]{Record: r.Review, Scope: scopeRequests, Service: r.service, Owner: r.service})
	}
	for _, f := range []struct {
		service int32
		record.Followup
	}{
		{checkout, record.Followup{ID: "F1", CreatedAt: day(3, 1), DueAt: noon}},
		{ledger, record.Followup{ID: "F2", CreatedAt: day(3, 30)}},
		{ledger, record.Followup{ID: "F3", CreatedAt: day(2, 1), DueAt: day(2, 5), ClosedAt: day(2, 11)}},
		{checkout, record.Followup{ID: "F4", CreatedAt: day(3, 21), DueAt: noon.Add(time.Second)}},
	} {
		s.Followups = append(s.Followups, snapshot.Held[record.Followup]{Record: f.Followup, Scope: scopeRequests, Service: f.service, Owner: f.service})
	}
	for _, e := range []struct {
		service int32
		record.Escalation
	}{
		{checkout, record.Escalation{ID: "E1", Kind: record.EscalationReleaseBlock, Reason: "No review", RaisedAt: day(3, 29)}},
		{ledger, record.Escalation{ID: "E2", Kind: "call", RaisedAt: day(3, 1), ClosedAt: day(3, 2)}},
		{checkout, record.Escalation{ID: "E3", Kind: record.EscalationReleaseBlock, Reason: "No review", RaisedAt: day(3, 1), ClosedAt: day(3, 3)}},
	} {
		s.Escalations = append(s.Escalations, snapshot.Held[record.Escalation]{Record: e.Escalation, Scope: scopeRequests, Service: e.service, Owner: e.service})
	}
}

// addHandmadeMilestones are those of what is held, of R7, which has left its source, and of E4, which is counted in a second.
func addHandmadeMilestones(s *snapshot.Snapshot) {
	gone := snapshot.Held[record.Review]{Scope: -1, Service: checkout, Owner: checkout, Record: record.Review{
		ID: "R7", Kind: record.ReviewCode, State: record.ReviewInProgress, RequestedAt: day(3, 28), FirstResponseAt: day(3, 30),
	}}
	s.Answered = milestones(append(slices.Clone(s.Reviews), gone), func(r *record.Review) time.Time { return r.FirstResponseAt })
	s.Decided = milestones(s.Exceptions, func(e *record.Exception) time.Time { return e.DecidedAt })
	s.Completed = milestones(s.Followups, func(f *record.Followup) time.Time { return f.ClosedAt })
	s.Raised = milestones(s.Escalations, func(e *record.Escalation) time.Time { return e.RaisedAt })
	later := s.Raised[0]
	later.Counted = noon.Add(time.Second)
	s.Raised = append(s.Raised, later)
}

func milestones[T any](held []snapshot.Held[T], at func(*T) time.Time) []snapshot.Milestone[T] {
	var reached []snapshot.Milestone[T]
	for _, h := range held {
		if t := at(&h.Record); !t.IsZero() {
			reached = append(reached, snapshot.Milestone[T]{Held: h, At: t, Counted: t, Observed: t})
		}
	}
	return reached
}

// exposed is an evaluation as a scraper sees it in the text format.
func exposed(t *testing.T, e *metrics.Evaluation) string {
	t.Helper()
	store := exposition.New(prometheus.NewRegistry(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	store.Publish(e)
	server := httptest.NewServer(store)
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
