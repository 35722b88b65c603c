package trust

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strconv"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// run is a run of a workflow.
type run struct {
	ID         int64         `json:"id"`
	Path       string        `json:"path"`
	Branch     string        `json:"head_branch"`
	Commit     string        `json:"head_sha"`
	Event      string        `json:"event"`
	Status     string        `json:"status"`
	Conclusion string        `json:"conclusion"`
	HTMLURL    string        `json:"html_url"`
	CreatedAt  api.Timestamp `json:"created_at"`
	UpdatedAt  api.Timestamp `json:"updated_at"`
}

func (r *run) succeeded() bool { return r.Conclusion == "success" }

// releaseSlack is how long after the end of a run a release may be published that the run made: clocks differ.
const releaseSlack = 10 * time.Minute

// ofPullRequest says whether a pull request started the run, which then built what somebody proposes and releases nothing. GitHub can leave out neither these runs nor
// those of any other event.
func (r *run) ofPullRequest() bool { return r.Event == "pull_request" }

// made says whether a run that succeeded can have made a release: it was of the release's tag, or under way when the release was published.
func (r *run) made(p *published) bool {
	if !r.succeeded() || r.ofPullRequest() {
		return false
	}
	at := p.PublishedAt.Time
	during := !at.Before(r.CreatedAt.Time) && !at.After(r.UpdatedAt.Add(releaseSlack))
	return during && (p.commit == "" || p.commit == r.Commit) || r.Branch == p.Tag && p.Tag != ""
}

// runsOf reads a page of runs, newest first. Items that cannot be understood are left out and counted.
func (c *Collector) runsOf(ctx context.Context, path string, query url.Values) (list []run, rejected map[record.RejectReason]int, err error) {
	page := map[string]json.RawMessage{}
	if _, err := c.API.Get(ctx, path+"?"+query.Encode(), &page); err != nil {
		return nil, nil, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(page["workflow_runs"], &items); err != nil || items == nil {
		return nil, nil, api.MissingField(path, "workflow_runs")
	}
	rejected = map[record.RejectReason]int{}
	for _, item := range items {
		var r run
		err := json.Unmarshal(item, &r)
		switch {
		case err != nil:
			rejected[api.RejectReasonOf(err)]++
		case r.ID <= 0:
			rejected[record.RejectNoID]++
		default:
			list = append(list, r)
		}
	}
	return list, rejected, nil
}

// approved says whether somebody approved that a run went on to an environment; unknown where GitHub refuses to answer.
func (c *Collector) approved(ctx context.Context, r api.Repository, id int64, about api.Question) (answer record.Answer, refused, err error) {
	about.What, about.Permission, about.Item = "approvals of runs", api.RunsPermission, true
	var approvals []struct {
		State string `json:"state"`
	}
	refused, err = c.Questions.Ask(about, func() error {
		_, err := c.API.Get(ctx, "repos/"+api.EscapeName(r.FullName)+"/actions/runs/"+strconv.FormatInt(id, 10)+"/approvals", &approvals)
		return err
	})
	if refused != nil || err != nil {
		return record.AnswerUnknown, refused, err
	}
	answer = record.AnswerNo
	for _, a := range approvals {
		switch a.State {
		case "approved":
			answer = record.AnswerYes
		case "rejected", "pending":
		default:
			c.UnknownValue("approval of a run", a.State)
		}
	}
	return answer, nil, nil
}

// runsPerCommit is how many runs of a commit are looked at to find the one that made a release.
const runsPerCommit = "100"

// findApprovals looks whether somebody approved the runs that made releases. What was found does not change, so it is asked for once per release, and kept at once: a
// reading that runs out of time goes on where it ended.
func (c *Collector) findApprovals(ctx context.Context, org string, list []*published, whole bool) error {
	if !c.config.Pipelines {
		return nil
	}
	wanted := map[string]bool{}
	for _, p := range list {
		wanted[p.key()] = true
		answer, known := c.knownApproval(org, p)
		if !known {
			var refused, err error
			if answer, refused, err = c.approvalOf(ctx, org, p); err != nil {
				return err
			}
			p.refuse(refused)
			// Soon after a release its run may not be over.
			if answer.Known() || refused == nil && c.Now().Sub(p.PublishedAt.Time) > releaseOverlap {
				c.keepApproval(org, p, answer)
			}
		}
		p.evidence[record.EvidenceApproval] = answer
	}
	if whole {
		c.state.With(org, func(o *organisation) {
			maps.DeleteFunc(o.approvals, func(key string, _ record.Answer) bool { return !wanted[key] })
		})
	}
	return nil
}

func (c *Collector) knownApproval(org string, p *published) (answer record.Answer, known bool) {
	c.state.With(org, func(o *organisation) { answer, known = o.approvals[p.key()] })
	return answer, known
}

func (c *Collector) keepApproval(org string, p *published, answer record.Answer) {
	c.state.With(org, func(o *organisation) {
		if o.approvals == nil {
			o.approvals = map[string]record.Answer{}
		}
		o.approvals[p.key()] = answer
	})
}

// approvalOf finds the run that made a release by the commit of its tag; unknown where there is none.
func (c *Collector) approvalOf(ctx context.Context, org string, p *published) (answer record.Answer, refused, err error) {
	if p.commit == "" {
		return record.AnswerUnknown, nil, nil
	}
	query := url.Values{"head_sha": {p.commit}, "per_page": {runsPerCommit}, "exclude_pull_requests": {"true"}, "status": {"success"}}
	about := api.Question{Organisation: org, Repository: p.repository.FullName, What: "runs of commits", Permission: api.RunsPermission}
	var runs []run
	refused, err = c.Questions.Ask(about, func() error {
		runs, _, err = c.runsOf(ctx, "repos/"+api.EscapeName(p.repository.FullName)+"/actions/runs", query)
		return err
	})
	if refused != nil || err != nil {
		return record.AnswerUnknown, refused, err
	}
	for i := range runs {
		if !runs[i].made(p) {
			continue
		}
		one, refused, err := c.approved(ctx, p.repository, runs[i].ID, about)
		switch {
		case err != nil || !one.Known():
			return record.AnswerUnknown, refused, err
		case one == record.AnswerYes:
			return one, nil, nil
		}
		answer = one
	}
	return answer, nil, nil
}
