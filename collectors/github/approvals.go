package github

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// runsPermission is what reading workflow runs, their approvals and environments needs.
const runsPermission = "actions=read"

// workflowRun is the run that deployed.
type workflowRun struct {
	Path       string   `json:"path"`
	HeadBranch string   `json:"head_branch"`
	Actor      *account `json:"actor"`
	Triggering *account `json:"triggering_actor"`
}

// account is who did something, as REST shows it.
type account struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

func (a *account) person() bool {
	return a != nil && a.Login != "" && (a.Type == "User" || a.Type == "") && !strings.HasSuffix(a.Login, "[bot]")
}

// approval is the answer of a reviewer. It has no date.
type approval struct {
	State        string   `json:"state"`
	User         *account `json:"user"`
	Environments []struct {
		Name string `json:"name"`
	} `json:"environments"`
}

// environmentRules are the rules of a repository's environments.
type environmentRules struct {
	list []ruledEnvironment
	// known is false where they are hidden, which permission would show.
	known      bool
	permission string
	readAt     time.Time
}

// ruledEnvironment is an environment and since when its rules are what they are.
type ruledEnvironment struct {
	environmentREST
	UpdatedAt timestamp `json:"updated_at"`
}

// listEnvironments reads the environments of a repository by REST.
func (c *Collector) listEnvironments(ctx context.Context, fullName string) ([]ruledEnvironment, error) {
	list := []ruledEnvironment{}
	err := apiclient.Walk(ctx, maxPages, func(ctx context.Context, cursor string) (string, error) {
		var page struct {
			Environments []ruledEnvironment `json:"environments"`
		}
		resp, err := c.api.get(ctx, firstOf(cursor, "repos/"+escapeName(fullName)+"/environments?"+url.Values{"per_page": {pageSize}}.Encode()), &page)
		if err != nil {
			return "", err
		}
		list = append(list, page.Environments...)
		return resp.Next, nil
	})
	return list, err
}

// approve says how a deployment passed release control, and which workflow it came from.
func (r *repositoryReading) approve(ctx context.Context, d *deployment) error {
	d.Approval = record.ApprovalUnknown
	rules, err := r.environmentRules(ctx)
	if err != nil {
		return err
	}
	run, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if run != nil {
		if file, _, _ := strings.Cut(run.Path, "@"); file != "" {
			d.Pipeline = pipelineID(r.head.fullName, file)
		}
		if d.Ref == "" {
			d.Ref = record.Text(run.HeadBranch)
		}
		if d.branch == "" && r.looksAt(run.HeadBranch) {
			d.branch = run.HeadBranch
		}
	}
	at := slices.IndexFunc(rules.list, func(e ruledEnvironment) bool { return strings.EqualFold(e.Name, d.Environment) })
	switch {
	case !rules.known:
		d.lacks(rules.permission)
	case at < 0: // The environment is gone, and with it who had to approve.
	case r.collector.environmentDetail(&rules.list[at].environmentREST).RequiredReviewers != record.AnswerYes:
		d.Approval = record.ApprovalNone
	default:
		if err := r.reviewed(ctx, d, run, &rules.list[at]); err != nil {
			return err
		}
	}
	d.Evidence = map[record.EvidenceKind]record.Answer{record.EvidenceApproval: evidenceOf(d.Approval)}
	return nil
}

// evidenceOf says whether an approval is evidence of one.
func evidenceOf(a record.Approval) record.Answer {
	switch a {
	case record.ApprovalApproved:
		return record.AnswerYes
	case record.ApprovalNone, record.ApprovalBypassed:
		return record.AnswerNo
	case record.ApprovalUnknown:
	}
	return record.AnswerUnknown
}

