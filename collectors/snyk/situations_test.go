package snyk

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// attributed is a project with further attributes.
func attributed(id, name, attributes string) text {
	return text(strings.Replace(projectJSON(id, name, "npm", "github", ""), `"status":"active"`, attributes, 1))
}

// TestOneProjectsIgnores: the ignores of one project cannot be read, and nothing about the other changes, and nothing of its own is closed or reopened.
func TestOneProjectsIgnores(t *testing.T) {
	other := issue{id: "i4", project: "p2", kind: "package_vulnerability", status: "open", ignored: true}
	wontFix := strings.Replace(strings.Replace(ignoresBody, "temporary-ignore", "wont-fix", 1), `,"expires":"2031-01-01T00:00:00.000Z"`, "", 1)
	c, server := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) {
		s.Handle("GET "+issuesPath, issues(open1, ignore3, other))
		s.JSON("GET /v1/org/o1/project/p2/ignores", wontFix)
	})
	closures := func(batches map[string]record.Batch) string {
		var list []string
		for _, f := range batches["issues:o1"].Findings {
			list = append(list, fmt.Sprintf("%s=%s", f.ID, f.Closure))
		}
		return strings.Join(list, " ")
	}
	const want = "issue:i1= issue:i3= issue:i4=wont_fix"
	if got := closures(gather(t, c, nil)); got != want {
		t.Fatalf("at first: %s, want %s", got, want)
	}
	for _, path := range []string{"/v1/org/o1/project/p1/ignores", "/v1/org/o1/project/p2/ignores"} {
		server.Handle("GET "+path, http.NotFound)
	}
	batches := gather(t, c, nil)
	if got := closures(batches); got != want {
		t.Errorf("with ignores that cannot be read: %s, want %s", got, want)
	}
	for _, scope := range []string{"ignores:o1/p1", "ignores:o1/p2"} {
		if b := batches[scope]; record.ReasonOf(b.Err) != record.ReasonNotFound || !strings.Contains(b.Err.Error(), "project p") {
			t.Errorf("%s: %+v, want it to fail alone", scope, b)
		}
	}
	if b := batches["ignores:o1"]; b.Err != nil {
		t.Errorf("the list of what is ignored: %v", b.Err)
	}
	server.JSON("GET /v1/org/o1/project/p1/ignores", ignoresBody)
	if b := gather(t, c, nil)["ignores:o1/p1"]; b.Err != nil || len(b.Exceptions) != 1 {
		t.Errorf("the project that can be read: %+v, want its exception", b)
	}
}

func TestInactiveProjects(t *testing.T) {
	status := `"status":"active"`
	c, server := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) {
		s.Handle("GET "+projectsPath, func(w http.ResponseWriter, r *http.Request) {
			pages(attributed("p1", "acme/api:package.json", status))(w, r)
		})
		s.Handle("GET "+issuesPath, issues(open1, fixed2))
	})
	read := func() record.Batch {
		return gather(t, c, collectors.Cursors{"issues:o1": "2026-02-01T00:10:00Z"})["issues:o1"]
	}
	if b := read(); b.Mode != record.Delta || b.Findings[0].Closure != record.ClosureNone {
		t.Errorf("an active project: %+v", b)
	}
	status = `"status":"inactive"`
	server.Forget()
	b := read()
	if b.Mode != record.Full || b.Findings[0].Closure != record.ClosureOutOfScope || b.Findings[1].Closure != record.ClosureFixed {
		t.Errorf("a project that was deactivated: mode %s, %+v; want all its issues read, and what was open out of scope", b.Mode, b.Findings)
	}
	if slices.ContainsFunc(server.Requests(), func(r collectorstest.Request) bool { return r.Query.Has("updated_after") }) {
		t.Error("issues whose project was deactivated did not change: a delta does not have them")
	}
	if b := read(); b.Mode != record.Delta {
		t.Errorf("nothing changed since: mode %s, want a delta", b.Mode)
	}
}

