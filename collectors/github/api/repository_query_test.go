package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
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

// heavyPages is a GitHub with repositories r0 to r(n-1) that cannot answer for more than a number of them at once, and never for those that heavy names.
func heavyPages(t *testing.T, n, most int, refuse func(w http.ResponseWriter, page string), heavy ...string) (http.HandlerFunc, *[]string) {
	t.Helper()
	asked := []string{}
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query     string
			Variables struct {
				First  int
				Cursor string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		from := 0
		_, _ = fmt.Sscanf(q.Variables.Cursor, "c%d", &from)
		whole := !strings.HasPrefix(q.Query, "query UnreadRepository(")
		if !whole {
			q.Variables.First = 1
		}
		to := min(n, from+q.Variables.First)
		var nodes []string
		refused := whole && q.Variables.First > most
		for i := from; i < to; i++ {
			name := fmt.Sprintf("r%d", i)
			nodes = append(nodes, githubtest.ProtectionNode(name, githubtest.BareRef))
			refused = refused || whole && slices.Contains(heavy, name)
		}
		asked = append(asked, fmt.Sprintf("%d+%d", from, q.Variables.First))
		if refused {
			refuse(w, fmt.Sprintf(`"pageInfo":{"hasNextPage":%t,"endCursor":"c%d"},"nodes":[%s]`, to < n, to, strings.Join(nodes, ",")))
			return
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":%t,"endCursor":"c%d"},"nodes":[%s]}}}}`, to < n, to, strings.Join(nodes, ",")))
	}, &asked
}

// TestHeavyQueriesAreMadeSmaller: in whatever form GitHub says that a query is too much for it, fewer repositories are asked for, down to one; of one that is too heavy alone nothing is
// known, and the others are read.
func TestHeavyQueriesAreMadeSmaller(t *testing.T) {
	const limits = `{"type":"RESOURCE_LIMITS_EXCEEDED","path":["organization","repositories"%s],"message":"Resource limits for this query exceeded."}`
	for name, refuse := range map[string]func(w http.ResponseWriter, page string){
		"502": func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusBadGateway) },
		"limits, nothing": func(w http.ResponseWriter, _ string) {
			collectorstest.WriteJSON(w, `{"data":{"organization":null},"errors":[`+fmt.Sprintf(limits, "")+`]}`)
		},
		"limits, no data": func(w http.ResponseWriter, _ string) {
			collectorstest.WriteJSON(w, `{"data":null,"errors":[`+fmt.Sprintf(limits, "")+`]}`)
		},
		"limits, in part": func(w http.ResponseWriter, page string) {
			collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{`+strings.Replace(page, githubtest.BareRef, "null", 1)+`}}},"errors":[`+
				fmt.Sprintf(limits, `,"nodes",0,"defaultBranchRef"`)+`]}`)
		},
		"timeout": func(w http.ResponseWriter, _ string) {
			collectorstest.WriteJSON(w, `{"data":null,"errors":[{"message":"Timeout on validation of query"}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s, _ := githubtest.Setup(t, nil)
			handler, asked := heavyPages(t, 30, 12, refuse)
			s.Handle("POST /graphql", handler)
			b := githubtest.Scope(t, c, "protection:acme")
			if b.Err != nil || len(b.Repositories) != 30 || b.Repositories[29].DefaultBranch != "main" {
				t.Errorf("%d repositories, error %v; want all 30 (%v)", len(b.Repositories), b.Err, *asked)
			}
			handler, asked = heavyPages(t, 5, 50, refuse, "r2")
			s.Handle("POST /graphql", handler)
			if b = githubtest.Scope(t, c, "protection:acme"); b.Err != nil || len(b.Repositories) != 5 {
				t.Fatalf("%d repositories, error %v; want all 5, of which one is unknown (%v)", len(b.Repositories), b.Err, *asked)
			}
			if r := b.Repositories[2]; len(r.Branches) > 0 && r.Branches[0].PullRequest.Known() {
				t.Errorf("what the server cannot answer is known: %+v", r)
			}
			if r := b.Repositories[3]; len(r.Branches) != 1 || r.Branches[0].PullRequest != record.AnswerNo {
				t.Errorf("the one after it is unknown: %+v", r)
			}
		})
	}
}
