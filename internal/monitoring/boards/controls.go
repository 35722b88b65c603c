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

// coverageServices are the headlines about controls of services.
func coverageServices() []panel.Panel {
	stat := func(id uint32, rows []packrow.Row, title, means, act string, queries ...[]panel.Query) panel.Panel {
		return panel.Panel{
			ID: id, Answers: rows, Title: title, Look: panel.Stat, W: 6, H: 5, Unit: "percentunit", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(), Means: means +
				" The denominator is every service to which the control applies; exempt and unknown count against the share.", Source: names.ControlServices + ".", Act: act, Empty: "not known",
			Queries: slices.Concat(queries...),
		}
	}
	control := func(name, control string, objective policy.Objective) []panel.Query {
		return ratioQueries(name, query.PassRatio("", control), objective)
	}
	exempt := func(controls ...string) []panel.Query {
		return []panel.Query{exemptQuery(query.Counted("", names.RecControls, promql.In("control", controls...), promql.Is("status", "exempt")))}
	}
	return []panel.Panel{
		stat(5, packrow.List(packrow.PackBaselines), "Exposed services with owner and baseline", "Crown-jewel or internet-facing services: the share with every control that their tier requires, and the share with a named owner.",
			"the table of gaps names them; start with crown jewels.",
			ratioQueries("every control", query.ExposedRatio(names.RecBaselines), policy.ObjectiveControls),
			ratioQueries("named owner", query.ExposedRatio(names.RecControls, promql.Is("control", policy.ControlOwner)), policy.ObjectiveOwnership),
			[]panel.Query{exemptQuery("(" + query.ExposedServices("", names.RecBaselines, promql.Is("status", "exempt")) + ")")}),
		stat(6, packrow.List(packrow.TrackGoldenPaths), "Services on approved golden paths", "Services with a repository that use a golden path, according to the catalog or the repository's custom properties.",
			"ask the teams that do not use it which capability the golden path lacks.", control("on a golden path", "golden_path", policy.ObjectiveControls), exempt("golden_path")),
		stat(7, packrow.List(packrow.TrackDesign), "Threat-modelled and design-reviewed critical services", "Services of the two highest tiers and crown jewels with a threat model, and services of the highest tier with a design review, within a year.",
			"plan the missing ones with the next change of architecture.", control("threat model", "threat_model", policy.ObjectiveControls), control("design review", "design_review", policy.ObjectiveControls),
			exempt("threat_model", "design_review")),
		stat(8, packrow.List(packrow.TrackBaselines), "Production services with logging, owner and baseline",
			"Services in production that have security logging, an owner and the security baseline, all three together; and the share with each of the three.",
			"close logging gaps first: incidents cannot be investigated without logs.",
			ratioQueries("all three", query.RatioOf("", names.RecBasics, []string{promql.Is("status", "pass")}), policy.ObjectiveControls),
			comparedQueries("logging", query.PassRatio("", "logging"), policy.ObjectiveControls), comparedQueries("owner", query.PassRatio("", policy.ControlOwner), policy.ObjectiveOwnership),
			comparedQueries("baseline", query.PassRatio("", "baseline"), policy.ObjectiveControls)),
	}
}

