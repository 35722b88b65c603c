package monitoring

func responsivenessBoard() Board {
	return Board{
		UID: BoardResponsiveness, File: "responsiveness.json", Title: "Responsiveness",
		Question: "Are teams fixing important issues in time, and with the right owners?",
		Rows: []Row{
			{ID: 100, Question: "Are important findings fixed in time?", Panels: responseHeadlines()},
			{ID: 200, Question: "Who keeps the deadlines, and who does not?", Panels: responseByOwner()},
			{ID: 300, Question: "Who must act now?", Panels: responseNow()},
			{ID: 400, Question: "How long does a fix take?", Panels: responseTimes()},
			{ID: 450, Question: "Does security itself answer in time?", Panels: append(responseOfSecurity(), securityTimes()...)},
			{ID: 470, Question: "Do lessons become controls, and where does risk collide with delivery?", Panels: lessonsAndBlocks()},
			{ID: 500, Question: "Is it getting better? (from the history Prometheus has)", Panels: responseHistory()},
			qualityRow(),
		},
	}
}

// responseOfSecurity are the panels about what waits for the security function, or for the actions it asked for.
func responseOfSecurity() []Panel {
	panel := func(id uint32, rows []PackRow, title, means, source, act string, queries ...Query) Panel {
		return Panel{
			ID: id, Answers: rows, Title: title, Look: Stat, W: 6, H: 4, Unit: "none", Steps: plain(), Means: means, Source: source, Act: act,
			Empty: "not known", Queries: queries,
		}
	}
	return []Panel{
		panel(panelWaiting, answers(PackReviews), "Reviews without an answer", "Security reviews that nobody of the responders has answered yet, and the median of how long they have waited, in days.",
			reviewsOpen+`{state="waiting"}, `+reviewWaiting+".", "answer the oldest first, if only to say when; a growing number is a staffing question.",
			Query{Name: "waiting", Expr: reviewsWaiting(), Steps: noneBut(10)}, Query{Name: "median days", Expr: medianDays(reviewWaiting), Steps: longerThan(2, 5)}),
		panel(panelPending, answers(TrackDecision), "Exceptions without a decision", "Requests for an exception that are undecided, and the median of how long they have been, in days.",
			exceptions+`{state="requested"}, `+exceptionPending+".", "decide, or say what is missing; teams build on silence.",
			Query{Name: "undecided", Expr: exceptionsNow("requested"), Steps: noneBut(10)}, Query{Name: "median days", Expr: medianDays(exceptionPending), Steps: longerThan(7, 14)}),
		panel(panelFollowups, answers(PackFollowups), "Actions that incidents left", "Follow-up actions that are open, and those of them past their due date.", followupsOpen+".",
			"an overdue action is an incident waiting to come back; ask its owner for a new date or more hands.",
			Query{Name: "open", Expr: followups()}, Query{Name: "overdue", Expr: followups(is("overdue", affirmative)), Steps: noneBut(5)}),
		panel(panelEscalations, answers(PackBlocks), "Where risk blocks delivery", "Releases that are blocked now, and urgent escalations that are open now.", escalationsOpen+".",
			"look at what blocks twice: a missing paved road costs more than the block.",
			Query{Name: "release blocks", Expr: escalations("release_block"), Steps: noneBut(5)}, Query{Name: "urgent", Expr: escalations("urgent"), Steps: noneBut(5)}),
	}
}

const attainmentMeans = "Attainment = met / (met + missed): of the findings whose deadline fell or that were fixed before it, the share fixed in time. " +
	"False positives, duplicates and what is out of scope are in neither; what was closed without a fix or an approved exception counts as missed."

func attainmentStat(id uint32, severity string) Panel {
	return Panel{
		ID: id, Answers: answers(TrackAttainment), Title: "SLA attainment, " + severity, Look: Stat, W: 5, H: 4, Unit: "percentunit", Decimals: number(0), Steps: towards(attainmentTarget),
		Means: attainmentMeans + " Shown for the window and, for comparison, for 90 days.", Source: slaOutcomesWindow + ", verdicts frozen when they fell.",
		Act: "the next row names the business units and teams; missing a target for a quarter is a staffing or ownership question.", Empty: "not known",
		Queries: []Query{{Name: "last $window", Expr: attainment("", is("severity", severity))}, {Name: "last 90d", Expr: attainmentOver("90d", severity)}},
	}
}

// verdictStat is a headline: open criticals and highs with one verdict.
func verdictStat(id uint32, title, sla, means, act string, criticalSteps, highSteps []Step) Panel {
	return Panel{
		ID: id, Title: title, Look: Stat, W: 5, H: 4, Unit: "none", Steps: plain(), Means: means, Source: findingsOpen + `{sla="` + sla + `"}.`, Act: act,
		Empty: "not known",
		Queries: []Query{
			{Name: critical, Expr: verdicts(sla, critical), Steps: criticalSteps}, {Name: high, Expr: verdicts(sla, high), Steps: highSteps},
		},
	}
}

