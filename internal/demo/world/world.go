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
package world

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day

	// longestLife bounds how long a finding can stay open, and longestException how long an exception can stay of
	// interest. They make the world independent of the start: what happened before the horizon less one of them can no
	// longer be seen.
	longestLife      = 400 * day
	longestException = 240 * day
	// monthsOfHistory is how far the horizon lies before the start.
	monthsOfHistory = 13
)

// epoch is the Monday from which absolute weeks are counted.
var epoch = time.Date(2020, time.January, 6, 0, 0, 0, 0, time.UTC)

// World is the organisation and its history. It is safe for concurrent use.
type World struct {
	seed    int64
	horizon time.Time

	// Teams, Services and Repositories are the organisation; they do not change.
	Teams        []*Team
	Services     []*Service
	Repositories []*Repository
	// RunnerGroups are the self-hosted runners by organisation.
	RunnerGroups map[string][]*RunnerGroup
	// rota lists the teams that take turns at being in trouble.
	rota []*Team

	mu         sync.Mutex
	births     map[birthKey][]*Finding
	advisories map[advisoryKey][]*Advisory
	nextWeek   int64 // the first absolute week that findings and exceptions do not hold yet
	findings   []*Finding
	exceptions []*Exception
	nextTicket int64 // the first absolute week that exceptions do not hold yet
	tickets    []*Ticket
	nextWork   int64 // the first absolute week that tickets do not hold yet
	histories  map[*Repository]*history
	incidents  map[int64][]*Ticket // by absolute week
}

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

// weekOf is the absolute week that holds t.
func weekOf(t time.Time) int64 { return int64(math.Floor(float64(t.Sub(epoch)) / float64(week))) }

// startOf is the first instant of an absolute week.
func startOf(n int64) time.Time { return epoch.Add(time.Duration(n) * week) }

// random is the generator of one process (named) at one place and time.
func (w *World) random(process string, place string, n int64) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(process)) // a hash never fails to write
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(place))
	return rand.New(rand.NewPCG(mix(uint64(w.seed))^h.Sum64(), mix(uint64(n))))
}

// mix spreads neighbouring numbers over all bits (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// poisson draws a count with the given mean.
func poisson(r *rand.Rand, mean float64) int {
	limit, product, n := math.Exp(-mean), r.Float64(), 0
	for product > limit {
		product *= r.Float64()
		n++
	}
	return n
}

// longTailed draws a log-normal span with the given median, bounded below by ten minutes and above by longestLife.
func longTailed(r *rand.Rand, median time.Duration, spread float64) time.Duration {
	span := float64(median) * math.Exp(spread*r.NormFloat64())
	return time.Duration(min(max(span, float64(10*time.Minute)), float64(longestLife))).Truncate(time.Second)
}

// between draws a span of whole seconds.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64((high-low)/time.Second)+1))*time.Second
}

// choice is one of several values with its share.
type choice[T any] struct {
	value T
	share float64
}

// draw picks a value by share.
func draw[T any](r *rand.Rand, choices []choice[T]) T {
	total := 0.0
	for _, c := range choices {
		total += c.share
	}
	x := r.Float64() * total
	for _, c := range choices {
		if x -= c.share; x < 0 {
			return c.value
		}
	}
	return choices[len(choices)-1].value
}
