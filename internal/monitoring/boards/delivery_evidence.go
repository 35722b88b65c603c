package boards

import (
	"fmt"
	"slices"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// trustPaths are the panels about the whole way of a service to production.
func trustPaths() []panel.Panel {
	return []panel.Panel{
		{
			ID: 39, Answers: packrow.List(packrow.TrackPaths), Title: "Protected deployment paths, by trust tier", Look: panel.Stat, W: 5, H: 8, Unit: "percentunit", Decimals: panel.Number(0), Lines: true,
			Steps: panel.Plain(),
			Means: "Share of services whose deployment path is protected: environment and branch pass every required check, and the last deployments were approved and came from that branch. " +
				"What could not be read counts against it.",
			Source: names.DeploymentPaths + ".", Act: "start with the highest red tier; the table names the teams.", Empty: "not known",
			Queries: byTier(query.RatioOf("trust_tier", names.RecPaths, []string{promql.Is("status", "protected")}), policy.ObjectiveProtection),
		},
		{
			ID: names.PanelPaths, Answers: packrow.List(packrow.TrackPaths), Title: "Unprotected deployment paths, by team", Look: panel.Table, W: 10, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Services by team and by status of their deployment path; teams whose paths are all protected are left out.",
			Source: names.DeploymentPaths + ".", Act: "one environment template and one ruleset for the team close most gaps; unknown: grant the missing permission.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Unprotected", Expr: pathsOfTeams("unprotected")}, {Name: "Unknown", Expr: pathsOfTeams("unknown")},
			},
			Columns: []panel.Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, {Field: "trust_tier", Title: "Tier", Width: 85},
				{Field: "environment", Title: "Environment", Width: 110}, countColumn("Unprotected", 1).AsBar().Wide(120), {Field: "Unknown", Title: "Unknown", Zero: "–", Width: 85},
			},
			Sort: []panel.Sort{panel.Ascending("Tier"), panel.Descending("Unprotected")},
		},
		{
			ID: 41, Answers: packrow.List(packrow.TrackPaths, packrow.DORAFrequency), Title: "Release approval of deployments", Look: panel.Bars, W: 9, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Production deployments of the window by trust tier: approved, approval bypassed, no approval required, or unknown.",
			Source: names.DeploymentsIn + ".", Act: "bypassed in a high tier: review each; none: the environment requires no approval.", Empty: "Deployments were not read yet",
			Key: "trust_tier", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("bypassed"), panel.Descending("none")}, Queries: approvalQueries("trust_tier"),
		},
	}
}

// byTier shows a ratio for each trust tier, and how many it is of.
func byTier(r query.Ratio, objective policy.Objective) []panel.Query {
	queries := comparedQueries("{{trust_tier}}", r, objective)
	return append(queries, panel.Query{Name: "n", Legend: "{{trust_tier}}, of", Expr: r.Whole, Unit: "none", Colour: panel.Unknown})
}

// pathsOfTeams counts the paths of teams that have one which is not known to be protected.
func pathsOfTeams(status string) string {
	const by = names.GroupLabels + ", environment"
	return promql.Filled(query.Counted(by, names.RecPaths, promql.Is("status", status))+" > 0", query.Counted(by, names.RecPaths, promql.In("status", "unprotected", "unknown"))+" > 0")
}

// presenceQueries are a query per status of evidence.
func presenceQueries(by, record string, among ...string) []panel.Query {
	var list []panel.Query
	for _, t := range presenceTexts() {
		list = append(list, panel.Query{Name: t.Text, Colour: t.Colour, Expr: query.CountedBy(by, record, []string{promql.Is("status", t.Value)}, among...)})
	}
	return list
}

func presenceTexts() []panel.Text {
	return []panel.Text{{Value: "present", Text: "present", Colour: panel.Good}, {Value: "missing", Text: "missing", Colour: panel.Bad}, {Value: "unknown", Text: "unknown", Colour: panel.Unknown}}
}

// evidenceKinds name the kinds of evidence.
func evidenceKinds() []panel.Text {
	return []panel.Text{
		{Value: "provenance", Text: "provenance"}, {Value: "sbom", Text: "SBOM"}, {Value: "signature", Text: "signature"}, {Value: "approval", Text: "approval"},
		{Value: "required", Text: "all that is required"},
	}
}