// environmentRules reads the rules of the repository's environments, once per posture interval.
func (r *repositoryReading) environmentRules(ctx context.Context) (*environmentRules, error) {
	if r.rules != nil {
		return r.rules, nil
	}
	r.collector.remember(r.org, func(o *organisation) { r.rules = o.rules[r.head.name] })
	if r.rules != nil && r.now.Sub(r.rules.readAt) < r.collector.config.PostureInterval.Std() {
		return r.rules, nil
	}
	rules := &environmentRules{readAt: r.now, permission: environmentsPermission}
	if !r.refused[environmentsPermission] {
		list, err := r.collector.listEnvironments(ctx, r.head.fullName)
		switch reason := record.ReasonOf(err); {
		case err == nil:
			rules.list, rules.known, rules.permission = list, true, ""
		case reason == record.ReasonPermission:
			r.refused[environmentsPermission] = true
		case reason == record.ReasonNotFound:
		default:
			return nil, fmt.Errorf("environments of %s: %w", record.Text(r.head.fullName), err)
		}
	}
	r.rules = rules
	r.collector.remember(r.org, func(o *organisation) { o.rules[r.head.name] = rules })
	return rules, nil
}

// run reads the workflow run that deployed; nil if there was none, or it is gone or hidden.
func (r *repositoryReading) run(ctx context.Context, d *deployment) (*workflowRun, error) {
	if d.run == 0 || r.refused[runsPermission] {
		return nil, r.pass(d, runsPermission, nil)
	}
	if run, ok := r.runs[d.run]; ok {
		return run, nil
	}
	var run workflowRun
	_, err := r.collector.api.get(ctx, fmt.Sprintf("repos/%s/actions/runs/%d?exclude_pull_requests=true", escapeName(r.head.fullName), d.run), &run)
	if err != nil {
		return nil, r.pass(d, runsPermission, err)
	}
	r.runs[d.run] = &run
	return &run, nil
}

// reviewed says whether a deployment that needs a review got one from a person other than those who started it.
func (r *repositoryReading) reviewed(ctx context.Context, d *deployment, run *workflowRun, e *ruledEnvironment) error {
	if d.run == 0 || r.refused[runsPermission] {
		// Environments bind the jobs of GitHub Actions. Of what something else deployed nobody can say.
		return r.pass(d, runsPermission, nil)
	}
	var list []approval
	_, err := r.collector.api.get(ctx, fmt.Sprintf("repos/%s/actions/runs/%d/approvals", escapeName(r.head.fullName), d.run), &list)
	if err != nil {
		return r.pass(d, runsPermission, err)
	}
	d.Approval = r.verdict(d, run, e, list)
	return nil
}

// verdict weighs the answers of reviewers for the environment of a deployment.
func (r *repositoryReading) verdict(d *deployment, run *workflowRun, e *ruledEnvironment, list []approval) record.Approval {
	approved, rejected, another := false, false, false
	for i := range list {
		a := &list[i]
		if !slices.ContainsFunc(a.Environments, func(at struct {
			Name string `json:"name"`
		}) bool {
			return strings.EqualFold(at.Name, d.Environment)
		}) {
			continue
		}
		switch a.State {
		case "approved":
			approved = true
			another = another || a.User.person() && !startedBy(a.User.Login, d, run)
		case "rejected":
			rejected = true
		case "pending":
		default:
			r.collector.unknownValue("state of a deployment's review", a.State)
		}
	}
	selfless := e.preventsSelfReview() || run != nil || d.creator.person()
	switch {
	case another && selfless:
		return record.ApprovalApproved
	case another: // Who started it is not known, and may be who approved it.
		return record.ApprovalUnknown
	case approved || rejected || !d.started:
		return record.ApprovalNone
	case e.UpdatedAt.IsZero() || e.UpdatedAt.After(d.CreatedAt):
		return record.ApprovalUnknown // The rule may be younger than the deployment.
	default:
		return record.ApprovalBypassed // It had to wait for a reviewer, and went ahead without one.
	}
}

// startedBy reports whether somebody is behind a deployment.
func startedBy(login string, d *deployment, run *workflowRun) bool {
	if d.creator.is(login) {
		return true
	}
	return run != nil && slices.ContainsFunc([]*account{run.Actor, run.Triggering}, func(a *account) bool {
		return a != nil && strings.EqualFold(a.Login, login)
	})
}

func (e *ruledEnvironment) preventsSelfReview() bool {
	for _, rule := range e.Rules {
		if rule.Type == "required_reviewers" && rule.PreventSelfReview != nil && *rule.PreventSelfReview {
			return true
		}
	}
	return false
}

// matches reports whether a glob pattern matches a name.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
