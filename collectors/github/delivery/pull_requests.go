package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// pullFragment is what a change needs to know of its pull request. The first commit is one of its own, not the one that squashing made. Teams and files are
// asked for only where the configuration names some: teams cost a point for two pull requests.
const pullFragment = `fragment pull on PullRequest{ number createdAt mergedAt author{__typename login} commits(first:1){nodes{commit{authoredDate committedDate}}}
 reviews(first:50){totalCount nodes{state submittedAt author{__typename login} onBehalfOf(first:10)@include(if:$teams){nodes{slug organization{login}}}}}
 timelineItems(first:100,itemTypes:[LABELED_EVENT]){nodes{__typename ...on LabeledEvent{createdAt label{name}}}}
 files(first:100)@include(if:$files){totalCount nodes{path}}
 head:commits(last:1){nodes{commit{statusCheckRollup{contexts(first:100){totalCount nodes{__typename ...on CheckRun{name conclusion completedAt checkSuite{app{slug}}}}}}}}} }`

// Permissions that parts of the evidence need besides.
const (
	checksPermission = "checks=read"
	teamsPermission  = "members=read"
)

// codeScanningApp is what reports the results of code scanning as checks.
const codeScanningApp = "github-advanced-security"

// pullNode is a pull request as GraphQL shows it.
type pullNode struct {
	Number    int           `json:"number"`
	CreatedAt api.Timestamp `json:"createdAt"`
	MergedAt  api.Timestamp `json:"mergedAt"`
	Author    *api.Actor    `json:"author"`
	Commits   struct {
		Nodes []*struct {
			Commit struct {
				Authored  api.Timestamp `json:"authoredDate"`
				Committed api.Timestamp `json:"committedDate"`
			} `json:"commit"`
		} `json:"nodes"`
	} `json:"commits"`
	Reviews *struct {
		TotalCount int           `json:"totalCount"`
		Nodes      []*reviewNode `json:"nodes"`
	} `json:"reviews"`
	Timeline *struct {
		Nodes []*struct {
			CreatedAt api.Timestamp `json:"createdAt"`
			Label     *struct {
				Name string `json:"name"`
			} `json:"label"`
		} `json:"nodes"`
	} `json:"timelineItems"`
	Files *struct {
		TotalCount int `json:"totalCount"`
		Nodes      []*struct {
			Path string `json:"path"`
		} `json:"nodes"`
	} `json:"files"`
	Head *struct {
		Nodes []*struct {
			Commit struct {
				Rollup *checkRollup `json:"statusCheckRollup"`
			} `json:"commit"`
		} `json:"nodes"`
	} `json:"head"`
}

// reviewNode is a review as GraphQL shows it.
type reviewNode struct {
	State       string        `json:"state"`
	SubmittedAt api.Timestamp `json:"submittedAt"`
	Author      *api.Actor    `json:"author"`
	OnBehalfOf  *struct {
		Nodes []*struct {
			Slug         string `json:"slug"`
			Organization struct {
				Login string `json:"login"`
			} `json:"organization"`
		} `json:"nodes"`
	} `json:"onBehalfOf"`
}

// reviewREST is a review as REST shows it, for pull requests that have more than a query holds. It does not say on whose behalf.
type reviewREST struct {
	State       string        `json:"state"`
	SubmittedAt api.Timestamp `json:"submitted_at"`
	User        *api.Account  `json:"user"`
}

type checkRollup struct {
	Contexts struct {
		TotalCount int          `json:"totalCount"`
		Nodes      []*checkNode `json:"nodes"`
	} `json:"contexts"`
}

// checkNode is a check run; a commit status of the older kind has none of this.
type checkNode struct {
	Name        string        `json:"name"`
	Conclusion  string        `json:"conclusion"`
	CompletedAt api.Timestamp `json:"completedAt"`
	Suite       *struct {
		App *struct {
			Slug string `json:"slug"`
		} `json:"app"`
	} `json:"checkSuite"`
}

