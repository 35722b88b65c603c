package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

const testToken = "tok-3f9a8b7c6d5e" //nolint:gosec // Not a credential.

// clock is a time that only waiting moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

type seen struct {
	mu      sync.Mutex
	codes   []int
	cached  int
	budgets map[string]int
}

func (s *seen) Requested(code int, cached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = append(s.codes, code)
	if cached {
		s.cached++
	}
}

func (s *seen) Budget(resource string, _, remaining int, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budgets == nil {
		s.budgets = map[string]int{}
	}
	s.budgets[resource] = remaining
}

func tokenFile(t *testing.T, value string) Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Secret{File: path}
}

func newClient(t *testing.T, o Options, handler http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	if o.BaseURL == "" {
		o.BaseURL = server.URL
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

func TestNewRefusesBaseURLs(t *testing.T) {
	for _, raw := range []string{"", "api.example.com", "ftp://example.com", "https://", "https://u:p4ssw0rd@example.com", "https://example.com/?q=1", "https://example.com/#f", "https://exa mple.com:p4ssw0rd"} {
		_, err := New(Options{BaseURL: raw})
		if err == nil {
			t.Errorf("New(BaseURL: %q): no error", raw)
			continue
		}
		if strings.Contains(err.Error(), "p4ssw0rd") {
			t.Errorf("New(BaseURL: %q): error repeats the password: %v", raw, err)
		}
	}
}

func TestStatusIsClassified(t *testing.T) {
	tests := []struct {
		status     int
		header     map[string]string
		body       string
		want       record.ErrorReason
		permission string
	}{
		{401, nil, `{"message":"Bad credentials"}`, record.ReasonUnauthorized, ""},
		{403, map[string]string{"X-Accepted-GitHub-Permissions": "security_events=read"}, `{"message":"Resource not accessible"}`, record.ReasonPermission, "security_events=read"},
		{404, nil, `{"message":"Not Found"}`, record.ReasonNotFound, ""},
		{410, nil, `{"errorMessages":["removed"]}`, record.ReasonNotFound, ""},
		{429, map[string]string{"Retry-After": "1"}, `{}`, record.ReasonRateLimited, ""},
		{400, nil, `{"detail":"bad"}`, record.ReasonRejected, ""},
		{422, nil, `not json`, record.ReasonRejected, ""},
		{500, nil, ``, record.ReasonServer, ""},
		{503, nil, `<html>`, record.ReasonServer, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			clk := newClock()
			c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep}, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil, nil)
			e, ok := errors.AsType[*record.Error](err)
			if !ok || e.Reason != tt.want || e.Permission != tt.permission {
				t.Fatalf("Do() with status %d = %v, want reason %s and permission %q", tt.status, err, tt.want, tt.permission)
			}
		})
	}
}

func TestBodiesThatAreNotTheWholeAnswer(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    record.ErrorReason
		text    string
	}{
		{"cut by the connection", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `[{"id":1},`)
		}, record.ReasonTruncated, "ended early"},
		{"cut by a proxy", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[{"id":1},`) }, record.ReasonTruncated, "decode"},
		{"malformed", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[{"id":1}}`) }, record.ReasonDecode, "decode"},
		{"of another type", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":1}`) }, record.ReasonDecode, "decode"},
		{"empty", func(http.ResponseWriter, *http.Request) {}, record.ReasonTruncated, "decode"},
		{"null", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "null\n") }, record.ReasonDecode, "it is null"},
		{"sign-in page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, `<!doctype html><title>Sign in</title>`)
		}, record.ReasonDecode, "SSO"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "["+strings.Repeat(" ", 2000)+"]")
		}, record.ReasonTruncated, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clk := newClock()
			c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep, MaxBody: 1500}, tt.handler)
			var out []json.RawMessage
			_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, &out)
			if record.ReasonOf(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("Do() = %v, want reason %s and %q in the text", err, tt.want, tt.text)
			}
		})
	}
}

