package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

func trendBoard() panel.Board {
	return panel.Board{
		UID: names.BoardTrend, File: "trend-quality.json", Title: "Trend quality",
		Question: "Are numbers improving because security is healthier, or because we changed counting?",
		Rows: []panel.Row{
			{ID: 100, Question: "How much of the change was remediation?", Panels: trendHeadlines()},
			{ID: 200, Question: "What moved the number of open criticals and highs?", Panels: trendFlows()},
			{ID: 300, Question: "How were findings closed, and were tools right?", Panels: trendClosures()},
			{ID: 400, Question: "Did counting change, or what is counted?", Panels: trendCounting()},
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
	remediated := headline(4, "Of all that left, fixed", "Share of the criticals and highs that left the open ones in the window by being fixed. The rest was dismissed, moved, re-counted or went out of view.",
		"below a half: read the closures by reason before calling a falling number progress.", panel.Towards(settings.RemediatedTarget), fixedShare(""))
	remediated.Unit = "percentunit"
	return []panel.Panel{
		headline(1, "Change in $window", "How many more open criticals and highs there are than at the start of the window: the sum of all signed events.",
			"read the next two numbers first: only they are about security.", panel.Falling(), promql.SumBy("", promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe()))),
		headline(2, "New less fixed", "What opened or came back, less what was fixed: the part of the change that is about risk and work.",
			"positive: intake is larger than remediation.", panel.Falling(), query.FlowsBy("", append([]string{"fixed"}, arrivals...)...)),
		headline(3, "Re-counted or dismissed", "The part of the change that is about counting and verdicts: scope, owner, severity, duplicates, dismissals.",
			"far from zero: the trend is not about security alone; the next rows say what it is about.",
			[]panel.Step{panel.Below(panel.Warning), panel.From(-20, panel.Neutral), panel.From(20, panel.Warning)}, query.FlowsBy("", append(dismissals, recounts...)...)),
		remediated,
	}
}

// fixedShare is the share of what left that was fixed.
func fixedShare(by string) string {
	left := append(append([]string{"fixed"}, dismissals...), recounts...)
	return "(" + promql.Filled(query.FlowsBy(by, "fixed"), query.FlowsBy(by, left...)) + ")\n/\n(" + promql.SumBy(by, promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe(), promql.In("event", left...))+" < 0") + " < 0)"
}

func trendFlows() []panel.Panel {
	flows := exposureFlows()[0]
	flows.ID, flows.W, flows.H, flows.Answers = 10, 13, 10, packrow.List(packrow.PackTrend, packrow.PackFlow)
	return []panel.Panel{
		flows,
		{
			ID: 11, Answers: packrow.List(packrow.PackTrend), Title: "Whose numbers moved, and why?", Look: panel.Table, W: 11, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Change of open criticals and highs in the window by business unit: new or back, fixed, dismissed, and re-counted (scope, owner, severity, duplicates).",
			Source: names.FindingFlow + ".", Act: "where re-counting is larger than fixing, correct the story that is told about the unit.", Empty: "Findings were not read yet",
			Queries: []panel.Query{
				{Name: "Change", Expr: query.ChangeInWindow("business_unit", critical, high)}, {Name: "New", Expr: query.FlowsBy("business_unit", arrivals...)},
				{Name: "Fixed", Expr: query.FlowsBy("business_unit", "fixed")}, {Name: "Dismissed", Expr: query.FlowsBy("business_unit", dismissals...)},
				{Name: "Re-counted", Expr: query.FlowsBy("business_unit", recounts...)},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Change", Title: "Change", Steps: panel.Falling(), Zero: "–", Width: 80},
				{Field: "New", Title: "New", Zero: "–", Width: 70}, {Field: "Fixed", Title: "Fixed", Zero: "–", Width: 75},
				{Field: "Dismissed", Title: "Dismissed", Zero: "–", Width: 95}, {Field: "Re-counted", Title: "Re-counted", Zero: "–", Width: 100},
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
			ID: 20, Answers: packrow.List(packrow.PackTrend), Title: "How were criticals and highs closed?", Look: panel.Bars, W: 12, H: 9, Unit: "none", Steps: panel.Plain(),
			Means: "Criticals and highs that left in the window, by business unit and reason. Only \"fixed\" is remediation.", Source: names.FindingFlow + ".",
			Act: "a unit that dismisses more than it fixes: sample twenty and look whether they were wrong.", Empty: panel.NoneOrUnread,
			Key: "business_unit", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("won't fix"), panel.Descending("false positive")},
			Queries: []panel.Query{
				closing("fixed", panel.Good, "fixed"), closing("false positive", panel.SkyBlue, "dismissed_false_positive"), closing("won't fix", panel.Bad, "dismissed_wont_fix"),
				closing("other dismissals", panel.Waived, "dismissed_used_in_tests", "dismissed_other"), closing("duplicate or out of scope", panel.Unknown, "duplicate", "out_of_scope"),
			},
		},
		{
			ID: 21, Answers: packrow.List(packrow.PackFriction, packrow.PackTrend), Title: "How often are tools wrong?", Look: panel.Table, W: 12, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Verdicts of the window on what each tool reported first: confirmed (fixed, or left in place by somebody who took it for real) or a false positive. Not restricted by the choices above.",
			Source: names.FalsePositives + ".", Act: "above a third, tune the rules or drop them: people stop reading.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Wrong", Expr: promql.MaxBy("class, source", promql.Series(names.RecWrongRatio, promql.InWindow()))},
				{Name: "Judged", Expr: promql.SumBy("class, source", promql.Series(names.RecWrong, promql.InWindow())) + " > 0"},
			},
			Columns: []panel.Column{
				{Field: "source", Title: "Tool"}, {Field: "class", Title: "Class", Width: 100}, {Field: "Judged", Title: "Judged", Zero: "–", Width: 80},
				{Field: "Wrong", Title: "Wrong", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.2, panel.Warning), panel.From(0.35, panel.Bad)}, Shade: true, Zero: "none judged", Width: 110},
			},
			Sort: []panel.Sort{panel.Descending("Wrong")},
		},
	}
}

