package github

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// repositoryScopes are the kinds of scope of single repositories, part by part; none where nobody says which repositories there are.
func (c *Collector) repositoryScopes() []part.RepositoryScope {
	if !c.inventory.Listed() {
		return nil
	}
	var list []part.RepositoryScope
	for _, p := range c.parts {
		list = append(list, p.RepositoryScopes()...)
	}
	return list
}

// collectRepositories reads the scopes of single repositories that are due.
func (c *Collector) collectRepositories(ctx context.Context, org string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	all := c.inventory.Repositories(org)
	for _, s := range c.repositoryScopes() {
		list := all
		if s.Among != nil && list != nil {
			list = s.Among(org, list)
		}
		if list == nil {
			continue
		}
		if err := c.retire(s, org, list, cursors, emit); err != nil {
			return err
		}
		if s.ReadAll != nil {
			if err := s.ReadAll(ctx, org, list, cursors, emit); err != nil {
				return err
			}
			continue
		}
		if err := c.sweep(ctx, s, org, list, cursors, emit); err != nil {
			return err
		}
	}
	return nil
}

// sweep reads the scopes of one kind that are due, those that were read longest ago first, and no more in one collection than the configuration
// allows: the requests of a large organisation spread over the interval.
func (c *Collector) sweep(
	ctx context.Context, s part.RepositoryScope, org string, list []api.Repository, cursors collectors.Cursors, emit func(record.Batch) error,
) error {
	refusals, allowed := 0, false
	note := func(b record.Batch) error {
		if record.ReasonOf(b.Err) == record.ReasonPermission {
			refusals++
		} else {
			allowed = true
		}
		c.attempts.With(org, func(at *map[string]time.Time) { (*at)[b.Scope] = c.env.Now() })
		return emit(b)
	}
	for _, repository := range c.dueRepositories(s, org, list, cursors) {
		if err := read(ctx, scopeOf(s, org, repository), cursors[s.Name(repository)], note); err != nil {
			return err
		}
		if !allowed && refusals >= api.MaxRefusals {
			break
		}
	}
	return nil
}

// scopeOf is the scope of one repository.
func scopeOf(s part.RepositoryScope, org string, r api.Repository) part.Scope {
	return part.Scope{Name: s.Name(r), Read: func(ctx context.Context, cursor record.Cursor) record.Batch { return s.Read(ctx, org, r, cursor) }}
}

// dueRepositories are the repositories whose scope is to be read in this collection.
func (c *Collector) dueRepositories(s part.RepositoryScope, org string, list []api.Repository, cursors collectors.Cursors) []api.Repository {
	type candidate struct {
		api.Repository
		last time.Time
	}
	var due []candidate
	now := c.env.Now()
	c.attempts.With(org, func(at *map[string]time.Time) {
		for _, r := range list {
			last, err := time.Parse(time.RFC3339, string(cursors[s.Name(r)]))
			if r.Archived || err == nil && now.Sub(last) < c.env.Intervals.Repository {
				continue
			}
			if tried := (*at)[s.Name(r)]; tried.After(last) {
				last = tried
			}
			due = append(due, candidate{r, last})
		}
	})
	slices.SortStableFunc(due, func(a, b candidate) int { return a.last.Compare(b.last) })
	next := make([]api.Repository, min(len(due), c.env.RepositoriesPerCollection))
	for i := range next {
		next[i] = due[i].Repository
	}
	slices.SortFunc(next, func(a, b api.Repository) int { return cmp.Compare(a.Name, b.Name) })
	return next
}

// retired begins the cursor of a scope whose repository is gone or archived: it holds nothing and is not read any more. The time follows at which that was last emitted.
const retired = "retired "

// retire empties the scopes of repositories that are gone or archived, or do not have such a scope any more. It does so again before that is too old to be
// believed: a scope of which nothing is emitted turns stale, and what is absent would be unknown for ever.
func (c *Collector) retire(s part.RepositoryScope, org string, list []api.Repository, cursors collectors.Cursors, emit func(record.Batch) error) error {
	alive := map[string]bool{}
	for _, r := range list {
		alive[s.Name(r)] = !r.Archived
	}
	now := c.env.Now()
	var gone []string
	for name, cursor := range cursors {
		if !strings.HasPrefix(name, s.Kind+":"+org+"/") || alive[name] {
			continue
		}
		emitted, ok := strings.CutPrefix(string(cursor), retired)
		if at, err := time.Parse(time.RFC3339, emitted); !ok || err != nil || now.Sub(at) >= c.env.Intervals.Repository {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		b := s.Empty
		b.Scope, b.Mode, b.Cursor = name, record.Full, retired+c.env.ReadAt()
		if err := emit(b); err != nil {
			return err
		}
		c.attempts.With(org, func(at *map[string]time.Time) { delete(*at, name) })
	}
	return nil
}
