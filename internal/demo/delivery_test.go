package demo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

// compareDeployments holds what was learned about deployments against what happened.
func compareDeployments(t *testing.T, w *world.World, now time.Time, batches map[string]record.Batch) {
	t.Helper()
	learned, pipelines := map[string]record.Deployment{}, map[string]bool{}
	for scope, b := range batches {
		for _, d := range b.Deployments {
			learned[d.ID] = d
		}
		for _, p := range b.Pipelines {
			pipelines[p.ID] = true
		}
		if strings.HasPrefix(scope, "github deployments:") && b.Mode != record.Full {
			t.Errorf("%s is %s, want whole", scope, b.Mode)
		}
	}
	seen := map[string]int{}
	for _, r := range w.Repositories {
		for _, d := range w.DeploymentsAt(r, now) {
			if d.Environment != "production" || d.CreatedAt.Before(now.Add(-100*24*time.Hour)) {
				continue
			}
			seen["all"]++
			got := learned[fmt.Sprintf("%s:DE_demo%d", r.FullName(), d.ID)]
			if got.Commit != d.Commit || !got.FinishedAt.Equal(d.EndedAt()) || (got.Status == record.DeploymentSucceeded) != d.Succeeded() ||
				len(r.Hosts) > 1 && got.Service != d.Service.Name || got.FromProtectedBranch != record.AnswerYes && !d.EndedAt().IsZero() {
				t.Errorf("deployment %d of %s at %v: learned %+v, want commit %s, ended at %v", d.ID, r.FullName(), d.CreatedAt, got, d.Commit, d.EndedAt())
			}
			if d.EndedAt().IsZero() {
				continue
			}
			if want := approvalOf(r, d); got.Approval != want {
				t.Errorf("deployment %d of %s: approval %q, want %q", d.ID, r.FullName(), got.Approval, want)
			}
			if r.Organisation != world.OrgLabs && !pipelines[got.Pipeline] {
				seen["without pipeline"]++
			}
			seen["approval "+string(got.Approval)]++
			seen["rollback "+string(got.Rollback)]++
			seen[string(got.Status)]++
			if got.MissingPermission != "" {
				seen["for want of a permission"]++
			}
			for _, c := range got.Changes {
				compareChange(t, w, r, d, c, now, seen)
			}
		}
	}
	t.Logf("deployments: %v", seen)
	if seen["all"] != len(learned) {
		t.Errorf("%d deployments are known, of %d", len(learned), seen["all"])
	}
	for _, what := range []string{
		"approval approved", "approval bypassed", "approval none", "approval unknown", "rollback yes", "rollback no", "failed", "security yes", "security no", "security ",
		"early", "late", "for want of a permission", "without review", "pushed directly",
	} {
		if seen[what] < 5 {
			t.Errorf("%s: %d times", what, seen[what])
		}
	}
	if seen["without pipeline"] > 0 {
		t.Errorf("%d deployments name no pipeline that is known", seen["without pipeline"])
	}
}

func approvalOf(r *world.Repository, d *world.Deployment) record.Approval {
	at := slices.IndexFunc(r.Environments, func(e world.Environment) bool { return e.Name == d.Environment })
	switch {
	case r.Environments[at].Reviewers == 0:
		return record.ApprovalNone
	case r.Organisation == world.OrgLabs:
		return record.ApprovalUnknown
	case d.Approver == "":
		return record.ApprovalBypassed
	case d.Approver == d.Creator:
		return record.ApprovalNone
	default:
		return record.ApprovalApproved
	}
}

// comparePush holds a change that came without a pull request against its commit.
func comparePush(t *testing.T, w *world.World, r *world.Repository, d *world.Deployment, c record.Change, commit string, now time.Time) {
	t.Helper()
	if p := w.CommitAt(r, commit, now); p == nil || p.Pull != nil || p.Merge || p.At.After(d.CreatedAt) || !c.FirstCommitAt.Equal(p.At) || !c.ApprovedAt.IsZero() {
		t.Errorf("change %s of deployment %d: learned %+v of %+v", c.ID, d.ID, c, p)
	}
}

// compareChange holds a change against its pull request.
func compareChange(t *testing.T, w *world.World, r *world.Repository, d *world.Deployment, c record.Change, now time.Time, seen map[string]int) {
	t.Helper()
	if _, commit, ok := strings.Cut(c.ID, "@"); ok {
		comparePush(t, w, r, d, c, commit, now)
		seen["pushed directly"]++
		return
	}
	var number int
	_, text, _ := strings.Cut(c.ID, "#")
	if _, err := fmt.Sscan(text, &number); err != nil {
		t.Fatalf("change %q: %v", c.ID, err)
	}
	p := w.PullRequestAt(r, number, now)
	if p == nil || p.MergedAt.After(d.CreatedAt) || p.Service != d.Service || !c.MergedAt.Equal(p.MergedAt) || !c.OpenedAt.Equal(p.OpenedAt) || !c.FirstCommitAt.Equal(p.FirstCommitAt) {
		t.Errorf("change %s of deployment %d: learned %+v of %+v", c.ID, d.ID, c, p)
		return
	}
	var approved time.Time
	for _, v := range p.Reviews {
		if v.State == "APPROVED" {
			approved = v.At
		}
	}
	if !c.ApprovedAt.Equal(approved) {
		t.Errorf("change %s: approved at %v, want %v", c.ID, c.ApprovedAt, approved)
	}
	if c.FirstReviewAt.IsZero() {
		seen["without review"]++
	}
	seen["security "+string(c.SecurityReviewed)]++
	switch {
	case c.SecurityReviewed != record.AnswerYes:
	case !c.ApprovedAt.IsZero() && c.SecurityReviewAt.After(c.ApprovedAt):
		seen["late"]++
	default:
		seen["early"]++
	}
}
