package world

// Enforcement is what a ruleset does when it is violated, in GitHub's words.
type Enforcement string

// The enforcements.
const (
	EnforcementActive   Enforcement = "active"
	EnforcementEvaluate Enforcement = "evaluate"
	EnforcementDisabled Enforcement = "disabled"
)

// Ruleset is a named set of rules for default branches.
type Ruleset struct {
	ID          int64
	Name        string
	Enforcement Enforcement
	// Organisation says that it is defined there and not in the repository.
	Organisation bool
	Rules        BranchRules
	// Bypass lists who may ignore it.
	Bypass []BypassActor
}

// BypassActor may ignore a ruleset, always or in pull requests only.
type BypassActor struct {
	ID   int64
	Type string
	Mode string
}

// BranchRules are what a ruleset or a classic protection demands of a branch.
type BranchRules struct {
	PullRequest     bool
	Approvals       int
	CodeOwners      bool
	DismissStale    bool
	StatusChecks    []string
	BlockForcePush  bool
	BlockDeletion   bool
	Signatures      bool
	IncludingAdmins bool // classic only
}

// Protection is how the default branch of a repository is protected, on paper.
type Protection struct {
	// Classic is nil when there is none.
	Classic *BranchRules
	// Hidden says that the credential may not read Classic ("Resource not accessible").
	Hidden   bool
	Rulesets []*Ruleset
}

// Environment is a deployment environment and its protection.
type Environment struct {
	Name               string
	Reviewers          int
	PreventSelfReview  bool
	BranchPolicy       bool
	AdminsCanBypass    bool
	WaitTimerInMinutes int
}
