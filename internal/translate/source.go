package translate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Source is a vendor's API as a collector reads it: by GET only, with the requests of a collection counted for its forecast.
type Source struct {
	client *apiclient.Client

	mu      sync.Mutex
	running int
	last    int
}

// NewSource wraps a client.
func NewSource(client *apiclient.Client) *Source { return &Source{client: client} }

// Get reads an answer into out. The path is relative to the base, or absolute on the same host. Errors are *record.Error.
func (s *Source) Get(ctx context.Context, path string, query url.Values, out any) (*apiclient.Response, error) {
	s.mu.Lock()
	s.running++
	s.mu.Unlock()
	return s.client.Do(ctx, http.MethodGet, path, query, nil, out)
}

// BaseURL is the base of the API, without a slash at its end.
func (s *Source) BaseURL() string { return s.client.BaseURL() }

// Begin starts the count of a collection; the returned function ends it.
func (s *Source) Begin() (end func()) {
	s.mu.Lock()
	s.running = 0
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = s.running
	}
}

// PerHour is what collections at an interval cost, in requests: as many as the last one made, or guess before the first.
func (s *Source) PerHour(interval time.Duration, guess int) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.last
	if requests == 0 {
		requests = guess
	}
	if interval <= 0 {
		return float64(requests)
	}
	return float64(requests) * float64(time.Hour) / float64(interval)
}

// Needs names the permission that a refused request lacked, in the vendor's words, where the source did not.
func Needs(err error, permission string) error {
	e, ok := errors.AsType[*record.Error](err)
	if !ok || e.Permission != "" || e.Reason != record.ReasonPermission && e.Reason != record.ReasonUnauthorized {
		return err
	}
	named := *e
	named.Permission = permission
	return &named
}

// Canceled is the error of a collection whose context has ended, and nil while it has not.
func Canceled(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &record.Error{Reason: record.ReasonCanceled, Err: ctx.Err()}
}
