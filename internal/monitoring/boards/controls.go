package boards

import (
	"fmt"

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
	source := names.ControlServices + "."
	stat := func(id uint32, rows []packrow.Row, title, means, act string, queries ...panel.Query) panel.Panel {
		return panel.Panel{
			ID: id, Answers: rows, Title: title, Look: panel.Stat, W: 6, H: 4, Unit: "percentunit", Decimals: panel.Number(0), Steps: panel.Towards(settings.ControlTarget), Means: means +
				" Unknown counts against the share; an exempt service is left out.", Source: source, Act: act, Empty: "not known", Queries: queries,
		}
	}
	return []panel.Panel{
		stat(5, packrow.List(packrow.PackBaselines), "Exposed services with owner and baseline", "Crown-jewel or internet-facing services: the share with every control that their tier requires, and the share with a named owner.",
			"the table of gaps names them; start with crown jewels.",
			panel.Query{Name: "every control", Expr: query.ExposedShare("", names.RecBaselines)}, panel.Query{Name: "named owner", Expr: query.ExposedShare("", names.RecControls, promql.Is("control", policy.ControlOwner)), Steps: panel.Towards(settings.OwnershipTarget)}),
		stat(6, packrow.List(packrow.TrackGoldenPaths), "Services on approved golden paths", "Services with a repository that use a golden path, according to the catalog or the repository's custom properties.",
			"ask the teams that do not use it which capability the golden path lacks.", panel.Query{Name: "on a golden path", Expr: query.PassShare("", "golden_path")}),
		stat(7, packrow.List(packrow.TrackDesign), "Threat-modelled and design-reviewed critical services", "Services of the two highest tiers and crown jewels with a threat model, and services of the highest tier with a design review, within a year.",
			"plan the missing ones with the next change of architecture.", panel.Query{Name: "threat model", Expr: query.PassShare("", "threat_model")}, panel.Query{Name: "design review", Expr: query.PassShare("", "design_review")}),
		stat(8, packrow.List(packrow.TrackBaselines), "Production services with logging, owner and baseline", "Services in production with security logging, with an owner, and that meet the security baseline.",
			"close logging gaps first: incidents cannot be investigated without logs.", panel.Query{Name: "logging", Expr: query.PassShare("", "logging")}, panel.Query{Name: "owner", Expr: query.PassShare("", policy.ControlOwner), Steps: panel.Towards(settings.OwnershipTarget)},
			panel.Query{Name: "baseline", Expr: query.PassShare("", "baseline")}),
	}
}

// coverageAdoption shows controls by domain and tier, and what is missing relative to exposure.
func coverageAdoption() []panel.Panel {
	var columns []panel.Column
	var queries []panel.Query
	for _, tier := range []string{"tier0", "tier1", "tier2", "tier3"} {
		queries = append(queries, panel.Query{Name: tier, Expr: query.Share("domain, control", names.RecControls, []string{promql.Is("status", "pass")}, promql.Is("trust_tier", tier), promql.IsNot("status", "exempt"))})
		columns = append(columns, panel.Column{Field: tier, Title: tier, Unit: "percentunit", Steps: panel.Towards(settings.ControlTarget), Shade: true, Zero: "–", Width: 72})
	}
	queries = append(queries, panel.Query{Name: "Missing", Expr: query.Counted("domain, control", names.RecControls, promql.In("status", "fail", "unknown"))})
	return []panel.Panel{
		{
			ID: 13, Answers: packrow.List(packrow.PackAdoption, packrow.TrackGoldenPaths, packrow.TrackDesign, packrow.TrackBaselines), Title: "Control adoption by trust tier", Look: panel.Table, W: 12, H: 13, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Share of services that pass each control, by trust tier, and how many services fail it or are unknown. Tiers with other names are in the last column alone.", Source: names.ControlServices + ".",
			Act: "a domain that is red in every tier depends on manual work: fund its golden path.", Empty: "Controls were not read yet", Queries: queries,
			Columns: append([]panel.Column{{Field: "domain", Title: "Domain", Width: 95, Texts: domainTexts()}, {Field: "control", Title: "Control", Texts: controlTexts()}},
				append(columns, countColumn("Missing", 20).Wide(80))...),
			Sort: []panel.Sort{panel.Descending("Missing")},
		},
		{
			ID: 14, Answers: packrow.List(packrow.PackUnprotected), Title: "Which business units are under-protected for their exposure?", Look: panel.Table, W: 12, H: 13, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Business units by risk score times the share of controls that fail or are unknown: high risk with few controls ranks first. The score has no absolute unit.",
			Source: names.RiskScore + " and " + names.ControlServices + " (rule " + names.RecUnderProtected + ").", Act: "prioritise the first row in the next investment decision.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Under-protected", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecUnderProtected))}, {Name: "Risk score", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecRisk))}, {Name: "Controls missing", Expr: promql.SumBy("business_unit", promql.SeriesChosen(names.RecMissing))},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Risk score", Title: "Risk score", Width: 95},
				{Field: "Controls missing", Title: "Controls missing", Unit: "percentunit", Width: 130, Steps: []panel.Step{panel.Below(panel.Good), panel.From(0.1, panel.Warning), panel.From(0.25, panel.Bad)}, Zero: "not known"},
				panel.Column{Field: "Under-protected", Title: "Under-protected", Steps: panel.Plain(), Width: 190, Zero: "not known"}.AsBar(),
			},
			Sort: []panel.Sort{panel.Descending("Under-protected")},
		},
	}
}

