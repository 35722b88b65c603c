package jira

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// everyKind maps the issues of a project to every kind but exceptions.
func everyKind() Config {
	return Config{
		Reviews:     []ReviewsConfig{{Issues: Issues{JQL: "project = REV"}, Responders: RespondersConfig{Group: "security", Accounts: []string{"acc-9"}, Bots: []string{"acc-bot"}}}},
		Followups:   []FollowupsConfig{{Issues: Issues{JQL: "project = FOL"}, Fields: FollowupFields{Due: "customfield_2"}}},
		Incidents:   []IncidentsConfig{{Issues: Issues{JQL: "project = INC"}}},
		Escalations: []EscalationsConfig{{Issues: Issues{JQL: "project = ESC"}}},
	}
}

// people serves what the mappings of every kind ask for besides a search: statuses, a group, and no comments.
func people(s *collectorstest.Server, version string) {
	s.JSON("GET /rest/api/"+version+"/status", `[{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}, {"id": "2", "name": "Übergeben", "statusCategory": {"key": "done"}}]`)
	s.JSON("GET /rest/api/"+version+"/group/member", `{"startAt": 0, "total": 2, "values": [{"accountId": "ACC-1"}, {"accountId": "acc-bot"}]}`)
	s.JSON("GET /rest/api/"+version+"/issue/{id}/comment", `{"startAt": 0, "total": 0, "comments": []}`)
}

func TestConformanceOfEveryKind(t *testing.T) {
	for name, deployment := range map[string]struct {
		serve  func(*collectorstest.Server, ...string)
		api    string
		search string
		auth   func(apiclient.Secret) AuthConfig
	}{
		"cloud":       {cloud, "3", "/rest/api/3/search/jql", func(s apiclient.Secret) AuthConfig { return AuthConfig{Email: "e@example.com", Token: s} }},
		"data center": {dataCenter, "2", "/rest/api/2/search", func(s apiclient.Secret) AuthConfig { return AuthConfig{PersonalAccessToken: s} }},
	} {
		serve := func(s *collectorstest.Server, tickets ...string) {
			deployment.serve(s, tickets...)
			people(s, deployment.api)
		}
		scope := func(kind, project string) collectorstest.Scope {
			return collectorstest.Scope{
				Name: kind + ":default", Records: 3, Pages: 2, Items: "issues", Cursor: deployment.api == "3",
				Requests: func(r collectorstest.Request) bool {
					return r.Path == deployment.search && strings.Contains(r.Query.Get("jql"), project)
				},
			}
		}
		strange := func(s *collectorstest.Server) {
			serve(s, strings.NewReplacer("Approved", "In limbo", "indeterminate", "undefined").Replace(ticket(1, "")))
		}
		broken := func(s *collectorstest.Server) {
			serve(s, `{"fields": {}}`, `7`, ticket(1, ""), strings.Replace(ticket(2, ""), "2026-12-31", "some day", 1), `{"key": "PSEC-9", "fields": {"status": []}}`)
		}
		t.Run(name, func(t *testing.T) {
			collectorstest.Run(t, collectorstest.Suite{
				Kind: Kind(),
				New: func(base string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
					config := everyKind()
					config.URL, config.Auth = base, deployment.auth(token)
					return New(config, env)
				},
				Serve:  func(s *collectorstest.Server) { serve(s, ticket(1, ""), ticket(2, ""), ticket(3, "")) },
				Scopes: []collectorstest.Scope{scope("reviews", "REV"), scope("followups", "FOL"), scope("incidents", "INC"), scope("escalations", "ESC")},
				Altered: []collectorstest.Altered{
					{Name: "unknown status", Serve: strange, Scope: "reviews:default", Records: 1, Check: func(b record.Batch) error {
						if b.Reviews[0].State != record.ReviewWaiting || b.Reviews[0].Kind != record.ReviewOther {
							return fmt.Errorf("got %+v, want it to wait", b.Reviews[0])
						}
						return nil
					}},
					{Name: "unknown status", Serve: strange, Scope: "incidents:default", Records: 1, Check: func(b record.Batch) error {
						if !b.Incidents[0].RestoredAt.IsZero() {
							return errors.New("an unknown status must not be one of doneness")
						}
						return nil
					}},
					{Name: "not understood", Serve: broken, Scope: "followups:default", Records: 1, Rejected: 4},
					{Name: "not understood", Serve: broken, Scope: "escalations:default", Records: 2, Rejected: 3},
				},
				Fixed: "the configuration names the queries", Readme: "README.md",
			})
		})
	}
}

