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
	"prodsec_exporter/internal/record"
)

// exposureConcentration are the panels about where risk is concentrated and what recurs.
func exposureConcentration() []panel.Panel {
	return []panel.Panel{
		{
			ID: 61, Answers: packrow.List(packrow.PackConcentrated, packrow.TrackConcentrated), Title: "Risk score and its concentration", Look: panel.Stat, W: 8, H: 9, Unit: "percentunit", Decimals: panel.Number(0), Lines: true,
			Steps: panel.Plain(),
			Means: "Total risk score, and the share of it held by the top three teams, services and categories. While scopes of findings are not read the score is a lower bound: withheld is the score of what " +
				"dropped scopes held when they were last read. The shares are of the whole programme, not filtered by the variables above.",
			Source: names.RiskScore + ", " + names.RiskConcentration + ".", Act: "high for services or teams: support those owners. High for a category: remove it with a platform change.", Empty: "not known",
			Queries: slices.Concat(
				atLeast(record.KindFinding, panel.Query{Name: "risk score", Expr: promql.SumBy("", promql.SeriesChosen(names.RecRisk)), Unit: "short"}),
				missingQueries(record.KindFinding, names.RiskScore, "short"),
				[]panel.Query{{
					Name: "Top three", Expr: promql.MaxBy("dimension", promql.Once(names.RiskConcentration, promql.Is("top", "3"))), Legend: "three largest, by {{dimension}}",
					Steps: []panel.Step{panel.Below(panel.Neutral), panel.From(settings.Concentrated, panel.Warning)},
				}}),
		},
		{
			ID: 62, Answers: packrow.List(packrow.PackConcentrated, packrow.TrackConcentrated), Title: "Teams with the highest risk score", Look: panel.Ranking, W: 16, H: 9, Unit: "short", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Risk score of open criticals and highs by team: severity × exposure × criticality × exploitation. The score has no absolute unit: compare teams and points in time.",
			Source: names.RiskScore + " (rule " + names.RecRisk + ").", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Risk", Expr: promql.Top(10, promql.SumBy("team", promql.SeriesChosen(names.RecRisk))+" > 0"), Legend: "{{team}}"}},
		},
		{
			ID: 63, Answers: packrow.List(packrow.PackRecurring), Title: "Recurring finding categories, by product area", Look: panel.Table, W: 12, H: 9, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: "Weaknesses of the window whose category had been fixed in the same product area before (repeat), and reopened ones; beside them those of categories that were never fixed there (new). " +
				"Not filtered by the variables above.",
			Source: names.CategoryFindings + ".", Act: "a secure default has the best return in the first rows: the category comes back although it was fixed.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Recurring", Expr: recurring("repeat", "reopened")}, {Name: "Repeat", Expr: recurring("repeat")}, {Name: "Reopened", Expr: recurring("reopened")}, {Name: "New", Expr: recurring("new")},
			},
			Columns: []panel.Column{
				{Field: "product_area", Title: "Product area"}, {Field: "category", Title: "Category"}, panel.Column{Field: "Recurring", Title: "Recurring", Steps: panel.Plain(), Width: 120}.AsBar(),
				{Field: "Repeat", Title: "Repeat", Zero: "–", Width: 70}, {Field: "Reopened", Title: "Reopened", Zero: "–", Width: 85}, {Field: "New", Title: "New", Zero: "–", Width: 60},
			},
			Sort: []panel.Sort{panel.Descending("Recurring")},
		},
		controlFailuresPanel(),
	}
}

// recurring counts kinds of weaknesses of the product areas and categories in which most recur.
func recurring(kinds ...string) string {
	counted := func(kinds ...string) string {
		return promql.SumBy("product_area, category", promql.Series(names.RecCategories, promql.InWindow(), promql.In("kind", kinds...)))
	}
	return fmt.Sprintf("%s\nand on (product_area, category) topk(%d, %s > 0)", counted(kinds...), settings.TableRows, counted("repeat", "reopened"))
}

// repeatedExceptions lists the categories in which exceptions are granted repeatedly.
func repeatedExceptions() panel.Panel {
	granted := func(kind string) string {
		return promql.Filled(query.Counted("category", names.RecGranted, promql.InWindow(), promql.Is("kind", kind)), query.Counted("category", names.RecGranted, promql.InWindow())+" > 0")
	}
	return panel.Panel{
		ID: 43, Answers: packrow.List(packrow.PackRepeated, packrow.PackInvestment), Title: "Repeated exception categories", Look: panel.Bars, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
		Means:  "Exceptions granted in the window by category: the first of its kind, or a renewal (the same service and category within a year).",
		Source: names.ExceptionsGranted + ".", Act: "for renewals, check whether the standard is unrealistic, the platform lacks a feature, or ownership is weak.", Empty: panel.NoneOrUnread,
		Key: "category", Stacked: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("renewed"), panel.Descending("first")},
		Queries: []panel.Query{{Name: "renewed", Expr: granted("renewal"), Colour: panel.Bad}, {Name: "first", Expr: granted("first"), Colour: panel.Waived}},
	}
}

// exceptedStandards lists whose exceptions come back, and from which standard.
func exceptedStandards() panel.Panel {
	const by = "business_unit, control"
	granted := func(kinds ...string) string {
		return query.Counted(by, names.RecGrantedControl, promql.InWindow(), promql.In("kind", kinds...)) + " > 0"
	}
	return panel.Panel{
		ID: 45, Answers: packrow.List(packrow.PackRepeated, packrow.PackInvestment), Title: "Whose exceptions, and from which standard?", Look: panel.Table, W: 10, H: 8, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
		Means: "Exceptions granted in the window by business unit and by the control that they except: named by the exception, else by policy.control_mapping. An exception from several controls counts for each. " +
			"Not filtered by team and trust tier.",
		Source: names.GrantedByControl + ".", Act: "one unit renews: its ownership or capacity is weak; all units renew: the standard is unrealistic, or the platform lacks a feature.", Empty: panel.NoneOrUnread,
		Queries: []panel.Query{{Name: "Renewed", Expr: granted("renewal")}, {Name: "First", Expr: granted("first")}, {Name: "Granted", Expr: promql.Top(settings.TableRows, granted("first", "renewal"))}},
		Columns: []panel.Column{
			{Field: "business_unit", Title: "Business unit"}, {Field: "control", Title: "Standard", Texts: controlTexts()}, countColumn("Renewed", 3).Wide(80), {Field: "First", Title: "First", Zero: "–", Width: 60},
			{Field: "Granted", Title: "Granted", Zero: "–", Width: 75},
		},
		Sort: []panel.Sort{panel.Descending("Renewed"), panel.Descending("Granted")},
	}
}

func exceptionsOverTime() panel.Panel {
	return panel.Panel{
		ID: 44, Answers: packrow.List(packrow.PackExceptions), Title: "Exceptions over time", Look: panel.Lines, W: 7, H: 8, Unit: "none", Steps: panel.Plain(),
		Means:  "Exceptions by state at each moment; as far back as Prometheus has history.",
		Source: names.Exceptions + " (rule " + names.RecExceptions + ").", Act: "a number of active exceptions that only grows is structural policy debt.", Empty: "There is no history yet",
		KeyTexts: []panel.Text{
			{Value: "active", Text: "active", Colour: panel.Waived}, {Value: "expired", Text: "expired and open", Colour: panel.Bad}, {Value: "requested", Text: "requested", Colour: panel.Warning},
		},
		Queries: []panel.Query{{Name: "Exceptions", Expr: query.Counted("state", names.RecExceptions, promql.In("state", "active", "expired", "requested")), Legend: "{{state}}"}},
	}
}
