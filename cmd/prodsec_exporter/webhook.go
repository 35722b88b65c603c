package main

import (
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"sync"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/web"
)

// rememberedDeliveries is how many deliveries of one webhook are remembered, so that one that is sent again, by the source or by somebody who
// listened, costs nothing.
const rememberedDeliveries = 1024

// receiver takes the deliveries of one collector instance.
type receiver struct {
	instance *instance
	hinted   collectors.Hinted
	// hint asks the schedule to read scopes soon.
	hint func(scopes []string) error
}

var _ web.Receiver = (*receiver)(nil)

// receiver is who takes deliveries for an instance, nil if nobody does.
func (e *exporter) receiver(kind, name string) web.Receiver {
	e.applying.Lock()
	r := e.running[instanceKey{kind, name}]
	e.applying.Unlock()
	if r == nil {
		return nil
	}
	hinted, ok := r.built.Collector.(collectors.Hinted)
	if !ok || !hinted.TakesHints() {
		return nil
	}
	return &receiver{
		instance: e.telemetry.instance(keyOf(r.built)), hinted: hinted,
		hint: func(scopes []string) error { return r.scheduler.Hint(kind, name, scopes...) },
	}
}

// Receive checks a delivery and passes on what it hints at.
func (r *receiver) Receive(header http.Header, body []byte) web.DeliveryResult {
	result := r.receive(header, body)
	r.Refused(result)
	return result
}

func (r *receiver) receive(header http.Header, body []byte) web.DeliveryResult {
	hint, err := r.hinted.Hint(header, body)
	switch {
	case errors.Is(err, collectors.ErrHintForged):
		return web.DeliveryForged
	case errors.Is(err, collectors.ErrHintMalformed):
		return web.DeliveryMalformed
	case err == nil && r.instance.deliveries.before(sha256.Sum256(body)):
		return web.DeliveryDuplicate
	case err == nil && len(hint.Scopes) == 0:
		return web.DeliveryIgnored
	case err == nil:
		err = r.hint(hint.Scopes)
	}
	if err != nil {
		r.instance.telemetry.logger.Error("A webhook's delivery failed", "collector", r.instance.key.kind, "instance_name", r.instance.key.name, "error", err)
		return web.DeliveryFailed
	}
	return web.DeliveryAccepted
}

// Refused counts a delivery.
func (r *receiver) Refused(result web.DeliveryResult) {
	r.instance.deliveries.add(result, 1)
}

// deliveries is what an instance knows about the deliveries of its webhook.
type deliveries struct {
	mu      sync.Mutex
	results map[web.DeliveryResult]int
	// seen are the deliveries that are remembered; order is a ring of them, whose oldest is overwritten next.
	seen   map[digest]bool
	order  []digest
	oldest int
}

// takesDeliveries makes every result be counted from 0, so that the first is an increase that an alert can see.
func (i *instance) takesDeliveries() {
	for _, result := range web.DeliveryResults() {
		i.deliveries.add(result, 0)
	}
}

func (d *deliveries) add(result web.DeliveryResult, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.results == nil {
		d.results = map[web.DeliveryResult]int{}
	}
	d.results[result] += n
}

// digest is that of a delivery's body, which is what the signature is about: an id in a header is not signed, and anybody who replays a delivery can change it.
type digest = [sha256.Size]byte

// before remembers a delivery and reports whether it was there. The oldest is forgotten first.
func (d *deliveries) before(id digest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[id] {
		return true
	}
	if d.seen == nil {
		d.seen = map[digest]bool{}
	}
	if len(d.order) < rememberedDeliveries {
		d.order = append(d.order, id)
	} else {
		delete(d.seen, d.order[d.oldest])
		d.order[d.oldest] = id
		d.oldest = (d.oldest + 1) % rememberedDeliveries
	}
	d.seen[id] = true
	return false
}

// counted are the results so far; none for an instance that takes no deliveries.
func (d *deliveries) counted() map[web.DeliveryResult]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.results)
}
