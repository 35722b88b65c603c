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
		Question: "Can the numbers of the other boards be relied on?",
		Rows: []panel.Row{
			{ID: 100, Question: "Is the exporter healthy?", Panels: exporterHeadlines()},
			{ID: 200, Question: "API budgets", Panels: exporterBudgets()},
			{ID: 300, Question: "What could not be read, and why?", Panels: exporterErrors()},
			{ID: 400, Question: "Cardinality, evaluation and versions", Panels: exporterBounds()},
			qualityRow(),
		},
	}
}

func exporterHeadlines() []panel.Panel {
	stat := func(id uint32, title, means, source, act string, queries ...panel.Query) panel.Panel {
		return panel.Panel{ID: id, Title: title, Look: panel.Stat, W: 4, H: 4, Unit: "none", Lines: true, Steps: panel.Plain(), Means: means, Source: source, Act: act, Empty: "not known", Queries: queries}
	}
	return []panel.Panel{
		stat(1, "Replicas up", "Replicas that Prometheus scrapes, and how many of them are the leader. Exactly one should be.", names.BuildInfo+" and "+names.Leader+".",
			"none or two leaders: the runbooks of ProdsecNoLeader and ProdsecTwoLeaders.",
			panel.Query{Name: "up", Expr: replicaCount(names.BuildInfo)},
			panel.Query{Name: "leader", Expr: replicaCount(names.Leader + " == 1"), Steps: []panel.Step{panel.Below(panel.Bad), panel.From(1, panel.Good), panel.From(2, panel.Bad)}}),
		stat(2, "Last evaluation", "Age of the exposed numbers, and duration of the last evaluation.", names.EvaluationTime+" and "+names.EvaluationDuration+".",
			"the runbook of ProdsecEvaluationStale.",
			panel.Query{Name: "ago", Expr: query.EvaluatedAgo(), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(600, panel.Warning), panel.From(1800, panel.Bad)}},
			panel.Query{Name: "took", Expr: promql.MaxBy("", promql.Once(names.EvaluationDuration)), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(10, panel.Warning), panel.From(60, panel.Bad)}}),
		stat(3, "Configuration", "Replicas that rejected the last configuration, and time since the last successful load.", names.ReloadWorked+" and "+names.ReloadTime+".",
			"the runbook of ProdsecConfigReloadFailed.",
			panel.Query{Name: "rejected by", Expr: "sum(max without (" + names.JoinLabels(names.ReplicaLabels) + ") (" + promql.Series(names.ReloadWorked) + " == bool 0))", Steps: panel.NoneBut(1)},
			panel.Query{Name: "last loaded", Expr: "time() - " + promql.MaxBy("", promql.Once(names.ReloadTime)), Unit: "s"}),
		stat(4, "Ledger", "Size on disk (absent with PostgreSQL), and operations that failed within a day.", names.LedgerBytes+" and "+names.LedgerErrors+".", "the runbook of ProdsecLedgerErrors.",
			panel.Query{Name: "size", Expr: promql.MaxBy("", promql.Once(names.LedgerBytes)), Unit: "bytes"}, panel.Query{Name: "errors in a day", Expr: promql.Filled(query.IncreaseOver("", names.LedgerErrors, "1d"), promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: panel.NoneBut(1)}),
		stat(5, "Collectors", "Collectors whose last pass succeeded, and those whose last pass failed.", names.CollectorUp+".", "the runbook of ProdsecCollectorDown.",
			panel.Query{Name: "up", Expr: "sum(" + promql.Once(names.CollectorUp) + ")"},
			panel.Query{Name: "down", Expr: "count(" + promql.Once(names.CollectorUp) + ") - sum(" + promql.Once(names.CollectorUp) + ")", Steps: panel.NoneBut(1)}),
		stat(6, "Scopes not fresh", "Scopes that are stale, and those that were dropped or never read.", names.Scopes+".", "the runbook of ProdsecScopeStale.",
			panel.Query{Name: "stale", Expr: scopesNotFresh("stale"), Steps: panel.NoneBut(3)}, panel.Query{Name: "dropped or never", Expr: scopesNotFresh("dropped", "never"), Steps: panel.NoneBut(1)}),
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
			ID: names.PanelBudgets, Title: "Remaining API budget and forecast", Look: panel.Table, W: 14, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Request limit of each API per period, remaining share, time until the period ends, and forecast requests per hour for the configured intervals. " +
				"A source that reports no budget has only a forecast.",
			Source: names.BudgetLimit + ", " + names.BudgetRemaining + ", " + names.BudgetReset + ", " + names.ApiForecast + ".",
			Act:    "forecast above the limit: use longer intervals. Low remaining budget with a small forecast: another client uses the same credential.", Empty: panel.NoneOrUnread,
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
			ID: 11, Title: "Requests per hour, by collector", Look: panel.Lines, W: 10, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Requests sent to sources in the hour before each moment; those answered from the cache cost nothing. Absent for an hour after a restart.", Source: names.ApiRequests + ".",
			Act: "growth without growth of the organisation usually comes with a new version: read the change log.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "Requests", Expr: query.GainedOver("collector", names.ApiRequests, "1h", promql.Is("cached", names.Negative)), Legend: "{{collector}}"}},
		},
	}
}

