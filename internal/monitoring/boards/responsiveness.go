package boards

import (
	"slices"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

func responsivenessBoard() panel.Board {
	return panel.Board{
		UID: names.BoardResponsiveness, File: "responsiveness.json", Title: "Responsiveness",
		Question: "Are teams fixing important issues in time, and with the right owners?",
		Rows: []panel.Row{
			{ID: 100, Question: "Are critical and high findings remediated in time?", Panels: responseHeadlines()},
			{ID: 200, Question: "SLA attainment by owner", Panels: responseByOwner()},
			{ID: 300, Question: "Which teams must act now?", Panels: responseNow()},
			{ID: 400, Question: "Time to remediate", Panels: responseTimes()},
			{ID: 450, Question: "Does the security function respond in time?", Panels: append(responseOfSecurity(), securityTimes()...)},
			{ID: 470, Question: "Incident follow-up and release blocks", Panels: lessonsAndBlocks()},
			{ID: 480, Question: "Friction against safety: where do we cause unnecessary pain, and where are we too permissive?", Panels: frictionAgainstSafety()},
			{ID: 500, Question: "History (from Prometheus)", Panels: responseHistory()},
			qualityRow(),
		},
	}
}

// responseOfSecurity are the panels about what waits for the security function, or for the actions it asked for.
func responseOfSecurity() []panel.Panel {
	one := func(id uint32, rows []packrow.Row, title, means, source, act string, kind record.Kind, family string, queries ...panel.Query) panel.Panel {
		p := panel.Panel{
			ID: id, Answers: rows, Title: title, Look: panel.Stat, W: 6, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(), Means: means, Source: source, Act: act,
			Empty: "not known",
		}
		for _, q := range queries {
			p.Queries = append(p.Queries, atLeast(kind, q)...)
		}
		p.Queries = append(p.Queries, missingQueries(kind, family, "none")...)
		return p
	}
	return []panel.Panel{
		one(names.PanelWaiting, packrow.List(packrow.PackReviews), "Reviews waiting for first response", "Security reviews without a first response by a responder, and the median waiting time in days.",
			names.ReviewsOpen+`{state="waiting"}, `+names.ReviewWaiting+".", "answer the oldest first; a growing number is a staffing question.", record.KindReview, names.ReviewsOpen,
			panel.Query{Name: "waiting", Expr: query.ReviewsWaiting(), Steps: panel.NoneBut(10)}, panel.Query{Name: "median days", Expr: query.MedianDays(names.ReviewWaiting), Steps: panel.LongerThan(2, 5)}),
		one(names.PanelPending, packrow.List(packrow.TrackDecision), "Exception requests pending", "Exception requests without a decision, and the median waiting time in days.",
			names.Exceptions+`{state="requested"}, `+names.ExceptionPending+".", "decide, or state what is missing.", record.KindException, names.Exceptions,
			panel.Query{Name: "undecided", Expr: query.ExceptionsNow("requested"), Steps: panel.NoneBut(10)}, panel.Query{Name: "median days", Expr: query.MedianDays(names.ExceptionPending), Steps: panel.LongerThan(7, 14)}),
		one(names.PanelFollowups, packrow.List(packrow.PackFollowups), "Incident follow-up actions", "Open follow-up actions, and those past their due date.", names.FollowupsOpen+".",
			"an overdue action leaves the cause of an incident in place; agree on a new date or more capacity with its owner.", record.KindFollowup, names.FollowupsOpen,
			panel.Query{Name: "open", Expr: query.Followups()}, panel.Query{Name: "overdue", Expr: query.Followups(promql.Is("overdue", names.Affirmative)), Steps: panel.NoneBut(5)}),
		one(names.PanelEscalations, packrow.List(packrow.PackBlocks), "Release blocks and urgent escalations", "Blocked releases and open urgent escalations.", names.EscalationsOpen+".",
			"look for repeated reasons: a missing golden path costs more than the block.", record.KindEscalation, names.EscalationsOpen,
			panel.Query{Name: "release blocks", Expr: query.Escalations("release_block"), Steps: panel.NoneBut(5)}, panel.Query{Name: "urgent", Expr: query.Escalations("urgent"), Steps: panel.NoneBut(5)}),
	}
}

const attainmentMeans = "Attainment = met / (met + missed): the share of findings remediated by their SLA deadline, among those whose deadline passed or that were remediated before it. " +
	"False positives, duplicates and out-of-scope findings are in neither; findings closed without a fix or an approved exception count as missed."

func attainmentStat(id uint32, severity string) panel.Panel {
	return panel.Panel{
		ID: id, Answers: packrow.List(packrow.TrackAttainment), Title: "SLA attainment, " + severity, Look: panel.Stat, W: 5, H: 5, Unit: "percentunit", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(),
		Means: attainmentMeans + " Shown for the window and, for comparison, for 90 days; grey while there are too few outcomes to compare with the target.", Source: names.SLAOutcomesWindow + ", outcomes frozen when they fell.",
		Act: "the next row names the business units and teams; missing a target for a quarter is a staffing or ownership question.", Empty: "not known",
		Queries: append(ratioQueries("last $window", query.Attainment("", promql.Is("severity", severity)), policy.ObjectiveSLAAttainment),
			ratioQueries("last 90d", query.AttainmentOver("", "90d", promql.Is("severity", severity)), policy.ObjectiveSLAAttainment)...),
	}
}

// verdictStat is a headline: open criticals and highs with one verdict, and what is missing from them.
func verdictStat(id uint32, title, sla, means, act string, criticalSteps, highSteps []panel.Step) panel.Panel {
	return panel.Panel{
		ID: id, Title: title, Look: panel.Stat, W: 5, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(), Means: means, Source: names.FindingsOpen + `{sla="` + sla + `"}.`, Act: act,
		Empty: "not known",
		Queries: slices.Concat(
			atLeast(record.KindFinding, panel.Query{Name: critical, Expr: query.Verdicts(sla, critical), Steps: criticalSteps}),
			atLeast(record.KindFinding, panel.Query{Name: high, Expr: query.Verdicts(sla, high), Steps: highSteps}),
			missingQueries(record.KindFinding, names.FindingsOpen, "none", promql.Severe(), promql.Is("sla", sla))),
	}
}

func responseHeadlines() []panel.Panel {
	return []panel.Panel{
		attainmentStat(1, critical), attainmentStat(2, high),
		verdictStat(3, "Past SLA deadline", "breached", "Open criticals and highs past their SLA deadline that no approved exception covers.",
			"the table below names services and teams; each has an alert with a runbook.", panel.NoneBut(1), panel.NoneBut(20)),
		verdictStat(4, "Due soon", "due_soon", "Open criticals and highs in the last quarter of their SLA time.",
			"plan them now, before they breach.", []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}, []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}),
		{
			ID: 5, Title: "SLA clock paused", Look: panel.Stat, W: 4, H: 5, Unit: "none", Lines: true, Steps: panel.Plain(),
			Means:  "Open criticals and highs covered by an approved, unexpired exception. They cannot breach until it ends, and are still open.",
			Source: names.FindingsOpen + `{sla="excepted"}.`, Act: "Exposure shows by category when the exceptions end.", Empty: "not known",
			Queries: []panel.Query{
				{Name: critical, Expr: query.Verdicts("excepted", critical), Colour: panel.MeaningColours["excepted"]}, {Name: high, Expr: query.Verdicts("excepted", high), Colour: panel.MeaningColours["excepted"]},
			},
		},
	}
}

