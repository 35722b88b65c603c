package protection

import (
	"context"
	"slices"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// branchRef is a branch and the three views GitHub gives of its protection.
type branchRef struct {
	Name    string         `json:"name"`
	Update  *updateRule    `json:"refUpdateRule"`
	Classic *classicRule   `json:"branchProtectionRule"`
	Rules   ruleConnection `json:"rules"`
}

// protected reports whether classic protection or an active ruleset is seen to protect the branch.
func (r *branchRef) protected() bool {
	return r.Classic != nil || r.Update != nil || slices.ContainsFunc(r.Rules.Nodes, func(one rule) bool {
		return one.Ruleset != nil && one.Ruleset.Enforcement == "ACTIVE"
	})
}

// updateRule is what everybody may see of classic protection.
type updateRule struct {
	Approvals        *int     `json:"requiredApprovingReviewCount"`
	CodeOwnerReviews bool     `json:"requiresCodeOwnerReviews"`
	Signatures       bool     `json:"requiresSignatures"`
	StatusChecks     []string `json:"requiredStatusCheckContexts"`
	AllowsForcePush  bool     `json:"allowsForcePushes"`
	AllowsDeletion   bool     `json:"allowsDeletions"`
}

// classicRule is classic branch protection.
type classicRule struct {
	AdminEnforced    bool       `json:"isAdminEnforced"`
	ApprovingReviews bool       `json:"requiresApprovingReviews"`
	Approvals        *int       `json:"requiredApprovingReviewCount"`
	CodeOwnerReviews bool       `json:"requiresCodeOwnerReviews"`
	DismissesStale   bool       `json:"dismissesStaleReviews"`
	CommitSignatures bool       `json:"requiresCommitSignatures"`
	StatusChecks     bool       `json:"requiresStatusChecks"`
	Checks           []struct{} `json:"requiredStatusChecks"`
	Deployments      bool       `json:"requiresDeployments"`
	Environments     []string   `json:"requiredDeploymentEnvironments"`
	AllowsForcePush  bool       `json:"allowsForcePushes"`
	AllowsDeletion   bool       `json:"allowsDeletions"`
	Locked           bool       `json:"lockBranch"`
	Bypass           *struct {
		TotalCount int `json:"totalCount"`
	} `json:"bypassPullRequestAllowances"`
}

type ruleConnection struct {
	TotalCount int    `json:"totalCount"`
	Nodes      []rule `json:"nodes"`
}

// rule is one rule of a ruleset.
type rule struct {
	Type    string `json:"type"`
	Ruleset *struct {
		ID          int64  `json:"databaseId"`
		Enforcement string `json:"enforcement"`
	} `json:"repositoryRuleset"`
	Parameters struct {
		Approvals       int        `json:"requiredApprovingReviewCount"`
		CodeOwnerReview bool       `json:"requireCodeOwnerReview"`
		DismissStale    bool       `json:"dismissStaleReviewsOnPush"`
		Checks          []struct{} `json:"requiredStatusChecks"`
		Environments    []string   `json:"requiredDeploymentEnvironments"`
	} `json:"parameters"`
}

// Permissions that the unknown sources of an answer lack.
const (
	classicPermission = "administration=read"
	rulesPermission   = "metadata=read"
)

// source is what one source of protection says: classic protection, or one ruleset. Effective protection is the union of sources.
type source struct {
	pullRequest, codeOwnerReview, staleDismissal, statusChecks, forcePush, deletion, signed, deployment record.Answer
	approvals                                                                                           int
	// adminsBound and bypassLimited say who may pass by the source.
	adminsBound, bypassLimited record.Answer
	permission                 string
}

// unprotected is the source that protects nothing, for sure.
func unprotected() source {
	no := record.AnswerNo
	return source{
		pullRequest: no, codeOwnerReview: no, staleDismissal: no, statusChecks: no, forcePush: no, deletion: no, signed: no, deployment: no,
		adminsBound: no, bypassLimited: no,
	}
}

// unreadable is a source about which nothing is known but what would have let us read it.
func unreadable(permission string) source {
	return source{approvals: record.ApprovalsUnknown, permission: permission}
}

// protection is the effective protection of a branch of a repository.
func (w *protectionWalk) protection(ctx context.Context, node *api.RepositoryNode, ref *branchRef) (record.BranchProtection, error) {
	sources := ref.classicSources(node.Hidden)
	rulesets, err := w.rulesetSources(ctx, node, ref.Rules)
	if err != nil {
		return record.BranchProtection{}, err
	}
	sources = append(sources, rulesets...)
	return union(record.Text(ref.Name), sources), nil
}

// union joins sources. The branch is protected from something when one source protects it. Who may pass by is asked of the sources that require pull requests,
// because to push past review one must pass by each of these; where there is none, of all sources.
func union(branch string, sources []source) record.BranchProtection {
	u := unprotected()
	for _, p := range sources {
		u.pullRequest = u.pullRequest.Or(p.pullRequest)
		u.codeOwnerReview = u.codeOwnerReview.Or(p.codeOwnerReview)
		u.staleDismissal = u.staleDismissal.Or(p.staleDismissal)
		u.statusChecks = u.statusChecks.Or(p.statusChecks)
		u.forcePush = u.forcePush.Or(p.forcePush)
		u.deletion = u.deletion.Or(p.deletion)
		u.signed = u.signed.Or(p.signed)
		u.deployment = u.deployment.Or(p.deployment)
		u.approvals = mostApprovals(u.approvals, p.approvals)
		if u.permission == "" {
			u.permission = p.permission
		}
	}
	for _, p := range sources {
		if u.pullRequest == record.AnswerYes && p.pullRequest == record.AnswerNo {
			continue
		}
		u.adminsBound = u.adminsBound.Or(p.adminsBound)
		u.bypassLimited = u.bypassLimited.Or(p.bypassLimited)
	}
	b := record.BranchProtection{
		Branch: branch, PullRequest: u.pullRequest, Approvals: u.approvals, CodeOwnerReview: u.codeOwnerReview,
		StaleDismissal: u.staleDismissal, StatusChecks: u.statusChecks, ForcePushBlocked: u.forcePush, DeletionBlocked: u.deletion,
		AdminsBound: u.adminsBound, BypassLimited: u.bypassLimited, SignedCommits: u.signed, RequiredDeployment: u.deployment,
	}
	if b.Approvals == record.ApprovalsUnknown || slices.Contains([]record.Answer{
		u.pullRequest, u.codeOwnerReview, u.staleDismissal, u.statusChecks, u.forcePush, u.deletion, u.adminsBound, u.bypassLimited, u.signed,
		u.deployment,
	}, record.AnswerUnknown) {
		b.MissingPermission = u.permission
	}
	return b
}

// mostApprovals is the larger number; an unknown one may be larger than none, and any known number is a bound from below.
func mostApprovals(a, b int) int {
	switch {
	case a > 0 || b > 0:
		return max(a, b)
	case a == record.ApprovalsUnknown || b == record.ApprovalsUnknown:
		return record.ApprovalsUnknown
	default:
		return 0
	}
}

// classicSources is classic protection: nothing when the branch has none, and unknown where it is hidden.
func (r *branchRef) classicSources(hidden []string) []source {
	switch {
	case slices.Contains(hidden, api.Everything):
		return []source{unreadable(classicPermission)}
	case r.Classic != nil && !slices.Contains(hidden, "branchProtectionRule"):
		return []source{r.Classic.source()}
	// Without administration rights GitHub hides the rule, with an error or with null, and shows this much of it.
	case r.Update != nil:
		return []source{r.Update.source()}
	case slices.Contains(hidden, "branchProtectionRule"):
		return []source{unreadable(classicPermission)}
	default:
		return nil
	}
}

func (r *classicRule) source() source {
	p := source{
		pullRequest:     record.AnswerOf(r.ApprovingReviews),
		codeOwnerReview: record.AnswerOf(r.ApprovingReviews && r.CodeOwnerReviews),
		staleDismissal:  record.AnswerOf(r.ApprovingReviews && r.DismissesStale),
		statusChecks:    record.AnswerOf(r.StatusChecks && len(r.Checks) > 0),
		forcePush:       record.AnswerOf(!r.AllowsForcePush),
		deletion:        record.AnswerOf(!r.AllowsDeletion),
		signed:          record.AnswerOf(r.CommitSignatures),
		deployment:      record.AnswerOf(r.Deployments && len(r.Environments) > 0),
		adminsBound:     record.AnswerOf(r.AdminEnforced),
	}
	if r.ApprovingReviews && r.Approvals != nil {
		p.approvals = max(0, *r.Approvals)
	}
	if r.Locked {
		p.lock()
	}
	p.bypassLimited = p.adminsBound
	if r.Bypass != nil {
		p.bypassLimited = p.adminsBound.And(record.AnswerOf(r.Bypass.TotalCount == 0))
	}
	return p
}

func (r *updateRule) source() source {
	p := source{
		pullRequest:     record.AnswerOf(r.Approvals != nil),
		codeOwnerReview: record.AnswerOf(r.CodeOwnerReviews),
		statusChecks:    record.AnswerOf(len(r.StatusChecks) > 0),
		forcePush:       record.AnswerOf(!r.AllowsForcePush),
		deletion:        record.AnswerOf(!r.AllowsDeletion),
		signed:          record.AnswerOf(r.Signatures),
		permission:      classicPermission,
	}
	if r.Approvals != nil {
		p.approvals = max(0, *r.Approvals)
	}
	return p
}

// rulesetSources is what rulesets say: one source for each that is active. Disabled ones and those that only evaluate protect nothing.
func (w *protectionWalk) rulesetSources(ctx context.Context, node *api.RepositoryNode, rules ruleConnection) ([]source, error) {
	if node.Lacks("rules") {
		return []source{unreadable(rulesPermission)}, nil
	}
	var sources []source
	if rules.TotalCount > len(rules.Nodes) {
		sources = append(sources, unreadable("")) // More rules than one page holds.
	}
	index := map[int64]int{}
	for i := range rules.Nodes {
		r := &rules.Nodes[i]
		if r.Ruleset == nil {
			// Nobody says whether it is enforced, so what it would protect is unknown.
			sources = append(sources, r.add(unprotected()).unknown())
			continue
		}
		if r.Ruleset.Enforcement != "ACTIVE" {
			continue
		}
		at, ok := index[r.Ruleset.ID]
		if !ok {
			p := unprotected()
			b, err := w.bypassOf(ctx, node.NameWithOwner, r.Ruleset.ID)
			if err != nil {
				return nil, err
			}
			p.adminsBound, p.bypassLimited, p.permission = b.adminsBound, b.limited, b.permission
			at = len(sources)
			index[r.Ruleset.ID] = at
			sources = append(sources, p)
		}
		sources[at] = r.add(sources[at])
	}
	return sources, nil
}

// add is the source with this rule. Types of rule that say nothing about the questions of record.BranchProtection change nothing.
func (r *rule) add(p source) source {
	switch r.Type {
	case "PULL_REQUEST":
		p.pullRequest = record.AnswerYes
		p.approvals = max(p.approvals, r.Parameters.Approvals)
		p.codeOwnerReview = p.codeOwnerReview.Or(record.AnswerOf(r.Parameters.CodeOwnerReview))
		p.staleDismissal = p.staleDismissal.Or(record.AnswerOf(r.Parameters.DismissStale))
	case "REQUIRED_STATUS_CHECKS":
		p.statusChecks = p.statusChecks.Or(record.AnswerOf(len(r.Parameters.Checks) > 0))
	case "REQUIRED_DEPLOYMENTS":
		p.deployment = p.deployment.Or(record.AnswerOf(len(r.Parameters.Environments) > 0))
	case "WORKFLOWS", "REQUIRED_WORKFLOW_STATUS_CHECKS", "CODE_SCANNING":
		// A workflow, or a result of code scanning without new alerts, that has to be there before a change is merged is a check.
		p.statusChecks = record.AnswerYes
	case "MERGE_QUEUE":
		// What comes by way of the queue is pull requests.
		p.pullRequest = record.AnswerYes
	case "UPDATE", "LOCK_BRANCH":
		p.lock()
	case "NON_FAST_FORWARD":
		p.forcePush = record.AnswerYes
	case "DELETION":
		p.deletion = record.AnswerYes
	case "REQUIRED_SIGNATURES":
		p.signed = record.AnswerYes
	}
	return p
}

// mostRequired is the largest number of approvals that GitHub can require.
const mostRequired = 6

// lock is the source with a branch that nobody may push to: what is required of changes holds for all, since there are none. It may still be deleted.
func (p *source) lock() {
	yes := record.AnswerYes
	p.pullRequest, p.codeOwnerReview, p.staleDismissal, p.statusChecks, p.forcePush, p.signed, p.deployment = yes, yes, yes, yes, yes, yes, yes
	p.approvals = max(p.approvals, mostRequired)
}

// unknown turns every yes into unknown.
func (p source) unknown() source {
	for _, a := range []*record.Answer{
		&p.pullRequest, &p.codeOwnerReview, &p.staleDismissal, &p.statusChecks, &p.forcePush, &p.deletion, &p.signed, &p.deployment,
	} {
		if *a == record.AnswerYes {
			*a = record.AnswerUnknown
		}
	}
	if p.approvals > 0 {
		p.approvals = record.ApprovalsUnknown
	}
	p.adminsBound, p.bypassLimited, p.permission = record.AnswerUnknown, record.AnswerUnknown, rulesPermission
	return p
}

// branchFragment is what protects a branch: classic protection (which only administrators see), what everybody sees of it (refUpdateRule), and the
// rules of rulesets.
const branchFragment = `fragment branch on Ref{ name
   refUpdateRule{requiredApprovingReviewCount requiresCodeOwnerReviews requiresSignatures requiredStatusCheckContexts allowsForcePushes allowsDeletions}
   branchProtectionRule{isAdminEnforced requiresApprovingReviews requiredApprovingReviewCount requiresCodeOwnerReviews dismissesStaleReviews
    requiresCommitSignatures requiresStatusChecks requiredStatusChecks{context} requiresDeployments requiredDeploymentEnvironments
    allowsForcePushes allowsDeletions lockBranch bypassPullRequestAllowances(first:1){totalCount}}
   rules(first:50){totalCount nodes{ type repositoryRuleset{databaseId enforcement} parameters{ __typename
    ...on PullRequestParameters{requiredApprovingReviewCount requireCodeOwnerReview dismissStaleReviewsOnPush}
    ...on RequiredStatusChecksParameters{requiredStatusChecks{context}}
    ...on RequiredDeploymentsParameters{requiredDeploymentEnvironments} }}} }`

// branchFields are the fields of a branch that can be hidden alone.
var branchFields = []string{"branchProtectionRule", "refUpdateRule", "rules"}
