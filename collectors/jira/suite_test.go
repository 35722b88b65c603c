package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const query = `project = PSEC ORDER BY created DESC`

// statuses are those of the fake Jira.
const statuses = `[{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}, {"id": "2", "name": "Approved", "statusCategory": {"key": "indeterminate"}}]`

// ticket is an issue of the fake Jira, in JSON.
func ticket(n int, fields string) string {
	if fields != "" {
		fields = ", " + fields
	}
	return fmt.Sprintf(`{"id": "%d", "key": "PSEC-%d", "fields": {"summary": "Exception %d", "created": "2026-01-0%dT10:00:00.000+0000",
		"updated": "2026-02-01T10:00:00.000+0100", "status": {"name": "Approved", "statusCategory": {"key": "indeterminate"}},
		"customfield_1": {"value": "payments"}, "customfield_2": "2026-12-31" %s}}`, 1000+n, n, n, 1+n%9, fields)
}

// cloud scripts a Jira Cloud with pages of two issues.
func cloud(s *collectorstest.Server, tickets ...string) {
	s.JSON("GET /rest/api/2/serverInfo", `{"deploymentType": "Cloud"}`)
	s.JSON("GET /rest/api/2/myself", `{"timeZone": "Asia/Shanghai"}`)
	s.JSON("GET /rest/api/3/field", `[{"id": "customfield_1", "name": "Service"}, {"id": "customfield_2", "name": "Expires on"}, {"id": "labels", "name": "Labels"}]`)
	s.JSON("GET /rest/api/3/status", statuses)
	search := func(w http.ResponseWriter, token string) {
		from, err := strconv.Atoi("0" + token)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		to := min(from+2, len(tickets))
		page := map[string]any{"issues": raw(tickets[from:to]), "isLast": to == len(tickets)}
		if to < len(tickets) {
			page["nextPageToken"] = strconv.Itoa(to)
		}
		collectorstest.WriteJSON(w, page)
	}
	s.Handle("GET /rest/api/3/search/jql", func(w http.ResponseWriter, r *http.Request) { search(w, r.URL.Query().Get("nextPageToken")) })
	s.Handle("POST /rest/api/3/search/jql", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			NextPageToken string `json:"nextPageToken"`
		}
		data, _ := io.ReadAll(r.Body) //nolint:errcheck // What is missing fails the decoding.
		if json.Unmarshal(data, &body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		search(w, body.NextPageToken)
	})
	s.JSON("POST /rest/api/3/changelog/bulkfetch", `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [
		{"created": 1767312000000, "items": [{"field": "状态", "fieldId": "status", "toString": "Approved"}]}]}]}`)
}

func raw(tickets []string) []json.RawMessage {
	all := make([]json.RawMessage, 0, len(tickets))
	for _, t := range tickets {
		all = append(all, json.RawMessage(t))
	}
	return all
}

// dataCenter scripts a Data Center that lowers every page to two issues.
func dataCenter(s *collectorstest.Server, tickets ...string) {
	s.JSON("GET /rest/api/2/serverInfo", `{"deploymentType": "Server"}`)
	s.JSON("GET /rest/api/2/myself", `{"timeZone": "Europe/Berlin"}`)
	s.JSON("GET /rest/api/2/field", `[{"id": "customfield_1", "name": "Service"}, {"id": "customfield_2", "name": "Expires on"}]`)
	s.JSON("GET /rest/api/2/status", statuses)
	s.Handle("GET /rest/api/2/search", func(w http.ResponseWriter, r *http.Request) {
		from, err := strconv.Atoi(r.URL.Query().Get("startAt"))
		if err != nil || !slices.Equal(r.URL.Query()["expand"], []string{"changelog"}) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		from = min(from, len(tickets))
		collectorstest.WriteJSON(w, map[string]any{"startAt": from, "maxResults": 2, "total": len(tickets), "issues": raw(tickets[from:min(from+2, len(tickets))])})
	})
}

func suite(serve func(*collectorstest.Server, ...string), search string, cursor bool, auth func(apiclient.Secret) AuthConfig) collectorstest.Suite {
	total := "total"
	if cursor {
		total = "" // Cloud does not count
	}
	return collectorstest.Suite{
		Kind: Kind(),
		New: func(base string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: base, Auth: auth(token), Exceptions: &ExceptionsConfig{JQL: query}}, env)
		},
		Serve: func(s *collectorstest.Server) { serve(s, ticket(1, ""), ticket(2, ""), ticket(3, "")) },
		Scopes: []collectorstest.Scope{{
			Name: "exceptions:default", Records: 3, Pages: 2, Cursor: cursor, Items: "issues", Total: total,
			Requests: func(r collectorstest.Request) bool { return r.Path == search },
		}},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown status and category", Scope: "exceptions:default", Records: 1,
				Serve: func(s *collectorstest.Server) {
					serve(s, strings.NewReplacer("Approved", "In limbo", "indeterminate", "undefined").Replace(ticket(1, "")))
				},
				Check: func(b record.Batch) error {
					if b.Exceptions[0].State != record.ExceptionOther {
						return errors.New("an unknown status must become other")
					}
					return nil
				},
			},
			{
				Name: "issues that cannot be understood", Scope: "exceptions:default", Records: 1, Rejected: 4,
				Serve: func(s *collectorstest.Server) {
					serve(s, `{"fields": {}}`, `7`, ticket(1, ""), strings.Replace(ticket(2, ""), "2026-12-31", "some day", 1), `{"key": "PSEC-9", "fields": {"status": []}}`)
				},
			},
		},
		Fixed: "the configuration names the queries", Readme: "README.md",
	}
}

func TestConformanceCloud(t *testing.T) {
	collectorstest.Run(t, suite(cloud, "/rest/api/3/search/jql", true, func(s apiclient.Secret) AuthConfig {
		return AuthConfig{Email: "exporter@example.com", Token: s}
	}))
}

func TestConformanceDataCenter(t *testing.T) {
	collectorstest.Run(t, suite(dataCenter, "/rest/api/2/search", false, func(s apiclient.Secret) AuthConfig {
		return AuthConfig{PersonalAccessToken: s}
	}))
}
