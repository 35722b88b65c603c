package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// requestsKept is how far back GitHub shows requests, and requestsPeriod its word for that.
const (
	requestsKept   = 31 * 24 * time.Hour
	requestsPeriod = "month"
)

// requestList is a list of requests that somebody has to review.
type requestList struct {
	kind, path, permission string
	title                  string
}

// requestLists are those about secrets: to push one past push protection, and to dismiss the alert about one.
var requestLists = []requestList{
	{"bypass", "bypass-requests/secret-scanning", "organization_secret_scanning_bypass_requests=read", "Bypass of push protection"},
	{"dismissal", "dismissal-requests/secret-scanning", "organization_secret_scanning_dismissal_requests=read", "Dismissal of a secret scanning alert"},
}

// reviewRequest is a request as GitHub lists it. Requesters, reviewers and their comments are not read.
type reviewRequest struct {
	Number     int64                `json:"number"`
	Repository inventory.Repository `json:"repository"`
	Status     string               `json:"status"`
	HTMLURL    string               `json:"html_url"`
	CreatedAt  api.Timestamp        `json:"created_at"`
	ExpiresAt  api.Timestamp        `json:"expires_at"`
	Data       []struct {
		SecretType string `json:"secret_type"`
	} `json:"data"`
	Responses []struct {
		CreatedAt api.Timestamp `json:"created_at"`
	} `json:"responses"`
}

// readReviewRequests reads the requests of the last month.
func (c *Collector) readReviewRequests(ctx context.Context, org string, cursor record.Cursor) record.Batch {
	b := record.Batch{Mode: record.Full, Reviews: []record.Review{}, Cursor: c.ReadAt()}
	if last, ok := cursor.Time(); ok && c.Now().Sub(last) < requestsKept {
		b.Mode = record.Delta // which keeps what GitHub does not show any more
	}
	rejected := map[record.RejectReason]int{}
	seen := map[string]bool{}
	// The answer does not say on which host people know the repositories.
	names := map[string]record.RepositoryName{}
	for _, r := range c.inventory.Repositories(org) {
		names[strings.ToLower(r.FullName)] = r.Name
	}
	for _, list := range requestLists {
		query := url.Values{"per_page": {api.PageSize}, "time_period": {requestsPeriod}, "request_status": {"all"}}
		_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/"+list.path, query, func(items []json.RawMessage) bool {
			for _, item := range items {
				r, err := c.review(list, names, item)
				switch {
				case err != nil:
					rejected[api.RejectReasonOf(err)]++
				case !seen[r.ID]:
					seen[r.ID] = true
					b.Reviews = append(b.Reviews, r)
				}
			}
			return true
		})
		if err != nil {
			return record.Batch{Err: api.ScopeError(err, list.permission)}
		}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	return b
}

// review is a request as a review.
func (c *Collector) review(list requestList, names map[string]record.RepositoryName, item json.RawMessage) (record.Review, error) {
	var q reviewRequest
	if err := json.Unmarshal(item, &q); err != nil {
		return record.Review{}, err
	}
	name, err := names[strings.ToLower(q.Repository.FullName)], error(nil)
	if name == "" {
		name, err = c.API.RepositoryName(q.Repository.HTMLURL, q.Repository.FullName)
	}
	switch {
	case err != nil:
		return record.Review{}, api.Reject(record.RejectNoTarget, err)
	case q.Number <= 0:
		return record.Review{}, api.Reject(record.RejectNoID, errors.New("the request has no number"))
	case q.CreatedAt.IsZero():
		return record.Review{}, api.Reject(record.RejectTimestamp, api.ErrTimestamp)
	}
	if err := c.inventory.Selected(name, q.Repository.FullName); err != nil {
		return record.Review{}, err
	}
	r := record.Review{
		ID: list.kind + ":" + strings.ToLower(q.Repository.FullName) + "#" + strconv.FormatInt(q.Number, 10), Kind: record.ReviewOther, Title: list.title, URL: record.Text(q.HTMLURL),
		Repository: name, RequestedAt: q.CreatedAt.Time, UpdatedAt: q.CreatedAt.Time, State: record.ReviewWaiting,
	}
	if len(q.Data) > 0 && q.Data[0].SecretType != "" {
		r.Title = record.Text(list.title + ": " + q.Data[0].SecretType)
	}
	for _, response := range q.Responses {
		at := response.CreatedAt.Time
		if at.IsZero() {
			continue
		}
		if r.FirstResponseAt.IsZero() || at.Before(r.FirstResponseAt) {
			r.FirstResponseAt = at
		}
		if at.After(r.UpdatedAt) {
			r.UpdatedAt = at
		}
	}
	c.reviewState(&r, &q)
	return r, nil
}

// reviewState says where a request stands. One that was withdrawn or ran out has ended without an answer.
func (c *Collector) reviewState(r *record.Review, q *reviewRequest) {
	switch q.Status {
	case "open", "pending":
		return
	case "approved", "denied", "rejected", "completed":
	case "cancelled", "expired", "deleted":
	default:
		c.UnknownValue("status of a request about a secret", q.Status)
		if r.FirstResponseAt.IsZero() {
			return // Nobody has answered, so that it still waits.
		}
	}
	r.State, r.ClosedAt = record.ReviewDone, r.UpdatedAt
	if r.FirstResponseAt.IsZero() && !q.ExpiresAt.IsZero() && !q.ExpiresAt.After(c.Now()) {
		r.ClosedAt = q.ExpiresAt.Time
	}
	if r.ClosedAt.After(r.UpdatedAt) {
		r.UpdatedAt = r.ClosedAt
	}
}
