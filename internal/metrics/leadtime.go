package metrics

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// securityReviews are the values of the label "security_review".
var securityReviews = policy.SecurityReviews()

// leadTally holds the lead times of all changes that count: of all by group, of those in a window by business unit.
type leadTally struct {
	// groups are by group and then security review, windows by window, unit and security review; nil where there is none.
	groups, windows []*tally
	units           int
	// dropped marks the positions in windows of which a part is too old to be shown.
	dropped map[int]bool
}

// carried tells a change apart. One that reaches several production environments of a service went live in the first of them; in one
// environment a collector lets no two deployments carry it.
type carried struct {
	instance   string
	repository record.RepositoryName
	service    int32
	change     string
}

// whereCarried is where a change is carried: by position in Snapshot.Deployed and in Deployment.Changes.
type whereCarried struct{ deployment, change int32 }

// goneLive finds where changes went live. Of several deployments that carry a change the one that became known first counts, and of those
// that became known together the one that was live first; so what was counted stays counted whatever is learned later.
type goneLive struct {
	seed  maphash.Seed
	first map[uint64]whereCarried
}

func (g *goneLive) key(m *snapshot.Milestone[record.Deployment], service int32, change string) uint64 {
	return maphash.Comparable(g.seed, carried{m.Instance, m.Record.Repository, service, change})
}

// note enters a change.
func (g *goneLive) note(s *snapshot.Snapshot, key uint64, at whereCarried) {
	before, ok := g.first[key]
	if !ok || earlierKnown(s, &s.Deployed[at.deployment], &s.Deployed[before.deployment]) {
		g.first[key] = at
	}
}

// earlierKnown reports whether a deployment became known before another one, or with it and was live before it.
func earlierKnown(s *snapshot.Snapshot, a, b *snapshot.Milestone[record.Deployment]) bool {
	return cmp.Or(knownAt(s, a.Observed).Compare(knownAt(s, b.Observed)), compareDeployments(a, b)) < 0
}

// knownAt is when something that was observed at an instant became known: what was imported became known at the founding.
func knownAt(s *snapshot.Snapshot, observed time.Time) time.Time {
	if s.Founded.IsZero() || observed.Before(s.Founded) {
		return s.Founded
	}
	return observed
}

// eachLive calls with every change that went live and the position of its deployment in Snapshot.Deployed.
func eachLive(in *Input, ended []ended, call func(deployment int, c *record.Change)) {
	s, service := in.Snapshot, frozenServices(in.Snapshot)
	several := severalEnvironments(s, service, ended)
	g := &goneLive{seed: maphash.MakeSeed(), first: map[uint64]whereCarried{}}
	each := func(again bool, visit func(m *snapshot.Milestone[record.Deployment], at whereCarried)) {
		for i := range ended {
			if e := &ended[i]; !e.changed() || again && !several[service[e.owner]] || !in.Policy.Carries(&s.Deployed[i].Record) {
				continue
			}
			for j := range s.Deployed[i].Record.Changes {
				visit(&s.Deployed[i], whereCarried{int32(i), int32(j)})
			}
		}
	}
	each(true, func(m *snapshot.Milestone[record.Deployment], at whereCarried) {
		if c := &m.Record.Changes[at.change]; c.ID != "" {
			g.note(s, g.key(m, service[m.Owner], c.ID), at)
		}
	})
	each(false, func(m *snapshot.Milestone[record.Deployment], at whereCarried) {
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
func severalEnvironments(s *snapshot.Snapshot, service []int32, ended []ended) []bool {
	first, several := make([]int32, len(s.Owners)+1), make([]bool, len(s.Owners)+1)
	for i := range ended {
		environment := ended[i].environment
		if !production(environment) {
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

func tallyLeads(in *Input, own *ownership, ended []ended) *leadTally {
	windows, bounds, n := in.Policy.Windows(), in.Policy.Buckets(policy.BucketsLeadTime), len(securityReviews)
	t := &leadTally{groups: make([]*tally, len(own.groups.labels)*n), units: len(own.units.labels), dropped: map[int]bool{}}
	t.windows = make([]*tally, len(windows)*t.units*n)
	eachLive(in, ended, func(i int, c *record.Change) {
		m := &in.Snapshot.Deployed[i]
		lead, ok := in.Policy.LeadTime(c, m.At)
		if !ok {
			return
		}
		review := slices.Index(securityReviews, in.Policy.SecurityReview(c, m.At))
		seconds := uint32(min(lead/time.Second, math.MaxUint32))
		observe(bounds, t.groups, int(own.groupOf[m.Owner])*n+review, seconds)
		for w := int(ended[i].window); w < len(windows); w++ {
			at := (w*t.units+int(own.unitOf[m.Owner]))*n + review
			observe(bounds, t.windows, at, seconds)
			if ended[i].dropped {
				t.dropped[at] = true
			}
		}
	})
	return t
}

// observe counts one lead time.
func observe(bounds []float64, tallies []*tally, at int, seconds uint32) {
	if tallies[at] == nil {
		tallies[at] = newTally(bounds)
	}
	tallies[at].sum += float64(seconds)
	tallies[at].observe(bounds, seconds, 1)
}

func changeLeadTime(in *Input, out *Sink) {
	t, n := in.shared.delivery.leads, len(securityReviews)
	out.Product(securityReviewValues())
	for at, one := range t.groups {
		if one != nil {
			out.Observe(int32(at/n), at%n, one.histogram())
		}
	}
	if !in.shared.sources.of(record.KindDeployment).ever {
		return
	}
	for _, group := range presentGroups(in) {
		for review := range n {
			out.Zero(group, review)
		}
	}
}

func changeLeadTimeInWindow(in *Input, out *Sink) {
	t, n := in.shared.delivery.leads, len(securityReviews)
	out.Product(windowNames(in.Policy), securityReviewValues())
	for at, one := range t.windows {
		if one == nil {
			continue
		}
		unit, dim := int32(at/n%t.units), at/n/t.units*n+at%n
		if t.dropped[at] {
			out.Unknown(unit, dim)
			continue
		}
		out.Observe(unit, dim, one.histogram())
	}
	if !in.shared.sources.of(record.KindDeployment).complete() {
		return
	}
	for _, unit := range presentUnits(in) {
		for dim := range len(in.Policy.Windows()) * n {
			out.Zero(unit, dim)
		}
	}
}

func securityReviewValues() []string {
	values := make([]string, len(securityReviews))
	for i, r := range securityReviews {
		values[i] = string(r)
	}
	return values
}
