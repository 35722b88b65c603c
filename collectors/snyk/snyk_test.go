package snyk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
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
	"prodsec_exporter/internal/translate"
)

const (
	issuesPath   = "/rest/orgs/o1/issues"
	projectsPath = "/rest/orgs/o1/projects"
)

func projectJSON(id, name, kind, origin, targetURL string) string {
	return fmt.Sprintf(`{"id":%q,"type":"project","attributes":{"name":%q,"type":%q,"origin":%q,"status":"active","target_file":"package.json"},
 "meta":{"latest_issue_counts":{"updated_at":"2026-04-01T00:00:00Z"}},"relationships":{"target":{"data":{"id":"t","attributes":{"url":%q}}}}}`, id, name, kind, origin, targetURL)
}

// issue is what tests change of an issue.
type issue struct {
	id, project, kind, status, more string
	ignored                         bool
}

func (i issue) String() string {
	return fmt.Sprintf(`{"id":%q,"type":"issue","attributes":{"key":"SNYK-JS-QS-10019","title":"Prototype pollution","type":%q,"status":%q,"ignored":%t,
 "effective_severity_level":"high","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-02-01T00:00:00Z","problems":[{"id":"SNYK-JS-QS-10019","source":"SNYK"},{"id":"CVE-2026-0001","source":"NVD"}],
 "classes":[{"id":"CWE-1321","source":"CWE"}],"coordinates":[{"is_fixable_snyk":false,"is_upgradeable":true,"reachability":"function",
 "representations":[{"dependency":{"package_name":"qs","package_version":"1.0.0"}}]}]%s},
 "relationships":{"scan_item":{"data":{"id":%q,"type":"project"}}}}`, i.id, i.kind, i.status, i.ignored, i.more, i.project)
}

var (
	open1   = issue{id: "i1", project: "p1", kind: "package_vulnerability", status: "open"}
	fixed2  = issue{id: "i2", project: "p1", kind: "package_vulnerability", status: "resolved", more: `,"resolution":{"type":"disappeared","resolved_at":"2026-03-01T00:00:00Z"}`}
	ignore3 = issue{id: "i3", project: "p1", kind: "package_vulnerability", status: "open", ignored: true}
)

// pages serves a list by links that are relative to the host, as Snyk does. Each page holds one item.
func pages(items ...fmt.Stringer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("version") != apiVersion || r.Header.Get("Accept") != "application/vnd.api+json" || !strings.HasPrefix(r.Header.Get("Authorization"), "token ") {
			http.Error(w, `{"errors":[{"detail":"wrong request"}]}`, http.StatusBadRequest)
			return
		}
		at := 0
		if after := q.Get("starting_after"); after != "" {
			at = int(after[0] - '0')
		}
		page := map[string]any{"jsonapi": map[string]string{"version": "1.0"}, "data": []json.RawMessage{}, "links": map[string]any{}}
		if at < len(items) {
			page["data"] = []json.RawMessage{json.RawMessage(items[at].String())}
		}
		if at+1 < len(items) {
			q.Set("starting_after", fmt.Sprintf("%dx", at+1))
			page["links"] = map[string]any{"next": r.URL.Path + "?" + q.Encode()}
		}
		collectorstest.WriteJSON(w, page)
	}
}

type text string

func (s text) String() string { return string(s) }

