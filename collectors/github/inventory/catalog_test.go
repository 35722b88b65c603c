package inventory_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// valuesOf is a repository with custom properties, given as pairs of name and JSON value.
func valuesOf(repository string, pairs ...string) string {
	var properties []string
	for i := 0; i < len(pairs); i += 2 {
		properties = append(properties, fmt.Sprintf(`{"property_name":%q,"value":%s}`, pairs[i], pairs[i+1]))
	}
	return fmt.Sprintf(`{"repository_id":1,"repository_full_name":"Acme/%s","properties":[%s]}`, repository, strings.Join(properties, ","))
}

func describing(c *github.Config) {
	c.Alerts.Kinds, c.Protection.Branches = nil, false
	c.Inventory.Catalog = inventory.Catalog{
		Service: "app", Team: "owner", BusinessUnit: "unit", ProductArea: "area", Lifecycle: "stage",
		TrustTier:      inventory.Fact{Property: "class", Values: map[string]string{"Gold": "tier0"}},
		CrownJewel:     inventory.Fact{Property: "jewel"},
		InternetFacing: inventory.Fact{Property: "exposure", Values: map[string]string{"public": "yes", "internal": "no"}},
	}
}

// onGitHub takes away the host of a test's server, which stands where github.com would.
func onGitHub(services []record.Service) []record.Service {
	for i := range services {
		services[i].Identity = ""
		for j := range services[i].Repositories {
			name := &services[i].Repositories[j].Repository
			*name = record.RepositoryName(strings.TrimPrefix(string(*name), "127.0.0.1/"))
		}
	}
	return services
}

func TestCustomPropertiesAreACatalog(t *testing.T) {
	c, s, _ := githubtest.Setup(t, describing)
	one := valuesOf("api", "app", `"pay"`, "owner", `"core"`, "unit", `"Payments"`, "area", `"Checkout"`, "stage", `"production"`, "class", `"gold"`,
		"jewel", `"true"`, "exposure", `"Public"`)
	two := valuesOf("mono", "app", `["web","docs"]`, "owner", `"front"`, "class", `"tier2"`, "jewel", `"false"`, "exposure", `null`)
	none := valuesOf("old", "app", `null`, "owner", `"nobody"`)
	s.LinkPages("GET /orgs/acme/properties/values", "page", collectorstest.Items(one, none), collectorstest.Items(two))
	mono := []record.RepositoryPath{{Repository: "acme/mono"}}
	want := []record.Service{
		{Name: "docs", Team: "front", TrustTier: "tier2", CrownJewel: record.AnswerNo, Repositories: mono},
		{
			Name: "pay", Team: "core", BusinessUnit: "Payments", ProductArea: "Checkout", Lifecycle: "production", TrustTier: "tier0",
			CrownJewel: record.AnswerYes, InternetFacing: record.AnswerYes, Repositories: []record.RepositoryPath{{Repository: "acme/api"}},
		},
		{Name: "web", Team: "front", TrustTier: "tier2", CrownJewel: record.AnswerNo, Repositories: mono},
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["catalog:acme"]
	if diff := cmp.Diff(want, onGitHub(b.Services)); diff != "" || b.Err != nil || b.Mode != record.Full {
		t.Errorf("batch %s with error %v, services (-want +got):\n%s", b.Mode, b.Err, diff)
	}
	services, err := c.Catalog(t.Context())
	if diff := cmp.Diff(want, onGitHub(services)); diff != "" || err != nil || !c.Describes() {
		t.Errorf("Catalog() error %v, (-want +got):\n%s", err, diff)
	}
}

// TestCatalogConformance: the catalog comes by a scope of its own, with the list that custom properties are read from, too.
func TestCatalogConformance(t *testing.T) {
	page := func(rows ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/properties/values", collectorstest.Items(rows...))
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: github.Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			cfg := githubtest.Configuration(baseURL, token)
			cfg.Alerts.Kinds, cfg.Protection.Branches = nil, false
			cfg.Inventory.Repositories.Switch(false)
			describing(&cfg)
			return github.New(cfg, env)
		},
		Serve: func(s *collectorstest.Server) {
			s.LinkPages("GET /orgs/acme/properties/values", "page",
				collectorstest.Items(valuesOf("api", "app", `"pay"`, "owner", `"core"`), valuesOf("old", "app", `null`)),
				collectorstest.Items(valuesOf("mono", "app", `["web","docs"]`)))
		},
		Scopes: []collectorstest.Scope{
			{Name: "catalog:acme", Records: 3, Requests: githubtest.AtPath("/orgs/acme/properties/values"), Pages: 2, Cursor: true, Links: true},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown words for tier and exposure", Scope: "catalog:acme", Records: 1,
				Serve: page(valuesOf("api", "app", `"pay"`, "class", `"platinum"`, "exposure", `"lunar"`)),
				Check: func(b record.Batch) error {
					if s := b.Services[0]; s.TrustTier != "platinum" || s.InternetFacing.Known() {
						return fmt.Errorf("service %+v, want the tier as it is written, and not known whether it faces the internet", s)
					}
					return nil
				},
			},
			{Name: "property that is an object", Scope: "catalog:acme", Records: 1, Rejected: 1, Serve: page(valuesOf("api", "app", `{"a":1}`), valuesOf("web", "app", `"web"`))},
			{Name: "repository without name", Scope: "catalog:acme", Records: 1, Rejected: 1, Serve: page(`{"properties":[]}`, valuesOf("web", "app", `"web"`))},
			{Name: "no repositories", Scope: "catalog:acme", Records: 0, Serve: page()},
		},
		Fixed:  "an organisation is named by the configuration, and its properties are one scope",
		Readme: "../README.md",
	})
}

