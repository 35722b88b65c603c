package delivery

import (
	"context"
	"slices"

	"prodsec_exporter/internal/record"
)

// onProtectedBranch says whether a commit was on a branch whose protection is read: the default branch, or one that release_branches names. What is not deployed
// from one by name may still be part of the default branch.
func (r *repositoryReader) onProtectedBranch(ctx context.Context, d *deployment) error {
	if r.isProtected(d.branch) {
		d.FromProtectedBranch = record.AnswerYes
		return nil
	}
	if r.head.Branch == "" {
		return nil
	}
	answer, ok := r.protected[d.Commit]
	if !ok {
		c, err := r.compare(ctx, d, r.head.Branch, 1)
		if err != nil || c == nil {
			return err
		}
		switch {
		case c.Status == comparedBehind || c.Status == comparedIdentical:
			answer = record.AnswerYes
		case d.branch != "" || len(r.collector.releaseBranches) == 0:
			answer = record.AnswerNo
		}
		r.protected[d.Commit] = answer
	}
	d.FromProtectedBranch = answer
	return nil
}

// isProtected reports whether the protection of a branch is read.
func (r *repositoryReader) isProtected(branch string) bool {
	return branch != "" && (branch == r.head.Branch ||
		slices.ContainsFunc(r.collector.releaseBranches, func(pattern string) bool { return matches(pattern, branch) }))
}
