package delivery

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// deploymentsQuery reads a page of repositories with their last deployments to some environments, and the history of each. By GitHub's formula it
// costs 1 + first·(1 + deployments) requests, about six points for fifty repositories.
const deploymentsQuery = `query Deployments($org:String!,$first:Int!,$cursor:String,$environments:[String!]!,$deployments:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url deployments(first:$deployments,environments:$environments,orderBy:{field:CREATED_AT,direction:DESC}){
   pageInfo{hasNextPage endCursor} nodes{...deployment} } } } } }
` + deploymentFragment

// moreDeploymentsQuery goes on where deploymentsQuery ended for one repository; it costs a point.
const moreDeploymentsQuery = `query MoreDeployments($owner:String!,$name:String!,$cursor:String,$environments:[String!]!){
 repository(owner:$owner,name:$name){ deployments(first:50,after:$cursor,environments:$environments,orderBy:{field:CREATED_AT,direction:DESC}){
  pageInfo{hasNextPage endCursor} nodes{...deployment} } } }
` + deploymentFragment

// deploymentFragment is a deployment with its history. Its state says what it is now (a deployment turns inactive when the next one succeeds), so that
// only the history tells how it ended.
const deploymentFragment = `fragment deployment on Deployment{ id createdAt commitOid environment originalEnvironment task
 creator{__typename login} ref{name prefix} statuses(first:100){totalCount nodes{state createdAt logUrl}} }`

// moreStatusesQuery reads the rest of a history that is longer than a page.
const moreStatusesQuery = `query MoreStatuses($id:ID!,$cursor:String){ node(id:$id){...on Deployment{
 statuses(first:100,after:$cursor){pageInfo{hasNextPage endCursor} nodes{state createdAt logUrl}} } } }`

// deploymentsPermission is what reading deployments needs.
const deploymentsPermission = "deployments=read"

// lastDeployments is how many deployments of a repository are read along with those of others.
const lastDeployments = 10

// abandonedAfter is when a deployment that has not ended is not looked after any more: GitHub itself ends those that wait for a reviewer then.
const abandonedAfter = 30 * 24 * time.Hour

type deploymentRepository struct {
	api.RepositoryNode
	Deployments *deploymentPage `json:"deployments"`
}

type deploymentPage struct {
	PageInfo api.PageInfo      `json:"pageInfo"`
	Nodes    []*deploymentNode `json:"nodes"`
}

// deploymentNode is a deployment as GraphQL shows it.
type deploymentNode struct {
	ID                  string        `json:"id"`
	CreatedAt           api.Timestamp `json:"createdAt"`
	Commit              string        `json:"commitOid"`
	Environment         string        `json:"environment"`
	OriginalEnvironment string        `json:"originalEnvironment"`
	Task                string        `json:"task"`
	Creator             *api.Actor    `json:"creator"`
	Ref                 *struct {
		Name   string `json:"name"`
		Prefix string `json:"prefix"`
	} `json:"ref"`
	Statuses *statusHistory `json:"statuses"`
}

// statusHistory is what became of a deployment, in no order.
type statusHistory struct {
	TotalCount int                `json:"totalCount"`
	PageInfo   api.PageInfo       `json:"pageInfo"`
	Nodes      []deploymentStatus `json:"nodes"`
}

type deploymentStatus struct {
	State     string        `json:"state"`
	CreatedAt api.Timestamp `json:"createdAt"`
	LogURL    string        `json:"logUrl"`
}

// deployment is one that was understood.
type deployment struct {
	record.Deployment
	creator *api.Actor
	// branch is the branch that was deployed, empty for a tag and where GitHub does not say.
	branch string
	// run is the number of the workflow run, 0 where there is none; started says that it was let through to the environment.
	run     int64
	started bool
	// paths are the files that count for the service, all if there are none.
	paths []pathPattern
	// known says that no detail is to be looked for: it lies before the history, or was read before.
	known bool
	// commits are those that it brings, merges left out.
	commits []string
	// refused are the questions about it that the repository refused to answer: they are asked again.
	refused []string
}

