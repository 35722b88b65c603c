package monitoring

import "prodsec_exporter/internal/record"

const (
	critical = string(record.SeverityCritical)
	high     = string(record.SeverityHigh)
)

func exposureBoard() Board {
	return Board{
		UID: BoardExposure, File: "exposure.json", Title: "Exposure",
		Question: "Which risks are growing faster than we are reducing them?",
		Rows: []Row{
			{ID: 100, Question: "How much serious risk is open, and is it growing?", Panels: exposureHeadlines()},
			{ID: 200, Question: "Is intake being reduced or accumulated, and why?", Panels: exposureFlows()},
			{ID: 300, Question: "How old is it, and who carries it?", Panels: exposureAges()},
			{ID: 350, Question: "Where is risk concentrated, and what keeps coming back?", Panels: exposureConcentration()},
			{ID: 400, Question: "Where does policy debt become structural?", Panels: exposureExceptions()},
			{ID: 500, Question: "How did it get here? (from the history Prometheus has)", Panels: exposureHistory()},
			qualityRow(),
		},
	}
}

// openStat is a headline: open weaknesses of a severity and the change over the window.
func openStat(id uint32, severity string) Panel {
	return Panel{
		ID: id, Answers: answers(PackFlow, TrackOpen), Title: "Open " + severity + " findings", Look: Stat, W: 4, H: 4, Unit: "none", Steps: plain(),
		Means: "Weaknesses of this severity that are open now, each counted once however many tools report it, and how many more or fewer that is than at the " +
			"start of the window.",
		Source:  findingsOpen + "; the change is the sum of the signed events of " + findingFlow + ", exact from the first day.",
		Act:     "a growing number is explained by cause and business unit in the next row; decide whether intake or capacity is the problem.",
		Empty:   "not known",
		Queries: []Query{{Name: "open", Expr: openNow("", severity)}, {Name: "$window change", Expr: changeInWindow("", severity), Steps: falling()}},
	}
}

func exposureHeadlines() []Panel {
	return []Panel{
		openStat(1, critical), openStat(2, high),
		{
			ID: 3, Answers: answers(PackUnprotected, TrackOpen), Title: "On exposed services", Look: Stat, W: 4, H: 4, Unit: "none", Steps: plain(),
			Means:  "Open criticals and highs in services that are crown jewels or face the internet, and in services of which that is not known.",
			Source: findingsOpen + " joined with " + serviceInfo + " (rule " + recOpenExposure + ").",
			Act:    "these come first; ask their owners for a date. What is unknown may be exposed: complete the catalog.",
			Empty:  "not known",
			Queries: []Query{
				{Name: "exposed", Expr: openWithBlastRadius(), Steps: []Step{below(good), from(1, warning)}},
				{Name: "not known", Expr: openWithUnknownRadius(), Steps: []Step{below(unknown)}},
			},
		},
		{
			ID: 4, Title: "Share past its deadline", Look: Stat, W: 4, H: 4, Unit: "percentunit", Decimals: number(0),
			Steps: []Step{below(good), from(0.05, warning), from(0.15, bad)},
			Means: "Open criticals and highs past their SLA deadline, among all that no approved exception covers.", Source: findingsOpen + " by sla.",
			Act: "Responsiveness lists the services.", Empty: "not known",
			Queries: []Query{{Name: "past deadline", Expr: breachedShare()}},
		},
		{
			ID: 5, Answers: answers(PackConcentrated, TrackConcentrated), Title: "Held by five services", Look: Stat, W: 4, H: 4, Unit: "percentunit", Decimals: number(0),
			Steps: []Step{below(neutral), from(concentrated, warning)},
			Means: "Share of the open criticals and highs that the five services with most of them hold. High: a few services' problem, to be solved with their owners. " +
				"Low: everybody's problem, to be solved by a platform.", Source: findingsOpen + ".",
			Act: "open the table of services below.", Empty: "not known",
			Queries: []Query{{Name: "in five services", Expr: concentration()}},
		},
		{
			ID: 6, Answers: answers(PackExceptions, TrackExceptions), Title: "Exceptions", Look: Stat, W: 4, H: 4, Unit: "none", Steps: plain(),
			Means:  "Exceptions that are approved and unexpired, and those that expired without being closed; the latter stop no clock any more.",
			Source: exceptions + ", expiry computed from the date.", Act: "renew with a reason, or close what has expired; the table below names the next ones.",
			Empty:   "not known",
			Queries: []Query{{Name: "active", Expr: exceptionsNow("active")}, {Name: "expired", Expr: exceptionsNow("expired"), Steps: noneBut(1)}},
		},
	}
}

