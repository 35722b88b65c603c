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
	message := strings.ToLower(e.Message)
	reason := record.ReasonRejected
	switch {
	case e.Type == "RATE_LIMITED" || strings.Contains(message, "rate limit"):
		reason = record.ReasonRateLimited
	case e.tooHeavy():
		reason = record.ReasonServer
	case e.Type == "NOT_FOUND":
		reason = record.ReasonNotFound
	case e.Type == "FORBIDDEN" || e.Type == "INSUFFICIENT_SCOPES" || e.Type == "SAML_FORBIDDEN":
		reason = record.ReasonPermission
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("GraphQL: %s", record.Text(e.Type+" "+e.Message))}
}

// tooHeavy reports whether the error says that the query was too much for the server, as a whole or in part.
func (e QueryError) tooHeavy() bool {
	message := strings.ToLower(e.Message)
	switch e.Type {
	case "RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT":
		return true
	default:
		return strings.Contains(message, "something went wrong") || strings.Contains(message, "timeout") || strings.Contains(message, "timedout") ||
			strings.Contains(message, "resource limits")
	}
}

// HeavyPart is the first of the errors beside partial data that says that the query was too much for the server; nil if there is none. A smaller query may then
// be answered whole.
func HeavyPart(failures []QueryError) error {
	for _, f := range failures {
		if f.tooHeavy() {
			return QueryFailure([]QueryError{f})
		}
	}
	return nil
}

// Halved asks about the items of a list in as few queries as the server can cope with: first size of them at once, and half as many each time a query is
// too heavy. Heavy are the items that are too heavy alone, with the last cause; the others are asked about all the same. The error is any other failure, and that
// of MaxRefusals items in a row that are too heavy with none that was answered: then it is the server that fails.
func Halved[T any](ctx context.Context, list []T, size int, ask func(context.Context, []T) error) (heavy []T, cause, err error) {
	answered := false
	for len(list) > 0 {
		n := min(size, len(list))
		err := ask(ctx, list[:n])
		switch {
		case err == nil:
			answered = true
		case ctx.Err() != nil || !TooHeavy(err):
			return heavy, cause, err
		case n > 1:
			size = n / 2
			continue
		default:
			heavy, cause = append(heavy, list[0]), err
			if !answered && len(heavy) >= MaxRefusals {
				return heavy, cause, err
			}
		}
		list = list[n:]
	}
	return heavy, cause, nil
}
