package monitoring

// qualityRow is the last row of every board: how far its numbers can be trusted today. Its panels have the same ids everywhere.
func qualityRow() Row {
	return Row{ID: 900, Question: "How far can these numbers be trusted today?", Panels: []Panel{
		collectorsPanel(), scopesPanel(), freshnessPanel(), recordsPanel(), countingPanel(),
	}}
}

func collectorsPanel() Panel {
	return Panel{
		ID: panelCollectors, Title: "Do the sources answer?", Look: Table, W: 5, H: 8, Unit: "none", Steps: plain(),
		Means:  "Whether the last pass of each collector could read its source.",
		Source: collectorUp + ".", Act: "the runbook of ProdsecCollectorDown; until then its last good facts are shown.", Empty: "Not known: no collector was heard of",
		Queries: []Query{{Name: "Answers", Expr: collectors()}},
		Columns: []Column{
			{Field: "collector", Title: "Collector"}, {Field: "instance_name", Title: "Instance"},
			{Field: "Answers", Title: "Answers", Width: 80, Shade: true, Steps: []Step{below(bad), from(1, good)}, Texts: []Text{{"1", "yes", good}, {"0", "no", bad}}},
		},
		Sort: []Sort{{Title: "Answers"}},
	}
}

func scopesPanel() Panel {
	var queries []Query
	for _, status := range []string{"fresh", "stale", "dropped", "never"} {
		queries = append(queries, Query{Name: status, Expr: scopesIn(status), Colour: meaningColours[status]})
	}
	return Panel{
		ID: panelScopes, Title: "Is everything read?", Look: Bars, W: 5, H: 8, Unit: "none", Steps: plain(),
		Means: "Scopes (the smallest things that are read whole) by collector. Stale: last good facts are shown. Dropped: too old, withheld. Never: not read once, often " +
			"for lack of a permission.",
		Source: scopes + ".", Act: "the runbook of ProdsecScopeStale. Nothing unread counts as good or as zero.", Empty: "Not known: no scope was heard of",
		Key: "collector", Share: true, Horizontal: true, Sort: []Sort{{"dropped", true}, {"never", true}, {"stale", true}},
		Queries: queries,
	}
}

func freshnessPanel() Panel {
	return Panel{
		ID: 903, Title: "When was it last read?", Look: Table, W: 5, H: 8, Unit: "none", Steps: plain(),
		Means: "Time since the last complete reading of the scope that has waited longest, by kind.", Source: scopeLastSuccess + ".",
		Act: "compare with the collector's interval in the configuration.", Empty: "Not known: no scope was heard of",
		Queries: []Query{{Name: "Oldest reading", Expr: sinceSuccess()}},
		Columns: []Column{
			{Field: "collector", Title: "Collector", Width: 90}, {Field: "scope_kind", Title: "What"},
			{Field: "Oldest reading", Title: "Ago", Unit: "s", Steps: []Step{below(good), from(6*3600, warning), from(24*3600, bad)}},
		},
		Sort: []Sort{{Title: "Ago", Desc: true}},
	}
}

func recordsPanel() Panel {
	return Panel{
		ID: 905, Title: "Records behind them", Look: Ranking, W: 4, H: 8, Unit: "none", Steps: plain(),
		Means: "Records in the ledger by kind; findings are reports, before several reports of one weakness are folded.", Source: records + ".",
		Act: "a kind that is missing or shrank suddenly is a source that is read no more.", Empty: "not known",
		Queries: []Query{{Name: "Records", Expr: recordsHeld(), Legend: "{{kind}}"}},
	}
}

func countingPanel() Panel {
	return Panel{
		ID: panelCounting, Answers: answers(PackTrend), Title: "Is counting the same as before?", Look: Stat, W: 5, H: 8, Unit: "none", Steps: plain(), Lines: true,
		Means: "How long ago the numbers were computed; how often the way of counting changed in the window (policy, scope, source, de-duplication, migration); and since when " +
			"the policy is in force, with its version. A number that moved together with one of these may have moved because of it.",
		Source: evaluationTime + ", " + countingChanges + ", " + policyInfo + ", " + policyChanged + ".",
		Act:    "before praising or blaming a trend across a change, read the exporter's log for what changed.", Empty: "not known",
		Queries: []Query{
			{Name: "numbers computed", Expr: evaluatedAgo(), Unit: "s", Steps: []Step{below(good), from(600, warning), from(3600, bad)}},
			{Name: "counting changes in $window", Expr: countingChangesInWindow(), Steps: []Step{below(good), from(1, warning)}},
			{Name: "policy in force since", Expr: policyInForce(), Legend: "policy {{version}}", Unit: "dateTimeFromNow"},
		},
	}
}
