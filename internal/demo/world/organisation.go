package world

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// The organisations on GitHub.
const (
	// OrgMeridian holds nearly everything.
	OrgMeridian = "meridian"
	// OrgLabs belongs to a company that was bought; the security team lacks permissions in it.
	OrgLabs = "meridian-labs"
)

// Team owns services. How it works decides how long its findings live.
type Team struct {
	Name         string
	BusinessUnit string
	// Pace multiplies the time that a fix takes; 1 is an ordinary team.
	Pace float64
	// Volume multiplies the number of findings.
	Volume   float64
	Services []*Service
}

// Service is a unit of software that a team owns.
type Service struct {
	Name           string
	Team           *Team
	ProductArea    string
	TrustTier      string
	Lifecycle      string
	CrownJewel     bool
	InternetFacing bool
	// Repositories hold its code, the main one first.
	Repositories []Hosting
	// Controls are the statements that the catalog makes about the service.
	Controls []Control
}

// Hosting says which part of a repository belongs to a service.
type Hosting struct {
	Repository *Repository
	// Paths are the folders that belong to the service; none means all of it.
	Paths []string
}

// Control is a statement about a control of a service.
type Control struct {
	Name  string
	Holds bool
	// AgeDays is how long ago the evidence was produced, seen from the first day of the present quarter.
	AgeDays int
}

// Purpose says what a repository is for, which decides what is found in it.
type Purpose string

// The purposes of repositories.
const (
	PurposeApplication    Purpose = "application"
	PurposeLibrary        Purpose = "library"
	PurposeInfrastructure Purpose = "infrastructure"
	PurposeDocumentation  Purpose = "documentation"
)

// Repository is a repository on GitHub.
type Repository struct {
	// ID is GitHub's number for it, Index its place in World.Repositories.
	ID           int64
	Index        int
	Organisation string
	Name         string
	Purpose      Purpose
	// Ecosystem is where its dependencies come from; empty when it has none.
	Ecosystem  string
	Visibility record.Visibility
	Topics     []string
	Archived   bool
	Fork       bool
	CreatedAt  time.Time
	// Hosts are the services in it: none for one that no catalog knows, several for a monorepo.
	Hosts      []*Service
	Protection Protection
	// Environments are the deployment environments.
	Environments []Environment
	// Weight multiplies the number of findings.
	Weight float64
}

// FullName is "organisation/name".
func (r *Repository) FullName() string { return r.Organisation + "/" + r.Name }

// Service is the service that a file of the repository belongs to, nil when no catalog knows.
func (r *Repository) Service(file string) *Service {
	var whole *Service
	for _, s := range r.Hosts {
		for _, h := range s.Repositories {
			if h.Repository != r {
				continue
			}
			if len(h.Paths) == 0 && whole == nil {
				whole = s
			}
			if slices.ContainsFunc(h.Paths, func(folder string) bool { return strings.HasPrefix(file, folder+"/") }) {
				return s
			}
		}
	}
	return whole
}

// monorepo is the repository that hosts several services by path.
const monorepo = "storefront"

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

// ControlDate is when the evidence of a control was produced, seen from an instant.
func (c Control) ControlDate(t time.Time) time.Time {
	t = t.UTC()
	quarter := time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	return quarter.AddDate(0, 0, -c.AgeDays)
}

// InTrouble is the team whose turn it is to be in trouble at an instant, and when its trouble began. A turn lasts 32 weeks and the
// next one begins six weeks before its end, so that at any time one team has been in trouble for six weeks or more.
func (w *World) InTrouble(t time.Time) (team *Team, since time.Time) {
	const overlap = 6 * week
	turn := turnOf(t.Add(-overlap))
	return w.turnTeam(turn), startOf(turn * weeksPerTurn)
}

// Improving is the team that has been cleaning up since its trouble ended.
func (w *World) Improving(t time.Time) *Team {
	return w.turnTeam(turnOf(t.Add(-6*week)) - 1)
}

const (
	weeksPerTurn = 26
	troubleLasts = 32 * week
)

// turnOf is the number of the turn that begins last before t; turns are counted from epoch.
func turnOf(t time.Time) int64 {
	n := weekOf(t)
	return (n - modulo(n, weeksPerTurn)) / weeksPerTurn
}

// turnTeam is the team whose turn it is.
func (w *World) turnTeam(turn int64) *Team { return w.rota[modulo(turn, int64(len(w.rota)))] }

// modulo is the remainder that is never negative, whatever a wrong clock says.
func modulo(a, b int64) int64 { return ((a % b) + b) % b }

// trouble reports whether a team is in trouble at an instant, and when that trouble ends.
func (w *World) trouble(team *Team, t time.Time) (end time.Time, yes bool) {
	for _, turn := range [...]int64{turnOf(t), turnOf(t) - 1} {
		end := startOf(turn * weeksPerTurn).Add(troubleLasts)
		if w.turnTeam(turn) == team && t.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}
