package record

import "time"

// DeploymentStatus is how a deployment ended.
type DeploymentStatus string

// The statuses of a deployment.
const (
	DeploymentPending   DeploymentStatus = "pending"
	DeploymentSucceeded DeploymentStatus = "succeeded"
	DeploymentFailed    DeploymentStatus = "failed"
	DeploymentOther     DeploymentStatus = "other"
)

// Approval is how a deployment passed release control.
type Approval string

// The approvals.
const (
	ApprovalApproved Approval = "approved"
	ApprovalBypassed Approval = "bypassed"
	ApprovalNone     Approval = "none"
	ApprovalUnknown  Approval = "unknown"
)

// SecurityReview says when a change met its security review.
type SecurityReview string

// When security looked at a change.
const (
	SecurityReviewEarly   SecurityReview = "early"
	SecurityReviewLate    SecurityReview = "late"
	SecurityReviewNone    SecurityReview = "none"
	SecurityReviewUnknown SecurityReview = "unknown"
)

// Change is one merged pull request that a deployment carried.
type Change struct {
	ID               string
	FirstCommitAt    time.Time
	OpenedAt         time.Time
	FirstReviewAt    time.Time
	ApprovedAt       time.Time
	MergedAt         time.Time
	SecurityReviewAt time.Time
	// SecurityReviewed is unknown when the evidence could not be read.
	SecurityReviewed Answer
}

// Deployment is one attempt to bring a commit to an environment.
type Deployment struct {
	ID          string
	Repository  RepositoryName
	Service     string
	Environment string
	Commit      string
	Status      DeploymentStatus
	Approval    Approval
	CreatedAt   time.Time
	// FinishedAt is when it succeeded or failed.
	FinishedAt time.Time
	// Rollback says whether it brought back an older commit.
	Rollback  Answer
	Changes   []Change
	UpdatedAt time.Time
}
