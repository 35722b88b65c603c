package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
)

// securityTimes are the panels about how long security's own answers take.
func securityTimes() []panel.Panel {
	days := func(title string) panel.Column {
		return panel.Column{Field: title, Title: title, Unit: "s", Zero: "–", Steps: panel.LongerThan(2*86400, 5*86400)}
	}
	return []panel.Panel{
		{
			ID: 54, Answers: packrow.List(packrow.TrackResponse, packrow.PackReviews, packrow.PackFriction), Title: "Time to first response, by kind of review", Look: panel.Table, W: 9, H: 8, Unit: "none", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means: "Median and 90th percentile of the time to first response of the reviews answered in the window, in the calendar policy.calendars.reviews. " +
				"Not filtered by the variables above.",
			Source: names.FirstResponseIn + ".", Act: "a slow kind needs more reviewers, or a golden path that makes the review unnecessary.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Answered", Expr: query.Observations("kind", names.RecFirstResponse, promql.InWindow())}, {Name: "Median", Expr: query.Quantile(0.5, "kind", names.RecFirstResponse, promql.InWindow())},
				{Name: "90 %", Expr: query.Quantile(0.9, "kind", names.RecFirstResponse, promql.InWindow())}, {Name: "Waiting", Expr: query.Counted("kind", names.RecReviews, promql.Is("state", "waiting"))},
			},
			Columns: []panel.Column{
				{Field: "kind", Title: "Review", Texts: reviewKinds()}, {Field: "Answered", Title: "Answered", Zero: "–", Width: 85}, days("Median"), days("90 %"),
				countColumn("Waiting", 5).Wide(80),
			},
			Sort: []panel.Sort{panel.Descending("90 %")},
		},
		{
			ID: 55, Answers: packrow.List(packrow.TrackDecision, packrow.PackFriction), Title: "Time to exception decision, by business unit", Look: panel.Table, W: 9, H: 8, Unit: "none", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means: "Decisions of the window, approved or rejected, in the calendar policy.calendars.decisions; beside them the requests that wait. Not filtered by team and trust tier; by category over every " +
				"decision in the ledger: see metrics.md.",
			Source: names.DecisionIn + ", " + names.ExceptionPending + ".", Act: "a unit whose requests are always granted after a long wait is a candidate for one decision on the whole category.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Decided", Expr: query.Observations("business_unit", names.RecDecisionIn, promql.InWindow())}, {Name: "Approved", Expr: query.RatioOf("business_unit", names.RecDecisionIn, []string{promql.Is("decision", "approved")}, promql.InWindow(), promql.In("le", `\+Inf`)).Expr()},
				{Name: "Median", Expr: query.Quantile(0.5, "business_unit", names.RecDecisionIn, promql.InWindow())}, {Name: "90 %", Expr: query.Quantile(0.9, "business_unit", names.RecDecisionIn, promql.InWindow())},
				{Name: "Waiting", Expr: query.Observations("business_unit", names.RecPending)},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Decided", Title: "Decided", Zero: "–", Width: 75}, {Field: "Approved", Title: "Approved", Unit: "percentunit", Zero: "none decided", Width: 85}, days("Median"), days("90 %"),
				countColumn("Waiting", 5).Wide(80),
			},
			Sort: []panel.Sort{panel.Descending("90 %")},
		},
		{
			ID: 62, Answers: packrow.List(packrow.TrackResponse), Title: "Time to first response, by business unit", Look: panel.Ranking, W: 6, H: 8, Unit: "s", Decimals: panel.Number(1), Steps: panel.LongerThan(2*86400, 5*86400),
			Means:  "Median time to first response over every response in the ledger, in the calendar policy.calendars.reviews. Not filtered by team and trust tier.",
			Source: names.FirstResponse + ".", Act: "if a unit waits longer than others, check how it files requests and who its responders are.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median", Expr: "sort_desc(" + firstResponseMedian("business_unit") + ")", Legend: "{{business_unit}}"}},
		},
	}
}

// firstResponseMedian is the median over every answer in the ledger.
func firstResponseMedian(by string) string {
	return "histogram_quantile(0.5, " + promql.SumBy(by+", le", promql.OnceChosen(names.FirstResponse+"_bucket")) + ") >= 0"
}

