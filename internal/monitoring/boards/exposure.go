package boards

import (
	"slices"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

const (
	critical = string(record.SeverityCritical)
	high     = string(record.SeverityHigh)
)

func exposureBoard() panel.Board {
	return panel.Board{
		UID: names.BoardExposure, File: "exposure.json", Title: "Exposure",
		Question: "Which risks are growing faster than we are reducing them?",
		Rows: []panel.Row{
			{ID: 100, Question: "How many criticals and highs are open, and is the number growing?", Panels: exposureHeadlines()},
			{ID: 200, Question: "Is risk reduced or accumulated, and why?", Panels: exposureFlows()},
			{ID: 300, Question: "How old are open findings, and who owns them?", Panels: exposureAges()},
			{ID: 350, Question: "Where is risk concentrated, and what recurs?", Panels: exposureConcentration()},
			{ID: 400, Question: "Where do exceptions become structural?", Panels: exposureExceptions()},
			{ID: 500, Question: "History (from Prometheus)", Panels: exposureHistory()},
			qualityRow(),
		},
	}
}

// openStat is a headline: open weaknesses of a severity and the change over the window, and what is missing from it.
func openStat(id uint32, severity string) panel.Panel {
	return panel.Panel{
		ID: id, Answers: packrow.List(packrow.PackFlow, packrow.TrackOpen), Title: "Open " + severity + " findings", Look: panel.Stat, W: 4, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(),
		Means: "Open weaknesses of this severity, deduplicated across tools, and the change since the start of the window. While scopes are not read the number is a lower bound: withheld is what dropped " +
			"scopes held when they were last read; what scopes hold that were never read is not known.",
		Source: names.FindingsOpen + "; the change is the sum of the signed events of " + names.FindingFlow + ", exact from the first day; " + names.Withheld(names.FindingsOpen) + ".",
		Act:    "the next row explains growth by cause and business unit; decide whether to reduce intake or add capacity.",
		Empty:  "not known",
		Queries: slices.Concat(atLeast(record.KindFinding, panel.Query{Name: "open", Expr: query.OpenNow("", severity)}),
			atLeast(record.KindFinding, panel.Query{Name: "$window change", Expr: query.ChangeInWindow("", severity), Steps: panel.Falling()}),
			missingQueries(record.KindFinding, names.FindingsOpen, "none", promql.Is("severity", severity))),
	}
}

func exposureHeadlines() []panel.Panel {
	return []panel.Panel{
		openStat(1, critical), openStat(2, high),
		{
			ID: 3, Answers: packrow.List(packrow.PackUnprotected, packrow.TrackOpen), Title: "Open on exposed services", Look: panel.Stat, W: 4, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(),
			Means:  "Open criticals and highs on crown-jewel or internet-facing services, and on services for which neither is known.",
			Source: names.FindingsOpen + " joined with " + names.ServiceInfo + " (rule " + names.RecOpenExposure + ").",
			Act:    "fix these first and agree on dates with their owners. Unknown services may be exposed: complete the catalog.",
			Empty:  "not known",
			Queries: slices.Concat(
				atLeast(record.KindFinding, panel.Query{Name: "exposed", Expr: query.OpenWithBlastRadius(""), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}}),
				[]panel.Query{{Name: "not known", Expr: query.OpenWithUnknownRadius(), Steps: []panel.Step{panel.Below(panel.Unknown)}}},
				missingQueries(record.KindFinding, names.FindingsOpen, "none", promql.Severe())),
		},
		{
			ID: 4, Title: "Share past SLA deadline", Look: panel.Stat, W: 4, H: 5, Unit: "percentunit", Decimals: panel.Number(0), Lines: true,
			Steps: panel.Plain(),
			Means: "Share of open criticals and highs past their SLA deadline. What an approved exception covers is left out.", Source: names.FindingsOpen + " by sla.",
			Act: "Responsiveness lists the services.", Empty: "not known",
			Queries: slices.Concat(
				atLeast(record.KindFinding, panel.Query{
					Name: "past deadline", Expr: query.BreachedRatio().Enough(), Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.05, panel.Warning), panel.From(0.15, panel.Bad)},
				}),
				[]panel.Query{
					{Name: "past deadline, of too few to compare", Legend: "past deadline", Expr: query.BreachedRatio().Few(), Colour: panel.Unknown},
					{Name: "n", Legend: "of", Expr: query.BreachedRatio().Whole, Unit: "none", Colour: panel.Unknown},
					{Name: "excepted", Expr: query.Counted("", names.RecOpen, promql.Severe(), promql.Is("sla", "excepted")) + " > 0", Unit: "none", Colour: panel.Waived},
				}),
		},
		{
			ID: 5, Answers: packrow.List(packrow.PackConcentrated, packrow.TrackConcentrated), Title: "Concentration in five services", Look: panel.Stat, W: 4, H: 5, Unit: "percentunit", Decimals: panel.Number(0), Lines: true,
			Steps: panel.Plain(),
			Means: "Share of open criticals and highs in the five services with most of them. High: solve it with the owners of these services. " +
				"Low: solve it with a platform.", Source: names.FindingsOpen + ".",
			Act: "open the table of services below.", Empty: "not known",
			Queries: concentrationQueries(query.Concentration()),
		},
		{
			ID: 6, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), Title: "Exceptions", Look: panel.Stat, W: 4, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(),
			Means:  "Approved and unexpired exceptions, and exceptions that expired without being closed; expired ones no longer pause an SLA clock.",
			Source: names.Exceptions + ", expiry computed from the date.", Act: "renew with a reason, or close what has expired; the table below names the next ones.",
			Empty: "not known",
			Queries: slices.Concat(
				atLeast(record.KindException, panel.Query{Name: "active", Expr: query.ExceptionsNow("active")}),
				atLeast(record.KindException, panel.Query{Name: "expired", Expr: query.ExceptionsNow("expired"), Steps: panel.NoneBut(1)}),
				missingQueries(record.KindException, names.Exceptions, "none")),
		},
	}
}

