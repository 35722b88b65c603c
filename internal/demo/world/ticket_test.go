package world_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
)

// answered is when a reviewer first commented on a ticket or moved it; zero when none has by now.
func answered(t *world.Ticket, now time.Time) time.Time {
	var first time.Time
	hear := func(at time.Time, by string) {
		if slices.Contains(world.Reviewers(), by) && by != t.Reporter && !at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for _, c := range t.Comments {
		hear(c.At, c.By)
	}
	for _, s := range t.Steps {
		hear(s.At, s.By)
	}
	return first
}

// TestTicketsOfTheStory: whenever the demo starts, some reviews wait for long and some for the team, actions are overdue, incidents did
// harm, and a release or a decision is being fought over.
func TestTicketsOfTheStory(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		counts := map[string]int{}
		for _, x := range w.TicketsAt(now) {
			status, _ := x.StatusAt(now)
			age := now.Sub(x.CreatedAt)
			counts[string(x.Project)]++
			switch x.Project {
			case world.ProjectReviews:
				if answered(x, now).IsZero() && age > 6*day {
					counts["waiting for long"]++
				}
				if status == world.TicketWaiting {
					counts["waiting for the team"]++
				}
				if slices.ContainsFunc(x.Comments, func(c world.Comment) bool { return c.By == x.Reporter }) {
					counts["asked again"]++
				}
			case world.ProjectIncidents:
				if x.Kind == world.TicketAction && status == world.TicketToDo && x.DueAt.Before(now) {
					counts["overdue"]++
				}
				if x.SecurityImpact == "Yes" && age < 180*day {
					counts["harm"]++
				}
			case world.ProjectEscalations:
				if status == world.TicketRaised {
					counts["unsettled"]++
				}
			}
		}
		for what, bounds := range map[string][2]int{
			"SREV": {250, 420}, "INC": {180, 420}, "REL": {50, 130}, "waiting for long": {1, 8}, "waiting for the team": {1, 5}, "asked again": {20, 90},
			"overdue": {1, 25}, "harm": {1, 30}, "unsettled": {1, 8},
		} {
			if n := counts[what]; n < bounds[0] || n > bounds[1] {
				t.Errorf("%s: got %d, want %d to %d", what, n, bounds[0], bounds[1])
			}
		}
	})
}

// TestTicketsInOrder: what happens to a ticket happens after it was created, in order and within the time for which tickets are of interest.
func TestTicketsInOrder(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		seen := map[string]bool{}
		for _, x := range w.TicketsAt(now) {
			key := fmt.Sprint(x.Project, x.Number)
			if seen[key] || x.CreatedAt.After(now) || x.CreatedAt.Nanosecond() != 0 {
				t.Fatalf("%s: given away twice, or created at %v", key, x.CreatedAt)
			}
			seen[key] = true
			last := x.CreatedAt
			for _, s := range x.Steps {
				if !s.At.After(last) || s.At.Sub(x.CreatedAt) > 180*day {
					t.Fatalf("%s: %v after %v, created %v", key, s, last, x.CreatedAt)
				}
				last = s.At
			}
			for _, c := range x.Comments {
				if !c.At.After(x.CreatedAt) || c.At.After(last) {
					t.Fatalf("%s: a comment at %v; created %v, over %v", key, c.At, x.CreatedAt, last)
				}
			}
			if x.Kind == world.TicketAction && (x.Incident == nil || x.DueAt.IsZero()) {
				t.Fatalf("%s: an action without an incident or a date", key)
			}
		}
	})
}

// TestTicketsDoNotDependOnTheStart: a world that starts later agrees about all that both can see.
func TestTicketsDoNotDependOnTheStart(t *testing.T) {
	first := time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)
	now := first.AddDate(0, 5, 9)
	early, late := world.New(7, first), world.New(7, now)
	early.TicketsAt(first) // an old process has looked before
	tell := func(w *world.World) map[string]string {
		tickets := map[string]string{}
		for _, x := range w.TicketsAt(now) {
			if status, updated := x.StatusAt(now); !updated.Before(late.Horizon()) {
				tickets[fmt.Sprint(x.Project, x.Number)] = fmt.Sprint(x.Title, x.Service.Name, x.CreatedAt, x.Reporter, status, updated, x.Comments, x.DueAt, x.SecurityImpact, x.Reason)
			}
		}
		return tickets
	}
	got, want := tell(early), tell(late)
	if len(want) < 400 || len(got) != len(want) {
		t.Errorf("early %d, late %d", len(got), len(want))
	}
	for key := range want {
		if got[key] != want[key] {
			t.Fatalf("%s:\nearly %s\n late %s", key, got[key], want[key])
		}
	}
}
