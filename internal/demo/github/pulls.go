package github

import (
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// commitOr answers for an object by its name, and leaves expressions to another.
func (g *gitHub) commitOr(r *world.Repository, other func(arguments) (any, error)) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		oid, _ := a["oid"].(string)
		if oid == "" {
			return other(a)
		}
		c := g.world.CommitAt(r, oid, g.now())
		if c == nil {
			return (*object)(nil), nil
		}
		var pulls []*world.PullRequest
		if c.Pull != nil {
			pulls = append(pulls, c.Pull)
		}
		return &object{"Commit", map[string]any{
			"oid": c.SHA, "authoredDate": answer.Stamp(c.At), "committedDate": answer.Stamp(c.At),
			"associatedPullRequests": connection("PullRequestConnection", len(pulls), func(i int) *object { return g.pullObject(r, pulls[i]) }),
		}}, nil
	}
}

func (g *gitHub) pullRequest(r *world.Repository) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		p := g.world.PullRequestAt(r, number(a["number"]), g.now())
		if p == nil {
			return &refusal{"NOT_FOUND", "Could not resolve to a PullRequest."}, nil
		}
		return g.pullObject(r, p), nil
	}
}

func (g *gitHub) pullObject(r *world.Repository, p *world.PullRequest) *object {
	return &object{"PullRequest", map[string]any{
		"number": p.Number, "title": p.Title, "createdAt": answer.Stamp(p.OpenedAt), "mergedAt": answer.Stamp(p.MergedAt), "merged": true, "state": "MERGED",
		"author": &object{"User", map[string]any{"login": p.Author}}, "baseRepository": &object{"Repository", map[string]any{"nameWithOwner": r.FullName()}},
		"commits": connection("PullRequestCommitConnection", 2, func(i int) *object {
			written := []time.Time{p.FirstCommitAt, p.OpenedAt}[i]
			return &object{"PullRequestCommit", map[string]any{"commit": &object{"Commit", map[string]any{
				"authoredDate": answer.Stamp(written), "committedDate": answer.Stamp(written), "statusCheckRollup": rollup(r, p),
			}}}}
		}),
		"reviews": connection("PullRequestReviewConnection", len(p.Reviews), func(i int) *object { return reviewObject(r, &p.Reviews[i]) }),
		"timelineItems": func(a arguments) (any, error) {
			labelled := 0
			if !p.LabelledAt.IsZero() {
				labelled = 1
			}
			return connection("PullRequestTimelineItemsConnection", labelled, func(int) *object {
				return &object{"LabeledEvent", map[string]any{"createdAt": answer.Stamp(p.LabelledAt), "label": &object{"Label", map[string]any{"name": world.SecurityLabel}}}}
			})(a)
		},
		"files": connection("PullRequestChangedFileConnection", len(p.Files), func(i int) *object {
			return &object{"PullRequestChangedFile", map[string]any{"path": p.Files[i]}}
		}),
	}}
}

func reviewObject(r *world.Repository, v *world.Review) *object {
	author := &object{"User", map[string]any{"login": v.By}}
	if v.Bot {
		author.typename = "Bot"
	}
	teams := 0
	if v.Team != "" {
		teams = 1
	}
	return &object{"PullRequestReview", map[string]any{
		"state": v.State, "submittedAt": answer.Stamp(v.At), "author": author,
		"onBehalfOf": connection("TeamConnection", teams, func(int) *object {
			return &object{"Team", map[string]any{"slug": v.Team, "organization": &object{"Organization", map[string]any{"login": r.Organisation}}}}
		}),
	}}
}

// rollup is the checks of a pull request. In the organisation that was bought the credential may not read them.
func rollup(r *world.Repository, p *world.PullRequest) any {
	if r.Organisation == world.OrgLabs {
		return &refusal{"FORBIDDEN", "Resource not accessible by personal access token"}
	}
	type check struct {
		name, app, conclusion string
		at                    time.Time
	}
	list := []check{{"build", "github-actions", "SUCCESS", p.OpenedAt.Add(5 * time.Minute)}, {"test", "github-actions", "SUCCESS", p.OpenedAt.Add(9 * time.Minute)}}
	if !p.ScannedAt.IsZero() {
		conclusion := "SUCCESS"
		if p.ScanFailed {
			conclusion = "FAILURE"
		}
		list = append(list, check{"CodeQL", "github-advanced-security", conclusion, p.ScannedAt})
	}
	return &object{"StatusCheckRollup", map[string]any{"contexts": connection("StatusCheckRollupContextConnection", len(list), func(i int) *object {
		c := list[i]
		return &object{"CheckRun", map[string]any{
			"name": c.name, "status": "COMPLETED", "conclusion": c.conclusion, "completedAt": answer.Stamp(c.at),
			"checkSuite": &object{"CheckSuite", map[string]any{"app": &object{"App", map[string]any{"slug": c.app}}}},
		}}
	})}}
}
