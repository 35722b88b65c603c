package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

const (
	yes     = record.AnswerYes
	no      = record.AnswerNo
	unknown = record.AnswerUnknown
)

// nothing is the protection of a branch without any.
func nothing() record.BranchProtection {
	return record.BranchProtection{
		Branch: "main", Default: true, PullRequest: no, CodeOwnerReview: no, StaleDismissal: no, StatusChecks: no, ForcePushBlocked: no,
		DeletionBlocked: no, AdminsBound: no, BypassLimited: no, SignedCommits: no, RequiredDeployment: no,
	}
}

func with(change func(*record.BranchProtection)) record.BranchProtection {
	b := nothing()
	change(&b)
	return b
}

func refJSON(update, classic string, rules ...string) string {
	return fmt.Sprintf(`{"name":"main","refUpdateRule":%s,"branchProtectionRule":%s,"rules":{"totalCount":%d,"nodes":[%s]}}`, update, classic, len(rules), strings.Join(rules, ","))
}

func ruleJSON(kind, enforcement string, id int, parameters string) string {
	return fmt.Sprintf(`{"type":%q,"repositoryRuleset":{"databaseId":%d,"enforcement":%q},"parameters":%s}`, kind, id, enforcement, parameters)
}

const (
	classicAll = `{"isAdminEnforced":true,"requiresApprovingReviews":true,"requiredApprovingReviewCount":2,"requiresCodeOwnerReviews":true,` +
		`"dismissesStaleReviews":true,"requiresCommitSignatures":true,"requiresStatusChecks":true,"requiredStatusChecks":[{"context":"ci"}],` +
		`"requiresDeployments":true,"requiredDeploymentEnvironments":["staging"],"allowsForcePushes":false,"allowsDeletions":false,` +
		`"bypassPullRequestAllowances":{"totalCount":0}}`
	updateSome = `{"requiredApprovingReviewCount":1,"requiresCodeOwnerReviews":false,"requiresSignatures":false,"requiredStatusCheckContexts":["ci"],` +
		`"allowsForcePushes":false,"allowsDeletions":false}`
	oneApproval  = `{"__typename":"PullRequestParameters","requiredApprovingReviewCount":1,"requireCodeOwnerReview":true,"dismissStaleReviewsOnPush":false}`
	noApproval   = `{"__typename":"PullRequestParameters","requiredApprovingReviewCount":0,"requireCodeOwnerReview":false,"dismissStaleReviewsOnPush":false}`
	oneCheck     = `{"__typename":"RequiredStatusChecksParameters","requiredStatusChecks":[{"context":"ci"}]}`
	noCheck      = `{"__typename":"RequiredStatusChecksParameters","requiredStatusChecks":[]}`
	hiddenError  = `{"type":"FORBIDDEN","path":["organization","repositories","nodes",0,"defaultBranchRef","branchProtectionRule"],"message":"Resource not accessible by integration"}`
	noActors     = `{"id":1,"bypass_actors":[]}`
	hiddenActors = `{"id":1}`
)