// coverageAdoption shows controls by domain and tier, and what is missing relative to exposure.
func coverageAdoption() []panel.Panel {
	const by = "domain, control"
	var columns []panel.Column
	var queries []panel.Query
	for _, tier := range []string{"tier0", "tier1", "tier2", "tier3"} {
		queries = append(queries, panel.Query{Name: tier, Expr: query.RatioOf(by, names.RecControls, []string{promql.Is("status", "pass")}, promql.Is("trust_tier", tier)).Expr()})
		columns = append(columns, panel.Column{Field: tier, Title: tier, Unit: "percentunit", Zero: "–", Width: 62})
	}
	all := query.RatioOf(by, names.RecControls, []string{promql.Is("status", "pass")})
	queries = append(queries, panel.Query{Name: "Against target", Expr: all.Against(policy.ObjectiveControls)}, panel.Query{Name: "Of", Expr: all.Whole},
		panel.Query{Name: "Missing", Expr: query.Counted(by, names.RecControls, promql.In("status", "fail", "unknown"))}, panel.Query{Name: "Exempt", Expr: query.Counted(by, names.RecControls, promql.Is("status", "exempt"))})
	return []panel.Panel{
		{
			ID: 13, Answers: packrow.List(packrow.PackAdoption, packrow.TrackGoldenPaths, packrow.TrackDesign, packrow.TrackBaselines), Title: "Control adoption by trust tier", Look: panel.Table, W: 14, H: 13, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Share of services that pass each control, by trust tier. Against target: the share over all tiers minus the policy's target, in percentage points. Of: services to which the control " +
				"applies; missing: those that fail it or are unknown; exempt: those with an exception. Services of tiers with other names are in the last columns only.", Source: names.ControlServices + ".",
			Act: "a domain that is red in every control depends on manual work: fund its golden path.", Empty: "Controls were not read yet", Queries: queries,
			Columns: append([]panel.Column{{Field: "domain", Title: "Domain", Width: 95, Texts: domainTexts()}, {Field: "control", Title: "Control", Texts: controlTexts()}},
				append(columns, againstColumn("Against target").Wide(108), panel.Column{Field: "Of", Title: "Of", Zero: "–", Width: 50}, countColumn("Missing", 20).Wide(70),
					panel.Column{Field: "Exempt", Title: "Exempt", Zero: "–", Width: 65})...),
			Sort: []panel.Sort{panel.Descending("Missing")},
		},
		{
			ID: 14, Answers: packrow.List(packrow.PackUnprotected), Title: "Which business units are under-protected for their exposure?", Look: panel.Table, W: 10, H: 13, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Business units by risk score times the share of controls that do not pass (failed, unknown or exempt): high risk with few controls ranks first. The score has no absolute unit.",
			Source: names.RiskScore + " and " + names.ControlServices + " (rule " + names.RecUnderProtected + ").", Act: "prioritise the first row in the next investment decision.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Under-protected", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecUnderProtected))}, {Name: "Risk score", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecRisk))}, {Name: "Controls missing", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecMissing))},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Risk score", Title: "Risk score", Width: 95},
				{Field: "Controls missing", Title: "Controls missing", Unit: "percentunit", Width: 125, Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.1, panel.Warning), panel.From(0.25, panel.Bad)}, Zero: "not known"},
				panel.Column{Field: "Under-protected", Title: "Under-protected", Steps: panel.Plain(), Width: 190, Zero: "not known"}.AsBar(),
			},
			Sort: []panel.Sort{panel.Descending("Under-protected")},
		},
	}
}

// coverageDomains rolls the controls up by domain.
func coverageDomains() panel.Panel {
	passed := []string{promql.Is("status", "pass")}
	var queries []panel.Query
	columns := []panel.Column{{Field: "domain", Title: "Domain", Texts: domainTexts()}}
	all := query.RatioOf("domain", names.RecControls, passed)
	queries = append(queries, panel.Query{Name: "All tiers", Expr: all.Expr()}, panel.Query{Name: "Against target", Expr: all.Against(policy.ObjectiveControls)})
	columns = append(columns, panel.Column{Field: "All tiers", Title: "All tiers", Unit: "percentunit", Zero: "–", Width: 75}, againstColumn("Against target").Wide(108))
	for _, tier := range []string{"tier0", "tier1", "tier2", "tier3"} {
		queries = append(queries, panel.Query{Name: tier, Expr: query.RatioOf("domain", names.RecControls, passed, promql.Is("trust_tier", tier)).Expr()})
		columns = append(columns, panel.Column{Field: tier, Title: tier, Unit: "percentunit", Zero: "–", Width: 58})
	}
	queries = append(queries, panel.Query{Name: "Of", Expr: all.Whole})
	return panel.Panel{
		ID: 17, Answers: packrow.List(packrow.PackAdoption), Title: "Control adoption by domain and trust tier", Look: panel.Table, W: 14, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means: "Share of the controls of services that pass, by domain and trust tier: each pair of a service and a control that applies to it counts once (of). Exempt and unknown count against the share. " +
			"Services of tiers with other names are in the columns over all tiers only.",
		Source: names.ControlServices + ".", Act: "a domain that is far below the others depends on manual work: fund its golden path. The table below names its controls.", Empty: "Controls were not read yet",
		Queries: queries, Columns: append(columns, panel.Column{Field: "Of", Title: "Of", Zero: "–", Width: 60}), Sort: []panel.Sort{panel.Ascending("All tiers")},
	}
}