func responseHeadlines() []Panel {
	return []Panel{
		attainmentStat(1, critical), attainmentStat(2, high),
		verdictStat(3, "Past their deadline now", "breached", "Open criticals and highs past their SLA deadline that no approved exception covers.",
			"the table below names services and teams; each has an alert with its runbook.", noneBut(1), noneBut(20)),
		verdictStat(4, "Due soon", "due_soon", "Open criticals and highs in the last quarter of their SLA time.",
			"plan them now; they are cheaper than a breach.", []Step{below(good), from(1, warning)}, []Step{below(good), from(1, warning)}),
		{
			ID: 5, Title: "Clock stopped", Look: Stat, W: 4, H: 4, Unit: "none", Steps: plain(),
			Means:  "Open criticals and highs covered by an approved, unexpired exception. They are in no breach until it ends, and still open.",
			Source: findingsOpen + `{sla="excepted"}.`, Act: "Exposure shows by category when the exceptions end.", Empty: "not known",
			Queries: []Query{
				{Name: critical, Expr: verdicts("excepted", critical), Colour: meaningColours["excepted"]}, {Name: high, Expr: verdicts("excepted", high), Colour: meaningColours["excepted"]},
			},
		},
	}
}

func responseByOwner() []Panel {
	outcome := func(value string) Query {
		return Query{Name: value, Expr: filled(outcomes("severity", value), outcomes("severity", "met|missed|void")), Colour: meaningColours[value]}
	}
	ratio := func(title string) Column {
		return Column{Field: title, Title: title, Unit: "percentunit", Steps: towards(attainmentTarget), Shade: true, Zero: "nothing due"}
	}
	return []Panel{
		{
			ID: panelAttainment, Answers: answers(PackAttainment, TrackAttainment), Title: "SLA attainment by business unit", Look: Table, W: 10, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: attainmentMeans, Source: slaOutcomesWindow + ".", Act: "talk to the head of the first row about capacity or ownership, not about single findings.",
			Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Critical", Expr: attainment("business_unit", is("severity", critical))}, {Name: "High", Expr: attainment("business_unit", is("severity", high))},
				{Name: "Met", Expr: outcomes("business_unit", "met", severe())}, {Name: "Missed", Expr: outcomes("business_unit", "missed", severe())},
				{Name: "Void", Expr: outcomes("business_unit", "void", severe())},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit", Width: 150}, ratio("Critical"), ratio("High"),
				{Field: "Met", Title: "Met", Zero: "–"}, {Field: "Missed", Title: "Missed", Zero: "–"}, {Field: "Void", Title: "Void", Zero: "–"},
			},
			Sort: []Sort{{Title: "Missed", Desc: true}},
		},
		{
			ID: 11, Answers: answers(TrackAttainment), Title: "Which teams miss most of their deadlines?", Look: Ranking, W: 7, H: 9, Unit: "percentunit", Decimals: number(0), Max: number(1),
			Steps: towards(attainmentTarget), Means: "The twelve teams with the lowest attainment for criticals and highs in the window; a team with nothing due is not ranked.",
			Source: slaOutcomesWindow + ".", Act: "look at the team's breached findings below and at who owns its services.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Attainment", Expr: worstTeams(), Legend: "{{team}}"}},
		},
		{
			ID: 12, Answers: answers(TrackAttainment), Title: "How did deadlines end, by severity?", Look: Bars, W: 7, H: 9, Unit: "none", Steps: plain(),
			Means:  "Outcomes that fell in the window. Void: false positives, duplicates and out of scope, in no denominator.",
			Source: slaOutcomesWindow + ".", Act: "a large void share is closing without fixing: sample it.", Empty: noneOrUnread,
			Key: "severity", Share: true, Horizontal: true, Sort: []Sort{{"missed", true}},
			Queries: []Query{outcome("met"), outcome("missed"), outcome("void")},
		},
	}
}

func verdictTable(id uint32, title, sla, means, act string) Panel {
	return Panel{
		ID: id, Title: title, Look: Table, W: 12, H: 10, Unit: "none", Decimals: number(0), Steps: plain(), Means: means, Source: findingsOpen + " and " + findingOldest + ".", Act: act, Empty: noneOrUnread,
		Queries: []Query{
			{Name: "Critical", Expr: verdictsByService(sla, critical)}, {Name: "High", Expr: verdictsByService(sla, high)},
			{Name: "Oldest, days", Expr: oldestByService(sla)},
		},
		Columns: append(append([]Column{serviceColumn()}, ownerColumns()...),
			severityColumn("Critical", critical).wide(85), severityColumn("High", high).wide(70),
			Column{Field: "Oldest, days", Title: "Oldest, days", Zero: "–", Width: 100}),
		Sort: []Sort{{Title: "Critical", Desc: true}, {Title: "High", Desc: true}},
	}
}

func responseNow() []Panel {
	return []Panel{
		verdictTable(panelBreachedTable, "Past the deadline, by service", "breached", "Services with open criticals or highs past their deadline, and the age of their oldest open one.",
			"the team remediates or asks for an exception; the page's runbook says how."),
		verdictTable(panelDueSoonTable, "Due soon, by service", "due_soon", "Services with open criticals or highs in the last quarter of their time, and the age of their oldest open one.",
			"plan these before they breach."),
	}
}

