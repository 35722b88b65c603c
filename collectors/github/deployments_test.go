package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func TestDeploymentsEnd(t *testing.T) {
	success := statusJSON("SUCCESS", 5*time.Hour)
	tests := []struct {
		name     string
		statuses []string
		status   record.DeploymentStatus
		finished time.Duration
	}{
		{"no history", nil, record.DeploymentPending, 0},
		{"waiting", []string{statusJSON("WAITING", 6*time.Hour)}, record.DeploymentPending, 0},
		{"succeeded", []string{success, statusJSON("IN_PROGRESS", 6*time.Hour)}, record.DeploymentSucceeded, 5 * time.Hour},
		{"superseded", []string{statusJSON("INACTIVE", time.Hour), success}, record.DeploymentSucceeded, 5 * time.Hour},
		{"superseded, oldest first", []string{success, statusJSON("INACTIVE", time.Hour)}, record.DeploymentSucceeded, 5 * time.Hour},
		{"failed", []string{statusJSON("FAILURE", 4*time.Hour)}, record.DeploymentFailed, 4 * time.Hour},
		{"broke", []string{statusJSON("ERROR", 3*time.Hour)}, record.DeploymentFailed, 3 * time.Hour},
		{"failed, then marked as well", []string{statusJSON("SUCCESS", time.Hour), statusJSON("FAILURE", 4*time.Hour)}, record.DeploymentFailed, 4 * time.Hour},
		{"succeeded twice", []string{statusJSON("SUCCESS", time.Hour), success}, record.DeploymentSucceeded, 5 * time.Hour},
		{"given up", []string{statusJSON("INACTIVE", time.Hour), statusJSON("QUEUED", 6*time.Hour)}, record.DeploymentOther, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := byID(t, deployed(t, nil, story{deployments: []string{deploymentJSON("D", sha("a"), 7*time.Hour, tt.statuses...)}}), "D")
			if d.Status != tt.status || since(d.FinishedAt) != tt.finished || since(d.CreatedAt) != 7*time.Hour {
				t.Errorf("%s since %s, want %s since %s: %+v", d.Status, since(d.FinishedAt), tt.status, tt.finished, d)
			}
		})
	}
}

