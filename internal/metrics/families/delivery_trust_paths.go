package families

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// unreadEnvironment is the environment of a path whose environments could not be read.
const unreadEnvironment int32 = -1

// deploymentPath is what is known of one path.
type deploymentPath struct {
	environment int32
	parts       []policy.Status
	// repositories are those whose environment and branches are among the parts.
	repositories []record.RepositoryName
	last         []liveDeployment
	dropped      bool
}

// liveDeployment is a deployment and when it ended, in Unix seconds.
type liveDeployment struct {
	second int64
	held   *snapshot.Held[record.Deployment]
}

// later orders deployments, the latest first.
func later(a, b liveDeployment) int {
	if a.second != b.second {
		return cmp.Compare(b.second, a.second)
	}
	x, y := &a.held.Record, &b.held.Record
	return cmp.Or(y.FinishedAt.Compare(x.FinishedAt), cmp.Compare(len(y.ID), len(x.ID)), cmp.Compare(y.ID, x.ID))
}

// paths gathers what is known of all paths.
type paths struct {
	in           *tallies.Tallies
	environments *tallies.Environments
	repositories tallies.Repositories
	// byService are by position in Snapshot.Services. There are few environments, so they are looked through.
	byService [][]deploymentPath
}

func (p *paths) of(service, environment int32) *deploymentPath {
	all := p.byService[service]
	for i := range all {
		if all[i].environment == environment {
			return &all[i]
		}
	}
	p.byService[service] = append(all, deploymentPath{environment: environment})
	return &p.byService[service][len(all)]
}

// rules adds what protects the environments and branches of a repository.
func (p *paths) rules(r *snapshot.Repository, services []int32, readsEnvironments bool) {
	dropped := p.in.Sources.IsDropped(r.Scope)
	if r.Environments == nil && readsEnvironments {
		for _, service := range services {
			path := p.of(service, unreadEnvironment)
			path.parts, path.dropped = append(path.parts, policy.StatusUnknown), path.dropped || dropped
		}
	}
	for i := range r.Environments {
		e := &r.Environments[i]
		at := p.environments.Of(e.Environment)
		if !tallies.Production(at) {
			continue
		}
		for _, service := range services {
			path := p.of(service, at)
			path.parts = append(path.parts, p.in.Policy.Environment(e, policy.CheckRequired), branchesOf(p.in.Policy, r))
			path.repositories = append(path.repositories, r.Name)
			path.dropped = path.dropped || dropped
		}
	}
}

// branchesOf is the worst of the branches that policy looks at.
func branchesOf(p *policy.Policy, r *snapshot.Repository) policy.Status {
	all := make([]policy.Status, 0, len(r.Branches))
	for i := range r.Branches {
		all = append(all, p.Branch(&r.Branches[i], policy.CheckRequired))
	}
	return policy.Worst(all...)
}

// deployed adds a deployment. Where it came from counts even if the repository lists no such environment: nothing protects it then.
func (p *paths) deployed(h *snapshot.Held[record.Deployment]) {
	at := p.environments.OfDeployment(&h.Record)
	if !tallies.Production(at) || h.Record.Status != record.DeploymentSucceeded {
		return
	}
	path := p.of(h.Service, at)
	path.dropped = path.dropped || p.in.Sources.IsDropped(h.Scope)
	if !slices.Contains(path.repositories, h.Record.Repository) {
		path.repositories = append(path.repositories, h.Record.Repository)
		r := p.repositories[h.Record.Repository]
		switch {
		case r == nil || r.Scope < 0 || r.Environments == nil:
			path.parts = append(path.parts, policy.StatusUnknown)
		default:
			path.parts = append(path.parts, p.listed(r, h.Record.Environment)...)
		}
	}
	path.keep(h, p.in.Policy.Config().Delivery.PathDeployments)
}

// listed is what protects the environment of a deployment that is production although no pattern of the policy matches its name; nothing where the repository lists none of it.
func (p *paths) listed(r *snapshot.Repository, name string) []policy.Status {
	for i := range r.Environments {
		if e := &r.Environments[i]; strings.EqualFold(e.Environment, name) {
			return []policy.Status{p.in.Policy.Environment(e, policy.CheckRequired), branchesOf(p.in.Policy, r)}
		}
	}
	return []policy.Status{policy.StatusFail}
}

// keep notes a deployment if it is among the last n.
func (d *deploymentPath) keep(h *snapshot.Held[record.Deployment], n int) {
	one := liveDeployment{h.Record.FinishedAt.Unix(), h}
	if len(d.last) == n && later(one, d.last[n-1]) > 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(d.last, one, later)
	if len(d.last) < n {
		d.last = append(d.last, one)
	}
	if at < n {
		copy(d.last[at+1:], d.last[at:])
		d.last[at] = one
	}
}

