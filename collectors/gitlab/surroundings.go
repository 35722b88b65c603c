package gitlab

import (
	"context"
	"strings"
	"sync"

	"prodsec_exporter/internal/record"
)

// surroundings are what projects that are read in one collection share: the names of the others, and the groups above them, each of which is asked once.
type surroundings struct {
	collector *Collector
	names     map[int64]record.RepositoryName

	mu     sync.Mutex
	groups map[string]groupProtection
}

// groupProtection is what a group demands of deployments to environments of a tier, with the permission that its answer lacked, if any.
type groupProtection struct {
	tiers      map[string]*protectedEnvironment
	permission string
}

func (c *Collector) newSurroundings(projects []*project) *surroundings {
	s := &surroundings{collector: c, names: map[int64]record.RepositoryName{}, groups: map[string]groupProtection{}}
	for _, p := range projects {
		s.names[p.ID] = p.name
	}
	return s
}

// protectedTiers are the protected environments of all groups above a project, by tier.
func (s *surroundings) protectedTiers(ctx context.Context, path string) (above []map[string]*protectedEnvironment, permission string, err error) {
	for at := strings.IndexByte(path, '/'); at > 0; {
		group, err := s.group(ctx, path[:at])
		if err != nil {
			return nil, "", err
		}
		if group.permission != "" {
			permission = group.permission
		}
		above = append(above, group.tiers)
		next := strings.IndexByte(path[at+1:], '/')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return above, permission, nil
}

// group asks a group once in a collection; those who want the same answer wait for it.
func (s *surroundings) group(ctx context.Context, path string) (groupProtection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.groups[path]; ok {
		return known, nil
	}
	var read groupProtection
	var err error
	read.tiers, read.permission, err = s.collector.readProtectedEnvironments(ctx, "groups/"+segment(path)+"/protected_environments", premiumOrGroupRole)
	if err == nil {
		s.groups[path] = read
	}
	return read, err
}