// TestWhatADeploymentBrings: a deployment is a rollback if it brings back an older commit, and brings the pull requests that none before it did.
func TestWhatADeploymentBrings(t *testing.T) {
	deploy := func(id, commit string, days int, state string) string {
		return deploymentJSON(id, sha(commit), time.Duration(days)*day, went(state, time.Duration(days)*day-time.Hour)...)
	}
	commits := map[string][]string{sha("b"): {associated(2, 50*day)}, sha("c"): {associated(3, 40*day)}, sha("d"): {associated(4, 30*day)}, sha("e"): {}}
	pulls := map[int]string{}
	for n := range 10 {
		pulls[n] = pullJSON(n, "")
	}
	const ok, failed = "SUCCESS", "FAILURE"
	tests := []struct {
		name        string
		deployments []string // the first first
		compared    map[string]string
		// want is of the last: rollback, whether its changes are known, and their numbers.
		want string
	}{
		{"the first of an old repository", []string{deploy("D", "a", 9, ok)}, nil, "no no []"},
		{"the first failed, the next brings nobody knows what", []string{deploy("1", "a", 9, failed), deploy("D", "b", 8, ok)}, nil, "no no []"},
		{"one change", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)}, map[string]string{"a...b": compareJSON("ahead", "b")}, "no yes [2]"},
		{"merged, not squashed", []string{deploy("1", "a", 9, ok), deploy("D", "d", 8, ok)}, map[string]string{"a...d": compareJSON("ahead", "b", "c", "d+")}, "no yes [2 3]"},
		{"pushed directly", []string{deploy("1", "a", 9, ok), deploy("D", "e", 8, ok)}, map[string]string{"a...e": compareJSON("ahead", "e")}, "no yes []"},
		{"the same again", []string{deploy("1", "a", 9, ok), deploy("D", "a", 8, ok)}, nil, "no yes []"},
		{"an older commit that was never live", []string{deploy("1", "b", 9, ok), deploy("D", "a", 8, ok)}, map[string]string{"b...a": compareJSON("behind")}, "yes yes []"},
		{"an older commit that was live", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("D", "a", 7, ok)}, map[string]string{"a...b": compareJSON("ahead", "b")}, "yes yes []"},
		{"forward after a rollback", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "a", 7, ok), deploy("D", "b", 6, ok)},
			map[string]string{"a...b": compareJSON("ahead", "b")}, "no yes []"},
		{"on from a rollback", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "a", 7, ok), deploy("D", "c", 6, ok)},
			map[string]string{"a...b": compareJSON("ahead", "b"), "b...c": compareJSON("ahead", "c")}, "no yes [3]"},
		{"back after a failure", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "a", 7, ok)}, map[string]string{"a...b": compareJSON("ahead", "b")}, "yes yes []"},
		{"what failed is tried again", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "b", 7, ok)}, map[string]string{"a...b": compareJSON("ahead", "b")}, "no yes [2]"},
		{"past what failed", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "c", 7, ok)},
			map[string]string{"a...b": compareJSON("ahead", "b"), "a...c": compareJSON("ahead", "b", "c")}, "no yes [2 3]"},
		{"one that fails brings nothing", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, failed)}, map[string]string{"a...b": compareJSON("ahead", "b")}, "no  []"},
		{"a rollback that fails", []string{deploy("1", "b", 9, ok), deploy("D", "a", 8, failed)}, map[string]string{"b...a": compareJSON("behind")}, "yes  []"},
		{"a hotfix beside the branch, then the branch", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "c", 7, ok), deploy("D", "d", 6, ok)},
			map[string]string{"a...b": compareJSON("ahead", "b"), "b...c": compareJSON("diverged", "c"), "c...d": compareJSON("diverged", "b", "d")}, "no yes [4]"},
		{"one that ends after a later one", []string{deploy("1", "a", 9, ok), deploymentJSON("D", sha("b"), 8*day, went(ok, day)...), deploy("2", "c", 7, ok)},
			map[string]string{"a...c": compareJSON("ahead", "b", "c"), "c...b": compareJSON("behind")}, "yes yes []"},
		{"history that is gone", []string{deploy("1", "a", 9, ok), deploy("D", "f", 8, ok)}, nil, " no []"},
		{"words that are not known", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)}, map[string]string{"a...b": compareJSON("sideways", "b")}, " no []"},
		{"more than the comparison shows", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)},
			map[string]string{"a...b": strings.Replace(compareJSON("ahead", "b"), `"total_commits":1`, `"total_commits":1001`, 1)}, "no no [2]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slices.Reverse(tt.deployments)
			d := byID(t, deployed(t, nil, story{deployments: tt.deployments, compared: tt.compared, commits: commits, pulls: pulls}), "D")
			if got := fmt.Sprint(d.Rollback, " ", d.ChangesKnown, " ", numbers(d)); got != tt.want {
				t.Errorf("rollback, changes known, changes: %q, want %q", got, tt.want)
			}
		})
	}
}

func numbers(d record.Deployment) []int {
	list := []int{}
	for _, c := range d.Changes {
		list = append(list, numberOf(c.ID))
	}
	return list
}

// TestWhatADeploymentBringsAgain holds that a whole reading says the same as the readings of one deployment after the other.
func TestWhatADeploymentBringsAgain(t *testing.T) {
	c, s, _ := setup(t, func(cfg *Config) { cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true })
	serveDelivery(s)
	all := []string{
		deploymentJSON("4", sha("a"), 6*day, went("SUCCESS", 6*day-time.Hour)...), deploymentJSON("3", sha("b"), 7*day, went("SUCCESS", 7*day-time.Hour)...),
		deploymentJSON("2", sha("b"), 8*day, went("FAILURE", 8*day-time.Hour)...), deploymentJSON("1", sha("a"), 9*day, went("SUCCESS", 9*day-time.Hour)...),
	}
	y := story{
		compared: map[string]string{"a...b": compareJSON("ahead", "b")}, commits: map[string][]string{sha("b"): {associated(2, 10*day)}}, pulls: map[int]string{2: pullJSON(2, "")},
	}
	var steps []record.Deployment
	cursors := collectors.Cursors{}
	for n := range all {
		y.deployments = all[len(all)-1-n:]
		y.serve(s)
		b := again(t, c, cursors)
		if b.Err != nil || len(b.Deployments) != 1 || b.Mode == record.Full != (n == 0) {
			t.Fatalf("after deployment %d: %+v", n+1, b)
		}
		steps = append(steps, b.Deployments...)
		cursors["deployments:acme/api"] = b.Cursor
		c.remember("acme", func(o *organisation) { o.deploymentsAt = time.Time{} })
	}
	fresh, err := New(c.config, c.env)
	if err != nil {
		t.Fatal(err)
	}
	for name, collector := range map[string]*Collector{"who was there": c, "who comes later": fresh} {
		whole := again(t, collector, nil)
		if diff := cmp.Diff(steps, whole.Deployments); diff != "" || whole.Mode != record.Full {
			t.Errorf("%s (-step by step +whole):\n%s", name, diff)
		}
	}
}

