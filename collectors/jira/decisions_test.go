package jira

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// entry is an entry of a changelog: when, which field, from what to what. Values are "id/name"; "" is nothing.
type entry struct{ at, field, from, to string }

func changelog(entries ...entry) string {
	histories := []map[string]any{}
	for n, e := range entries {
		item := map[string]any{"field": e.field, "fieldId": e.field, "fieldtype": "jira"}
		for key, value := range map[string]string{"from": e.from, "to": e.to} {
			raw, text, _ := strings.Cut(value, "/")
			item[key], item[key+"String"] = raw, text
			if raw == "" {
				item[key] = nil
			}
		}
		histories = append(histories, map[string]any{"id": fmt.Sprint(100 + n), "created": e.at, "author": map[string]string{"accountId": "ada"}, "items": []any{item}})
	}
	data, err := json.Marshal(histories)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// exception is an issue of 5 January with a status, an end and a resolution as JSON.
func exception(status, end, resolution string) string {
	id, name, _ := strings.Cut(status, "/")
	category := map[string]string{"1": "new", "2": "indeterminate", "3": "done", "4": "done"}[id]
	return fmt.Sprintf(`{"id": "1001", "key": "PSEC-1", "fields": {"summary": "An exception", "created": "2026-01-05T09:00:00.000+0000", "updated": "2026-04-01T09:00:00.000+0000",
		"status": {"id": %q, "name": %q, "statusCategory": {"key": %q}}, "customfield_1": {"value": "payments"}, "customfield_2": %s, "resolution": %s}}`, id, name, category, end, resolution)
}

const workflow = `[{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}, {"id": "2", "name": "Approved", "statusCategory": {"key": "indeterminate"}},
	{"id": "3", "name": "Closed", "statusCategory": {"key": "done"}}, {"id": "4", "name": "Done", "statusCategory": {"key": "done"}}]`

const ends = "customfield_2"

func span(from, until string) record.Interval {
	i := record.Interval{From: at(from)}
	if until != "" {
		i.Until = at(until)
	}
	return i
}

// approvedFor are the cases: what the changelog says, and when the exception was in force.
var decided = []struct {
	name              string
	issue             string
	log               []entry
	want              []record.Interval
	asked, at, ended  string
	state             record.ExceptionState
	contradictsItself bool
}{
	{
		name: "approved once", issue: exception("2/Approved", `"2026-06-30"`, "null"),
		log:  []entry{{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-07-01T00:00:00Z")}, at: "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "extended in March what had expired in February", issue: exception("2/Approved", `"2026-06-30"`, "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"},
			{"2026-03-10T10:00:00.000+0000", ends, "2026-02-28/28.02.26", "2026-06-30/30.06.26"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-03-01T00:00:00Z"), span("2026-03-10T10:00:00Z", "2026-07-01T00:00:00Z")},
		at:   "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "extended before it expired", issue: exception("2/Approved", `"2026-06-30"`, "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"},
			{"2026-02-20T10:00:00.000+0000", ends, "2026-02-28/28.02.26", "2026-06-30/30.06.26"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-07-01T00:00:00Z")}, at: "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "asked for and approved anew", issue: exception("2/Approved", `"2026-06-30"`, "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"},
			{"2026-03-10T10:00:00.000+0000", "status", "2/Approved", "1/Open"},
			{"2026-03-10T10:30:00.000+0000", ends, "2026-02-28/28.02.26", "2026-06-30/30.06.26"},
			{"2026-03-10T11:00:00.000+0000", "status", "1/Open", "2/Approved"},
		},
		want:  []record.Interval{span("2026-01-08T10:00:00Z", "2026-03-01T00:00:00Z"), span("2026-03-10T11:00:00Z", "2026-07-01T00:00:00Z")},
		asked: "2026-03-10T10:00:00Z", at: "2026-03-10T11:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "sent back while it held", issue: exception("1/Open", `"2026-06-30"`, "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}, {"2026-02-10T10:00:00.000+0000", "status", "2/Approved", "1/Open"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-02-10T10:00:00Z")}, asked: "2026-02-10T10:00:00Z", state: record.ExceptionRequested,
	},
	{
		name: "closed, and its end then put into the past", issue: exception("3/Closed", `"2026-01-09"`, `{"id": "10", "name": "Withdrawn"}`),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}, {"2026-02-10T10:00:00.000+0000", "status", "2/Approved", "3/Closed"},
			{"2026-02-10T10:00:00.000+0000", "resolution", "", "10/Withdrawn"}, {"2026-02-11T10:00:00.000+0000", ends, "", "2026-01-09/"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-02-10T10:00:00Z")}, at: "2026-01-08T10:00:00Z", ended: "2026-02-10T10:00:00Z", state: record.ExceptionEnded,
	},
	{
		name: "done means approved until another resolution is given, and again when that is deleted", issue: exception("4/Done", "null", "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "4/Done"}, {"2026-01-08T10:00:00.000+0000", "resolution", "", "7/Fixed"},
			{"2026-02-01T10:00:00.000+0000", "resolution", "7/Fixed", "8/Withdrawn"}, {"2026-02-03T10:00:00.000+0000", "resolution", "8/Withdrawn", ""},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-02-01T10:00:00Z"), span("2026-02-03T10:00:00Z", "")}, at: "2026-02-03T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "reopened after it was rejected", issue: exception("2/Approved", "null", "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "9/Rejected"}, {"2026-01-20T10:00:00.000+0000", "status", "9/Rejected", "1/Open"},
			{"2026-01-22T10:00:00.000+0000", "status", "1/Open", "2/Approved"},
		},
		want: []record.Interval{span("2026-01-22T10:00:00Z", "")}, asked: "2026-01-20T10:00:00Z", at: "2026-01-22T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "never approved", issue: exception("1/Open", "null", "null"), want: []record.Interval{}, state: record.ExceptionRequested,
	},
	{
		name: "created as approved", issue: exception("2/Approved", `"2026-01-31"`, "null"),
		want: []record.Interval{span("2026-01-05T09:00:00Z", "2026-02-01T00:00:00Z")}, state: record.ExceptionApproved,
	},
	{
		name: "the status has another name today", issue: exception("3/Closed", "null", "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Offen", "2/Abgezeichnet"}, {"2026-02-10T10:00:00.000+0000", "status", "2/Abgezeichnet", "3/Closed"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "2026-02-10T10:00:00Z")}, at: "2026-01-08T10:00:00Z", ended: "2026-02-10T10:00:00Z", state: record.ExceptionEnded,
	},
	{
		name: "entries of one second, the newest first", issue: exception("2/Approved", "null", "null"),
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "5/Review"}, {"2026-01-08T10:00:00.000+0000", "status", "5/Review", "2/Approved"},
		},
		want: []record.Interval{span("2026-01-08T10:00:00Z", "")}, at: "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "a change is missing between two", issue: exception("2/Approved", "null", "null"), contradictsItself: true,
		log: []entry{
			{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "5/Review"}, {"2026-01-09T10:00:00.000+0000", "status", "9/Rejected", "2/Approved"},
		},
		at: "2026-01-09T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "the last change is missing", issue: exception("3/Closed", "null", "null"), contradictsItself: true,
		log: []entry{{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}}, ended: "2026-01-08T10:00:00Z", state: record.ExceptionEnded,
	},
	{
		name: "a change of the end is missing", issue: exception("2/Approved", `"2026-06-30"`, "null"), contradictsItself: true,
		log: []entry{{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}, {"2026-03-10T10:00:00.000+0000", ends, "2026-02-28/", "2026-03-31/"}},
		at:  "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
	{
		name: "an end that nobody can read", issue: exception("2/Approved", `"2026-06-30"`, "null"), contradictsItself: true,
		log: []entry{{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}, {"2026-03-10T10:00:00.000+0000", ends, "/next year", "2026-06-30/"}},
		at:  "2026-01-08T10:00:00Z", state: record.ExceptionApproved,
	},
}

// TestInForce: what the changelog says decides when an exception was in force; a changelog of which something is missing leaves that open.
func TestInForce(t *testing.T) {
	for _, tt := range decided {
		for deployment, serve := range map[string]func(*collectorstest.Server, string, string){"cloud": serveCloud, "data center": serveDataCenter} {
			s := collectorstest.NewServer(t)
			serve(s, tt.issue, changelog(tt.log...))
			b := gather(t, s, ExceptionsConfig{JQL: query}, nil)
			if b.Err != nil || len(b.Exceptions) != 1 {
				t.Errorf("%s, %s: %d exceptions, %v", tt.name, deployment, len(b.Exceptions), b.Err)
				continue
			}
			x := b.Exceptions[0]
			if d := gocmp.Diff(tt.want, x.InForce); d != "" {
				t.Errorf("%s, %s: in force (-want +got):\n%s", tt.name, deployment, d)
			}
			asked := tt.asked
			if asked == "" {
				asked = "2026-01-05T09:00:00Z"
			}
			got := []string{x.RequestedAt.Format(time.RFC3339), dateOrNone(x.DecidedAt), dateOrNone(x.EndedAt), string(x.State)}
			if d := gocmp.Diff([]string{asked, tt.at, tt.ended, string(tt.state)}, got); d != "" {
				t.Errorf("%s, %s: asked, decided, ended, state (-want +got):\n%s", tt.name, deployment, d)
			}
			if (x.InForce == nil) != tt.contradictsItself {
				t.Errorf("%s, %s: got %v, want unknown: %t", tt.name, deployment, x.InForce, tt.contradictsItself)
			}
		}
	}
}

func dateOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func serveCloud(s *collectorstest.Server, issue, log string) {
	cloud(s, issue)
	s.JSON("GET /rest/api/3/status", workflow)
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": `+log+`}]}`)
}

// serveDataCenter names fields instead of giving their ids, and has the newest entry first.
func serveDataCenter(s *collectorstest.Server, issue, log string) {
	log = strings.NewReplacer(`"field":"customfield_2"`, `"field":"Expires on"`, `"fieldId":`, `"ignored":`).Replace(log)
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(log), &entries); err != nil {
		panic(err)
	}
	newest := make([]json.RawMessage, 0, len(entries))
	for n := len(entries) - 1; n >= 0; n-- {
		newest = append(newest, entries[n])
	}
	data, err := json.Marshal(newest)
	if err != nil {
		panic(err)
	}
	dataCenter(s, strings.Replace(issue, `"fields"`, fmt.Sprintf(`"changelog": {"total": %d, "histories": %s}, "fields"`, len(entries), data), 1))
	s.JSON("GET /rest/api/2/status", workflow)
}

// TestPartialChangelogIsSaid: a Data Center that sends a part of a changelog, or none, is named in the log with how many issues it concerns.
func TestPartialChangelogIsSaid(t *testing.T) {
	issue := exception("2/Approved", `"2026-06-30"`, "null")
	for name, changelog := range map[string]string{
		"a part": `"changelog": {"total": 2, "histories": ` + changelog(entry{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}) + `}, "fields"`,
		"none":   `"fields"`,
	} {
		s := collectorstest.NewServer(t)
		dataCenter(s, strings.Replace(issue, `"fields"`, changelog, 1))
		var log bytes.Buffer
		c, err := New(Config{URL: s.URL(), Auth: AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}, Exceptions: &ExceptionsConfig{JQL: query}},
			collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		b := batches["exceptions:default"]
		if err != nil || b.Err != nil || len(b.Exceptions) != 1 || b.Exceptions[0].InForce != nil {
			t.Errorf("%s: got %+v, %v, %v; want the exception without intervals", name, b.Exceptions, b.Err, err)
		}
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "issues=1") || !strings.Contains(log.String(), "PSEC-1") {
			t.Errorf("%s: the log does not say so: %s", name, &log)
		}
	}
}

// TestPlainDatesAreDaysOfThePolicy: "until 20 January" covers the whole of that day where the organisation is, whatever UTC says.
func TestPlainDatesAreDaysOfThePolicy(t *testing.T) {
	for name, want := range map[string]struct{ end, decided, due string }{
		"":                    {"2026-01-21T00:00:00Z", "2026-01-08T00:00:00Z", "2026-01-21T00:00:00Z"},
		"America/New_York":    {"2026-01-21T05:00:00Z", "2026-01-08T05:00:00Z", "2026-01-21T05:00:00Z"},
		"Pacific/Auckland":    {"2026-01-20T11:00:00Z", "2026-01-07T11:00:00Z", "2026-01-20T11:00:00Z"},
		"America/Los_Angeles": {"2026-01-21T08:00:00Z", "2026-01-08T08:00:00Z", "2026-01-21T08:00:00Z"},
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		s := collectorstest.NewServer(t)
		issue := strings.Replace(exception("2/Approved", `"2026-01-20"`, "null"), `"fields": {`, `"fields": {"duedate": "2026-01-20", "customfield_7": "2026-01-08", "customfield_8": "2026-01-15 18:00", `, 1)
		serveCloud(s, issue, changelog(entry{"2026-01-08T20:00:00.000+0000", "status", "1/Open", "2/Approved"}, entry{"2026-01-10T20:00:00.000+0000", ends, "2026-01-15/", "2026-01-20/"}))
		people(s, "3")
		around := env()
		around.TimeZone = zone
		config := everyKind()
		config.URL, config.Auth = s.URL(), AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}
		config.Exceptions = &ExceptionsConfig{JQL: query, Fields: ExceptionFields{Decided: "customfield_7"}}
		config.Followups[0].Fields.Due = ""
		config.Incidents[0].Fields.Opened = "customfield_8"
		c, err := New(config, around)
		if err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, f, i := batches["exceptions:default"].Exceptions[0], batches["followups:default"].Followups[0], batches["incidents:default"].Incidents[0]
		if !x.ExpiresAt.Equal(at(want.end)) || !x.DecidedAt.Equal(at(want.decided)) || !f.DueAt.Equal(at(want.due)) {
			t.Errorf("%q: ends %s, decided %s, due %s; want %+v", name, x.ExpiresAt, x.DecidedAt, f.DueAt, want)
		}
		if d := gocmp.Diff([]record.Interval{span(want.decided, want.end)}, x.InForce); d != "" {
			t.Errorf("%q: in force (-want +got):\n%s", name, d)
		}
		if clock := i.OpenedAt.In(zone).Format("15:04"); clock != "18:00" {
			t.Errorf("%q: a time without a zone is read as %s there", name, clock)
		}
	}
}

