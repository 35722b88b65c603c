package boards

import (
	"slices"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
)

func doraBoard() panel.Board {
	return panel.Board{
		UID: names.BoardDORA, File: "dora.json", Title: "DORA with a security lens",
		Question: "Do we deliver fast and safely?",
		Rows: []panel.Row{
			{ID: 100, Question: "The four DORA keys with their security lens", Panels: doraHeadlines()},
			{ID: 200, Question: "Deployment frequency: do faster teams still use approved release controls?", Panels: doraFrequency()},
			{ID: 300, Question: "Lead time: are security reviews early or last-minute?", Panels: doraLead()},
			{ID: 400, Question: "Change failures: how many came from avoidable control gaps?", Panels: doraFailures()},
			{ID: 500, Question: "Restoring service: can we recover from security-impacting releases quickly?", Panels: doraRestore()},
			qualityRow(),
		},
	}
}

// notByTier says which choices a panel does not follow.
const notByTier = " Not filtered by team and trust tier."

func doraHeadlines() []panel.Panel {
	stat := func(id uint32, w uint32, rows []packrow.Row, title, means, source, act string, queries ...[]panel.Query) panel.Panel {
		return panel.Panel{
			ID: id, Answers: rows, Title: title, Look: panel.Stat, W: w, H: 5, Unit: "none", Decimals: panel.Number(1), Lines: true, Steps: panel.Plain(), Means: means, Source: source, Act: act, Empty: "not known",
			Queries: slices.Concat(queries...),
		}
	}
	seconds := func(name string, matchers ...string) []panel.Query {
		return []panel.Query{{Name: name, Expr: query.Quantile(0.5, "", names.RecRestore, append(matchers, promql.InWindow())...), Unit: "s"}}
	}
	return []panel.Panel{
		stat(1, 5, packrow.List(packrow.DORAFrequency), "Production deployments",
			"Successful production deployments in the window, and the share of them that was approved. Unknown counts against it.",
			names.DeploymentsIn+".", "the second row names the business units; repeated bypasses indicate a missing golden path.",
			[]panel.Query{{Name: "in $window", Expr: query.Counted("", names.RecDeployments, promql.InWindow(), query.Production()), Decimals: panel.Number(0)}},
			comparedQueries("approved", query.RatioOf("", names.RecDeployments, []string{promql.Is("approval", "approved")}, promql.InWindow(), query.Production()), policy.ObjectiveApproval)),
		stat(2, 5, packrow.List(packrow.DORALeadTime), "Lead time for changes",
			"Median time from first commit to production of the changes deployed in the window. Share whose security review was late or missing, as a range: changes with an unknown review count as in "+
				"time at its lower end and as late at its upper end."+notByTier,
			names.LeadTimeIn+".", "late reviews block releases at the last minute: start them at design time.",
			[]panel.Query{{Name: "median", Expr: query.Quantile(0.5, "", names.RecLead, promql.InWindow()), Unit: "s"}, {Name: "of", Expr: query.Observations("", names.RecLead, promql.InWindow()), Decimals: panel.Number(0), Colour: panel.Unknown}},
			rangeQueries("reviewed late", query.ReviewedLate("", "late"), 0.1, 0.25), rangeQueries("late or no review", query.ReviewedLate("", "late", "none"), 0.25, 0.5)),
		stat(3, 5, packrow.List(packrow.DORAFailures), "Change failure rate",
			"Failed changes among all changes to production in the window. Share that failed because of an avoidable control gap, as a range: failures of unknown cause count at its upper end. Without a source "+
				"of incidents the rate is a lower bound and causes are unknown; while a source that was read before is not read, both are unknown.",
			names.ChangeFailuresIn+" and "+names.ChangesIn+".", "failures attributed to control gaps are what security can prevent; the fourth row names the business units.",
			failureQueries(), rangeQueries("from a control gap", query.FailedByControlGap(""), 0.02, 0.05)),
		stat(5, 4, packrow.List(packrow.DORAFailures), "Deployment rework rate",
			"Production deployments of the window that a failure in production made necessary: rollbacks, and deployments while an incident of the service was open. While incidents are not read, it is unknown whether "+
				"deployments other than rollbacks are rework.",
			names.ReworkIn+".", "rework competes with planned work: fix what fails most often first.",
			rangeQueries("rework", query.Rework(""), 0.1, 0.2),
			[]panel.Query{{Name: "of", Expr: query.Counted("", names.RecRework, promql.InWindow()), Decimals: panel.Number(0), Colour: panel.Unknown}}),
		stat(4, 5, packrow.List(packrow.DORARestore), "Time to restore",
			"Median time from opened to restored of the incidents restored in the window: all of them, and those with security impact."+notByTier,
			names.RestoreIn+".", "if security incidents take longer, exercise rollback and emergency access first.",
			seconds("median"), seconds("security impact", promql.Is("security_impact", names.Affirmative)),
			[]panel.Query{{Name: "of", Expr: query.Observations("", names.RecRestore, promql.InWindow()), Decimals: panel.Number(0), Colour: panel.Unknown}}),
	}
}

