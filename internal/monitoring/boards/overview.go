package boards

import (
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// overviewBoard is the director's: each of the four questions is a row with its headline numbers, a trend, and what changed, why, and what has to be decided.
func overviewBoard() panel.Board {
	return panel.Board{
		UID: names.BoardOverview, File: "overview.json", Title: "Overview",
		Question: "How is the product-security programme doing, and what has to be decided?",
		Rows: []panel.Row{
			{ID: 100, Question: "Coverage: where do we have controls, and where are we still blind?", Panels: overviewCoverage()},
			{ID: 200, Question: "Exposure: which risks grow faster than we reduce them?", Panels: overviewExposure()},
			{ID: 300, Question: "Responsiveness: are the right teams fixing things in time?", Panels: overviewResponsiveness()},
			{ID: 400, Question: "Delivery trust: can we trust how software is built and released?", Panels: overviewDelivery()},
			{ID: 500, Question: "Links to every row of the leadership pack", Panels: packLinks()},
			qualityRow(),
		},
	}
}

// changed is how much a recorded number moved within the window. Without that much history in Prometheus it is not a number, which columns put in words.
func changed(expr func(offset string) string) string {
	return "(" + expr("") + ")\n- (" + expr(" offset $window") + ")\nor\nNaN * (" + expr("") + ")"
}

// noHistory is said by what compares with the past.
const noHistory = "no history"

// narrative gives a panel its place in a triple: what changed, why, and what has to be decided.
func narrative(id uint32, w uint32, title string, p panel.Panel) panel.Panel {
	p.ID, p.W, p.H, p.Title = id, w, 8, title
	return p
}

// slimWidths are the widths of numbers in tables that stand in a third of a line.
var slimWidths = map[string]int{"Critical": 68, "High": 55, "Past deadline": 112, "Unprotected": 105, "Unknown": 88, "Tier": 60}

// slim writes numbers that were bars as numbers.
func slim(p panel.Panel) panel.Panel {
	p.Columns = slices.Clone(p.Columns)
	for i := range p.Columns {
		p.Columns[i].Bar = false
		if width, ok := slimWidths[p.Columns[i].Title]; ok {
			p.Columns[i].Width = width
		}
	}
	return p
}

// headline is a large number of the overview, with what belongs to it.
func headline(id uint32, rows []packrow.Row, title string, means, source, act string, queries ...[]panel.Query) panel.Panel {
	return panel.Panel{
		ID: id, Answers: rows, Title: title, Look: panel.Stat, W: 6, H: 5, Unit: "none", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(), Means: means, Source: source, Act: act,
		Empty: "not known", Queries: slices.Concat(queries...),
	}
}

// trendLine is a line over time beside the headlines.
func trendLine(id uint32, rows []packrow.Row, title, unit string, maximum *float64, source string, queries ...panel.Query) panel.Panel {
	return panel.Panel{
		ID: id, Answers: rows, Title: title, Look: panel.Lines, W: 12, H: 5, Unit: unit, Steps: panel.Plain(), Max: maximum, Aside: true, Means: "The headlines over time, as far back as Prometheus has history.",
		Source: source, Act: "a step is usually a change of scope or counting: see Trend quality.", Empty: "There is no history yet", Queries: queries,
	}
}

func overviewCoverage() []panel.Panel {
	passing := func(offset string) string {
		return "sum by (control) (" + promql.Series(names.RecControls, promql.Is("status", "pass")) + offset + ") / sum by (control) (" + promql.Series(names.RecControls) + offset + ")"
	}
	adoption := query.Ratio{Part: promql.SumBy("control", promql.Series(names.RecControls, promql.Is("status", "pass"))), Whole: promql.SumBy("control", promql.Series(names.RecControls))}
	baseline := query.Ratio{Part: promql.SumBy("", promql.Series(names.RecBaselines, promql.Is("status", "pass"))), Whole: promql.SumBy("", promql.Series(names.RecBaselines))}
	missing := query.Counted("control", names.RecControls, promql.In("status", "fail", "unknown"))
	exposed := func(status string) string {
		return "(" + query.ExposedServices("", names.RecBaselines, promql.Is("status", status)) + ")"
	}
	return []panel.Panel{
		headline(1, packrow.List(packrow.PackBaselines), "Exposed services with every required control",
			"Crown-jewel and internet-facing services that pass every control their tier requires. The denominator is all of them; exempt and unknown count against the share.", names.BaselineServices+".",
			"Coverage lists the gaps; start with crown jewels.", ratioQueries("pass", query.ExposedRatio(names.RecBaselines), policy.ObjectiveControls),
			[]panel.Query{exemptQuery(exposed("exempt")), unknownQuery(exposed("unknown"))}),
		headline(2, packrow.List(packrow.TrackProtection), "Privileged repositories protected",
			"Privileged repositories whose branches pass every required check. The denominator is all of them; exempt and unknown count against the share.", names.ProtectedRepositories+".",
			"Coverage and Delivery trust list the gaps.", ratioQueries("pass", query.ProtectedRatio(names.Affirmative, policy.CheckRequired), policy.ObjectiveProtection),
			[]panel.Query{
				{Name: "fail", Expr: query.ProtectedCount(names.Affirmative, policy.CheckRequired, "fail"), Steps: panel.NoneBut(1)},
				exemptQuery(query.ProtectedCount(names.Affirmative, policy.CheckRequired, "exempt")), unknownQuery(query.ProtectedCount(names.Affirmative, policy.CheckRequired, "unknown")),
			}),
		trendLine(3, packrow.List(packrow.PackBaselines), "Baseline and protection over time", "percentunit", panel.Number(1), names.BaselineServices+" and "+names.ProtectedRepositories+".",
			panel.Query{Name: "services with every control", Expr: baseline.Expr(), Colour: panel.Neutral},
			panel.Query{Name: "repositories protected", Expr: query.ProtectedOverTime(string(policy.CheckRequired)), Colour: panel.Orange}, targetQuery(policy.ObjectiveControls)),
		narrative(4, 8, "What changed: adoption of controls", panel.Panel{
			Answers: packrow.List(packrow.PackAdoption), Look: panel.Table, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Share of services that pass each control, among all to which it applies; against the policy's target, in percentage points; and its change within the window, which needs that much history in Prometheus. Whole programme.",
			Source: names.ControlServices + ".", Act: "for a negative change, find out what was switched off.", Empty: "Controls were not read yet",
			Queries: []panel.Query{{Name: "Now", Expr: passing("")}, {Name: "Against target", Expr: adoption.Against(policy.ObjectiveControls)}, {Name: "Change", Expr: changed(passing)}},
			Columns: []panel.Column{
				{Field: "control", Title: "Control", Texts: controlTexts()}, {Field: "Now", Title: "Now", Unit: "percentunit", Width: 60, Zero: "–"}, againstColumn("Against target").Wide(105),
				{Field: "Change", Title: "Change", Unit: "percentunit", Width: 80, Steps: []panel.Step{panel.Below(panel.Bad), panel.From(-0.005, panel.Neutral), panel.From(0.005, panel.Good)}, Undefined: noHistory},
			},
			Sort: []panel.Sort{panel.Ascending("Now")},
		}),
		narrative(5, 8, "Why: which controls are missing most?", panel.Panel{
			Answers: packrow.List(packrow.PackAdoption, packrow.PackUnprotected), Look: panel.Ranking, Unit: "none", Steps: panel.NoneBut(40),
			Means:  "Services for which the control fails or is unknown.",
			Source: names.ControlServices + ".", Act: "a control that most services lack is usually a missing platform feature.", Empty: panel.NoneOrUnread,
			KeyTexts: controlTexts(), Queries: []panel.Query{{Name: "Services", Expr: promql.Top(8, missing+" > 0"), Legend: "{{control}}"}},
		}),
		narrative(6, 8, "Decision: who gets the next investment?", panel.Panel{
			Answers: packrow.List(packrow.PackUnprotected), Look: panel.Ranking, Unit: "short", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means:  "Risk score times the share of controls that fail or are unknown, by business unit.",
			Source: names.RiskScore + " and " + names.ControlServices + " (rule " + names.RecUnderProtected + ").", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{{Name: "Under-protected", Expr: promql.Top(8, promql.SumBy("business_unit", promql.SeriesChosen(names.RecUnderProtected))), Legend: "{{business_unit}}"}},
		}),
	}
}

func overviewExposure() []panel.Panel {
	flows := exposureFlows()
	worst := exposureAges()[1]
	flows[0].Horizontal = true
	units := flows[1].Without("Critical", "High")
	worst = slim(worst.Without("Business unit", "Tier"))
	return []panel.Panel{
		headline(10, packrow.List(packrow.PackFlow, packrow.TrackOpen), "Open criticals and highs",
			"Open weaknesses, deduplicated across tools, and the change since the start of the window, exact from the first day. While scopes are not read the number is a lower bound: withheld is what dropped scopes held when "+
				"they were last read; what scopes hold that were never read is not known.", names.FindingsOpen+", "+names.FindingFlow+" and "+names.Withheld(names.FindingsOpen)+".",
			"the panels below show what changed it.", atLeast(record.KindFinding, panel.Query{Name: "open", Expr: query.OpenNow("", critical, high)}),
			atLeast(record.KindFinding, panel.Query{Name: "$window change", Expr: query.ChangeInWindow("", critical, high), Steps: panel.Falling()}),
			missingQueries(record.KindFinding, names.FindingsOpen, "none", promql.Severe())),
		headline(11, packrow.List(packrow.PackUnprotected, packrow.TrackOpen), "Known exploited, open",
			"Open weaknesses that are known exploited or are active leaked secrets, and those on services that are internet-facing or for which that is unknown. Withheld is what dropped scopes held when they were last read.",
			names.FindingsExploited+" and "+names.Withheld(names.FindingsExploited)+".",
			"each has an alert; Exposure lists them.", atLeast(record.KindFinding, panel.Query{Name: "open", Expr: query.Counted("", names.RecExploited, promql.In("evidence", "kev", "active_secret")), Steps: panel.NoneBut(1)}),
			atLeast(record.KindFinding, panel.Query{
				Name:  "internet-facing",
				Expr:  promql.Filled(query.Counted("", names.RecExploited, promql.In("evidence", "kev", "active_secret"), promql.IsNot("internet_facing", names.Negative)), query.Counted("", names.RecExploited)),
				Steps: panel.NoneBut(1),
			}),
			missingQueries(record.KindFinding, names.FindingsExploited, "none", promql.In("evidence", "kev", "active_secret"))),
		trendLine(12, packrow.List(packrow.PackFlow, packrow.TrackOpen), "Open over time", "none", nil, names.FindingsOpen+".",
			panel.Query{Name: "critical", Expr: query.OpenNow("", critical), Colour: panel.SeverityColours[critical]}, panel.Query{Name: "high", Expr: query.OpenNow("", high), Colour: panel.SeverityColours[high]},
			panel.Query{Name: "withheld", Expr: query.WithheldOf("", names.FindingsOpen, promql.Severe()), Colour: panel.Unknown}),
		narrative(13, 8, "What changed: criticals and highs by event", flows[0]),
		narrative(14, 8, "Why: which business unit accumulates?", units),
		narrative(15, 8, "Decision: which services need a plan first?", worst),
	}
}

func overviewResponsiveness() []panel.Panel {
	teams, window := responseByOwner()[1], query.Attainment("business_unit", promql.Severe())
	return []panel.Panel{
		headline(20, packrow.List(packrow.PackAttainment, packrow.TrackAttainment), "SLA attainment",
			attainmentMeans+" Criticals and highs together, for the window and for 90 days; grey while there are too few outcomes to compare with the target.", names.SLAOutcomesWindow+" and "+names.TargetRatio+".",
			"Responsiveness names business units and teams.", ratioQueries("last $window", query.Attainment("", promql.Severe()), policy.ObjectiveSLAAttainment),
			ratioQueries("last 90d", query.AttainmentOver("", "90d", promql.Severe()), policy.ObjectiveSLAAttainment)),
		headline(21, packrow.List(packrow.PackReviews, packrow.TrackDecision, packrow.PackFollowups, packrow.PackBlocks), "Pending security decisions",
			"Reviews without a first response, and exception requests without a decision.", names.ReviewsOpen+" and "+names.Exceptions+".",
			"Responsiveness shows how long they have waited.", atLeast(record.KindReview, panel.Query{Name: "reviews", Expr: query.ReviewsWaiting(), Steps: panel.NoneBut(10)}),
			atLeast(record.KindException, panel.Query{Name: "exceptions", Expr: query.ExceptionsNow("requested"), Steps: panel.NoneBut(10)})),
		trendLine(22, packrow.List(packrow.PackAttainment), "Attainment over time", "percentunit", panel.Number(1), names.SLAOutcomesWindow+" (rule "+names.RecProgrammeAttained+").",
			panel.Query{Name: "critical", Expr: promql.Series(names.RecProgrammeAttained, promql.InWindow(), promql.Is("severity", critical)), Colour: panel.SeverityColours[critical]},
			panel.Query{Name: "high", Expr: promql.Series(names.RecProgrammeAttained, promql.InWindow(), promql.Is("severity", high)), Colour: panel.SeverityColours[high]},
			targetQuery(policy.ObjectiveSLAAttainment)),
		narrative(23, 8, "What changed: attainment by business unit", panel.Panel{
			Answers: packrow.List(packrow.PackAttainment), Look: panel.Table, Unit: "none", Decimals: panel.Number(0), Steps: panel.Plain(),
			Means: attainmentMeans + " Criticals and highs, the window against the last 90 days.", Source: names.SLAOutcomesWindow + ".",
			Act: "a unit below its own 90-day value is getting worse: act before it falls below the target.", Empty: panel.NoneOrUnread,
			Queries: []panel.Query{
				{Name: "Window", Expr: window.Expr()}, {Name: "Against target", Expr: window.Against(policy.ObjectiveSLAAttainment)},
				{Name: "90 days", Expr: query.AttainmentOver("business_unit", "90d", promql.Severe()).Expr()}, {Name: "Missed", Expr: query.Outcomes("business_unit", "missed", promql.Severe())},
			},
			Columns: []panel.Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Window", Title: "Window", Unit: "percentunit", Zero: "nothing due", Width: 75}, againstColumn("Against target").Wide(105),
				{Field: "90 days", Title: "90 days", Unit: "percentunit", Zero: "nothing due", Width: 75}, countColumn("Missed", 20).Wide(65),
			},
			Sort: []panel.Sort{panel.Ascending("Window")},
		}),
		narrative(24, 8, "Why: which teams miss most?", teams),
		narrative(25, 8, "Decision: what is pending?", panel.Panel{
			Answers: packrow.List(packrow.PackReviews, packrow.PackBlocks, packrow.PackFollowups, packrow.PackExceptions, packrow.PackFriction), Look: panel.Ranking, Unit: "none", Decimals: panel.Number(0), Steps: panel.NoneBut(10),
			Means:  "Open decisions and answers: expired but open exceptions, exception requests, reviews without a first response, blocked releases, urgent escalations, overdue follow-up actions.",
			Source: names.Exceptions + ", " + names.ReviewsOpen + ", " + names.EscalationsOpen + ", " + names.FollowupsOpen + ".", Act: "Responsiveness and Exposure name the owners; start with expired exceptions.",
			Empty: panel.NoneOrUnread, Queries: []panel.Query{{Name: "Open", Expr: openDecisions(), Legend: "{{decision}}"}},
		}),
	}
}

