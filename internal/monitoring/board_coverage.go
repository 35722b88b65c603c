package monitoring

import "prodsec_exporter/internal/policy"

func coverageBoard() Board {
	return Board{
		UID: BoardCoverage, File: "coverage.json", Title: "Coverage",
		Question: "Where do we have controls, and where are we still blind?",
		Rows: []Row{
			{ID: 100, Question: "Is what matters protected, owned and known?", Panels: coverageHeadlines()},
			{ID: 120, Question: "Do our services have the controls that they should?", Panels: append(coverageServices(), coverageAdoption()...)},
			{ID: 150, Question: "Which gaps come first?", Panels: coverageControlGaps()},
			{ID: 200, Question: "Which protections are missing on privileged repositories, and where?", Panels: coverageChecks()},
			{ID: 300, Question: "Which repositories must be protected first?", Panels: []Panel{coverageGaps(), protectedOverTime()}},
			{ID: 400, Question: "Where are we blind?", Panels: coverageBlindSpots()},
			qualityRow(),
		},
	}
}

// protectionStat is the headline for one check: the share that passes, and what fails or is not known.
func protectionStat(id uint32, title, privileged string, check policy.Check, means, act string) Panel {
	return Panel{
		ID: id, Title: title, Look: Stat, W: 6, H: 4, Unit: "none",
		Means: means + " The share counts what passes among all that is not exempt, so that what could not be read counts against it. " +
			"A repository is privileged by the policy's trust tiers, topics or names.",
		Source: protectedRepositories + ", effective protection: classic rules together with active rulesets, worst of the default and release branches.",
		Act:    act, Empty: "not known",
		Steps: plain(),
		Queries: []Query{
			{Name: "pass", Expr: protectedShare(privileged, check), Unit: "percentunit", Steps: towards(protectionTarget)},
			{Name: "fail", Expr: protectedCount(privileged, check, "fail"), Steps: noneBut(1)},
			{Name: "unknown", Expr: protectedCount(privileged, check, "unknown"), Steps: []Step{below(good), from(1, unknown)}},
		},
	}
}

func coverageHeadlines() []Panel {
	return []Panel{
		protectionStat(1, "Privileged repositories protected", affirmative, policy.CheckRequired,
			"Privileged repositories whose default and release branches pass every check that policy requires.",
			"open the table of gaps below, start with tier 0, and have the owning team add a ruleset; unknown means that the token lacks a permission."),
		protectionStat(2, "All other repositories protected", negative, policy.CheckRequired,
			"Repositories that are not privileged, by the same checks.",
			"one organisation-wide ruleset closes most of it; it is the way from which a privileged repository is reached."),
		{
			ID: 3, Title: "Repositories that a service answers for", Look: Stat, W: 6, H: 4, Unit: "none", Steps: plain(),
			Means:  "Share of all repositories that the catalog gives to a service with a team. Findings in the others reach nobody. Not restricted by the choices above: what has no owner has no business unit.",
			Source: unmappedRepositories + " and " + scopeSize + `{kind="repositories"}.`,
			Act:    "go through the list of reasons below; claim, archive or delete.",
			Empty:  "not known",
			Queries: []Query{
				{Name: "owned", Expr: ownedShare(), Unit: "percentunit", Steps: towards(ownershipTarget)},
				{Name: "unmapped", Expr: unmapped(), Steps: noneBut(20)},
			},
		},
		{
			ID: 4, Title: "Services with every fact known", Look: Stat, W: 6, H: 4, Unit: "none", Steps: plain(),
			Means:  "Share of the catalog's services for which trust tier, crown jewel, internet-facing and team are all known. Targets and required controls are decided by these facts; where they are missing the strictest is not applied.",
			Source: serviceInfo + ", from the catalog.",
			Act:    "ask the teams in the table below to complete their catalog entries.",
			Empty:  "not known",
			Queries: []Query{
				{Name: "known", Expr: factsKnownShare(), Unit: "percentunit", Steps: towards(ownershipTarget)},
				{Name: "incomplete", Expr: factsUnknown(""), Steps: noneBut(10)},
			},
		},
	}
}

