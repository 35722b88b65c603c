package world

import (
	"math"
	"math/rand/v2"
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

// weekOf is the absolute week that holds t.
func weekOf(t time.Time) int64 { return int64(math.Floor(float64(t.Sub(epoch)) / float64(week))) }

// startOf is the first instant of an absolute week.
func startOf(n int64) time.Time { return epoch.Add(time.Duration(n) * week) }

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

// modulo is the remainder that is never negative, whatever a wrong clock says.
func modulo(a, b int64) int64 { return ((a % b) + b) % b }

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// midnight is the first instant of the day that holds t.
func midnight(t time.Time) time.Time { return t.Truncate(day) }
