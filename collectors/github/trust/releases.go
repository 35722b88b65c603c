package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// publishedQuery reads a page of repositories with the dates of their last releases, by which it is known which have new ones, and the commits these were made
// of, which REST does not say. It costs 1 + first requests by GitHub's formula, about one point.
const publishedQuery = `query Releases($org:String!,$first:Int!,$cursor:String,$releases:Int!){
 organization(login:$org){ repositories(first:$first,after:$cursor,orderBy:{field:NAME,direction:ASC}){ pageInfo{hasNextPage endCursor} nodes{
  nameWithOwner url releases(first:$releases,orderBy:{field:CREATED_AT,direction:DESC}){nodes{databaseId publishedAt updatedAt tagCommit{oid}}} } } } }`

var repositoriesWithReleases = api.RepositoryQuery[releasingRepository]{
	Text: publishedQuery, Variables: map[string]any{"releases": lastReleases},
	Node: func(r *releasingRepository) *api.RepositoryNode { return &r.RepositoryNode }, Fields: []string{"releases"},
}

type releasingRepository struct {
	api.RepositoryNode
	Releases *struct {
		Nodes []*struct {
			ID          int64         `json:"databaseId"`
			PublishedAt api.Timestamp `json:"publishedAt"`
			UpdatedAt   api.Timestamp `json:"updatedAt"`
			Commit      *struct {
				OID string `json:"oid"`
			} `json:"tagCommit"`
		} `json:"nodes"`
	} `json:"releases"`
}

// releaseWalk gathers the releases of an organisation.
type releaseWalk struct {
	collector *Collector
	org       string
	// Since is the time from which releases matter; delta says that it is later than the history that is kept.
	since    time.Time
	delta    bool
	commits  map[int64]string
	due      []api.Repository
	named    map[record.RepositoryName]bool
	found    []*published
	rejected map[record.RejectReason]int
	// missed are the repositories whose releases were not read at the last reading: they are read back over the whole history; unread are those of this one.
	missed, unread map[record.RepositoryName]bool
	// Releasing are the repositories that have any release, but for unnamed ones.
	releasing map[record.RepositoryName]bool
	unnamed   int
}

// readReleases reads releases: those of the last release_history, or those that are new since the cursor. What is older than the history, and what was deleted,
// goes with the next whole reading.
func (c *Collector) readReleases(ctx context.Context, org string, cursor record.Cursor) record.Batch {
	cut := c.ReadAt()
	w := &releaseWalk{
		collector: c, org: org, since: c.Now().Add(-c.config.ReleaseHistory.Std()), commits: map[int64]string{},
		named: map[record.RepositoryName]bool{}, releasing: map[record.RepositoryName]bool{}, rejected: map[record.RejectReason]int{}, unread: map[record.RepositoryName]bool{},
	}
	c.state.With(org, func(o *organisation) { w.missed = o.unreadReleases })
	if last, ok := cursor.Time(); ok && last.Add(-releaseOverlap).After(w.since) {
		w.since, w.delta = last.Add(-releaseOverlap), true
	}
	if err := w.read(ctx); err != nil {
		return record.Batch{Err: api.ScopeError(err, api.ContentsPermission)}
	}
	b := record.Batch{Mode: record.Full, Cursor: cut, Releases: []record.Release{}}
	if w.delta || len(w.unread) > 0 {
		b.Mode = record.Delta // which keeps what the repositories had that could not be read
	}
	if len(w.rejected) > 0 {
		b.Rejected = w.rejected
	}
	for _, p := range w.found {
		b.Releases = append(b.Releases, p.record())
	}
	return b
}

func (w *releaseWalk) read(ctx context.Context) error {
	if err := repositoriesWithReleases.Walk(ctx, w.collector.API, w.org, w.add); err != nil {
		return err
	}
	var last error
	for _, r := range w.due {
		refused, err := w.collector.Questions.Ask(api.Question{
			Organisation: w.org, Repository: r.FullName, What: "releases", Permission: api.ContentsPermission,
		}, func() error { return w.list(ctx, r) })
		if err != nil {
			return fmt.Errorf("releases of %s: %w", record.Text(r.FullName), err)
		}
		if refused != nil {
			w.unread[r.Name] = true
			last = refused
		}
	}
	if last != nil && len(w.unread) == len(w.due) {
		return last // Nothing was read.
	}
	if err := w.collector.findEvidence(ctx, w.org, w.found); err != nil {
		return err
	}
	if err := w.collector.findApprovals(ctx, w.org, w.found, !w.delta); err != nil {
		return err
	}
	w.collector.state.With(w.org, func(o *organisation) {
		o.unreadReleases = w.unread
		if w.unnamed == 0 {
			o.releasing = w.releasing
		}
		if !w.delta || o.evidence == nil {
			o.evidence = map[string]runEvidence{} // which forgets releases that are gone
		}
		for _, p := range w.found {
			o.evidence[p.key()] = runEvidence{evidence: p.evidence, refusal: p.refusal}
		}
	})
	return nil
}

// add notes whether a repository has releases that matter.
func (w *releaseWalk) add(node *releasingRepository) error {
	name, err := record.RepositoryName(""), error(nil)
	if node != nil {
		name, err = w.collector.API.RepositoryName(node.URL, node.NameWithOwner)
	}
	if node == nil || err != nil {
		w.rejected[record.RejectNoID]++
		w.unnamed++
		return nil //nolint:nilerr // The item is rejected and counted.
	}
	if w.named[name] {
		return nil
	}
	w.named[name] = true
	r := api.Repository{Name: name, FullName: node.NameWithOwner}
	if node.Lacks("releases") || node.Releases == nil {
		w.due, w.releasing[name] = append(w.due, r), true // REST says whether it may be read.
		return nil
	}
	due := w.missed[name]
	for _, n := range node.Releases.Nodes {
		if n == nil {
			continue
		}
		if n.Commit != nil {
			w.commits[n.ID] = n.Commit.OID
		}
		due = due || !n.PublishedAt.Before(w.since) || !n.UpdatedAt.Before(w.since) && !n.PublishedAt.IsZero()
	}
	w.releasing[name] = len(node.Releases.Nodes) > 0
	if due {
		w.due = append(w.due, r)
	}
	return nil
}

// list reads the releases of a repository until a page holds none that matters. GitHub sorts by creation, which for a draft is long before it is published.
func (w *releaseWalk) list(ctx context.Context, r api.Repository) error {
	history := w.collector.Now().Add(-w.collector.config.ReleaseHistory.Std())
	since := w.since
	if w.missed[r.Name] {
		since = history
	}
	var found []*published
	_, err := w.collector.API.Pages(ctx, "repos/"+api.EscapeName(r.FullName)+"/releases", url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		more := false
		for _, item := range items {
			var x release
			err := json.Unmarshal(item, &x)
			if err == nil && x.ID <= 0 {
				err = api.Reject(record.RejectNoID, errors.New("the release has no number"))
			}
			if err != nil {
				w.rejected[api.RejectReasonOf(err)]++
				more = true
				continue
			}
			recent := !x.PublishedAt.Before(since) || !x.UpdatedAt.Before(since)
			more = more || recent || !x.CreatedAt.Before(since)
			if !x.Draft && recent && !x.PublishedAt.Before(history) {
				found = append(found, &published{release: x, repository: r, commit: w.commits[x.ID]})
			}
		}
		return more
	})
	if err == nil {
		w.found = append(w.found, found...) // half a list is none
	}
	return err
}
