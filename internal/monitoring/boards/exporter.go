package boards

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

func exporterBoard() panel.Board {
	return panel.Board{
		UID: names.BoardExporter, File: "exporter.json", Title: "The exporter",
		Question: "Can what the other boards show be relied on?",
		Rows: []panel.Row{
			{ID: 100, Question: "Does it work?", Panels: exporterHeadlines()},
			{ID: 200, Question: "Will the APIs' budgets last?", Panels: exporterBudgets()},
			{ID: 300, Question: "What could not be read, and why?", Panels: exporterErrors()},
			{ID: 400, Question: "Does it stay within its bounds?", Panels: exporterBounds()},
			qualityRow(),
		},
	}
}

func exporterHeadlines() []panel.Panel {
	stat := func(id uint32, title, means, source, act string, queries ...panel.Query) panel.Panel {
		return panel.Panel{ID: id, Title: title, Look: panel.Stat, W: 4, H: 4, Unit: "none", Lines: true, Steps: panel.Plain(), Means: means, Source: source, Act: act, Empty: "not known", Queries: queries}
	}
	return []panel.Panel{
		stat(1, "Replicas that answer", "Replicas that Prometheus scrapes, and how many of them lead. Exactly one should.", names.BuildInfo+" and "+names.Leader+".",
			"none or two leaders: the runbooks of ProdsecNoLeader and ProdsecTwoLeaders.",
			panel.Query{Name: "answer", Expr: replicaCount(names.BuildInfo)},
			panel.Query{Name: "lead", Expr: replicaCount(names.Leader + " == 1"), Steps: []panel.Step{panel.Below(panel.Bad), panel.From(1, panel.Good), panel.From(2, panel.Bad)}}),
		stat(2, "Numbers computed", "How long ago the numbers that are exposed were computed, and how long that took.", names.EvaluationTime+" and "+names.EvaluationDuration+".",
			"the runbook of ProdsecEvaluationStale.",
			panel.Query{Name: "ago", Expr: query.EvaluatedAgo(), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(600, panel.Warning), panel.From(1800, panel.Bad)}},
			panel.Query{Name: "took", Expr: promql.MaxBy("", promql.Once(names.EvaluationDuration)), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(10, panel.Warning), panel.From(60, panel.Bad)}}),
		stat(3, "Configuration", "Whether the last attempt to load it worked on every replica, and when it was loaded last.", names.ReloadWorked+" and "+names.ReloadTime+".",
			"the runbook of ProdsecConfigReloadFailed.",
			panel.Query{Name: "refused by", Expr: "sum(max without (" + names.JoinLabels(names.ReplicaLabels) + ") (" + promql.Series(names.ReloadWorked) + " == bool 0))", Steps: panel.NoneBut(1)},
			panel.Query{Name: "loaded ago", Expr: "time() - " + promql.MaxBy("", promql.Once(names.ReloadTime)), Unit: "s"}),
		stat(4, "Ledger", "Its size on disk (absent with PostgreSQL), and operations that failed within a day.", names.LedgerBytes+" and "+names.LedgerErrors+".", "the runbook of ProdsecLedgerErrors.",
			panel.Query{Name: "size", Expr: promql.MaxBy("", promql.Once(names.LedgerBytes)), Unit: "bytes"}, panel.Query{Name: "errors in a day", Expr: promql.Filled(query.IncreaseOver("", names.LedgerErrors, "1d"), promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: panel.NoneBut(1)}),
		stat(5, "Collectors", "Collectors whose last pass could read their source, and those that could not.", names.CollectorUp+".", "the runbook of ProdsecCollectorDown.",
			panel.Query{Name: "read", Expr: "sum(" + promql.Once(names.CollectorUp) + ")"},
			panel.Query{Name: "cannot", Expr: "count(" + promql.Once(names.CollectorUp) + ") - sum(" + promql.Once(names.CollectorUp) + ")", Steps: panel.NoneBut(1)}),
		stat(6, "Scopes not fresh", "Scopes that are stale, and those that were dropped or never read.", names.Scopes+".", "the runbook of ProdsecScopeStale.",
			panel.Query{Name: "stale", Expr: scopesNotFresh("stale"), Steps: panel.NoneBut(3)}, panel.Query{Name: "withheld", Expr: scopesNotFresh("dropped", "never"), Steps: panel.NoneBut(1)}),
	}
}

// replicaCount counts replicas; it is the one thing for which they are not folded.
func replicaCount(selected string) string {
	return "sum(count without (" + names.JoinLabels(names.ReplicaLabels) + ") (" + selected + "))"
}

func scopesNotFresh(statuses ...string) string {
	return promql.Filled(promql.SumBy("", promql.Once(names.Scopes, promql.In("status", statuses...))), promql.SumBy("", promql.Once(names.Scopes)))
}

