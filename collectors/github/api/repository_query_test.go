package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestPagesAreHalvedWhenTheServerCannotCope(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusGatewayTimeout} {
		c, s, _ := githubtest.Setup(t, nil)
		var sizes []int
		pages := githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef), githubtest.ProtectionNode("web", githubtest.BareRef))
		s.Handle("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
			var q struct{ Variables struct{ First int } }
			body := new(strings.Builder)
			if err := json.NewDecoder(teeBody(r, body)).Decode(&q); err != nil {
				t.Error(err)
			}
			sizes = append(sizes, q.Variables.First)
			if q.Variables.First > 12 {
				w.WriteHeader(status)
				return
			}
			r.Body = newBody(body.String())
			pages(w, r)
		})
		b := githubtest.Scope(t, c, "protection:acme")
		if b.Err != nil || len(b.Repositories) != 2 || fmt.Sprint(sizes) != "[50 25 12 12]" {
			t.Errorf("status %d: %d repositories by pages of %v, error %v; want 2 by [50 25 12 12]", status, len(b.Repositories), sizes, b.Err)
		}
	}
}

func TestGraphQLFailures(t *testing.T) {
	tests := []struct {
		name, answer string
		want         record.ErrorReason
	}{
		{"rate limited", `{"data":null,"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, record.ReasonRateLimited},
		{"rate limited with data", `{"data":{"organization":null},"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, record.ReasonRateLimited},
		{"rate limited in the middle", `{"data":{"organization":{"repositories":{"nodes":[` + githubtest.ProtectionNode("api", githubtest.BareRef) + `]}}},` +
			`"errors":[{"type":"FORBIDDEN","path":["organization","repositories","nodes",0],"message":"no"},{"type":"RATE_LIMITED","path":["organization","repositories","nodes",0],"message":"API rate limit exceeded"}]}`, record.ReasonRateLimited},
		{"secondary limit", `{"data":null,"errors":[{"message":"You have exceeded a secondary rate limit."}]}`, record.ReasonRateLimited},
		{"no such organisation", `{"data":{"organization":null},"errors":[{"type":"NOT_FOUND","path":["organization"],"message":"Could not resolve"}]}`, record.ReasonPermission},
		{"forbidden", `{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","path":["organization"],"message":"SSO"}]}`, record.ReasonPermission},
		{"wrong query", `{"errors":[{"message":"Field 'x' doesn't exist"}]}`, record.ReasonRejected},
		{"timeout", `{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}`, record.ReasonServer},
		{"neither data nor errors", `{}`, record.ReasonDecode},
		{"organisation is missing", `{"data":{}}`, record.ReasonDecode},
		{"an error that concerns no repository", `{"data":{"organization":{"repositories":{"nodes":[]}}},"errors":[{"type":"FORBIDDEN","path":["organization","repositories"],"message":"no"}]}`, record.ReasonPermission},
		{"further page without cursor", `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":true},"nodes":[]}}}}`, record.ReasonTruncated},
		{"data of another shape", `{"data":{"organization":[]}}`, record.ReasonDecode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s, _ := githubtest.Setup(t, nil)
			s.JSON("POST /graphql", tt.answer)
			if b := githubtest.Scope(t, c, "protection:acme"); record.ReasonOf(b.Err) != tt.want || b.Err == nil {
				t.Errorf("error = %v, want %s", b.Err, tt.want)
			}
		})
	}
}
