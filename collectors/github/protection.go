package github

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"time"

	"prodsec_exporter/internal/record"
)

// protectionQuery reads a page of repositories with all that protects their default branches. It costs 1 + 2·first requests by GitHub's formula,
// about one point.
const protectionQuery = `query Protection($org:String!,$first:Int!,$cursor:String){
 organization(login:$org){ repositories(first:$first,after:$cursor,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url isArchived isFork visibility pushedAt hasVulnerabilityAlertsEnabled isSecurityPolicyEnabled
  defaultBranchRef{...branch} } } } }
` + branchFragment

// branchFragment is what protects a branch: classic protection (which only administrators see), what everybody sees of it (refUpdateRule), and the
// rules of rulesets.
const branchFragment = `fragment branch on Ref{ name
   refUpdateRule{requiredApprovingReviewCount requiresCodeOwnerReviews requiresSignatures requiredStatusCheckContexts allowsForcePushes allowsDeletions}
   branchProtectionRule{isAdminEnforced requiresApprovingReviews requiredApprovingReviewCount requiresCodeOwnerReviews dismissesStaleReviews
    requiresCommitSignatures requiresStatusChecks requiredStatusChecks{context} requiresDeployments requiredDeploymentEnvironments
    allowsForcePushes allowsDeletions bypassPullRequestAllowances(first:1){totalCount}}
   rules(first:50){totalCount nodes{ type repositoryRuleset{databaseId enforcement} parameters{ __typename
    ...on PullRequestParameters{requiredApprovingReviewCount requireCodeOwnerReview dismissStaleReviewsOnPush}
    ...on RequiredStatusChecksParameters{requiredStatusChecks{context}}
    ...on RequiredDeploymentsParameters{requiredDeploymentEnvironments} }}} }`

// branchFields are the fields of a branch that can be hidden alone.
var branchFields = []string{"branchProtectionRule", "refUpdateRule", "rules"}

var protectedRepositories = repositoryQuery[protectedRepository]{
	text: protectionQuery, node: func(r *protectedRepository) *repositoryNode { return &r.repositoryNode },
	fields: branchFields, ignored: []string{"hasVulnerabilityAlertsEnabled", "isSecurityPolicyEnabled"},
}

type protectedRepository struct {
	repositoryNode
	IsArchived       bool       `json:"isArchived"`
	IsFork           bool       `json:"isFork"`
	Visibility       string     `json:"visibility"`
	PushedAt         timestamp  `json:"pushedAt"`
	AlertsEnabled    *bool      `json:"hasVulnerabilityAlertsEnabled"`
	SecurityPolicy   *bool      `json:"isSecurityPolicyEnabled"`
	DefaultBranchRef *branchRef `json:"defaultBranchRef"`
}

// protectionWalk gathers the repositories of an organisation.
type protectionWalk struct {
	collector *Collector
	batch     record.Batch
	names     map[record.RepositoryName]bool
	// bypass is what is known about rulesets, from this walk and earlier ones; used are those that this walk met.
	bypass map[int64]bypass
	used   map[int64]bool
	// releases are the branches that match release_branches.
	releases map[record.RepositoryName][]record.BranchProtection
}

// readProtection reads the effective protection of every default and release branch in an organisation.
func (c *Collector) readProtection(ctx context.Context, org string) record.Batch {
	w := &protectionWalk{
		collector: c, names: map[record.RepositoryName]bool{}, bypass: c.knownBypass(org), used: map[int64]bool{},
		batch:    record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Scans: []record.Scan{}, Cursor: c.readAt()},
		releases: map[record.RepositoryName][]record.BranchProtection{},
	}
	for _, pattern := range c.config.ReleaseBranches {
		if err := w.readReleases(ctx, org, pattern); err != nil {
			return record.Batch{Err: scopeError(err, "metadata=read")}
		}
	}
	if err := protectedRepositories.walk(ctx, c, org, func(node *protectedRepository) error { return w.add(ctx, node) }); err != nil {
		return record.Batch{Err: scopeError(err, "metadata=read")}
	}
	maps.DeleteFunc(w.bypass, func(id int64, _ bypass) bool { return !w.used[id] })
	c.remember(org, func(o *organisation) {
		o.repositories, o.bypass = max(o.repositories, len(w.batch.Repositories)), w.bypass
	})
	return w.batch
}