func classic(changes ...string) string {
	text := classicAll
	for i := 0; i < len(changes); i += 2 {
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return text
}

type protectionCase struct {
	name string
	ref  string
	// errors are GraphQL errors; actors is the answer about ruleset 1, 403 if empty.
	errors, actors string
	want           record.BranchProtection
}

func classicCases() []protectionCase {
	full := with(func(b *record.BranchProtection) {
		*b = record.BranchProtection{
			Branch: "main", Default: true, PullRequest: yes, Approvals: 2, CodeOwnerReview: yes, StaleDismissal: yes, StatusChecks: yes,
			ForcePushBlocked: yes, DeletionBlocked: yes, AdminsBound: yes, BypassLimited: yes, SignedCommits: yes, RequiredDeployment: yes,
		}
	})
	change := func(f func(*record.BranchProtection)) record.BranchProtection {
		b := full
		f(&b)
		return b
	}
	return []protectionCase{
		{name: "no protection", ref: bareRef, want: nothing()},
		{name: "classic", ref: refJSON(updateSome, classicAll), want: full},
		{name: "administrators excepted", ref: refJSON("null", classic(`"isAdminEnforced":true`, `"isAdminEnforced":false`)),
			want: change(func(b *record.BranchProtection) { b.AdminsBound, b.BypassLimited = no, no })},
		{name: "somebody may skip the pull request", ref: refJSON("null", classic(`{"totalCount":0}`, `{"totalCount":1}`)),
			want: change(func(b *record.BranchProtection) { b.BypassLimited = no })},
		{name: "zero approvals are none", ref: refJSON("null", classic(`Count":2`, `Count":0`)),
			want: change(func(b *record.BranchProtection) { b.Approvals = 0 })},
		{name: "no reviews at all", ref: refJSON("null", classic(`"requiresApprovingReviews":true`, `"requiresApprovingReviews":false`)),
			want: change(func(b *record.BranchProtection) {
				b.PullRequest, b.Approvals, b.CodeOwnerReview, b.StaleDismissal = no, 0, no, no
			})},
		{name: "checks required but none named", ref: refJSON("null", classic(`[{"context":"ci"}]`, `[]`)),
			want: change(func(b *record.BranchProtection) { b.StatusChecks = no })},
		{name: "checks named but not required", ref: refJSON("null", classic(`"requiresStatusChecks":true`, `"requiresStatusChecks":false`)),
			want: change(func(b *record.BranchProtection) { b.StatusChecks = no })},
		{name: "classic hidden by an error", ref: refJSON("null", "null"), errors: hiddenError, want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: classicPermission,
		}},
		{name: "classic hidden, what everybody sees is left", ref: refJSON(updateSome, "null"), errors: hiddenError, want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: yes, Approvals: 1, CodeOwnerReview: no, StatusChecks: yes, ForcePushBlocked: yes,
			DeletionBlocked: yes, SignedCommits: no, MissingPermission: classicPermission,
		}},
		{name: "classic hidden by null", ref: refJSON(updateSome, "null"), want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: yes, Approvals: 1, CodeOwnerReview: no, StatusChecks: yes, ForcePushBlocked: yes,
			DeletionBlocked: yes, SignedCommits: no, MissingPermission: classicPermission,
		}},
		{name: "the whole branch is hidden", ref: bareRef, errors: strings.Replace(hiddenError, `,"branchProtectionRule"`, "", 1), want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: classicPermission,
		}},
	}
}

func rulesetCases() []protectionCase {
	pull := func(approvals string) string { return ruleJSON("PULL_REQUEST", "ACTIVE", 1, approvals) }
	one := with(func(b *record.BranchProtection) {
		b.PullRequest, b.Approvals, b.CodeOwnerReview, b.AdminsBound, b.BypassLimited = yes, 1, yes, yes, yes
	})
	bypassed := func(admins, limited record.Answer) record.BranchProtection {
		b := one
		b.AdminsBound, b.BypassLimited = admins, limited
		return b
	}
	actor := func(kind, mode, id string) string {
		return fmt.Sprintf(`{"bypass_actors":[{"actor_id":%s,"actor_type":%q,"bypass_mode":%q}]}`, id, kind, mode)
	}
	return []protectionCase{
		{name: "ruleset", ref: refJSON("null", "null", pull(oneApproval)), actors: noActors, want: one},
		{name: "disabled ruleset", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "DISABLED", 1, oneApproval)), actors: noActors, want: nothing()},
		{name: "evaluated ruleset", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "EVALUATE", 1, oneApproval)), actors: noActors, want: nothing()},
		{name: "ruleset without approvals", ref: refJSON("null", "null", pull(noApproval)), actors: noActors, want: with(func(b *record.BranchProtection) {
			b.PullRequest, b.AdminsBound, b.BypassLimited = yes, yes, yes
		})},
		{name: "unknown rule", ref: refJSON("null", "null", ruleJSON("TELEPATHY", "ACTIVE", 1, `{"__typename":"TelepathyParameters"}`), pull(oneApproval)), actors: noActors, want: one},
		{name: "other rules", ref: refJSON("null", "null", ruleJSON("NON_FAST_FORWARD", "ACTIVE", 1, "null"), ruleJSON("DELETION", "ACTIVE", 1, "null"),
			ruleJSON("REQUIRED_SIGNATURES", "ACTIVE", 1, "null"), ruleJSON("REQUIRED_STATUS_CHECKS", "ACTIVE", 1, oneCheck),
			ruleJSON("REQUIRED_DEPLOYMENTS", "ACTIVE", 1, `{"requiredDeploymentEnvironments":["staging"]}`)), actors: noActors,
			want: with(func(b *record.BranchProtection) {
				b.ForcePushBlocked, b.DeletionBlocked, b.SignedCommits, b.StatusChecks, b.RequiredDeployment, b.AdminsBound, b.BypassLimited = yes, yes, yes, yes, yes, yes, yes
			})},
		{name: "checks required but none named", ref: refJSON("null", "null", ruleJSON("REQUIRED_STATUS_CHECKS", "ACTIVE", 1, noCheck)), actors: noActors,
			want: with(func(b *record.BranchProtection) { b.AdminsBound, b.BypassLimited = yes, yes })},
		{name: "administrators may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("OrganizationAdmin", "always", "1"), want: bypassed(no, no)},
		{name: "the role admin may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("RepositoryRole", "exempt", "5"), want: bypassed(no, no)},
		{name: "a team may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "always", "7"), want: bypassed(yes, no)},
		{name: "a deploy key may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("DeployKey", "always", "null"), want: bypassed(yes, no)},
		{name: "a team may pass by pull request", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "pull_request", "7"), want: bypassed(yes, yes)},
		{name: "unknown mode", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "sometimes", "7"), want: bypassed(yes, no)},
		{name: "actors are hidden", ref: refJSON("null", "null", pull(oneApproval)), actors: hiddenActors, want: func() record.BranchProtection {
			b := bypassed(unknown, unknown)
			b.MissingPermission = bypassPermission
			return b
		}()},
		{name: "ruleset is forbidden", ref: refJSON("null", "null", pull(oneApproval)), want: func() record.BranchProtection {
			b := bypassed(unknown, unknown)
			b.MissingPermission = bypassPermission
			return b
		}()},
		{name: "nobody says whether it is enforced", ref: refJSON("null", "null", `{"type":"PULL_REQUEST","repositoryRuleset":null,"parameters":`+oneApproval+`}`),
			want: with(func(b *record.BranchProtection) {
				b.PullRequest, b.Approvals, b.CodeOwnerReview, b.AdminsBound, b.BypassLimited = unknown, record.ApprovalsUnknown, unknown, unknown, unknown
				b.MissingPermission = rulesPermission
			})},
		{name: "rules are hidden", ref: bareRef, errors: strings.Replace(hiddenError, "branchProtectionRule", "rules", 1), want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: rulesPermission,
		}},
		{name: "more rules than were sent", ref: strings.Replace(refJSON("null", "null", pull(oneApproval)), `"totalCount":1`, `"totalCount":60`, 1), actors: noActors,
			want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: yes, Approvals: 1, CodeOwnerReview: yes, AdminsBound: yes, BypassLimited: yes,
			}},
	}
}