// openDecisions counts what waits for somebody, by what it is.
func openDecisions() string {
	var parts []string
	for _, d := range []struct{ name, expr string }{
		{"exceptions expired and open", query.ExceptionsNow("expired")},
		{"exception requests", query.ExceptionsNow("requested")},
		{"reviews without first response", query.ReviewsWaiting()},
		{"releases blocked", query.Escalations("release_block")},
		{"urgent escalations", query.Escalations("urgent")},
		{"follow-up actions overdue", query.Followups(promql.Is("overdue", names.Affirmative))},
	} {
		parts = append(parts, fmt.Sprintf(`label_replace(%s, "decision", %q, "", "")`, d.expr, d.name))
	}
	return "sort_desc(\n" + strings.Join(parts, "\nor ") + "\n)"
}

func overviewDelivery() []panel.Panel {
	paths := trustPaths()
	protectedPaths := query.RatioOf("", names.RecPaths, []string{promql.Is("status", "protected")})
	approvedDeployments := query.RatioOf("", names.RecDeployments, []string{promql.Is("approval", "approved")}, promql.InWindow(), query.Production())
	paths[1] = slim(paths[1].Without("Business unit", "Environment"))
	return []panel.Panel{
		headline(30, packrow.List(packrow.TrackPaths), "Protected deployment paths",
			"Services whose deployment path is protected from branch to environment. What could not be read counts against it.", names.DeploymentPaths+".",
			"Delivery trust names the teams.", ratioQueries("protected", protectedPaths, policy.ObjectiveProtection),
			[]panel.Query{
				{Name: "unprotected", Expr: query.Counted("", names.RecPaths, promql.Is("status", "unprotected")), Steps: panel.NoneBut(1)},
				unknownQuery(query.Counted("", names.RecPaths, promql.Is("status", "unknown"))),
			}),
		headline(31, packrow.List(packrow.PackEvidence, packrow.TrackEvidence), "Release evidence and approval",
			"Privileged pipelines with all the evidence that policy requires, and approved production deployments of the window.", names.PrivilegedPipelines+" and "+names.DeploymentsIn+".",
			"Delivery trust shows which evidence is missing.", ratioQueries("pipelines", query.RatioOf("", names.RecPipelines, []string{promql.Is("status", "present")}, promql.Is("evidence", "required")), policy.ObjectiveEvidence),
			ratioQueries("deployments", approvedDeployments, policy.ObjectiveApproval)),
		trendLine(32, packrow.List(packrow.TrackPaths, packrow.DORAFrequency), "Protected deployment paths and approved deployments over time", "percentunit", panel.Number(1), names.DeploymentPaths+" and "+names.DeploymentsIn+".",
			panel.Query{Name: "paths protected", Expr: protectedPaths.Expr(), Colour: panel.Neutral},
			panel.Query{Name: "deployments approved", Expr: approvedDeployments.Expr(), Colour: panel.Orange}, targetQuery(policy.ObjectiveApproval)),
		narrative(33, 8, "What changed: release approval of deployments", paths[2]),
		narrative(34, 8, "Why: which branch protections are missing?", trustGuarantees()[0]),
		narrative(35, 8, "Decision: which deployment path is protected first?", paths[1]),
	}
}