func (w *protectionWalk) add(ctx context.Context, node *protectedRepository) error {
	if node == nil {
		w.reject(record.RejectNoID)
		return nil
	}
	c := w.collector
	name, err := c.repositoryName(node.URL, node.NameWithOwner)
	if err != nil {
		w.reject(record.RejectNoID)
		return nil //nolint:nilerr // The item is rejected and counted.
	}
	if w.names[name] {
		return nil
	}
	w.names[name] = true
	r := record.Repository{
		Name: name, URL: record.Text(node.URL), Visibility: c.visibility(node.Visibility), Archived: node.IsArchived, Fork: node.IsFork,
		PushedAt: node.PushedAt.Time, Branches: []record.BranchProtection{},
	}
	if node.AlertsEnabled != nil {
		r.Scanners = map[record.Class]record.Answer{record.ClassSCA: record.AnswerOf(*node.AlertsEnabled)}
		w.batch.Scans = append(w.batch.Scans, record.Scan{
			Tool: string(Dependabot), Class: record.ClassSCA, Repository: name, Continuous: true, Enabled: record.AnswerOf(*node.AlertsEnabled),
		})
	}
	if node.SecurityPolicy != nil {
		r.Settings = map[string]record.Answer{"security_policy": record.AnswerOf(*node.SecurityPolicy)}
	}
	if node.DefaultBranchRef != nil {
		r.DefaultBranch = record.Text(node.DefaultBranchRef.Name)
		protection, err := w.protection(ctx, &node.repositoryNode, node.DefaultBranchRef)
		if err != nil {
			return err
		}
		protection.Default = true
		r.Branches = append(r.Branches, protection)
	}
	for _, b := range w.releases[name] {
		if b.Branch != r.DefaultBranch {
			r.Branches = append(r.Branches, b)
		}
	}
	w.batch.Repositories = append(w.batch.Repositories, r)
	return nil
}

func (w *protectionWalk) reject(reason record.RejectReason) {
	if w.batch.Rejected == nil {
		w.batch.Rejected = map[record.RejectReason]int{}
	}
	w.batch.Rejected[reason]++
}

// bypass is what is known about who may pass by a ruleset.
type bypass struct {
	// adminsBound: administrators may not; limited: nobody may, but by way of a pull request.
	adminsBound, limited record.Answer
	permission           string
	readAt               time.Time
}

// knownBypass is what earlier walks learned about rulesets and is still fresh: every ruleset is asked about once per full interval, because an
// organisation may have one in each repository.
func (c *Collector) knownBypass(org string) map[int64]bypass {
	known := map[int64]bypass{}
	now := c.env.Now()
	c.remember(org, func(o *organisation) {
		for id, b := range o.bypass {
			if now.Sub(b.readAt) < c.config.FullInterval.Std() {
				known[id] = b
			}
		}
	})
	return known
}

const bypassPermission = "administration=write"

// bypassOf asks about a ruleset by way of a repository that it applies to. Only who may write a ruleset sees who may pass by it; for anybody else the
// answers stay unknown. The error is not nil only when ctx ended or the budget is spent.
func (w *protectionWalk) bypassOf(ctx context.Context, fullName string, id int64) (bypass, error) {
	w.used[id] = true
	if known, ok := w.bypass[id]; ok {
		return known, nil
	}
	path := "repos/" + escapeName(fullName) + "/rulesets/" + strconv.FormatInt(id, 10) + "?includes_parents=true"
	var ruleset struct {
		Actors *[]bypassActor `json:"bypass_actors"`
	}
	_, err := w.collector.api.get(ctx, path, &ruleset)
	result := bypass{permission: bypassPermission}
	switch reason := record.ReasonOf(err); {
	case err == nil && ruleset.Actors != nil:
		result = w.collector.judge(*ruleset.Actors)
	case err == nil || reason == record.ReasonPermission || reason == record.ReasonNotFound || reason == record.ReasonDecode:
		// Unknown, and the permission says why.
	default:
		return bypass{}, fmt.Errorf("bypass actors of ruleset %d: %w", id, err)
	}
	result.readAt = w.collector.env.Now()
	w.bypass[id] = result
	return result, nil
}

type bypassActor struct {
	ID   *int64 `json:"actor_id"`
	Type string `json:"actor_type"`
	Mode string `json:"bypass_mode"`
}

// adminRole is the id of the repository role "admin".
const adminRole = 5

// judge says what bypass actors mean. An actor of mode pull_request still needs a pull request, which others see.
func (c *Collector) judge(actors []bypassActor) bypass {
	b := bypass{adminsBound: record.AnswerYes, limited: record.AnswerYes}
	for _, a := range actors {
		switch a.Mode {
		case "pull_request":
			continue
		case "always", "exempt":
		default:
			c.unknownValue("ruleset bypass_mode", a.Mode)
		}
		b.limited = record.AnswerNo
		if a.Type == "OrganizationAdmin" || a.Type == "EnterpriseOwner" || a.Type == "RepositoryRole" && a.ID != nil && *a.ID == adminRole {
			b.adminsBound = record.AnswerNo
		}
	}
	return b
}

func escapeName(fullName string) string {
	u := url.URL{Path: fullName}
	return u.EscapedPath()
}
