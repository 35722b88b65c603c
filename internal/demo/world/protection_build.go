package world

func environmentsOf(tier string, n int) []Environment {
	production := Environment{Name: "production", Reviewers: 1, BranchPolicy: true, AdminsCanBypass: true}
	switch {
	case tier == "tier0":
		production.Reviewers, production.PreventSelfReview, production.AdminsCanBypass = 2, n%3 != 0, n%4 == 0
	case n%5 == 0:
		production = Environment{Name: "production", AdminsCanBypass: true} // anybody may deploy anything
	case n%7 == 0:
		production.BranchPolicy = false
	}
	return []Environment{{Name: "staging", AdminsCanBypass: true}, production}
}

// protect gives every repository its protection. Among the trusted ones each way to be protected on paper only occurs.
func (w *World) protect() {
	admins := []BypassActor{{ID: 5, Type: "RepositoryRole", Mode: "always"}}
	release := []BypassActor{{ID: 41, Type: "Team", Mode: "pull_request"}}
	var (
		baseline  = &Ruleset{ID: 9001, Name: "baseline", Enforcement: EnforcementActive, Organisation: true, Rules: pushesOnly}
		trusted   = &Ruleset{ID: 9002, Name: "trusted services", Enforcement: EnforcementActive, Organisation: true, Rules: strict}
		standard  = &Ruleset{ID: 9003, Name: "standard", Enforcement: EnforcementActive, Organisation: true, Rules: ordinary, Bypass: release}
		trial     = &Ruleset{ID: 9004, Name: "two approvals (trial)", Enforcement: EnforcementEvaluate, Organisation: true, Rules: strict}
		off       = &Ruleset{ID: 9005, Name: "trusted services (old)", Enforcement: EnforcementDisabled, Organisation: true, Rules: strict}
		unchecked = &Ruleset{ID: 9006, Name: "pull requests", Enforcement: EnforcementActive, Rules: nobodyApproves}
		leaky     = &Ruleset{ID: 9007, Name: "standard with bypass", Enforcement: EnforcementActive, Rules: ordinary, Bypass: admins}
	)
	onPaper := map[string]Protection{
		"card-vault":          {}, // nothing at all
		"deploy-controller":   {Rulesets: []*Ruleset{trial, baseline}},
		"warehouse-control":   {Rulesets: []*Ruleset{off}},
		"ledger-deploy":       {Rulesets: []*Ruleset{unchecked}},
		"access-policy":       {Classic: &strict},
		"identity-provider":   {Rulesets: []*Ruleset{trusted}},
		"payment-gateway":     {Rulesets: []*Ruleset{trusted}, Classic: &ordinary},
		"tokenisation":        {Rulesets: []*Ruleset{baseline}, Classic: &ordinary},
		"build-farm":          {Rulesets: []*Ruleset{leaky}},
		"artifact-registry":   {Classic: &nobodyApproves},
		"checkout-api-deploy": {Rulesets: []*Ruleset{trial}},
	}
	ordinaryWays := []choice[Protection]{
		{Protection{Rulesets: []*Ruleset{standard}}, 40}, {Protection{Classic: &ordinary}, 20},
		{Protection{Rulesets: []*Ruleset{baseline}, Classic: &ordinary}, 10}, {Protection{Rulesets: []*Ruleset{trusted}}, 12},
		{Protection{Rulesets: []*Ruleset{leaky}}, 4}, {Protection{Rulesets: []*Ruleset{unchecked}}, 5},
		{Protection{Rulesets: []*Ruleset{baseline}}, 4}, {Protection{Classic: &nobodyApproves}, 3}, {Protection{}, 2},
	}
	for _, r := range w.Repositories {
		paper, named := onPaper[r.Name]
		if !named {
			paper = draw(w.random("protection", r.FullName(), 0), ordinaryWays)
		}
		if r.Organisation == OrgLabs {
			paper = Protection{Classic: &ordinary, Hidden: true}
			switch r.Index % 4 {
			case 0:
				paper.Rulesets = []*Ruleset{standard}
			case 1:
				paper.Classic = nil // which the credential cannot know
			}
		}
		r.Protection = paper
	}
}

var (
	strict = BranchRules{
		PullRequest: true, Approvals: 2, CodeOwners: true, DismissStale: true, StatusChecks: []string{"build", "test", "codeql"},
		BlockForcePush: true, BlockDeletion: true, Signatures: true, IncludingAdmins: true,
	}
	ordinary = BranchRules{
		PullRequest: true, Approvals: 1, StatusChecks: []string{"build", "test"}, BlockForcePush: true, BlockDeletion: true, DismissStale: true,
	}
	nobodyApproves = BranchRules{PullRequest: true, StatusChecks: []string{"build"}, BlockForcePush: true, BlockDeletion: true}
	pushesOnly     = BranchRules{BlockForcePush: true, BlockDeletion: true}
)
