package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func alertID(item map[string]any) string {
	repository, _ := item["repository"].(map[string]any)
	return fmt.Sprintf("%v#%v", repository["full_name"], item["number"])
}

// TestAlertPagesJoin: pages follow each other without gap or repetition, in order, whatever the size of a page.
func TestAlertPagesJoin(t *testing.T) {
	d, _ := start(t, 1)
	for _, kind := range []string{"dependabot", "code-scanning", "secret-scanning"} {
		for _, sort := range []string{"sort=updated&direction=desc", "sort=updated&direction=asc", "sort=created&direction=desc"} {
			path := "/orgs/meridian/" + kind + "/alerts?" + sort
			whole, _ := d.walk(t, path+"&per_page=100", nil)
			small, pages := d.walk(t, path+"&per_page=37", nil)
			if pages < 3 {
				t.Errorf("%s: %d pages prove nothing", path, pages)
			}
			if want, got := ids(whole), ids(small); !slices.Equal(want, got) {
				t.Errorf("%s: %d alerts in pages of 100 and %d in pages of 37 differ", path, len(want), len(got))
			}
			if unique := slices.Compact(slices.Sorted(slices.Values(ids(whole)))); len(unique) != len(whole) {
				t.Errorf("%s: %d of %d alerts are repeated", path, len(whole)-len(unique), len(whole))
			}
			field := map[bool]string{true: "updated_at", false: "created_at"}[strings.Contains(sort, "updated")]
			ascending := strings.HasSuffix(sort, "asc")
			for i := 1; i < len(whole); i++ {
				a, b := whole[i-1][field].(string), whole[i][field].(string)
				if ascending && a > b || !ascending && a < b {
					t.Fatalf("%s: %s before %s", path, a, b)
				}
			}
		}
	}
}

func ids(items []map[string]any) []string {
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = alertID(item)
	}
	return list
}

// TestAlertPagesJoinWhileTimeMoves: a walk by creation, oldest first, misses nothing although alerts change under way.
func TestAlertPagesJoinWhileTimeMoves(t *testing.T) {
	d, c := start(t, 2)
	path := "/orgs/meridian/dependabot/alerts?per_page=50&sort=created&direction=asc"
	before, _ := d.walk(t, path, nil)
	during, _ := d.walk(t, path, func() { c.move(7 * time.Minute) })
	if got := ids(during); !slices.Equal(got[:len(before)], ids(before)) {
		t.Error("the walk lost or repeated alerts")
	}
}

// TestDeltaFindsEveryChange: whoever reads by update time until the last one known, sees all that has changed.
func TestDeltaFindsEveryChange(t *testing.T) {
	d, c := start(t, 3)
	for _, kind := range []string{"dependabot", "code-scanning", "secret-scanning"} {
		path := "/orgs/meridian/" + kind + "/alerts?per_page=100&sort=updated&direction=desc"
		known := map[string]string{}
		list, _ := d.walk(t, path, nil)
		watermark := list[0]["updated_at"].(string)
		for _, item := range list {
			known[alertID(item)] = tell(item)
		}
		c.move(9 * time.Hour)
		list, _ = d.walk(t, path, nil)
		seen := 0
		for _, item := range list {
			if item["updated_at"].(string) >= watermark {
				known[alertID(item)] = tell(item)
				seen++
			}
		}
		if kind != "secret-scanning" && (seen == 0 || seen > len(list)/2) {
			t.Errorf("%s: %d of %d alerts changed in nine hours", kind, seen, len(list))
		}
		for _, item := range list {
			if known[alertID(item)] != tell(item) {
				t.Errorf("%s %s: the delta missed %s", kind, alertID(item), tell(item))
			}
		}
	}
}

func tell(item map[string]any) string {
	return fmt.Sprint(item["state"], item["fixed_at"], item["dismissed_reason"], item["resolution"], item["updated_at"])
}

