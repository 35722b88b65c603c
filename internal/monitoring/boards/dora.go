package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

func doraBoard() panel.Board {
	return panel.Board{
		UID: names.BoardDORA, File: "dora.json", Title: "DORA with a security lens",
		Question: "Do we deliver fast and safely, or fast instead of safely?",
		Rows: []panel.Row{
			{ID: 100, Question: "Four keys at a glance: how fast, and how safe?", Panels: doraHeadlines()},
			{ID: 200, Question: "Deployment frequency: do faster teams still use approved release controls?", Panels: doraFrequency()},
			{ID: 300, Question: "Lead time: is security early, or the last-minute blocker?", Panels: doraLead()},
			{ID: 400, Question: "Change failures: how many came from avoidable control gaps?", Panels: doraFailures()},
			{ID: 500, Question: "Restoring service: can we recover from security-impacting releases quickly?", Panels: doraRestore()},
			qualityRow(),
		},
	}
}

// notByTier says which choices a panel does not follow.
const notByTier = " Not restricted by team and trust tier."

func doraHeadlines() []panel.Panel {
	return []panel.Panel{
		{
			ID: 1, Answers: packrow.List(packrow.DORAFrequency), Title: "Production deployments", Look: panel.Stat, W: 6, H: 4, Unit: "none", Steps: panel.Plain(),
			Means:  "Successful deployments to production in the window, and the share of them that was approved. What nobody can say counts against it.",
			Source: names.DeploymentsIn + ".", Act: "the second row names the business units; a bypass is a conversation, a habit of bypassing a missing paved road.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "in $window", Expr: query.Counted("", names.RecDeployments, promql.InWindow(), query.Production())},
				{Name: "approved", Expr: query.Share("", names.RecDeployments, []string{promql.Is("approval", "approved")}, promql.InWindow(), query.Production()), Unit: "percentunit", Steps: panel.Towards(settings.ApprovalTarget)},
			},
		},
		{
			ID: 2, Answers: packrow.List(packrow.DORALeadTime), Title: "Lead time for changes", Look: panel.Stat, W: 6, H: 4, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Half of the changes that went live in the window took no longer than this from their first commit; and the share whose security review was late." + notByTier,
			Source: names.LeadTimeIn + ".", Act: "late reviews are last-minute blockers: start them with the design.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "median", Expr: query.Quantile(0.5, "", names.RecLead, promql.InWindow())},
				{Name: "reviewed late", Expr: query.ReviewedLate(""), Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.1, panel.Warning), panel.From(0.25, panel.Bad)}},
			},
		},
		{
			ID: 3, Answers: packrow.List(packrow.DORAFailures), Title: "Change failure rate", Look: panel.Stat, W: 6, H: 4, Unit: "percentunit", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Failed changes among all changes to production in the window, and the part of all changes that failed for an avoidable gap in a control.",
			Source: names.ChangeFailuresIn + " and " + names.ChangesIn + ".", Act: "the part from control gaps is what security can remove; the fourth row says where.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "failed", Expr: query.FailureRate(""), Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.15, panel.Warning), panel.From(0.3, panel.Bad)}},
				{Name: "from a control gap", Expr: query.FailureRate("", promql.Is("cause", "control_gap")), Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.02, panel.Warning), panel.From(0.05, panel.Bad)}},
			},
		},
		{
			ID: 4, Answers: packrow.List(packrow.DORARestore), Title: "Time to restore", Look: panel.Stat, W: 6, H: 4, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Half of the incidents that ended in the window took no longer than this from opening to restored: all of them, and those with an impact on security." + notByTier,
			Source: names.RestoreIn + ".", Act: "if security incidents take longer, exercise rollback and access for them first.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "median", Expr: query.Quantile(0.5, "", names.RecRestore, promql.InWindow())},
				{Name: "security impact", Expr: query.Quantile(0.5, "", names.RecRestore, promql.InWindow(), promql.Is("security_impact", names.Affirmative))},
			},
		},
	}
}

// approvalQueries are a query per way of passing release control.
func approvalQueries(by string) []panel.Query {
	var list []panel.Query
	for _, t := range approvalTexts() {
		list = append(list, panel.Query{Name: t.Text, Colour: t.Colour, Expr: query.CountedBy(by, names.RecDeployments, []string{promql.Is("approval", t.Value)}, promql.InWindow(), query.Production())})
	}
	return list
}

