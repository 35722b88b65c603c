package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const (
	mediaType = "application/vnd.github+json"
	pageSize  = "100"
	// maxPages bounds one list: 200,000 items of one kind in one organisation.
	maxPages = 2000
)

// api sends requests that go-github made through the shared client. The library's own Do is not used: it keeps budgets by path instead of by the
// header X-RateLimit-Resource and then refuses requests that GitHub would answer.
type api struct {
	client *apiclient.Client
	maker  *github.Client
	base   *url.URL
}

func newAPI(config *Config, env collectors.Env) (*api, error) {
	base, err := baseURL(config.URL)
	if err != nil {
		return nil, err
	}
	auth := apiclient.Bearer(config.Token)
	if config.App != (App{}) {
		auth = appAuth(config.App, base)
	}
	client, err := env.Client(apiclient.Options{BaseURL: base.String(), Auth: auth, Concurrency: 1, Resource: resource})
	if err != nil {
		return nil, err
	}
	maker := github.NewClient(client.HTTP())
	maker.BaseURL = base.JoinPath("/")
	maker.UserAgent = "prodsec_exporter"
	return &api{client: client, maker: maker, base: base}, nil
}

// baseURL finds the REST API: a GitHub Enterprise Server's host gets the path /api/v3; api.github.com, api.NAME.ghe.com and
// anything on loopback (a proxy, a test) are taken as they are.
func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(raw), "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("url must be the address of GitHub's API, such as https://api.github.com or https://github.example.com")
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "github.com" || host == "www.github.com":
		u.Host, u.Path = "api.github.com", ""
	case strings.HasPrefix(host, "api.") || loopback(host) || strings.HasSuffix(u.Path, "/api/v3"):
	case strings.HasSuffix(host, ".ghe.com"):
		u.Host, u.Path = "api."+host, ""
	default:
		u.Path += "/api/v3"
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resource is the budget a request is charged to.
func resource(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		return "graphql"
	}
	return "core"
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

// get reads one address: a path below the base, or a link that GitHub gave.
func (a *api) get(ctx context.Context, address string, out any) (*apiclient.Response, error) {
	req, err := a.maker.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", mediaType)
	return a.client.Send(req.WithContext(ctx), out)
}

// ask sends a body to a path that answers a question and changes nothing.
func (a *api) ask(ctx context.Context, path string, body, out any) (*apiclient.Response, error) {
	req, err := a.maker.NewRequest(http.MethodPost, path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", mediaType)
	return a.client.Send(req.WithContext(ctx), out)
}

// pages reads a list to its end, or until page wants no more, and returns how many pages there were.
func (a *api) pages(ctx context.Context, path string, query url.Values, page func([]json.RawMessage) (more bool)) (int, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	n := 0
	err := apiclient.Follow(ctx, maxPages, path, a.get, func(items []json.RawMessage) (bool, error) {
		n++
		return page(items), nil
	})
	return n, err
}

// listed reads a list whose pages are objects that hold it under a name, to its end.
func (a *api) listed(ctx context.Context, path, name string, item func(json.RawMessage)) error {
	return apiclient.Walk(ctx, maxPages, func(ctx context.Context, cursor string) (string, error) {
		page := map[string]json.RawMessage{}
		resp, err := a.get(ctx, firstOf(cursor, path+"?per_page="+pageSize), &page)
		if err != nil {
			return "", err
		}
		var items []json.RawMessage
		if err := json.Unmarshal(page[name], &items); err != nil || items == nil {
			return "", lacking(path, name)
		}
		for _, i := range items {
			item(i)
		}
		return resp.Next, nil
	})
}

// queryError is one of the errors that GraphQL reports beside the data, with HTTP status 200.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

// graphql sends a query. Partial data comes with the errors that say what is missing; data is then to be used with care.
func (a *api) graphql(ctx context.Context, query string, variables map[string]any, data any) ([]queryError, error) {
	// The sibling of /api/v3 on a GitHub Enterprise Server is /api/graphql; elsewhere ".." ends at the root.
	req, err := a.maker.NewRequest(http.MethodPost, "../graphql", map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	answer := struct {
		Data   json.RawMessage `json:"data"`
		Errors []queryError    `json:"errors"`
	}{}
	if _, err := a.client.Send(req.WithContext(ctx), &answer); err != nil {
		return nil, err
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return answer.Errors, queryFailure(answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the answer to a GraphQL query: %w", err)}
	}
	for _, e := range answer.Errors {
		if e.Type == "RATE_LIMITED" {
			return nil, queryFailure([]queryError{e})
		}
	}
	return answer.Errors, nil
}

// queryFailure classifies errors that left nothing to use.
func queryFailure(list []queryError) error {
	if len(list) == 0 {
		return &record.Error{Reason: record.ReasonDecode, Err: errors.New("GraphQL answered with neither data nor errors")}
	}
	e := list[0]
	reason := record.ReasonRejected
	switch {
	case e.Type == "RATE_LIMITED" || strings.Contains(strings.ToLower(e.Message), "rate limit"):
		reason = record.ReasonRateLimited
	case e.Type == "NOT_FOUND":
		reason = record.ReasonNotFound
	case e.Type == "FORBIDDEN" || e.Type == "INSUFFICIENT_SCOPES":
		reason = record.ReasonPermission
	case strings.Contains(e.Message, "Something went wrong") || strings.Contains(strings.ToLower(e.Message), "timeout"):
		reason = record.ReasonServer
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("GraphQL: %s", record.Text(e.Type+" "+e.Message))}
}

// scopeError says what a failure means for a scope that needs a permission.
func scopeError(err error, permission string) error {
	e, ok := errors.AsType[*record.Error](err)
	if !ok {
		return err
	}
	if e.Reason != record.ReasonPermission && e.Reason != record.ReasonNotFound {
		return err
	}
	result := *e
	if featureOff(e.Error()) {
		result.Reason, result.Permission = record.ReasonFeatureOff, ""
		return &result
	}
	// GitHub answers 404, too, where a credential may not look.
	result.Reason = record.ReasonPermission
	if result.Permission == "" {
		result.Permission = permission
	}
	return &result
}

// featureOff recognises the ways in which GitHub says that a feature is switched off.
func featureOff(message string) bool {
	message = strings.ToLower(message)
	for _, phrase := range []string{"not enabled", "must be enabled", "is disabled", "are disabled", "not available for this", "no analysis found"} {
		if strings.Contains(message, phrase) {
			return true
		}
	}
	return false
}
