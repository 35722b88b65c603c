package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const (
	pageSize = 100
	// longestQuery is what is sent in an address; a longer one goes into a body.
	longestQuery = 1500
	// overlap repeats the last minutes: JQL counts in minutes, and Cloud finds new values late.
	overlap = 75 * time.Minute
	// blindOverlap is used where the user's time zone is unknown: zones reach from 12 hours behind UTC to 14 ahead of it.
	blindOverlap = 26 * time.Hour
)

var orderClause = regexp.MustCompile(`(?is)\border\s+by\b[^"']*$`)

func withoutOrder(jql string) string { return strings.TrimSpace(orderClause.ReplaceAllString(jql, "")) }

// restricted joins a query and a condition, and sorts by key so that pages do not shift.
func restricted(jql, condition string) string {
	jql = withoutOrder(jql)
	if condition != "" {
		jql = "(" + jql + ") AND " + condition
	}
	return jql + " ORDER BY key ASC"
}

// updatedSince narrows a query to what was updated since an instant, in the user's time zone. A reading of the clock that exists twice, as when summer ends, is not
// written: Jira may take it for the later one.
func updatedSince(jql string, since time.Time, zone *time.Location) string {
	if zone == nil {
		zone, since = time.UTC, since.Add(-blindOverlap)
	} else {
		since = since.Add(-overlap)
	}
	since = since.In(zone)
	for ambiguous(since) {
		since = since.Add(-15 * time.Minute)
	}
	return restricted(jql, `updated >= "`+since.Format("2006-01-02 15:04")+`"`)
}

// ambiguous reports whether the clock on the wall shows at another instant, too, what it shows at t.
func ambiguous(t time.Time) bool {
	_, offset := t.Zone()
	// again is the instant at which a clock with another offset shows the same.
	again := func(inOther time.Time) time.Time {
		_, other := inOther.In(t.Location()).Zone()
		return t.Add(time.Duration(offset-other) * time.Second)
	}
	start, end := t.ZoneBounds()
	return !start.IsZero() && again(start.Add(-time.Second)).Before(start) || !end.IsZero() && !again(end).Before(end)
}

// asked are the fields of every issue that are read, besides those of the mapping.
var asked = []string{"summary", "status", "resolution", "created", "updated", "resolutiondate"}

func fieldList(r resolved) []string {
	all := slices.Clone(asked)
	for _, id := range r {
		all = append(all, id)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// search returns all issues of a query, undecoded.
func (c *Collector) search(ctx context.Context, s *session, jql string, r resolved) ([]json.RawMessage, error) {
	if !orderClause.MatchString(jql) || !strings.HasSuffix(jql, "ORDER BY key ASC") {
		jql = restricted(jql, "")
	}
	read := c.searchDataCenter
	if s.cloud {
		read = c.searchCloud
	}
	issues, err := read(ctx, jql, fieldList(r))
	if err != nil {
		return nil, err
	}
	var repeats apiclient.Repeats
	repeats.See(issues)
	return issues, repeats.Err()
}

// searchCloud follows page tokens. The number of issues in a page says nothing: the server may give fewer than asked for.
func (c *Collector) searchCloud(ctx context.Context, jql string, fields []string) ([]json.RawMessage, error) {
	var issues []json.RawMessage
	err := apiclient.Walk(ctx, 0, func(ctx context.Context, token string) (string, error) {
		var page struct {
			Issues        []json.RawMessage `json:"issues"`
			NextPageToken string            `json:"nextPageToken"`
			IsLast        *bool             `json:"isLast"`
		}
		if err := c.cloudPage(ctx, jql, fields, token, pageSize, &page); err != nil {
			return "", err
		}
		if page.Issues == nil { // a present but empty list is not nil
			return "", &record.Error{Reason: record.ReasonDecode, Err: errors.New("the answer has no list of issues, which is not the empty list")}
		}
		issues = append(issues, page.Issues...)
		switch {
		case page.IsLast != nil && *page.IsLast:
			return "", nil
		case page.IsLast != nil && page.NextPageToken == "":
			return "", &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("after %d issues there is more, but no token for it", len(issues))}
		default:
			return page.NextPageToken, nil
		}
	})
	return issues, err
}

func (c *Collector) cloudPage(ctx context.Context, jql string, fields []string, token string, size int, out any) error {
	const path = "rest/api/3/search/jql"
	if len(jql) > longestQuery {
		body := map[string]any{"jql": jql, "fields": fields, "maxResults": size}
		if token != "" {
			body["nextPageToken"] = token
		}
		return c.send(apiclient.Idempotent(ctx), http.MethodPost, path, body, out)
	}
	query := url.Values{"jql": {jql}, "fields": {strings.Join(fields, ",")}, "maxResults": {strconv.Itoa(size)}}
	if token != "" {
		query.Set("nextPageToken", token)
	}
	return c.get(ctx, path, query, out)
}

// searchDataCenter counts through the pages. The server may lower the page size, so the next page starts after what
// came; an empty page before the total, or a total that falls, means that the result is not whole.
func (c *Collector) searchDataCenter(ctx context.Context, jql string, fields []string) ([]json.RawMessage, error) {
	var issues []json.RawMessage
	truncated := func(format string, args ...any) error {
		return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf(format, args...)}
	}
	total := -1
	for range apiclient.DefaultMaxPages {
		var page struct {
			Issues []json.RawMessage `json:"issues"`
			Total  *int              `json:"total"`
		}
		if err := c.dataCenterPage(ctx, jql, fields, len(issues), pageSize, &page); err != nil {
			return nil, err
		}
		if page.Total == nil {
			return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer has no total; is this Jira Cloud? Set deployment: cloud")}
		}
		if *page.Total < total {
			return nil, truncated("the result shrank from %d to %d issues while it was read", total, *page.Total)
		}
		total = *page.Total
		issues = append(issues, page.Issues...)
		if len(issues) >= total {
			return issues, nil
		}
		if len(page.Issues) == 0 {
			return nil, truncated("the server ended after %d of %d issues", len(issues), total)
		}
	}
	return nil, truncated("more than %d pages", apiclient.DefaultMaxPages)
}

func (c *Collector) dataCenterPage(ctx context.Context, jql string, fields []string, from, size int, out any) error {
	const path = "rest/api/2/search"
	if len(jql) > longestQuery {
		body := map[string]any{"jql": jql, "fields": fields, "startAt": from, "maxResults": size, "expand": []string{"changelog"}}
		return c.send(apiclient.Idempotent(ctx), http.MethodPost, path, body, out)
	}
	return c.get(ctx, path, url.Values{
		"jql": {jql}, "fields": {strings.Join(fields, ",")}, "startAt": {strconv.Itoa(from)}, "maxResults": {strconv.Itoa(size)}, "expand": {"changelog"},
	}, out)
}
