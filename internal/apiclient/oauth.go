package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"prodsec_exporter/internal/record"
)

// ClientCredentials is a client that gets its access tokens by the grant of that name (RFC 6749, section 4.4).
type ClientCredentials struct {
	ClientID     string
	ClientSecret Secret
	// TokenURL is the token endpoint, to which the client's secret is sent, and nothing else. Its host may be another than that of the API.
	TokenURL string
	Scopes   []string
	// Audience is sent if it is set.
	Audience string
}

// Auth gets a token when one is needed, before the old one ends and when the API refuses it, and sends it as a bearer token. The secret is read anew each
// time. It returns an error when a part is missing or wrong.
func (c ClientCredentials) Auth() (Auth, error) {
	u, err := url.Parse(c.TokenURL)
	switch {
	case c.ClientID == "":
		return nil, errors.New("client_id is missing")
	case c.ClientSecret.Validate() != nil:
		return nil, fmt.Errorf("client_secret: %w", c.ClientSecret.Validate())
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("token_url must be a full address such as https://auth.example.com/oauth/token")
	}
	return &clientAuth{credentials: c, hide: func(string) {}}, nil
}

// clientAuth holds the token that is in use.
type clientAuth struct {
	credentials ClientCredentials
	hide        func(string)

	mu    sync.Mutex
	token *oauth2.Token
}

func (a *clientAuth) Headers() []string { return []string{authorization} }

// hideBy is told where to hand secrets that must not be shown.
func (a *clientAuth) hideBy(hide func(string)) { a.hide = hide }

func (a *clientAuth) Wrap(next http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		token, err := a.current(req.Context(), next, "")
		if err != nil {
			return nil, err
		}
		resp, err := send(next, req, token)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
			return resp, err
		}
		// It was revoked, or the clocks differ.
		if token, err = a.current(req.Context(), next, token); err != nil {
			return nil, err
		}
		if req.Body != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, fmt.Errorf("rewind the body of %s: %w", describe(req), err)
			}
			req = req.Clone(req.Context())
			req.Body = body
		}
		return send(next, req, token)
	}), nil
}

func send(next http.RoundTripper, req *http.Request, token string) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set(authorization, "Bearer "+token)
	return next.RoundTrip(req)
}

// tokenMargin is how long before its end a token is replaced.
const tokenMargin = time.Minute

// current is a token that has not ended and is not the refused one.
func (a *clientAuth) current(ctx context.Context, next http.RoundTripper, refused string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.token; t != nil && t.AccessToken != refused && (t.Expiry.IsZero() || time.Until(t.Expiry) > 0) {
		return t.AccessToken, nil
	}
	token, err := a.fetch(ctx, next)
	if err != nil {
		return "", err
	}
	if !token.Expiry.IsZero() {
		// A token that lasts no longer than the margin is used for the half of its life.
		token.Expiry = token.Expiry.Add(-min(tokenMargin, time.Until(token.Expiry)/2))
	}
	a.token = token
	return token.AccessToken, nil
}

func (a *clientAuth) fetch(ctx context.Context, next http.RoundTripper) (*oauth2.Token, error) {
	secret, err := a.credentials.ClientSecret.Read()
	if err != nil {
		return nil, &record.Error{Reason: record.ReasonUnauthorized, Err: fmt.Errorf("authenticate: %w", err)}
	}
	a.hide(secret)
	c := clientcredentials.Config{
		ClientID: a.credentials.ClientID, ClientSecret: secret, TokenURL: a.credentials.TokenURL, Scopes: a.credentials.Scopes, AuthStyle: oauth2.AuthStyleInParams,
	}
	if a.credentials.Audience != "" {
		c.EndpointParams = url.Values{"audience": {a.credentials.Audience}}
	}
	client := &http.Client{Transport: next, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	token, err := c.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err != nil {
		return nil, a.failure(err)
	}
	a.hide(token.AccessToken)
	return token, nil
}

// failure says why there is no token, without the body of the answer, which may repeat what was sent.
func (a *clientAuth) failure(err error) error {
	host := a.credentials.TokenURL
	if u, parseErr := url.Parse(host); parseErr == nil {
		host = u.Host
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if e, ok := errors.AsType[*record.Error](err); ok {
			return &record.Error{Reason: e.Reason, RetryAfter: e.RetryAfter, Err: fmt.Errorf("get an access token: %w", e.Err)}
		}
		return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("get an access token from %s: the answer holds none", record.Text(host))}
	}
	code := http.StatusOK
	if refused.Response != nil {
		code = refused.Response.StatusCode
	}
	e := &record.Error{Reason: reasonOfStatus(code), Err: fmt.Errorf("get an access token from %s: %s",
		record.Text(host), strings.TrimSpace(fmt.Sprintf("%d %s", code, record.Text(refused.ErrorCode))))}
	if code >= 300 && code < 500 && code != http.StatusTooManyRequests {
		e.Reason = record.ReasonUnauthorized // invalid_client, unauthorized_client, invalid_scope...
	}
	return e
}
