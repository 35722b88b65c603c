package jira

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// permissions serves what the account may: anywhere, and by project; a project that is not listed does not exist for it.
func permissions(s *collectorstest.Server, version string, anywhere map[string]bool, projects map[string]bool) {
	s.Handle("GET /rest/api/"+version+"/mypermissions", func(w http.ResponseWriter, r *http.Request) {
		have := anywhere
		if key := r.URL.Query().Get("projectKey"); key != "" {
			visible, ok := projects[key]
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				collectorstest.WriteJSON(w, map[string]any{"errorMessages": []string{"No project could be found with key '" + key + "'."}})
				return
			}
			have = map[string]bool{browse: visible}
		}
		answer := map[string]any{}
		for name, has := range have {
			answer[name] = map[string]any{"key": name, "havePermission": has}
		}
		collectorstest.WriteJSON(w, map[string]any{"permissions": answer})
	})
}

// TestLessVisibleIsNotGone: an account that sees less fails its scopes by name, at each attempt, instead of letting records vanish; what is restored is
// read at the next one.
func TestLessVisibleIsNotGone(t *testing.T) {
	all := map[string]bool{browse: true, "USER_PICKER": true}
	for name, tt := range map[string]struct {
		tickets  []string
		anywhere map[string]bool
		projects map[string]bool
		says     []string // none: it is no error
	}{
		"the same":                           {[]string{ticket(1, ""), ticket(2, "")}, all, nil, nil},
		"fewer issues, all visible":          {[]string{ticket(1, "")}, all, nil, nil},
		"nothing may be browsed":             {nil, map[string]bool{browse: false, "USER_PICKER": true}, nil, []string{"Browse projects", "no project"}},
		"groups are hidden":                  {[]string{ticket(1, "")}, map[string]bool{browse: true, "USER_PICKER": false}, nil, []string{"Browse users and groups"}},
		"its project may not be browsed":     {nil, all, map[string]bool{"PSEC": false}, []string{"Browse projects", "PSEC", "last full sweep"}},
		"its project is hidden":              {nil, all, map[string]bool{}, []string{"PSEC"}},
		"its issues were closed and deleted": {nil, all, map[string]bool{"PSEC": true}, nil},
		"a project that the query names":     {[]string{ticket(1, "")}, all, map[string]bool{"PSEC": true}, nil},
	} {
		for version, serve := range map[string]func(*collectorstest.Server, ...string){"3": cloud, "2": dataCenter} {
			s := collectorstest.NewServer(t)
			serve(s, ticket(1, ""), ticket(2, ""))
			permissions(s, version, all, map[string]bool{"PSEC": true})
			c := collector(t, s, Config{Exceptions: &ExceptionsConfig{JQL: "project = PSEC"}})
			collect := func() record.Batch {
				t.Helper()
				batches, err := collectorstest.Gather(t.Context(), c, nil)
				if err != nil {
					t.Fatal(err)
				}
				return batches["exceptions:default"]
			}
			if b := collect(); b.Err != nil || len(b.Exceptions) != 2 {
				t.Fatalf("%s: %+v", name, b)
			}
			serve(s, tt.tickets...)
			permissions(s, version, tt.anywhere, tt.projects)
			for range 2 {
				b := collect()
				if tt.says == nil {
					if b.Err != nil || len(b.Exceptions) != len(tt.tickets) {
						t.Errorf("%s, version %s: %d exceptions, %v", name, version, len(b.Exceptions), b.Err)
					}
					continue
				}
				if record.ReasonOf(b.Err) != record.ReasonPermission {
					t.Errorf("%s, version %s: %d exceptions, %v; want %s", name, version, len(b.Exceptions), b.Err, record.ReasonPermission)
					continue
				}
				for _, words := range tt.says {
					if !strings.Contains(b.Err.Error(), words) {
						t.Errorf("%s, version %s: %v does not say %s", name, version, b.Err, words)
					}
				}
			}
			serve(s, ticket(1, ""), ticket(2, ""))
			permissions(s, version, all, map[string]bool{"PSEC": true})
			if b := collect(); b.Err != nil || len(b.Exceptions) != 2 {
				t.Errorf("%s, version %s: after it was mended %d exceptions, %v", name, version, len(b.Exceptions), b.Err)
			}
		}
	}
}

