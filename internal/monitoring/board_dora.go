package monitoring

func doraBoard() Board {
	return Board{
		UID: BoardDORA, File: "dora.json", Title: "DORA with a security lens",
		Question: "Do we deliver fast and safely, or fast instead of safely?",
		Rows: []Row{
			{ID: 100, Question: "Four keys at a glance: how fast, and how safe?", Panels: doraHeadlines()},
			{ID: 200, Question: "Deployment frequency: do faster teams still use approved release controls?", Panels: doraFrequency()},
			{ID: 300, Question: "Lead time: is security early, or the last-minute blocker?", Panels: doraLead()},
			{ID: 400, Question: "Change failures: how many came from avoidable control gaps?", Panels: doraFailures()},
			{ID: 500, Question: "Restoring service: can we recover from security-impacting releases quickly?", Panels: doraRestore()},
			qualityRow(),
		},
	}
}

// notByTier says which choices a panel does not follow.
const notByTier = " Not restricted by team and trust tier."

func doraHeadlines() []Panel {
	return []Panel{
		{
			ID: 1, Answers: answers(DORAFrequency), Title: "Production deployments", Look: Stat, W: 6, H: 4, Unit: "none", Steps: plain(),
			Means:  "Successful deployments to production in the window, and the share of them that was approved. What nobody can say counts against it.",
			Source: deploymentsIn + ".", Act: "the second row names the business units; a bypass is a conversation, a habit of bypassing a missing paved road.", Empty: "not known",
			Queries: []Query{
				{Name: "in $window", Expr: counted("", recDeployments, inWindow(), production())},
				{Name: "approved", Expr: share("", recDeployments, []string{is("approval", "approved")}, inWindow(), production()), Unit: "percentunit", Steps: towards(approvalTarget)},
			},
		},
		{
			ID: 2, Answers: answers(DORALeadTime), Title: "Lead time for changes", Look: Stat, W: 6, H: 4, Unit: "s", Decimals: number(1), Steps: plain(),
			Means:  "Half of the changes that went live in the window took no longer than this from their first commit; and the share whose security review was late." + notByTier,
			Source: leadTimeIn + ".", Act: "late reviews are last-minute blockers: start them with the design.", Empty: "not known",
			Queries: []Query{
				{Name: "median", Expr: quantile(0.5, "", recLead, inWindow())},
				{Name: "reviewed late", Expr: reviewedLate(""), Unit: "percentunit", Steps: []Step{below(good), from(0.1, warning), from(0.25, bad)}},
			},
		},
		{
			ID: 3, Answers: answers(DORAFailures), Title: "Change failure rate", Look: Stat, W: 6, H: 4, Unit: "percentunit", Decimals: number(1), Steps: plain(),
			Means:  "Failed changes among all changes to production in the window, and the part of all changes that failed for an avoidable gap in a control.",
			Source: changeFailuresIn + " and " + changesIn + ".", Act: "the part from control gaps is what security can remove; the fourth row says where.", Empty: "not known",
			Queries: []Query{
				{Name: "failed", Expr: failureRate(""), Steps: []Step{below(good), from(0.15, warning), from(0.3, bad)}},
				{Name: "from a control gap", Expr: failureRate("", is("cause", "control_gap")), Steps: []Step{below(good), from(0.02, warning), from(0.05, bad)}},
			},
		},
		{
			ID: 4, Answers: answers(DORARestore), Title: "Time to restore", Look: Stat, W: 6, H: 4, Unit: "s", Decimals: number(1), Steps: plain(),
			Means:  "Half of the incidents that ended in the window took no longer than this from opening to restored: all of them, and those with an impact on security." + notByTier,
			Source: restoreIn + ".", Act: "if security incidents take longer, exercise rollback and access for them first.", Empty: "not known",
			Queries: []Query{
				{Name: "median", Expr: quantile(0.5, "", recRestore, inWindow())},
				{Name: "security impact", Expr: quantile(0.5, "", recRestore, inWindow(), is("security_impact", affirmative))},
			},
		},
	}
}

// approvalQueries are a query per way of passing release control.
func approvalQueries(by string) []Query {
	var list []Query
	for _, t := range approvalTexts() {
		list = append(list, Query{Name: t.Text, Colour: t.Colour, Expr: countedBy(by, recDeployments, []string{is("approval", t.Value)}, inWindow(), production())})
	}
	return list
}

