package record

import "time"

// Evidence is a dated statement that a control does or does not hold somewhere.
type Evidence struct {
	ID string
	// Control is the control's name in the policy.
	Control string
	// Service or Repository is what the evidence is about.
	Service    string
	Repository RepositoryName
	Holds      Answer
	// ProducedAt is when the evidence was produced, not when it was read.
	ProducedAt time.Time
	Source     string
	URL        string
}
