package policy

import (
	"time"

	"prodsec_exporter/internal/record"
)

// DORAConfig says what the four measures of delivery count.
type DORAConfig struct {
	// LateReviewRatio is the last part of a change's lead time, in 0–1, in which a security review is late.
	LateReviewRatio float64 `yaml:"late_review_ratio" json:"late_review_ratio"`
	// FailureWindow is how long after a deployment an incident or a rollback is attributed to it.
	FailureWindow Duration `yaml:"failure_window" json:"failure_window"`
	// FailedDeployments says whether a deployment that did not succeed is a change that failed.
	FailedDeployments FailedDeployments `yaml:"failed_deployments" json:"failed_deployments"`
}

// FailedDeployments says what a deployment that did not succeed counts as.
type FailedDeployments string

// The ways to count it.
const (
	// FailedDeploymentsCount: as a change that failed.
	FailedDeploymentsCount FailedDeployments = "count"
	// FailedDeploymentsLeaveOut: as no change, because it never reached users (a canary or a health check stopped it).
	FailedDeploymentsLeaveOut FailedDeployments = "leave_out"
)

func defaultDORA() DORAConfig {
	return DORAConfig{LateReviewRatio: 0.25, FailureWindow: Duration(30 * Day), FailedDeployments: FailedDeploymentsCount}
}

func (p *Policy) checkDORA(fail failFunc) {
	c := p.config.DORA
	if c.LateReviewRatio < 0 || c.LateReviewRatio > 1 {
		fail("dora.late_review_ratio", "%v is not between 0 and 1", c.LateReviewRatio)
	}
	if c.FailureWindow <= 0 {
		fail("dora.failure_window", "must be longer than 0")
	}
	if c.FailedDeployments != FailedDeploymentsCount && c.FailedDeployments != FailedDeploymentsLeaveOut {
		fail("dora.failed_deployments", "%q is neither count nor leave_out", c.FailedDeployments)
	}
}

// FailureWindow is how long after a deployment an incident or a rollback is attributed to it; exactly that long counts.
func (p *Policy) FailureWindow() time.Duration { return p.config.DORA.FailureWindow.Std() }

// IsChange reports whether a production deployment that ended is a change: it brought back no older commit and, where policy leaves out those that did not
// succeed, it did.
func (p *Policy) IsChange(d *record.Deployment) bool {
	return d.Rollback != record.AnswerYes && (d.Status != record.DeploymentFailed || p.config.DORA.FailedDeployments != FailedDeploymentsLeaveOut)
}

// LeadTime is the time from a change's first commit until it is live. It cannot be told, and ok is false, when the date of the commit
// is not known or lies after: a clock was wrong, and no number is better than a flattering one.
func (p *Policy) LeadTime(c *record.Change, live time.Time) (lead time.Duration, ok bool) {
	if c.FirstCommitAt.IsZero() || live.IsZero() || c.FirstCommitAt.After(live) {
		return 0, false
	}
	return live.Sub(c.FirstCommitAt), true
}

// Carries reports whether the changes of a deployment can be told: it went well, brought back no older commit, and all its changes were
// found. The first deployment of an old repository and one after a gap carry what nobody can tell.
func (p *Policy) Carries(d *record.Deployment) bool {
	return d.Status == record.DeploymentSucceeded && d.Rollback != record.AnswerYes && d.ChangesKnown == record.AnswerYes
}

// SecurityReviews lists when security can have looked at a change.
func SecurityReviews() []record.SecurityReview {
	return []record.SecurityReview{record.SecurityReviewEarly, record.SecurityReviewLate, record.SecurityReviewNone, record.SecurityReviewUnknown}
}

// SecurityReview says when security looked at a change that went live. It is late if it came after the approval, which it cannot have
// informed, or in the last part of the lead time, where what it finds delays the release; early if before; none if nobody looked before the
// change was live; unknown if that or its date cannot be told.
func (p *Policy) SecurityReview(c *record.Change, live time.Time) record.SecurityReview {
	at := c.SecurityReviewAt
	switch {
	case c.SecurityReviewed == record.AnswerNo:
		return record.SecurityReviewNone
	case c.SecurityReviewed != record.AnswerYes || at.IsZero():
		return record.SecurityReviewUnknown
	case at.After(live):
		return record.SecurityReviewNone
	case !c.ApprovedAt.IsZero() && at.After(c.ApprovedAt):
		return record.SecurityReviewLate
	}
	lead, ok := p.LeadTime(c, live)
	if !ok {
		return record.SecurityReviewUnknown
	}
	last := time.Duration(float64(lead) * p.config.DORA.LateReviewRatio)
	if at.After(live.Add(-last)) {
		return record.SecurityReviewLate
	}
	return record.SecurityReviewEarly
}

// FailureCause is the label "cause" of prodsec_change_failures_total.
type FailureCause string

// The causes of change failures.
const (
	CauseControlGap FailureCause = "control_gap"
	CauseOther      FailureCause = "other"
	CauseUnknown    FailureCause = "unknown"
)

// FailureCauses lists the causes.
func FailureCauses() []FailureCause { return []FailureCause{CauseControlGap, CauseOther, CauseUnknown} }

// Cause is the cause of a change failure, given what is said of every incident behind it: an avoidable control gap if one says so, else other
// if one rules it out.
func (p *Policy) Cause(controlGap ...record.Answer) FailureCause {
	cause := CauseUnknown
	for _, gap := range controlGap {
		switch gap {
		case record.AnswerYes:
			return CauseControlGap
		case record.AnswerNo:
			cause = CauseOther
		case record.AnswerUnknown:
		}
	}
	return cause
}
