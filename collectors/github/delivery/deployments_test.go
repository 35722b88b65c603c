package delivery_test

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
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestDeploymentsEnd(t *testing.T) {
	success := githubtest.StatusJSON("SUCCESS", 5*time.Hour)
	tests := []struct {
		name     string
		statuses []string
		status   record.DeploymentStatus
		finished time.Duration
	}{
		{"no history", nil, record.DeploymentPending, 0},
		{"waiting", []string{githubtest.StatusJSON("WAITING", 6*time.Hour)}, record.DeploymentPending, 0},
		{"succeeded", []string{success, githubtest.StatusJSON("IN_PROGRESS", 6*time.Hour)}, record.DeploymentSucceeded, 5 * time.Hour},
		{"superseded", []string{githubtest.StatusJSON("INACTIVE", time.Hour), success}, record.DeploymentSucceeded, 5 * time.Hour},
		{"superseded, oldest first", []string{success, githubtest.StatusJSON("INACTIVE", time.Hour)}, record.DeploymentSucceeded, 5 * time.Hour},
		{"failed", []string{githubtest.StatusJSON("FAILURE", 4*time.Hour)}, record.DeploymentFailed, 4 * time.Hour},
		{"broke", []string{githubtest.StatusJSON("ERROR", 3*time.Hour)}, record.DeploymentFailed, 3 * time.Hour},
		{"failed, then marked as well", []string{githubtest.StatusJSON("SUCCESS", time.Hour), githubtest.StatusJSON("FAILURE", 4*time.Hour)}, record.DeploymentFailed, 4 * time.Hour},
		{"succeeded twice", []string{githubtest.StatusJSON("SUCCESS", time.Hour), success}, record.DeploymentSucceeded, 5 * time.Hour},
		{"given up", []string{githubtest.StatusJSON("INACTIVE", time.Hour), githubtest.StatusJSON("QUEUED", 6*time.Hour)}, record.DeploymentOther, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := byID(t, deployed(t, nil, githubtest.Story{Deployments: []string{githubtest.DeploymentJSON("D", githubtest.SHA("a"), 7*time.Hour, tt.statuses...)}}), "D")
			if d.Status != tt.status || githubtest.Since(d.FinishedAt) != tt.finished || githubtest.Since(d.CreatedAt) != 7*time.Hour {
				t.Errorf("%s since %s, want %s since %s: %+v", d.Status, githubtest.Since(d.FinishedAt), tt.status, tt.finished, d)
			}
		})
	}
}

