package github_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// TestWithoutPushesLargeOrganisationsAreReadLessOften: an interval of a second makes two repositories as many, for an hour, as a large organisation has for four. What nobody pushed to is emitted as
// unchanged, without a request and with the cursor of its last reading, until its longer interval has passed; a push makes it be read.
func TestWithoutPushesLargeOrganisationsAreReadLessOften(t *testing.T) {
	const permissions = "/repos/Acme/api/actions/permissions"
	batches, c, s, clock := githubtest.Posture(t, func(cfg *github.Config) {
		cfg.RepositoryInterval, cfg.PostureInterval = collectors.Duration(time.Second), collectors.Duration(time.Second)
	}, nil)
	const scope = "actions:acme/api"
	cursors := collectors.Cursors{}
	for name, b := range batches {
		cursors[name] = b.Cursor
	}
	next := func(wait time.Duration) (b record.Batch, asked bool) {
		t.Helper()
		if err := clock.Sleep(t.Context(), wait); err != nil {
			t.Fatal(err)
		}
		s.Forget()
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range batches {
			if b.Cursor != "" {
				cursors[name] = b.Cursor
			}
		}
		return batches[scope], slices.ContainsFunc(s.Requests(), githubtest.AtPath(permissions))
	}
	if b, asked := next(2 * time.Second); asked || b.Err != nil || b.Mode != record.Delta || b.Size() != 0 || len(b.Kinds()) == 0 || b.Cursor != "" {
		t.Errorf("nothing was pushed: asked %t, %+v; want it unchanged, with the cursor of before", asked, b)
	}
	if b, asked := next(40 * time.Second); !asked || b.Mode != record.Full || b.Size() != 1 {
		t.Errorf("after the longer interval: asked %t, %+v; want it read", asked, b)
	}
	pushed := `,"pushed_at":"` + clock.Now().UTC().Format(time.RFC3339) + `"`
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(strings.Replace(githubtest.RepositoryJSON("api", ""), `"pushed_at":"2026-02-01T00:00:00Z"`, pushed[1:], 1), githubtest.RepositoryJSON("web", "")))
	if b, asked := next(2 * time.Second); !asked || b.Mode != record.Full {
		t.Errorf("after a push: asked %t, %+v; want it read", asked, b)
	}
}

// TestWhatMayWaitLeavesBudget: scopes of single repositories wait while little is left of the budget, and alerts do not.
func TestWhatMayWaitLeavesBudget(t *testing.T) {
	for remaining, want := range map[int]bool{400: false, 600: true} {
		batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
			s.Handle("GET /orgs/acme/properties/values", func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range map[string]string{
					"X-RateLimit-Resource": "core", "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": strconv.Itoa(remaining),
					"X-RateLimit-Reset": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10),
				} {
					w.Header().Set(name, value)
				}
				collectorstest.WriteJSON(w, "[]")
			})
		})
		if _, read := batches["actions:acme/api"]; read != want {
			t.Errorf("with %d of 5000 left a scope of a repository is read: %t, want %t", remaining, read, want)
		}
		if b, read := batches["dependabot:acme"]; !read || b.Err != nil {
			t.Errorf("with %d of 5000 left alerts are read: %t, error %v", remaining, read, b.Err)
		}
	}
}
