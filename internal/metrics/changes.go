package metrics

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// A change to production is a deployment to a production environment that ended and brought back no older commit. It failed if it did
// not succeed, or if a rollback or an incident is blamed on it; however many are, it failed once.
//
// Blame is laid twice. For counters it is laid for good when something is observed, on the deployments that are known by then and belong
// to the service as of the day they were first held: what was counted is not taken back when a deployment in between becomes known
// later, a service is renamed or a ticket says more. For trailing windows it is laid anew at every evaluation by all that is known.

// failure is a change that failed.
type failure struct {
	// deployment is a position in Snapshot.Deployed.
	deployment int32
	counted    time.Time
	cause      policy.FailureCause
}

// attributed says whether an incident, by position in Snapshot.Opened, was blamed on a deployment.
type attributed struct {
	incident int32
	blamed   bool
}

// accusation is what speaks against a deployment.
type accusation struct {
	at, counted, known time.Time
	subject            int32
	// rollback is the position of the rollback in Snapshot.Deployed and environment its environment; -1 and 0 for an incident.
	rollback, environment int32
	// incident is a position in Snapshot.Opened, -1 for a rollback.
	incident int32
	gap      record.Answer
}

// court lays blame.
type court struct {
	in    *Input
	ended []ended
	// final: for good, by what was known at the time.
	final bool
	// subjectOf is by position in Snapshot.Deployed; 0 is no subject that an incident could be about.
	subjectOf []int32
	// accused are the deployments of a subject that are no rollbacks, in the order in which they ended.
	accused [][]int32
	sorted  []bool
	charges []charge
}

// charge is one reason why a deployment, by position in Snapshot.Deployed, counts as failed.
type charge struct {
	deployment     int32
	counted, known time.Time
	gap            record.Answer
}

// blame finds all change failures.
func (t *deliveryTally) blame(in *Input) {
	t.failures, _ = (&court{in: in, ended: t.ended, final: true}).sit()
	t.recent, t.incidents = (&court{in: in, ended: t.ended}).sit()
}

func (c *court) sit() (failures []failure, incidents []attributed) {
	subjects := c.seat()
	for _, a := range c.accusations(subjects) {
		i, counted, ok := c.judge(&a)
		if a.incident >= 0 {
			incidents = append(incidents, attributed{a.incident, ok})
		}
		if ok {
			known := latest(a.known, knownAt(c.in.Snapshot, c.in.Snapshot.Deployed[i].Observed))
			c.charges = append(c.charges, charge{i, counted, known, a.gap})
		}
	}
	slices.SortFunc(c.charges, func(a, b charge) int {
		return cmp.Or(cmp.Compare(a.deployment, b.deployment), a.known.Compare(b.known), a.counted.Compare(b.counted))
	})
	var gaps []record.Answer
	for rest := c.charges; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].deployment == rest[0].deployment {
			n++
		}
		gaps = c.gaps(gaps[:0], rest[:n])
		failures = append(failures, failure{rest[0].deployment, rest[0].counted, c.in.Policy.Cause(gaps...)})
		rest = rest[n:]
	}
	return failures, incidents
}

// gaps are what the charges against one deployment, the first to become known first, say of control gaps: for good, as of when the
// failure became known.
func (c *court) gaps(gaps []record.Answer, charges []charge) []record.Answer {
	for _, one := range charges {
		if !c.final || !one.known.After(charges[0].known) {
			gaps = append(gaps, one.gap)
		}
	}
	return gaps
}

// seat gives every deployment its subject, lists which can be blamed, and charges those that failed by themselves.
func (c *court) seat() *subjects {
	s := c.in.Snapshot
	subjects := newSubjects(s, c.final)
	c.subjectOf = make([]int32, len(s.Deployed))
	for i := range s.Deployed {
		e, m := &c.ended[i], &s.Deployed[i]
		if !e.changed() {
			continue
		}
		subject := subjects.of(m.Owner, m.Service, m.Record.Repository)
		c.subjectOf[i] = subject
		if e.rollback {
			continue
		}
		if e.status == record.DeploymentFailed {
			c.charges = append(c.charges, charge{int32(i), m.Counted, knownAt(s, m.Observed), record.AnswerUnknown})
		}
		for int(subject) >= len(c.accused) {
			c.accused = append(c.accused, nil)
		}
		if subject > 0 {
			c.accused[subject] = append(c.accused[subject], int32(i))
		}
	}
	c.sorted = make([]bool, len(c.accused))
	return subjects
}

// accusations are all rollbacks and incidents that count.
func (c *court) accusations(subjects *subjects) (all []accusation) {
	s := c.in.Snapshot
	for i := range s.Deployed {
		if e := &c.ended[i]; e.changed() && e.rollback {
			m := &s.Deployed[i]
			all = append(all, accusation{
				at: m.At, counted: m.Counted, known: knownAt(s, m.Observed), subject: c.subjectOf[i], rollback: int32(i), environment: e.environment, incident: -1,
			})
		}
	}
	says := newTestimony(s, c.final)
	for i := range s.Opened {
		if m := &s.Opened[i]; !m.Counted.After(c.in.At) {
			all = append(all, accusation{
				at: m.At, counted: m.Counted, known: knownAt(s, m.Observed), subject: subjects.of(m.Owner, m.Service, m.Record.Repository), rollback: -1,
				incident: int32(i), gap: says.controlGap(m),
			})
		}
	}
	return all
}