func unionCases() []protectionCase {
	lax := classic(`"isAdminEnforced":true`, `"isAdminEnforced":false`, `"requiredApprovingReviewCount":2`, `"requiredApprovingReviewCount":1`,
		`"dismissesStaleReviews":true`, `"dismissesStaleReviews":false`, `"requiresCommitSignatures":true`, `"requiresCommitSignatures":false`)
	return []protectionCase{
		{name: "classic and ruleset", ref: refJSON("null", lax, ruleJSON("PULL_REQUEST", "ACTIVE", 1, strings.Replace(oneApproval, `Count":1`, `Count":3`, 1)),
			ruleJSON("REQUIRED_SIGNATURES", "ACTIVE", 1, "null")), actors: noActors, want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: yes, Approvals: 3, CodeOwnerReview: yes, StaleDismissal: no, StatusChecks: yes, ForcePushBlocked: yes,
			DeletionBlocked: yes, AdminsBound: yes, BypassLimited: yes, SignedCommits: yes, RequiredDeployment: yes,
		}},
		{name: "a ruleset without review binds nobody to review", ref: refJSON("null", lax, ruleJSON("DELETION", "ACTIVE", 1, "null")), actors: noActors,
			want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: yes, Approvals: 1, CodeOwnerReview: yes, StaleDismissal: no, StatusChecks: yes, ForcePushBlocked: yes,
				DeletionBlocked: yes, AdminsBound: no, BypassLimited: no, SignedCommits: no, RequiredDeployment: yes,
			}},
		{name: "hidden classic and a ruleset that answers", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", 1, oneApproval)), errors: hiddenError,
			actors: noActors, want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: yes, Approvals: 1, CodeOwnerReview: yes, AdminsBound: yes, BypassLimited: yes,
				MissingPermission: classicPermission,
			}},
	}
}

