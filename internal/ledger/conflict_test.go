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
		of("api", record.FieldBusinessUnit, "bank", "Bank"),
		of("api", record.FieldTeam, "red", "green"),
		of("api", record.FieldTrustTier, "tier0", "tier1"),
		of("api", record.FieldProductArea, "pay", "payments"),
		of("api", record.FieldLifecycle, "production", "deprecated"),
		of("api", record.FieldCrownJewel, "yes", "no"),
		of("api", record.FieldInternetFacing, "no", "yes"),
		of("api", record.FieldRepositories, "acme/api, acme/mono:a/**:b/**", "acme/api"),
		of("web", record.FieldTeam, "blue", "yellow"),
	}
	if diff := cmp.Diff(want, known.CatalogConflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	for _, c := range known.CatalogConflicts {
		if c.Field == record.FieldTeam && known.Services[c.Service].Team != c.Used {
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

// TestOneCatalogInTwoPlaces shows that the repositories that one catalog gives a service in two scopes add up, and that what it says differently of
// itself is a conflict.
func TestOneCatalogInTwoPlaces(t *testing.T) {
	s := newStory(t, nil)
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "github", Instance: "acme"}, {Collector: "catalog", Instance: "late"}}, day(1)))
	say := func(collector, instance, scope string, services ...record.Service) {
		s.must(s.Apply(t.Context(), collector, instance, record.Batch{Scope: scope, Mode: record.Full, Services: services}, day(1)))
	}
	torn := record.Service{Name: "api", Team: "red", Repositories: claim("acme/api")}
	torn.Contradict(record.FieldTeam, "red", "blue")
	torn.Contradict(record.FieldTeam, "red", "green")
	say("github", "acme", "catalog:acme", torn)
	say("github", "acme", "catalog:labs", record.Service{Name: "api", TrustTier: "tier0", Repositories: claim("labs/api")})
	say("catalog", "late", "catalog:late", record.Service{Name: "api", Team: "red", Repositories: claim("labs/api")})
	known := s.Snapshot()
	at := slices.IndexFunc(known.Services, func(s snapshot.Service) bool { return s.Name == "api" })
	if diff := cmp.Diff(append(claim("acme/api"), claim("labs/api")...), known.Services[at].Repositories); diff != "" {
		t.Errorf("repositories of the service (-want +got):\n%s", diff)
	}
	if got := known.Services[at]; got.Team != "red" || got.TrustTier != "tier0" {
		t.Errorf("service = %+v, want what the first scope that knows a fact says", got.Service)
	}
	want := []snapshot.CatalogConflict{
		{Service: int32(at), Field: record.FieldTeam, Used: "red", UsedBy: "github/acme", Ignored: "blue", IgnoredBy: "github/acme"},
		{Service: int32(at), Field: record.FieldRepositories, Used: "acme/api", UsedBy: "github/acme", Ignored: "labs/api", IgnoredBy: "catalog/late"},
	}
	if diff := cmp.Diff(want, known.CatalogConflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}
