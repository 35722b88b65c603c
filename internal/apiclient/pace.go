package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"prodsec_exporter/internal/record"
)

const (
	// silentWait is the first wait when a server refuses for rate but does not say for how long; it doubles each time.
	silentWait    = time.Minute
	maxSilentWait = 15 * time.Minute
	// longestAsked is the longest wait that a server may ask for. What is longer (years, milliseconds taken for seconds, a date far away) is a mistake or
	// an attempt to silence us; to ask once an hour harms nobody.
	longestAsked = time.Hour
	// resetSlack makes up for clocks that differ a little.
	resetSlack  = time.Second
	backoffBase = 500 * time.Millisecond
	backoffMax  = 30 * time.Second
	// everyResource is the block that applies to each request: a server that asks to be left alone means all of them.
	everyResource = "*"
)

// pace decides when a request may go out and whether it goes out again.
//
// hashicorp/go-retryablehttp and gofri/go-github-ratelimit were weighed: neither refuses a wait that would pass the
// deadline, shares a block among requests and knows Jira's reset format at once, so the hundred lines are ours.
type pace struct {
	next     http.RoundTripper
	retries  int
	maxWait  time.Duration
	resource func(*http.Request) string
	limited  func(*http.Response, []byte) bool
	redact   *redactor
	limiter  *rate.Limiter
	slots    chan struct{}
	logger   *slog.Logger
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error

	mu      sync.Mutex
	blocked map[string]time.Time
	silent  int
}

func newPace(next http.RoundTripper, o *Options, redact *redactor) *pace {
	p := &pace{
		next: next, retries: max(0, o.Retries), maxWait: o.MaxWait, resource: o.Resource, limited: o.Limited, redact: redact, logger: o.Logger,
		slots: make(chan struct{}, max(1, o.Concurrency)), now: o.Now, sleep: o.Sleep, blocked: map[string]time.Time{},
	}
	if o.RequestsPerSecond > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(o.RequestsPerSecond), max(1, int(math.Ceil(o.RequestsPerSecond))))
	}
	return p
}

func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	for attempt := 0; ; attempt++ {
		if err := p.admit(ctx, req); err != nil {
			return nil, err
		}
		resp, err := p.once(req, attempt)
		<-p.slots
		if limited, wait := p.learn(req, resp, err); limited {
			if attempt >= p.retries {
				return nil, rateLimited(req, wait)
			}
			continue
		}
		wait, again := p.backoff(req, resp, err, attempt)
		if !again {
			return resp, err
		}
		p.logger.Debug("Request failed and is sent again", "request", describe(req), "attempt", attempt+1, "wait", wait, "cause", p.redact.clean(cause(resp, err)))
		if sleepErr := p.sleep(ctx, wait); sleepErr != nil {
			return nil, canceled(req, sleepErr)
		}
	}
}

// admit waits until the request may go out, and takes a slot for it.
func (p *pace) admit(ctx context.Context, req *http.Request) error {
	for {
		if err := p.awaitBudget(ctx, req); err != nil {
			return err
		}
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return canceled(req, ctx.Err())
		}
		// The budget may have been spent by whoever had the slot before.
		if p.blockedFor(p.resource(req)) <= 0 {
			return nil
		}
		<-p.slots
	}
}

// once sends the request.
func (p *pace) once(req *http.Request, attempt int) (*http.Response, error) {
	ctx := req.Context()
	if p.limiter != nil {
		if err := p.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, canceled(req, ctx.Err())
			}
			return nil, rateLimited(req, 0)
		}
	}
	if attempt > 0 && req.GetBody != nil {
		payload, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("rewind the body of %s: %w", describe(req), err)
		}
		req = req.Clone(ctx)
		req.Body = payload
	}
	return p.next.RoundTrip(req)
}

// awaitBudget waits until nothing blocks the request, or fails at once if that is beyond the deadline.
func (p *pace) awaitBudget(ctx context.Context, req *http.Request) error {
	for {
		wait := p.blockedFor(p.resource(req))
		if wait <= 0 {
			return nil
		}
		if !p.affordable(ctx, wait) {
			return rateLimited(req, wait)
		}
		p.logger.Debug("Waiting for the budget", "request", describe(req), "wait", wait)
		if err := p.sleep(ctx, wait); err != nil {
			return canceled(req, err)
		}
	}
}

func (p *pace) affordable(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok {
		return p.now().Add(wait).Before(deadline)
	}
	return wait < p.maxWait
}

func (p *pace) blockedFor(resource string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.blocked[everyResource]
	if t := p.blocked[resource]; t.After(until) {
		until = t
	}
	if until.IsZero() {
		return 0
	}
	return until.Sub(p.now())
}