// TestWhatADeploymentBrings: a deployment is a rollback if it brings back an older commit, and brings the pull requests that none before it did.
func TestWhatADeploymentBrings(t *testing.T) {
	deploy := func(id, commit string, days int, state string) string {
		return githubtest.DeploymentJSON(id, githubtest.SHA(commit), time.Duration(days)*githubtest.Day, githubtest.History(state, time.Duration(days)*githubtest.Day-time.Hour)...)
	}
	commits := map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 50*githubtest.Day)}, githubtest.SHA("c"): {githubtest.Associated(3, 40*githubtest.Day)}, githubtest.SHA("d"): {githubtest.Associated(4, 30*githubtest.Day)}, githubtest.SHA("e"): {}}
	pulls := map[int]string{}
	for n := range 10 {
		pulls[n] = githubtest.PullJSON(n, "")
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
		{"one change", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)}, map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "no yes [2]"},
		{"merged, not squashed", []string{deploy("1", "a", 9, ok), deploy("D", "d", 8, ok)}, map[string]string{"a...d": githubtest.CompareJSON("ahead", "b", "c", "d+")}, "no yes [2 3]"},
		{"pushed directly", []string{deploy("1", "a", 9, ok), deploy("D", "e", 8, ok)}, map[string]string{"a...e": githubtest.CompareJSON("ahead", "e")}, "no yes [0]"},
		{"pushed directly beside pull requests", []string{deploy("1", "a", 9, ok), deploy("D", "c", 8, ok)}, map[string]string{"a...c": githubtest.CompareJSON("ahead", "b", "e", "9", "c")}, "no yes [0 0 2 3]"},
		{"pushed directly, and by way of another branch again", []string{deploy("1", "a", 9, ok), deploy("2", "e", 8, ok), deploy("D", "c", 7, ok)},
			map[string]string{"a...e": githubtest.CompareJSON("ahead", "e"), "e...c": githubtest.CompareJSON("diverged", "e", "c")}, "no yes [3]"},
		{"the same again", []string{deploy("1", "a", 9, ok), deploy("D", "a", 8, ok)}, nil, "no yes []"},
		{"an older commit that was never live", []string{deploy("1", "b", 9, ok), deploy("D", "a", 8, ok)}, map[string]string{"b...a": githubtest.CompareJSON("behind")}, "yes yes []"},
		{"an older commit that was live", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("D", "a", 7, ok)}, map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "yes yes []"},
		{"forward after a rollback", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "a", 7, ok), deploy("D", "b", 6, ok)},
			map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "no yes []"},
		{"on from a rollback", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "a", 7, ok), deploy("D", "c", 6, ok)},
			map[string]string{"a...b": githubtest.CompareJSON("ahead", "b"), "b...c": githubtest.CompareJSON("ahead", "c")}, "no yes [3]"},
		{"back after a failure", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "a", 7, ok)}, map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "yes yes []"},
		{"what failed is tried again", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "b", 7, ok)}, map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "no yes [2]"},
		{"past what failed", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, failed), deploy("D", "c", 7, ok)},
			map[string]string{"a...b": githubtest.CompareJSON("ahead", "b"), "a...c": githubtest.CompareJSON("ahead", "b", "c")}, "no yes [2 3]"},
		{"one that fails brings nothing", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, failed)}, map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, "no  []"},
		{"a rollback that fails", []string{deploy("1", "b", 9, ok), deploy("D", "a", 8, failed)}, map[string]string{"b...a": githubtest.CompareJSON("behind")}, "yes  []"},
		{"a hotfix beside the branch, then the branch", []string{deploy("1", "a", 9, ok), deploy("2", "b", 8, ok), deploy("3", "c", 7, ok), deploy("D", "d", 6, ok)},
			map[string]string{"a...b": githubtest.CompareJSON("ahead", "b"), "b...c": githubtest.CompareJSON("diverged", "c"), "c...d": githubtest.CompareJSON("diverged", "b", "d")}, "no yes [4]"},
		{"one that ends after a later one", []string{deploy("1", "a", 9, ok), githubtest.DeploymentJSON("D", githubtest.SHA("b"), 8*githubtest.Day, githubtest.History(ok, githubtest.Day)...), deploy("2", "c", 7, ok)},
			map[string]string{"a...c": githubtest.CompareJSON("ahead", "b", "c"), "c...b": githubtest.CompareJSON("behind")}, "yes yes []"},
		{"history that is gone", []string{deploy("1", "a", 9, ok), deploy("D", "f", 8, ok)}, nil, " no []"},
		{"words that are not known", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)}, map[string]string{"a...b": githubtest.CompareJSON("sideways", "b")}, " no []"},
		{"more than the comparison shows", []string{deploy("1", "a", 9, ok), deploy("D", "b", 8, ok)},
			map[string]string{"a...b": strings.Replace(githubtest.CompareJSON("ahead", "b"), `"total_commits":1`, `"total_commits":1001`, 1)}, "no no [2]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slices.Reverse(tt.deployments)
			d := byID(t, deployed(t, nil, githubtest.Story{Deployments: tt.deployments, Compared: tt.compared, Commits: commits, Pulls: pulls}), "D")
			if got := fmt.Sprint(d.Rollback, " ", d.ChangesKnown, " ", numbers(d)); got != tt.want {
				t.Errorf("rollback, changes known, changes: %q, want %q", got, tt.want)
			}
		})
	}
}

func numbers(d record.Deployment) []int {
	list := []int{}
	for _, c := range d.Changes {
		list = append(list, delivery.NumberOf(c.ID))
	}
	return list
}

