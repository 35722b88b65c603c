package delivery

import (
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

// lineage is what was deployed to an environment before, of one service where a repository holds several. It says what a deployment brings.
type lineage struct {
	// Base is the newest commit that was ever live: the one after which changes are new. Live is the one that is live now, which a rollback makes an older one;
	// Last is the one that was last tried.
	Base string `json:"base,omitempty"`
	Live string `json:"live,omitempty"`
	Last string `json:"last,omitempty"`
	// Commits are the last that were live, in the order in which they first were; Pulls the numbers of the last pull requests that came,
	// Pushed the beginnings of the last commits that came without one.
	Commits []string `json:"commits,omitempty"`
	Pulls   []int    `json:"pulls,omitempty"`
	Pushed  []string `json:"pushed,omitempty"`
}

// How much of what was deployed is remembered: enough to recognise a rollback, and a change that comes again by way of another branch.
const (
	keptCommits = 20
	keptPulls   = 200
	keptPushed  = 200
	// shaBeginning is how much of the name of a commit is kept.
	shaBeginning = 12
)

// lineageKey names the line that a deployment belongs to.
func lineageKey(d *deployment) string { return strings.ToLower(d.Environment) + "\x00" + d.Service }

// classify says whether a deployment is a rollback and what it brings, as far as the order in which commits were deployed tells; ask says that GitHub has to
// compare it with Base.
func (l *lineage) classify(d *deployment, whole bool) (ask bool) {
	at, live := slices.Index(l.Commits, d.Commit), slices.Index(l.Commits, l.Live)
	switch {
	case l.Base == "":
		// Nothing is known to have been live before. What the first deployment brought nobody can tell: the whole history of the repository, if one counted.
		d.ChangesKnown = record.AnswerNo
		if whole {
			d.Rollback = record.AnswerNo
		}
		return false
	case d.Commit == l.Last:
		d.Rollback = record.AnswerNo
	case d.Commit == l.Live:
		d.Rollback = record.AnswerYes // The attempts since then failed, and this takes them back.
	case at >= 0 && live >= 0:
		d.Rollback = record.AnswerOf(at < live)
	default:
		return true
	}
	// A commit that was live before brings nothing, unless it only was tried.
	if at >= 0 {
		d.ChangesKnown = record.AnswerYes
		return false
	}
	return true
}

// advance goes on after a deployment that has ended.
func (l *lineage) advance(d *deployment) {
	l.Last = d.Commit
	if d.Status != record.DeploymentSucceeded {
		return
	}
	l.Live = d.Commit
	// The commit of a rollback, unless it was live before, has no place in the order.
	if d.Rollback != record.AnswerYes && !slices.Contains(l.Commits, d.Commit) {
		l.Base, l.Commits = d.Commit, last(append(l.Commits, d.Commit), keptCommits)
	}
}

// newChanges keeps the changes that no deployment before brought, and remembers them if this one succeeded.
func (l *lineage) newChanges(d *deployment, changes []record.Change) []record.Change {
	kept := []record.Change{}
	for i := range changes {
		number, pushed := numberOf(changes[i].ID), pushedOf(changes[i].ID)
		switch {
		case pushed == "" && slices.Contains(l.Pulls, number), pushed != "" && slices.Contains(l.Pushed, pushed):
			continue
		case d.Status != record.DeploymentSucceeded:
		case pushed != "":
			l.Pushed = append(l.Pushed, pushed)
		default:
			l.Pulls = append(l.Pulls, number)
		}
		kept = append(kept, changes[i])
	}
	l.Pulls, l.Pushed = last(l.Pulls, keptPulls), last(l.Pushed, keptPushed)
	return kept
}

// pushedOf is the beginning of the commit that was pushed directly, by the identity of its change; empty for a pull request.
func pushedOf(id string) string {
	_, commit, _ := strings.Cut(id, "@")
	return commit[:min(len(commit), shaBeginning)]
}

// numberOf is the number of a pull request by the identity of its change.
func numberOf(id string) int {
	_, number, _ := strings.Cut(id, "#")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

// last is the end of a list, at most n long.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