// TestProjectsOfTheQueryAreAskedFor at the first sweep, too: after a restart nobody knows what there was.
func TestProjectsOfTheQueryAreAskedFor(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	permissions(s, "3", map[string]bool{browse: true}, map[string]bool{"PSEC": true, "RISK": false})
	c := collector(t, s, Config{Exceptions: &ExceptionsConfig{JQL: "project in (LEGAL, PSEC, RISK)"}})
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if b := batches["exceptions:default"]; err != nil || record.ReasonOf(b.Err) != record.ReasonPermission || !strings.Contains(b.Err.Error(), "RISK, which the query names") {
		t.Errorf("got %v, %v", b.Err, err)
	}
	asked := 0
	for _, r := range s.Requests() {
		if r.Query.Get("projectKey") != "" {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("asked about %d projects, want only those without issues: LEGAL may be a name and no key", asked)
	}
}

func TestNamedProjects(t *testing.T) {
	for jql, want := range map[string][]string{
		`project = PSEC AND issuetype = "Security Exception"`: {"PSEC"}, `project in (PSEC, "RISK",'ABC') OR project = X1`: {"PSEC", "RISK", "ABC", "X1"},
		`PROJECT=PSEC`: {"PSEC"}, `project = "Product security"`: nil, `summary ~ "project = XY"`: nil, `labels = a`: nil, `project in projectsLeadByUser()`: nil, `project != PSEC`: nil,
	} {
		if got := namedProjects(jql); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", jql, got, want)
		}
	}
}

// TestJiraThatDoesNotTell: an old version, or a token without the scope, changes nothing.
func TestJiraThatDoesNotTell(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden, http.StatusBadRequest} {
		s := collectorstest.NewServer(t)
		cloud(s)
		s.Handle("GET /rest/api/3/mypermissions", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if b := gather(t, s, ExceptionsConfig{JQL: "project = PSEC"}, nil); b.Err != nil {
			t.Errorf("%d: %v", status, b.Err)
		}
	}
	s := collectorstest.NewServer(t)
	cloud(s)
	s.Handle("GET /rest/api/3/mypermissions", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if b := gather(t, s, ExceptionsConfig{JQL: "project = PSEC"}, nil); record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("a Jira that fails: %v", b.Err)
	}
}

// TestWhatTheCredentialSees: the check counts projects and issues, a collection the issues that it read.
func TestWhatTheCredentialSees(t *testing.T) {
	tickets := []string{ticket(1, ""), ticket(2, ""), ticket(3, "")}
	s := collectorstest.NewServer(t)
	cloud(s, tickets...)
	s.JSON("GET /rest/api/3/project/search", `{"total": 12, "values": []}`)
	s.JSON("POST /rest/api/3/search/approximate-count", `{"count": 340}`)
	c := collector(t, s, Config{Exceptions: &ExceptionsConfig{JQL: query}})
	if got := c.Credentials(); got != nil {
		t.Errorf("before anything was read: %+v", got)
	}
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []collectors.Credential{{Sees: []collectors.Sight{{What: "projects", Count: 12}, {What: "issues of exceptions:default", Count: 340}}}}
	if d := gocmp.Diff(want, c.Credentials()); d != "" {
		t.Errorf("after the check (-want +got):\n%s", d)
	}
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	want[0].Sees[1].Count = 3
	if d := gocmp.Diff(want, c.Credentials()); d != "" {
		t.Errorf("after a full sweep (-want +got):\n%s", d)
	}

	server := collectorstest.NewServer(t)
	dataCenter(server, tickets...)
	server.JSON("GET /rest/api/2/project", `[{"key": "PSEC"}, {"key": "RISK"}]`)
	server.JSON("GET /rest/pat/latest/tokens", `[{"name": "old", "lastAccessed": "2026-01-01T09:00:00.000+0000", "expiringAt": "2026-12-01T00:00:00.000+0000"},
		{"name": "ours", "lastAccessed": "2026-02-27T09:00:00.000+0000", "expiringAt": "2027-02-01T00:00:00.000+0000"},
		{"name": "another of the account", "lastAccessed": "2026-02-27T11:00:00.000+0000", "expiringAt": "2027-03-01T00:00:00.000+0000"}, {"name": "never used", "lastAccessed": null, "expiringAt": null}]`)
	c, err := New(Config{URL: server.URL(), Auth: AuthConfig{PersonalAccessToken: collectorstest.Secret(t, "t0ken-for-jira")}, Exceptions: &ExceptionsConfig{JQL: query}}, env())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = []collectors.Credential{{
		Sees: []collectors.Sight{{What: "projects", Count: 2}, {What: "issues of exceptions:default", Count: 3}}, ExpiresAt: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC),
	}}
	if d := gocmp.Diff(want, c.Credentials()); d != "" {
		t.Errorf("Data Center (-want +got):\n%s", d)
	}
}
