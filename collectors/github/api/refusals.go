package api

import (
	"sync"
	"time"

	"prodsec_exporter/internal/record"
)

// MaxRefusals is how many repositories in a row may refuse a kind of question, with none that allows it, before it is given up: the credential most
// likely lacks the permission, and thousands of requests would say no more than three.
const MaxRefusals = 3

// Refusals counts how often in a row GitHub did not let the credential read a kind of thing. A credential has a permission for all of an organisation's repositories or
// for none, so after MaxRefusals with none that was allowed the thing is not asked for again for a while.
type Refusals struct {
	now func() time.Time
	// pause is how long a thing is not asked for.
	pause time.Duration

	mu    sync.Mutex
	known map[refusalKey]refusal
}

type refusalKey struct{ organisation, what string }

type refusal struct {
	count   int
	allowed bool
	last    time.Time
}

// NewRefusals remembers refusals for a time.
func NewRefusals(now func() time.Time, pause time.Duration) *Refusals {
	return &Refusals{now: now, pause: pause, known: map[refusalKey]refusal{}}
}

// MayAsk reports whether it is worth a request to ask an organisation for a kind of thing.
func (r *Refusals) MayAsk(org, what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.known[refusalKey{org, what}]
	return known.allowed || known.count < MaxRefusals || r.now().Sub(known.last) >= r.pause
}

// Note takes the result of a request for a kind of thing and returns whether it was refused; other errors are none of its concern.
func (r *Refusals) Note(org, what string, err error) (refused bool) {
	reason := record.ReasonOf(err)
	refused = err != nil && (reason == record.ReasonPermission || reason == record.ReasonNotFound)
	if err != nil && !refused {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := refusalKey{org, what}
	known := r.known[key]
	if refused {
		known.count++
		known.last = r.now()
	} else {
		known = refusal{allowed: true}
	}
	r.known[key] = known
	return refused
}
