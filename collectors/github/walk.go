package github

import (
	"context"
	"errors"
	"maps"
	"slices"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// firstPage is the number of repositories asked for at once; it is halved when the query is too heavy for the server.
const firstPage = 50

// repositoryQuery is a GraphQL query that reads a page of an organisation's repositories. It takes the variables org, first and cursor, and
// answers organization.repositories with pageInfo and nodes of type T.
type repositoryQuery[T any] struct {
	text string
	// variables are those that the query takes besides.
	variables map[string]any
	// node is the part of T that every query has.
	node func(*T) *repositoryNode
	// fields are the fields of a repository, at any depth, that can be hidden without spoiling the rest. The name "" is given to those in ignored.
	fields, ignored []string
}

// repositoryNode is what every query asks of a repository.
type repositoryNode struct {
	NameWithOwner string `json:"nameWithOwner"`
	URL           string `json:"url"`

	// hidden are the fields that errors[] says could not be read, failures why.
	hidden   []string
	failures []queryError
}

// failure is why a part of the repository could not be read.
func (n *repositoryNode) failure() error { return queryFailure(n.failures) }

// lacks reports whether a field could not be read.
func (n *repositoryNode) lacks(field string) bool {
	return slices.Contains(n.hidden, field) || slices.Contains(n.hidden, everything)
}

type repositoryPage[T any] struct {
	Organization *struct {
		Repositories struct {
			PageInfo struct {
				HasNextPage bool   `json:"hasNextPage"`
				EndCursor   string `json:"endCursor"`
			} `json:"pageInfo"`
			Nodes []*T `json:"nodes"`
		} `json:"repositories"`
	} `json:"organization"`
}

// walk reads all repositories of an organisation, and asks for less at once when the server cannot cope. Each gets the nodes one by one; one that is
// nil could not be read.
func (q repositoryQuery[T]) walk(ctx context.Context, c *Collector, org string, each func(*T) error) error {
	size := firstPage
	return apiclient.Walk(ctx, maxPages, func(ctx context.Context, cursor string) (string, error) {
		for {
			page, err := q.ask(ctx, c, org, size, cursor)
			if err == nil {
				return page.take(each)
			}
			if !tooHeavy(err) || size == 1 {
				return "", err
			}
			c.env.Logger.Debug("Asking for fewer repositories at once", "organization", org, "repositories", size/2, "cause", err)
			size /= 2
		}
	})
}

// ask reads one page.
func (q repositoryQuery[T]) ask(ctx context.Context, c *Collector, org string, size int, cursor string) (*repositoryPage[T], error) {
	variables := map[string]any{"org": org, "first": size, "cursor": nil}
	if cursor != "" {
		variables["cursor"] = cursor
	}
	maps.Copy(variables, q.variables)
	var page repositoryPage[T]
	failures, err := c.api.graphql(ctx, q.text, variables, &page)
	if err != nil {
		return nil, err
	}
	if page.Organization == nil {
		return nil, queryFailure(failures)
	}
	return &page, q.assign(failures, page.Organization.Repositories.Nodes)
}

func (p *repositoryPage[T]) take(each func(*T) error) (next string, err error) {
	list := p.Organization.Repositories
	for _, node := range list.Nodes {
		if err := each(node); err != nil {
			return "", err
		}
	}
	if !list.PageInfo.HasNextPage {
		return "", nil
	}
	if list.PageInfo.EndCursor == "" {
		return "", &record.Error{Reason: record.ReasonTruncated, Err: errors.New("GraphQL announces a further page without a cursor")}
	}
	return list.PageInfo.EndCursor, nil
}

// tooHeavy says whether a smaller page may succeed: GitHub answers 502 or 504 to a query that takes more than ten seconds,
// or drops the connection.
func tooHeavy(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonServer, record.ReasonTransport, record.ReasonTruncated:
		return true
	default:
		return false
	}
}

// assign notes at each repository which of its fields errors[] says could not be read. An error that belongs to no repository concerns the
// whole page.
func (q repositoryQuery[T]) assign(failures []queryError, nodes []*T) error {
	for _, f := range failures {
		at := slices.IndexFunc(f.Path, func(step any) bool { return step == "nodes" })
		if at < 0 || at+1 >= len(f.Path) {
			return queryFailure([]queryError{f})
		}
		i, ok := f.Path[at+1].(float64)
		if !ok || i < 0 || int(i) >= len(nodes) {
			return queryFailure([]queryError{f})
		}
		if nodes[int(i)] != nil {
			node := q.node(nodes[int(i)])
			node.hidden, node.failures = append(node.hidden, q.hiddenField(f.Path[at+2:])), append(node.failures, f)
		}
	}
	return nil
}

// everything marks a repository of which no part of the answer could be read.
const everything = "*"

// hiddenField is the part of the answer that an error's path spoils.
func (q repositoryQuery[T]) hiddenField(path []any) string {
	for _, step := range path {
		name, ok := step.(string)
		switch {
		case !ok:
		case slices.Contains(q.fields, name):
			return name
		case slices.Contains(q.ignored, name):
			return ""
		}
	}
	return everything
}