func TestProjectFilter(t *testing.T) {
	projects := []fmt.Stringer{
		attributed("p1", "acme/api:x", `"status":"active","tags":[{"key":"team","value":"Pay"},{"key":"service","value":"payments"}],"environment":["backend"],"lifecycle":["production"]`),
		attributed("p2", "acme/lab:x", `"status":"inactive","tags":[{"key":"team","value":"lab"}],"environment":["frontend","mobile"],"lifecycle":["sandbox"]`),
	}
	license := issue{id: "i3", project: "p1", kind: "license", status: "open"}
	for name, tt := range map[string]struct {
		config Config
		want   string
	}{
		"all":           {Config{}, "i1 i2 i3 i9"},
		"status":        {Config{ProjectFilter: ProjectFilter{Statuses: []string{"active"}}}, "i1 i3 i9"},
		"tag and value": {Config{ProjectFilter: ProjectFilter{Tags: []string{"team:lab", "team:none"}}}, "i2 i9"},
		"tag":           {Config{ProjectFilter: ProjectFilter{Tags: []string{"service"}}}, "i1 i3 i9"},
		"environment":   {Config{ProjectFilter: ProjectFilter{Environments: []string{"MOBILE"}}}, "i2 i9"},
		"lifecycle":     {Config{ProjectFilter: ProjectFilter{Lifecycles: []string{"production"}, Statuses: []string{"active"}}}, "i1 i3 i9"},
		"nothing fits":  {Config{ProjectFilter: ProjectFilter{Lifecycles: []string{"production"}, Statuses: []string{"inactive"}}}, "i9"},
		"no licences":   {Config{WithoutLicenses: true}, "i1 i2 i9"},
	} {
		c, _ := bench(t, tt.config, &bytes.Buffer{}, func(s *collectorstest.Server) {
			s.Handle("GET "+projectsPath, pages(projects...))
			s.Handle("GET "+issuesPath, issues(open1, issue{id: "i2", project: "p2", kind: "code", status: "open"}, license, issue{id: "i9", project: "new", kind: "code", status: "open"}))
		})
		b := gather(t, c, nil)["issues:o1"]
		var ids []string
		for _, f := range b.Findings {
			ids = append(ids, strings.TrimPrefix(f.ID, "issue:"))
		}
		if got := strings.Join(ids, " "); got != tt.want || b.Err != nil || len(b.Rejected) > 0 {
			t.Errorf("%s: %s, %v, %v; want %s (a project that is not listed cannot be judged)", name, got, b.Err, b.Rejected, tt.want)
		}
		if f := b.Findings[0]; f.ID == "issue:i1" && (f.Service != "payments" || f.Repository != "acme/api") {
			t.Errorf("%s: service %q and repository %q, want the tag's and the name's", name, f.Service, f.Repository)
		}
	}
	c, _ := bench(t, Config{ServiceTag: "team", Projects: []translate.Project{{Name: "acme/lab", Service: "by-rule"}}}, &bytes.Buffer{}, func(s *collectorstest.Server) {
		s.Handle("GET "+projectsPath, pages(projects...))
		s.Handle("GET "+issuesPath, issues(open1, issue{id: "i2", project: "p2", kind: "code", status: "open"}))
	})
	if b := gather(t, c, nil)["issues:o1"]; b.Findings[0].Service != "Pay" || b.Findings[1].Service != "by-rule" {
		t.Errorf("services %q and %q, want the configured tag's and the rule's", b.Findings[0].Service, b.Findings[1].Service)
	}
}