// refuse notes that a question about the deployment was refused, and which permission is missing, if one is.
func (d *deployment) refuse(refused error, what string) {
	if refused == nil {
		return
	}
	d.lacks(api.Permission(refused))
	if !slices.Contains(d.refused, what) {
		d.refused = append(d.refused, what)
	}
}

// deploymentOf understands a deployment; the error is a rejection.
func (c *Collector) deploymentOf(n *deploymentNode, h api.Repository) (*deployment, error) {
	switch {
	case n == nil || n.ID == "" || !commitName.MatchString(n.Commit):
		return nil, api.Reject(record.RejectNoID, errors.New("a deployment without id or commit"))
	case n.CreatedAt.IsZero():
		return nil, api.Reject(record.RejectTimestamp, api.ErrTimestamp)
	case cmp.Or(n.Environment, n.OriginalEnvironment) == "":
		return nil, api.Reject(record.RejectNoTarget, errors.New("a deployment to nowhere"))
	}
	d := &deployment{creator: n.Creator, Deployment: record.Deployment{
		ID: record.Text(strings.ToLower(h.FullName) + ":" + n.ID), Repository: h.Name, Commit: n.Commit, CreatedAt: n.CreatedAt.Time,
		Environment: record.Text(cmp.Or(n.Environment, n.OriginalEnvironment)), Status: record.DeploymentPending, UpdatedAt: n.CreatedAt.Time,
	}}
	if n.Ref != nil {
		d.Ref = record.Text(n.Ref.Name)
		if n.Ref.Prefix == "refs/heads/" {
			d.branch = n.Ref.Name
		}
	}
	d.Service, d.paths = c.services.of(h.FullName, d.Environment, n.Task)
	if n.Statuses != nil {
		c.ending(d, n.Statuses.Nodes)
	}
	return d, nil
}

func (n *deploymentNode) truncated() bool {
	return n != nil && n.Statuses != nil && n.Statuses.TotalCount > len(n.Statuses.Nodes)
}

// ending says how a deployment ended: by the first status in its history that is an end. One that only turned inactive was given up.
func (c *Collector) ending(d *deployment, history []deploymentStatus) {
	history = slices.Clone(history)
	slices.SortStableFunc(history, func(a, b deploymentStatus) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	for _, s := range history {
		if d.finished() {
			return // What comes after is another deployment's doing.
		}
		if run := runOf(s.LogURL); run != 0 {
			d.run = run
		}
		if s.CreatedAt.After(d.UpdatedAt) {
			d.UpdatedAt = s.CreatedAt.Time
		}
		switch s.State {
		case "SUCCESS":
			d.Status, d.FinishedAt, d.started = record.DeploymentSucceeded, s.CreatedAt.Time, true
		case "FAILURE", "ERROR":
			d.Status, d.FinishedAt = record.DeploymentFailed, s.CreatedAt.Time
		case "IN_PROGRESS":
			d.started = true
		case "INACTIVE":
			d.Status = record.DeploymentOther
		case "PENDING", "QUEUED", "WAITING":
		default:
			c.UnknownValue("deployment status", s.State)
		}
	}
}

func (d *deployment) finished() bool {
	return (d.Status == record.DeploymentSucceeded || d.Status == record.DeploymentFailed) && !d.FinishedAt.IsZero()
}

// open reports whether a deployment may still end.
func (d *deployment) open(now time.Time) bool {
	return d.Status == record.DeploymentPending && now.Sub(d.CreatedAt) < abandonedAfter
}

// lacks notes which permission would have answered what is unknown.
func (d *deployment) lacks(permission string) {
	d.MissingPermission = cmp.Or(d.MissingPermission, permission)
}

// runOf is the number of the workflow run that a log belongs to, 0 if it is none of GitHub Actions.
func runOf(logURL string) int64 {
	_, rest, ok := strings.Cut(logURL, "/actions/runs/")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id <= 0 {
		return 0
	}
	return id
}

// inOrder sorts deployments by when they ended, which is when they changed the environment.
func inOrder(list []*deployment) {
	slices.SortStableFunc(list, func(a, b *deployment) int {
		return cmp.Or(a.FinishedAt.Compare(b.FinishedAt), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
}

// commitName is a commit's own name.
var commitName = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