func responseByOwner() []panel.Panel {
	outcome := func(value string) panel.Query {
		return panel.Query{Name: value, Expr: promql.Filled(query.Outcomes("severity", value), query.Outcomes("severity", "met|missed|void")), Colour: panel.MeaningColours[value]}
	}
	ratio := func(title string) panel.Column {
		return panel.Column{Field: title, Title: title, Unit: "percentunit", Zero: "nothing due", Width: 75}
	}
	all := query.Attainment("business_unit", promql.Severe())
	return []panel.Panel{
		{
			ID: names.PanelAttainment, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment), Title: "SLA attainment by business unit", Look: panel.Table, W: 11, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: attainmentMeans + " Against target: criticals and highs together against the policy's target, in percentage points.", Source: names.SLAOutcomesWindow + " and " + names.TargetRatio + ".",
			Act:   "discuss capacity or ownership with the head of the first row rather than individual findings.",
			Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Against target", Expr: all.Against(policy.ObjectiveSLAAttainment)},
				{Name: "Critical", Expr: query.Attainment("business_unit", promql.Is("severity", critical)).Expr()}, {Name: "High", Expr: query.Attainment("business_unit", promql.Is("severity", high)).Expr()},
				{Name: "Met", Expr: query.Outcomes("business_unit", "met", promql.Severe())}, {Name: "Missed", Expr: query.Outcomes("business_unit", "missed", promql.Severe())},
				{Name: "Void", Expr: query.Outcomes("business_unit", "void", promql.Severe())},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, againstColumn("Against target").Wide(110), ratio("Critical"), ratio("High"),
				{Field: "Met", Title: "Met", Zero: "–", Width: 55}, {Field: "Missed", Title: "Missed", Zero: "–", Width: 65}, {Field: "Void", Title: "Void", Zero: "–", Width: 55},
			},
			Sort: []panel.Sort{panel.Descending("Missed")},
		},
		{
			ID: 11, Answers: packrow.List(packrow.TrackAttainment), Title: "Teams with the lowest SLA attainment", Look: panel.Ranking, W: 6, H: 9, Unit: "percentunit", Decimals: panel.Number(0), Max: panel.Number(1),
			Steps: panel.Plain(), Means: "The twelve teams with the lowest attainment for criticals and highs in the window, coloured by the policy's target; a team with fewer outcomes than policy.targets.minimum_outcomes is not ranked.",
			Source: names.SLAOutcomesWindow + " and " + names.TargetRatio + ".", Act: "look at the team's breached findings below and at who owns its services.", Empty: panel.NoneOrUnread,
			Queries: comparedRanking(query.Attainment("team", promql.Severe()), "{{team}}", 12, policy.ObjectiveSLAAttainment),
		},
		{
			ID: 12, Answers: packrow.List(packrow.TrackAttainment), Title: "SLA outcomes by severity", Look: panel.Bars, W: 7, H: 9, Unit: "none", Steps: panel.Plain(),
			Means:  "SLA outcomes of the window. Void: false positives, duplicates and out of scope; not in the denominator.",
			Source: names.SLAOutcomesWindow + ".", Act: "a large void share is closing without remediation: review a sample.", Empty: panel.NoneOrUnread,
			Key: "severity", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("missed")},
			Queries: []panel.Query{outcome("met"), outcome("missed"), outcome("void")},
		},
	}
}

