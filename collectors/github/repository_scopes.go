package github

import (
	"context"
	"errors"
	"hash/fnv"
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
// allows: the requests of a large organisation spread over the interval. A repository that refuses is asked again after the posture interval, and until then
// takes no place of another. Refusals are emitted last, when it is known whether other repositories answer.
func (c *Collector) sweep(
	ctx context.Context, s part.RepositoryScope, org string, list []api.Repository, cursors collectors.Cursors, emit func(record.Batch) error,
) error {
	type refusal struct {
		repository api.Repository
		err        error
	}
	var refusals []refusal
	due := c.dueRepositories(s, org, list, cursors)
	for _, repository := range due.unchanged {
		if err := c.emitUnchanged(s, org, repository, emit); err != nil {
			return err
		}
	}
	for _, repository := range due.read {
		if !c.env.API.Spare(c.env.Now()) {
			c.env.Logger.Debug("Scopes of single repositories wait for the budget", "organization", org, "kind", s.Kind)
			break
		}
		question := scopeQuestion(s, org, repository)
		if c.env.Questions.Refused(question) != nil {
			continue
		}
		scope := scopeOf(s, org, repository)
		refused, err := c.env.Questions.Ask(question, func() error {
			var failure error
			before := c.env.API.Spent()
			err := read(ctx, scope, cursors[scope.Name], func(b record.Batch) error {
				c.attempts.With(org, func(at *map[string]time.Time) { (*at)[b.Scope] = c.env.Now() })
				if failure = b.Err; failure != nil {
					return nil //nolint:nilerr // It ends the reading of this repository, below, and no other's.
				}
				return emit(b)
			})
			if err != nil {
				return stopped{err}
			}
			if failure == nil {
				c.costs.With(org, func(costs *map[string]int) { (*costs)[scope.Name] = c.env.API.Spent() - before })
			}
			return failure
		})
		if stop, ok := errors.AsType[stopped](err); ok {
			return stop.error
		}
		switch {
		case refused != nil:
			refusals = append(refusals, refusal{repository, refused})
		case err != nil:
			if err := emit(record.Batch{Scope: scope.Name, Err: err}); err != nil {
				return err
			}
		}
	}
	for _, r := range refusals {
		if err := emit(record.Batch{Scope: s.Name(r.repository), Err: c.env.Questions.Explain(scopeQuestion(s, org, r.repository), r.err)}); err != nil {
			return err
		}
	}
	return nil
}

// stopped is the error that ends a collection, and no answer about a repository.
type stopped struct{ error }

// scopeQuestion is whether the scope of a repository may be read. Its errors name the permission already.
func scopeQuestion(s part.RepositoryScope, org string, r api.Repository) api.Question {
	return api.Question{Organisation: org, Repository: r.FullName, What: s.Kind, Strict: true}
}

// scopeOf is the scope of one repository.
func scopeOf(s part.RepositoryScope, org string, r api.Repository) part.Scope {
	return part.Scope{Name: s.Name(r), Read: func(ctx context.Context, cursor record.Cursor) record.Batch { return s.Read(ctx, org, r, cursor) }}
}

// shuffled is a number for a name, the same in each collection.
func shuffled(name record.RepositoryName) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum64()
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
		c.costs.With(org, func(costs *map[string]int) { delete(*costs, name) })
	}
	return nil
}
