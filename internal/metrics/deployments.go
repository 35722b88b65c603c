package metrics

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// approvals are the values of the label "approval", in the order of the documentation.
var approvals = []record.Approval{record.ApprovalApproved, record.ApprovalBypassed, record.ApprovalNone, record.ApprovalUnknown}

// approvalIndex is the position of an approval in approvals; a word that nobody knows is unknown.
func approvalIndex(a record.Approval) int {
	if i := slices.Index(approvals, a); i >= 0 {
		return i
	}
	return len(approvals) - 1
}

// otherEnvironment is the position of all environments that are not production, which are shown together: there may be one for every
// pull request.
const otherEnvironment = 0

// environments are the label values of environments: other, and production environments in lower case, since source hosts do not
// tell their cases apart.
type environments struct {
	policy *policy.Policy
	labels []string
	at     map[string]int32
	// usual are the first few names, which are most: comparing them costs less than a look-up.
	usual []namedEnvironment
}

type namedEnvironment struct {
	name string
	at   int32
}

// usualEnvironments is how many names are compared before they are looked up.
const usualEnvironments = 6

func newEnvironments(p *policy.Policy) *environments {
	return &environments{policy: p, labels: []string{other}, at: map[string]int32{}}
}

// of is the position of an environment.
func (e *environments) of(name string) int32 {
	for i := range e.usual {
		if u := &e.usual[i]; u.name == name {
			return u.at
		}
	}
	at, ok := e.at[name]
	if ok {
		return at
	}
	at = otherEnvironment
	if e.policy.Production(name) {
		label := labelValue(strings.ToLower(name))
		if at = int32(slices.Index(e.labels, label)); at < 0 {
			at = int32(len(e.labels))
			e.labels = append(e.labels, label)
		}
	}
	e.at[name] = at
	if len(e.usual) < usualEnvironments {
		e.usual = append(e.usual, namedEnvironment{name, at})
	}
	return at
}

// production reports whether a position is that of a production environment.
func production(environment int32) bool { return environment != otherEnvironment }

// reach is what an owner deployed to an environment, by position in approvals. What was never deployed to an environment that is there is
// all zero.
type reach struct {
	environment int32
	by          [4]windowed // as many as approvals
}

// windowed counts in total and in each trailing window. Of a window in which something is too old to be shown nothing can be said.
type windowed struct {
	total   uint64
	in      []uint64
	dropped []bool
}

// add counts one thing that happened at an instant.
func (w *windowed) add(windows []policy.Window, at, now time.Time, dropped bool) {
	if w.in == nil {
		w.in, w.dropped = make([]uint64, len(windows)), make([]bool, len(windows))
	}
	w.total++
	for i := range windows {
		if inWindow(&windows[i], at, now) {
			w.in[i]++
			w.dropped[i] = w.dropped[i] || dropped
		}
	}
}

// inWindow reports whether an instant is in the trailing window, whose start is not.
func inWindow(w *policy.Window, at, now time.Time) bool {
	return at.After(now.Add(-w.Length)) && !at.After(now)
}

// deliveryTally is one walk over all deployments that count.
type deliveryTally struct {
	environments *environments
	// ended is by position in Snapshot.Deployed.
	ended []ended
	// reached and changes are by position in Snapshot.Owners.
	reached [][]reach
	changes []windowed
	leads   *leadTally
	// failures are change failures as they were counted, recent ones as they are known now; incidents say which were blamed.
	failures, recent []failure
	incidents        []attributed
}

// ended is what is asked again and again of a deployment that ended: a record is large, and there are many.
type ended struct {
	// second is when it ended, in Unix seconds.
	second      int64
	environment int32
	owner       int32
	status      record.DeploymentStatus
	counts      bool
	rollback    bool
	dropped     bool
}

// changed reports whether a deployment that counts ended in production.
func (e *ended) changed() bool { return e.counts && production(e.environment) }

func (t *deliveryTally) readEnded(in *Input, sources *readState) {
	t.ended = make([]ended, len(in.Snapshot.Deployed))
	for i := range in.Snapshot.Deployed {
		m := &in.Snapshot.Deployed[i]
		t.ended[i] = ended{
			second: m.At.Unix(), environment: t.environments.of(m.Record.Environment), owner: m.Owner, status: m.Record.Status,
			counts: !m.Counted.After(in.At), rollback: m.Record.Rollback == record.AnswerYes, dropped: sources.isDropped(m.Scope),
		}
	}
}