func TestCredentialStaysOnItsHost(t *testing.T) {
	var stolen atomic.Bool
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen.Store(true) }))
	t.Cleanup(foreign.Close)
	c, _ := newClient(t, Options{Auth: Bearer(tokenFile(t, testToken))}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, foreign.URL+"/x", http.StatusTemporaryRedirect)
		case "/link":
			w.Header().Set("Link", `<`+foreign.URL+`/x?page=2>; rel="next"`)
			_, _ = io.WriteString(w, `[]`)
		case "/moved":
			http.Redirect(w, r, "/here", http.StatusMovedPermanently)
		case "/here":
			if r.Header.Get("Authorization") != "Bearer "+testToken {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, `[]`)
		}
	})
	for path, what := range map[string]string{"away": "a redirect", "link": "the link to the next page", foreign.URL + "/x": "a request"} {
		_, err := c.Do(t.Context(), http.MethodGet, path, nil, nil, nil)
		if record.ReasonOf(err) != record.ReasonTransport || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "refused") {
			t.Errorf("Do(%q) = %v, want a refusal of %s", path, err, what)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, foreign.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := c.HTTP().Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("HTTP().Do() to a foreign host: no error")
	}
	if stolen.Load() {
		t.Error("a request reached the foreign host")
	}
	if _, err := c.Do(t.Context(), http.MethodGet, "moved", nil, nil, nil); err == nil || !strings.Contains(err.Error(), "follow_redirects") || !strings.Contains(err.Error(), "/here") {
		t.Errorf("a redirect on the same host: got %v, want an error that says where it leads and how to follow it", err)
	}
	c, err = New(Options{BaseURL: c.BaseURL(), Auth: Bearer(tokenFile(t, testToken)), FollowRedirects: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), http.MethodGet, "moved", nil, nil, nil); err != nil {
		t.Errorf("a redirect on the same host that may be followed: %v", err)
	}
	if _, err := c.Do(t.Context(), http.MethodGet, "away", nil, nil, nil); record.ReasonOf(err) != record.ReasonTransport || stolen.Load() {
		t.Errorf("a redirect to another host while they are followed: %v", err)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	start := newClock().Now()
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		want   time.Duration
	}{
		{"seconds", 429, http.Header{"Retry-After": {"17"}}, "", 17 * time.Second},
		{"date", 429, http.Header{"Retry-After": {start.Add(time.Minute).Format(http.TimeFormat)}}, "", time.Minute},
		{"403 secondary", 403, http.Header{"Retry-After": {"5"}}, "", 5 * time.Second},
		{"GitHub reset", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(start.Add(90 * time.Second).Unix())}}, "", 91 * time.Second},
		{"Jira reset", 429, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {start.Add(2 * time.Minute).Format("2006-01-02T15:04Z07:00")}}, "", 121 * time.Second},
		{"nothing said", 429, nil, "", time.Minute},
		{"only in the text", 403, nil, `{"message":"You have exceeded a secondary rate limit"}`, time.Minute},
		{"unavailable", 503, http.Header{"Retry-After": {"40"}}, "", 40 * time.Second},
		{"negative", 429, http.Header{"Retry-After": {"-5"}}, "", time.Minute},
		{"not a number", 429, http.Header{"Retry-After": {"NaN"}}, "", time.Minute},
		{"reset in milliseconds", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(start.Add(90 * time.Second).UnixMilli())}}, "", 91 * time.Second},
		{"GraphQL, secondary, with 200", 200, http.Header{"Retry-After": {"30"}}, `{"data": null, "errors": [{"message": "You have exceeded a secondary rate limit. Please wait."}]}`, 30 * time.Second},
		{"GraphQL, secondary, by type", 200, http.Header{"Retry-After": {"30"}}, `{"errors": [{"type": "RATE_LIMITED"}]}`, 30 * time.Second},
		{"GraphQL, primary, with 200", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(start.Add(90 * time.Second).Unix())}}, `{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}`, 91 * time.Second},
		{"REST, secondary, with 200", 200, http.Header{"Retry-After": {"30"}}, `{"message": "You have exceeded a secondary rate limit"}`, 30 * time.Second},
		{"an answer that speaks of it", 200, nil, `{"message": "the rate limit of our API is RATE_LIMIT"}`, 0},
		{"a list, and a header that means nothing", 200, http.Header{"Retry-After": {"30"}}, `[{"message": "rate limit"}]`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clk, calls := newClock(), atomic.Int32{}
			c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep}, func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) == 1 {
					for k, v := range tt.header {
						w.Header()[k] = v
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
					return
				}
				_, _ = io.WriteString(w, `[]`)
			})
			if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
				t.Fatalf("Do() = %v, want success after the wait", err)
			}
			if got := clk.Now().Sub(start); got != tt.want {
				t.Errorf("waited %s (%v), want %s", got, clk.waits, tt.want)
			}
		})
	}
}

