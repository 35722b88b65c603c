package sonarqube

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// signIn sends the token as a bearer token, or as the user of basic authentication to servers before version 10, which know no other way.
type signIn struct {
	old           atomic.Bool
	bearer, basic apiclient.Auth
}

func newSignIn(token apiclient.Secret) *signIn {
	return &signIn{bearer: apiclient.Bearer(token), basic: apiclient.BasicToken(token)}
}

// Headers names the header that carries the token.
func (s *signIn) Headers() []string { return s.bearer.Headers() }

// Wrap returns a transport that signs in.
func (s *signIn) Wrap(next http.RoundTripper) (http.RoundTripper, error) {
	bearer, err := s.bearer.Wrap(next)
	if err != nil {
		return nil, err
	}
	basic, err := s.basic.Wrap(next)
	if err != nil {
		return nil, err
	}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if s.old.Load() {
			return basic.RoundTrip(req)
		}
		return bearer.RoundTrip(req)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// bearerMajor is the first version of Server that takes bearer tokens; impactMajor and impactMinor the first with impacts on software qualities.
const (
	bearerMajor              = 10
	impactMajor, impactMinor = 10, 2
)

// securityBy is how to tell security issues: as configured; on Cloud by impact; on Server by the mode of the instance, or by its version where that has
// no modes.
func (c *Collector) securityBy(ctx context.Context) (SecurityBy, error) {
	if c.config.Organization != "" {
		if c.config.SecurityBy != "" {
			return c.config.SecurityBy, nil
		}
		return SecurityByImpact, nil
	}
	major, minor, err := c.version(ctx)
	if err != nil {
		return "", err
	}
	c.renamed.Store(major > impactMajor || major == impactMajor && minor >= impactMinor)
	switch {
	case c.config.SecurityBy != "":
		return c.config.SecurityBy, nil
	case major < impactMajor || major == impactMajor && minor < impactMinor:
		return SecurityByType, nil
	}
	var mode struct {
		Mode string `json:"mode"`
	}
	_, err = c.Source.Get(ctx, "api/v2/clean-code-policy/mode", nil, &mode)
	switch {
	case err != nil && record.ReasonOf(err) == record.ReasonNotFound: // before there were modes
		return SecurityByImpact, nil
	case err != nil:
		return "", fmt.Errorf("read the mode of the instance: %w", err)
	case strings.EqualFold(mode.Mode, "STANDARD_EXPERIENCE"):
		return SecurityByType, nil
	default:
		return SecurityByImpact, nil
	}
}

// componentsKey is the parameter that names a project in the search for issues: Server renamed it, and removes the old one.
func (c *Collector) componentsKey() string {
	if c.renamed.Load() {
		return "components"
	}
	return "componentKeys"
}

// version reads the server's version, and from it how to sign in.
func (c *Collector) version(ctx context.Context) (major, minor int, err error) {
	var text []byte
	_, err = c.Source.Get(ctx, "api/server/version", nil, &text)
	if record.ReasonOf(err) == record.ReasonUnauthorized && !c.signIn.old.Load() {
		c.signIn.old.Store(true)
		if _, err = c.Source.Get(ctx, "api/server/version", nil, &text); err != nil {
			c.signIn.old.Store(false)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	parts := strings.SplitN(strings.TrimSpace(string(text)), ".", 3)
	if len(parts) > 1 {
		var errMajor, errMinor error
		major, errMajor = strconv.Atoi(parts[0])
		minor, errMinor = strconv.Atoi(parts[1])
		if errMajor == nil && errMinor == nil {
			c.signIn.old.Store(major < bearerMajor)
			return major, minor, nil
		}
	}
	return 0, 0, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%q is no version of SonarQube", record.Text(string(text)))}
}