// TestWhatADeploymentBringsAgain holds that a whole reading says the same as the readings of one deployment after the other.
func TestWhatADeploymentBringsAgain(t *testing.T) {
	c, s, clock := githubtest.Setup(t, func(cfg *github.Config) {
		onlyDeployments(cfg)
	})
	githubtest.ServeDelivery(s)
	all := []string{
		githubtest.DeploymentJSON("4", githubtest.SHA("a"), 6*githubtest.Day, githubtest.History("SUCCESS", 6*githubtest.Day-time.Hour)...), githubtest.DeploymentJSON("3", githubtest.SHA("b"), 7*githubtest.Day, githubtest.History("SUCCESS", 7*githubtest.Day-time.Hour)...),
		githubtest.DeploymentJSON("2", githubtest.SHA("b"), 8*githubtest.Day, githubtest.History("FAILURE", 8*githubtest.Day-time.Hour)...), githubtest.DeploymentJSON("1", githubtest.SHA("a"), 9*githubtest.Day, githubtest.History("SUCCESS", 9*githubtest.Day-time.Hour)...),
	}
	y := githubtest.Story{
		Compared: map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")}, Commits: map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 10*githubtest.Day)}}, Pulls: map[int]string{2: githubtest.PullJSON(2, "")},
	}
	var steps []record.Deployment
	cursors := collectors.Cursors{}
	for n := range all {
		y.Deployments = all[len(all)-1-n:]
		y.Serve(s)
		b := again(t, c, cursors)
		if b.Err != nil || len(b.Deployments) != 1 || b.Mode == record.Full != (n == 0) {
			t.Fatalf("after deployment %d: %+v", n+1, b)
		}
		steps = append(steps, b.Deployments...)
		cursors["deployments:acme/api"] = b.Cursor
		pass(t, clock)
	}
	fresh := githubtest.Restarted(t, s, clock, onlyDeployments)
	for name, collector := range map[string]*github.Collector{"who was there": c, "who comes later": fresh} {
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
	replace := func(old, by string) string { return strings.ReplaceAll(githubtest.ReviewedEnvironment, old, by) }
	const free = `{"total_count":1,"environments":[{"name":"Production","protection_rules":[{"type":"wait_timer","wait_timer":30}]}]}`
	tests := []struct {
		name       string
		story      githubtest.Story
		want       record.Approval
		permission string
	}{
		{"by another", githubtest.Story{}, record.ApprovalApproved, ""},
		{"by who created it", githubtest.Story{Approvals: approval("approved", "Ada", "User", "production")}, record.ApprovalNone, ""},
		{"by who started the run", githubtest.Story{Approvals: approval("approved", "zoe", "User", "production"), Run: strings.ReplaceAll(githubtest.RunJSON, `"triggering_actor":{"login":"ada"`, `"triggering_actor":{"login":"zoe"`)}, record.ApprovalNone, ""},
		{"by a bot", githubtest.Story{Approvals: approval("approved", "gate[bot]", "Bot", "production")}, record.ApprovalNone, ""},
		{"by an account that is deleted", githubtest.Story{Approvals: `[{"state":"approved","user":null,"environments":[{"name":"production"}]}]`}, record.ApprovalUnknown, ""},
		{"by an account that is a ghost", githubtest.Story{Approvals: approval("approved", "ghost", "User", "production")}, record.ApprovalUnknown, ""},
		{"for another environment", githubtest.Story{Approvals: approval("approved", "eve", "User", "staging")}, record.ApprovalBypassed, ""},
		{"rejected", githubtest.Story{Approvals: approval("rejected", "eve", "User", "production")}, record.ApprovalNone, ""},
		{"nobody, and it went ahead", githubtest.Story{Approvals: `[]`}, record.ApprovalBypassed, ""},
		{"nobody, but the rule may be younger", githubtest.Story{Approvals: `[]`, Environments: replace("2020-01-01T00:00:00Z", githubtest.Ago(time.Hour))}, record.ApprovalUnknown, ""},
		{"nobody, and nobody says how old the rule is", githubtest.Story{Approvals: `[]`, Environments: replace(`"updated_at"`, `"changed_at"`)}, record.ApprovalUnknown, ""},
		{"pending", githubtest.Story{Approvals: approval("pending", "eve", "User", "production")}, record.ApprovalBypassed, ""},
		{"a state that is not known", githubtest.Story{Approvals: approval("nodded", "eve", "User", "production")}, record.ApprovalBypassed, ""},
		{"no reviewer is required", githubtest.Story{Environments: free}, record.ApprovalNone, ""},
		{"the environment is gone", githubtest.Story{Environments: `{"environments":[]}`}, record.ApprovalUnknown, ""},
		{"environments are hidden", githubtest.Story{Refused: map[string]int{"/repos/Acme/api/environments": 403}}, record.ApprovalUnknown, "actions=read"},
		{"approvals are hidden", githubtest.Story{Refused: map[string]int{githubtest.RunPath + "/approvals": 403}}, record.ApprovalUnknown, "actions=read"},
		{"runs are hidden", githubtest.Story{Refused: map[string]int{githubtest.RunPath: 403}}, record.ApprovalUnknown, "actions=read"},
		{"the run is gone", githubtest.Story{Refused: map[string]int{githubtest.RunPath: 404, githubtest.RunPath + "/approvals": 404}}, record.ApprovalUnknown, ""},
		{"not by GitHub Actions", githubtest.Story{Deployments: []string{githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, strings.ReplaceAll(githubtest.StatusJSON("SUCCESS", time.Hour), "/actions/runs/77/", "/elsewhere/"))}}, record.ApprovalUnknown, ""},
		{"by somebody, but started by nobody knows whom", githubtest.Story{
			Deployments: []string{strings.ReplaceAll(githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), `"__typename":"User","login":"ada"`, `"__typename":"Bot","login":"github-actions"`)},
			Refused:     map[string]int{githubtest.RunPath: 404},
		}, record.ApprovalUnknown, ""},
		{"by somebody, who cannot have started it", githubtest.Story{
			Deployments: []string{strings.ReplaceAll(githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), `"__typename":"User","login":"ada"`, `"__typename":"Bot","login":"github-actions"`)},
			Refused:     map[string]int{githubtest.RunPath: 404}, Environments: replace(`"prevent_self_review":false`, `"prevent_self_review":true`),
		}, record.ApprovalApproved, ""},
		{"it never started", githubtest.Story{Approvals: `[]`, Deployments: []string{githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.StatusJSON("WAITING", 2*time.Hour), githubtest.StatusJSON("FAILURE", time.Hour))}}, record.ApprovalNone, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.story.Deployments == nil {
				tt.story.Deployments = []string{githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...)}
			}
			d := byID(t, deployed(t, nil, tt.story), "D")
			if d.Approval != tt.want || d.MissingPermission != tt.permission {
				t.Errorf("approval %q for want of %q, want %q and %q", d.Approval, d.MissingPermission, tt.want, tt.permission)
			}
			if got := d.Evidence[record.EvidenceApproval]; got != delivery.EvidenceOf(tt.want) {
				t.Errorf("evidence of approval is %q", got)
			}
		})
	}
}