func trendCounting() []panel.Panel {
	return []panel.Panel{
		{
			ID: 30, Answers: packrow.List(packrow.PackTrend), Title: "What changed in how we count?", Look: panel.Ranking, W: 6, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: []panel.Step{panel.Below(panel.Neutral), panel.From(1, panel.Warning)},
			Means: "Changes of counting that the ledger knows of since it was founded, by kind. Whole programme.", Source: names.CountingChanges + ".",
			Act: "the exporter's log says what each was; numbers before and after are not alike.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Changes", Expr: "sort_desc(" + promql.SumBy("kind", promql.Once(names.CountingChanges)) + ")", Legend: "{{kind}}"}},
		},
		{
			ID: 31, Answers: packrow.List(packrow.PackTrend), Title: "What is looked at, over time", Look: panel.Lines, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "The denominators: services, repositories, scanners and projects. A rate that moves while its denominator moves needs a second look.",
			Source: names.ScopeSize + ".", Act: "a step is a scope that was added or lost.", Empty: "There is no history yet",
			KeyTexts: coloured([]panel.Text{{Value: "services", Text: "services"}, {Value: "repositories", Text: "repositories"}, {Value: "scanners", Text: "scanners"}, {Value: "projects", Text: "projects"}}, panel.Blue, panel.Orange, panel.Green, panel.Purple),
			Queries:  []panel.Query{{Name: "Size", Expr: promql.MaxBy("kind", promql.Once(names.ScopeSize)), Legend: "{{kind}}"}},
		},
		{
			ID: 32, Answers: packrow.List(packrow.PackTrend), Title: "Counting changes over time", Look: panel.Lines, W: 5, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Changes of counting of the seven days before each moment. Look for them beside every step of another line.",
			Source: names.CountingChanges + ".", Act: "note each beside the report of its week.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "changes", Expr: query.IncreaseOver("", names.CountingChanges, "7d"), Colour: panel.Warning}},
		},
		foldedReports(), restatedPanel(),
	}
}

// restatedPanel says what changes of counting did to the headline numbers.
func restatedPanel() panel.Panel {
	return panel.Panel{
		ID: 34, Answers: packrow.List(packrow.PackTrend), Title: "What did changes of counting alone do to the headlines?", Look: panel.Table, W: 24, H: 7, Unit: "none", Steps: panel.Plain(),
		Means: "For the last change of each cause: the headline under the new rules less the headline under the old ones, at the same instant and over the same records. " +
			"Absent while counting has never changed.",
		Source: names.RestatedBy + ".", Act: "take it off before comparing with a report from before the change.", Empty: "None, or counting never changed: not known to have",
		Queries: []panel.Query{{Name: "Moved by", Expr: promql.MaxBy("metric, cause", promql.Once(names.RestatedBy))}},
		Columns: []panel.Column{{Field: "cause", Title: "Cause"}, {Field: "metric", Title: "Headline"}, {Field: "Moved by", Title: "Moved by", Width: 150}},
		Sort:    []panel.Sort{panel.Ascending("Cause")},
	}
}

// foldedReports is the panel about duplicates on this board.
func foldedReports() panel.Panel {
	p := foldedPanel()
	p.ID, p.H = 33, 8
	return p
}
