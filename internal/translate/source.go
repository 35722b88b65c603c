package translate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Source is a vendor's API as a collector reads it: by GET only, with the requests of a collection counted for its forecast.
type Source struct {
	client *apiclient.Client
	accept string

	mu      sync.Mutex
	running int
	last    int
}

// NewSource wraps a client.
func NewSource(client *apiclient.Client) *Source {
	return &Source{client: client, accept: "application/json"}
}

// NewSourceAccepting wraps a client for an API whose JSON has a media type of its own.
func NewSourceAccepting(client *apiclient.Client, mediaType string) *Source {
	return &Source{client: client, accept: mediaType}
}

// Get reads an answer into out. The path is relative to the base; one that begins with a slash is relative to the host, and may
// be absolute on the same host. Errors are *record.Error.
func (s *Source) Get(ctx context.Context, path string, query url.Values, out any) (*apiclient.Response, error) {
	s.mu.Lock()
	s.running++
	s.mu.Unlock()
	address, err := s.resolve(path, query)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("make a request: %w", err)}
	}
	req.Header.Set("Accept", s.accept)
	return s.client.Send(req, out)
}

// resolve makes the address of a request. A path from the root of the host, as links to next pages have it, keeps its query; the
// client refuses addresses on other hosts.
func (s *Source) resolve(path string, query url.Values) (string, error) {
	if !strings.HasPrefix(path, "/") && !strings.Contains(path, "://") {
		path = s.client.BaseURL() + "/" + path
	}
	base, err := url.Parse(s.client.BaseURL() + "/")
	if err != nil {
		return "", fmt.Errorf("base address: %w", err)
	}
	u, err := base.Parse(path)
	if err != nil {
		return "", &record.Error{Reason: record.ReasonDecode, Err: errors.New("the address of a page is malformed")}
	}
	if len(query) > 0 {
		u.RawQuery = query.Encode()
	}
	return u.String(), nil
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

// Needs names the permission that a refused request lacked, in the vendor's words, where the source did not. A source that refuses the credential itself, or its kind, is not asking for
// a permission: that is record.ReasonUnauthorized.
func Needs(err error, permission string) error {
	e, ok := errors.AsType[*record.Error](err)
	if !ok || e.Permission != "" || e.Reason != record.ReasonPermission {
		return err
	}
	named := *e
	if status, ok := errors.AsType[*apiclient.StatusError](err); ok && status.RefusesCredential() {
		named.Reason = record.ReasonUnauthorized
	} else {
		named.Permission = permission
	}
	return &named
}
