package monitoring

// securityTimes are the panels about how long security's own answers take.
func securityTimes() []Panel {
	days := func(title string) Column {
		return Column{Field: title, Title: title, Unit: "s", Zero: "–", Steps: longerThan(2*86400, 5*86400)}
	}
	return []Panel{
		{
			ID: 54, Answers: answers(TrackResponse, PackReviews, PackFriction), Title: "Time to first response, by kind of review", Look: Table, W: 9, H: 8, Unit: "none", Decimals: number(1), Steps: plain(),
			Means: "Of the reviews answered in the window, half were answered within the median and nine in ten within the 90th percentile, in the time of policy.calendars.reviews. " +
				"Not restricted by the choices above.",
			Source: firstResponseIn + ".", Act: "a kind that is slow needs more reviewers, or a paved road that makes the review unnecessary.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Answered", Expr: observations("kind", recFirstResponse, inWindow())}, {Name: "Median", Expr: quantile(0.5, "kind", recFirstResponse, inWindow())},
				{Name: "90 %", Expr: quantile(0.9, "kind", recFirstResponse, inWindow())}, {Name: "Waiting", Expr: counted("kind", recReviews, is("state", "waiting"))},
			},
			Columns: []Column{
				{Field: "kind", Title: "Review", Texts: reviewKinds()}, {Field: "Answered", Title: "Answered", Zero: "–", Width: 85}, days("Median"), days("90 %"),
				countColumn("Waiting", 5).wide(80),
			},
			Sort: []Sort{{Title: "90 %", Desc: true}},
		},
		{
			ID: 55, Answers: answers(TrackDecision, PackFriction), Title: "Time to a decision on exceptions, by category", Look: Table, W: 9, H: 8, Unit: "none", Decimals: number(1), Steps: plain(),
			Means:  "Over every decision in the ledger, in the time of policy.calendars.decisions. Rejected counts as decided. Not restricted by team and trust tier.",
			Source: exceptionDecision + ".", Act: "a category that waits long and is always granted can have a standing decision.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Decided", Expr: observations("category", recDecision)}, {Name: "Median", Expr: quantile(0.5, "category", recDecision)},
				{Name: "90 %", Expr: quantile(0.9, "category", recDecision)}, {Name: "Waiting", Expr: observations("category", recPending)},
			},
			Columns: []Column{
				{Field: "category", Title: "Category"}, {Field: "Decided", Title: "Decided", Zero: "–", Width: 80}, days("Median"), days("90 %"),
				countColumn("Waiting", 5).wide(80),
			},
			Sort: []Sort{{Title: "90 %", Desc: true}},
		},
		{
			ID: 62, Answers: answers(TrackResponse), Title: "First response, by business unit", Look: Ranking, W: 6, H: 8, Unit: "s", Decimals: number(1), Steps: longerThan(2*86400, 5*86400),
			Means:  "Median time to first response over every answer in the ledger, in the time of policy.calendars.reviews. Not restricted by team and trust tier.",
			Source: firstResponse + ".", Act: "a unit that waits longer than the others asks in another way, or asks somebody else.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Median", Expr: "sort_desc(" + firstResponseMedian("business_unit") + ")", Legend: "{{business_unit}}"}},
		},
	}
}

// firstResponseMedian is the median over every answer in the ledger.
func firstResponseMedian(by string) string {
	return "histogram_quantile(0.5, " + sumBy(by+", le", oneBoard(firstResponse+"_bucket")) + ") >= 0"
}

func reviewKinds() []Text {
	return []Text{{Value: "threat_model", Text: "threat model"}, {Value: "design", Text: "design review"}, {Value: "code", Text: "code review"}, {Value: "other", Text: "other"}}
}

// lessonsAndBlocks are the panels about follow-up actions and blocked releases.
func lessonsAndBlocks() []Panel {
	return []Panel{
		{
			ID: 57, Answers: answers(PackFollowups, TrackFollowups), Title: "Incident follow-up actions, by business unit", Look: Table, W: 12, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Open actions, those overdue, and the median age of the open ones; and the median time from creation to closing over every closed one in the ledger. Not restricted by team and trust tier.",
			Source: followupsOpen + ", " + followupAge + ", " + followupClose + ".", Act: "overdue: a new date with an owner, or an honest no.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Open", Expr: counted("business_unit", recFollowups)}, {Name: "Overdue", Expr: counted("business_unit", recFollowups, is("overdue", affirmative))},
				{Name: "Median age", Expr: quantile(0.5, "business_unit", recFollowupAge)}, {Name: "Time to close", Expr: quantile(0.5, "business_unit", recFollowupClose)},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Open", Title: "Open", Zero: "–", Width: 70}, countColumn("Overdue", 3).wide(85),
				{Field: "Median age", Title: "Median age", Unit: "s", Zero: "–", Steps: longerThan(30*86400, 90*86400)}, {Field: "Time to close", Title: "Time to close", Unit: "s", Zero: "–"},
			},
			Sort: []Sort{{Title: "Overdue", Desc: true}, {Title: "Open", Desc: true}},
		},
		{
			ID: 58, Answers: answers(PackBlocks, PackFriction), Title: "Why are releases blocked, and what is urgent?", Look: Bars, W: 12, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Release blocks and urgent calls by reason, every one that the ledger knows of.",
			Source: escalationsTotal + ".", Act: "a reason that comes back is a missing paved road.", Empty: noneOrUnread,
			Key: "reason", Stacked: true, Horizontal: true, Sort: []Sort{{"release blocks", true}, {"urgent", true}},
			Queries: []Query{
				{Name: "release blocks", Expr: raised("release_block"), Colour: bad}, {Name: "urgent", Expr: raised("urgent"), Colour: warning},
			},
		},
		{
			ID: 56, Answers: answers(PackReviews, TrackResponse), Title: "Median time to first response, over time", Look: Lines, W: 12, H: 7, Unit: "s", Steps: plain(),
			Means:  "Median over the reviews answered in the window before each moment, by kind. Whole programme.",
			Source: firstResponseIn + " (rule " + recFirstResponse + ").", Act: "rising for a month is a question of staffing.", Empty: "There is no history yet",
			KeyTexts: coloured(reviewKinds(), blue, orange, green, purple), Queries: []Query{{Name: "Median", Expr: quantile(0.5, "kind", recFirstResponse, inWindow()), Legend: "{{kind}}"}},
		},
		{
			ID: 59, Answers: answers(PackBlocks), Title: "Release blocks and urgent escalations, over time", Look: Lines, W: 12, H: 7, Unit: "none", Steps: plain(),
			Means:  "Blocked releases and urgent escalations at each moment.",
			Source: escalationsOpen + " (rule " + recEscalations + ").", Act: "a plateau is nobody deciding.", Empty: "There is no history yet",
			KeyTexts: []Text{{Value: "release_block", Text: "release blocks", Colour: bad}, {Value: "urgent", Text: "urgent", Colour: warning}},
			Queries:  []Query{{Name: "Open", Expr: counted("kind", recEscalations), Legend: "{{kind}}"}},
		},
	}
}

// raised counts escalations of a kind over all that the ledger knows, by reason.
func raised(kind string) string {
	return filled(sumBy("reason", oneBoard(escalationsTotal, is("kind", kind))), sumBy("reason", oneBoard(escalationsTotal)))
}
