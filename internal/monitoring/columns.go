package monitoring

import "prodsec_exporter/internal/record"

// The columns that several tables have, and what label values are called.

// serviceColumn leads to the records of the service's findings.
func serviceColumn() Column {
	return Column{Field: "service_name", Title: "Service", Link: "${exporter}/evidence/findings?service_name=${__value.raw}"}
}

func ownerColumns() []Column {
	return []Column{
		{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"},
		{Field: "trust_tier", Title: "Tier", Width: 85},
	}
}

// countColumn is a number that should be zero.
func countColumn(title string, serious float64) Column {
	return Column{Field: title, Title: title, Unit: "none", Steps: noneBut(serious), Zero: "–"}
}

// severityColumn is a number of findings of a severity, in its colour; none is grey.
func severityColumn(title, severity string) Column {
	return Column{Field: title, Title: title, Steps: []Step{below(unknown), from(1, severityColours[severity])}, Zero: "–"}
}

// severityTexts name the severities, most severe first.
func severityTexts() []Text {
	var texts []Text
	for _, s := range record.Severities() {
		texts = append(texts, Text{Value: string(s), Text: string(s), Colour: severityColours[string(s)]})
	}
	return texts
}

// statusTexts name the results of a check.
func statusTexts() []Text {
	var texts []Text
	for _, status := range []string{"pass", "fail", "unknown"} {
		texts = append(texts, Text{Value: status, Text: status, Colour: meaningColours[status]})
	}
	return texts
}

// checkTexts name the checks of protection.
func checkTexts() []Text {
	return []Text{
		{Value: "pull_request", Text: "pull request needed"}, {Value: "approvals", Text: "approval needed"},
		{Value: "code_owner_review", Text: "code owner reviews"}, {Value: "stale_dismissal", Text: "new commits void approvals"},
		{Value: "status_checks", Text: "status checks needed"}, {Value: "force_push_blocked", Text: "no force push"},
		{Value: "deletion_blocked", Text: "no deletion"}, {Value: "admins_bound", Text: "administrators bound"},
		{Value: "bypass_limited", Text: "bypass limited"}, {Value: "signed_commits", Text: "commits signed"},
		{Value: "required_reviewers", Text: "reviewer needed"}, {Value: "self_review_prevented", Text: "no self-review"},
		{Value: "branch_policy", Text: "only from named branches"}, {Value: "required", Text: "all required checks"},
	}
}

// ageTexts name the ranges of age.
func ageTexts() []Text {
	texts := make([]Text, len(ageRanges))
	for i, r := range ageRanges {
		texts[i] = Text{Value: r.label(), Text: r.text()}
	}
	return texts
}

// eventTexts name the events of a flow.
func eventTexts() []Text {
	return []Text{
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
func statusQueries(query func(statuses ...string) string) []Query {
	var list []Query
	for _, t := range statusTexts() {
		list = append(list, Query{Name: t.Text, Expr: filled(query(t.Value), query("pass", "fail", "unknown")), Colour: t.Colour})
	}
	return list
}

// failingFirst orders bars by what fails, then by what is unknown.
func failingFirst() []Sort { return []Sort{{"fail", true}, {"unknown", true}} }

// evidenceTexts name the evidence of exploitation.
func evidenceTexts() []Text {
	return []Text{{"active_secret", "secret still works", vermillion}, {"kev", "known exploited", orange}, {"epss", "likely exploited", skyBlue}}
}