// issues serves all issues, or the ignored ones to those who ask for them.
func issues(list ...fmt.Stringer) http.HandlerFunc {
	var ignored []fmt.Stringer
	for _, item := range list {
		if i, ok := item.(issue); ok && i.ignored {
			ignored = append(ignored, item)
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("ignored") == "true" {
			pages(ignored...)(w, r)
			return
		}
		pages(list...)(w, r)
	}
}

const ignoresBody = `{"SNYK-JS-QS-10019":[{"*":{"reason":"no user input","reasonType":"temporary-ignore","created":"2026-01-10T00:00:00Z","expires":"2031-01-01T00:00:00.000Z","ignoredBy":{"name":"x"}}}]}`

func serve(s *collectorstest.Server) {
	s.Handle("GET "+projectsPath, pages(
		text(projectJSON("p1", "acme/api:package.json", "npm", "github", "https://github.com/Acme/api")),
		text(projectJSON("p2", "registry.example.com/acme/shop:1.2", "deb", "docker-hub", ""))))
	s.Handle("GET "+issuesPath, issues(open1, fixed2, ignore3))
	s.JSON("GET /v1/org/o1/project/p1/ignores", ignoresBody)
}

func TestConformance(t *testing.T) {
	of := func(path string, ignored bool) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool {
			return r.Path == path && (r.Query.Get("ignored") == "true") == ignored
		}
	}
	ignores := func(r collectorstest.Request) bool {
		return strings.HasPrefix(r.Path, "/v1/") || of(issuesPath, true)(r)
	}
	swap := func(list ...fmt.Stringer) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.Handle("GET "+issuesPath, issues(list...)) }
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: baseURL, Token: token, Organizations: []string{"o1"}, Groups: []string{"g1"}}, env)
		},
		Serve: func(s *collectorstest.Server) {
			serve(s)
			s.Handle("GET /rest/groups/g1/orgs", pages(text(`{"id":"o1","type":"org"}`), text(`{"id":"o2","type":"org"}`)))
			s.Handle("GET /rest/orgs/o2/projects", pages())
			s.Handle("GET /rest/orgs/o2/issues", issues(issue{id: "i9", project: "p9", kind: "code", status: "open"}))
		},
		Scopes: []collectorstest.Scope{
			{Name: "projects:o1", Records: 1, Requests: of(projectsPath, false), Pages: 2, Cursor: true, Items: "data", Along: []string{"ignores:o1/p1", "ignores:o1", "issues:o1"}},
			{Name: "organizations:g1", Records: 0, Requests: of("/rest/groups/g1/orgs", false), Pages: 2, Cursor: true, Items: "data", Along: []string{"projects:o2", "ignores:o2", "issues:o2"}},
			{Name: "projects:o2", Records: 0, Requests: of("/rest/orgs/o2/projects", false), Pages: 1, Along: []string{"ignores:o2", "issues:o2"}},
			{Name: "ignores:o2", Records: 0, Requests: of("/rest/orgs/o2/issues", true), Pages: 1, Along: []string{"issues:o2"}},
			{Name: "issues:o2", Records: 1, Requests: of("/rest/orgs/o2/issues", false), Pages: 1},
			{Name: "ignores:o1/p1", Records: 1, Requests: ignores, Pages: 2, Along: []string{"ignores:o1", "issues:o1"}, Nothing: "{}", Steady: "it is one page of ignored issues"},
			{Name: "ignores:o1", Records: 0, Requests: of(issuesPath, true), Pages: 1, Along: []string{"ignores:o1/p1", "issues:o1"}},
			{Name: "issues:o1", Records: 3, Requests: of(issuesPath, false), Pages: 3, Cursor: true, Items: "data"},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown words", Scope: "issues:o1", Records: 1, Serve: swap(issue{id: "i1", project: "p1", kind: "quantum", status: "asleep"}),
				Check: func(b record.Batch) error {
					if f := b.Findings[0]; f.Class != record.ClassOther || f.Closure != record.ClosureNone {
						return fmt.Errorf("got class %q and closure %q, want other and open", f.Class, f.Closure)
					}
					return nil
				},
			},
			{Name: "items that cannot be read", Scope: "issues:o1", Records: 1, Rejected: 3, Serve: swap(open1, text(`{"id":7}`), text(`{"id":""}`), text(`{"id":"x","attributes":{"created_at":"soon"}}`))},
			{Name: "project that is not listed", Scope: "issues:o1", Records: 1, Serve: swap(issue{id: "i1", project: "new", kind: "code", status: "open"})},
			{Name: "ignores in another form", Scope: "ignores:o1/p1", Records: 0, Rejected: 1, Serve: func(s *collectorstest.Server) {
				s.JSON("GET /v1/org/o1/project/p1/ignores", `{"SNYK-JS-QS-10019":{"*":{}}}`)
			}},
		},
		Gone: []collectorstest.Gone{
			{
				Name: "an organisation left its group", Retired: []string{"projects:o2", "ignores:o2", "issues:o2"}, Reason: record.ClosureOutOfScope,
				Serve: func(s *collectorstest.Server) {
					s.Handle("GET /rest/groups/g1/orgs", pages(text(`{"id":"o1","type":"org"}`)))
				},
			},
			{
				Name: "the token sees no organisation of the group", Hidden: []string{"organizations:g1"},
				Serve: func(s *collectorstest.Server) { s.Handle("GET /rest/groups/g1/orgs", pages()) },
			},
			{
				Name: "nothing is ignored in a project any more", Retired: []string{"ignores:o1/p1"},
				Serve: func(s *collectorstest.Server) { s.Handle("GET "+issuesPath, issues(open1, fixed2)) },
			},
		},
		Readme: "README.md",
	})
}

