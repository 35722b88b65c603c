package backstage

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"prodsec_exporter/internal/record"
)

// The types of relations that are followed.
const (
	relationOwnedBy = "ownedBy"
	relationChildOf = "childOf"
	relationPartOf  = "partOf"
)

// reservedOther is the service that the exposition folds the least important services into.
const reservedOther = "other"

// services are the components as records, ordered by name. The error names what contradicts itself.
func (c *Collector) services(f *found) ([]record.Service, error) {
	slices.SortFunc(f.components, func(a, b *entity) int { return strings.Compare(a.ref().String(), b.ref().String()) })
	units := &hierarchy{groups: f.groups, names: f.names, types: c.config.BusinessUnitTypes}
	services := make([]record.Service, 0, len(f.components))
	first := make(map[string]ref, len(f.components))
	for _, e := range f.components {
		own := e.ref()
		other, twice := first[own.Name]
		switch {
		case own.Name == record.Unattributed || own.Name == reservedOther:
			// What no catalog claims has this name; a service that has it, too, could not be told from that.
			f.rejected[record.RejectOutOfRange]++
			if c.warnings.first(own.String()) {
				c.Env.Logger.Warn("A component has a reserved name and is left out; rename it", "component", own.String())
			}
			continue
		case twice:
			return nil, fmt.Errorf("components %s and %s would both be the service %q; rename one, or read fewer namespaces", other, own, e.Metadata.Name)
		}
		first[own.Name] = own
		s, err := c.service(e, f, units)
		if err != nil {
			return nil, err
		}
		services = append(services, s)
	}
	slices.SortFunc(services, func(a, b record.Service) int { return strings.Compare(a.Name, b.Name) })
	c.warnShared(services)
	return services, nil
}

// service translates one component.
func (c *Collector) service(e *entity, f *found, units *hierarchy) (record.Service, error) {
	s := record.Service{
		Name:           record.Text(e.Metadata.Name),
		Identity:       record.Text(e.Metadata.UID),
		TrustTier:      c.trustTier.text(e),
		ProductArea:    record.Text(c.productArea(e, f)),
		Lifecycle:      record.Text(e.Spec.Lifecycle),
		CrownJewel:     c.crownJewel.answer(e, c.Words),
		InternetFacing: c.internetFacing.answer(e, c.Words),
	}
	if claim, ok := repositoryPath(e.Metadata.Annotations, &c.config); ok {
		s.Repositories = []record.RepositoryPath{claim}
	}
	owner, ok := ownerOf(e, kindGroup)
	if !ok {
		user, owned := ownerOf(e, kindUser)
		if owner, ok = f.groupOfUser(user); !owned || !ok {
			return s, nil
		}
	}
	s.Team = record.Text(teamOf(owner, e, f.names))
	unit, err := units.unitOf(owner)
	if err != nil {
		return s, fmt.Errorf("owner of component %s: %w", e.ref(), err)
	}
	s.BusinessUnit = record.Text(unit)
	return s, nil
}

// ownerOf is the group or user, as the kind says, that owns a component: by relation, which Backstage resolved, else as somebody wrote it. What is written without a
// kind is a group.
func ownerOf(e *entity, kind string) (ref, bool) {
	ofKind := func(r ref) bool { return r.Kind == kind }
	if owner, ok := e.target(relationOwnedBy, ofKind); ok {
		return owner, true
	}
	owner, ok := parseRef(e.Spec.Owner, kindGroup, e.Metadata.Namespace)
	return owner, ok && ofKind(owner)
}

// teamOf is the name of the owning group as it is shown where it is described, else as the component writes it, else as the
// reference has it, in lower case. A group that nobody describes is a team all the same.
func teamOf(owner ref, e *entity, names map[ref]string) string {
	if name := names[owner]; name != "" {
		return name
	}
	if written, ok := parseRef(e.Spec.Owner, kindGroup, e.Metadata.Namespace); ok && written == owner {
		name := strings.TrimSpace(e.Spec.Owner)
		return owner.short(name[strings.LastIndexAny(name, ":/")+1:])
	}
	return owner.short(owner.Name)
}

// productArea is the component's system, or the domain that the system belongs to.
func (c *Collector) productArea(e *entity, f *found) string {
	system, written, ok := e.reference(relationPartOf, kindSystem, e.Spec.System)
	if !ok {
		return ""
	}
	if c.config.ProductArea == ProductAreaSystem {
		return written
	}
	if s := f.systems[system]; s != nil {
		_, domain, _ := s.reference(relationPartOf, "domain", s.Spec.Domain)
		return domain
	}
	return ""
}

// reference is what an entity refers to by a field, else by a relation, and how people name it.
func (e *entity) reference(relation, kind, written string) (to ref, name string, ok bool) {
	if to, ok = parseRef(written, kind, e.Metadata.Namespace); ok && to.Kind == kind {
		written = strings.TrimSpace(written)
		return to, to.short(written[strings.LastIndexAny(written, ":/")+1:]), true
	}
	if to, ok = e.target(relation, func(r ref) bool { return r.Kind == kind }); ok {
		return to, to.short(to.Name), true
	}
	return ref{}, "", false
}

// hierarchy knows which groups are parts of which.
type hierarchy struct {
	groups map[ref]*entity
	names  map[ref]string
	types  []string
}

// unitOf is the nearest group of one of the types, from a group upwards; empty if there is none. The error names a circle.
func (h *hierarchy) unitOf(group ref) (string, error) {
	var way []ref
	for {
		if at := slices.Index(way, group); at >= 0 {
			return "", circle(append(way[at:], group))
		}
		g := h.groups[group]
		if g == nil {
			return "", nil
		}
		if oneOf(g.Spec.Type, h.types) {
			return h.names[group], nil
		}
		way = append(way, group)
		parent, _, ok := g.reference(relationChildOf, kindGroup, g.Spec.Parent)
		if !ok {
			return "", nil
		}
		group = parent
	}
}

func circle(groups []ref) error {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.String()
	}
	return fmt.Errorf("group %s is its own ancestor (%s); correct spec.parent of one of them", names[0], strings.Join(names, " → "))
}

// warnShared names the repositories that several components claim as a whole, which is usual where a repository holds several and none
// says where: the ledger attributes the repository to the first by name.
func (c *Collector) warnShared(services []record.Service) {
	whole := map[record.RepositoryName]string{}
	for _, s := range services {
		for _, claim := range s.Repositories {
			if len(claim.Paths) > 0 {
				continue
			}
			if first, taken := whole[claim.Repository]; taken {
				if c.warnings.first(string(claim.Repository) + " " + s.Name) {
					c.Env.Logger.Warn("Two components claim a whole repository, which goes to the first; let backstage.io/source-location name their folders",
						"repository", claim.Repository, "first", first, "second", s.Name)
				}
				continue
			}
			whole[claim.Repository] = s.Name
		}
	}
}

// maxWarnings bounds what is remembered and logged, since the names come from outside.
const maxWarnings = 256

// warnings remembers what was logged, so that a poll does not repeat the warnings of the one before.
type warnings struct {
	mu     sync.Mutex
	logged map[string]bool
}

// first reports whether a subject was not logged yet.
func (w *warnings) first(subject string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logged[subject] || len(w.logged) >= maxWarnings {
		return false
	}
	if w.logged == nil {
		w.logged = map[string]bool{}
	}
	w.logged[subject] = true
	return true
}