// TestScopesFailAlone: a query that Jira refuses, comments that cannot be read and a group that is hidden each fail one scope.
func TestScopesFailAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		breakIt func(*collectorstest.Server)
		failed  string
		reason  record.ErrorReason
		says    string
	}{
		"query": {func(s *collectorstest.Server) {
			s.Handle("GET /rest/api/3/search/jql", func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Query().Get("jql"), "INC") {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				collectorstest.WriteJSON(w, map[string]any{"issues": raw([]string{ticket(1, "")}), "isLast": true})
			})
		}, "incidents:default", record.ReasonRejected, ""},
		"comments": {func(s *collectorstest.Server) {
			s.Handle("GET /rest/api/3/issue/{id}/comment", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, "reviews:default", record.ReasonPermission, "PSEC-1"},
		"comments that end early": {func(s *collectorstest.Server) {
			s.JSON("GET /rest/api/3/issue/{id}/comment", `{"total": 3, "comments": []}`)
		}, "reviews:default", record.ReasonTruncated, "PSEC-1"},
		"group": {func(s *collectorstest.Server) {
			s.Handle("GET /rest/api/3/group/member", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, "reviews:default", record.ReasonPermission, "Browse users and groups"},
		"empty group": {func(s *collectorstest.Server) {
			s.JSON("GET /rest/api/3/group/member", `{"total": 0, "values": []}`)
		}, "reviews:default", record.ReasonNotFound, "security"},
	} {
		s := collectorstest.NewServer(t)
		cloud(s, ticket(1, ""))
		people(s, "3")
		tt.breakIt(s)
		for scope, b := range gatherAll(t, s, everyKind(), nil) {
			switch {
			case scope == tt.failed && (record.ReasonOf(b.Err) != tt.reason || !strings.Contains(b.Err.Error(), tt.says)):
				t.Errorf("%s: %s: got %v, want %s that speaks of %q", name, scope, b.Err, tt.reason, tt.says)
			case len(b.Kinds()) != 1:
				t.Errorf("%s: %s: says that it holds %v, want one kind of record, read or not", name, scope, b.Kinds())
			case scope != tt.failed && (b.Err != nil || b.Size() != 1):
				t.Errorf("%s: %s: got %d records, %v", name, scope, b.Size(), b.Err)
			}
		}
	}
}

func collector(t *testing.T, s *collectorstest.Server, config Config) *Collector {
	t.Helper()
	config.URL, config.Auth = s.URL(), AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}
	c, err := New(config, env())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func gatherAll(t *testing.T, s *collectorstest.Server, config Config, cursors collectors.Cursors) map[string]record.Batch {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), collector(t, s, config), cursors)
	if err != nil || len(batches) == 0 {
		t.Fatalf("%d batches, %v", len(batches), err)
	}
	return batches
}

