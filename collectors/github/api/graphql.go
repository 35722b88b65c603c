package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"prodsec_exporter/internal/record"
)

// QueryError is one of the errors that GraphQL reports beside the data, with HTTP status 200.
type QueryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

// PageInfo is where a page of a GraphQL connection ends.
type PageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// Next is the cursor of the page that follows, empty after the last one.
func (p PageInfo) Next() (string, error) {
	if p.HasNextPage && p.EndCursor == "" {
		return "", &record.Error{Reason: record.ReasonTruncated, Err: errors.New("GraphQL announces a further page without a cursor")}
	}
	if !p.HasNextPage {
		return "", nil
	}
	return p.EndCursor, nil
}

// GraphQL sends a query. Partial data comes with the errors that say what is missing; data is then to be used with care.
func (c *Client) GraphQL(ctx context.Context, query string, variables map[string]any, data any) ([]QueryError, error) {
	// The sibling of /api/v3 on a GitHub Enterprise Server is /api/graphql; elsewhere ".." ends at the root.
	req, err := c.maker.NewRequest(http.MethodPost, "../graphql", map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	answer := struct {
		Data   json.RawMessage `json:"data"`
		Errors []QueryError    `json:"errors"`
	}{}
	if _, err := c.client.Send(req.WithContext(ctx), &answer); err != nil {
		return nil, err
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return answer.Errors, QueryFailure(answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("decode the answer to a GraphQL query: %w", err)}
	}
	for _, e := range answer.Errors {
		if e.Type == "RATE_LIMITED" {
			return nil, QueryFailure([]QueryError{e})
		}
	}
	return answer.Errors, nil
}

// QueryFailure classifies errors that left nothing to use.
func QueryFailure(list []QueryError) error {
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