func doraFrequency() []panel.Panel {
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.DORAFrequency), Title: "Deployments by release control", Look: panel.Bars, W: 8, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Production deployments of the window by business unit and by how they passed release control.",
			Source: names.DeploymentsIn + ".", Act: "a unit that deploys most and bypasses most has found the control in its way: mend the control.", Empty: "Deployments were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("bypassed"), panel.Descending("none")}, Queries: approvalQueries("business_unit"),
		},
		{
			ID: 11, Answers: packrow.List(packrow.DORAFrequency), Title: "Do the teams that deploy most keep to the controls?", Look: panel.Table, W: 10, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Teams by production deployments of the window, and the share of these that was approved.",
			Source: names.DeploymentsIn + ".", Act: "start with the first team whose share is red: it ships most past the control.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Deployments", Expr: query.Counted("business_unit, team", names.RecDeployments, promql.InWindow(), query.Production()) + " > 0"},
				{Name: "Approved", Expr: query.Share("business_unit, team", names.RecDeployments, []string{promql.Is("approval", "approved")}, promql.InWindow(), query.Production())},
				{Name: "Bypassed", Expr: query.Counted("business_unit, team", names.RecDeployments, promql.InWindow(), query.Production(), promql.Is("approval", "bypassed"))},
			},
			Columns: []panel.Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, panel.Column{Field: "Deployments", Title: "Deployments", Zero: "–", Width: 130}.AsBar(),
				{Field: "Approved", Title: "Approved", Unit: "percentunit", Steps: panel.Towards(settings.ApprovalTarget), Shade: true, Zero: "not known", Width: 95}, countColumn("Bypassed", 1).Wide(90),
			},
			Sort: []panel.Sort{panel.Descending("Deployments")},
		},
		{
			ID: 12, Answers: packrow.List(packrow.DORAFrequency), Title: "Deployments per week", Look: panel.Lines, W: 6, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Production deployments in the seven days before each moment, by how they passed release control. It fills as Prometheus gathers history.",
			Source: names.DeploymentsTotal + ".", Act: "more deployments with the same number of bypasses is progress; both rising together is not.", Empty: "There is no history yet",
			KeyTexts: approvalTexts(), Queries: []panel.Query{{Name: "Deployments", Expr: query.DeploymentsPerWeek(), Legend: "{{approval}}"}},
		},
	}
}

func doraLead() []panel.Panel {
	var queries []panel.Query
	for _, t := range reviewTexts() {
		queries = append(queries, panel.Query{Name: t.Text, Colour: t.Colour, Expr: promql.Filled(query.Observations("business_unit", names.RecLead, promql.InWindow(), promql.Is("security_review", t.Value)), query.Observations("business_unit", names.RecLead, promql.InWindow()))})
	}
	return []panel.Panel{
		{
			ID: 20, Answers: packrow.List(packrow.DORALeadTime), Title: "When did security look at a change?", Look: panel.Bars, W: 9, H: 9, Unit: "none", Steps: panel.Plain(),
			Means: "Changes that went live in the window by business unit and by when security looked at them: early, late (after the approval, or in the last part of the lead time), " +
				"not at all, or nobody can say." + notByTier,
			Source: names.LeadTimeIn + ".", Act: "late: invite security to the design; none: is there a paved road that makes a review unnecessary?", Empty: "Changes were not read yet",
			Key: "business_unit", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("late"), panel.Descending("no review")}, Queries: queries,
		},
		{
			ID: 21, Answers: packrow.List(packrow.DORALeadTime), Title: "Does a late review cost time?", Look: panel.Ranking, W: 6, H: 9, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Median lead time of the changes of the window by when security looked at them." + notByTier,
			Source: names.LeadTimeIn + ".", Empty: panel.NoneOrUnread, KeyTexts: reviewTexts(),
			Queries: []panel.Query{{Name: "Median", Expr: query.Quantile(0.5, "security_review", names.RecLead, promql.InWindow()), Legend: "{{security_review}}"}},
		},
		{
			ID: 22, Answers: packrow.List(packrow.DORALeadTime), Title: "Median lead time by business unit", Look: panel.Ranking, W: 9, H: 9, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Half of the business unit's changes of the window took no longer than this from first commit to production." + notByTier,
			Source: names.LeadTimeIn + ".", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median", Expr: "sort_desc(" + query.Quantile(0.5, "business_unit", names.RecLead, promql.InWindow()) + ")", Legend: "{{business_unit}}"}},
		},
	}
}

