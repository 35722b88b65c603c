package monitoring

func trendBoard() Board {
	return Board{
		UID: BoardTrend, File: "trend-quality.json", Title: "Trend quality",
		Question: "Are numbers improving because security is healthier, or because we changed counting?",
		Rows: []Row{
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

func trendHeadlines() []Panel {
	headline := func(id uint32, title, means, act string, steps []Step, query string) Panel {
		return Panel{
			ID: id, Answers: answers(PackTrend), Title: title, Look: Stat, W: 6, H: 4, Unit: "none", Decimals: number(0), Steps: steps, Means: means,
			Source: findingFlow + ", signed (rule " + recFlow + ").", Act: act, Empty: "not known", Queries: []Query{{Name: title, Expr: query}},
		}
	}
	remediated := headline(4, "Of all that left, fixed", "Share of the criticals and highs that left the open ones in the window by being fixed. The rest was dismissed, moved, re-counted or went out of view.",
		"below a half: read the closures by reason before calling a falling number progress.", towards(remediatedTarget), fixedShare(""))
	remediated.Unit = "percentunit"
	return []Panel{
		headline(1, "Change in $window", "How many more open criticals and highs there are than at the start of the window: the sum of all signed events.",
			"read the next two numbers first: only they are about security.", falling(), sumBy("", board(recFlow, inWindow(), severe()))),
		headline(2, "New less fixed", "What opened or came back, less what was fixed: the part of the change that is about risk and work.",
			"positive: intake is larger than remediation.", falling(), flowsBy("", append([]string{"fixed"}, arrivals...)...)),
		headline(3, "Re-counted or dismissed", "The part of the change that is about counting and verdicts: scope, owner, severity, duplicates, dismissals.",
			"far from zero: the trend is not about security alone; the next rows say what it is about.",
			[]Step{below(warning), from(-20, neutral), from(20, warning)}, flowsBy("", append(dismissals, recounts...)...)),
		remediated,
	}
}

// fixedShare is the share of what left that was fixed.
func fixedShare(by string) string {
	left := append(append([]string{"fixed"}, dismissals...), recounts...)
	return "(" + filled(flowsBy(by, "fixed"), flowsBy(by, left...)) + ")\n/\n(" + sumBy(by, board(recFlow, inWindow(), severe(), in("event", left...))+" < 0") + " < 0)"
}

func trendFlows() []Panel {
	flows := exposureFlows()[0]
	flows.ID, flows.W, flows.H, flows.Answers = 10, 13, 10, answers(PackTrend, PackFlow)
	return []Panel{
		flows,
		{
			ID: 11, Answers: answers(PackTrend), Title: "Whose numbers moved, and why?", Look: Table, W: 11, H: 10, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Change of open criticals and highs in the window by business unit: new or back, fixed, dismissed, and re-counted (scope, owner, severity, duplicates).",
			Source: findingFlow + ".", Act: "where re-counting is larger than fixing, correct the story that is told about the unit.", Empty: "Findings were not read yet",
			Queries: []Query{
				{Name: "Change", Expr: changeInWindow("business_unit", critical, high)}, {Name: "New", Expr: flowsBy("business_unit", arrivals...)},
				{Name: "Fixed", Expr: flowsBy("business_unit", "fixed")}, {Name: "Dismissed", Expr: flowsBy("business_unit", dismissals...)},
				{Name: "Re-counted", Expr: flowsBy("business_unit", recounts...)},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Change", Title: "Change", Steps: falling(), Zero: "–", Width: 80},
				{Field: "New", Title: "New", Zero: "–", Width: 70}, {Field: "Fixed", Title: "Fixed", Zero: "–", Width: 75},
				{Field: "Dismissed", Title: "Dismissed", Zero: "–", Width: 95}, {Field: "Re-counted", Title: "Re-counted", Zero: "–", Width: 100},
			},
			Sort: []Sort{{Title: "Change", Desc: true}},
		},
	}
}

func trendClosures() []Panel {
	closing := func(name, colour string, events ...string) Query {
		return Query{Name: name, Colour: colour, Expr: filled("0 - "+flowsBy("business_unit", events...), "0 * "+changeInWindow("business_unit", critical, high))}
	}
	return []Panel{
		{
			ID: 20, Answers: answers(PackTrend), Title: "How were criticals and highs closed?", Look: Bars, W: 12, H: 9, Unit: "none", Steps: plain(),
			Means: "Criticals and highs that left in the window, by business unit and reason. Only \"fixed\" is remediation.", Source: findingFlow + ".",
			Act: "a unit that dismisses more than it fixes: sample twenty and look whether they were wrong.", Empty: noneOrUnread,
			Key: "business_unit", Share: true, Horizontal: true, Sort: []Sort{{"won't fix", true}, {"false positive", true}},
			Queries: []Query{
				closing("fixed", good, "fixed"), closing("false positive", skyBlue, "dismissed_false_positive"), closing("won't fix", bad, "dismissed_wont_fix"),
				closing("other dismissals", waived, "dismissed_used_in_tests", "dismissed_other"), closing("duplicate or out of scope", unknown, "duplicate", "out_of_scope"),
			},
		},
		{
			ID: 21, Answers: answers(PackFriction, PackTrend), Title: "How often are tools wrong?", Look: Table, W: 12, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Verdicts of the window on what each tool reported first: confirmed (fixed, or left in place by somebody who took it for real) or a false positive. Not restricted by the choices above.",
			Source: falsePositives + ".", Act: "above a third, tune the rules or drop them: people stop reading.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Wrong", Expr: maxBy("class, source", series(recWrongRatio, inWindow()))},
				{Name: "Judged", Expr: sumBy("class, source", series(recWrong, inWindow())) + " > 0"},
			},
			Columns: []Column{
				{Field: "source", Title: "Tool"}, {Field: "class", Title: "Class", Width: 100}, {Field: "Judged", Title: "Judged", Zero: "–", Width: 80},
				{Field: "Wrong", Title: "Wrong", Unit: "percentunit", Steps: []Step{below(good), from(0.2, warning), from(0.35, bad)}, Shade: true, Zero: "none judged", Width: 110},
			},
			Sort: []Sort{{Title: "Wrong", Desc: true}},
		},
	}
}

func trendCounting() []Panel {
	return []Panel{
		{
			ID: 30, Answers: answers(PackTrend), Title: "What changed in how we count?", Look: Ranking, W: 6, H: 8, Unit: "none", Decimals: number(0), Steps: []Step{below(neutral), from(1, warning)},
			Means: "Changes of counting that the ledger knows of since it was founded, by kind. Whole programme.", Source: countingChanges + ".",
			Act: "the exporter's log says what each was; numbers before and after are not alike.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Changes", Expr: "sort_desc(" + sumBy("kind", one(countingChanges)) + ")", Legend: "{{kind}}"}},
		},
		{
			ID: 31, Answers: answers(PackTrend), Title: "What is looked at, over time", Look: Lines, W: 7, H: 8, Unit: "none", Steps: plain(),
			Means:  "The denominators: services, repositories, scanners and projects. A rate that moves while its denominator moves needs a second look.",
			Source: scopeSize + ".", Act: "a step is a scope that was added or lost.", Empty: "There is no history yet",
			KeyTexts: coloured([]Text{{Value: "services", Text: "services"}, {Value: "repositories", Text: "repositories"}, {Value: "scanners", Text: "scanners"}, {Value: "projects", Text: "projects"}}, blue, orange, green, purple),
			Queries:  []Query{{Name: "Size", Expr: maxBy("kind", one(scopeSize)), Legend: "{{kind}}"}},
		},
		{
			ID: 32, Answers: answers(PackTrend), Title: "Counting changes over time", Look: Lines, W: 5, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Changes of counting of the seven days before each moment. Look for them beside every step of another line.",
			Source: countingChanges + ".", Act: "note each beside the report of its week.", Empty: "There is no history yet",
			Queries: []Query{{Name: "changes", Expr: increaseOver("", countingChanges, "7d"), Colour: warning}},
		},
		foldedReports(), restatedPanel(),
	}
}

// restatedPanel says what changes of counting did to the headline numbers.
func restatedPanel() Panel {
	return Panel{
		ID: 34, Answers: answers(PackTrend), Title: "What did changes of counting alone do to the headlines?", Look: Table, W: 24, H: 7, Unit: "none", Steps: plain(),
		Means: "For the last change of each cause: the headline under the new rules less the headline under the old ones, at the same instant and over the same records. " +
			"Absent while counting has never changed.",
		Source: restatedBy + ".", Act: "take it off before comparing with a report from before the change.", Empty: "None, or counting never changed: not known to have",
		Queries: []Query{{Name: "Moved by", Expr: maxBy("metric, cause", one(restatedBy))}},
		Columns: []Column{{Field: "cause", Title: "Cause"}, {Field: "metric", Title: "Headline"}, {Field: "Moved by", Title: "Moved by", Width: 150}},
		Sort:    []Sort{{Title: "Cause"}},
	}
}

// foldedReports is the panel about duplicates on this board.
func foldedReports() Panel {
	p := foldedPanel()
	p.ID, p.H = 33, 8
	return p
}
