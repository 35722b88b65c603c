package jira

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func env() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

func gather(t *testing.T, s *collectorstest.Server, config ExceptionsConfig, cursors collectors.Cursors) record.Batch {
	t.Helper()
	c, err := New(Config{URL: s.URL(), Auth: AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}, Exceptions: &config}, env())
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		return b
	}
	t.Fatal("no batch")
	return record.Batch{}
}

func TestExceptionWhole(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, `"customfield_3": "acme/API", "labels": ["category:Legacy", "x"], "customfield_4": {"type": "doc", "content": [
		{"type": "paragraph", "content": [{"type": "text", "text": "CVE-2026-1, CVE-2026-2"}]}, {"type": "paragraph", "content": [{"type": "text", "text": "GHSA-x"}]}]},
		"components": [{"name": "logging"}, {"name": "tm"}]`))
	b := gather(t, s, ExceptionsConfig{Name: "main", JQL: query, Fields: ExceptionFields{
		Repository: "customfield_3", Category: "Labels:category:", Advisories: "customfield_4", Controls: "component",
	}}, nil)
	want := []record.Exception{{
		ID: "PSEC-1", Title: "Exception 1", URL: s.URL() + "/browse/PSEC-1", State: record.ExceptionApproved, Category: "Legacy",
		Service: "payments", Repository: "acme/api", Advisories: []string{"CVE-2026-1", "CVE-2026-2", "GHSA-x"}, Controls: []string{"logging", "tm"},
		RequestedAt: at("2026-01-02T10:00:00Z"), DecidedAt: time.UnixMilli(1767312000000).UTC(), ExpiresAt: at("2027-01-01T00:00:00Z"), UpdatedAt: at("2026-02-01T09:00:00Z"),
		InForce: []record.Interval{{From: time.UnixMilli(1767312000000).UTC(), Until: at("2027-01-01T00:00:00Z")}},
	}}
	if d := gocmp.Diff(want, b.Exceptions); d != "" || b.Err != nil || b.Scope != "exceptions:main" {
		t.Errorf("scope %s, error %v, (-want +got):\n%s", b.Scope, b.Err, d)
	}
	if b.Cursor != "2026-02-01T09:00:00Z" {
		t.Errorf("cursor %q, want the latest update", b.Cursor)
	}
	if q := searched(s)[0]; q.Get("jql") != "project = PSEC ORDER BY key ASC" || !strings.Contains(q.Get("fields"), "customfield_4") {
		t.Errorf("asked for %v", q)
	}
}

// searched are the queries of all searches.
func searched(s *collectorstest.Server) []url.Values {
	var all []url.Values
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "/search") {
			all = append(all, r.Query)
		}
	}
	return all
}

func TestDelta(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	b := gather(t, s, ExceptionsConfig{JQL: "project = A OR project = B"}, collectors.Cursors{"exceptions:default": "2026-03-01T00:00:00Z"})
	if b.Mode != record.Delta || b.Cursor != "2026-03-01T00:00:00Z" {
		t.Errorf("mode %s, cursor %s; want a delta that keeps the later cursor", b.Mode, b.Cursor)
	}
	// 00:00 UTC is 08:00 in Shanghai, where the user is.
	if got, want := searched(s)[0].Get("jql"), `(project = A OR project = B) AND updated >= "2026-03-01 06:45" ORDER BY key ASC`; got != want {
		t.Errorf("JQL %s, want %s", got, want)
	}
	if got, want := updatedSince("x = 1", at("2026-03-01T00:00:00Z"), nil), `(x = 1) AND updated >= "2026-02-27 22:00" ORDER BY key ASC`; got != want {
		t.Errorf("in an unknown zone: %s, want %s", got, want)
	}
	if b := gather(t, s, ExceptionsConfig{JQL: query}, collectors.Cursors{"exceptions:default": "garbage"}); b.Err == nil {
		t.Error("a cursor that cannot be read must not become an unbounded delta")
	}
}

func TestManyIssuesByLongQuery(t *testing.T) {
	s := collectorstest.NewServer(t)
	var tickets []string
	for n := 1; n <= 101; n++ {
		tickets = append(tickets, ticket(n, ""))
	}
	cloud(s, tickets...)
	b := gather(t, s, ExceptionsConfig{JQL: "summary ~ \"" + strings.Repeat("x", longestQuery) + "\""}, nil)
	if b.Err != nil || len(b.Exceptions) != 101 {
		t.Errorf("got %d exceptions, %v; want 101", len(b.Exceptions), b.Err)
	}
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "/search") && r.Method != http.MethodPost {
			t.Errorf("a long query went by %s", r.Method)
		}
	}
}