// learn books what an answer says about budgets. Limited says that the request was refused for rate and may be sent
// again after the wait, whatever its method: it had no effect.
func (p *pace) learn(req *http.Request, resp *http.Response, err error) (limited bool, wait time.Duration) {
	if err != nil {
		return false, 0
	}
	b := readBudget(resp.Header)
	resource := firstOf(b.resource, p.resource(req))
	spent := b.stated && b.remaining == 0 && b.reset.After(p.now())
	untilReset := min(b.reset.Sub(p.now())+resetSlack, longestAsked)
	p.mu.Lock()
	defer p.mu.Unlock()
	if spent {
		p.block(resource, untilReset)
	}
	if !p.refusedForRate(resp, b) {
		p.silent = 0
		return false, 0
	}
	if wait, ok := parseRetryAfter(resp.Header.Get("Retry-After"), p.now()); ok {
		return true, p.block(everyResource, wait)
	}
	if spent {
		return true, untilReset
	}
	wait = min(maxSilentWait, silentWait<<min(p.silent, 10))
	p.silent++
	return true, p.block(everyResource, wait)
}

// block never shortens what is blocked already. The caller holds the lock.
func (p *pace) block(resource string, wait time.Duration) time.Duration {
	if until := p.now().Add(wait); until.After(p.blocked[resource]) {
		p.blocked[resource] = until
	}
	return wait
}

// refusedForRate tells a spent budget from a missing permission, to both of which GitHub answers 403, and from an answer: a secondary limit may come with
// status 200.
func (p *pace) refusedForRate(resp *http.Response, b budget) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		text := bytes.ToLower(bytesOf(resp)[:min(2048, len(bytesOf(resp)))])
		return resp.Header.Get("Retry-After") != "" || b.stated && b.remaining == 0 || bytes.Contains(text, []byte("rate limit"))
	case http.StatusOK:
		return RefusedWithOK(resp.Header, bytesOf(resp)) || p.limited != nil && p.limited(resp, bytesOf(resp))
	default:
		return false
	}
}

// RefusedWithOK reports whether an answer with status 200 is a refusal for rate in the words of GitHub, whose GraphQL API answers so: an object with errors of the
// type RATE_LIMITED, or with Retry-After and a message, its own or of its errors, that mentions a rate limit.
func RefusedWithOK(header http.Header, body []byte) bool {
	asked := header.Get("Retry-After") != ""
	if !asked && !bytes.Contains(body, []byte(`"RATE_LIMIT`)) {
		return false
	}
	var answer struct {
		Message string `json:"message"`
		Errors  []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return false
	}
	mentions := func(message string) bool { return asked && strings.Contains(strings.ToLower(message), "rate limit") }
	for _, e := range answer.Errors {
		if strings.HasPrefix(e.Type, "RATE_LIMIT") || mentions(e.Message) {
			return true
		}
	}
	return mentions(answer.Message)
}

// backoff decides about failures that have nothing to do with rate.
func (p *pace) backoff(req *http.Request, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	if attempt >= p.retries || !idempotent(req) || req.Context().Err() != nil {
		return 0, false
	}
	wait := min(backoffMax, backoffBase<<min(attempt, 10))
	wait = wait/2 + rand.N(wait/2) //nolint:gosec // Jitter needs no unpredictability.
	switch {
	case err != nil:
		if !transient(err) {
			return 0, false
		}
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		if asked, ok := parseRetryAfter(resp.Header.Get("Retry-After"), p.now()); ok {
			wait = max(wait, asked)
		}
	default:
		return 0, false
	}
	return wait, p.affordable(req.Context(), wait)
}

// transient says whether the same request may go better the next time.
func transient(err error) bool {
	if e, ok := errors.AsType[*record.Error](err); ok {
		return e.Reason == record.ReasonTransport || e.Reason == record.ReasonServer ||
			e.Reason == record.ReasonTruncated && !errors.Is(err, errTooLarge)
	}
	return true
}

type idempotentKey struct{}

// Idempotent marks the requests of a context as safe to send twice although their method does not say so, such as a
// GraphQL query by POST.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

func idempotent(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "":
		return true
	default:
		return req.Context().Value(idempotentKey{}) != nil && (req.Body == nil || req.GetBody != nil)
	}
}

func cause(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return resp.Status
}

func rateLimited(req *http.Request, wait time.Duration) error {
	return &record.Error{Reason: record.ReasonRateLimited, RetryAfter: wait, Err: fmt.Errorf(
		"%s: the budget is spent and returns in %s", describe(req), wait.Round(time.Second))}
}

func canceled(req *http.Request, err error) error {
	return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("%s: %w", describe(req), err)}
}
