package tallies

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// scopeGroup is what scopes have in common that a collector reads alike, e.g. the deployments of one repository each.
type scopeGroup struct{ collector, instance, kind string }

func groupOf(s *snapshot.Scope) scopeGroup { return scopeGroup{s.Collector, s.Instance, s.Kind} }

// scopeGroups are what scopes of a group have in common, for scopes that do not show it themselves.
type scopeGroups struct {
	// alive are the repositories that a source host lists and that are not archived, by owner and name without the host.
	alive map[string]bool
	// perRepository are the groups of which at least one scope is about a repository that a source host knows.
	perRepository map[scopeGroup]bool
	// kinds are the kinds of record of all scopes of a group that were read.
	kinds map[scopeGroup][]record.Kind
}

func newScopeGroups(s *snapshot.Snapshot) *scopeGroups {
	groups := &scopeGroups{alive: map[string]bool{}, perRepository: map[scopeGroup]bool{}, kinds: map[scopeGroup][]record.Kind{}}
	known := map[string]bool{}
	for i := range s.Repositories {
		if r := &s.Repositories[i]; r.Scope >= 0 {
			name := withoutHost(string(r.Name))
			known[name] = true
			groups.alive[name] = groups.alive[name] || !r.Archived
		}
	}
	for i := range s.Scopes {
		if scope := &s.Scopes[i]; known[repositoryOf(scope)] {
			groups.perRepository[groupOf(scope)] = true
		}
	}
	for i := range s.Scopes {
		scope := &s.Scopes[i]
		if scope.LastSuccess.IsZero() || groups.ended(scope) {
			continue
		}
		of := groupOf(scope)
		before, seen := groups.kinds[of]
		if !seen {
			groups.kinds[of] = scope.Kinds
			continue
		}
		groups.kinds[of] = slices.DeleteFunc(slices.Clone(before), func(k record.Kind) bool { return !slices.Contains(scope.Kinds, k) })
	}
	return groups
}

// repositoryOf is the repository that a scope is named after, if it is.
func repositoryOf(s *snapshot.Scope) string {
	_, name, _ := strings.Cut(s.Name, ":")
	return strings.ToLower(name)
}

// withoutHost is owner and name of a repository.
func withoutHost(name string) string {
	if parts := strings.Split(name, "/"); len(parts) > 2 {
		return strings.Join(parts[len(parts)-2:], "/")
	}
	return name
}

// ended reports whether a scope is about a repository that is archived or gone. It is no longer read and its records are final:
// they do not become too old, and nothing is missing from them.
func (g *scopeGroups) ended(s *snapshot.Scope) bool {
	return len(s.Classes) == 0 && g.perRepository[groupOf(s)] && !g.alive[repositoryOf(s)]
}

// deliveryKinds are the kinds of record that are read for each repository by itself.
var deliveryKinds = []record.Kind{
	record.KindDeployment, record.KindRelease, record.KindPipeline, record.KindRunner, record.KindCloudIdentity, record.KindBypass,
}

// ticketKinds are the kinds of record that are read by one query each.
var ticketKinds = []record.Kind{
	record.KindException, record.KindReview, record.KindFollowup, record.KindIncident, record.KindEscalation,
}

// unread are the kinds that a scope would hold, had it ever been read: those of the others of its group.
func (g *scopeGroups) unread(s *snapshot.Scope) (kinds []record.Kind) {
	if !s.LastSuccess.IsZero() {
		return nil
	}
	for _, kind := range g.kinds[groupOf(s)] {
		if (slices.Contains(deliveryKinds, kind) || slices.Contains(ticketKinds, kind)) && !slices.Contains(s.Kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