func TestAlertParameters(t *testing.T) {
	d, _ := start(t, 1)
	for _, c := range []struct {
		path string
		code int
	}{
		{"/orgs/meridian/dependabot/alerts?page=2", 400}, {"/orgs/meridian/dependabot/alerts?after=x", 400},
		{"/orgs/meridian/code-scanning/alerts?sort=severity", 422}, {"/orgs/meridian/code-scanning/alerts?direction=up", 422},
		{"/orgs/nobody/repos", 404}, {"/orgs/meridian/nothing", 404}, {"/repos/meridian/nothing", 404}, {"/organizations/1/repos", 404},
		{"/orgs/meridian-labs/secret-scanning/alerts", 403}, {"/orgs/meridian/rulesets", 403},
		{"/repos/meridian/card-vault/branches/main/protection", 404}, {"/repos/meridian-labs/locker-network/branches/main/protection", 404},
		{"/repos/meridian/access-policy/branches/main/protection", 200}, {"/repos/meridian/ledger/environments", 200},
		{"/repos/meridian/ledger/code-scanning/analyses", 200}, {"/repos/meridian/ledger/code-scanning/default-setup", 200},
		{"/orgs/meridian/actions/runner-groups/3/repositories", 200}, {"/orgs/meridian/actions/runner-groups/9/runners", 404}, {"/orgs/meridian-labs/actions/runner-groups", 403},
		{"/orgs/meridian/attestations/repositories", 200}, {"/orgs/meridian-labs/attestations/repositories", 403}, {"/repos/meridian/ledger/attestations/sha256:00", 404},
		{"/repos/meridian/ledger/actions/workflows/deploy.yml/runs", 200}, {"/repos/meridian/ledger/actions/workflows/none.yml/runs", 404}, {"/repos/meridian/ledger/actions/runs/1", 404},
		{"/repos/meridian/ledger/environments/production/secrets", 200}, {"/repos/meridian-labs/locker-network/actions/secrets", 403},
		{"/repos/meridian/ledger/actions/permissions/workflow", 200}, {"/orgs/meridian/actions/permissions", 200}, {"/repos/meridian/nothing/actions/permissions", 404},
		{"/repos/meridian/ledger/rulesets/rule-suites?time_period=month&rule_suite_result=bypass", 200}, {"/repos/meridian/ledger/rulesets/rule-suites?time_period=year", 422},
		{"/repos/meridian/ledger/rulesets/rule-suites/1", 404},
	} {
		if a := d.gitHub(t, c.path); a.code != c.code {
			t.Errorf("%s: got %d, want %d: %s", c.path, a.code, c.code, a.body)
		}
	}
	if got := d.gitHub(t, "/orgs/meridian-labs/secret-scanning/alerts").header.Get("X-Accepted-GitHub-Permissions"); got != "secret_scanning_alerts=read" {
		t.Errorf("the missing permission: %q", got)
	}
	for body, code := range map[string]int{
		`{"subject_digests":[]}`: 422, `{"subject_digests":7}`: 400, `{"subject_digests":["sha256:00"],"predicate_type":"sbom"}`: 200,
	} {
		a := ask(t, http.MethodPost, d.urls.github+"/orgs/meridian/attestations/bulk-list", json.RawMessage(body), "Authorization: bearer "+d.token)
		if a.code != code {
			t.Errorf("%s: got %d, want %d: %s", body, a.code, code, a.body)
		}
	}
	for path, state := range map[string]string{
		"/orgs/meridian/dependabot/alerts?state=auto_dismissed": "auto_dismissed", "/orgs/meridian/code-scanning/alerts?state=open": "open",
		"/orgs/meridian/secret-scanning/alerts?state=resolved": "resolved",
	} {
		items, _ := d.walk(t, path+"&per_page=100", nil)
		if len(items) == 0 || slices.ContainsFunc(items, func(i map[string]any) bool { return i["state"] != state }) {
			t.Errorf("%s: %d alerts, not all of that state", path, len(items))
		}
	}
}

func TestSecretsAreHiddenOnDemand(t *testing.T) {
	d, _ := start(t, 1)
	path := "/orgs/meridian/secret-scanning/alerts?per_page=100"
	if a := d.gitHub(t, path); !strings.Contains(string(a.body), `"secret":"not-a-secret-demo-`) {
		t.Error("by default GitHub shows literals; the fake does not")
	}
	if a := d.gitHub(t, path+"&hide_secret=true"); strings.Contains(string(a.body), `"secret":`) {
		t.Error("hide_secret is not honoured")
	}
}

