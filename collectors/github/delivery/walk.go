package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// largeOrganisation is the number of repositories above which a walk over all costs so much that it is not repeated before deployment_interval.
const largeOrganisation = 1000

// collect reads what was deployed in an organisation since the last look, or in the configured history where nothing is known yet.
func (c *Collector) collect(ctx context.Context, org string, list []api.Repository, cursors collectors.Cursors, emit func(record.Batch) error) error {
	var last time.Time
	c.state.With(org, func(o *organisation) { last = o.deploymentsAt })
	w := &deploymentWalk{
		collector: c, org: org, cursors: cursors, emit: emit, heads: map[record.RepositoryName]api.Repository{}, unnamed: map[record.RepositoryName]bool{},
		reached: map[record.RepositoryName]bool{},
		whole:   c.RepositoriesPerCollection, details: c.config.DeploymentsPerCollection,
	}
	unread := false
	for _, h := range list {
		if !h.Archived {
			w.heads[h.Name] = h
			unread = unread || cursors[scopeName(h)] == ""
		}
	}
	// To walk over a large organisation again in each collection, as long as something is left to do, would take more points than there are: more is done in each walk instead.
	large := len(w.heads) > largeOrganisation
	if large {
		collections := max(1, int(c.config.DeploymentInterval.Std()/max(1, c.Intervals.Collection)))
		w.whole, w.details = w.whole*collections, w.details*collections
	}
	if len(w.heads) == 0 || (large || !unread) && c.Now().Sub(last) < c.config.DeploymentInterval.Std() {
		return nil
	}
	c.state.With(org, func(o *organisation) {
		maps.DeleteFunc(o.deployed, func(name record.RepositoryName, _ map[string]knownDeployment) bool {
			_, ok := w.heads[name]
			return !ok
		})
		maps.DeleteFunc(o.rules, func(name record.RepositoryName, _ *environmentRules) bool { _, ok := w.heads[name]; return !ok })
	})
	err := w.run(ctx)
	if w.broken != nil {
		return w.broken
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("read deployments of %s: %w", org, ctxErr)}
	}
	c.state.With(org, func(o *organisation) {
		o.deploymentsAt = c.Now()
		if w.behind && !large {
			o.deploymentsAt = time.Time{}
		}
	})
	return w.missed(err)
}

// run reads the names of environments and then all repositories.
func (w *deploymentWalk) run(ctx context.Context) error {
	if err := w.nameEnvironments(ctx); err != nil {
		return api.ScopeError(err, inventory.EnvironmentsPermission)
	}
	query := api.RepositoryQuery[deploymentRepository]{
		Text: deploymentsQuery, Variables: map[string]any{"environments": w.environments, "deployments": lastDeployments},
		Node: func(r *deploymentRepository) *api.RepositoryNode { return &r.RepositoryNode }, Fields: []string{"deployments"},
	}
	return api.ScopeError(query.Walk(ctx, w.collector.API, w.org, func(node *deploymentRepository) error { return w.repository(ctx, node) }), deploymentsPermission)
}

// scopeName is the name of a repository's scope.
func scopeName(r api.Repository) string { return part.RepositoryScope{Kind: scopeDeployments}.Name(r) }

// missed emits the error of a walk for the repositories that it did not reach and that were due.
func (w *deploymentWalk) missed(err error) error {
	if err == nil {
		err = &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("GitHub lists the repository but not its deployments")}
	}
	most := w.collector.RepositoriesPerCollection
	for _, name := range slices.Sorted(maps.Keys(w.heads)) {
		h := w.heads[name]
		cursor, resumed := w.cursor(h)
		if most == 0 {
			break // So many errors say enough.
		}
		if w.reached[name] || resumed && w.collector.Now().Sub(cursor.Read) < w.collector.Intervals.Repository {
			continue
		}
		if err := w.emit(record.Batch{Scope: scopeName(h), Err: err}); err != nil {
			return err
		}
		most--
	}
	return nil
}

// cursor is where the last reading of a repository ended; resumed says that there was one.
func (w *deploymentWalk) cursor(h api.Repository) (cursor deploymentCursor, resumed bool) {
	err := json.Unmarshal([]byte(w.cursors[scopeName(h)]), &cursor)
	if err != nil || cursor.Read.IsZero() {
		return deploymentCursor{}, false
	}
	return cursor, true
}

