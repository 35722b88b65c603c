package monitoring

import "fmt"

// exposureConcentration are the panels about who carries the risk and what keeps coming back.
func exposureConcentration() []Panel {
	return []Panel{
		{
			ID: 61, Answers: answers(PackConcentrated, TrackConcentrated), Title: "How concentrated is risk?", Look: Stat, W: 8, H: 9, Unit: "percentunit", Decimals: number(0), Lines: true,
			Steps:  []Step{below(neutral), from(concentrated, warning)},
			Means:  "Share of the total risk score that the three largest holders have: three teams, three services, three categories. Whole programme, not restricted by the choices above.",
			Source: riskConcentration + ".", Act: "high for services or teams: help those. High for a category: build it out of the platform.", Empty: "not known",
			Queries: []Query{{Name: "Top three", Expr: maxBy("dimension", one(riskConcentration, is("top", "3"))), Legend: "three largest, by {{dimension}}"}},
		},
		{
			ID: 62, Answers: answers(PackConcentrated, TrackConcentrated), Title: "Which teams carry most of the risk?", Look: Ranking, W: 16, H: 9, Unit: "short", Decimals: number(0), Steps: plain(),
			Means:  "Risk score of open criticals and highs by team: severity × exposure × criticality × exploitation. The unit is the organisation's own; compare teams and times.",
			Source: riskScore + " (rule " + recRisk + ").", Empty: noneOrUnread,
			Queries: []Query{{Name: "Risk", Expr: top(10, sumBy("team", board(recRisk))+" > 0"), Legend: "{{team}}"}},
		},
		{
			ID: 63, Answers: answers(PackRecurring), Title: "What keeps coming back, by product area", Look: Table, W: 12, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Categories of weaknesses that opened or came back in the window, by product area. Not restricted by the choices above.",
			Source: categoryFindings + ".", Act: "the first rows are where a secure default pays back most; what came back was fixed by hand before.", Empty: noneOrUnread,
			Queries: []Query{{Name: "New", Expr: recurring("new")}, {Name: "Came back", Expr: recurring("reopened")}},
			Columns: []Column{
				{Field: "product_area", Title: "Product area"}, {Field: "category", Title: "Category"}, Column{Field: "New", Title: "New", Steps: plain(), Width: 150}.bar(),
				countColumn("Came back", 5).wide(100),
			},
			Sort: []Sort{{Title: "New", Desc: true}},
		},
		controlFailuresPanel(),
	}
}

// recurring counts one kind of recurring weaknesses of the product areas and categories that have most.
func recurring(kind string) string {
	all := sumBy("product_area, category", series(recCategories, inWindow()))
	return fmt.Sprintf("%s\nand on (product_area, category) topk(%d, %s > 0)", sumBy("product_area, category", series(recCategories, inWindow(), is("kind", kind))), tableRows, all)
}

// repeatedExceptions lists the categories in which exceptions are granted again and again.
func repeatedExceptions() Panel {
	granted := func(kind string) string {
		return filled(counted("category", recGranted, inWindow(), is("kind", kind)), counted("category", recGranted, inWindow())+" > 0")
	}
	return Panel{
		ID: 43, Answers: answers(PackRepeated, PackInvestment), Title: "Which exceptions are granted again and again?", Look: Bars, W: 12, H: 8, Unit: "none", Steps: plain(),
		Means:  "Exceptions granted in the window by category: the first of its kind, or a renewal (the same service and category within a year).",
		Source: exceptionsGranted + ".", Act: "renewals ask whether the standard is unrealistic, the platform lacks a feature, or ownership is weak.", Empty: noneOrUnread,
		Key: "category", Stacked: true, Horizontal: true, Sort: []Sort{{"renewed", true}, {"first", true}},
		Queries: []Query{{Name: "renewed", Expr: granted("renewal"), Colour: bad}, {Name: "first", Expr: granted("first"), Colour: waived}},
	}
}

func exceptionsOverTime() Panel {
	return Panel{
		ID: 44, Answers: answers(PackExceptions), Title: "Exceptions over time", Look: Lines, W: 12, H: 8, Unit: "none", Steps: plain(),
		Means:  "Exceptions by state at each moment; it fills as Prometheus gathers history.",
		Source: exceptions + " (rule " + recExceptions + ").", Act: "active ones that only grow are policy debt that becomes structural.", Empty: "There is no history yet",
		KeyTexts: []Text{
			{Value: "active", Text: "active", Colour: waived}, {Value: "expired", Text: "expired and open", Colour: bad}, {Value: "requested", Text: "requested", Colour: warning},
		},
		Queries: []Query{{Name: "Exceptions", Expr: counted("state", recExceptions, in("state", "active", "expired", "requested")), Legend: "{{state}}"}},
	}
}
