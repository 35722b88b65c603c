package protection_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// nothing is the protection of a branch without any.
func nothing() record.BranchProtection {
	return record.BranchProtection{
		Branch: "main", Default: true, PullRequest: githubtest.No, CodeOwnerReview: githubtest.No, StaleDismissal: githubtest.No, StatusChecks: githubtest.No, ForcePushBlocked: githubtest.No,
		DeletionBlocked: githubtest.No, AdminsBound: githubtest.No, BypassLimited: githubtest.No, SignedCommits: githubtest.No, RequiredDeployment: githubtest.No,
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

// locked is a branch that nobody may push to, and anybody delete.
func locked() record.BranchProtection {
	const yes = githubtest.Yes
	return with(func(b *record.BranchProtection) {
		b.PullRequest, b.Approvals, b.CodeOwnerReview, b.StaleDismissal, b.StatusChecks, b.ForcePushBlocked = yes, 6, yes, yes, yes, yes
		b.SignedCommits, b.RequiredDeployment, b.AdminsBound, b.BypassLimited = yes, yes, yes, yes
	})
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
			Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 2, CodeOwnerReview: githubtest.Yes, StaleDismissal: githubtest.Yes, StatusChecks: githubtest.Yes,
			ForcePushBlocked: githubtest.Yes, DeletionBlocked: githubtest.Yes, AdminsBound: githubtest.Yes, BypassLimited: githubtest.Yes, SignedCommits: githubtest.Yes, RequiredDeployment: githubtest.Yes,
		}
	})
	change := func(f func(*record.BranchProtection)) record.BranchProtection {
		b := full
		f(&b)
		return b
	}
	return []protectionCase{
		{name: "no protection", ref: githubtest.BareRef, want: nothing()},
		{name: "classic", ref: refJSON(updateSome, classicAll), want: full},
		{name: "administrators excepted", ref: refJSON("null", classic(`"isAdminEnforced":true`, `"isAdminEnforced":false`)),
			want: change(func(b *record.BranchProtection) { b.AdminsBound, b.BypassLimited = githubtest.No, githubtest.No })},
		{name: "somebody may skip the pull request", ref: refJSON("null", classic(`{"totalCount":0}`, `{"totalCount":1}`)),
			want: change(func(b *record.BranchProtection) { b.BypassLimited = githubtest.No })},
		{name: "zero approvals are none", ref: refJSON("null", classic(`Count":2`, `Count":0`)),
			want: change(func(b *record.BranchProtection) { b.Approvals = 0 })},
		{name: "no reviews at all", ref: refJSON("null", classic(`"requiresApprovingReviews":true`, `"requiresApprovingReviews":false`)),
			want: change(func(b *record.BranchProtection) {
				b.PullRequest, b.Approvals, b.CodeOwnerReview, b.StaleDismissal = githubtest.No, 0, githubtest.No, githubtest.No
			})},
		{name: "checks required but none named", ref: refJSON("null", classic(`[{"context":"ci"}]`, `[]`)),
			want: change(func(b *record.BranchProtection) { b.StatusChecks = githubtest.No })},
		{name: "checks named but not required", ref: refJSON("null", classic(`"requiresStatusChecks":true`, `"requiresStatusChecks":false`)),
			want: change(func(b *record.BranchProtection) { b.StatusChecks = githubtest.No })},
		{name: "classic hidden by an error", ref: refJSON("null", "null"), errors: hiddenError, want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: "administration=read",
		}},
		{name: "classic hidden, what everybody sees is left", ref: refJSON(updateSome, "null"), errors: hiddenError, want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 1, CodeOwnerReview: githubtest.No, StatusChecks: githubtest.Yes, ForcePushBlocked: githubtest.Yes,
			DeletionBlocked: githubtest.Yes, SignedCommits: githubtest.No, MissingPermission: "administration=read",
		}},
		{name: "classic hidden by null", ref: refJSON(updateSome, "null"), want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 1, CodeOwnerReview: githubtest.No, StatusChecks: githubtest.Yes, ForcePushBlocked: githubtest.Yes,
			DeletionBlocked: githubtest.Yes, SignedCommits: githubtest.No, MissingPermission: "administration=read",
		}},
		{name: "the whole branch is hidden", ref: githubtest.BareRef, errors: strings.Replace(hiddenError, `,"branchProtectionRule"`, "", 1), want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: "administration=read",
		}},
	}
}

