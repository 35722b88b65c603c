package boards

import (
	"slices"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/record"
)

// frictionAgainstSafety puts what security costs delivery beside what delivery leaves open, for the programme and by business unit.
func frictionAgainstSafety() []panel.Panel {
	return []panel.Panel{frictionStat(), safetyStat(), frictionTable()}
}

// grantedShare is the share of the window's decided requests for an exception that were approved.
func grantedShare(by string) query.Ratio {
	return query.RatioOf(by, names.RecDecisionIn, []string{promql.Is("decision", "approved")}, promql.InWindow(), promql.In("le", `\+Inf`))
}

// falsePositives is the share of the window's triage results that were false positives, over all tools.
func falsePositives() query.Ratio {
	judged := func(matchers ...string) string {
		return promql.SumBy("", promql.Series(names.RecWrong, append(matchers, promql.InWindow())...))
	}
	return query.Ratio{Part: judged(promql.Is("status", "false_positive")), Whole: judged()}
}

func frictionStat() panel.Panel {
	wrong := falsePositives()
	return panel.Panel{
		ID: 70, Answers: packrow.List(packrow.PackFriction), Title: "Friction: what security costs delivery", Look: panel.Stat, W: 5, H: 9, Unit: "none", Decimals: panel.Number(1), Lines: true, Steps: panel.Plain(),
		Means: "Median waiting time of reviews without a first response, 90th percentile of the time to exception decision, release blocks and urgent escalations raised, and the share of false positives among the " +
			"triage results, all in the window except the reviews that wait now. Reviews and decisions are not filtered by team and trust tier, false positives by nothing.",
		Source: names.ReviewWaiting + ", " + names.DecisionIn + ", " + names.EscalationsIn + ", " + names.FalsePositives + ".",
		Act:    "high where safety on the right is good: the control costs more than it protects; build a golden path.", Empty: "not known",
		Queries: []panel.Query{
			{Name: "median review wait", Expr: query.Quantile(0.5, "", names.RecReviewWaiting), Unit: "s", Steps: panel.LongerThan(2*86400, 5*86400)},
			{Name: "90 % of decisions within", Expr: query.Quantile(0.9, "", names.RecDecisionIn, promql.InWindow()), Unit: "s", Steps: panel.LongerThan(7*86400, 14*86400)},
			{Name: "blocks and escalations", Expr: query.Counted("", names.RecEscalationsIn, promql.InWindow()), Decimals: panel.Number(0)},
			{Name: "false positives", Expr: wrong.Enough(), Unit: "percentunit", Decimals: panel.Number(0), Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.2, panel.Warning), panel.From(0.35, panel.Bad)}},
			{Name: "false positives, of too few", Legend: "false positives", Expr: wrong.Few(), Unit: "percentunit", Decimals: panel.Number(0), Colour: panel.Unknown},
			{Name: "of", Expr: wrong.Whole, Decimals: panel.Number(0), Colour: panel.Unknown},
		},
	}
}

func safetyStat() panel.Panel {
	granted := grantedShare("")
	return panel.Panel{
		ID: 71, Answers: packrow.List(packrow.PackFriction), Title: "Safety: what delivery leaves open", Look: panel.Stat, W: 5, H: 9, Unit: "none", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(),
		Means: "Open criticals and highs on exposed services now; and in the window: the share of decided exception requests that were granted, rule bypasses, and the share of changes that failed for an avoidable control " +
			"gap, as a range while causes are unknown. Requests granted are not filtered by team and trust tier.",
		Source: names.FindingsOpen + ", " + names.DecisionIn + ", " + names.BypassesIn + ", " + names.ChangeFailuresIn + ".",
		Act:    "poor where friction on the left is low: the control is too permissive; raise it where the exposure is.", Empty: "not known",
		Queries: slices.Concat(
			atLeast(record.KindFinding, panel.Query{Name: "open on exposed services", Expr: query.OpenWithBlastRadius(""), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}}),
			[]panel.Query{
				{Name: "requests granted", Expr: granted.Expr(), Unit: "percentunit"}, {Name: "of", Expr: granted.Whole, Colour: panel.Unknown},
				{Name: "rule bypasses", Expr: query.Counted("", names.RecBypasses, promql.InWindow()), Steps: panel.NoneBut(10)},
			},
			rangeQueries("failed by control gap", query.FailedByControlGap(""), 0.02, 0.05)),
	}
}

// frictionTable has friction on its left and safety on its right, so that a business unit with much of one and little of the other is seen.
func frictionTable() panel.Panel {
	const by = "business_unit"
	gap := query.FailedByControlGap(by)
	return panel.Panel{
		ID: 72, Answers: packrow.List(packrow.PackFriction), Title: "Friction (left) against safety (right), by business unit", Look: panel.Table, W: 14, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means: "Friction: median waiting time of reviews now, 90th percentile of the time to exception decision, release blocks and urgent escalations of the window. Safety: open criticals and highs on crown-jewel or internet-facing services now; requests " +
			"granted, rule bypasses, and changes that failed for a control gap (at least), of the window. Times and requests are not filtered by team and trust tier.",
		Source: names.ReviewWaiting + ", " + names.DecisionIn + ", " + names.EscalationsIn + ", " + names.FindingsOpen + ", " + names.BypassesIn + ", " + names.ChangeFailuresIn + ".",
		Act:    "much friction and little exposure: remove a step; little friction, many grants and bypasses: the control does not hold.", Empty: panel.NoneOrUnread,
		Queries: []panel.Query{
			{Name: "Review wait", Expr: query.Quantile(0.5, by, names.RecReviewWaiting)}, {Name: "Decision", Expr: query.Quantile(0.9, by, names.RecDecisionIn, promql.InWindow())},
			{Name: "Escalations", Expr: query.Counted(by, names.RecEscalationsIn, promql.InWindow())}, {Name: "Exposed", Expr: query.OpenWithBlastRadius(by)}, {Name: "Granted", Expr: grantedShare(by).Expr()},
			{Name: "Bypasses", Expr: query.Counted(by, names.RecBypasses, promql.InWindow())}, {Name: "Gap failures", Expr: gap.Low.Expr()},
		},
		Columns: []panel.Column{
			{Field: by, Title: "Business unit"}, {Field: "Review wait", Title: "Review wait", Unit: "s", Zero: "–", Width: 95, Steps: panel.LongerThan(2*86400, 5*86400)},
			{Field: "Decision", Title: "Decision", Unit: "s", Zero: "–", Width: 85, Steps: panel.LongerThan(7*86400, 14*86400)}, {Field: "Escalations", Title: "Escalations", Zero: "–", Width: 90},
			{Field: "Exposed", Title: "On exposed", Zero: "–", Width: 90}, {Field: "Granted", Title: "Granted", Unit: "percentunit", Zero: "none decided", Width: 80},
			countColumn("Bypasses", 5).Wide(80), {Field: "Gap failures", Title: "Gap failures", Unit: "percentunit", Zero: "not known", Width: 95},
		},
		Sort: []panel.Sort{panel.Descending("Escalations")},
	}
}