func TestPagesByNumber(t *testing.T) {
	d, _ := start(t, 1)
	a := d.gitHub(t, "/orgs/meridian/repos?per_page=100")
	link := a.header.Get("Link")
	if !strings.Contains(link, "/organizations/4100001/repos?") || !strings.Contains(link, `rel="last"`) {
		t.Errorf("Link: %s", link)
	}
	total := 0
	for _, org := range []string{"meridian", "meridian-labs"} {
		items, _ := d.walk(t, "/orgs/"+org+"/repos?per_page=7", nil)
		total += len(items)
	}
	if total != 150 {
		t.Errorf("%d repositories in all pages", total)
	}
	environments := d.gitHub(t, "/repos/meridian/ledger/environments?per_page=1")
	next := nextLink.FindStringSubmatch(environments.header.Get("Link"))
	if next == nil || !strings.Contains(next[1], "/repositories/") {
		t.Fatalf("Link: %v", environments.header)
	}
	second := d.gitHub(t, strings.TrimPrefix(next[1], d.urls.github))
	if second.code != http.StatusOK || !strings.Contains(string(second.body), `"name":"production"`) {
		t.Errorf("the second environment: %d %s", second.code, second.body)
	}
}

func TestEntityTagsAndBudget(t *testing.T) {
	d, c := start(t, 1)
	path := "/orgs/meridian/repos?per_page=5"
	remaining := func(a answer) int {
		n, err := strconv.Atoi(a.header.Get("X-Ratelimit-Remaining"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := d.gitHub(t, path)
	tag := first.header.Get("ETag")
	same := d.gitHub(t, path, "If-None-Match: "+tag)
	if same.code != http.StatusNotModified || len(same.body) != 0 || remaining(same) != remaining(first) {
		t.Errorf("unchanged: %d, %d bytes, %d requests left after %d", same.code, len(same.body), remaining(same), remaining(first))
	}
	other := d.gitHub(t, path, "If-None-Match: W/\"other\"")
	if other.code != http.StatusOK || remaining(other) != remaining(first)-1 || other.header.Get("X-Ratelimit-Resource") != "core" {
		t.Errorf("changed: %d, %v", other.code, other.header)
	}
	if elsewhere := ask(t, http.MethodGet, d.urls.github+path, nil, "Authorization: token "+d.token, "If-None-Match: "+tag); elsewhere.code != http.StatusOK {
		t.Errorf("another Authorization has another tag; got %d", elsewhere.code)
	}
	c.move(time.Hour)
	if fresh := d.gitHub(t, path); remaining(fresh) != 14999 {
		t.Errorf("%d requests left in a new hour", remaining(fresh))
	}
}

// protectionQuery is what a client asks to learn how branches are protected.
const protectionQuery = `query($org:String!,$cursor:String){ rateLimit{cost remaining resetAt}
 organization(login:$org){ repositories(first:100,after:$cursor,orderBy:{field:NAME,direction:ASC}){ totalCount pageInfo{hasNextPage endCursor} nodes{
  databaseId nameWithOwner isArchived isFork visibility viewerPermission pushedAt hasVulnerabilityAlertsEnabled isSecurityPolicyEnabled
  defaultBranchRef{ name
   refUpdateRule{requiredApprovingReviewCount requiresCodeOwnerReviews requiresSignatures requiredStatusCheckContexts allowsForcePushes allowsDeletions}
   branchProtectionRule{pattern isAdminEnforced requiresApprovingReviews requiredApprovingReviewCount requiresCodeOwnerReviews requireLastPushApproval dismissesStaleReviews
     requiresCommitSignatures requiresStatusChecks requiresStrictStatusChecks requiredStatusChecks{context app{slug}} requiresDeployments requiredDeploymentEnvironments
     restrictsPushes allowsForcePushes allowsDeletions lockBranch}
   rules(first:50){totalCount nodes{ type repositoryRuleset{databaseId name enforcement source{__typename}} parameters{ __typename
     ...on PullRequestParameters{requiredApprovingReviewCount requireCodeOwnerReview requireLastPushApproval dismissStaleReviewsOnPush requiredReviewThreadResolution}
     ...on RequiredStatusChecksParameters{strictRequiredStatusChecksPolicy requiredStatusChecks{context integrationId}} }} } } } } } }`

type graphAnswer struct {
	Data   map[string]any
	Errors []struct {
		Type, Message string
		Path          []any
		Extensions    map[string]any
	}
}

func (d *Demo) graph(t *testing.T, query string, variables map[string]any) graphAnswer {
	t.Helper()
	a := ask(t, http.MethodPost, d.urls.github+"/graphql", map[string]any{"query": query, "variables": variables}, "Authorization: bearer "+d.token)
	if a.code != http.StatusOK || a.header.Get("X-Ratelimit-Resource") != "graphql" {
		t.Fatalf("%d %s %v", a.code, a.body, a.header)
	}
	var answer graphAnswer
	a.decode(t, &answer)
	return answer
}

// at follows keys and indices into decoded JSON.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, ok := value.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object at %q", path, s)
			}
			value = m[s]
		case int:
			value = value.([]any)[s]
		}
	}
	return value
}

