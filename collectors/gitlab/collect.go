package gitlab

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// The kinds of scope.
const (
	scopeProjects        = "projects"
	scopeVulnerabilities = "vulnerabilities"
	scopeRunners         = "runners"
	scopeProject         = "project"
	scopeDeployments     = "deployments"
	scopeReleases        = "releases"
	scopeBypasses        = "bypasses"
)

// projectScopes are the scopes that each project has.
var projectScopes = []string{scopeProject, scopeDeployments, scopeReleases, scopeBypasses}

// workers is how many projects are read at a time.
const workers = 4

// Collect reads the groups whole, and of the projects those that are due, the longest unread first.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	defer c.api.begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	var all []*project
	listed := true
	for _, group := range c.config.Groups {
		batch, found := c.readProjects(ctx, group)
		if err := emit(batch); err != nil {
			return err
		}
		listed = listed && batch.Err == nil
		all = append(all, found...)
	}
	all = once(all)
	for _, group := range c.config.Groups {
		if *c.config.Vulnerabilities {
			if err := emit(c.readVulnerabilities(ctx, group)); err != nil {
				return err
			}
		}
		if err := emit(c.readRunners(ctx, group, all)); err != nil {
			return err
		}
	}
	if err := c.collectProjects(ctx, all, cursors, emit); err != nil {
		return err
	}
	if listed {
		if err := retire(all, cursors, emit); err != nil {
			return err
		}
	}
	return canceled(ctx)
}

// once drops the projects that several groups list, and orders the others by their numbers.
func once(projects []*project) []*project {
	slices.SortFunc(projects, func(a, b *project) int { return int(a.ID - b.ID) })
	return slices.CompactFunc(projects, func(a, b *project) bool { return a.ID == b.ID })
}

// collectProjects reads what is asked of each project, several at a time; batches are emitted one after the other.
func (c *Collector) collectProjects(ctx context.Context, projects []*project, cursors collectors.Cursors, emit func(record.Batch) error) error {
	results := make(chan []record.Batch)
	around := c.newSurroundings(projects)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	go func() {
		for _, p := range c.due(projects, cursors) {
			group.Go(func() error {
				select {
				case results <- c.readProject(within, p, around, cursors):
					return nil
				case <-within.Done():
					return within.Err()
				}
			})
		}
		_ = group.Wait() // a context that ended is told by emit
		close(results)
	}()
	var failed error
	for batches := range results {
		for _, b := range batches {
			if failed == nil {
				failed = emit(b)
			}
		}
	}
	return failed
}

// due are the projects to read now: those never read, then those read longest ago, if that is posture_interval or more.
func (c *Collector) due(projects []*project, cursors collectors.Cursors) []*project {
	now, due := c.now(), []*project{}
	read := map[int64]time.Time{}
	for _, p := range projects {
		if p.ended() {
			continue
		}
		at, ok := cursors[p.scope(scopeProject)].Time()
		if ok && now.Sub(at) < c.config.PostureInterval.Std() {
			continue
		}
		read[p.ID] = at // the zero time for one that was never read
		due = append(due, p)
	}
	slices.SortStableFunc(due, func(a, b *project) int { return read[a.ID].Compare(read[b.ID]) })
	return due[:min(len(due), c.config.ProjectsPerCollection)]
}

// readProject reads the scopes of one project.
func (c *Collector) readProject(ctx context.Context, p *project, around *surroundings, cursors collectors.Cursors) []record.Batch {
	batches := []record.Batch{
		c.readPosture(ctx, p, around),
		c.readDeployments(ctx, p, cursors[p.scope(scopeDeployments)]),
		c.readReleases(ctx, p),
	}
	if c.config.Bypasses {
		batches = append(batches, c.readBypasses(ctx, p, around.names, cursors[p.scope(scopeBypasses)]))
	}
	return batches
}

// retire says of the scopes of projects that are archived or gone that they have ended.
func retire(projects []*project, cursors collectors.Cursors, emit func(record.Batch) error) error {
	alive, archived := map[string]bool{}, map[string]bool{}
	for _, p := range projects {
		id := strconv.FormatInt(p.ID, 10)
		alive[id], archived[id] = !p.ended(), p.ended()
	}
	for _, kind := range projectScopes {
		for _, scope := range cursors.Gone(kind, func(scope string) bool { return alive[strings.TrimPrefix(scope, kind+":")] }) {
			reason := record.ClosureRepositoryDeleted
			if archived[strings.TrimPrefix(scope, kind+":")] {
				reason = record.ClosureRepositoryArchived
			}
			if err := emit(collectors.Retired(scope, reason)); err != nil {
				return fmt.Errorf("retire %s: %w", scope, err)
			}
		}
	}
	return nil
}
