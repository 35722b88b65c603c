package jira

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/internal/apiclient"
)

// AuthConfig names the credential. Exactly one of Token (with Email), PersonalAccessToken, Bearer and OAuth is set.
type AuthConfig struct {
	Email               string           `yaml:"email,omitempty"`
	Token               apiclient.Secret `yaml:"token,omitempty"`
	PersonalAccessToken apiclient.Secret `yaml:"personal_access_token,omitempty"`
	Bearer              apiclient.Secret `yaml:"bearer,omitempty"`
	OAuth               *OAuthConfig     `yaml:"oauth,omitempty"`
}

// OAuthConfig is a client that gets its own access tokens, which last an hour, and new ones in time.
type OAuthConfig struct {
	ClientID     string           `yaml:"client_id"`
	ClientSecret apiclient.Secret `yaml:"client_secret"`
	// TokenURL is Atlassian's unless it is set. Scopes may be left out: the client's own are meant then.
	TokenURL string   `yaml:"token_url,omitempty"`
	Scopes   []string `yaml:"scopes,omitempty"`
}

// Atlassian's authorization server, and what its tokens are for.
const (
	atlassianTokens   = "https://auth.atlassian.com/oauth/token" //nolint:gosec // An address.
	atlassianAudience = "api.atlassian.com"
)

// isCloudSite: Jira Cloud is served from this domain. Tokens with scopes are refused there.
func isCloudSite(u *url.URL) bool {
	return strings.HasSuffix(strings.ToLower(u.Hostname()), ".atlassian.net")
}

func (a AuthConfig) auth() (apiclient.Auth, error) {
	var chosen []apiclient.Auth
	if !a.Token.IsZero() || a.Email != "" {
		if a.Email == "" || a.Token.IsZero() {
			return nil, errors.New("an API token goes with the e-mail address of its account: set both email and token")
		}
		if err := a.Token.Validate(); err != nil {
			return nil, err
		}
		chosen = append(chosen, apiclient.Basic(a.Email, a.Token))
	}
	for _, s := range []apiclient.Secret{a.PersonalAccessToken, a.Bearer} {
		if s.IsZero() {
			continue
		}
		if err := s.Validate(); err != nil {
			return nil, err
		}
		chosen = append(chosen, apiclient.Bearer(s))
	}
	if a.OAuth != nil {
		client, err := a.OAuth.auth()
		if err != nil {
			return nil, fmt.Errorf("oauth: %w", err)
		}
		chosen = append(chosen, client)
	}
	if len(chosen) != 1 {
		return nil, errors.New("set exactly one of {email, token} (Cloud), personal_access_token (Data Center), bearer and oauth")
	}
	return chosen[0], nil
}

func (o OAuthConfig) auth() (apiclient.Auth, error) {
	c := apiclient.ClientCredentials{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, TokenURL: cmp.Or(o.TokenURL, atlassianTokens), Scopes: o.Scopes,
	}
	if c.TokenURL == atlassianTokens {
		c.Audience = atlassianAudience
	}
	return c.Auth()
}
