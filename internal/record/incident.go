package record

import "time"

// Incident is a degradation of a service that had to be restored.
type Incident struct {
	ID             string
	Title          string
	URL            string
	Service        string
	Repository     RepositoryName
	OpenedAt       time.Time
	RestoredAt     time.Time
	SecurityImpact Answer
	// ControlGap says whether an avoidable gap in a control caused it.
	ControlGap Answer
	UpdatedAt  time.Time
}