func TestRecordsOfEveryKind(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, `"issuetype": {"name": "Release block"}, "duedate": "2026-03-01", "parent": {"id": "7", "key": "INC-7", "fields": {"summary": "Outage"}},
		"customfield_3": {"value": "Yes"}, "customfield_4": [{"value": "None"}], "customfield_5": {"value": "Critical finding"}, "customfield_6": "acme/api",
		"resolutiondate": "2026-01-20T10:00:00.000+0000"`))
	people(s, "3")
	s.JSON("GET /rest/api/3/field", `[{"id": "customfield_1", "name": "Service"}, {"id": "customfield_3", "name": "Security impact"}, {"id": "customfield_4", "name": "Control gap"},
		{"id": "customfield_5", "name": "Escalation reason"}, {"id": "customfield_6", "name": "Repository"}]`)
	config := everyKind()
	config.Followups[0].Fields.Due, config.Incidents[0].Statuses.Done = "", []string{"approved"}
	got := gatherAll(t, s, config, nil)
	const link = "/browse/PSEC-1"
	created, updated, entered := at("2026-01-02T10:00:00Z"), at("2026-02-01T09:00:00Z"), at("2026-01-02T00:00:00Z")
	wantFollowup := record.Followup{
		ID: "PSEC-1", Title: "Exception 1", URL: s.URL() + link, Service: "payments", Repository: "acme/api", Incident: "INC-7",
		CreatedAt: created, DueAt: at("2026-03-02T00:00:00Z"), UpdatedAt: updated,
	}
	wantEscalation := record.Escalation{
		ID: "PSEC-1", Kind: record.EscalationReleaseBlock, Reason: "Critical finding", Title: "Exception 1", URL: s.URL() + link,
		Service: "payments", Repository: "acme/api", RaisedAt: created, UpdatedAt: updated,
	}
	if d := cmp.Diff([]record.Followup{wantFollowup}, got["followups:default"].Followups); d != "" {
		t.Errorf("follow-ups (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]record.Escalation{wantEscalation}, got["escalations:default"].Escalations); d != "" {
		t.Errorf("escalations (-want +got):\n%s", d)
	}
	// The changelog says that it was done ten hours before it was created: that is no incident.
	if b := got["incidents:default"]; len(b.Incidents) != 0 || b.Rejected[record.RejectTimestamp] != 1 {
		t.Errorf("an incident restored at %v, before it began: got %+v, rejected %v", entered, b.Incidents, b.Rejected)
	}
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [
		{"created": "2026-01-02T13:30:00.000+0000", "items": [{"fieldId": "status", "to": "99", "toString": "Approved"}]}]}]}`)
	wantIncident := record.Incident{
		ID: "PSEC-1", Title: "Exception 1", URL: s.URL() + link, Service: "payments", Repository: "acme/api", OpenedAt: created,
		RestoredAt: at("2026-01-02T13:30:00Z"), SecurityImpact: record.AnswerYes, ControlGap: record.AnswerNo, UpdatedAt: updated,
	}
	if d := cmp.Diff([]record.Incident{wantIncident}, gatherAll(t, s, config, nil)["incidents:default"].Incidents); d != "" {
		t.Errorf("incidents (-want +got):\n%s", d)
	}
}

// TestDeltaOfEveryKind: a scope with a cursor is read since then, one without is read whole.
func TestDeltaOfEveryKind(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	people(s, "3")
	for scope, b := range gatherAll(t, s, everyKind(), collectors.Cursors{"incidents:default": "2026-03-01T00:00:00Z"}) {
		if want := map[bool]record.Mode{true: record.Delta, false: record.Full}[scope == "incidents:default"]; b.Mode != want {
			t.Errorf("%s: mode %s, want %s", scope, b.Mode, want)
		}
	}
	var narrowed []string
	for _, q := range searched(s) {
		if strings.Contains(q.Get("jql"), "updated >=") {
			narrowed = append(narrowed, q.Get("jql"))
		}
	}
	if !slices.Equal(narrowed, []string{`(project = INC) AND updated >= "2026-03-01 06:45" ORDER BY key ASC`}) {
		t.Errorf("narrowed: %q", narrowed)
	}
}

func TestMappingErrors(t *testing.T) {
	who := RespondersConfig{Accounts: []string{"a"}}
	for want, config := range map[string]Config{
		"nothing is mapped":                  {},
		"reviews: jql":                       {Reviews: []ReviewsConfig{{Responders: who}}},
		"followups: jql":                     {Followups: []FollowupsConfig{{Issues: Issues{JQL: "order by key"}}}},
		"say whose answer":                   {Reviews: []ReviewsConfig{{Issues: Issues{JQL: "a = 1"}}}},
		"none of threat_model":               {Reviews: []ReviewsConfig{{Issues: Issues{JQL: "a = 1"}, Responders: who, Kind: "thread_model"}}},
		"neither release_block nor urgent":   {Escalations: []EscalationsConfig{{Issues: Issues{JQL: "a = 1"}, Kind: "block"}}},
		`"X" is named under both open`:       {Escalations: []EscalationsConfig{{Issues: Issues{JQL: "a = 1"}, Statuses: StatusNames{Open: []string{"x"}, Done: []string{"X"}}}}},
		`"no" is named under both yes`:       {Incidents: []IncidentsConfig{{Issues: Issues{JQL: "a = 1"}, Answers: AnswerNames{Yes: []string{"no"}, No: []string{"no"}}}}},
		"two mappings have the scope inci":   {Incidents: []IncidentsConfig{{Issues: Issues{JQL: "a = 1"}}, {Issues: Issues{JQL: "a = 2"}}}},
		"incidents: jql: say which issues a": {Incidents: []IncidentsConfig{{Issues: Issues{Name: "a", JQL: "a = 1"}}, {Issues: Issues{Name: "b"}}}},
	} {
		config.URL, config.Auth = "https://jira.example", AuthConfig{Bearer: collectorstest.Secret(t, "t0ken")}
		if _, err := New(config, env()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
		}
	}
}

// TestCheckOfEveryKind: the online check proves each mapping and names what a hidden group leaves unknown.
func TestCheckOfEveryKind(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	people(s, "3")
	s.Handle("GET /rest/api/3/group/member", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	results, err := collector(t, s, everyKind()).Check(t.Context())
	if err != nil || len(results) != 5 {
		t.Fatalf("got %+v, %v; want the credential and four mappings", results, err)
	}
	for _, r := range results {
		hidden := r.Subject == "jira: reviews:default"
		if (r.Err != nil) != hidden || r.Unknown == "" {
			t.Errorf("%s: %v, unknown %q", r.Subject, r.Err, r.Unknown)
		}
		if e, ok := errors.AsType[*record.Error](r.Err); hidden && (!ok || e.Permission == "") {
			t.Errorf("%v names no permission", r.Err)
		}
	}
}

// TestGarbledPartsLeaveOutOneIssue: what is asked for apart, changes and comments, costs no other issue when it cannot be understood.
func TestGarbledPartsLeaveOutOneIssue(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""), ticket(2, ""), ticket(3, ""))
	people(s, "3")
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [
		{"issueId": "1001", "changeHistories": [{"created": "once upon a time", "items": [{"fieldId": "status", "toString": "Approved"}]}]},
		{"issueId": "1002", "changeHistories": [{"created": 1767312000000, "items": [{"fieldId": "status", "toString": "Approved"}]}]}]}`)
	config := everyKind()
	config.Exceptions = &ExceptionsConfig{JQL: query}
	for scope, b := range gatherAll(t, s, config, nil) {
		if b.Err != nil || b.Size() != 2 || b.Rejected[record.RejectDecode] != 1 || b.Cursor == "" {
			t.Errorf("changes: %s: %d records, rejected %v, %v; want one left out", scope, b.Size(), b.Rejected, b.Err)
		}
	}
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": []}`)
	for name, garbled := range map[string]string{
		"author": `{"author": "Ada", "created": "2026-01-15T00:00:00.000+0000"}`, "time": `{"author": {"accountId": "acc-1"}, "created": "today"}`,
		"no time": `{"author": {"accountId": "acc-1"}}`, "no object": `7`,
	} {
		s.JSON("GET /rest/api/3/issue/1002/comment", `{"total": 1, "comments": [`+garbled+`]}`)
		b := gatherAll(t, s, Config{Reviews: everyKind().Reviews}, nil)["reviews:default"]
		if b.Err != nil || len(b.Reviews) != 2 || b.Reviews[1].ID != "PSEC-3" || b.Rejected[record.RejectDecode] != 1 {
			t.Errorf("comment without %s: %+v, rejected %v, %v; want PSEC-2 alone left out", name, b.Reviews, b.Rejected, b.Err)
		}
	}
}
