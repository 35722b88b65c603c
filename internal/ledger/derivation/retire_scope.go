package derivation

import (
	"math"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// retire lets a scope leave that is gone at its source: its open findings close for the reason that the batch gives, its other records leave, and
// nothing expects it to be read again. A scope that nobody knows has nothing to leave.
func (s *State) retire(t store.Tx, source store.SourceID, b *record.Batch) error {
	number, known := s.scopeIndex[scopeKey{source, b.Scope}]
	if !known {
		return nil
	}
	s.settlePauses()
	a := &application{State: s, tx: t, batch: b, source: source, scope: number, read: store.TimeOf(s.now), whole: true, byReport: map[int32]*identity.Report{}, touched: map[uint32]bool{}}
	if err := a.absent(func(_ int32, r *report) bool { return r.scopeNumber() == number }, b.Absence); err != nil {
		return err
	}
	if err := a.derive(); err != nil {
		return err
	}
	for _, h := range s.tables.All() {
		if err := h.Drop(s.now, t, number, nil); err != nil {
			return err
		}
	}
	s.changeScope(number).LastAttempt = store.TimeOf(s.now)
	s.forget(map[int32]bool{number: true})
	s.hostsStale, s.positionsMoved = true, true // positions of scopes moved
	if err := a.follow(); err != nil {
		return err
	}
	s.nextDue = math.MinInt64
	s.settleDeadlines()
	s.at = s.now
	return a.regrouped()
}
