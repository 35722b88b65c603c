package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

const day = 24 * time.Hour

// sha is a commit's name made of a letter.
func sha(letter string) string { return strings.Repeat(letter, 40) }

func ago(d time.Duration) string {
	return time.Now().UTC().Add(-d).Truncate(time.Second).Format(time.RFC3339)
}

// since is how long before now a time lies, in whole hours.
func since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return time.Since(at).Round(time.Hour)
}

// statusJSON is a status in a deployment's history, which run 77 left there.
func statusJSON(state string, before time.Duration) string {
	return fmt.Sprintf(`{"state":%q,"createdAt":%q,"logUrl":"https://github.com/Acme/api/actions/runs/77/job/1"}`, state, ago(before))
}

// deploymentJSON is a deployment of a commit from main to production by ada, created some time ago.
func deploymentJSON(id, commit string, created time.Duration, statuses ...string) string {
	return fmt.Sprintf(`{"id":%q,"createdAt":%q,"commitOid":%q,"environment":"production","originalEnvironment":"production","task":"deploy",`+
		`"creator":{"__typename":"User","login":"ada"},"ref":{"name":"main","prefix":"refs/heads/"},"statuses":{"totalCount":%d,"nodes":[%s]}}`,
		id, ago(created), commit, len(statuses), strings.Join(statuses, ","))
}

// went is the history of a deployment that ended in a state some time after it began.
func went(state string, at time.Duration) []string {
	return []string{statusJSON("WAITING", at+30*time.Minute), statusJSON("IN_PROGRESS", at+10*time.Minute), statusJSON(state, at)}
}

// healthyDeployments are three: the first ever, one that brought a change, and one that failed.
func healthyDeployments() []string {
	return []string{
		deploymentJSON("D3", sha("c"), day, went("FAILURE", day-time.Hour)...),
		deploymentJSON("D2", sha("b"), 5*day, append([]string{statusJSON("INACTIVE", day)}, went("SUCCESS", 5*day-time.Hour)...)...),
		deploymentJSON("D1", sha("a"), 10*day, append(went("SUCCESS", 10*day-time.Hour), statusJSON("INACTIVE", 5*day))...),
	}
}

func pageOfDeployments(next string, nodes ...string) string {
	return fmt.Sprintf(`{"pageInfo":{"hasNextPage":%t,"endCursor":%q},"nodes":[%s]}`, next != "", next, strings.Join(nodes, ","))
}

func deploymentsNode(name string, nodes ...string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","deployments":%[2]s}`, name, pageOfDeployments("", nodes...))
}

func namesNode(name string, environments ...string) string {
	var list []string
	for _, e := range environments {
		list = append(list, fmt.Sprintf(`{"name":%q}`, e))
	}
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","environments":{"totalCount":%[2]d,"nodes":[%[3]s]}}`,
		name, len(list), strings.Join(list, ","))
}

// associated is a pull request that a commit belongs to, merged some time ago.
func associated(number int, merged time.Duration) string {
	return fmt.Sprintf(`{"number":%d,"mergedAt":%q,"baseRepository":{"nameWithOwner":"Acme/api"}}`, number, ago(merged))
}

var (
	commitAlias = regexp.MustCompile(`(c\d+):object\(oid:"([0-9a-f]+)"\)`)
	pullAlias   = regexp.MustCompile(`(p\d+):pullRequest\(number:(\d+)\)`)
)

// pullsOfCommits answers which pull requests commits belong to; a commit that is not listed was pushed directly.
func pullsOfCommits(of map[string][]string) http.HandlerFunc {
	return byAlias(commitAlias, func(commit string) string {
		return `{"associatedPullRequests":{"nodes":[` + strings.Join(of[commit], ",") + `]}}`
	})
}

// pullRequests answers pull requests by number.
func pullRequests(list map[int]string) http.HandlerFunc {
	return byAlias(pullAlias, func(number string) string {
		n, _ := strconv.Atoi(number)
		return firstOf(list[n], "null")
	})
}

func byAlias(pattern *regexp.Regexp, answer func(string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Query string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var fields []string
		for _, m := range pattern.FindAllStringSubmatch(q.Query, -1) {
			fields = append(fields, fmt.Sprintf("%q:%s", m[1], answer(m[2])))
		}
		collectorstest.WriteJSON(w, `{"data":{"repository":{`+strings.Join(fields, ",")+`}}}`)
	}
}

func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, body) }
}

