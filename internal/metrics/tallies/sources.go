package tallies

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Sources say which sources were read, and which records are too old to be shown.
type Sources struct {
	// dropped is by position in Snapshot.Scopes.
	dropped    []bool
	anyDropped bool
	kinds      map[record.Kind]*Completeness
	// Classes are by snapshot.ClassIndex.
	Classes []Completeness
}

// Completeness is how far the sources of one kind of record or class of finding were read.
type Completeness struct {
	// Ever: at least one scope was read whole at some time; Now: at least one that was is not dropped.
	Ever, Now bool
	// Partly: at least one scope was never read or is dropped, so what is absent may exist.
	Partly bool
	// Scopes counts the scopes by freshness, without those that have ended.
	Scopes map[snapshot.Freshness]int
}

// Complete reports whether what is absent is known to be absent.
func (c Completeness) Complete() bool { return c.Now && !c.Partly }

func newSources(s *snapshot.Snapshot, at time.Time) *Sources {
	sources := &Sources{
		dropped: make([]bool, len(s.Scopes)),
		kinds:   map[record.Kind]*Completeness{},
		Classes: make([]Completeness, len(record.Classes())),
	}
	for _, kind := range record.Kinds() {
		sources.kinds[kind] = &Completeness{}
	}
	held, groups := heldKinds(s), newScopeGroups(s)
	for i := range s.Scopes {
		scope := &s.Scopes[i]
		if groups.ended(scope) {
			continue
		}
		freshness := scope.Freshness(at)
		sources.dropped[i] = freshness == snapshot.Dropped
		sources.anyDropped = sources.anyDropped || sources.dropped[i]
		kinds := slices.Concat(scope.Kinds, held[i], groups.unread(scope))
		if len(scope.Classes) > 0 {
			kinds = append(kinds, record.KindFinding)
		}
		slices.Sort(kinds)
		for _, kind := range slices.Compact(kinds) {
			if c, ok := sources.kinds[kind]; ok {
				c.add(freshness)
			}
		}
		for _, class := range scope.Classes {
			sources.Classes[snapshot.IndexOfClass(class)].add(freshness)
		}
	}
	return sources
}

func (c *Completeness) add(f snapshot.Freshness) {
	if c.Scopes == nil {
		c.Scopes = map[snapshot.Freshness]int{}
	}
	c.Scopes[f]++
	c.Ever = c.Ever || f != snapshot.Never
	c.Now = c.Now || f == snapshot.Fresh || f == snapshot.Stale
	c.Partly = c.Partly || f == snapshot.Never || f == snapshot.Dropped
}

// heldKinds lists the kinds of record that scopes hold, for scopes that do not say which kinds they read.
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

// Of is how far a kind of record was read.
func (s *Sources) Of(kind record.Kind) Completeness { return *s.kinds[kind] }

// IsDropped reports whether the records of a scope are too old to be shown.
func (s *Sources) IsDropped(scope int32) bool {
	return scope >= 0 && int(scope) < len(s.dropped) && s.dropped[scope]
}
