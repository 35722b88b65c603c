package derivation

import (
	"fmt"

	"prodsec_exporter/internal/ledger/store"
)

// Save brings up to date what follows from what changed, and writes all of it.
func (s *State) Save(t store.Tx) error {
	s.refreshLists()
	if err := s.saveUndo(t); err != nil {
		return fmt.Errorf("saving the history: %w", err)
	}
	if err := s.texts.save(t.PutString); err != nil {
		return fmt.Errorf("saving texts: %w", err)
	}
	if err := s.owners.save(t.PutOwner); err != nil {
		return fmt.Errorf("saving owners: %w", err)
	}
	for _, r := range []*nameTable{&s.services, &s.repositories} {
		if err := r.save(t); err != nil {
			return fmt.Errorf("saving names: %w", err)
		}
	}
	for number := range s.dirtyScopes {
		if err := t.PutScope(number, s.scopes[number].ScopeRow); err != nil {
			return fmt.Errorf("saving scopes: %w", err)
		}
	}
	if s.dirtySources {
		if err := t.PutSources(s.configuredSources()); err != nil {
			return fmt.Errorf("saving sources: %w", err)
		}
	}
	if err := s.saveBlocks(t); err != nil {
		return fmt.Errorf("saving weaknesses: %w", err)
	}
	for p := range s.dirtyPauses {
		if err := t.PutPauses(p, formatPauses(s.pauses[p])); err != nil {
			return fmt.Errorf("saving pauses: %w", err)
		}
	}
	clear(s.dirtyScopes)
	clear(s.dirtyPauses)
	return s.saveHistory(t)
}

func (s *State) saveHistory(t store.Tx) error {
	for ; s.savedPolicies < len(s.policies); s.savedPolicies++ {
		if err := t.PutPolicy(s.savedPolicies, s.policies[s.savedPolicies]); err != nil {
			return fmt.Errorf("saving policies: %w", err)
		}
	}
	for ; s.savedCounting < len(s.countingChanges); s.savedCounting++ {
		if err := t.PutCountingChange(s.savedCounting, s.countingChanges[s.savedCounting]); err != nil {
			return fmt.Errorf("saving counting changes: %w", err)
		}
	}
	if err := t.PutMeta("at", fmt.Sprint(s.at)); err != nil {
		return err
	}
	s.dirtySources = false
	return t.PutMeta("founded", fmt.Sprint(store.Unix(s.founded)))
}
