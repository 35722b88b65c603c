package derivation

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
	"prodsec_exporter/internal/snapshot"
)

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