// repository reads one repository and emits what is new.
func (w *deploymentWalk) repository(ctx context.Context, node *deploymentRepository) error {
	if node == nil {
		return nil // Its scope is among the missed ones.
	}
	name, err := w.collector.API.RepositoryName(node.URL, node.NameWithOwner)
	h, ok := w.heads[name]
	if err != nil || !ok || w.reached[name] {
		return nil //nolint:nilerr // One that the list of repositories does not hold yet has no scope.
	}
	w.reached[name] = true
	batch := w.read(ctx, h, node)
	if err := ctx.Err(); err != nil {
		return err
	}
	if batch == nil {
		return nil
	}
	batch.Scope = scopeName(h)
	if err := w.emit(*batch); err != nil {
		w.broken = err
		return err
	}
	return nil
}

// read is what there is to say about a repository; nil if that is nothing, or has to wait for the next collection.
func (w *deploymentWalk) read(ctx context.Context, h api.Repository, node *deploymentRepository) *record.Batch {
	if node.Lacks("deployments") || node.Deployments == nil {
		return &record.Batch{Err: api.ScopeError(node.Failure(), deploymentsPermission)}
	}
	if w.unnamed[h.Name] {
		return &record.Batch{Err: &record.Error{Reason: record.ReasonPermission, Permission: inventory.EnvironmentsPermission, Err: fmt.Errorf("its environments are hidden")}}
	}
	r := &repositoryReader{
		deploymentWalk: w, head: h, now: w.collector.Now(), runs: map[int64]*workflowRun{}, protected: map[string]record.Answer{},
	}
	r.cursor, r.resumed = w.cursor(h)
	if r.resumed && w.whole > 0 && r.mayAsk(r.cursor.Refused) {
		r.resumed = false
	}
	if !r.resumed {
		if len(node.Deployments.Nodes) > 0 { // A repository that deploys nothing costs nothing.
			if w.whole == 0 {
				w.behind = true
				return nil
			}
			w.whole--
		}
		r.cursor = deploymentCursor{Since: r.now.Add(-w.collector.config.DeploymentHistory.Std()), Lines: map[string]*lineage{}}
	}
	if r.cursor.Lines == nil {
		r.cursor.Lines = map[string]*lineage{}
	}
	batch, err := r.batch(ctx, node)
	if err != nil {
		return &record.Batch{Err: api.ScopeError(err, deploymentsPermission)}
	}
	return batch
}

func (r *repositoryReader) batch(ctx context.Context, node *deploymentRepository) (*record.Batch, error) {
	list, err := r.deployments(ctx, node)
	if err != nil {
		return nil, err
	}
	var ended, others []*deployment
	for _, d := range list {
		switch {
		case d.finished() && !slices.Contains(r.cursor.Done, d.ID):
			ended = append(ended, d)
		case !d.finished() && !d.CreatedAt.Before(r.cursor.Since):
			others = append(others, d)
		}
	}
	inOrder(ended)
	ready, err := r.readDetails(ctx, ended)
	if err != nil {
		return nil, err
	}
	if len(ready) < len(ended) {
		r.behind = true
		if !r.resumed {
			return nil, nil // Half a history is none; what was looked into is remembered.
		}
	}
	b := &record.Batch{Mode: record.Delta, Deployments: []record.Deployment{}, Rejected: r.rejected}
	if !r.resumed {
		b.Mode = record.Full
	}
	for _, d := range ready {
		if !d.CreatedAt.Before(r.cursor.Since) && r.collector.counts(&d.Deployment) {
			b.Deployments = append(b.Deployments, d.Deployment)
		}
	}
	for _, d := range others {
		if r.collector.counts(&d.Deployment) {
			b.Deployments = append(b.Deployments, d.Deployment)
		}
	}
	if r.resumed && b.Size() == 0 && r.now.Sub(r.cursor.Read) < r.collector.Intervals.Repository {
		return nil, nil
	}
	b.Cursor, err = r.next(list, ready)
	return b, err
}

// deployments are those that were created since the cursor, and for a whole reading those before that came along, because something was deployed before the first.
func (r *repositoryReader) deployments(ctx context.Context, node *deploymentRepository) ([]*deployment, error) {
	nodes, whole, err := r.history(ctx, r.head, node, r.cursor.Since)
	if err != nil {
		return nil, err
	}
	if !r.resumed {
		r.cursor.Whole = whole
	}
	var list []*deployment
	seen := map[string]bool{}
	for _, n := range nodes {
		if n.truncated() {
			if err := r.complete(ctx, n); err != nil {
				return nil, err
			}
		}
		d, err := r.collector.deploymentOf(n, r.head)
		if err != nil {
			if r.rejected == nil {
				r.rejected = map[record.RejectReason]int{}
			}
			r.rejected[api.RejectReasonOf(err)]++
			continue
		}
		before := d.CreatedAt.Before(r.cursor.Since)
		if seen[d.ID] || r.resumed && before {
			continue
		}
		seen[d.ID] = true
		d.known = before
		if r.production[d.Environment] {
			d.Production = record.AnswerYes
		}
		list = append(list, d)
	}
	return list, nil
}

