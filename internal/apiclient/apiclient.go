// Package apiclient is the HTTP client of all collectors: it authenticates, keeps within budgets, honours Retry-After,
// follows pages on the configured host only, classifies failures as record.Error, and never lets a credential reach a log, an error or another host.
//
// A request passes these layers, outermost first; each is a http.RoundTripper in a file of its own:
//
//	guard    refuses every scheme and host but the configured ones          (guard.go)
//	pace     waits for budgets, retries, limits rate and concurrency         (pace.go)
//	Auth     adds the credential                                             (auth.go)
//	cache    asks "has it changed?" and answers 304 with what it kept        (cache.go)
//	wire     sends, reads the whole body within bounds, tells the Observer   (wire.go)
//
// The bodies of API answers are small pages that are decoded whole, so wire reads them whole: a body that ends early is
// found, and retried, before anybody decodes half of it.
//
// It knows package record and no collector. To add a way to authenticate: a function in auth.go that returns an Auth. A header by which an API states its budget belongs into wire.go, what a refusal
// means into classify.go, each with a case in its test.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Defaults of Options.
const (
	DefaultTimeout     = 60 * time.Second
	DefaultMaxBody     = 64 << 20
	DefaultConcurrency = 4
	DefaultRetries     = 3
	DefaultMaxWait     = time.Hour
	DefaultCacheBytes  = 32 << 20
)

// Options configure a Client. Only BaseURL is required.
type Options struct {
	// BaseURL is the scheme, host and path prefix of the API. Nothing is ever sent to another scheme or host.
	BaseURL string
	// Auth adds the credential; nil sends none.
	Auth Auth
	// Observer is told of requests and budgets; nil tells nobody.
	Observer Observer
	// Logger gets one debug line per retry and wait; nil logs nothing.
	Logger *slog.Logger
	// UserAgent is sent where the request names none.
	UserAgent string
	// Timeout bounds one attempt, from connecting to the last byte of the body.
	Timeout time.Duration
	// MaxBody bounds the bytes of one body.
	MaxBody int64
	// RequestsPerSecond paces requests; 0 does not.
	RequestsPerSecond float64
	// Concurrency bounds the requests under way.
	Concurrency int
	// Retries bounds the attempts after the first; negative means none.
	Retries int
	// MaxWait is what a single wait for a budget must stay below where the context has no deadline.
	MaxWait time.Duration
	// CacheBytes bounds the memory of the conditional-request cache; negative switches it off.
	CacheBytes int64
	// Resource names the budget a request is charged to before its answer says so; nil puts all into one.
	Resource func(*http.Request) string
	// Limited reports whether an answer with status 200 is a refusal for rate, which its body alone tells; it is then obeyed as 429 is, by Retry-After
	// or what the headers say of the budget. Nil knows only what RefusedWithOK does.
	Limited func(resp *http.Response, body []byte) bool
	// FollowRedirects follows redirects on the same scheme and host; without it a redirect is an error. None is ever followed to another one.
	FollowRedirects bool
	// Transport sends the requests; nil uses a copy of http.DefaultTransport.
	Transport http.RoundTripper
	// Dated is called with the host and the date (header Date) of every answer that comes from the host itself and not from a cache on the way; nil
	// for nobody. It is safe for concurrent use.
	Dated func(host string, date time.Time)
	// Now is the clock and Sleep how to wait on it until ctx ends; nil uses the system's.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client talks to one API with one credential. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	http      *http.Client
	userAgent string
	redact    *redactor
}

// New checks the options and builds a client. It sends nothing and starts nothing.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	redact := &redactor{}
	chain, err := o.chain(base, redact)
	if err != nil {
		return nil, err
	}
	return &Client{
		base:      base,
		http:      &http.Client{Transport: chain, CheckRedirect: checkRedirect(base, o.FollowRedirects)},
		userAgent: o.UserAgent,
		redact:    redact,
	}, nil
}

func (o *Options) chain(base *url.URL, redact *redactor) (http.RoundTripper, error) {
	var rt http.RoundTripper = &wire{
		next: o.Transport, observer: o.Observer, resource: o.Resource, timeout: o.Timeout, maxBody: o.MaxBody,
		credentials: o.Auth.Headers(), redact: redact, dated: o.Dated,
	}
	if o.CacheBytes > 0 {
		rt = newCache(rt, o.CacheBytes, o.Auth.Headers())
	}
	if a, ok := o.Auth.(interface{ hideBy(func(string)) }); ok {
		a.hideBy(redact.add)
	}
	rt, err := o.Auth.Wrap(rt)
	if err != nil {
		return nil, fmt.Errorf("prepare authentication: %w", err)
	}
	return &guard{next: newPace(rt, o, redact), base: base}, nil
}

