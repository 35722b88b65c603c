package record

import "time"

// EscalationKind is how risk collided with delivery.
type EscalationKind string

// The kinds of escalation.
const (
	EscalationReleaseBlock EscalationKind = "release_block"
	EscalationUrgent       EscalationKind = "urgent"
)

// Escalation is a release that was blocked or an urgent call for a decision.
type Escalation struct {
	ID         string
	Kind       EscalationKind
	Reason     string
	Title      string
	URL        string
	Service    string
	Repository RepositoryName
	RaisedAt   time.Time
	ClosedAt   time.Time
	UpdatedAt  time.Time
}
