package world_test

import (
	"fmt"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
)

// TestDeliveryInOrder: what is deployed was merged before, every change was written, opened, reviewed and merged in this order, and deployments end once.
func TestDeliveryInOrder(t *testing.T) {
	now := starts[1]
	w := world.New(11, now)
	deployments, services := 0, map[*world.Service]int{}
	for _, r := range w.Repositories {
		ids := map[int64]bool{}
		for _, d := range w.DeploymentsAt(r, now) {
			if ids[d.ID] || d.CreatedAt.After(now) || d.CreatedAt.Before(w.Horizon()) {
				t.Fatalf("deployment %d of %s at %v", d.ID, r.FullName(), d.CreatedAt)
			}
			ids[d.ID] = true
			last := d.CreatedAt
			for _, s := range d.Steps {
				if s.At.Before(last) || s.At.After(now) {
					t.Fatalf("deployment %d of %s: %v", d.ID, r.FullName(), d.Steps)
				}
				last = s.At
			}
			c := w.CommitAt(r, d.Commit, d.CreatedAt)
			if c == nil {
				t.Fatalf("deployment %d of %s: its commit was not merged yet", d.ID, r.FullName())
			}
			if p := c.Pull; p != nil {
				if p.OpenedAt.Before(p.FirstCommitAt) || p.MergedAt.Before(p.OpenedAt) || w.PullRequestAt(r, p.Number, p.MergedAt) != p {
					t.Fatalf("pull request %d of %s: %+v", p.Number, r.FullName(), p)
				}
				for _, v := range p.Reviews {
					if v.At.Before(p.OpenedAt) || v.At.After(p.MergedAt) || v.By == p.Author {
						t.Fatalf("pull request %d of %s: %+v", p.Number, r.FullName(), p)
					}
				}
			}
			if d.Environment == "production" {
				deployments++
				services[d.Service]++
			}
		}
	}
	t.Logf("%d deployments of %d services in 13 months", deployments, len(services))
	if len(services) != len(w.Services) {
		t.Errorf("%d of %d services were deployed", len(services), len(w.Services))
	}
	if deployments < 2500 || deployments > 6000 {
		t.Errorf("%d deployments to production", deployments)
	}
}

// TestDeliveryDiffers: teams differ in how often they deploy, and each thing that can happen to a deployment does.
func TestDeliveryDiffers(t *testing.T) {
	now := starts[1]
	w := world.New(12, now)
	teams, happened := map[string]int{}, map[string]int{}
	for _, r := range w.Repositories {
		live := map[string][]string{}
		for _, d := range w.DeploymentsAt(r, now) {
			if d.Environment != "production" {
				continue
			}
			teams[d.Service.Team.Name]++
			var production world.Environment
			for _, e := range r.Environments {
				if e.Name == d.Environment {
					production = e
				}
			}
			switch {
			case production.Reviewers == 0:
				happened["no approval is needed"]++
			case d.Approver == "":
				happened["bypassed"]++
			case d.Approver == d.Creator:
				happened["approved by oneself"]++
			default:
				happened["approved"]++
			}
			before := live[d.Service.Name]
			for i, commit := range before {
				if commit == d.Commit && i+1 < len(before) {
					happened["taken back"]++
					break
				}
			}
			switch {
			case d.Succeeded():
				live[d.Service.Name] = append(before, d.Commit)
			case !d.EndedAt().IsZero():
				happened["failed"]++
			}
		}
	}
	for what, least := range map[string]int{"no approval is needed": 200, "bypassed": 30, "approved by oneself": 30, "approved": 1000, "taken back": 60, "failed": 60} {
		if happened[what] < least {
			t.Errorf("%s: %d times, want %d or more; %v", what, happened[what], least, happened)
		}
	}
	if teams["identity"] < 5*teams["parcel-labs"] || teams["parcel-labs"] == 0 {
		t.Errorf("deployments by team do not differ: %v", teams)
	}
}

// TestIncidentsFollowDeployments: some incidents begin within two hours of a deployment of the same service, many more than by chance.
func TestIncidentsFollowDeployments(t *testing.T) {
	now := starts[1]
	w := world.New(13, now)
	incidents, after := 0, 0
	for _, x := range w.TicketsAt(now) {
		if x.Kind != world.TicketIncident || x.CreatedAt.Before(w.Horizon()) {
			continue
		}
		incidents++
		for _, d := range w.DeploymentsAt(x.Service.Repositories[0].Repository, now) {
			if gap := x.CreatedAt.Sub(d.EndedAt()); d.Service == x.Service && d.Environment == "production" && d.Succeeded() && gap > 0 && gap < 2*time.Hour {
				after++
				break
			}
		}
	}
	if after < incidents/5 || after > incidents*4/5 {
		t.Errorf("%d of %d incidents follow a deployment", after, incidents)
	}
}

// TestDeliveryDoesNotDependOnTheStart holds for deployments what TestStartDoesNotMatter does for findings.
func TestDeliveryDoesNotDependOnTheStart(t *testing.T) {
	first := time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)
	now := first.AddDate(0, 5, 9)
	early, late := world.New(7, first), world.New(7, now)
	told := 0
	for i, r := range early.Repositories {
		early.DeploymentsAt(r, first) // an old process has looked before
		mine := map[int64]string{}
		for _, d := range early.DeploymentsAt(r, now) {
			mine[d.ID] = fmt.Sprint(d.Commit, d.CreatedAt, d.Steps, d.Approver, d.Creator, d.Task, d.Run)
		}
		for _, d := range late.DeploymentsAt(late.Repositories[i], now) {
			told++
			if want := fmt.Sprint(d.Commit, d.CreatedAt, d.Steps, d.Approver, d.Creator, d.Task, d.Run); mine[d.ID] != want {
				t.Fatalf("deployment %d of %s:\nearly %s\n late %s", d.ID, r.FullName(), mine[d.ID], want)
			}
		}
	}
	if told < 5000 {
		t.Errorf("%d deployments prove little", told)
	}
}

func TestCommitsBetween(t *testing.T) {
	now := starts[1]
	w := world.New(14, now)
	for _, r := range w.Repositories {
		var live []*world.Deployment
		for _, d := range w.DeploymentsAt(r, now) {
			if d.Environment == "production" && d.Succeeded() {
				live = append(live, d)
			}
		}
		for i := 1; i < len(live); i++ {
			ahead, behind, ok := w.Between(r, live[i-1].Commit, live[i].Commit, now)
			back, forth, okBack := w.Between(r, live[i].Commit, live[i-1].Commit, now)
			if !ok || !okBack || len(ahead) != forth || len(back) != behind || len(ahead) > 0 && ahead[len(ahead)-1].SHA != live[i].Commit {
				t.Fatalf("%s: %d ahead and %d behind, the other way round %d and %d", r.FullName(), len(ahead), behind, len(back), forth)
			}
		}
	}
	if _, _, ok := w.Between(w.Repositories[0], "nothing", "", now); ok {
		t.Error("a commit that does not exist has a place")
	}
}
