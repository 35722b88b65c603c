package metrics

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// scopeSort is what scopes have in common that a collector reads alike, e.g. the deployments of one repository each.
type scopeSort struct{ collector, instance, kind string }

func sortOf(s *snapshot.Scope) scopeSort { return scopeSort{s.Collector, s.Instance, s.Kind} }

// scopeSorts say of scopes what they do not say themselves.
type scopeSorts struct {
	// alive are the repositories that a source host lists and that are not archived, by owner and name without the host.
	alive map[string]bool
	// perRepository are the sorts of which at least one scope is about a repository that a source host knows.
	perRepository map[scopeSort]bool
	// speaks are the kinds of record that all scopes of a sort speak of which were read.
	speaks map[scopeSort][]record.Kind
}

func newScopeSorts(s *snapshot.Snapshot) *scopeSorts {
	sorts := &scopeSorts{alive: map[string]bool{}, perRepository: map[scopeSort]bool{}, speaks: map[scopeSort][]record.Kind{}}
	known := map[string]bool{}
	for i := range s.Repositories {
		if r := &s.Repositories[i]; r.Scope >= 0 {
			name := withoutHost(string(r.Name))
			known[name] = true
			sorts.alive[name] = sorts.alive[name] || !r.Archived
		}
	}
	for i := range s.Scopes {
		if scope := &s.Scopes[i]; known[repositoryOf(scope)] {
			sorts.perRepository[sortOf(scope)] = true
		}
	}
	for i := range s.Scopes {
		scope := &s.Scopes[i]
		if scope.LastSuccess.IsZero() || sorts.ended(scope) {
			continue
		}
		of := sortOf(scope)
		before, seen := sorts.speaks[of]
		if !seen {
			sorts.speaks[of] = scope.Kinds
			continue
		}
		sorts.speaks[of] = slices.DeleteFunc(slices.Clone(before), func(k record.Kind) bool { return !slices.Contains(scope.Kinds, k) })
	}
	return sorts
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

// ended reports whether a scope is about a repository that is archived or gone. Nobody reads it any more, and it says all there is to say:
// it neither grows too old nor hides anything.
func (x *scopeSorts) ended(s *snapshot.Scope) bool {
	return len(s.Classes) == 0 && x.perRepository[sortOf(s)] && !x.alive[repositoryOf(s)]
}

// deliveryKinds are the kinds of record that are read for each repository by itself.
var deliveryKinds = []record.Kind{
	record.KindDeployment, record.KindRelease, record.KindPipeline, record.KindRunner, record.KindCloudIdentity, record.KindBypass,
}

// unread are the kinds that a scope would speak of, had it ever been read: those of the others of its sort.
func (x *scopeSorts) unread(s *snapshot.Scope) (kinds []record.Kind) {
	if !s.LastSuccess.IsZero() {
		return nil
	}
	for _, kind := range x.speaks[sortOf(s)] {
		if slices.Contains(deliveryKinds, kind) && !slices.Contains(s.Kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
