package derivation

import (
	"math"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/snapshot"
)

// Changes of counting. What one did to the headline numbers is the difference of two measurements of one instant: of what is shown
// before it and of what is shown after it, all that fell due having been settled before. The records are the same in both, but for those that the change
// itself is about: a scope that is new, a source that left. It is computed once and stored with the change.
//
// De-duplication changes in the middle of a batch that brings other news, too, so its difference is taken otherwise: what is shown after
// the batch, less the same with the weaknesses that were split left out and those that were absorbed put back.

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
