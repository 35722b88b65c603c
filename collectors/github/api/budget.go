package api

import (
	"net/http"
	"strconv"
	"time"

	"prodsec_exporter/internal/apiclient"
)

// reserve is the part of a budget, as a divisor, that is left to what is read in each collection: what may wait stops there.
const reserve = 10

// restBudget is what an answer said about the budget of REST.
type restBudget struct {
	limit, remaining int
	reset            time.Time
}

// noteAnswer counts a request of REST, unless nothing had changed, for which GitHub charges nothing, and keeps what the answer says about the budget.
func (c *Client) noteAnswer(resp *apiclient.Response) {
	if !resp.NotModified {
		c.mu.Lock()
		c.spent++
		c.mu.Unlock()
	}
	c.noteBudget(resp.Header)
}

// Spent is how many requests of REST have counted against the budget so far.
func (c *Client) Spent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent
}

// noteBudget keeps what an answer says about the budget of REST.
func (c *Client) noteBudget(h http.Header) {
	if resource := h.Get("X-RateLimit-Resource"); resource != "" && resource != "core" {
		return
	}
	limit, limitErr := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, remainingErr := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, resetErr := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if limitErr != nil || remainingErr != nil || resetErr != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = restBudget{limit, remaining, time.Unix(reset, 0)}
}

// Spare reports whether the budget of REST has more left than what is kept for alerts and lists, for readings that may wait for the next collection. A server that states no
// budget has.
func (c *Client) Spare(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rest.limit == 0 || c.rest.remaining*reserve >= c.rest.limit || !now.Before(c.rest.reset)
}