func TestProtectionQuery(t *testing.T) {
	d, _ := start(t, 1)
	repositories, cursor := map[string]map[string]any{}, any(nil)
	for {
		answer := d.graph(t, protectionQuery, map[string]any{"org": "meridian", "cursor": cursor})
		if len(answer.Errors) > 0 {
			t.Fatal(answer.Errors)
		}
		if cost := at(t, answer.Data, "rateLimit", "cost"); cost != 1.0 {
			t.Errorf("the query costs %v points, by GitHub's formula 1", cost)
		}
		list := at(t, answer.Data, "organization", "repositories")
		for _, node := range at(t, list, "nodes").([]any) {
			repositories[at(t, node, "nameWithOwner").(string)] = node.(map[string]any)
		}
		if at(t, list, "pageInfo", "hasNextPage") != true {
			break
		}
		cursor = at(t, list, "pageInfo", "endCursor")
	}
	if len(repositories) < 130 {
		t.Fatalf("%d repositories", len(repositories))
	}
	branch := func(name string, path ...any) any {
		return at(t, repositories["meridian/"+name], append([]any{"defaultBranchRef"}, path...)...)
	}
	if branch("card-vault", "branchProtectionRule") != nil || branch("card-vault", "rules", "totalCount") != 0.0 {
		t.Error("card-vault is to be unprotected")
	}
	if branch("identity-provider", "branchProtectionRule") != nil || branch("identity-provider", "rules", "totalCount") != 5.0 {
		t.Error("identity-provider is to be protected by rulesets only")
	}
	if branch("access-policy", "branchProtectionRule", "requiredApprovingReviewCount") != 2.0 || branch("access-policy", "rules", "totalCount") != 0.0 {
		t.Error("access-policy is to be protected in the classic way only")
	}
	if branch("warehouse-control", "rules", "totalCount") != 0.0 || branch("deploy-controller", "rules", "totalCount") != 2.0 {
		t.Error("rules of disabled and evaluating rulesets do not apply")
	}
	keys := slices.Sorted(maps.Keys(repositories["meridian/ledger"]))
	if len(keys) != 10 {
		t.Errorf("fields that nobody asked for: %v", keys)
	}
}

func TestProtectionThatMayNotBeRead(t *testing.T) {
	d, _ := start(t, 1)
	answer := d.graph(t, protectionQuery, map[string]any{"org": "meridian-labs"})
	nodes := at(t, answer.Data, "organization", "repositories", "nodes").([]any)
	if len(answer.Errors) != len(nodes) || answer.Errors[0].Type != "FORBIDDEN" {
		t.Fatalf("%d errors for %d repositories: %v", len(answer.Errors), len(nodes), answer.Errors)
	}
	want := []any{"organization", "repositories", "nodes", 0.0, "defaultBranchRef", "branchProtectionRule"}
	if !slices.Equal(answer.Errors[0].Path, want) {
		t.Errorf("path %v", answer.Errors[0].Path)
	}
	shown := 0
	for _, node := range nodes {
		if at(t, node, "defaultBranchRef", "branchProtectionRule") != nil {
			t.Errorf("%v shows what is hidden", node)
		}
		if rule := at(t, node, "defaultBranchRef", "refUpdateRule"); rule != nil && at(t, rule, "requiredApprovingReviewCount") == 1.0 {
			shown++
		}
	}
	if shown == 0 || shown == len(nodes) {
		t.Errorf("of %d repositories %d show what everybody may read of a classic rule", len(nodes), shown)
	}
}

