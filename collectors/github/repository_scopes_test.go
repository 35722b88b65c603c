package github_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestSweepIsPacedAndEndsWithTheRepository(t *testing.T) {
	batches, c, s, clock := githubtest.Posture(t, func(cfg *github.Config) { cfg.RepositoriesPerCollection = 1 }, nil)
	cursors := collectors.Cursors{}
	note := func(batches map[string]record.Batch) (swept []string) {
		for scope, b := range batches {
			cursors[scope] = b.Cursor
			if strings.HasPrefix(scope, "actions:") {
				swept = append(swept, scope)
			}
		}
		return swept
	}
	next := func() []string {
		t.Helper()
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		return note(batches)
	}
	first, second, third := note(batches), next(), next()
	swept := slices.Sorted(slices.Values(slices.Concat(first, second)))
	if diff := cmp.Diff([]string{"actions:acme/api", "actions:acme/web"}, swept); diff != "" || len(first) != 1 || len(third) != 0 {
		t.Errorf("%d scopes in the first collection and %d in the third, want one and none; of both (-want +got):\n%s", len(first), len(third), diff)
	}
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("api", ""), githubtest.RepositoryJSON("web", `,"archived":true`)))
	if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["scanning:acme/web"]; b.Err != nil || b.Mode != record.Full || b.Repositories == nil || b.Scans == nil || b.Size() != 0 {
		t.Errorf("scope of an archived repository: %+v, want empty and full", b)
	}
	note(batches)
	if again, err := collectorstest.Gather(t.Context(), c, cursors); err != nil || again["scanning:acme/web"].Scope != "" {
		t.Errorf("a retired scope is emitted again: %+v (%v)", again["scanning:acme/web"], err)
	}
	// Before it turns stale it is said again, or what is absent would be unknown from then on.
	if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	batches, err = collectorstest.Gather(t.Context(), c, cursors)
	if b := batches["scanning:acme/web"]; err != nil || b.Scans == nil || b.Size() != 0 {
		t.Errorf("a retired scope after four hours: %+v (%v), want it empty", b, err)
	}
	for kind, b := range c.EmptyBatches() {
		if len(b.Kinds()) == 0 {
			t.Errorf("nothing says that %s holds nothing", kind)
		}
	}
}

func TestRepositoryIntervalFitsIntoStaleAfter(t *testing.T) {
	for _, tt := range []struct{ set, stale, want time.Duration }{
		{0, 6 * time.Hour, 4 * time.Hour}, {0, 3 * time.Hour, 2 * time.Hour}, {0, 0, 4 * time.Hour}, {time.Hour, 3 * time.Hour, time.Hour},
	} {
		c, _, _ := githubtest.Setup(t, func(cfg *github.Config) {
			cfg.RepositoryInterval, cfg.StaleAfter = collectors.Duration(tt.set), collectors.Duration(tt.stale)
		})
		if got := c.RepositoryInterval(); got != tt.want {
			t.Errorf("repository_interval %s with stale_after %s is %s, want %s", tt.set, tt.stale, got, tt.want)
		}
	}
}

func TestSweepGivesUpWithoutPermission(t *testing.T) {
	var repos []string
	for i := range 15 {
		repos = append(repos, githubtest.RepositoryJSON(fmt.Sprintf("r%d", i), ""))
	}
	batches, _, s, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(repos...))
		s.Handle("GET /repos/{org}/{repo}/actions/permissions", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			collectorstest.WriteJSON(w, `{"message":"Resource not accessible by integration"}`)
		})
	})
	failed := 0
	for scope, b := range batches {
		if strings.HasPrefix(scope, "actions:") {
			failed++
			if !strings.Contains(fmt.Sprint(b.Err), "administration=read") {
				t.Errorf("%s: %v, want the permission named", scope, b.Err)
			}
		}
	}
	asked := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/repos/") && strings.HasSuffix(r.Path, "/actions/permissions") {
			asked++
		}
	}
	if failed != api.MaxRefusals || asked != api.MaxRefusals {
		t.Errorf("%d scopes failed by %d requests, want %d", failed, asked, api.MaxRefusals)
	}
}

// TestRefusingRepositoriesStarveNoOther: repositories that refuse, whatever their names, take the place of no other; they are asked again after a pause, and name a permission only if nobody
// answers.
func TestRefusingRepositoriesStarveNoOther(t *testing.T) {
	for _, message := range []string{"Resource not accessible by integration", "Upgrade to GitHub Pro or make this repository public to enable this feature."} {
		var repos []string
		for i := range 60 {
			repos = append(repos, githubtest.RepositoryJSON(fmt.Sprintf("r%02d", i), ""))
		}
		refusing := 40
		c, s, clock := githubtest.Setup(t, func(cfg *github.Config) {
			cfg.Alerts.Kinds, cfg.Protection.Branches, cfg.Protection.Bypasses = nil, false, true
			cfg.RepositoriesPerCollection = 20
		})
		s.JSON("GET /orgs/acme/repos", collectorstest.Items(repos...))
		s.Handle("GET /repos/Acme/{name}/rulesets/rule-suites", func(w http.ResponseWriter, r *http.Request) {
			if n, err := strconv.Atoi(strings.TrimPrefix(r.PathValue("name"), "r")); err != nil || n < refusing {
				githubtest.Refused(http.StatusForbidden, message)(w, r)
				return
			}
			collectorstest.WriteJSON(w, "[]")
		})
		cursors := collectors.Cursors{}
		errs := map[string]error{}
		collect := func() {
			t.Helper()
			batches, err := collectorstest.Gather(t.Context(), c, cursors)
			if err != nil {
				t.Fatal(err)
			}
			for scope, b := range batches {
				if b.Err == nil {
					cursors[scope] = b.Cursor
				}
				if strings.HasPrefix(scope, "bypasses:") {
					errs[scope] = b.Err
				}
			}
		}
		for range 6 {
			collect()
			if err := clock.Sleep(t.Context(), 5*time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 60 {
			err, read := errs[fmt.Sprintf("bypasses:acme/r%02d", i)]
			if !read || (err != nil) != (i < refusing) {
				t.Errorf("%s: r%02d was read: %t, error %v", message, i, read, err)
			}
		}
		if err := errs["bypasses:acme/r05"]; strings.Contains(err.Error(), "missing permission") || strings.Contains(message, "Upgrade") != strings.Contains(err.Error(), "needs a paid plan") {
			t.Errorf("%s: %v, want the reason and no permission that is not missing", message, err)
		}
		refusing = 0
		if err := clock.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			collect()
		}
		if err := errs["bypasses:acme/r05"]; err != nil {
			t.Errorf("%s: %v an hour after it was granted", message, err)
		}
	}
}
