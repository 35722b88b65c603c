package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
)

func deliveryTrustBoard() panel.Board {
	return panel.Board{
		UID: names.BoardDeliveryTrust, File: "delivery-trust.json", Title: "Delivery trust",
		Question: "Can we trust the way software is built, released and operated?",
		Rows: []panel.Row{
			{ID: 100, Question: "Can one person change privileged software without a second person's approval?", Panels: trustHeadlines()},
			{ID: 200, Question: "Which branch protections apply, and where?", Panels: trustGuarantees()},
			{ID: 250, Question: "Are deployment paths protected?", Panels: append(trustPaths(), trustEnvironments()...)},
			{ID: 260, Question: "How much deployment trust is backed by evidence?", Panels: trustEvidence()},
			{ID: 270, Question: "Runner and cloud identity trust-tier compliance", Panels: trustRunners()},
			{ID: 280, Question: "Rollback readiness", Panels: trustRollback()},
			{ID: 300, Question: "Which gaps come first?", Panels: []panel.Panel{trustGaps()}},
			{ID: 400, Question: "Which owners depend on unprotected repositories?", Panels: trustByOwner()},
			qualityRow(),
		},
	}
}

func trustHeadlines() []panel.Panel {
	return []panel.Panel{
		protectionStat(1, "A second person approves every change", names.Affirmative, policy.CheckApprovals,
			"Privileged repositories whose default and release branches need as many approving reviews as policy says.",
			"one account can change what runs in production; add a required review to the branch rules."),
		protectionStat(2, "Rules are enforced for administrators", names.Affirmative, policy.CheckAdminsBound,
			"Privileged repositories whose branch rules are enforced for administrators.",
			"a compromised administrator account can change production without review; enforce the rules for administrators."),
		protectionStat(3, "Bypass is limited", names.Affirmative, policy.CheckBypassLimited,
			"Privileged repositories whose rulesets allow no bypass actors, or only the few that policy permits.",
			"empty the bypass lists, or keep a break-glass team whose use is reviewed."),
		protectionStat(4, "Force pushes are blocked", names.Affirmative, policy.CheckForcePushBlocked,
			"Privileged repositories whose default and release branches block force pushes.",
			"reviewed commits can be replaced after the review; block force pushes."),
	}
}

func trustGuarantees() []panel.Panel {
	const act = "orange-red fails, grey could not be read; neither is evidence of protection."
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.TrackProtection), Title: "Branch protection checks of privileged repositories", Look: panel.Bars, W: 13, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Share of privileged repositories by branch check and result.", Source: names.ProtectedRepositories + `{scope="branch"}.`, Act: act,
			Empty: "Branch rules were not read yet", Key: "check", KeyTexts: checkTexts(), Share: true, Horizontal: true,
			Sort:    failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.ProtectionByCheck(s...) }),
		},
		{
			ID: 12, Answers: packrow.List(packrow.TrackProtection), Title: "Which teams lack most branch protections?", Look: panel.Bars, W: 11, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Checks of privileged repositories that fail or are unknown, by team.", Source: names.ProtectionGap + ".",
			Act: "agree on one ruleset for all repositories of the first team; individual fixes regress.", Empty: panel.NoneOrUnread,
			Key: "team", Stacked: true, Horizontal: true, Sort: failingFirst(),
			Queries: []panel.Query{
				{Name: "fail", Expr: promql.Filled(query.GapsByTeam("fail"), query.GapsByTeam("fail", "unknown")), Colour: panel.Bad},
				{Name: "unknown", Expr: promql.Filled(query.GapsByTeam("unknown"), query.GapsByTeam("fail", "unknown")), Colour: panel.Unknown},
			},
		},
	}
}

