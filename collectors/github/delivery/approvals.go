package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// approval is the answer of a reviewer. It has no date.
type approval struct {
	State        string       `json:"state"`
	User         *api.Account `json:"user"`
	Environments []struct {
		Name string `json:"name"`
	} `json:"environments"`
}

// approve says how a deployment passed release control, and which workflow it came from.
func (r *repositoryReader) approve(ctx context.Context, d *deployment) error {
	d.Approval = record.ApprovalUnknown
	rules, err := r.environmentRules(ctx, d)
	if err != nil {
		return err
	}
	run, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if run != nil {
		if file, _, _ := strings.Cut(run.Path, "@"); file != "" {
			d.Pipeline = api.PipelineID(r.head.FullName, file)
		}
		if d.Ref == "" {
			d.Ref = record.Text(run.HeadBranch)
		}
		if d.branch == "" && r.isProtected(run.HeadBranch) {
			d.branch = run.HeadBranch
		}
	}
	at := slices.IndexFunc(rules.list, func(e inventory.Environment) bool { return strings.EqualFold(e.Name, d.Environment) })
	switch {
	case !rules.known:
	case at < 0: // The environment is gone, and with it who had to approve.
	case r.collector.inventory.Protection(&rules.list[at]).RequiredReviewers != record.AnswerYes:
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
func (r *repositoryReader) environmentRules(ctx context.Context, d *deployment) (*environmentRules, error) {
	if r.rules == nil {
		r.collector.state.With(r.org, func(o *organisation) { r.rules = o.rules[r.head.Name] })
	}
	if r.rules != nil && r.now.Sub(r.rules.readAt) < r.collector.Intervals.Posture {
		return r.rules, nil
	}
	rules := &environmentRules{readAt: r.now}
	answered, err := r.ask(d, question{what: "environments", permission: inventory.EnvironmentsPermission}, func() (err error) {
		rules.list, err = r.collector.inventory.Environments(ctx, r.head.FullName)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("environments of %s: %w", record.Text(r.head.FullName), err)
	}
	if !answered {
		return rules, nil
	}
	rules.known = true
	r.rules = rules
	r.collector.state.With(r.org, func(o *organisation) { o.rules[r.head.Name] = rules })
	return rules, nil
}

// run reads the workflow run that deployed; nil if there was none, or it is gone or hidden.
func (r *repositoryReader) run(ctx context.Context, d *deployment) (*workflowRun, error) {
	if d.run == 0 {
		return nil, nil
	}
	if run, ok := r.runs[d.run]; ok {
		return run, nil
	}
	var run workflowRun
	answered, err := r.ask(d, question{what: "workflow runs", permission: api.RunsPermission, item: true}, func() error {
		_, err := r.collector.API.Get(ctx, fmt.Sprintf("repos/%s/actions/runs/%d?exclude_pull_requests=true", api.EscapeName(r.head.FullName), d.run), &run)
		return err
	})
	if err != nil || !answered {
		return nil, err
	}
	r.runs[d.run] = &run
	return &run, nil
}

// reviewed says whether a deployment that needs a review got one from a person other than those who started it.
func (r *repositoryReader) reviewed(ctx context.Context, d *deployment, run *workflowRun, e *inventory.Environment) error {
	if d.run == 0 {
		return nil // Environments bind the jobs of GitHub Actions. What else deployed is not known to have been reviewed.
	}
	var list []approval
	answered, err := r.ask(d, question{what: "workflow runs", permission: api.RunsPermission, item: true}, func() error {
		_, err := r.collector.API.Get(ctx, fmt.Sprintf("repos/%s/actions/runs/%d/approvals", api.EscapeName(r.head.FullName), d.run), &list)
		return err
	})
	if err != nil || !answered {
		return err
	}
	d.Approval = r.classifyApproval(d, run, e, list)
	return nil
}

// classifyApproval evaluates the answers of reviewers for the environment of a deployment.
func (r *repositoryReader) classifyApproval(d *deployment, run *workflowRun, e *inventory.Environment, list []approval) record.Approval {
	approved, rejected, another, deleted := false, false, false, false
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
			deleted = deleted || a.User.Deleted()
			another = another || a.User.Person() && !startedBy(a.User.Login, d, run)
		case "rejected":
			rejected = true
		case "pending":
		default:
			r.collector.UnknownValue("state of a deployment's review", a.State)
		}
	}
	selfless := e.PreventsSelfReview() || run != nil || d.creator.Person()
	switch {
	case another && selfless:
		return record.ApprovalApproved
	case another, deleted: // Who started it, or who approved it, is not known: they may be the same.
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
	if d.creator.Is(login) {
		return true
	}
	return run != nil && slices.ContainsFunc([]*api.Account{run.Actor, run.Triggering}, func(a *api.Account) bool {
		return a != nil && strings.EqualFold(a.Login, login)
	})
}
