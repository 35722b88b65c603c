package record

import "time"

// ReviewKind says what is reviewed.
type ReviewKind string

// The kinds of review.
const (
	ReviewThreatModel ReviewKind = "threat_model"
	ReviewDesign      ReviewKind = "design"
	ReviewCode        ReviewKind = "code"
	ReviewOther       ReviewKind = "other"
)

// ReviewState is where a review stands.
type ReviewState string

// The states of a review.
const (
	ReviewWaiting    ReviewState = "waiting"
	ReviewInProgress ReviewState = "in_progress"
	ReviewBlocked    ReviewState = "blocked"
	ReviewDone       ReviewState = "done"
)

// Review is a request to the security function to look at something.
type Review struct {
	ID          string
	Kind        ReviewKind
	State       ReviewState
	Title       string
	URL         string
	Service     string
	Repository  RepositoryName
	RequestedAt time.Time
	// FirstResponseAt is the first answer by a responder who is neither the requester nor a bot; zero while waiting.
	FirstResponseAt time.Time
	ClosedAt        time.Time
	UpdatedAt       time.Time
	// Response is the time to the first response by the source's own clock; nil where the source has none, and the calendar of the policy
	// measures.
	Response *Clock
}

// Clock is what a source's own clock has measured, e.g. that of an SLA of Jira Service Management, which leaves out pauses and the hours in which
// nobody works.
type Clock struct {
	// Elapsed is what it showed at AsOf.
	Elapsed time.Duration
	AsOf    time.Time
	// Running says that it goes on; else it is paused or has stopped.
	Running bool
}
