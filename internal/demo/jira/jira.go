// Package jira plays the REST API of Jira Cloud for the tickets of package world: search by JQL with page tokens, changelogs, users and groups. What it does not know
// it refuses as Jira does. It may use package world and what the fakes share (answer), and no other fake.
//
// To answer one more call: a route in New. To give tickets one more field: issues.go. To understand more of JQL: jql.go.
package jira

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// What a client's configuration says, and the layout of times in answers.
const (
	// Email is the user of the credential.
	Email = "prodsec-exporter@meridian.example"
	// Project and IssueType hold the security exceptions.
	Project   = "PSEC"
	IssueType = "Security Exception"
	// Layout is how Jira writes an instant.
	Layout = "2006-01-02T15:04:05.000-0700"
)

// The custom fields of a ticket.
const (
	fieldService    = "customfield_10101"
	fieldRepository = "customfield_10102"
	fieldAdvisories = "customfield_10103"
	fieldRules      = "customfield_10104"
	fieldWeaknesses = "customfield_10105"
	fieldCategory   = "customfield_10106"
	fieldExpires    = "customfield_10107"
	fieldImpact     = "customfield_10108"
	fieldGap        = "customfield_10109"
	fieldReason     = "customfield_10110"
	fieldControls   = "customfield_10111"
)

// jira is the fake of Jira Cloud.
type jira struct {
	world *world.World
	now   func() time.Time
	token string
	url   string
	mux   *http.ServeMux
}

// New is the handler of the API, served under a base URL, for whoever shows Email and the token; now is the instant at which the world is told.
func New(w *world.World, now func() time.Time, token, url string) http.Handler {
	j := &jira{world: w, now: now, token: token, url: url, mux: http.NewServeMux()}
	for _, version := range []string{"2", "3"} {
		base := "/rest/api/" + version
		j.mux.HandleFunc("GET "+base+"/serverInfo", j.serverInfo)
		j.mux.HandleFunc("GET "+base+"/myself", j.myself)
		j.mux.HandleFunc("GET "+base+"/field", j.fields)
		j.mux.HandleFunc("GET "+base+"/search/jql", j.search)
		j.mux.HandleFunc("POST "+base+"/search/jql", j.search)
		j.mux.HandleFunc(base+"/search", j.gone)
		j.mux.HandleFunc("POST "+base+"/search/approximate-count", j.count)
		j.mux.HandleFunc("POST "+base+"/changelog/bulkfetch", j.changelogs)
		j.mux.HandleFunc("GET "+base+"/issue/{key}/changelog", j.changelog)
		j.mux.HandleFunc("GET "+base+"/issue/{key}/comment", j.comments)
		j.mux.HandleFunc("GET "+base+"/status", j.statuses)
		j.mux.HandleFunc("GET "+base+"/group/member", j.members)
	}
	j.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuseJira(w, http.StatusNotFound, "No endpoint "+r.URL.Path)
	})
	return j
}

// ServeHTTP checks the credential: e-mail address and API token. serverInfo needs none.
func (j *jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	email, token, ok := r.BasicAuth()
	right := ok && email == Email && subtle.ConstantTimeCompare([]byte(token), []byte(j.token)) == 1
	if !right && !strings.HasSuffix(r.URL.Path, "/serverInfo") {
		w.Header().Set("WWW-Authenticate", `OAuth realm="`+j.url+`"`)
		refuseJira(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	j.mux.ServeHTTP(w, r)
}

func refuseJira(w http.ResponseWriter, code int, message string) {
	answer.WriteJSON(w, code, map[string]any{"errorMessages": []string{message}, "errors": map[string]string{}})
}

func (j *jira) gone(w http.ResponseWriter, _ *http.Request) {
	refuseJira(w, http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
}

func (j *jira) serverInfo(w http.ResponseWriter, _ *http.Request) {
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"baseUrl": j.url, "version": "1001.0.0-SNAPSHOT", "deploymentType": "Cloud", "serverTitle": "Meridian", "serverTime": j.now().Format(Layout),
	})
}

func (j *jira) myself(w http.ResponseWriter, _ *http.Request) {
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"accountId": "demo:prodsec-exporter", "accountType": "app", "emailAddress": Email, "displayName": "prodsec exporter", "active": true, "timeZone": "Etc/UTC",
	})
}

func (j *jira) fields(w http.ResponseWriter, _ *http.Request) {
	field := func(id, name, kind, items string) map[string]any {
		schema := map[string]any{"type": kind}
		if items != "" {
			schema["items"] = items
		}
		custom := strings.HasPrefix(id, "customfield_")
		if custom {
			number, _ := strconv.Atoi(strings.TrimPrefix(id, "customfield_")) // the constants above
			schema["customId"] = number
		} else {
			schema["system"] = id
		}
		return map[string]any{"id": id, "key": id, "name": name, "custom": custom, "navigable": true, "searchable": true, "orderable": true, "schema": schema}
	}
	answer.WriteJSON(w, http.StatusOK, []any{
		field("summary", "Summary", "string", ""), field("status", "Status", "status", ""), field("created", "Created", "datetime", ""),
		field("updated", "Updated", "datetime", ""), field("resolutiondate", "Resolved", "datetime", ""), field("issuetype", "Issue Type", "issuetype", ""),
		field("project", "Project", "project", ""), field("reporter", "Reporter", "user", ""), field("labels", "Labels", "array", "string"),
		field(fieldService, "Service", "option", ""), field(fieldRepository, "Repository", "string", ""),
		field(fieldAdvisories, "Advisories", "array", "string"), field(fieldRules, "Rules", "array", "string"), field(fieldControls, "Controls", "array", "string"),
		field(fieldWeaknesses, "Weakness classes", "array", "string"), field(fieldCategory, "Exception category", "option", ""),
		field(fieldExpires, "Expires on", "date", ""), field(fieldImpact, "Security impact", "option", ""), field(fieldGap, "Control gap", "option", ""),
		field(fieldReason, "Escalation reason", "option", ""), field("duedate", "Due date", "date", ""), field("parent", "Parent", "issuelink", ""),
		field("creator", "Creator", "user", ""),
	})
}

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

func (j *jira) option(value string) any {
	if value == "" {
		return nil
	}
	return map[string]any{"self": j.url, "value": value, "id": "1"}
}

var projectNames = map[string]string{
	Project: "Product security", string(world.ProjectReviews): "Security reviews", string(world.ProjectIncidents): "Incidents",
	string(world.ProjectEscalations): "Releases",
}