func TestWhereADeploymentComesFrom(t *testing.T) {
	from := func(ref string) string {
		return strings.ReplaceAll(githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), `"ref":{"name":"main","prefix":"refs/heads/"}`, `"ref":`+ref)
	}
	const tag, hotfix, gone, release = `{"name":"v1","prefix":"refs/tags/"}`, `{"name":"hotfix","prefix":"refs/heads/"}`, `null`, `{"name":"release/1","prefix":"refs/heads/"}`
	compared := func(status string) map[string]string {
		return map[string]string{"main...a": githubtest.CompareJSON(status)}
	}
	run := func(branch string) string {
		return strings.ReplaceAll(githubtest.RunJSON, `"head_branch":"main"`, fmt.Sprintf(`"head_branch":%q`, branch))
	}
	tests := []struct {
		name     string
		story    githubtest.Story
		releases []string
		ref      string
		want     record.Answer
		missing  string
	}{
		{"the default branch", githubtest.Story{Deployments: []string{from(`{"name":"main","prefix":"refs/heads/"}`)}}, nil, "main", githubtest.Yes, ""},
		{"a release branch", githubtest.Story{Deployments: []string{from(release)}}, []string{"release/*"}, "release/1", githubtest.Yes, ""},
		{"a branch that nobody looks at", githubtest.Story{Deployments: []string{from(release)}, Run: run("release/1"), Compared: compared("ahead")}, nil, "release/1", githubtest.No, ""},
		{"a branch that is merged by now", githubtest.Story{Deployments: []string{from(hotfix)}, Run: run("hotfix"), Compared: compared("behind")}, nil, "hotfix", githubtest.Yes, ""},
		{"a tag on the default branch", githubtest.Story{Deployments: []string{from(tag)}, Run: run("v1"), Compared: compared("identical")}, nil, "v1", githubtest.Yes, ""},
		{"a tag elsewhere", githubtest.Story{Deployments: []string{from(tag)}, Run: run("v1"), Compared: compared("diverged")}, nil, "v1", githubtest.No, ""},
		{"a tag elsewhere, perhaps on a release branch", githubtest.Story{Deployments: []string{from(tag)}, Run: run("v1"), Compared: compared("diverged")}, []string{"release/*"}, "v1", githubtest.Unknown, ""},
		{"a branch that is gone, by its run", githubtest.Story{Deployments: []string{from(gone)}}, nil, "main", githubtest.Yes, ""},
		{"nobody says", githubtest.Story{Deployments: []string{from(gone)}, Refused: map[string]int{githubtest.RunPath: 404}, Compared: compared("ahead")}, nil, "", githubtest.No, ""},
		{"a commit that is gone", githubtest.Story{Deployments: []string{from(tag)}, Run: run("v1")}, nil, "v1", githubtest.Unknown, ""},
		{"contents are hidden", githubtest.Story{Deployments: []string{from(tag)}, Run: run("v1"), Refused: map[string]int{githubtest.ComparePath("main", githubtest.SHA("a")): 403}}, nil, "v1", githubtest.Unknown, "contents=read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := byID(t, deployed(t, func(c *github.Config) { c.Protection.ReleaseBranches = tt.releases }, tt.story), "D")
			if d.FromProtectedBranch != tt.want || d.Ref != tt.ref || d.MissingPermission != tt.missing {
				t.Errorf("%q from %q for want of %q, want %q from %q", d.FromProtectedBranch, d.Ref, d.MissingPermission, tt.want, tt.ref)
			}
		})
	}
}

