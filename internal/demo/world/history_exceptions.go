package world

import (
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

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
