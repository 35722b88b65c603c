package world

import (
	"fmt"
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

// buildRunners sets up the runners: releases are built on machines of their own that live for one job, most else on a farm that all private repositories share. The
// default group was never closed, so that a pull request to a public repository can run on it.
func (w *World) buildRunners() {
	trusted, gpu := []*Repository{}, []*Repository{}
	for _, r := range w.Repositories {
		switch {
		case r.Organisation != OrgMeridian || r.Archived:
		case r.Name == "ml-serving" || r.Name == "fraud-scoring" || r.Name == "recommendations":
			gpu = append(gpu, r)
		case len(r.Hosts) > 0 && r.Hosts[0].TrustTier == "tier0":
			trusted = append(trusted, r)
		}
	}
	w.RunnerGroups = map[string][]*RunnerGroup{
		OrgMeridian: {
			runners(&RunnerGroup{ID: 1, Name: "Default", Visibility: "all", AllowsPublic: true}, 100, 4, false, "linux"),
			runners(&RunnerGroup{ID: 2, Name: "build-farm", Visibility: "private"}, 200, 24, false, "linux", "large"),
			runners(&RunnerGroup{
				ID: 3, Name: "release", Visibility: "selected", Repositories: trusted,
				Workflows: []string{OrgMeridian + "/platform-actions/.github/workflows/release.yml@refs/heads/main"},
			}, 300, 8, true, "linux", "release"),
			runners(&RunnerGroup{ID: 4, Name: "gpu", Visibility: "selected", Repositories: gpu}, 400, 3, false, "linux", "gpu"),
			runners(&RunnerGroup{ID: 5, Name: "enterprise-linux", Visibility: "private", Inherited: true}, 100, 6, true, "linux"),
		},
		OrgLabs: {runners(&RunnerGroup{ID: 1, Name: "Default", Visibility: "all"}, 100, 3, false, "linux", "bench")},
	}
}

// runners puts a number of runners into a group.
func runners(g *RunnerGroup, first int64, n int, ephemeral bool, labels ...string) *RunnerGroup {
	for i := range n {
		g.Runners = append(g.Runners, &Runner{
			ID: first + int64(i), Name: fmt.Sprintf("%s-%02d", g.Name, i+1), Labels: append([]string{"self-hosted"}, labels...), Ephemeral: ephemeral,
		})
	}
	return g
}