func TestPipelineOfADeployment(t *testing.T) {
	y := githubtest.Story{Deployments: []string{
		githubtest.DeploymentJSON("2", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), githubtest.DeploymentJSON("1", githubtest.SHA("a"), 2*githubtest.Day, githubtest.History("SUCCESS", 2*githubtest.Day-time.Hour)...),
	}}
	b, _, s, _ := deployedBy(t, nil, y)
	for _, d := range b.Deployments {
		if d.Pipeline != api.PipelineID("Acme/API", ".github/workflows/Deploy.yml") {
			t.Errorf("pipeline %q", d.Pipeline)
		}
	}
	if n := len(slices.DeleteFunc(s.Requests(), func(r collectorstest.Request) bool { return r.Path != githubtest.RunPath })); n != 1 {
		t.Errorf("the run was asked for %d times, want once", n)
	}
	for url, want := range map[string]int64{
		"": 0, "https://ci.example.com/77": 0, "https://github.com/a/b/actions/runs/77": 77, "https://github.com/a/b/actions/runs/77/job/3": 77,
		"https://github.com/a/b/actions/runs/x/job/3": 0, "https://github.com/a/b/actions/runs/-7": 0,
	} {
		if got := delivery.RunOf(url); got != want {
			t.Errorf("runOf(%q) = %d, want %d", url, got, want)
		}
	}
}

// TestDetailFailures: what may pass fails the scope, so that nothing is counted before all is known; what will not pass is unknown, and named.
func TestDetailFailures(t *testing.T) {
	queries := map[string]string{"query PullsOfCommits(": "pull_requests=read", "query PullRequests(": "pull_requests=read"}
	paths := map[string]string{
		"/repos/Acme/api/environments": "actions=read", githubtest.RunPath: "actions=read", githubtest.RunPath + "/approvals": "actions=read", githubtest.ComparePath(githubtest.SHA("a"), githubtest.SHA("b")): "contents=read",
	}
	fault := func(t *testing.T, match func(collectorstest.Request) bool, apply func(*collectorstest.Exchange)) record.Batch {
		t.Helper()
		c, s, _ := githubtest.Setup(t, func(cfg *github.Config) {
			onlyDeployments(cfg)
		})
		githubtest.ServePosture(s)
		githubtest.ServeDelivery(s)
		s.JSON("GET /repos/Acme/api/environments", githubtest.ReviewedEnvironment)
		s.Inject(&collectorstest.Fault{Match: match, Apply: apply})
		return again(t, c, nil)
	}
	for path, permission := range paths {
		for code, reason := range map[int]record.ErrorReason{500: record.ReasonServer, 401: record.ReasonUnauthorized} {
			if b := fault(t, githubtest.AtPath(path), collectorstest.Status(code)); record.ReasonOf(b.Err) != reason {
				t.Errorf("%s answers %d: %+v, want %s", path, code, b.Err, reason)
			}
		}
		b := fault(t, githubtest.AtPath(path), collectorstest.Status(403))
		if b.Err != nil || byID(t, b, "D2").MissingPermission != permission {
			t.Errorf("%s answers 403: %+v, want %s", path, b, permission)
		}
	}
	const forbidden = `{"data":{"repository":null},"errors":[{"type":"FORBIDDEN","path":["repository"],"message":"Resource not accessible by integration"}]}`
	for query, permission := range queries {
		if b := fault(t, githubtest.Asks(query), collectorstest.Status(502)); record.ReasonOf(b.Err) != record.ReasonServer {
			t.Errorf("%s answers 502: %+v", query, b.Err)
		}
		b := fault(t, githubtest.Asks(query), collectorstest.Body(forbidden))
		if b.Err != nil {
			t.Errorf("%s is forbidden: %v", query, b.Err)
			continue
		}
		if d := byID(t, b, "D2"); d.MissingPermission != permission || d.ChangesKnown != githubtest.No || len(d.Changes) != 0 || d.Approval != record.ApprovalApproved {
			t.Errorf("%s is forbidden: %+v, want its changes unknown for want of %s", query, d, permission)
		}
	}
}