// TestConsistentIgnores: ignores that are policies have reason and end, in either form in which versions of the API write them.
func TestConsistentIgnores(t *testing.T) {
	asset := func(id, key string) issue {
		return issue{id: id, project: "p1", kind: "code", status: "open", ignored: true, more: `,"key_asset":"` + key + `"`}
	}
	policy := func(id, action, review, value string) text {
		return text(fmt.Sprintf(`{"id":%q,"type":"policy","attributes":{"action_type":"ignore","review":%q,"action":%s,"created_at":"2026-01-10T00:00:00Z",
 "conditions_group":{"logical_operator":"and","conditions":[{"field":"snyk/asset/finding/v1","operator":"includes","value":%s}]}}}`, id, review, action, value))
	}
	serve := func(s *collectorstest.Server) {
		s.Handle("GET "+issuesPath, issues(asset("i1", "k1"), asset("i2", "k2"), asset("i3", "k3"), asset("i4", "k4"), asset("i5", "")))
		s.JSON("GET /v1/org/o1/project/p1/ignores", `{}`)
		s.Handle("GET /rest/orgs/o1/policies", pages(
			policy("a", `{"data":{"ignore_type":"temporary-ignore","reason":"until the rewrite","expires":"2031-01-01T00:00:00Z"}}`, "approved", `"k1"`),
			policy("b", `{"ignore_type":"wont-fix","reason":"never"}`, "not-required", `["k2","k9"]`),
			policy("c", `{"data":{"ignore_type":"not-vulnerable"}}`, "pending", `"k3"`)))
	}
	c, server := bench(t, Config{}, &bytes.Buffer{}, serve)
	batches := gather(t, c, nil)
	want := []record.Closure{record.ClosureNone, record.ClosureWontFix, record.ClosureNone, record.ClosureNone, record.ClosureNone}
	for i, f := range batches["issues:o1"].Findings {
		if f.Closure != want[i] {
			t.Errorf("%s is closed as %q, want %q", f.ID, f.Closure, want[i])
		}
	}
	if x := batches["ignores:o1/p1"].Exceptions; len(x) != 1 || x[0].Title != "until the rewrite" || !x[0].ExpiresAt.Equal(day(2031, 1, 1)) || !slices.Equal(x[0].Findings, []string{"issue:i1"}) {
		t.Errorf("exceptions %+v, want the one that ends", x)
	}
	server.Handle("GET /rest/orgs/o1/policies", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	if f := gather(t, c, nil)["issues:o1"].Findings[1]; f.Closure != record.ClosureWontFix {
		t.Errorf("while policies cannot be read %s is closed as %q, want what was read last", f.ID, f.Closure)
	}
	var logged bytes.Buffer
	c, _ = bench(t, Config{}, &logged, func(s *collectorstest.Server) {
		serve(s)
		s.Handle("GET /rest/orgs/o1/policies", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	})
	for range 2 {
		for _, f := range gather(t, c, nil)["issues:o1"].Findings {
			if f.Closure != record.ClosureNone {
				t.Errorf("%s is closed as %q, and nobody can say why it is ignored", f.ID, f.Closure)
			}
		}
	}
	if n := strings.Count(logged.String(), viewPolicies); n != 1 {
		t.Errorf("the missing permission was logged %d times, want once: %s", n, logged.String())
	}
}

// TestLastPageThatLinksToItself ends the list, and links without the path of the API are followed.
func TestLastPageThatLinksToItself(t *testing.T) {
	c, _ := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) {
		s.Handle("GET "+issuesPath, func(w http.ResponseWriter, r *http.Request) {
			switch q := r.URL.Query(); {
			case q.Get("ignored") == "true":
				collectorstest.WriteJSON(w, `{"data":[],"links":{"next":"/orgs/o1/issues?version=2024-10-15&limit=100&ignored=true"}}`)
			case q.Get("starting_after") == "a":
				collectorstest.WriteJSON(w, `{"data":[],"links":{"next":"/rest/orgs/o1/issues?starting_after=a&version=2024-10-15&limit=100"}}`)
			default:
				collectorstest.WriteJSON(w, `{"data":[`+open1.String()+`],"links":{"next":"/orgs/o1/issues?starting_after=a&version=2024-10-15&limit=100"}}`)
			}
		})
	})
	if b := gather(t, c, nil)["issues:o1"]; b.Err != nil || len(b.Findings) != 1 {
		t.Errorf("got %+v, want the one issue", b)
	}
}
