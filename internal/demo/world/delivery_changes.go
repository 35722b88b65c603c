package world

import (
	"fmt"
	"math/rand/v2"
	"time"

	"prodsec_exporter/internal/record"
)

// developers write changes, and approve those of others.
var developers = []string{"ana-lima", "ben-okoye", "chen-wei", "dora-falk", "emil-sand", "fatima-noor", "gil-serra", "hana-kim"}

// SecurityTeam is the team whose review counts as security's, SecurityLabel the label that its members put on, and reviewers are some of them.
const (
	SecurityTeam  = "product-security"
	SecurityLabel = "security-reviewed"
)

var securityReviewers = []string{"mina-okafor", "lena-sorel"}

// changesPerDeployment is how many pull requests are merged for each deployment.
const changesPerDeployment = 1.7

// deploysPerWeek is how often a service is deployed: careful teams in small steps, and what matters more often than what does not.
func deploysPerWeek(s *Service) float64 {
	rate := 0.85 / s.Team.Pace
	switch s.TrustTier {
	case "tier0":
		rate *= 1.2
	case "tier3":
		rate *= 0.5
	}
	if s.Team.Services[0].Repositories[0].Repository.Organisation == OrgLabs {
		rate /= 3
	}
	return rate
}

// mergedIn writes what was merged into a repository in a week. One repository in four keeps the commits of a pull request and merges them, the others squash.
func (w *World) mergedIn(h *history, r *Repository, n int64) {
	var list []*Commit
	number := 0
	for _, s := range r.Hosts {
		random := w.random("merge", r.FullName()+" "+s.Name, n)
		for range min(poisson(random, deploysPerWeek(s)*changesPerDeployment), 20) {
			number++
			p := w.pullRequest(random, r, s, n, number)
			h.pulls[p.Number] = p
			if r.Index%4 == 1 {
				for i := range 1 + random.IntN(3) {
					list = append(list, &Commit{SHA: shaOf(r, n, number*10+i), At: p.MergedAt.Add(time.Duration(i-8) * time.Second), Pull: p})
				}
				list = append(list, &Commit{SHA: shaOf(r, n, number*10+9), At: p.MergedAt, Pull: p, Merge: true})
				continue
			}
			list = append(list, &Commit{SHA: shaOf(r, n, number*10), At: p.MergedAt, Pull: p})
		}
		if rules, _ := r.bypassable(); len(rules) == 0 && random.Float64() < 0.5 { // nothing keeps anybody from pushing directly
			number++
			list = append(list, &Commit{SHA: shaOf(r, n, number*10), At: startOf(n).Add(between(random, 8*time.Hour, 5*day))})
		}
	}
	h.newest(list)
}

// pullRequest is merged within a week.
func (w *World) pullRequest(random *rand.Rand, r *Repository, s *Service, n int64, i int) *PullRequest {
	pace := s.Team.Pace
	merged := workingHour(random, n)
	opened := merged.Add(-longTailed(random, time.Duration(26*pace*float64(time.Hour)), 0.9))
	if earliest := merged.Add(-30 * day); opened.Before(earliest) {
		opened = earliest
	}
	p := &PullRequest{
		Number: int(n-ticketEpoch)*400 + i, Service: s, Author: developers[random.IntN(len(developers))], OpenedAt: opened, MergedAt: merged,
		FirstCommitAt: opened.Add(-min(longTailed(random, time.Duration(14*pace*float64(time.Hour)), 1), 20*day)),
		Title:         fmt.Sprintf("%s: change %d", s.Name, i),
	}
	folder := "src"
	if len(r.Hosts) > 1 {
		folder = "services/" + s.Name
	}
	p.Files = []string{folder + "/main", folder + "/main_test"}
	p.Reviews = append(p.Reviews, Review{By: "dependency-review", Bot: true, At: opened.Add(40 * time.Second), State: "COMMENTED"})
	w.reviewed(random, r, p)
	w.secured(random, r, s, p)
	return p
}

// reviewed gives a pull request its reviews. Where nobody has to approve, every third gets none.
func (w *World) reviewed(random *rand.Rand, r *Repository, p *PullRequest) {
	open := p.MergedAt.Sub(p.OpenedAt)
	reviewer := developers[random.IntN(len(developers))]
	if reviewer == p.Author || !r.wantsApproval() && random.Float64() < 0.35 {
		return
	}
	first := p.OpenedAt.Add(time.Duration(float64(open) * (0.1 + 0.5*random.Float64()))).Truncate(time.Second)
	if random.Float64() < 0.5 {
		p.Reviews = append(p.Reviews, Review{By: reviewer, At: first, State: "CHANGES_REQUESTED"})
		first = first.Add((p.MergedAt.Sub(first)) / 2).Truncate(time.Second)
	}
	p.Reviews = append(p.Reviews, Review{By: reviewer, At: first, State: "APPROVED"})
}

func (r *Repository) wantsApproval() bool {
	for _, ruleset := range r.Protection.Rulesets {
		if ruleset.Enforcement == EnforcementActive && ruleset.Rules.Approvals > 0 {
			return true
		}
	}
	return r.Protection.Classic != nil && r.Protection.Classic.Approvals > 0
}

// secured lets security look at a pull request, or not: code scanning does so in most repositories and mostly in time, people where much depends on the service.
func (w *World) secured(random *rand.Rand, r *Repository, s *Service, p *PullRequest) {
	open := p.MergedAt.Sub(p.OpenedAt)
	scans := r.Index%9 != 4 && r.Purpose == PurposeApplication && random.Float64() > 0.15*s.Team.Pace
	scanned, late := p.OpenedAt.Add(min(between(random, 4*time.Minute, 25*time.Minute), open/12)), random.Float64() < 0.12+0.15*s.Team.Pace
	if late {
		scanned = p.MergedAt.Add(-min(between(random, 10*time.Second, 4*time.Minute), open/20)) // the queue was long, or somebody waited for nothing
	}
	if scans {
		p.ScannedAt, p.ScanFailed = scanned.Truncate(time.Second), random.Float64() < 0.06
	}
	critical := s.TrustTier == "tier0" || s.CrownJewel
	if critical && random.Float64() < 0.35 || s.TrustTier == "tier1" && random.Float64() < 0.12 {
		at := p.OpenedAt.Add(time.Duration(float64(open) * (0.2 + 0.75*random.Float64()))).Truncate(time.Second)
		who := securityReviewers[random.IntN(len(securityReviewers))]
		p.Reviews = append(p.Reviews, Review{By: who, At: at, State: "COMMENTED", Team: SecurityTeam})
	} else if random.Float64() < 0.05 && r.Visibility != record.VisibilityPublic {
		p.LabelledAt = p.OpenedAt.Add(open / 3).Truncate(time.Second)
	}
}

// workingHour is a time in a week at which people work.
func workingHour(random *rand.Rand, n int64) time.Time {
	return startOf(n).Add(time.Duration(random.IntN(5))*day + between(random, 7*time.Hour, 17*time.Hour))
}
