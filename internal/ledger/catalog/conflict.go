package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Statement is what one catalog says about one service.
type Statement struct {
	record.Service
	// By is the catalog instance, "kind/name".
	By string
}

// Conflict is a fact that catalogs know differently, with the service by its name instead of its position.
type Conflict struct {
	Name string
	snapshot.CatalogConflict
}

// Source is what one catalog says about services.
type Source struct {
	Collector, Instance string
	Services            []record.Service
}

// Conflicts finds what catalogs, given in the order of the configuration, know differently and which of them a policy believes, as a
// ledger would that holds them. The conflicts are ordered by service and field, one for each; Service is not set.
func Conflicts(p *policy.Policy, catalogs []Source) []Conflict {
	configured := make([]store.SourceID, len(catalogs))
	order := make([]int, len(catalogs))
	for i, c := range catalogs {
		configured[i], order[i] = store.SourceID{Collector: c.Collector, Instance: c.Instance}, i
	}
	listed := p.Config().Precedence
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(PrecedenceOf(configured[a], listed, configured), PrecedenceOf(configured[b], listed, configured))
	})
	var statements []Statement
	for _, i := range order {
		for _, s := range catalogs[i].Services {
			statements = append(statements, Statement{s, configured[i].String()})
		}
	}
	return Compare(statements)
}

// Compare finds what catalogs know differently, given what they say in the order of precedence. What a catalog leaves open is no
// contradiction. The conflicts are ordered by service and field, one for each.
func Compare(statements []Statement) []Conflict {
	byName := map[string][]int{}
	for i, s := range statements {
		byName[s.Name] = append(byName[s.Name], i)
	}
	var found []Conflict
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if len(byName[name]) < 2 && len(statements[byName[name][0]].Contradictions) == 0 {
			continue // the usual case: one catalog, of one mind
		}
		for _, field := range snapshot.CatalogFields() {
			if c, ok := disagreement(statements, byName[name], field); ok {
				found = append(found, Conflict{name, c})
			}
		}
	}
	return append(found, disputedRepositories(statements, found)...)
}

// disputedRepositories finds the whole repositories that two catalogs give to different services. The conflict is one of the service that has the repository by
// precedence, unless that has one about its repositories already.
func disputedRepositories(statements []Statement, known []Conflict) []Conflict {
	type claim struct{ service, by string }
	first := map[record.RepositoryName]claim{}
	var found []Conflict
	for _, s := range statements {
		for _, r := range s.Repositories {
			if len(r.Paths) > 0 {
				continue
			}
			has, claimed := first[r.Repository]
			if !claimed {
				first[r.Repository] = claim{s.Name, s.By}
				continue
			}
			same := func(c Conflict) bool { return c.Name == has.service && c.Field == record.FieldRepositories }
			if has.service == s.Name || has.by == s.By || slices.ContainsFunc(known, same) || slices.ContainsFunc(found, same) {
				continue
			}
			found = append(found, Conflict{has.service, snapshot.CatalogConflict{
				Field: record.FieldRepositories, Used: record.Text(string(r.Repository) + " belongs to " + has.service), UsedBy: has.by,
				Ignored: record.Text(string(r.Repository) + " belongs to " + s.Name), IgnoredBy: s.By,
			}})
		}
	}
	return found
}

// disagreement compares the first catalog that knows a field with itself and with those after it. The repositories that one catalog gives a service in
// several scopes add up.
func disagreement(statements []Statement, about []int, field snapshot.CatalogField) (c snapshot.CatalogConflict, ok bool) {
	used := ""
	for _, i := range about {
		s := &statements[i]
		value := valueOf(&s.Service, field)
		switch {
		case value == "":
		case used == "":
			used = value
			c = snapshot.CatalogConflict{Field: field, Used: record.Text(value), UsedBy: s.By}
			if i := slices.IndexFunc(s.Contradictions, func(c record.Contradiction) bool { return c.Field == field }); i >= 0 {
				c.Ignored, c.IgnoredBy = record.Text(s.Contradictions[i].Ignored), s.By
				return c, true
			}
		case field == record.FieldRepositories && s.By == c.UsedBy:
		case value != used:
			c.Ignored, c.IgnoredBy = record.Text(value), s.By
			return c, true
		}
	}
	return c, false
}

// valueOf is what a catalog says of a field, in a form that compares; empty if it says nothing.
func valueOf(s *record.Service, field snapshot.CatalogField) string {
	switch field {
	case record.FieldBusinessUnit:
		return s.BusinessUnit
	case record.FieldTeam:
		return s.Team
	case record.FieldTrustTier:
		return s.TrustTier
	case record.FieldProductArea:
		return s.ProductArea
	case record.FieldLifecycle:
		return s.Lifecycle
	case record.FieldCrownJewel:
		return string(s.CrownJewel)
	case record.FieldInternetFacing:
		return string(s.InternetFacing)
	case record.FieldRepositories:
		return claims(s.Repositories)
	default:
		return ""
	}
}

// claims writes the repositories of a service so that their order makes no difference.
func claims(repositories []record.RepositoryPath) string {
	written := make([]string, len(repositories))
	for i, r := range repositories {
		paths := slices.Sorted(slices.Values(r.Paths))
		written[i] = strings.Join(append([]string{string(r.Repository)}, paths...), ":")
	}
	slices.Sort(written)
	return strings.Join(written, ", ")
}

// PrecedenceOf is the rank of a catalog: its place in the policy's list, else behind it in the order of the configuration.
func PrecedenceOf(source store.SourceID, listed []string, configured []store.SourceID) int {
	if i := slices.Index(listed, source.String()); i >= 0 {
		return i
	}
	if i := slices.Index(listed, source.Collector); i >= 0 {
		return i
	}
	if i := slices.Index(configured, source); i >= 0 {
		return len(listed) + i
	}
	return len(listed) + len(configured)
}
