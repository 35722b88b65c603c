package github

import (
	"time"

	"prodsec_exporter/internal/record"
)

// refusals counts how often in a row GitHub did not let the credential read a kind of thing. A credential has a permission for all of an organisation's repositories or
// for none, so after maxRefusals with none that was allowed the thing is not asked for again for a while.
type refusals struct {
	count   int
	allowed bool
	last    time.Time
}

// mayAsk says whether it is worth a request to ask an organisation for a kind of thing.
func (c *Collector) mayAsk(org, what string) bool {
	var r refusals
	c.remember(org, func(o *organisation) { r = o.refusals[what] })
	return r.allowed || r.count < maxRefusals || c.env.Now().Sub(r.last) >= c.config.PostureInterval.Std()
}

// noteAnswer takes the result of a request for a kind of thing and returns whether it was refused; other errors are none of its concern.
func (c *Collector) noteAnswer(org, what string, err error) (refused bool) {
	reason := record.ReasonOf(err)
	refused = err != nil && (reason == record.ReasonPermission || reason == record.ReasonNotFound)
	if err != nil && !refused {
		return false
	}
	c.remember(org, func(o *organisation) {
		if o.refusals == nil {
			o.refusals = map[string]refusals{}
		}
		r := o.refusals[what]
		if refused {
			r.count++
			r.last = c.env.Now()
		} else {
			r = refusals{allowed: true}
		}
		o.refusals[what] = r
	})
	return refused
}
