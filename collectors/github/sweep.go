package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// head is what the list of repositories taught about one of them.
type head struct {
	name     record.RepositoryName
	fullName string
	branch   string
	archived bool

	visibility record.Visibility
}

// repositoryScope is a kind of scope that there is one of for each repository that is not archived, named KIND:OWNER/NAME.
type repositoryScope struct {
	kind string
	read func(ctx context.Context, org string, repository head) record.Batch
	// resume, instead of read, goes on from the time of the reading before; its cursor is empty for a whole reading.
	resume func(ctx context.Context, org string, repository head, cursor record.Cursor) record.Batch
	// requests bound what reading it takes while little changes, for the forecast.
	requests float64
	// among, if set, are those of the repositories that have such a scope; nil while that is not known.
	among func(org string, list []head) []head
}

// from reads the scope of a repository.
func (s repositoryScope) from(ctx context.Context, org string, repository head, cursor record.Cursor) record.Batch {
	if s.resume != nil {
		return s.resume(ctx, org, repository, cursor)
	}
	return s.read(ctx, org, repository)
}

func (c *Collector) repositoryScopes() []repositoryScope {
	if !c.config.Repositories {
		return nil // Nobody says which repositories there are.
	}
	var list []repositoryScope
	if c.config.Scanning {
		list = append(list, repositoryScope{kind: scopeScanning, read: c.readScanning, requests: 2})
	}
	if c.config.Actions {
		list = append(list, repositoryScope{kind: scopeActions, read: c.readActions, requests: 2})
	}
	if c.config.Bypasses {
		list = append(list, repositoryScope{kind: scopeBypasses, resume: c.readBypasses, requests: 1})
	}
	return append(list, c.trustRepositoryScopes()...)
}

// maxRefusals is how many repositories in a row may refuse a kind of scope, with none that allows it, before a sweep gives up on it: the credential most
// likely lacks the permission, and thousands of requests would say no more than three.
const maxRefusals = 3

// sweepRepositories reads the scopes of single repositories that are due, those that were read longest ago first, and no more of each kind in one
// collection than the configuration allows: the requests of a large organisation spread over the interval.
func (c *Collector) sweepRepositories(ctx context.Context, org string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	var all []head
	c.remember(org, func(o *organisation) { all = o.heads })
	for _, s := range c.repositoryScopes() {
		list := all
		if s.among != nil && list != nil {
			list = s.among(org, list)
		}
		if list == nil {
			continue
		}
		if err := c.retire(s, org, list, cursors, emit); err != nil {
			return err
		}
		refusals, allowed := 0, false
		for _, repository := range c.dueRepositories(s, org, list, cursors) {
			name := s.scope(repository)
			batch := s.from(ctx, org, repository, cursors[name])
			if err := ctx.Err(); err != nil {
				return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("read %s: %w", name, err)}
			}
			c.remember(org, func(o *organisation) { o.swept[name] = c.env.Now() })
			batch.Scope = name
			if err := emit(batch); err != nil {
				return err
			}
			if record.ReasonOf(batch.Err) == record.ReasonPermission {
				refusals++
			} else {
				allowed = true
			}
			if !allowed && refusals >= maxRefusals {
				break
			}
		}
	}
	return nil
}

func (s repositoryScope) scope(r head) string { return s.kind + ":" + strings.ToLower(r.fullName) }

// dueRepositories are the repositories whose scope is to be read in this collection.
func (c *Collector) dueRepositories(s repositoryScope, org string, list []head, cursors collectors.Cursors) []head {
	type candidate struct {
		head
		last time.Time
	}
	var due []candidate
	now := c.env.Now()
	c.remember(org, func(o *organisation) {
		for _, r := range list {
			last, err := time.Parse(time.RFC3339, string(cursors[s.scope(r)]))
			if r.archived || err == nil && now.Sub(last) < c.config.RepositoryInterval.Std() {
				continue
			}
			if swept := o.swept[s.scope(r)]; swept.After(last) {
				last = swept
			}
			due = append(due, candidate{r, last})
		}
	})
	slices.SortStableFunc(due, func(a, b candidate) int { return a.last.Compare(b.last) })
	heads := make([]head, min(len(due), c.config.RepositoriesPerCollection))
	for i := range heads {
		heads[i] = due[i].head
	}
	slices.SortFunc(heads, func(a, b head) int { return cmp.Compare(a.name, b.name) })
	return heads
}

// retired begins the cursor of a scope whose repository is gone or archived: it holds nothing and is not read any more. The time follows at which that was last said.
const retired = "retired "

// emptied are the batches that say that a scope of one repository holds nothing, by kind of scope. They speak of what the scope spoke of and of nothing else.
var emptied = map[string]record.Batch{
	scopeScanning:    {Repositories: []record.Repository{}, Scans: []record.Scan{}},
	scopeActions:     {Repositories: []record.Repository{}},
	scopeBypasses:    {Bypasses: []record.Bypass{}},
	scopeDeployments: {Deployments: []record.Deployment{}},
	scopePipelines:   {Pipelines: []record.Pipeline{}},
	scopeIdentity:    {CloudIdentities: []record.CloudIdentity{}},
	scopeRunners:     {Runners: []record.Runner{}},
}

// retire empties the scopes of repositories that are gone or archived, or do not have such a scope any more. It says so again before that is too old to be
// believed: a scope that nobody speaks of turns stale, and what is absent would be unknown for ever.
func (c *Collector) retire(s repositoryScope, org string, list []head, cursors collectors.Cursors, emit func(record.Batch) error) error {
	alive := map[string]bool{}
	for _, r := range list {
		alive[s.scope(r)] = !r.archived
	}
	now := c.env.Now()
	var gone []string
	for name, cursor := range cursors {
		if !strings.HasPrefix(name, s.kind+":"+org+"/") || alive[name] {
			continue
		}
		said, ok := strings.CutPrefix(string(cursor), retired)
		if at, err := time.Parse(time.RFC3339, said); !ok || err != nil || now.Sub(at) >= c.config.RepositoryInterval.Std() {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		b := emptied[s.kind]
		b.Scope, b.Mode, b.Cursor = name, record.Full, retired+c.readAt()
		if err := emit(b); err != nil {
			return err
		}
		c.remember(org, func(o *organisation) { delete(o.swept, name) })
	}
	return nil
}
