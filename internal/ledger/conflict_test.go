package ledger_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestCatalogConflicts shows that what catalogs know differently is named, with what counts, and that silence contradicts nobody.
func TestCatalogConflicts(t *testing.T) {
	s := newStory(t, func(c *policy.Config) { c.Precedence = []string{"catalog/best"} })
	s.must(s.Configure(t.Context(), []ledger.Source{
		{Collector: "catalog", Instance: "other"}, {Collector: "catalog", Instance: "third"}, {Collector: "catalog", Instance: "best"},
	}, day(1)))
	full := record.Service{
		Name: "api", BusinessUnit: "bank", Team: "red", TrustTier: "tier0", ProductArea: "pay", Lifecycle: "production",
		CrownJewel: record.AnswerYes, InternetFacing: record.AnswerNo,
		Repositories: []record.RepositoryPath{{Repository: "acme/api"}, {Repository: "acme/mono", Paths: []string{"a/**", "b/**"}}},
	}
	same := full
	same.Repositories = []record.RepositoryPath{{Repository: "acme/mono", Paths: []string{"b/**", "a/**"}}, {Repository: "acme/api"}}
	s.catalog(1, "best", full, record.Service{Name: "web", Team: "blue"})
	s.catalog(1, "other", same, record.Service{Name: "web", BusinessUnit: "shop"})
	s.catalog(1, "third", record.Service{Name: "api"}, record.Service{Name: "alone", Team: "x"})
	if got := s.Snapshot().CatalogConflicts; len(got) != 0 {
		t.Fatalf("catalogs that agree or say nothing conflict: %+v", got)
	}

	different := record.Service{
		Name: "api", BusinessUnit: "Bank", Team: "green", TrustTier: "tier1", ProductArea: "payments", Lifecycle: "deprecated",
		CrownJewel: record.AnswerNo, InternetFacing: record.AnswerYes, Repositories: claim("acme/api"),
	}
	s.catalog(2, "other", record.Service{Name: "web", Team: "yellow"}, different)
	s.catalog(2, "third", record.Service{Name: "web", Team: "purple", BusinessUnit: "shop"})
	known := s.Snapshot()
	position := map[string]int32{}
	for i, service := range known.Services {
		position[service.Name] = int32(i)
	}
	of := func(service string, field snapshot.CatalogField, used, ignored string) snapshot.CatalogConflict {
		return snapshot.CatalogConflict{Service: position[service], Field: field, Used: used, UsedBy: "catalog/best", Ignored: ignored, IgnoredBy: "catalog/other"}
	}
	want := []snapshot.CatalogConflict{
		of("api", snapshot.FieldBusinessUnit, "bank", "Bank"),
		of("api", snapshot.FieldTeam, "red", "green"),
		of("api", snapshot.FieldTrustTier, "tier0", "tier1"),
		of("api", snapshot.FieldProductArea, "pay", "payments"),
		of("api", snapshot.FieldLifecycle, "production", "deprecated"),
		of("api", snapshot.FieldCrownJewel, "yes", "no"),
		of("api", snapshot.FieldInternetFacing, "no", "yes"),
		of("api", snapshot.FieldRepositories, "acme/api, acme/mono:a/**:b/**", "acme/api"),
		of("web", snapshot.FieldTeam, "blue", "yellow"),
	}
	if diff := cmp.Diff(want, known.CatalogConflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	for _, c := range known.CatalogConflicts {
		if c.Field == snapshot.FieldTeam && known.Services[c.Service].Team != c.Used {
			t.Errorf("%+v is not what counts: %s", c, known.Services[c.Service].Team)
		}
	}

	s.catalog(3, "best", record.Service{Name: "web", Team: "yellow"})
	s.catalog(3, "third")
	if got := s.Snapshot().CatalogConflicts; len(got) != 0 {
		t.Errorf("after they agreed: %+v", got)
	}
}

// TestScopesOfServices shows which scopes describe services, so that what too old a catalog says can vanish.
func TestScopesOfServices(t *testing.T) {
	s := begun(t, nil)
	s.catalog(2, "a", record.Service{Name: "api"})
	s.says(2, critical("f", 2))
	for _, scope := range s.Snapshot().Scopes {
		if got := slices.Contains(scope.Kinds, record.KindService); got != (scope.Collector == "catalog") {
			t.Errorf("%s of %s describes services: %v", scope.Name, scope.Collector, got)
		}
	}
}
