package github_test

import (
	"fmt"
	"net/http"
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
	for i, got := range [][]string{note(batches), next(), next()} {
		want := [][]string{{"actions:acme/api"}, {"actions:acme/web"}, nil}[i]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("collection %d (-want +got):\n%s", i, diff)
		}
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
	for i := range 10 {
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
