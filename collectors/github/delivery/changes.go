package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// How a commit stands to another.
const (
	comparedAhead     = "ahead"
	comparedBehind    = "behind"
	comparedDiverged  = "diverged"
	comparedIdentical = "identical"
)

// comparison is what a commit has that another lacks.
type comparison struct {
	Status  string `json:"status"`
	Total   int    `json:"total_commits"`
	Commits []struct {
		SHA     string     `json:"sha"`
		Parents []struct{} `json:"parents"`
	} `json:"commits"`
}

// compare asks how the commit of a deployment stands to a base, and for as many pages of commits; nil if it is gone or hidden.
func (r *repositoryReader) compare(ctx context.Context, d *deployment, base string, pages int) (*comparison, error) {
	var all *comparison
	_, err := r.ask(d, question{what: "comparisons of commits", permission: api.ContentsPermission, item: true}, func() (err error) {
		all, err = r.readComparison(ctx, base, d.Commit, pages)
		return err
	})
	return all, err
}

func (r *repositoryReader) readComparison(ctx context.Context, base, commit string, pages int) (*comparison, error) {
	var all comparison
	address := "repos/" + api.EscapeName(r.head.FullName) + "/compare/" + url.PathEscape(base) + "..." + commit + "?per_page=" + api.PageSize
	for range pages {
		var page comparison
		resp, err := r.collector.API.Get(ctx, address, &page)
		if err != nil {
			return nil, err
		}
		if page.Status == "" {
			return nil, &record.Error{Reason: record.ReasonDecode, Err: errors.New("a comparison of commits without its outcome")}
		}
		all.Status, all.Total = page.Status, page.Total
		all.Commits = append(all.Commits, page.Commits...)
		if address = resp.Next; address == "" {
			break
		}
	}
	return &all, nil
}

// compareWith compares a deployment with what was live before: it is a rollback if it is an ancestor of that, and brings the commits that it is ahead.
func (r *repositoryReader) compareWith(ctx context.Context, base string, d *deployment) error {
	d.ChangesKnown = record.AnswerNo
	c, err := r.compare(ctx, d, base, maxCommitPages)
	if err != nil || c == nil {
		return err
	}
	switch c.Status {
	case comparedBehind:
		d.Rollback, d.ChangesKnown = record.AnswerYes, record.AnswerYes
		return nil
	case comparedAhead, comparedDiverged, comparedIdentical:
		d.Rollback = firstAnswer(d.Rollback, record.AnswerNo)
	default:
		r.collector.UnknownValue("comparison of commits", c.Status)
		return nil
	}
	// A merge commit brings nothing that the commits it merges do not.
	for _, commit := range c.Commits {
		if len(commit.Parents) < 2 && commitName.MatchString(commit.SHA) {
			d.commits = append(d.commits, commit.SHA)
		}
	}
	d.ChangesKnown = record.AnswerOf(len(c.Commits) >= c.Total)
	return nil
}

func firstAnswer(a, b record.Answer) record.Answer {
	if a.Known() {
		return a
	}
	return b
}

// pullsOf looks up the pull requests of all commits that deployments bring.
func (r *repositoryReader) pullsOf(ctx context.Context, list []*deployment) (*mergedPulls, error) {
	found := &mergedPulls{of: map[string]int{}, pushed: map[string]record.Change{}, changes: map[int]*pulled{}}
	wanted := map[string]bool{}
	for _, d := range list {
		for _, commit := range d.commits {
			wanted[commit] = true
		}
	}
	if err := halved(ctx, slices.Sorted(maps.Keys(wanted)), commitsAtOnce, found, r.findPulls); err != nil {
		return nil, err
	}
	numbers := map[int]bool{}
	for _, number := range found.of {
		if number != 0 {
			numbers[number] = true
		}
	}
	return found, halved(ctx, slices.Sorted(maps.Keys(numbers)), pullsAtOnce, found, r.readPulls)
}

// halved asks about a list in queries that the server can cope with. What is too heavy alone stays unknown, unless nothing else is answered either.
func halved[T any](ctx context.Context, list []T, size int, found *mergedPulls, ask func(context.Context, []T, *mergedPulls) error) error {
	heavy, cause, err := api.Halved(ctx, list, size, func(ctx context.Context, some []T) error { return ask(ctx, some, found) })
	switch {
	case err != nil:
		return err
	case len(heavy) > 0 && len(heavy) == len(list):
		return cause
	default:
		return nil
	}
}