// concentrationQueries colour a concentration: above what policy tolerates it is orange.
func concentrationQueries(r query.Ratio) []panel.Query {
	target := promql.Target(policy.ObjectiveConcentration)
	return []panel.Query{
		{Name: "within target", Legend: "in five services", Expr: r.Enough() + " <= on () group_left () " + target, Colour: panel.Neutral},
		{Name: "above target", Legend: "in five services", Expr: r.Enough() + " > on () group_left () " + target, Colour: panel.Warning},
		{Name: "of too few", Legend: "in five services", Expr: r.Few(), Colour: panel.Unknown},
		{Name: "n", Legend: "of", Expr: r.Whole, Unit: "none", Colour: panel.Unknown},
	}
}

func exposureFlows() []panel.Panel {
	flow := func(name, colour string, events ...string) panel.Query {
		return panel.Query{Name: name, Expr: query.FlowsByEvent(events...), Colour: colour}
	}
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.PackFlow, packrow.PackTrend), Title: "What changed the number of open criticals and highs?", Look: panel.Bars, W: 13, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Events of the window that increased (up) or decreased (down) the open criticals and highs. The bars add up to the change. " +
				"Only \"fixed\" is remediation: dismissed, moved and out-of-view findings were not remediated.",
			Source: names.FindingFlow + ", signed (rule " + names.RecFlow + ").", Act: "if bars other than \"fixed\" cause most of the decrease, find out why before reporting progress.",
			Empty: panel.NoneOrUnread,
			Key:   "event", KeyTexts: eventTexts(), Stacked: true, Signed: true,
			Sort: []panel.Sort{panel.Descending("new"), panel.Descending("recounted"), panel.Ascending("fixed"), panel.Ascending("dismissed")},
			Queries: []panel.Query{
				flow("new", panel.Bad, "opened", "reopened"),
				flow("recounted", panel.Unknown, "scope_gained", "moved_in", "severity_raised", "severity_lowered", "severity_left", "moved_out", "scope_lost", "out_of_scope", "duplicate"),
				flow("fixed", panel.Good, "fixed"),
				flow("dismissed", panel.Waived, "dismissed_false_positive", "dismissed_wont_fix", "dismissed_used_in_tests", "dismissed_other"),
			},
		},
		{
			ID: 11, Answers: packrow.List(packrow.PackFlow), Title: "Which business unit accumulates findings?", Look: panel.Table, W: 11, H: 10, Unit: "none", Steps: panel.Plain(),
			Means:  "Open criticals and highs by business unit, with opened and closed in the window. Otherwise: dismissed, duplicate, out of scope or out of view.",
			Source: names.FindingsOpen + ", " + names.FindingFlow + ".",
			Act:    "a positive net is growing debt: agree on capacity or lower intake with the business unit.", Empty: "Findings were not read yet",
			Queries: []panel.Query{
				{Name: "Critical", Expr: query.OpenNow("business_unit", critical)}, {Name: "High", Expr: query.OpenNow("business_unit", high)},
				{Name: "Opened", Expr: query.FlowsBy("business_unit", "opened", "reopened")}, {Name: "Fixed", Expr: "0 - " + query.FlowsBy("business_unit", "fixed")},
				{Name: "Otherwise", Expr: "0 - " + query.OtherwiseClosed("business_unit")}, {Name: "Net", Expr: query.ChangeInWindow("business_unit", critical, high)},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, severityColumn("Critical", critical).Wide(70), severityColumn("High", high).Wide(58),
				{Field: "Opened", Title: "Opened", Zero: "–", Width: 75}, {Field: "Fixed", Title: "Fixed", Zero: "–", Width: 62},
				{Field: "Otherwise", Title: "Otherwise", Zero: "–", Width: 92}, {Field: "Net", Title: "Net", Steps: panel.Falling(), Zero: "–", Width: 62},
			},
			Sort: []panel.Sort{panel.Descending("Net")},
		},
	}
}

