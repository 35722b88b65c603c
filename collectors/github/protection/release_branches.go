package protection

import (
	"context"
	"path"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// releaseQuery reads a page of repositories with the branches whose names hold a text, and all that protects them. It costs 1 + first·41 requests by
// GitHub's formula (each branch has two connections), twenty-one points for fifty repositories.
const releaseQuery = `query ReleaseBranches($org:String!,$first:Int!,$cursor:String,$match:String!,$branches:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,isArchived:false,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url refs(refPrefix:"refs/heads/",query:$match,first:$branches,orderBy:{field:ALPHABETICAL,direction:DESC}){ pageInfo{hasNextPage} nodes{...branch} } } } } }
` + branchFragment

// pointsOfReleaseBranches is what releaseQuery costs for fifty repositories.
const pointsOfReleaseBranches = 21

// releaseBranches is how many branches of one pattern are read in one repository: the last by name, because the names of releases grow.
const releaseBranches = 20

type releaseRepository struct {
	api.RepositoryNode
	Refs *struct {
		PageInfo struct {
			HasNextPage bool `json:"hasNextPage"`
		} `json:"pageInfo"`
		Nodes []*branchRef `json:"nodes"`
	} `json:"refs"`
}

// readReleases gathers the protection of the branches that match a pattern, such as release/*.
func (w *protectionWalk) readReleases(ctx context.Context, org, pattern string) error {
	query := api.RepositoryQuery[releaseRepository]{
		Text: releaseQuery, Variables: map[string]any{"match": literalPart(pattern), "branches": releaseBranches},
		Node: func(r *releaseRepository) *api.RepositoryNode { return &r.RepositoryNode }, Fields: branchFields,
	}
	return query.Walk(ctx, w.collector.API, org, func(node *releaseRepository) error {
		if node == nil {
			return nil // The walk over default branches counts what cannot be read.
		}
		name, err := w.collector.API.RepositoryName(node.URL, node.NameWithOwner)
		if err != nil {
			return nil //nolint:nilerr // The walk over default branches rejects and counts it.
		}
		found, err := w.matching(ctx, node, pattern)
		if err != nil {
			return err
		}
		for _, b := range found {
			if !contains(w.releases[name], b.Branch) {
				w.releases[name] = append(w.releases[name], b)
			}
		}
		return nil
	})
}

// matching is the protection of the branches that match. Where there may be more than were read, or none could be, an entry under the pattern's own
// name says that they are unknown.
func (w *protectionWalk) matching(ctx context.Context, node *releaseRepository, pattern string) ([]record.BranchProtection, error) {
	rest := record.BranchProtection{Branch: pattern, Approvals: record.ApprovalsUnknown}
	if node.Refs == nil {
		rest.MissingPermission = api.ContentsPermission
		return []record.BranchProtection{rest}, nil
	}
	var found []record.BranchProtection
	for _, ref := range node.Refs.Nodes {
		if ref == nil {
			continue
		}
		if ok, err := path.Match(pattern, ref.Name); err != nil || !ok {
			continue
		}
		b, err := w.protection(ctx, &node.RepositoryNode, ref)
		if err != nil {
			return nil, err
		}
		found = append(found, b)
	}
	if node.Refs.PageInfo.HasNextPage {
		found = append(found, rest)
	}
	return found, nil
}

func contains(branches []record.BranchProtection, name string) bool {
	for i := range branches {
		if branches[i].Branch == name {
			return true
		}
	}
	return false
}