func TestDataCenterTruncated(t *testing.T) {
	for name, answers := range map[string][]string{
		"page size zero": {`{"startAt": 0, "maxResults": 0, "total": 5, "issues": []}`},
		"ends early":     {`{"total": 2, "issues": [` + ticket(1, "") + `]}`, `{"total": 2, "issues": []}`},
		"shrinks":        {`{"total": 3, "issues": [` + ticket(1, "") + `]}`, `{"total": 2, "issues": [` + ticket(2, "") + `]}`},
	} {
		s := collectorstest.NewServer(t)
		dataCenter(s)
		calls := 0
		s.Handle("GET /rest/api/2/search", func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, answers[min(calls, len(answers)-1)])
			calls++
		})
		if b := gather(t, s, ExceptionsConfig{JQL: query}, nil); record.ReasonOf(b.Err) != record.ReasonTruncated {
			t.Errorf("%s: got %v, want truncated", name, b.Err)
		}
	}
}

func TestCloudWithoutTokenForMore(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s)
	s.JSON("GET /rest/api/3/search/jql", `{"issues": [`+ticket(1, "")+`], "isLast": false}`)
	if b := gather(t, s, ExceptionsConfig{JQL: query}, nil); record.ReasonOf(b.Err) != record.ReasonTruncated {
		t.Errorf("got %v, want truncated", b.Err)
	}
}

// An answer without its list, as a proxy or a changed API may give, must not end every exception.
func TestCloudWithoutIssues(t *testing.T) {
	for _, answer := range []string{`{}`, `{"isLast": true}`, `{"issues": null, "isLast": true}`} {
		s := collectorstest.NewServer(t)
		cloud(s)
		s.JSON("GET /rest/api/3/search/jql", answer)
		if batch := gather(t, s, ExceptionsConfig{JQL: query}, nil); record.ReasonOf(batch.Err) != record.ReasonDecode {
			t.Errorf("%s gives %d exceptions and the error %v, want %s", answer, len(batch.Exceptions), batch.Err, record.ReasonDecode)
		}
	}
}

func TestFieldNames(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	s.JSON("GET /rest/api/3/field", `[{"id": "customfield_1", "name": "Owner"}, {"id": "customfield_5", "name": "owner"}, {"id": "customfield_2", "name": "Ends"}]`)
	if b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Service: "Owner"}}, nil); b.Err == nil || !strings.Contains(b.Err.Error(), "customfield_5") {
		t.Errorf("two fields of one name: got %v, want their ids named", b.Err)
	}
	if b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Service: "Nobody"}}, nil); record.ReasonOf(b.Err) != record.ReasonNotFound {
		t.Errorf("no field of the name: got %v, want not_found", b.Err)
	}
	b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Expires: "ENDS"}}, nil)
	if b.Err != nil || b.Exceptions[0].ExpiresAt.IsZero() || b.Exceptions[0].Service != "" {
		t.Errorf("got %+v, %v", b.Exceptions, b.Err)
	}
}