// readPulls reads pull requests.
func (r *repositoryReader) readPulls(ctx context.Context, numbers []int, found *mergedPulls) error {
	var query strings.Builder
	query.WriteString("query PullRequests($owner:String!,$name:String!,$teams:Boolean!,$files:Boolean!){ repository(owner:$owner,name:$name){")
	for _, number := range numbers {
		fmt.Fprintf(&query, " p%[1]d:pullRequest(number:%[1]d){...pull}", number)
	}
	query.WriteString(" } }\n" + pullFragment)
	answer := map[string]*pullNode{}
	failures, err := r.askPulls(ctx, "pull requests", query.String(), map[string]any{
		"teams": len(r.collector.config.SecurityReview.Teams) > 0, "files": r.collector.services.needFiles(),
	}, &answer, found)
	if err != nil || len(answer) == 0 {
		return err
	}
	for _, number := range numbers {
		alias := fmt.Sprintf("p%d", number)
		hidden, err := hiddenOf(failures, alias)
		if err != nil {
			return err
		}
		node := answer[alias]
		if node == nil || node.Reviews == nil || slices.Contains(hidden, api.Everything) {
			if refused := refusedPull(failures, alias); refused != nil {
				found.refused = refused
			}
			continue // The deployment that it belongs to says that something is missing.
		}
		if err := r.allReviews(ctx, node); err != nil {
			return err
		}
		change := r.collector.change(node, hidden)
		change.ID = fmt.Sprintf("%s#%d", strings.ToLower(r.head.FullName), number)
		found.changes[number] = change
	}
	return nil
}

// pullFields are the fields of a pull request that can be hidden alone.
var pullFields = []string{"onBehalfOf", "head", "timelineItems", "files"}

// hiddenOf are the parts of a pull request that could not be read; everything if it is unknown as a whole. An error that may pass is one.
func hiddenOf(failures []api.QueryError, alias string) (hidden []string, err error) {
	for _, f := range failures {
		at := slices.IndexFunc(f.Path, func(step any) bool { return step == alias })
		failure := api.QueryFailure([]api.QueryError{f})
		reason := record.ReasonOf(failure)
		switch {
		case reason != record.ReasonPermission && reason != record.ReasonNotFound:
			return nil, failure
		case at < 0:
			continue
		}
		field := api.Everything
		for _, step := range f.Path[at+1:] {
			if name, ok := step.(string); ok && slices.Contains(pullFields, name) {
				field = name
			}
		}
		hidden = append(hidden, field)
	}
	return hidden, nil
}

// refusedPull is why a pull request is hidden as a whole; nil if that is not known.
func refusedPull(failures []api.QueryError, alias string) error {
	for _, f := range failures {
		if slices.Contains(f.Path, any(alias)) && record.ReasonOf(api.QueryFailure([]api.QueryError{f})) == record.ReasonPermission {
			return api.ScopeError(api.QueryFailure([]api.QueryError{f}), pullsPermission)
		}
	}
	return nil
}

