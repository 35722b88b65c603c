package monitoring

import "slices"

// trustPaths are the panels about the whole way of a service to production.
func trustPaths() []Panel {
	return []Panel{
		{
			ID: 39, Answers: answers(TrackPaths), Title: "Protected paths, by trust tier", Look: Stat, W: 5, H: 8, Unit: "percentunit", Decimals: number(0), Lines: true,
			Steps: towards(protectionTarget),
			Means: "Share of services whose path to production is protected: the environment and the branch pass every required check, and the last deployments were approved and came from there. " +
				"What could not be read counts against it.",
			Source: deploymentPaths + ".", Act: "start with the highest tier that is red; the table names the teams.", Empty: "not known",
			Queries: []Query{{Name: "Protected", Expr: share("trust_tier", recPaths, []string{is("status", "protected")}), Legend: "{{trust_tier}}"}},
		},
		{
			ID: panelPaths, Answers: answers(TrackPaths), Title: "Whose services reach production unguarded?", Look: Table, W: 10, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Services by team and by whether their path to production is protected; those of teams where all are protected are left out.",
			Source: deploymentPaths + ".", Act: "one environment template and one ruleset for the team close most of it; unknown: grant the permission to look.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Unprotected", Expr: pathsOfTeams("unprotected")}, {Name: "Unknown", Expr: pathsOfTeams("unknown")},
			},
			Columns: []Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, {Field: "trust_tier", Title: "Tier", Width: 85},
				{Field: "environment", Title: "Environment", Width: 110}, countColumn("Unprotected", 1).bar().wide(120), {Field: "Unknown", Title: "Unknown", Zero: "–", Width: 85},
			},
			Sort: []Sort{{Title: "Tier"}, {Title: "Unprotected", Desc: true}},
		},
		{
			ID: 41, Answers: answers(TrackPaths, DORAFrequency), Title: "How did deployments pass release control?", Look: Bars, W: 9, H: 8, Unit: "none", Steps: plain(),
			Means:  "Production deployments of the window by trust tier: approved, approval bypassed, none asked for, or nobody can say.",
			Source: deploymentsIn + ".", Act: "bypassed in a high tier: read each; none: the environment asks for no approval.", Empty: "Deployments were not read yet",
			Key: "trust_tier", Share: true, Horizontal: true, Sort: []Sort{{"bypassed", true}, {"none", true}}, Queries: approvalQueries("trust_tier"),
		},
	}
}

// pathsOfTeams counts the paths of teams that have one which is not known to be protected.
func pathsOfTeams(status string) string {
	const by = groupLabels + ", environment"
	return filled(counted(by, recPaths, is("status", status))+" > 0", counted(by, recPaths, in("status", "unprotected", "unknown"))+" > 0")
}

// presenceQueries are a query per status of evidence.
func presenceQueries(by, record string, among ...string) []Query {
	var list []Query
	for _, t := range presenceTexts() {
		list = append(list, Query{Name: t.Text, Colour: t.Colour, Expr: countedBy(by, record, []string{is("status", t.Value)}, among...)})
	}
	return list
}

func presenceTexts() []Text {
	return []Text{{Value: "present", Text: "present", Colour: good}, {Value: "missing", Text: "missing", Colour: bad}, {Value: "unknown", Text: "unknown", Colour: unknown}}
}

// evidenceKinds name the kinds of evidence.
func evidenceKinds() []Text {
	return []Text{
		{Value: "provenance", Text: "provenance"}, {Value: "sbom", Text: "SBOM"}, {Value: "signature", Text: "signature"}, {Value: "approval", Text: "approval"},
		{Value: "required", Text: "all that is required"},
	}
}

func trustEvidence() []Panel {
	missing := []Sort{{"missing", true}, {"unknown", true}}
	return []Panel{
		{
			ID: 42, Answers: answers(PackEvidence), Title: "Do privileged pipelines prove what they build?", Look: Bars, W: 9, H: 8, Unit: "none", Steps: plain(),
			Means:  "Privileged pipelines by the evidence of their last successful run. Present is not verified.",
			Source: privilegedPipelines + ".", Act: "missing: add the step to the shared workflow, not to each pipeline; unknown: grant the permission to look.", Empty: "Pipelines were not read yet",
			Key: "evidence", KeyTexts: evidenceKinds(), Share: true, Horizontal: true, Sort: missing, Queries: presenceQueries("evidence", recPipelines),
		},
		{
			ID: 43, Answers: answers(TrackEvidence), Title: "Do releases carry evidence?", Look: Bars, W: 9, H: 8, Unit: "none", Steps: plain(),
			Means:  "Releases and production deployments of the window by the evidence that policy asks of them. Present is not verified.",
			Source: releaseEvidence + ".", Act: "missing: which tiers is it about? Require it where it is cheap first.", Empty: "Releases were not read yet",
			Key: "evidence", KeyTexts: evidenceKinds(), Share: true, Horizontal: true, Sort: missing, Queries: presenceQueries("evidence", recEvidence, inWindow()),
		},
		{
			ID: 44, Answers: answers(PackEvidence, TrackEvidence), Title: "Is evidence spreading?", Look: Lines, W: 6, H: 8, Unit: "percentunit", Max: number(1),
			Steps:  []Step{below("transparent"), from(evidenceTarget, good)},
			Means:  "Share of privileged pipelines with each kind of evidence at each moment. Whole programme, not restricted by the choices above. It fills as Prometheus gathers history.",
			Source: privilegedPipelines + " (rule " + recPipelineRatio + ").", Act: "a line that has not moved for a quarter needs the platform, not reminders.", Empty: "There is no history yet",
			KeyTexts: coloured(evidenceKinds(), good, blue, waived, orange, neutral), Queries: []Query{{Name: "Present", Expr: series(recPipelineRatio), Legend: "{{evidence}}"}},
		},
	}
}

