package world

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

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

// random is the generator of one process (named) at one place and time.
func (w *World) random(process string, place string, n int64) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(process)) // a hash never fails to write
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(place))
	return rand.New(rand.NewPCG(mix(uint64(w.seed))^h.Sum64(), mix(uint64(n))))
}