// packLinks are links to the panels that answer each row of the pack.
func packLinks() []panel.Panel {
	section := func(id uint32, title string, rows ...packrow.Row) panel.Panel {
		return panel.Panel{
			ID: id, Title: title, Look: panel.Words, W: 8, H: 11, Unit: "none", Steps: panel.Plain(), Means: "Links to the panels that answer the rows of the leadership pack.",
			Source: "docs/traceability.md.", Empty: "not known", Words: linksTo(rows),
		}
	}
	return []panel.Panel{
		section(40, "Weekly", packrow.PackFlow, packrow.PackExceptions, packrow.PackReviews, packrow.PackBlocks, packrow.PackFollowups),
		section(41, "Monthly", packrow.PackBaselines, packrow.PackAdoption, packrow.PackAttainment, packrow.PackRepeated, packrow.PackEvidence, packrow.PackRecurring),
		section(42, "Quarterly", packrow.PackUnprotected, packrow.PackConcentrated, packrow.PackFriction, packrow.PackInvestment, packrow.PackTrend),
	}
}

// linksTo lists a link for each row, to the first panel on the other boards that answers it.
func linksTo(rows []packrow.Row) string {
	var out strings.Builder
	for _, row := range rows {
		for _, b := range detailBoards() {
			if p, ok := firstPanel(b, row); ok {
				fmt.Fprintf(&out, "- [%s](d/%s?viewPanel=%d&${__url_time_range}&${__all_variables})  \n  %s: %s\n", asked(row), b.UID, p.ID, b.Title, p.Title)
				break
			}
		}
	}
	return out.String()
}

func firstPanel(b panel.Board, row packrow.Row) (panel.Panel, bool) {
	for _, r := range b.Rows {
		for _, p := range r.Panels {
			for _, answered := range p.Answers {
				if answered == row && p.ID < 900 {
					return p, true
				}
			}
		}
	}
	return panel.Panel{}, false
}

// asked is the row in the pack's words.
func asked(row packrow.Row) string {
	for _, s := range packrow.Sections {
		for _, t := range s.Traces {
			if t.Row == row {
				return t.Asks
			}
		}
	}
	panic("monitoring: the trace does not know the row " + string(row))
}