// pipelineProtection shows whether the repositories and environments of privileged pipelines are protected.
func pipelineProtection(id, w uint32) panel.Panel {
	return panel.Panel{
		ID: id, Answers: packrow.List(packrow.TrackProtection), Title: "Protection of privileged pipelines", Look: panel.Bars, W: w, H: 8, Unit: "none", Steps: panel.Plain(),
		Means: "Privileged pipelines by whether the branches of their repository pass every required check, whether the production environments that they deploy to do (pipelines that deploy to none are not in that " +
			"bar), and whether both do.",
		Source: names.PipelineProtection + ".", Act: "orange-red: whoever can push to the branch or deploy to the environment controls the pipeline; grey: grant the missing permission.",
		Empty: "Pipelines were not read yet", Key: "check", Share: true, Horizontal: true, Sort: failingFirst(),
		KeyTexts: []panel.Text{{Value: "branch", Text: "branches"}, {Value: "environment", Text: "environments"}, {Value: "required", Text: "both"}},
		Queries: statusQueries(func(s ...string) string {
			return query.Counted("check", names.RecPipelineProtection, promql.In("status", s...))
		}),
	}
}

// controlStatusQueries are a query per result of controls, for stacked bars, by a label.
func controlStatusQueries(by, record string, among ...string) []panel.Query {
	var list []panel.Query
	for _, t := range append(statusTexts(), panel.Text{Value: "exempt", Text: "exempt", Colour: panel.Waived}) {
		list = append(list, panel.Query{Name: t.Text, Colour: t.Colour, Expr: query.CountedBy(by, record, []string{promql.Is("status", t.Value)}, among...)})
	}
	return list
}

// coverageControlGaps lists gaps of single services, and when evidence was produced.
func coverageControlGaps() []panel.Panel {
	return []panel.Panel{
		{
			ID: names.PanelControlGaps, Answers: packrow.List(packrow.PackBaselines, packrow.TrackBaselines, packrow.TrackDesign), Title: "Which controls do exposed services lack?", Look: panel.Table, W: 11, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Controls that fail or are unknown, for the services that policy.detail names (crown jewels, internet-facing, the two highest tiers unless changed).", Source: names.ControlGap + ".",
			Act: "fail: the team closes the gap or requests an exception; unknown: provide the evidence.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Gap", Expr: fmt.Sprintf("topk(%d, %s)", 4*settings.TableRows, promql.MaxBy(names.OwnerLabels+", domain, control, status", promql.OnceChosen(names.ControlGap)))}},
			Columns: append(append([]panel.Column{serviceColumn()}, ownerColumns()...), panel.Column{Field: "control", Title: "Control", Texts: controlTexts()},
				panel.Column{Field: "status", Title: "Result", Width: 95, Texts: statusTexts(), Shade: true}),
			Sort: []panel.Sort{panel.Ascending("Result"), panel.Ascending("Tier")},
		},
		{
			ID: 16, Answers: packrow.List(packrow.TrackDesign), Title: "Which evidence is oldest?", Look: panel.Table, W: 6, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Age in days of the evidence behind each dated control. Evidence older than the control's maximum age no longer counts.", Source: names.ControlEvidenceTime + ".",
			Act: "renew it before it expires.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Days old", Expr: promql.Top(settings.TableRows, "(time() - "+promql.MinBy(names.OwnerLabels+", control", promql.OnceChosen(names.ControlEvidenceTime))+") / 86400")}},
			Columns: []panel.Column{
				{Field: "service_name", Title: "Service"}, {Field: "control", Title: "Control", Texts: controlTexts()},
				{Field: "Days old", Title: "Days old", Width: 90, Steps: []panel.Step{panel.Below(panel.Good), panel.From(180, panel.Warning), panel.From(365, panel.Bad)}},
			},
			Sort: []panel.Sort{panel.Descending("Days old")},
		},
	}
}

