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

// batch is a random next batch and the instance it comes from.
func (h *history) batch() (collector, instance string, b record.Batch) {
	switch h.rng.IntN(11) {
	case 10:
		if h.chance(8) {
			return "lists", "l", record.Batch{Scope: "epss:list", Mode: record.Full, Retired: true}
		}
		return "lists", "l", record.Batch{Scope: pick(h, "kev:list", "epss:list"), Mode: record.Full, Exploitations: h.exploitations()}
	case 2, 3:
		return "host", "h", h.everything()
	case 0:
		b = record.Batch{Scope: pick(h, "catalog:x", "catalog:y"), Mode: record.Full, Services: h.services()}
		if h.chance(8) {
			return "catalog", "a", record.Batch{Scope: b.Scope, Mode: record.Full, Retired: true}
		}
		if h.chance(2) {
			b.Repositories = []record.Repository{{Name: "acme/api", Archived: h.chance(2)}, {Name: pick[record.RepositoryName](h, "acme/web", "acme/old")}}
		}
		return "catalog", "a", b
	case 1:
		if h.chance(8) {
			return "tickets", "t", record.Batch{Scope: "query:exceptions", Mode: record.Full, Retired: true}
		}
		return "tickets", "t", record.Batch{Scope: "query:exceptions", Mode: record.Full, Exceptions: h.exceptions()}
	default:
	}
	key := [2]string{pick(h, "one", "two"), pick(h, "alerts:p", "alerts:q")}
	if h.chance(8) {
		delete(h.world, key)
		return "scanner", key[0], record.Batch{Scope: key[1], Mode: record.Full, Retired: true, Absence: pick(h, record.ClosureNone, record.ClosureOutOfScope, record.ClosureFixed)}
	}
	b = record.Batch{Scope: key[1], Mode: pick(h, record.Full, record.Delta), Findings: []record.Finding{}, Cursor: record.Cursor(h.at.String())}
	if h.chance(10) {
		b.Err = &record.Error{Reason: record.ReasonServer}
		return "scanner", key[0], b
	}
	world := h.world[key]
	if world == nil {
		world = map[string]record.Finding{}
		h.world[key] = world
	}
	prefix := map[string]string{"alerts:p": "f", "alerts:q": "g"}[key[1]]
	for i := range 6 {
		id := fmt.Sprintf("%s%d", prefix, i)
		before, held := world[id]
		switch {
		case b.Mode == record.Full && held && h.chance(4):
			delete(world, id)
		case h.chance(2):
			var old *record.Finding
			if held && !h.chance(5) {
				old = &before
			}
			world[id] = h.finding(id, old)
			if b.Mode == record.Delta {
				b.Findings = append(b.Findings, world[id])
			}
		}
	}
	if b.Mode == record.Full {
		for i := range 6 {
			if f, held := world[fmt.Sprintf("%s%d", prefix, i)]; held {
				b.Findings = append(b.Findings, f)
			}
		}
		b.Absence = pick(h, record.ClosureNone, record.ClosureFixed)
	}
	return "scanner", key[0], b
}

// Random is a random history: the same seed gives the same one.
type Random struct{ *history }

// NewRandom begins a history.
func NewRandom(seed uint64) Random { return Random{newHistory(seed)} }

// Now is the instant that the history has come to.
func (r Random) Now() time.Time { return r.at }

// Pass lets time go by.
func (r Random) Pass() { r.pass() }

// IntN is a random number below n.
func (r Random) IntN(n int) int { return r.rng.IntN(n) }

// Batch is what a collector instance says next.
func (r Random) Batch() (collector, instance string, b record.Batch) { return r.batch() }

// Forget makes the scanners begin anew, as after a change of what is configured.
func (r Random) Forget() { clear(r.world) }

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
