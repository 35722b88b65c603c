package protection_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// TestEnvironmentsByREST covers what GraphQL does not say and REST may refuse.
func TestEnvironmentsByREST(t *testing.T) {
	protected := record.EnvironmentProtection{
		Environment: "production", RequiredReviewers: githubtest.Yes, SelfReviewPrevented: githubtest.Yes, BranchPolicy: githubtest.Yes, WaitTimer: 30 * time.Minute,
	}
	bound := protected
	bound.AdminsBound = githubtest.Yes
	unseen := protected
	unseen.MissingPermission = "actions=read"
	hidden := `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + githubtest.EnvironmentNode("api", "null", "null") + `]}}},` +
		`"errors":[{"type":"FORBIDDEN","path":["organization","repositories","nodes",0,%q],"message":"no"}]}`
	tests := []struct {
		name, graphql  string
		rest           int
		want           []record.EnvironmentProtection
		codeowners     record.Answer
		secondRequests int
	}{
		{"readable", "", 200, []record.EnvironmentProtection{bound}, githubtest.Yes, 0},
		{"REST refuses", "", 403, []record.EnvironmentProtection{unseen}, githubtest.Yes, 0},
		{"REST finds nothing", "", 404, []record.EnvironmentProtection{unseen}, githubtest.Yes, 0},
		{"GraphQL hides environments", fmt.Sprintf(hidden, "environments"), 200, []record.EnvironmentProtection{bound}, githubtest.No, 0},
		{"both hide them", fmt.Sprintf(hidden, "environments"), 403, nil, githubtest.No, 0},
		{"CODEOWNERS is hidden", fmt.Sprintf(hidden, "codeowners"), 403, nil, githubtest.Unknown, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, c, s, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
				if tt.graphql != "" {
					s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
						"query Protection(":   githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)),
						"query Environments(": func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, tt.graphql) },
					}))
				}
				s.Handle("GET /repos/Acme/api/environments", func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(tt.rest)
					collectorstest.WriteJSON(w, githubtest.RESTEnvironments)
				})
			})
			got := batches["environments:acme"]
			if got.Err != nil || len(got.Repositories) == 0 {
				t.Fatalf("%+v", got)
			}
			if diff := cmp.Diff(tt.want, got.Repositories[0].Environments); diff != "" {
				t.Errorf("environments (-want +got):\n%s", diff)
			}
			if a := got.Repositories[0].Settings[inventory.SettingCodeowners]; a != tt.codeowners {
				t.Errorf("codeowners is %q, want %q", a, tt.codeowners)
			}
			s.Forget()
			if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
				t.Fatal(err)
			}
			if n := len(slices.DeleteFunc(s.Requests(), func(r collectorstest.Request) bool { return r.Path != "/repos/Acme/api/environments" })); n != 0 {
				t.Errorf("%d requests for environments within the full interval, want none", n)
			}
		})
	}
}
