package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// environmentsQuery reads a page of repositories with their environments, the rules that protect these, and their CODEOWNERS file. It costs
// 1 + first·21 requests by GitHub's formula, about ten points for fifty repositories.
const environmentsQuery = `query Environments($org:String!,$first:Int!,$cursor:String,$environments:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url defaultBranchRef{name} codeowners{errors{kind}}
  environments(first:$environments){totalCount nodes{ name protectionRules(first:10){nodes{type timeout preventSelfReview}} }} } } } }`

// environmentsRead is how many environments of a repository are read at once. One that has more is read by REST.
const environmentsRead = 20

// environmentsPermission is what reading environments by REST needs.
const environmentsPermission = "actions=read"

var repositoriesWithEnvironments = repositoryQuery[environmentRepository]{
	text: environmentsQuery, variables: map[string]any{"environments": environmentsRead},
	node:   func(r *environmentRepository) *repositoryNode { return &r.repositoryNode },
	fields: []string{"codeowners", "environments", "defaultBranchRef"},
}

type environmentRepository struct {
	repositoryNode
	DefaultBranchRef *struct {
		Name string `json:"name"`
	} `json:"defaultBranchRef"`
	Codeowners *struct {
		Errors []struct{} `json:"errors"`
	} `json:"codeowners"`
	Environments *struct {
		TotalCount int               `json:"totalCount"`
		Nodes      []*environmentGQL `json:"nodes"`
	} `json:"environments"`
}

// environmentGQL is an environment as GraphQL shows it: all but whether administrators may pass by.
type environmentGQL struct {
	Name  string `json:"name"`
	Rules struct {
		Nodes []struct {
			Type              string `json:"type"`
			TimeoutMinutes    int    `json:"timeout"`
			PreventSelfReview *bool  `json:"preventSelfReview"`
		} `json:"nodes"`
	} `json:"protectionRules"`
}

// environmentREST is an environment as REST shows it.
type environmentREST struct {
	Name            string `json:"name"`
	AdminsCanBypass *bool  `json:"can_admins_bypass"`
	Rules           []struct {
		Type              string            `json:"type"`
		WaitMinutes       int               `json:"wait_timer"`
		PreventSelfReview *bool             `json:"prevent_self_review"`
		Reviewers         []json.RawMessage `json:"reviewers"`
	} `json:"protection_rules"`
	// BranchPolicy is null where any branch may be deployed.
	BranchPolicy *json.RawMessage `json:"deployment_branch_policy"`
}

// environmentWalk gathers the environments of an organisation.
type environmentWalk struct {
	collector *Collector
	batch     record.Batch
	seen      map[record.RepositoryName]bool
	// details are what REST said, from this walk and earlier ones that are fresh.
	details map[record.RepositoryName]environmentDetails
	// refused says that GitHub lets the credential read no environments by REST: it is not asked again in this walk.
	refused bool
}

// environmentDetails are the environments of a repository as REST showed them, nil where it did not.
type environmentDetails struct {
	list       []record.EnvironmentProtection
	permission string
	readAt     time.Time
}

// readEnvironments reads the environments of all repositories of an organisation, and who owns their code. Archived repositories deploy nothing.
func (c *Collector) readEnvironments(ctx context.Context, org string) record.Batch {
	w := &environmentWalk{
		collector: c, seen: map[record.RepositoryName]bool{}, details: map[record.RepositoryName]environmentDetails{},
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.readAt()},
	}
	now := c.env.Now()
	known := map[record.RepositoryName]environmentDetails{}
	c.remember(org, func(o *organisation) {
		for name, d := range o.environments {
			if now.Sub(d.readAt) < c.config.FullInterval.Std() {
				known[name] = d
			}
		}
	})
	err := repositoriesWithEnvironments.walk(ctx, c, org, func(node *environmentRepository) error { return w.add(ctx, node, known) })
	if err != nil {
		return record.Batch{Err: scopeError(err, environmentsPermission)}
	}
	c.remember(org, func(o *organisation) { o.environments = w.details })
	return w.batch
}

func (w *environmentWalk) add(ctx context.Context, node *environmentRepository, known map[record.RepositoryName]environmentDetails) error {
	name, err := record.RepositoryName(""), error(nil)
	if node != nil {
		name, err = w.collector.repositoryName(node.URL, node.NameWithOwner)
	}
	if node == nil || err != nil {
		if w.batch.Rejected == nil {
			w.batch.Rejected = map[record.RejectReason]int{}
		}
		w.batch.Rejected[record.RejectNoID]++
		return nil //nolint:nilerr // The item is rejected and counted.
	}
	if w.seen[name] {
		return nil
	}
	w.seen[name] = true
	r := record.Repository{Name: name, Settings: node.owners()}
	if r.Environments, err = w.environments(ctx, node, name, known); err != nil {
		return err
	}
	w.batch.Repositories = append(w.batch.Repositories, r)
	return nil
}

