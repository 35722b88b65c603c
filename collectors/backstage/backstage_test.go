package backstage

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
)

// component, group and system write entities as the API answers them.
func component(name, more string) string {
	return fmt.Sprintf(`{"kind":"Component","metadata":{"name":%q,"namespace":"default"%s},"spec":{"type":"service","owner":"payments","lifecycle":"production","system":"checkout"},
 "relations":[{"type":"partOf","targetRef":"system:default/checkout"},{"type":"ownedBy","targetRef":"group:default/payments"}]}`, name, more)
}

func group(name, kind, parent string) string {
	return fmt.Sprintf(`{"kind":"Group","metadata":{"name":%q,"namespace":"default"},"spec":{"type":%q,"parent":%q}}`, name, kind, parent)
}

const system = `{"kind":"System","metadata":{"name":"Checkout"},"spec":{"domain":"Commerce"}}`

const annotated = `,"annotations":{"github.com/project-slug":"Acme/mono","backstage.io/source-location":"url:https://github.com/acme/mono/tree/main/services/api/",
 "acme.com/tier":"Platinum"},"labels":{"exposure":"public"},"tags":["crown-jewel"]`

// pages serves the list: the first page to those who filter, and every other one to those who name its cursor and nothing that Backstage
// ignores beside a cursor.
func pages(pages ...[]string) http.HandlerFunc {
	total := 0
	for _, p := range pages {
		total += len(p)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		number := 0
		switch cursor := q.Get("cursor"); {
		case !strings.Contains(q.Get("fields"), "relations") || q.Get("limit") == "":
			http.Error(w, `{"error":{"message":"fields and limit"}}`, http.StatusBadRequest)
			return
		case cursor == "" && q.Get("filter") == "", cursor != "" && q.Has("filter"):
			http.Error(w, `{"error":{"message":"either filter or cursor"}}`, http.StatusBadRequest)
			return
		case cursor != "":
			if _, err := fmt.Sscanf(cursor, "Y3Vyc29y%d", &number); err != nil || number >= len(pages) {
				http.Error(w, `{"error":{"message":"cursor"}}`, http.StatusBadRequest)
				return
			}
		}
		next := ""
		if number+1 < len(pages) {
			next = fmt.Sprintf(`"nextCursor":"Y3Vyc29y%d"`, number+1)
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"items":[%s],"totalItems":%d,"pageInfo":{%s}}`, strings.Join(pages[number], ","), total, next))
	}
}

const route = "GET /api/catalog/entities/by-query"

func catalogOf(items ...string) func(*collectorstest.Server) {
	return func(s *collectorstest.Server) { s.Handle(route, pages(items)) }
}

func serve(s *collectorstest.Server) {
	s.Handle(route, pages(
		[]string{component("api", annotated), group("Payments", "team", "commerce")},
		[]string{component("web", ""), group("commerce", "business-unit", "")},
	))
}

func TestConformance(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: baseURL, Token: token, CrownJewel: Field{From: []string{"annotation:acme.com/jewel"}}}, env)
		},
		Serve: serve,
		Scopes: []collectorstest.Scope{
			{Name: scope, Records: 2, Requests: func(collectorstest.Request) bool { return true }, Pages: 2, Cursor: true, Items: "items", Total: "totalItems"},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown word", Scope: scope, Records: 1, Serve: catalogOf(component("api", `,"annotations":{"acme.com/jewel":"perhaps"}`)),
				Check: func(b record.Batch) error {
					if b.Services[0].CrownJewel != record.AnswerUnknown {
						return errors.New("a word that nobody knows became an answer")
					}
					return nil
				},
			},
			{
				Name: "items that cannot be read", Scope: scope, Records: 1, Rejected: 5,
				Serve: catalogOf(component("api", ""), `7`, `null`, `{"kind":"Component","metadata":{}}`, component("Other", ""), `{"kind":"Group","metadata":{"name":"x","tags":{}}}`),
			},
		},
		Fixed: "the catalog is one scope", Readme: "README.md",
	})
}

func testEnv() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

// gather reads a scripted source once.
func gather(t *testing.T, config Config, script func(*collectorstest.Server)) (record.Batch, *collectorstest.Server) {
	t.Helper()
	server := collectorstest.NewServer(t)
	script(server)
	config.URL, config.Token = server.URL(), collectorstest.Secret(t, collectorstest.Token)
	c, err := New(config, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil || len(batches) != 1 {
		t.Fatalf("got %d batches, %v", len(batches), err)
	}
	return batches[scope], server
}

func TestServices(t *testing.T) {
	config := Config{
		TrustTier:      Field{From: []string{"label:tier", "annotation:acme.com/tier"}, Values: map[string]string{"platinum": "tier0"}},
		CrownJewel:     Field{From: []string{"tag:crown-jewel"}},
		InternetFacing: Field{From: []string{"label:exposure"}, Values: map[string]string{"public": "yes", "internal": "no"}},
	}
	b, server := gather(t, config, serve)
	want := record.Batch{Scope: scope, Mode: record.Full, Rejected: map[record.RejectReason]int{}, Services: []record.Service{
		{
			Name: "api", BusinessUnit: "commerce", Team: "Payments", TrustTier: "tier0", ProductArea: "checkout", Lifecycle: "production",
			CrownJewel: record.AnswerYes, InternetFacing: record.AnswerYes,
			Repositories: []record.RepositoryPath{{Repository: "acme/mono", Paths: []string{"services/api/**"}}},
		},
		{Name: "web", BusinessUnit: "commerce", Team: "Payments", ProductArea: "checkout", Lifecycle: "production"},
	}}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
	c, err := New(Config{URL: server.URL(), Token: collectorstest.Secret(t, "x")}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	requests := server.Requests()
	if services, err := c.Catalog(t.Context()); err != nil || len(services) != 2 || services[0].Name != "api" {
		t.Errorf("Catalog() = %+v, %v", services, err)
	}
	if filters := requests[0].Query["filter"]; !slices.Equal(filters, []string{"kind=component,spec.type=service", "kind=group"}) || requests[0].Query.Get("limit") != "500" {
		t.Errorf("the first request asks %v", requests[0].Query)
	}
}

func TestFiltersByConfiguration(t *testing.T) {
	config := Config{Types: []string{"service", "website"}, Namespaces: []string{"default", "shop"}, ProductArea: ProductAreaDomain, Requests: platform.Requests{PageSize: 7}}
	other := strings.Replace(component("library", ""), `"type":"service"`, `"type":"library"`, 1)
	elsewhere := strings.Replace(component("elsewhere", ""), `"namespace":"default"`, `"namespace":"lab"`, 1)
	b, server := gather(t, config, catalogOf(component("api", ""), other, elsewhere, system))
	if len(b.Services) != 1 || b.Services[0].ProductArea != "Commerce" {
		t.Errorf("got %+v, want the one service of the types and namespaces, and the domain of its system", b.Services)
	}
	want := []string{
		"kind=component,spec.type=service,metadata.namespace=default,metadata.namespace=shop",
		"kind=component,spec.type=website,metadata.namespace=default,metadata.namespace=shop", "kind=group", "kind=system",
	}
	if q := server.Requests()[0].Query; !slices.Equal(q["filter"], want) || q.Get("limit") != "7" {
		t.Errorf("the request asks %v", q)
	}
}

// TestRefusals names what contradicts itself, and keeps what was known.
func TestRefusals(t *testing.T) {
	lab := strings.Replace(component("API", ""), `"namespace":"default"`, `"namespace":"lab"`, 1)
	for name, tt := range map[string]struct {
		script func(*collectorstest.Server)
		reason record.ErrorReason
		parts  []string
	}{
		"duplicate name": {catalogOf(component("api", ""), lab), record.ReasonDecode, []string{"component:default/api", "component:lab/api"}},
		"circle": {
			catalogOf(component("api", ""), group("payments", "team", "a"), group("a", "unit", "b"), group("b", "unit", "A")), record.ReasonDecode,
			[]string{"component:default/api", "group:default/a → group:default/b → group:default/a"},
		},
		"own parent": {catalogOf(component("api", ""), group("payments", "team", "payments")), record.ReasonDecode, []string{"group:default/payments → group:default/payments"}},
		"short list": {func(s *collectorstest.Server) { s.JSON(route, `{"items":[],"totalItems":3,"pageInfo":{}}`) }, record.ReasonTruncated, []string{"counts 3 items and gave 0"}},
		"no list":    {func(s *collectorstest.Server) { s.JSON(route, `{"entities":[]}`) }, record.ReasonDecode, []string{"items"}},
		"forbidden": {func(s *collectorstest.Server) {
			s.Handle(route, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
		}, record.ReasonPermission, []string{readPermission}},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := gather(t, Config{}, tt.script)
			if record.ReasonOf(b.Err) != tt.reason || b.Services != nil {
				t.Fatalf("got %+v, want an error of reason %s", b, tt.reason)
			}
			for _, part := range tt.parts {
				if !strings.Contains(b.Err.Error(), part) {
					t.Errorf("%v does not name %q", b.Err, part)
				}
			}
		})
	}
}

// TestOwnersWhoArePeople: a component of a user belongs to the group that the user is a member of, and no person's name becomes a team.
func TestOwnersWhoArePeople(t *testing.T) {
	of := func(name, owner string) string {
		return fmt.Sprintf(`{"kind":"Component","metadata":{"name":%q},"spec":{"type":"service","owner":%q},"relations":[{"type":"ownedBy","targetRef":%q}]}`, name, owner, owner)
	}
	team := func(name, kind, members string) string {
		return fmt.Sprintf(`{"kind":"Group","metadata":{"name":%q},"spec":{"type":%q,"profile":{"displayName":"Team %s"}},"relations":[%s]}`, name, kind, name, members)
	}
	user := func(name, memberOf string) string {
		return fmt.Sprintf(`{"kind":"User","metadata":{"name":%q},"spec":{"memberOf":[%s],"profile":{"displayName":"A Person","email":"p@acme.example"}}}`, name, memberOf)
	}
	asked := []string{}
	b, _ := gather(t, Config{}, func(s *collectorstest.Server) {
		s.Handle(route, func(w http.ResponseWriter, r *http.Request) {
			filters := strings.Join(r.URL.Query()["filter"], "|")
			asked = append(asked, filters)
			if strings.Contains(filters, "kind=user") {
				pages([]string{user("jo", `"pay"`), user("kim", `"pay","search"`), user("lee", `"everybody","search"`)})(w, r)
				return
			}
			pages([]string{
				of("by-group", "group:default/pay"), of("by-jo", "user:default/jo"), of("by-kim", "user:default/kim"), of("by-lee", "user:default/lee"), of("by-max", "user:default/max"), of("by-nobody", "user:default/gone"),
				team("pay", "team", ""), team("search", "team", `{"type":"hasMember","targetRef":"user:default/max"}`), team("everybody", "organization", ""),
			})(w, r)
		})
	})
	got := map[string]string{}
	for _, s := range b.Services {
		got[s.Name] = s.Team
	}
	want := map[string]string{"by-group": "Team pay", "by-jo": "Team pay", "by-kim": "", "by-lee": "Team search", "by-max": "Team search", "by-nobody": ""}
	if diff := cmp.Diff(want, got); diff != "" || b.Err != nil {
		t.Errorf("%v, teams (-want +got):\n%s", b.Err, diff)
	}
	if len(asked) != 2 || strings.Contains(asked[0], "user") || strings.Contains(asked[1], "max") || !strings.Contains(asked[1], "kind=user,metadata.namespace=default,metadata.name=jo") {
		t.Errorf("asked for %q, want users by name, and only those that no group names", asked)
	}
	b, _ = gather(t, Config{}, func(s *collectorstest.Server) {
		s.Handle(route, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(strings.Join(r.URL.Query()["filter"], "|"), "kind=user") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			pages([]string{of("by-jo", "user:default/jo")})(w, r)
		})
	})
	if record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("users that cannot be read: %+v, want the failure", b)
	}
}

// TestEntityTwice: a list that shifts while it is read brings an entity again, and another one not at all. It is read anew once, and believed if that is whole.
func TestEntityTwice(t *testing.T) {
	b, _ := gather(t, Config{}, catalogOf(component("api", ""), component("api", "")))
	if record.ReasonOf(b.Err) != record.ReasonTruncated {
		t.Errorf("an entity that comes twice each time: %+v", b)
	}
	answers := 0
	b, _ = gather(t, Config{}, func(s *collectorstest.Server) {
		s.Handle(route, func(w http.ResponseWriter, r *http.Request) {
			answers++
			items := []string{component("api", ""), component("api", "")}
			if answers > 1 {
				items[1] = component("web", "")
			}
			pages(items)(w, r)
		})
	})
	if b.Err != nil || len(b.Services) != 2 {
		t.Errorf("the second time it was whole: %+v", b)
	}
}

func TestWarnsOnce(t *testing.T) {
	var logged strings.Builder
	server := collectorstest.NewServer(t)
	slug := `,"annotations":{"github.com/project-slug":"acme/mono"}`
	catalogOf(component("api", slug), component("web", slug), component("unattributed", ""))(server)
	c, err := New(Config{URL: server.URL(), Token: collectorstest.Secret(t, "x")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if b := batches[scope]; err != nil || len(b.Services) != 2 || b.Rejected[record.RejectOutOfRange] != 1 {
			t.Fatalf("got %+v, %v", b, err)
		}
	}
	for _, part := range []string{"repository=acme/mono first=api second=web", "component:default/unattributed"} {
		if strings.Count(logged.String(), part) != 1 {
			t.Errorf("%q is not in the log once:\n%s", part, logged.String())
		}
	}
}

func TestCheckAndForecast(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(*collectorstest.Server)
		failed []string
	}{
		"healthy":       {serve, nil},
		"no groups":     {catalogOf(component("api", "")), []string{"groups"}},
		"no components": {catalogOf(group("payments", "team", "")), []string{"components of type service"}},
		"circle":        {catalogOf(component("api", ""), group("payments", "team", "payments")), []string{"components of type service"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := collectorstest.NewServer(t)
			tt.script(server)
			c, err := New(Config{URL: server.URL(), Token: collectorstest.Secret(t, "x"), Common: collectors.Common{Interval: collectors.Duration(time.Hour / 2)}}, testEnv())
			if err != nil {
				t.Fatal(err)
			}
			results, err := c.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, r := range results {
				if r.Err != nil {
					failed = append(failed, r.Subject)
				}
				if r.Unknown == "" {
					t.Errorf("%s does not say what remains unknown", r.Subject)
				}
			}
			if !slices.Equal(failed, tt.failed) {
				t.Errorf("failed: %v, want %v", failed, tt.failed)
			}
			server.Forget()
			if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
				t.Fatal(err)
			}
			if got, want := c.Forecast()[""], 2*float64(len(server.Requests())); got != want {
				t.Errorf("Forecast() = %v, want %v", got, want)
			}
		})
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"url is missing":      func(c *Config) { c.URL = "" },
		"backstage: url":      func(c *Config) { c.URL = "backstage.example.com" },
		"token":               func(c *Config) { c.Token = apiclient.Secret{} },
		"page_size":           func(c *Config) { c.PageSize = -1 },
		"types":               func(c *Config) { c.Types = []string{"service,website"} },
		"namespaces":          func(c *Config) { c.Namespaces = []string{""} },
		"business_unit_types": func(c *Config) { c.BusinessUnitTypes = []string{"a=b"} },
		"product_area":        func(c *Config) { c.ProductArea = "team" },
		"github_host":         func(c *Config) { c.GitHubHost = "https://git.example.com" },
		"gitlab_host":         func(c *Config) { c.GitLabHost = "git.example.com/x" },
		"azure_organization":  func(c *Config) { c.AzureOrganization = "acme" },
		"group_names":         func(c *Config) { c.GroupNames = "nicknames" },
		"trust_tier: from":    func(c *Config) { c.TrustTier = Field{From: []string{"property:tier"}} },
		"tag:tier-*":          func(c *Config) { c.TrustTier = Field{From: []string{"label:"}} },
		"crown_jewel: values": func(c *Config) { c.CrownJewel = Field{Values: map[string]string{"a": "yes"}} },
		"internet_facing": func(c *Config) {
			c.InternetFacing = Field{From: []string{"label:x"}, Values: map[string]string{"a": "sometimes"}}
		},
	} {
		config := Config{URL: "https://backstage.example.com", Token: apiclient.Secret{Env: "T"}}
		change(&config)
		if _, err := New(config, testEnv()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}
