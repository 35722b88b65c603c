package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	perPage = 100
	// totalHeader says how many items a list has.
	totalHeader = "X-Total"
	// firstPage is how many nodes a query asks for at first. GitLab bounds the complexity of a query, which grows with it.
	firstPage = 100
)

// api is the instance's REST and GraphQL API, with the requests of a collection counted for the forecast.
type api struct {
	client *apiclient.Client

	mu      sync.Mutex
	running int
	last    int
}

// begin starts the count of a collection; the returned function ends it.
func (a *api) begin() (end func()) {
	a.mu.Lock()
	a.running = 0
	a.mu.Unlock()
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.last = a.running
	}
}

func (a *api) count() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running++
}

func (a *api) perHour(interval time.Duration, guess int) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	requests := a.last
	if requests == 0 {
		requests = guess
	}
	if interval <= 0 {
		return float64(requests)
	}
	return float64(requests) * float64(time.Hour) / float64(interval)
}

// get reads an answer of the REST API. The path is relative to its version 4. Errors are *record.Error.
func (a *api) get(ctx context.Context, path string, query url.Values, out any) (*apiclient.Response, error) {
	a.count()
	return a.client.Do(ctx, http.MethodGet, "api/v4/"+path, query, nil, out)
}

// list reads all pages of a list of the REST API, which name the next page in the header Link. A list that repeats an item, or that is shorter at a later page
// than at one before, is truncated: items moved between its pages, where nobody saw them.
func (a *api) list(ctx context.Context, path string, query url.Values, each func(json.RawMessage) error) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("per_page", strconv.Itoa(perPage))
	first := a.client.BaseURL() + "/api/v4/" + path + "?" + query.Encode()
	total := 0
	get := func(ctx context.Context, address string, out any) (*apiclient.Response, error) {
		a.count()
		resp, err := a.client.Do(ctx, http.MethodGet, address, nil, nil, out)
		if err != nil {
			return nil, err
		}
		// GitLab leaves the count out of long lists.
		if now, err := strconv.Atoi(resp.Header.Get(totalHeader)); err == nil {
			if now < total {
				return nil, &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%s shrank from %d to %d items while it was read", path, total, now)}
			}
			total = now
		}
		return resp, nil
	}
	return apiclient.Follow(ctx, 0, first, get, func(items []json.RawMessage) (bool, error) {
		for _, item := range items {
			if err := each(item); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// graphQLAnswer is an answer of the GraphQL API. GitLab answers errors with status 200.
type graphQLAnswer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// queryError is what GitLab says about a query.
type queryError struct{ message string }

func (e *queryError) Error() string { return record.Text(e.message) }

var (
	unknownField = regexp.MustCompile(`Field '(\w+)' doesn't exist on type`)
	tooComplex   = regexp.MustCompile(`(?i)complexity|timed? ?out|timeout`)
)

// query sends a query and decodes its data. An answer with errors is an error: what it holds beside them is half an answer.
func (a *api) query(ctx context.Context, text string, variables map[string]any, out any) error {
	a.count()
	var answer graphQLAnswer
	body := map[string]any{"query": text, "variables": variables}
	if _, err := a.client.Do(ctx, http.MethodPost, "api/graphql", nil, body, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		messages := make([]string, 0, len(answer.Errors))
		for _, e := range answer.Errors {
			messages = append(messages, e.Message)
		}
		text := strings.Join(messages, "; ")
		reason := record.ReasonRejected
		if strings.Contains(text, "permission") || strings.Contains(text, "not authorized") {
			reason = record.ReasonPermission
		}
		return &record.Error{Reason: reason, Err: fmt.Errorf("GraphQL: %w", &queryError{text})}
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return &record.Error{Reason: record.ReasonDecode, Err: errors.New("GraphQL: the answer has no data")}
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("GraphQL: %w", err)}
	}
	return nil
}

// missingField is the field of a query that this version of GitLab does not have, empty for other errors.
func missingField(err error) string {
	if q, ok := errors.AsType[*queryError](err); ok {
		if m := unknownField.FindStringSubmatch(q.message); m != nil {
			return m[1]
		}
	}
	return ""
}

// tooHeavy reports whether a query may succeed when it asks for less.
func tooHeavy(err error) bool {
	if q, ok := errors.AsType[*queryError](err); ok {
		return tooComplex.MatchString(q.message)
	}
	return record.ReasonOf(err) == record.ReasonServer
}

// unread reports whether an answer will be the same tomorrow: the credential may not read it, or the instance's tier lacks it. GitLab answers 404 for both.
func unread(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonPermission, record.ReasonNotFound, record.ReasonFeatureOff:
		return true
	default:
		return false
	}
}

// needs names the permission that a refused request lacked.
func needs(err error, permission string) error { return translate.Needs(err, permission) }

// segment escapes a path of a group or project for use in an address.
func segment(path string) string { return url.PathEscape(path) }

// numbered is the path of a project's resource.
func numbered(id int64, resource string) string {
	return "projects/" + strconv.FormatInt(id, 10) + "/" + resource
}
