package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// groupRepositories is how many repositories of a runner group are listed. Where more may use it, none is.
const groupRepositories = 100

// runnerGroup is a group of self-hosted runners as GitHub shows it.
type runnerGroup struct {
	ID         json.Number `json:"id"`
	Name       string      `json:"name"`
	Visibility string      `json:"visibility"`
	// Inherited says that the enterprise owns it.
	Inherited           bool  `json:"inherited"`
	Public              *bool `json:"allows_public_repositories"`
	InheritedPublic     *bool `json:"inherited_allows_public_repositories"`
	RestrictedWorkflows *bool `json:"restricted_to_workflows"`
}

// selfHosted is a runner as GitHub shows it.
type selfHosted struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	// Ephemeral is absent from older servers.
	Ephemeral *bool `json:"ephemeral"`
}

// runnerWalk gathers the runners of an organisation.
type runnerWalk struct {
	collector *Collector
	org       string
	batch     record.Batch
	seen      map[string]bool
	// requests counts lists, most of which fit on a page.
	requests int
}

// readRunners reads the self-hosted runners that an organisation has or inherits, and which repositories may use them. Where groups cannot be read, who may use
// a runner is unknown.
func (c *Collector) readRunners(ctx context.Context, org string, _ record.Cursor) record.Batch {
	w := &runnerWalk{
		collector: c, org: org, seen: map[string]bool{},
		batch: record.Batch{Mode: record.Full, Runners: []record.Runner{}, Cursor: c.ReadAt()},
	}
	groups, err := w.groups(ctx)
	switch reason := record.ReasonOf(err); {
	case err == nil:
	case reason == record.ReasonPermission || reason == record.ReasonNotFound:
		c.Logger.Debug("Runner groups cannot be read, so that nobody knows who may use the runners", "organization", org, "cause", err)
	default:
		return record.Batch{Err: err}
	}
	for _, g := range groups {
		if err := w.group(ctx, g); err != nil {
			return record.Batch{Err: api.ScopeError(err, orgRunnersPermission)}
		}
	}
	// A runner of no group that could be read is still a runner.
	if err := w.list(ctx, w.path("runners"), record.Runner{}, org+"#"); err != nil {
		return record.Batch{Err: api.ScopeError(err, orgRunnersPermission)}
	}
	c.state.With(org, func(o *organisation) { o.runnerRequests = w.requests })
	return w.batch
}

func (w *runnerWalk) path(rest string) string {
	return "orgs/" + url.PathEscape(w.org) + "/actions/" + rest
}

func (w *runnerWalk) groups(ctx context.Context) ([]runnerGroup, error) {
	var groups []runnerGroup
	w.requests++
	err := w.collector.API.List(ctx, w.path("runner-groups"), "runner_groups", func(item json.RawMessage) {
		var g runnerGroup
		if err := json.Unmarshal(item, &g); err != nil || g.ID == "" {
			w.reject(record.RejectDecode)
			return
		}
		groups = append(groups, g)
	})
	return groups, err
}

// group reads the runners of a group and, if only selected repositories may use it, these.
func (w *runnerWalk) group(ctx context.Context, g runnerGroup) error {
	path := w.path("runner-groups/" + url.PathEscape(g.ID.String()))
	like := record.Runner{
		Group: record.Text(g.Name), Visibility: w.collector.runnerVisibility(g.Visibility), PublicRepositories: api.AnswerOr(g.Public, record.AnswerUnknown),
		RestrictedToWorkflows: api.AnswerOr(g.RestrictedWorkflows, record.AnswerUnknown),
	}
	prefix := w.org + "#"
	if g.Inherited {
		// The enterprise numbers its own runners, and can forbid what the organisation allows.
		prefix += "inherited-"
		like.PublicRepositories = like.PublicRepositories.And(api.AnswerOr(g.InheritedPublic, like.PublicRepositories))
	}
	before := len(w.batch.Runners)
	if err := w.list(ctx, path+"/runners", like, prefix); err != nil {
		return fmt.Errorf("runners of the group %q: %w", like.Group, err)
	}
	if like.Visibility != record.RunnerSelected || len(w.batch.Runners) == before {
		return nil
	}
	names, err := w.selected(ctx, path+"/repositories")
	if err != nil {
		return fmt.Errorf("repositories of the group %q: %w", like.Group, err)
	}
	for i := before; i < len(w.batch.Runners); i++ {
		w.batch.Runners[i].Repositories = names
	}
	return nil
}