func exposureFlows() []Panel {
	flow := func(name, colour string, events ...string) Query {
		return Query{Name: name, Expr: flowsByEvent(events...), Colour: colour}
	}
	return []Panel{
		{
			ID: 10, Answers: answers(PackFlow, PackTrend), Title: "What changed the number of open criticals and highs?", Look: Bars, W: 13, H: 10, Unit: "none", Steps: plain(),
			Means: "Every event of the window that added to (up) or took from (down) the open criticals and highs. The bars add up to the change. " +
				"Only \"fixed\" is remediation: what was dismissed, moved or went out of view has not been mended.",
			Source: findingFlow + ", signed (rule " + recFlow + ").", Act: "if bars other than \"fixed\" do most of the reducing, ask why before calling it progress.",
			Empty: noneOrUnread,
			Key:   "event", KeyTexts: eventTexts(), Stacked: true, Signed: true,
			Sort: []Sort{{"new", true}, {"re-counted", true}, {"fixed", false}, {"dismissed", false}},
			Queries: []Query{
				flow("new", bad, "opened", "reopened"),
				flow("re-counted", unknown, "scope_gained", "moved_in", "severity_raised", "severity_lowered", "severity_left", "moved_out", "scope_lost", "out_of_scope", "duplicate"),
				flow("fixed", good, "fixed"),
				flow("dismissed", waived, "dismissed_false_positive", "dismissed_wont_fix", "dismissed_used_in_tests", "dismissed_other"),
			},
		},
		{
			ID: 11, Answers: answers(PackFlow), Title: "Which business unit is accumulating?", Look: Table, W: 11, H: 10, Unit: "none", Steps: plain(),
			Means:  "Open criticals and highs by business unit, and what came and went in the window. Otherwise: closed as dismissed, duplicate, out of scope or out of view.",
			Source: findingsOpen + ", " + findingFlow + ".",
			Act:    "a positive net is debt growing: agree on capacity or on less intake with the business unit.", Empty: "Findings were not read yet",
			Queries: []Query{
				{Name: "Critical", Expr: openNow("business_unit", critical)}, {Name: "High", Expr: openNow("business_unit", high)},
				{Name: "Opened", Expr: flowsBy("business_unit", "opened", "reopened")}, {Name: "Fixed", Expr: "0 - " + flowsBy("business_unit", "fixed")},
				{Name: "Otherwise", Expr: "0 - " + otherwiseClosed("business_unit")}, {Name: "Net", Expr: changeInWindow("business_unit", critical, high)},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit"}, severityColumn("Critical", critical).wide(70), severityColumn("High", high).wide(58),
				{Field: "Opened", Title: "Opened", Zero: "–", Width: 75}, {Field: "Fixed", Title: "Fixed", Zero: "–", Width: 62},
				{Field: "Otherwise", Title: "Otherwise", Zero: "–", Width: 92}, {Field: "Net", Title: "Net", Steps: falling(), Zero: "–", Width: 62},
			},
			Sort: []Sort{{Title: "Net", Desc: true}},
		},
	}
}

