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

// scopesPanel lists what is not read by name, before it counts what is: one scope among many hundreds must be seen.
func scopesPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelScopes, Title: "Is everything read?", Look: panel.Table, W: 7, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means: "Scopes (the smallest units that are read completely or not at all) that are not fresh, by name, then the fresh ones of each collector. Stale: the last good data is shown. Dropped: too old, withheld. " +
			"Never: not read once, often for lack of a permission.",
		Source: names.UnreadScopes + " and " + names.Scopes + ".", Act: "the runbook of ProdsecScopeStale. Nothing unread counts as good or as zero.", Empty: "Not known: no scope reports",
		Queries: []panel.Query{{Name: "Not fresh", Expr: query.NotFresh()}, {Name: "Fresh", Expr: query.FreshScopes()}},
		Columns: []panel.Column{
			{Field: "status", Title: "Status", Width: 75, Shade: true, Texts: scopeTexts()}, {Field: "collector", Title: "Collector", Width: 85}, {Field: "scope", Title: "Scope"},
			{Field: "Not fresh", Title: "Not fresh", Width: 75, Zero: "–"}, {Field: "Fresh", Title: "Fresh", Width: 60, Zero: "–"},
		},
		Sort: []panel.Sort{panel.Descending("Not fresh"), panel.Ascending("Status")},
	}
}

// scopeTexts name the freshness of scopes. What was never read is as red as what is withheld: neither is in any number.
func scopeTexts() []panel.Text {
	return []panel.Text{
		{Value: "fresh", Text: "fresh", Colour: panel.Good}, {Value: "stale", Text: "stale", Colour: panel.Warning}, {Value: "dropped", Text: "dropped", Colour: panel.Bad},
		{Value: "never", Text: "never", Colour: panel.Bad},
	}
}

func freshnessPanel() panel.Panel {
	return panel.Panel{
		ID: 903, Title: "Time since the last successful read", Look: panel.Table, W: 4, H: 8, Unit: "none", Steps: panel.Plain(),
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
		Means: "Records by kind; findings before those of the same weakness are deduplicated.", Source: names.Records + ".",
		Act: "a kind that is missing or dropped suddenly indicates a source that is no longer read.", Empty: "not known",
		Queries: []panel.Query{{Name: "Records", Expr: query.RecordsHeld(), Legend: "{{kind}}"}},
	}
}

func countingPanel() panel.Panel {
	return panel.Panel{
		ID: names.PanelCounting, Answers: packrow.List(packrow.PackTrend), Title: "Did counting change?", Look: panel.Stat, W: 4, H: 8, Unit: "none", Steps: panel.Plain(), Lines: true,
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