// TestAbsurdWaitsAreCapped: years, milliseconds taken for seconds and dates far away silence a collector for an hour at most.
func TestAbsurdWaitsAreCapped(t *testing.T) {
	for name, header := range map[string]http.Header{
		"years":                    {"Retry-After": {"999999999"}},
		"beyond all numbers":       {"Retry-After": {"1e999"}},
		"infinite":                 {"Retry-After": {"Inf"}},
		"milliseconds":             {"Retry-After": {"60000"}},
		"a date far away":          {"Retry-After": {"Fri, 31 Dec 9999 23:59:59 GMT"}},
		"a reset in years":         {"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(newClock().Now().AddDate(9, 0, 0).Unix())}},
		"a reset in milliseconds":  {"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(newClock().Now().AddDate(0, 0, 1).UnixMilli())}},
		"a reset as a date":        {"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9999-12-31T23:59Z"}},
		"a reset beyond all dates": {"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9223372036854775807"}},
	} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			clk := newClock()
			var calls atomic.Int32
			c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep, Retries: -1}, func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) == 1 {
					for k, v := range header {
						w.Header()[k] = v
					}
					w.WriteHeader(status)
				}
			})
			_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
			if e, ok := errors.AsType[*record.Error](err); !ok || e.RetryAfter > time.Hour {
				t.Errorf("%s, %d: %v asks for a wait of %s", name, status, err, e.RetryAfter)
			}
			clk.now = clk.now.Add(time.Hour + time.Second)
			if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
				t.Errorf("%s, %d: still %v after an hour", name, status, err)
			}
		}
	}
}

// TestLimitedByTheCollectorsWord: a collector knows answers with 200 that refuse; they are obeyed as 429 is.
func TestLimitedByTheCollectorsWord(t *testing.T) {
	clk := newClock()
	start := clk.Now()
	var calls atomic.Int32
	c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep, Limited: func(_ *http.Response, body []byte) bool { return bytes.Contains(body, []byte("slow down")) }},
		func(w http.ResponseWriter, _ *http.Request) {
			if calls.Add(1) == 1 {
				w.Header().Set("Retry-After", "7")
				_, _ = io.WriteString(w, `{"status": "slow down"}`)
				return
			}
			_, _ = io.WriteString(w, `{"status": "fine"}`)
		})
	var answer struct{ Status string }
	if _, err := c.Do(t.Context(), http.MethodPost, "x", nil, struct{}{}, &answer); err != nil || answer.Status != "fine" || clk.Now().Sub(start) != 7*time.Second {
		t.Errorf("got %q after %s, %v", answer.Status, clk.Now().Sub(start), err)
	}
}

func TestSilentRefusalsAreWaitedForLonger(t *testing.T) {
	clk := newClock()
	c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) })
	_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
	if record.ReasonOf(err) != record.ReasonRateLimited {
		t.Fatalf("Do() = %v, want %s", err, record.ReasonRateLimited)
	}
	want := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}
	if fmt.Sprint(clk.waits) != fmt.Sprint(want) {
		t.Errorf("waits = %v, want %v", clk.waits, want)
	}
}

func TestWaitBeyondDeadlineIsRefusedAtOnce(t *testing.T) {
	var calls atomic.Int32
	c, _ := newClient(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 2 {
		_, err := c.Do(ctx, http.MethodGet, "x", nil, nil, nil)
		e, ok := errors.AsType[*record.Error](err)
		if !ok || e.Reason != record.ReasonRateLimited || e.RetryAfter < 59*time.Minute || e.RetryAfter > time.Hour {
			t.Fatalf("Do() = %#v, want rate_limited with RetryAfter of about an hour", err)
		}
	}
	if got := calls.Load(); got != 1 {
		t.Errorf("%d requests were sent, want 1: the second must be refused without asking", got)
	}
}

func TestBudgetsAreKeptPerResource(t *testing.T) {
	clk, watch := newClock(), &seen{}
	o := Options{Now: clk.Now, Sleep: clk.Sleep, Observer: watch, Resource: func(r *http.Request) string { return strings.Trim(r.URL.Path, "/") }}
	c, _ := newClient(t, o, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", map[string]string{"/core": "4999", "/audit_log": "0"}[r.URL.Path])
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(clk.Now().Add(time.Hour).Unix()))
		w.Header().Set("X-RateLimit-Resource", strings.Trim(r.URL.Path, "/"))
		_, _ = io.WriteString(w, `{}`)
	})
	for _, path := range []string{"audit_log", "core", "core"} {
		if _, err := c.Do(t.Context(), http.MethodGet, path, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(clk.waits) != 0 {
		t.Errorf("the spent audit log made core wait %v", clk.waits)
	}
	if _, err := c.Do(t.Context(), http.MethodGet, "audit_log", nil, nil, nil); record.ReasonOf(err) != record.ReasonRateLimited {
		t.Errorf("the audit log, spent for longer than MaxWait: %v, want rate_limited", err)
	}
	if watch.budgets["core"] != 4999 || watch.budgets["audit_log"] != 0 {
		t.Errorf("observed budgets %v", watch.budgets)
	}
}

func TestRetries(t *testing.T) {
	tests := []struct {
		name, method string
		ctx          func(context.Context) context.Context
		statuses     []int
		wantCalls    int32
		wantErr      bool
	}{
		{"GET after 502", http.MethodGet, nil, []int{502, 200}, 2, false},
		{"GET gives up", http.MethodGet, nil, []int{500}, 4, true},
		{"POST is not repeated", http.MethodPost, nil, []int{502, 200}, 1, true},
		{"POST marked idempotent", http.MethodPost, Idempotent, []int{502, 200}, 2, false},
		{"POST refused for rate", http.MethodPost, nil, []int{429, 200}, 2, false},
		{"404 is an answer", http.MethodGet, nil, []int{404}, 1, true},
		{"501 is an answer", http.MethodGet, nil, []int{501}, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clk, calls := newClock(), atomic.Int32{}
			c, _ := newClient(t, Options{Now: clk.Now, Sleep: clk.Sleep}, func(w http.ResponseWriter, r *http.Request) {
				if sent, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && string(sent) != `{"q":1}` {
					t.Errorf("body = %q", sent)
				}
				n := calls.Add(1)
				w.WriteHeader(tt.statuses[min(int(n), len(tt.statuses))-1])
			})
			ctx := t.Context()
			if tt.ctx != nil {
				ctx = tt.ctx(ctx)
			}
			var payload any
			if tt.method == http.MethodPost {
				payload = map[string]int{"q": 1}
			}
			_, err := c.Do(ctx, tt.method, "x", nil, payload, nil)
			if calls.Load() != tt.wantCalls || (err != nil) != tt.wantErr {
				t.Errorf("%d calls, error %v; want %d calls, error %t", calls.Load(), err, tt.wantCalls, tt.wantErr)
			}
		})
	}
}

