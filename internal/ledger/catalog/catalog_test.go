package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/ledger/catalog"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

func whole(names ...record.RepositoryName) (paths []record.RepositoryPath) {
	for _, name := range names {
		paths = append(paths, record.RepositoryPath{Repository: name})
	}
	return paths
}

// TestPrecedenceDecidesWhoOwnsARepository: also where two catalogs give it to different services, whatever these are called.
func TestPrecedenceDecidesWhoOwnsARepository(t *testing.T) {
	first := catalog.Statement{Service: record.Service{Name: "zebra", Repositories: whole("acme/api")}, By: "catalog/best"}
	second := catalog.Statement{Service: record.Service{Name: "aardvark", Repositories: whole("acme/api", "acme/own")}, By: "backstage/portal"}
	for _, c := range []struct {
		name       string
		statements []catalog.Statement
		want       string
	}{
		{"the better catalog first", []catalog.Statement{first, second}, "zebra"},
		{"the other one first", []catalog.Statement{second, first}, "aardvark"},
		{"both in one catalog", []catalog.Statement{{Service: first.Service, By: "catalog/best"}, {Service: second.Service, By: "catalog/best"}}, "aardvark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := catalog.Rules(catalog.Merge(c.statements), c.statements)
			if got := rules["acme/api"].Service; got != c.want {
				t.Errorf("acme/api belongs to %s, want %s", got, c.want)
			}
			if got := rules["acme/own"].Service; got != "aardvark" {
				t.Errorf("acme/own belongs to %s, want aardvark", got)
			}
		})
	}
}

// TestDisputedRepositoriesAreConflicts of the service that has them, one each, and only between catalogs.
func TestDisputedRepositoriesAreConflicts(t *testing.T) {
	statements := []catalog.Statement{
		{Service: record.Service{Name: "zebra", Repositories: whole("acme/api", "acme/web")}, By: "catalog/best"},
		{Service: record.Service{Name: "aardvark", Repositories: whole("acme/api", "acme/web", "acme/own")}, By: "backstage/portal"},
		{Service: record.Service{Name: "part", Repositories: []record.RepositoryPath{{Repository: "acme/own", Paths: []string{"a/**"}}}}, By: "catalog/best"},
		{Service: record.Service{Name: "sibling", Repositories: whole("acme/own")}, By: "backstage/portal"},
	}
	want := []catalog.Conflict{{Name: "zebra", CatalogConflict: snapshot.CatalogConflict{
		Field: record.FieldRepositories, Used: "acme/api belongs to zebra", UsedBy: "catalog/best", Ignored: "acme/api belongs to aardvark", IgnoredBy: "backstage/portal",
	}}}
	if diff := cmp.Diff(want, catalog.Compare(statements)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnmapped: what has no owner has a reason that says whether anybody looks at it.
func TestUnmapped(t *testing.T) {
	hosted, nowhere, archived, fork := snapshot.Repository{}, snapshot.Repository{Scope: -1}, snapshot.Repository{}, snapshot.Repository{}
	archived.Archived, fork.Fork = true, true
	rule := &catalog.Rule{Service: "api"}
	for _, c := range []struct {
		name       string
		repository snapshot.Repository
		rule       *catalog.Rule
		owned      bool
		want       snapshot.UnmappedReason
	}{
		{"owned", hosted, rule, true, ""},
		{"owned and archived", archived, rule, true, ""},
		{"owned, and listed by no host", nowhere, rule, true, ""},
		{"no catalog names it", hosted, nil, false, snapshot.UnmappedNoCatalogEntry},
		{"no team", hosted, rule, false, snapshot.UnmappedNoOwner},
		{"archived without a catalog", archived, nil, false, snapshot.UnmappedArchived},
		{"archived without a team", archived, rule, false, snapshot.UnmappedArchived},
		{"fork", fork, nil, false, snapshot.UnmappedFork},
		{"listed by no host", nowhere, nil, false, snapshot.UnmappedNoHost},
	} {
		if got := catalog.Unmapped(&c.repository, c.rule, c.owned); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