// failureQueries show the change failure rate, or that it is a lower bound, or that it is not known.
func failureQueries() []panel.Query {
	rate := query.FailureRatio("")
	return []panel.Query{
		{Name: "failed", Expr: "(" + rate.Enough() + ")\nand\n(" + query.IncidentsRead("") + ")", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.15, panel.Warning), panel.From(0.3, panel.Bad)}},
		{Name: "failed, of too few", Legend: "failed", Expr: "(" + rate.Few() + ")\nand\n(" + query.IncidentsRead("") + ")", Unit: "percentunit", Colour: panel.Unknown},
		{
			Name: "failed, at least", Expr: "(" + rate.Expr() + ")\nunless\n(" + query.IncidentsRead("") + ")", Unit: "percentunit",
			Steps: []panel.Step{panel.Below(panel.Unknown), panel.From(0.15, panel.Warning), panel.From(0.3, panel.Bad)},
		},
		{Name: "of changes", Expr: rate.Whole, Decimals: panel.Number(0), Colour: panel.Unknown},
		{Name: "incident scopes not read", Expr: query.UnreadIncidents(), Decimals: panel.Number(0), Colour: panel.Unknown},
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
	approved := query.RatioOf("business_unit, team", names.RecDeployments, []string{promql.Is("approval", "approved")}, promql.InWindow(), query.Production())
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.DORAFrequency), Title: "Deployments by release approval", Look: panel.Bars, W: 8, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Production deployments of the window by business unit and release approval.",
			Source: names.DeploymentsIn + ".", Act: "a unit with many deployments and many bypasses: the control obstructs delivery, so change the control.", Empty: "Deployments were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("bypassed"), panel.Descending("none")}, Queries: approvalQueries("business_unit"),
		},
		{
			ID: 11, Answers: packrow.List(packrow.DORAFrequency), Title: "Release approval of the teams that deploy most", Look: panel.Table, W: 10, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Teams by production deployments of the window, the share of these that was approved, and that share against the policy's target, in percentage points.",
			Source: names.DeploymentsIn + " and " + names.TargetRatio + ".", Act: "start with the first team whose share is red: it deploys most without approval.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Deployments", Expr: approved.Whole + " > 0"}, {Name: "Approved", Expr: approved.Expr()}, {Name: "Against target", Expr: approved.Against(policy.ObjectiveApproval)},
				{Name: "Bypassed", Expr: query.Counted("business_unit, team", names.RecDeployments, promql.InWindow(), query.Production(), promql.Is("approval", "bypassed"))},
			},
			Columns: []panel.Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, panel.Column{Field: "Deployments", Title: "Deployments", Zero: "–", Width: 120}.AsBar(),
				{Field: "Approved", Title: "Approved", Unit: "percentunit", Zero: "not known", Width: 80}, againstColumn("Against target").Wide(108), countColumn("Bypassed", 1).Wide(80),
			},
			Sort: []panel.Sort{panel.Descending("Deployments")},
		},
		{
			ID: 12, Answers: packrow.List(packrow.DORAFrequency), Title: "Deployments over time", Look: panel.Lines, W: 6, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Production deployments in the window before each moment, by release approval, exact. As far back as Prometheus has history.",
			Source: names.DeploymentsIn + " (rule " + names.RecDeployments + ").", Act: "more deployments with the same number of bypasses is progress; both rising together is not.", Empty: "There is no history yet",
			KeyTexts: approvalTexts(), Queries: []panel.Query{{Name: "Deployments", Expr: query.DeploymentsInWindow(), Legend: "{{approval}}"}},
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
			ID: 20, Answers: packrow.List(packrow.DORALeadTime), Title: "Timing of security reviews", Look: panel.Bars, W: 9, H: 9, Unit: "none", Steps: panel.Plain(),
			Means: "Changes deployed in the window by business unit and timing of the security review: early, late (after the approval, or in the last part of the lead time), " +
				"none, or unknown." + notByTier,
			Source: names.LeadTimeIn + ".", Act: "late: involve security at design time; none: check whether a golden path makes a review unnecessary.", Empty: "Changes were not read yet",
			Key: "business_unit", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("late"), panel.Descending("no review")}, Queries: queries,
		},
		{
			ID: 21, Answers: packrow.List(packrow.DORALeadTime), Title: "Median lead time by timing of the security review", Look: panel.Ranking, W: 6, H: 9, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Median lead time of the changes deployed in the window, by timing of the security review." + notByTier,
			Source: names.LeadTimeIn + ".", Empty: panel.NoneOrUnread, KeyTexts: reviewTexts(),
			Queries: []panel.Query{{Name: "Median", Expr: query.Quantile(0.5, "security_review", names.RecLead, promql.InWindow()), Legend: "{{security_review}}"}},
		},
		{
			ID: 22, Answers: packrow.List(packrow.DORALeadTime), Title: "Median lead time by business unit", Look: panel.Ranking, W: 9, H: 9, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Median time from first commit to production of the business unit's changes deployed in the window." + notByTier,
			Source: names.LeadTimeIn + ".", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median", Expr: "sort_desc(" + query.Quantile(0.5, "business_unit", names.RecLead, promql.InWindow()) + ")", Legend: "{{business_unit}}"}},
		},
	}
}

