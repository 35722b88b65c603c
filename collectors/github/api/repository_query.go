package api

import (
	"context"
	"maps"
	"slices"

	"prodsec_exporter/internal/apiclient"
)

// Few is how many repositories a probe reads.
const Few = 5

// FirstPage is the number of repositories asked for at once; it is halved when the query is too heavy for the server.
const FirstPage = 50

// RepositoryQuery is a GraphQL query that reads a page of an organisation's repositories. It takes the variables org, first and cursor, and
// answers organization.repositories with pageInfo and nodes of type T.
type RepositoryQuery[T any] struct {
	Text string
	// Variables are those that the query takes besides.
	Variables map[string]any
	// Node is the part of T that every query has.
	Node func(*T) *RepositoryNode
	// Fields are the fields of a repository, at any depth, that can be hidden without spoiling the rest. The name "" is given to those in ignored.
	Fields, Ignored []string
}

// RepositoryNode is what every query asks of a repository.
type RepositoryNode struct {
	NameWithOwner string `json:"nameWithOwner"`
	URL           string `json:"url"`

	// Hidden are the fields that errors[] says could not be read, Failures why.
	Hidden   []string     `json:"-"`
	Failures []QueryError `json:"-"`
}

// Failure is why a part of the repository could not be read.
func (n *RepositoryNode) Failure() error { return QueryFailure(n.Failures) }

// Lacks reports whether a field could not be read.
func (n *RepositoryNode) Lacks(field string) bool {
	return slices.Contains(n.Hidden, field) || slices.Contains(n.Hidden, Everything)
}

// RepositoryPage is a page of repositories.
type RepositoryPage[T any] struct {
	Organization *struct {
		Repositories struct {
			PageInfo PageInfo `json:"pageInfo"`
			Nodes    []*T     `json:"nodes"`
		} `json:"repositories"`
	} `json:"organization"`
}

// Walk reads all repositories of an organisation, and asks for less at once when the server cannot cope. Each gets the nodes one by one; one that is
// nil could not be read.
func (q RepositoryQuery[T]) Walk(ctx context.Context, c *Client, org string, each func(*T) error) error {
	size := FirstPage
	return apiclient.Walk(ctx, MaxPages, func(ctx context.Context, cursor string) (string, error) {
		for {
			page, err := q.Ask(ctx, c, org, size, cursor)
			if err == nil {
				return page.take(each)
			}
			if !TooHeavy(err) || size == 1 {
				return "", err
			}
			c.logger.Debug("Asking for fewer repositories at once", "organization", org, "repositories", size/2, "cause", err)
			size /= 2
		}
	})
}

// Ask reads one page.
func (q RepositoryQuery[T]) Ask(ctx context.Context, c *Client, org string, size int, cursor string) (*RepositoryPage[T], error) {
	variables := map[string]any{"org": org, "first": size, "cursor": nil}
	if cursor != "" {
		variables["cursor"] = cursor
	}
	maps.Copy(variables, q.Variables)
	var page RepositoryPage[T]
	failures, err := c.GraphQL(ctx, q.Text, variables, &page)
	if err != nil {
		return nil, err
	}
	if page.Organization == nil {
		return nil, QueryFailure(failures)
	}
	return &page, q.assign(failures, page.Organization.Repositories.Nodes)
}

func (p *RepositoryPage[T]) take(each func(*T) error) (next string, err error) {
	list := p.Organization.Repositories
	for _, node := range list.Nodes {
		if err := each(node); err != nil {
			return "", err
		}
	}
	return list.PageInfo.Next()
}

// assign notes at each repository which of its fields errors[] says could not be read. An error that belongs to no repository concerns the
// whole page.
func (q RepositoryQuery[T]) assign(failures []QueryError, nodes []*T) error {
	for _, f := range failures {
		at := slices.IndexFunc(f.Path, func(step any) bool { return step == "nodes" })
		if at < 0 || at+1 >= len(f.Path) {
			return QueryFailure([]QueryError{f})
		}
		i, ok := f.Path[at+1].(float64)
		if !ok || i < 0 || int(i) >= len(nodes) {
			return QueryFailure([]QueryError{f})
		}
		if nodes[int(i)] != nil {
			node := q.Node(nodes[int(i)])
			node.Hidden, node.Failures = append(node.Hidden, q.hiddenField(f.Path[at+2:])), append(node.Failures, f)
		}
	}
	return nil
}

// Everything marks a repository of which no part of the answer could be read.
const Everything = "*"

// hiddenField is the part of the answer that an error's path spoils.
func (q RepositoryQuery[T]) hiddenField(path []any) string {
	for _, step := range path {
		name, ok := step.(string)
		switch {
		case !ok:
		case slices.Contains(q.Fields, name):
			return name
		case slices.Contains(q.Ignored, name):
			return ""
		}
	}
	return Everything
}
