package githubtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors/collectorstest"
)

// Simulation is a large organisation, acme, that counts what a collector takes: calls that GitHub charges for and points of GraphQL by part, by GitHub's own rules. An
// answer that did not change within an hour costs nothing (after that an App has another token, for which GitHub's entity tags are others).
//
// One repository in ten is archived; of the others six in ten have workflows, four in ten an environment with rules, three in ten a release, and each has five
// Dependabot alerts and two of code scanning. Half of them were pushed in the last year alone; one in fifty is pushed each hour.
type Simulation struct {
	now          func() time.Time
	repositories int
	budget       int

	mu sync.Mutex
	// pushed are when repositories were pushed out of their turn, by number.
	pushed map[int]time.Time
	// updated are the alerts that changed, by number of the repository.
	updated map[int]time.Time
	counts  Counts
	hour    int64
	used    int
}

// Counts is what a collector took, by part.
type Counts struct {
	// Calls are those of REST that are charged, Free those that are not, Points those of GraphQL.
	Calls, Free, Points map[string]int
}

func newCounts() Counts { return Counts{map[string]int{}, map[string]int{}, map[string]int{}} }

// Total adds up.
func Total(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// String is a table by part.
func (c Counts) String() string {
	names := map[string]bool{}
	for _, counts := range []map[string]int{c.Calls, c.Free, c.Points} {
		for name := range counts {
			names[name] = true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-28s %8s %8s %8s\n", "part", "calls", "free", "points")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&b, "%-28s %8d %8d %8d\n", name, c.Calls[name], c.Free[name], c.Points[name])
	}
	fmt.Fprintf(&b, "%-28s %8d %8d %8d\n", "all", Total(c.Calls), Total(c.Free), Total(c.Points))
	return b.String()
}

// NewSimulation makes an organisation with so many repositories, whose credential has a budget of calls an hour.
func NewSimulation(now func() time.Time, repositories, budget int) *Simulation {
	return &Simulation{now: now, repositories: repositories, budget: budget, pushed: map[int]time.Time{}, updated: map[int]time.Time{}, counts: newCounts()}
}

// Take is what was counted since the last call.
func (s *Simulation) Take() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.counts
	s.counts = newCounts()
	return taken
}

// Change pushes to, and changes the alerts of, a share of the repositories now.
func (s *Simulation) Change(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	step := max(1, int(math.Round(1/share)))
	for i := 0; i < s.repositories; i += step {
		s.pushed[i], s.updated[i] = s.now(), s.now()
	}
}

func (s *Simulation) archived(i int) bool  { return i%10 == 9 }
func (s *Simulation) workflows(i int) bool { return i%10 < 6 }
func (s *Simulation) deploys(i int) bool   { return i%10 < 4 }
func (s *Simulation) releases(i int) bool  { return i%10 < 3 }

func (s *Simulation) name(i int) string { return fmt.Sprintf("r%05d", i) }

// pushedAt is when somebody last pushed to a repository.
func (s *Simulation) pushedAt(i int) time.Time {
	const turn = 50 // hours
	now := s.now().Truncate(time.Hour)
	at := now.Add(-time.Duration(i%1000+30) * 24 * time.Hour)
	if i%2 == 0 {
		at = now.Add(-time.Duration((int(now.Unix()/3600)+i/2)%turn) * time.Hour)
	}
	if s.pushed[i].After(at) {
		at = s.pushed[i]
	}
	return at
}

// simulatedPart is a part of what the collector asks, by the path that REST has for it.
var simulatedParts = []struct {
	name string
	path *regexp.Regexp
}{
	{"repositories, properties", regexp.MustCompile(`^/orgs/acme/(repos|properties/values)$`)},
	{"alerts", regexp.MustCompile(`^/orgs/acme/[a-z-]+/alerts$`)},
	{"scanning", regexp.MustCompile(`/code-scanning/(analyses|default-setup)$`)},
	{"actions", regexp.MustCompile(`/actions/permissions`)},
	{"bypasses", regexp.MustCompile(`/rulesets/rule-suites`)},
	{"protection", regexp.MustCompile(`/rulesets/\d+$`)},
	{"environments", regexp.MustCompile(`/(environments|branches)$`)},
	{"cloud_identity", regexp.MustCompile(`/(secrets|organization-secrets|customization/sub)$`)},
	{"pipelines", regexp.MustCompile(`/actions/(workflows/[^/]+/)?runs`)},
	{"releases", regexp.MustCompile(`/(releases|attestations)`)},
	{"runners", regexp.MustCompile(`/runner`)},
}

func partOf(path string) string {
	for _, p := range simulatedParts {
		if p.path.MatchString(path) {
			return p.name
		}
	}
	return path
}

// ServeHTTP answers as GitHub does.
func (s *Simulation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Path == "/graphql" {
		s.graphQL(w, r)
		return
	}
	part := partOf(r.URL.Path)
	body, status := s.rest(r, w)
	tag := fmt.Sprintf(`"%x-%d"`, sha256.Sum256([]byte(body)), s.now().Unix()/3600)
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		s.counts.Free[part]++
		s.spend(w, 0)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.counts.Calls[part]++
	s.spend(w, 1)
	w.Header().Set("ETag", tag)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// spend takes calls off the budget and says what is left of it.
func (s *Simulation) spend(w http.ResponseWriter, calls int) {
	hour := s.now().Unix() / 3600
	if hour != s.hour {
		s.hour, s.used = hour, 0
	}
	s.used += calls
	for name, value := range map[string]string{
		"X-RateLimit-Resource": "core", "X-RateLimit-Limit": strconv.Itoa(s.budget), "X-RateLimit-Remaining": strconv.Itoa(max(0, s.budget-s.used)),
		"X-RateLimit-Reset": strconv.FormatInt((hour+1)*3600, 10),
	} {
		w.Header().Set(name, value)
	}
}

// rest answers what has a path.
func (s *Simulation) rest(r *http.Request, w http.ResponseWriter) (body string, status int) {
	path := r.URL.Path
	switch {
	case path == "/orgs/acme/repos":
		return s.page(r, w, s.repositories, s.repository), http.StatusOK
	case path == "/orgs/acme/properties/values":
		return s.page(r, w, s.repositories, func(i int) string {
			return fmt.Sprintf(`{"repository_full_name":"acme/%s","properties":[{"property_name":"tier","value":"t%d"}]}`, s.name(i), i%4)
		}), http.StatusOK
	case strings.HasPrefix(path, "/orgs/acme/") && strings.HasSuffix(path, "/alerts"):
		return s.alerts(r, w), http.StatusOK
	case strings.HasSuffix(path, "/default-setup"):
		return `{"state":"configured","languages":["go"]}`, http.StatusOK
	case strings.HasSuffix(path, "/analyses"):
		at := s.pushedAt(s.number(path)).Format(time.RFC3339)
		return fmt.Sprintf(`[{"created_at":%q,"category":"/language:go","error":"","tool":{"name":"CodeQL"}}]`, at), http.StatusOK
	case strings.HasSuffix(path, "/actions/permissions/workflow"):
		return `{"default_workflow_permissions":"read","can_approve_pull_request_reviews":true}`, http.StatusOK
	case strings.HasSuffix(path, "/actions/permissions"):
		return `{"enabled":true,"enabled_repositories":"all","allowed_actions":"selected"}`, http.StatusOK
	case strings.HasSuffix(path, "/environments"):
		return `{"total_count":1,"environments":[` + simulatedEnvironment + `]}`, http.StatusOK
	case strings.HasSuffix(path, "/branches"):
		return `[{"name":"main","protected":true}]`, http.StatusOK
	case strings.HasSuffix(path, "/secrets"), strings.HasSuffix(path, "/organization-secrets"):
		return `{"total_count":0,"secrets":[]}`, http.StatusOK
	case strings.HasSuffix(path, "/customization/sub"):
		return `{"use_default":true}`, http.StatusOK
	case strings.HasSuffix(path, "/runs"):
		return fmt.Sprintf(`{"total_count":1,"workflow_runs":[%s]}`, s.run(path)), http.StatusOK
	case strings.HasSuffix(path, "/approvals"), strings.HasSuffix(path, "/rule-suites"), strings.HasSuffix(path, "/releases"), strings.HasSuffix(path, "/attestations/repositories"):
		return `[]`, http.StatusOK
	case strings.Contains(path, "/rulesets/"):
		return `{"bypass_actors":[]}`, http.StatusOK
	case strings.HasSuffix(path, "/runner-groups"):
		return `{"total_count":0,"runner_groups":[]}`, http.StatusOK
	case strings.HasSuffix(path, "/runners"):
		return `{"total_count":0,"runners":[]}`, http.StatusOK
	case strings.Contains(path, "/attestations/"):
		return `{"attestations":[]}`, http.StatusOK
	default:
		return `{"message":"Not Found"}`, http.StatusNotFound
	}
}

const simulatedEnvironment = `{"name":"production","can_admins_bypass":false,"deployment_branch_policy":{"protected_branches":true},"protection_rules":[{"type":"required_reviewers",` +
	`"prevent_self_review":true,"reviewers":[{"type":"Team"}]},{"type":"branch_policy"}]}`

// number is the number of the repository in a path.
func (s *Simulation) number(path string) int {
	_, rest, _ := strings.Cut(path, "/r")
	n, _ := strconv.Atoi(rest[max(0, strings.Index(rest, "/r")+2):][:5])
	return n
}

func (s *Simulation) repository(i int) string {
	return fmt.Sprintf(`{"full_name":"acme/%[1]s","html_url":"https://github.com/acme/%[1]s","visibility":"private","default_branch":"main","archived":%[2]t,"pushed_at":%[3]q,"topics":[],`+
		`"security_and_analysis":{"advanced_security":{"status":"enabled"},"secret_scanning":{"status":"enabled"}}}`, s.name(i), s.archived(i), s.pushedAt(i).Format(time.RFC3339))
}

func (s *Simulation) run(path string) string {
	at := s.pushedAt(s.number(path))
	return fmt.Sprintf(`{"id":%d,"name":"Ship it","path":".github/workflows/ship.yml","head_branch":"main","head_sha":"c1","event":"push","status":"completed","conclusion":"success",`+
		`"html_url":"https://github.com/acme/x","created_at":%[2]q,"updated_at":%[2]q}`, at.Unix(), at.Format(time.RFC3339))
}

// page is a page of a list of n items, with the link to the next.
func (s *Simulation) page(r *http.Request, w http.ResponseWriter, n int, item func(int) string) string {
	size, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("per_page"), "30"))
	number, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1"))
	from, to := min((number-1)*size, n), min(number*size, n)
	if to < n {
		next := *r.URL
		query := next.Query()
		query.Set("page", strconv.Itoa(number+1))
		next.RawQuery, next.Scheme, next.Host = query.Encode(), "http", r.Host
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	items := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		items = append(items, item(i))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// alerts is a page of a kind of alert: five of Dependabot for each repository, two of code scanning, and one secret for each tenth.
func (s *Simulation) alerts(r *http.Request, w http.ResponseWriter) string {
	type alert struct {
		repository, number int
		updated            time.Time
	}
	kind, each, every := "dependabot", 5, 1
	switch {
	case strings.Contains(r.URL.Path, "code-scanning"):
		kind, each = "code-scanning", 2
	case strings.Contains(r.URL.Path, "secret-scanning"):
		kind, each, every = "secret-scanning", 1, 10
	}
	if r.URL.Query().Has("secret_type") {
		return "[]"
	}
	born := s.now().Truncate(24 * time.Hour).Add(-100 * 24 * time.Hour)
	n := (s.repositories + every - 1) / every * each
	// In the order of updates, what changed comes first, and once more in its old place with its old date.
	var changed []int
	if r.URL.Query().Get("sort") == "updated" {
		changed = slices.SortedFunc(maps.Keys(s.updated), func(a, b int) int { return cmp.Or(s.updated[b].Compare(s.updated[a]), cmp.Compare(a, b)) })
	}
	return s.page(r, w, len(changed)+n, func(i int) string {
		a := alert{updated: born}
		switch k := i - len(changed); {
		case k < 0:
			a = alert{changed[i], 1, s.updated[changed[i]]}
		default:
			a.repository, a.number, a.updated = k/each*every, k%each+1, born.Add(-time.Duration(k)*time.Minute)
		}
		more := `"secret_type":"acme_token","validity":"unknown"`
		switch kind {
		case "dependabot":
			more = fmt.Sprintf(`"dependency":{"package":{"ecosystem":"npm","name":"p%d"},"manifest_path":"package-lock.json"},"security_advisory":{"ghsa_id":"GHSA-aaaa-bbbb-%04d","severity":"high"},"security_vulnerability":{"severity":"high"}`, a.number, a.number)
		case "code-scanning":
			more = `"rule":{"id":"go/x","security_severity_level":"high","tags":["security"]},"tool":{"name":"CodeQL"},"most_recent_instance":{"ref":"refs/heads/main","location":{"path":"a.go"}}`
		}
		return fmt.Sprintf(`{"number":%d,"state":"open","html_url":"https://github.com/acme/%[2]s/%[1]d","created_at":%[3]q,"updated_at":%[4]q,"repository":{"full_name":"acme/%[2]s","html_url":"https://github.com/acme/%[2]s"},%[5]s}`,
			a.number, s.name(a.repository), born.Add(-365*24*time.Hour).Format(time.RFC3339), a.updated.Format(time.RFC3339), more)
	})
}

// simulatedQueries are the points of a query over repositories for each of them, by GitHub's formula, and what it answers of one.
var simulatedQueries = map[string]struct {
	part     string
	requests int
	archived bool
	node     func(s *Simulation, i int) string
}{
	"Protection": {"protection", 2, true, func(s *Simulation, i int) string {
		return fmt.Sprintf(`"isArchived":%t,"visibility":"PRIVATE","hasVulnerabilityAlertsEnabled":true,"isSecurityPolicyEnabled":true,"defaultBranchRef":{"name":"main","refUpdateRule":null,"branchProtectionRule":null,`+
			`"rules":{"totalCount":1,"nodes":[{"type":"PULL_REQUEST","repositoryRuleset":{"databaseId":%d,"enforcement":"ACTIVE"},"parameters":{"__typename":"PullRequestParameters","requiredApprovingReviewCount":1}}]}}`, s.archived(i), 1+i%20)
	}},
	"Environments": {"environments", 21, false, func(s *Simulation, i int) string {
		if !s.deploys(i) {
			return `"defaultBranchRef":{"name":"main"},"codeowners":null,"environments":{"totalCount":0,"nodes":[]}`
		}
		return `"defaultBranchRef":{"name":"main"},"codeowners":null,"environments":{"totalCount":1,"nodes":[{"name":"production","protectionRules":{"nodes":[{"type":"REQUIRED_REVIEWERS","preventSelfReview":true},{"type":"BRANCH_POLICY"}]}}]}`
	}},
	"EnvironmentNames": {"deployments", 1, false, func(s *Simulation, i int) string { return s.environmentNames(i) }},
	"Deployments":      {"deployments", 11, false, func(*Simulation, int) string { return `"deployments":{"pageInfo":{"hasNextPage":false},"nodes":[]}` }},
	"Releases": {"releases", 1, true, func(s *Simulation, i int) string {
		if !s.releases(i) {
			return `"releases":{"nodes":[]}`
		}
		at := s.now().Truncate(24 * time.Hour).Add(-40 * 24 * time.Hour).Format(time.RFC3339)
		return fmt.Sprintf(`"releases":{"nodes":[{"databaseId":%d,"publishedAt":%q,"updatedAt":%[2]q,"tagCommit":{"oid":"c1"}}]}`, i+1, at)
	}},
	"WorkflowTrees": {"workflows", 2, false, func(s *Simulation, i int) string {
		tree := "null"
		if s.workflows(i) {
			tree = fmt.Sprintf(`{"oid":"tree-%d-%d"}`, i, s.pushed[i].Unix())
		}
		return fmt.Sprintf(`"id":"R_%d","object":%s,%s`, i, tree, s.environmentNames(i))
	}},
}

func (s *Simulation) environmentNames(i int) string {
	if s.deploys(i) {
		return `"environments":{"totalCount":1,"nodes":[{"name":"production"}]}`
	}
	return `"environments":{"totalCount":0,"nodes":[]}`
}

var queryName = regexp.MustCompile(`^query (\w+)`)

// graphQL answers queries, and counts their points: a hundredth of the requests that GitHub's formula gives, rounded, at least one.
func (s *Simulation) graphQL(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Query     string
		Variables map[string]any
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := queryName.FindStringSubmatch(q.Query)[1]
	query, ok := simulatedQueries[name]
	if !ok {
		s.otherQuery(w, name, q.Query, q.Variables)
		return
	}
	first, _ := q.Variables["first"].(float64)
	cursor, _ := q.Variables["cursor"].(string)
	at, _ := strconv.Atoi(cmp.Or(cursor, "0"))
	s.counts.Points[query.part] += max(1, int(math.Round((1+first*float64(query.requests))/100)))
	var nodes []string
	for ; at < s.repositories && len(nodes) < int(first); at++ {
		if query.archived || !s.archived(at) {
			nodes = append(nodes, fmt.Sprintf(`{"nameWithOwner":"acme/%[1]s","url":"https://github.com/acme/%[1]s",%[2]s}`, s.name(at), query.node(s, at)))
		}
	}
	collectorstest.WriteJSON(w, fmt.Sprintf(`{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":%t,"endCursor":"%d"},"nodes":[%s]}}}}`,
		at < s.repositories, at, strings.Join(nodes, ",")))
}

// otherQuery answers a query about a few repositories, which costs a point.
func (s *Simulation) otherQuery(w http.ResponseWriter, name, query string, variables map[string]any) {
	part := map[string]string{"Manifests": "alerts", "ManifestHistories": "alerts", "Workflows": "workflows"}[name]
	s.counts.Points[cmp.Or(part, name)]++
	switch name {
	case "Workflows":
		ids, _ := variables["ids"].([]any)
		var nodes []string
		for _, id := range ids {
			i, _ := strconv.Atoi(strings.TrimPrefix(fmt.Sprint(id), "R_"))
			text, _ := json.Marshal(ReleaseWorkflow)
			nodes = append(nodes, fmt.Sprintf(`{"id":"R_%d","object":{"oid":"tree-%d-%d","entries":[{"name":"ship.yml","type":"blob","object":{"byteSize":100,"isBinary":false,"isTruncated":false,"text":%s}}]}}`, i, i, s.pushed[i].Unix(), text))
		}
		collectorstest.WriteJSON(w, `{"data":{"nodes":[`+strings.Join(nodes, ",")+`]}}`)
	case "Manifests":
		var data []string
		for _, part := range strings.Split(query, "\n")[1:] {
			fields := []string{`"root":{"__typename":"Tree"}`}
			for _, p := range askedPath.FindAllStringSubmatch(part, -1) {
				fields = append(fields, fmt.Sprintf(`"p%s":{"__typename":"Blob"}`, p[1]))
			}
			data = append(data, fmt.Sprintf(`"r%s":{%s}`, askedRepository.FindStringSubmatch(part)[1], strings.Join(fields, ",")))
		}
		collectorstest.WriteJSON(w, `{"data":{`+strings.Join(data, ",")+`}}`)
	default:
		collectorstest.WriteJSON(w, `{"data":null,"errors":[{"message":"the simulation does not know `+name+`"}]}`)
	}
}
