package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// App is a GitHub App: one installation, which belongs to one organisation, or all of them where InstallationID is 0.
type App struct {
	ID             int64            `yaml:"id,omitempty"`
	InstallationID int64            `yaml:"installation_id,omitempty"`
	PrivateKey     apiclient.Secret `yaml:"private_key,omitempty"`
}

// appAuth signs in as a GitHub App's installation; its token is renewed each hour.
func appAuth(app App, base *url.URL) apiclient.Auth {
	return apiclient.Wrapped(func(next http.RoundTripper) (http.RoundTripper, error) {
		key, err := app.PrivateKey.Read()
		if err != nil {
			return nil, fmt.Errorf("private key of app %d: %w", app.ID, err)
		}
		transport, err := ghinstallation.New(next, app.ID, app.InstallationID, []byte(key))
		if err != nil {
			return nil, fmt.Errorf("private key of app %d from %s is not a PEM-encoded RSA key: %w", app.ID, app.PrivateKey, err)
		}
		transport.BaseURL = base.String()
		return appTransport{transport}, nil
	})
}

// ownAuth signs in as a GitHub App itself, which may list its installations and read nothing else.
func ownAuth(app App, base *url.URL) apiclient.Auth {
	return apiclient.Wrapped(func(next http.RoundTripper) (http.RoundTripper, error) {
		key, err := app.PrivateKey.Read()
		if err != nil {
			return nil, fmt.Errorf("private key of app %d: %w", app.ID, err)
		}
		transport, err := ghinstallation.NewAppsTransport(next, app.ID, []byte(key))
		if err != nil {
			return nil, fmt.Errorf("private key of app %d from %s is not a PEM-encoded RSA key: %w", app.ID, app.PrivateKey, err)
		}
		transport.BaseURL = base.String()
		return ownTransport{transport}, nil
	})
}

// ownTransport leaves the request of its caller as it is, which the library changes.
type ownTransport struct{ next http.RoundTripper }

func (t ownTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(req.Clone(req.Context()))
}

// appTransport classifies failures to get a token.
type appTransport struct{ next http.RoundTripper }

func (t appTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	failure, ok := errors.AsType[*ghinstallation.HTTPError](err)
	if !ok || failure.Response == nil || failure.RootCause != nil {
		return resp, err
	}
	reason := record.ReasonUnauthorized
	switch code := failure.Response.StatusCode; {
	case code >= 500:
		reason = record.ReasonServer
	case code == http.StatusTooManyRequests:
		reason = record.ReasonRateLimited
	}
	return nil, &record.Error{Reason: reason, Err: fmt.Errorf(
		"get a token for the app's installation: %w: check app.id, app.installation_id and app.private_key", err)}
}
