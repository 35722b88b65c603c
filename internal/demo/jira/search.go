package jira

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
)

// searchRequest is the body of POST search/jql; GET has the same parameters.
type searchRequest struct {
	JQL           string   `json:"jql"`
	NextPageToken string   `json:"nextPageToken"`
	MaxResults    int      `json:"maxResults"`
	Fields        []string `json:"fields"`
	Expand        string   `json:"expand"`
}

func readSearch(r *http.Request) (searchRequest, error) {
	request := searchRequest{MaxResults: 50}
	if r.Method == http.MethodPost {
		err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&request)
		return request, err
	}
	query := r.URL.Query()
	request.JQL, request.NextPageToken, request.Expand = query.Get("jql"), query.Get("nextPageToken"), query.Get("expand")
	for _, list := range query["fields"] {
		request.Fields = append(request.Fields, strings.Split(list, ",")...)
	}
	if text := query.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return request, fmt.Errorf("maxResults: %w", err)
		}
		request.MaxResults = n
	}
	return request, nil
}

// search answers search/jql: bounded queries only, pages by token, only the fields that were asked for.
func (j *jira) search(w http.ResponseWriter, r *http.Request) {
	request, err := readSearch(r)
	if err != nil || request.MaxResults < 1 {
		refuseJira(w, http.StatusBadRequest, "Invalid request payload. Refer to the REST API documentation and try again.")
		return
	}
	query, err := parseJQL(request.JQL, j.now())
	if err != nil {
		refuseJira(w, http.StatusBadRequest, err.Error())
		return
	}
	if !query.bounded {
		refuseJira(w, http.StatusBadRequest, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
		return
	}
	list := answer.Filter(j.issues(), query.matches)
	slices.SortFunc(list, func(a, b issue) int { return query.order.ComparePositions(query.position(a), query.position(b)) })
	from := 0
	if request.NextPageToken != "" {
		last, err := answer.ParseCursor(request.NextPageToken)
		if err != nil {
			refuseJira(w, http.StatusBadRequest, "The provided next page token is invalid or expired.")
			return
		}
		for from < len(list) && query.order.ComparePositions(query.position(list[from]), last) <= 0 {
			from++
		}
	}
	const most = 100 // with fields, Jira gives fewer than asked for
	to := min(from+min(request.MaxResults, most), len(list))
	body := map[string]any{"isLast": to == len(list)}
	if to < len(list) {
		body["nextPageToken"] = query.position(list[to-1]).Cursor()
	}
	issues := make([]any, 0, to-from)
	for _, i := range list[from:to] {
		issues = append(issues, j.wire(i, request))
	}
	body["issues"] = issues
	answer.WriteJSON(w, http.StatusOK, body)
}

func (q *jql) position(i issue) answer.Position {
	switch q.byField {
	case "updated":
		return answer.Position{Second: i.updated.Unix(), ID: i.sequence}
	case "created":
		return answer.Position{Second: i.created.Unix(), ID: i.sequence}
	default:
		return answer.Position{Second: i.sequence, ID: i.sequence}
	}
}

// wire is a ticket in Jira's form, with the fields that were asked for.
func (j *jira) wire(i issue, request searchRequest) map[string]any {
	if len(request.Fields) == 0 {
		return map[string]any{"id": i.id()}
	}
	all := j.values(i)
	chosen := map[string]any{}
	for _, name := range request.Fields {
		switch value, ok := all[name]; {
		case name == "*all" || name == "*navigable":
			chosen = all
		case ok:
			chosen[name] = value
		}
	}
	wire := map[string]any{"id": i.id(), "key": i.key(), "self": j.url + "/rest/api/3/issue/" + i.id(), "fields": chosen}
	if slices.Contains(strings.Split(request.Expand, ","), "changelog") {
		const most = 40
		histories := j.histories(i, func(t time.Time) any { return t.Format(Layout) })
		slices.Reverse(histories) // newest first
		shown := histories[:min(len(histories), most)]
		wire["changelog"] = map[string]any{"startAt": 0, "maxResults": len(shown), "total": len(histories), "histories": shown}
	}
	return wire
}

func (j *jira) values(i issue) map[string]any {
	values := map[string]any{
		"summary": i.title, "created": i.created.Format(Layout), "updated": i.updated.Format(Layout), "resolutiondate": nil,
		"status":    wireStatus(i.status),
		"issuetype": map[string]any{"name": i.kind, "id": "10200", "subtask": false},
		"project":   map[string]any{"key": i.project, "name": projectNames[i.project], "id": "10000"},
		"reporter":  account(i.reporter), "creator": account(i.reporter),
		"labels": []string{}, "duedate": nil, fieldService: nil, fieldRepository: nil,
	}
	maps.Copy(values, i.fields)
	if !i.resolved.IsZero() {
		values["resolutiondate"] = i.resolved.Format(Layout)
	}
	return values
}

func (j *jira) count(w http.ResponseWriter, r *http.Request) {
	var request searchRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		refuseJira(w, http.StatusBadRequest, "Invalid request payload.")
		return
	}
	query, err := parseJQL(request.JQL, j.now())
	if err != nil {
		refuseJira(w, http.StatusBadRequest, err.Error())
		return
	}
	answer.WriteJSON(w, http.StatusOK, map[string]int{"count": len(answer.Filter(j.issues(), query.matches))})
}