func TestRepositoriesOfAServiceContradictEachOther(t *testing.T) {
	rows := []string{
		valuesOf("a", "app", `"pay"`, "owner", `"core"`, "jewel", `"false"`, "class", `["gold","tier1"]`),
		valuesOf("b", "app", `"pay"`, "owner", `"edge"`, "jewel", `"true"`),
		valuesOf("c", "app", `"pay"`, "owner", `"core"`, "jewel", `"perhaps"`),
	}
	want := record.Service{
		Name: "pay", Team: "core", TrustTier: "tier0", CrownJewel: record.AnswerYes,
		Repositories: []record.RepositoryPath{{Repository: "acme/a"}, {Repository: "acme/b"}, {Repository: "acme/c"}},
		Contradictions: []record.Contradiction{
			{Field: record.FieldTrustTier, Used: "tier0", Ignored: "tier1"},
			{Field: record.FieldTeam, Used: "core", Ignored: "edge"},
			{Field: record.FieldCrownJewel, Used: "yes", Ignored: "no"},
		},
	}
	for range 2 {
		c, s, _ := githubtest.Setup(t, describing)
		s.JSON("GET /orgs/acme/properties/values", collectorstest.Items(rows...))
		services, err := c.Catalog(t.Context())
		if diff := cmp.Diff([]record.Service{want}, onGitHub(services)); diff != "" || err != nil {
			t.Errorf("error %v, services (-want +got):\n%s", err, diff)
		}
		slices.Reverse(rows) // the order of the list makes no difference
	}
}

func TestNamesThatAreNoService(t *testing.T) {
	c, s, _ := githubtest.Setup(t, describing)
	s.JSON("GET /orgs/acme/properties/values", collectorstest.Items(
		valuesOf("a", "app", `"pay"`), valuesOf("b", "app", `"Pay"`), valuesOf("c", "app", `"unattributed"`), valuesOf("d", "app", `["Other",""]`),
		valuesOf("e", "app", `{"name":"x"}`)))
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["catalog:acme"]
	if len(b.Services) != 1 || b.Services[0].Name != "pay" || len(b.Services[0].Repositories) != 1 {
		t.Errorf("services = %+v, want pay alone, with one repository", b.Services)
	}
	if b.Rejected[record.RejectOutOfRange] != 3 || b.Rejected[record.RejectDecode] != 1 {
		t.Errorf("rejected = %v, want the second spelling, two reserved names and one value that is none", b.Rejected)
	}
}

