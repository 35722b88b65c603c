package apiclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"prodsec_exporter/internal/record"
)

// Auth adds a credential to requests.
type Auth interface {
	// Wrap returns a transport that adds the credential and sends the request on by next. It sees only requests to the configured host.
	Wrap(next http.RoundTripper) (http.RoundTripper, error)
	// Headers names the headers that carry the credential.
	Headers() []string
}

const authorization = "Authorization"

// Anonymous sends no credential.
func Anonymous() Auth {
	return Wrapped(func(next http.RoundTripper) (http.RoundTripper, error) { return next, nil })
}

// Bearer sends "Authorization: Bearer <secret>".
func Bearer(s Secret) Auth { return Token(s, "Bearer") }

// Token sends "Authorization: <scheme> <secret>".
func Token(s Secret, scheme string) Auth {
	return headerAuth{name: authorization, value: func() (string, error) {
		value, err := s.Read()
		return scheme + " " + value, err
	}}
}

// Basic sends a user and the secret as password.
func Basic(user string, s Secret) Auth {
	return headerAuth{name: authorization, value: func() (string, error) {
		value, err := s.Read()
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+value)), err
	}}
}

// BasicToken sends the secret as the user of basic authentication, without a password.
func BasicToken(s Secret) Auth {
	return headerAuth{name: authorization, value: func() (string, error) {
		value, err := s.Read()
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(value+":")), err
	}}
}

// Header sends the secret as the value of a header.
func Header(name string, s Secret) Auth {
	return headerAuth{name: http.CanonicalHeaderKey(name), value: s.Read}
}

// Wrapped authenticates by a RoundTripper of somebody else's (a GitHub App's, say) that sets the header Authorization. Requests
// that it makes on its own pass the inner layers.
func Wrapped(wrap func(next http.RoundTripper) (http.RoundTripper, error)) Auth { return wrapped(wrap) }

type wrapped func(http.RoundTripper) (http.RoundTripper, error)

func (w wrapped) Wrap(next http.RoundTripper) (http.RoundTripper, error) { return w(next) }
func (w wrapped) Headers() []string                                      { return []string{authorization} }

type headerAuth struct {
	name  string
	value func() (string, error)
}

func (a headerAuth) Headers() []string { return []string{a.name} }

func (a headerAuth) Wrap(next http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		value, err := a.value()
		if err == nil && strings.ContainsAny(value, "\r\n\x00") {
			err = errors.New("the secret has several lines: keep only the token in it")
		}
		if err != nil {
			return nil, &record.Error{Reason: record.ReasonUnauthorized, Err: fmt.Errorf("authenticate: %w", err)}
		}
		req = req.Clone(req.Context())
		req.Header.Set(a.name, value)
		return next.RoundTrip(req)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
