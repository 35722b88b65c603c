// Package part is the contract between the collector of GitHub and its parts (inventory, alerts, protection, delivery, trust): what a part declares, what it
// is given, and where it keeps what it learned.
//
// It holds no requests and knows no part. It imports api alone of collectors/github.
//
// # How to add a part
//
//  1. Make a folder with a package: a Config struct with the keys of the configuration file, a constructor New(Config, part.Env, ...), and a type that
//     implements Collector. It may import api, part and inventory, and no other part (internal/architecture_test.go).
//  2. Embed its Config in github.Config and add one line to the list in New of collectors/github.
//
// Scheduling, the pace of scopes of single repositories, webhooks, check and forecast follow from what it declares.
package part

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// Collector is a part of the collector of GitHub. Organisations are named in lower case throughout.
type Collector interface {
	// Scopes are the scopes of an organisation that the configuration asks for, in the order in which they are read.
	Scopes(org string) []Scope
	// RepositoryScopes are the kinds of scope that there is one of for each repository.
	RepositoryScopes() []RepositoryScope
	// Check asks for one item of everything that the part reads of an organisation. Subjects do not name the organisation.
	Check(ctx context.Context, org string) []collectors.CheckResult
	// Forecast adds the requests per hour that the part's readings of an organisation take, by resource, from what the last collection saw. Scopes of single
	// repositories with a fixed number of requests (RepositoryScope.Requests) are not among them.
	Forecast(org string, requests map[string]float64)
	// Hints are the kinds of scope, of organisations or of single repositories, that an event of a webhook concerns, by the event's name.
	Hints() map[string][]string
}

// Scope is one scope of an organisation and how it is read.
type Scope struct {
	Name string
	// Slow scopes are read once per posture interval; their cursor is the time of the last reading.
	Slow bool
	// Ended scopes are no longer asked for by the configuration. They are read, which empties them, only if the ledger holds a cursor of them.
	Ended bool
	Read  func(ctx context.Context, cursor record.Cursor) record.Batch
}

// RepositoryScope is a kind of scope that there is one of for each repository that is not archived, named KIND:OWNER/NAME.
type RepositoryScope struct {
	Kind string
	// Empty is the batch that says that such a scope holds nothing. It covers what the scope covers and nothing else.
	Empty record.Batch
	// Read reads the scope of one repository. The cursor is the time of the reading before, empty for a whole reading.
	Read func(ctx context.Context, org string, repository api.Repository, cursor record.Cursor) record.Batch
	// ReadAll, instead of Read, reads the scopes of those of an organisation's repositories that are due by a pace of its own.
	ReadAll func(ctx context.Context, org string, repositories []api.Repository, cursors collectors.Cursors, emit func(record.Batch) error) error
	// Pushed says that most of what it holds changes when somebody pushes: where nobody did, a large organisation's is read less often.
	Pushed bool
	// Requests is what reading it takes while little changes, for the forecast until that was measured; 0 with ReadAll, of which Forecast of the part says it.
	Requests float64
	// Among, if set, are those of the repositories that have such a scope; nil while that is not known.
	Among func(org string, list []api.Repository) []api.Repository
}

// Name is the name of the scope of a repository.
func (s RepositoryScope) Name(r api.Repository) string {
	return s.Kind + ":" + strings.ToLower(r.FullName)
}

// Env is what a part is given.
type Env struct {
	API *api.Client
	// Questions asks about single repositories, and remembers what was refused.
	Questions *api.Questions
	Logger    *slog.Logger
	Now       func() time.Time
	// Intervals are the times between two readings.
	Intervals Intervals
	// RepositoriesPerCollection is the number of repositories that one collection reads at most, of each kind of scope.
	RepositoriesPerCollection int
}

// Intervals are the times between two readings: of alerts (Collection), of slow scopes (Posture), of scopes of single repositories (Repository), and
// of all without cursors (Full).
type Intervals struct {
	Collection, Posture, Repository, Full time.Duration
}

// ReadAt is the cursor of a reading that begins now: its time.
func (e Env) ReadAt() record.Cursor {
	return record.CursorAt(e.Now())
}

// UnknownValue logs a value of an enumeration that is not known here, once.
func (e Env) UnknownValue(field, value string) { e.API.UnknownValue(field, value) }

// PerHour is how often something happens in an hour that happens once per interval, 0 for no interval.
func PerHour(every time.Duration) float64 {
	if every <= 0 {
		return 0
	}
	return float64(time.Hour) / float64(every)
}

// State is what a part remembers of each organisation between collections, behind a lock.
type State[T any] struct {
	initial func() T

	mu             sync.Mutex
	byOrganisation map[string]*T
}

// NewState remembers nothing yet: of each organisation what initial makes.
func NewState[T any](initial func() T) *State[T] {
	return &State[T]{initial: initial, byOrganisation: map[string]*T{}}
}

// With lets use read and change what is remembered of an organisation. It must not keep the pointer, nor call With.
func (s *State[T]) With(org string, use func(*T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byOrganisation[org]
	if known == nil {
		first := s.initial()
		known = &first
		s.byOrganisation[org] = known
	}
	use(known)
}
