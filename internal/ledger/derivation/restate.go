package derivation

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Changes of counting. What one did to the headline numbers is the difference of two measurements of one instant: of what is shown
// before it and of what is shown after it, all that fell due having been settled before. The records are the same in both, but for those that the change
// itself is about: a scope that is new, a source that left. It is computed once and stored with the change.
//
// De-duplication changes in the middle of a batch that brings other news, too, so its difference is taken otherwise: what is shown after
// the batch, less the same with the weaknesses that were split left out and those that were absorbed put back.

// Measure computes the headline numbers of a snapshot.
type Measure func(*snapshot.Snapshot, *policy.Policy, time.Time) map[string]float64

// measured are the headline numbers as of now, nil if nobody measures.
func (s *State) measured() map[string]float64 {
	if s.measure == nil {
		return nil
	}
	s.refreshLists()
	return s.measure(s.Snapshot(), s.policy, store.TimeOf(s.now))
}

// countingChange notes a change in how things are counted, and what it did to the numbers that were measured before it.
func (s *State) countingChange(kind snapshot.CountingKind, before map[string]float64) {
	s.noteChange(kind, difference(before, s.measured()))
}

func (s *State) noteChange(kind snapshot.CountingKind, restated map[string]float64) {
	s.countingChanges = append(s.countingChanges, snapshot.CountingChange{Kind: kind, At: store.TimeOf(s.now), Restated: restated})
}

// difference is after less before, for what both have; nil if neither was measured.
func difference(before, after map[string]float64) map[string]float64 {
	if before == nil || after == nil {
		return nil
	}
	changed := map[string]float64{}
	for metric, value := range after {
		old, ok := before[metric]
		if d := value - old; ok && !math.IsNaN(d) && !math.IsInf(d, 0) {
			changed[metric] = d
		}
	}
	return changed
}

// regrouped notes, once for a batch, that reports were grouped otherwise than before.
func (a *application) regrouped() error {
	if len(a.split)+len(a.absorbed) == 0 || a.Importing() {
		return nil
	}
	if a.measure == nil {
		a.noteChange(snapshot.CountingDeduplication, nil)
		return nil
	}
	after := a.measured()
	old, err := a.asGroupedBefore()
	if err != nil {
		return err
	}
	a.noteChange(snapshot.CountingDeduplication, difference(a.measure(old, a.policy, store.TimeOf(a.now)), after))
	return nil
}

// asGroupedBefore is what would be shown had no weakness been split and none absorbed.
func (a *application) asGroupedBefore() (*snapshot.Snapshot, error) {
	s := a.Snapshot()
	weaknesses, events := snapshot.Edit(s.Weaknesses), snapshot.Edit(s.Events)
	for _, p := range a.split {
		weaknesses.Change(int(p)).Withdraw()
	}
	for _, p := range a.absorbed {
		if int(p) >= a.origin.lengths[undo.GrownWeaknesses] {
			continue // it was not there before the batch
		}
		w := *a.origin.weaknesses.At(int(p))
		w.Service = max(0, a.services.positionOf(numberAt(a.origin.numbering.services, w.Service)))
		w.Repository = a.repositories.positionOf(numberAt(a.origin.numbering.repositories, w.Repository))
		w.Scope = a.scopePositionOf(numberAt(a.origin.numbering.scopes, w.Scope))
		*weaknesses.Change(int(p)) = w
		if spans, ok := a.origin.pauses[p]; ok {
			pauses, err := parsePauses(spans)
			if err != nil {
				return nil, fmt.Errorf("restating: %w", err)
			}
			s.Pauses = maps.Clone(s.Pauses)
			s.Pauses[p] = pauses
		}
	}
	for i := a.origin.lengths[undo.GrownEvents]; i < events.Len(); i++ {
		if p := events.At(i).Weakness; slices.Contains(a.split, p) || slices.Contains(a.absorbed, p) {
			events.Change(i).Counted = math.MaxInt64 // it never counts
		}
	}
	s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
	return s, nil
}
