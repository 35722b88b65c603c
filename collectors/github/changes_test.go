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

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// oneChange is two deployments, of which the second brings commits by way of pull requests.
func oneChange(commits map[string][]string, pulls map[int]string, brought ...string) story {
	return story{
		deployments: []string{deploymentJSON("D", sha("b"), day, went("SUCCESS", time.Hour)...), deploymentJSON("1", sha("a"), 9*day, went("SUCCESS", 9*day-time.Hour)...)},
		compared:    map[string]string{"a...b": compareJSON("ahead", brought...)}, commits: commits, pulls: pulls,
	}
}

func TestTimesOfAChange(t *testing.T) {
	// One commit on the branch, made by squashing: the first commit is the pull request's own.
	d := byID(t, deployed(t, nil, oneChange(map[string][]string{sha("b"): {associated(12, 6*day)}}, map[int]string{12: pullJSON(12, "")}, "b")), "D")
	if len(d.Changes) != 1 {
		t.Fatalf("%+v", d)
	}
	c := d.Changes[0]
	got := map[string]time.Duration{
		"first commit": since(c.FirstCommitAt), "opened": since(c.OpenedAt), "first review": since(c.FirstReviewAt), "approved": since(c.ApprovedAt), "merged": since(c.MergedAt),
	}
	want := map[string]time.Duration{"first commit": 9 * day, "opened": 8 * day, "first review": 7 * day, "approved": 6 * day, "merged": 6 * day}
	if diff := cmp.Diff(want, got); diff != "" || c.ID != "acme/api#12" || c.SecurityReviewed != no {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
}

func TestFirstReview(t *testing.T) {
	review := func(state, login, kind string, before time.Duration) string {
		return fmt.Sprintf(`{"state":%q,"submittedAt":%q,"author":{"__typename":%q,"login":%q}}`, state, ago(before), kind, login)
	}
	tests := []struct {
		name            string
		reviews         []string
		first, approved time.Duration
	}{
		{"none", nil, 0, 0},
		{"the author's own", []string{review("COMMENTED", "BOB", "User", 3*time.Hour)}, 0, 0},
		{"a bot's", []string{review("APPROVED", "renovate", "Bot", 3*time.Hour), review("APPROVED", "x[bot]", "User", 3*time.Hour)}, 0, 0},
		{"nobody's", []string{`{"state":"APPROVED","submittedAt":"2026-01-02T03:04:05Z","author":null}`, "null"}, 0, 0},
		{"not submitted", []string{`{"state":"PENDING","submittedAt":null,"author":{"__typename":"User","login":"eve"}}`}, 0, 0},
		{"dismissed", []string{review("DISMISSED", "eve", "User", 3*time.Hour)}, 3 * time.Hour, 0},
		{"comment, then approval", []string{review("APPROVED", "eve", "User", 2*time.Hour), review("COMMENTED", "zoe", "User", 5*time.Hour)}, 5 * time.Hour, 2 * time.Hour},
		{"two approvals", []string{review("APPROVED", "eve", "User", 2*time.Hour), review("APPROVED", "zoe", "User", 4*time.Hour)}, 4 * time.Hour, 4 * time.Hour},
		{"a state that is not known", []string{review("PRAISED", "eve", "User", 2*time.Hour)}, 2 * time.Hour, 0},
	}
	for _, tt := range tests {
		c := changeOf(t, nil, fmt.Sprintf(`"reviews":{"totalCount":%d,"nodes":[%s]}`, len(tt.reviews), strings.Join(tt.reviews, ",")))
		if since(c.FirstReviewAt) != tt.first || since(c.ApprovedAt) != tt.approved {
			t.Errorf("%s: first review %s, approved %s, want %s and %s", tt.name, since(c.FirstReviewAt), since(c.ApprovedAt), tt.first, tt.approved)
		}
	}
}

// changeOf translates a pull request of bob's that has these fields.
func changeOf(t *testing.T, change func(*SecurityReview), fields ...string) *pulled {
	t.Helper()
	return hiddenChangeOf(t, change, nil, fields...)
}

func hiddenChangeOf(t *testing.T, change func(*SecurityReview), hidden []string, fields ...string) *pulled {
	t.Helper()
	c, _, _ := setup(t, func(cfg *Config) {
		if change != nil {
			change(&cfg.SecurityReview)
		}
	})
	node := &pullNode{}
	text := `{"author":{"__typename":"User","login":"bob"},"reviews":{"nodes":[]},"timelineItems":{"nodes":[]},"head":{"nodes":[{"commit":{"statusCheckRollup":null}}]}`
	for _, field := range fields {
		text += "," + field
	}
	if err := json.Unmarshal([]byte(text+"}"), node); err != nil {
		t.Fatal(err)
	}
	return c.change(node, hidden)
}

func TestSecurityReviewOfAChange(t *testing.T) {
	labelled := func(name string, before time.Duration) string {
		return fmt.Sprintf(`"timelineItems":{"nodes":[{"createdAt":%q,"label":{"name":"other"}},{"createdAt":%q,"label":{"name":%q}}]}`, ago(9*time.Hour), ago(before), name)
	}
	reviewed := func(login, team string) string {
		return fmt.Sprintf(`"reviews":{"totalCount":1,"nodes":[{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"User","login":%q},"onBehalfOf":{"nodes":[{"slug":%q,"organization":{"login":"Acme"}}]}}]}`,
			ago(4*time.Hour), login, team)
	}
	checked := func(name, app, conclusion string, total int) string {
		return fmt.Sprintf(`"head":{"nodes":[{"commit":{"statusCheckRollup":{"contexts":{"totalCount":%d,"nodes":[{"__typename":"StatusContext"},{"name":%q,"conclusion":%q,"completedAt":%q,"checkSuite":{"app":{"slug":%q}}}]}}}}]}`,
			total, name, conclusion, ago(3*time.Hour), app)
	}
	nothing := func(s *SecurityReview) { *s = SecurityReview{} }
	teams := func(s *SecurityReview) {
		*s = SecurityReview{Teams: []string{"acme/product-security"}, Users: []string{"mina"}}
	}
	tests := []struct {
		name       string
		change     func(*SecurityReview)
		hidden     []string
		fields     []string
		want       record.Answer
		at         time.Duration
		permission string
	}{
		{"nothing", nil, nil, nil, no, 0, ""},
		{"nothing counts", nothing, nil, []string{labelled("security-reviewed", time.Hour)}, unknown, 0, ""},
		{"a label", nil, nil, []string{labelled("Security-Reviewed", 2*time.Hour)}, yes, 2 * time.Hour, ""},
		{"another label", nil, nil, []string{labelled("reviewed", 2*time.Hour)}, no, 0, ""},
		{"labels are hidden", nil, []string{"timelineItems"}, nil, unknown, 0, pullsPermission},
		{"a team", teams, nil, []string{reviewed("eve", "product-security")}, yes, 4 * time.Hour, ""},
		{"another team", teams, nil, []string{reviewed("eve", "platform")}, no, 0, ""},
		{"teams are hidden", teams, []string{"onBehalfOf"}, []string{reviewed("eve", "platform")}, unknown, 0, teamsPermission},
		{"teams are hidden, but a person is known", teams, []string{"onBehalfOf"}, []string{reviewed("Mina", "platform")}, yes, 4 * time.Hour, ""},
		{"the author is of the team", teams, nil, []string{reviewed("bob", "product-security")}, no, 0, ""},
		{"code scanning", nil, nil, []string{checked("CodeQL", codeScanningApp, "SUCCESS", 2)}, yes, 3 * time.Hour, ""},
		{"code scanning found something", nil, nil, []string{checked("CodeQL", codeScanningApp, "FAILURE", 2)}, yes, 3 * time.Hour, ""},
		{"code scanning was cancelled", nil, nil, []string{checked("CodeQL", codeScanningApp, "CANCELLED", 2)}, no, 0, ""},
		{"a check that is not security's", nil, nil, []string{checked("build", "github-actions", "SUCCESS", 2)}, no, 0, ""},
		{"a check that is by its name", func(s *SecurityReview) { *s = SecurityReview{Checks: []string{"snyk*"}} }, nil, []string{checked("Snyk (acme)", "snyk", "SUCCESS", 2)}, yes, 3 * time.Hour, ""},
		{"code scanning does not count", func(s *SecurityReview) { s.CodeScanning = false }, nil, []string{checked("CodeQL", codeScanningApp, "SUCCESS", 2)}, no, 0, ""},
		{"more checks than were read", nil, nil, []string{checked("build", "github-actions", "SUCCESS", 101)}, unknown, 0, ""},
		{"checks are hidden", nil, []string{"head"}, nil, unknown, 0, checksPermission},
		{"checks are hidden, but there is a label", nil, []string{"head"}, []string{labelled("security-reviewed", 2*time.Hour)}, yes, 2 * time.Hour, ""},
		{"the earliest counts", nil, nil, []string{labelled("security-reviewed", 2*time.Hour), checked("CodeQL", codeScanningApp, "SUCCESS", 2)}, yes, 3 * time.Hour, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := hiddenChangeOf(t, tt.change, tt.hidden, tt.fields...)
			if c.SecurityReviewed != tt.want || since(c.SecurityReviewAt) != tt.at || c.missing != tt.permission {
				t.Errorf("%q at %s for want of %q, want %q at %s for want of %q", c.SecurityReviewed, since(c.SecurityReviewAt), c.missing, tt.want, tt.at, tt.permission)
			}
		})
	}
}

