package protection_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	unseen.MissingPermission, unseen.BranchPolicy = "actions=read", githubtest.Unknown // which branches the policy lets in only REST says
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

// TestBranchPoliciesThatRestrictNothing: "protected branches only" where no branch is protected, and a pattern that matches every branch, let every branch be deployed.
func TestBranchPoliciesThatRestrictNothing(t *testing.T) {
	const protected, custom = `{"protected_branches":true,"custom_branch_policies":false}`, `{"protected_branches":false,"custom_branch_policies":true}`
	policies := func(patterns ...string) string {
		var list []string
		for _, p := range patterns {
			kind, name, ok := strings.Cut(p, ":")
			if !ok {
				kind, name = "branch", p
			}
			list = append(list, fmt.Sprintf(`{"name":%q,"type":%q}`, name, kind))
		}
		return fmt.Sprintf(`{"total_count":%d,"branch_policies":[%s]}`, len(list), strings.Join(list, ","))
	}
	for _, tt := range []struct {
		name, policy, branches, patterns string
		want                             record.Answer
	}{
		{"any branch", `null`, `[]`, "", githubtest.No},
		{"protected ones, and one is", protected, `[{"name":"main"}]`, "", githubtest.Yes},
		{"protected ones, and none is", protected, `[]`, "", githubtest.No},
		{"protected ones, and nobody answers", protected, "", "", githubtest.Unknown},
		{"patterns", custom, "", policies("main", "release/*"), githubtest.Yes},
		{"every branch by a pattern", custom, "", policies("main", "*"), githubtest.No},
		{"every branch by another", custom, "", policies("**/*"), githubtest.No},
		{"every tag", custom, "", policies("main", "tag:*"), githubtest.Yes},
		{"no branch", custom, "", policies(), githubtest.Yes},
		{"patterns that nobody shows", custom, "", "", githubtest.Unknown},
	} {
		batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/environments", `{"environments":[{"name":"production","can_admins_bypass":false,"deployment_branch_policy":`+tt.policy+`,"protection_rules":[{"type":"branch_policy"}]}]}`)
			for path, answer := range map[string]string{"branches": tt.branches, "environments/production/deployment-branch-policies": tt.patterns} {
				if answer == "" {
					s.Handle("GET /repos/Acme/api/"+path, githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
					continue
				}
				s.JSON("GET /repos/Acme/api/"+path, answer)
			}
		})
		b := batches["environments:acme"]
		if b.Err != nil || len(b.Repositories[0].Environments) != 1 {
			t.Fatalf("%s: %+v", tt.name, b)
		}
		want := tt.want
		if tt.policy == `null` {
			want = githubtest.No
		}
		if got := b.Repositories[0].Environments[0].BranchPolicy; got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

// TestOneRefusalOfEnvironmentsHidesNoOther, and what was refused is asked again after a pause, not after a full interval.
func TestOneRefusalOfEnvironmentsHidesNoOther(t *testing.T) {
	for _, code := range []int{http.StatusForbidden, http.StatusUnavailableForLegalReasons, http.StatusInternalServerError} {
		refuse := true
		_, c, s, clock := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
			s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
				"query Environments(": githubtest.Pages(githubtest.EnvironmentNode("api", "null", githubtest.OneEnvironment), githubtest.EnvironmentNode("web", "null", githubtest.OneEnvironment)),
			}))
			s.JSON("GET /repos/Acme/web/environments", githubtest.RESTEnvironments)
			s.JSON("GET /repos/Acme/web/branches", `[{"name":"main"}]`)
			s.Handle("GET /repos/Acme/api/environments", func(w http.ResponseWriter, r *http.Request) {
				if refuse {
					githubtest.Refused(code, "no")(w, r)
					return
				}
				collectorstest.WriteJSON(w, githubtest.RESTEnvironments)
			})
		})
		bound := func() [2]record.Answer {
			t.Helper()
			b := githubtest.Scope(t, c, "environments:acme")
			if b.Err != nil || len(b.Repositories) != 2 {
				t.Fatalf("%d: %+v", code, b)
			}
			api, web := b.Repositories[0].Environments[0], b.Repositories[1].Environments[0]
			if api.MissingPermission != "" {
				t.Errorf("%d: the permission %q is named although another repository answers", code, api.MissingPermission)
			}
			return [2]record.Answer{api.AdminsBound, web.AdminsBound}
		}
		if got := bound(); got != [2]record.Answer{githubtest.Unknown, githubtest.Yes} {
			t.Errorf("%d: %q, want the second repository known", code, got)
		}
		refuse = false
		s.Forget()
		if err := clock.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := bound(); got != [2]record.Answer{githubtest.Yes, githubtest.Yes} {
			t.Errorf("%d: %q an hour after it was granted", code, got)
		}
	}
}