// associatedPull is a pull request that holds a commit.
type associatedPull struct {
	Number         int           `json:"number"`
	MergedAt       api.Timestamp `json:"mergedAt"`
	BaseRepository *struct {
		NameWithOwner string `json:"nameWithOwner"`
	} `json:"baseRepository"`
}

// findPulls asks which pull requests commits came by. A squashed commit belongs to the pull request that it was made of.
func (r *repositoryReader) findPulls(ctx context.Context, commits []string, found *mergedPulls) error {
	var query strings.Builder
	query.WriteString("query PullsOfCommits($owner:String!,$name:String!){ repository(owner:$owner,name:$name){")
	for i, commit := range commits {
		fmt.Fprintf(&query, " c%d:object(oid:%q){...commit}", i, commit)
	}
	query.WriteString(" } }\nfragment commit on Commit{ authoredDate committedDate associatedPullRequests(first:10){nodes{number mergedAt baseRepository{nameWithOwner}}} }")
	answer := map[string]*struct {
		Authored  api.Timestamp `json:"authoredDate"`
		Committed api.Timestamp `json:"committedDate"`
		Pulls     *struct {
			Nodes []*associatedPull `json:"nodes"`
		} `json:"associatedPullRequests"`
	}{}
	failures, err := r.askPulls(ctx, "pull requests of commits", query.String(), nil, &answer, found)
	if err != nil {
		return err
	}
	for _, f := range failures {
		if err := hiddenPart(f, found); err != nil {
			return err
		}
	}
	for i, commit := range commits {
		c := answer[fmt.Sprintf("c%d", i)]
		if c == nil || c.Pulls == nil {
			continue
		}
		if found.of[commit] = r.mergedFirst(c.Pulls.Nodes); found.of[commit] == 0 {
			found.pushed[commit] = r.pushed(commit, record.Earliest(c.Authored.Time, c.Committed.Time))
		}
	}
	return nil
}

// pushed is a commit that was pushed without a pull request, as a change. Labels and reviews are given to pull requests, so it has none; whether a check looked
// at the commit is not asked for.
func (r *repositoryReader) pushed(commit string, at time.Time) record.Change {
	c := record.Change{ID: strings.ToLower(r.head.FullName) + "@" + commit, FirstCommitAt: at}
	if s := &r.collector.config.SecurityReview; len(s.Labels)+len(s.Teams)+len(s.Users) > 0 && !s.CodeScanning && len(s.Checks) == 0 {
		c.SecurityReviewed = record.AnswerNo
	}
	return c
}

// mergedFirst is the number of the pull request that brought a commit into the repository: the first that was merged, because others pass it on from branch to
// branch. 0 if there is none.
func (r *repositoryReader) mergedFirst(list []*associatedPull) int {
	var first *associatedPull
	for _, p := range list {
		if p == nil || p.MergedAt.IsZero() || p.BaseRepository != nil && !strings.EqualFold(p.BaseRepository.NameWithOwner, r.head.FullName) {
			continue
		}
		if first == nil || p.MergedAt.Before(first.MergedAt.Time) {
			first = p
		}
	}
	if first == nil {
		return 0
	}
	return first.Number
}

// attachChanges gives a deployment the changes that its commits came by.
func (r *repositoryReader) attachChanges(d *deployment, found *mergedPulls) {
	if d.Status != record.DeploymentSucceeded {
		d.Changes = nil
		return
	}
	d.Changes = []record.Change{}
	seen := map[int]bool{}
	incomplete := func() {
		d.ChangesKnown = record.AnswerNo
		d.refuse(found.refused, "pull requests")
	}
	for _, commit := range d.commits {
		number, ok := found.of[commit]
		if !ok {
			incomplete()
			continue
		}
		if number == 0 && d.paths == nil { // which service of several a commit concerns, its files would have to tell
			d.Changes = append(d.Changes, found.pushed[commit])
		}
		if number == 0 || seen[number] {
			continue
		}
		seen[number] = true
		pull := found.changes[number]
		if pull == nil {
			incomplete()
			continue
		}
		if d.paths != nil && !touch(d.paths, pull.files) {
			if pull.moreFiles {
				incomplete()
			}
			continue
		}
		if pull.missing != "" {
			d.lacks(pull.missing)
		}
		d.Changes = append(d.Changes, pull.Change)
	}
	slices.SortFunc(d.Changes, func(a, b record.Change) int {
		return cmp.Or(cmp.Compare(numberOf(a.ID), numberOf(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}