func doraFailures() []panel.Panel {
	teams, programme, gap := query.FailureRatio("business_unit, team"), query.FailureRatio(""), query.FailedByControlGap("")
	var queries []panel.Query
	for _, t := range causeTexts() {
		queries = append(queries, panel.Query{Name: t.Text, Colour: t.Colour, Expr: query.CountedBy("business_unit", names.RecFailures, []string{promql.Is("cause", t.Value)}, promql.InWindow())})
	}
	return []panel.Panel{
		{
			ID: 30, Answers: packrow.List(packrow.DORAFailures), Title: "Why did changes fail?", Look: panel.Bars, W: 9, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "Failed changes of the window by business unit and cause, as the attributed incident records it: an avoidable control gap, another cause, or unknown.",
			Source: names.ChangeFailuresIn + ".", Act: "fix the controls behind control-gap failures; for grey ones record the cause in the incident ticket.", Empty: "Changes were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("control gap"), panel.Descending("another cause")}, Queries: queries,
		},
		{
			ID: 31, Answers: packrow.List(packrow.DORAFailures), Title: "Change failure rate by team", Look: panel.Table, W: 9, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Teams with at least policy.targets.minimum_outcomes changes, by change failure rate in the window. Not known: no source of incidents was read, or one is not read any more. At least: failures " +
				"that are known without incidents (failed deployments, rollbacks).",
			Source: names.ChangeFailuresIn + " and " + names.ChangesIn + ".", Act: "analyse the failures before reducing the deployment pace.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Failed", Expr: teams.Enough() + "\nand\n(" + query.IncidentsRead("business_unit, team") + ")"},
				{Name: "At least", Expr: teams.Enough() + "\nunless\n(" + query.IncidentsRead("business_unit, team") + ")"},
				{Name: "Changes", Expr: teams.Whole + " >= on () group_left () " + promql.MinimumOutcomes()},
			},
			Columns: []panel.Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, {Field: "Changes", Title: "Changes", Width: 80},
				{Field: "Failed", Title: "Failed", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.15, panel.Warning), panel.From(0.3, panel.Bad)}, Shade: true, Width: 90, Zero: "not known"},
				{Field: "At least", Title: "At least", Unit: "percentunit", Width: 80, Zero: "–"},
			},
			Sort: []panel.Sort{panel.Descending("Failed"), panel.Descending("Changes")},
		},
		{
			ID: 32, Answers: packrow.List(packrow.DORAFailures), Title: "Change failure rate over time", Look: panel.Lines, W: 6, H: 9, Unit: "percentunit", Steps: panel.Plain(),
			Means: "Failed changes among all changes of the window before each moment, and the range of those that failed for a control gap. Without a source of incidents the rate is a lower bound. As far back as " +
				"Prometheus has history.",
			Source: names.ChangeFailuresIn + " and " + names.ChangesIn + " (rules " + names.RecFailures + ", " + names.RecChanges + ").", Act: "compare with deployments over time: a rate that rises with frequency is a cost of frequency.",
			Empty: "There is no history yet", Queries: []panel.Query{
				{Name: "failed", Expr: "(" + programme.Expr() + ")\nand\n(" + query.IncidentsRead("") + ")", Colour: panel.Neutral},
				{Name: "failed, at least", Expr: "(" + programme.Expr() + ")\nunless\n(" + query.IncidentsRead("") + ")", Colour: panel.Unknown},
				{Name: "control gap, at least", Expr: gap.Low.Expr(), Colour: panel.Bad}, {Name: "control gap, at most", Expr: gap.High.Expr(), Colour: panel.Warning},
			},
		},
	}
}

