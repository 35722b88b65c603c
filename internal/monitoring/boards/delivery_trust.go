package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

func deliveryTrustBoard() panel.Board {
	return panel.Board{
		UID: names.BoardDeliveryTrust, File: "delivery-trust.json", Title: "Delivery trust",
		Question: "Can we trust the way software is built, released and operated?",
		Rows: []panel.Row{
			{ID: 100, Question: "Can one person change privileged software alone?", Panels: trustHeadlines()},
			{ID: 200, Question: "Which guarantees hold for a change, and for whom?", Panels: trustGuarantees()},
			{ID: 250, Question: "Is the way to production guarded?", Panels: append(trustPaths(), trustEnvironments()...)},
			{ID: 260, Question: "How much of our trust is evidence instead of faith?", Panels: trustEvidence()},
			{ID: 270, Question: "Where could a build or a cloud account be taken over?", Panels: trustRunners()},
			{ID: 280, Question: "Could critical services go back?", Panels: trustRollback()},
			{ID: 300, Question: "What must be closed first?", Panels: []panel.Panel{trustGaps()}},
			{ID: 400, Question: "Who relies on repositories that are not protected?", Panels: trustByOwner()},
			qualityRow(),
		},
	}
}

func trustHeadlines() []panel.Panel {
	return []panel.Panel{
		protectionStat(1, "A second person approves every change", names.Affirmative, policy.CheckApprovals,
			"Privileged repositories whose default and release branches need as many approving reviews as policy says.",
			"one account can change what runs in production; add a required review to the branch rules."),
		protectionStat(2, "Administrators are bound by the rules, too", names.Affirmative, policy.CheckAdminsBound,
			"Privileged repositories in which branch rules hold for administrators.",
			"a stolen administrator's account can change production unseen; enforce the rules for administrators."),
		protectionStat(3, "Few may bypass the rules", names.Affirmative, policy.CheckBypassLimited,
			"Privileged repositories whose rulesets let no one, or only named few, go around them.",
			"empty the bypass lists, or leave a break-glass team whose use is reviewed."),
		protectionStat(4, "History cannot be rewritten", names.Affirmative, policy.CheckForcePushBlocked,
			"Privileged repositories whose default and release branches refuse force pushes.",
			"what was reviewed can be replaced afterwards; block force pushes."),
	}
}

func trustGuarantees() []panel.Panel {
	const act = "orange-red is known to fail and grey could not be read; both are faith, not evidence."
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.TrackProtection), Title: "What must a change pass?", Look: panel.Bars, W: 13, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Share of privileged repositories by branch check and result.", Source: names.ProtectedRepositories + `{scope="branch"}.`, Act: act,
			Empty: "Branch rules were not read yet", Key: "check", KeyTexts: checkTexts(), Share: true, Horizontal: true,
			Sort:    failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.ProtectionByCheck(s...) }),
		},
		{
			ID: 12, Answers: packrow.List(packrow.TrackProtection), Title: "Which teams lack most guarantees?", Look: panel.Bars, W: 11, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Checks of privileged repositories that fail or are not known, by team.", Source: names.ProtectionGap + ".",
			Act: "agree on one ruleset for all repositories of the first team; single fixes come undone.", Empty: panel.NoneOrUnread,
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
	checks := one(14, 13, "What must a deployment pass?",
		"Share of privileged repositories with a production environment, by check of that environment and result. Production is what policy names so.",
		"orange-red: whoever can push can deploy; require a reviewer and name the branches. Grey: grant the permission to look.")
	checks.Key, checks.KeyTexts, checks.Share = "check", checkTexts(), true
	checks.Queries = statusQueries(func(s ...string) string { return query.EnvironmentsBy("check", s) })
	units := one(15, 11, "Who deploys through guarded environments?",
		"Privileged repositories with a production environment, by business unit and whether every check of environments that policy requires passes.",
		"orange-red: agree on one environment template for the unit; grey: grant the permission to look.")
	units.Key, units.Stacked = "business_unit", true
	units.Queries = statusQueries(func(s ...string) string {
		return query.EnvironmentsBy("business_unit", s, promql.Is("check", string(policy.CheckRequired)))
	})
	return []panel.Panel{checks, units}
}

func trustGaps() panel.Panel {
	columns := append([]panel.Column{{Field: "repository", Title: "Repository", Width: 300}, serviceColumn()}, ownerColumns()...)
	return panel.Panel{
		ID: names.PanelTrustGaps, Answers: packrow.List(packrow.TrackProtection, packrow.TrackPaths), Title: "Missing guarantees of privileged repositories, one by one", Look: panel.Table, W: 24, H: 11, Unit: "none", Steps: panel.Plain(),
		Means:  "Each check of a privileged repository that fails or is not known.",
		Source: names.ProtectionGap + ".", Act: "close failing ones by ruleset, not by hand; for unknown ones grant the permission that the exporter's check command names.",
		Empty:   panel.NoneOrUnread,
		Queries: []panel.Query{{Name: "Gap", Expr: query.GapChecks()}},
		Columns: append(columns,
			panel.Column{Field: "check", Title: "Guarantee", Texts: checkTexts()},
			panel.Column{Field: "status", Title: "Result", Width: 100, Texts: statusTexts(), Shade: true}),
		Sort: []panel.Sort{panel.Ascending("Result"), panel.Ascending("Tier")},
	}
}

func trustByOwner() []panel.Panel {
	one := func(id uint32, title, label string, horizontal bool) panel.Panel {
		return panel.Panel{
			ID: id, Title: title, Look: panel.Bars, W: 8, H: 9, Unit: "none", Steps: panel.Plain(), Means: "Privileged repositories by whether every required branch check passes.",
			Source: names.ProtectedRepositories + ".", Act: "orange-red: agree on a date; grey: grant the permission to look.", Empty: "Branch rules were not read yet",
			Key: label, Stacked: true, Horizontal: horizontal, Sort: failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.RequiredBy(label, s...) }),
		}
	}
	tiers := one(31, "By trust tier", "trust_tier", false)
	tiers.Sort = []panel.Sort{panel.Ascending("trust_tier")}
	return []panel.Panel{
		one(30, "By business unit", "business_unit", true), tiers,
		{
			ID: 32, Answers: packrow.List(packrow.TrackProtection), Title: "Are the guarantees spreading?", Look: panel.Lines, W: 8, H: 9, Unit: "percentunit", Max: panel.Number(1),
			Steps: []panel.Step{panel.Below("transparent"), panel.From(settings.ProtectionTarget, panel.Good)},
			Means: "Share of privileged repositories with each of the guarantees of the first row, at each moment. Whole programme, not restricted by the choices above. " +
				"It fills as Prometheus gathers history.",
			Source: names.ProtectedRepositories + " (rule " + names.RecProtectedRatio + ").", Act: "a line that has not moved for a quarter needs an organisation-wide rule, not reminders.",
			Empty: "There is no history yet", KeyTexts: []panel.Text{
				{Value: "approvals", Text: "change approved", Colour: panel.Neutral}, {Value: "admins_bound", Text: "administrators bound", Colour: panel.Blue},
				{Value: "bypass_limited", Text: "bypass limited", Colour: panel.Waived}, {Value: "force_push_blocked", Text: "history kept", Colour: panel.Orange},
			},
			Queries: []panel.Query{{Name: "Guarantees", Legend: "{{check}}", Expr: query.GuaranteesOverTime()}},
		},
	}
}
