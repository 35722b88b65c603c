package jira

import (
	"cmp"
	"fmt"

	"prodsec_exporter/internal/record"
)

// EscalationsConfig says which issues are blocked releases and urgent calls for a decision, and where in them to look.
type EscalationsConfig struct {
	Issues `yaml:",inline"`
	// Kind of all of them: release_block or urgent. By default the field kind decides.
	Kind     record.EscalationKind `yaml:"kind,omitempty"`
	Fields   EscalationFields      `yaml:"fields,omitempty"`
	Statuses StatusNames           `yaml:"statuses,omitempty"`
}

// EscalationFields name fields as ExceptionFields do. Kind is by default the issue type: one whose name contains "block" or "gate" is a
// release block, any other an urgent escalation. Reason must come from a short list, since it becomes a label. Closed is when it was
// settled (by default the change of status).
type EscalationFields struct {
	PlaceFields `yaml:",inline"`
	Kind        string `yaml:"kind,omitempty"`
	Reason      string `yaml:"reason,omitempty"`
	Closed      string `yaml:"closed,omitempty"`
}

var escalationWords = []words[record.EscalationKind]{{record.EscalationReleaseBlock, []string{"block", "gate", "阻"}}}

// escalations is the mapping from issues to record.Escalation.
type escalations struct {
	selection
	place
	lifecycle
	always       record.EscalationKind
	kind, reason *field
}

func newEscalations(config EscalationsConfig, site string) (*escalations, error) {
	s, err := newSelection("escalations", config.Issues, site, `project = REL AND issuetype = "Release block"`, "release blocks and urgent escalations")
	if err != nil {
		return nil, err
	}
	switch config.Kind {
	case "", record.EscalationReleaseBlock, record.EscalationUrgent:
	default:
		return nil, fmt.Errorf("kind %q is neither %s nor %s", config.Kind, record.EscalationReleaseBlock, record.EscalationUrgent)
	}
	life, err := newLifecycle(config.Statuses, nil, nil, newField("closed", config.Fields.Closed))
	if err != nil {
		return nil, fmt.Errorf("statuses: %w", err)
	}
	where, err := newPlace(config.Fields.PlaceFields)
	if err != nil {
		return nil, err
	}
	return &escalations{
		selection: s, place: where, lifecycle: life, always: config.Kind,
		kind:   newFieldOr("kind", config.Fields.Kind, "issuetype"),
		reason: newField("reason", config.Fields.Reason, "Escalation reason", "Reason"),
	}, nil
}

func (e *escalations) fields() []*field {
	return []*field{e.service, e.repository, e.kind, e.reason, e.closed}
}

func (e *escalations) start(b *record.Batch) { b.Escalations = []record.Escalation{} }

func (e *escalations) add(i *issue, b *record.Batch) record.RejectReason {
	_, closed, err := e.closing(i)
	if err != nil {
		return record.RejectTimestamp
	}
	x := record.Escalation{
		ID: i.known(), Kind: cmp.Or(e.always, usual(escalationWords, i.text(e.kind)), record.EscalationUrgent),
		Reason: i.text(e.reason), Title: record.Text(i.summary), URL: e.link(i),
		RaisedAt: i.created, ClosedAt: closed, UpdatedAt: i.updated,
	}
	x.Service, x.Repository = e.of(i)
	b.Escalations = append(b.Escalations, x)
	return ""
}
