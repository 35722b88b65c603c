package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/policy"
)

func coverageBoard() panel.Board {
	return panel.Board{
		UID: names.BoardCoverage, File: "coverage.json", Title: "Coverage",
		Question: "Where do we have controls, and where are we still blind?",
		Rows: []panel.Row{
			{ID: 100, Question: "Are critical assets protected, owned and described?", Panels: coverageHeadlines()},
			{ID: 120, Question: "Do services have the controls that their tier requires?", Panels: append(coverageServices(), coverageAdoption()...)},
			{ID: 130, Question: "Which domains depend on manual work, and are privileged pipelines protected?", Panels: []panel.Panel{coverageDomains(), pipelineProtection(18, 10)}},
			{ID: 150, Question: "Which gaps come first?", Panels: append(coverageControlGaps(), underProtectedAreas())},
			{ID: 200, Question: "Which protections are missing on privileged repositories, and where?", Panels: coverageChecks()},
			{ID: 300, Question: "Which repositories must be protected first?", Panels: []panel.Panel{coverageGaps(), protectedOverTime()}},
			{ID: 400, Question: "Where are we blind?", Panels: coverageBlindSpots()},
			qualityRow(),
		},
	}
}

// protectionStat is the headline for one check: the share that passes, and what fails, is exempt or is not known.
func protectionStat(id uint32, title, privileged string, check policy.Check, means, act string) panel.Panel {
	return panel.Panel{
		ID: id, Title: title, Look: panel.Stat, W: 6, H: 5, Unit: "none", Decimals: panel.Number(0), Lines: true,
		Means: means + " The denominator is every repository to which the check applies; exempt and unknown count against the share. " +
			"A repository is privileged by the policy's trust tiers, topics or names.",
		Source: names.ProtectedRepositories + ", effective protection: classic rules together with active rulesets, worst of the default and release branches.",
		Act:    act, Empty: "not known",
		Steps: panel.Plain(),
		Queries: append(ratioQueries("pass", query.ProtectedRatio(privileged, check), policy.ObjectiveProtection),
			panel.Query{Name: "fail", Expr: query.ProtectedCount(privileged, check, "fail"), Steps: panel.NoneBut(1)},
			exemptQuery(query.ProtectedCount(privileged, check, "exempt")), unknownQuery(query.ProtectedCount(privileged, check, "unknown"))),
	}
}

func coverageHeadlines() []panel.Panel {
	return []panel.Panel{
		protectionStat(1, "Privileged repositories protected", names.Affirmative, policy.CheckRequired,
			"Privileged repositories whose default and release branches pass every check that policy requires.",
			"open the table of gaps below, start with tier 0, and have the owning team add a ruleset; unknown means that the token lacks a permission."),
		protectionStat(2, "All other repositories protected", names.Negative, policy.CheckRequired,
			"Repositories that are not privileged, by the same checks.",
			"one organisation-wide ruleset closes most gaps; attackers reach privileged repositories from unprotected ones."),
		{
			ID: 3, Title: "Repositories with an owning service", Look: panel.Stat, W: 6, H: 5, Unit: "none", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(),
			Means: "Share of repositories that the catalog assigns to a service with a team. Archived repositories and forks are not counted. Nobody is notified about findings in repositories without an owner. Not filtered " +
				"by the variables above: a repository without an owner has no business unit.",
			Source: names.UnmappedRepositories + " and " + names.ScopeSize + `{kind="repositories"}.`,
			Act:    "work through the reasons below: assign an owner, archive or delete.",
			Empty:  "not known",
			Queries: append(ratioQueries("owned", query.OwnedRatio(), policy.ObjectiveOwnership),
				panel.Query{Name: "unmapped", Expr: query.Unmapped(), Steps: panel.NoneBut(20)}),
		},
		{
			ID: 4, Title: "Services with complete catalog data", Look: panel.Stat, W: 6, H: 5, Unit: "none", Decimals: panel.Number(0), Lines: true, Steps: panel.Plain(),
			Means:  "Share of the catalog's services for which trust tier, crown jewel, internet-facing and team are all known. SLA targets and required controls depend on these attributes; where one is missing, the strictest target is not applied.",
			Source: names.ServiceInfo + ", from the catalog.",
			Act:    "ask the teams in the table below to complete their catalog entries.",
			Empty:  "not known",
			Queries: append(ratioQueries("complete", query.FactsKnownRatio(), policy.ObjectiveOwnership),
				panel.Query{Name: "incomplete", Expr: query.FactsUnknown(""), Steps: panel.NoneBut(10)}),
		},
	}
}

