package trust

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// workflowTreesQuery reads a page of repositories with the identity of the folder of workflows, by which a change is noticed without reading the files, and
// the names of environments. It costs 1 + first requests by GitHub's formula, about one point.
const workflowTreesQuery = `query WorkflowTrees($org:String!,$first:Int!,$cursor:String,$environments:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url id object(expression:"HEAD:.github/workflows"){oid} environments(first:$environments){totalCount nodes{name}} } } } }`

// workflowsQuery reads the workflows of a few repositories. It costs one point.
const workflowsQuery = `query Workflows($ids:[ID!]!){ nodes(ids:$ids){ ... on Repository{ id
  object(expression:"HEAD:.github/workflows"){ oid ... on Tree{ entries{ name type object{ ... on Blob{ byteSize isBinary isTruncated text } } } } } } } }`

const (
	// workflowBatch is how many repositories' workflows are read at once; it is halved when that is too much for the server.
	workflowBatch = 20
	// longestWorkflow bounds the bytes of a workflow that is looked into. GitHub itself refuses larger ones.
	longestWorkflow = 512 << 10
	// mostWorkflows bounds the workflows of one repository.
	mostWorkflows = 500
)

var repositoriesWithWorkflows = api.RepositoryQuery[workflowRepository]{
	Text: workflowTreesQuery, Variables: map[string]any{"environments": 100},
	Node:   func(r *workflowRepository) *api.RepositoryNode { return &r.RepositoryNode },
	Fields: []string{"object", "environments"},
}

type workflowRepository struct {
	api.RepositoryNode
	ID   string `json:"id"`
	Tree *struct {
		OID string `json:"oid"`
	} `json:"object"`
	Environments *struct {
		TotalCount int `json:"totalCount"`
		Nodes      []*struct {
			Name string `json:"name"`
		} `json:"nodes"`
	} `json:"environments"`
}

// workflowTree is a folder of workflows with the files.
type workflowTree struct {
	ID   string `json:"id"`
	Tree *struct {
		OID     string `json:"oid"`
		Entries []struct {
			Name   string        `json:"name"`
			Type   string        `json:"type"`
			Object *workflowBlob `json:"object"`
		} `json:"entries"`
	} `json:"object"`
}

type workflowBlob struct {
	ByteSize    int     `json:"byteSize"`
	IsBinary    *bool   `json:"isBinary"`
	IsTruncated bool    `json:"isTruncated"`
	Text        *string `json:"text"`
}

// workflowWalk gathers the workflows of an organisation.
type workflowWalk struct {
	collector *Collector
	org       string
	batch     record.Batch
	before    map[record.RepositoryName]repositoryWorkflows
	found     map[record.RepositoryName]repositoryWorkflows
	// changed are the repositories whose files must be read, by their GraphQL identity.
	changed map[string]record.RepositoryName
	order   []string
}

// readWorkflows reads which workflows the repositories of an organisation have. What is in the files is kept for the scopes of single repositories, and asked for again
// only where something in the folder changed.
func (c *Collector) readWorkflows(ctx context.Context, org string, _ record.Cursor) record.Batch {
	w := &workflowWalk{
		collector: c, org: org, found: map[record.RepositoryName]repositoryWorkflows{}, changed: map[string]record.RepositoryName{},
		batch: record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.ReadAt()},
	}
	c.state.With(org, func(o *organisation) { w.before = o.workflows })
	if err := repositoriesWithWorkflows.Walk(ctx, c.API, org, w.add); err != nil {
		return record.Batch{Err: api.ScopeError(err, api.ContentsPermission)}
	}
	if err := w.readFiles(ctx); err != nil {
		return record.Batch{Err: api.ScopeError(err, api.ContentsPermission)}
	}
	c.state.With(org, func(o *organisation) { o.workflows, o.workflowsCut = w.found, len(w.batch.Rejected) > 0 })
	return w.batch
}

// add notes which folder of workflows a repository has.
func (w *workflowWalk) add(node *workflowRepository) error {
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
	if _, twice := w.found[name]; twice {
		return nil
	}
	r := repositoryWorkflows{id: node.ID, known: true}
	r.environments, r.environmentsKnown = node.environmentNames()
	repository := record.Repository{Name: name}
	switch {
	case node.Lacks("object"):
		r.known, r.permission = false, api.Permission(api.ScopeError(node.Failure(), api.ContentsPermission))
	case node.Tree == nil:
		repository.Settings = map[string]record.Answer{inventory.SettingWorkflows: record.AnswerNo}
	default:
		r.tree = node.Tree.OID
		repository.Settings = map[string]record.Answer{inventory.SettingWorkflows: record.AnswerYes}
		if before := w.before[name]; before.known && before.tree == r.tree {
			r.files = before.files
			break
		}
		w.changed[node.ID] = name
		w.order = append(w.order, node.ID)
		r.known = false // until they are read
	}
	w.found[name] = r
	w.batch.Repositories = append(w.batch.Repositories, repository)
	return nil
}