// bench builds a collector before a scripted source.
func bench(t *testing.T, config Config, logged *bytes.Buffer, scripts ...func(*collectorstest.Server)) (*Collector, *collectorstest.Server) {
	t.Helper()
	server := collectorstest.NewServer(t)
	serve(server)
	for _, script := range scripts {
		script(server)
	}
	if len(config.Organizations)+len(config.Groups) == 0 {
		config.Organizations = []string{"o1"}
	}
	config.URL, config.Token = server.URL()+"/rest/", collectorstest.Secret(t, collectorstest.Token)
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

func gather(t *testing.T, c *Collector, cursors collectors.Cursors) map[string]record.Batch {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func TestRecords(t *testing.T) {
	c, _ := bench(t, Config{}, &bytes.Buffer{})
	batches := gather(t, c, nil)
	first := record.Finding{
		ID: "issue:i1", Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Title: "Prototype pollution (reachable)", Severity: record.SeverityHigh, Category: "CWE-1321",
		Rule: "SNYK-JS-QS-10019", Aliases: []string{"SNYK-JS-QS-10019", "CVE-2026-0001"}, Package: "npm/qs", Version: "1.0.0", Place: "package.json",
		FirstSeen: day(2026, 1, 1), UpdatedAt: day(2026, 2, 1), FixAvailable: record.AnswerYes,
	}
	second, third := first, first
	second.ID, second.Closure, second.ClosedAt = "issue:i2", record.ClosureFixed, day(2026, 3, 1)
	third.ID = "issue:i3" // ignored until 2031: open, with an exception
	want := record.Batch{
		Scope: "issues:o1", Mode: record.Full, Findings: []record.Finding{first, second, third}, Rejected: map[record.RejectReason]int{}, Cursor: "2026-02-01T00:00:00Z",
	}
	if diff := cmp.Diff(want, batches["issues:o1"]); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	exceptions := []record.Exception{{
		ID: "ignore:p1:SNYK-JS-QS-10019", Title: "no user input", State: record.ExceptionApproved, Category: "temporary-ignore", Findings: []string{"issue:i3"},
		RequestedAt: day(2026, 1, 10), DecidedAt: day(2026, 1, 10), UpdatedAt: day(2026, 1, 10), ExpiresAt: day(2031, 1, 1), VendorAcceptance: true, Tool: tool,
	}}
	if diff := cmp.Diff(exceptions, batches["ignores:o1/p1"].Exceptions); diff != "" {
		t.Errorf("exceptions (-want +got):\n%s", diff)
	}
	scans := []record.Scan{{Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Enabled: record.AnswerYes, SucceededAt: day(2026, 4, 1), AttemptedAt: day(2026, 4, 1)}}
	if diff := cmp.Diff(scans, batches["projects:o1"].Scans); diff != "" {
		t.Errorf("scans (-want +got):\n%s", diff)
	}
}

func TestDelta(t *testing.T) {
	c, server := bench(t, Config{}, &bytes.Buffer{})
	b := gather(t, c, collectors.Cursors{"issues:o1": "2026-02-01T00:10:00Z"})["issues:o1"]
	if b.Mode != record.Delta || b.Cursor != "2026-02-01T00:10:00Z" {
		t.Errorf("mode %q and cursor %q, want a delta whose cursor does not go back", b.Mode, b.Cursor)
	}
	asked := server.Requests()[slices.IndexFunc(server.Requests(), func(r collectorstest.Request) bool { return r.Query.Has("updated_after") })]
	if got := asked.Query.Get("updated_after"); got != "2026-01-31T23:55:00Z" {
		t.Errorf("updated_after = %s, want the cursor less the overlap", got)
	}
	if b := gather(t, c, collectors.Cursors{"issues:o1": "gibberish"})["issues:o1"]; b.Mode != record.Full {
		t.Errorf("a cursor that cannot be read gives mode %q, want a full sweep", b.Mode)
	}
}

func TestResolvedIssuesNeedNoException(t *testing.T) {
	gone := fixed2
	gone.ignored = true
	c, server := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) { s.Handle("GET "+issuesPath, issues(gone)) })
	batches := gather(t, c, nil)
	if b := batches["ignores:o1"]; b.Err != nil || b.Exceptions == nil || len(b.Exceptions) != 0 {
		t.Errorf("ignores of a resolved issue: %+v, want none", b)
	}
	if f := batches["issues:o1"].Findings[0]; f.Closure != record.ClosureFixed {
		t.Errorf("closure %q of an issue that is ignored and resolved, want fixed", f.Closure)
	}
	if slices.ContainsFunc(server.Requests(), func(r collectorstest.Request) bool { return strings.HasPrefix(r.Path, "/v1/") }) {
		t.Error("the ignores of a project without an open ignored issue were asked for")
	}
}