func newPaths(in *tallies.Tallies) *paths {
	s := in.Snapshot
	p := &paths{in: in, environments: in.Deployments.Environments, repositories: in.Repositories, byService: make([][]deploymentPath, len(s.Services))}
	sharing, reads := partsOf(s), tallies.ScopesWithEnvironments(s)
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if r.Scope < 0 || r.Archived || r.Fork {
			continue
		}
		services := sharing[r.Name]
		if len(services) == 0 {
			services = []int32{r.Service}
		}
		p.rules(r, services, reads[r.Scope])
	}
	for i := range s.Deployments {
		p.deployed(&s.Deployments[i])
	}
	return p
}

// partsOf lists the services that have a part in each repository, each once.
func partsOf(s *snapshot.Snapshot) map[record.RepositoryName][]int32 {
	parts := make(map[record.RepositoryName][]int32, len(s.Repositories))
	for i := range s.Services {
		for _, path := range s.Services[i].Repositories {
			if !slices.Contains(parts[path.Repository], int32(i)) {
				parts[path.Repository] = append(parts[path.Repository], int32(i))
			}
		}
	}
	return parts
}

func deploymentPaths(in *tallies.Tallies, out *frame.Sink) {
	p, statuses := newPaths(in), policy.PathStatuses()
	names := make([]string, len(statuses))
	for i, status := range statuses {
		names[i] = string(status)
	}
	// The last environment is unreadEnvironment.
	out.Product(append(slices.Clone(p.environments.Labels), string(policy.PathUnknown)), names)
	for service, all := range p.byService {
		group := in.Owners.GroupOf[in.Snapshot.Services[service].Owner]
		for i := range all {
			path := &all[i]
			first := int(path.environment) * len(statuses)
			if path.environment == unreadEnvironment {
				first = len(p.environments.Labels) * len(statuses)
			}
			out.AddCount(group, first+slices.Index(statuses, p.status(path)), 1, path.dropped)
			if in.Sources.Of(record.KindRepository).Complete() {
				for status := range statuses {
					out.Zero(group, first+status)
				}
			}
		}
	}
}

// status is that of a path. Without any deployment it is that of its rules, if there really was none.
func (p *paths) status(path *deploymentPath) policy.PathStatus {
	for _, one := range path.last {
		path.parts = append(path.parts, p.in.Policy.CameProtected(&one.held.Record))
	}
	if len(path.last) == 0 && !p.in.Sources.Of(record.KindDeployment).Complete() {
		path.parts = append(path.parts, policy.StatusUnknown)
	}
	return p.in.Policy.Path(path.parts...)
}

// factRollback is the fact of a catalog, and the control of evidence, that dates the last exercise of a rollback.
const factRollback = "rollback"

// rollbackExercise is the latest of rollbacks in production, evidence that holds, and facts of catalogs.
func rollbackExercise(in *tallies.Tallies, out *frame.Sink) {
	last, dropped := map[int32]time.Time{}, map[int32]bool{}
	note := func(service, scope int32, at time.Time) {
		if at.IsZero() || at.After(in.At) {
			return
		}
		owner := in.Snapshot.Services[service].Owner
		last[owner], dropped[owner] = tallies.Latest(last[owner], at), dropped[owner] || in.Sources.IsDropped(scope)
	}
	for i := range in.Snapshot.Deployed {
		if e := &in.Deployments.Ended[i]; e.InProduction() && e.Rollback && e.Status == record.DeploymentSucceeded {
			m := &in.Snapshot.Deployed[i]
			note(m.Service, m.Scope, m.At)
		}
	}
	for i := range in.Snapshot.Evidence {
		if h := &in.Snapshot.Evidence[i]; h.Record.Control == factRollback && h.Record.Holds == record.AnswerYes {
			note(h.Service, h.Scope, h.Record.ProducedAt)
		}
	}
	const noScope int32 = -1
	if catalogs := in.Sources.Of(record.KindService); !catalogs.Ever || catalogs.Now {
		for i := range in.Snapshot.Services {
			if at, ok := in.Policy.FactDate(in.Snapshot.Services[i].Service.Facts[factRollback]); ok {
				note(int32(i), noScope, at)
			}
		}
	}
	all := out.Dim()
	for _, owner := range slices.Sorted(maps.Keys(last)) {
		if dropped[owner] {
			out.Unknown(owner, all)
			continue
		}
		out.Add(owner, all, float64(last[owner].Unix()))
	}
}