func TestApprovals(t *testing.T) {
	approval := func(state, login, kind, environment string) string {
		return fmt.Sprintf(`[{"state":%q,"user":{"login":%q,"type":%q},"environments":[{"name":%q}]}]`, state, login, kind, environment)
	}
	replace := func(old, by string) string { return strings.ReplaceAll(reviewedEnvironment, old, by) }
	const free = `{"total_count":1,"environments":[{"name":"Production","protection_rules":[{"type":"wait_timer","wait_timer":30}]}]}`
	tests := []struct {
		name       string
		story      story
		want       record.Approval
		permission string
	}{
		{"by another", story{}, record.ApprovalApproved, ""},
		{"by who created it", story{approvals: approval("approved", "Ada", "User", "production")}, record.ApprovalNone, ""},
		{"by who started the run", story{approvals: approval("approved", "zoe", "User", "production"), run: strings.ReplaceAll(runJSON, `"triggering_actor":{"login":"ada"`, `"triggering_actor":{"login":"zoe"`)}, record.ApprovalNone, ""},
		{"by a bot", story{approvals: approval("approved", "gate[bot]", "Bot", "production")}, record.ApprovalNone, ""},
		{"for another environment", story{approvals: approval("approved", "eve", "User", "staging")}, record.ApprovalBypassed, ""},
		{"rejected", story{approvals: approval("rejected", "eve", "User", "production")}, record.ApprovalNone, ""},
		{"nobody, and it went ahead", story{approvals: `[]`}, record.ApprovalBypassed, ""},
		{"nobody, but the rule may be younger", story{approvals: `[]`, environments: replace("2020-01-01T00:00:00Z", ago(time.Hour))}, record.ApprovalUnknown, ""},
		{"nobody, and nobody says how old the rule is", story{approvals: `[]`, environments: replace(`"updated_at"`, `"changed_at"`)}, record.ApprovalUnknown, ""},
		{"pending", story{approvals: approval("pending", "eve", "User", "production")}, record.ApprovalBypassed, ""},
		{"a state that is not known", story{approvals: approval("nodded", "eve", "User", "production")}, record.ApprovalBypassed, ""},
		{"no reviewer is required", story{environments: free}, record.ApprovalNone, ""},
		{"the environment is gone", story{environments: `{"environments":[]}`}, record.ApprovalUnknown, ""},
		{"environments are hidden", story{refused: map[string]int{"/repos/Acme/api/environments": 403}}, record.ApprovalUnknown, environmentsPermission},
		{"approvals are hidden", story{refused: map[string]int{runPath + "/approvals": 403}}, record.ApprovalUnknown, runsPermission},
		{"runs are hidden", story{refused: map[string]int{runPath: 403}}, record.ApprovalUnknown, runsPermission},
		{"the run is gone", story{refused: map[string]int{runPath: 404, runPath + "/approvals": 404}}, record.ApprovalUnknown, ""},
		{"not by GitHub Actions", story{deployments: []string{deploymentJSON("D", sha("a"), day, strings.ReplaceAll(statusJSON("SUCCESS", time.Hour), "/actions/runs/77/", "/elsewhere/"))}}, record.ApprovalUnknown, ""},
		{"by somebody, but started by nobody knows whom", story{
			deployments: []string{strings.ReplaceAll(deploymentJSON("D", sha("a"), day, went("SUCCESS", time.Hour)...), `"__typename":"User","login":"ada"`, `"__typename":"Bot","login":"github-actions"`)},
			refused:     map[string]int{runPath: 404},
		}, record.ApprovalUnknown, ""},
		{"by somebody, who cannot have started it", story{
			deployments: []string{strings.ReplaceAll(deploymentJSON("D", sha("a"), day, went("SUCCESS", time.Hour)...), `"__typename":"User","login":"ada"`, `"__typename":"Bot","login":"github-actions"`)},
			refused:     map[string]int{runPath: 404}, environments: replace(`"prevent_self_review":false`, `"prevent_self_review":true`),
		}, record.ApprovalApproved, ""},
		{"it never started", story{approvals: `[]`, deployments: []string{deploymentJSON("D", sha("a"), day, statusJSON("WAITING", 2*time.Hour), statusJSON("FAILURE", time.Hour))}}, record.ApprovalNone, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.story.deployments == nil {
				tt.story.deployments = []string{deploymentJSON("D", sha("a"), day, went("SUCCESS", time.Hour)...)}
			}
			d := byID(t, deployed(t, nil, tt.story), "D")
			if d.Approval != tt.want || d.MissingPermission != tt.permission {
				t.Errorf("approval %q for want of %q, want %q and %q", d.Approval, d.MissingPermission, tt.want, tt.permission)
			}
			if got := d.Evidence[record.EvidenceApproval]; got != evidenceOf(tt.want) {
				t.Errorf("evidence of approval is %q", got)
			}
		})
	}
}