// allReviews reads the reviews by REST where there are more than a query holds.
func (r *repositoryReader) allReviews(ctx context.Context, node *pullNode) error {
	if node.Reviews.TotalCount <= len(node.Reviews.Nodes) {
		return nil
	}
	var list []*reviewNode
	path := fmt.Sprintf("repos/%s/pulls/%d/reviews", api.EscapeName(r.head.FullName), node.Number)
	_, err := r.collector.API.Pages(ctx, path, url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			var review reviewREST
			if json.Unmarshal(item, &review) == nil {
				list = append(list, review.node())
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("reviews of pull request %d: %w", node.Number, err)
	}
	// On whose behalf only GraphQL says, for those that it showed.
	for _, shown := range node.Reviews.Nodes {
		at := slices.IndexFunc(list, func(n *reviewNode) bool {
			return shown != nil && shown.Author != nil && n.Author.Is(shown.Author.Login) && n.SubmittedAt.Equal(shown.SubmittedAt.Time)
		})
		if at >= 0 {
			list[at].OnBehalfOf = shown.OnBehalfOf
		}
	}
	node.Reviews.Nodes = list
	return nil
}

func (r *reviewREST) node() *reviewNode {
	n := &reviewNode{State: r.State, SubmittedAt: r.SubmittedAt}
	if r.User != nil {
		n.Author = &api.Actor{Kind: cmp.Or(r.User.Type, "User"), Login: r.User.Login}
	}
	return n
}

// change translates a pull request.
func (c *Collector) change(n *pullNode, hidden []string) *pulled {
	p := &pulled{Change: record.Change{OpenedAt: n.CreatedAt.Time, MergedAt: n.MergedAt.Time}}
	for _, node := range n.Commits.Nodes {
		if node != nil {
			p.FirstCommitAt = record.Earliest(node.Commit.Authored.Time, node.Commit.Committed.Time)
		}
	}
	for _, review := range n.Reviews.Nodes {
		if !review.counts(n.Author) {
			continue
		}
		p.FirstReviewAt = record.Earliest(p.FirstReviewAt, review.SubmittedAt.Time)
		switch review.State {
		case "APPROVED":
			p.ApprovedAt = record.Earliest(p.ApprovedAt, review.SubmittedAt.Time)
		case "CHANGES_REQUESTED", "COMMENTED", "DISMISSED":
		default:
			c.UnknownValue("state of a review", review.State)
		}
	}
	if n.Files != nil {
		p.moreFiles = n.Files.TotalCount > len(n.Files.Nodes)
		for _, f := range n.Files.Nodes {
			if f != nil {
				p.files = append(p.files, f.Path)
			}
		}
	} else {
		p.moreFiles = true
	}
	c.securityReview(p, n, hidden)
	return p
}

// counts reports whether a review was submitted by a person other than the author.
func (r *reviewNode) counts(author *api.Actor) bool {
	return r != nil && r.State != "PENDING" && !r.SubmittedAt.IsZero() && r.Author.Person() && (author == nil || !r.Author.Is(author.Login))
}

// securityReview weighs the evidence that security looked at a pull request. The earliest piece decides; that there is none is known only if all of it
// could be read.
func (c *Collector) securityReview(p *pulled, n *pullNode, hidden []string) {
	s := &c.config.SecurityReview
	looked, unread := false, false
	miss := func(field, permission string) bool {
		if slices.Contains(hidden, field) {
			unread, p.missing = true, cmp.Or(p.missing, permission)
			return true
		}
		return false
	}
	if len(s.Labels) > 0 {
		looked = true
		if !miss("timelineItems", pullsPermission) {
			p.SecurityReviewAt = record.Earliest(p.SecurityReviewAt, n.labelled(s.Labels))
		}
	}
	if len(s.Teams)+len(s.Users) > 0 {
		looked = true
		if len(s.Teams) > 0 {
			miss("onBehalfOf", teamsPermission)
		}
		p.SecurityReviewAt = record.Earliest(p.SecurityReviewAt, n.reviewedBy(s))
	}
	if s.CodeScanning || len(s.Checks) > 0 {
		looked = true
		if !miss("head", checksPermission) {
			at, whole := n.scanned(s)
			p.SecurityReviewAt = record.Earliest(p.SecurityReviewAt, at)
			unread = unread || !whole
		}
	}
	switch {
	case !p.SecurityReviewAt.IsZero():
		p.SecurityReviewed, p.missing = record.AnswerYes, ""
	case looked && !unread:
		p.SecurityReviewed = record.AnswerNo
	}
}

// labelled is when the pull request first got one of the labels.
func (n *pullNode) labelled(labels []string) (at time.Time) {
	if n.Timeline == nil {
		return at
	}
	for _, event := range n.Timeline.Nodes {
		if event != nil && event.Label != nil && slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, event.Label.Name) }) {
			at = record.Earliest(at, event.CreatedAt.Time)
		}
	}
	return at
}

// reviewedBy is the first review by one of the people, or on behalf of one of the teams.
func (n *pullNode) reviewedBy(s *SecurityReview) (at time.Time) {
	for _, review := range n.Reviews.Nodes {
		if review.counts(n.Author) && (slices.ContainsFunc(s.Users, review.Author.Is) || review.behalf(s.Teams)) {
			at = record.Earliest(at, review.SubmittedAt.Time)
		}
	}
	return at
}

func (r *reviewNode) behalf(teams []string) bool {
	if r.OnBehalfOf == nil {
		return false
	}
	for _, team := range r.OnBehalfOf.Nodes {
		if team != nil && slices.ContainsFunc(teams, func(t string) bool { return strings.EqualFold(t, team.Organization.Login+"/"+team.Slug) }) {
			return true
		}
	}
	return false
}

// scanned is when the first security check of the last commit had a result; whole says that all checks were seen.
func (n *pullNode) scanned(s *SecurityReview) (at time.Time, whole bool) {
	if n.Head == nil {
		return at, false
	}
	for _, node := range n.Head.Nodes {
		if node == nil || node.Commit.Rollup == nil {
			continue
		}
		contexts := &node.Commit.Rollup.Contexts
		for _, check := range contexts.Nodes {
			if check != nil && check.hasResult() && check.secures(s) {
				at = record.Earliest(at, check.CompletedAt.Time)
			}
		}
		return at, contexts.TotalCount <= len(contexts.Nodes)
	}
	return at, true
}

// hasResult reports whether a check came to a result: that it found something is one.
func (k *checkNode) hasResult() bool {
	return slices.Contains([]string{"SUCCESS", "NEUTRAL", "FAILURE"}, k.Conclusion)
}

// secures reports whether a check is security's.
func (k *checkNode) secures(s *SecurityReview) bool {
	if s.CodeScanning && k.Suite != nil && k.Suite.App != nil && k.Suite.App.Slug == codeScanningApp {
		return true
	}
	return slices.ContainsFunc(s.Checks, func(pattern string) bool { return matches(strings.ToLower(pattern), strings.ToLower(k.Name)) })
}