func verdictTable(id uint32, title, sla, means, act string) panel.Panel {
	return panel.Panel{
		ID: id, Title: title, Look: panel.Table, W: 12, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(), Means: means, Source: names.FindingsOpen + " and " + names.FindingOldest + ".", Act: act, Empty: panel.NoneOrUnread,
		Queries: []panel.Query{
			{Name: "Critical", Expr: query.VerdictsByService(sla, critical)}, {Name: "High", Expr: query.VerdictsByService(sla, high)},
			{Name: "Oldest, days", Expr: query.OldestByService(sla)},
		},
		Columns: append(append([]panel.Column{serviceColumn()}, ownerColumns()...),
			severityColumn("Critical", critical).Wide(85), severityColumn("High", high).Wide(70),
			panel.Column{Field: "Oldest, days", Title: "Oldest, days", Zero: "–", Width: 100}),
		Sort: []panel.Sort{panel.Descending("Critical"), panel.Descending("High")},
	}
}

func responseNow() []panel.Panel {
	return []panel.Panel{
		verdictTable(names.PanelBreachedTable, "Past SLA deadline, by service", "breached", "Services with open criticals or highs past their deadline, and the age of their oldest open one.",
			"the team remediates or requests an exception; the alert's runbook says how."),
		verdictTable(names.PanelDueSoonTable, "Due soon, by service", "due_soon", "Services with open criticals or highs in the last quarter of their SLA time, and the age of their oldest open one.",
			"plan these before they breach."),
	}
}

// remediationRanges cut the time to fix at the default targets.
func remediationRanges() []panel.Query {
	var list []panel.Query
	for _, severity := range []string{critical, high} {
		list = append(list, panel.Query{Name: severity, Colour: panel.SeverityColours[severity], Expr: remediationByRange(severity)})
	}
	return list
}

// remediationByRange is the share of a severity's fixes that took a range of time, labelled like the ages.
func remediationByRange(severity string) string {
	all := promql.SumBy("", promql.SeriesChosen(names.RecRemediationBuckets, promql.Is("severity", severity), promql.In("le", `\+Inf`)))
	var expr string
	for i, r := range settings.AgeRanges {
		upTo := all
		if r.To > 0 {
			upTo = query.RemediatedIn(severity, settings.DaysOf(r.To))
		}
		part := upTo
		if r.From > 0 {
			part = upTo + " - " + query.RemediatedIn(severity, settings.DaysOf(r.From))
		}
		if i > 0 {
			expr += "\nor "
		}
		expr += `label_replace((` + part + `) / (` + all + ` > 0), "age", "` + r.Label() + `", "", "")`
	}
	return expr
}

