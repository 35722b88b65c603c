package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// EnvironmentsPermission is what reading environments by REST needs.
const EnvironmentsPermission = "actions=read"

// Environment is a deployment environment as REST shows it.
type Environment struct {
	Name            string `json:"name"`
	AdminsCanBypass *bool  `json:"can_admins_bypass"`
	Rules           []struct {
		Type              string            `json:"type"`
		WaitMinutes       int               `json:"wait_timer"`
		PreventSelfReview *bool             `json:"prevent_self_review"`
		Reviewers         []json.RawMessage `json:"reviewers"`
	} `json:"protection_rules"`
	// BranchPolicy is null where any branch may be deployed.
	BranchPolicy *struct {
		// Protected says that protected branches alone may be deployed, Custom that branches are named by patterns.
		Protected bool `json:"protected_branches"`
		Custom    bool `json:"custom_branch_policies"`
	} `json:"deployment_branch_policy"`
	// UpdatedAt is since when its rules are what they are.
	UpdatedAt api.Timestamp `json:"updated_at"`
}

// Environments reads the environments of a repository.
func (c *Inventory) Environments(ctx context.Context, fullName string) ([]Environment, error) {
	list := []Environment{}
	err := apiclient.Walk(ctx, api.MaxPages, func(ctx context.Context, cursor string) (string, error) {
		var page struct {
			Environments []Environment `json:"environments"`
		}
		resp, err := c.API.Get(ctx, cmp.Or(cursor, "repos/"+api.EscapeName(fullName)+"/environments?per_page="+api.PageSize), &page)
		if err != nil {
			return "", err
		}
		list = append(list, page.Environments...)
		return resp.Next, nil
	})
	return list, err
}

// UnprotectedEnvironment is an environment without rules. Where nobody need review, nobody is kept from reviewing their own.
func UnprotectedEnvironment(name string) record.EnvironmentProtection {
	return record.EnvironmentProtection{
		Environment: record.Text(name), RequiredReviewers: record.AnswerNo, SelfReviewPrevented: record.AnswerNo, BranchPolicy: record.AnswerNo,
	}
}

// Protection is how an environment is protected, as far as the list of environments says: which branches a policy lets in is asked apart.
func (c *Inventory) Protection(e *Environment) record.EnvironmentProtection {
	p := UnprotectedEnvironment(e.Name)
	if e.BranchPolicy != nil {
		p.BranchPolicy = record.AnswerUnknown
	}
	if e.AdminsCanBypass != nil {
		p.AdminsBound = record.AnswerOf(!*e.AdminsCanBypass)
	}
	for _, rule := range e.Rules {
		switch rule.Type {
		case "required_reviewers":
			p.RequiredReviewers = record.AnswerOf(len(rule.Reviewers) > 0)
			p.SelfReviewPrevented = p.RequiredReviewers.And(record.AnswerOf(rule.PreventSelfReview != nil && *rule.PreventSelfReview))
		case "wait_timer":
			p.WaitTimer = time.Duration(max(0, rule.WaitMinutes)) * time.Minute
		case "branch_policy":
		default:
			// Rules of Apps ask somebody else, and are not reviews by people.
			c.UnknownValue("environment protection rule", rule.Type)
		}
	}
	return p
}

// PreventsSelfReview reports whether who started a deployment cannot approve it.
func (e *Environment) PreventsSelfReview() bool {
	for _, rule := range e.Rules {
		if rule.Type == "required_reviewers" && rule.PreventSelfReview != nil && *rule.PreventSelfReview {
			return true
		}
	}
	return false
}
