package jira

import (
	"net/http"
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

func refuseJira(w http.ResponseWriter, code int, message string) {
	answer.WriteJSON(w, code, map[string]any{"errorMessages": []string{message}, "errors": map[string]string{}})
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