func rulesetCases() []protectionCase {
	pull := func(approvals string) string { return ruleJSON("PULL_REQUEST", "ACTIVE", 1, approvals) }
	one := with(func(b *record.BranchProtection) {
		b.PullRequest, b.Approvals, b.CodeOwnerReview, b.AdminsBound, b.BypassLimited = githubtest.Yes, 1, githubtest.Yes, githubtest.Yes, githubtest.Yes
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
		{name: "a required workflow is a check", ref: refJSON("null", "null", ruleJSON("WORKFLOWS", "ACTIVE", 1, "null")), actors: noActors, want: with(func(b *record.BranchProtection) {
			b.StatusChecks, b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes, githubtest.Yes
		})},
		{name: "code scanning is a check", ref: refJSON("null", "null", ruleJSON("CODE_SCANNING", "ACTIVE", 1, "null")), actors: noActors, want: with(func(b *record.BranchProtection) {
			b.StatusChecks, b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes, githubtest.Yes
		})},
		{name: "a merge queue takes pull requests alone", ref: refJSON("null", "null", ruleJSON("MERGE_QUEUE", "ACTIVE", 1, "null")), actors: noActors, want: with(func(b *record.BranchProtection) {
			b.PullRequest, b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes, githubtest.Yes
		})},
		{name: "nobody may update", ref: refJSON("null", "null", ruleJSON("UPDATE", "ACTIVE", 1, "null")), actors: noActors, want: locked()},
		{name: "a lock that is only evaluated", ref: refJSON("null", "null", ruleJSON("UPDATE", "EVALUATE", 1, "null")), want: nothing()},
		{name: "a locked branch", ref: refJSON("null", `{"isAdminEnforced":true,"allowsForcePushes":true,"allowsDeletions":true,"lockBranch":true}`), want: locked()},
		{name: "ruleset", ref: refJSON("null", "null", pull(oneApproval)), actors: noActors, want: one},
		{name: "disabled ruleset", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "DISABLED", 1, oneApproval)), actors: noActors, want: nothing()},
		{name: "evaluated ruleset", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "EVALUATE", 1, oneApproval)), actors: noActors, want: nothing()},
		{name: "ruleset without approvals", ref: refJSON("null", "null", pull(noApproval)), actors: noActors, want: with(func(b *record.BranchProtection) {
			b.PullRequest, b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes, githubtest.Yes
		})},
		{name: "unknown rule", ref: refJSON("null", "null", ruleJSON("TELEPATHY", "ACTIVE", 1, `{"__typename":"TelepathyParameters"}`), pull(oneApproval)), actors: noActors, want: one},
		{name: "other rules", ref: refJSON("null", "null", ruleJSON("NON_FAST_FORWARD", "ACTIVE", 1, "null"), ruleJSON("DELETION", "ACTIVE", 1, "null"),
			ruleJSON("REQUIRED_SIGNATURES", "ACTIVE", 1, "null"), ruleJSON("REQUIRED_STATUS_CHECKS", "ACTIVE", 1, oneCheck),
			ruleJSON("REQUIRED_DEPLOYMENTS", "ACTIVE", 1, `{"requiredDeploymentEnvironments":["staging"]}`)), actors: noActors,
			want: with(func(b *record.BranchProtection) {
				b.ForcePushBlocked, b.DeletionBlocked, b.SignedCommits, b.StatusChecks, b.RequiredDeployment, b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes
			})},
		{name: "checks required but none named", ref: refJSON("null", "null", ruleJSON("REQUIRED_STATUS_CHECKS", "ACTIVE", 1, noCheck)), actors: noActors,
			want: with(func(b *record.BranchProtection) { b.AdminsBound, b.BypassLimited = githubtest.Yes, githubtest.Yes })},
		{name: "administrators may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("OrganizationAdmin", "always", "1"), want: bypassed(githubtest.No, githubtest.No)},
		{name: "the role admin may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("RepositoryRole", "exempt", "5"), want: bypassed(githubtest.No, githubtest.No)},
		{name: "a team may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "always", "7"), want: bypassed(githubtest.Yes, githubtest.No)},
		{name: "a deploy key may pass", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("DeployKey", "always", "null"), want: bypassed(githubtest.Yes, githubtest.No)},
		{name: "a team may pass by pull request", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "pull_request", "7"), want: bypassed(githubtest.Yes, githubtest.Yes)},
		{name: "unknown mode", ref: refJSON("null", "null", pull(oneApproval)), actors: actor("Team", "sometimes", "7"), want: bypassed(githubtest.Yes, githubtest.No)},
		{name: "actors are hidden", ref: refJSON("null", "null", pull(oneApproval)), actors: hiddenActors, want: func() record.BranchProtection {
			b := bypassed(githubtest.Unknown, githubtest.Unknown)
			b.MissingPermission = "administration=write"
			return b
		}()},
		{name: "ruleset is forbidden", ref: refJSON("null", "null", pull(oneApproval)), want: func() record.BranchProtection {
			b := bypassed(githubtest.Unknown, githubtest.Unknown)
			b.MissingPermission = "administration=write"
			return b
		}()},
		{name: "nobody says whether it is enforced", ref: refJSON("null", "null", `{"type":"PULL_REQUEST","repositoryRuleset":null,"parameters":`+oneApproval+`}`),
			want: with(func(b *record.BranchProtection) {
				b.PullRequest, b.Approvals, b.CodeOwnerReview, b.AdminsBound, b.BypassLimited = githubtest.Unknown, record.ApprovalsUnknown, githubtest.Unknown, githubtest.Unknown, githubtest.Unknown
				b.MissingPermission = "metadata=read"
			})},
		{name: "rules are hidden", ref: githubtest.BareRef, errors: strings.Replace(hiddenError, "branchProtectionRule", "rules", 1), want: record.BranchProtection{
			Branch: "main", Default: true, Approvals: record.ApprovalsUnknown, MissingPermission: "metadata=read",
		}},
		{name: "more rules than were sent", ref: strings.Replace(refJSON("null", "null", pull(oneApproval)), `"totalCount":1`, `"totalCount":60`, 1), actors: noActors,
			want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 1, CodeOwnerReview: githubtest.Yes, AdminsBound: githubtest.Yes, BypassLimited: githubtest.Yes,
			}},
	}
}