// pullJSON is a pull request by bob that was first committed to 9 days ago, opened 8 days ago and reviewed by a bot and by bob himself at once, by eve 7 days
// ago, and approved by eve and merged 6 days ago. More adds fields.
func pullJSON(number int, more string) string {
	return fmt.Sprintf(`{"number":%d,"createdAt":%q,"mergedAt":%q,"author":{"__typename":"User","login":"bob"},`+
		`"commits":{"nodes":[{"commit":{"authoredDate":%q,"committedDate":%q}}]},`+
		`"reviews":{"totalCount":4,"nodes":[{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"Bot","login":"lint"}},`+
		`{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"User","login":"Bob"}},{"state":"CHANGES_REQUESTED","submittedAt":%q,"author":{"__typename":"User","login":"eve"}},`+
		`{"state":"APPROVED","submittedAt":%q,"author":{"__typename":"User","login":"eve"}}]},`+
		`"timelineItems":{"nodes":[]},"head":{"nodes":[{"commit":{"statusCheckRollup":null}}]}%s}`,
		number, ago(8*day), ago(6*day), ago(9*day), ago(7*day), ago(8*day), ago(8*day), ago(7*day), ago(6*day), more)
}

// compareJSON is how a commit stands to another. A commit is LETTER, or LETTER+ for a merge.
func compareJSON(status string, commits ...string) string {
	var list []string
	for _, c := range commits {
		parents := `[{}]`
		if strings.HasSuffix(c, "+") {
			parents = `[{},{}]`
		}
		list = append(list, fmt.Sprintf(`{"sha":%q,"parents":%s}`, sha(c[:1]), parents))
	}
	return fmt.Sprintf(`{"status":%q,"total_commits":%d,"commits":[%s]}`, status, len(commits), strings.Join(list, ","))
}

func comparePath(base, commit string) string {
	return "/repos/Acme/api/compare/" + base + "..." + commit
}

const (
	runJSON       = `{"id":77,"path":".github/workflows/Deploy.yml@main","head_branch":"main","event":"push","actor":{"login":"ada","type":"User"},"triggering_actor":{"login":"ada","type":"User"}}`
	approvalsJSON = `[{"state":"approved","user":{"login":"eve","type":"User"},"environments":[{"name":"production"}]}]`
	runPath       = "/repos/Acme/api/actions/runs/77"
)

// serveDelivery serves what was deployed and what went past rules.
func serveDelivery(s *collectorstest.Server) {
	serveSuites(s)
	s.JSON("GET "+runPath, runJSON)
	s.JSON("GET "+runPath+"/approvals", approvalsJSON)
	s.JSON("GET "+comparePath(sha("a"), sha("b")), compareJSON("ahead", "b"))
	s.JSON("GET "+comparePath(sha("b"), sha("c")), compareJSON("ahead", "c"))
	s.JSON("GET "+comparePath("main", "main"), compareJSON("identical"))
	s.JSON("GET /repos/Acme/api/deployments", `[]`)
	s.JSON("GET /repos/Acme/api/actions/runs", `{"total_count":0,"workflow_runs":[]}`)
	s.JSON("GET /repos/Acme/api/pulls", `[]`)
}

func deliveryScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "bypasses:acme/api", Records: 2, Requests: at(suitesOfAPI), Pages: 2, Cursor: true, Links: true},
		{Name: "bypasses:acme/web", Records: 0, Requests: at("/repos/Acme/web/rulesets/rule-suites"), Pages: 1, Links: true},
		{Name: "deployments:acme/api", Records: 3, Requests: asks("query Deployments("), Pages: 1, Along: []string{"deployments:acme/web"}},
		{Name: "deployments:acme/web", Records: 0, Requests: asks("query Deployments("), Pages: 2, Cursor: true, Along: []string{"deployments:acme/api"}},
	}
}

