package githubtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/collectorstest"
)

// Day is a day.
const Day = 24 * time.Hour

// SHA is a commit's name made of a letter.
func SHA(letter string) string { return strings.Repeat(letter, 40) }

// Ago is a point in time before now, as GitHub writes it.
func Ago(d time.Duration) string {
	return time.Now().UTC().Add(-d).Truncate(time.Second).Format(time.RFC3339)
}

// Since is how long before now a time lies, in whole hours.
func Since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return time.Since(at).Round(time.Hour)
}

// StatusJSON is a status in a deployment's history, which run 77 left there.
func StatusJSON(state string, before time.Duration) string {
	return fmt.Sprintf(`{"state":%q,"createdAt":%q,"logUrl":"https://github.com/Acme/api/actions/runs/77/job/1"}`, state, Ago(before))
}

// DeploymentJSON is a deployment of a commit from main to production by ada, created some time ago.
func DeploymentJSON(id, commit string, created time.Duration, statuses ...string) string {
	return fmt.Sprintf(`{"id":%q,"createdAt":%q,"commitOid":%q,"environment":"production","originalEnvironment":"production","task":"deploy",`+
		`"creator":{"__typename":"User","login":"ada"},"ref":{"name":"main","prefix":"refs/heads/"},"statuses":{"totalCount":%d,"nodes":[%s]}}`,
		id, Ago(created), commit, len(statuses), strings.Join(statuses, ","))
}

// History is the history of a deployment that ended in a state some time after it began.
func History(state string, at time.Duration) []string {
	return []string{StatusJSON("WAITING", at+30*time.Minute), StatusJSON("IN_PROGRESS", at+10*time.Minute), StatusJSON(state, at)}
}

// HealthyDeployments are three: the first ever, one that brought a change, and one that failed.
func HealthyDeployments() []string {
	return []string{
		DeploymentJSON("D3", SHA("c"), Day, History("FAILURE", Day-time.Hour)...),
		DeploymentJSON("D2", SHA("b"), 5*Day, append([]string{StatusJSON("INACTIVE", Day)}, History("SUCCESS", 5*Day-time.Hour)...)...),
		DeploymentJSON("D1", SHA("a"), 10*Day, append(History("SUCCESS", 10*Day-time.Hour), StatusJSON("INACTIVE", 5*Day))...),
	}
}

// PageOfDeployments is a page of deployments, and the cursor of the next one.
func PageOfDeployments(next string, nodes ...string) string {
	return fmt.Sprintf(`{"pageInfo":{"hasNextPage":%t,"endCursor":%q},"nodes":[%s]}`, next != "", next, strings.Join(nodes, ","))
}

// DeploymentsNode is a repository in the answer to the query about deployments.
func DeploymentsNode(name string, nodes ...string) string {
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","deployments":%[2]s}`, name, PageOfDeployments("", nodes...))
}

// NamesNode is a repository in the answer to the query about names of environments.
func NamesNode(name string, environments ...string) string {
	var list []string
	for _, e := range environments {
		list = append(list, fmt.Sprintf(`{"name":%q}`, e))
	}
	return fmt.Sprintf(`{"nameWithOwner":"Acme/%[1]s","url":"https://github.com/Acme/%[1]s","environments":{"totalCount":%[2]d,"nodes":[%[3]s]}}`,
		name, len(list), strings.Join(list, ","))
}

// Associated is a pull request that a commit belongs to, merged some time ago.
func Associated(number int, merged time.Duration) string {
	return fmt.Sprintf(`{"number":%d,"mergedAt":%q,"baseRepository":{"nameWithOwner":"Acme/api"}}`, number, Ago(merged))
}

var (
	commitAlias = regexp.MustCompile(`(c\d+):object\(oid:"([0-9a-f]+)"\)`)
	pullAlias   = regexp.MustCompile(`(p\d+):pullRequest\(number:(\d+)\)`)
)

// PullsOfCommits answers which pull requests commits belong to; a commit that is not listed was pushed directly, twelve days ago and written a day earlier.
func PullsOfCommits(of map[string][]string) http.HandlerFunc {
	return byAlias(commitAlias, func(commit string) string {
		return fmt.Sprintf(`{"authoredDate":%q,"committedDate":%q,"associatedPullRequests":{"nodes":[%s]}}`, Ago(13*Day), Ago(12*Day), strings.Join(of[commit], ","))
	})
}

