package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/policy"
)

// overviewBoard is the director's: each of the four questions is a row with its headline numbers, a trend, and what changed, why, and what has to be decided.
func overviewBoard() Board {
	return Board{
		UID: BoardOverview, File: "overview.json", Title: "Overview",
		Question: "How is the product-security programme doing, and what has to be decided?",
		Rows: []Row{
			{ID: 100, Question: "Coverage: where do we have controls, and where are we still blind?", Panels: overviewCoverage()},
			{ID: 200, Question: "Exposure: which risks grow faster than we reduce them?", Panels: overviewExposure()},
			{ID: 300, Question: "Responsiveness: are the right teams fixing things in time?", Panels: overviewResponsiveness()},
			{ID: 400, Question: "Delivery trust: can we trust how software is built and released?", Panels: overviewDelivery()},
			{ID: 500, Question: "The pack: every row, one click away", Panels: packLinks()},
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
func narrative(id uint32, w uint32, title string, p Panel) Panel {
	p.ID, p.W, p.H, p.Title = id, w, 8, title
	return p
}

// without leaves out columns, and the order that they gave, for a panel that stands in less room.
func (p Panel) without(titles ...string) Panel {
	p.Columns = slices.DeleteFunc(slices.Clone(p.Columns), func(c Column) bool { return slices.Contains(titles, c.Title) })
	p.Sort = slices.DeleteFunc(slices.Clone(p.Sort), func(s Sort) bool { return slices.Contains(titles, s.Title) })
	return p
}

// slimWidths are the widths of numbers in tables that stand in a third of a line.
var slimWidths = map[string]int{"Critical": 68, "High": 55, "Past deadline": 112, "Unprotected": 105, "Unknown": 88, "Tier": 60}

// slim writes numbers that were bars as numbers.
func (p Panel) slim() Panel {
	p.Columns = slices.Clone(p.Columns)
	for i := range p.Columns {
		p.Columns[i].Bar = false
		if width, ok := slimWidths[p.Columns[i].Title]; ok {
			p.Columns[i].Width = width
		}
	}
	return p
}

// headline is a large number of the overview.
func headline(id uint32, rows []PackRow, title, unit string, steps []Step, means, source, act string, queries ...Query) Panel {
	return Panel{
		ID: id, Answers: rows, Title: title, Look: Stat, W: 6, H: 4, Unit: unit, Decimals: number(0), Steps: steps, Means: means, Source: source, Act: act,
		Empty: "not known", Queries: queries,
	}
}

// trendLine is a line over time beside the headlines.
func trendLine(id uint32, rows []PackRow, title, unit string, steps []Step, maximum *float64, source string, queries ...Query) Panel {
	return Panel{
		ID: id, Answers: rows, Title: title, Look: Lines, W: 12, H: 4, Unit: unit, Steps: steps, Max: maximum, Aside: true, Means: "The headlines over time; they fill as Prometheus gathers history.",
		Source: source, Act: "a step on one day is usually a change of scope or counting: see Trend quality.", Empty: "There is no history yet", Queries: queries,
	}
}

func toTarget(target float64) []Step { return []Step{below("transparent"), from(target, good)} }

func overviewCoverage() []Panel {
	baseline := func(offset string) string {
		return "sum(" + series(recBaselines, is("status", "pass")) + offset + ") / sum(" + series(recBaselines, isNot("status", "exempt")) + offset + ")"
	}
	passing := func(offset string) string {
		return "sum by (control) (" + series(recControls, is("status", "pass")) + offset + ") / sum by (control) (" + series(recControls, isNot("status", "exempt")) + offset + ")"
	}
	missing := counted("control", recControls, in("status", "fail", "unknown"))
	return []Panel{
		headline(1, answers(PackBaselines), "Exposed services with every required control", "percentunit", towards(controlTarget),
			"Crown jewels and internet-facing services that pass every control their tier requires. What nobody knows counts against it.", baselineServices+".",
			"Coverage lists the gaps; start with crown jewels.", Query{Name: "pass", Expr: exposedShare("", recBaselines)},
			Query{Name: "not known", Expr: exposedServices("", recBaselines, is("status", "unknown")), Unit: "none", Steps: []Step{below(unknown)}}),
		headline(2, answers(TrackProtection), "Privileged repositories protected", "percentunit", towards(protectionTarget),
			"Privileged repositories whose branches pass every required check. What could not be read counts against it.", protectedRepositories+".",
			"Coverage and Delivery trust list the gaps.", Query{Name: "pass", Expr: protectedShare(affirmative, policy.CheckRequired)},
			Query{Name: "fail", Expr: protectedCount(affirmative, policy.CheckRequired, "fail"), Unit: "none", Steps: noneBut(1)}),
		trendLine(3, answers(PackBaselines), "Baseline and protection over time", "percentunit", toTarget(controlTarget), number(1), baselineServices+" and "+protectedRepositories+".",
			Query{Name: "services with every control", Expr: baseline(""), Colour: neutral},
			Query{Name: "repositories protected", Expr: protectedRatio(string(policy.CheckRequired)), Colour: orange}),
		narrative(4, 8, "What changed: adoption of controls", Panel{
			Answers: answers(PackAdoption), Look: Table, Unit: "none", Decimals: number(0), Steps: plain(),
			Means:  "Share of services that pass each control now, and how that moved within the window. The change needs as much history in Prometheus. Whole programme.",
			Source: controlServices + ".", Act: "ask what was switched off where the change is negative.", Empty: "Controls were not read yet",
			Queries: []Query{{Name: "Now", Expr: passing("")}, {Name: "Change", Expr: changed(passing)}},
			Columns: []Column{
				{Field: "control", Title: "Control", Texts: controlTexts()}, {Field: "Now", Title: "Now", Unit: "percentunit", Width: 80, Steps: towards(controlTarget)},
				{Field: "Change", Title: "Change", Unit: "percentunit", Width: 105, Steps: []Step{below(bad), from(-0.005, neutral), from(0.005, good)}, Undefined: noHistory},
			},
			Sort: []Sort{{Title: "Now"}},
		}),
		narrative(5, 8, "Why: which controls are missing most?", Panel{
			Answers: answers(PackAdoption, PackUnprotected), Look: Ranking, Unit: "none", Steps: noneBut(40),
			Means:  "Services that fail a control or about which nobody knows.",
			Source: controlServices + ".", Act: "a control that most services lack is a missing platform feature, not many careless teams.", Empty: noneOrUnread,
			KeyTexts: controlTexts(), Queries: []Query{{Name: "Services", Expr: top(8, missing+" > 0"), Legend: "{{control}}"}},
		}),
		narrative(6, 8, "Decision: who gets the next investment?", Panel{
			Answers: answers(PackUnprotected), Look: Ranking, Unit: "short", Decimals: number(0), Steps: plain(),
			Means:  "Risk score times the share of missing controls, by business unit: most exposure behind least protection first.",
			Source: riskScore + " and " + controlServices + " (rule " + recUnderProtected + ").", Empty: noneOrUnread,
			Queries: []Query{{Name: "Under-protected", Expr: top(8, sumBy("business_unit", board(recUnderProtected))), Legend: "{{business_unit}}"}},
		}),
	}
}

func overviewExposure() []Panel {
	flows := exposureFlows()
	worst := exposureAges()[1]
	flows[0].Horizontal = true
	units := flows[1].without("Critical", "High")
	worst = worst.without("Business unit", "Tier").slim()
	return []Panel{
		headline(10, answers(PackFlow, TrackOpen), "Open criticals and highs", "none", plain(),
			"Open now, each weakness once, and how many more or fewer than at the start of the window: exact from the first day.", findingsOpen+" and "+findingFlow+".",
			"the next row of panels says what moved it.", Query{Name: "open", Expr: openNow("", critical, high)},
			Query{Name: "$window change", Expr: changeInWindow("", critical, high), Steps: falling()}),
		headline(11, answers(PackUnprotected, TrackOpen), "Exploited elsewhere, open here", "none", plain(),
			"Open weaknesses that are known to be exploited or leaked secrets that still work; and those of them on services that the internet reaches, or may.", findingsExploited+".",
			"these have pages of their own; Exposure lists them.", Query{Name: "open", Expr: counted("", recExploited, in("evidence", "kev", "active_secret")), Steps: noneBut(1)},
			Query{Name: "internet-facing", Expr: filled(counted("", recExploited, in("evidence", "kev", "active_secret"), isNot("internet_facing", negative)), counted("", recExploited)), Steps: noneBut(1)}),
		trendLine(12, answers(PackFlow, TrackOpen), "Open over time", "none", plain(), nil, findingsOpen+".",
			Query{Name: "critical", Expr: openNow("", critical), Colour: severityColours[critical]}, Query{Name: "high", Expr: openNow("", high), Colour: severityColours[high]}),
		narrative(13, 8, "What changed: criticals and highs by event", flows[0]),
		narrative(14, 8, "Why: which business unit accumulates?", units),
		narrative(15, 8, "Decision: whose plan is needed first?", worst),
	}
}

func overviewResponsiveness() []Panel {
	teams := responseByOwner()[1]
	return []Panel{
		headline(20, answers(PackAttainment, TrackAttainment), "Deadlines kept", "percentunit", towards(attainmentTarget),
			attainmentMeans+" Criticals and highs together, for the window and for 90 days.", slaOutcomesWindow+".",
			"Responsiveness names business units and teams.", Query{Name: "last $window", Expr: attainment("", severe())},
			Query{Name: "last 90d", Expr: attainmentBy("", "90d")}),
		headline(21, answers(PackReviews, TrackDecision, PackFollowups, PackBlocks), "Waiting for somebody", "none", plain(),
			"Reviews without an answer, and exceptions without a decision.", reviewsOpen+" and "+exceptions+".",
			"Responsiveness says for how long.", Query{Name: "reviews", Expr: reviewsWaiting(), Steps: noneBut(10)}, Query{Name: "exceptions", Expr: exceptionsNow("requested"), Steps: noneBut(10)}),
		trendLine(22, answers(PackAttainment), "Attainment over time", "percentunit", toTarget(attainmentTarget), number(1), slaOutcomesWindow+" (rule "+recProgrammeAttained+").",
			Query{Name: "critical", Expr: series(recProgrammeAttained, inWindow(), is("severity", critical)), Colour: severityColours[critical]},
			Query{Name: "high", Expr: series(recProgrammeAttained, inWindow(), is("severity", high)), Colour: severityColours[high]}),
		narrative(23, 8, "What changed: attainment by business unit", Panel{
			Answers: answers(PackAttainment), Look: Table, Unit: "none", Decimals: number(0), Steps: plain(),
			Means: attainmentMeans + " Criticals and highs, the window against the last 90 days.", Source: slaOutcomesWindow + ".",
			Act: "a unit that is below its own 90 days is getting worse: ask before it is below the target.", Empty: noneOrUnread,
			Queries: []Query{
				{Name: "Window", Expr: attainment("business_unit", severe())},
				{Name: "90 days", Expr: attainmentBy("business_unit", "90d")}, {Name: "Missed", Expr: outcomes("business_unit", "missed", severe())},
			},
			Columns: []Column{
				{Field: "business_unit", Title: "Business unit"}, {Field: "Window", Title: "Window", Unit: "percentunit", Steps: towards(attainmentTarget), Shade: true, Zero: "nothing due", Width: 95},
				{Field: "90 days", Title: "90 days", Unit: "percentunit", Steps: towards(attainmentTarget), Shade: true, Zero: "nothing due", Width: 95}, countColumn("Missed", 20).wide(75),
			},
			Sort: []Sort{{Title: "Window"}},
		}),
		narrative(24, 8, "Why: which teams miss most?", teams),
		narrative(25, 8, "Decision: what waits for a decision?", Panel{
			Answers: answers(PackReviews, PackBlocks, PackFollowups, PackExceptions, PackFriction), Look: Ranking, Unit: "none", Decimals: number(0), Steps: noneBut(10),
			Means:  "What somebody has to decide or answer now: exceptions that expired and are open, requests for one, reviews without an answer, blocked releases, urgent escalations, overdue follow-up actions.",
			Source: exceptions + ", " + reviewsOpen + ", " + escalationsOpen + ", " + followupsOpen + ".", Act: "each has an owner on Responsiveness or Exposure; an expired exception is the oldest debt.",
			Empty: noneOrUnread, Queries: []Query{{Name: "Open", Expr: openDecisions(), Legend: "{{decision}}"}},
		}),
	}
}

// openDecisions counts what waits for somebody, by what it is.
func openDecisions() string {
	var parts []string
	for _, d := range []struct{ name, expr string }{
		{"exceptions expired and open", exceptionsNow("expired")},
		{"exceptions asked for", exceptionsNow("requested")},
		{"reviews without an answer", reviewsWaiting()},
		{"releases blocked", escalations("release_block")},
		{"urgent escalations", escalations("urgent")},
		{"follow-up actions overdue", followups(is("overdue", affirmative))},
	} {
		parts = append(parts, fmt.Sprintf(`label_replace(%s, "decision", %q, "", "")`, d.expr, d.name))
	}
	return "sort_desc(\n" + strings.Join(parts, "\nor ") + "\n)"
}

// attainmentBy is attainment of criticals and highs by a label over a window other than the one chosen.
func attainmentBy(by, window string) string {
	part := func(outcomes ...string) string {
		return sumBy(by, board(recOutcomes, is("window", window), severe(), in("outcome", outcomes...)))
	}
	return part("met") + "\n/\n(" + part("met", "missed") + " > 0)"
}

func overviewDelivery() []Panel {
	paths := trustPaths()
	paths[1] = paths[1].without("Business unit", "Environment").slim()
	return []Panel{
		headline(30, answers(TrackPaths), "Paths to production protected", "percentunit", towards(protectionTarget),
			"Services whose way to production is protected from the branch to the environment. What could not be read counts against it.", deploymentPaths+".",
			"Delivery trust names the teams.", Query{Name: "protected", Expr: share("", recPaths, []string{is("status", "protected")})},
			Query{Name: "unprotected", Expr: counted("", recPaths, is("status", "unprotected")), Unit: "none", Steps: noneBut(1)}),
		headline(31, answers(PackEvidence, TrackEvidence), "Trust based on evidence", "percentunit", towards(evidenceTarget),
			"Privileged pipelines with all the evidence that policy asks for, and production deployments of the window that were approved.", privilegedPipelines+" and "+deploymentsIn+".",
			"Delivery trust says which evidence is missing.", Query{Name: "pipelines", Expr: share("", recPipelines, []string{is("status", "present")}, is("evidence", "required"))},
			Query{Name: "deployments", Expr: share("", recDeployments, []string{is("approval", "approved")}, inWindow(), production()), Steps: towards(approvalTarget)}),
		trendLine(32, answers(TrackPaths, DORAFrequency), "Protected paths and approved deployments over time", "percentunit", toTarget(approvalTarget), number(1), deploymentPaths+" and "+deploymentsIn+".",
			Query{Name: "paths protected", Expr: share("", recPaths, []string{is("status", "protected")}), Colour: neutral},
			Query{Name: "deployments approved", Expr: share("", recDeployments, []string{is("approval", "approved")}, inWindow(), production()), Colour: orange}),
		narrative(33, 8, "What changed: how deployments passed control", paths[2]),
		narrative(34, 8, "Why: which guarantees are missing?", trustGuarantees()[0]),
		narrative(35, 8, "Decision: whose path is closed first?", paths[1]),
	}
}

// packLinks are links to the panels that answer each row of the pack.
func packLinks() []Panel {
	section := func(id uint32, title string, rows ...PackRow) Panel {
		return Panel{
			ID: id, Title: title, Look: Words, W: 8, H: 11, Unit: "none", Steps: plain(), Means: "Links to the panels that answer the rows of the leadership pack.",
			Source: "docs/traceability.md.", Empty: "not known", Words: linksTo(rows),
		}
	}
	return []Panel{
		section(40, "Weekly", PackFlow, PackExceptions, PackReviews, PackBlocks, PackFollowups),
		section(41, "Monthly", PackBaselines, PackAdoption, PackAttainment, PackRepeated, PackEvidence, PackRecurring),
		section(42, "Quarterly", PackUnprotected, PackConcentrated, PackFriction, PackInvestment, PackTrend),
	}
}

// linksTo lists a link for each row, to the first panel on the other boards that answers it.
func linksTo(rows []PackRow) string {
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

func firstPanel(b Board, row PackRow) (Panel, bool) {
	for _, r := range b.Rows {
		for _, p := range r.Panels {
			for _, answered := range p.Answers {
				if answered == row && p.ID < 900 {
					return p, true
				}
			}
		}
	}
	return Panel{}, false
}

// asked is the row in the pack's words.
func asked(row PackRow) string {
	for _, s := range traceSections {
		for _, t := range s.traces {
			if t.row == row {
				return t.asks
			}
		}
	}
	panic("monitoring: the trace does not know the row " + string(row))
}