// coloured gives texts colours in their order, for lines that are told apart by nothing else.
func coloured(texts []Text, colours ...string) []Text {
	list := slices.Clone(texts)
	for i := range list {
		list[i].Colour = colours[i%len(colours)]
	}
	return list
}

func trustRunners() []Panel {
	trusts := []Text{
		{Value: "dedicated", Text: "dedicated", Colour: good}, {Value: "shared", Text: "shared", Colour: warning},
		{Value: "public_exposed", Text: "open to the public", Colour: bad}, {Value: "unknown", Text: "unknown", Colour: unknown},
	}
	methods := []Text{
		{Value: "oidc", Text: "short-lived identity", Colour: good}, {Value: "none", Text: "no cloud", Colour: neutral},
		{Value: "static_key", Text: "long-lived key", Colour: bad}, {Value: "unknown", Text: "unknown", Colour: unknown},
	}
	var queries []Query
	for _, m := range methods {
		queries = append(queries, Query{Name: m.Text, Colour: m.Colour, Expr: countedBy("trust_tier", recIdentities, []string{is("method", m.Value)})})
	}
	return []Panel{
		{
			ID: 50, Answers: answers(TrackRunners), Title: "Who may use our runners?", Look: Ranking, W: 7, H: 8, Unit: "none", Steps: plain(),
			Means:  "Self-hosted runners: dedicated to few repositories or listed workflows, shared by more, open to pull requests of strangers, or unknown. Not restricted by the choices above.",
			Source: runners + ".", Act: "open to the public: take the group away from public repositories today.", Empty: noneOrUnread, KeyTexts: trusts,
			Queries: []Query{{Name: "Runners", Expr: "sort_desc(" + sumBy("trust", series(recRunners)) + ")", Legend: "{{trust}}"}},
		},
		{
			ID: 51, Answers: answers(TrackRunners), Title: "How do pipelines prove who they are to a cloud?", Look: Bars, W: 10, H: 8, Unit: "none", Steps: plain(),
			Means:  "Repositories by trust tier and by how their pipelines authenticate. A secret that is named like a long-lived key counts as one, whatever else the pipeline uses.",
			Source: cloudIdentities + ".", Act: "long-lived key: move the highest tier to OIDC first, then delete the key.", Empty: "Workflows were not read yet",
			Key: "trust_tier", Share: true, Horizontal: true, Sort: []Sort{{"long-lived key", true}, {"unknown", true}}, Queries: queries,
		},
		{
			ID: 52, Answers: answers(TrackPaths, TrackRunners), Title: "Who went past the rules?", Look: Ranking, W: 7, H: 8, Unit: "none", Decimals: number(0), Steps: noneBut(10),
			Means:  "Pushes and merges that went past a rule, by team, as far back as the ledger knows.",
			Source: ruleBypasses + `{result="bypass"}.`, Act: "read what was pushed; if it was an emergency, was it reviewed afterwards?", Empty: noneOrUnread,
			Queries: []Query{{Name: "Bypasses", Expr: bypassesByTeam(), Legend: "{{team}}"}},
		},
	}
}

// bypassesByTeam counts what went past a rule, as far as the ledger knows.
func bypassesByTeam() string {
	return top(8, sumBy("team", oneBoard(ruleBypasses, is("result", "bypass")))+" > 0")
}

func trustRollback() []Panel {
	return []Panel{
		{
			ID: 60, Answers: answers(TrackRollback), Title: "When did services last go back, or practise it?", Look: Table, W: 24, H: 8, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Days since a service last brought back an older commit in production, or exercised it by evidence. Services that never did are in no row; Coverage counts them under the control.",
			Source: rollbackExercised + ".", Act: "older than a year: exercise it at the next quiet release.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Days ago", Expr: top(tableRows, "(time() - "+maxBy(ownerLabels, oneBoard(rollbackExercised))+") / 86400")}},
			Columns: append(append([]Column{serviceColumn()}, ownerColumns()...),
				Column{Field: "Days ago", Title: "Days ago", Steps: []Step{below(good), from(180, warning), from(365, bad)}}.bar()),
			Sort: []Sort{{Title: "Days ago", Desc: true}},
		},
	}
}
