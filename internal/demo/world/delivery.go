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

// deploymentLead is how long before the horizon deployments begin, so that what is shown first has something before it.
const deploymentLead = 26 * week

// deploysItself says whether a repository's own environments are deployed to.
func (r *Repository) deploysItself() bool {
	return !r.Archived && len(r.Environments) > 0 && len(r.Hosts) > 0
}

// historyOf writes the history of a repository up to and including the week that holds t. The caller holds mu.
func (w *World) historyOf(r *Repository, t time.Time) *history {
	h := w.histories[r]
	if h == nil {
		h = &history{
			position: map[string]int{}, pulls: map[int]*PullRequest{}, runs: map[int64]*Deployment{}, live: map[string]*Deployment{}, before: map[string]*Deployment{},
			busy:     map[string]time.Time{},
			nextWeek: weekOf(w.horizon.Add(-deploymentLead)),
		}
		w.histories[r] = h
	}
	if !r.deploysItself() {
		return h
	}
	for last := weekOf(t); h.nextWeek <= last; h.nextWeek++ {
		w.mergedIn(h, r, h.nextWeek)
		w.deployedIn(h, r, h.nextWeek)
	}
	return h
}

// DeploymentsAt lists the deployments of a repository that were created by an instant, oldest first. They are the caller's.
func (w *World) DeploymentsAt(r *Repository, t time.Time) []*Deployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*Deployment
	for _, d := range w.historyOf(r, t).deployments {
		if !d.CreatedAt.Before(w.horizon) && !d.CreatedAt.After(t) {
			list = append(list, d.by(t))
		}
	}
	return list
}

// DeploymentOf is the deployment to production that a workflow run made, nil if there is none.
func (w *World) DeploymentOf(r *Repository, run int64, t time.Time) *Deployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.historyOf(r, t).runs[run]; d != nil && !d.CreatedAt.After(t) {
		return d.by(t)
	}
	return nil
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

// CommitAt finds a commit of a repository's default branch, nil if there is none by then.
func (w *World) CommitAt(r *Repository, sha string, t time.Time) *Commit {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.historyOf(r, t)
	i, ok := h.position[sha]
	if !ok || h.commits[i].At.After(t) {
		return nil
	}
	return h.commits[i]
}

// PullRequestAt finds a pull request by its number, nil if it was not merged by then.
func (w *World) PullRequestAt(r *Repository, number int, t time.Time) *PullRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.historyOf(r, t).pulls[number]; p != nil && !p.MergedAt.After(t) {
		return p
	}
	return nil
}

// PullRequestsAt lists the pull requests of a repository that were merged by an instant, the last first.
func (w *World) PullRequestsAt(r *Repository, t time.Time) []*PullRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*PullRequest
	for _, p := range w.historyOf(r, t).pulls {
		if !p.MergedAt.After(t) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *PullRequest) int { return b.Number - a.Number })
	return list
}

// Between lists the commits after a base up to a head, oldest first, and how many the base is ahead; ok is false if one of them is unknown. An empty name
// stands for the head of the default branch.
func (w *World) Between(r *Repository, base, head string, t time.Time) (ahead []*Commit, behind int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.historyOf(r, t)
	place := func(sha string) (int, bool) {
		if sha == "" {
			return h.headAt(t), len(h.commits) > 0
		}
		i, ok := h.position[sha]
		return i, ok
	}
	from, known := place(base)
	to, too := place(head)
	switch {
	case !known || !too:
		return nil, 0, false
	case to < from:
		return nil, from - to, true
	default:
		return h.commits[from+1 : to+1], 0, true
	}
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