func (o *Options) setDefaults() {
	if o.Auth == nil {
		o.Auth = Anonymous()
	}
	if o.Dated == nil {
		o.Dated = func(string, time.Time) {}
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.UserAgent == "" {
		o.UserAgent = "prodsec_exporter"
	}
	o.Timeout = orDefault(o.Timeout, DefaultTimeout)
	o.MaxBody = orDefault(o.MaxBody, DefaultMaxBody)
	o.Concurrency = orDefault(o.Concurrency, DefaultConcurrency)
	o.Retries = orDefault(o.Retries, DefaultRetries)
	o.MaxWait = orDefault(o.MaxWait, DefaultMaxWait)
	o.CacheBytes = orDefault(o.CacheBytes, DefaultCacheBytes)
	if o.Resource == nil {
		o.Resource = func(*http.Request) string { return "" }
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
}

func orDefault[T int | int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// HTTP is the client for vendor SDKs: every request through it passes the same layers. An answer that is not 2xx is
// handed to the SDK as it is (only a spent budget is an error already); pass what the SDK makes of it to Classify.
func (c *Client) HTTP() *http.Client { return c.http }

// BaseURL is the configured base, without a slash at its end.
func (c *Client) BaseURL() string { return c.base.String() }

// Response is what is left of an answer once its body was decoded.
type Response struct {
	StatusCode int
	Header     http.Header
	// Next is the address of the next page from the header Link; it is on the configured scheme and host.
	Next string
	// NotModified says that the server answered 304 and the body came from the cache.
	NotModified bool
}

// Do sends a request and decodes its JSON answer into out.
//
// The path is relative to the base (its segments already escaped), or absolute on the same scheme and host. A body that is not nil is sent
// as JSON. An out of nil drops the answer, a *[]byte takes it as it is. Every error but a wrong argument is a *record.Error.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body, out any) (*Response, error) {
	u, err := c.resolve(path, query)
	if err != nil {
		return nil, err
	}
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s %s: %w", method, u.Path, err)
		}
		payload = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), payload)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.Send(req, out)
}

// Send sends a request that a vendor's SDK made, and treats its answer as Do does.
func (c *Client) Send(req *http.Request, out any) (*Response, error) {
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.Classify(err)
	}
	defer resp.Body.Close() //nolint:errcheck // The body is in memory.
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.Classify(err)
	}
	result := &Response{
		StatusCode: resp.StatusCode, Header: resp.Header, NotModified: resp.Header.Get(notModifiedHeader) != "",
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return result, c.statusError(resp, data)
	}
	if result.Next, err = c.nextLink(resp); err != nil {
		return result, err
	}
	return result, c.decode(resp, data, out)
}

func (c *Client) decode(resp *http.Response, data []byte, out any) error {
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = data
		return nil
	}
	what := describe(resp.Request)
	if hint := notJSON(resp.Header, data); hint != "" {
		return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: %s", what, hint)}
	}
	if string(bytes.TrimSpace(data)) == "null" { // which decodes into anything as nothing at all: a list would seem empty
		return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the answer to %s: it is null, which is no list and no object", what)}
	}
	if err := json.Unmarshal(data, out); err != nil {
		reason := record.ReasonDecode
		if endsEarly(err) {
			reason = record.ReasonTruncated
		}
		return &record.Error{Reason: reason, Err: fmt.Errorf("decode the answer to %s: %w", what, err)}
	}
	return nil
}

func (c *Client) resolve(path string, query url.Values) (*url.URL, error) {
	full := path
	if !strings.HasPrefix(path, "https://") && !strings.HasPrefix(path, "http://") {
		full = c.base.String() + "/" + strings.TrimLeft(path, "/")
	}
	u, err := url.Parse(full)
	if err != nil {
		return nil, fmt.Errorf("address of a request: %w", err)
	}
	if !sameOrigin(c.base, u) {
		return nil, foreign("a request", c.base, u)
	}
	if len(query) > 0 {
		q := u.Query()
		for key, values := range query {
			q[key] = values
		}
		u.RawQuery = q.Encode()
	}
	return u, nil
}

func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case err != nil:
		// url.Error repeats the text, which may hold a password.
		return nil, fmt.Errorf("the URL of the API is malformed: write it as https://host/path")
	case u.User != nil:
		return nil, fmt.Errorf("the URL of %s holds a user or password: configure credentials by file or environment", u.Host)
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, fmt.Errorf("the URL of the API must be absolute: write it as https://host/path")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the URL of %s must have neither query nor fragment", u.Host)
	}
	return u, nil
}

type silent struct{}

func (silent) Requested(int, bool)                {}
func (silent) Budget(string, int, int, time.Time) {}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