func alteredDelivery() []collectorstest.Altered {
	suites := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON("GET "+suitesOfAPI, collectorstest.Items(items...)) }
	}
	deployments := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { story{deployments: items}.serve(s) }
	}
	pending := func(b record.Batch) error {
		if d := b.Deployments[0]; d.Status != record.DeploymentPending || !d.FinishedAt.IsZero() {
			return fmt.Errorf("%+v, want it pending", d)
		}
		return nil
	}
	return []collectorstest.Altered{
		{Name: "suite that passed", Scope: "bypasses:acme/api", Records: 0, Serve: suites(`{"id":12,"ref":"refs/heads/main","pushed_at":"2026-01-02T03:04:05Z","result":"pass"}`)},
		{Name: "suites that cannot be understood", Scope: "bypasses:acme/api", Records: 1, Rejected: 3, Serve: suites(
			`{"id":"twelve"}`, `{"id":1,"result":"bypass"}`, `{"pushed_at":"2026-01-02T03:04:05Z","result":"bypass"}`, suiteJSON(12, time.Hour, "")), Check: func(b record.Batch) error {
			if b.Bypasses[0].ID != "acme/api:12" {
				return fmt.Errorf("%+v", b.Bypasses)
			}
			return nil
		}},
		{Name: "status that is not known", Scope: "deployments:acme/api", Records: 1, Serve: deployments(deploymentJSON("D1", sha("a"), day, statusJSON("PONDERING", day))), Check: pending},
		{Name: "deployments that cannot be understood", Scope: "deployments:acme/api", Records: 1, Rejected: 5, Serve: deployments(
			"null", deploymentJSON("", sha("a"), day), deploymentJSON("D1", "main", day), strings.ReplaceAll(deploymentJSON("D2", sha("a"), day), `"production"`, `""`),
			strings.Replace(deploymentJSON("D3", sha("a"), day), `"createdAt":"`, `"created":"`, 1), deploymentJSON("D4", sha("a"), day)), Check: pending},
		{Name: "nothing was ever deployed", Scope: "deployments:acme/api", Records: 0, Serve: deployments()},
	}
}

// story is a history of deployments and what there is to find out about it.
type story struct {
	// deployments are the last first.
	deployments []string
	// compared are comparisons by "LETTER...LETTER", commits the pull requests by commit, pulls pull requests by number.
	compared map[string]string
	commits  map[string][]string
	pulls    map[int]string
	// environments, run and approvals replace what is usual.
	environments, run, approvals string
	// answers replace answers to a path by a code and a body.
	refused map[string]int
	queries map[string]http.HandlerFunc
}

func (y story) serve(s *collectorstest.Server) {
	queries := map[string]http.HandlerFunc{
		"query Protection(":       graphQLPages(nodeJSON("api", bareRef)),
		"query Environments(":     graphQLPages(environmentNode("api", `{"errors":[]}`, noEnvironments)),
		"query EnvironmentNames(": graphQLPages(namesNode("api", "production")),
		"query Deployments(":      graphQLPages(deploymentsNode("api", y.deployments...) + "," + deploymentsNode("web")),
		"query PullsOfCommits(":   pullsOfCommits(y.commits),
		"query PullRequests(":     pullRequests(y.pulls),
	}
	for name, handler := range y.queries {
		queries[name] = handler
	}
	s.Handle("POST /graphql", dispatch(queries))
	for pair, answer := range y.compared {
		base, commit, _ := strings.Cut(pair, "...")
		if len(base) == 1 {
			base = sha(base)
		}
		s.JSON("GET "+comparePath(base, sha(commit)), answer)
	}
	s.JSON("GET /repos/Acme/api/environments", firstOf(y.environments, reviewedEnvironment))
	s.JSON("GET "+runPath, firstOf(y.run, runJSON))
	s.JSON("GET "+runPath+"/approvals", firstOf(y.approvals, approvalsJSON))
	for path, code := range y.refused {
		s.Handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			collectorstest.WriteJSON(w, `{"message":"Resource not accessible by personal access token"}`)
		})
	}
}

// reviewedEnvironment needs a reviewer and has not changed for long.
const reviewedEnvironment = `{"total_count":1,"environments":[{"name":"production","updated_at":"2020-01-01T00:00:00Z","can_admins_bypass":true,` +
	`"protection_rules":[{"type":"required_reviewers","prevent_self_review":false,"reviewers":[{"type":"Team"}]}]}]}`

// deployed collects once and returns what was learned of the deployments of acme/api.
func deployed(t *testing.T, change func(*Config), y story) record.Batch {
	t.Helper()
	b, _, _, _ := deployedBy(t, change, y)
	return b
}

func deployedBy(t *testing.T, change func(*Config), y story) (record.Batch, *Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := setup(t, func(cfg *Config) {
		cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true
		if change != nil {
			change(cfg)
		}
	})
	serveDelivery(s)
	y.serve(s)
	return again(t, c, nil), c, s, clock
}

// again collects and returns what was learned of the deployments of acme/api.
func again(t *testing.T, c *Collector, cursors collectors.Cursors) record.Batch {
	t.Helper()
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches["deployments:acme/api"]
}

// byID finds a deployment by the end of its id.
func byID(t *testing.T, b record.Batch, id string) record.Deployment {
	t.Helper()
	for _, d := range b.Deployments {
		if d.ID == "acme/api:"+id {
			return d
		}
	}
	t.Fatalf("no deployment %s in %+v", id, b)
	return record.Deployment{}
}