// trustEnvironments are the panels about production environments. A repository without one is in none of them.
func trustEnvironments() []panel.Panel {
	one := func(id uint32, w uint32, title, means, act string) panel.Panel {
		return panel.Panel{
			ID: id, Title: title, Look: panel.Bars, W: w, H: 8, Unit: "none", Steps: panel.Plain(), Means: means, Source: names.ProtectedRepositories + `{scope="environment"}.`, Act: act,
			Empty: "Environments were not read yet", Horizontal: true, Sort: failingFirst(),
		}
	}
	checks := one(14, 13, "Environment protection checks",
		"Share of privileged repositories with a production environment, by check of that environment and result. Policy defines which environments are production.",
		"orange-red: anyone who can push can deploy; require a reviewer and restrict the branches. Grey: grant the missing permission.")
	checks.Key, checks.KeyTexts, checks.Share = "check", checkTexts(), true
	checks.Queries = statusQueries(func(s ...string) string { return query.EnvironmentsBy("check", s) })
	units := one(15, 11, "Protected production environments, by business unit",
		"Privileged repositories with a production environment, by business unit and whether every check of environments that policy requires passes.",
		"orange-red: agree on one environment template for the unit; grey: grant the missing permission.")
	units.Key, units.Stacked = "business_unit", true
	units.Queries = statusQueries(func(s ...string) string {
		return query.EnvironmentsBy("business_unit", s, promql.Is("check", string(policy.CheckRequired)))
	})
	return []panel.Panel{checks, units}
}

func trustGaps() panel.Panel {
	columns := append([]panel.Column{{Field: "repository", Title: "Repository", Width: 300}, serviceColumn()}, ownerColumns()...)
	return panel.Panel{
		ID: names.PanelTrustGaps, Answers: packrow.List(packrow.TrackProtection, packrow.TrackPaths), Title: "Missing protections of privileged repositories", Look: panel.Table, W: 24, H: 11, Unit: "none", Steps: panel.Plain(),
		Means:  "Each check of a privileged repository that fails or is unknown.",
		Source: names.ProtectionGap + ".", Act: "fix failing checks by ruleset rather than by hand; for unknown ones grant the permission that `prodsec_exporter check --online` names.",
		Empty:   panel.NoneOrUnread,
		Queries: []panel.Query{{Name: "Gap", Expr: query.GapChecks()}},
		Columns: append(columns,
			panel.Column{Field: "check", Title: "Check", Texts: checkTexts()},
			panel.Column{Field: "status", Title: "Result", Width: 100, Texts: statusTexts(), Shade: true}),
		Sort: []panel.Sort{panel.Ascending("Result"), panel.Ascending("Tier")},
	}
}

func trustByOwner() []panel.Panel {
	one := func(id uint32, title, label string, horizontal bool) panel.Panel {
		return panel.Panel{
			ID: id, Title: title, Look: panel.Bars, W: 8, H: 9, Unit: "none", Steps: panel.Plain(), Means: "Privileged repositories by whether every required branch check passes.",
			Source: names.ProtectedRepositories + ".", Act: "orange-red: agree on a date; grey: grant the missing permission.", Empty: "Branch rules were not read yet",
			Key: label, Stacked: true, Horizontal: horizontal, Sort: failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.RequiredBy(label, s...) }),
		}
	}
	tiers := one(31, "By trust tier", "trust_tier", false)
	tiers.Sort = []panel.Sort{panel.Ascending("trust_tier")}
	return []panel.Panel{
		one(30, "By business unit", "business_unit", true), tiers,
		{
			ID: 32, Answers: packrow.List(packrow.TrackProtection), Title: "Branch protections over time", Look: panel.Lines, W: 8, H: 9, Unit: "percentunit", Max: panel.Number(1),
			Steps: panel.Plain(),
			Means: "Share of privileged repositories with each protection of the first row, at each moment. Whole programme, not filtered by the variables above. " +
				"As far back as Prometheus has history.",
			Source: names.ProtectedRepositories + " (rule " + names.RecProtectedRatio + ").", Act: "a line that is flat for a quarter needs an organisation-wide ruleset, not reminders.",
			Empty: "There is no history yet", KeyTexts: []panel.Text{
				{Value: "approvals", Text: "approvals required", Colour: panel.Neutral}, {Value: "admins_bound", Text: "admins enforced", Colour: panel.Blue},
				{Value: "bypass_limited", Text: "bypass limited", Colour: panel.Waived}, {Value: "force_push_blocked", Text: "force push blocked", Colour: panel.Orange},
			},
			Queries: []panel.Query{{Name: "Protections", Legend: "{{check}}", Expr: query.GuaranteesOverTime()}, targetQuery(policy.ObjectiveProtection)},
		},
	}
}
