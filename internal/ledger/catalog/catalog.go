// Package catalog merges what service catalogs say: who owns what, which of several statements counts, and where they contradict each other.
// It holds no state: package derivation says which statements there are and applies the result to weaknesses.
//
// To merge one more fact about services: Merge and Compare, which must agree on what a difference is.
package catalog

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Catalog is who owns what, merged over all catalogs.
type Catalog struct {
	// Services by position; 0 is record.Unattributed.
	Services []snapshot.Service
	// Retired are the repositories that are archived or that their source host no longer has, whatever the catalogs say.
	Retired map[record.RepositoryName]bool
	// FormerNames lead to the present name of a service that was renamed.
	FormerNames map[string]string
	// Rules by repository.
	Rules map[record.RepositoryName]*Rule
	// Conflicts are what the catalogs know differently.
	Conflicts []snapshot.CatalogConflict
}

// Rule says to which services the contents of a repository belong. Services are named, so that a rule outlives a
// change of positions.
type Rule struct {
	// Service owns what no pattern matches; "" when no catalog gives the whole repository to a service.
	Service string
	// Paths are ordered: the longest pattern first, so the most specific one decides.
	Paths []pathRule
}

type pathRule struct {
	pattern string
	service string
	match   *regexp.Regexp
}

// Sole is the service that answers for the repository as a whole: its default, or the only one that has a part of it.
func (r *Rule) Sole() string {
	if r.Service != "" {
		return r.Service
	}
	for _, p := range r.Paths {
		if p.service != r.Paths[0].service {
			return ""
		}
	}
	return r.Paths[0].service
}

// Services are the names of the services that have a part of the repository, each once.
func (r *Rule) Services() []string {
	var names []string
	if r.Service != "" {
		names = append(names, r.Service)
	}
	for _, p := range r.Paths {
		if !slices.Contains(names, p.service) {
			names = append(names, p.service)
		}
	}
	return names
}

// Equal reports whether two rules attribute everything alike.
func (r *Rule) Equal(o *Rule) bool {
	return r.Service == o.Service && slices.EqualFunc(r.Paths, o.Paths, func(a, b pathRule) bool {
		return a.pattern == b.pattern && a.service == b.service
	})
}

// ServiceAt is the name of the service that a place in a repository belongs to, "" when no catalog knows.
func (c *Catalog) ServiceAt(repository record.RepositoryName, place string) string {
	rule := c.Rules[repository]
	if rule == nil {
		return ""
	}
	if place != "" {
		for _, p := range rule.Paths {
			if p.match.MatchString(strings.TrimPrefix(place, "/")) {
				return p.service
			}
		}
	}
	return rule.Service
}

// Merge merges what catalogs say, in the order of precedence: per field the first that knows it wins. One catalog may describe a service
// in several scopes, each with some of its repositories; these add up.
func Merge(statements []Statement) []record.Service {
	byName, hosted := map[string]int{}, map[string]string{}
	var merged []record.Service
	for _, from := range statements {
		r := from.Service
		if len(r.Repositories) > 0 && hosted[r.Name] == "" {
			hosted[r.Name] = from.By
		}
		i, ok := byName[r.Name]
		if !ok {
			byName[r.Name] = len(merged)
			r.Facts = maps.Clone(r.Facts)
			merged = append(merged, r)
			continue
		}
		m := &merged[i]
		for _, former := range r.RenamedFrom {
			if !slices.Contains(m.RenamedFrom, former) {
				m.RenamedFrom = append(slices.Clip(m.RenamedFrom), former)
			}
		}
		m.BusinessUnit = cmp.Or(m.BusinessUnit, r.BusinessUnit)
		m.Team = cmp.Or(m.Team, r.Team)
		m.TrustTier = cmp.Or(m.TrustTier, r.TrustTier)
		m.ProductArea = cmp.Or(m.ProductArea, r.ProductArea)
		m.Lifecycle = cmp.Or(m.Lifecycle, r.Lifecycle)
		m.CrownJewel = cmp.Or(m.CrownJewel, r.CrownJewel)
		m.InternetFacing = cmp.Or(m.InternetFacing, r.InternetFacing)
		if hosted[r.Name] == from.By {
			m.Repositories = slices.Concat(m.Repositories, r.Repositories)
		}
		m.Facts = under(m.Facts, r.Facts)
	}
	return merged
}

// under fills what a map lacks from another one.
func under[K, V comparable](m, lower map[K]V) map[K]V {
	var zero V
	for k, v := range lower {
		if m[k] == zero && v != zero {
			if m == nil {
				m = map[K]V{}
			}
			m[k] = v
		}
	}
	return m
}