func TestTimeoutCoversTheBody(t *testing.T) {
	hold := make(chan struct{})
	c, _ := newClient(t, Options{Timeout: 50 * time.Millisecond, Retries: -1}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "[")
		w.(http.Flusher).Flush()
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hold) })
	_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
	if record.ReasonOf(err) != record.ReasonTransport || !strings.Contains(err.Error(), "no complete answer within") {
		t.Fatalf("Do() = %v, want a transport error about the time", err)
	}
}

func TestCancelReturnsPromptlyFromAWait(t *testing.T) {
	asked := make(chan struct{}, 1)
	c, _ := newClient(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(429)
		asked <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, http.MethodGet, "x", nil, nil, nil)
		done <- err
	}()
	<-asked
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) || record.ReasonOf(err) != record.ReasonCanceled {
			t.Errorf("Do() = %v, want canceled", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Do() still waits after its context ended")
	}
}

func TestTokenAppearsNowhere(t *testing.T) {
	auths := map[string]func(Secret) Auth{
		"bearer": Bearer,
		"basic":  func(s Secret) Auth { return Basic("bot@example.com", s) },
		"header": func(s Secret) Auth { return Header("X-Api-Key", s) },
	}
	for name, auth := range auths {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			clk, calls := newClock(), atomic.Int32{}
			c, _ := newClient(t, Options{Auth: auth(tokenFile(t, testToken)), Logger: logger, Now: clk.Now, Sleep: clk.Sleep}, func(w http.ResponseWriter, r *http.Request) {
				echo := fmt.Sprint(r.Header) + testToken
				code := []int{503, 429, 500, 401}[min(3, calls.Add(1)-1)]
				w.WriteHeader(code)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": echo})
			})
			_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
			if err == nil {
				t.Fatal("Do(): no error")
			}
			for what, text := range map[string]string{"error": err.Error(), "log": logged.String()} {
				if strings.Contains(text, testToken) || strings.Contains(text, "Ym90QGV4YW1wbGUuY29tO") {
					t.Errorf("the %s holds the token: %s", what, text)
				}
			}
			if logged.Len() == 0 {
				t.Error("nothing was logged, so the test shows nothing about logs")
			}
		})
	}
}

func TestQueryAndPaths(t *testing.T) {
	var got string
	_, server := newClient(t, Options{}, func(w http.ResponseWriter, r *http.Request) { got = r.URL.RequestURI() })
	c, err := New(Options{BaseURL: server.URL + "/api/v3/"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{"orgs/a", "/api/v3/orgs/a?per_page=100"},
		{"/orgs/a", "/api/v3/orgs/a?per_page=100"},
		{"//evil.example/x", "/api/v3/evil.example/x?per_page=100"},
		{"orgs/a%2Fb?after=x%3D", "/api/v3/orgs/a%2Fb?after=x%3D&per_page=100"},
		{server.URL + "/organizations/1?page=2", "/organizations/1?page=2&per_page=100"},
	}
	for _, tt := range tests {
		if _, err := c.Do(t.Context(), http.MethodGet, tt.path, url.Values{"per_page": {"100"}}, nil, nil); err != nil {
			t.Errorf("Do(%q): %v", tt.path, err)
		}
		if got != tt.want {
			t.Errorf("Do(%q) asked for %q, want %q", tt.path, got, tt.want)
		}
	}
}
