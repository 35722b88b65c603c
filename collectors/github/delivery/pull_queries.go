package delivery

import (
	"context"
	"maps"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

const (
	// pullsPermission is what reading pull requests needs.
	pullsPermission = "pull_requests=read"
	// maxCommitPages bounds what one deployment can bring, in pages of a hundred commits.
	maxCommitPages = 10
	// commitsAtOnce and pullsAtOnce are how many are asked for in one query, of one point and about two.
	commitsAtOnce = 100
	pullsAtOnce   = 25
)

// mergedPulls are the pull requests by which commits came.
type mergedPulls struct {
	// of are the numbers by commit; a commit that nobody could look up is absent, and one that was pushed directly has none.
	of map[string]int
	// pushed are the commits that were pushed directly, as changes.
	pushed map[string]record.Change
	// changes are the pull requests by number; one that could not be read is absent.
	changes map[int]*pulled
	// refused is why some could not be looked up; nil if that is not known.
	refused error
}

// askRepository sends a query about the repository.
func (r *repositoryReader) askRepository(ctx context.Context, query string, variables map[string]any, into any) ([]api.QueryError, error) {
	owner, name, _ := strings.Cut(r.head.FullName, "/")
	all := map[string]any{"owner": owner, "name": name}
	maps.Copy(all, variables)
	answer := struct {
		Repository any `json:"repository"`
	}{into}
	failures, err := r.collector.API.GraphQL(ctx, query, all, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Repository == nil {
		return nil, api.QueryFailure(failures)
	}
	return failures, nil
}

// askPulls asks the repository a question about pull requests, of which nothing is known where it refuses.
func (r *repositoryReader) askPulls(ctx context.Context, what, query string, variables map[string]any, into any, found *mergedPulls) (failures []api.QueryError, err error) {
	refused, err := r.collector.Questions.Ask(r.question(question{what: what, permission: pullsPermission}), func() (err error) {
		if failures, err = r.askRepository(ctx, query, variables, into); err == nil {
			err = api.HeavyPart(failures)
		}
		return err
	})
	if refused != nil {
		found.refused = refused
	}
	return failures, err
}

// hiddenPart takes an error that means that a pull request may not be read, or is gone; any other is returned.
func hiddenPart(f api.QueryError, found *mergedPulls) error {
	failure := api.QueryFailure([]api.QueryError{f})
	switch record.ReasonOf(failure) {
	case record.ReasonPermission:
		found.refused = api.ScopeError(failure, pullsPermission)
	case record.ReasonNotFound:
	default:
		return failure
	}
	return nil
}

// pulled is a pull request that was read.
type pulled struct {
	record.Change
	files     []string
	moreFiles bool
	// missing is the permission that would have told what is unknown.
	missing string
}