func exposureHistory() []Panel {
	return []Panel{
		{
			ID: 12, Answers: answers(PackFlow), Title: "Opened against fixed, per week", Look: Lines, W: 12, H: 7, Unit: "none", Steps: plain(),
			Means:  "Criticals and highs opened, fixed and dismissed in the seven days before each moment. It fills as Prometheus gathers history; the numbers above do not need it.",
			Source: findingEvents + ".", Act: "two weeks with opened above fixed are a trend, one is not.", Empty: "There is no history yet",
			Queries: []Query{
				{Name: "opened or reopened", Expr: eventsPerWeek("opened", "reopened"), Colour: bad},
				{Name: "fixed", Expr: eventsPerWeek("fixed"), Colour: good},
				{Name: "dismissed", Expr: eventsPerWeek("dismissed_.*"), Colour: waived},
			},
		},
		{
			ID: 13, Answers: answers(PackFlow, TrackOpen), Title: "Open criticals and highs over time", Look: Lines, W: 6, H: 7, Unit: "none", Steps: plain(),
			Means: "Open weaknesses at each moment. A step without events beside it is a change of scope or of counting, shown on the last row.", Source: findingsOpen + " (rule " + recOpen + ").",
			Act: "compare with the flows by cause above.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []Query{{Name: "Open", Expr: openNow("severity", critical, high), Legend: "{{severity}}"}},
		},
		foldedPanel(),
	}
}

func exposureAges() []Panel {
	services := append([]Column{serviceColumn()}, ownerColumns()...)
	return []Panel{
		{
			ID: 20, Answers: answers(TrackOpen), Title: "How long have criticals and highs been open?", Look: Bars, W: 9, H: 10, Unit: "none", Steps: plain(),
			Means: "Open criticals and highs by time since they were first seen. Not restricted by trust tier.", Source: findingAge + " (rule " + recAges + ").",
			Act: "what is older than its target is breached or excepted; anything over 180 days needs a decision, not a reminder.", Empty: "Findings were not read yet",
			Key: "age", KeyTexts: ageTexts(), Stacked: true, Sort: []Sort{{Title: "age"}},
			Queries: []Query{
				{Name: critical, Expr: openByAge(critical), Colour: severityColours[critical]}, {Name: high, Expr: openByAge(high), Colour: severityColours[high]},
			},
		},
		{
			ID: 21, Answers: answers(PackConcentrated, TrackConcentrated), Title: "Which services carry most of it?", Look: Table, W: 15, H: 10, Unit: "none", Steps: plain(),
			Means: "Services by open criticals and highs, and how many of them are past their deadline.", Source: findingsOpen + ".",
			Act: "agree on a plan with the owners of the first five before anything else.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Critical", Expr: worstServices(is("severity", critical))}, {Name: "High", Expr: worstServices(is("severity", high))},
				{Name: "Past deadline", Expr: worstServices(is("sla", "breached"))},
			},
			Columns: append(services,
				severityColumn("Critical", critical).bar(), severityColumn("High", high).bar(),
				countColumn("Past deadline", 1).wide(115)),
			Sort: []Sort{{Title: "Critical", Desc: true}, {Title: "High", Desc: true}},
		},
		exploitedPanel(),
		{
			ID: 22, Answers: answers(TrackOpen), Title: "Oldest open criticals and highs, by service", Look: Table, W: 12, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Days since the oldest open critical or high of each service was first seen.", Source: findingOldest + ".",
			Act: "ask what it would take; the oldest ones are usually waiting for a decision.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Days open", Expr: oldestOpen()}},
			Columns: append(append([]Column{serviceColumn()}, ownerColumns()...),
				Column{Field: "severity", Title: "Severity", Width: 110, Texts: severityTexts(), Shade: true},
				Column{Field: "Days open", Title: "Days open", Unit: "none", Steps: []Step{below(good), from(30, warning), from(180, bad)}, Bar: true}),
			Sort: []Sort{{Title: "Days open", Desc: true}},
		},
	}
}

