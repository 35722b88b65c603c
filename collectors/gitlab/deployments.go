package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// deployment is a deployment in the REST API; approvals are in the answer about one deployment alone.
type deployment struct {
	ID          int64          `json:"id"`
	Ref         string         `json:"ref"`
	Commit      string         `json:"sha"`
	Status      string         `json:"status"`
	CreatedAt   translate.Time `json:"created_at"`
	UpdatedAt   translate.Time `json:"updated_at"`
	Environment environment    `json:"environment"`
	Job         *struct {
		Tag        bool           `json:"tag"`
		FinishedAt translate.Time `json:"finished_at"`
	} `json:"deployable"`
	Pending   *int `json:"pending_approval_count"`
	Approvals []struct {
		Status string `json:"status"`
	} `json:"approvals"`
}

var deploymentStatuses = translate.Vocabulary[record.DeploymentStatus]{
	Name: "gitlab deployment status",
	Words: map[string]record.DeploymentStatus{
		"created": record.DeploymentPending, "running": record.DeploymentPending, "blocked": record.DeploymentPending, "success": record.DeploymentSucceeded,
		"failed": record.DeploymentFailed, "canceled": record.DeploymentOther, "skipped": record.DeploymentOther,
	},
	Other: record.DeploymentOther,
}

// production reports whether users reach what is deployed there.
func (e *environment) production() bool {
	return e.Tier == productionTier || strings.HasPrefix(strings.ToLower(e.Name), "prod")
}

// deploymentWalk reads the deployments of one project.
type deploymentWalk struct {
	*Collector
	project *project
	// succeeded are the last successful deployments by environment, newest first; protected says which branches are.
	succeeded map[string][]deployment
	protected map[string]record.Answer
}

// readDeployments reads the deployments that changed since the cursor, or those of the configured history.
func (c *Collector) readDeployments(ctx context.Context, p *project, cursor record.Cursor) record.Batch {
	b := record.Batch{Scope: p.scope(scopeDeployments), Mode: record.Full, Deployments: []record.Deployment{}, Rejected: map[record.RejectReason]int{}}
	since := c.now().Add(-c.config.DeploymentHistory.Std())
	if at, ok := cursor.Time(); ok {
		b.Mode, since = record.Delta, at
	}
	w := &deploymentWalk{Collector: c, project: p, succeeded: map[string][]deployment{}, protected: map[string]record.Answer{}}
	at, latest := map[string]int{}, since
	query := url.Values{"order_by": {"updated_at"}, "sort": {"asc"}, "updated_after": {since.UTC().Format(time.RFC3339)}}
	err := c.api.list(ctx, numbered(p.ID, "deployments"), query, func(raw json.RawMessage) error {
		d, err := translate.Decode[deployment](raw)
		if err == nil && d.ID == 0 {
			err = fmt.Errorf("deployment: %w", translate.ErrNoID)
		}
		if err != nil {
			b.Rejected[translate.Reason(err)]++
			return nil
		}
		r, err := w.record(ctx, d)
		if err != nil {
			return err
		}
		if d.UpdatedAt.After(latest) {
			latest = d.UpdatedAt.Time
		}
		if i, again := at[r.ID]; again { // it changed while the list was read
			b.Deployments[i] = r
			return nil
		}
		at[r.ID] = len(b.Deployments)
		b.Deployments = append(b.Deployments, r)
		return nil
	})
	if err != nil {
		return translate.Failed(b.Scope, fmt.Errorf("read the deployments of project %s: %w", p.Path, needs(err, asReporter)))
	}
	b.Cursor = record.CursorAt(latest)
	return b
}