func unionCases() []protectionCase {
	lax := classic(`"isAdminEnforced":true`, `"isAdminEnforced":false`, `"requiredApprovingReviewCount":2`, `"requiredApprovingReviewCount":1`,
		`"dismissesStaleReviews":true`, `"dismissesStaleReviews":false`, `"requiresCommitSignatures":true`, `"requiresCommitSignatures":false`)
	return []protectionCase{
		{name: "classic and ruleset", ref: refJSON("null", lax, ruleJSON("PULL_REQUEST", "ACTIVE", 1, strings.Replace(oneApproval, `Count":1`, `Count":3`, 1)),
			ruleJSON("REQUIRED_SIGNATURES", "ACTIVE", 1, "null")), actors: noActors, want: record.BranchProtection{
			Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 3, CodeOwnerReview: githubtest.Yes, StaleDismissal: githubtest.No, StatusChecks: githubtest.Yes, ForcePushBlocked: githubtest.Yes,
			DeletionBlocked: githubtest.Yes, AdminsBound: githubtest.Yes, BypassLimited: githubtest.Yes, SignedCommits: githubtest.Yes, RequiredDeployment: githubtest.Yes,
		}},
		{name: "a ruleset without review binds nobody to review", ref: refJSON("null", lax, ruleJSON("DELETION", "ACTIVE", 1, "null")), actors: noActors,
			want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 1, CodeOwnerReview: githubtest.Yes, StaleDismissal: githubtest.No, StatusChecks: githubtest.Yes, ForcePushBlocked: githubtest.Yes,
				DeletionBlocked: githubtest.Yes, AdminsBound: githubtest.No, BypassLimited: githubtest.No, SignedCommits: githubtest.No, RequiredDeployment: githubtest.Yes,
			}},
		{name: "hidden classic and a ruleset that answers", ref: refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", 1, oneApproval)), errors: hiddenError,
			actors: noActors, want: record.BranchProtection{
				Branch: "main", Default: true, PullRequest: githubtest.Yes, Approvals: 1, CodeOwnerReview: githubtest.Yes, AdminsBound: githubtest.Yes, BypassLimited: githubtest.Yes,
				MissingPermission: "administration=read",
			}},
	}
}

