package tallies

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// SecurityReviews are the values of the label "security_review".
var SecurityReviews = policy.SecurityReviews()

// LeadTimes are the lead times of all changes that count: of all by group, of those in a window by business unit.
type LeadTimes struct {
	// Groups are by group and then security review, Windows by window, unit and security review; nil where there is none.
	Groups, Windows []*frame.Distribution
	// Units is the number of business units.
	Units int
	// Dropped marks the positions in Windows of which a part is too old to be shown.
	Dropped map[int]bool
}

// carriedChange identifies a change. One that reaches several production environments of a service went live in the first of them; in one
// environment a collector lets no two deployments carry it.
type carriedChange struct {
	instance   string
	repository record.RepositoryName
	service    int32
	change     string
}

// changePosition is where a change is: by position in Snapshot.Deployed and in Deployment.Changes.
type changePosition struct{ deployment, change int32 }

// firstDeployments are the deployments with which changes went live. Of several deployments that carry a change the one that became known first counts, and of those
// that became known together the one that was live first; so what was counted stays counted.
type firstDeployments struct {
	seed  maphash.Seed
	first map[uint64]changePosition
}

func (g *firstDeployments) key(m *snapshot.Milestone[record.Deployment], service int32, change string) uint64 {
	return maphash.Comparable(g.seed, carriedChange{m.Instance, m.Record.Repository, service, change})
}

// note enters a change.
func (g *firstDeployments) note(s *snapshot.Snapshot, key uint64, at changePosition) {
	before, ok := g.first[key]
	if !ok || earlierKnown(s, &s.Deployed[at.deployment], &s.Deployed[before.deployment]) {
		g.first[key] = at
	}
}

// earlierKnown reports whether a deployment became known before another one, or with it and was live before it.
func earlierKnown(s *snapshot.Snapshot, a, b *snapshot.Milestone[record.Deployment]) bool {
	return cmp.Or(knownAt(s, a.Observed).Compare(knownAt(s, b.Observed)), compareDeployments(a, b)) < 0
}

// eachLiveChange calls with every change that went live and the position of its deployment in Snapshot.Deployed.
func eachLiveChange(in *Input, ended []Deployment, call func(deployment int, c *record.Change)) {
	s, service := in.Snapshot, frozenServices(in.Snapshot)
	several := severalEnvironments(s, service, ended)
	g := &firstDeployments{seed: maphash.MakeSeed(), first: map[uint64]changePosition{}}
	each := func(onlySeveral bool, visit func(m *snapshot.Milestone[record.Deployment], at changePosition)) {
		for i := range ended {
			if d := &ended[i]; !d.InProduction() || onlySeveral && !several[service[d.owner]] || !in.Policy.Carries(&s.Deployed[i].Record) {
				continue
			}
			for j := range s.Deployed[i].Record.Changes {
				visit(&s.Deployed[i], changePosition{int32(i), int32(j)})
			}
		}
	}
	each(true, func(m *snapshot.Milestone[record.Deployment], at changePosition) {
		if c := &m.Record.Changes[at.change]; c.ID != "" {
			g.note(s, g.key(m, service[m.Owner], c.ID), at)
		}
	})
	each(false, func(m *snapshot.Milestone[record.Deployment], at changePosition) {
		c := &m.Record.Changes[at.change]
		if c.ID != "" && several[service[m.Owner]] {
			first := g.first[g.key(m, service[m.Owner], c.ID)]
			if ended[first.deployment].environment != ended[at.deployment].environment {
				return
			}
		}
		call(int(at.deployment), c)
	})
}

// severalEnvironments marks the services, by number, that deploy to more than one production environment.
func severalEnvironments(s *snapshot.Snapshot, service []int32, ended []Deployment) []bool {
	first, several := make([]int32, len(s.Owners)+1), make([]bool, len(s.Owners)+1)
	for i := range ended {
		environment := ended[i].environment
		if !Production(environment) {
			continue
		}
		switch of := service[ended[i].owner]; first[of] {
		case 0:
			first[of] = environment
		case environment:
		default:
			several[of] = true
		}
	}
	return several
}

func newLeadTimes(in *Input, own *Ownership, deployments *Deployments) *LeadTimes {
	windows, bounds, n := in.Policy.Windows(), in.Policy.Buckets(policy.BucketsLeadTime), len(SecurityReviews)
	ended := deployments.Ended
	t := &LeadTimes{Groups: make([]*frame.Distribution, len(own.Groups.Labels)*n), Units: len(own.Units.Labels), Dropped: map[int]bool{}}
	t.Windows = make([]*frame.Distribution, len(windows)*t.Units*n)
	eachLiveChange(in, ended, func(i int, c *record.Change) {
		m := &in.Snapshot.Deployed[i]
		lead, ok := in.Policy.LeadTime(c, m.At)
		if !ok {
			return
		}
		review := slices.Index(SecurityReviews, in.Policy.SecurityReview(c, m.At))
		seconds := uint32(min(lead/time.Second, math.MaxUint32))
		observe(bounds, t.Groups, int(own.GroupOf[m.Owner])*n+review, seconds)
		for w := int(ended[i].Window); w < len(windows); w++ {
			at := (w*t.Units+int(own.UnitOf[m.WindowOwner()]))*n + review
			observe(bounds, t.Windows, at, seconds)
			if ended[i].dropped {
				t.Dropped[at] = true
			}
		}
	})
	return t
}

// observe counts one lead time.
func observe(bounds []float64, all []*frame.Distribution, at int, seconds uint32) {
	if all[at] == nil {
		all[at] = frame.NewDistribution(bounds)
	}
	all[at].Observe(seconds)
}
