package protection

import (
	"context"
	"fmt"
	"slices"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
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

var repositoriesWithEnvironments = api.RepositoryQuery[environmentRepository]{
	Text: environmentsQuery, Variables: map[string]any{"environments": environmentsRead},
	Node:   func(r *environmentRepository) *api.RepositoryNode { return &r.RepositoryNode },
	Fields: []string{"codeowners", "environments", "defaultBranchRef"},
}

type environmentRepository struct {
	api.RepositoryNode
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

// environmentWalk gathers the environments of an organisation.
type environmentWalk struct {
	collector *Collector
	batch     record.Batch
	seen      map[record.RepositoryName]bool
	// details are what REST answered, from this walk and earlier ones that are fresh.
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
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.ReadAt()},
	}
	now := c.Now()
	known := map[record.RepositoryName]environmentDetails{}
	c.state.With(org, func(o *organisation) {
		for name, d := range o.environments {
			if now.Sub(d.readAt) < c.Intervals.Full {
				known[name] = d
			}
		}
	})
	err := repositoriesWithEnvironments.Walk(ctx, c.API, org, func(node *environmentRepository) error { return w.add(ctx, node, known) })
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, inventory.EnvironmentsPermission)}
	}
	c.state.With(org, func(o *organisation) { o.environments = w.details })
	return w.batch
}

func (w *environmentWalk) add(ctx context.Context, node *environmentRepository, known map[record.RepositoryName]environmentDetails) error {
	name, err := record.RepositoryName(""), error(nil)
	if node != nil {
		name, err = w.collector.API.RepositoryName(node.URL, node.NameWithOwner)
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
	case r.Lacks("codeowners") || r.Lacks("defaultBranchRef"):
		return nil
	case r.Codeowners == nil:
		return map[string]record.Answer{inventory.SettingCodeowners: record.AnswerNo}
	default:
		return map[string]record.Answer{
			inventory.SettingCodeowners: record.AnswerYes, inventory.SettingCodeownersValid: record.AnswerOf(len(r.Codeowners.Errors) == 0),
		}
	}
}

// environments are the environments of a repository, nil if they are unknown. Whether administrators are bound only REST says, which is asked
// once per full interval and repository that has any.
func (w *environmentWalk) environments(
	ctx context.Context, node *environmentRepository, name record.RepositoryName, known map[record.RepositoryName]environmentDetails,
) ([]record.EnvironmentProtection, error) {
	unread := node.Lacks("environments") || node.Environments == nil
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
	p := inventory.UnprotectedEnvironment(e.Name)
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
			c.UnknownValue("environment protection rule", rule.Type)
		}
	}
	return p
}

// ask reads a repository's environments by REST. A missing permission is remembered with what it makes unknown; the error is not nil only for what may pass.
func (w *environmentWalk) ask(ctx context.Context, fullName string) (environmentDetails, error) {
	details := environmentDetails{permission: inventory.EnvironmentsPermission, readAt: w.collector.Now()}
	if w.refused {
		return details, nil
	}
	list, err := w.collector.inventory.Environments(ctx, fullName)
	switch reason := record.ReasonOf(err); {
	case err == nil:
		details.list, details.permission = []record.EnvironmentProtection{}, ""
		for i := range list {
			details.list = append(details.list, w.collector.inventory.Protection(&list[i]))
		}
	case reason == record.ReasonPermission:
		w.refused = true // A credential has this permission for all of an organisation's repositories or for none.
	case reason == record.ReasonNotFound:
	default:
		return environmentDetails{}, fmt.Errorf("environments of %s: %w", record.Text(fullName), err)
	}
	return details, nil
}