// next is the cursor after what was read: it goes back to the oldest deployment that has not ended or was not looked into yet.
func (r *repositoryReader) next(list, ready []*deployment) (record.Cursor, error) {
	done := map[string]bool{}
	for _, id := range r.cursor.Done {
		done[id] = true
	}
	for _, d := range ready {
		done[d.ID] = true
	}
	next := deploymentCursor{Read: r.now.UTC().Truncate(time.Second), Since: r.cursor.Since, Lines: r.cursor.Lines, Whole: r.cursor.Whole}
	for _, d := range list {
		if d.CreatedAt.After(next.Since) {
			next.Since = d.CreatedAt
		}
	}
	for _, d := range list {
		if (d.open(r.now) || d.finished() && !done[d.ID]) && d.CreatedAt.Before(next.Since) {
			next.Since = d.CreatedAt
		}
	}
	for _, d := range list {
		if done[d.ID] && !d.CreatedAt.Before(next.Since) {
			next.Done = append(next.Done, d.ID)
		}
	}
	slices.Sort(next.Done)
	next.Refused = r.refusedQuestions(ready)
	data, err := json.Marshal(next)
	if err != nil {
		return "", fmt.Errorf("encode the cursor: %w", err)
	}
	return record.Cursor(data), nil
}

// refusedQuestions are those about deployments within the history that the repository refused to answer. A resumed reading knows of earlier ones by its cursor.
func (r *repositoryReader) refusedQuestions(ready []*deployment) []string {
	var list []string
	if r.resumed {
		list = slices.Clone(r.cursor.Refused)
	}
	for _, d := range ready {
		if !d.CreatedAt.Before(r.cursor.Since) {
			list = append(list, d.refused...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// history lists the deployments of a repository that were created since an instant, and those before that came along. Whole says that there are none before.
func (w *deploymentWalk) history(ctx context.Context, h api.Repository, node *deploymentRepository, since time.Time) (list []*deploymentNode, whole bool, err error) {
	page := node.Deployments
	seen := map[string]bool{}
	for range api.MaxPages {
		oldest := time.Time{}
		for _, n := range page.Nodes {
			list = append(list, n)
			if n != nil && !n.CreatedAt.IsZero() {
				oldest = n.CreatedAt.Time
			}
		}
		next, err := page.PageInfo.Next()
		if err != nil || next == "" {
			return list, err == nil, err
		}
		if !oldest.IsZero() && oldest.Before(since) {
			return list, false, nil
		}
		if seen[next] {
			break
		}
		seen[next] = true
		if page, err = w.more(ctx, h, next); err != nil {
			return nil, false, err
		}
	}
	return nil, false, &record.Error{Reason: record.ReasonTruncated, Err: errors.New("the list of deployments does not end")}
}

// more reads a further page of a repository's deployments.
func (w *deploymentWalk) more(ctx context.Context, h api.Repository, cursor string) (*deploymentPage, error) {
	owner, name, _ := strings.Cut(h.FullName, "/")
	var answer struct {
		Repository *struct {
			Deployments *deploymentPage `json:"deployments"`
		} `json:"repository"`
	}
	failures, err := w.collector.API.GraphQL(ctx, moreDeploymentsQuery, map[string]any{
		"owner": owner, "name": name, "cursor": cursor, "environments": w.environments,
	}, &answer)
	switch {
	case err != nil:
		return nil, err
	case len(failures) > 0 || answer.Repository == nil || answer.Repository.Deployments == nil:
		return nil, api.QueryFailure(failures)
	}
	return answer.Repository.Deployments, nil
}

// complete reads what a page did not hold of a deployment's history.
func (w *deploymentWalk) complete(ctx context.Context, n *deploymentNode) error {
	var statuses []deploymentStatus
	cursor := any(nil)
	for range api.MaxPages {
		var answer struct {
			Node *struct {
				Statuses *statusHistory `json:"statuses"`
			} `json:"node"`
		}
		failures, err := w.collector.API.GraphQL(ctx, moreStatusesQuery, map[string]any{"id": n.ID, "cursor": cursor}, &answer)
		switch {
		case err != nil:
			return err
		case len(failures) > 0 || answer.Node == nil || answer.Node.Statuses == nil:
			return api.QueryFailure(failures)
		}
		statuses = append(statuses, answer.Node.Statuses.Nodes...)
		next, err := answer.Node.Statuses.PageInfo.Next()
		if err != nil {
			return err
		}
		if next == "" || next == cursor {
			n.Statuses.Nodes = statuses
			return nil
		}
		cursor = next
	}
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("the history of deployment %s does not end", record.Text(n.ID))}
}