func coverageChecks() []Panel {
	source := protectedRepositories + `{privileged="` + affirmative + `"}.`
	const act = "orange-red is known to fail, grey could not be read; neither is protection."
	return []Panel{
		{
			ID: 10, Answers: answers(TrackProtection), Title: "Which branch checks do privileged repositories pass?", Look: Bars, W: 12, H: 11, Unit: "none", Steps: plain(),
			Means: "Privileged repositories by branch check and result.", Source: source, Act: act, Empty: "Branch rules were not read yet",
			Key: "check", KeyTexts: checkTexts(), Share: true, Horizontal: true, Sort: failingFirst(),
			Queries: statusQueries(func(s ...string) string { return protectionByCheck(s...) }),
		},
		{
			ID: 11, Answers: answers(TrackProtection), Title: "By business unit: every required branch rule", Look: Bars, W: 7, H: 11, Unit: "none", Steps: plain(),
			Means: "Privileged repositories by business unit, by whether every required branch check passes.", Source: source, Act: act,
			Empty: "Branch rules were not read yet",
			Key:   "business_unit", Stacked: true, Horizontal: true,
			Sort:    failingFirst(),
			Queries: statusQueries(func(s ...string) string { return requiredBy("business_unit", s...) }),
		},
		{
			ID: 12, Answers: answers(TrackProtection), Title: "By trust tier", Look: Bars, W: 5, H: 11, Unit: "none", Steps: plain(),
			Means: "Privileged repositories by trust tier, by whether every required branch check passes.", Source: source, Act: act,
			Empty: "Branch rules were not read yet",
			Key:   "trust_tier", Stacked: true,
			Sort:    []Sort{{Title: "trust_tier"}},
			Queries: statusQueries(func(s ...string) string { return requiredBy("trust_tier", s...) }),
		},
	}
}

func coverageGaps() Panel {
	columns := append([]Column{{Field: "repository", Title: "Repository", Width: 250}, serviceColumn()}, ownerColumns()...)
	return Panel{
		ID: 20, Answers: answers(TrackProtection), Title: "Privileged repositories with missing protection, most gaps first", Look: Table, W: 17, H: 10, Unit: "none", Steps: plain(),
		Means:  "Failing and unknown checks per privileged repository; the check that sums up the required ones is not counted.",
		Source: protectionGap + ".",
		Act:    "have the team apply the organisation's ruleset; Delivery trust lists the single checks.",
		Empty:  noneOrUnread,
		Queries: []Query{
			{Name: "Failing", Expr: gapsByRepository("fail")}, {Name: "Unknown", Expr: gapsByRepository("unknown")},
		},
		Columns: append(columns,
			Column{Field: "Failing", Title: "Failing", Unit: "none", Steps: noneBut(1), Bar: true, Zero: "–", Width: 130},
			Column{Field: "Unknown", Title: "Unknown", Unit: "none", Steps: []Step{below(unknown)}, Bar: true, Zero: "–", Width: 130}),
		Sort: []Sort{{Title: "Failing", Desc: true}, {Title: "Unknown", Desc: true}},
	}
}

func protectedOverTime() Panel {
	return Panel{
		ID: 21, Answers: answers(TrackProtection), Title: "Protected share over time", Look: Lines, W: 7, H: 10, Unit: "percentunit", Max: number(1),
		Steps: []Step{below("transparent"), from(protectionTarget, good)},
		Means: "Share of privileged repositories that pass every required check, at each moment. Whole programme, not restricted by the choices above. " +
			"It fills as Prometheus gathers history.",
		Source: protectedRepositories + " (rule " + recProtectedRatio + ").", Act: "a step down is usually new repositories without a ruleset, or a permission that was lost.",
		Empty: "There is no history yet", KeyTexts: []Text{
			{Value: "required", Text: "every required check", Colour: neutral},
		},
		Queries: []Query{{Name: "Protected", Expr: protectedRatio(string(policy.CheckRequired)), Legend: "{{check}}"}},
	}
}