func reviewKinds() []panel.Text {
	return []panel.Text{{Value: "threat_model", Text: "threat model"}, {Value: "design", Text: "design review"}, {Value: "code", Text: "code review"}, {Value: "other", Text: "other"}}
}

// lessonsAndBlocks are the panels about follow-up actions and blocked releases.
func lessonsAndBlocks() []panel.Panel {
	return []panel.Panel{
		{
			ID: 57, Answers: packrow.List(packrow.PackFollowups, packrow.TrackFollowups), Title: "Incident follow-up actions, by business unit", Look: panel.Table, W: 12, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Open actions, those overdue, and the median age of the open ones; and the median time from creation to closing of those closed in the window. Not filtered by team and trust tier.",
			Source: names.FollowupsOpen + ", " + names.FollowupAge + ", " + names.FollowupCloseIn + ".", Act: "overdue: agree on a new date with the owner, or close it as declined.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Open", Expr: query.Counted("business_unit", names.RecFollowups)}, {Name: "Overdue", Expr: query.Counted("business_unit", names.RecFollowups, promql.Is("overdue", names.Affirmative))},
				{Name: "Median age", Expr: query.Quantile(0.5, "business_unit", names.RecFollowupAge)}, {Name: "Time to close", Expr: query.Quantile(0.5, "business_unit", names.RecFollowupCloseIn, promql.InWindow())},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Open", Title: "Open", Zero: "–", Width: 70}, countColumn("Overdue", 3).Wide(85),
				{Field: "Median age", Title: "Median age", Unit: "s", Zero: "–", Steps: panel.LongerThan(30*86400, 90*86400)}, {Field: "Time to close", Title: "Time to close", Unit: "s", Zero: "–"},
			},
			Sort: []panel.Sort{panel.Descending("Overdue"), panel.Descending("Open")},
		},
		{
			ID: 58, Answers: packrow.List(packrow.PackBlocks, packrow.PackFriction), Title: "Release blocks and urgent escalations by reason", Look: panel.Bars, W: 12, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Release blocks and urgent escalations raised in the window, by reason.",
			Source: names.EscalationsIn + ".", Act: "a recurring reason indicates a missing golden path.", Empty: panel.NoneOrUnread,
			Key: "reason", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("release blocks"), panel.Descending("urgent")},
			Queries: []panel.Query{
				{Name: "release blocks", Expr: raised("release_block"), Colour: panel.Bad}, {Name: "urgent", Expr: raised("urgent"), Colour: panel.Warning},
			},
		},
		{
			ID: 56, Answers: packrow.List(packrow.PackReviews, packrow.TrackResponse), Title: "Median time to first response, over time", Look: panel.Lines, W: 12, H: 7, Unit: "s", Steps: panel.Plain(),
			Means:  "Median over the reviews answered in the window before each moment, by kind. Whole programme.",
			Source: names.FirstResponseIn + " (rule " + names.RecFirstResponse + ").", Act: "a rise over a month is a staffing question.", Empty: "There is no history yet",
			KeyTexts: coloured(reviewKinds(), panel.Blue, panel.Orange, panel.Green, panel.Purple), Queries: []panel.Query{{Name: "Median", Expr: query.Quantile(0.5, "kind", names.RecFirstResponse, promql.InWindow()), Legend: "{{kind}}"}},
		},
		{
			ID: 59, Answers: packrow.List(packrow.PackBlocks), Title: "Release blocks and urgent escalations, over time", Look: panel.Lines, W: 12, H: 7, Unit: "none", Steps: panel.Plain(),
			Means:  "Blocked releases and urgent escalations at each moment.",
			Source: names.EscalationsOpen + " (rule " + names.RecEscalations + ").", Act: "a plateau means that decisions are pending.", Empty: "There is no history yet",
			KeyTexts: []panel.Text{{Value: "release_block", Text: "release blocks", Colour: panel.Bad}, {Value: "urgent", Text: "urgent", Colour: panel.Warning}},
			Queries:  []panel.Query{{Name: "Open", Expr: query.Counted("kind", names.RecEscalations), Legend: "{{kind}}"}},
		},
	}
}

// raised counts escalations of a kind that were raised in the window, by reason.
func raised(kind string) string {
	return query.CountedBy("reason", names.RecEscalationsIn, []string{promql.Is("kind", kind)}, promql.InWindow())
}
