package world

import (
	"math/rand/v2"
	"slices"
	"time"
)

// How deployments go.
const (
	failedDeployments = 0.09
	regretted         = 0.05
	// rehearsal is how long before production staging gets a commit.
	rehearsal = 50 * time.Minute
	// incidentsFromDeployments is the share of incidents that a deployment shortly before brought about.
	incidentsFromDeployments = 0.45
)

// plannedDeployment is what is known of one before it is written down.
type plannedDeployment struct {
	service *Service
	at      time.Time
	// back says that it takes back what was deployed last; takenBack is when that happens to this one, zero if never, and fails that it does not succeed.
	back, fails bool
	takenBack   time.Time
}

// deployedIn writes what was deployed from a repository in a week: each time the head of the default branch, or what was live before.
func (w *World) deployedIn(h *history, r *Repository, n int64) {
	var plan []plannedDeployment
	for _, s := range r.Hosts {
		if s.Repositories[0].Repository != r {
			continue // It is deployed from its main repository.
		}
		plan = append(plan, w.planned(r, s, n)...)
	}
	slices.SortStableFunc(plan, func(a, b plannedDeployment) int { return a.at.Compare(b.at) })
	random := w.random("deploy", r.FullName(), n)
	for i, p := range plan {
		w.deploy(h, r, p, n, i, random)
	}
	slices.SortStableFunc(h.deployments, func(a, b *Deployment) int { return a.CreatedAt.Compare(b.CreatedAt) })
}

// planned says when a service is deployed in a week. Now and then one fails and is taken back within the hour, one is regretted after some hours, and an incident
// follows from one and ends with its being taken back.
func (w *World) planned(r *Repository, s *Service, n int64) (plan []plannedDeployment) {
	random := w.random("plan", r.FullName()+" "+s.Name, n)
	pace := s.Team.Pace
	if team, _ := w.InTrouble(startOf(n)); team == s.Team {
		pace *= 1.6
	}
	for range min(poisson(random, deploysPerWeek(s)), 12) {
		p := plannedDeployment{service: s, at: workingHour(random, n).Add(20 * time.Minute)}
		switch x := random.Float64(); {
		case x < failedDeployments*pace:
			p.fails = true
			if random.Float64() < 0.5 {
				p.takenBack = p.at.Add(between(random, 25*time.Minute, 70*time.Minute))
			}
		case x < (failedDeployments+regretted)*pace:
			p.takenBack = p.at.Add(between(random, time.Hour, 6*time.Hour))
		}
		plan = append(plan, p)
	}
	for _, t := range w.incidentsIn(n) {
		if t.Service == s && random.Float64() < incidentsFromDeployments {
			restored := t.Steps[0].At
			p := plannedDeployment{service: s, at: t.CreatedAt.Add(-between(random, 25*time.Minute, 2*time.Hour)), takenBack: restored.Add(-2 * time.Minute)}
			if p.at.Before(startOf(n)) {
				continue
			}
			if p.takenBack.Before(t.CreatedAt) || !p.takenBack.Before(startOf(n+1)) {
				p.takenBack = time.Time{} // fixed in place
			}
			plan = append(plan, p)
		}
	}
	for _, p := range plan {
		if !p.takenBack.IsZero() {
			plan = append(plan, plannedDeployment{service: s, at: p.takenBack, back: true})
		}
	}
	return plan
}

// incidentsIn lists the incidents of a week. The caller holds mu.
func (w *World) incidentsIn(n int64) []*Ticket {
	list, ok := w.incidents[n]
	if !ok {
		for _, t := range w.workOf(n) {
			if t.Kind == TicketIncident {
				list = append(list, t)
			}
		}
		w.incidents[n] = list
	}
	return list
}

