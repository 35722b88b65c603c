package derivation

import (
	"maps"
	"math"
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Configure takes over the configured instances.
func (s *State) Configure(t store.Tx, sources []store.Source) error {
	configured := make(map[store.SourceID]store.Source, len(sources))
	var ids []store.SourceID
	for _, source := range sources {
		id := source.ID()
		if _, ok := configured[id]; !ok {
			ids = append(ids, id)
		}
		configured[id] = source
	}
	changed := s.Recounts(sources)
	var before map[string]float64
	if changed {
		before = s.measured()
	}
	reordered := !slices.Equal(ids, s.sources)
	s.configured, s.sources, s.dirtySources = configured, ids, true
	s.settlePauses()
	removed, err := s.removeScopes(t)
	if err != nil {
		return err
	}
	if reordered || removed {
		s.positionsMoved = true
		if err := s.reattribute(t); err != nil {
			return err
		}
		if err := s.reexcept(t, s.now); err != nil {
			return err
		}
		if err := s.reexploit(t); err != nil {
			return err
		}
	}
	s.nextDue = math.MinInt64 // how long records are believed may have changed
	s.settleDeadlines()
	s.at = s.now
	if changed {
		s.countingChange(snapshot.CountingSource, before)
	}
	return nil
}

// Recounts says that other sources than before are counted.
func (s *State) Recounts(sources []store.Source) bool {
	if len(s.sources) == 0 || s.Importing() {
		return false
	}
	ids := map[store.SourceID]bool{}
	for _, source := range sources {
		ids[source.ID()] = true
	}
	return len(ids) != len(s.sources) || slices.ContainsFunc(s.sources, func(id store.SourceID) bool { return !ids[id] })
}

// removeScopes lets the scopes of instances leave that are no longer configured.
func (s *State) removeScopes(t store.Tx) (bool, error) {
	leaving := map[int32]bool{}
	for _, number := range s.scopeOrder {
		if _, ok := s.configured[s.scopes[number].Source]; !ok {
			leaving[number] = true
		}
	}
	if len(leaving) == 0 {
		return false, nil
	}
	a := &application{State: s, tx: t, batch: &record.Batch{}, read: store.TimeOf(s.now), byReport: map[int32]*identity.Report{}, touched: map[uint32]bool{}}
	if err := a.absent(func(_ int32, r *report) bool { return leaving[r.scopeNumber()] }, record.ClosureNone); err != nil {
		return false, err
	}
	if err := a.derive(); err != nil {
		return false, err
	}
	for _, number := range slices.Sorted(maps.Keys(leaving)) {
		for _, h := range s.tables.All() {
			if err := h.Drop(s.now, t, number, nil); err != nil {
				return false, err
			}
		}
	}
	s.hostsStale = true
	s.forget(leaving)
	return true, nil
}

// forget takes scopes out of the snapshot.
func (s *State) forget(leaving map[int32]bool) {
	moved := make([]int32, len(s.scopeOrder))
	order := s.scopeOrder[:0:0]
	for old, number := range s.scopeOrder {
		if !leaving[number] {
			moved[old] = int32(len(order))
			order = append(order, number)
			continue
		}
		moved[old] = -1
		sc := s.changeScope(number)
		sc.Removed = true
		delete(s.scopeIndex, scopeKey{sc.Source, sc.Name})
	}
	s.scopeOrder = order
	s.renumber(func(w *snapshot.Weakness) *int32 { return &w.Scope }, moved, -1)
}