// record translates a deployment. Of one that ended in production it looks for the approvals, the origin and the merge requests.
func (w *deploymentWalk) record(ctx context.Context, d *deployment) (record.Deployment, error) {
	p := w.project
	r := record.Deployment{
		ID: p.scope("deployment") + ":" + strconv.FormatInt(d.ID, 10), Repository: p.name, Environment: d.Environment.name(), Commit: record.Text(d.Commit), Ref: record.Text(d.Ref),
		Pipeline: p.scope("pipeline"), Status: deploymentStatuses.Of(w.words, d.Status), Approval: record.ApprovalUnknown, CreatedAt: d.CreatedAt.Time, UpdatedAt: d.UpdatedAt.Time,
	}
	if r.Status == record.DeploymentPending {
		return r, nil
	}
	r.FinishedAt = d.UpdatedAt.Time
	if d.Job != nil && !d.Job.FinishedAt.IsZero() {
		r.FinishedAt = d.Job.FinishedAt.Time
	}
	if !d.Environment.production() {
		return r, nil
	}
	for _, look := range []func(context.Context, *deployment, *record.Deployment) error{w.approval, w.origin, w.rollback, w.changes} {
		if err := look(ctx, d, &r); err != nil {
			return r, fmt.Errorf("deployment %d: %w", d.ID, err)
		}
	}
	return r, nil
}

// approval reads whether somebody approved the deployment.
func (w *deploymentWalk) approval(ctx context.Context, d *deployment, r *record.Deployment) error {
	var detail deployment
	_, err := w.api.get(ctx, numbered(w.project.ID, "deployments/"+strconv.FormatInt(d.ID, 10)), nil, &detail)
	switch {
	case unread(err):
		r.MissingPermission = asReporter
		return nil
	case err != nil:
		return err
	case detail.Pending == nil && detail.Approvals == nil:
		r.MissingPermission = premiumOrRole // the tier shows no approvals
		return nil
	}
	r.Approval = record.ApprovalNone
	for _, a := range detail.Approvals {
		if strings.EqualFold(a.Status, "approved") {
			r.Approval = record.ApprovalApproved
		}
	}
	if r.Approval == record.ApprovalNone && detail.Pending != nil && *detail.Pending > 0 {
		r.Approval = record.ApprovalBypassed // it ended although approvals were missing
	}
	return nil
}

// origin reads whether the deployed branch is protected; of a tag nobody can say.
func (w *deploymentWalk) origin(ctx context.Context, d *deployment, r *record.Deployment) error {
	if d.Ref == "" || d.Job != nil && d.Job.Tag {
		return nil
	}
	if known, ok := w.protected[d.Ref]; ok {
		r.FromProtectedBranch = known
		return nil
	}
	var branch struct {
		Protected *bool `json:"protected"`
	}
	_, err := w.api.get(ctx, numbered(w.project.ID, "repository/branches/"+segment(d.Ref)), nil, &branch)
	if err != nil && !unread(err) {
		return err
	}
	w.protected[d.Ref] = answer(branch.Protected)
	r.FromProtectedBranch = w.protected[d.Ref]
	return nil
}

// rollback says whether a deployment brought back a commit that an earlier one had brought to the environment.
func (w *deploymentWalk) rollback(ctx context.Context, d *deployment, r *record.Deployment) error {
	before, known, err := w.before(ctx, d)
	switch {
	case err != nil:
		return err
	case !known || d.Commit == "":
		return nil
	}
	r.Rollback = record.AnswerNo
	for i := range before {
		if i == 0 && before[i].Commit == d.Commit {
			return nil // the same again
		}
		if before[i].Commit == d.Commit {
			r.Rollback = record.AnswerYes
		}
	}
	return nil
}

// before are the successful deployments to the same environment before one, newest first, as far as one page shows them.
func (w *deploymentWalk) before(ctx context.Context, d *deployment) (before []deployment, known bool, err error) {
	list, ok := w.succeeded[d.Environment.Name]
	if !ok {
		query := url.Values{
			"environment": {d.Environment.Name}, "status": {"success"}, "order_by": {"id"}, "sort": {"desc"}, "per_page": {strconv.Itoa(perPage)},
		}
		_, err := w.api.get(ctx, numbered(w.project.ID, "deployments"), query, &list)
		if unread(err) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		w.succeeded[d.Environment.Name] = list
	}
	for i := range list {
		if list[i].ID < d.ID {
			return list[i:], true, nil
		}
	}
	return nil, true, nil
}