func exposureHistory() []panel.Panel {
	return []panel.Panel{
		{
			ID: 12, Answers: packrow.List(packrow.PackFlow), Title: "Opened against fixed", Look: panel.Lines, W: 12, H: 7, Unit: "none", Steps: panel.Plain(),
			Means:  "Criticals and highs opened, fixed and dismissed in the window before each moment, exact. As far back as Prometheus has history; the numbers above do not need it.",
			Source: names.FindingFlow + " (rule " + names.RecFlow + ").", Act: "opened above fixed for longer than a window is a trend.", Empty: "There is no history yet",
			Queries: []panel.Query{
				{Name: "opened or reopened", Expr: query.EventsInWindow("", "opened", "reopened"), Colour: panel.Bad},
				{Name: "fixed", Expr: query.EventsInWindow("0 - ", "fixed"), Colour: panel.Good},
				{Name: "dismissed", Expr: query.EventsInWindow("0 - ", "dismissed_.*"), Colour: panel.Waived},
			},
		},
		{
			ID: 13, Answers: packrow.List(packrow.PackFlow, packrow.TrackOpen), Title: "Open criticals and highs over time", Look: panel.Lines, W: 6, H: 7, Unit: "none", Steps: panel.Plain(),
			Means: "Open weaknesses at each moment. A step without events is a change of scope or counting; see the last row.", Source: names.FindingsOpen + " (rule " + names.RecOpen + ").",
			Act: "compare with the events above.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []panel.Query{{Name: "Open", Expr: query.OpenNow("severity", critical, high), Legend: "{{severity}}"}},
		},
		foldedPanel(),
	}
}