// TestDeploymentsFailAlone: errors[] beside partial data concern one repository, and one that is left out is missed.
func TestDeploymentsFailAlone(t *testing.T) {
	web := githubtest.DeploymentsNode("web", githubtest.DeploymentJSON("W", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...))
	page := func(api, failure string) http.HandlerFunc {
		return githubtest.Answering(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` + api + "," + web + `]}}},"errors":[` + failure + `]}`)
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
		{"forbidden", "query Deployments(", page(hidden, failure("FORBIDDEN", `,"deployments"`)), record.ReasonPermission, "deployments=read"},
		{"a history forbidden", "query Deployments(", page(githubtest.DeploymentsNode("api", githubtest.HealthyDeployments()...), failure("FORBIDDEN", `,"deployments","nodes",0,"statuses"`)), record.ReasonPermission, "deployments=read"},
		{"broken", "query Deployments(", page(hidden, failure("INTERNAL", `,"deployments"`)), record.ReasonRejected, ""},
		{"left out", "query Deployments(", page("null", failure("INTERNAL", "")), record.ReasonNotFound, ""},
		{"environments hidden", "query EnvironmentNames(", githubtest.Answering(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[` +
			`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","environments":null},` + githubtest.NamesNode("web", "production") + `]}}},"errors":[` + failure("FORBIDDEN", `,"environments"`) + `]}`),
			record.ReasonPermission, "actions=read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s, _ := githubtest.Setup(t, func(cfg *github.Config) {
				onlyDeployments(cfg)
			})
			githubtest.ServeDelivery(s)
			s.JSON("GET /repos/Acme/web/environments", githubtest.ReviewedEnvironment)
			s.JSON("GET /repos/Acme/web/actions/runs/77", githubtest.RunJSON)
			s.JSON("GET /repos/Acme/web/actions/runs/77/approvals", githubtest.ApprovalsJSON)
			queries := map[string]http.HandlerFunc{
				"query EnvironmentNames(": githubtest.Pages(githubtest.NamesNode("api", "production")),
				"query Deployments(":      githubtest.Pages(githubtest.DeploymentsNode("api") + "," + web),
			}
			queries[tt.query] = tt.handler
			s.Handle("POST /graphql", githubtest.Dispatch(queries))
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
	waiting := githubtest.DeploymentJSON("P", githubtest.SHA("b"), 2*time.Hour, githubtest.StatusJSON("WAITING", 2*time.Hour))
	first := githubtest.DeploymentJSON("1", githubtest.SHA("a"), 5*githubtest.Day, githubtest.History("SUCCESS", 5*githubtest.Day-time.Hour)...)
	y := githubtest.Story{
		Deployments: []string{waiting, first}, Compared: map[string]string{"a...b": githubtest.CompareJSON("ahead", "b")},
		Commits: map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 6*githubtest.Day)}}, Pulls: map[int]string{2: githubtest.PullJSON(2, "")},
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
	y.Deployments[0] = githubtest.DeploymentJSON("P", githubtest.SHA("b"), 2*time.Hour, githubtest.History("SUCCESS", 0)...)
	y.Serve(s)
	want := []string{"query Deployments", githubtest.RunPath, githubtest.RunPath + "/approvals", githubtest.ComparePath(githubtest.SHA("a"), githubtest.SHA("b")), "query PullsOfCommits", "query PullRequests"}
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
	restarted := githubtest.Restarted(t, s, clock, onlyDeployments)
	c = restarted
	if collect(); slices.Contains(asked, githubtest.RunPath) {
		t.Errorf("after a restart: %v, want nothing looked into twice", asked)
	}
}

// TestDeploymentsInPortions: one collection looks into so many deployments and no more; half a history is not emitted, and the next collections finish it.
func TestDeploymentsInPortions(t *testing.T) {
	y := githubtest.Story{Compared: map[string]string{}}
	letters := "abcdef"
	for i := range letters {
		at := time.Duration(40-5*i) * githubtest.Day
		y.Deployments = append([]string{githubtest.DeploymentJSON(letters[i:i+1], githubtest.SHA(letters[i:i+1]), at, githubtest.History("SUCCESS", at-time.Hour)...)}, y.Deployments...)
		if i > 0 {
			y.Compared[letters[i-1:i]+"..."+letters[i:i+1]] = githubtest.CompareJSON("ahead", letters[i:i+1])
		}
	}
	few := func(c *github.Config) { c.Delivery.DeploymentsPerCollection = 2 }
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
	start.Deployments = y.Deployments[len(y.Deployments)-1:]
	b, c, s, clock := deployedBy(t, few, start)
	y.Serve(s)
	cursors := collectors.Cursors{"deployments:acme/api": b.Cursor, "deployments:acme/web": b.Cursor}
	got := b.Deployments
	for range 4 {
		pass(t, clock)
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
	old := githubtest.DeploymentJSON("O", githubtest.SHA("a"), 100*githubtest.Day, githubtest.History("SUCCESS", 100*githubtest.Day-time.Hour)...)
	middle := githubtest.DeploymentJSON("M", githubtest.SHA("b"), 80*githubtest.Day, githubtest.History("SUCCESS", 80*githubtest.Day-time.Hour)...)
	recent := githubtest.DeploymentJSON("R", githubtest.SHA("c"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...)
	more := func(page string) http.HandlerFunc {
		return githubtest.Answering(`{"data":{"repository":{"deployments":` + page + `}}}`)
	}
	node := fmt.Sprintf(`{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","deployments":%s}`, githubtest.PageOfDeployments("p2", recent))
	y := githubtest.Story{
		Compared: map[string]string{"a...b": githubtest.CompareJSON("ahead", "b"), "b...c": githubtest.CompareJSON("ahead", "c")}, Commits: map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 90*githubtest.Day)}},
		Pulls: map[int]string{2: githubtest.PullJSON(2, "")},
		Queries: map[string]http.HandlerFunc{
			"query Deployments(": githubtest.Pages(node + "," + githubtest.DeploymentsNode("web")), "query MoreDeployments(": more(githubtest.PageOfDeployments("p3", middle, old)),
		},
	}
	b := deployed(t, nil, y)
	if b.Err != nil || len(b.Deployments) != 2 || fmt.Sprint(numbers(byID(t, b, "M"))) != "[2]" || byID(t, b, "M").ChangesKnown != githubtest.Yes {
		t.Errorf("%+v, want two deployments, the first with the change since the one before the history", b)
	}
	y.Queries["query MoreDeployments("] = more(githubtest.PageOfDeployments("", middle))
	y.Queries["query Deployments("] = githubtest.Pages(node + "," + githubtest.DeploymentsNode("web"))
	if d := byID(t, deployed(t, nil, y), "M"); d.ChangesKnown != githubtest.No || d.Rollback != githubtest.No {
		t.Errorf("the first ever: %+v, want no rollback and changes that nobody knows", d)
	}
	for name, page := range map[string]string{"a cursor again": githubtest.PageOfDeployments("p2", recent), "no cursor": `{"pageInfo":{"hasNextPage":true},"nodes":[]}`} {
		y.Queries["query MoreDeployments("] = more(page)
		if b := deployed(t, nil, y); record.ReasonOf(b.Err) != record.ReasonTruncated {
			t.Errorf("%s: %+v, want it truncated", name, b)
		}
	}
}

