package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"prodsec_exporter/internal/record"
)

var errTooLarge = errors.New("the answer is too large")

// Classify makes a *record.Error of any error that a request or a vendor's SDK returned. Nil stays nil.
func (c *Client) Classify(err error) error {
	if err == nil {
		return nil
	}
	// http.Client wraps with the address; the layers below said all that and more.
	if e, ok := errors.AsType[*record.Error](err); ok {
		return c.clean(e)
	}
	var reason record.ErrorReason
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		reason = record.ReasonCanceled
	case endsEarly(err):
		reason = record.ReasonTruncated
	case isDecode(err):
		reason = record.ReasonDecode
	default:
		reason = record.ReasonTransport
	}
	return c.clean(&record.Error{Reason: reason, Err: err})
}

// clean returns the error without credentials. Its chain is kept only where it holds none.
func (c *Client) clean(e *record.Error) *record.Error {
	if e.Err == nil {
		return e
	}
	text := e.Err.Error()
	if cleaned := c.redact.clean(text); cleaned != text {
		copied := *e
		copied.Err = errors.New(cleaned)
		return &copied
	}
	return e
}

func isDecode(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, typed := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || typed
}

// endsEarly recognises JSON that was cut off.
func endsEarly(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return true
	}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	return ok && syntax.Error() == "unexpected end of JSON input"
}

// StatusError classifies an answer that is not 2xx, for use with a vendor's SDK. The body may be nil.
func (c *Client) StatusError(resp *http.Response, body []byte) error {
	return c.statusError(resp, body)
}

func (c *Client) statusError(resp *http.Response, data []byte) *record.Error {
	text := describe(resp.Request) + ": " + http.StatusText(resp.StatusCode)
	if http.StatusText(resp.StatusCode) == "" {
		text = describe(resp.Request) + ": status"
	}
	text = fmt.Sprintf("%s (%d)", text, resp.StatusCode)
	status := &StatusError{Code: resp.StatusCode, Message: c.redact.clean(messageOf(resp.Header, data))}
	if status.text = c.redact.clean(text); status.Message != "" {
		status.text += ": " + status.Message
	}
	e := &record.Error{Reason: reasonOfStatus(resp.StatusCode), Err: status}
	if e.Reason == record.ReasonPermission {
		e.Permission = record.Text(firstOf(resp.Header.Get("X-Accepted-GitHub-Permissions"), resp.Header.Get("X-Accepted-OAuth-Scopes")))
	}
	return e
}

func reasonOfStatus(code int) record.ErrorReason {
	switch {
	case code == http.StatusUnauthorized:
		return record.ReasonUnauthorized
	case code == http.StatusForbidden:
		return record.ReasonPermission
	case code == http.StatusNotFound || code == http.StatusGone:
		return record.ReasonNotFound
	case code == http.StatusTooManyRequests:
		return record.ReasonRateLimited
	case code >= 500:
		return record.ReasonServer
	case code >= 400:
		return record.ReasonRejected
	default:
		return record.ReasonTransport
	}
}

// notJSON says what an answer is that should have been JSON; empty if it looks like JSON.
func notJSON(h http.Header, data []byte) string {
	trimmed := bytes.TrimSpace(data)
	if strings.HasPrefix(h.Get("Content-Type"), "text/html") || bytes.HasPrefix(trimmed, []byte("<")) {
		return "the answer is an HTML page, not JSON: often a sign-in page (SSO), a proxy or a wrong base URL"
	}
	return ""
}

// describe names a request without its query, which may be long.
func describe(req *http.Request) string {
	if req == nil || req.URL == nil {
		return "request"
	}
	return req.Method + " " + req.URL.Scheme + "://" + req.URL.Host + record.Text(req.URL.EscapedPath())
}
