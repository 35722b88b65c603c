package jira

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"prodsec_exporter/internal/demo/answer"
)

// histories are the changes of status that have happened, oldest first; the two APIs write dates differently.
func (j *jira) histories(i issue, date func(time.Time) any) []map[string]any {
	histories := []map[string]any{}
	for n, c := range i.changes {
		histories = append(histories, map[string]any{
			"id": strconv.FormatInt(i.sequence*10+int64(n), 10), "created": date(c.at), "author": account(c.by),
			"items": []any{map[string]any{
				"field": "status", "fieldId": "status", "fieldtype": "jira",
				"from": strconv.Itoa(statusID(c.from)), "fromString": c.from, "to": strconv.Itoa(statusID(c.to)), "toString": c.to,
			}},
		})
	}
	return histories
}

// changelogs answers changelog/bulkfetch, whose dates are numbers of milliseconds.
func (j *jira) changelogs(w http.ResponseWriter, r *http.Request) {
	request := struct {
		Issues        []string `json:"issueIdsOrKeys"`
		Fields        []string `json:"fieldIds"`
		MaxResults    int      `json:"maxResults"`
		NextPageToken string   `json:"nextPageToken"`
	}{MaxResults: 1000}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request)
	if err != nil || len(request.Issues) == 0 || len(request.Issues) > 1000 || len(request.Fields) > 10 || request.MaxResults < 1 {
		refuseJira(w, http.StatusBadRequest, "Invalid request payload. Refer to the REST API documentation and try again.")
		return
	}
	skip := 0
	if request.NextPageToken != "" {
		if skip, err = strconv.Atoi(request.NextPageToken); err != nil {
			refuseJira(w, http.StatusBadRequest, "The provided next page token is invalid.")
			return
		}
	}
	list := answer.Filter(j.issues(), func(i issue) bool {
		return slices.Contains(request.Issues, i.key()) || slices.Contains(request.Issues, i.id())
	})
	if len(request.Fields) > 0 && !slices.Contains(request.Fields, "status") {
		list = nil // nothing but the status ever changes
	}
	logs, seen, more := []any{}, 0, false
	for _, i := range list {
		all := j.histories(i, func(t time.Time) any { return t.UnixMilli() })
		from := min(max(skip-seen, 0), len(all))
		to := min(max(skip+request.MaxResults-seen, 0), len(all))
		seen += len(all)
		more = more || to < len(all)
		if from < to {
			logs = append(logs, map[string]any{"issueId": i.id(), "changeHistories": all[from:to]})
		}
	}
	body := map[string]any{"issueChangeLogs": logs}
	if more {
		body["nextPageToken"] = strconv.Itoa(skip + request.MaxResults)
	}
	answer.WriteJSON(w, http.StatusOK, body)
}

// changelog answers for one ticket, by page.
func (j *jira) changelog(w http.ResponseWriter, r *http.Request) {
	i, ok := j.find(r.PathValue("key"))
	if !ok {
		refuseJira(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		return
	}
	writeSlice(w, r, "values", j.histories(i, func(t time.Time) any { return t.Format(Layout) }), 100)
}
