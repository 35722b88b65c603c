package metrics

import (
	"cmp"
	"maps"
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
}

func newEnvironments(p *policy.Policy) *environments {
	return &environments{policy: p, labels: []string{other}, at: map[string]int32{}}
}

// of is the position of an environment.
func (e *environments) of(name string) int32 {
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
	return at
}

// production reports whether a position is that of a production environment.
func production(environment int32) bool { return environment != otherEnvironment }

// deploymentKey is what deployments are counted by.
type deploymentKey struct {
	owner, environment int32
	approval           int
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
	// environmentOf is by position in Snapshot.Deployed.
	environmentOf []int32
	deployments   map[deploymentKey]*windowed
	// changes are by position in Snapshot.Owners.
	changes []windowed
	leads   *leadTally
	// failures are change failures as they were counted, recent ones as they are known now; incidents say which were blamed.
	failures, recent []failure
	incidents        []attributed
}

func tallyDelivery(in *Input, own *ownership, sources *readState) *deliveryTally {
	s, windows := in.Snapshot, in.Policy.Windows()
	t := &deliveryTally{
		environments: newEnvironments(in.Policy), environmentOf: make([]int32, len(s.Deployed)), deployments: map[deploymentKey]*windowed{},
		changes: make([]windowed, len(s.Owners)),
	}
	for i := range s.Deployed {
		m := &s.Deployed[i]
		environment := t.environments.of(m.Record.Environment)
		t.environmentOf[i] = environment
		if m.Counted.After(in.At) {
			continue
		}
		dropped := sources.isDropped(m.Scope)
		if m.Record.Status == record.DeploymentSucceeded {
			k := deploymentKey{m.Owner, environment, approvalIndex(m.Record.Approval)}
			if t.deployments[k] == nil {
				t.deployments[k] = &windowed{}
			}
			t.deployments[k].add(windows, m.At, in.At, dropped)
		}
		if production(environment) && m.Record.Rollback != record.AnswerYes {
			t.changes[m.Owner].add(windows, m.At, in.At, dropped)
		}
	}
	t.leads = tallyLeads(in, own, sources, t.environmentOf)
	t.blame(in, sources)
	return t
}

// ordered are the keys of the deployments, in an order that depends on nothing but them.
func (t *deliveryTally) ordered() []deploymentKey {
	return slices.SortedFunc(maps.Keys(t.deployments), func(a, b deploymentKey) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.environment, b.environment), cmp.Compare(a.approval, b.approval))
	})
}

func approvalValues() []string {
	values := make([]string, len(approvals))
	for i, a := range approvals {
		values[i] = string(a)
	}
	return values
}

// reachable lists which owner has which environment: those that it deployed to, and the production environments of its repositories.
func (t *deliveryTally) reachable(s *snapshot.Snapshot, present []int32) []deploymentKey {
	here := map[int32]bool{}
	for _, owner := range present {
		here[owner] = true
	}
	seen := map[deploymentKey]bool{}
	note := func(owner, environment int32) {
		if here[owner] {
			seen[deploymentKey{owner: owner, environment: environment}] = true
		}
	}
	for k := range t.deployments {
		note(k.owner, k.environment)
	}
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if r.Archived || r.Fork {
			continue
		}
		for j := range r.Environments {
			if at := t.environments.of(r.Environments[j].Environment); production(at) {
				note(s.Services[r.Service].Owner, at)
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b deploymentKey) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.environment, b.environment))
	})
}

func deployments(in *Input, out *Sink) {
	t := in.shared.delivery
	zeros := t.reachable(in.Snapshot, in.shared.own.present)
	out.Product(t.environments.labels, approvalValues())
	for _, k := range t.ordered() {
		out.Add(k.owner, int(k.environment)*len(approvals)+k.approval, float64(t.deployments[k].total))
	}
	if !in.shared.sources.of(record.KindDeployment).ever {
		return
	}
	for _, k := range zeros {
		for a := range approvals {
			out.Zero(k.owner, int(k.environment)*len(approvals)+a)
		}
	}
}

func deploymentsInWindow(in *Input, out *Sink) {
	t, own := in.shared.delivery, in.shared.own
	zeros := t.reachable(in.Snapshot, own.present)
	out.Product(windowNames(in.Policy), t.environments.labels, approvalValues())
	dim := func(window int, k deploymentKey) int {
		return (window*len(t.environments.labels)+int(k.environment))*len(approvals) + k.approval
	}
	for _, k := range t.ordered() {
		w := t.deployments[k]
		for i, n := range w.in {
			addKnown(out, own.groupOf[k.owner], dim(i, k), n, w.dropped[i])
		}
	}
	if !in.shared.sources.of(record.KindDeployment).complete() {
		return
	}
	for _, k := range zeros {
		for i := range in.Policy.Windows() {
			for k.approval = range approvals {
				out.Zero(own.groupOf[k.owner], dim(i, k))
			}
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