// TestPullRequestsThatCannotBeRead: an error that belongs to one pull request or a part of it spoils no other.
func TestPullRequestsThatCannotBeRead(t *testing.T) {
	commits := map[string][]string{sha("b"): {associated(2, 6*day)}, sha("c"): {associated(3, 6*day)}}
	answer := func(two, failures string) http.HandlerFunc {
		return answering(`{"data":{"repository":{"p2":` + two + `,"p3":` + pullJSON(3, "") + `}},"errors":[` + failures + `]}`)
	}
	failure := func(kind, more string) string {
		return fmt.Sprintf(`{"type":%q,"message":"no","path":["repository","p2"%s]}`, kind, more)
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		reason  record.ErrorReason
		// want is whether the changes are known, their numbers, whether security reviewed the first, and what is missing.
		want string
	}{
		{"one is hidden", answer("null", failure("FORBIDDEN", "")), "", "no [3] no pull_requests=read"},
		{"one is gone", answer("null", failure("NOT_FOUND", "")), "", "no [3] no "},
		{"its checks are hidden", answer(pullJSON(2, ""), failure("FORBIDDEN", `,"head","nodes",0,"commit","statusCheckRollup"`)), "", "yes [2 3]  checks=read"},
		{"its reviews are hidden", answer(strings.ReplaceAll(pullJSON(2, ""), `"reviews":`, `"hidden":`), failure("FORBIDDEN", `,"reviews"`)), "", "no [3] no pull_requests=read"},
		{"the server failed", answer("null", `{"message":"Something went wrong","path":["repository","p2"]}`), record.ReasonServer, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := oneChange(commits, nil, "c", "b")
			y.queries = map[string]http.HandlerFunc{"query PullRequests(": tt.handler}
			b := deployed(t, nil, y)
			if tt.reason != "" {
				if record.ReasonOf(b.Err) != tt.reason {
					t.Errorf("%+v, want %s", b.Err, tt.reason)
				}
				return
			}
			d := byID(t, b, "D")
			if got := fmt.Sprint(d.ChangesKnown, " ", numbers(d), " ", d.Changes[0].SecurityReviewed, " ", d.MissingPermission); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestCommitsOfOtherPullRequests(t *testing.T) {
	fork := `{"number":9,"mergedAt":"2020-01-02T03:04:05Z","baseRepository":{"nameWithOwner":"mallory/api"}}`
	unmerged := `{"number":8,"mergedAt":null,"baseRepository":{"nameWithOwner":"Acme/api"}}`
	d := byID(t, deployed(t, nil, oneChange(map[string][]string{sha("b"): {associated(7, day), associated(5, 3*day), unmerged, fork, "null"}}, map[int]string{5: pullJSON(5, ""), 7: pullJSON(7, "")}, "b")), "D")
	if got := fmt.Sprint(d.ChangesKnown, numbers(d)); got != "yes[5]" {
		t.Errorf("%s, want the pull request by which the commit first came in", got)
	}
	lost := oneChange(nil, nil, "b")
	lost.queries = map[string]http.HandlerFunc{"query PullsOfCommits(": answering(`{"data":{"repository":{"c0":null}}}`)}
	if d := byID(t, deployed(t, nil, lost), "D"); d.ChangesKnown != no {
		t.Errorf("a commit that nobody finds: %+v", d)
	}
}

// TestManyReviews: what one query does not hold is read by REST, page by page, and keeps the teams that the query knew.
func TestManyReviews(t *testing.T) {
	pull := strings.Replace(pullJSON(12, ""), `"totalCount":4`, `"totalCount":51`, 1)
	pull = strings.Replace(pull, `"author":{"__typename":"User","login":"eve"}}]`, `"author":{"__typename":"User","login":"eve"},"onBehalfOf":{"nodes":[{"slug":"sec","organization":{"login":"acme"}}]}}]`, 1)
	y := oneChange(map[string][]string{sha("b"): {associated(12, 6*day)}}, map[int]string{12: pull}, "b")
	c, s, _ := setup(t, func(cfg *Config) {
		cfg.Alerts, cfg.Protection, cfg.Deployments = nil, false, true
		cfg.SecurityReview = SecurityReview{Teams: []string{"acme/sec"}}
	})
	serveDelivery(s)
	y.serve(s)
	review := func(login, kind string, before time.Duration) string {
		return fmt.Sprintf(`{"id":1,"state":"APPROVED","submitted_at":%q,"user":{"login":%q,"type":%q}}`, ago(before), login, kind)
	}
	s.LinkPages("GET /repos/Acme/api/pulls/12/reviews", "page", collectorstest.Items(review("bot", "Bot", 9*day), review("eve", "User", 6*day)), collectorstest.Items(review("zoe", "User", 8*day)))
	change := byID(t, again(t, c, nil), "D").Changes[0]
	if since(change.ApprovedAt) != 8*day || change.SecurityReviewed != yes || since(change.SecurityReviewAt) != 6*day {
		t.Errorf("%+v, want it approved by zoe, 8 days ago, and reviewed for the team two days later", change)
	}
	s.Handle("GET /repos/Acme/api/pulls/12/reviews", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	fresh, err := New(c.config, c.env)
	if err != nil {
		t.Fatal(err)
	}
	if b := again(t, fresh, nil); record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("%+v, want the scope to fail", b)
	}
}

// TestServicesOfOneRepository: each service has its own line of deployments and, where paths say which files are its, its own changes.
func TestServicesOfOneRepository(t *testing.T) {
	of := func(service, text string) string {
		return strings.Replace(text, `"task":"deploy"`, fmt.Sprintf(`"task":"deploy:%s"`, service), 1)
	}
	files := func(total int, paths ...string) string {
		list := make([]string, len(paths))
		for i, p := range paths {
			list[i] = fmt.Sprintf(`{"path":%q}`, p)
		}
		return fmt.Sprintf(`,"files":{"totalCount":%d,"nodes":[%s]}`, total, strings.Join(list, ","))
	}
	y := story{
		deployments: []string{
			of("cart", deploymentJSON("C2", sha("d"), 2*day, went("SUCCESS", 2*day-time.Hour)...)), of("shop", deploymentJSON("S2", sha("c"), 3*day, went("SUCCESS", 3*day-time.Hour)...)),
			of("cart", deploymentJSON("C1", sha("b"), 8*day, went("SUCCESS", 8*day-time.Hour)...)), of("shop", deploymentJSON("S1", sha("a"), 9*day, went("SUCCESS", 9*day-time.Hour)...)),
		},
		compared: map[string]string{"a...c": compareJSON("ahead", "b", "c"), "b...d": compareJSON("ahead", "c", "d")},
		commits:  map[string][]string{sha("b"): {associated(2, 6*day)}, sha("c"): {associated(3, 6*day)}, sha("d"): {associated(4, 6*day)}},
		pulls: map[int]string{
			2: pullJSON(2, files(1, "services/shop/main.go")), 3: pullJSON(3, files(2, "services/cart/a.go", "services/shop/b.go")), 4: pullJSON(4, files(101, "docs/a.md")),
		},
	}
	b := deployed(t, func(c *Config) {
		c.DeploymentServices = []ServiceRule{{Repository: "acme/api", Task: "deploy:{service}", Paths: []string{"services/{service}/**", "shared/"}}}
	}, y)
	got := map[string]string{}
	for _, d := range b.Deployments {
		got[d.ID] = fmt.Sprint(d.Service, " ", d.ChangesKnown, numbers(d))
	}
	want := map[string]string{"acme/api:S1": "shop no[]", "acme/api:C1": "cart no[]", "acme/api:S2": "shop yes[2 3]", "acme/api:C2": "cart no[3]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services and changes (-want +got):\n%s", diff)
	}
}

func TestServiceRules(t *testing.T) {
	rules := newServiceRules([]ServiceRule{
		{Repository: "acme/mono", Environment: "production-{service}"}, {Repository: "acme/*", Task: "deploy:cart?", Service: "cart"},
		{Repository: "acme/mono", Environment: "production", Task: "{service}/*"},
	})
	for _, tt := range []struct{ repository, environment, task, want string }{
		{"Acme/Mono", "production-shop", "deploy", "shop"}, {"acme/mono", "PRODUCTION-shop", "deploy", "shop"}, {"acme/mono", "production-", "deploy", ""},
		{"acme/other", "production-shop", "deploy", ""}, {"acme/other", "x", "deploy:cart2", "cart"}, {"acme/other", "x", "deploy:cart", ""},
		{"acme/mono", "production", "search/all", "search"}, {"acme/mono", "staging", "search/all", ""}, {"acme/a/b", "x", "deploy:cart2", ""},
	} {
		if got, _ := rules.of(tt.repository, tt.environment, tt.task); got != tt.want {
			t.Errorf("%s to %s by %s is %q, want %q", tt.repository, tt.environment, tt.task, got, tt.want)
		}
	}
	for pattern, paths := range map[string][2][]string{
		"services/api/**": {{"services/api/a.go", "services/api/b/c.go"}, {"services/api2/a.go", "old/services/api/a.go"}},
		"services/api/":   {{"services/api/a.go"}, {"services/api.go"}}, "*.go": {{"a.go", "b/a.go"}, {"a.gop", "a.rs"}}, "docs/*": {{"docs/a.md", "docs/a/b.md"}, {"docs2/a.md"}},
		"/a.go": {{"a.go"}, {"b/a.go"}}, "**/test/**": {{"test/a", "x/test/a"}, {"tests/a"}}, "a?c": {{"abc", "x/abc/d"}, {"a/c"}},
	} {
		compiled := []pathPattern{newPathPattern(pattern)}
		for _, path := range paths[0] {
			if !touch(compiled, []string{path}) {
				t.Errorf("%s does not match %s", pattern, path)
			}
		}
		if path := paths[1]; slices.ContainsFunc(path, func(p string) bool { return touch(compiled, []string{p}) }) {
			t.Errorf("%s matches one of %v", pattern, path)
		}
	}
}

func FuzzServicePatterns(f *testing.F) {
	f.Add("production-{service}", "services/**/x", "production-shop")
	f.Add("\xe0\x8b", "\xa3/\xa3", "\xa3")
	f.Fuzz(func(t *testing.T, pattern, paths, text string) {
		if p := namePattern(pattern); p != nil && strings.Trim(pattern, "*?{}") == pattern && !p.MatchString(pattern) && !strings.Contains(pattern, serviceMark) {
			t.Errorf("%q does not match itself", pattern)
		}
		newPathPattern(paths).expression.MatchString(text)
	})
}
