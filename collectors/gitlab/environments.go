package gitlab

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// environment is a deployment environment of a project.
type environment struct {
	Name string `json:"name"`
	// Tier is GitLab's own guess or the project's word: production, staging, testing, development or other.
	Tier string `json:"tier"`
}

// productionTier is the deployment tier of what users reach.
const productionTier = "production"

// name is the environment's name in records. Policy tells production by name, GitLab by tier: what is production by its tier and not by its name is named production-NAME.
func (e *environment) name() string {
	if e.Tier == productionTier && !strings.HasPrefix(strings.ToLower(e.Name), "prod") {
		return record.Text(productionTier + "-" + strings.ReplaceAll(e.Name, "/", "-"))
	}
	return record.Text(e.Name)
}

// protectedEnvironment is the protection of an environment by name, or, of a group, of a tier.
type protectedEnvironment struct {
	Name     string `json:"name"`
	Required int    `json:"required_approval_count"`
	Rules    []struct {
		Required int `json:"required_approvals"`
	} `json:"approval_rules"`
}

func (p *protectedEnvironment) approves() bool {
	if p.Required > 0 {
		return true
	}
	for _, r := range p.Rules {
		if r.Required > 0 {
			return true
		}
	}
	return false
}

// readEnvironments reads the environments of a project and who may deploy to them.
func (c *Collector) readEnvironments(ctx context.Context, p *posture) error {
	var environments []environment
	err := c.api.list(ctx, numbered(p.ID, "environments"), url.Values{"states": {"available"}}, func(raw json.RawMessage) error {
		e, err := translate.Decode[environment](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		environments = append(environments, *e)
		return nil
	})
	switch {
	case unread(err):
		return nil // nothing is said of environments
	case err != nil:
		return err
	}
	protections, permission, err := c.readProtectedEnvironments(ctx, numbered(p.ID, "protected_environments"), premiumOrRole)
	if err != nil {
		return err
	}
	above, permissionAbove, err := p.around.protectedTiers(ctx, p.Path)
	if err != nil {
		return err
	}
	permission = cmp.Or(permission, permissionAbove)
	p.repository.Environments = []record.EnvironmentProtection{}
	seen := map[string]bool{}
	for i := range environments {
		e := &environments[i]
		if name := e.name(); !seen[name] {
			seen[name] = true
			rules := []*protectedEnvironment{protections[e.Name]}
			for _, group := range above {
				rules = append(rules, group[e.Tier])
			}
			p.repository.Environments = append(p.repository.Environments, protection(e, rules, permission, p.project))
		}
	}
	return nil
}

// readProtectedEnvironments reads a list of protected environments: a project's by name, or a group's by tier. Where it is refused, permission is what is missing.
func (c *Collector) readProtectedEnvironments(ctx context.Context, path, needed string) (protections map[string]*protectedEnvironment, permission string, err error) {
	protections = map[string]*protectedEnvironment{}
	err = c.api.list(ctx, path, nil, func(raw json.RawMessage) error {
		e, err := translate.Decode[protectedEnvironment](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		protections[e.Name] = e
		return nil
	})
	if unread(err) {
		return nil, needed, nil
	}
	return protections, "", err
}

// protection says what protects an environment: the project's rule for it and those of the groups above for its tier, which all have to be met. Where some of them could not be
// read, the others may say yes and none can say no. GitLab limits who may deploy and not from which branch, so that a branch policy there is none.
func protection(e *environment, rules []*protectedEnvironment, permission string, p *project) record.EnvironmentProtection {
	r := record.EnvironmentProtection{Environment: e.name(), MissingPermission: permission, BranchPolicy: record.AnswerNo}
	missing := record.AnswerNo
	if permission != "" {
		missing = record.AnswerUnknown
	}
	protected, approved := missing, missing
	for _, rule := range rules {
		if rule != nil {
			protected = record.AnswerYes
			approved = approved.Or(record.AnswerOf(rule.approves()))
		}
	}
	r.RequiredReviewers, r.AdminsBound = approved, protected
	if approved == record.AnswerYes {
		r.MissingPermission = "" // what could not be read could only ask for more
	}
	switch {
	case protected != record.AnswerYes:
		r.SelfReviewPrevented = protected
	case p.TriggererApproves != nil:
		r.SelfReviewPrevented = record.AnswerOf(!*p.TriggererApproves)
	}
	return r
}
