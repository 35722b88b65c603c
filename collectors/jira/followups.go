package jira

import (
	"fmt"

	"prodsec_exporter/internal/record"
)

// FollowupsConfig says which issues are actions that incidents left behind and where in them to look.
type FollowupsConfig struct {
	Issues   `yaml:",inline"`
	Fields   FollowupFields `yaml:"fields,omitempty"`
	Statuses StatusNames    `yaml:"statuses,omitempty"`
}

// FollowupFields name fields as ExceptionFields do. Incident is the issue of the incident (by default the parent; "links" takes
// the first linked issue), Due the day until which it is to be done (the due date), Closed when it was done (by default the change of
// status).
type FollowupFields struct {
	PlaceFields `yaml:",inline"`
	Incident    string `yaml:"incident,omitempty"`
	Due         string `yaml:"due,omitempty"`
	Closed      string `yaml:"closed,omitempty"`
}

// followups is the mapping from issues to record.Followup.
type followups struct {
	selection
	place
	lifecycle
	incident, due *field
}

func newFollowups(config FollowupsConfig, site string) (*followups, error) {
	s, err := newSelection("followups", config.Issues, site, `project = INC AND issuetype = "Incident action"`, "incident follow-ups: how many are open and overdue")
	if err != nil {
		return nil, err
	}
	life, err := newLifecycle(config.Statuses, nil, nil, newField("closed", config.Fields.Closed))
	if err != nil {
		return nil, fmt.Errorf("statuses: %w", err)
	}
	where, err := newPlace(config.Fields.PlaceFields)
	if err != nil {
		return nil, err
	}
	return &followups{
		selection: s, place: where, lifecycle: life,
		incident: newFieldOr("incident", config.Fields.Incident, "parent"), due: newFieldOr("due", config.Fields.Due, "duedate"),
	}, nil
}

func (f *followups) fields() []*field {
	return []*field{f.service, f.repository, f.incident, f.due, f.closed}
}

func (f *followups) start(b *record.Batch) { b.Followups = []record.Followup{} }

// add reads a follow-up. One whose due date cannot be read is rejected: without it it could never be overdue.
func (f *followups) add(i *issue, b *record.Batch) record.RejectReason {
	due, err := i.moment(f.due)
	if err != nil {
		return record.RejectTimestamp
	}
	_, closed, err := f.closing(i)
	if err != nil {
		return record.RejectTimestamp
	}
	x := record.Followup{
		ID: i.known(), Title: record.Text(i.summary), URL: f.link(i), Incident: i.issueKey(f.incident),
		CreatedAt: i.created, DueAt: due.ends(i.zone), ClosedAt: closed, UpdatedAt: i.updated,
	}
	x.Service, x.Repository = f.of(i)
	b.Followups = append(b.Followups, x)
	return ""
}