// remediationRanges cut the time to fix at the default targets.
func remediationRanges() []Query {
	var list []Query
	for _, severity := range []string{critical, high} {
		list = append(list, Query{Name: severity, Colour: severityColours[severity], Expr: remediationByRange(severity)})
	}
	return list
}

// remediationByRange is the share of a severity's fixes that took a range of time, labelled like the ages.
func remediationByRange(severity string) string {
	all := sumBy("", board(recRemediationBuckets, is("severity", severity), in("le", `\+Inf`)))
	var expr string
	for i, r := range ageRanges {
		upTo := all
		if r.to > 0 {
			upTo = remediatedIn(severity, daysOf(r.to))
		}
		part := upTo
		if r.from > 0 {
			part = upTo + " - " + remediatedIn(severity, daysOf(r.from))
		}
		if i > 0 {
			expr += "\nor "
		}
		expr += `label_replace((` + part + `) / (` + all + ` > 0), "age", "` + r.label() + `", "", "")`
	}
	return expr
}

func responseTimes() []Panel {
	column := func(title string) Column { return Column{Field: title, Title: title, Unit: "suffix: d", Zero: "–"} }
	return []Panel{
		{
			ID: 30, Answers: answers(TrackAttainment), Title: "Time to fix against target, by severity", Look: Table, W: 12, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Half of the fixes took no longer than the median, nine in ten no longer than the 90th percentile; from first seen to fixed, over every fix in the ledger. " +
				"Dismissals are not fixes. Targets differ by tier and exposure, so the shortest and the longest are shown. Not restricted by trust tier.",
			Source: findingRemediation + " and " + slaTarget + ".", Act: "a median near the target means that most of the rest is late.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Median", Expr: remediationQuantile(0.5, "severity, le")}, {Name: "90 %", Expr: remediationQuantile(0.9, "severity, le")},
				{Name: "Shortest target", Expr: targetShortest()}, {Name: "Longest target", Expr: targetLongest()},
			},
			Columns: []Column{
				{Field: "severity", Title: "Severity", Width: 100, Texts: severityTexts(), Shade: true}, column("Median"), column("90 %"),
				column("Shortest target"), column("Longest target"),
			},
			Sort: []Sort{{Title: "Median"}},
		},
		{
			ID: 31, Title: "How long did fixes take?", Look: Bars, W: 12, H: 8, Unit: "percentunit", Decimals: number(0), Steps: plain(),
			Means:  "Share of the fixes in the ledger by the time they took. Not restricted by trust tier.",
			Source: findingRemediation + " (rule " + recRemediationBuckets + ").", Act: "the right-hand bars are the ones leadership hears about: find what they had in common.",
			Empty: noneOrUnread, Key: "age", KeyTexts: ageTexts(), Sort: []Sort{{Title: "age"}}, Queries: remediationRanges(),
		},
	}
}

func responseHistory() []Panel {
	return []Panel{
		{
			ID: 32, Title: "Median time to fix, previous 30 days", Look: Lines, W: 6, H: 8, Unit: "suffix: d", Steps: plain(),
			Means:  "Median time from first seen to fixed over the thirty days before each moment. It fills as Prometheus gathers history.",
			Source: findingRemediation + ".", Act: "rising while attainment holds means that targets are being met later: the next step is missing them.",
			Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []Query{{Name: "Median", Expr: remediationTrend(0.5), Legend: "{{severity}}"}},
		},
		{
			ID: 33, Answers: answers(PackAttainment, TrackAttainment), Title: "SLA attainment over time", Look: Lines, W: 6, H: 8, Unit: "percentunit", Max: number(1),
			Steps: []Step{below("transparent"), from(attainmentTarget, good)}, Means: attainmentMeans + " Whole programme, not restricted by the choices above; over the window before each moment.",
			Source: slaOutcomesWindow + " (rule " + recProgrammeAttained + ").", Act: "compare with the target line; a change of policy or of scope is on the last row.",
			Empty: noneOrUnread, KeyTexts: severityTexts(),
			Queries: []Query{{Name: "Attainment", Expr: series(recProgrammeAttained, inWindow(), severe()), Legend: "{{severity}}"}},
		},
		{
			ID: 34, Title: "Past their deadline, over time", Look: Lines, W: 6, H: 8, Unit: "none", Steps: plain(),
			Means: "Open criticals and highs past their deadline at each moment.", Source: findingsOpen + " (rule " + recOpen + ").",
			Act: "a line that only rises is capacity, not discipline.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []Query{{Name: "Past deadline", Expr: breachedOverTime(), Legend: "{{severity}}"}},
		},
		{
			ID: panelMissed, Title: "Deadlines missed per week", Look: Lines, W: 6, H: 8, Unit: "none", Steps: plain(),
			Means: "Deadlines of criticals and highs that were missed in the seven days before each moment.", Source: slaOutcomes + ".",
			Act: "a jump in one week is often one large import or one service: check Exposure.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []Query{{Name: "Missed", Expr: missedPerWeek(), Legend: "{{severity}}"}},
		},
	}
}
