package world

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// tickets collects what is requested in one week.
type tickets struct {
	world  *World
	week   int64
	random *rand.Rand
	list   []*Exception
}

// shortLived adds this week's risk acceptance for three weeks whose ticket nobody closes in time: of these, one is always about
// to expire and another has expired and is still open.
func (t *tickets) shortLived() {
	services := t.world.Services
	s := services[modulo(t.week*7, int64(len(services)))]
	if team, _ := t.world.InTrouble(startOf(t.week)); t.week%3 == 0 {
		s = team.Services[t.random.IntN(len(team.Services))]
	}
	e := &Exception{Service: s, CWEs: []int{79, 400}, Category: "Dependency upgrade delayed"}
	t.add(e)
	decided := e.RequestedAt.Add(between(t.random, 5*time.Hour, 30*time.Hour))
	e.Expires = midnight(startOf(t.week).Add(22 * day))
	e.Steps = []Step{{decided, StatusApproved}, {e.Expires.Add(between(t.random, 15*day, 20*day)), StatusClosed}}
}

// waiting adds a request whose decision takes longer than the two weeks (and the six days in which it may be made) until the next
// one, so that one is always undecided.
func (t *tickets) waiting() {
	e := &Exception{}
	t.aim(e)
	t.add(e)
	decided := e.RequestedAt.Add(between(t.random, 20*day, 28*day))
	t.decide(e, decided)
}

// withoutScope adds an approved ticket that names neither a service nor what is tolerated.
func (t *tickets) withoutScope() {
	e := &Exception{Category: "Legacy system"}
	t.add(e)
	e.Expires = midnight(e.RequestedAt.Add(120 * day))
	e.Steps = []Step{{e.RequestedAt.Add(between(t.random, day, 4*day)), StatusApproved}, {e.Expires, StatusClosed}}
}

// ordinary adds a ticket without a part in the story.
func (t *tickets) ordinary() {
	e := &Exception{}
	t.aim(e)
	t.add(e)
	t.decide(e, e.RequestedAt.Add(longTailed(t.random, 3*day, 0.8)))
}

// decide draws how a request ends.
func (t *tickets) decide(e *Exception, at time.Time) {
	at = minTime(at, e.RequestedAt.Add(30*day))
	switch x := t.random.Float64(); {
	case x < 0.18:
		e.Steps = []Step{{at, StatusRejected}}
		return
	case x < 0.24:
		e.Steps = []Step{{at, StatusWithdrawn}}
		return
	}
	term := time.Duration([]int{30, 60, 90, 90, 180}[t.random.IntN(5)]) * day
	closed := at.Add(term)
	if t.random.Float64() < 0.93 {
		e.Expires = midnight(at.Add(term))
		closed = e.Expires.Add(between(t.random, -5*day, 3*day))
	}
	e.Steps = []Step{{at, StatusApproved}, {closed, StatusClosed}}
}

// aim points a ticket at something that is open when it is requested, else at a class of weakness in a service.
func (t *tickets) aim(e *Exception) {
	const attempts = 25
	asked := startOf(t.week).Add(6 * day)
	for range attempts {
		r := t.world.Repositories[t.random.IntN(len(t.world.Repositories))]
		for _, f := range t.world.bornIn(r, t.week-1-t.random.Int64N(10)) {
			end, _ := f.end()
			if f.Flap != nil || f.Source == SourceReports || end.Before(asked.Add(30*day)) {
				continue
			}
			t.about(e, f)
			return
		}
	}
	e.Service = t.world.Services[t.random.IntN(len(t.world.Services))]
	e.CWEs = []int{79}
}

// about scopes a ticket to a finding, in one of the ways that people do.
func (t *tickets) about(e *Exception, f *Finding) {
	if s := f.Service(); s != nil && t.random.Float64() < 0.5 {
		e.Service = s
	} else {
		e.Repository = f.Repository
	}
	if f.Advisory != nil {
		e.Advisories = []string{f.Advisory.CVE}
		return
	}
	e.Rules = []string{f.Rule.ID}
}

// categories are why people ask for exceptions.
var categories = []choice[string]{
	{"Dependency upgrade delayed", 34}, {"No vendor fix", 18}, {"Compensating control", 20}, {"Legacy system", 16}, {"Test code only", 12},
}

// ticketsPerWeek are requested beside the ones that the story needs.
const ticketsPerWeek = 0.6

// ticketNumbers is more than are requested in a week.
const ticketNumbers = 12

// requestedIn lists the tickets that are opened in a week. The caller holds mu.
func (w *World) requestedIn(n int64) []*Exception {
	t := &tickets{world: w, week: n, random: w.random("exception", "", n)}
	t.shortLived()
	if n%2 == 0 {
		t.waiting()
	}
	if n%5 == 0 {
		t.withoutScope()
	}
	for range min(poisson(t.random, ticketsPerWeek), ticketNumbers-4) {
		t.ordinary()
	}
	if n%2 == 0 {
		t.controlMissing()
	}
	return t.list
}

func (t *tickets) add(e *Exception) *Exception {
	e.Number = (t.week-ticketEpoch)*ticketNumbers + int64(len(t.list)) + 1
	e.RequestedAt = startOf(t.week).Add(between(t.random, 0, 6*day))
	e.Requester = requesters[t.random.IntN(len(requesters))]
	e.CommentedEvery = between(t.random, 30*time.Hour, 5*day)
	if e.Category == "" {
		e.Category = draw(t.random, categories)
	}
	switch {
	case e.Service != nil:
		e.Title = fmt.Sprintf("%s: %s", e.Service.Name, e.Category)
	case e.Repository != nil:
		e.Title = fmt.Sprintf("%s: %s", e.Repository.Name, e.Category)
	default:
		e.Title = "Everything we did not get to: " + e.Category
	}
	t.list = append(t.list, e)
	return e
}

// ticketEpoch is the week of the first ticket.
const ticketEpoch = 200

var requesters = []string{"Ada Byrne", "Tomas Vale", "Mina Okafor", "Jonas Reh", "Priya Nand", "Lena Sorel"}

// exemptions are controls that people ask to do without for a time.
var exemptions = [][]string{
	{"threat_model", "design_review"}, {"runner_tier"}, {"rollback"}, {"sast", "sca", "secret_scanning"}, {"provenance"}, {"branch_protection"},
	{"cloud_identity"}, {"logging"}, {"cloud_baseline", "kubernetes_baseline", "baseline"}, {"golden_path"},
}

// controlMissing adds a request to do without a control for four months, which is always granted. What the company that was bought asks for is push
// protection.
func (t *tickets) controlMissing() {
	r := t.world.random("exemption", "", t.week)
	services := t.world.Services
	e := &Exception{Category: "Compensating control", Service: services[r.IntN(len(services))], Controls: exemptions[modulo(t.week/2, int64(len(exemptions)))]}
	for e.Service.TrustTier != "tier0" && e.Service.TrustTier != "tier1" {
		e.Service = services[r.IntN(len(services))]
	}
	if t.week%8 == 0 {
		for e.Controls = []string{"push_protection"}; e.Service.overseen(); {
			e.Service = services[r.IntN(len(services))]
		}
	}
	before := t.random
	t.random = r // a ticket more leaves the others of the week as they are
	t.add(e)
	t.random = before
	e.Expires = midnight(e.RequestedAt.Add(120 * day))
	e.Steps = []Step{{e.RequestedAt.Add(between(r, 6*time.Hour, 3*day)), StatusApproved}, {e.Expires.Add(-between(r, time.Hour, day)), StatusClosed}}
}
