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
}