func TestIgnoresWithoutPermission(t *testing.T) {
	c, _ := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) {
		s.Handle("GET /v1/org/o1/project/p1/ignores", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusForbidden) })
	})
	batches := gather(t, c, nil)
	if err := batches["ignores:o1/p1"].Err; record.ReasonOf(err) != record.ReasonPermission || !strings.Contains(err.Error(), viewIgnores) {
		t.Errorf("ignores: %v, want the missing permission", err)
	}
	b := batches["issues:o1"]
	if b.Err != nil || b.Findings[2].Closure != record.ClosureNone {
		t.Errorf("issues: %v, %+v; want the ignored one open, since nobody can say why it is ignored", b.Err, b.Findings)
	}
}

func TestGroups(t *testing.T) {
	orgs := func(s *collectorstest.Server) {
		s.Handle("GET /rest/groups/g1/orgs", pages(text(`{"id":"o1","type":"org"}`), text(`{"id":"o2","type":"org"}`)))
	}
	c, _ := bench(t, Config{Groups: []string{"g1", "g2"}, Organizations: []string{"o1"}}, &bytes.Buffer{}, orgs)
	batches := gather(t, c, nil)
	if b, ok := batches["organizations:g1"]; !ok || b.Err != nil {
		t.Errorf("the group that can be listed: %+v", b)
	}
	if b := batches["organizations:g2"]; record.ReasonOf(b.Err) != record.ReasonNotFound {
		t.Errorf("the group that does not exist: %+v", b)
	}
	if b := batches["issues:o1"]; b.Err != nil || len(b.Findings) != 3 {
		t.Errorf("issues:o1: %+v", b)
	}
	if b := batches["issues:o2"]; record.ReasonOf(b.Err) != record.ReasonNotFound || len(batches) != 9 {
		t.Errorf("issues:o2 of %d scopes: %+v", len(batches), b)
	}
	c, _ = bench(t, Config{Groups: []string{"g2"}}, &bytes.Buffer{})
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("nothing but a group that does not exist = %v, want not_found", err)
	}
}

func TestLinksAndAnnouncements(t *testing.T) {
	var logged bytes.Buffer
	c, _ := bench(t, Config{}, &logged, func(s *collectorstest.Server) {
		s.Handle("GET "+issuesPath, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Sunset", "Wed, 11 Nov 2027 00:00:00 GMT")
			issues(open1, fixed2)(w, r)
		})
	})
	for range 2 {
		gather(t, c, nil)
	}
	if n := strings.Count(logged.String(), "announces the end"); n != 1 {
		t.Errorf("the end of the call was logged %d times, want once:\n%s", n, logged.String())
	}
	for in, want := range map[string]string{
		`"/rest/x"`: "/rest/x", `{"href":"/rest/y"}`: "/rest/y", `null`: "", ``: "",
		`"/orgs/o1/issues?starting_after=b"`:                                "/rest/orgs/o1/issues?starting_after=b",              // without the path of the API
		`"/rest/orgs/o1/issues?starting_after=a&limit=100&version=2024-01"`: "",                                                   // itself
		`"/orgs/o1/issues?version=2024-01&starting_after=a"`:                "",                                                   // itself, both
		`"/rest/orgs/o1/issues?after=a"`:                                    "/rest/orgs/o1/issues?after=a",                       // a parameter that nobody knows is no end
		`"/rest/orgs/o1/issues?ignored=true&starting_after=a"`:              "/rest/orgs/o1/issues?ignored=true&starting_after=a", // another list
	} {
		d := &document{}
		d.Links.Next = json.RawMessage(in)
		if got, err := d.next("rest/orgs/o1/issues?version=2024-10-15&limit=100&starting_after=a"); err != nil || got != want {
			t.Errorf("next of %s = %q, %v; want %q", in, got, err, want)
		}
	}
	d := &document{}
	d.Links.Next = json.RawMessage(`7`)
	if _, err := d.next(""); record.ReasonOf(err) != record.ReasonDecode {
		t.Errorf("next of a number = %v, want a decode error", err)
	}
	foreign := func(s *collectorstest.Server) {
		s.JSON("GET "+issuesPath, `{"data":[],"links":{"next":"https://elsewhere.example/rest/x"}}`)
	}
	c, server := bench(t, Config{}, &logged, foreign)
	if b := gather(t, c, nil)["issues:o1"]; record.ReasonOf(b.Err) != record.ReasonTransport || len(server.Leaked()) > 0 {
		t.Errorf("a link to another host: %v", b.Err)
	}
	c, _ = bench(t, Config{}, &logged, func(s *collectorstest.Server) { s.JSON("GET "+issuesPath, `{"errors":[]}`) })
	if b := gather(t, c, nil)["issues:o1"]; record.ReasonOf(b.Err) != record.ReasonDecode {
		t.Errorf("an answer without data: %v, want a decode error", b.Err)
	}
}