func TestWhereADeploymentComesFrom(t *testing.T) {
	from := func(ref string) string {
		return strings.ReplaceAll(deploymentJSON("D", sha("a"), day, went("SUCCESS", time.Hour)...), `"ref":{"name":"main","prefix":"refs/heads/"}`, `"ref":`+ref)
	}
	const tag, hotfix, gone, release = `{"name":"v1","prefix":"refs/tags/"}`, `{"name":"hotfix","prefix":"refs/heads/"}`, `null`, `{"name":"release/1","prefix":"refs/heads/"}`
	compared := func(status string) map[string]string { return map[string]string{"main...a": compareJSON(status)} }
	run := func(branch string) string {
		return strings.ReplaceAll(runJSON, `"head_branch":"main"`, fmt.Sprintf(`"head_branch":%q`, branch))
	}
	tests := []struct {
		name     string
		story    story
		releases []string
		ref      string
		want     record.Answer
		missing  string
	}{
		{"the default branch", story{deployments: []string{from(`{"name":"main","prefix":"refs/heads/"}`)}}, nil, "main", yes, ""},
		{"a release branch", story{deployments: []string{from(release)}}, []string{"release/*"}, "release/1", yes, ""},
		{"a branch that nobody looks at", story{deployments: []string{from(release)}, run: run("release/1"), compared: compared("ahead")}, nil, "release/1", no, ""},
		{"a branch that is merged by now", story{deployments: []string{from(hotfix)}, run: run("hotfix"), compared: compared("behind")}, nil, "hotfix", yes, ""},
		{"a tag on the default branch", story{deployments: []string{from(tag)}, run: run("v1"), compared: compared("identical")}, nil, "v1", yes, ""},
		{"a tag elsewhere", story{deployments: []string{from(tag)}, run: run("v1"), compared: compared("diverged")}, nil, "v1", no, ""},
		{"a tag elsewhere, perhaps on a release branch", story{deployments: []string{from(tag)}, run: run("v1"), compared: compared("diverged")}, []string{"release/*"}, "v1", unknown, ""},
		{"a branch that is gone, by its run", story{deployments: []string{from(gone)}}, nil, "main", yes, ""},
		{"nobody says", story{deployments: []string{from(gone)}, refused: map[string]int{runPath: 404}, compared: compared("ahead")}, nil, "", no, ""},
		{"a commit that is gone", story{deployments: []string{from(tag)}, run: run("v1")}, nil, "v1", unknown, ""},
		{"contents are hidden", story{deployments: []string{from(tag)}, run: run("v1"), refused: map[string]int{comparePath("main", sha("a")): 403}}, nil, "v1", unknown, contentsPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := byID(t, deployed(t, func(c *Config) { c.ReleaseBranches = tt.releases }, tt.story), "D")
			if d.FromProtectedBranch != tt.want || d.Ref != tt.ref || d.MissingPermission != tt.missing {
				t.Errorf("%q from %q for want of %q, want %q from %q", d.FromProtectedBranch, d.Ref, d.MissingPermission, tt.want, tt.ref)
			}
		})
	}
}

func TestPipelineOfADeployment(t *testing.T) {
	y := story{deployments: []string{
		deploymentJSON("2", sha("a"), day, went("SUCCESS", time.Hour)...), deploymentJSON("1", sha("a"), 2*day, went("SUCCESS", 2*day-time.Hour)...),
	}}
	b, _, s, _ := deployedBy(t, nil, y)
	for _, d := range b.Deployments {
		if d.Pipeline != pipelineID("Acme/API", ".github/workflows/Deploy.yml") {
			t.Errorf("pipeline %q", d.Pipeline)
		}
	}
	if n := len(slices.DeleteFunc(s.Requests(), func(r collectorstest.Request) bool { return r.Path != runPath })); n != 1 {
		t.Errorf("the run was asked for %d times, want once", n)
	}
	for url, want := range map[string]int64{
		"": 0, "https://ci.example.com/77": 0, "https://github.com/a/b/actions/runs/77": 77, "https://github.com/a/b/actions/runs/77/job/3": 77,
		"https://github.com/a/b/actions/runs/x/job/3": 0, "https://github.com/a/b/actions/runs/-7": 0,
	} {
		if got := runOf(url); got != want {
			t.Errorf("runOf(%q) = %d, want %d", url, got, want)
		}
	}
}