func doraFrequency() []Panel {
	return []Panel{
		{
			ID: 10, Answers: answers(DORAFrequency), Title: "Deployments by release control", Look: Bars, W: 8, H: 9, Unit: "none", Steps: plain(),
			Means:  "Production deployments of the window by business unit and by how they passed release control.",
			Source: deploymentsIn + ".", Act: "a unit that deploys most and bypasses most has found the control in its way: mend the control.", Empty: "Deployments were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []Sort{{"bypassed", true}, {"none", true}}, Queries: approvalQueries("business_unit"),
		},
		{
			ID: 11, Answers: answers(DORAFrequency), Title: "Do the teams that deploy most keep to the controls?", Look: Table, W: 10, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Teams by production deployments of the window, and the share of these that was approved.",
			Source: deploymentsIn + ".", Act: "start with the first team whose share is red: it ships most past the control.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Deployments", Expr: counted("business_unit, team", recDeployments, inWindow(), production()) + " > 0"},
				{Name: "Approved", Expr: share("business_unit, team", recDeployments, []string{is("approval", "approved")}, inWindow(), production())},
				{Name: "Bypassed", Expr: counted("business_unit, team", recDeployments, inWindow(), production(), is("approval", "bypassed"))},
			},
			Columns: []Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, Column{Field: "Deployments", Title: "Deployments", Zero: "–", Width: 130}.bar(),
				{Field: "Approved", Title: "Approved", Unit: "percentunit", Steps: towards(approvalTarget), Shade: true, Zero: "not known", Width: 95}, countColumn("Bypassed", 1).wide(90),
			},
			Sort: []Sort{{Title: "Deployments", Desc: true}},
		},
		{
			ID: 12, Answers: answers(DORAFrequency), Title: "Deployments per week", Look: Lines, W: 6, H: 9, Unit: "none", Steps: plain(),
			Means:  "Production deployments in the seven days before each moment, by how they passed release control. It fills as Prometheus gathers history.",
			Source: deploymentsTotal + ".", Act: "more deployments with the same number of bypasses is progress; both rising together is not.", Empty: "There is no history yet",
			KeyTexts: approvalTexts(), Queries: []Query{{Name: "Deployments", Expr: deploymentsPerWeek(), Legend: "{{approval}}"}},
		},
	}
}

func doraLead() []Panel {
	var queries []Query
	for _, t := range reviewTexts() {
		queries = append(queries, Query{Name: t.Text, Colour: t.Colour, Expr: filled(observations("business_unit", recLead, inWindow(), is("security_review", t.Value)), observations("business_unit", recLead, inWindow()))})
	}
	return []Panel{
		{
			ID: 20, Answers: answers(DORALeadTime), Title: "When did security look at a change?", Look: Bars, W: 9, H: 9, Unit: "none", Steps: plain(),
			Means: "Changes that went live in the window by business unit and by when security looked at them: early, late (after the approval, or in the last part of the lead time), " +
				"not at all, or nobody can say." + notByTier,
			Source: leadTimeIn + ".", Act: "late: invite security to the design; none: is there a paved road that makes a review unnecessary?", Empty: "Changes were not read yet",
			Key: "business_unit", Share: true, Horizontal: true, Sort: []Sort{{"late", true}, {"no review", true}}, Queries: queries,
		},
		{
			ID: 21, Answers: answers(DORALeadTime), Title: "Does a late review cost time?", Look: Ranking, W: 6, H: 9, Unit: "s", Decimals: number(1), Steps: plain(),
			Means:  "Median lead time of the changes of the window by when security looked at them." + notByTier,
			Source: leadTimeIn + ".", Empty: noneOrUnread, KeyTexts: reviewTexts(),
			Queries: []Query{{Name: "Median", Expr: quantile(0.5, "security_review", recLead, inWindow()), Legend: "{{security_review}}"}},
		},
		{
			ID: 22, Answers: answers(DORALeadTime), Title: "Median lead time by business unit", Look: Ranking, W: 9, H: 9, Unit: "s", Decimals: number(1), Steps: plain(),
			Means:  "Half of the business unit's changes of the window took no longer than this from first commit to production." + notByTier,
			Source: leadTimeIn + ".", Empty: noneOrUnread,
			Queries: []Query{{Name: "Median", Expr: "sort_desc(" + quantile(0.5, "business_unit", recLead, inWindow()) + ")", Legend: "{{business_unit}}"}},
		},
	}
}