// owners says whether the repository has a CODEOWNERS file and whether that is free of errors. An empty repository has none.
func (r *environmentRepository) owners() map[string]record.Answer {
	switch {
	case r.lacks("codeowners") || r.lacks("defaultBranchRef"):
		return nil
	case r.Codeowners == nil:
		return map[string]record.Answer{settingCodeowners: record.AnswerNo}
	default:
		return map[string]record.Answer{
			settingCodeowners: record.AnswerYes, settingCodeownersValid: record.AnswerOf(len(r.Codeowners.Errors) == 0),
		}
	}
}

// environments are the environments of a repository, nil if they are unknown. Whether administrators are bound only REST says, which is asked
// once per full interval and repository that has any.
func (w *environmentWalk) environments(
	ctx context.Context, node *environmentRepository, name record.RepositoryName, known map[record.RepositoryName]environmentDetails,
) ([]record.EnvironmentProtection, error) {
	unread := node.lacks("environments") || node.Environments == nil
	if !unread && node.Environments.TotalCount == 0 {
		return []record.EnvironmentProtection{}, nil
	}
	details, ok := known[name]
	if !ok {
		var err error
		if details, err = w.ask(ctx, node.NameWithOwner); err != nil {
			return nil, err
		}
	}
	w.details[name] = details
	if unread || node.Environments.TotalCount > len(node.Environments.Nodes) {
		return details.list, nil
	}
	list := []record.EnvironmentProtection{}
	for _, e := range node.Environments.Nodes {
		if e == nil {
			return details.list, nil
		}
		p := w.collector.environment(e)
		i := slices.IndexFunc(details.list, func(d record.EnvironmentProtection) bool { return d.Environment == p.Environment })
		if i >= 0 {
			p.AdminsBound, p.MissingPermission = details.list[i].AdminsBound, details.list[i].MissingPermission
		} else {
			p.MissingPermission = details.permission
		}
		list = append(list, p)
	}
	return list, nil
}

// environment is an environment as GraphQL shows it.
func (c *Collector) environment(e *environmentGQL) record.EnvironmentProtection {
	p := unprotectedEnvironment(e.Name)
	for _, rule := range e.Rules.Nodes {
		switch rule.Type {
		case "REQUIRED_REVIEWERS":
			p.RequiredReviewers = record.AnswerYes
			p.SelfReviewPrevented = record.AnswerOf(rule.PreventSelfReview != nil && *rule.PreventSelfReview)
		case "WAIT_TIMER":
			p.WaitTimer = time.Duration(max(0, rule.TimeoutMinutes)) * time.Minute
		case "BRANCH_POLICY":
			p.BranchPolicy = record.AnswerYes
		default:
			c.unknownValue("environment protection rule", rule.Type)
		}
	}
	return p
}

// unprotectedEnvironment is an environment without rules. Where nobody need review, nobody is kept from reviewing their own.
func unprotectedEnvironment(name string) record.EnvironmentProtection {
	return record.EnvironmentProtection{
		Environment: record.Text(name), RequiredReviewers: record.AnswerNo, SelfReviewPrevented: record.AnswerNo, BranchPolicy: record.AnswerNo,
	}
}

// ask reads a repository's environments by REST. A missing permission is remembered with what it makes unknown; the error is not nil only for what may pass.
func (w *environmentWalk) ask(ctx context.Context, fullName string) (environmentDetails, error) {
	details := environmentDetails{permission: environmentsPermission, readAt: w.collector.env.Now()}
	if w.refused {
		return details, nil
	}
	list := []record.EnvironmentProtection{}
	err := apiclient.Walk(ctx, maxPages, func(ctx context.Context, cursor string) (string, error) {
		var page struct {
			Environments []environmentREST `json:"environments"`
		}
		resp, err := w.collector.api.get(ctx, firstOf(cursor, "repos/"+escapeName(fullName)+"/environments?"+url.Values{"per_page": {pageSize}}.Encode()), &page)
		if err != nil {
			return "", err
		}
		for i := range page.Environments {
			list = append(list, w.collector.environmentDetail(&page.Environments[i]))
		}
		return resp.Next, nil
	})
	switch reason := record.ReasonOf(err); {
	case err == nil:
		details.list, details.permission = list, ""
	case reason == record.ReasonPermission:
		w.refused = true // A credential has this permission for all of an organisation's repositories or for none.
	case reason == record.ReasonNotFound:
	default:
		return environmentDetails{}, fmt.Errorf("environments of %s: %w", record.Text(fullName), err)
	}
	return details, nil
}

// environmentDetail is an environment as REST shows it.
func (c *Collector) environmentDetail(e *environmentREST) record.EnvironmentProtection {
	p := unprotectedEnvironment(e.Name)
	p.BranchPolicy = record.AnswerOf(e.BranchPolicy != nil)
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
			c.unknownValue("environment protection rule", rule.Type)
		}
	}
	return p
}
