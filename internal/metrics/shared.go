package metrics

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// shared is what several families need, computed once per evaluation.
type shared struct {
	own     *ownership
	sources *readState
	open    *openTally
	events  *eventTally
	// postures are of all repositories of source hosts, exceptions all that are part of the inventory.
	postures   []posture
	exceptions []standing
	// repositories are by name, privileged those that policy calls so.
	repositories map[record.RepositoryName]*snapshot.Repository
	privileged   map[record.RepositoryName]bool
	delivery     *deliveryTally
	// scans are by class; controls are the results of all controls.
	scans    []scanReading
	controls *controlResults
	// inService lists the positions in Snapshot.Services that are shown: all, but unattributed only if something is.
	inService []int
}

func newShared(in *Input) *shared {
	s := &shared{own: newOwnership(in.Snapshot, in.Policy), sources: newReadState(in.Snapshot, in.At)}
	s.open = tallyOpen(in, s.own, s.sources)
	s.own.weigh(in.Snapshot, s.open.urgent)
	s.events = tallyEvents(in, s.own)
	s.postures = newPostures(in, s.sources)
	s.repositories, s.privileged = repositoriesByName(in.Snapshot), privilegedRepositories(s.postures)
	s.delivery = tallyDelivery(in, s.own, s.sources)
	s.exceptions = standings(in, s.sources)
	s.inService = servicesInUse(in.Snapshot, s.open)
	in.shared = s // what follows reads it
	s.scans = readScans(in)
	s.controls = newControlResults(in, s.sources, s.exceptions, newControlEvidence(in, s.sources, s.postures, s.scans))
	for _, i := range s.inService {
		s.own.present = append(s.own.present, in.Snapshot.Services[i].Owner)
	}
	return s
}

// servicesInUse leaves out unattributed (position 0) unless something is.
func servicesInUse(s *snapshot.Snapshot, open *openTally) []int {
	used := open.unattributed ||
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

// readState says which sources were read, and which records are too old to be shown.
type readState struct {
	// dropped is by position in Snapshot.Scopes.
	dropped    []bool
	anyDropped bool
	kinds      map[record.Kind]*reading
	classes    []reading // by snapshot.ClassIndex
}

// reading is how far the sources of one kind of record or class of finding were read.
type reading struct {
	// ever: at least one scope was read whole at some time; now: at least one that was is not dropped.
	ever, now bool
	// partly: at least one scope was never read or is dropped, so nothing can be said of what is not there.
	partly bool
}

// complete reports whether what is absent is known to be absent.
func (r reading) complete() bool { return r.now && !r.partly }

func newReadState(s *snapshot.Snapshot, at time.Time) *readState {
	state := &readState{
		dropped: make([]bool, len(s.Scopes)),
		kinds:   map[record.Kind]*reading{},
		classes: make([]reading, len(record.Classes())),
	}
	for _, kind := range record.Kinds() {
		state.kinds[kind] = &reading{}
	}
	held, sorts := heldKinds(s), newScopeSorts(s)
	for i := range s.Scopes {
		scope := &s.Scopes[i]
		if sorts.ended(scope) {
			continue
		}
		freshness := scope.Freshness(at)
		state.dropped[i] = freshness == snapshot.Dropped
		state.anyDropped = state.anyDropped || state.dropped[i]
		spoken := slices.Concat(scope.Kinds, held[i], sorts.unread(scope))
		if len(scope.Classes) > 0 {
			spoken = append(spoken, record.KindFinding)
		}
		for _, kind := range spoken {
			if r, ok := state.kinds[kind]; ok {
				r.add(freshness)
			}
		}
		for _, class := range scope.Classes {
			state.classes[snapshot.IndexOfClass(class)].add(freshness)
		}
	}
	return state
}

func (r *reading) add(f snapshot.Freshness) {
	r.ever = r.ever || f != snapshot.Never
	r.now = r.now || f == snapshot.Fresh || f == snapshot.Stale
	r.partly = r.partly || f == snapshot.Never || f == snapshot.Dropped
}

// heldKinds lists the kinds of record that scopes hold, for scopes that do not say which kinds they speak of.
func heldKinds(s *snapshot.Snapshot) map[int][]record.Kind {
	held := map[int][]record.Kind{}
	note := func(scope int32, kind record.Kind) {
		if i := int(scope); i >= 0 && !slices.Contains(held[i], kind) {
			held[i] = append(held[i], kind)
		}
	}
	for i := range s.Repositories {
		note(s.Repositories[i].Scope, record.KindRepository)
	}
	noteHeld(note, record.KindException, s.Exceptions)
	noteHeld(note, record.KindReview, s.Reviews)
	noteHeld(note, record.KindFollowup, s.Followups)
	noteHeld(note, record.KindEscalation, s.Escalations)
	noteHeld(note, record.KindIncident, s.Incidents)
	noteHeld(note, record.KindDeployment, s.Deployments)
	noteHeld(note, record.KindRelease, s.Releases)
	noteHeld(note, record.KindPipeline, s.Pipelines)
	noteHeld(note, record.KindRunner, s.Runners)
	noteHeld(note, record.KindCloudIdentity, s.CloudIdentities)
	noteHeld(note, record.KindBypass, s.Bypasses)
	return held
}

func noteHeld[T any](note func(scope int32, kind record.Kind), kind record.Kind, held []snapshot.Held[T]) {
	for i := range held {
		if i == 0 || held[i].Scope != held[i-1].Scope {
			note(held[i].Scope, kind)
		}
	}
}

// of is how far a kind of record was read.
func (r *readState) of(kind record.Kind) reading { return *r.kinds[kind] }

// isDropped reports whether the records of a scope are too old to be shown.
func (r *readState) isDropped(scope int32) bool {
	return scope >= 0 && int(scope) < len(r.dropped) && r.dropped[scope]
}

// Evaluate computes every family. It is a pure function of its arguments: the same ones give the same result.
func Evaluate(s *snapshot.Snapshot, p *policy.Policy, at time.Time) *Evaluation {
	in := &Input{Snapshot: s, Policy: p, At: at}
	in.shared = newShared(in)
	e := &Evaluation{At: at, Folded: map[string]int{}, Dropped: map[string]int{}}
	families := All()
	var room spare
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range families {
		f = f.under(p)
		out := newSink(f, in.shared.own, p.Config().Detail.MaxSeries, &room, e.Dropped)
		f.Collect(in, out)
		series, folded := out.finish()
		if folded > 0 {
			e.Folded[f.Name] = folded
		}
		if len(series) > 0 {
			e.Results = append(e.Results, Result{Family: f, Series: series})
		}
	}
	return e
}
