package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
)

func trendBoard() panel.Board {
	return panel.Board{
		UID: names.BoardTrend, File: "trend-quality.json", Title: "Trend quality",
		Question: "Do numbers improve because security is healthier, or because counting changed?",
		Rows: []panel.Row{
			{ID: 100, Question: "How much of the change was remediation?", Panels: trendHeadlines()},
			{ID: 200, Question: "What moved the number of open criticals and highs?", Panels: trendFlows()},
			{ID: 300, Question: "Closures and tool accuracy", Panels: trendClosures()},
			{ID: 400, Question: "Did counting, or what is counted, change?", Panels: trendCounting()},
			qualityRow(),
		},
	}
}

// The events by what they say: remediation, a verdict, or a change of what is looked at and how.
var (
	arrivals   = []string{"opened", "reopened"}
	dismissals = []string{"dismissed_false_positive", "dismissed_wont_fix", "dismissed_used_in_tests", "dismissed_other"}
	recounts   = []string{
		"scope_gained", "scope_lost", "moved_in", "moved_out", "severity_raised", "severity_lowered", "severity_left", "out_of_scope", "duplicate",
	}
)

func trendHeadlines() []panel.Panel {
	headline := func(id uint32, title, means, act string, steps []panel.Step, query string) panel.Panel {
		return panel.Panel{
			ID: id, Answers: packrow.List(packrow.PackTrend), Title: title, Look: panel.Stat, W: 6, H: 4, Unit: "none", Decimals: panel.Number(0), Steps: steps, Means: means,
			Source: names.FindingFlow + ", signed (rule " + names.RecFlow + ").", Act: act, Empty: "not known", Queries: []panel.Query{{Name: title, Expr: query}},
		}
	}
	remediated := headline(4, "Share closed by remediation", "Share of the criticals and highs closed in the window that were fixed. The rest was dismissed, moved, recounted or went out of view.",
		"below a half: check the closures by reason before reporting a decrease as progress.", panel.Plain(), "")
	remediated.Lines, remediated.Queries = true, ratioQueries("fixed", fixedRatio(""), policy.ObjectiveRemediation)
	return []panel.Panel{
		headline(1, "Change in $window", "Change in open criticals and highs since the start of the window: the sum of all signed events.",
			"the next two numbers split it into risk and counting.", panel.Falling(), promql.SumBy("", promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe()))),
		headline(2, "Opened minus fixed", "Opened or reopened minus fixed: the part of the change that reflects risk and remediation.",
			"positive: intake is larger than remediation.", panel.Falling(), query.FlowsBy("", append([]string{"fixed"}, arrivals...)...)),
		headline(3, "Recounted or dismissed", "The part of the change that reflects counting and triage: scope, owner, severity, duplicates, dismissals.",
			"far from zero: the trend does not reflect security alone; see the next rows.",
			[]panel.Step{panel.Below(panel.Warning), panel.From(-20, panel.Neutral), panel.From(20, panel.Warning)}, query.FlowsBy("", append(dismissals, recounts...)...)),
		remediated,
	}
}

// fixedRatio is what was fixed of what left. Both are negative in the signed flow.
func fixedRatio(by string) query.Ratio {
	left := append(append([]string{"fixed"}, dismissals...), recounts...)
	closed := promql.SumBy(by, promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe(), promql.In("event", left...))+" < 0")
	return query.Ratio{Part: "(0 - (" + promql.Filled(query.FlowsBy(by, "fixed"), query.FlowsBy(by, left...)) + "))", Whole: "(0 - " + closed + ")"}
}

func trendFlows() []panel.Panel {
	flows := exposureFlows()[0]
	flows.ID, flows.W, flows.H, flows.Answers = 10, 13, 10, packrow.List(packrow.PackTrend, packrow.PackFlow)
	return []panel.Panel{
		flows,
		{
			ID: 11, Answers: packrow.List(packrow.PackTrend), Title: "Change by business unit and cause", Look: panel.Table, W: 11, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Change of open criticals and highs in the window by business unit: opened or reopened, fixed, dismissed, and recounted (scope, owner, severity, duplicates).",
			Source: names.FindingFlow + ".", Act: "where recounting exceeds fixing, do not report the change as remediation.", Empty: "Findings were not read yet",
			Queries: []panel.Query{
				{Name: "Change", Expr: query.ChangeInWindow("business_unit", critical, high)}, {Name: "New", Expr: query.FlowsBy("business_unit", arrivals...)},
				{Name: "Fixed", Expr: query.FlowsBy("business_unit", "fixed")}, {Name: "Dismissed", Expr: query.FlowsBy("business_unit", dismissals...)},
				{Name: "Recounted", Expr: query.FlowsBy("business_unit", recounts...)},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Change", Title: "Change", Steps: panel.Falling(), Zero: "–", Width: 80},
				{Field: "New", Title: "New", Zero: "–", Width: 70}, {Field: "Fixed", Title: "Fixed", Zero: "–", Width: 75},
				{Field: "Dismissed", Title: "Dismissed", Zero: "–", Width: 95}, {Field: "Recounted", Title: "Recounted", Zero: "–", Width: 100},
			},
			Sort: []panel.Sort{panel.Descending("Change")},
		},
	}
}