// deploy writes a deployment to staging, unless something is taken back, and one to production. There is none where the commit is live already, or nothing was
// before that could be brought back.
func (w *World) deploy(h *history, r *Repository, p plannedDeployment, n int64, i int, random *rand.Rand) {
	key := p.service.Name
	if busy := h.busy[key]; p.at.Before(busy) {
		p.at = busy.Add(5 * time.Minute)
	}
	at := h.headAt(p.at.Add(-rehearsal - 10*time.Minute))
	if at < 0 {
		return
	}
	commit, live := h.commits[at].SHA, h.live[key]
	switch {
	case !p.back && live != nil && h.position[commit] <= h.position[live.Commit], p.back && live == nil:
		return
	case p.back && h.lastFailed(p.service):
		commit = live.Commit // What failed never was live.
	case p.back && h.before[key] == nil:
		return
	case p.back:
		commit = h.before[key].Commit
	}
	id := int64(r.Index)*10_000_000 + (n%10_000)*1000 + int64(i)*4
	base := Deployment{
		Repository: r, Service: p.service, Task: taskOf(r, p.service), Commit: commit, Creator: developers[random.IntN(len(developers))], Run: 5_000_000_000 + id,
	}
	if !p.back {
		staging := base
		staging.ID, staging.Environment, staging.CreatedAt = id+1, "staging", p.at.Add(-rehearsal)
		staging.Steps = []DeploymentStep{{staging.CreatedAt.Add(20 * time.Second), StateInProgress}, {staging.CreatedAt.Add(6 * time.Minute), StateSuccess}}
		h.deployments = append(h.deployments, &staging)
	}
	d := base
	d.ID, d.Environment, d.CreatedAt = id+2, "production", p.at
	w.letThrough(&d, r, random)
	end := StateSuccess
	if p.fails {
		end = StateFailure
	}
	started := d.Steps[len(d.Steps)-1].At
	d.Steps = append(d.Steps, DeploymentStep{started.Add(between(random, 3*time.Minute, 14*time.Minute)), end})
	h.deployments = append(h.deployments, &d)
	h.runs[d.Run], h.busy[key] = &d, d.EndedAt()
	if !p.fails {
		h.succeed(key, &d)
	}
}

// succeed makes a deployment the live one.
func (h *history) succeed(key string, d *Deployment) {
	if live := h.live[key]; live != nil {
		live.Steps = append(live.Steps, DeploymentStep{d.EndedAt(), StateInactive})
		if live.Commit != d.Commit {
			h.before[key] = live
		}
	}
	h.live[key] = d
}

// lastFailed says whether the last attempt to deploy a service failed.
func (h *history) lastFailed(s *Service) bool {
	for _, d := range slices.Backward(h.deployments) {
		if d.Service == s && d.Environment == "production" {
			return !d.Succeeded()
		}
	}
	return false
}

// taskOf is the task of a deployment: it names the service where several share a repository.
func taskOf(r *Repository, s *Service) string {
	if len(r.Hosts) > 1 && len(s.Repositories[0].Paths) > 0 {
		return "deploy:" + s.Name
	}
	return "deploy"
}

// letThrough lets a deployment through the rules of its environment: by a reviewer's approval, by the creator's own where that is allowed, or by an
// administrator who does not wait.
func (w *World) letThrough(d *Deployment, r *Repository, random *rand.Rand) {
	at := slices.IndexFunc(r.Environments, func(e Environment) bool { return e.Name == d.Environment })
	waited := between(random, 2*time.Minute, 50*time.Minute)
	x := random.Float64()
	if at < 0 || r.Environments[at].Reviewers == 0 {
		d.Steps = []DeploymentStep{{d.CreatedAt.Add(15 * time.Second), StateInProgress}}
		return
	}
	e := &r.Environments[at]
	switch {
	case e.AdminsCanBypass && x < 0.06:
		waited = between(random, 20*time.Second, 3*time.Minute)
	case !e.PreventSelfReview && x < 0.13:
		d.Approver = d.Creator
	default:
		for d.Approver == "" || d.Approver == d.Creator {
			d.Approver = developers[random.IntN(len(developers))]
		}
	}
	d.Steps = []DeploymentStep{{d.CreatedAt.Add(5 * time.Second), StateWaiting}, {d.CreatedAt.Add(waited), StateInProgress}}
}
