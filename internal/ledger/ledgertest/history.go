package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// start is the first instant of every history.
var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// sources are the instances of a random history, two of them scanners whose reports overlap.
var sources = []ledger.Source{
	{Collector: "catalog", Instance: "a", StaleAfter: time.Hour},
	{Collector: "scanner", Instance: "one", StaleAfter: time.Hour},
	{Collector: "scanner", Instance: "two", StaleAfter: time.Hour},
	{Collector: "tickets", Instance: "t", StaleAfter: time.Hour},
	{Collector: "lists", Instance: "l", StaleAfter: time.Hour},
	{Collector: "host", Instance: "h", StaleAfter: 30 * policy.Day, StaleFrom: 2 * time.Hour, Classes: []record.Class{record.ClassSAST}},
}

// history makes random but plausible input: few names, so that reports meet, move, merge and part all the time.
type history struct {
	rng *rand.Rand
	at  time.Time
	// world is what the scanners have, by instance and scope.
	world map[[2]string]map[string]record.Finding
}

func newHistory(seed uint64) *history {
	return &history{rng: rand.New(rand.NewPCG(seed, 1)), at: start, world: map[[2]string]map[string]record.Finding{}}
}

func pick[T any](h *history, values ...T) T { return values[h.rng.IntN(len(values))] }

// chance is true once in n times.
func (h *history) chance(n int) bool { return h.rng.IntN(n) == 0 }

// pass lets time go by: mostly minutes, sometimes weeks.
func (h *history) pass() {
	h.at = h.at.Add(pick(h, time.Minute, 10*time.Minute, time.Hour, 20*time.Hour, 9*policy.Day, 40*policy.Day))
}

func (h *history) repository() record.RepositoryName {
	return pick[record.RepositoryName](h, "acme/api", "acme/api", "acme/web", "acme/mono", "")
}

// services are a random state of the catalog.
func (h *history) services() []record.Service {
	services := []record.Service{}
	for _, name := range []string{"api", "web", "jobs"} {
		if h.chance(5) {
			continue
		}
		s := record.Service{
			Name: name, BusinessUnit: pick(h, "retail", "bank", ""), Team: pick(h, "red", "blue", ""), TrustTier: pick(h, "tier0", "tier2", "odd"),
			InternetFacing: pick(h, record.AnswerYes, record.AnswerNo, record.AnswerUnknown),
		}
		if h.chance(6) { // renamed for good, or back, or from a service that is still there
			s.RenamedFrom = []string{s.Name, pick(h, "api", "web", "jobs")}
			s.Name = pick(h, s.Name, s.Name+"-core")
		}
		if h.chance(3) { // renamed by a catalog that knows it by something else
			s.Identity = pick(h, "1", "2", name)
		}
		if !h.chance(4) {
			s.Repositories = append(s.Repositories, record.RepositoryPath{Repository: record.RepositoryName("acme/" + name)})
		}
		if h.chance(2) {
			s.Repositories = append(s.Repositories, record.RepositoryPath{Repository: "acme/mono", Paths: []string{pick(h, "api/**", "web/", "*.go", name+"/**")}})
		}
		services = append(services, s)
	}
	return services
}

// exceptions are a random set of decisions.
func (h *history) exceptions() []record.Exception {
	exceptions := []record.Exception{}
	for i := range h.rng.IntN(4) {
		e := record.Exception{
			ID: fmt.Sprintf("EX-%d", i), State: pick(h, record.ExceptionApproved, record.ExceptionApproved, record.ExceptionEnded, record.ExceptionRequested),
			RequestedAt: h.at.Add(-10 * policy.Day), DecidedAt: h.at.Add(-pick(h, time.Hour, 5*policy.Day)), UpdatedAt: h.at,
		}
		switch h.rng.IntN(3) {
		case 0:
			e.Service, e.Categories = pick(h, "api", "web"), []string{pick(h, "CWE-79", "cwe-89")}
		case 1:
			e.Repository, e.Advisories = "acme/api", []string{pick(h, "CVE-1", "CVE-2")}
		default:
			e.Findings = []string{fmt.Sprintf("f%d", h.rng.IntN(6))}
		}
		if !h.chance(3) {
			e.ExpiresAt = h.at.Add(pick(h, -time.Hour, 3*time.Hour, 20*policy.Day))
		}
		exceptions = append(exceptions, e)
	}
	return exceptions
}

// exploitations are a random state of a list of exploited advisories.
func (h *history) exploitations() []record.Exploitation {
	list := []record.Exploitation{}
	for _, advisory := range []string{"CVE-1", "CVE-2", "GHSA-3", "CVE-9"} {
		if h.chance(2) {
			list = append(list, record.Exploitation{
				Advisory: advisory, KnownExploited: pick(h, record.AnswerYes, record.AnswerUnknown), EPSS: pick(h, 0, 0.25, 0.9),
			})
		}
	}
	return list
}

// finding changes or makes one report of a scanner.
func (h *history) finding(id string, before *record.Finding) record.Finding {
	f := record.Finding{
		ID: id, Tool: pick(h, "alpha", "beta"), Class: pick(h, record.ClassSCA, record.ClassSCA, record.ClassSAST), Repository: h.repository(),
		Category: pick(h, "CWE-79", "CWE-89"), Place: pick(h, "", "api/go.mod", "web/go.mod", "main.go"), Line: h.rng.IntN(3),
		Package: pick(h, "go/x", "go/y"), FirstSeen: h.at.Add(-time.Duration(h.rng.IntN(30*24)) * time.Hour),
	}
	if h.chance(6) {
		f.FirstSeen = time.Time{}
	}
	if before != nil {
		f = *before
	}
	f.Aliases = nil
	for _, alias := range []string{"CVE-1", "CVE-2", "GHSA-3"} {
		if h.chance(2) {
			f.Aliases = append(f.Aliases, alias)
		}
	}
	f.Severity = pick(h, record.Severities()...)
	f.KnownExploited = pick(h, record.AnswerYes, record.AnswerNo)
	f.Service = pick(h, "", "", "", "api", "nobody")
	f.Closure, f.ClosedAt = record.ClosureNone, time.Time{}
	if h.chance(2) {
		f.Closure = pick(h, record.Closures()...)
		if !h.chance(4) {
			f.ClosedAt = h.at.Add(-time.Duration(h.rng.IntN(72)) * time.Hour)
		}
	}
	f.UpdatedAt = h.at
	return f
}

// Sources are the instances that batches come from.
func Sources() []ledger.Source { return slices.Clone(sources) }

// Policies are two that differ in what matters.
func Policies() [2]*policy.Policy { return policies() }

// policies are two that differ in what matters.
func policies() [2]*policy.Policy {
	other := policy.DefaultConfig()
	other.SLA.Reopen = policy.ReopenRestart
	other.TimeZone = "America/New_York"
	other.SLA.Targets = other.SLA.Targets[:5]
	for i := range other.SLA.Targets {
		other.SLA.Targets[i].Within /= 2
	}
	second, err := policy.New(other)
	if err != nil {
		panic(err) // the variation is part of the suite
	}
	return [2]*policy.Policy{policy.Default(), second}
}