func TestCatalogThatIsNotReadIsNoEmptyOne(t *testing.T) {
	c, s, _ := githubtest.Setup(t, describing)
	s.Handle("GET /orgs/acme/properties/values", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message":"no"}`, http.StatusForbidden) })
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if b := batches["catalog:acme"]; err != nil || record.ReasonOf(b.Err) != record.ReasonPermission || b.Services != nil {
		t.Errorf("batch = %+v, error %v", b, err)
	}
	if _, err := c.Catalog(t.Context()); err == nil {
		t.Error("Catalog() has no error")
	}
}

// TestCatalogThatIsSwitchedOffLeavesNothing: what an earlier configuration read must not stay for ever.
func TestCatalogThatIsSwitchedOffLeavesNothing(t *testing.T) {
	c, _, clock := githubtest.Setup(t, func(c *github.Config) {
		c.Alerts.Kinds, c.Protection.Branches = nil, false
		c.Inventory.Repositories.Switch(false)
	})
	long := record.Cursor(clock.Now().Add(-2 * time.Hour).Format(time.RFC3339))
	batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"catalog:acme": long})
	if b := batches["catalog:acme"]; err != nil || b.Services == nil || len(b.Services) > 0 || b.Mode != record.Full || b.Cursor == long {
		t.Errorf("batch = %+v, error %v, want one that holds nothing", b, err)
	}
	if batches, err = collectorstest.Gather(t.Context(), c, nil); err != nil || batches["catalog:acme"].Services != nil || c.Describes() {
		t.Errorf("batches = %+v, error %v, want none of a catalog that never was", batches, err)
	}
}

func TestCatalogsConfiguration(t *testing.T) {
	for want, catalog := range map[string]inventory.Catalog{
		"catalog.service is missing":               {Team: "owner"},
		"catalog.trust_tier.values":                {Service: "app", TrustTier: inventory.Fact{Values: map[string]string{"a": "b"}}},
		`must mean "yes" or "no", not "sometimes"`: {Service: "app", CrownJewel: inventory.Fact{Property: "p", Values: map[string]string{"a": "sometimes"}}},
	} {
		cfg := githubtest.Configuration("https://api.github.com", collectorstest.Secret(t, "x"))
		cfg.Inventory.Catalog = catalog
		if _, err := github.New(cfg, collectors.Env{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("github.New() = %v, want %q", err, want)
		}
	}
}

// TestServicesAreIdentifiedByTheirRepositories: another value of the property in the same repositories is the same service by another name.
func TestServicesAreIdentifiedByTheirRepositories(t *testing.T) {
	identities := func(values map[string]string) map[string]string {
		c, s, _ := githubtest.Setup(t, describing)
		var items []string
		for _, repository := range slices.Sorted(maps.Keys(values)) {
			items = append(items, valuesOf(repository, "app", values[repository]))
		}
		s.LinkPages("GET /orgs/acme/properties/values", "page", collectorstest.Items(items...))
		services, err := c.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, service := range services {
			found[service.Name] = service.Identity
		}
		return found
	}
	before := identities(map[string]string{"api": `"pay"`, "jobs": `"pay"`, "web": `"shop"`})
	after := identities(map[string]string{"api": `"payments"`, "jobs": `"payments"`, "web": `"shop"`, "new": `"lab"`})
	if before["pay"] == "" || before["pay"] != after["payments"] || before["shop"] != after["shop"] {
		t.Errorf("before %v, after %v: a name alone changed", before, after)
	}
	if other := identities(map[string]string{"api": `"payments"`, "jobs": `"shop"`, "web": `"shop"`}); other["payments"] == before["pay"] || other["shop"] == before["shop"] {
		t.Errorf("before %v, after %v: a repository went to another service", before, other)
	}
}
