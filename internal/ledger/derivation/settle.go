package derivation

import (
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// SettledUntil is the instant up to which what the calendar decides has happened.
func (s *State) SettledUntil() time.Time { return store.TimeOf(s.at) }

// Idle reports whether nothing falls due until an instant, and then takes it as settled.
func (s *State) Idle(at int64) bool {
	if s.Importing() || s.nextDue < at || s.nextEdge <= at {
		return false
	}
	s.at = at
	return true
}

// SettleUntil lets happen what the calendar decides until an instant.
func (s *State) SettleUntil(at int64) {
	if at <= s.at {
		return
	}
	s.now = at
	if !s.Importing() {
		s.settlePauses()
		s.settleDeadlines()
	}
	s.at = s.now
}

// Accepts reports whether batches of an instance are taken: of any until some were configured.
func (s *State) Accepts(source store.SourceID) bool {
	_, ok := s.configured[source]
	return ok || len(s.sources) == 0
}

// Cursors are the stored cursors of an instance by scope, empty for a scope that has none.
func (s *State) Cursors(source store.SourceID) map[string]record.Cursor {
	cursors := map[string]record.Cursor{}
	for _, number := range s.scopeOrder {
		if sc := &s.scopes[number]; sc.Source == source {
			cursors[sc.Name] = sc.Cursor
		}
	}
	return cursors
}
