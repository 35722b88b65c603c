package record

import "time"

// BypassResult is what became of a push or merge that a rule was about. Source: GitHub's rule suites.
type BypassResult string

// The results. Only what was bypassed is emitted by default.
const (
	BypassBypassed BypassResult = "bypass"
	BypassFailed   BypassResult = "fail"
	BypassOther    BypassResult = "other"
)

// Bypass is a push or merge that bypassed a rule, or that a rule stopped.
type Bypass struct {
	ID         string
	Repository RepositoryName
	Service    string
	// Branch is the branch that was pushed to.
	Branch string
	Result BypassResult
	// Rules are the types of the rules that were passed by, e.g. "pull_request".
	Rules []string
	// At is when it was pushed.
	At time.Time
}
