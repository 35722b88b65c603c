package jira

import (
	"net/http"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

const (
	movedProject = `{"id": "7", "created": "2026-02-01T00:00:00.000+0000", "items": [{"field": "project", "fieldId": "project", "from": "1", "fromString": "Exceptions", "to": "2", "toString": "Risks"}]}`
	movedKey     = `{"id": "7", "created": "2026-02-01T00:00:00.000+0000", "items": [{"field": "Key", "fieldtype": "jira", "fromString": "PSEC-1", "toString": "RISK-7"},
		{"field": "project", "fieldId": "project", "from": "1", "to": "2"}]}`
	movedAgain = `{"id": "8", "created": "2026-02-02T00:00:00.000+0000", "items": [{"field": "Key", "fieldtype": "jira", "fromString": "OTHER-3", "toString": "RISK-7"}]}`
)

// moved is ticket 1 after it was moved.
func moved() string { return strings.Replace(ticket(1, ""), "PSEC-1", "RISK-7", 1) }

// TestMovedIssuesKeepTheirIdentity: a record is the same before and after its issue was moved, also when the exporter was not there when it happened.
func TestMovedIssuesKeepTheirIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		serve func(*collectorstest.Server)
		id    string
	}{
		"Cloud: the key is in the changelog by field": {func(s *collectorstest.Server) {
			cloud(s, moved())
			s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [`+movedAgain+","+movedKey+`]}]}`)
		}, "PSEC-1"},
		"Cloud: only the project is": {func(s *collectorstest.Server) {
			cloud(s, moved())
			s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [`+movedProject+`]}]}`)
			s.JSON("GET /rest/api/3/issue/1001/changelog", `{"total": 3, "values": [7, `+movedKey+`, `+movedAgain+`]}`)
		}, "PSEC-1"},
		"Cloud: the whole changelog is hidden": {func(s *collectorstest.Server) {
			cloud(s, moved())
			s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [`+movedProject+`]}]}`)
			s.Handle("GET /rest/api/3/issue/1001/changelog", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, "RISK-7"},
		"Data Center": {func(s *collectorstest.Server) {
			dataCenter(s, strings.Replace(moved(), `"fields"`, `"changelog": {"total": 2, "histories": [`+movedAgain+","+movedKey+`]}, "fields"`, 1))
		}, "PSEC-1"},
	} {
		s := collectorstest.NewServer(t)
		tt.serve(s)
		b := gather(t, s, ExceptionsConfig{JQL: query}, nil)
		if b.Err != nil || len(b.Exceptions) != 1 || b.Exceptions[0].ID != tt.id || !strings.HasSuffix(b.Exceptions[0].URL, "/browse/RISK-7") {
			t.Errorf("%s: %+v, %v; want %s, which people open as RISK-7", name, b.Exceptions, b.Err, tt.id)
		}
	}
}

// TestMovedWhileRunning: a delta and the full sweep after it speak of the record that there was, whatever the changelog tells, and nothing is asked for twice.
func TestMovedWhileRunning(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	people(s, "3")
	config := everyKind()
	config.Exceptions = &ExceptionsConfig{JQL: query}
	c := collector(t, s, config)
	ids := func(cursors collectors.Cursors) map[string]string {
		t.Helper()
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for scope, b := range batches {
			if b.Err != nil || b.Size() > 1 {
				t.Fatalf("%s: %+v", scope, b)
			}
			found[scope] = idOf(b)
		}
		return found
	}
	before := ids(nil)
	cloud(s, moved())
	people(s, "3")
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [`+movedProject+`]}]}`)
	for _, cursors := range []collectors.Cursors{{"exceptions:default": "2026-01-01T00:00:00Z", "reviews:default": "2026-01-01T00:00:00Z"}, nil, nil} {
		for scope, id := range ids(cursors) {
			if id != before[scope] || id != "PSEC-1" {
				t.Errorf("%s: %s is now %s", scope, before[scope], id)
			}
		}
	}
	for _, r := range s.Requests() {
		if strings.HasSuffix(r.Path, "/changelog") {
			t.Error("the changelog was read whole although the first key is known")
		}
	}
}

func idOf(b record.Batch) string {
	switch {
	case len(b.Exceptions) > 0:
		return b.Exceptions[0].ID
	case len(b.Reviews) > 0:
		return b.Reviews[0].ID
	case len(b.Followups) > 0:
		return b.Followups[0].ID
	case len(b.Incidents) > 0:
		return b.Incidents[0].ID
	default:
		return b.Escalations[0].ID
	}
}
