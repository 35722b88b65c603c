package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// controlStatuses are the results a control can have, in the order of the label values.
var controlStatuses = policy.Statuses()

// controlResults are the results of all controls for all services of the catalogs.
type controlResults struct {
	controls []policy.Control
	// verdicts are by service and control; those of controls that do not apply have no status.
	verdicts []policy.Verdict
	// baseline is by service, empty where its tier requires nothing.
	baseline []policy.Status
}

// of are the verdicts of a service, by control.
func (r *controlResults) of(service int) []policy.Verdict {
	return r.verdicts[service*len(r.controls) : (service+1)*len(r.controls)]
}

func newControlResults(in *Input, sources *readState, exceptions []standing, evidence *controlEvidence) *controlResults {
	s := in.Snapshot
	r := &controlResults{
		controls: in.Policy.Controls(), verdicts: make([]policy.Verdict, len(s.Services)*len(in.Policy.Controls())),
		baseline: make([]policy.Status, len(s.Services)),
	}
	if catalogs := sources.of(record.KindService); catalogs.ever && !catalogs.now {
		return r // every catalog is too old to be shown
	}
	excuses := newExcuses(in, exceptions)
	judge := judging{in: in, evidence: evidence, excuses: excuses, positions: evidence.positions}
	for i := 1; i < len(s.Services); i++ { // 0 is no service
		judge.service(int32(i), r.controls, r.of(i))
		r.baseline[i] = in.Policy.Baseline(s.Services[i].Facts.Tier, r.of(i))
	}
	return r
}

// judging judges one service after the other, with room that they share.
type judging struct {
	in        *Input
	evidence  *controlEvidence
	excuses   *excuses
	positions map[record.RepositoryName]int32

	repositories []int32
	statements   []policy.Statement
	verdicts     []policy.Verdict
}

func (j *judging) service(at int32, controls []policy.Control, verdicts []policy.Verdict) {
	service := &j.in.Snapshot.Services[at]
	j.repositories = j.repositories[:0]
	for _, path := range service.Repositories {
		if position, known := j.positions[path.Repository]; known && live(&j.in.Snapshot.Repositories[position]) {
			j.repositories = append(j.repositories, position)
		}
	}
	for i := range controls {
		c := &controls[i]
		if !c.Applies(&service.Service, len(j.repositories) > 0) {
			continue
		}
		if !c.OfRepositories() || len(j.repositories) == 0 {
			verdicts[i] = j.ofService(i, c, at)
			continue
		}
		j.verdicts = j.verdicts[:0]
		for _, repository := range j.repositories {
			if !c.About(&j.in.Snapshot.Repositories[repository].Repository) {
				continue
			}
			j.verdicts = append(j.verdicts, j.ofRepository(i, c, at, repository))
		}
		verdicts[i] = policy.WorstVerdict(j.verdicts)
	}
}

func live(r *snapshot.Repository) bool { return !r.Archived && !r.Fork }

func (j *judging) ofService(control int, c *policy.Control, at int32) policy.Verdict {
	j.statements = j.statements[:0]
	for i := range c.Sources {
		j.statements = append(j.statements, j.evidence.aboutService(control, i, at))
	}
	return j.excuses.apply(c.Judge(j.statements, j.in.At), control, at, "")
}

func (j *judging) ofRepository(control int, c *policy.Control, at, repository int32) policy.Verdict {
	j.statements = j.statements[:0]
	for i := range c.Sources {
		j.statements = append(j.statements, j.evidence.aboutRepository(control, i, at, repository))
	}
	return j.excuses.apply(c.Judge(j.statements, j.in.At), control, at, j.in.Snapshot.Repositories[repository].Name)
}

// excuses are the exceptions in force that name controls, as sets of positions in Policy.Controls.
type excuses struct {
	// inForce and doubtful are by what the exceptions name; a doubtful one is too old to be shown.
	inForce, doubtful map[excused]uint64
}

// excused is a service, 0 for any, and a repository, empty for all of the service.
type excused struct {
	service    int32
	repository record.RepositoryName
}

func newExcuses(in *Input, exceptions []standing) *excuses {
	e := &excuses{inForce: map[excused]uint64{}, doubtful: map[excused]uint64{}}
	for i := range exceptions {
		s := &exceptions[i]
		if !in.Policy.ExceptsControls(&s.Record, in.At) {
			continue
		}
		about := excused{repository: s.Record.Repository}
		if s.Record.Service != "" {
			about.service = s.Service
		}
		if about.repository == "" && about.service == 0 || s.Record.Service != "" && about.service == 0 {
			continue // it is about a service that no catalog knows, or only about findings
		}
		for _, name := range s.Record.Controls {
			if control := in.Policy.Control(name); control >= 0 && s.dropped {
				e.doubtful[about] |= 1 << control
			} else if control >= 0 {
				e.inForce[about] |= 1 << control
			}
		}
	}
	return e
}

func (e *excuses) apply(v policy.Verdict, control int, service int32, repository record.RepositoryName) policy.Verdict {
	if len(e.inForce)+len(e.doubtful) == 0 {
		return v
	}
	named := func(in map[excused]uint64) bool {
		set := in[excused{service: service}]
		if repository != "" {
			set |= in[excused{repository: repository}] | in[excused{service, repository}]
		}
		return set&(1<<control) != 0
	}
	return v.Excused(named(e.inForce), named(e.doubtful))
}