// TestDecisionsInAField: the field says when it was decided, where that was written down by the time it was approved.
func TestDecisionsInAField(t *testing.T) {
	const day = "customfield_7"
	issue := strings.Replace(exception("2/Approved", `"2026-06-30"`, "null"), `"fields": {`, `"fields": {"customfield_7": "2026-01-07", `, 1)
	approved := entry{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/Approved"}
	for name, tt := range map[string]struct {
		log  []entry
		from string
	}{
		"since creation":           {[]entry{approved}, "2026-01-07T00:00:00Z"},
		"before the approval":      {[]entry{{"2026-01-08T09:00:00.000+0000", day, "", "2026-01-07/"}, approved}, "2026-01-07T00:00:00Z"},
		"weeks after, to buy time": {[]entry{approved, {"2026-03-08T09:00:00.000+0000", day, "", "2026-01-07/"}}, "2026-01-08T10:00:00Z"},
		"before the last ended":    {[]entry{{"2026-01-06T10:00:00.000+0000", "status", "1/Open", "2/Approved"}, {"2026-01-07T10:00:00.000+0000", "status", "2/Approved", "1/Open"}, approved}, "2026-01-07T10:00:00Z"},
	} {
		s := collectorstest.NewServer(t)
		serveCloud(s, issue, changelog(tt.log...))
		b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Decided: day}}, nil)
		if b.Err != nil || len(b.Exceptions) != 1 {
			t.Fatalf("%s: %+v, %v", name, b.Exceptions, b.Err)
		}
		x := b.Exceptions[0]
		if last := x.InForce[len(x.InForce)-1]; !last.From.Equal(at(tt.from)) || !x.DecidedAt.Equal(at("2026-01-07T00:00:00Z")) {
			t.Errorf("%s: in force from %s, decided %s; want %s", name, last.From, x.DecidedAt, tt.from)
		}
	}
}

