// Package api is the client of GitHub's REST and GraphQL APIs: addresses, credentials, pages, queries over all repositories of an organisation, what a
// failure means (a missing permission, a feature that is off, a query that is too heavy), and the JSON values that answers share.
//
// It knows nothing of what is collected: no scopes, no configuration but the credential's, no state but what was refused (Questions) and which unknown values
// were logged. It imports nothing of collectors/github.
//
// To read one more address, call Get, Pages or List with its path; to read one more GraphQL query over an organisation, declare a RepositoryQuery. A further
// way in which GitHub says that something is refused belongs into errors.go, with a case in its test.
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const (
	mediaType = "application/vnd.github+json"
	// PageSize is the number of items asked for in each page of REST: the largest that GitHub serves.
	PageSize = "100"
	// MaxPages bounds one list: 200,000 items of one kind in one organisation.
	MaxPages = 2000
)

// Client sends requests that go-github made through the shared client. The library's own Do is not used: it keeps budgets by path instead of by the
// header X-RateLimit-Resource and then refuses requests that GitHub would answer.
type Client struct {
	client *apiclient.Client
	maker  *github.Client
	base   *url.URL
	logger *slog.Logger

	// Selected leaves repositories out of the walks over those of an organisation; nil takes all. It is set before the first of them.
	Selected func(name record.RepositoryName, fullName string) error

	mu sync.Mutex
	// rest is what is left of the budget of REST, as the last answer said.
	rest restBudget
	// spent counts the requests of REST that count against the budget.
	spent int
	// unknown are the values that were logged as unknown.
	unknown map[string]bool
}

// New builds a client. Either the token or the App is set. The error says what is wrong with the address or the App's private key.
func New(address string, token apiclient.Secret, app App, env collectors.Env) (*Client, error) {
	base, err := baseURL(address)
	if err != nil {
		return nil, err
	}
	auth := apiclient.Bearer(token)
	if app != (App{}) {
		auth = appAuth(app, base)
	}
	return newClient(base, auth, env)
}

// NewApp builds a client that signs in as the App itself, to list its installations.
func NewApp(address string, app App, env collectors.Env) (*Client, error) {
	base, err := baseURL(address)
	if err != nil {
		return nil, err
	}
	return newClient(base, ownAuth(app, base), env)
}

func newClient(base *url.URL, auth apiclient.Auth, env collectors.Env) (*Client, error) {
	// GitHub documents redirects within its host for what was renamed or transferred.
	client, err := env.Client(apiclient.Options{BaseURL: base.String(), Auth: auth, Concurrency: 1, Resource: resource, FollowRedirects: true})
	if err != nil {
		return nil, err
	}
	maker := github.NewClient(client.HTTP())
	maker.BaseURL = base.JoinPath("/")
	maker.UserAgent = "prodsec_exporter"
	return &Client{client: client, maker: maker, base: base, logger: env.Logger, unknown: map[string]bool{}}, nil
}

// EnterpriseServer reports whether the API is that of a GitHub Enterprise Server.
func (c *Client) EnterpriseServer() bool { return strings.HasSuffix(c.base.Path, "/api/v3") }

// Get reads one address: a path below the base, or a link that GitHub gave. The error wraps a *record.Error.
func (c *Client) Get(ctx context.Context, address string, out any) (*apiclient.Response, error) {
	return c.send(ctx, http.MethodGet, address, nil, out)
}

// Post sends a body to a path that answers a question and changes nothing.
func (c *Client) Post(ctx context.Context, path string, body, out any) (*apiclient.Response, error) {
	return c.send(ctx, http.MethodPost, path, body, out)
}

func (c *Client) send(ctx context.Context, method, address string, body, out any) (*apiclient.Response, error) {
	req, err := c.maker.NewRequest(method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", mediaType)
	resp, err := c.client.Send(req.WithContext(ctx), out)
	if resp != nil {
		c.noteAnswer(resp)
	}
	return resp, err
}

// Pages reads a list to its end, or until page wants no more, and returns how many pages there were.
func (c *Client) Pages(ctx context.Context, path string, query url.Values, page func([]json.RawMessage) (more bool)) (int, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	n := 0
	err := apiclient.Follow(ctx, MaxPages, path, c.Get, func(items []json.RawMessage) (bool, error) {
		n++
		return page(items), nil
	})
	return n, err
}

// List reads a list whose pages are objects that hold it under a name, to its end.
func (c *Client) List(ctx context.Context, path, name string, item func(json.RawMessage)) error {
	var repeats apiclient.Repeats
	return apiclient.Walk(ctx, MaxPages, func(ctx context.Context, cursor string) (string, error) {
		page := map[string]json.RawMessage{}
		resp, err := c.Get(ctx, cmp.Or(cursor, path+"?per_page="+PageSize), &page)
		if err != nil {
			return "", err
		}
		var items []json.RawMessage
		if err := json.Unmarshal(page[name], &items); err != nil || items == nil {
			return "", MissingField(path, name)
		}
		repeats.See(items)
		for _, i := range items {
			item(i)
		}
		if resp.Next == "" {
			return "", repeats.Err()
		}
		return resp.Next, nil
	})
}

// Probe asks for one item of a list, to learn whether the credential may read it.
func (c *Client) Probe(ctx context.Context, path string, more url.Values, permission string) error {
	query := url.Values{"per_page": {"1"}}
	for key, values := range more {
		query[key] = values
	}
	var items []json.RawMessage
	_, err := c.Get(ctx, path+"?"+query.Encode(), &items)
	if permission == "" {
		return err
	}
	return ScopeError(err, permission)
}

// ProbeList asks for one item of a list that an object holds under a name.
func (c *Client) ProbeList(ctx context.Context, path, name, permission string) error {
	page := map[string]json.RawMessage{}
	if _, err := c.Get(ctx, path+"?per_page=1", &page); err != nil {
		return ScopeError(err, permission)
	}
	if page[name] == nil {
		return MissingField(path, name)
	}
	return nil
}

// UnknownValue logs a value of an enumeration that is not known here, once.
func (c *Client) UnknownValue(field, value string) {
	value = record.Text(value)
	c.mu.Lock()
	known := c.unknown[field+"\x00"+value]
	if len(c.unknown) < 1000 {
		c.unknown[field+"\x00"+value] = true
	}
	c.mu.Unlock()
	if !known {
		c.logger.Warn("GitHub uses a value that is not known here", "field", field, "value", value)
	}
}

// restBudget is what an answer said about the budget of REST.
type restBudget struct {
	limit, remaining int
	reset            time.Time
}

// noteAnswer counts a request of REST, unless nothing had changed, for which GitHub charges nothing, and keeps what the answer says about the budget.
func (c *Client) noteAnswer(resp *apiclient.Response) {
	if !resp.NotModified {
		c.mu.Lock()
		c.spent++
		c.mu.Unlock()
	}
	c.noteBudget(resp.Header)
}

// noteBudget keeps what an answer says about the budget of REST.
func (c *Client) noteBudget(h http.Header) {
	if resource := h.Get("X-RateLimit-Resource"); resource != "" && resource != "core" {
		return
	}
	limit, limitErr := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, remainingErr := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, resetErr := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if limitErr != nil || remainingErr != nil || resetErr != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = restBudget{limit, remaining, time.Unix(reset, 0)}
}