// judge blames the latest deployment that had ended when the accusation arose, and no longer before than policy's window; of several that
// ended at the same instant, the one with the greatest ID. For good, those that were known then come first; if there was none, the first to
// become known is blamed.
func (c *court) judge(a *accusation) (deployment int32, counted time.Time, ok bool) {
	s := c.in.Snapshot
	if a.subject == 0 || int(a.subject) >= len(c.accused) {
		return 0, time.Time{}, false
	}
	candidates := c.inOrder(a.subject)
	after := sort.Search(len(candidates), func(i int) bool { return c.endedAfter(candidates[i], a.at) })
	deployment = -1
	var known time.Time
	for n := after - 1; n >= 0; n-- {
		i := candidates[n]
		m := &s.Deployed[i]
		if a.at.Sub(m.At) > c.in.Policy.FailureWindow() {
			break
		}
		if !c.suspect(a, i) {
			continue
		}
		learned := knownAt(s, m.Observed)
		if !c.final || !learned.After(a.known) {
			return i, latest(a.counted, m.Counted), true
		}
		if deployment < 0 || learned.Before(known) {
			deployment, known = i, learned
		}
	}
	if deployment < 0 {
		return 0, time.Time{}, false
	}
	return deployment, latest(a.counted, s.Deployed[deployment].Counted), true
}

// suspect reports whether an accusation can be about a deployment: an incident about one that was live, a rollback about the last attempt in
// its environment, whether or not it went live, unless that brought the very commit that is brought back.
func (c *court) suspect(a *accusation, i int32) bool {
	d := &c.in.Snapshot.Deployed[i].Record
	if a.rollback < 0 {
		return d.Status == record.DeploymentSucceeded
	}
	brought := c.in.Snapshot.Deployed[a.rollback].Record.Commit
	return c.ended[i].environment == a.environment && (brought == "" || d.Commit != brought)
}

// inOrder are the deployments of a subject in the order in which they ended.
func (c *court) inOrder(subject int32) []int32 {
	candidates := c.accused[subject]
	if !c.sorted[subject] {
		deployed := c.in.Snapshot.Deployed
		slices.SortFunc(candidates, func(a, b int32) int {
			if x, y := c.ended[a].second, c.ended[b].second; x != y {
				return cmp.Compare(x, y)
			}
			return compareDeployments(&deployed[a], &deployed[b])
		})
		c.sorted[subject] = true
	}
	return candidates
}

// endedAfter reports whether a deployment ended after an instant.
func (c *court) endedAfter(deployment int32, at time.Time) bool {
	if second := at.Unix(); c.ended[deployment].second != second {
		return c.ended[deployment].second > second
	}
	return c.in.Snapshot.Deployed[deployment].At.After(at)
}

// compareDeployments orders deployments by when they were live, and by ID among those of one instant; numbers compare as numbers.
func compareDeployments(a, b *snapshot.Milestone[record.Deployment]) int {
	return cmp.Or(
		a.At.Compare(b.At), cmp.Compare(len(a.Record.ID), len(b.Record.ID)), cmp.Compare(a.Record.ID, b.Record.ID),
		cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Scope, b.Scope),
	)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// subjects say what a deployment and an incident are about: a service, or the repository where no catalog knows the service. 0 is
// nothing known.
type subjects struct {
	// byOwner is for good, by position in Snapshot.Owners; nil where the present service counts.
	byOwner      []int32
	services     int32
	repositories map[record.RepositoryName]int32
}

func newSubjects(s *snapshot.Snapshot, final bool) *subjects {
	made := &subjects{services: int32(len(s.Services) + len(s.Owners)), repositories: map[record.RepositoryName]int32{}}
	if final {
		made.byOwner = frozenServices(s)
	}
	return made
}

func (x *subjects) of(owner, service int32, repository record.RepositoryName) int32 {
	if x.byOwner != nil {
		service = x.byOwner[owner]
	}
	switch {
	case service > 0:
		return service
	case repository == "":
		return 0
	}
	at, ok := x.repositories[repository]
	if !ok {
		at = x.services + int32(len(x.repositories)) + 1
		x.repositories[repository] = at
	}
	return at
}

// frozenServices numbers the services by their names as of when their owners were frozen: by position in Snapshot.Owners, 0 for what was
// unattributed.
func frozenServices(s *snapshot.Snapshot) []int32 {
	numbers := map[string]int32{"": 0, record.Unattributed: 0}
	of := make([]int32, len(s.Owners))
	for i := range s.Owners {
		name := s.Owners[i].Service
		n, ok := numbers[name]
		if !ok {
			n = int32(len(numbers)) - 1
			numbers[name] = n
		}
		of[i] = n
	}
	return of
}

// testimony is what incidents say of themselves: for good what they said when they were first observed, else what is known now.
type testimony struct {
	now, restored map[string]*record.Incident
}

func newTestimony(s *snapshot.Snapshot, final bool) *testimony {
	t := &testimony{}
	if final {
		return t
	}
	t.now, t.restored = map[string]*record.Incident{}, map[string]*record.Incident{}
	for i := range s.Incidents {
		h := &s.Incidents[i]
		t.now[joined([]string{h.Instance, h.Record.ID})] = &h.Record
	}
	for i := range s.Restored {
		h := &s.Restored[i].Held
		t.restored[joined([]string{h.Instance, h.Record.ID})] = &h.Record
	}
	return t
}

// of is the latest that is known of an incident.
func (t *testimony) of(h *snapshot.Held[record.Incident]) *record.Incident {
	if t.now == nil {
		return &h.Record
	}
	id := joined([]string{h.Instance, h.Record.ID})
	if now, ok := t.now[id]; ok {
		return now
	}
	if restored, ok := t.restored[id]; ok {
		return restored
	}
	return &h.Record
}

func (t *testimony) controlGap(m *snapshot.Milestone[record.Incident]) record.Answer {
	return t.of(&m.Held).ControlGap
}
