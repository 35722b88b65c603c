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
	named  map[string]namedEnvironment
	// usual are the first few names, which are most: comparing them costs less than a look-up.
	usual []namedEnvironment
}

type namedEnvironment struct {
	name string
	at   int32
	// production: policy calls it so, whatever its label.
	production bool
}

// usualEnvironments is how many names are compared before they are looked up.
const usualEnvironments = 6

func newEnvironments(p *policy.Policy) *environments {
	return &environments{policy: p, labels: []string{other}, named: map[string]namedEnvironment{}}
}

// of is the position of an environment.
func (e *environments) of(name string) int32 { return e.find(name).at }

func (e *environments) find(name string) namedEnvironment {
	for i := range e.usual {
		if e.usual[i].name == name {
			return e.usual[i]
		}
	}
	one, ok := e.named[name]
	if ok {
		return one
	}
	one = namedEnvironment{name: name, at: otherEnvironment, production: e.policy.Production(name)}
	if one.production {
		label := labelValue(strings.ToLower(name))
		if one.at = int32(slices.Index(e.labels, label)); one.at < 0 {
			one.at = int32(len(e.labels))
			e.labels = append(e.labels, label)
		}
	}
	e.named[name] = one
	if len(e.usual) < usualEnvironments {
		e.usual = append(e.usual, one)
	}
	return one
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

// add counts one thing that happened in some windows from the first that holds it.
func (w *windowed) add(first, windows int, dropped bool) {
	w.grow(windows)
	w.total++
	for i := first; i < windows; i++ {
		w.in[i]++
		w.dropped[i] = w.dropped[i] || dropped
	}
}

func (w *windowed) grow(windows int) {
	if w.in == nil {
		w.in, w.dropped = make([]uint64, windows), make([]bool, windows)
	}
}

// join adds what another one counted.
func (w *windowed) join(o *windowed) {
	if o.in == nil {
		return
	}
	w.grow(len(o.in))
	w.total += o.total
	for i, n := range o.in {
		w.in[i] += n
		w.dropped[i] = w.dropped[i] || o.dropped[i]
	}
}

// firstWindow is the position of the shortest trailing window that holds an instant, which all longer ones do, too; the number of windows if
// none does.
func firstWindow(windows []policy.Window, at, now time.Time) int {
	for i := range windows {
		if inWindow(&windows[i], at, now) {
			return i
		}
	}
	return len(windows)
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
	reached reaches
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
	// window is the first that holds when it ended.
	window   int32
	counts   bool
	rollback bool
	dropped  bool
}

// changed reports whether a deployment that counts ended in production.
func (e *ended) changed() bool { return e.counts && production(e.environment) }

func (t *deliveryTally) readEnded(in *Input, sources *readState) {
	t.ended = make([]ended, len(in.Snapshot.Deployed))
	windows := in.Policy.Windows()
	for i := range in.Snapshot.Deployed {
		m := &in.Snapshot.Deployed[i]
		t.ended[i] = ended{
			second: m.At.Unix(), environment: t.environments.of(m.Record.Environment), owner: m.Owner, status: m.Record.Status,
			counts: !m.Counted.After(in.At), rollback: m.Record.Rollback == record.AnswerYes,
			window: int32(firstWindow(windows, m.At, in.At)), dropped: sources.isDropped(m.Scope),
		}
	}
}

func tallyDelivery(in *Input, own *ownership, sources *readState) *deliveryTally {
	s, windows := in.Snapshot, len(in.Policy.Windows())
	t := &deliveryTally{
		environments: newEnvironments(in.Policy), reached: make(reaches, len(s.Owners)),
		changes: make([]windowed, len(s.Owners)),
	}
	t.readEnded(in, sources)
	for i := range t.ended {
		e, m := &t.ended[i], &s.Deployed[i]
		if !e.counts {
			continue
		}
		if e.status == record.DeploymentSucceeded {
			t.reached.of(e.owner, e.environment).by[approvalIndex(m.Record.Approval)].add(int(e.window), windows, e.dropped)
		}
		if e.changed() && !e.rollback {
			t.changes[e.owner].add(int(e.window), windows, e.dropped)
		}
	}
	t.reachRepositories(s)
	t.leads = tallyLeads(in, own, t.ended)
	t.blame(in)
	return t
}

// reaches are what was deployed to environments, by owner or by group.
type reaches [][]reach

// of finds or adds what an owner or group deployed to an environment. There are few environments, so they are looked through.
func (r reaches) of(owner, environment int32) *reach {
	for i := range r[owner] {
		if one := &r[owner][i]; one.environment == environment {
			return one
		}
	}
	r[owner] = append(r[owner], reach{environment: environment})
	return &r[owner][len(r[owner])-1]
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
				t.reached.of(s.Services[r.Service].Owner, at)
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
	dim := func(window int, environment int32, approval int) int {
		return (window*len(t.environments.labels)+int(environment))*len(approvals) + approval
	}
	groups := make(reaches, len(in.shared.own.groups.labels))
	t.eachReach(in, func(owner int32, r *reach, zero bool) {
		group := in.shared.own.groupOf[owner]
		to := groups.of(group, r.environment)
		for a := range r.by {
			to.by[a].join(&r.by[a])
			for i := range in.Policy.Windows() {
				if zero && complete {
					out.Zero(group, dim(i, r.environment, a))
				}
			}
		}
	})
	for group := range groups {
		for _, r := range groups[group] {
			for a := range r.by {
				for i, n := range r.by[a].in {
					addKnown(out, int32(group), dim(i, r.environment, a), n, r.by[a].dropped[i])
				}
			}
		}
	}
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