// TestDetailFailures: what may pass fails the scope, so that nothing is counted before all is known; what will not pass is unknown, and named.
func TestDetailFailures(t *testing.T) {
	queries := map[string]string{"query PullsOfCommits(": pullsPermission, "query PullRequests(": pullsPermission}
	paths := map[string]string{
		"/repos/Acme/api/environments": environmentsPermission, runPath: runsPermission, runPath + "/approvals": runsPermission, comparePath(sha("a"), sha("b")): contentsPermission,
	}
	fault := func(t *testing.T, match func(collectorstest.Request) bool, apply func(*collectorstest.Exchange)) record.Batch {
		t.Helper()
		c, s, _ := setup(t, func(cfg *Config) { cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true })
		servePosture(s)
		serveDelivery(s)
		s.JSON("GET /repos/Acme/api/environments", reviewedEnvironment)
		s.Inject(&collectorstest.Fault{Match: match, Apply: apply})
		return again(t, c, nil)
	}
	for path, permission := range paths {
		for code, reason := range map[int]record.ErrorReason{500: record.ReasonServer, 401: record.ReasonUnauthorized} {
			if b := fault(t, at(path), collectorstest.Status(code)); record.ReasonOf(b.Err) != reason {
				t.Errorf("%s answers %d: %+v, want %s", path, code, b.Err, reason)
			}
		}
		b := fault(t, at(path), collectorstest.Status(403))
		if b.Err != nil || byID(t, b, "D2").MissingPermission != permission {
			t.Errorf("%s answers 403: %+v, want %s", path, b, permission)
		}
	}
	const forbidden = `{"data":{"repository":null},"errors":[{"type":"FORBIDDEN","path":["repository"],"message":"Resource not accessible by integration"}]}`
	for query, permission := range queries {
		if b := fault(t, asks(query), collectorstest.Status(502)); record.ReasonOf(b.Err) != record.ReasonServer {
			t.Errorf("%s answers 502: %+v", query, b.Err)
		}
		b := fault(t, asks(query), collectorstest.Body(forbidden))
		if b.Err != nil {
			t.Errorf("%s is forbidden: %v", query, b.Err)
			continue
		}
		if d := byID(t, b, "D2"); d.MissingPermission != permission || d.ChangesKnown != no || len(d.Changes) != 0 || d.Approval != record.ApprovalApproved {
			t.Errorf("%s is forbidden: %+v, want its changes unknown for want of %s", query, d, permission)
		}
	}
}

