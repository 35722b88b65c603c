package monitoring

import (
	"fmt"

	"prodsec_exporter/internal/policy"
)

// coverageServices are the headlines about controls of services.
func coverageServices() []Panel {
	source := controlServices + "."
	stat := func(id uint32, rows []PackRow, title, means, act string, queries ...Query) Panel {
		return Panel{
			ID: id, Answers: rows, Title: title, Look: Stat, W: 6, H: 4, Unit: "percentunit", Decimals: number(0), Steps: towards(controlTarget), Means: means +
				" What nobody knows counts against it; an exempt service is left out.", Source: source, Act: act, Empty: "not known", Queries: queries,
		}
	}
	return []Panel{
		stat(5, answers(PackBaselines), "Exposed services with owner and baseline", "Services that are crown jewels or that the internet reaches: those with every control that their tier requires, and those with a named owner.",
			"the table of gaps names them; start with crown jewels.",
			Query{Name: "every control", Expr: exposedShare("", recBaselines)}, Query{Name: "named owner", Expr: exposedShare("", recControls, is("control", policy.ControlOwner)), Steps: towards(ownershipTarget)}),
		stat(6, answers(TrackGoldenPaths), "On approved golden paths", "Services with a repository that are built on a golden path, by what the catalog or the repository's properties say.",
			"ask teams that are not what is missing on the path, not why they left it.", Query{Name: "on a golden path", Expr: passShare("", "golden_path")}),
		stat(7, answers(TrackDesign), "Critical services that were thought through", "Services of the two highest tiers and crown jewels with a threat model, and those of the highest with a design review, within a year.",
			"plan the missing ones with the next change of architecture.", Query{Name: "threat model", Expr: passShare("", "threat_model")}, Query{Name: "design review", Expr: passShare("", "design_review")}),
		stat(8, answers(TrackBaselines), "Production services with the basics", "Services in production that log, that have an owner, and that meet the security baseline.",
			"missing logs first: without them no incident can be understood.", Query{Name: "logging", Expr: passShare("", "logging")}, Query{Name: "owner", Expr: passShare("", policy.ControlOwner), Steps: towards(ownershipTarget)},
			Query{Name: "baseline", Expr: passShare("", "baseline")}),
	}
}

// coverageAdoption shows controls by domain and tier, and what is missing relative to exposure.
func coverageAdoption() []Panel {
	var columns []Column
	var queries []Query
	for _, tier := range []string{"tier0", "tier1", "tier2", "tier3"} {
		queries = append(queries, Query{Name: tier, Expr: share("domain, control", recControls, []string{is("status", "pass")}, is("trust_tier", tier), isNot("status", "exempt"))})
		columns = append(columns, Column{Field: tier, Title: tier, Unit: "percentunit", Steps: towards(controlTarget), Shade: true, Zero: "–", Width: 72})
	}
	queries = append(queries, Query{Name: "Missing", Expr: counted("domain, control", recControls, in("status", "fail", "unknown"))})
	return []Panel{
		{
			ID: 13, Answers: answers(PackAdoption, TrackGoldenPaths, TrackDesign, TrackBaselines), Title: "Control adoption by trust tier", Look: Table, W: 12, H: 13, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Share of services that pass each control, by trust tier, and how many services fail it or are not known. Tiers with other names are in the last column alone.", Source: controlServices + ".",
			Act: "a domain that is red in every tier depends on heroes: fund its paved road.", Empty: "Controls were not read yet", Queries: queries,
			Columns: append([]Column{{Field: "domain", Title: "Domain", Width: 95, Texts: domainTexts()}, {Field: "control", Title: "Control", Texts: controlTexts()}},
				append(columns, countColumn("Missing", 20).wide(80))...),
			Sort: []Sort{{Title: "Missing", Desc: true}},
		},
		{
			ID: 14, Answers: answers(PackUnprotected), Title: "Where are we under-protected for our exposure?", Look: Table, W: 12, H: 13, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Business units by risk score times the share of controls that fail or are not known: much risk behind few controls comes first. The unit is the organisation's own.",
			Source: riskScore + " and " + controlServices + " (rule " + recUnderProtected + ").", Act: "the first row is where the next investment belongs.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Under-protected", Expr: sumBy("business_unit", board(recUnderProtected))}, {Name: "Risk score", Expr: sumBy("business_unit", board(recRisk))}, {Name: "Controls missing", Expr: sumBy("business_unit", board(recMissing))},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Risk score", Title: "Risk score", Width: 95},
				{Field: "Controls missing", Title: "Controls missing", Unit: "percentunit", Width: 130, Steps: []Step{below(good), from(0.1, warning), from(0.25, bad)}, Zero: "not known"},
				Column{Field: "Under-protected", Title: "Under-protected", Steps: plain(), Width: 190, Zero: "not known"}.bar(),
			},
			Sort: []Sort{{Title: "Under-protected", Desc: true}},
		},
	}
}

