package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"prodsec_exporter/internal/record"
)

// StatusError is an answer of Grafana that is no success.
type StatusError struct {
	Code int
	// Message is what Grafana says, as one bounded line; empty if it says nothing that people can read.
	Message string
}

// Error says what Grafana answered and, where the code tells, what to do about it.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("Grafana answers %d %s", e.Code, http.StatusText(e.Code))
	if e.Message != "" {
		text += ": " + e.Message
	}
	switch e.Code {
	case http.StatusUnauthorized:
		text += " (is the token or password right, and not expired?)"
	case http.StatusForbidden:
		text += " (the service account needs the role Editor, or dashboards:create, dashboards:write and folders:create, folders:read)"
	case http.StatusPreconditionFailed:
		text += " (another board has this title or uid in the folder)"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		text += " (give the URL that it leads to; redirects are not followed)"
	}
	return text
}

// isStatus reports whether an error is an answer with a code.
func isStatus(err error, code int) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == code
}

// maxMessage bounds what is read of an answer that is no success.
const maxMessage = 64 << 10

// transport signs requests and turns every answer that is no success into a *StatusError.
type transport struct {
	next    http.RoundTripper
	options Options
	host    string
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host != t.host {
		return nil, fmt.Errorf("a request for %s does not go to Grafana", request.URL.Host)
	}
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", "prodsec_exporter")
	switch {
	case t.options.Token != "":
		request.Header.Set("Authorization", "Bearer "+t.options.Token)
	case t.options.User != "":
		request.SetBasicAuth(t.options.User, t.options.Password)
	}
	response, err := t.next.RoundTrip(request)
	if err != nil || response.StatusCode == http.StatusOK {
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMessage))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer %d of Grafana: %w", response.StatusCode, err)
	}
	return nil, &StatusError{Code: response.StatusCode, Message: message(response.Header.Get("Content-Type"), body)}
}

// message is what an answer says to people: the field "message" or "error" of JSON, or plain text.
func message(contentType string, body []byte) string {
	var refusal struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	switch {
	case json.Unmarshal(body, &refusal) == nil:
		if refusal.Message == "" {
			return record.Text(refusal.Error)
		}
		return record.Text(refusal.Message)
	case strings.HasPrefix(contentType, "text/plain"):
		return record.Text(string(body))
	default:
		return ""
	}
}