func coverageBlindSpots() []Panel {
	return []Panel{
		{
			ID: 30, Title: "What do we not know about our services?", Look: Table, W: 10, H: 8, Unit: "none", Steps: plain(),
			Means:  "Services of the catalog by trust tier: how many are crown jewels or face the internet, and about how many something is unknown.",
			Source: serviceInfo + ".", Act: "complete the catalog, tier 0 first.", Empty: "The catalog was not read yet",
			Queries: []Query{
				{Name: "Services", Expr: servicesByTier()},
				{Name: "Crown jewels", Expr: servicesByTier(is("crown_jewel", affirmative))},
				{Name: "Internet-facing", Expr: servicesByTier(is("internet_facing", affirmative))},
				{Name: "Facts missing", Expr: factsUnknown("trust_tier")},
			},
			Columns: []Column{
				{Field: "trust_tier", Title: "Tier"}, {Field: "Services", Title: "Services", Zero: "–"}, {Field: "Crown jewels", Title: "Crown jewels", Zero: "–"},
				{Field: "Internet-facing", Title: "Internet-facing", Zero: "–"}, countColumn("Facts missing", 5),
			},
			Sort: []Sort{{Title: "Tier"}},
		},
		{
			ID: 31, Title: "Why do repositories have no owner?", Look: Ranking, W: 6, H: 8, Unit: "none", Steps: noneBut(20),
			Means:  "Repositories that belong to no service, by reason.",
			Source: unmappedRepositories + ".", Act: "no_catalog_entry: claim it; no_owner: name a team; archived: delete it or accept that nobody will fix it.",
			Empty: noneOrUnread, KeyTexts: []Text{
				{Value: "no_catalog_entry", Text: "in no catalog"}, {Value: "no_owner", Text: "service has no team"}, {Value: "archived", Text: "archived"},
			},
			Queries: []Query{{Name: "Repositories", Expr: unmappedByReason(), Legend: "{{reason}}"}},
		},
		{
			ID: 32, Title: "Which protection could not be read?", Look: Ranking, W: 8, H: 8, Unit: "none", Steps: []Step{below(unknown)},
			Means:  "Repositories, privileged or not, per check whose result is unknown: the token lacks a permission, or the repository could not be read.",
			Source: protectedRepositories + `{status="unknown"}.`, Act: "grant the permission that the exporter's check command names.",
			Empty: noneOrUnread, KeyTexts: checkTexts(),
			Queries: []Query{{Name: "Repositories", Expr: unreadChecks(), Legend: "{{check}}"}},
		},
		scanFreshness(),
		catalogDisputes(),
	}
}

func scanFreshness() Panel {
	return Panel{
		ID: 33, Title: "Was every repository scanned lately?", Look: Bars, W: 16, H: 8, Unit: "none", Steps: plain(),
		Means:  "Repositories by class of scan and by how fresh the last successful one is. No findings in a repository that was never scanned is no good news.",
		Source: scanRepositories + ", from what scanners say about their runs; policy.scan_max_age says what is current.",
		Act:    "stale: find out why the pipeline stopped; never: switch the scanner on; unknown: grant the permission or mend the source.",
		Empty:  "Scans were not read yet",
		Key:    "class", Share: true, Horizontal: true, Sort: []Sort{{"never scanned", true}, {"stale", true}},
		Queries: []Query{
			{Name: "current", Expr: scansByClass("current"), Colour: good},
			{Name: "stale", Expr: scansByClass("stale"), Colour: warning},
			{Name: "never scanned", Expr: scansByClass("never"), Colour: bad},
			{Name: "unknown", Expr: scansByClass("unknown"), Colour: unknown},
		},
	}
}

func catalogDisputes() Panel {
	return Panel{
		ID: 34, Title: "Where do catalogs disagree?", Look: Ranking, W: 8, H: 8, Unit: "none", Steps: noneBut(20),
		Means:  "Services of which two catalogs know a fact differently, by fact. Whole programme, not restricted by the choices above.",
		Source: catalogConflicts + "; the catalog that policy.catalog_precedence puts first counts.",
		Act:    "correct the catalog that is wrong, the owner and the tier first: they decide who is alerted and by when.",
		Empty:  "The catalogs were not read yet", KeyTexts: []Text{
			{Value: "business_unit", Text: "business unit"}, {Value: "team", Text: "team"}, {Value: "trust_tier", Text: "trust tier"},
			{Value: "product_area", Text: "product area"}, {Value: "lifecycle", Text: "lifecycle"}, {Value: "crown_jewel", Text: "crown jewel"},
			{Value: "internet_facing", Text: "internet-facing"}, {Value: "repositories", Text: "repositories"},
		},
		Queries: []Query{{Name: "Services", Expr: disputesByField(), Legend: "{{field}}"}},
	}
}