func exporterErrors() []panel.Panel {
	return []panel.Panel{
		{
			ID: 20, Title: "Failed scope reads in the last day", Look: panel.Table, W: 8, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Failed reads of scopes within a day, by collector and reason. As far back as Prometheus has history.", Source: names.CollectionErrors + ".",
			Act: "permission, feature off: grant or accept that the data stays unknown. Rate limited: see the API budgets. Decode: report it as a bug.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Failed", Expr: query.IncreaseOver("collector, reason", names.CollectionErrors, "1d")}},
			Columns: []panel.Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Failed", 50).Wide(80)},
			Sort:    []panel.Sort{panel.Descending("Failed")},
		},
		{
			ID: 21, Title: "Rejected records", Look: panel.Table, W: 8, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Records that could not be decoded and were rejected individually since the start, by collector and reason. The rest of their page was kept.",
			Source: names.RecordsRejected + ".", Act: "the log has one line for each reason; report records that a source sends regularly.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Rejected", Expr: promql.SumBy("collector, reason", promql.Once(names.RecordsRejected))}},
			Columns: []panel.Column{{Field: "collector", Title: "Collector"}, {Field: "reason", Title: "Reason"}, countColumn("Rejected", 20).Wide(80)},
			Sort:    []panel.Sort{panel.Descending("Rejected")},
		},
		{
			ID: 22, Title: "Collection duration", Look: panel.Ranking, W: 8, H: 8, Unit: "s", Decimals: panel.Number(1), Steps: panel.Plain(),
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
			Means:  "Families in which services, teams or business units were folded into \"other\" to keep the series budget, and series that were left out within a day.",
			Source: names.SeriesFolded + " and " + names.SeriesDropped + ".",
			Act:    "folded: raise the series budget in the configuration if Prometheus has the capacity; the least important entities were folded. Dropped: the runbook of ProdsecSeriesDropped.", Empty: "not known",
			Queries: []panel.Query{
				{Name: "folded", Expr: promql.Filled("count("+promql.Once(names.SeriesFolded)+" > 0)", promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}},
				{Name: "dropped", Expr: promql.Filled(query.IncreaseOver("", names.SeriesDropped, "1d"), promql.MaxBy("", promql.Once(names.BuildInfo))), Steps: panel.NoneBut(1)},
			},
		},
		{
			ID: 31, Title: "Evaluation duration", Look: panel.Lines, W: 8, H: 7, Unit: "s", Steps: panel.Plain(),
			Means: "Time to compute all families.", Source: names.EvaluationDuration + ".", Act: "above the evaluation interval the numbers lag: assign more CPU.", Empty: "There is no history yet",
			Queries: []panel.Query{{Name: "evaluation", Expr: promql.MaxBy("", promql.Once(names.EvaluationDuration)), Colour: panel.Neutral}},
		},
		{
			ID: 32, Title: "Running versions", Look: panel.Table, W: 8, H: 7, Unit: "none", Steps: panel.Plain(),
			Means: "Replicas by version.", Source: names.BuildInfo + ".", Act: "two versions for longer than a roll-out indicate a stalled roll-out.", Empty: "Not known: no exporter reports",
			Queries: []panel.Query{{Name: "Replicas", Expr: fmt.Sprintf("sum by (version, goversion) (count without (%s) (%s))", names.JoinLabels(names.ReplicaLabels), names.BuildInfo)}},
			Columns: []panel.Column{{Field: "version", Title: "Version"}, {Field: "goversion", Title: "Go"}, {Field: "Replicas", Title: "Replicas", Width: 90}},
			Sort:    []panel.Sort{panel.Ascending("Version")},
		},
	}
}