func exposureAges() []panel.Panel {
	services := append([]panel.Column{serviceColumn()}, ownerColumns()...)
	return []panel.Panel{
		{
			ID: 20, Answers: packrow.List(packrow.TrackOpen), Title: "Open criticals and highs by age", Look: panel.Bars, W: 9, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Open criticals and highs by time since they were first seen. Not filtered by trust tier.", Source: names.FindingAge + " (rule " + names.RecAges + ").",
			Act: "findings older than their target are breached or excepted; findings over 180 days need a decision.", Empty: "Findings were not read yet",
			Key: "age", KeyTexts: ageTexts(), Stacked: true, Sort: []panel.Sort{panel.Ascending("age")},
			Queries: []panel.Query{
				{Name: critical, Expr: query.OpenByAge(critical), Colour: panel.SeverityColours[critical]}, {Name: high, Expr: query.OpenByAge(high), Colour: panel.SeverityColours[high]},
			},
		},
		{
			ID: 21, Answers: packrow.List(packrow.PackConcentrated, packrow.TrackConcentrated), Title: "Services with most open criticals and highs", Look: panel.Table, W: 15, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Services by open criticals and highs, and how many of them are past their deadline.", Source: names.FindingsOpen + ".",
			Act: "agree on a remediation plan with the owners of the first five.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Critical", Expr: query.WorstServices(promql.Is("severity", critical))}, {Name: "High", Expr: query.WorstServices(promql.Is("severity", high))},
				{Name: "Past deadline", Expr: query.WorstServices(promql.Is("sla", "breached"))},
			},
			Columns: append(services,
				severityColumn("Critical", critical).AsBar(), severityColumn("High", high).AsBar(),
				countColumn("Past deadline", 1).Wide(115)),
			Sort: []panel.Sort{panel.Descending("Critical"), panel.Descending("High")},
		},
		exploitedPanel(),
		{
			ID: 22, Answers: packrow.List(packrow.TrackOpen), Title: "Oldest open criticals and highs, by service", Look: panel.Table, W: 12, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Days since the oldest open critical or high of each service was first seen.", Source: names.FindingOldest + ".",
			Act: "ask the owner what blocks remediation; the oldest ones usually wait for a decision.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Days open", Expr: query.OldestOpen()}},
			Columns: append(append([]panel.Column{serviceColumn()}, ownerColumns()...),
				panel.Column{Field: "severity", Title: "Severity", Width: 110, Texts: severityTexts(), Shade: true},
				panel.Column{Field: "Days open", Title: "Days open", Unit: "none", Steps: []panel.Step{panel.Below(panel.Good), panel.From(30, panel.Warning), panel.From(180, panel.Bad)}, Bar: true}),
			Sort: []panel.Sort{panel.Descending("Days open")},
		},
	}
}

