package inventory_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// many are repositories that differ in what a selection looks at.
func many(s *collectorstest.Server) {
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(
		githubtest.RepositoryJSON("api", ""), githubtest.RepositoryJSON("web", `,"topics":["Frontend"]`), githubtest.RepositoryJSON("sandbox-1", ""),
		githubtest.RepositoryJSON("copy", `,"fork":true`), githubtest.RepositoryJSON("skeleton", `,"is_template":true`),
		githubtest.RepositoryJSON("old", `,"archived":true`), githubtest.RepositoryJSON("site", `,"visibility":"public"`)))
}

func TestSelectionOfRepositories(t *testing.T) {
	all := []string{"api", "copy", "old", "sandbox-1", "site", "skeleton", "web"}
	without := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(n string) bool { return slices.Contains(names, n) })
	}
	for name, tt := range map[string]struct {
		change func(*github.Config)
		want   []string
	}{
		"everything": {func(*github.Config) {}, all},
		"include":    {func(c *github.Config) { c.Inventory.Repositories.Include = []string{"A*", "acme/w?b"} }, []string{"api", "web"}},
		"exclude": {func(c *github.Config) {
			c.Inventory.Repositories.Include, c.Inventory.Repositories.Exclude = []string{"*"}, []string{"sandbox-*", "ACME/api"}
		}, without("sandbox-1", "api")},
		"topics":     {func(c *github.Config) { c.Inventory.Repositories.Topics = []string{"front*"} }, []string{"web"}},
		"visibility": {func(c *github.Config) { c.Inventory.Repositories.Visibility = []record.Visibility{"public"} }, []string{"site"}},
		"forks":      {func(c *github.Config) { c.Inventory.Repositories.Forks = false }, without("copy")},
		"templates":  {func(c *github.Config) { c.Inventory.Repositories.Templates = false }, without("skeleton")},
		"archived":   {func(c *github.Config) { c.Inventory.Repositories.Archived = false }, without("old")},
	} {
		batches, c, _, _ := githubtest.Posture(t, tt.change, many)
		b := batches["repositories:acme"]
		got := make([]string, 0, len(b.Repositories))
		for i := range b.Repositories {
			got = append(got, strings.TrimPrefix(string(b.Repositories[i].Name), "acme/"))
		}
		slices.Sort(got)
		if left := len(all) - len(tt.want); !slices.Equal(got, tt.want) || b.Rejected[record.RejectExcluded] != left {
			t.Errorf("%s: repositories %q, want %q; %d counted as left out, want %d", name, got, tt.want, b.Rejected[record.RejectExcluded], left)
		}
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: repositories" })
		if notes := strings.Join(results[i].Notes, ""); strings.Contains(notes, "left out") != (len(tt.want) < len(all)) || len(tt.want) < len(all) && !strings.Contains(notes, "repositories.") {
			t.Errorf("%s: check says %q", name, notes)
		}
	}
}

// TestWhatIsLeftOutIsInNoRecord: alerts, properties, protection, environments, scans, deployments of a repository that does not count are neither asked for one by one
// nor emitted, and alerts are counted.
func TestWhatIsLeftOutIsInNoRecord(t *testing.T) {
	leave := func(c *github.Config) { c.Inventory.Repositories.Topics = []string{"frontend"} }
	front := func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("api", ""), githubtest.RepositoryJSON("web", `,"topics":["frontend"]`)))
	}
	batches, _, s, _ := githubtest.Posture(t, leave, front)
	for _, scope := range slices.Sorted(maps.Keys(batches)) {
		b := batches[scope]
		if b.Err != nil {
			t.Errorf("%s: %v", scope, b.Err)
		}
		if strings.HasSuffix(scope, "/api") {
			t.Errorf("there is a scope %s of a repository that does not count", scope)
		}
		for i := range b.Findings {
			if b.Findings[i].Repository == "acme/api" {
				t.Errorf("%s has a finding of a repository that does not count", scope)
			}
		}
		for i := range b.Repositories {
			if b.Repositories[i].Name == "acme/api" {
				t.Errorf("%s has a repository that does not count", scope)
			}
		}
	}
	if n := batches["dependabot:acme"].Rejected[record.RejectExcluded]; n == 0 {
		t.Error("alerts of a repository that does not count are not counted as left out")
	}
	for _, r := range s.Requests() {
		if strings.HasPrefix(strings.ToLower(r.Path), "/repos/acme/api") {
			t.Errorf("%s was asked for", r.Path)
		}
	}
}

// TestASelectionNeedsTheList: without the list of repositories nobody knows what counts by topic, and nothing is read that might not count.
func TestASelectionNeedsTheList(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { c.Inventory.Repositories.Forks = false })
	s.Handle("GET /orgs/acme/repos", githubtest.Refused(http.StatusInternalServerError, "down"))
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for scope, b := range batches {
		if b.Err == nil {
			t.Errorf("%s was read although it is not known which repositories count", scope)
		}
	}
	if slices.ContainsFunc(s.Requests(), githubtest.AtPath("/orgs/acme/dependabot/alerts")) {
		t.Error("alerts were asked for")
	}
}

// TestHintsWaitForTheList: right after a start nobody knows yet what counts, and a hint about alerts reads nothing.
func TestHintsWaitForTheList(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { c.Inventory.Repositories.Forks = false })
	for range 2 {
		if b := githubtest.Scope(t, c, "dependabot:acme"); b.Scope != "" {
			t.Fatalf("before the list of repositories: %+v", b)
		}
	}
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	s.Forget()
	if b := githubtest.Scope(t, c, "dependabot:acme"); b.Err != nil || b.Scope == "" {
		t.Errorf("after it: %+v", b)
	}
}

func TestSelectionsThatAreWrong(t *testing.T) {
	for want, change := range map[string]func(*github.Config){
		"repositories.include[0]":    func(c *github.Config) { c.Inventory.Repositories.Include = []string{"[a"} },
		"repositories.exclude[1]":    func(c *github.Config) { c.Inventory.Repositories.Exclude = []string{"a", " "} },
		"repositories.visibility[0]": func(c *github.Config) { c.Inventory.Repositories.Visibility = []record.Visibility{"secret"} },
	} {
		cfg := githubtest.Configuration("https://api.github.com", collectorstest.Secret(t, "x"))
		change(&cfg)
		if _, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), githubtest.Discard())); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want a complaint about %s", err, want)
		}
	}
}
