package monitoring

import "prodsec_exporter/internal/policy"

func deliveryTrustBoard() Board {
	return Board{
		UID: BoardDeliveryTrust, File: "delivery-trust.json", Title: "Delivery trust",
		Question: "Can we trust the way software is built, released and operated?",
		Rows: []Row{
			{ID: 100, Question: "Can one person change privileged software alone?", Panels: trustHeadlines()},
			{ID: 200, Question: "Which guarantees hold for a change, and for whom?", Panels: trustGuarantees()},
			{ID: 250, Question: "Is the way to production guarded?", Panels: append(trustPaths(), trustEnvironments()...)},
			{ID: 260, Question: "How much of our trust is evidence instead of faith?", Panels: trustEvidence()},
			{ID: 270, Question: "Where could a build or a cloud account be taken over?", Panels: trustRunners()},
			{ID: 280, Question: "Could critical services go back?", Panels: trustRollback()},
			{ID: 300, Question: "What must be closed first?", Panels: []Panel{trustGaps()}},
			{ID: 400, Question: "Who relies on repositories that are not protected?", Panels: trustByOwner()},
			qualityRow(),
		},
	}
}

func trustHeadlines() []Panel {
	return []Panel{
		protectionStat(1, "A second person approves every change", affirmative, policy.CheckApprovals,
			"Privileged repositories whose default and release branches need as many approving reviews as policy says.",
			"one account can change what runs in production; add a required review to the branch rules."),
		protectionStat(2, "Administrators are bound by the rules, too", affirmative, policy.CheckAdminsBound,
			"Privileged repositories in which branch rules hold for administrators.",
			"a stolen administrator's account can change production unseen; enforce the rules for administrators."),
		protectionStat(3, "Few may bypass the rules", affirmative, policy.CheckBypassLimited,
			"Privileged repositories whose rulesets let no one, or only named few, go around them.",
			"empty the bypass lists, or leave a break-glass team whose use is reviewed."),
		protectionStat(4, "History cannot be rewritten", affirmative, policy.CheckForcePushBlocked,
			"Privileged repositories whose default and release branches refuse force pushes.",
			"what was reviewed can be replaced afterwards; block force pushes."),
	}
}

func trustGuarantees() []Panel {
	const act = "orange-red is known to fail and grey could not be read; both are faith, not evidence."
	return []Panel{
		{
			ID: 10, Answers: answers(TrackProtection), Title: "What must a change pass?", Look: Bars, W: 13, H: 11, Unit: "none", Steps: plain(),
			Means: "Share of privileged repositories by branch check and result.", Source: protectedRepositories + `{scope="branch"}.`, Act: act,
			Empty: "Branch rules were not read yet", Key: "check", KeyTexts: checkTexts(), Share: true, Horizontal: true,
			Sort:    failingFirst(),
			Queries: statusQueries(func(s ...string) string { return protectionByCheck(s...) }),
		},
		{
			ID: 12, Answers: answers(TrackProtection), Title: "Which teams lack most guarantees?", Look: Bars, W: 11, H: 11, Unit: "none", Steps: plain(),
			Means: "Checks of privileged repositories that fail or are not known, by team.", Source: protectionGap + ".",
			Act: "agree on one ruleset for all repositories of the first team; single fixes come undone.", Empty: noneOrUnread,
			Key: "team", Stacked: true, Horizontal: true, Sort: failingFirst(),
			Queries: []Query{
				{Name: "fail", Expr: filled(gapsByTeam("fail"), gapsByTeam("fail", "unknown")), Colour: bad},
				{Name: "unknown", Expr: filled(gapsByTeam("unknown"), gapsByTeam("fail", "unknown")), Colour: unknown},
			},
		},
	}
}