func trustEvidence() []panel.Panel {
	missing := []panel.Sort{panel.Descending("missing"), panel.Descending("unknown")}
	return []panel.Panel{
		{
			ID: 42, Answers: packrow.List(packrow.PackEvidence), Title: "Release evidence of privileged pipelines", Look: panel.Bars, W: 6, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Privileged pipelines by the evidence of their last successful run. Present is not verified.",
			Source: names.PrivilegedPipelines + ".", Act: "missing: add the step to the shared workflow, not to each pipeline; unknown: grant the missing permission.", Empty: "Pipelines were not read yet",
			Key: "evidence", KeyTexts: evidenceKinds(), Share: true, Horizontal: true, Sort: missing, Queries: presenceQueries("evidence", names.RecPipelines),
		},
		pipelineProtection(45, 6),
		{
			ID: 43, Answers: packrow.List(packrow.TrackEvidence), Title: "Release evidence of releases and deployments", Look: panel.Bars, W: 6, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Releases and production deployments of the window by the evidence that policy requires. Present is not verified.",
			Source: names.ReleaseEvidence + ".", Act: "missing: check which tiers are affected, and require the evidence where it is cheapest first.", Empty: "Releases were not read yet",
			Key: "evidence", KeyTexts: evidenceKinds(), Share: true, Horizontal: true, Sort: missing, Queries: presenceQueries("evidence", names.RecEvidence, promql.InWindow()),
		},
		{
			ID: 44, Answers: packrow.List(packrow.PackEvidence, packrow.TrackEvidence), Title: "Pipeline evidence over time", Look: panel.Lines, W: 6, H: 8, Unit: "percentunit", Max: panel.Number(1),
			Steps:  panel.Plain(),
			Means:  "Share of privileged pipelines with each kind of evidence at each moment. Whole programme, not filtered by the variables above. As far back as Prometheus has history.",
			Source: names.PrivilegedPipelines + " (rule " + names.RecPipelineRatio + ").", Act: "a line that is flat for a quarter needs a platform change, not reminders.", Empty: "There is no history yet",
			KeyTexts: coloured(evidenceKinds(), panel.SkyBlue, panel.Blue, panel.Waived, panel.Orange, panel.Neutral), Queries: []panel.Query{{Name: "Present", Expr: promql.Series(names.RecPipelineRatio), Legend: "{{evidence}}"}, targetQuery(policy.ObjectiveEvidence)},
		},
	}
}

// coloured gives texts colours in their order, for lines that are told apart by nothing else.
func coloured(texts []panel.Text, colours ...string) []panel.Text {
	list := slices.Clone(texts)
	for i := range list {
		list[i].Colour = colours[i%len(colours)]
	}
	return list
}

func trustRunners() []panel.Panel {
	trusts := []panel.Text{
		{Value: "dedicated", Text: "dedicated", Colour: panel.Good}, {Value: "shared", Text: "shared", Colour: panel.Warning},
		{Value: "public_exposed", Text: "public-exposed", Colour: panel.Bad}, {Value: "unknown", Text: "unknown", Colour: panel.Unknown},
	}
	methods := []panel.Text{
		{Value: "oidc", Text: "OIDC", Colour: panel.Good}, {Value: "none", Text: "no cloud", Colour: panel.Neutral},
		{Value: "static_key", Text: "long-lived key", Colour: panel.Bad}, {Value: "unknown", Text: "unknown", Colour: panel.Unknown},
	}
	var queries []panel.Query
	for _, m := range methods {
		queries = append(queries, panel.Query{Name: m.Text, Colour: m.Colour, Expr: query.CountedBy("trust_tier", names.RecIdentities, []string{promql.Is("method", m.Value)})})
	}
	return []panel.Panel{
		{
			ID: 50, Answers: packrow.List(packrow.TrackRunners), Title: "Self-hosted runners by trust", Look: panel.Ranking, W: 5, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Self-hosted runners: dedicated to few repositories or listed workflows, shared by more, exposed to pull requests from forks, or unknown. Not filtered by the variables above.",
			Source: names.Runners + ".", Act: "exposed to the public: remove the runner group from public repositories today.", Empty: panel.NoneOrUnread, KeyTexts: trusts,
			Queries: []panel.Query{{Name: "Runners", Expr: "sort_desc(" + promql.SumBy("trust", promql.Series(names.RecRunners)) + ")", Legend: "{{trust}}"}},
		},
		{
			ID: 53, Answers: packrow.List(packrow.TrackRunners), Title: "Runner compliance, by trust tier", Look: panel.Bars, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Services by trust tier and by whether the runners that their repositories may use are as trusted as the tier requires (control runner_tier). A service has the result of its worst repository.",
			Source: names.ControlServices + `{control="runner_tier"}.`, Act: "orange-red in a high tier: move its pipelines to dedicated runners; grey: grant the permission to read runner groups.", Empty: "Runners were not read yet",
			Key: "trust_tier", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Ascending("trust_tier")}, Queries: controlStatusQueries("trust_tier", names.RecControls, promql.Is("control", "runner_tier")),
		},
		{
			ID: 51, Answers: packrow.List(packrow.TrackRunners), Title: "Cloud authentication of pipelines", Look: panel.Bars, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Repositories by trust tier and by how their pipelines authenticate. A secret whose name looks like a long-lived key counts as one, even if the pipeline also uses OIDC.",
			Source: names.CloudIdentities + ".", Act: "long-lived key: move the highest tier to OIDC first, then delete the key.", Empty: "Workflows were not read yet",
			Key: "trust_tier", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("long-lived key"), panel.Descending("unknown")}, Queries: queries,
		},
		{
			ID: 52, Answers: packrow.List(packrow.TrackPaths, packrow.TrackRunners), Title: "Rule bypasses by team", Look: panel.Ranking, W: 5, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.NoneBut(10),
			Means:  "Pushes and merges of the window that bypassed a rule, by team.",
			Source: names.BypassesIn + ".", Act: "review what was pushed; emergencies need a review afterwards.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Bypasses", Expr: bypassesByTeam(), Legend: "{{team}}"}},
		},
	}
}

