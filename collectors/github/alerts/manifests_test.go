package alerts_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// alertOn is an open alert about a manifest.
func alertOn(n int, repository, path string) string {
	alert := strings.ReplaceAll(githubtest.DependabotJSON(n, "open", ""), "web/package-lock.json", path)
	return strings.ReplaceAll(alert, "Acme/api", "Acme/"+repository)
}

// serveManifests is a GitHub with the files and the alerts.
func serveManifests(s *collectorstest.Server, f *githubtest.Files, alerts ...string) {
	s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{"query Manifests(": f.Answer, "query ManifestHistories(": f.Answer}))
	s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(alerts...))
}

func onlyManifests(c *github.Config) {
	c.Alerts.Kinds, c.Protection.Branches, c.Alerts.Manifests = []alerts.Kind{alerts.Dependabot}, false, true
}

func closures(t *testing.T, c *github.Collector, cursors collectors.Cursors) map[string]record.Finding {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	if err := batches["dependabot:acme"].Err; err != nil {
		t.Fatal(err)
	}
	found := map[string]record.Finding{}
	for _, f := range batches["dependabot:acme"].Findings {
		found[strings.TrimPrefix(f.ID, "dependabot:acme/")] = f
	}
	return found
}

func TestAlertsOnDeletedManifestsAreClosedAsThat(t *testing.T) {
	c, s, _ := githubtest.Setup(t, onlyManifests)
	f := githubtest.NewFiles("acme/api go.mod")
	f.Past["acme/api old/pom.xml"] = "2026-01-15T10:00:00Z"
	f.Past["acme/web yarn.lock"] = "2020-01-01T00:00:00Z" // before the alert, which says nothing about when it ended
	f.Hidden["acme/locked"], f.Absent["acme/gone"] = true, true
	f.Past["acme/locked go.mod"], f.Past["acme/gone go.mod"] = "2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"
	serveManifests(s, f, alertOn(1, "api", "go.mod"), alertOn(2, "api", "old/pom.xml"), alertOn(3, "api", "Submitted by a build"),
		alertOn(4, "web", "yarn.lock"), alertOn(5, "locked", "go.mod"), alertOn(6, "gone", "go.mod"),
		strings.Replace(alertOn(7, "api", "old/pom.xml"), `"state":"open"`, `"state":"fixed","fixed_at":"2026-01-20T00:00:00Z"`, 1))
	got := closures(t, c, nil)
	for id, want := range map[string]record.Closure{
		"api#1": record.ClosureNone, "api#2": record.ClosureManifestDeleted, "api#3": record.ClosureNone, "web#4": record.ClosureManifestDeleted,
		"locked#5": record.ClosureNone, "gone#6": record.ClosureNone, "api#7": record.ClosureFixed,
	} {
		if got[id].Closure != want {
			t.Errorf("%s is closed as %q, want %q", id, got[id].Closure, want)
		}
	}
	if at := got["api#2"].ClosedAt; !at.Equal(time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("closed at %s, want the date of the commit that deleted the manifest", at)
	}
	if at := got["web#4"].ClosedAt; !at.IsZero() {
		t.Errorf("closed at %s, which is before it was seen", at)
	}
	if f.Asked != 2 {
		t.Errorf("%d queries, want one about all manifests and one about the histories of those that are missing", f.Asked)
	}
}

func TestUpdateReopensNoAlertOnADeletedManifest(t *testing.T) {
	c, s, clock := githubtest.Setup(t, onlyManifests)
	f := githubtest.NewFiles("acme/api go.mod")
	f.Past["acme/api old/pom.xml"] = "2026-01-15T10:00:00Z"
	serveManifests(s, f, alertOn(1, "api", "go.mod"), alertOn(2, "api", "old/pom.xml"))
	closures(t, c, nil)
	cursors := collectors.Cursors{"dependabot:acme": record.Cursor("2026-01-01T00:00:00Z"), "repositories:acme": record.Cursor(clock.Now().Format(time.RFC3339))}
	f.Asked = 0
	if got := closures(t, c, cursors); got["api#2"].Closure != record.ClosureManifestDeleted || got["api#1"].Closure != record.ClosureNone {
		t.Errorf("after an update the alerts are %q and %q", got["api#1"].Closure, got["api#2"].Closure)
	}
	if f.Asked != 2 {
		t.Errorf("%d queries, want two: about the one manifest that was gone", f.Asked)
	}
	f.Present["acme/api old/pom.xml"] = true
	if got := closures(t, c, cursors); got["api#2"].Closure != record.ClosureNone {
		t.Errorf("the alert is closed as %q although its manifest is back", got["api#2"].Closure)
	}
}

func TestManifestsThatCannotBeAskedAboutFailTheScope(t *testing.T) {
	for name, apply := range map[string]func(http.ResponseWriter, *http.Request){
		"500":              func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusInternalServerError) },
		"403":              func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusForbidden) },
		"empty data":       func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, `{"data":{}}`) },
		"empty repository": func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, `{"data":{"r0":{}}}`) },
		"null":             func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, `{"data":{"r0":null}}`) },
		"error without path": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"r0":{"root":{"__typename":"Tree"},"p0":null}},"errors":[{"message":"Something went wrong"}]}`)
		},
		"spent": func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, `{"data":{"r0":null},"errors":[{"type":"RATE_LIMITED","path":["r0"],"message":"API rate limit exceeded"}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s, _ := githubtest.Setup(t, onlyManifests)
			serveManifests(s, githubtest.NewFiles(), alertOn(1, "api", "go.mod"))
			s.Handle("POST /graphql", apply)
			batches, err := collectorstest.Gather(t.Context(), c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if b := batches["dependabot:acme"]; b.Err == nil || len(b.Findings) > 0 {
				t.Errorf("the scope has %d findings and the error %v, want an error: open and closed cannot be told apart", len(b.Findings), b.Err)
			}
		})
	}
}

func TestManyManifestsAreAskedAboutTogether(t *testing.T) {
	c, s, _ := githubtest.Setup(t, onlyManifests)
	f := githubtest.NewFiles()
	var alerts []string
	for n := 1; n <= 250; n++ {
		repository, path := fmt.Sprintf("r%d", n/10), fmt.Sprintf("%d/go.mod", n)
		if n%50 == 0 {
			f.Past["acme/"+repository+" "+path] = "2026-01-15T10:00:00Z"
		} else {
			f.Present["acme/"+repository+" "+path] = true
		}
		alerts = append(alerts, alertOn(n, repository, path))
	}
	serveManifests(s, f, alerts...)
	deleted := func() (n int) {
		for _, finding := range closures(t, c, nil) {
			if finding.Closure == record.ClosureManifestDeleted {
				n++
			}
		}
		return n
	}
	if n := deleted(); n != 5 || f.Asked != 4 {
		t.Errorf("%d deleted by %d queries, want 5 by 3 + 1", n, f.Asked)
	}
	f.Heavy = 60
	if n := deleted(); n != 5 {
		t.Errorf("%d deleted where the server copes with few paths at once, want 5", n)
	}
}

func TestManifestsCanBeLeftAlone(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { onlyManifests(c); c.Alerts.Manifests = false })
	f := githubtest.NewFiles()
	f.Past["acme/api go.mod"] = "2026-01-15T10:00:00Z"
	serveManifests(s, f, alertOn(1, "api", "go.mod"))
	if got := closures(t, c, nil); got["api#1"].Closure != record.ClosureNone || f.Asked > 0 {
		t.Errorf("closed as %q after %d queries, want open and none", got["api#1"].Closure, f.Asked)
	}
}