func exposureExceptions() []Panel {
	horizons := []Text{
		{Value: "expired", Text: "already expired"}, {Value: "7d", Text: "within 7 d"}, {Value: "30d", Text: "within 30 d"},
		{Value: "90d", Text: "within 90 d"}, {Value: "later", Text: "later"}, {Value: "never", Text: "without an end"},
	}
	var queries []Query
	for _, h := range horizons {
		queries = append(queries, Query{Name: h.Text, Expr: exceptionsEnding(h.Value), Colour: horizonColours[h.Value]})
	}
	return []Panel{
		{
			ID: panelExceptionHorizon, Answers: answers(PackExceptions, TrackExceptions), Title: "Exceptions by category: when do they end?", Look: Bars, W: 10, H: 10, Unit: "none", Steps: plain(),
			Means: "Approved exceptions by category and time until they expire; those already expired are still open in their source.", Source: exceptions + ".",
			Act: "expired: fix, renew or close. An exception without an end is a decision nobody will revisit; give it one. A tall bar asks whether the standard, " +
				"the platform or the ownership is at fault.",
			Empty: noneOrUnread, Key: "category", Stacked: true, Horizontal: true, Queries: queries,
			Sort: []Sort{{horizons[0].Text, true}, {horizons[1].Text, true}, {horizons[2].Text, true}, {horizons[3].Text, true}},
		},
		{
			ID: 41, Answers: answers(PackExceptions, TrackExceptions), Title: "How old is a typical exception?", Look: Ranking, W: 5, H: 10, Unit: "suffix: d", Decimals: number(0),
			Steps: []Step{below(good), from(90, warning), from(180, bad)},
			Means: "Median age of active and of expired but open exceptions, by category, in days.", Source: exceptionAge + " (a snapshot: its quantile is today's).",
			Act: "an exception that outlives two quarters is a standard in disguise: fix the platform or change the standard.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Median age", Expr: exceptionAgeQuantile(0.5), Legend: "{{category}}"}},
		},
		{
			ID: panelNextExpiries, Answers: answers(TrackExceptions), Title: "Which exceptions end next?", Look: Table, W: 9, H: 10, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Days until the soonest active exception of each service and category expires.", Source: exceptionNextExpiry + ".",
			Act: "decide before it ends: afterwards the clocks it stopped run again.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Days left", Expr: nextExpiries()}},
			Columns: []Column{
				{Field: "service_name", Title: "Service", Width: 145}, {Field: "team", Title: "Team", Width: 100}, {Field: "category", Title: "Category"},
				{Field: "Days left", Title: "Days left", Width: 85, Unit: "none", Steps: []Step{below(bad), from(7, warning), from(30, good)}},
			},
			Sort: []Sort{{Title: "Days left"}},
		},
		repeatedExceptions(), exceptionsOverTime(),
	}
}

func foldedPanel() Panel {
	return Panel{
		ID: 14, Answers: answers(PackTrend), Title: "Reports folded into another", Look: Ranking, W: 6, H: 7, Unit: "none", Steps: plain(),
		Means:  "Reports of several tools that were recognised as the same weakness, by class: a jump means that counting changed, not risk.",
		Source: duplicateFindings + ".", Empty: noneOrUnread,
		Queries: []Query{{Name: "Reports", Expr: folded(), Legend: "{{class}}"}},
	}
}

// exploitedPanel lists what is used in attacks, or likely to be.
func exploitedPanel() Panel {
	return Panel{
		ID: panelExploited, Answers: answers(TrackOpen, PackUnprotected), Title: "What do attackers use already?", Look: Table, W: 12, H: 8, Unit: "none", Steps: plain(),
		Means: "Open weaknesses of any severity by their strongest evidence: on the list of known exploited ones, a leaked secret that still works, or a high prediction of exploitation. " +
			"Internet-facing: whether the catalog says that the internet reaches the service.",
		Source: findingsExploited + " joined with " + serviceInfo + " (rule " + recExploited + ").",
		Act:    "secrets are revoked today, known exploited ones on reachable services are patched or shielded today.", Empty: noneOrUnread,
		Queries: []Query{{Name: "Open", Expr: exploitedOpen()}},
		Columns: []Column{
			{Field: "service_name", Title: "Service"}, {Field: "team", Title: "Team"},
			{Field: "internet_facing", Title: "Internet", Width: 80, Texts: []Text{{affirmative, "yes", bad}, {negative, "no", neutral}, {"unknown", "unknown", unknown}}},
			{Field: "evidence", Title: "Evidence", Width: 150, Shade: true, Texts: evidenceTexts()},
			{Field: "Open", Title: "Open", Width: 65},
		},
		Sort: []Sort{{Title: "Open", Desc: true}},
	}
}