func coverageChecks() []panel.Panel {
	source := names.ProtectedRepositories + `{privileged="` + names.Affirmative + `"}.`
	const act = "orange-red fails, grey could not be read; neither is protected."
	return []panel.Panel{
		{
			ID: 10, Answers: packrow.List(packrow.TrackProtection), Title: "Which branch checks do privileged repositories pass?", Look: panel.Bars, W: 12, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Privileged repositories by branch check and result.", Source: source, Act: act, Empty: "Branch rules were not read yet",
			Key: "check", KeyTexts: checkTexts(), Share: true, Horizontal: true, Sort: failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.ProtectionByCheck(s...) }),
		},
		{
			ID: 11, Answers: packrow.List(packrow.TrackProtection), Title: "By business unit: every required branch rule", Look: panel.Bars, W: 7, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Privileged repositories by business unit, by whether every required branch check passes.", Source: source, Act: act,
			Empty: "Branch rules were not read yet",
			Key:   "business_unit", Stacked: true, Horizontal: true,
			Sort:    failingFirst(),
			Queries: statusQueries(func(s ...string) string { return query.RequiredBy("business_unit", s...) }),
		},
		{
			ID: 12, Answers: packrow.List(packrow.TrackProtection), Title: "By trust tier", Look: panel.Bars, W: 5, H: 11, Unit: "none", Steps: panel.Plain(),
			Means: "Privileged repositories by trust tier, by whether every required branch check passes.", Source: source, Act: act,
			Empty: "Branch rules were not read yet",
			Key:   "trust_tier", Stacked: true,
			Sort:    []panel.Sort{panel.Ascending("trust_tier")},
			Queries: statusQueries(func(s ...string) string { return query.RequiredBy("trust_tier", s...) }),
		},
	}
}

func coverageGaps() panel.Panel {
	columns := append([]panel.Column{{Field: "repository", Title: "Repository", Width: 250}, serviceColumn()}, ownerColumns()...)
	return panel.Panel{
		ID: 20, Answers: packrow.List(packrow.TrackProtection), Title: "Privileged repositories with missing protection, most gaps first", Look: panel.Table, W: 17, H: 10, Unit: "none", Steps: panel.Plain(),
		Means:  "Failing and unknown checks per privileged repository; the aggregate of all required checks is not counted.",
		Source: names.ProtectionGap + ".",
		Act:    "the team applies the organisation's ruleset; Delivery trust lists the individual checks.",
		Empty:  panel.NoneOrUnread,
		Queries: []panel.Query{
			{Name: "Failing", Expr: query.GapsByRepository("fail")}, {Name: "Unknown", Expr: query.GapsByRepository("unknown")},
		},
		Columns: append(columns,
			panel.Column{Field: "Failing", Title: "Failing", Unit: "none", Steps: panel.NoneBut(1), Bar: true, Zero: "–", Width: 130},
			panel.Column{Field: "Unknown", Title: "Unknown", Unit: "none", Steps: []panel.Step{panel.Below(panel.Unknown)}, Bar: true, Zero: "–", Width: 130}),
		Sort: []panel.Sort{panel.Descending("Failing"), panel.Descending("Unknown")},
	}
}

func protectedOverTime() panel.Panel {
	return panel.Panel{
		ID: 21, Answers: packrow.List(packrow.TrackProtection), Title: "Protected share over time", Look: panel.Lines, W: 7, H: 10, Unit: "percentunit", Max: panel.Number(1),
		Steps: panel.Plain(),
		Means: "Share of privileged repositories that pass every required check, at each moment, and the policy's target. Whole programme, not filtered by the variables above. " +
			"As far back as Prometheus has history.",
		Source: names.ProtectedRepositories + " (rule " + names.RecProtectedRatio + ").", Act: "a step down is usually new repositories without a ruleset, or a permission that was lost.",
		Empty: "There is no history yet",
		Queries: []panel.Query{
			{Name: "every required check", Expr: query.ProtectedOverTime(string(policy.CheckRequired)), Colour: panel.Neutral}, targetQuery(policy.ObjectiveProtection),
		},
	}
}