// TestDeploymentsFailAlone: errors[] beside partial data concern one repository, and one that is left out is missed.
func TestDeploymentsFailAlone(t *testing.T) {
	web := deploymentsNode("web", deploymentJSON("W", sha("a"), day, went("SUCCESS", time.Hour)...))
	page := func(api, failure string) http.HandlerFunc {
		return answering(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + api + "," + web + `]}}},"errors":[` + failure + `]}`)
	}
	const hidden = `{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","deployments":null}`
	failure := func(kind, more string) string {
		return fmt.Sprintf(`{"type":%q,"path":["organization","repositories","nodes",0%s],"message":"no"}`, kind, more)
	}
	tests := []struct {
		name    string
		query   string
		handler http.HandlerFunc
		reason  record.ErrorReason
		named   string
	}{
		{"forbidden", "query Deployments(", page(hidden, failure("FORBIDDEN", `,"deployments"`)), record.ReasonPermission, deploymentsPermission},
		{"a history forbidden", "query Deployments(", page(deploymentsNode("api", healthyDeployments()...), failure("FORBIDDEN", `,"deployments","nodes",0,"statuses"`)), record.ReasonPermission, deploymentsPermission},
		{"broken", "query Deployments(", page(hidden, failure("INTERNAL", `,"deployments"`)), record.ReasonRejected, ""},
		{"left out", "query Deployments(", page("null", failure("INTERNAL", "")), record.ReasonNotFound, ""},
		{"environments hidden", "query EnvironmentNames(", answering(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` +
			`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","environments":null},` + namesNode("web", "production") + `]}}},"errors":[` + failure("FORBIDDEN", `,"environments"`) + `]}`),
			record.ReasonPermission, environmentsPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s, _ := setup(t, func(cfg *Config) { cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true })
			serveDelivery(s)
			s.JSON("GET /repos/Acme/web/environments", reviewedEnvironment)
			s.JSON("GET /repos/Acme/web/actions/runs/77", runJSON)
			s.JSON("GET /repos/Acme/web/actions/runs/77/approvals", approvalsJSON)
			queries := map[string]http.HandlerFunc{
				"query EnvironmentNames(": graphQLPages(namesNode("api", "production")),
				"query Deployments(":      graphQLPages(deploymentsNode("api") + "," + web),
			}
			queries[tt.query] = tt.handler
			s.Handle("POST /graphql", dispatch(queries))
			batches, err := collectorstest.Gather(t.Context(), c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := batches["deployments:acme/api"].Err; record.ReasonOf(err) != tt.reason || !strings.Contains(err.Error(), tt.named) {
				t.Errorf("error %v, want %s that names %q", err, tt.reason, tt.named)
			}
			if b := batches["deployments:acme/web"]; b.Err != nil || len(b.Deployments) != 1 || b.Deployments[0].Approval != record.ApprovalApproved {
				t.Errorf("the other repository: %+v", b)
			}
		})
	}
}

// TestDeploymentsAreIncremental: what has ended is looked into once, what has not is looked at until it ends, and nothing new costs one query.
func TestDeploymentsAreIncremental(t *testing.T) {
	waiting := deploymentJSON("P", sha("b"), 2*time.Hour, statusJSON("WAITING", 2*time.Hour))
	first := deploymentJSON("1", sha("a"), 5*day, went("SUCCESS", 5*day-time.Hour)...)
	y := story{
		deployments: []string{waiting, first}, compared: map[string]string{"a...b": compareJSON("ahead", "b")},
		commits: map[string][]string{sha("b"): {associated(2, 6*day)}}, pulls: map[int]string{2: pullJSON(2, "")},
	}
	b, c, s, clock := deployedBy(t, nil, y)
	if d := byID(t, b, "P"); d.Status != record.DeploymentPending || b.Mode != record.Full || len(b.Deployments) != 2 {
		t.Fatalf("%+v", b)
	}
	cursors := collectors.Cursors{"deployments:acme/api": b.Cursor, "deployments:acme/web": b.Cursor}
	var asked []string
	collect := func() record.Batch {
		t.Helper()
		s.Forget()
		b := again(t, c, cursors)
		asked = asked[:0]
		for _, r := range s.Requests() {
			var q struct{ Query string }
			_ = json.Unmarshal(r.Body, &q)
			query, _, _ := strings.Cut(q.Query, "(")
			if what := strings.TrimSpace(strings.TrimPrefix(r.Path, "/graphql") + query); what != "/orgs/acme/repos" {
				asked = append(asked, what)
			}
		}
		if b.Err != nil {
			t.Fatal(b.Err)
		}
		if b.Cursor != "" {
			cursors["deployments:acme/api"] = b.Cursor
		}
		return b
	}
	pass := func(d time.Duration) {
		t.Helper()
		if err := clock.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if b := collect(); len(asked) != 0 || b.Scope != "" {
		t.Errorf("before the interval has passed: %v, %+v", asked, b)
	}
	pass(15 * time.Minute)
	if b := collect(); !slices.Equal(asked, []string{"query Deployments"}) || b.Mode != record.Delta || len(b.Deployments) != 1 || b.Deployments[0].Status != record.DeploymentPending {
		t.Errorf("while one waits: %v, %+v", asked, b)
	}
	pass(15 * time.Minute)
	y.deployments[0] = deploymentJSON("P", sha("b"), 2*time.Hour, went("SUCCESS", 0)...)
	y.serve(s)
	want := []string{"query Deployments", runPath, runPath + "/approvals", comparePath(sha("a"), sha("b")), "query PullsOfCommits", "query PullRequests"}
	if b := collect(); !slices.Equal(asked, want) || len(b.Deployments) != 1 || fmt.Sprint(numbers(b.Deployments[0])) != "[2]" {
		t.Errorf("when it has ended: %v, %+v", asked, b)
	}
	pass(15 * time.Minute)
	if b := collect(); !slices.Equal(asked, []string{"query Deployments"}) || b.Scope != "" {
		t.Errorf("when nothing is new: %v, %+v", asked, b)
	}
	pass(4 * time.Hour)
	if b := collect(); b.Mode != record.Delta || b.Deployments == nil || len(b.Deployments) != 0 {
		t.Errorf("after a while the scope says that it was read: %+v", b)
	}
	// Another process goes on from the cursor.
	restarted, err := New(c.config, c.env)
	if err != nil {
		t.Fatal(err)
	}
	c = restarted
	if collect(); slices.Contains(asked, runPath) {
		t.Errorf("after a restart: %v, want nothing looked into twice", asked)
	}
}

// TestDeploymentsInPortions: one collection looks into so many deployments and no more; half a history is not emitted, and the next collections finish it.
func TestDeploymentsInPortions(t *testing.T) {
	y := story{compared: map[string]string{}}
	letters := "abcdef"
	for i := range letters {
		at := time.Duration(40-5*i) * day
		y.deployments = append([]string{deploymentJSON(letters[i:i+1], sha(letters[i:i+1]), at, went("SUCCESS", at-time.Hour)...)}, y.deployments...)
		if i > 0 {
			y.compared[letters[i-1:i]+"..."+letters[i:i+1]] = compareJSON("ahead", letters[i:i+1])
		}
	}
	few := func(c *Config) { c.DeploymentsPerCollection = 2 }
	b, c, _, _ := deployedBy(t, few, y)
	for n := range 2 {
		if b.Scope != "" {
			t.Errorf("collection %d says %+v of a history that it has not read", n, b)
		}
		b = again(t, c, nil)
	}
	if b.Err != nil || b.Mode != record.Full || len(b.Deployments) != len(letters) {
		t.Fatalf("the whole history: %+v", b)
	}
	whole := deployed(t, nil, y)
	if diff := cmp.Diff(whole.Deployments, b.Deployments, cmpopts.EquateApproxTime(2*time.Second)); diff != "" {
		t.Errorf("in portions (-at once +in portions):\n%s", diff)
	}

	// Once there is a cursor, portions are emitted as they come.
	start := y
	start.deployments = y.deployments[len(y.deployments)-1:]
	b, c, s, _ := deployedBy(t, few, start)
	y.serve(s)
	cursors := collectors.Cursors{"deployments:acme/api": b.Cursor, "deployments:acme/web": b.Cursor}
	got := b.Deployments
	for range 4 {
		c.remember("acme", func(o *organisation) { o.deploymentsAt = time.Time{} })
		if b = again(t, c, cursors); b.Err != nil || len(b.Deployments) > 2 {
			t.Fatalf("%+v", b)
		}
		got = append(got, b.Deployments...)
		if b.Cursor != "" {
			cursors["deployments:acme/api"] = b.Cursor
		}
	}
	if diff := cmp.Diff(whole.Deployments, got, cmpopts.EquateApproxTime(2*time.Second)); diff != "" {
		t.Errorf("portion by portion (-at once +portions):\n%s", diff)
	}
}

// TestHistoryOfDeployments: pages are followed back as far as the history goes, and what lies before says what the first in it brings.
func TestHistoryOfDeployments(t *testing.T) {
	old := deploymentJSON("O", sha("a"), 100*day, went("SUCCESS", 100*day-time.Hour)...)
	middle := deploymentJSON("M", sha("b"), 80*day, went("SUCCESS", 80*day-time.Hour)...)
	recent := deploymentJSON("R", sha("c"), day, went("SUCCESS", time.Hour)...)
	more := func(page string) http.HandlerFunc {
		return answering(`{"data":{"repository":{"deployments":` + page + `}}}`)
	}
	node := fmt.Sprintf(`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","deployments":%s}`, pageOfDeployments("p2", recent))
	y := story{
		compared: map[string]string{"a...b": compareJSON("ahead", "b"), "b...c": compareJSON("ahead", "c")}, commits: map[string][]string{sha("b"): {associated(2, 90*day)}},
		pulls: map[int]string{2: pullJSON(2, "")},
		queries: map[string]http.HandlerFunc{
			"query Deployments(": graphQLPages(node + "," + deploymentsNode("web")), "query MoreDeployments(": more(pageOfDeployments("p3", middle, old)),
		},
	}
	b := deployed(t, nil, y)
	if b.Err != nil || len(b.Deployments) != 2 || fmt.Sprint(numbers(byID(t, b, "M"))) != "[2]" || byID(t, b, "M").ChangesKnown != yes {
		t.Errorf("%+v, want two deployments, the first with the change since the one before the history", b)
	}
	y.queries["query MoreDeployments("] = more(pageOfDeployments("", middle))
	y.queries["query Deployments("] = graphQLPages(node + "," + deploymentsNode("web"))
	if d := byID(t, deployed(t, nil, y), "M"); d.ChangesKnown != no || d.Rollback != no {
		t.Errorf("the first ever: %+v, want no rollback and changes that nobody knows", d)
	}
	for name, page := range map[string]string{"a cursor again": pageOfDeployments("p2", recent), "no cursor": `{"pageInfo":{"hasNextPage":true},"nodes":[]}`} {
		y.queries["query MoreDeployments("] = more(page)
		if b := deployed(t, nil, y); record.ReasonOf(b.Err) != record.ReasonTruncated {
			t.Errorf("%s: %+v, want it truncated", name, b)
		}
	}
}

func TestLongHistoryOfOneDeployment(t *testing.T) {
	long := strings.Replace(deploymentJSON("D", sha("a"), day, statusJSON("IN_PROGRESS", day)), `"totalCount":1`, `"totalCount":3`, 1)
	page := 0
	b := deployed(t, nil, story{deployments: []string{long}, queries: map[string]http.HandlerFunc{
		"query MoreStatuses(": func(w http.ResponseWriter, _ *http.Request) {
			page++
			next, status := `{"hasNextPage":true,"endCursor":"2"}`, statusJSON("IN_PROGRESS", day)
			if page > 1 {
				next, status = `{"hasNextPage":false}`, statusJSON("SUCCESS", 3*time.Hour)
			}
			collectorstest.WriteJSON(w, `{"data":{"node":{"statuses":{"pageInfo":`+next+`,"nodes":[`+status+`]}}}}`)
		},
	}})
	if d := byID(t, b, "D"); d.Status != record.DeploymentSucceeded || since(d.FinishedAt) != 3*time.Hour || page != 2 {
		t.Errorf("%+v after %d pages", d, page)
	}
}

// TestEnvironmentsOfDeployments: names are asked for in the usual spellings, patterns by the names that environments have.
func TestEnvironmentsOfDeployments(t *testing.T) {
	var asked []string
	capture := func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Variables struct{ Environments []string }
		}
		_ = json.NewDecoder(r.Body).Decode(&q)
		asked = q.Variables.Environments
		collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[`+deploymentsNode("api")+`]}}}}`)
	}
	many := strings.Replace(namesNode("web", "a"), `"totalCount":1`, `"totalCount":101`, 1)
	c, s, _ := setup(t, func(cfg *Config) {
		cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true
		cfg.DeploymentEnvironments = []string{"live", "prod-*"}
		cfg.DeploymentServices = []ServiceRule{{Repository: "acme/*", Environment: "shop/{service}"}}
	})
	s.JSON("GET /repos/Acme/web/environments", `{"environments":[{"name":"PROD-US"},{"name":"pr-17"}]}`)
	s.Handle("POST /graphql", dispatch(map[string]http.HandlerFunc{
		"query EnvironmentNames(": graphQLPages(namesNode("api", "prod-eu", "staging", "Shop/cart") + "," + many), "query Deployments(": capture,
	}))
	again(t, c, nil)
	if diff := cmp.Diff([]string{"LIVE", "Live", "PROD-US", "Shop/cart", "live", "prod-eu"}, asked); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
}

func TestDeploymentsOfRepositoriesThatAreGone(t *testing.T) {
	b, c, s, _ := deployedBy(t, nil, story{deployments: healthyDeployments()})
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(repoJSON("api", `,"archived":true`), repoJSON("web", "")))
	if b = again(t, c, collectors.Cursors{"deployments:acme/api": b.Cursor}); b.Mode != record.Full || !slices.Equal(b.Kinds(), []record.Kind{record.KindDeployment}) || b.Size() != 0 || !strings.HasPrefix(string(b.Cursor), retired) {
		t.Errorf("deployments of an archived repository: %+v", b)
	}
}

func TestDeliveryIsCheckedAndForecast(t *testing.T) {
	_, c, s, _ := deployedBy(t, nil, story{deployments: healthyDeployments(), queries: map[string]http.HandlerFunc{
		"query Checks(": answering(`{"data":{"repository":{}}}`), "query Teams(": answering(`{"data":{"organization":{"teams":{"totalCount":0,"nodes":[]}}}}`),
	}})
	c.config.SecurityReview.Teams = []string{"acme/product-security"}
	forecast := c.Forecast()
	// Four looks an hour of 6 points and one at names, and 2 points and 3 requests for each of two deployments a week; the list of repositories is read once an hour.
	for resource, want := range map[string]float64{"graphql": 4*6 + 1 + 2*2/168.0, "core": 1 + 2*3/168.0} {
		if fmt.Sprintf("%.4f", forecast[resource]) != fmt.Sprintf("%.4f", want) {
			t.Errorf("forecast of %s is %v, want %v", resource, forecast[resource], want)
		}
	}
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	s.Inject(&collectorstest.Fault{Apply: collectorstest.Status(http.StatusForbidden), Match: func(r collectorstest.Request) bool { return r.Path != "/orgs/acme/repos" }})
	if results, err = c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for subject, permission := range map[string]string{
		"deployments": deploymentsPermission, "approvals of deployments": runsPermission, "commits of deployments": contentsPermission,
		"pull requests of deployments": pullsPermission, "checks of pull requests": checksPermission, "teams of reviewers": teamsPermission,
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 || !strings.Contains(fmt.Sprint(results[at].Err), permission) || results[at].Unknown == "" {
			t.Errorf("%s does not name %s: %+v", subject, permission, results)
		}
	}
}
