package api

import (
	"time"
)

// reserve is the part of a budget, as a divisor, that is left to what is read in each collection: what may wait stops there.
const reserve = 10

// Spent is how many requests of REST have counted against the budget so far.
func (c *Client) Spent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent
}

// Spare reports whether the budget of REST has more left than what is kept for alerts and lists, for readings that may wait for the next collection. A server that states no
// budget has.
func (c *Client) Spare(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rest.limit == 0 || c.rest.remaining*reserve >= c.rest.limit || !now.Before(c.rest.reset)
}
