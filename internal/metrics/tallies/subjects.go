package tallies

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// subjects number what deployments and incidents are about: a service, or the repository where no catalog knows the service. 0 is
// nothing known.
type subjects struct {
	// byOwner is by position in Snapshot.Owners; nil where the present service counts.
	byOwner      []int32
	services     int32
	repositories map[record.RepositoryName]int32
}

func newSubjects(s *snapshot.Snapshot, final bool) *subjects {
	made := &subjects{services: int32(len(s.Services) + len(s.Owners)), repositories: map[record.RepositoryName]int32{}}
	if final {
		made.byOwner = frozenServices(s)
	}
	return made
}

func (x *subjects) of(owner, service int32, repository record.RepositoryName) int32 {
	if x.byOwner != nil {
		service = x.byOwner[owner]
	}
	switch {
	case service > 0:
		return service
	case repository == "":
		return 0
	}
	at, ok := x.repositories[repository]
	if !ok {
		at = x.services + int32(len(x.repositories)) + 1
		x.repositories[repository] = at
	}
	return at
}

// frozenServices numbers the services by their names as of when their owners were frozen: by position in Snapshot.Owners, 0 for what was
// unattributed.
func frozenServices(s *snapshot.Snapshot) []int32 {
	numbers := map[string]int32{"": 0, record.Unattributed: 0}
	of := make([]int32, len(s.Owners))
	for i := range s.Owners {
		name := s.Owners[i].Service
		n, ok := numbers[name]
		if !ok {
			n = int32(len(numbers)) - 1
			numbers[name] = n
		}
		of[i] = n
	}
	return of
}
