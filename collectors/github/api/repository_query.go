package api

import (
	"context"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
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

// Walk reads all repositories of an organisation, and asks for less at once when the server cannot cope: half as many, down to one. Each gets the nodes one by one; one
// that is nil could not be read. Of one that is too heavy alone every field is hidden, and the rest goes on.
func (q RepositoryQuery[T]) Walk(ctx context.Context, c *Client, org string, each func(*T) error) error {
	size := pageSizer{size: FirstPage}
	return apiclient.Walk(ctx, MaxPages, func(ctx context.Context, cursor string) (string, error) {
		for {
			page, err := q.page(ctx, c, org, size.size, cursor)
			if err == nil {
				size.answered()
				return page.take(q.selected(c, each))
			}
			if !TooHeavy(err) || ctx.Err() != nil {
				return "", err
			}
			if size.size == 1 {
				if page, err = q.unread(ctx, c, org, cursor, err); err != nil {
					return "", err
				}
				return page.take(q.selected(c, each))
			}
			size.halve()
			c.logger.Debug("Asking for fewer repositories at once", "organization", org, "repositories", size.size, "cause", err)
		}
	})
}

// pageSizer is how many repositories are asked for at once: half as many each time that was too heavy, and twice as many again after growAfter pages that
// were answered, because most often few repositories are heavy.
type pageSizer struct {
	size, answeredPages int
}

const growAfter = 8

func (s *pageSizer) halve() { s.size, s.answeredPages = s.size/2, 0 }

func (s *pageSizer) answered() {
	if s.answeredPages++; s.answeredPages == growAfter {
		s.size, s.answeredPages = min(FirstPage, 2*s.size), 0
	}
}

// page reads one page. That a part of it was too heavy is an error, unless it holds one repository: then it says which fields of that are hidden.
func (q RepositoryQuery[T]) page(ctx context.Context, c *Client, org string, size int, cursor string) (*RepositoryPage[T], error) {
	page, failures, err := q.ask(ctx, c, org, size, cursor)
	if err != nil {
		return nil, err
	}
	if err := HeavyPart(failures); err != nil && size > 1 {
		return nil, err
	}
	return page, q.assign(failures, page.Organization.Repositories.Nodes)
}

// unreadQuery reads which repository a page of one holds, and nothing of it.
const unreadQuery = `query UnreadRepository($org:String!,$cursor:String,$archived:Boolean){
 organization(login:$org){ repositories(first:1,after:$cursor,isArchived:$archived,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{nameWithOwner url} } } }`

// unread is the page of one repository that is too heavy alone: the repository, with every field hidden.
func (q RepositoryQuery[T]) unread(ctx context.Context, c *Client, org, cursor string, cause error) (*RepositoryPage[T], error) {
	variables := map[string]any{"org": org, "cursor": nil, "archived": nil}
	if cursor != "" {
		variables["cursor"] = cursor
	}
	if strings.Contains(q.Text, "isArchived:false") {
		variables["archived"] = false
	}
	var page RepositoryPage[T]
	failures, err := c.GraphQL(ctx, unreadQuery, variables, &page)
	if err != nil || page.Organization == nil {
		return nil, cause
	}
	for _, node := range page.Organization.Repositories.Nodes {
		if node != nil {
			n := q.Node(node)
			n.Hidden, n.Failures = []string{Everything}, append(failures, QueryError{Type: "RESOURCE_LIMITS_EXCEEDED", Message: cause.Error()})
			c.logger.Warn("GitHub cannot answer a query about one repository: what it asks stays unknown", "repository", record.Text(n.NameWithOwner), "cause", cause)
		}
	}
	return &page, nil
}

// Ask reads one page.
func (q RepositoryQuery[T]) Ask(ctx context.Context, c *Client, org string, size int, cursor string) (*RepositoryPage[T], error) {
	page, failures, err := q.ask(ctx, c, org, size, cursor)
	if err != nil {
		return nil, err
	}
	return page, q.assign(failures, page.Organization.Repositories.Nodes)
}

func (q RepositoryQuery[T]) ask(ctx context.Context, c *Client, org string, size int, cursor string) (*RepositoryPage[T], []QueryError, error) {
	variables := map[string]any{"org": org, "first": size, "cursor": nil}
	if cursor != "" {
		variables["cursor"] = cursor
	}
	maps.Copy(variables, q.Variables)
	var page RepositoryPage[T]
	failures, err := c.GraphQL(ctx, q.Text, variables, &page)
	if err != nil {
		return nil, nil, err
	}
	if page.Organization == nil {
		return nil, nil, QueryFailure(failures)
	}
	return &page, failures, nil
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

// selected leaves out the repositories that do not count.
func (q RepositoryQuery[T]) selected(c *Client, each func(*T) error) func(*T) error {
	if c.Selected == nil {
		return each
	}
	return func(node *T) error {
		if node != nil {
			n := q.Node(node)
			if name, err := c.RepositoryName(n.URL, n.NameWithOwner); err == nil && c.Selected(name, n.NameWithOwner) != nil {
				return nil //nolint:nilerr // It is counted where the repositories are listed.
			}
		}
		return each(node)
	}
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
