package derivation

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Retired repositories. Nobody can fix what is in a repository that is archived, and nothing is left of one that is deleted: their weaknesses
// belong to nobody, so that no team's numbers hold them, until the repository returns. Catalogs often go on naming such
// repositories.

// readRetired lists the repositories that a source host says are archived, or had and has no more. What a scope that left the configuration had
// says nothing.
func (s *State) readRetired() map[record.RepositoryName]bool {
	retired, alive := map[record.RepositoryName]bool{}, map[record.RepositoryName]bool{}
	for _, e := range s.tables.Repositories.Entries {
		switch {
		case !e.Gone && e.Value.Archived:
			retired[e.Value.Name] = true
		case !e.Gone:
			alive[e.Value.Name] = true
		}
	}
	for _, e := range s.tables.Repositories.Entries {
		if e.Gone && !alive[e.Value.Name] && !s.scopes[e.Scope].Removed {
			retired[e.Value.Name] = true
		}
	}
	return retired
}

// differingNames are the names that only one of two sets has.
func differingNames(a, b map[record.RepositoryName]bool) map[record.RepositoryName]bool {
	differing := map[record.RepositoryName]bool{}
	for name := range a {
		if !b[name] {
			differing[name] = true
		}
	}
	for name := range b {
		if !a[name] {
			differing[name] = true
		}
	}
	return differing
}

// retired reports whether the repository of a weakness is.
func (s *State) retired(w *snapshot.Weakness) bool {
	return w.Repository >= 0 && s.catalog.Retired[record.RepositoryName(s.repositories.at(w.Repository))]
}

// markRetired brings the flag of a weakness up to date.
func (s *State) markRetired(p int32) {
	w := s.weaknesses.At(int(p))
	flags := w.Flags &^ snapshot.Orphaned
	if s.retired(w) {
		flags |= snapshot.Orphaned
	}
	if flags != w.Flags {
		s.changeWeakness(p).Flags = flags
	}
}
