package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// Check is one aspect of branch or environment protection; it is the label "check".
type Check string

// The branch checks.
const (
	CheckPullRequest      Check = "pull_request"
	CheckApprovals        Check = "approvals"
	CheckCodeOwnerReview  Check = "code_owner_review"
	CheckStaleDismissal   Check = "stale_dismissal"
	CheckStatusChecks     Check = "status_checks"
	CheckForcePushBlocked Check = "force_push_blocked"
	CheckDeletionBlocked  Check = "deletion_blocked"
	CheckAdminsBound      Check = "admins_bound"
	CheckBypassLimited    Check = "bypass_limited"
	CheckSignedCommits    Check = "signed_commits"
)

// The environment checks; CheckAdminsBound is one, too.
const (
	CheckRequiredReviewers   Check = "required_reviewers"
	CheckSelfReviewPrevented Check = "self_review_prevented"
	CheckBranchPolicy        Check = "branch_policy"
)

// CheckRequired is the check that passes when every check that policy requires passes.
const CheckRequired Check = "required"

// BranchChecks lists the checks of scope "branch", without CheckRequired.
func BranchChecks() []Check {
	return []Check{
		CheckPullRequest, CheckApprovals, CheckCodeOwnerReview, CheckStaleDismissal, CheckStatusChecks, CheckForcePushBlocked,
		CheckDeletionBlocked, CheckAdminsBound, CheckBypassLimited, CheckSignedCommits,
	}
}

// EnvironmentChecks lists the checks of scope "environment", without CheckRequired.
func EnvironmentChecks() []Check {
	return []Check{CheckRequiredReviewers, CheckSelfReviewPrevented, CheckBranchPolicy, CheckAdminsBound}
}

// Status is the result of a check or a control; it is the label "status".
type Status string

// The results.
const (
	StatusPass    Status = "pass"
	StatusFail    Status = "fail"
	StatusUnknown Status = "unknown"
	StatusExempt  Status = "exempt"
)

// Statuses lists the results.
func Statuses() []Status { return []Status{StatusPass, StatusFail, StatusUnknown, StatusExempt} }

// StatusOf turns an answer into a result.
func StatusOf(a record.Answer) Status {
	switch a {
	case record.AnswerYes:
		return StatusPass
	case record.AnswerNo:
		return StatusFail
	case record.AnswerUnknown:
		return StatusUnknown
	default:
		return StatusUnknown
	}
}

func (p *Policy) compileProtection(fail failFunc) {
	c := p.config.Protection
	p.checkTiers("protection.privileged.trust_tiers", c.Privileged.TrustTiers, fail)
	if len(c.Required) == 0 {
		fail("protection.required", "name at least one check, else every branch counts as protected")
	}
	for i, check := range c.Required {
		if !slices.Contains(BranchChecks(), check) {
			fail(fmt.Sprintf("protection.required[%d]", i), "%q is not one of %v", check, BranchChecks())
		}
	}
	for i, check := range c.RequiredEnvironment {
		if !slices.Contains(EnvironmentChecks(), check) {
			fail(fmt.Sprintf("protection.required_environment[%d]", i), "%q is not one of %v", check, EnvironmentChecks())
		}
	}
	if c.Approvals < 1 {
		fail("protection.approvals", "%d required approvals protect nothing; use at least 1", c.Approvals)
	}
	checkPatterns("protection.production_environments", c.ProductionEnvironments, fail)
	checkPatterns("protection.privileged.repositories", c.Privileged.Repositories, fail)
}

func checkPatterns(key string, patterns []string, fail failFunc) {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			fail(key, "%q is not a glob pattern", pattern)
		}
	}
}

// Branch is the result of one branch check under the policy.
func (p *Policy) Branch(b *record.BranchProtection, check Check) Status {
	if check == CheckRequired {
		return all(p.config.Protection.Required, func(c Check) Status { return p.Branch(b, c) })
	}
	return StatusOf(p.branchAnswer(b, check))
}

func (p *Policy) branchAnswer(b *record.BranchProtection, check Check) record.Answer {
	switch check {
	case CheckPullRequest:
		return b.PullRequest
	case CheckApprovals:
		if b.Approvals == record.ApprovalsUnknown {
			return record.AnswerUnknown
		}
		return record.AnswerOf(b.Approvals >= p.config.Protection.Approvals)
	case CheckCodeOwnerReview:
		return b.CodeOwnerReview
	case CheckStaleDismissal:
		return b.StaleDismissal
	case CheckStatusChecks:
		return b.StatusChecks
	case CheckForcePushBlocked:
		return b.ForcePushBlocked
	case CheckDeletionBlocked:
		return b.DeletionBlocked
	case CheckAdminsBound:
		return b.AdminsBound
	case CheckBypassLimited:
		return b.BypassLimited
	case CheckSignedCommits:
		return b.SignedCommits
	default:
		return record.AnswerUnknown
	}
}

// Environment is the result of one environment check under the policy.
func (p *Policy) Environment(e *record.EnvironmentProtection, check Check) Status {
	switch check {
	case CheckRequired:
		return all(p.config.Protection.RequiredEnvironment, func(c Check) Status { return p.Environment(e, c) })
	case CheckRequiredReviewers:
		return StatusOf(e.RequiredReviewers)
	case CheckSelfReviewPrevented:
		return StatusOf(e.SelfReviewPrevented)
	case CheckBranchPolicy:
		return StatusOf(e.BranchPolicy)
	case CheckAdminsBound:
		return StatusOf(e.AdminsBound)
	default:
		return StatusUnknown
	}
}

// all is fail if one fails, else unknown if one is unknown, else pass.
func all(checks []Check, result func(Check) Status) Status {
	status := StatusPass
	for _, c := range checks {
		switch result(c) {
		case StatusFail:
			return StatusFail
		case StatusUnknown:
			status = StatusUnknown
		case StatusPass, StatusExempt:
		}
	}
	return status
}

// Worst is the result for several branches or environments: fail if one fails, else unknown if one is unknown, else pass.
// None at all is unknown.
func Worst(statuses ...Status) Status {
	if len(statuses) == 0 {
		return StatusUnknown
	}
	worst := StatusPass
	for _, s := range statuses {
		if s == StatusFail {
			return StatusFail
		}
		if s == StatusUnknown {
			worst = StatusUnknown
		}
	}
	return worst
}

// Production reports whether an environment's name is that of a production environment. Source hosts do not tell cases apart.
func (p *Policy) Production(environment string) bool {
	environment = strings.ToLower(environment)
	return slices.ContainsFunc(p.config.Protection.ProductionEnvironments, func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), environment)
		return err == nil && ok
	})
}

// ProductionDeployment reports whether a deployment reached production: by the name of its environment, or because the source says so.
func (p *Policy) ProductionDeployment(d *record.Deployment) bool {
	return d.Production == record.AnswerYes || p.Production(d.Environment)
}

// Privileged reports whether a repository is privileged, given the trust tiers of the services in it.
func (p *Policy) Privileged(r *record.Repository, tiers ...string) bool {
	c := p.config.Protection.Privileged
	return slices.ContainsFunc(tiers, func(t string) bool { return slices.Contains(c.TrustTiers, t) }) ||
		slices.ContainsFunc(r.Topics, func(t string) bool { return slices.Contains(c.Topics, t) }) ||
		slices.ContainsFunc(c.Repositories, func(pattern string) bool { return glob(pattern, r.Name) })
}