// Rules says which service owns what, by repository; services are the merged ones, and statements what they were merged from, in the order of precedence. Where two
// services claim the same, the one whose repositories the catalog of higher precedence states has it; of one catalog the first by name.
func Rules(services []record.Service, statements []Statement) map[record.RepositoryName]*Rule {
	rank := hostRanks(statements)
	ordered := slices.SortedFunc(slices.Values(services), func(a, b record.Service) int {
		return cmp.Or(cmp.Compare(rank[a.Name], rank[b.Name]), cmp.Compare(a.Name, b.Name))
	})
	rules := map[record.RepositoryName]*Rule{}
	for _, s := range ordered {
		for _, claim := range s.Repositories {
			rule := rules[claim.Repository]
			if rule == nil {
				rule = &Rule{}
				rules[claim.Repository] = rule
			}
			if len(claim.Paths) == 0 && rule.Service == "" {
				rule.Service = s.Name
			}
			for _, pattern := range claim.Paths {
				rule.Paths = append(rule.Paths, pathRule{pattern: pattern, service: s.Name, match: globPattern(pattern)})
			}
		}
	}
	for _, rule := range rules {
		slices.SortStableFunc(rule.Paths, func(a, b pathRule) int { return cmp.Compare(len(b.pattern), len(a.pattern)) })
	}
	return rules
}

// hostRanks are, by service, the rank of the catalog that states its repositories: that of the highest precedence has 0.
func hostRanks(statements []Statement) map[string]int {
	catalogs, ranks := map[string]int{}, map[string]int{}
	for _, s := range statements {
		if _, known := catalogs[s.By]; !known {
			catalogs[s.By] = len(catalogs)
		}
		if _, hosted := ranks[s.Name]; !hosted && len(s.Repositories) > 0 {
			ranks[s.Name] = catalogs[s.By]
		}
	}
	return ranks
}

// globPattern compiles a pattern in the form of CODEOWNERS: "*" and "?" stay inside a path element, "**" crosses them, a
// pattern with a slash before its end is anchored at the root, and one that names a directory holds everything below it.
func globPattern(pattern string) *regexp.Regexp {
	body := strings.Trim(pattern, "/")
	var re strings.Builder
	re.WriteString("^")
	if !strings.Contains(body, "/") && !strings.HasPrefix(pattern, "/") {
		re.WriteString("(?:.*/)?")
	}
	for i := 0; i < len(body); i++ {
		switch {
		case strings.HasPrefix(body[i:], "**/"):
			re.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(body[i:], "**"):
			re.WriteString(".*")
			i++
		case body[i] == '*':
			re.WriteString("[^/]*")
		case body[i] == '?':
			re.WriteString("[^/]")
		default:
			re.WriteString(regexp.QuoteMeta(body[i : i+1]))
		}
	}
	if strings.HasSuffix(pattern, "/") {
		re.WriteString("/.*$")
	} else {
		re.WriteString("(?:/.*)?$")
	}
	compiled, err := regexp.Compile(re.String())
	if err != nil { // a pattern that is not valid UTF-8 matches nothing
		return neverMatches
	}
	return compiled
}

var neverMatches = regexp.MustCompile(`[^\s\S]`)

// OwnerOf is the owner of a service in the words of the labels.
func OwnerOf(s *record.Service, p *policy.Policy) snapshot.Owner {
	return snapshot.Owner{
		BusinessUnit: cmp.Or(s.BusinessUnit, record.Unattributed), Team: cmp.Or(s.Team, record.Unattributed), Service: s.Name,
		TrustTier: p.TierNames()[p.Tier(s.TrustTier)],
	}
}

// MergeRepositories folds what several scopes say about one repository; what comes first wins where both speak.
func MergeRepositories(m, r record.Repository) record.Repository {
	m.URL = cmp.Or(m.URL, r.URL)
	m.Visibility = cmp.Or(m.Visibility, r.Visibility)
	m.Archived = m.Archived || r.Archived
	m.Fork = m.Fork || r.Fork
	m.DefaultBranch = cmp.Or(m.DefaultBranch, r.DefaultBranch)
	if m.Topics == nil {
		m.Topics = r.Topics
	}
	m.Properties = under(maps.Clone(m.Properties), r.Properties)
	if m.PushedAt.Before(r.PushedAt) {
		m.PushedAt = r.PushedAt
	}
	if m.Branches == nil {
		m.Branches = r.Branches
	}
	if m.Environments == nil {
		m.Environments = r.Environments
	}
	m.Scanners = under(maps.Clone(m.Scanners), r.Scanners)
	m.Settings = under(maps.Clone(m.Settings), r.Settings)
	return m
}

// Unmapped says why a repository has no owner; owned says whether every part of it that a rule names belongs to a service with a team. Archived repositories and forks
// have reasons of their own, because prodsec_scope_size does not count them, and so do repositories that no source host lists.
func Unmapped(r *snapshot.Repository, rule *Rule, owned bool) snapshot.UnmappedReason {
	switch {
	case rule != nil && owned:
		return ""
	case r.Scope < 0:
		return snapshot.UnmappedNoHost
	case r.Archived:
		return snapshot.UnmappedArchived
	case r.Fork:
		return snapshot.UnmappedFork
	case rule == nil:
		return snapshot.UnmappedNoCatalogEntry
	default:
		return snapshot.UnmappedNoOwner
	}
}

// FormerNames are the names that services had before, with the present ones. A name that a service has now is no former one, and of two services that
// claim a name the first has it.
func FormerNames(merged []record.Service) map[string]string {
	present := make(map[string]bool, len(merged))
	for i := range merged {
		present[merged[i].Name] = true
	}
	former := map[string]string{}
	for i := range merged {
		for _, name := range merged[i].RenamedFrom {
			if name != "" && !present[name] && former[name] == "" && name != record.Unattributed {
				former[name] = merged[i].Name
			}
		}
	}
	return former
}
