package tallies

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// ControlStatuses are the results that a control can have, in the order of the label values.
var ControlStatuses = policy.Statuses()

// Controls are the results of all controls for all services of the catalogs.
type Controls struct {
	// All are the controls of the policy.
	All []policy.Control
	// verdicts are by service and control; those of controls that do not apply have no status.
	verdicts []policy.Verdict
	// Baseline is by service, empty where its tier requires nothing.
	Baseline []policy.Status
}

// Of are the verdicts of a service, by position in Snapshot.Services, in the order of All. Those of controls that do not apply have no
// status.
func (c *Controls) Of(service int) []policy.Verdict {
	return c.verdicts[service*len(c.All) : (service+1)*len(c.All)]
}

func newControls(in *Input, sources *Sources, exceptions []Exception, evidence *controlEvidence) *Controls {
	s := in.Snapshot
	c := &Controls{
		All: in.Policy.Controls(), verdicts: make([]policy.Verdict, len(s.Services)*len(in.Policy.Controls())),
		Baseline: make([]policy.Status, len(s.Services)),
	}
	if catalogs := sources.Of(record.KindService); catalogs.Ever && !catalogs.Now {
		return c // every catalog is too old to be shown
	}
	judge := controlJudge{in: in, evidence: evidence, exceptions: newControlExceptions(in, exceptions)}
	for i := 1; i < len(s.Services); i++ { // 0 is no service
		judge.service(int32(i), c.All, c.Of(i))
		c.Baseline[i] = in.Policy.Baseline(s.Services[i].Facts.Tier, c.Of(i))
	}
	return c
}

// controlJudge judges one service after the other, with buffers that they share.
type controlJudge struct {
	in         *Input
	evidence   *controlEvidence
	exceptions *controlExceptions

	repositories []int32
	statements   []policy.Statement
	verdicts     []policy.Verdict
}

func (j *controlJudge) service(at int32, controls []policy.Control, verdicts []policy.Verdict) {
	service := &j.in.Snapshot.Services[at]
	j.repositories = j.repositories[:0]
	for _, path := range service.Repositories {
		if position, known := j.evidence.positions[path.Repository]; known && active(&j.in.Snapshot.Repositories[position]) {
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

func (j *controlJudge) ofService(control int, c *policy.Control, at int32) policy.Verdict {
	j.statements = j.statements[:0]
	for i := range c.Sources {
		j.statements = append(j.statements, j.evidence.aboutService(control, i, at))
	}
	return j.exceptions.apply(c.Judge(j.statements, j.in.At), control, at, "")
}

func (j *controlJudge) ofRepository(control int, c *policy.Control, at, repository int32) policy.Verdict {
	j.statements = j.statements[:0]
	for i := range c.Sources {
		j.statements = append(j.statements, j.evidence.aboutRepository(control, i, at, repository))
	}
	return j.exceptions.apply(c.Judge(j.statements, j.in.At), control, at, j.in.Snapshot.Repositories[repository].Name)
}

// controlExceptions are the exceptions in force that name controls, as sets of positions in Policy.Controls.
type controlExceptions struct {
	// inForce and doubtful are by what the exceptions name; a doubtful one is too old to be shown.
	inForce, doubtful map[exceptionTarget]uint64
}

// exceptionTarget is a service, 0 for any, and a repository, empty for all of the service.
type exceptionTarget struct {
	service    int32
	repository record.RepositoryName
}

func newControlExceptions(in *Input, exceptions []Exception) *controlExceptions {
	e := &controlExceptions{inForce: map[exceptionTarget]uint64{}, doubtful: map[exceptionTarget]uint64{}}
	for i := range exceptions {
		s := &exceptions[i]
		if !in.Policy.ExceptsControls(&s.Record, in.At) {
			continue
		}
		target := exceptionTarget{repository: s.Record.Repository}
		if s.Record.Service != "" {
			target.service = s.Service
		}
		if target.repository == "" && target.service == 0 || s.Record.Service != "" && target.service == 0 {
			continue // it is about a service that no catalog knows, or only about findings
		}
		for _, name := range s.Record.Controls {
			if control := in.Policy.Control(name); control >= 0 && s.Dropped {
				e.doubtful[target] |= 1 << control
			} else if control >= 0 {
				e.inForce[target] |= 1 << control
			}
		}
	}
	return e
}

func (e *controlExceptions) apply(v policy.Verdict, control int, service int32, repository record.RepositoryName) policy.Verdict {
	if len(e.inForce)+len(e.doubtful) == 0 {
		return v
	}
	named := func(in map[exceptionTarget]uint64) bool {
		set := in[exceptionTarget{service: service}]
		if repository != "" {
			set |= in[exceptionTarget{repository: repository}] | in[exceptionTarget{service, repository}]
		}
		return set&(1<<control) != 0
	}
	return v.Excused(named(e.inForce), named(e.doubtful))
}
