package protection

import (
	"context"
	"maps"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// protectionQuery reads a page of repositories with all that protects their default branches. It costs 1 + 2·first requests by GitHub's formula,
// about one point.
const protectionQuery = `query Protection($org:String!,$first:Int!,$cursor:String){
 organization(login:$org){ repositories(first:$first,after:$cursor,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url isArchived isFork visibility pushedAt hasVulnerabilityAlertsEnabled isSecurityPolicyEnabled
  defaultBranchRef{...branch} } } } }
` + branchFragment

var protectedRepositories = api.RepositoryQuery[protectedRepository]{
	Text: protectionQuery, Node: func(r *protectedRepository) *api.RepositoryNode { return &r.RepositoryNode },
	Fields: branchFields, Ignored: []string{"hasVulnerabilityAlertsEnabled", "isSecurityPolicyEnabled"},
}

type protectedRepository struct {
	api.RepositoryNode
	IsArchived       bool          `json:"isArchived"`
	IsFork           bool          `json:"isFork"`
	Visibility       string        `json:"visibility"`
	PushedAt         api.Timestamp `json:"pushedAt"`
	AlertsEnabled    *bool         `json:"hasVulnerabilityAlertsEnabled"`
	SecurityPolicy   *bool         `json:"isSecurityPolicyEnabled"`
	DefaultBranchRef *branchRef    `json:"defaultBranchRef"`
}

// readBranches reads the effective protection of every default and release branch in an organisation.
func (c *Collector) readBranches(ctx context.Context, org string) record.Batch {
	w := &protectionWalk{
		collector: c, org: org, names: map[record.RepositoryName]bool{}, bypass: c.knownBypass(org), used: map[int64]bool{},
		batch:     record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Scans: []record.Scan{}, Cursor: c.ReadAt()},
		protected: map[record.RepositoryName]bool{}, releases: map[record.RepositoryName][]record.BranchProtection{},
	}
	for _, pattern := range c.config.ReleaseBranches {
		if err := w.readReleases(ctx, org, pattern); err != nil {
			return record.Batch{Err: api.ScopeError(err, rulesPermission)}
		}
	}
	if err := protectedRepositories.Walk(ctx, c.API, org, func(node *protectedRepository) error { return w.add(ctx, node) }); err != nil {
		return record.Batch{Err: api.ScopeError(err, rulesPermission)}
	}
	maps.DeleteFunc(w.bypass, func(id int64, _ bypass) bool { return !w.used[id] })
	c.inventory.Saw(org, len(w.batch.Repositories))
	c.state.With(org, func(o *organisation) { o.bypass, o.protected = w.bypass, w.protected })
	return w.batch
}

func (w *protectionWalk) add(ctx context.Context, node *protectedRepository) error {
	if node == nil {
		w.reject(record.RejectNoID)
		return nil
	}
	c := w.collector
	name, err := c.API.RepositoryName(node.URL, node.NameWithOwner)
	if err != nil {
		w.reject(record.RejectNoID)
		return nil //nolint:nilerr // The item is rejected and counted.
	}
	if w.names[name] {
		return nil
	}
	w.names[name] = true
	r := record.Repository{
		Name: name, URL: record.Text(node.URL), Visibility: c.inventory.Visibility(node.Visibility), Archived: node.IsArchived, Fork: node.IsFork,
		PushedAt: node.PushedAt.Time, Branches: []record.BranchProtection{},
	}
	if node.AlertsEnabled != nil {
		r.Scanners = map[record.Class]record.Answer{record.ClassSCA: record.AnswerOf(*node.AlertsEnabled)}
		w.batch.Scans = append(w.batch.Scans, record.Scan{
			Tool: inventory.ToolDependabot, Class: record.ClassSCA, Repository: name, Continuous: true, Enabled: record.AnswerOf(*node.AlertsEnabled),
		})
	}
	if node.SecurityPolicy != nil {
		r.Settings = map[string]record.Answer{inventory.SettingSecurityPolicy: record.AnswerOf(*node.SecurityPolicy)}
	}
	if node.DefaultBranchRef == nil && node.Lacks(api.Everything) {
		w.unread(&r, node)
	}
	if node.DefaultBranchRef != nil {
		r.DefaultBranch = record.Text(node.DefaultBranchRef.Name)
		protection, err := w.protection(ctx, &node.RepositoryNode, node.DefaultBranchRef)
		if err != nil {
			return err
		}
		protection.Default = true
		r.Branches = append(r.Branches, protection)
		w.protected[name] = node.DefaultBranchRef.protected()
	}
	for _, b := range w.releases[name] {
		if b.Branch != r.DefaultBranch {
			r.Branches = append(r.Branches, b)
		}
	}
	w.batch.Repositories = append(w.batch.Repositories, r)
	return nil
}

// unread is a repository that GitHub names and does not answer for: what the list of repositories says of it, and a default branch of which nothing is known.
func (w *protectionWalk) unread(r *record.Repository, node *protectedRepository) {
	listed := w.collector.inventory.Repository(w.org, r.Name)
	r.Archived, r.Visibility, r.DefaultBranch = listed.Archived, listed.Visibility, record.Text(listed.Branch)
	if listed.Branch != "" {
		unknown := unreadable(api.Permission(api.ScopeError(node.Failure(), rulesPermission)))
		protection := union(r.DefaultBranch, []source{unknown})
		protection.Default = true
		r.Branches = append(r.Branches, protection)
	}
}

func (w *protectionWalk) reject(reason record.RejectReason) {
	if w.batch.Rejected == nil {
		w.batch.Rejected = map[record.RejectReason]int{}
	}
	w.batch.Rejected[reason]++
}
