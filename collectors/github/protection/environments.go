package protection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// environmentsQuery reads a page of repositories with their environments, the rules that protect these, and their CODEOWNERS file. It costs
// 1 + first·21 requests by GitHub's formula, eleven points for fifty repositories.
const environmentsQuery = `query Environments($org:String!,$first:Int!,$cursor:String,$environments:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url defaultBranchRef{name} codeowners{errors{kind}}
  environments(first:$environments){totalCount nodes{ name protectionRules(first:10){nodes{type timeout preventSelfReview}} }} } } } }`

// pointsOfEnvironments is what environmentsQuery costs for fifty repositories.
const pointsOfEnvironments = 11

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

// readEnvironments reads the environments of all repositories of an organisation, and who owns their code. Archived repositories deploy nothing.
func (c *Collector) readEnvironments(ctx context.Context, org string) record.Batch {
	w := &environmentWalk{
		collector: c, org: org, seen: map[record.RepositoryName]bool{}, details: map[record.RepositoryName]environmentDetails{}, refused: map[record.RepositoryName]error{},
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.ReadAt()},
	}
	known := map[record.RepositoryName]environmentDetails{}
	c.state.With(org, func(o *organisation) { maps.Copy(known, o.environments) })
	// As many are asked about again in each walk as makes all of them in a full interval, so that they do not all fall due at once.
	w.again = max(c.RepositoriesPerCollection, int(1.5*float64(len(known))*part.PerHour(c.Intervals.Full)/max(part.PerHour(c.Intervals.Posture), 1)))
	err := repositoriesWithEnvironments.Walk(ctx, c.API, org, func(node *environmentRepository) error { return w.add(ctx, node, known) })
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, inventory.EnvironmentsPermission)}
	}
	c.state.With(org, func(o *organisation) { o.environments = w.details })
	w.namePermissions()
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
	if w.due(details, ok) {
		var err error
		if details, ok, err = w.ask(ctx, name, node.NameWithOwner); err != nil {
			return nil, err
		}
	}
	if ok {
		w.details[name] = details
	}
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
			p.AdminsBound = details.list[i].AdminsBound
			if !p.BranchPolicy.Known() {
				p.BranchPolicy = details.list[i].BranchPolicy
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// due reports whether REST is asked about a repository in this walk: where nothing is known, as long as the budget lasts, and once per full interval.
func (w *environmentWalk) due(details environmentDetails, known bool) bool {
	now := w.collector.Now()
	switch {
	case !known:
		return w.collector.API.Spare(now)
	case now.Sub(details.readAt) < w.collector.Intervals.Full || w.again == 0:
		return false
	default:
		w.again--
		return true
	}
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
			p.BranchPolicy = record.AnswerUnknown // Which branches it lets in only REST says.
		default:
			c.UnknownValue("environment protection rule", rule.Type)
		}
	}
	return p
}

// ask reads a repository's environments by REST; ok is false where it does not show them. The error is not nil only for what concerns more than this repository.
func (w *environmentWalk) ask(ctx context.Context, name record.RepositoryName, fullName string) (details environmentDetails, ok bool, err error) {
	var list []inventory.Environment
	refused, err := w.collector.Questions.Ask(w.question(fullName), func() error {
		list, err = w.collector.inventory.Environments(ctx, fullName)
		return err
	})
	switch {
	case err != nil:
		return details, false, fmt.Errorf("environments of %s: %w", record.Text(fullName), err)
	case refused != nil:
		w.refused[name] = refused
		return details, false, nil
	}
	details = environmentDetails{list: []record.EnvironmentProtection{}, readAt: w.collector.Now()}
	for i := range list {
		p := w.collector.inventory.Protection(&list[i])
		if p.BranchPolicy, err = w.branchPolicy(ctx, name, fullName, &list[i], &details); err != nil {
			return details, false, err
		}
		details.list = append(details.list, p)
	}
	return details, true, nil
}

func (w *environmentWalk) question(fullName string) api.Question {
	return api.Question{Organisation: w.org, Repository: fullName, What: "environments", Permission: inventory.EnvironmentsPermission}
}

// namePermissions says of environments that REST did not show which permission is missing, if one is: whether others are shown is known when all were asked.
func (w *environmentWalk) namePermissions() {
	for i := range w.batch.Repositories {
		r := &w.batch.Repositories[i]
		refused := w.refused[r.Name]
		if refused == nil {
			continue
		}
		permission := api.Permission(w.collector.Questions.Explain(w.question(string(r.Name)), refused))
		for j := range r.Environments {
			if e := &r.Environments[j]; !e.AdminsBound.Known() || !e.BranchPolicy.Known() {
				e.MissingPermission = permission
			}
		}
	}
}
