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

// ControlDate is when the evidence of a control was produced, seen from an instant.
func (c Control) ControlDate(t time.Time) time.Time {
	t = t.UTC()
	quarter := time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	return quarter.AddDate(0, 0, -c.AgeDays)
}
