package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// mergeRequest is a merge request that a deployment brought.
type mergeRequest struct {
	ID        int64          `json:"id"`
	IID       int64          `json:"iid"`
	ProjectID int64          `json:"project_id"`
	CreatedAt translate.Time `json:"created_at"`
	MergedAt  translate.Time `json:"merged_at"`
	Labels    []string       `json:"labels"`
	Merge     string         `json:"merge_commit_sha"`
	Squash    string         `json:"squash_commit_sha"`
}

// changes reads the merge requests that a successful deployment brought, as GitLab links them, and the commits that came without one. Of the first deployment to an environment nobody can say what it brought.
func (w *deploymentWalk) changes(ctx context.Context, d *deployment, r *record.Deployment) error {
	if r.Status != record.DeploymentSucceeded || r.Rollback == record.AnswerYes {
		return nil
	}
	before, known, err := w.before(ctx, d)
	if err != nil {
		return err
	}
	r.ChangesKnown = record.AnswerOf(known && len(before) > 0)
	if r.ChangesKnown != record.AnswerYes {
		return nil
	}
	merged := &commitsOf{names: map[string]bool{}}
	err = w.api.list(ctx, numbered(w.project.ID, "deployments/"+strconv.FormatInt(d.ID, 10)+"/merge_requests"), url.Values{"state": {"merged"}}, func(raw json.RawMessage) error {
		m, err := translate.Decode[mergeRequest](raw)
		if err != nil || m.IID == 0 {
			r.ChangesKnown, merged.unread = record.AnswerNo, true // one of them cannot be told
			return nil                                            //nolint:nilerr // See the line above.
		}
		change, err := w.change(ctx, m, merged)
		if err != nil {
			return fmt.Errorf("merge request %d: %w", m.IID, err)
		}
		r.Changes = append(r.Changes, change)
		return nil
	})
	if unread(err) {
		r.ChangesKnown, r.MissingPermission = record.AnswerNo, asReporter
		return nil
	}
	if err != nil {
		return err
	}
	pushed, err := w.pushed(ctx, d, before, merged)
	r.Changes = append(r.Changes, pushed...)
	return err
}

// change reads when work on a merge request began, who approved it when, and whether the security function looked at it.
func (w *deploymentWalk) change(ctx context.Context, m *mergeRequest, merged *commitsOf) (record.Change, error) {
	for _, made := range []string{m.Merge, m.Squash} {
		if made != "" {
			merged.note(made)
		}
	}
	c := record.Change{ID: strconv.FormatInt(m.ID, 10), OpenedAt: m.CreatedAt.Time, MergedAt: m.MergedAt.Time}
	base := "merge_requests/" + strconv.FormatInt(m.IID, 10)
	err := w.api.list(ctx, numbered(w.project.ID, base+"/commits"), nil, func(raw json.RawMessage) error {
		commit, err := translate.Decode[struct {
			ID         string         `json:"id"`
			AuthoredAt translate.Time `json:"authored_date"`
			CreatedAt  translate.Time `json:"created_at"`
		}](raw)
		if err != nil {
			merged.unread = true
			return nil //nolint:nilerr // A commit without a date takes nothing from the others.
		}
		merged.note(commit.ID)
		at := commit.AuthoredAt.Time
		if at.IsZero() {
			at = commit.CreatedAt.Time
		}
		c.FirstCommitAt = record.Earliest(c.FirstCommitAt, at)
		return nil
	})
	if err != nil && !unread(err) {
		return c, err
	}
	merged.unread = merged.unread || err != nil
	var approvals struct {
		By []struct {
			At translate.Time `json:"approved_at"`
		} `json:"approved_by"`
	}
	if _, err := w.api.get(ctx, numbered(w.project.ID, base+"/approvals"), nil, &approvals); err != nil && !unread(err) {
		return c, err
	}
	for _, a := range approvals.By {
		if a.At.After(c.ApprovedAt) {
			c.ApprovedAt = a.At.Time
		}
	}
	return c, w.review(ctx, m, &c, base)
}

// review reads when a label of the security function was put on a merge request.
func (w *deploymentWalk) review(ctx context.Context, m *mergeRequest, c *record.Change, base string) error {
	if len(w.config.ReviewLabels) == 0 {
		return nil // nobody said how the security function tells
	}
	if !slices.ContainsFunc(m.Labels, func(label string) bool { return slices.Contains(w.config.ReviewLabels, label) }) {
		c.SecurityReviewed = record.AnswerNo
		return nil
	}
	var at time.Time
	err := w.api.list(ctx, numbered(w.project.ID, base+"/resource_label_events"), nil, func(raw json.RawMessage) error {
		e, err := translate.Decode[struct {
			Action    string         `json:"action"`
			CreatedAt translate.Time `json:"created_at"`
			Label     *struct {
				Name string `json:"name"`
			} `json:"label"`
		}](raw)
		if err == nil && e.Action == "add" && e.Label != nil && slices.Contains(w.config.ReviewLabels, e.Label.Name) {
			at = record.Earliest(at, e.CreatedAt.Time)
		}
		return nil
	})
	if err != nil && !unread(err) {
		return err
	}
	c.SecurityReviewed, c.SecurityReviewAt = record.AnswerYes, at
	return nil
}
