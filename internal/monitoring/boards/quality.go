package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
)

// qualityRow is the last row of every board: how far its numbers can be trusted today. Its panels have the same ids everywhere.
func qualityRow() panel.Row {
	return panel.Row{ID: 900, Question: "How far can these numbers be trusted today?", Panels: []panel.Panel{
		collectorsPanel(), scopesPanel(), freshnessPanel(), recordsPanel(), countingPanel(),
	}}
}

func collectorsPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelCollectors, Title: "Do the sources answer?", Look: panel.Table, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
		Means:  "Whether the last pass of each collector could read its source.",
		Source: names.CollectorUp + ".", Act: "the runbook of ProdsecCollectorDown; until then its last good facts are shown.", Empty: "Not known: no collector was heard of",
		Queries: []panel.Query{{Name: "Answers", Expr: query.Collectors()}},
		Columns: []panel.Column{
			{Field: "collector", Title: "Collector"}, {Field: "instance_name", Title: "Instance"},
			{Field: "Answers", Title: "Answers", Width: 80, Shade: true, Steps: []panel.Step{panel.Below(panel.Bad), panel.From(1, panel.Good)}, Texts: []panel.Text{{Value: "1", Text: "yes", Colour: panel.Good}, {Value: "0", Text: "no", Colour: panel.Bad}}},
		},
		Sort: []panel.Sort{panel.Ascending("Answers")},
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
		Source: names.Scopes + ".", Act: "the runbook of ProdsecScopeStale. Nothing unread counts as good or as zero.", Empty: "Not known: no scope was heard of",
		Key: "collector", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("dropped"), panel.Descending("never"), panel.Descending("stale")},
		Queries: queries,
	}
}

func freshnessPanel() panel.Panel {
	return panel.Panel{
		ID: 903, Title: "When was it last read?", Look: panel.Table, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Time since the last complete reading of the scope that has waited longest, by kind.", Source: names.ScopeLastSuccess + ".",
		Act: "compare with the collector's interval in the configuration.", Empty: "Not known: no scope was heard of",
		Queries: []panel.Query{{Name: "Oldest reading", Expr: query.SinceSuccess()}},
		Columns: []panel.Column{
			{Field: "collector", Title: "Collector", Width: 90}, {Field: "scope_kind", Title: "What"},
			{Field: "Oldest reading", Title: "Ago", Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(6*3600, panel.Warning), panel.From(24*3600, panel.Bad)}},
		},
		Sort: []panel.Sort{panel.Descending("Ago")},
	}
}

func recordsPanel() panel.Panel {
	return panel.Panel{
		ID: 905, Title: "Records behind them", Look: panel.Ranking, W: 4, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Records in the ledger by kind; findings are reports, before several reports of one weakness are folded.", Source: names.Records + ".",
		Act: "a kind that is missing or shrank suddenly is a source that is read no more.", Empty: "not known",
		Queries: []panel.Query{{Name: "Records", Expr: query.RecordsHeld(), Legend: "{{kind}}"}},
	}
}

func countingPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelCounting, Answers: packrow.List(packrow.PackTrend), Title: "Is counting the same as before?", Look: panel.Stat, W: 5, H: 8, Unit: "none", Steps: panel.Plain(), Lines: true,
		Means: "How long ago the numbers were computed; how often the way of counting changed in the window (policy, scope, source, de-duplication, migration); and since when " +
			"the policy is in force, with its version. A number that moved together with one of these may have moved because of it.",
		Source: names.EvaluationTime + ", " + names.CountingChanges + ", " + names.PolicyInfo + ", " + names.PolicyChanged + ".",
		Act:    "before praising or blaming a trend across a change, read the exporter's log for what changed.", Empty: "not known",
		Queries: []panel.Query{
			{Name: "numbers computed", Expr: query.EvaluatedAgo(), Unit: "s", Steps: []panel.Step{panel.Below(panel.Good), panel.From(600, panel.Warning), panel.From(3600, panel.Bad)}},
			{Name: "counting changes in $window", Expr: query.CountingChangesInWindow(), Steps: []panel.Step{panel.Below(panel.Good), panel.From(1, panel.Warning)}},
			{Name: "policy in force since", Expr: query.PolicyInForce(), Legend: "policy {{version}}", Unit: "dateTimeFromNow"},
		},
	}
}