func TestEffectiveProtection(t *testing.T) {
	for group, cases := range map[string][]protectionCase{"classic": classicCases(), "rulesets": rulesetCases(), "union": unionCases()} {
		for _, tt := range cases {
			t.Run(group+"/"+tt.name, func(t *testing.T) {
				c, s, _ := githubtest.Setup(t, nil)
				answer := `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + githubtest.ProtectionNode("api", tt.ref) + `]}}},"errors":[` + tt.errors + `]}`
				s.JSON("POST /graphql", answer)
				s.Handle("GET /repos/{owner}/{repo}/rulesets/1", func(w http.ResponseWriter, _ *http.Request) {
					if tt.actors == "" {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					collectorstest.WriteJSON(w, tt.actors)
				})
				b := githubtest.Scope(t, c, "protection:acme")
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
	c, s, clock := githubtest.Setup(t, nil)
	ref := refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", 1, oneApproval))
	s.Handle("POST /graphql", githubtest.Pages(githubtest.ProtectionNode("api", ref), githubtest.ProtectionNode("web", ref)+","+githubtest.ProtectionNode("cli", ref)))
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
		if b := githubtest.Scope(t, c, "protection:acme"); b.Err != nil || len(b.Repositories) != 3 {
			t.Fatalf("batch = %+v", b)
		}
	}
	if asked() != 1 {
		t.Errorf("asked %d times within the full interval, want once", asked())
	}
	if err := clock.Sleep(t.Context(), 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	if b := githubtest.Scope(t, c, "protection:acme"); b.Err != nil || asked() != 2 {
		t.Errorf("asked %d times after the full interval, error %v; want twice", asked(), b.Err)
	}
}

// rulesetsOf serves repositories r0 to r(n-1), each with a ruleset of its own that requires pull requests, and answers for these by name.
func rulesetsOf(s *collectorstest.Server, n int, answer func(name string, w http.ResponseWriter)) {
	var nodes, repositories []string
	for i := range n {
		name := fmt.Sprintf("r%02d", i)
		repositories = append(repositories, githubtest.RepositoryJSON(name, ""))
		nodes = append(nodes, githubtest.ProtectionNode(name, refJSON("null", "null", ruleJSON("PULL_REQUEST", "ACTIVE", i+1, oneApproval))))
	}
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(repositories...))
	s.Handle("POST /graphql", githubtest.Pages(strings.Join(nodes, ",")))
	s.Handle("GET /repos/Acme/{name}/rulesets/{id}", func(w http.ResponseWriter, r *http.Request) { answer(r.PathValue("name"), w) })
}

// TestOneRulesetThatCannotBeReadSpoilsNoOther: a block, a refusal and a lasting failure of one repository leave what they hide unknown, there and nowhere else; they are asked again after a
// pause, and name a permission only if nobody answers.
func TestOneRulesetThatCannotBeReadSpoilsNoOther(t *testing.T) {
	for code, message := range map[int]string{
		http.StatusUnavailableForLegalReasons: "Repository access blocked", http.StatusInternalServerError: "Server Error", http.StatusForbidden: "Resource not accessible by integration",
		http.StatusConflict: "",
	} {
		broken := true
		c, s, clock := githubtest.Setup(t, nil)
		rulesetsOf(s, 3, func(name string, w http.ResponseWriter) {
			if name == "r00" && broken {
				githubtest.Refused(code, message)(w, nil)
				return
			}
			collectorstest.WriteJSON(w, noActors)
		})
		read := func() []record.Repository {
			t.Helper()
			b := githubtest.Scope(t, c, "protection:acme")
			if b.Err != nil || len(b.Repositories) != 3 {
				t.Fatalf("%d: %d repositories, error %v", code, len(b.Repositories), b.Err)
			}
			return b.Repositories
		}
		first := read()
		if b := first[0].Branches[0]; b.AdminsBound.Known() || b.PullRequest != githubtest.Yes {
			t.Errorf("%d: what nobody answers is known, or what is known is not: %+v", code, b)
		}
		for _, r := range first[1:] {
			if r.Branches[0].AdminsBound != githubtest.Yes {
				t.Errorf("%d: %s is unknown, too", code, r.Name)
			}
		}
		s.Forget()
		if b := read()[0].Branches[0]; b.MissingPermission != "" {
			t.Errorf("%d: the permission %q is named although others answer", code, b.MissingPermission)
		}
		if slices.ContainsFunc(s.Requests(), githubtest.AtPath("/repos/Acme/r00/rulesets/1")) {
			t.Errorf("%d: asked again at once", code)
		}
		broken = false
		if err := clock.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if b := read()[0].Branches[0]; b.AdminsBound != githubtest.Yes {
			t.Errorf("%d: still unknown after a pause: %+v", code, b)
		}
	}
}

// TestServerThatFailsForAllFailsTheScope: what no repository answers is an outage, and no set of repositories of which something is unknown.
func TestServerThatFailsForAllFailsTheScope(t *testing.T) {
	c, s, _ := githubtest.Setup(t, nil)
	rulesetsOf(s, api.MaxRefusals+5, func(_ string, w http.ResponseWriter) {
		githubtest.Refused(http.StatusInternalServerError, "Server Error")(w, nil)
	})
	if b := githubtest.Scope(t, c, "protection:acme"); record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("batch = %+v, want an error", b)
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
		c, s, _ := githubtest.Setup(t, nil)
		s.JSON("POST /graphql", `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[null,`+githubtest.ProtectionNode("api", "null")+`,`+githubtest.ProtectionNode("web",
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
		if tt.optional && !strings.Contains(r.Err.Error(), "administration=write") {
			t.Errorf("%s: %v does not name %s", name, r.Err, "administration=write")
		}
	}
}
