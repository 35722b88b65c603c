package tallies

import (
	"slices"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Tallies are all tallies of one evaluation.
type Tallies struct {
	Input
	Owners     *Ownership
	Sources    *Sources
	Weaknesses *Weaknesses
	Events     *Events
	// Repositories are all, Postures those of repositories of source hosts, Privileged those that policy calls so.
	Repositories   Repositories
	Postures       []Posture
	Privileged     map[record.RepositoryName]bool
	Deployments    *Deployments
	LeadTimes      *LeadTimes
	ChangeFailures *ChangeFailures
	// Rework is by position in Snapshot.Deployed.
	Rework []Rework
	// Exceptions are all that are part of the inventory.
	Exceptions []Exception
	// Scans are by class, in the order of record.Classes.
	Scans    []ClassScans
	Controls *Controls
	// Services lists the positions in Snapshot.Services that are shown: all, but unattributed only if something is.
	Services []int
}

// New counts everything. It is a pure function of its arguments.
func New(s *snapshot.Snapshot, p *policy.Policy, at time.Time) *Tallies {
	t := &Tallies{Input: Input{Snapshot: s, Policy: p, At: at}, Owners: NewOwnership(s, p), Sources: newSources(s, at)}
	in := &t.Input
	t.Weaknesses = newWeaknesses(in, t.Owners, t.Sources)
	t.Owners.weigh(s, t.Weaknesses.urgent)
	t.Events = newEvents(in, t.Owners)
	t.Repositories = newRepositories(s)
	t.Postures = newPostures(in, t.Sources)
	t.Privileged = privilegedRepositories(t.Postures)
	t.Deployments = newDeployments(in, t.Sources)
	t.LeadTimes = newLeadTimes(in, t.Owners, t.Deployments)
	t.ChangeFailures = newChangeFailures(in, t.Deployments)
	t.Rework = newRework(in, t.Deployments)
	t.Exceptions = newExceptions(in, t.Sources)
	t.Scans = newScans(in, t.Sources)
	t.Controls = newControls(in, t.Sources, t.Exceptions, newControlEvidence(in, t.Sources, t.Repositories, t.Deployments, t.Postures, t.Scans))
	t.Services = servicesInUse(s, t.Weaknesses)
	for _, i := range t.Services {
		t.Owners.Present = append(t.Owners.Present, s.Services[i].Owner)
	}
	return t
}

// servicesInUse leaves out unattributed (position 0) unless something is.
func servicesInUse(s *snapshot.Snapshot, weaknesses *Weaknesses) []int {
	used := weaknesses.unattributed ||
		anyUnattributed(s.Exceptions) || anyUnattributed(s.Reviews) || anyUnattributed(s.Followups) || anyUnattributed(s.Escalations) ||
		anyUnattributed(s.Deployments) || anyUnattributed(s.Incidents) || anyUnattributed(s.Releases) || anyUnattributed(s.Pipelines) ||
		slices.ContainsFunc(s.Repositories, func(r snapshot.Repository) bool { return r.Service == 0 })
	var positions []int
	for i := range s.Services {
		if i > 0 || used {
			positions = append(positions, i)
		}
	}
	return positions
}

// anyUnattributed reports whether a record belongs to no service.
func anyUnattributed[T any](held []snapshot.Held[T]) bool {
	for i := range held { // not by value: records are large
		if held[i].Service == 0 {
			return true
		}
	}
	return false
}
