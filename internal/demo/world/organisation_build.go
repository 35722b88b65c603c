package world

import (
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

func (w *World) buildOrganisation() {
	for _, row := range teamTable {
		r := w.random("team", row.name, 0)
		team := &Team{
			Name: row.name, BusinessUnit: row.businessUnit,
			Pace: row.pace * (0.95 + 0.1*r.Float64()), Volume: row.volume,
		}
		w.Teams = append(w.Teams, team)
		if row.rota {
			w.rota = append(w.rota, team)
		}
		for _, line := range row.services {
			w.addService(team, row.area, row.organisation, line)
		}
	}
	for _, extra := range sharedRepositories {
		w.addShared(extra)
	}
	offset := w.random("rota", "", 0).IntN(len(w.rota))
	w.rota = append(slices.Clone(w.rota[offset:]), w.rota[:offset]...)
	w.protect()
	w.buildRunners()
}

// addService reads a line of the table: name, tier, ecosystem and marks (c: crown jewel, i: internet-facing, m: in the monorepo, d: has a
// deployment repository, l: has a library, x: experimental).
func (w *World) addService(team *Team, area, organisation, line string) {
	field := strings.Fields(line)
	name, tier, ecosystem, marks := field[0], field[1], field[2], ""
	if len(field) > 3 {
		marks = field[3]
	}
	marked := func(mark string) bool { return strings.Contains(marks, mark) }
	s := &Service{
		Name: name, Team: team, ProductArea: area, TrustTier: tier, Lifecycle: "production",
		CrownJewel: marked("c"), InternetFacing: marked("i"),
	}
	if marked("x") {
		s.Lifecycle = "experimental"
	}
	w.Services = append(w.Services, s)
	team.Services = append(team.Services, s)
	if marked("m") {
		w.host(s, w.monorepo(organisation), "services/"+name)
	} else {
		main := w.addRepository(organisation, name, PurposeApplication, ecosystem)
		main.Weight = 1.35
		main.Environments = environmentsOf(tier, len(w.Services))
		w.host(s, main)
	}
	if marked("d") {
		deploy := w.addRepository(organisation, name+"-deploy", PurposeInfrastructure, "")
		deploy.Weight = 0.75
		w.host(s, deploy)
	}
	if marked("l") {
		library := w.addRepository(organisation, name+"-client", PurposeLibrary, ecosystem)
		library.Weight = 0.45
		w.host(s, library)
	}
	s.Controls = w.controlsOf(s)
}

func (w *World) host(s *Service, r *Repository, paths ...string) {
	s.Repositories = append(s.Repositories, Hosting{Repository: r, Paths: paths})
	r.Hosts = append(r.Hosts, s)
}

func (w *World) monorepo(organisation string) *Repository {
	for _, r := range w.Repositories {
		if r.Name == monorepo {
			return r
		}
	}
	r := w.addRepository(organisation, monorepo, PurposeApplication, "npm")
	r.Topics = []string{"monorepo"}
	r.Weight = 4
	r.Environments = environmentsOf("tier0", 1)
	return r
}

func (w *World) addRepository(organisation, name string, purpose Purpose, ecosystem string) *Repository {
	if ecosystem == "-" {
		ecosystem = ""
	}
	random := w.random("repository", organisation+"/"+name, 0)
	r := &Repository{
		ID: 700_000_000 + int64(len(w.Repositories))*7919, Index: len(w.Repositories),
		Organisation: organisation, Name: name, Purpose: purpose, Ecosystem: ecosystem,
		Visibility: record.VisibilityPrivate, Weight: 1,
		CreatedAt: epoch.Add(between(random, 0, 1500*day)),
	}
	if purpose == PurposeLibrary {
		r.Visibility = record.VisibilityInternal
	}
	w.Repositories = append(w.Repositories, r)
	return r
}

// addShared reads a line of the table of repositories without a service of their own: name, organisation, purpose, ecosystem and marks
// (a: archived, p: public, f: fork, t: topic "privileged").
func (w *World) addShared(line string) {
	field := strings.Fields(line)
	r := w.addRepository(field[1], field[0], Purpose(field[2]), field[3])
	r.Weight = 0.5
	if len(field) < 5 {
		return
	}
	r.Archived = strings.Contains(field[4], "a")
	r.Fork = strings.Contains(field[4], "f")
	if strings.Contains(field[4], "p") {
		r.Visibility = record.VisibilityPublic
	}
	if strings.Contains(field[4], "t") {
		r.Topics = []string{"privileged"}
	}
}

// controlsOf draws what the catalog says about a service: trusted services have been looked at more often.
func (w *World) controlsOf(s *Service) []Control {
	r := w.random("controls", s.Name, 0)
	likely := map[string]float64{"tier0": 0.9, "tier1": 0.8, "tier2": 0.55, "tier3": 0.35}[s.TrustTier] / max(s.Team.Pace, 0.9)
	var controls []Control
	for _, name := range []string{"threat_model", "design_review", "logging", "golden_path", "rollback"} {
		if r.Float64() < 0.15 {
			continue // nobody has said anything
		}
		controls = append(controls, Control{Name: name, Holds: r.Float64() < likely, AgeDays: r.IntN(500)})
	}
	return controls
}

// monorepo is the repository that hosts several services by path.
const monorepo = "storefront"

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
