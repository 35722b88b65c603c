// Package world models the organisation that the demo is about: what it builds, who owns it, what is found in it
// and what is done about that. It knows nothing of any API; package demo puts it into the vendors' words.
//
// # The story
//
// Meridian runs a marketplace. Four business units (Payments, Commerce, Logistics, Platform) with three teams each
// keep sixty services and a hundred and fifty repositories, some of them in the organisation of a company that was
// bought, where the security team has not been given all permissions yet. Three teams take turns at being in
// trouble: for 32 weeks findings arrive faster than they are fixed and criticals miss their deadline, then a
// clean-up begins and the team improves. The storefront writes the same cross-site scripting flaw again and again,
// a drift detector flaps, a leaked key stays active for weeks, tickets of expired exceptions are left open, and some of the most
// trusted repositories are protected on paper only. Some requests for a security review wait for weeks while who asked asks again, others wait for the
// team; every incident leaves actions behind, of which every fifth is done late; releases are blocked, and one dispute always drags on. The catalog and
// a posture manager state which controls hold, some long ago; clusters report how workloads keep their policies; some controls are waived for a time.
//
// # Time
//
// What is true at an instant follows from the seed and the instant alone. Everything that happens is drawn from
// generators that are seeded by (seed, place, absolute week), so two processes that start at different times agree about the
// past, and one that starts again goes on with the same story. The horizon, the first day of the month thirteen
// months before the start, hides what was over by then; whatever was still open at the horizon is shown with its
// true date.
//
// # Files
//
// What there is: organisation.go, protection.go, runner.go, finding.go, exception.go, ticket.go and delivery.go hold types without the world; state.go the World, draw.go
// its weeks and random numbers. How it came about: organisation_build.go and protection_build.go make the organisation, files with the prefix history_ (and advisory.go,
// bypass.go, release.go, posture.go) make what happens in a week. It may use the standard library and package record; references run from what happens to what there is.
//
// To add a kind of thing: its type in a file of its own, what happens to it in history_<kind>.go, and a call in world.go if it is written week by week.
package world

import (
	"slices"
	"time"
)

// New makes the world of a seed as it is shown by a process that starts at the given time.
func New(seed int64, start time.Time) *World {
	start = start.UTC()
	horizon := time.Date(start.Year(), start.Month()-monthsOfHistory, 1, 0, 0, 0, 0, time.UTC)
	w := &World{
		seed: seed, horizon: horizon,
		births: map[birthKey][]*Finding{}, advisories: map[advisoryKey][]*Advisory{},
		histories: map[*Repository]*history{}, incidents: map[int64][]*Ticket{},
		nextWeek:   weekOf(horizon.Add(-longestLife)),
		nextTicket: weekOf(horizon.Add(-longestException)),
		nextWork:   weekOf(horizon.Add(-longestTicket)),
	}
	w.buildOrganisation()
	return w
}

// Horizon is the instant before which nothing that was over is shown.
func (w *World) Horizon() time.Time { return w.horizon }

// FindingsAt lists the findings that are known at an instant, by birth; the slice is the caller's, what it points to is immutable.
func (w *World) FindingsAt(t time.Time) []*Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(t)
	known := make([]*Finding, 0, len(w.findings))
	for _, f := range w.findings {
		if !f.Born.After(t) {
			known = append(known, f)
		}
	}
	return known
}

// ExceptionsAt lists the exceptions that were requested by an instant, by request.
func (w *World) ExceptionsAt(t time.Time) []*Exception {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(t)
	known := make([]*Exception, 0, len(w.exceptions))
	for _, e := range w.exceptions {
		if !e.RequestedAt.After(t) {
			known = append(known, e)
		}
	}
	return known
}

// advance writes history up to and including the week that holds t. The caller holds mu.
func (w *World) advance(t time.Time) {
	last := weekOf(t)
	if last < w.nextWeek && last < w.nextTicket {
		return
	}
	for ; w.nextWeek <= last; w.nextWeek++ {
		for _, r := range w.Repositories {
			for _, f := range w.bornIn(r, w.nextWeek) {
				if end, closed := f.end(); !closed || !end.Before(w.horizon) {
					w.findings = append(w.findings, f)
				}
			}
		}
	}
	for ; w.nextTicket <= last; w.nextTicket++ {
		for _, e := range w.requestedIn(w.nextTicket) {
			if !e.over().Before(w.horizon) {
				w.exceptions = append(w.exceptions, e)
			}
		}
	}
	slices.SortStableFunc(w.findings, func(a, b *Finding) int { return a.Born.Compare(b.Born) })
}
