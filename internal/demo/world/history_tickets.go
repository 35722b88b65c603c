package world

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// What happens in an ordinary week.
const (
	reviewsPerWeek     = 4.5
	incidentsPerWeek   = 1.4
	escalationsPerWeek = 0.9
	// longestTicket bounds how long a ticket can stay of interest.
	longestTicket = 200 * day
)

var reviewKinds = []choice[TicketKind]{{TicketDesignReview, 45}, {TicketThreatModel, 30}, {TicketCodeReview, 25}}

var blockReasons = []choice[string]{{"Critical finding", 45}, {"Missing review", 30}, {"Failed control", 25}}

var urgentReasons = []choice[string]{{"Exception needed", 50}, {"Customer deadline", 30}, {"Disputed finding", 20}}

// workOf lists the tickets that are created in a week. The caller holds mu.
func (w *World) workOf(n int64) []*Ticket {
	k := &work{world: w, week: n, random: w.random("work", "", n), counts: map[TicketProject]int64{}}
	for range min(poisson(k.random, reviewsPerWeek), workNumbers/2) {
		k.review(longTailed(k.random, 20*time.Hour, 0.9))
	}
	if n%2 == 0 { // one that nobody answers until the next one is overdue
		k.review(between(k.random, 20*day, 28*day))
	}
	if n%3 == 0 {
		k.stuck()
	}
	for range min(poisson(k.random, incidentsPerWeek), workNumbers/8) {
		k.incident()
	}
	for range min(poisson(k.random, escalationsPerWeek), workNumbers/2) {
		k.escalation(longTailed(k.random, 30*time.Hour, 0.8))
	}
	if n%2 == 1 { // one that drags on
		k.escalation(between(k.random, 20*day, 24*day))
	}
	return k.list
}

// review adds a request that is answered after a time, by a comment or by taking it up, and done some days later. Who asked asks again
// while nothing happens, and a colleague who is no reviewer has an opinion.
func (k *work) review(answered time.Duration) *Ticket {
	t := k.open(draw(k.random, reviewKinds), ProjectReviews, k.service(), between(k.random, 0, 6*day))
	reviewer := Reviewers()[k.random.IntN(2)] // the third one also asks for reviews
	response := t.CreatedAt.Add(min(answered, 40*day))
	for at := t.CreatedAt.Add(4 * day); at.Before(response); at = at.Add(between(k.random, 3*day, 6*day)) {
		t.Comments = append(t.Comments, Comment{at, t.Reporter})
	}
	if k.random.Float64() < 0.3 {
		t.Comments = append(t.Comments, Comment{t.CreatedAt.Add(between(k.random, time.Minute, answered)), "Sam Colley"})
	}
	taken := response
	if k.random.Float64() < 0.5 {
		t.Comments = append(t.Comments, Comment{response, reviewer})
		taken = response.Add(between(k.random, time.Hour, 2*day))
	}
	done := taken.Add(longTailed(k.random, 4*day, 0.6))
	if latest := taken.Add(30 * day); done.After(latest) {
		done = latest
	}
	t.Steps = []TicketStep{{taken, TicketInReview, reviewer}, {done, TicketReviewed, reviewer}}
	return t
}

// stuck adds a review for which the reviewers wait for the team, for so long that one always is.
func (k *work) stuck() {
	t := k.review(between(k.random, time.Hour, 30*time.Hour))
	taken := t.Steps[0].At
	blocked := taken.Add(between(k.random, 2*time.Hour, 2*day))
	freed := blocked.Add(between(k.random, 33*day, 40*day))
	by := t.Steps[0].By
	t.Steps = []TicketStep{
		t.Steps[0], {blocked, TicketWaiting, by}, {freed, TicketInReview, t.Reporter}, {freed.Add(between(k.random, day, 3*day)), TicketReviewed, by},
	}
}

