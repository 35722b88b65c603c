package tallies

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Repositories finds repositories by name.
type Repositories map[record.RepositoryName]*snapshot.Repository

func newRepositories(s *snapshot.Snapshot) Repositories {
	byName := make(Repositories, len(s.Repositories))
	for i := range s.Repositories {
		byName[s.Repositories[i].Name] = &s.Repositories[i]
	}
	return byName
}

// AnyPublic is whether one of some repositories is public: no only if all of them are known not to be.
func (r Repositories) AnyPublic(names []record.RepositoryName) record.Answer {
	if len(names) == 0 {
		return record.AnswerUnknown
	}
	public := record.AnswerNo
	for _, name := range names {
		one := record.AnswerUnknown
		if r := r[name]; r != nil && r.Visibility != record.VisibilityUnknown {
			one = record.AnswerOf(r.Visibility == record.VisibilityPublic)
		}
		public = public.Or(one)
	}
	return public
}

// Inactive reports whether a repository is known to be archived or a fork, so that its pipelines do not count.
func (r Repositories) Inactive(name record.RepositoryName) bool {
	found := r[name]
	return found != nil && !active(found)
}

func active(r *snapshot.Repository) bool { return !r.Archived && !r.Fork }
