package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/record"
)

// The columns that several tables have, and what label values are called.

// serviceColumn leads to the records of the service's findings.
func serviceColumn() panel.Column {
	return panel.Column{Field: "service_name", Title: "Service", Link: "${exporter}/evidence/findings?service_name=${__value.raw}"}
}

func ownerColumns() []panel.Column {
	return []panel.Column{
		{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"},
		{Field: "trust_tier", Title: "Tier", Width: 85},
	}
}

// countColumn is a number that should be zero.
func countColumn(title string, serious float64) panel.Column {
	return panel.Column{Field: title, Title: title, Unit: "none", Steps: panel.NoneBut(serious), Zero: "–"}
}

// severityColumn is a number of findings of a severity, in its colour; none is grey.
func severityColumn(title, severity string) panel.Column {
	return panel.Column{Field: title, Title: title, Steps: []panel.Step{panel.Below(panel.Unknown), panel.From(1, panel.SeverityColours[severity])}, Zero: "–"}
}

// severityTexts name the severities, most severe first.
func severityTexts() []panel.Text {
	var texts []panel.Text
	for _, s := range record.Severities() {
		texts = append(texts, panel.Text{Value: string(s), Text: string(s), Colour: panel.SeverityColours[string(s)]})
	}
	return texts
}

// statusTexts name the results of a check.
func statusTexts() []panel.Text {
	var texts []panel.Text
	for _, status := range []string{"pass", "fail", "unknown"} {
		texts = append(texts, panel.Text{Value: status, Text: status, Colour: panel.MeaningColours[status]})
	}
	return texts
}

// checkTexts name the checks of protection.
func checkTexts() []panel.Text {
	return []panel.Text{
		{Value: "pull_request", Text: "pull request required"}, {Value: "approvals", Text: "approvals required"},
		{Value: "code_owner_review", Text: "code owner review"}, {Value: "stale_dismissal", Text: "stale reviews dismissed"},
		{Value: "status_checks", Text: "status checks required"}, {Value: "force_push_blocked", Text: "force push blocked"},
		{Value: "deletion_blocked", Text: "deletion blocked"}, {Value: "admins_bound", Text: "admins enforced"},
		{Value: "bypass_limited", Text: "bypass limited"}, {Value: "signed_commits", Text: "signed commits"},
		{Value: "required_reviewers", Text: "required reviewers"}, {Value: "self_review_prevented", Text: "self-review prevented"},
		{Value: "branch_policy", Text: "deployment branches restricted"}, {Value: "required", Text: "all required checks"},
	}
}

// ageTexts name the ranges of age.
func ageTexts() []panel.Text {
	texts := make([]panel.Text, len(settings.AgeRanges))
	for i, r := range settings.AgeRanges {
		texts[i] = panel.Text{Value: r.Label(), Text: r.Text()}
	}
	return texts
}

// eventTexts name the events of a flow.
func eventTexts() []panel.Text {
	return []panel.Text{
		{Value: "opened", Text: "opened"}, {Value: "reopened", Text: "reopened"}, {Value: "scope_gained", Text: "came into view"},
		{Value: "moved_in", Text: "moved in"}, {Value: "severity_raised", Text: "severity raised"}, {Value: "severity_lowered", Text: "severity lowered"},
		{Value: "fixed", Text: "fixed"}, {Value: "dismissed_false_positive", Text: "false positive"}, {Value: "dismissed_wont_fix", Text: "won't fix"},
		{Value: "dismissed_used_in_tests", Text: "used in tests"}, {Value: "dismissed_other", Text: "dismissed, other"},
		{Value: "duplicate", Text: "duplicate"}, {Value: "out_of_scope", Text: "out of scope"}, {Value: "scope_lost", Text: "out of view"},
		{Value: "moved_out", Text: "moved out"}, {Value: "severity_left", Text: "severity left"},
	}
}

// statusQueries are a query per result of a check, for stacked bars. Every query yields every bar, with 0 where there is nothing, because Grafana names
// the value of a table after its query only while more than one query yields something.
func statusQueries(query func(statuses ...string) string) []panel.Query {
	var list []panel.Query
	for _, t := range statusTexts() {
		list = append(list, panel.Query{Name: t.Text, Expr: promql.Filled(query(t.Value), query("pass", "fail", "unknown")), Colour: t.Colour})
	}
	return list
}

// failingFirst orders bars by what fails, then by what is unknown.
func failingFirst() []panel.Sort {
	return []panel.Sort{panel.Descending("fail"), panel.Descending("unknown")}
}

// evidenceTexts name the evidence of exploitation.
func evidenceTexts() []panel.Text {
	return []panel.Text{{Value: "active_secret", Text: "active secret", Colour: panel.Vermillion}, {Value: "kev", Text: "known exploited", Colour: panel.Orange}, {Value: "epss", Text: "high EPSS", Colour: panel.SkyBlue}}
}
