package tallies

import (
	"cmp"
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Approvals are the values of the label "approval", in the order of the documentation.
var Approvals = []record.Approval{record.ApprovalApproved, record.ApprovalBypassed, record.ApprovalNone, record.ApprovalUnknown}

// approvalIndex is the position of an approval in Approvals; an unexpected value is unknown.
func approvalIndex(a record.Approval) int {
	if i := slices.Index(Approvals, a); i >= 0 {
		return i
	}
	return len(Approvals) - 1
}

// EnvironmentCounts are the successful deployments of an owner or group to an environment, by position in Approvals. An environment to
// which nothing was deployed yet is all zero.
type EnvironmentCounts struct {
	Environment int32
	ByApproval  [4]WindowCounts // as many as Approvals
}

// Deployments count the deployments that ended, in one walk over all.
type Deployments struct {
	Environments *Environments
	// Ended is by position in Snapshot.Deployed.
	Ended []Deployment
	// Succeeded and Changes are by position in Snapshot.Owners. A change is a deployment to production that ended, well or not, and is no
	// rollback.
	Succeeded ByEnvironment
	Changes   []WindowCounts
}

// Deployment holds what several tallies need of a deployment that ended: a record is large, and there are many.
type Deployment struct {
	// second is when it ended, in Unix seconds.
	second      int64
	environment int32
	// owner is the one of its day, recent the one in trailing windows.
	owner, recent int32
	Status        record.DeploymentStatus
	// Window is the first that holds when it ended.
	Window   int32
	counts   bool
	Rollback bool
	dropped  bool
}

// InProduction reports whether a deployment that counts ended in production.
func (d *Deployment) InProduction() bool { return d.counts && Production(d.environment) }

func (t *Deployments) readEnded(in *Input, sources *Sources) {
	t.Ended = make([]Deployment, len(in.Snapshot.Deployed))
	windows := in.Policy.Windows()
	for i := range in.Snapshot.Deployed {
		m := &in.Snapshot.Deployed[i]
		t.Ended[i] = Deployment{
			second: m.At.Unix(), environment: t.Environments.OfDeployment(&m.Record), owner: m.Owner, recent: m.WindowOwner(), Status: m.Record.Status,
			counts: !m.Counted.After(in.At) && !m.At.After(in.At), Rollback: m.Record.Rollback == record.AnswerYes,
			Window: int32(FirstWindow(windows, m.At, in.At)), dropped: sources.IsDropped(m.Scope),
		}
	}
}

func newDeployments(in *Input, sources *Sources) *Deployments {
	s, windows := in.Snapshot, len(in.Policy.Windows())
	t := &Deployments{
		Environments: newEnvironments(in.Policy), Succeeded: make(ByEnvironment, len(s.Owners)),
		Changes: make([]WindowCounts, len(s.Owners)),
	}
	t.readEnded(in, sources)
	for i := range t.Ended {
		d, m := &t.Ended[i], &s.Deployed[i]
		if !d.counts {
			continue
		}
		if d.Status == record.DeploymentSucceeded {
			approval := approvalIndex(m.Record.Approval)
			t.Succeeded.Of(d.owner, d.environment).ByApproval[approval].Total++
			t.Succeeded.Of(d.recent, d.environment).ByApproval[approval].addRecent(int(d.Window), windows, d.dropped)
		}
		if d.InProduction() && in.Policy.IsChange(&m.Record) {
			t.Changes[d.owner].Total++
			t.Changes[d.recent].addRecent(int(d.Window), windows, d.dropped)
		}
	}
	t.addEnvironments(s)
	return t
}

// ByEnvironment are the deployments to environments, by owner or by group.
type ByEnvironment [][]EnvironmentCounts

// Of finds or adds the counts of an owner or group and an environment. There are few environments, so they are looked through.
func (b ByEnvironment) Of(owner, environment int32) *EnvironmentCounts {
	for i := range b[owner] {
		if one := &b[owner][i]; one.Environment == environment {
			return one
		}
	}
	b[owner] = append(b[owner], EnvironmentCounts{Environment: environment})
	return &b[owner][len(b[owner])-1]
}

// addEnvironments adds the production environments of the repositories, to which nothing may have been deployed yet.
func (t *Deployments) addEnvironments(s *snapshot.Snapshot) {
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if !active(r) {
			continue
		}
		for j := range r.Environments {
			if at := t.Environments.Of(r.Environments[j].Environment); Production(at) {
				t.Succeeded.Of(s.Services[r.Service].Owner, at)
			}
		}
	}
}

// compareDeployments orders deployments by when they were live, and by ID among those of one instant; numbers compare as numbers.
func compareDeployments(a, b *snapshot.Milestone[record.Deployment]) int {
	return cmp.Or(
		a.At.Compare(b.At), cmp.Compare(len(a.Record.ID), len(b.Record.ID)), cmp.Compare(a.Record.ID, b.Record.ID),
		cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Scope, b.Scope),
	)
}