// TestRenamedStatuses: names in the configuration and in the changelog may be those of before or of today.
func TestRenamedStatuses(t *testing.T) {
	renamed := strings.Replace(workflow, "Approved", "Signed off", 1)
	for name, tt := range map[string]struct{ configured, then, today string }{
		"nothing renamed":              {"Approved", "Approved", "Approved"},
		"the changelog has the old":    {"Signed off", "Approved", "Signed off"},
		"so has the configuration":     {"Approved", "Approved", "Signed off"},
		"nothing configured":           {"", "Approved", "Signed off"},
		"old in one entry, new in one": {"Approved", "Signed off", "Signed off"},
	} {
		list := workflow
		if tt.today != "Approved" {
			list = renamed
		}
		log := changelog(entry{"2026-01-08T10:00:00.000+0000", "status", "1/Open", "2/" + tt.then}, entry{"2026-01-20T10:00:00.000+0000", "status", "2/" + tt.then, "3/Closed"})
		s := collectorstest.NewServer(t)
		// The second exception is approved today, and its changelog is as old as the approval.
		second := strings.NewReplacer("1001", "1002", "PSEC-1", "PSEC-2").Replace(exception("2/"+tt.today, "null", "null"))
		cloud(s, exception("3/Closed", "null", "null"), second)
		s.JSON("GET /rest/api/3/status", list)
		s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": `+log+`},
			{"issueId": "1002", "changeHistories": `+changelog(entry{"2026-01-09T10:00:00.000+0000", "status", "1/Open", "2/Approved"})+`}]}`)
		config := ExceptionsConfig{JQL: query}
		if tt.configured != "" {
			config.Statuses = ExceptionStates{Approved: []string{tt.configured}, Ended: []string{"Closed"}}
		}
		b := gather(t, s, config, nil)
		if b.Err != nil || len(b.Exceptions) != 2 {
			t.Fatalf("%s: %+v, %v", name, b.Exceptions, b.Err)
		}
		closed, open := b.Exceptions[0], b.Exceptions[1]
		if d := gocmp.Diff([]record.Interval{span("2026-01-08T10:00:00Z", "2026-01-20T10:00:00Z")}, closed.InForce); d != "" || !closed.DecidedAt.Equal(at("2026-01-08T10:00:00Z")) {
			t.Errorf("%s: closed, decided %s (-want +got):\n%s", name, closed.DecidedAt, d)
		}
		if d := gocmp.Diff([]record.Interval{span("2026-01-09T10:00:00Z", "")}, open.InForce); d != "" || open.State != record.ExceptionApproved {
			t.Errorf("%s: approved today is %s (-want +got):\n%s", name, open.State, d)
		}
	}
}