func exposureExceptions() []panel.Panel {
	horizons := []panel.Text{
		{Value: "expired", Text: "already expired"}, {Value: "7d", Text: "within 7 d"}, {Value: "30d", Text: "within 30 d"},
		{Value: "90d", Text: "within 90 d"}, {Value: "later", Text: "later"}, {Value: "never", Text: "without an end"},
	}
	var queries []panel.Query
	for _, h := range horizons {
		queries = append(queries, panel.Query{Name: h.Text, Expr: query.ExceptionsEnding(h.Value), Colour: panel.HorizonColours[h.Value]})
	}
	return []panel.Panel{
		{
			ID: names.PanelExceptionHorizon, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), Title: "Exceptions by category and expiry", Look: panel.Bars, W: 10, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Approved exceptions by category and time until expiry; expired ones are still open in their source.", Source: names.Exceptions + ".",
			Act: "expired: fix, renew or close. Set an expiry on exceptions that have none. For a long bar, check whether the standard, " +
				"the platform or ownership is the cause.",
			Empty: panel.NoneOrUnread, Key: "category", Stacked: true, Horizontal: true, Queries: queries,
			Sort: []panel.Sort{panel.Descending(horizons[0].Text), panel.Descending(horizons[1].Text), panel.Descending(horizons[2].Text), panel.Descending(horizons[3].Text)},
		},
		{
			ID: 41, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), Title: "Median age of exceptions", Look: panel.Ranking, W: 5, H: 10, Unit: "suffix: d", Decimals: panel.Number(0),
			Steps: []panel.Step{panel.Below(panel.Good), panel.From(90, panel.Warning), panel.From(180, panel.Bad)},
			Means: "Median age in days of active and of expired but open exceptions, by category.", Source: names.ExceptionAge + " (a snapshot: its quantile is today's).",
			Act: "an exception older than two quarters is a de facto standard: fix the platform or change the standard.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Median age", Expr: query.ExceptionAgeQuantile(0.5), Legend: "{{category}}"}},
		},
		{
			ID: names.PanelNextExpiries, Answers: packrow.List(packrow.TrackExceptions), Title: "Next exceptions to expire", Look: panel.Table, W: 9, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Days until the soonest active exception of each service and category expires.", Source: names.ExceptionNextExpiry + ".",
			Act: "decide before expiry: afterwards the paused SLA clocks run again.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Days left", Expr: query.NextExpiries()}},
			Columns: []panel.Column{
				{Field: "service_name", Title: "Service", Width: 145}, {Field: "team", Title: "Team", Width: 100}, {Field: "category", Title: "Category"},
				{Field: "Days left", Title: "Days left", Width: 85, Unit: "none", Steps: []panel.Step{panel.Below(panel.Bad), panel.From(7, panel.Warning), panel.From(30, panel.Good)}},
			},
			Sort: []panel.Sort{panel.Ascending("Days left")},
		},
		repeatedExceptions(), exceptedStandards(), exceptionsOverTime(),
	}
}

func foldedPanel() panel.Panel {
	return panel.Panel{
		ID: 14, Answers: packrow.List(packrow.PackTrend), Title: "Deduplicated findings", Look: panel.Ranking, W: 6, H: 7, Unit: "none", Steps: panel.Plain(),
		Means:  "Findings recognised as the same weakness as another finding, by class. A jump is a change of counting, not of risk.",
		Source: names.DuplicateFindings + ".", Empty: panel.NoneOrUnread,
		Queries: []panel.Query{{Name: "Findings", Expr: query.Folded(), Legend: "{{class}}"}},
	}
}

// exploitedPanel lists what is used in attacks, or likely to be.
func exploitedPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelExploited, Answers: packrow.List(packrow.TrackOpen, packrow.PackUnprotected), Title: "Known-exploited weaknesses and active secrets", Look: panel.Table, W: 12, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Open weaknesses of any severity by their strongest evidence of exploitation: listed as known exploited (KEV), a leaked secret that is still active, or a high EPSS score. " +
			"Internet: whether the service is internet-facing according to the catalog.",
		Source: names.FindingsExploited + " joined with " + names.ServiceInfo + " (rule " + names.RecExploited + ").",
		Act:    "revoke active secrets today; patch or mitigate known-exploited weaknesses on reachable services today.", Empty: panel.NoneOrUnread,
		Queries: []panel.Query{{Name: "Open", Expr: query.ExploitedOpen()}},
		Columns: []panel.Column{
			{Field: "service_name", Title: "Service"}, {Field: "team", Title: "Team"},
			{Field: "internet_facing", Title: "Internet", Width: 80, Texts: []panel.Text{{Value: names.Affirmative, Text: "yes", Colour: panel.Bad}, {Value: names.Negative, Text: "no", Colour: panel.Neutral}, {Value: "unknown", Text: "unknown", Colour: panel.Unknown}}},
			{Field: "evidence", Title: "Evidence", Width: 150, Shade: true, Texts: evidenceTexts()},
			{Field: "Open", Title: "Open", Width: 65},
		},
		Sort: []panel.Sort{panel.Descending("Open")},
	}
}
