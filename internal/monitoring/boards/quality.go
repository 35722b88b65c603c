package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
)

// qualityRow is the last row of every board: how far its numbers can be trusted today. Its panels have the same ids everywhere.
func qualityRow() panel.Row {
	return panel.Row{ID: 900, Question: "Data quality: how complete and fresh are these numbers?", Panels: []panel.Panel{
		collectorsPanel(), scopesPanel(), freshnessPanel(), recordsPanel(), countingPanel(),
	}}
}

func collectorsPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelCollectors, Title: "Are collectors up?", Look: panel.Table, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
		Means:  "Whether the last pass of each collector could read its source.",
		Source: names.CollectorUp + ".", Act: "the runbook of ProdsecCollectorDown; until it is up again, the last good data is shown.", Empty: "Not known: no collector reports",
		Queries: []panel.Query{{Name: "Up", Expr: query.Collectors()}},
		Columns: []panel.Column{
			{Field: "collector", Title: "Collector"}, {Field: "instance_name", Title: "Instance"},
			{Field: "Up", Title: "Up", Width: 80, Shade: true, Steps: []panel.Step{panel.Below(panel.Bad), panel.From(1, panel.Good)}, Texts: []panel.Text{{Value: "1", Text: "yes", Colour: panel.Good}, {Value: "0", Text: "no", Colour: panel.Bad}}},
		},
		Sort: []panel.Sort{panel.Ascending("Up")},
	}
}

func scopesPanel() panel.Panel {
	var queries []panel.Query
	for _, status := range []string{"fresh", "stale", "dropped", "never"} {
		queries = append(queries, panel.Query{Name: status, Expr: query.ScopesIn(status), Colour: panel.MeaningColours[status]})
	}
	return panel.Panel{
		ID: names.PanelScopes, Title: "Is everything read?", Look: panel.Bars, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Scopes (the smallest things that are read whole) by collector. Stale: last good facts are shown. Dropped: too old, withheld. Never: not read once, often " +
			"for lack of a permission.",
		Source: names.Scopes + ".", Act: "the runbook of ProdsecScopeStale. Nothing unread counts as good or as zero.", Empty: "Not known: no scope reports",
		Key: "collector", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("dropped"), panel.Descending("never"), panel.Descending("stale")},
		Queries: queries,
	}
}

func freshnessPanel() panel.Panel {
	return panel.Panel{
		ID: 903, Title: "Time since the last successful read", Look: panel.Table, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Time since the last complete read of the least recently read scope, by kind.", Source: names.ScopeLastSuccess + ".",
		Act: "compare with the collector's interval in the configuration.", Empty: "Not known: no scope reports",
		Queries: []panel.Query{{Name: "Oldest read", Expr: query.SinceSuccess()}},
		Columns: []panel.Column{
			{Field: "collector", Title: "Collector", Width: 90}, {Field: "scope_kind", Title: "What"},
			{Field: "Oldest read", Title: "Ago", Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(6*3600, panel.Warning), panel.From(24*3600, panel.Bad)}},
		},
		Sort: []panel.Sort{panel.Descending("Ago")},
	}
}

func recordsPanel() panel.Panel {
	return panel.Panel{
		ID: 905, Title: "Records in the ledger", Look: panel.Ranking, W: 4, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Records by kind; findings are reports, before reports of the same weakness are deduplicated.", Source: names.Records + ".",
		Act: "a kind that is missing or dropped suddenly indicates a source that is no longer read.", Empty: "not known",
		Queries: []panel.Query{{Name: "Records", Expr: query.RecordsHeld(), Legend: "{{kind}}"}},
	}
}

func countingPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelCounting, Answers: packrow.List(packrow.PackTrend), Title: "Did counting change?", Look: panel.Stat, W: 5, H: 8, Unit: "none", Steps: panel.Plain(), Lines: true,
		Means: "Age of the last evaluation; number of counting changes in the window (policy, scope, source, deduplication, migration); and since when the policy version is in " +
			"force. A number that moved at the same time may have moved because of a counting change.",
		Source: names.EvaluationTime + ", " + names.CountingChanges + ", " + names.PolicyInfo + ", " + names.PolicyChanged + ".",
		Act:    "read the exporter's log for what changed before interpreting a trend across the change.", Empty: "not known",
		Queries: []panel.Query{
			{Name: "last evaluation", Expr: query.EvaluatedAgo(), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(600, panel.Warning), panel.From(3600, panel.Bad)}},
			{Name: "counting changes in $window", Expr: query.CountingChangesInWindow(), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}},
			{Name: "policy in force since", Expr: query.PolicyInForce(), Legend: "policy {{version}}", Unit: "dateTimeFromNow"},
		},
	}
}