func trendClosures() []panel.Panel {
	closing := func(name, colour string, events ...string) panel.Query {
		return panel.Query{Name: name, Colour: colour, Expr: promql.Filled("0 - "+query.FlowsBy("business_unit", events...), "0 * "+query.ChangeInWindow("business_unit", critical, high))}
	}
	return []panel.Panel{
		{
			ID: 20, Answers: packrow.List(packrow.PackTrend), Title: "Closures of criticals and highs by reason", Look: panel.Bars, W: 12, H: 9, Unit: "none", Steps: panel.Plain(),
			Means: "Criticals and highs closed in the window, by business unit and reason. Only \"fixed\" is remediation.", Source: names.FindingFlow + ".",
			Act: "if a unit dismisses more than it fixes, review a sample of twenty dismissals.", Empty: panel.NoneOrUnread,
			Key: "business_unit", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("won't fix"), panel.Descending("false positive")},
			Queries: []panel.Query{
				closing("fixed", panel.Good, "fixed"), closing("false positive", panel.SkyBlue, "dismissed_false_positive"), closing("won't fix", panel.Bad, "dismissed_wont_fix"),
				closing("other dismissals", panel.Waived, "dismissed_used_in_tests", "dismissed_other"), closing("duplicate or out of scope", panel.Unknown, "duplicate", "out_of_scope"),
			},
		},
		{
			ID: 21, Answers: packrow.List(packrow.PackFriction, packrow.PackTrend), Title: "False-positive rate of tools", Look: panel.Table, W: 12, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Triage results of the window, by the tool that found the weakness first: confirmed (fixed or accepted as real) or false positive. Not filtered by the variables above.",
			Source: names.FalsePositives + ".", Act: "above a third: tune or remove the rules.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "False positive", Expr: promql.MaxBy("class, source", promql.Series(names.RecWrongRatio, promql.InWindow()))},
				{Name: "Judged", Expr: promql.SumBy("class, source", promql.Series(names.RecWrong, promql.InWindow())) + " > 0"},
			},
			Columns: []panel.Column{
				{Field: "source", Title: "Tool"}, {Field: "class", Title: "Class", Width: 100}, {Field: "Judged", Title: "Judged", Zero: "–", Width: 80},
				{Field: "False positive", Title: "False positive", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.2, panel.Warning), panel.From(0.35, panel.Bad)}, Shade: true, Zero: "none judged", Width: 110},
			},
			Sort: []panel.Sort{panel.Descending("False positive")},
		},
	}
}

func trendCounting() []panel.Panel {
	return []panel.Panel{
		{
			ID: 30, Answers: packrow.List(packrow.PackTrend), Title: "Counting changes by kind", Look: panel.Ranking, W: 6, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: []panel.Step{panel.Below(panel.Neutral), panel.From(1, panel.Warning)},
			Means: "Counting changes since the founding of the ledger, by kind. Whole programme.", Source: names.CountingChanges + ".",
			Act: "the exporter's log describes each; numbers before and after are not comparable.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Changes", Expr: "sort_desc(" + promql.SumBy("kind", promql.Once(names.CountingChanges)) + ")", Legend: "{{kind}}"}},
		},
		{
			ID: 31, Answers: packrow.List(packrow.PackTrend), Title: "Size of the programme over time", Look: panel.Lines, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "The denominators: services, repositories, scanners and projects. If a denominator changes, a ratio can change without a change in security.",
			Source: names.ScopeSize + ".", Act: "a step is a part of the programme that was added or removed.", Empty: "There is no history yet",
			KeyTexts: coloured([]panel.Text{{Value: "services", Text: "services"}, {Value: "repositories", Text: "repositories"}, {Value: "scanners", Text: "scanners"}, {Value: "projects", Text: "projects"}}, panel.Blue, panel.Orange, panel.Green, panel.Purple),
			Queries:  []panel.Query{{Name: "Size", Expr: promql.MaxBy("kind", promql.Once(names.ScopeSize)), Legend: "{{kind}}"}},
		},
		{
			ID: 32, Answers: packrow.List(packrow.PackTrend), Title: "Counting changes over time", Look: panel.Lines, W: 5, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Counting changes of the seven days before each moment. Compare them with steps in other lines.",
			Source: names.CountingChanges + ".", Act: "mention each in that week's leadership update.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "changes", Expr: query.IncreaseOver("", names.CountingChanges, "7d"), Colour: panel.Warning}},
		},
		foldedReports(), restatedPanel(),
	}
}

// restatedPanel says what changes of counting did to the headline numbers.
func restatedPanel() panel.Panel {
	return panel.Panel{
		ID: 34, Answers: packrow.List(packrow.PackTrend), Title: "Effect of counting changes on the headlines", Look: panel.Table, W: 24, H: 7, Unit: "none", Steps: panel.Plain(),
		Means: "For the last change of each cause: the headline under the new rules minus the headline under the old ones, at the same instant and over the same records. " +
			"Absent if counting never changed.",
		Source: names.RestatedBy + ".", Act: "subtract it before comparing with numbers from before the change.", Empty: "None, or not known: counting changes since the founding alone are recorded",
		Queries: []panel.Query{{Name: "Effect", Expr: promql.MaxBy("metric, cause", promql.Once(names.RestatedBy))}},
		Columns: []panel.Column{{Field: "cause", Title: "Cause"}, {Field: "metric", Title: "Headline"}, {Field: "Effect", Title: "Effect", Width: 150}},
		Sort:    []panel.Sort{panel.Ascending("Cause")},
	}
}

// foldedReports is the panel about duplicates on this board.
func foldedReports() panel.Panel {
	p := foldedPanel()
	p.ID, p.H = 33, 8
	return p
}