func TestStates(t *testing.T) {
	e, err := newExceptions(ExceptionsConfig{JQL: "x = 1", Statuses: ExceptionStates{Approved: []string{"已完成", "Live"}, Rejected: []string{"Nope"}, Ended: []string{"Gone"}, Requested: []string{"Approved-ish"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, category, resolution string
		want                       record.ExceptionState
	}{
		{"已完成", "done", "", record.ExceptionApproved},
		{"已完成", "new", "", record.ExceptionApproved},
		{"LIVE", "indeterminate", "", record.ExceptionApproved},
		{"Approved-ish", "done", "", record.ExceptionRequested},
		{"nope", "done", "", record.ExceptionRejected},
		{"gone", "done", "", record.ExceptionEnded},
		{"To Do", "new", "", record.ExceptionRequested},
		{"进行中", "indeterminate", "", record.ExceptionRequested},
		{"完成", "done", "完成", record.ExceptionApproved},
		{"Done", "done", "Won't Do", record.ExceptionRejected},
		{"Done", "done", "Nope", record.ExceptionRejected},
		{"Done", "done", "Duplicate", record.ExceptionEnded},
		{"Approved", "indeterminate", "", record.ExceptionApproved},
		{"Risk accepted", "done", "", record.ExceptionApproved},
		{"To be approved", "indeterminate", "", record.ExceptionRequested},
		{"Pending approval", "done", "", record.ExceptionRequested},
		{"Not approved", "done", "", record.ExceptionRejected},
		{"Rejected", "done", "Done", record.ExceptionRejected},
		{"Withdrawn", "done", "", record.ExceptionEnded},
		{"Limbo", "undefined", "", record.ExceptionOther},
		{"", "", "", record.ExceptionOther},
	} {
		s := status{Name: tt.name}
		s.Category.Key = tt.category
		if got := e.stateOf(s, tt.resolution); got != tt.want {
			t.Errorf("%q (%s), resolution %q: got %s, want %s", tt.name, tt.category, tt.resolution, got, tt.want)
		}
	}
	if _, err := newExceptions(ExceptionsConfig{JQL: "x = 1", Statuses: ExceptionStates{Approved: []string{"A"}, Rejected: []string{"a"}}}, ""); err == nil {
		t.Error("a status under two states was accepted")
	}
}

func TestDates(t *testing.T) {
	e, err := newExceptions(ExceptionsConfig{JQL: "x = 1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	for name, tt := range map[string]struct {
		state          record.ExceptionState
		now            string
		changes        []change
		configured     time.Time
		decided, ended time.Time
	}{
		"approved once":           {record.ExceptionApproved, "Approved", []change{{at: day(2), to: "In review"}, {at: day(3), to: "Approved"}}, time.Time{}, day(3), time.Time{}},
		"approved, then renamed":  {record.ExceptionApproved, "Accepted", []change{{at: day(3), to: "Approved"}, {at: day(5), to: "Accepted"}}, time.Time{}, day(3), time.Time{}},
		"approved again":          {record.ExceptionApproved, "Approved", []change{{at: day(3), to: "Approved"}, {at: day(4), to: "Rejected"}, {at: day(5), to: "Approved"}}, time.Time{}, day(5), time.Time{}},
		"configured date":         {record.ExceptionApproved, "Approved", []change{{at: day(3), to: "Approved"}}, day(9), day(9), time.Time{}},
		"no changes":              {record.ExceptionApproved, "Approved", nil, time.Time{}, day(20), time.Time{}},
		"rejected":                {record.ExceptionRejected, "Rejected", []change{{at: day(3), to: "Approved"}, {at: day(4), to: "Rejected"}}, time.Time{}, day(4), time.Time{}},
		"ended after approval":    {record.ExceptionEnded, "Withdrawn", []change{{at: day(3), to: "Approved"}, {at: day(4), to: "Withdrawn"}}, time.Time{}, day(3), day(4)},
		"withdrawn, never held":   {record.ExceptionEnded, "Withdrawn", []change{{at: day(4), to: "Withdrawn"}}, time.Time{}, time.Time{}, day(4)},
		"ended, no changes":       {record.ExceptionEnded, "Withdrawn", nil, time.Time{}, time.Time{}, day(20)},
		"requested has no dates":  {record.ExceptionRequested, "Draft", []change{{at: day(3), to: "Approved"}, {at: day(4), to: "Draft"}}, time.Time{}, time.Time{}, time.Time{}},
		"localised present state": {record.ExceptionApproved, "已完成", []change{{at: day(6), to: "已完成"}}, time.Time{}, day(6), time.Time{}},
	} {
		x := record.Exception{State: tt.state}
		e.date(&x, &issue{status: status{Name: tt.now}, changes: tt.changes, resolved: day(20), updated: day(21)}, tt.configured)
		if !x.DecidedAt.Equal(tt.decided) || !x.EndedAt.Equal(tt.ended) {
			t.Errorf("%s: decided %v, ended %v; want %v, %v", name, x.DecidedAt, x.EndedAt, tt.decided, tt.ended)
		}
	}
}

func TestMoment(t *testing.T) {
	want := at("2021-01-17T12:34:00Z")
	for _, text := range []string{
		`"2021-01-17T12:34:00.000+0000"`, `"2021-01-17T12:34:00+0000"`, `"2021-01-17T12:34:00Z"`, `"2021-01-17T12:34:00.000Z"`, `"2021-01-17T12:34:00+00:00"`,
		`"2021-01-17T13:34:00.000+0100"`, `1610886840`, `1610886840000`, `"1610886840000"`, `"2021-01-17 12:34"`,
	} {
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err != nil || !m.Equal(want) || m.day {
			t.Errorf("%s: got %v, %v", text, m.Time, err)
		}
	}
	for _, text := range []string{`null`, `""`} {
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err != nil || !m.IsZero() {
			t.Errorf("%s: got %v, %v; want no time", text, m.Time, err)
		}
	}
	for _, text := range []string{`"soon"`, `-5`, `1e300`, `{}`, `true`} {
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s was read as %v", text, m.Time)
		}
	}
	var day moment
	if err := json.Unmarshal([]byte(`"2026-12-31"`), &day); err != nil || !day.ends(nil).Equal(at("2027-01-01T00:00:00Z")) {
		t.Errorf("a date ends at %v, want the next midnight", day.ends(nil))
	}
}

func TestFieldValues(t *testing.T) {
	for raw, want := range map[string][]string{
		`null`: nil, `""`: nil, `"a"`: {"a"}, `3`: {"3"}, `true`: {"true"}, `{"value": "v", "id": "1"}`: {"v"}, `{"name": "n"}`: {"n"},
		`{"displayName": "Ann", "accountId": "x"}`: {"Ann"}, `[{"value": "a"}, {"value": "b"}]`: {"a", "b"}, `["x", "y"]`: {"x", "y"},
		`{"value": "parent", "child": {"value": "child"}}`: {"parent", "child"}, `{"key": "A-1", "fields": {"summary": "Epic"}}`: {"Epic"},
		`{"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}, {"type": "hardBreak"}, {"type": "text", "text": "b"}]}]}`: {"a\nb"},
		`{}`: nil, `[[]]`: nil, `not json`: nil,
	} {
		if d := gocmp.Diff(want, (&field{}).values(json.RawMessage(raw))); d != "" {
			t.Errorf("%s (-want +got):\n%s", raw, d)
		}
	}
	if d := gocmp.Diff([]string{"a", "b c", "d"}, names([]string{"a, b c;d", "a\n"})); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}

func TestRepositoryThatIsNoneCoversNone(t *testing.T) {
	if got := repositoriesOf([]string{"the API"}); !slices.Equal(got, []record.RepositoryName{"the api"}) {
		t.Errorf("got %q: the exception must not widen to the whole service", got)
	}
	if got := repositoriesOf([]string{"?", "Acme/API"}); !slices.Equal(got, []record.RepositoryName{"acme/api"}) {
		t.Errorf("got %q, want the one that is a repository", got)
	}
}

func TestNewRefuses(t *testing.T) {
	secret := apiclient.Secret{Env: "T"}
	good := func() Config {
		return Config{URL: "https://acme.atlassian.net", Auth: AuthConfig{Email: "ada@acme.example", Token: secret}, Exceptions: &ExceptionsConfig{JQL: query}}
	}
	for name, change := range map[string]func(*Config){
		"no url":                 func(c *Config) { c.URL = "" },
		"no auth":                func(c *Config) { c.Auth = AuthConfig{} },
		"two credentials":        func(c *Config) { c.Auth.PersonalAccessToken = secret },
		"OAuth past the gateway": func(c *Config) { c.Auth = AuthConfig{Bearer: secret} },
		"a client, too":          func(c *Config) { c.Auth = AuthConfig{OAuth: &OAuthConfig{ClientID: "a", ClientSecret: secret}} },
		"a client and a token":   func(c *Config) { c.CloudID, c.Auth.OAuth = "abc", &OAuthConfig{ClientID: "a", ClientSecret: secret} },
		"a client without id":    func(c *Config) { c.CloudID, c.Auth = "abc", AuthConfig{OAuth: &OAuthConfig{ClientSecret: secret}} },
		"token without e-mail":   func(c *Config) { c.Auth = AuthConfig{Token: secret} },
		"nothing mapped":         func(c *Config) { c.Exceptions = nil },
		"no query":               func(c *Config) { c.Exceptions.JQL = "order by key" },
		"unknown deployment":     func(c *Config) { c.Deployment = "server" },
		"cloud id, no cloud":     func(c *Config) { c.CloudID, c.Deployment = "x", DeploymentDataCenter },
	} {
		config := good()
		change(&config)
		if c, err := New(config, env()); err == nil {
			t.Errorf("%s: got %v without an error", name, c)
		}
	}
	for _, auth := range []AuthConfig{good().Auth, {Bearer: secret}, {OAuth: &OAuthConfig{ClientID: "a", ClientSecret: secret}}} {
		config := good()
		config.CloudID, config.Auth = "abc", auth
		c, err := New(config, env())
		if err != nil || c.client.BaseURL() != gateway+"abc" {
			t.Errorf("cloud_id: %v, want the base %sabc", err, gateway)
		}
	}
	config := good()
	config.URL, config.Auth = "https://jira.acme.example", AuthConfig{Bearer: secret}
	if _, err := New(config, env()); err != nil {
		t.Errorf("OAuth of a Data Center: %v", err)
	}
}

// TestRecordedIssues reads issues as a real Jira Cloud returned them, with Chinese names of statuses. They are not part of the
// repository; under CI they must be there.
func TestRecordedIssues(t *testing.T) {
	e, err := newExceptions(ExceptionsConfig{JQL: "x = 1", Statuses: ExceptionStates{Approved: []string{"已完成"}}}, "https://jira.example")
	if err != nil {
		t.Fatal(err)
	}
	b := record.Batch{}
	states := map[record.ExceptionState]int{}
	read := 0
	recorded(t, "issues.jsonl", func(n int, line []byte) {
		read = n
		i, reason := readIssue(line, resolved{}, followed{})
		if reason == "" {
			reason = e.add(i, &b)
		}
		if reason != "" {
			t.Errorf("line %d was rejected: %s", n, reason)
		}
	})
	if read == 0 {
		return
	}
	for _, x := range b.Exceptions {
		states[x.State]++
		if x.RequestedAt.IsZero() || x.UpdatedAt.IsZero() || x.State == record.ExceptionApproved && x.DecidedAt.IsZero() {
			t.Errorf("%s lacks dates: %+v", x.ID, x)
		}
	}
	// jq: 15 issues have the status 已完成, 2 have To Do of the category "new".
	want := map[record.ExceptionState]int{record.ExceptionApproved: 15, record.ExceptionRequested: 2}
	if d := gocmp.Diff(want, states); d != "" || read != 17 {
		t.Errorf("%d lines, states (-want +got):\n%s", read, d)
	}
}

func FuzzReadIssue(f *testing.F) {
	f.Add([]byte(ticket(1, "")))
	f.Add([]byte(`{"key": "A-1", "fields": {"status": null, "created": 1e400}, "changelog": {"histories": [{"created": "x"}]}}`))
	e, err := newExceptions(ExceptionsConfig{JQL: "x = 1", Fields: ExceptionFields{Service: "customfield_1", Expires: "customfield_2"}}, "")
	if err != nil {
		f.Fatal(err)
	}
	fields := resolved{e.service: "customfield_1", e.expires: "customfield_2"}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, reason := readIssue(data, fields, statusAlone)
		if (i == nil) == (reason == "") {
			t.Fatalf("want an issue or a reason, got %v and %q", i, reason)
		}
		b := record.Batch{}
		if i != nil && e.add(i, &b) == "" {
			x := b.Exceptions[0]
			if x.ID == "" || x.State == "" || len(x.Title) > record.MaxText || len(x.Service) > record.MaxText {
				t.Fatalf("not sound: %s", fmt.Sprint(x))
			}
		}
	})
}

// FuzzMappings: whatever an issue holds, each mapping takes it up with bounded texts and sound times, or says why not.
func FuzzMappings(f *testing.F) {
	f.Add([]byte(ticket(1, `"issuetype": {"name": "Design"}, "reporter": {"accountId": "a"}, "parent": {"key": "INC-1"}, "duedate": "2026-03-01"`)))
	f.Add([]byte(`{"key": "A-1", "fields": {"status": {"name": "Done"}, "parent": [], "customfield_2": {"child": 7}, "issuelinks": [{"inwardIssue": {"key": 5}}]}}`))
	config := everyKind()
	mappings, err := config.mappings()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, m := range mappings {
			fields := resolved{}
			for _, field := range m.fields() {
				fields[field] = cmp.Or(field.id, "customfield_1")
			}
			i, reason := readIssue(data, fields, statusAlone)
			if reason != "" {
				continue
			}
			i.people(m.fields()...)
			b := record.Batch{}
			m.start(&b)
			if reason := m.add(i, &b); (reason == "") != (b.Size() == 1) {
				t.Fatalf("%s: %d records and the reason %q", m.scope(), b.Size(), reason)
			}
			for _, x := range b.Incidents {
				if !x.RestoredAt.IsZero() && x.RestoredAt.Before(x.OpenedAt) {
					t.Fatalf("restored before it began: %+v", x)
				}
			}
			for _, x := range b.Escalations {
				if len(x.Reason) > record.MaxText || len(x.Title) > record.MaxText || x.Kind == "" {
					t.Fatalf("not sound: %+v", x)
				}
			}
			for _, x := range b.Followups {
				if len(x.Incident) > record.MaxText || len(x.URL) > record.MaxText {
					t.Fatalf("not bounded: %+v", x)
				}
			}
		}
	})
}
