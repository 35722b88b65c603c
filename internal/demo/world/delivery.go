package world

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// PullRequest is a change that was merged into a repository's default branch.
type PullRequest struct {
	Number  int
	Title   string
	Author  string
	Service *Service
	// Files are what it changes.
	Files []string
	// FirstCommitAt is when its first own commit was written; the times after are zero for what did not happen.
	FirstCommitAt, OpenedAt, MergedAt time.Time
	Reviews                           []Review
	// LabelledAt is when somebody of the security team put their label on; ScannedAt when code scanning had a result, and ScanFailed that it found something.
	LabelledAt, ScannedAt time.Time
	ScanFailed            bool
}

// Review is somebody's answer to a pull request, in GitHub's words. Team says on whose behalf it was.
type Review struct {
	By    string
	Bot   bool
	At    time.Time
	State string
	Team  string
}

// Commit is a commit on a default branch. Pull is nil for one that was pushed directly; a merge brings no change of its own.
type Commit struct {
	SHA   string
	At    time.Time
	Pull  *PullRequest
	Merge bool
}

// DeploymentState is the state of a deployment, in GitHub's words.
type DeploymentState string

// The states.
const (
	StateWaiting    DeploymentState = "WAITING"
	StateInProgress DeploymentState = "IN_PROGRESS"
	StateSuccess    DeploymentState = "SUCCESS"
	StateFailure    DeploymentState = "FAILURE"
	StateInactive   DeploymentState = "INACTIVE"
)

// DeploymentStep is a change of a deployment's state.
type DeploymentStep struct {
	At time.Time
	To DeploymentState
}

// Deployment brought a commit to an environment.
type Deployment struct {
	ID          int64
	Repository  *Repository
	Service     *Service
	Environment string
	// Task tells services apart that share a repository.
	Task      string
	Commit    string
	Creator   string
	CreatedAt time.Time
	Steps     []DeploymentStep
	// Approver is empty where nobody approved it.
	Approver string
	// Run is the number of the workflow run that it came by.
	Run int64
}

// EndedAt is when it succeeded or failed.
func (d *Deployment) EndedAt() time.Time {
	for _, s := range d.Steps {
		if s.To == StateSuccess || s.To == StateFailure {
			return s.At
		}
	}
	return time.Time{}
}

// Succeeded says whether it did.
func (d *Deployment) Succeeded() bool {
	return slices.ContainsFunc(d.Steps, func(s DeploymentStep) bool { return s.To == StateSuccess })
}

// history is what was merged into a repository and deployed from it.
type history struct {
	commits  []*Commit
	position map[string]int
	pulls    map[int]*PullRequest
	// deployments are in the order of their creation.
	deployments []*Deployment
	runs        map[int64]*Deployment
	// live is the last deployment that succeeded, and before the one before that with another commit, by service and environment.
	live, before map[string]*Deployment
	// busy is when the last attempt to deploy a service ends: the next one waits.
	busy     map[string]time.Time
	nextWeek int64
}

// deploysItself says whether a repository's own environments are deployed to.
func (r *Repository) deploysItself() bool {
	return !r.Archived && len(r.Environments) > 0 && len(r.Hosts) > 0
}

// by is the deployment as it stands at an instant.
func (d *Deployment) by(t time.Time) *Deployment {
	seen := *d
	seen.Steps = nil
	for _, s := range d.Steps {
		if !s.At.After(t) {
			seen.Steps = append(seen.Steps, s)
		}
	}
	return &seen
}

// headAt is the position of the last commit by an instant.
func (h *history) headAt(t time.Time) int {
	end, _ := slices.BinarySearchFunc(h.commits, t, func(c *Commit, t time.Time) int {
		if c.At.After(t) {
			return 1
		}
		return -1
	})
	return end - 1
}

// shaOf is the name of the n-th commit of a week.
func shaOf(r *Repository, n int64, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "commit %s %d %d", r.FullName(), n, i))
	return hex.EncodeToString(sum[:20])
}

// newest puts commits behind those that are there.
func (h *history) newest(list []*Commit) {
	slices.SortStableFunc(list, func(a, b *Commit) int { return a.At.Compare(b.At) })
	for _, c := range list {
		h.position[c.SHA] = len(h.commits)
		h.commits = append(h.commits, c)
	}
}