func TestEffectiveProtection(t *testing.T) {
	for group, cases := range map[string][]protectionCase{"classic": classicCases(), "rulesets": rulesetCases(), "union": unionCases()} {
		for _, tt := range cases {
			t.Run(group+"/"+tt.name, func(t *testing.T) {
				c, s, _ := setup(t, nil)
				answer := `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + nodeJSON("api", tt.ref) + `]}}},"errors":[` + tt.errors + `]}`
				s.JSON("POST /graphql", answer)
				s.Handle("GET /repos/{owner}/{repo}/rulesets/1", func(w http.ResponseWriter, _ *http.Request) {
					if tt.actors == "" {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					collectorstest.WriteJSON(w, tt.actors)
				})
				b := c.readProtection(t.Context(), "acme")
				if b.Err != nil || len(b.Repositories) != 1 || len(b.Repositories[0].Branches) != 1 {
					t.Fatalf("batch = %+v", b)
				}
				if diff := cmp.Diff(tt.want, b.Repositories[0].Branches[0]); diff != "" {
					t.Errorf("protection (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestRulesetIsAskedAboutOnce(t *testing.T) {
	c, s, clock := setup(t, nil)
	ref := refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", 1, oneApproval))
	s.Handle("POST /graphql", graphQLPages(nodeJSON("api", ref), nodeJSON("web", ref)+","+nodeJSON("cli", ref)))
	s.JSON("GET /repos/Acme/api/rulesets/1", noActors)
	asked := func() int {
		n := 0
		for _, r := range s.Requests() {
			if strings.Contains(r.Path, "/rulesets/") {
				n++
			}
		}
		return n
	}
	for range 2 {
		if b := c.readProtection(t.Context(), "acme"); b.Err != nil || len(b.Repositories) != 3 {
			t.Fatalf("batch = %+v", b)
		}
	}
	if asked() != 1 {
		t.Errorf("asked %d times within the full interval, want once", asked())
	}
	if err := clock.Sleep(t.Context(), 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	if b := c.readProtection(t.Context(), "acme"); b.Err != nil || asked() != 2 {
		t.Errorf("asked %d times after the full interval, error %v; want twice", asked(), b.Err)
	}
}

func TestBrokenRulesetAnswerFailsTheScope(t *testing.T) {
	c, s, _ := setup(t, nil)
	s.Handle("POST /graphql", graphQLPages(nodeJSON("api", refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", 1, oneApproval)))))
	s.Handle("GET /repos/Acme/api/rulesets/1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if b := c.readProtection(t.Context(), "acme"); record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("batch = %+v, want an error: the answer is not hidden but broken", b)
	}
}

func TestPagesAreHalvedWhenTheServerCannotCope(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusGatewayTimeout} {
		c, s, _ := setup(t, nil)
		var sizes []int
		pages := graphQLPages(nodeJSON("api", bareRef), nodeJSON("web", bareRef))
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
		b := c.readProtection(t.Context(), "acme")
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
		{"rate limited in the middle", `{"data":{"organization":{"repositories":{"nodes":[` + nodeJSON("api", bareRef) + `]}}},` +
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
			c, s, _ := setup(t, nil)
			s.JSON("POST /graphql", tt.answer)
			if b := c.readProtection(t.Context(), "acme"); record.ReasonOf(b.Err) != tt.want || b.Err == nil {
				t.Errorf("error = %v, want %s", b.Err, tt.want)
			}
		})
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	c, s, _ := setup(t, nil)
	s.Handle("GET /orgs/acme/secret-scanning/alerts", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	s.JSON("POST /graphql", `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[`+nodeJSON("api", refJSON(updateSome, "null"))+`]}}},"errors":[`+hiddenError+`]}`)
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 5 {
		t.Fatalf("Check() = %+v, %v; want 5 results", results, err)
	}
	missing := map[string]string{}
	for _, r := range results {
		if r.Unknown == "" {
			t.Errorf("%s does not say what it makes unknown", r.Subject)
		}
		if e, ok := r.Err.(*record.Error); ok { //nolint:errorlint // It is what Check documents.
			missing[r.Subject] = e.Permission
		} else if r.Err != nil {
			t.Errorf("%s: %v is not classified", r.Subject, r.Err)
		}
	}
	want := map[string]string{
		"organisation acme: secret scanning alerts": "secret_scanning_alerts=read", "organisation acme: branch protection": classicPermission,
	}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("missing permissions (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Check(ctx); err == nil {
		t.Error("Check() with a canceled context: no error")
	}
}

// TestCheckOfWhoMayPassBy: that a credential which only reads is not shown who may pass by a ruleset is told, and is no failure.
func TestCheckOfWhoMayPassBy(t *testing.T) {
	for name, tt := range map[string]struct {
		answer   string
		status   int
		optional bool
		reason   record.ErrorReason
	}{
		"shown":          {`{"id":9,"bypass_actors":[]}`, http.StatusOK, false, ""},
		"left out":       {`{"id":9}`, http.StatusOK, true, record.ReasonPermission},
		"refused":        {`{"message":"no"}`, http.StatusForbidden, true, record.ReasonPermission},
		"out of service": {`{"message":"no"}`, http.StatusBadGateway, false, record.ReasonServer},
	} {
		c, s, _ := setup(t, nil)
		s.JSON("POST /graphql", `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[null,`+nodeJSON("api", "null")+`,`+nodeJSON("web",
			`{"name":"main","rules":{"totalCount":1,"nodes":[{"type":"DELETION","repositoryRuleset":{"databaseId":9,"enforcement":"ACTIVE"}}]}}`)+`]}}}}`)
		s.Handle("GET /repos/Acme/web/rulesets/9", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.answer)
		})
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool {
			return r.Subject == "organisation acme: bypass actors of rulesets"
		})
		if at < 0 {
			t.Errorf("%s: nothing is said about bypass actors: %+v", name, results)
			continue
		}
		r := results[at]
		if r.Optional != tt.optional || (r.Err == nil) != (tt.reason == "") || r.Err != nil && record.ReasonOf(r.Err) != tt.reason || r.Unknown == "" {
			t.Errorf("%s: %+v, want reason %q", name, r, tt.reason)
		}
		if tt.optional && !strings.Contains(r.Err.Error(), bypassPermission) {
			t.Errorf("%s: %v does not name %s", name, r.Err, bypassPermission)
		}
	}
}

func TestForecast(t *testing.T) {
	c, s, _ := setup(t, nil)
	before := c.Forecast()
	if before["core"] < 36 || before["graphql"] != 1 {
		t.Errorf("Forecast() = %v before the first collection, want 3 kinds of alert in each of 12 collections, and one page of protection", before)
	}
	var items []string
	for i := range 250 {
		items = append(items, repoJSON(fmt.Sprintf("r%d", i), ""))
	}
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(items...))
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	after := c.Forecast()
	// 36 for alerts, 3 pages of repositories, 6 pages of alerts in each day.
	if want := 36 + 3 + 6.0/24; math.Abs(after["core"]-want) > 1e-9 || after["graphql"] != 5 {
		t.Errorf("Forecast() = %v, want core %v and graphql 5", after, want)
	}
}

func TestSecuritySettings(t *testing.T) {
	c, _, _ := setup(t, nil)
	settings := func(more string) string { return repoJSON("api", `,"security_and_analysis":{`+more+`}`) }
	tests := []struct {
		name, item   string
		wantScanners map[record.Class]record.Answer
		wantSettings map[string]record.Answer
	}{
		{"not shown", repoJSON("api", ""), nil, nil},
		{"all on", settings(`"advanced_security":{"status":"enabled"},"secret_scanning":{"status":"enabled"},"secret_scanning_push_protection":{"status":"enabled"}`),
			map[record.Class]record.Answer{record.ClassSecret: yes}, map[string]record.Answer{"push_protection": yes}},
		{"all off", settings(`"advanced_security":{"status":"disabled"},"secret_scanning":{"status":"disabled"},"dependabot_security_updates":{"status":"disabled"}`),
			map[record.Class]record.Answer{record.ClassSecret: no, record.ClassSAST: no}, map[string]record.Answer{"dependabot_security_updates": no}},
		{"code security replaces advanced security", settings(`"advanced_security":{"status":"disabled"},"code_security":{"status":"enabled"}`),
			map[record.Class]record.Answer{}, map[string]record.Answer{}},
		{"public code can always be scanned", strings.Replace(settings(`"advanced_security":{"status":"disabled"}`), `"private"`, `"public"`, 1),
			map[record.Class]record.Answer{}, map[string]record.Answer{}},
		{"unknown status", settings(`"secret_scanning":{"status":"half"}`), map[record.Class]record.Answer{}, map[string]record.Answer{}},
	}
	for _, tt := range tests {
		r, _, err := c.repositoryRecord(json.RawMessage(tt.item))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.wantScanners, r.Scanners) + cmp.Diff(tt.wantSettings, r.Settings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWholeRepository(t *testing.T) {
	c, err := New(config("https://api.github.com", collectorstest.Secret(t, "x")), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := c.repositoryRecord(json.RawMessage(`{"full_name":"Acme/API","html_url":"https://github.com/Acme/API","private":true,"visibility":"internal","archived":true,` +
		`"fork":true,"default_branch":"trunk","topics":["go","tier-0"],"pushed_at":"2026-02-01T00:00:00Z"}`))
	want := record.Repository{
		Name: "acme/api", URL: "https://github.com/Acme/API", Visibility: record.VisibilityInternal, Archived: true, Fork: true, DefaultBranch: "trunk",
		Topics: []string{"go", "tier-0"}, PushedAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
