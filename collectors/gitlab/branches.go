package gitlab

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// noAccess is the access level "No one".
const noAccess = 0

// accessLevel is who may do something. A level that belongs to a user, a group or a deploy key names it beside the role.
type accessLevel struct {
	Level     *int   `json:"access_level"`
	User      *int64 `json:"user_id"`
	Group     *int64 `json:"group_id"`
	DeployKey *int64 `json:"deploy_key_id"`
}

// nobody reports whether no role, user, group or key is among the levels.
func nobody(levels []accessLevel) bool {
	return !slices.ContainsFunc(levels, func(l accessLevel) bool {
		return l.User != nil || l.Group != nil || l.DeployKey != nil || l.Level == nil || *l.Level != noAccess
	})
}

// protectedBranch is a rule for a branch, or for those that a wildcard matches.
type protectedBranch struct {
	Name           string        `json:"name"`
	Push           []accessLevel `json:"push_access_levels"`
	AllowForcePush *bool         `json:"allow_force_push"`
	CodeOwners     *bool         `json:"code_owner_approval_required"`
}

func (b *protectedBranch) matches(branch string) bool {
	if b.Name == branch {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(b.Name, "**", "*"), branch)
	// GitLab's wildcard crosses slashes, path.Match's does not.
	return err == nil && ok || strings.Contains(b.Name, "*") && wildcard(b.Name, branch)
}

// wildcard matches a pattern in which an asterisk stands for any text.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(text, parts[0]) || !strings.HasSuffix(text, parts[len(parts)-1]) {
		return false
	}
	rest := text[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return len(rest) >= len(parts[len(parts)-1])
}

// approvalRule is a rule for merge requests to a project.
type approvalRule struct {
	Type     string `json:"rule_type"`
	Required int    `json:"approvals_required"`
	AllOf    bool   `json:"applies_to_all_protected_branches"`
	Branches []struct {
		Name string `json:"name"`
	} `json:"protected_branches"`
}

// appliesTo reports whether the rule asks for approvals by people of every merge request to a branch.
func (r *approvalRule) appliesTo(branch string, protected bool) bool {
	switch {
	case r.Type == "code_owner" || r.Type == "report_approver":
		return false // of some changes alone
	case r.AllOf:
		return protected
	case len(r.Branches) == 0:
		return true
	default:
		return slices.ContainsFunc(r.Branches, func(b struct {
			Name string `json:"name"`
		}) bool {
			return (&protectedBranch{Name: b.Name}).matches(branch)
		})
	}
}

// approvalSettings are what merge requests of a project have in common.
type approvalSettings struct {
	ResetOnPush *bool `json:"reset_approvals_on_push"`
	ByAuthor    *bool `json:"merge_requests_author_approval"`
}

// mergeRules are what is asked of merge requests. A part that could not be read is not known.
type mergeRules struct {
	rules         []approvalRule
	rulesKnown    bool
	settings      approvalSettings
	unsigned      *bool
	permission    string
	pipelinesMust *bool
}

