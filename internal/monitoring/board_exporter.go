package monitoring

import "fmt"

func exporterBoard() Board {
	return Board{
		UID: BoardExporter, File: "exporter.json", Title: "The exporter",
		Question: "Can what the other boards show be relied on?",
		Rows: []Row{
			{ID: 100, Question: "Does it work?", Panels: exporterHeadlines()},
			{ID: 200, Question: "Will the APIs' budgets last?", Panels: exporterBudgets()},
			{ID: 300, Question: "What could not be read, and why?", Panels: exporterErrors()},
			{ID: 400, Question: "Does it stay within its bounds?", Panels: exporterBounds()},
			qualityRow(),
		},
	}
}

func exporterHeadlines() []Panel {
	stat := func(id uint32, title, means, source, act string, queries ...Query) Panel {
		return Panel{ID: id, Title: title, Look: Stat, W: 4, H: 4, Unit: "none", Lines: true, Steps: plain(), Means: means, Source: source, Act: act, Empty: "not known", Queries: queries}
	}
	return []Panel{
		stat(1, "Replicas that answer", "Replicas that Prometheus scrapes, and how many of them lead. Exactly one should.", buildInfo+" and "+leader+".",
			"none or two leaders: the runbooks of ProdsecNoLeader and ProdsecTwoLeaders.",
			Query{Name: "answer", Expr: replicaCount(buildInfo)},
			Query{Name: "lead", Expr: replicaCount(leader + " == 1"), Steps: []Step{below(bad), from(1, good), from(2, bad)}}),
		stat(2, "Numbers computed", "How long ago the numbers that are exposed were computed, and how long that took.", evaluationTime+" and "+evaluationDuration+".",
			"the runbook of ProdsecEvaluationStale.",
			Query{Name: "ago", Expr: evaluatedAgo(), Unit: "s", Steps: []Step{below(good), from(600, warning), from(1800, bad)}},
			Query{Name: "took", Expr: maxBy("", one(evaluationDuration)), Unit: "s", Steps: []Step{below(good), from(10, warning), from(60, bad)}}),
		stat(3, "Configuration", "Whether the last attempt to load it worked on every replica, and when it was loaded last.", reloadWorked+" and "+reloadTime+".",
			"the runbook of ProdsecConfigReloadFailed.",
			Query{Name: "refused by", Expr: "sum(max without (" + joinLabels(replicaLabels) + ") (" + series(reloadWorked) + " == bool 0))", Steps: noneBut(1)},
			Query{Name: "loaded ago", Expr: "time() - " + maxBy("", one(reloadTime)), Unit: "s"}),
		stat(4, "Ledger", "Its size on disk (absent with PostgreSQL), and operations that failed within a day.", ledgerBytes+" and "+ledgerErrors+".", "the runbook of ProdsecLedgerErrors.",
			Query{Name: "size", Expr: maxBy("", one(ledgerBytes)), Unit: "bytes"}, Query{Name: "errors in a day", Expr: filled(increaseOver("", ledgerErrors, "1d"), maxBy("", one(buildInfo))), Steps: noneBut(1)}),
		stat(5, "Collectors", "Collectors whose last pass could read their source, and those that could not.", collectorUp+".", "the runbook of ProdsecCollectorDown.",
			Query{Name: "read", Expr: "sum(" + one(collectorUp) + ")"},
			Query{Name: "cannot", Expr: "count(" + one(collectorUp) + ") - sum(" + one(collectorUp) + ")", Steps: noneBut(1)}),
		stat(6, "Scopes not fresh", "Scopes that are stale, and those that were dropped or never read.", scopes+".", "the runbook of ProdsecScopeStale.",
			Query{Name: "stale", Expr: scopesNotFresh("stale"), Steps: noneBut(3)}, Query{Name: "withheld", Expr: scopesNotFresh("dropped", "never"), Steps: noneBut(1)}),
	}
}

// replicaCount counts replicas; it is the one thing for which they are not folded.
func replicaCount(selected string) string {
	return "sum(count without (" + joinLabels(replicaLabels) + ") (" + selected + "))"
}

func scopesNotFresh(statuses ...string) string {
	return filled(sumBy("", one(scopes, in("status", statuses...))), sumBy("", one(scopes)))
}