// coverageControlGaps lists gaps of single services, and when evidence was produced.
func coverageControlGaps() []panel.Panel {
	return []panel.Panel{
		{
			ID: names.PanelControlGaps, Answers: packrow.List(packrow.PackBaselines, packrow.TrackBaselines, packrow.TrackDesign), Title: "Which controls do exposed services lack?", Look: panel.Table, W: 15, H: 10, Unit: "none", Steps: panel.Plain(),
			Means: "Controls that fail or are unknown, for the services that policy.detail names (crown jewels, internet-facing, the two highest tiers unless changed).", Source: names.ControlGap + ".",
			Act: "fail: the team closes the gap or requests an exception; unknown: provide the evidence.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Gap", Expr: fmt.Sprintf("topk(%d, %s)", 4*settings.TableRows, promql.MaxBy(names.OwnerLabels+", domain, control, status", promql.OnceChosen(names.ControlGap)))}},
			Columns: append(append([]panel.Column{serviceColumn()}, ownerColumns()...), panel.Column{Field: "control", Title: "Control", Texts: controlTexts()},
				panel.Column{Field: "status", Title: "Result", Width: 95, Texts: statusTexts(), Shade: true}),
			Sort: []panel.Sort{panel.Ascending("Result"), panel.Ascending("Tier")},
		},
		{
			ID: 16, Answers: packrow.List(packrow.TrackDesign), Title: "Which evidence is oldest?", Look: panel.Table, W: 9, H: 10, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
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

// controlFailuresPanel ranks controls by what is laid at their door.
func controlFailuresPanel() panel.Panel {
	var queries []panel.Query
	for _, s := range []panel.Text{
		{Value: "finding", Text: "new weakness", Colour: panel.Orange}, {Value: "regression", Text: "came back", Colour: panel.Vermillion},
		{Value: "exception", Text: "exception", Colour: panel.Waived}, {Value: "bypass", Text: "rule passed by", Colour: panel.Blue},
	} {
		all := promql.SumBy("control", promql.Series(names.RecControlFailures, promql.InWindow(), promql.IsNot("control", "none"))) + " > 0"
		queries = append(queries, panel.Query{Name: s.Text, Colour: s.Colour, Expr: promql.Filled(promql.SumBy("control", promql.Series(names.RecControlFailures, promql.InWindow(), promql.IsNot("control", "none"), promql.Is("source", s.Value)))+" > 0", all)})
	}
	return panel.Panel{
		ID: 64, Answers: packrow.List(packrow.TrackFailures, packrow.PackInvestment), Title: "Top recurring control failures", Look: panel.Bars, W: 12, H: 9, Unit: "none", Steps: panel.Plain(),
		Means: "Failures of the window by the control that policy attributes them to: new weaknesses, reopened weaknesses, approved exceptions, rule bypasses. " +
			"What is mapped to no control is left out. Whole programme.",
		Source: names.ControlFailures + ".", Act: "the longest bars are the investment case: they would remove most repeat work and exceptions.", Empty: panel.NoneOrUnread,
		Key: "control", KeyTexts: controlTexts(), Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("new weakness"), panel.Descending("exception")}, Queries: queries,
	}
}
