package record

import "time"

// Followup is an action that an incident left behind.
type Followup struct {
	ID         string
	Title      string
	URL        string
	Service    string
	Repository RepositoryName
	Incident   string
	CreatedAt  time.Time
	DueAt      time.Time
	ClosedAt   time.Time
	UpdatedAt  time.Time
}