// selected are the repositories that may use a group, nil if they are too many to be listed.
func (w *runnerWalk) selected(ctx context.Context, path string) ([]record.RepositoryName, error) {
	var page struct {
		Total        *int                   `json:"total_count"`
		Repositories []inventory.Repository `json:"repositories"`
	}
	w.requests++
	if _, err := w.collector.API.Get(ctx, path+"?per_page="+strconv.Itoa(groupRepositories), &page); err != nil {
		return nil, err
	}
	if page.Total == nil {
		return nil, api.MissingField(path, "total_count")
	}
	if *page.Total > len(page.Repositories) {
		return nil, nil
	}
	names := []record.RepositoryName{}
	for _, r := range page.Repositories {
		name, err := w.collector.API.RepositoryName(r.HTMLURL, r.FullName)
		if err != nil {
			w.reject(record.RejectNoID)
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

// list reads runners that are alike but for what is their own.
func (w *runnerWalk) list(ctx context.Context, path string, like record.Runner, prefix string) error {
	w.requests++
	return w.collector.API.List(ctx, path, "runners", func(item json.RawMessage) {
		r, err := w.collector.runner(item, like, prefix)
		switch {
		case err != nil:
			w.reject(api.RejectReasonOf(err))
		case !w.seen[r.ID]:
			w.seen[r.ID] = true
			w.batch.Runners = append(w.batch.Runners, r)
		}
	})
}

func (w *runnerWalk) reject(reason record.RejectReason) {
	if w.batch.Rejected == nil {
		w.batch.Rejected = map[record.RejectReason]int{}
	}
	w.batch.Rejected[reason]++
}

// runner decodes a runner and adds it to what is known of those like it.
func (c *Collector) runner(item json.RawMessage, like record.Runner, prefix string) (record.Runner, error) {
	var s selfHosted
	if err := json.Unmarshal(item, &s); err != nil {
		return record.Runner{}, err
	}
	if s.ID <= 0 {
		return record.Runner{}, api.Reject(record.RejectNoID, errors.New("the runner has no number"))
	}
	r := like
	r.ID, r.Name = prefix+strconv.FormatInt(s.ID, 10), record.Text(s.Name)
	r.Ephemeral = api.AnswerOr(s.Ephemeral, record.AnswerUnknown)
	for _, label := range s.Labels {
		r.Labels = append(r.Labels, record.Text(label.Name))
	}
	switch s.Status {
	case "online":
		r.Online = record.AnswerYes
	case "offline":
		r.Online = record.AnswerNo
	default:
		c.UnknownValue("runner status", s.Status)
	}
	return r, nil
}

func (c *Collector) runnerVisibility(v string) record.RunnerVisibility {
	switch v {
	case "all":
		return record.RunnerAll
	case "selected":
		return record.RunnerSelected
	case "private":
		return record.RunnerPrivate
	default:
		c.UnknownValue("runner group visibility", v)
		return record.RunnerUnknown
	}
}

// readRepositoryRunners reads the runners that are registered to one repository. Whoever may run workflows there may use them.
func (c *Collector) readRepositoryRunners(ctx context.Context, org string, r api.Repository, _ record.Cursor) record.Batch {
	w := &runnerWalk{
		collector: c, org: org, seen: map[string]bool{},
		batch: record.Batch{Mode: record.Full, Runners: []record.Runner{}, Cursor: c.ReadAt()},
	}
	like := record.Runner{
		Visibility: record.RunnerRepository, Repositories: []record.RepositoryName{r.Name}, RestrictedToWorkflows: record.AnswerNo,
	}
	if r.Visibility != record.VisibilityUnknown {
		like.PublicRepositories = record.AnswerOf(r.Visibility == record.VisibilityPublic)
	}
	if err := w.list(ctx, "repos/"+api.EscapeName(r.FullName)+"/actions/runners", like, string(r.Name)+"#"); err != nil {
		return record.Batch{Err: api.ScopeError(err, repoRunnersPermission)}
	}
	return w.batch
}