func TestLongHistoryOfOneDeployment(t *testing.T) {
	long := strings.Replace(githubtest.DeploymentJSON("D", githubtest.SHA("a"), githubtest.Day, githubtest.StatusJSON("IN_PROGRESS", githubtest.Day)), `"totalCount":1`, `"totalCount":3`, 1)
	page := 0
	b := deployed(t, nil, githubtest.Story{Deployments: []string{long}, Queries: map[string]http.HandlerFunc{
		"query MoreStatuses(": func(w http.ResponseWriter, _ *http.Request) {
			page++
			next, status := `{"hasNextPage":true,"endCursor":"2"}`, githubtest.StatusJSON("IN_PROGRESS", githubtest.Day)
			if page > 1 {
				next, status = `{"hasNextPage":false}`, githubtest.StatusJSON("SUCCESS", 3*time.Hour)
			}
			collectorstest.WriteJSON(w, `{"data":{"node":{"statuses":{"pageInfo":`+next+`,"nodes":[`+status+`]}}}}`)
		},
	}})
	if d := byID(t, b, "D"); d.Status != record.DeploymentSucceeded || githubtest.Since(d.FinishedAt) != 3*time.Hour || page != 2 {
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
		collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[`+githubtest.DeploymentsNode("api")+`]}}}}`)
	}
	many := strings.Replace(githubtest.NamesNode("web", "a"), `"totalCount":1`, `"totalCount":101`, 1)
	c, s, _ := githubtest.Setup(t, func(cfg *github.Config) {
		onlyDeployments(cfg)
		cfg.Delivery.DeploymentEnvironments = []string{"live", "prod-*"}
		cfg.Delivery.DeploymentServices = []delivery.ServiceRule{{Repository: "acme/*", Environment: "shop/{service}"}}
	})
	s.JSON("GET /repos/Acme/web/environments", `{"environments":[{"name":"PROD-US"},{"name":"pr-17"}]}`)
	s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
		"query EnvironmentNames(": githubtest.Pages(githubtest.NamesNode("api", "prod-eu", "staging", "Shop/cart") + "," + many), "query Deployments(": capture,
	}))
	again(t, c, nil)
	if diff := cmp.Diff([]string{"LIVE", "Live", "PROD-US", "Shop/cart", "live", "prod-eu"}, asked); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
}

func TestDeploymentsOfRepositoriesThatAreGone(t *testing.T) {
	b, c, s, _ := deployedBy(t, nil, githubtest.Story{Deployments: githubtest.HealthyDeployments()})
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("api", `,"archived":true`), githubtest.RepositoryJSON("web", "")))
	if b = again(t, c, collectors.Cursors{"deployments:acme/api": b.Cursor}); b.Mode != record.Full || !slices.Equal(b.Kinds(), []record.Kind{record.KindDeployment}) || b.Size() != 0 || !strings.HasPrefix(string(b.Cursor), "retired ") {
		t.Errorf("deployments of an archived repository: %+v", b)
	}
}

func TestDeliveryIsCheckedAndForecast(t *testing.T) {
	teams := func(c *github.Config) { c.Delivery.SecurityReview.Teams = []string{"acme/product-security"} }
	_, c, s, _ := deployedBy(t, teams, githubtest.Story{Deployments: githubtest.HealthyDeployments(), Queries: map[string]http.HandlerFunc{
		"query Checks(": githubtest.Answering(`{"data":{"repository":{}}}`), "query Teams(": githubtest.Answering(`{"data":{"organization":{"teams":{"totalCount":0,"nodes":[]}}}}`),
	}})
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
		"deployments": "deployments=read", "approvals of deployments": "actions=read", "commits of deployments": "contents=read",
		"pull requests of deployments": "pull_requests=read", "checks of pull requests": "checks=read", "teams of reviewers": "members=read",
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 || !strings.Contains(fmt.Sprint(results[at].Err), permission) || results[at].Unknown == "" {
			t.Errorf("%s does not name %s: %+v", subject, permission, results)
		}
	}
}

// TestRefusedDetailsAreAskedAgain: one run that may not be read makes the approval of deployments of its repository unknown and of no other, and not for ever.
func TestRefusedDetailsAreAskedAgain(t *testing.T) {
	web := githubtest.DeploymentsNode("web", strings.ReplaceAll(githubtest.DeploymentJSON("W", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), "/Acme/api/actions/runs/77", "/Acme/web/actions/runs/88"))
	c, s, clock := githubtest.Setup(t, onlyDeployments)
	githubtest.Story{}.Serve(s)
	s.JSON("GET /repos/Acme/web/environments", githubtest.ReviewedEnvironment)
	s.JSON("GET /repos/Acme/web/actions/runs/88", githubtest.RunJSON)
	s.JSON("GET /repos/Acme/web/actions/runs/88/approvals", githubtest.ApprovalsJSON)
	deployments := githubtest.Pages(githubtest.DeploymentsNode("api", githubtest.DeploymentJSON("A", githubtest.SHA("a"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...)) + "," + web)
	s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
		"query EnvironmentNames(": githubtest.Pages(githubtest.NamesNode("api", "production")), "query Deployments(": deployments,
	}))
	s.Handle("GET "+githubtest.RunPath, githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
	cursors := collectors.Cursors{}
	collect := func() map[string]record.Batch {
		t.Helper()
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil {
			t.Fatal(err)
		}
		for scope, b := range batches {
			cursors[scope] = b.Cursor
		}
		return batches
	}
	first := collect()
	if d := byID(t, first["deployments:acme/api"], "A"); d.Approval != record.ApprovalUnknown {
		t.Errorf("%+v, want its approval unknown", d)
	}
	if b := first["deployments:acme/web"]; b.Err != nil || b.Deployments[0].Approval != record.ApprovalApproved {
		t.Errorf("the other repository: %+v", b)
	}
	s.JSON("GET "+githubtest.RunPath, githubtest.RunJSON)
	s.Forget()
	pass(t, clock)
	if collect(); slices.ContainsFunc(s.Requests(), githubtest.AtPath(githubtest.RunPath)) {
		t.Error("asked again at once")
	}
	for range 4 {
		pass(t, clock)
	}
	if d := byID(t, collect()["deployments:acme/api"], "A"); d.Approval != record.ApprovalApproved {
		t.Errorf("%+v an hour after it was granted, want it approved", d)
	}
	s.Forget()
	pass(t, clock)
	if collect(); slices.ContainsFunc(s.Requests(), githubtest.AtPath(githubtest.RunPath)) {
		t.Error("asked for what is known")
	}
}

// TestDirectPushes: a commit that was pushed without a pull request is a change from when it was written. Nobody can have approved it or reviewed it by label; where a
// check would tell, nobody knows.
func TestDirectPushes(t *testing.T) {
	y := githubtest.Story{
		Deployments: []string{
			githubtest.DeploymentJSON("D", githubtest.SHA("e"), 8*githubtest.Day, githubtest.History("SUCCESS", 8*githubtest.Day-time.Hour)...),
			githubtest.DeploymentJSON("1", githubtest.SHA("a"), 9*githubtest.Day, githubtest.History("SUCCESS", 9*githubtest.Day-time.Hour)...),
		},
		Compared: map[string]string{"a...e": githubtest.CompareJSON("ahead", "e")},
	}
	for name, c := range map[string]struct {
		evidence delivery.SecurityReview
		reviewed record.Answer
	}{
		"nothing tells":       {delivery.SecurityReview{}, record.AnswerUnknown},
		"labels tell":         {delivery.SecurityReview{Labels: []string{"security"}}, record.AnswerNo},
		"checks tell besides": {delivery.SecurityReview{Labels: []string{"security"}, Checks: []string{"sast*"}}, record.AnswerUnknown},
	} {
		d := byID(t, deployed(t, func(cfg *github.Config) { cfg.Delivery.SecurityReview = c.evidence }, y), "D")
		if len(d.Changes) != 1 {
			t.Fatalf("%s: changes %+v", name, d.Changes)
		}
		got := d.Changes[0]
		if got.ID != "acme/api@"+githubtest.SHA("e") || githubtest.Since(got.FirstCommitAt) != 13*githubtest.Day || !got.ApprovedAt.IsZero() || got.SecurityReviewed != c.reviewed {
			t.Errorf("%s: %+v, want the commit of 13 days ago, reviewed %q", name, got, c.reviewed)
		}
	}
}