// readBranches reads the protection of the default branch and of release branches.
func (c *Collector) readBranches(ctx context.Context, p *posture) error {
	p.repository.Branches = []record.BranchProtection{}
	if p.DefaultBranch == "" {
		return nil // an empty project
	}
	var protected []protectedBranch
	unseen := ""
	err := c.api.list(ctx, numbered(p.ID, "protected_branches"), nil, func(raw json.RawMessage) error {
		b, err := translate.Decode[protectedBranch](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		protected = append(protected, *b)
		return nil
	})
	switch {
	case err == nil:
	case unread(err):
		unseen = asMaintainer
	default:
		return err
	}
	merge, err := c.readMergeRules(ctx, p)
	if err != nil {
		return err
	}
	names, err := c.branchNames(ctx, p)
	if err != nil {
		return err
	}
	for _, name := range names {
		b := record.BranchProtection{Branch: record.Text(name), Default: name == p.DefaultBranch, Approvals: record.ApprovalsUnknown, MissingPermission: unseen}
		if unseen == "" {
			effective(&b, protected, merge)
		}
		p.repository.Branches = append(p.repository.Branches, b)
	}
	return nil
}

// branchNames are the default branch and those that match release_branches.
func (c *Collector) branchNames(ctx context.Context, p *posture) ([]string, error) {
	names := []string{p.DefaultBranch}
	if len(c.config.ReleaseBranches) == 0 {
		return names, nil
	}
	err := c.api.list(ctx, numbered(p.ID, "repository/branches"), nil, func(raw json.RawMessage) error {
		b, err := translate.Decode[struct {
			Name string `json:"name"`
		}](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		if b.Name != p.DefaultBranch && slices.ContainsFunc(c.config.ReleaseBranches, func(pattern string) bool {
			ok, err := path.Match(pattern, b.Name)
			return err == nil && ok
		}) {
			names = append(names, b.Name)
		}
		return nil
	})
	if unread(err) {
		return names, nil
	}
	return names, err
}

// readMergeRules reads what is asked of merge requests: approvals and push rules are of the tier Premium, whose absence GitLab answers as it does a missing role.
func (c *Collector) readMergeRules(ctx context.Context, p *posture) (*mergeRules, error) {
	m := &mergeRules{pipelinesMust: p.PipelineMustSucceed}
	err := c.api.list(ctx, numbered(p.ID, "approval_rules"), url.Values{}, func(raw json.RawMessage) error {
		r, err := translate.Decode[approvalRule](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		m.rules = append(m.rules, *r)
		return nil
	})
	m.rulesKnown = err == nil
	var pushRule struct {
		RejectUnsigned *bool `json:"reject_unsigned_commits"`
	}
	_, settingsErr := c.api.get(ctx, numbered(p.ID, "approvals"), nil, &m.settings)
	_, pushErr := c.api.get(ctx, numbered(p.ID, "push_rule"), nil, &pushRule)
	m.unsigned = pushRule.RejectUnsigned
	for _, err := range []error{err, settingsErr, pushErr} {
		if err == nil {
			continue
		}
		if !unread(err) && !noRule(err) {
			return nil, err
		}
		m.permission = premiumOrRole
	}
	return m, nil
}

// noRule reports whether the answer is null, by which GitLab says that a project has no push rule.
func noRule(err error) bool {
	return record.ReasonOf(err) == record.ReasonDecode && strings.Contains(err.Error(), "it is null")
}

// effective judges one branch. Where several rules match, GitLab lets the most permissive one decide who may push, and any one demand the approval of code owners.
func effective(b *record.BranchProtection, protected []protectedBranch, m *mergeRules) {
	var rules []protectedBranch
	for _, rule := range protected {
		if rule.matches(b.Branch) {
			rules = append(rules, rule)
		}
	}
	b.MissingPermission = m.permission
	isProtected := len(rules) > 0
	onlyByMerge, forcePush, owners := record.AnswerOf(isProtected), record.AnswerOf(isProtected), record.AnswerNo
	for _, rule := range rules {
		onlyByMerge = onlyByMerge.And(record.AnswerOf(nobody(rule.Push)))
		if rule.AllowForcePush == nil {
			forcePush = forcePush.And(record.AnswerUnknown)
		} else {
			forcePush = forcePush.And(record.AnswerOf(!*rule.AllowForcePush))
		}
		if rule.CodeOwners != nil {
			owners = owners.Or(record.AnswerOf(*rule.CodeOwners))
		}
	}
	b.PullRequest, b.BypassLimited = onlyByMerge, onlyByMerge
	b.ForcePushBlocked, b.DeletionBlocked = forcePush, record.AnswerOf(isProtected)
	b.CodeOwnerReview = owners
	b.AdminsBound = onlyByMerge // "No one" is an access level that owners have, too
	b.RequiredDeployment = record.AnswerNo
	b.StatusChecks, b.StaleDismissal, b.SignedCommits = answer(m.pipelinesMust), answer(m.settings.ResetOnPush), answer(m.unsigned)
	b.Approvals = approvals(b.Branch, isProtected, m)
}

// approvals is how many people other than the author have to approve a merge request to a branch.
func approvals(branch string, protected bool, m *mergeRules) int {
	if !m.rulesKnown {
		return record.ApprovalsUnknown
	}
	most := 0
	for i := range m.rules {
		if m.rules[i].appliesTo(branch, protected) {
			most = max(most, m.rules[i].Required)
		}
	}
	if most > 0 && (m.settings.ByAuthor == nil || *m.settings.ByAuthor) {
		most-- // one of them may be the author's own
	}
	return most
}

func answer(flag *bool) record.Answer {
	if flag == nil {
		return record.AnswerUnknown
	}
	return record.AnswerOf(*flag)
}