// underProtectedAreas ranks product areas as the panel above ranks business units.
func underProtectedAreas() panel.Panel {
	return panel.Panel{
		ID: 19, Answers: packrow.List(packrow.PackUnprotected), Title: "Which product areas are under-protected for their exposure?", Look: panel.Table, W: 7, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means:  "Product areas by risk score times the share of controls that do not pass (failed, unknown or exempt). Not filtered by the variables above.",
		Source: names.AreaRisk + " and " + names.AreaControls + " (rule " + names.RecAreaUnder + ").", Act: "prioritise the first row; services without a product area are under \"none\": complete the catalog.", Empty: panel.NoneOrUnread,
		Queries: []panel.Query{
			{Name: "Under-protected", Expr: promql.Top(settings.TableRows, promql.SumBy("product_area", promql.Series(names.RecAreaUnder)))}, {Name: "Risk score", Expr: promql.SumBy("product_area", promql.Once(names.AreaRisk))},
			{Name: "Controls missing", Expr: promql.SumBy("product_area", promql.Series(names.RecAreaMissing))},
		},
		Columns: []panel.Column{
			{Field: "product_area", Title: "Product area"}, {Field: "Risk score", Title: "Risk score", Zero: "not known", Width: 80},
			{Field: "Controls missing", Title: "Missing", Unit: "percentunit", Width: 70, Zero: "not known"}, panel.Column{Field: "Under-protected", Title: "Under-protected", Steps: panel.Plain(), Width: 130, Zero: "not known"}.AsBar(),
		},
		Sort: []panel.Sort{panel.Descending("Under-protected")},
	}
}

// repeatSources are what controlFailuresPanel ranks by: work that came back, and would be gone had the control held.
func repeatSources() []panel.Text {
	return []panel.Text{{Value: "repeat", Text: "Repeat"}, {Value: "regression", Text: "Reopened"}, {Value: "renewal", Text: "Renewals"}, {Value: "sla_miss", Text: "SLA misses"}}
}

// controlFailuresPanel ranks controls by the repeat work that is attributed to them.
func controlFailuresPanel() panel.Panel {
	failures := func(by string, sources ...string) string {
		return promql.SumBy(by, promql.Series(names.RecControlFailures, promql.InWindow(), promql.In("source", sources...))) + " > 0"
	}
	var sources []string
	var queries []panel.Query
	columns := []panel.Column{
		{Field: "control", Title: "Control", Texts: controlTexts()}, panel.Column{Field: "Total", Title: "Total", Steps: panel.Plain(), Width: 100}.AsBar(),
		{Field: "Share", Title: "Share", Unit: "percentunit", Zero: "–", Width: 55},
	}
	for _, s := range repeatSources() {
		sources = append(sources, s.Value)
		queries = append(queries, panel.Query{Name: s.Text, Expr: failures("control", s.Value)})
		columns = append(columns, panel.Column{Field: s.Text, Title: s.Text, Zero: "–", Width: 80})
	}
	total := failures("control", sources...)
	share := "(" + total + ")\n/ on () group_left ()\n(" + failures("", sources...) + ")"
	queries = append(queries, panel.Query{Name: "Bypasses", Expr: failures("control", "bypass")})
	columns = append(columns, panel.Column{Field: "Bypasses", Title: "Bypasses", Zero: "–", Width: 75})
	return panel.Panel{
		ID: 64, Answers: packrow.List(packrow.TrackFailures, packrow.PackInvestment), Title: "Top recurring control failures", Look: panel.Table, W: 12, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means: "What came back in the window, by the control that policy attributes it to, i.e. what would be gone had the control held: weaknesses of a category that had been fixed before, reopened weaknesses, renewed " +
			"exceptions, SLA misses. Share: of everything that came back. Rule bypasses stand beside it and are not in the total; first-time weaknesses are not counted. Whole programme.",
		Source: names.ControlFailures + ".",
		Act:    "the first rows are the investment case: they would remove most repeat work and exceptions. What is mapped to no control needs an entry in policy.control_mapping.",
		Empty:  panel.NoneOrUnread, Queries: append([]panel.Query{{Name: "Total", Expr: total}, {Name: "Share", Expr: share}}, queries...), Columns: columns,
		Sort: []panel.Sort{panel.Descending("Total")},
	}
}
