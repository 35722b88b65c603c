package world

import (
	"slices"
	"time"
)

// deploymentLead is how long before the horizon deployments begin, so that what is shown first has something before it.
const deploymentLead = 26 * week

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