// PullRequests answers pull requests by number.
func PullRequests(list map[int]string) http.HandlerFunc {
	return byAlias(pullAlias, func(number string) string {
		n, _ := strconv.Atoi(number)
		return cmp.Or(list[n], "null")
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

// PullJSON is a pull request by bob that was first committed to 9 days ago, opened 8 days ago and reviewed by a bot and by bob himself at once, by eve 7 days
// ago, and approved by eve and merged 6 days ago. More adds fields.
func PullJSON(number int, more string) string {
	return fmt.Sprintf(`{"number":%d,"createdAt":%q,"mergedAt":%q,"author":{"__typename":"User","login":"bob"},`+
		`"commits":{"nodes":[{"commit":{"authoredDate":%q,"committedDate":%q}}]},`+
		`"reviews":{"totalCount":4,"nodes":[{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"Bot","login":"lint"}},`+
		`{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"User","login":"Bob"}},{"state":"CHANGES_REQUESTED","submittedAt":%q,"author":{"__typename":"User","login":"eve"}},`+
		`{"state":"APPROVED","submittedAt":%q,"author":{"__typename":"User","login":"eve"}}]},`+
		`"timelineItems":{"nodes":[]},"head":{"nodes":[{"commit":{"statusCheckRollup":null}}]}%s}`,
		number, Ago(8*Day), Ago(6*Day), Ago(9*Day), Ago(7*Day), Ago(8*Day), Ago(8*Day), Ago(7*Day), Ago(6*Day), more)
}

// CompareJSON is how a commit stands to another. A commit is LETTER, or LETTER+ for a merge.
func CompareJSON(status string, commits ...string) string {
	var list []string
	for _, c := range commits {
		parents := `[{}]`
		if strings.HasSuffix(c, "+") {
			parents = `[{},{}]`
		}
		list = append(list, fmt.Sprintf(`{"sha":%q,"parents":%s}`, SHA(c[:1]), parents))
	}
	return fmt.Sprintf(`{"status":%q,"total_commits":%d,"commits":[%s]}`, status, len(commits), strings.Join(list, ","))
}

// ComparePath is where two commits of acme/api are compared.
func ComparePath(base, commit string) string {
	return "/repos/Acme/api/compare/" + base + "..." + commit
}

// RunJSON is the run that deployed, ApprovalsJSON who approved it, RunPath its path.
const (
	RunJSON       = `{"id":77,"path":".github/workflows/Deploy.yml@main","head_branch":"main","event":"push","actor":{"login":"ada","type":"User"},"triggering_actor":{"login":"ada","type":"User"}}`
	ApprovalsJSON = `[{"state":"approved","user":{"login":"eve","type":"User"},"environments":[{"name":"production"}]}]`
	RunPath       = "/repos/Acme/api/actions/runs/77"
)

// ServeDelivery serves what was deployed and what went past rules.
func ServeDelivery(s *collectorstest.Server) {
	ServeSuites(s)
	s.JSON("GET "+RunPath, RunJSON)
	s.JSON("GET "+RunPath+"/approvals", ApprovalsJSON)
	s.JSON("GET "+ComparePath(SHA("a"), SHA("b")), CompareJSON("ahead", "b"))
	s.JSON("GET "+ComparePath(SHA("b"), SHA("c")), CompareJSON("ahead", "c"))
	s.JSON("GET "+ComparePath("main", "main"), CompareJSON("identical"))
	s.JSON("GET /repos/Acme/api/deployments", `[]`)
	s.JSON("GET /repos/Acme/api/actions/runs", `{"total_count":0,"workflow_runs":[]}`)
	s.JSON("GET /repos/Acme/api/pulls", `[]`)
}

// Story is a history of deployments and what there is to find out about it.
type Story struct {
	// deployments are the last first.
	Deployments []string
	// compared are comparisons by "LETTER...LETTER", commits the pull requests by commit, pulls pull requests by number.
	Compared map[string]string
	Commits  map[string][]string
	Pulls    map[int]string
	// environments, run and approvals replace what is usual.
	Environments, Run, Approvals string
	// answers replace answers to a path by a code and a body.
	Refused map[string]int
	Queries map[string]http.HandlerFunc
}

// Serve serves the repositories, alerts and protection of acme.
func (y Story) Serve(s *collectorstest.Server) {
	queries := map[string]http.HandlerFunc{
		"query Protection(":       Pages(ProtectionNode("api", BareRef)),
		"query Environments(":     Pages(EnvironmentNode("api", `{"errors":[]}`, NoEnvironments)),
		"query EnvironmentNames(": Pages(NamesNode("api", "production")),
		"query Deployments(":      Pages(DeploymentsNode("api", y.Deployments...) + "," + DeploymentsNode("web")),
		"query PullsOfCommits(":   PullsOfCommits(y.Commits),
		"query PullRequests(":     PullRequests(y.Pulls),
	}
	for name, handler := range y.Queries {
		queries[name] = handler
	}
	s.Handle("POST /graphql", Dispatch(queries))
	for pair, answer := range y.Compared {
		base, commit, _ := strings.Cut(pair, "...")
		if len(base) == 1 {
			base = SHA(base)
		}
		s.JSON("GET "+ComparePath(base, SHA(commit)), answer)
	}
	s.JSON("GET /repos/Acme/api/environments", cmp.Or(y.Environments, ReviewedEnvironment))
	s.JSON("GET "+RunPath, cmp.Or(y.Run, RunJSON))
	s.JSON("GET "+RunPath+"/approvals", cmp.Or(y.Approvals, ApprovalsJSON))
	for path, code := range y.Refused {
		s.Handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			collectorstest.WriteJSON(w, `{"message":"Resource not accessible by personal access token"}`)
		})
	}
}

// ReviewedEnvironment needs a reviewer and has not changed for long.
const ReviewedEnvironment = `{"total_count":1,"environments":[{"name":"production","updated_at":"2020-01-01T00:00:00Z","can_admins_bypass":true,` +
	`"protection_rules":[{"type":"required_reviewers","prevent_self_review":false,"reviewers":[{"type":"Team"}]}]}]}`
