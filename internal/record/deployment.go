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

// Change is one merged pull request that a deployment carried, or one commit that was pushed without one.
type Change struct {
	ID               string
	FirstCommitAt    time.Time
	OpenedAt         time.Time
	FirstReviewAt    time.Time
	ApprovedAt       time.Time
	MergedAt         time.Time
	SecurityReviewAt time.Time
	// SecurityReviewed is unknown when the evidence could not be read, and SecurityReviewAt is zero unless it is yes.
	SecurityReviewed Answer
}

// Deployment is one attempt to bring a commit to an environment.
type Deployment struct {
	ID          string
	Repository  RepositoryName
	Service     string
	Environment string
	// Production says whether the source tells that users are reached by it, whatever the environment is called; unknown where it does not.
	Production Answer
	Commit     string
	// Ref is the branch or tag that was deployed, as the source names it.
	Ref string
	// FromProtectedBranch says whether the commit was on a branch whose protection policy looks at; unknown if nobody could say.
	FromProtectedBranch Answer
	// Pipeline is the ID of the Pipeline that ran it, empty when it is not known.
	Pipeline  string
	Status    DeploymentStatus
	Approval  Approval
	CreatedAt time.Time
	// FinishedAt is when it succeeded or failed.
	FinishedAt time.Time
	// Rollback says whether it brought back an older commit.
	Rollback Answer
	// Changes are the pull requests, and the commits pushed without one, that it brought to the environment and no deployment before it did. A collector emits a finished
	// deployment only after its changes were looked for; ChangesKnown says whether they were all found.
	Changes      []Change
	ChangesKnown Answer
	// Evidence says what was found for what was deployed. A kind that is absent was not looked for.
	Evidence map[EvidenceKind]Answer
	// MissingPermission names what the credential lacks to answer what is unknown.
	MissingPermission string
	UpdatedAt         time.Time
}
