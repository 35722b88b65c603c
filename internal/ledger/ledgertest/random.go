package ledgertest

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/record"
)

// batch is a random next batch and the instance it comes from.
func (h *history) batch() (collector, instance string, b record.Batch) {
	switch h.rng.IntN(11) {
	case 10:
		if h.chance(8) {
			return "lists", "l", record.Batch{Scope: "epss:list", Mode: record.Full, Retired: true}
		}
		return "lists", "l", record.Batch{Scope: pick(h, "kev:list", "epss:list"), Mode: record.Full, Exploitations: h.exploitations()}
	case 2, 3:
		return "host", "h", h.everything()
	case 0:
		b = record.Batch{Scope: pick(h, "catalog:x", "catalog:y"), Mode: record.Full, Services: h.services()}
		if h.chance(8) {
			return "catalog", "a", record.Batch{Scope: b.Scope, Mode: record.Full, Retired: true}
		}
		if h.chance(2) {
			b.Repositories = []record.Repository{{Name: "acme/api", Archived: h.chance(2)}, {Name: pick[record.RepositoryName](h, "acme/web", "acme/old")}}
		}
		return "catalog", "a", b
	case 1:
		if h.chance(8) {
			return "tickets", "t", record.Batch{Scope: "query:exceptions", Mode: record.Full, Retired: true}
		}
		return "tickets", "t", record.Batch{Scope: "query:exceptions", Mode: record.Full, Exceptions: h.exceptions()}
	default:
	}
	key := [2]string{pick(h, "one", "two"), pick(h, "alerts:p", "alerts:q")}
	if h.chance(8) {
		delete(h.world, key)
		return "scanner", key[0], record.Batch{Scope: key[1], Mode: record.Full, Retired: true, Absence: pick(h, record.ClosureNone, record.ClosureOutOfScope, record.ClosureFixed)}
	}
	b = record.Batch{Scope: key[1], Mode: pick(h, record.Full, record.Delta), Findings: []record.Finding{}, Cursor: record.Cursor(h.at.String())}
	if h.chance(10) {
		b.Err = &record.Error{Reason: record.ReasonServer}
		return "scanner", key[0], b
	}
	world := h.world[key]
	if world == nil {
		world = map[string]record.Finding{}
		h.world[key] = world
	}
	prefix := map[string]string{"alerts:p": "f", "alerts:q": "g"}[key[1]]
	for i := range 6 {
		id := fmt.Sprintf("%s%d", prefix, i)
		before, held := world[id]
		switch {
		case b.Mode == record.Full && held && h.chance(4):
			delete(world, id)
		case h.chance(2):
			var old *record.Finding
			if held && !h.chance(5) {
				old = &before
			}
			world[id] = h.finding(id, old)
			if b.Mode == record.Delta {
				b.Findings = append(b.Findings, world[id])
			}
		}
	}
	if b.Mode == record.Full {
		for i := range 6 {
			if f, held := world[fmt.Sprintf("%s%d", prefix, i)]; held {
				b.Findings = append(b.Findings, f)
			}
		}
		b.Absence = pick(h, record.ClosureNone, record.ClosureFixed)
	}
	return "scanner", key[0], b
}

// Random is a random history: the same seed gives the same one.
type Random struct{ *history }

// NewRandom begins a history.
func NewRandom(seed uint64) Random { return Random{newHistory(seed)} }

// Now is the instant that the history has come to.
func (r Random) Now() time.Time { return r.at }

// Pass lets time go by.
func (r Random) Pass() { r.pass() }

// IntN is a random number below n.
func (r Random) IntN(n int) int { return r.rng.IntN(n) }

// Batch is what a collector instance says next.
func (r Random) Batch() (collector, instance string, b record.Batch) { return r.batch() }

// Forget makes the scanners begin anew, as after a change of what is configured.
func (r Random) Forget() { clear(r.world) }
