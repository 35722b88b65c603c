package derivation

import (
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
)

// follow brings up to date what the records say of findings, as far as they changed.
func (a *application) follow() error {
	a.hostsStale = a.hostsStale || a.tables.Repositories.Stale
	exceptions := a.tables.Exceptions.Stale
	if a.tables.Exploited.Stale {
		if err := a.reexploit(a.tx); err != nil {
			return err
		}
	}
	if a.tables.Services.Stale || a.tables.Repositories.Stale && len(differingNames(a.catalog.Retired, a.readRetired())) > 0 {
		if err := a.reattribute(a.tx); err != nil {
			return err
		}
	}
	if exceptions {
		return a.reexcept(a.tx, store.Unix(a.read))
	}
	return nil
}

// reexcept reads the exceptions anew and brings the pauses of everything they cover or covered up to date.
// They are known to have been as they were until the instant known.
func (s *State) reexcept(t store.Tx, known int64) error {
	old := s.exceptions
	s.exceptions = newExceptionIndex(s.tables.Exceptions, s.catalog.FormerNames)
	change := &exceptionChange{known: known}
	change.before, change.after = differing(&old, &s.exceptions)
	return s.recoverAll(t, s.candidates(slices.Concat(change.before, change.after)), func(p int32, cluster []*identity.Report) {
		w := s.weaknesses.At(int(p))
		s.cover(p, s.pausesAfter(p, s.subjectOf(w, cluster), change), w.Open())
	})
}