func exporterBudgets() []Panel {
	labels := shape(recBudgetLeft)
	return []Panel{
		{
			ID: panelBudgets, Title: "What is left of each budget, and what is forecast?", Look: Table, W: 14, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Requests that each API allows in its period, the share that is left, when the period ends, and what the configured intervals are expected to cost an hour. " +
				"A source that states no budget has a forecast alone.",
			Source: budgetLimit + ", " + budgetRemaining + ", " + budgetReset + ", " + apiForecast + ".",
			Act:    "forecast above the limit: longer intervals. Little left although the forecast is small: something else uses the credential.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Left", Expr: minBy(labels, series(recBudgetLeft))}, {Name: "Limit", Expr: maxBy(labels, one(budgetLimit))},
				{Name: "Period ends in", Expr: minBy(labels, one(budgetReset)) + " - time() > 0"}, {Name: "Forecast per hour", Expr: maxBy(labels, one(apiForecast))},
			},
			Columns: []Column{
				{Field: "collector", Title: "Collector"}, {Field: "instance_name", Title: "Instance"}, {Field: "resource", Title: "Budget"},
				{Field: "Left", Title: "Left", Unit: "percentunit", Steps: []Step{below(bad), from(budgetReserve, warning), from(3*budgetReserve, good)}, Shade: true, Zero: "not stated", Width: 100},
				{Field: "Limit", Title: "Limit", Zero: "–", Width: 80}, {Field: "Period ends in", Title: "Period ends in", Unit: "s", Zero: "–", Width: 120},
				{Field: "Forecast per hour", Title: "Forecast per hour", Zero: "–", Width: 140},
			},
			Sort: []Sort{{Title: "Left"}},
		},
		{
			ID: 11, Title: "Requests an hour, by collector", Look: Lines, W: 10, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Requests sent to sources in the hour before each moment; those answered from the cache cost nothing.", Source: apiRequests + ".",
			Act: "a collector that grows without its organisation growing asks for something new with each version: read the change log.", Empty: "There is no history yet",
			Queries: []Query{{Name: "Requests", Expr: increaseOver("collector", apiRequests, "1h", is("cached", negative)), Legend: "{{collector}}"}},
		},
	}
}

func exporterErrors() []Panel {
	return []Panel{
		{
			ID: 20, Title: "Scopes that could not be read, in a day", Look: Table, W: 8, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Readings of a scope that failed within a day, by collector and reason. It fills as Prometheus gathers history.", Source: collectionErrors + ".",
			Act: "permission and feature off: grant or accept, they stay unknown. Rate limited: see the budgets. Decode: report it.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Failed", Expr: increaseOver("collector, reason", collectionErrors, "1d")}},
			Columns: []Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Failed", 50).wide(80)},
			Sort:    []Sort{{Title: "Failed", Desc: true}},
		},
		{
			ID: 21, Title: "Records that were left out", Look: Table, W: 8, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Records that could not be understood and were left out alone, since the start, by collector and reason. The rest of their page was kept.",
			Source: recordsRejected + ".", Act: "the log has one line for each reason; a source that always sends it belongs into a report to us.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Left out", Expr: sumBy("collector, reason", one(recordsRejected))}},
			Columns: []Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Left out", 20).wide(80)},
			Sort:    []Sort{{Title: "Left out", Desc: true}},
		},
		{
			ID: 22, Title: "How long do passes take?", Look: Ranking, W: 8, H: 8, Unit: "s", Decimals: number(1), Steps: plain(),
			Means: "Mean duration of the passes of each collector since the exporter's start.", Source: collectionDuration + ".", Empty: noneOrUnread,
			Queries: []Query{{
				Name: "Mean", Legend: "{{collector}}",
				Expr: "sort_desc(" + sumBy("collector", one(collectionDuration+"_sum")) + "\n/\n(" + sumBy("collector", one(collectionDuration+"_count")) + " > 0))",
			}},
		},
	}
}

func exporterBounds() []Panel {
	return []Panel{
		{
			ID: 30, Title: "Families folded, series dropped", Look: Stat, W: 8, H: 7, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Families of which services, teams or business units were folded into \"other\" to keep the series budget, and series that were left out within a day.",
			Source: seriesFolded + " and " + seriesDropped + ".",
			Act:    "folded: raise the budget in the configuration if Prometheus bears it; the least important were folded. Dropped: the runbook of ProdsecSeriesDropped.", Empty: "not known",
			Queries: []Query{
				{Name: "folded", Expr: filled("count("+one(seriesFolded)+" > 0)", maxBy("", one(buildInfo))), Steps: []Step{below(good), from(1, warning)}},
				{Name: "dropped", Expr: filled(increaseOver("", seriesDropped, "1d"), maxBy("", one(buildInfo))), Steps: noneBut(1)},
			},
		},
		{
			ID: 31, Title: "How long does evaluation take?", Look: Lines, W: 8, H: 7, Unit: "s", Steps: plain(),
			Means: "How long it takes to compute all families.", Source: evaluationDuration + ".", Act: "above the evaluation interval the numbers lag behind: give it more processor time.", Empty: "There is no history yet",
			Queries: []Query{{Name: "evaluation", Expr: maxBy("", one(evaluationDuration)), Colour: neutral}},
		},
		{
			ID: 32, Title: "Which version runs?", Look: Table, W: 8, H: 7, Unit: "none", Steps: plain(),
			Means: "Replicas by version.", Source: buildInfo + ".", Act: "two versions for longer than a roll-out is a roll-out that stopped.", Empty: "Not known: no exporter was heard of",
			Queries: []Query{{Name: "Replicas", Expr: fmt.Sprintf("sum by (version, goversion) (count without (%s) (%s))", joinLabels(replicaLabels), buildInfo)}},
			Columns: []Column{{Field: "version", Title: "Version"}, {Field: "goversion", Title: "Go"}, {Field: "Replicas", Title: "Replicas", Width: 90}},
			Sort:    []Sort{{Title: "Version"}},
		},
	}
}
