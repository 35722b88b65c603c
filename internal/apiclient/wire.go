package apiclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// wire sends one request, reads the whole body and tells the observer.
type wire struct {
	next        http.RoundTripper
	observer    Observer
	resource    func(*http.Request) string
	timeout     time.Duration
	maxBody     int64
	credentials []string
	redact      *redactor
	dated       func(host string, date time.Time)
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.redact.learnRequest(req.Header, w.credentials)
	ctx, cancel := context.WithTimeout(req.Context(), w.timeout)
	defer cancel()
	resp, err := w.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		w.observer.Requested(0, false)
		return nil, w.failure(req, err)
	}
	resp.Request = req
	w.observer.Requested(resp.StatusCode, resp.StatusCode == http.StatusNotModified)
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil && resp.Header.Get("Age") == "" {
		w.dated(req.URL.Host, date)
	}
	if b := readBudget(resp.Header); b.stated {
		w.observer.Budget(firstOf(b.resource, w.resource(req)), b.limit, b.remaining, b.reset)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, w.maxBody+1))
	if closeErr := resp.Body.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	if err != nil {
		return nil, w.failure(req, err)
	}
	if int64(len(data)) > w.maxBody {
		return nil, &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf(
			"%s: %w: more than %d bytes", describe(req), errTooLarge, w.maxBody)}
	}
	resp.Header.Del(notModifiedHeader)
	resp.Body = newBody(data)
	return resp, nil
}

// failure classifies what went wrong between us and the server.
func (w *wire) failure(req *http.Request, err error) error {
	reason := record.ReasonTransport
	switch {
	case req.Context().Err() != nil:
		reason, err = record.ReasonCanceled, req.Context().Err()
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no complete answer within %s", w.timeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		reason, err = record.ReasonTruncated, fmt.Errorf("the answer ended early: %w", err)
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("%s: %w", describe(req), err)}
}

// body is a response body that is wholly in memory, so that layers can look at it without consuming it.
type body struct {
	*bytes.Reader
	data []byte
}

func newBody(data []byte) *body { return &body{Reader: bytes.NewReader(data), data: data} }

func (*body) Close() error { return nil }

// bytesOf is the whole body of an answer that came through wire.
func bytesOf(resp *http.Response) []byte {
	if b, ok := resp.Body.(*body); ok {
		return b.data
	}
	return nil
}

// budget is what the headers of an answer say about rate limits.
type budget struct {
	stated           bool
	resource         string
	limit, remaining int
	reset            time.Time
}

// readBudget understands GitHub's headers (reset in epoch seconds, of others in milliseconds) and Jira's (reset as an ISO time).
func readBudget(h http.Header) budget {
	b := budget{resource: record.Text(h.Get("X-RateLimit-Resource"))}
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil || remaining < 0 {
		return b
	}
	b.stated, b.remaining = true, remaining
	if limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit")); err == nil {
		b.limit = limit
	}
	b.reset = parseReset(h.Get("X-RateLimit-Reset"))
	return b
}

// milliseconds is the number from which on an epoch counts milliseconds: as seconds it would be the year 5138.
const milliseconds = 100_000_000_000

func parseReset(s string) time.Time {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		if n >= milliseconds {
			return time.UnixMilli(n)
		}
		return time.Unix(n, 0)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", http.TimeFormat} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// parseRetryAfter reads seconds or an HTTP date, at most longestAsked. A negative number, as anything that is neither, asks for nothing that can be known.
func parseRetryAfter(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if seconds, err := strconv.ParseFloat(s, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		if seconds >= longestAsked.Seconds() {
			return longestAsked, true
		}
		return time.Duration(seconds * float64(time.Second)), seconds >= 0
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(0, t.Sub(now)), longestAsked), true
	}
	return 0, false
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