// bypassesByTeam counts the rule bypasses of the window.
func bypassesByTeam() string {
	return promql.Top(8, query.Counted("team", names.RecBypasses, promql.InWindow())+" > 0")
}

func trustRollback() []panel.Panel {
	const control = "rollback"
	whole := query.Counted("", names.RecControls, promql.Is("control", control))
	return []panel.Panel{
		{
			ID: 61, Answers: packrow.List(packrow.TrackRollback), Title: "Critical services with a rollback exercised in time", Look: panel.Stat, W: 6, H: 8, Unit: "percentunit", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(),
			Means: "Share of the services to which the control rollback applies (the critical ones, unless policy says otherwise) that rolled back in production, or exercised it, within the control's maximum age. Services " +
				"that never did, and those of which that is not known, are in the denominator and in the second number.",
			Source: names.ControlServices + `{control="rollback"}.`, Act: "the table beside it names the services without one.", Empty: "not known",
			Queries: slices.Concat(ratioQueries("in time", query.PassRatio("", control), policy.ObjectiveControls), []panel.Query{
				{Name: "too long ago or never", Expr: promql.Filled(query.Counted("", names.RecControls, promql.Is("control", control), promql.In("status", "fail", "unknown")), whole), Unit: "none", Steps: panel.NoneBut(1)},
				exemptQuery(query.Counted("", names.RecControls, promql.Is("control", control), promql.Is("status", "exempt"))),
			}),
		},
		{
			ID: 62, Answers: packrow.List(packrow.TrackRollback), Title: "Critical services without a rollback exercised in time", Look: panel.Table, W: 9, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Services of policy.detail whose control rollback fails or is unknown, because there is no record of a rollback or the last one is too old to count.",
			Source: names.ControlGap + `{control="rollback"}.`, Act: "exercise a rollback with the next low-risk release, and record it.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Gap", Expr: fmt.Sprintf("topk(%d, %s)", settings.TableRows, promql.MaxBy(names.OwnerLabels+", status", promql.OnceChosen(names.ControlGap, promql.Is("control", control))))}},
			Columns: []panel.Column{serviceColumn(), {Field: "team", Title: "Team"}, {Field: "trust_tier", Title: "Tier", Width: 65}, {Field: "status", Title: "Result", Width: 85, Texts: statusTexts(), Shade: true}},
			Sort:    []panel.Sort{panel.Ascending("Tier"), panel.Ascending("Result")},
		},
		{
			ID: 60, Answers: packrow.List(packrow.TrackRollback), Title: "Time since the last rollback or rollback exercise", Look: panel.Table, W: 9, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Days since a service last rolled back in production, or since its last recorded rollback exercise. Services that never did are in the table beside it.",
			Source: names.RollbackExercised + ".", Act: "older than a year: exercise a rollback with the next low-risk release.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Days ago", Expr: promql.Top(settings.TableRows, "(time() - "+promql.MaxBy(names.OwnerLabels, promql.OnceChosen(names.RollbackExercised))+") / 86400")}},
			Columns: []panel.Column{
				serviceColumn(), {Field: "team", Title: "Team"}, {Field: "trust_tier", Title: "Tier", Width: 65},
				panel.Column{Field: "Days ago", Title: "Days ago", Width: 130, Steps: []panel.Step{panel.Below(panel.Good), panel.From(180, panel.Warning), panel.From(365, panel.Bad)}}.AsBar(),
			},
			Sort: []panel.Sort{panel.Descending("Days ago")},
		},
	}
}