func TestCheckAndForecast(t *testing.T) {
	c, server := bench(t, Config{Groups: []string{"g1"}, Organizations: []string{"o1"}, Common: collectors.Common{Interval: collectors.Duration(time.Hour)}}, &bytes.Buffer{})
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 4 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, r := range results {
		if failed := strings.HasPrefix(r.Subject, "group"); failed != (r.Err != nil) || r.Unknown == "" {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	server.Forget()
	gather(t, c, nil)
	if got, want := c.Forecast()[""], float64(len(server.Requests())); got != want {
		t.Errorf("Forecast() = %v, want %v", got, want)
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	token := apiclient.Secret{Env: "SNYK_TOKEN"}
	for want, config := range map[string]Config{
		"token":         {Organizations: []string{"o1"}},
		"organizations": {Token: token},
		"empty":         {Token: token, Groups: []string{""}},
		"rule 1":        {Token: token, Organizations: []string{"o1"}, Projects: []translate.Project{{}}},
		"url":           {Token: token, Organizations: []string{"o1"}, URL: "api.snyk.io"},
	} {
		if _, err := New(config, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}

// TestRecordedPages reads real pages of the API through the collector.
func TestRecordedPages(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "fixtures", "scans", "snyk_issue_api")
	type summary struct {
		findings, cwe, closed int // ignored ones are open: nobody says why
		class                 record.Class
	}
	for name, want := range map[string]summary{ // counted with jq .data
		"snyk_sca_scan_api_single_vuln.json": {findings: 1, cwe: 1, class: record.ClassSCA},
		"snyk_code_scan_api_many_vuln.json":  {findings: 3, cwe: 3, class: record.ClassSAST},
	} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
			t.Logf("no recorded page %s: nothing to read", name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c, _ := bench(t, Config{}, &bytes.Buffer{}, func(s *collectorstest.Server) {
			s.Handle("GET "+issuesPath, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("ignored") == "true" {
					collectorstest.WriteJSON(w, `{"data":[]}`)
					return
				}
				collectorstest.WriteJSON(w, data)
			})
		})
		b := gather(t, c, nil)["issues:o1"]
		got := summary{findings: len(b.Findings), class: want.class}
		for _, f := range b.Findings {
			if strings.HasPrefix(f.Category, "CWE-") {
				got.cwe++
			}
			if f.Closure == record.ClosureOther {
				got.closed++
			}
			if f.Class != want.class || f.Severity == record.SeverityUnknown || f.FirstSeen.IsZero() || f.Package == "" && f.Line == 0 {
				t.Errorf("%s: %+v lacks something", name, f)
			}
		}
		if got != want || b.Err != nil || len(b.Rejected) > 0 {
			t.Errorf("%s: %+v, %v, %v; want %+v", name, got, b.Err, b.Rejected, want)
		}
		if unknown := c.Words.List(); len(unknown) > 0 {
			t.Errorf("%s: words of a real page are unknown: %v", name, unknown)
		}
	}
}

func FuzzIssue(f *testing.F) {
	f.Add([]byte(open1.String()), []byte(projectJSON("p1", "acme/api:package.json", "npm", "github", "")))
	f.Add([]byte(ignore3.String()), []byte(projectJSON("p1", "a(b):c", "deb", "gitlab", "https://gitlab.com/a/b")))
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	c := &Collector{Base: &platform.Base{Env: env, Words: translate.NewUnknownWords(env.Logger)}}
	f.Fuzz(func(t *testing.T, data, projectData []byte) {
		list := projectList{}
		if w, err := translate.Decode[wireProject](projectData); err == nil {
			list[w.ID] = c.projectOf(w)
		}
		list.scans()
		got, err := c.issue(data, &translation{projects: list})
		if err != nil {
			return
		}
		switch {
		case got.ID == "" || !slices.Contains(record.Classes(), got.Class) || !slices.Contains(record.Severities(), got.Severity):
			t.Errorf("%s became %+v", data, got)
		case len(got.Title) > record.MaxText || len(got.Place) > record.MaxText || len(got.Rule) > record.MaxText || got.Line < 0:
			t.Errorf("%s is not kept within bounds: %+v", data, got)
		case got.Closure == record.ClosureNone && !got.ClosedAt.IsZero():
			t.Errorf("%s is open and was closed at %v", data, got.ClosedAt)
		}
	})
}