func doraRestore() []panel.Panel {
	ranges := func(q float64) panel.Query {
		return panel.Query{Name: map[float64]string{0.5: "Median", 0.9: "90 %"}[q], Expr: query.Quantile(q, "security_impact", names.RecRestore, promql.InWindow())}
	}
	return []panel.Panel{
		{
			ID: 40, Answers: packrow.List(packrow.DORARestore), Title: "Time to restore, by security impact", Look: panel.Table, W: 9, H: 8, Unit: "none", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means:  "Median and 90th percentile of the time to restore, for incidents restored in the window." + notByTier,
			Source: names.RestoreIn + ".", Act: "security incidents that last longer than others indicate missing practice or access.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Incidents", Expr: query.Observations("security_impact", names.RecRestore, promql.InWindow())}, ranges(0.5), ranges(0.9)},
			Columns: []panel.Column{
				{Field: "security_impact", Title: "Security impact", Texts: impactTexts()}, {Field: "Incidents", Title: "Incidents", Width: 90},
				{Field: "Median", Title: "Median", Unit: "s", Zero: "–"}, {Field: "90 %", Title: "90 %", Unit: "s", Zero: "–"},
			},
			Sort: []panel.Sort{panel.Descending("Incidents")},
		},
		{
			ID: 41, Answers: packrow.List(packrow.DORARestore), Title: "Median time to restore by business unit", Look: panel.Ranking, W: 8, H: 8, Unit: "s", Decimals: panel.Number(1), Steps: []panel.Step{panel.Below(panel.Good), panel.From(4*3600, panel.Warning), panel.From(24*3600, panel.Bad)},
			Means:  "Median time to restore of the business unit's incidents restored in the window." + notByTier,
			Source: names.RestoreIn + ".", Act: "over a day: check the unit's rollback readiness on Delivery trust.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median", Expr: "sort_desc(" + query.Quantile(0.5, "business_unit", names.RecRestore, promql.InWindow()) + ")", Legend: "{{business_unit}}"}},
		},
		{
			ID: 42, Answers: packrow.List(packrow.DORARestore), Title: "Incidents by attribution", Look: panel.Ranking, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Incidents opened in the window: attributed to a deployment, or to none.",
			Source: names.IncidentsIn + ".", Empty: panel.NoneOrUnread,
			KeyTexts: []panel.Text{{Value: "deployment", Text: "a deployment", Colour: panel.Warning}, {Value: "unattributed", Text: "no deployment", Colour: panel.Neutral}},
			Queries:  []panel.Query{{Name: "Incidents", Expr: query.Counted("attribution", names.RecIncidents, promql.InWindow()), Legend: "{{attribution}}"}},
		},
	}
}
