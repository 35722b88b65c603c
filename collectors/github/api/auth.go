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

// App is a GitHub App's installation, which belongs to one organisation.
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