// coverageControlGaps lists gaps of single services, and when evidence was produced.
func coverageControlGaps() []Panel {
	return []Panel{
		{
			ID: panelControlGaps, Answers: answers(PackBaselines, TrackBaselines, TrackDesign), Title: "Which controls do our exposed services lack?", Look: Table, W: 15, H: 10, Unit: "none", Steps: plain(),
			Means: "Controls that fail or are not known, for the services that policy.detail names (crown jewels, internet-facing, the two highest tiers unless changed).", Source: controlGap + ".",
			Act: "fail: have the team close it or ask for an exception; unknown: bring the evidence.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Gap", Expr: fmt.Sprintf("topk(%d, %s)", 4*tableRows, maxBy(ownerLabels+", domain, control, status", oneBoard(controlGap)))}},
			Columns: append(append([]Column{serviceColumn()}, ownerColumns()...), Column{Field: "control", Title: "Control", Texts: controlTexts()},
				Column{Field: "status", Title: "Result", Width: 95, Texts: statusTexts(), Shade: true}),
			Sort: []Sort{{Title: "Result"}, {Title: "Tier"}},
		},
		{
			ID: 16, Answers: answers(TrackDesign), Title: "Which evidence is oldest?", Look: Table, W: 9, H: 10, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: "Days since the evidence was produced on which the result of a dated control rests; it stops to count when it is older than the control allows.", Source: controlEvidenceTime + ".",
			Act: "renew it before it stops to count.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Days old", Expr: top(tableRows, "(time() - "+minBy(ownerLabels+", control", oneBoard(controlEvidenceTime))+") / 86400")}},
			Columns: []Column{
				{Field: "service_name", Title: "Service"}, {Field: "control", Title: "Control", Texts: controlTexts()},
				{Field: "Days old", Title: "Days old", Width: 90, Steps: []Step{below(good), from(180, warning), from(365, bad)}},
			},
			Sort: []Sort{{Title: "Days old", Desc: true}},
		},
	}
}

// controlFailuresPanel ranks controls by what is laid at their door.
func controlFailuresPanel() Panel {
	var queries []Query
	for _, s := range []Text{
		{Value: "finding", Text: "new weakness", Colour: orange}, {Value: "regression", Text: "came back", Colour: vermillion},
		{Value: "exception", Text: "exception", Colour: waived}, {Value: "bypass", Text: "rule passed by", Colour: blue},
	} {
		all := sumBy("control", series(recControlFailures, inWindow(), isNot("control", "none"))) + " > 0"
		queries = append(queries, Query{Name: s.Text, Colour: s.Colour, Expr: filled(sumBy("control", series(recControlFailures, inWindow(), isNot("control", "none"), is("source", s.Value)))+" > 0", all)})
	}
	return Panel{
		ID: 64, Answers: answers(TrackFailures, PackInvestment), Title: "Which controls fail again and again?", Look: Bars, W: 12, H: 9, Unit: "none", Steps: plain(),
		Means: "Failures of the window by the control at whose door policy lays them: new weaknesses, those that came back, approved exceptions, rules that were passed by. " +
			"What is mapped to no control is left out. Whole programme.",
		Source: controlFailures + ".", Act: "the tallest bars are the investment case: what would remove most repeat work and most exceptions?", Empty: noneOrUnread,
		Key: "control", KeyTexts: controlTexts(), Stacked: true, Horizontal: true, Sort: []Sort{{"new weakness", true}, {"exception", true}}, Queries: queries,
	}
}