func TestWrongQueries(t *testing.T) {
	d, _ := start(t, 1)
	for query, code := range map[string]string{
		`{ viewer { shoeSize } }`: "undefinedField", `{ viewer `: "parseError", `{ viewer { ...x } }`: "useAndDefineFragment", `mutation { x }`: "missingOperation",
		`{ viewer { ...x } } fragment x on User { ...y } fragment y on User { ...x }`: "infiniteLoop",
		`{ organization(login:"meridian") { repositories { totalCount } } }`:          "argumentLiteralsIncompatible", `{ organization(login:"meridian") }`: "selectionMismatch",
		`query($o:String!){ organization(login:$o) { login } }`: "missingRequiredVariable",
	} {
		answer := d.graph(t, query, nil)
		if answer.Data != nil || len(answer.Errors) != 1 || answer.Errors[0].Extensions["code"] != code {
			t.Errorf("%s: got %+v, want an error %s and no data", query, answer, code)
		}
	}
	answer := d.graph(t, `query($no:Boolean=false){ a: organization(login:"nobody") { login } viewer { me: login login @include(if:$no) } }`, nil)
	if len(answer.Errors) != 1 || answer.Errors[0].Type != "NOT_FOUND" || at(t, answer.Data, "viewer", "me") == nil {
		t.Errorf("%+v", answer)
	}
	if _, ok := at(t, answer.Data, "viewer").(map[string]any)["login"]; ok {
		t.Error("@include is not honoured")
	}
}

// TestDeploymentsQuery: deployments are filtered by environment and come in the order that is asked for, and what follows from a commit can be followed.
func TestDeploymentsQuery(t *testing.T) {
	d, _ := start(t, 1)
	const query = `query($e:[String!],$d:OrderDirection!){ repository(owner:"meridian",name:"ledger"){ deployments(first:100,environments:$e,orderBy:{field:CREATED_AT,direction:$d}){
 totalCount nodes{ createdAt environment state commitOid creator{__typename login} statuses(first:10){nodes{state createdAt logUrl}} } } } }`
	ask := func(direction string, environments ...string) []any {
		t.Helper()
		answer := d.graph(t, query, map[string]any{"e": environments, "d": direction})
		if len(answer.Errors) > 0 {
			t.Fatal(answer.Errors)
		}
		return at(t, answer.Data, "repository", "deployments", "nodes").([]any)
	}
	production := ask("DESC", "production")
	for i, node := range production {
		if at(t, node, "environment") != "production" || i > 0 && at(t, production[i-1], "createdAt").(string) < at(t, node, "createdAt").(string) {
			t.Fatalf("%d: %v", i, node)
		}
	}
	if states := []any{at(t, production[0], "state"), at(t, production[5], "state")}; states[0] != "ACTIVE" || states[1] == "ACTIVE" {
		t.Errorf("states %v, want the last active and an earlier one not", states)
	}
	if first := ask("ASC"); at(t, first[0], "createdAt").(string) > at(t, first[1], "createdAt").(string) || len(ask("ASC", "nowhere")) != 0 {
		t.Error("the oldest do not come first")
	}
	commit := at(t, production[0], "commitOid")
	answer := d.graph(t, `query($c:GitObjectID!){ repository(owner:"meridian",name:"ledger"){ c:object(oid:$c){ ...on Commit{ oid associatedPullRequests(first:1){nodes{ number
 head:commits(last:1){nodes{commit{authoredDate}}} commits(first:1){nodes{commit{authoredDate}}} }} } } none:object(oid:"0"){ id } pullRequest(number:1){number} } }`, map[string]any{"c": commit})
	pull := at(t, answer.Data, "repository", "c", "associatedPullRequests", "nodes", 0)
	if at(t, pull, "head", "nodes", 0, "commit", "authoredDate").(string) < at(t, pull, "commits", "nodes", 0, "commit", "authoredDate").(string) {
		t.Errorf("the last commit of %v is before the first", pull)
	}
	if len(answer.Errors) != 1 || answer.Errors[0].Type != "NOT_FOUND" || at(t, answer.Data, "repository", "none") != nil {
		t.Errorf("what does not exist: %+v", answer)
	}
}

func TestRulesetShowsWhoMayBypass(t *testing.T) {
	d, _ := start(t, 1)
	var detail map[string]any
	d.gitHub(t, "/repos/meridian/build-farm/rulesets/9007").decode(t, &detail)
	if at(t, detail, "bypass_actors", 0, "bypass_mode") != "always" || detail["enforcement"] != "active" {
		t.Errorf("%v", detail)
	}
	var rules []map[string]any
	d.gitHub(t, "/repos/meridian/build-farm/rules/branches/"+url.PathEscape("main")).decode(t, &rules)
	if len(rules) != 4 || rules[0]["ruleset_id"] != 9007.0 {
		t.Errorf("%v", rules)
	}
}