func responseTimes() []panel.Panel {
	column := func(title string) panel.Column {
		return panel.Column{Field: title, Title: title, Unit: "suffix: d", Zero: "–"}
	}
	return []panel.Panel{
		{
			ID: 30, Answers: packrow.List(packrow.TrackAttainment), Title: "Time to remediate against SLA target, by severity", Look: panel.Table, W: 12, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Median and 90th percentile of the time from first seen to fixed, over every fix in the ledger. Dismissals are not fixes. Targets depend on tier and exposure, so the " +
				"shortest and the longest are shown. Not filtered by trust tier.",
			Source: names.FindingRemediation + " and " + names.SLATarget + ".", Act: "if the median is near the target, a large part of the fixes is late.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Median", Expr: query.RemediationQuantile(0.5, "severity, le")}, {Name: "90 %", Expr: query.RemediationQuantile(0.9, "severity, le")},
				{Name: "Shortest target", Expr: query.TargetShortest()}, {Name: "Longest target", Expr: query.TargetLongest()},
			},
			Columns: []panel.Column{
				{Field: "severity", Title: "Severity", Width: 100, Texts: severityTexts(), Shade: true}, column("Median"), column("90 %"),
				column("Shortest target"), column("Longest target"),
			},
			Sort: []panel.Sort{panel.Ascending("Median")},
		},
		{
			ID: 31, Title: "Distribution of time to remediate", Look: panel.Bars, W: 12, H: 8, Unit: "percentunit", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Share of the fixes in the ledger by time to remediate. Not filtered by trust tier.",
			Source: names.FindingRemediation + " (rule " + names.RecRemediationBuckets + ").", Act: "find what the fixes in the right-hand bars have in common.",
			Empty: panel.NoneOrUnread, Key: "age", KeyTexts: ageTexts(), Sort: []panel.Sort{panel.Ascending("age")}, Queries: remediationRanges(),
		},
	}
}

func responseHistory() []panel.Panel {
	return []panel.Panel{
		{
			ID: 32, Title: "Median time to remediate, previous 30 days", Look: panel.Lines, W: 6, H: 8, Unit: "suffix: d", Steps: panel.Plain(),
			Means:  "Median time from first seen to fixed over the fixes of the thirty days before each moment. It begins once Prometheus has thirty days of history.",
			Source: names.FindingRemediation + ".", Act: "rising while attainment is stable: fixes come closer to the deadline.",
			Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []panel.Query{{Name: "Median", Expr: query.RemediationTrend(0.5), Legend: "{{severity}}"}},
		},
		{
			ID: 33, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment), Title: "SLA attainment over time", Look: panel.Lines, W: 6, H: 8, Unit: "percentunit", Max: panel.Number(1),
			Steps: panel.Plain(), Means: attainmentMeans + " Whole programme, not filtered by the variables above; over the window before each moment.",
			Source: names.SLAOutcomesWindow + " (rule " + names.RecProgrammeAttained + ").", Act: "compare with the target line; a change of policy or of scope is on the last row.",
			Empty: panel.NoneOrUnread, KeyTexts: severityTexts(),
			Queries: []panel.Query{{Name: "Attainment", Expr: promql.Series(names.RecProgrammeAttained, promql.InWindow(), promql.Severe()), Legend: "{{severity}}"}, targetQuery(policy.ObjectiveSLAAttainment)},
		},
		{
			ID: 34, Title: "Past SLA deadline, over time", Look: panel.Lines, W: 6, H: 8, Unit: "none", Steps: panel.Plain(),
			Means: "Open criticals and highs past their deadline at each moment.", Source: names.FindingsOpen + " (rule " + names.RecOpen + ").",
			Act: "a line that only rises indicates missing capacity.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []panel.Query{{Name: "Past deadline", Expr: query.BreachedOverTime(), Legend: "{{severity}}"}},
		},
		{
			ID: names.PanelMissed, Title: "SLA deadlines missed", Look: panel.Lines, W: 6, H: 8, Unit: "none", Steps: panel.Plain(),
			Means: "SLA deadlines of criticals and highs missed in the window before each moment, exact.", Source: names.SLAOutcomesWindow + " (rule " + names.RecOutcomes + ").",
			Act: "a jump often comes from one large import or one service: see Exposure.", Empty: "There is no history yet", KeyTexts: severityTexts(),
			Queries: []panel.Query{{Name: "Missed", Expr: query.MissedInWindow(), Legend: "{{severity}}"}},
		},
	}
}