func doraFailures() []Panel {
	var queries []Query
	for _, t := range causeTexts() {
		queries = append(queries, Query{Name: t.Text, Colour: t.Colour, Expr: countedBy("business_unit", recFailures, []string{is("cause", t.Value)}, inWindow())})
	}
	return []Panel{
		{
			ID: 30, Answers: answers(DORAFailures), Title: "Why did changes fail?", Look: Bars, W: 9, H: 9, Unit: "none", Steps: plain(),
			Means:  "Failed changes of the window by business unit and cause: an incident behind it says that an avoidable gap in a control caused it, one says that none did, or nobody says.",
			Source: changeFailuresIn + ".", Act: "failures from control gaps have a control to mend; grey ones need a cause in the incident's ticket.", Empty: "Changes were not read yet",
			Key: "business_unit", Stacked: true, Horizontal: true, Sort: []Sort{{"control gap", true}, {"another cause", true}}, Queries: queries,
		},
		{
			ID: 31, Answers: answers(DORAFailures), Title: "Change failure rate by team", Look: Table, W: 9, H: 9, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Teams by the share of their changes to production of the window that failed; teams with at least five changes.",
			Source: changeFailuresIn + " and " + changesIn + ".", Act: "look at what failed before slowing anybody down.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Failed", Expr: "(" + failureRate("business_unit, team") + ")\nand\n" + counted("business_unit, team", recChanges, inWindow()) + " >= 5"},
				{Name: "Changes", Expr: counted("business_unit, team", recChanges, inWindow()) + " >= 5"},
			},
			Columns: []Column{
				{Field: "team", Title: "Team"}, {Field: "business_unit", Title: "Business unit"}, {Field: "Changes", Title: "Changes", Width: 85},
				{Field: "Failed", Title: "Failed", Unit: "percentunit", Steps: []Step{below(good), from(0.15, warning), from(0.3, bad)}, Shade: true, Width: 90, Zero: "none"},
			},
			Sort: []Sort{{Title: "Failed", Desc: true}},
		},
		{
			ID: 32, Answers: answers(DORAFailures), Title: "Change failure rate over time", Look: Lines, W: 6, H: 9, Unit: "percentunit", Steps: plain(),
			Means:  "Failed changes among all changes of the window before each moment, whole programme. It fills as Prometheus gathers history.",
			Source: changeFailuresIn + " and " + changesIn + " (rules " + recFailures + ", " + recChanges + ").", Act: "compare with deployments per week: a rate that rises with the pace is the pace's price.",
			Empty: "There is no history yet", Queries: []Query{{Name: "failed", Expr: failureRate(""), Colour: neutral}, {Name: "control gap", Expr: failureRate("", is("cause", "control_gap")), Colour: bad}},
		},
	}
}

func doraRestore() []Panel {
	ranges := func(q float64) Query {
		return Query{Name: map[float64]string{0.5: "Median", 0.9: "90 %"}[q], Expr: quantile(q, "security_impact", recRestore, inWindow())}
	}
	return []Panel{
		{
			ID: 40, Answers: answers(DORARestore), Title: "How long do incidents last, by impact on security?", Look: Table, W: 9, H: 8, Unit: "none", Decimals: number(1), Steps: plain(),
			Means:  "Half of the incidents that ended in the window lasted no longer than the median, nine in ten no longer than the 90th percentile." + notByTier,
			Source: restoreIn + ".", Act: "security incidents that last longer than others lack practice or access.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Incidents", Expr: observations("security_impact", recRestore, inWindow())}, ranges(0.5), ranges(0.9)},
			Columns: []Column{
				{Field: "security_impact", Title: "Impact on security", Texts: impactTexts()}, {Field: "Incidents", Title: "Incidents", Width: 90},
				{Field: "Median", Title: "Median", Unit: "s", Zero: "–"}, {Field: "90 %", Title: "90 %", Unit: "s", Zero: "–"},
			},
			Sort: []Sort{{Title: "Incidents", Desc: true}},
		},
		{
			ID: 41, Answers: answers(DORARestore), Title: "Median time to restore by business unit", Look: Ranking, W: 8, H: 8, Unit: "s", Decimals: number(1), Steps: []Step{below(good), from(4*3600, warning), from(24*3600, bad)},
			Means:  "Half of the unit's incidents that ended in the window lasted no longer than this." + notByTier,
			Source: restoreIn + ".", Act: "a day and more: can the unit roll back? Delivery trust says who exercised it.", Empty: noneOrUnread,
			Queries: []Query{{Name: "Median", Expr: "sort_desc(" + quantile(0.5, "business_unit", recRestore, inWindow()) + ")", Legend: "{{business_unit}}"}},
		},
		{
			ID: 42, Answers: answers(DORARestore), Title: "Incidents and what they are blamed on", Look: Ranking, W: 7, H: 8, Unit: "none", Steps: plain(),
			Means:  "Incidents opened in the window: blamed on a deployment, or on none that could have caused them.",
			Source: incidentsIn + ".", Empty: noneOrUnread,
			KeyTexts: []Text{{Value: "deployment", Text: "a deployment", Colour: warning}, {Value: "unattributed", Text: "no deployment", Colour: neutral}},
			Queries:  []Query{{Name: "Incidents", Expr: counted("attribution", recIncidents, inWindow()), Legend: "{{attribution}}"}},
		},
	}
}