func exporterBudgets() []panel.Panel {
	labels := names.RecordedLabels(names.RecBudgetLeft)
	return []panel.Panel{
		{
			ID: names.PanelBudgets, Title: "What is left of each budget, and what is forecast?", Look: panel.Table, W: 14, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Requests that each API allows in its period, the share that is left, when the period ends, and what the configured intervals are expected to cost an hour. " +
				"A source that states no budget has a forecast alone.",
			Source: names.BudgetLimit + ", " + names.BudgetRemaining + ", " + names.BudgetReset + ", " + names.ApiForecast + ".",
			Act:    "forecast above the limit: longer intervals. Little left although the forecast is small: something else uses the credential.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Left", Expr: promql.MinBy(labels, promql.Series(names.RecBudgetLeft))}, {Name: "Limit", Expr: promql.MaxBy(labels, promql.Once(names.BudgetLimit))},
				{Name: "Period ends in", Expr: promql.MinBy(labels, promql.Once(names.BudgetReset)) + " - time() > 0"}, {Name: "Forecast per hour", Expr: promql.MaxBy(labels, promql.Once(names.ApiForecast))},
			},
			Columns: []panel.Column{
				{Field: "collector", Title: "Collector"}, {Field: "instance_name", Title: "Instance"}, {Field: "resource", Title: "Budget"},
				{Field: "Left", Title: "Left", Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Bad), panel.From(settings.BudgetReserve, panel.Warning), panel.From(3*settings.BudgetReserve, panel.Good)}, Shade: true, Zero: "not stated", Width: 100},
				{Field: "Limit", Title: "Limit", Zero: "–", Width: 80}, {Field: "Period ends in", Title: "Period ends in", Unit: "s", Zero: "–", Width: 120},
				{Field: "Forecast per hour", Title: "Forecast per hour", Zero: "–", Width: 140},
			},
			Sort: []panel.Sort{panel.Ascending("Left")},
		},
		{
			ID: 11, Title: "Requests an hour, by collector", Look: panel.Lines, W: 10, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Requests sent to sources in the hour before each moment; those answered from the cache cost nothing.", Source: names.ApiRequests + ".",
			Act: "a collector that grows without its organisation growing asks for something new with each version: read the change log.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "Requests", Expr: query.IncreaseOver("collector", names.ApiRequests, "1h", promql.Is("cached", names.Negative)), Legend: "{{collector}}"}},
		},
	}
}

func exporterErrors() []panel.Panel {
	return []panel.Panel{
		{
			ID: 20, Title: "Scopes that could not be read, in a day", Look: panel.Table, W: 8, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Readings of a scope that failed within a day, by collector and reason. It fills as Prometheus gathers history.", Source: names.CollectionErrors + ".",
			Act: "permission and feature off: grant or accept, they stay unknown. Rate limited: see the budgets. Decode: report it.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Failed", Expr: query.IncreaseOver("collector, reason", names.CollectionErrors, "1d")}},
			Columns: []panel.Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Failed", 50).Wide(80)},
			Sort:    []panel.Sort{panel.Descending("Failed")},
		},
		{
			ID: 21, Title: "Records that were left out", Look: panel.Table, W: 8, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Records that could not be understood and were left out alone, since the start, by collector and reason. The rest of their page was kept.",
			Source: names.RecordsRejected + ".", Act: "the log has one line for each reason; a source that always sends it belongs into a report to us.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Left out", Expr: promql.SumBy("collector, reason", promql.Once(names.RecordsRejected))}},
			Columns: []panel.Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Left out", 20).Wide(80)},
			Sort:    []panel.Sort{panel.Descending("Left out")},
		},
		{
			ID: 22, Title: "How long do passes take?", Look: panel.Ranking, W: 8, H: 8, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
			Means: "Mean duration of the passes of each collector since the exporter's start.", Source: names.CollectionDuration + ".", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{
				Name: "Mean", Legend: "{{collector}}",
				Expr: "sort_desc(" + promql.SumBy("collector", promql.Once(names.CollectionDuration+"_sum")) + "\n/\n(" + promql.SumBy("collector", promql.Once(names.CollectionDuration+"_count")) + " > 0))",
			}},
		},
	}
}

func exporterBounds() []panel.Panel {
	return []panel.Panel{
		{
			ID: 30, Title: "Families folded, series dropped", Look: panel.Stat, W: 8, H: 7, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Families of which services, teams or business units were folded into \"other\" to keep the series budget, and series that were left out within a day.",
			Source: names.SeriesFolded + " and " + names.SeriesDropped + ".",
			Act:    "folded: raise the budget in the configuration if Prometheus bears it; the least important were folded. Dropped: the runbook of ProdsecSeriesDropped.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "folded", Expr: promql.Filled("count("+promql.Once(names.SeriesFolded)+" > 0)", promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}},
				{Name: "dropped", Expr: promql.Filled(query.IncreaseOver("", names.SeriesDropped, "1d"), promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: panel.NoneBut(1)},
			},
		},
		{
			ID: 31, Title: "How long does evaluation take?", Look: panel.Lines, W: 8, H: 7, Unit: "s", Steps: panel.Plain(),
			Means: "How long it takes to compute all families.", Source: names.EvaluationDuration + ".", Act: "above the evaluation interval the numbers lag behind: give it more processor time.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "evaluation", Expr: promql.MaxBy("", promql.Once(names.EvaluationDuration)), Colour: panel.Neutral}},
		},
		{
			ID: 32, Title: "Which version runs?", Look: panel.Table, W: 8, H: 7, Unit: "none", Steps: panel.Plain(),
			Means: "Replicas by version.", Source: names.BuildInfo + ".", Act: "two versions for longer than a roll-out is a roll-out that stopped.", Empty: "Not known: no exporter was heard of",
			Queries: []panel.Query{{Name: "Replicas", Expr: fmt.Sprintf("sum by (version, goversion) (count without (%s) (%s))", names.JoinLabels(names.ReplicaLabels), names.BuildInfo)}},
			Columns: []panel.Column{{Field: "version", Title: "Version"}, {Field: "goversion", Title: "Go"}, {Field: "Replicas", Title: "Replicas", Width: 90}},
			Sort:    []panel.Sort{panel.Ascending("Version")},
		},
	}
}
