package defectdojo

import (
	"sync"
	"time"

	"prodsec_exporter/internal/apiclient"
)

// cost counts the requests of collections, and passes on what the client says of them.
type cost struct {
	apiclient.Observer

	mu                     sync.Mutex
	running, delta, sweeps int
}

// fewest are the requests of a collection without news: the acceptances, the products and the changes.
const fewest = 3

// Requested counts a request.
func (c *cost) Requested(code int, cached bool) {
	c.mu.Lock()
	c.running++
	c.mu.Unlock()
	c.Observer.Requested(code, cached)
}

// begin starts the count of a collection; the returned function ends it.
func (c *cost) begin(full bool) (end func()) {
	c.mu.Lock()
	c.running = 0
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if full {
			c.sweeps = c.running
		} else {
			c.delta = c.running
		}
	}
}

// perHour is what collections of changes and full sweeps cost at these intervals. Every so many collections are full.
func (c *cost) perHour(interval, sweeps time.Duration) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	full := float64(time.Hour) / float64(sweeps)
	return max(0, float64(time.Hour)/float64(interval)-full)*float64(max(c.delta, fewest)) + full*float64(max(c.sweeps, fewest))
}