func doraFailures() []panel.Panel {
	var queries []panel.Query
	for _, t := range causeTexts() {
		queries = append(queries, panel.Query{Name: t.Text, Colour: t.Colour, Expr: query.CountedBy("business_unit", names.RecFailures, []string{promql.Is("cause", t.Value)}, promql.InWindow())})
	}
	return []panel.Panel{
		{
			ID: 30, Answers: packrow.List(packrow.DORAFailures), Title: "Why did changes fail?", Look: panel.Bars, W: 9, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Failed changes of the window by business unit and cause: an incident behind it says that an avoidable gap in a control caused it, one says that none did, or nobody says.",
			Source: names.ChangeFailuresIn + ".", Act: "failures from control gaps have a control to mend; grey ones need a cause in the incident's ticket.", Empty: "Changes were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("control gap"), panel.Descending("another cause")}, Queries: queries,
		},
		{
			ID: 31, Answers: packrow.List(packrow.DORAFailures), Title: "Change failure rate by team", Look: panel.Table, W: 9, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Teams by the share of their changes to production of the window that failed; teams with at least five changes.",
			Source: names.ChangeFailuresIn + " and " + names.ChangesIn + ".", Act: "look at what failed before slowing anybody down.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Failed", Expr: "(" + query.FailureRate("business_unit, team") + ")\nand\n" + query.Counted("business_unit, team", names.RecChanges, promql.InWindow()) + " >= 5"},
				{Name: "Changes", Expr: query.Counted("business_unit, team", names.RecChanges, promql.InWindow()) + " >= 5"},
			},
			Columns: []panel.Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, {Field: "Changes", Title: "Changes", Width: 85},
				{Field: "Failed", Title: "Failed", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.15, panel.Warning), panel.From(0.3, panel.Bad)}, Shade: true, Width: 90, Zero: "none"},
			},
			Sort: []panel.Sort{panel.Descending("Failed")},
		},
		{
			ID: 32, Answers: packrow.List(packrow.DORAFailures), Title: "Change failure rate over time", Look: panel.Lines, W: 6, H: 9, Unit: "percentunit", Steps: panel.Plain(),
			Means:  "Failed changes among all changes of the window before each moment, whole programme. It fills as Prometheus gathers history.",
			Source: names.ChangeFailuresIn + " and " + names.ChangesIn + " (rules " + names.RecFailures + ", " + names.RecChanges + ").", Act: "compare with deployments per week: a rate that rises with the pace is the pace's price.",
			Empty: "There is no history yet", Queries: []panel.Query{{Name: "failed", Expr: query.FailureRate(""), Colour: panel.Neutral}, {Name: "control gap", Expr: query.FailureRate("", promql.Is("cause", "control_gap")), Colour: panel.Bad}},
		},
	}
}

func doraRestore() []panel.Panel {
	ranges := func(q float64) panel.Query {
		return panel.Query{Name: map[float64]string{0.5: "Median", 0.9: "90 %"}[q], Expr: query.Quantile(q, "security_impact", names.RecRestore, promql.InWindow())}
	}
	return []panel.Panel{
		{
			ID: 40, Answers: packrow.List(packrow.DORARestore), Title: "How long do incidents last, by impact on security?", Look: panel.Table, W: 9, H: 8, Unit: "none", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Half of the incidents that ended in the window lasted no longer than the median, nine in ten no longer than the 90th percentile." + notByTier,
			Source: names.RestoreIn + ".", Act: "security incidents that last longer than others lack practice or access.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Incidents", Expr: query.Observations("security_impact", names.RecRestore, promql.InWindow())}, ranges(0.5), ranges(0.9)},
			Columns: []panel.Column{
				{Field: "security_impact", Title: "Impact on security", Texts: impactTexts()}, {Field: "Incidents", Title: "Incidents", Width: 90},
				{Field: "Median", Title: "Median", Unit: "s", Zero: "–"}, {Field: "90 %", Title: "90 %", Unit: "s", Zero: "–"},
			},
			Sort: []panel.Sort{panel.Descending("Incidents")},
		},
		{
			ID: 41, Answers: packrow.List(packrow.DORARestore), Title: "Median time to restore by business unit", Look: panel.Ranking, W: 8, H: 8, Unit: "s", Decimals: panel.Number(1), Steps: []panel.Step{panel.Below(panel.Good), panel.From(4*3600, panel.Warning), panel.From(24*3600, panel.Bad)},
			Means:  "Half of the unit's incidents that ended in the window lasted no longer than this." + notByTier,
			Source: names.RestoreIn + ".", Act: "a day and more: can the unit roll back? Delivery trust says who exercised it.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median", Expr: "sort_desc(" + query.Quantile(0.5, "business_unit", names.RecRestore, promql.InWindow()) + ")", Legend: "{{business_unit}}"}},
		},
		{
			ID: 42, Answers: packrow.List(packrow.DORARestore), Title: "Incidents and what they are blamed on", Look: panel.Ranking, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Incidents opened in the window: blamed on a deployment, or on none that could have caused them.",
			Source: names.IncidentsIn + ".", Empty: panel.NoneOrUnread,
			KeyTexts: []panel.Text{{Value: "deployment", Text: "a deployment", Colour: panel.Warning}, {Value: "unattributed", Text: "no deployment", Colour: panel.Neutral}},
			Queries:  []panel.Query{{Name: "Incidents", Expr: query.Counted("attribution", names.RecIncidents, promql.InWindow()), Legend: "{{attribution}}"}},
		},
	}
}
