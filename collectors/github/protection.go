package github

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// protectionQuery reads a page of repositories with all that protects their default branches: classic protection (which only administrators see), what
// everybody sees of it (refUpdateRule), and the rules of rulesets. It costs 1 + 2·first requests by GitHub's formula, about one point.
const protectionQuery = `query($org:String!,$first:Int!,$cursor:String){
 organization(login:$org){ repositories(first:$first,after:$cursor,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url isArchived isFork visibility pushedAt hasVulnerabilityAlertsEnabled isSecurityPolicyEnabled
  defaultBranchRef{ name
   refUpdateRule{requiredApprovingReviewCount requiresCodeOwnerReviews requiresSignatures requiredStatusCheckContexts allowsForcePushes allowsDeletions}
   branchProtectionRule{isAdminEnforced requiresApprovingReviews requiredApprovingReviewCount requiresCodeOwnerReviews dismissesStaleReviews
    requiresCommitSignatures requiresStatusChecks requiredStatusChecks{context} requiresDeployments requiredDeploymentEnvironments
    allowsForcePushes allowsDeletions bypassPullRequestAllowances(first:1){totalCount}}
   rules(first:50){totalCount nodes{ type repositoryRuleset{databaseId enforcement} parameters{ __typename
    ...on PullRequestParameters{requiredApprovingReviewCount requireCodeOwnerReview dismissStaleReviewsOnPush}
    ...on RequiredStatusChecksParameters{requiredStatusChecks{context}}
    ...on RequiredDeploymentsParameters{requiredDeploymentEnvironments} }}} } } } } }`

// firstPage is the number of repositories asked for at once; it is halved when the query is too heavy for the server.
const firstPage = 50

type protectionData struct {
	Organization *struct {
		Repositories struct {
			PageInfo struct {
				HasNextPage bool   `json:"hasNextPage"`
				EndCursor   string `json:"endCursor"`
			} `json:"pageInfo"`
			Nodes []*protectedRepository `json:"nodes"`
		} `json:"repositories"`
	} `json:"organization"`
}

type protectedRepository struct {
	NameWithOwner    string     `json:"nameWithOwner"`
	URL              string     `json:"url"`
	IsArchived       bool       `json:"isArchived"`
	IsFork           bool       `json:"isFork"`
	Visibility       string     `json:"visibility"`
	PushedAt         timestamp  `json:"pushedAt"`
	AlertsEnabled    *bool      `json:"hasVulnerabilityAlertsEnabled"`
	SecurityPolicy   *bool      `json:"isSecurityPolicyEnabled"`
	DefaultBranchRef *branchRef `json:"defaultBranchRef"`

	// hidden are the fields that errors[] says could not be read.
	hidden []string
}

// protectionWalk gathers the repositories of an organisation.
type protectionWalk struct {
	collector *Collector
	org       string
	size      int
	batch     record.Batch
	names     map[record.RepositoryName]bool
	// bypass is what is known about rulesets, from this walk and earlier ones; used are those that this walk met.
	bypass map[int64]bypass
	used   map[int64]bool
}

// readProtection reads the effective protection of every default branch in an organisation.
func (c *Collector) readProtection(ctx context.Context, org string) record.Batch {
	w := &protectionWalk{
		collector: c, org: org, size: firstPage, names: map[record.RepositoryName]bool{}, bypass: c.knownBypass(org), used: map[int64]bool{},
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.readAt()},
	}
	if err := apiclient.Walk(ctx, maxPages, w.page); err != nil {
		return record.Batch{Err: scopeError(err, "metadata=read")}
	}
	maps.DeleteFunc(w.bypass, func(id int64, _ bypass) bool { return !w.used[id] })
	c.remember(org, func(o *organisation) {
		o.repositories, o.bypass = max(o.repositories, len(w.batch.Repositories)), w.bypass
	})
	return w.batch
}

// page reads one page; it asks for less when the server cannot cope.
func (w *protectionWalk) page(ctx context.Context, cursor string) (next string, err error) {
	for {
		data, failures, err := w.ask(ctx, cursor)
		if err == nil {
			return w.take(ctx, data, failures)
		}
		if !tooHeavy(err) || w.size == 1 {
			return "", err
		}
		w.collector.env.Logger.Debug("Asking for fewer repositories at once", "organization", w.org, "repositories", w.size/2, "cause", err)
		w.size /= 2
	}
}

func (w *protectionWalk) ask(ctx context.Context, cursor string) (*protectionData, []queryError, error) {
	variables := map[string]any{"org": w.org, "first": w.size, "cursor": nil}
	if cursor != "" {
		variables["cursor"] = cursor
	}
	var data protectionData
	failures, err := w.collector.api.graphql(ctx, protectionQuery, variables, &data)
	if err != nil {
		return nil, nil, err
	}
	if data.Organization == nil {
		return nil, nil, queryFailure(failures)
	}
	return &data, failures, nil
}

// tooHeavy says whether a smaller page may succeed: GitHub answers 502 or 504 to a query that takes more than ten seconds,
// or drops the connection.
func tooHeavy(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonServer, record.ReasonTransport, record.ReasonTruncated:
		return true
	default:
		return false
	}
}

func (w *protectionWalk) take(ctx context.Context, data *protectionData, failures []queryError) (next string, err error) {
	list := data.Organization.Repositories
	if err := assign(failures, list.Nodes); err != nil {
		return "", err
	}
	for _, node := range list.Nodes {
		if err := w.add(ctx, node); err != nil {
			return "", err
		}
	}
	if !list.PageInfo.HasNextPage {
		return "", nil
	}
	if list.PageInfo.EndCursor == "" {
		return "", &record.Error{Reason: record.ReasonTruncated, Err: errors.New("GraphQL announces a further page without a cursor")}
	}
	return list.PageInfo.EndCursor, nil
}

// assign notes at each repository which of its fields errors[] says could not be read. An error that belongs to no repository concerns the
// whole page.
func assign(failures []queryError, nodes []*protectedRepository) error {
	for _, f := range failures {
		at := slices.IndexFunc(f.Path, func(step any) bool { return step == "nodes" })
		if at < 0 || at+1 >= len(f.Path) {
			return queryFailure([]queryError{f})
		}
		i, ok := f.Path[at+1].(float64)
		if !ok || i < 0 || int(i) >= len(nodes) {
			return queryFailure([]queryError{f})
		}
		if node := nodes[int(i)]; node != nil {
			node.hidden = append(node.hidden, hiddenField(f.Path[at+2:]))
		}
	}
	return nil
}

// hiddenField is the part of the answer that an error's path spoils.
func hiddenField(path []any) string {
	for _, step := range path {
		switch step {
		case "branchProtectionRule", "refUpdateRule", "rules":
			return step.(string)
		case "hasVulnerabilityAlertsEnabled", "isSecurityPolicyEnabled":
			return ""
		}
	}
	return everything
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
	}
	if node.SecurityPolicy != nil {
		r.Settings = map[string]record.Answer{"security_policy": record.AnswerOf(*node.SecurityPolicy)}
	}
	if node.DefaultBranchRef != nil {
		r.DefaultBranch = record.Text(node.DefaultBranchRef.Name)
		protection, err := w.protection(ctx, node)
		if err != nil {
			return err
		}
		r.Branches = append(r.Branches, protection)
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