// environmentNames are the names of a repository's environments, and whether these are all.
func (r *workflowRepository) environmentNames() (names []string, known bool) {
	if r.Lacks("environments") || r.Environments == nil {
		return nil, false
	}
	for _, e := range r.Environments.Nodes {
		if e != nil {
			names = append(names, e.Name)
		}
	}
	return names, len(names) == r.Environments.TotalCount
}

// readFiles reads the folders that changed.
func (w *workflowWalk) readFiles(ctx context.Context) error {
	heavy, cause, err := api.Halved(ctx, w.order, workflowBatch, func(ctx context.Context, ids []string) error {
		var answer struct {
			Nodes []*workflowTree `json:"nodes"`
		}
		failures, err := w.collector.API.GraphQL(ctx, workflowsQuery, map[string]any{"ids": ids}, &answer)
		if err != nil {
			return err
		}
		if err := api.HeavyPart(failures); err != nil {
			return err
		}
		if answer.Nodes == nil {
			return api.QueryFailure(failures)
		}
		for _, tree := range answer.Nodes {
			w.take(tree)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.tolerate(heavy, cause)
}

// tolerate leaves the files of repositories unknown that GitHub failed to answer for at this reading and the one before, and at once where it answered for others. That it
// fails for all for the first time may be an outage.
func (w *workflowWalk) tolerate(heavy []string, cause error) error {
	lasting := len(heavy) < len(w.order)
	w.collector.state.With(w.org, func(o *organisation) {
		lasting = lasting || !slices.ContainsFunc(heavy, func(id string) bool { return !o.heavyWorkflows[id] })
		o.heavyWorkflows = map[string]bool{}
		for _, id := range heavy {
			o.heavyWorkflows[id] = true
		}
	})
	if len(heavy) > 0 && !lasting {
		return cause
	}
	return nil
}

// take reads the files of a folder. What GraphQL leaves out stays unknown.
func (w *workflowWalk) take(tree *workflowTree) {
	if tree == nil || tree.Tree == nil {
		return
	}
	name, ok := w.changed[tree.ID]
	if !ok {
		return
	}
	r := w.found[name]
	r.tree, r.known = tree.Tree.OID, true
	for _, e := range tree.Tree.Entries {
		if e.Type != "blob" || !slices.Contains([]string{".yml", ".yaml"}, strings.ToLower(path.Ext(e.Name))) || len(r.files) >= mostWorkflows {
			continue
		}
		r.files = append(r.files, w.collector.workflow(".github/workflows/"+e.Name, e.Object))
	}
	w.found[name] = r
}

// workflow reads a file. One that cannot be read is a workflow of which nothing is known.
func (c *Collector) workflow(file string, blob *workflowBlob) workflow {
	file = record.Text(file)
	if blob == nil || blob.Text == nil || blob.IsTruncated || blob.ByteSize > longestWorkflow || blob.IsBinary != nil && *blob.IsBinary {
		return unreadWorkflow(file)
	}
	w, err := parseWorkflow(file, *blob.Text)
	if err != nil {
		c.Logger.Debug("A workflow cannot be understood, so that nobody knows what it asks for", "cause", errors.Unwrap(err))
	}
	return w
}

// workflowsOf are the workflows of a repository as the last walk found them.
func (c *Collector) workflowsOf(org string, name record.RepositoryName) (found repositoryWorkflows) {
	c.state.With(org, func(o *organisation) { found = o.workflows[name] })
	return found
}

// withWorkflows narrows repositories to those that a condition on their workflows holds for; nil until the workflows were read. What is not known of a repository may be
// that it holds.
func (c *Collector) withWorkflows(holds func(repositoryWorkflows) bool) func(org string, list []api.Repository) []api.Repository {
	return func(org string, list []api.Repository) []api.Repository {
		var known map[record.RepositoryName]repositoryWorkflows
		var cut bool
		c.state.With(org, func(o *organisation) { known, cut = o.workflows, o.workflowsCut })
		if known == nil {
			return nil
		}
		among := []api.Repository{}
		for _, r := range list {
			if w, ok := known[r.Name]; ok && (!w.known || holds(w)) || !ok && cut {
				among = append(among, r)
			}
		}
		return among
	}
}