// incident adds an outage and the actions that it leaves behind.
func (k *work) incident() {
	s := k.service()
	if team, _ := k.world.InTrouble(startOf(k.week)); k.random.Float64() < 0.3 {
		s = team.Services[k.random.IntN(len(team.Services))]
	}
	t := k.open(TicketIncident, ProjectIncidents, s, between(k.random, 0, 6*day))
	restored := t.CreatedAt.Add(min(longTailed(k.random, 150*time.Minute, 1), 4*day))
	closed := restored.Add(between(k.random, 2*day, 9*day))
	t.Steps = []TicketStep{{restored, TicketRestored, "Jonas Reh"}, {closed, TicketDone, "Priya Nand"}}
	t.SecurityImpact, t.ControlGap = "No", "No"
	switch x := k.random.Float64(); {
	case x < 0.2:
		t.SecurityImpact, t.ControlGap = "Yes", "Yes"
	case x < 0.3:
		t.SecurityImpact = "Yes"
	case x < 0.4:
		t.ControlGap = "" // nobody has said anything
	}
	for n := range 1 + k.random.IntN(3) {
		k.action(t, closed, n)
	}
}

// action adds what is to be done after an incident. It is due in a month; every fifth is done two months late.
func (k *work) action(incident *Ticket, agreed time.Time, n int) {
	// Actions are written down when the incident is closed, which may be in a later week.
	t := k.open(TicketAction, ProjectIncidents, incident.Service, 0)
	t.CreatedAt = agreed.Add(time.Duration(n) * time.Minute)
	t.Comments = []Comment{{t.CreatedAt.Add(20 * time.Second), Robot}}
	t.Title = fmt.Sprintf("%s: action %d", incident.Service.Name, n+1)
	t.Incident = incident
	t.DueAt = midnight(t.CreatedAt.Add(30 * day))
	took := min(longTailed(k.random, 14*day, 0.5), 45*day)
	if k.random.Float64() < 0.2 {
		took = between(k.random, 60*day, 110*day)
	}
	t.Steps = []TicketStep{{t.CreatedAt.Add(took), TicketDone, t.Reporter}}
}

// escalation adds a release that was blocked or an urgent call for a decision, settled after a time.
func (k *work) escalation(settled time.Duration) {
	kind, reasons := TicketReleaseBlock, blockReasons
	if k.random.Float64() < 0.4 {
		kind, reasons = TicketEscalation, urgentReasons
	}
	t := k.open(kind, ProjectEscalations, k.service(), between(k.random, 0, 6*day))
	t.Reason = draw(k.random, reasons)
	t.Steps = []TicketStep{{t.CreatedAt.Add(min(settled, 30*day)), TicketSettled, Reviewers()[k.random.IntN(3)]}}
}

// TicketsAt lists the tickets that were created by an instant, by week; the slice is the caller's, what it points to is immutable.
func (w *World) TicketsAt(at time.Time) []*Ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	for last := weekOf(at); w.nextWork <= last; w.nextWork++ {
		for _, t := range w.workOf(w.nextWork) {
			if !t.over().Before(w.horizon) {
				w.tickets = append(w.tickets, t)
			}
		}
	}
	known := make([]*Ticket, 0, len(w.tickets))
	for _, t := range w.tickets {
		if !t.CreatedAt.After(at) {
			known = append(known, t)
		}
	}
	return known
}

// workNumbers is more than one project gets in a week.
const workNumbers = 40

// work collects the tickets of one week.
type work struct {
	world  *World
	week   int64
	random *rand.Rand
	counts map[TicketProject]int64
	list   []*Ticket
}

// open adds a ticket about a service that is created within the week, from the given time after its start.
func (k *work) open(kind TicketKind, project TicketProject, s *Service, from time.Duration) *Ticket {
	k.counts[project]++
	t := &Ticket{
		Kind: kind, Project: project, Number: (k.week-ticketEpoch)*workNumbers + k.counts[project], Service: s,
		Title: fmt.Sprintf("%s: %s", s.Name, kind), CreatedAt: startOf(k.week).Add(from), Reporter: requesters[k.random.IntN(len(requesters))],
	}
	t.Comments = []Comment{{t.CreatedAt.Add(20 * time.Second), Robot}}
	k.list = append(k.list, t)
	return t
}

func (k *work) service() *Service {
	return k.world.Services[k.random.IntN(len(k.world.Services))]
}
