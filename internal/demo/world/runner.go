package world

import (
	"time"
)

// RunnerGroup is a group of self-hosted runners and who may use it.
type RunnerGroup struct {
	ID   int64
	Name string
	// Visibility is all, selected or private, in GitHub's words.
	Visibility   string
	AllowsPublic bool
	// Workflows are the only ones that may use it; nil means any.
	Workflows []string
	// Inherited says that the enterprise owns it.
	Inherited bool
	// Repositories are those that may use a selected group.
	Repositories []*Repository
	Runners      []*Runner
}

// Runner is a self-hosted runner.
type Runner struct {
	ID        int64
	Name      string
	Labels    []string
	Ephemeral bool
}

// Online says whether the runner is there at an instant: ephemeral ones always are, of the others every seventh has been forgotten and every fifth sleeps
// outside of working hours.
func (r *Runner) Online(t time.Time) bool {
	switch {
	case r.Ephemeral:
		return true
	case r.ID%7 == 3:
		return false
	case r.ID%5 == 0:
		return t.UTC().Hour() >= 6 && t.UTC().Hour() < 20
	default:
		return true
	}
}
