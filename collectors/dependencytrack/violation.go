package dependencytrack

import (
	"encoding/json"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// violationSeverities are what the policy wants to happen on a violation, which is the nearest thing it has to a severity.
var violationSeverities = translate.Vocabulary[record.Severity]{
	Name: "dependencytrack violation state",
	Words: map[string]record.Severity{
		"fail": record.SeverityHigh, "warn": record.SeverityMedium, "info": record.SeverityLow, "": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

// violationCategories are the kinds of policy condition.
var violationCategories = translate.Vocabulary[string]{
	Name:  "dependencytrack violation type",
	Words: map[string]string{"license": "policy-license", "security": "policy-security", "operational": "policy-operational"},
	Other: "policy-other",
}

// violationClosures are what an analysis of a violation means. APPROVED lets the violation stand; REJECTED refuses that, so it
// is open; an unknown state is open, too.
var violationClosures = translate.Vocabulary[record.Closure]{
	Name: "dependencytrack violation analysis state",
	Words: map[string]record.Closure{
		"": record.ClosureNone, "not_set": record.ClosureNone, "rejected": record.ClosureNone, "approved": record.ClosureRiskAccepted,
	},
	Other: record.ClosureNone,
}

type wireViolation struct {
	UUID      string         `json:"uuid"`
	Type      string         `json:"type"`
	Text      string         `json:"text"`
	At        translate.Time `json:"timestamp"`
	Component component      `json:"component"`
	Project   struct {
		UUID string `json:"uuid"`
	} `json:"project"`
	Condition struct {
		UUID   string `json:"uuid"`
		Policy struct {
			Name  string `json:"name"`
			State string `json:"violationState"`
		} `json:"policy"`
	} `json:"policyCondition"`
	Analysis struct {
		State      string `json:"analysisState"`
		Suppressed bool   `json:"isSuppressed"`
	} `json:"analysis"`
}

// violation translates one policy violation into a finding of class other.
func (c *Collector) violation(raw json.RawMessage, projectOf func(string) *project) (record.Finding, error) {
	w, err := translate.Decode[wireViolation](raw)
	if err != nil {
		return record.Finding{}, err
	}
	p := projectOf(w.Project.UUID)
	switch {
	case p == nil && w.Project.UUID == "":
		return record.Finding{}, fmt.Errorf("violation of no project: %w", translate.ErrNoTarget)
	case p == nil:
		return record.Finding{}, errUnlisted
	case w.UUID == "":
		return record.Finding{}, fmt.Errorf("policy violation: %w", translate.ErrNoID)
	}
	pkg, version, _ := w.Component.describe(p)
	title := w.Text
	if title == "" {
		title = strings.TrimSpace("Policy violation: " + w.Condition.Policy.Name)
	}
	closed := violationClosures.Of(c.Words, w.Analysis.State)
	if closed == record.ClosureNone && w.Analysis.Suppressed {
		closed = record.ClosureOther
	}
	return record.Finding{
		ID:   "violation:" + strings.ToLower(record.Text(w.UUID)),
		Tool: tool, Class: record.ClassOther, Repository: p.owner.Repository, Service: p.owner.Service,
		Title: record.Text(title), URL: record.Text(c.URL + "/projects/" + p.ID + "/policyViolations"),
		Severity: violationSeverities.Of(c.Words, w.Condition.Policy.State),
		Category: violationCategories.Of(c.Words, w.Type), Rule: record.Text(w.Condition.Policy.Name),
		Package: pkg, Version: version, Closure: closed, FirstSeen: w.At.Time,
	}, nil
}