func tallyDelivery(in *Input, own *ownership, sources *readState) *deliveryTally {
	s, windows := in.Snapshot, in.Policy.Windows()
	t := &deliveryTally{
		environments: newEnvironments(in.Policy), reached: make([][]reach, len(s.Owners)),
		changes: make([]windowed, len(s.Owners)),
	}
	t.readEnded(in, sources)
	for i := range t.ended {
		e, m := &t.ended[i], &s.Deployed[i]
		if !e.counts {
			continue
		}
		if e.status == record.DeploymentSucceeded {
			t.reach(e.owner, e.environment).by[approvalIndex(m.Record.Approval)].add(windows, m.At, in.At, e.dropped)
		}
		if e.changed() && !e.rollback {
			t.changes[e.owner].add(windows, m.At, in.At, e.dropped)
		}
	}
	t.reachRepositories(s)
	t.leads = tallyLeads(in, own, t.ended)
	t.blame(in)
	return t
}

// reach finds or adds what an owner deployed to an environment. There are few environments, so they are looked through.
func (t *deliveryTally) reach(owner, environment int32) *reach {
	for i := range t.reached[owner] {
		if r := &t.reached[owner][i]; r.environment == environment {
			return r
		}
	}
	t.reached[owner] = append(t.reached[owner], reach{environment: environment})
	return &t.reached[owner][len(t.reached[owner])-1]
}

// reachRepositories adds the production environments of the repositories, to which nothing may have been deployed yet.
func (t *deliveryTally) reachRepositories(s *snapshot.Snapshot) {
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if r.Archived || r.Fork {
			continue
		}
		for j := range r.Environments {
			if at := t.environments.of(r.Environments[j].Environment); production(at) {
				t.reach(s.Services[r.Service].Owner, at)
			}
		}
	}
}

func approvalValues() []string {
	values := make([]string, len(approvals))
	for i, a := range approvals {
		values[i] = string(a)
	}
	return values
}

func deployments(in *Input, out *Sink) {
	t := in.shared.delivery
	out.Product(t.environments.labels, approvalValues())
	t.eachReach(in, func(owner int32, r *reach, zero bool) {
		for a := range r.by {
			dim := int(r.environment)*len(approvals) + a
			if n := r.by[a].total; n > 0 {
				out.Add(owner, dim, float64(n))
			} else if zero && in.shared.sources.of(record.KindDeployment).ever {
				out.Zero(owner, dim)
			}
		}
	})
}

func deploymentsInWindow(in *Input, out *Sink) {
	t, complete := in.shared.delivery, in.shared.sources.of(record.KindDeployment).complete()
	out.Product(windowNames(in.Policy), t.environments.labels, approvalValues())
	t.eachReach(in, func(owner int32, r *reach, zero bool) {
		group := in.shared.own.groupOf[owner]
		for a := range r.by {
			for i := range in.Policy.Windows() {
				dim := (i*len(t.environments.labels)+int(r.environment))*len(approvals) + a
				if w := &r.by[a]; w.in != nil {
					addKnown(out, group, dim, w.in[i], w.dropped[i])
				}
				if zero && complete {
					out.Zero(group, dim)
				}
			}
		}
	})
}

// eachReach calls with what every owner deployed where, and whether the owner has a service now, so that zeros are shown.
func (t *deliveryTally) eachReach(in *Input, call func(owner int32, r *reach, zero bool)) {
	present := make([]bool, len(t.reached))
	for _, owner := range in.shared.own.present {
		present[owner] = true
	}
	for owner := range t.reached {
		for i := range t.reached[owner] {
			call(int32(owner), &t.reached[owner][i], present[owner])
		}
	}
}

// addKnown contributes a count, unless a part of it is too old to be shown; nothing is no contribution.
func addKnown(out *Sink, entity int32, dim int, n uint64, dropped bool) {
	switch {
	case dropped:
		out.Unknown(entity, dim)
	case n > 0:
		out.Add(entity, dim, float64(n))
	}
}

func ruleBypasses(in *Input, out *Sink) {
	eachCounted(in, in.Snapshot.Bypassed, func(m *snapshot.Milestone[record.Bypass]) {
		out.Add(m.Owner, out.Dim(bypassResult(m.Record.Result)), 1)
	})
	if !in.shared.sources.of(record.KindBypass).ever {
		return
	}
	for _, owner := range in.shared.own.present {
		out.Zero(owner, out.Dim(string(record.BypassBypassed)))
	}
}

// bypassResult is the label value of a result; a word that nobody knows is another one.
func bypassResult(r record.BypassResult) string {
	switch r {
	case record.BypassBypassed, record.BypassFailed, record.BypassOther:
		return string(r)
	default:
		return string(record.BypassOther)
	}
}
