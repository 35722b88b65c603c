package jira

import (
	"fmt"

	"prodsec_exporter/internal/record"
)

// IncidentsConfig says which issues are incidents and where in them to look.
type IncidentsConfig struct {
	Issues `yaml:",inline"`
	Fields IncidentFields `yaml:"fields,omitempty"`
	// Statuses: done are those in which the service works again, whatever paperwork remains.
	Statuses StatusNames `yaml:"statuses,omitempty"`
	// Answers understand the fields security_impact and control_gap.
	Answers AnswerNames `yaml:"answers,omitempty"`
}

// IncidentFields name fields as ExceptionFields do. Opened is when it began (by default the creation of the issue), Restored
// when the service worked again (by default the change of status).
type IncidentFields struct {
	PlaceFields    `yaml:",inline"`
	Opened         string `yaml:"opened,omitempty"`
	Restored       string `yaml:"restored,omitempty"`
	SecurityImpact string `yaml:"security_impact,omitempty"`
	ControlGap     string `yaml:"control_gap,omitempty"`
}

// restoredWords are parts of the usual names of statuses in which an incident is over for those who suffered it.
var restoredWords = []words[phase]{
	{phaseOpen, []string{"not restored", "unresolved", "not resolved"}},
	{phaseDone, []string{"restored", "resolved", "recovered", "post-mortem", "postmortem", "post mortem", "post-incident"}},
}

// incidents is the mapping from issues to record.Incident.
type incidents struct {
	selection
	place
	lifecycle
	answers            answers
	opened             *field
	security, controls *field
}

func newIncidents(config IncidentsConfig, site string) (*incidents, error) {
	s, err := newSelection("incidents", config.Issues, site, "project = INC AND issuetype = Incident", "incidents: time to restore and change failures by cause")
	if err != nil {
		return nil, err
	}
	f := config.Fields
	life, err := newLifecycle(config.Statuses, nil, restoredWords, newField("restored", f.Restored, "Restored at", "Service restored"))
	if err != nil {
		return nil, fmt.Errorf("statuses: %w", err)
	}
	understood, err := newAnswers(config.Answers)
	if err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	where, err := newPlace(f.PlaceFields)
	if err != nil {
		return nil, err
	}
	return &incidents{
		selection: s, place: where, lifecycle: life, answers: understood,
		opened:   newField("opened", f.Opened, "Incident start", "Started at"),
		security: newField("security_impact", f.SecurityImpact, "Security impact"),
		controls: newField("control_gap", f.ControlGap, "Control gap"),
	}, nil
}

func (m *incidents) fields() []*field {
	return []*field{m.service, m.repository, m.opened, m.closed, m.security, m.controls}
}

func (m *incidents) start(b *record.Batch) { b.Incidents = []record.Incident{} }

// add reads an incident. One that was restored before it was opened is rejected: its duration would be nonsense.
func (m *incidents) add(i *issue, b *record.Batch) record.RejectReason {
	opened, err := i.moment(m.opened)
	if err != nil {
		return record.RejectTimestamp
	}
	_, restored, err := m.closing(i)
	if err != nil {
		return record.RejectTimestamp
	}
	x := record.Incident{
		ID: i.known(), Title: record.Text(i.summary), URL: m.link(i), OpenedAt: firstOf(opened.begins(i.zone), i.created), RestoredAt: restored,
		SecurityImpact: m.answers.of(i.list(m.security)), ControlGap: m.answers.of(i.list(m.controls)), UpdatedAt: i.updated,
	}
	if !restored.IsZero() && restored.Before(x.OpenedAt) {
		return record.RejectTimestamp
	}
	x.Service, x.Repository = m.of(i)
	b.Incidents = append(b.Incidents, x)
	return ""
}