func coverageBlindSpots() []panel.Panel {
	return []panel.Panel{
		{
			ID: 30, Title: "Which service attributes are missing?", Look: panel.Table, W: 10, H: 8, Unit: "none", Steps: panel.Plain(),
			Means:  "Services of the catalog by trust tier: how many are crown jewels or internet-facing, and how many lack an attribute.",
			Source: names.ServiceInfo + ".", Act: "complete the catalog, tier 0 first.", Empty: "The catalog was not read yet",
			Queries: []panel.Query{
				{Name: "Services", Expr: query.ServicesByTier()},
				{Name: "Crown jewels", Expr: query.ServicesByTier(promql.Is("crown_jewel", names.Affirmative))},
				{Name: "Internet-facing", Expr: query.ServicesByTier(promql.Is("internet_facing", names.Affirmative))},
				{Name: "Incomplete", Expr: query.FactsUnknown("trust_tier")},
			},
			Columns: []panel.Column{
				{Field: "trust_tier", Title: "Tier"}, {Field: "Services", Title: "Services", Zero: "–"}, {Field: "Crown jewels", Title: "Crown jewels", Zero: "–"},
				{Field: "Internet-facing", Title: "Internet-facing", Zero: "–"}, countColumn("Incomplete", 5),
			},
			Sort: []panel.Sort{panel.Ascending("Tier")},
		},
		{
			ID: 31, Title: "Why do repositories have no owner?", Look: panel.Ranking, W: 6, H: 8, Unit: "none", Steps: panel.NoneBut(20),
			Means:  "Repositories that belong to no service, by reason.",
			Source: names.UnmappedRepositories + ".", Act: "no_catalog_entry: claim it; no_owner: name a team; archived: delete it, or accept that its findings stay open.",
			Empty: panel.NoneOrUnread, KeyTexts: []panel.Text{
				{Value: "no_catalog_entry", Text: "in no catalog"}, {Value: "no_owner", Text: "service has no team"}, {Value: "archived", Text: "archived"},
			},
			Queries: []panel.Query{{Name: "Repositories", Expr: query.UnmappedByReason(), Legend: "{{reason}}"}},
		},
		{
			ID: 32, Title: "Which protection could not be read?", Look: panel.Ranking, W: 8, H: 8, Unit: "none", Steps: []panel.Step{panel.Below(panel.Unknown)},
			Means:  "Repositories, privileged or not, per check whose result is unknown: the token lacks a permission, or the repository could not be read.",
			Source: names.ProtectedRepositories + `{status="unknown"}.`, Act: "grant the permission that `prodsec_exporter check --online` names.",
			Empty: panel.NoneOrUnread, KeyTexts: checkTexts(),
			Queries: []panel.Query{{Name: "Repositories", Expr: query.UnreadChecks(), Legend: "{{check}}"}},
		},
		scanFreshness(),
		catalogDisputes(),
	}
}

func scanFreshness() panel.Panel {
	return panel.Panel{
		ID: 33, Title: "Scan coverage: was every repository scanned recently?", Look: panel.Bars, W: 16, H: 8, Unit: "none", Steps: panel.Plain(),
		Means:  "Repositories by class of scan and freshness of the last successful scan. A repository that was never scanned has no findings, which says nothing about its risk.",
		Source: names.ScanRepositories + ", from what scanners say about their runs; policy.scan_max_age says what is current.",
		Act:    "stale: find out why the pipeline stopped; never: switch the scanner on; unknown: grant the permission or repair the source.",
		Empty:  "Scans were not read yet",
		Key:    "class", Share: true, Horizontal: true, Sort: []panel.Sort{panel.Descending("never scanned"), panel.Descending("stale")},
		Queries: []panel.Query{
			{Name: "current", Expr: query.ScansByClass("current"), Colour: panel.Good},
			{Name: "stale", Expr: query.ScansByClass("stale"), Colour: panel.Warning},
			{Name: "never scanned", Expr: query.ScansByClass("never"), Colour: panel.Bad},
			{Name: "unknown", Expr: query.ScansByClass("unknown"), Colour: panel.Unknown},
		},
	}
}

func catalogDisputes() panel.Panel {
	return panel.Panel{
		ID: 34, Title: "Where do catalogs disagree?", Look: panel.Ranking, W: 8, H: 8, Unit: "none", Steps: panel.NoneBut(20),
		Means:  "Services for which two catalogs have conflicting values, by attribute. Whole programme, not filtered by the variables above.",
		Source: names.CatalogConflicts + "; the catalog that policy.catalog_precedence puts first counts.",
		Act:    "correct the catalog that is wrong, the owner and the tier first: they determine who is notified and which SLA target applies.",
		Empty:  "The catalogs were not read yet", KeyTexts: []panel.Text{
			{Value: "business_unit", Text: "business unit"}, {Value: "team", Text: "team"}, {Value: "trust_tier", Text: "trust tier"},
			{Value: "product_area", Text: "product area"}, {Value: "lifecycle", Text: "lifecycle"}, {Value: "crown_jewel", Text: "crown jewel"},
			{Value: "internet_facing", Text: "internet-facing"}, {Value: "repositories", Text: "repositories"},
		},
		Queries: []panel.Query{{Name: "Services", Expr: query.DisputesByField(), Legend: "{{field}}"}},
	}
}
