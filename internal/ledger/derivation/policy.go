package derivation

import (
	"encoding/json"
	"fmt"
	"maps"
	"prodsec_exporter/internal/ledger/identity"
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Open makes the store complete: codes of a new version of the program, the policy in force, a migration.
func (s *State) Open(t store.Tx, p *policy.Policy, migrated bool) error {
	for _, c := range s.codec.missing {
		if err := t.PutCode(c); err != nil {
			return err
		}
	}
	if migrated && !s.Importing() {
		s.countingChange(snapshot.CountingMigration, s.measured()) // it brings everything over as it is
	}
	switch n := len(s.policies); {
	case n == 0:
		return s.notePolicy()
	case s.policies[n-1].Version != p.Version():
		return s.SetPolicy(t, p)
	}
	return nil
}

// notePolicy records the policy in force for the verdicts to come.
func (s *State) notePolicy() error {
	config, err := json.Marshal(s.policy.Config())
	if err != nil {
		return fmt.Errorf("encoding the policy: %w", err)
	}
	s.policies = append(s.policies, store.PolicyRow{
		Version: s.policy.Version(), Since: s.now, FirstEvent: int64(s.events.Len()), Config: string(config),
	})
	return nil
}

// Found ends the import: the history is derived once more and from now on stored.
func (s *State) Found(t store.Tx) error {
	if !s.Importing() {
		return nil
	}
	s.at = s.now
	s.ImportHistory()
	s.founded = store.TimeOf(s.now)
	for _, h := range s.tables.All() {
		if err := h.Freeze(placement{s}, s.now, t); err != nil {
			return err
		}
	}
	if n := len(s.policies); n > 0 {
		s.policies[n-1].FirstEvent = 0
		if s.policies[n-1].Since == 0 {
			s.policies[n-1].Since = s.now // a new file is opened before anybody tells it the time
		}
		s.savedPolicies = min(s.savedPolicies, n-1)
	}
	for i := 0; i < s.events.Len(); i += blockSize {
		s.dirtyEvents[int32(i/blockSize)] = struct{}{}
	}
	return nil
}

// SetPolicy puts a policy in force.
func (s *State) SetPolicy(t store.Tx, p *policy.Policy) error {
	s.settlePauses()
	s.settleDeadlines()
	s.at = s.now
	counts := !s.Importing()
	var before map[string]float64
	if counts {
		before = s.measured()
	}
	s.policy = p
	if err := s.notePolicy(); err != nil {
		return err
	}
	if err := s.reattribute(t); err != nil {
		return err
	}
	all := slices.Collect(maps.Values(s.exceptions.all))
	if err := s.recoverAll(t, s.candidates(all), func(p int32, cluster []*identity.Report) {
		s.coverFrom(p, cluster, s.now, s.weaknesses.At(int(p)).Open())
	}); err != nil {
		return err
	}
	s.at = s.now
	if counts {
		s.countingChange(snapshot.CountingPolicy, before)
	}
	return nil
}