// trustEnvironments are the panels about production environments. A repository without one is in none of them.
func trustEnvironments() []Panel {
	panel := func(id uint32, w uint32, title, means, act string) Panel {
		return Panel{
			ID: id, Title: title, Look: Bars, W: w, H: 8, Unit: "none", Steps: plain(), Means: means, Source: protectedRepositories + `{scope="environment"}.`, Act: act,
			Empty: "Environments were not read yet", Horizontal: true, Sort: failingFirst(),
		}
	}
	checks := panel(14, 13, "What must a deployment pass?",
		"Share of privileged repositories with a production environment, by check of that environment and result. Production is what policy names so.",
		"orange-red: whoever can push can deploy; require a reviewer and name the branches. Grey: grant the permission to look.")
	checks.Key, checks.KeyTexts, checks.Share = "check", checkTexts(), true
	checks.Queries = statusQueries(func(s ...string) string { return environmentsBy("check", s) })
	units := panel(15, 11, "Who deploys through guarded environments?",
		"Privileged repositories with a production environment, by business unit and whether every check of environments that policy requires passes.",
		"orange-red: agree on one environment template for the unit; grey: grant the permission to look.")
	units.Key, units.Stacked = "business_unit", true
	units.Queries = statusQueries(func(s ...string) string {
		return environmentsBy("business_unit", s, is("check", string(policy.CheckRequired)))
	})
	return []Panel{checks, units}
}

func trustGaps() Panel {
	columns := append([]Column{{Field: "repository", Title: "Repository", Width: 300}, serviceColumn()}, ownerColumns()...)
	return Panel{
		ID: panelTrustGaps, Answers: answers(TrackProtection, TrackPaths), Title: "Missing guarantees of privileged repositories, one by one", Look: Table, W: 24, H: 11, Unit: "none", Steps: plain(),
		Means:  "Each check of a privileged repository that fails or is not known.",
		Source: protectionGap + ".", Act: "close failing ones by ruleset, not by hand; for unknown ones grant the permission that the exporter's check command names.",
		Empty:   noneOrUnread,
		Queries: []Query{{Name: "Gap", Expr: gapChecks()}},
		Columns: append(columns,
			Column{Field: "check", Title: "Guarantee", Texts: checkTexts()},
			Column{Field: "status", Title: "Result", Width: 100, Texts: statusTexts(), Shade: true}),
		Sort: []Sort{{Title: "Result"}, {Title: "Tier"}},
	}
}

func trustByOwner() []Panel {
	panel := func(id uint32, title, label string, horizontal bool) Panel {
		return Panel{
			ID: id, Title: title, Look: Bars, W: 8, H: 9, Unit: "none", Steps: plain(), Means: "Privileged repositories by whether every required branch check passes.",
			Source: protectedRepositories + ".", Act: "orange-red: agree on a date; grey: grant the permission to look.", Empty: "Branch rules were not read yet",
			Key: label, Stacked: true, Horizontal: horizontal, Sort: failingFirst(),
			Queries: statusQueries(func(s ...string) string { return requiredBy(label, s...) }),
		}
	}
	tiers := panel(31, "By trust tier", "trust_tier", false)
	tiers.Sort = []Sort{{Title: "trust_tier"}}
	return []Panel{
		panel(30, "By business unit", "business_unit", true), tiers,
		{
			ID: 32, Answers: answers(TrackProtection), Title: "Are the guarantees spreading?", Look: Lines, W: 8, H: 9, Unit: "percentunit", Max: number(1),
			Steps: []Step{below("transparent"), from(protectionTarget, good)},
			Means: "Share of privileged repositories with each of the guarantees of the first row, at each moment. Whole programme, not restricted by the choices above. " +
				"It fills as Prometheus gathers history.",
			Source: protectedRepositories + " (rule " + recProtectedRatio + ").", Act: "a line that has not moved for a quarter needs an organisation-wide rule, not reminders.",
			Empty: "There is no history yet", KeyTexts: []Text{
				{Value: "approvals", Text: "change approved", Colour: neutral}, {Value: "admins_bound", Text: "administrators bound", Colour: blue},
				{Value: "bypass_limited", Text: "bypass limited", Colour: waived}, {Value: "force_push_blocked", Text: "history kept", Colour: orange},
			},
			Queries: []Query{{Name: "Guarantees", Legend: "{{check}}", Expr: guaranteesOverTime()}},
		},
	}
}
