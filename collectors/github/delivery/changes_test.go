package delivery_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// oneChange is two deployments, of which the second brings commits by way of pull requests.
func oneChange(commits map[string][]string, pulls map[int]string, brought ...string) githubtest.Story {
	return githubtest.Story{
		Deployments: []string{githubtest.DeploymentJSON("D", githubtest.SHA("b"), githubtest.Day, githubtest.History("SUCCESS", time.Hour)...), githubtest.DeploymentJSON("1", githubtest.SHA("a"), 9*githubtest.Day, githubtest.History("SUCCESS", 9*githubtest.Day-time.Hour)...)},
		Compared:    map[string]string{"a...b": githubtest.CompareJSON("ahead", brought...)}, Commits: commits, Pulls: pulls,
	}
}

func TestTimesOfAChange(t *testing.T) {
	// One commit on the branch, made by squashing: the first commit is the pull request's own.
	d := byID(t, deployed(t, nil, oneChange(map[string][]string{githubtest.SHA("b"): {githubtest.Associated(12, 6*githubtest.Day)}}, map[int]string{12: githubtest.PullJSON(12, "")}, "b")), "D")
	if len(d.Changes) != 1 {
		t.Fatalf("%+v", d)
	}
	c := d.Changes[0]
	got := map[string]time.Duration{
		"first commit": githubtest.Since(c.FirstCommitAt), "opened": githubtest.Since(c.OpenedAt), "first review": githubtest.Since(c.FirstReviewAt), "approved": githubtest.Since(c.ApprovedAt), "merged": githubtest.Since(c.MergedAt),
	}
	want := map[string]time.Duration{"first commit": 9 * githubtest.Day, "opened": 8 * githubtest.Day, "first review": 7 * githubtest.Day, "approved": 6 * githubtest.Day, "merged": 6 * githubtest.Day}
	if diff := cmp.Diff(want, got); diff != "" || c.ID != "acme/api#12" || c.SecurityReviewed != githubtest.No {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
}

func TestFirstReview(t *testing.T) {
	review := func(state, login, kind string, before time.Duration) string {
		return fmt.Sprintf(`{"state":%q,"submittedAt":%q,"author":{"__typename":%q,"login":%q}}`, state, githubtest.Ago(before), kind, login)
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
		if githubtest.Since(c.FirstReviewAt) != tt.first || githubtest.Since(c.ApprovedAt) != tt.approved {
			t.Errorf("%s: first review %s, approved %s, want %s and %s", tt.name, githubtest.Since(c.FirstReviewAt), githubtest.Since(c.ApprovedAt), tt.first, tt.approved)
		}
	}
}

// changeOf translates a pull request of bob's that has these fields.
func changeOf(t *testing.T, change func(*delivery.SecurityReview), fields ...string) pulled {
	t.Helper()
	return hiddenChangeOf(t, change, nil, fields...)
}

func hiddenChangeOf(t *testing.T, change func(*delivery.SecurityReview), hidden []string, fields ...string) pulled {
	t.Helper()
	env, config := githubtest.Env(t), delivery.Default()
	if change != nil {
		change(&config.SecurityReview)
	}
	c := delivery.New(config, env, inventory.New(inventory.Default(), env), nil)
	text := `{"author":{"__typename":"User","login":"bob"},"reviews":{"nodes":[]},"timelineItems":{"nodes":[]},"head":{"nodes":[{"commit":{"statusCheckRollup":null}}]}`
	for _, field := range fields {
		text += "," + field
	}
	got, missing, err := c.Change(text+"}", hidden)
	if err != nil {
		t.Fatal(err)
	}
	return pulled{got, missing}
}

// pulled is a change, and the permission that would show what is unknown.
type pulled struct {
	record.Change
	missing string
}

func TestSecurityReviewOfAChange(t *testing.T) {
	labelled := func(name string, before time.Duration) string {
		return fmt.Sprintf(`"timelineItems":{"nodes":[{"createdAt":%q,"label":{"name":"other"}},{"createdAt":%q,"label":{"name":%q}}]}`, githubtest.Ago(9*time.Hour), githubtest.Ago(before), name)
	}
	reviewed := func(login, team string) string {
		return fmt.Sprintf(`"reviews":{"totalCount":1,"nodes":[{"state":"COMMENTED","submittedAt":%q,"author":{"__typename":"User","login":%q},"onBehalfOf":{"nodes":[{"slug":%q,"organization":{"login":"Acme"}}]}}]}`,
			githubtest.Ago(4*time.Hour), login, team)
	}
	checked := func(name, app, conclusion string, total int) string {
		return fmt.Sprintf(`"head":{"nodes":[{"commit":{"statusCheckRollup":{"contexts":{"totalCount":%d,"nodes":[{"__typename":"StatusContext"},{"name":%q,"conclusion":%q,"completedAt":%q,"checkSuite":{"app":{"slug":%q}}}]}}}}]}`,
			total, name, conclusion, githubtest.Ago(3*time.Hour), app)
	}
	nothing := func(s *delivery.SecurityReview) { *s = delivery.SecurityReview{} }
	teams := func(s *delivery.SecurityReview) {
		*s = delivery.SecurityReview{Teams: []string{"acme/product-security"}, Users: []string{"mina"}}
	}
	tests := []struct {
		name       string
		change     func(*delivery.SecurityReview)
		hidden     []string
		fields     []string
		want       record.Answer
		at         time.Duration
		permission string
	}{
		{"nothing", nil, nil, nil, githubtest.No, 0, ""},
		{"nothing counts", nothing, nil, []string{labelled("security-reviewed", time.Hour)}, githubtest.Unknown, 0, ""},
		{"a label", nil, nil, []string{labelled("Security-Reviewed", 2*time.Hour)}, githubtest.Yes, 2 * time.Hour, ""},
		{"another label", nil, nil, []string{labelled("reviewed", 2*time.Hour)}, githubtest.No, 0, ""},
		{"labels are hidden", nil, []string{"timelineItems"}, nil, githubtest.Unknown, 0, "pull_requests=read"},
		{"a team", teams, nil, []string{reviewed("eve", "product-security")}, githubtest.Yes, 4 * time.Hour, ""},
		{"another team", teams, nil, []string{reviewed("eve", "platform")}, githubtest.No, 0, ""},
		{"teams are hidden", teams, []string{"onBehalfOf"}, []string{reviewed("eve", "platform")}, githubtest.Unknown, 0, "members=read"},
		{"teams are hidden, but a person is known", teams, []string{"onBehalfOf"}, []string{reviewed("Mina", "platform")}, githubtest.Yes, 4 * time.Hour, ""},
		{"the author is of the team", teams, nil, []string{reviewed("bob", "product-security")}, githubtest.No, 0, ""},
		{"code scanning", nil, nil, []string{checked("CodeQL", delivery.CodeScanningApp, "SUCCESS", 2)}, githubtest.Yes, 3 * time.Hour, ""},
		{"code scanning found something", nil, nil, []string{checked("CodeQL", delivery.CodeScanningApp, "FAILURE", 2)}, githubtest.Yes, 3 * time.Hour, ""},
		{"code scanning was cancelled", nil, nil, []string{checked("CodeQL", delivery.CodeScanningApp, "CANCELLED", 2)}, githubtest.No, 0, ""},
		{"a check that is not security's", nil, nil, []string{checked("build", "github-actions", "SUCCESS", 2)}, githubtest.No, 0, ""},
		{"a check that is by its name", func(s *delivery.SecurityReview) { *s = delivery.SecurityReview{Checks: []string{"snyk*"}} }, nil, []string{checked("Snyk (acme)", "snyk", "SUCCESS", 2)}, githubtest.Yes, 3 * time.Hour, ""},
		{"code scanning does not count", func(s *delivery.SecurityReview) { s.CodeScanning = false }, nil, []string{checked("CodeQL", delivery.CodeScanningApp, "SUCCESS", 2)}, githubtest.No, 0, ""},
		{"more checks than were read", nil, nil, []string{checked("build", "github-actions", "SUCCESS", 101)}, githubtest.Unknown, 0, ""},
		{"checks are hidden", nil, []string{"head"}, nil, githubtest.Unknown, 0, "checks=read"},
		{"checks are hidden, but there is a label", nil, []string{"head"}, []string{labelled("security-reviewed", 2*time.Hour)}, githubtest.Yes, 2 * time.Hour, ""},
		{"the earliest counts", nil, nil, []string{labelled("security-reviewed", 2*time.Hour), checked("CodeQL", delivery.CodeScanningApp, "SUCCESS", 2)}, githubtest.Yes, 3 * time.Hour, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := hiddenChangeOf(t, tt.change, tt.hidden, tt.fields...)
			if c.SecurityReviewed != tt.want || githubtest.Since(c.SecurityReviewAt) != tt.at || c.missing != tt.permission {
				t.Errorf("%q at %s for want of %q, want %q at %s for want of %q", c.SecurityReviewed, githubtest.Since(c.SecurityReviewAt), c.missing, tt.want, tt.at, tt.permission)
			}
		})
	}
}

// TestPullRequestsThatCannotBeRead: an error that belongs to one pull request or a part of it spoils no other.
func TestPullRequestsThatCannotBeRead(t *testing.T) {
	commits := map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 6*githubtest.Day)}, githubtest.SHA("c"): {githubtest.Associated(3, 6*githubtest.Day)}}
	answer := func(two, failures string) http.HandlerFunc {
		return githubtest.Answering(`{"data":{"repository":{"p2":` + two + `,"p3":` + githubtest.PullJSON(3, "") + `}},"errors":[` + failures + `]}`)
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
		{"its checks are hidden", answer(githubtest.PullJSON(2, ""), failure("FORBIDDEN", `,"head","nodes",0,"commit","statusCheckRollup"`)), "", "yes [2 3]  checks=read"},
		{"its reviews are hidden", answer(strings.ReplaceAll(githubtest.PullJSON(2, ""), `"reviews":`, `"hidden":`), failure("FORBIDDEN", `,"reviews"`)), "", "no [3] no pull_requests=read"},
		{"the server failed", answer("null", `{"message":"Something went wrong","path":["repository","p2"]}`), record.ReasonServer, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := oneChange(commits, nil, "c", "b")
			y.Queries = map[string]http.HandlerFunc{"query PullRequests(": tt.handler}
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
	d := byID(t, deployed(t, nil, oneChange(map[string][]string{githubtest.SHA("b"): {githubtest.Associated(7, githubtest.Day), githubtest.Associated(5, 3*githubtest.Day), unmerged, fork, "null"}}, map[int]string{5: githubtest.PullJSON(5, ""), 7: githubtest.PullJSON(7, "")}, "b")), "D")
	if got := fmt.Sprint(d.ChangesKnown, numbers(d)); got != "yes[5]" {
		t.Errorf("%s, want the pull request by which the commit first came in", got)
	}
	incomplete := oneChange(nil, nil, "b")
	incomplete.Queries = map[string]http.HandlerFunc{"query PullsOfCommits(": githubtest.Answering(`{"data":{"repository":{"c0":null}}}`)}
	if d := byID(t, deployed(t, nil, incomplete), "D"); d.ChangesKnown != githubtest.No {
		t.Errorf("a commit that nobody finds: %+v", d)
	}
}

// TestManyReviews: what one query does not hold is read by REST, page by page, and keeps the teams that the query knew.
func TestManyReviews(t *testing.T) {
	pull := strings.Replace(githubtest.PullJSON(12, ""), `"totalCount":4`, `"totalCount":51`, 1)
	pull = strings.Replace(pull, `"author":{"__typename":"User","login":"eve"}}]`, `"author":{"__typename":"User","login":"eve"},"onBehalfOf":{"nodes":[{"slug":"sec","organization":{"login":"acme"}}]}}]`, 1)
	y := oneChange(map[string][]string{githubtest.SHA("b"): {githubtest.Associated(12, 6*githubtest.Day)}}, map[int]string{12: pull}, "b")
	teams := func(cfg *github.Config) {
		onlyDeployments(cfg)
		cfg.Delivery.SecurityReview = delivery.SecurityReview{Teams: []string{"acme/sec"}}
	}
	c, s, clock := githubtest.Setup(t, teams)
	githubtest.ServeDelivery(s)
	y.Serve(s)
	review := func(login, kind string, before time.Duration) string {
		return fmt.Sprintf(`{"id":1,"state":"APPROVED","submitted_at":%q,"user":{"login":%q,"type":%q}}`, githubtest.Ago(before), login, kind)
	}
	s.LinkPages("GET /repos/Acme/api/pulls/12/reviews", "page", collectorstest.Items(review("bot", "Bot", 9*githubtest.Day), review("eve", "User", 6*githubtest.Day)), collectorstest.Items(review("zoe", "User", 8*githubtest.Day)))
	change := byID(t, again(t, c, nil), "D").Changes[0]
	if githubtest.Since(change.ApprovedAt) != 8*githubtest.Day || change.SecurityReviewed != githubtest.Yes || githubtest.Since(change.SecurityReviewAt) != 6*githubtest.Day {
		t.Errorf("%+v, want it approved by zoe, 8 days ago, and reviewed for the team two days later", change)
	}
	s.Handle("GET /repos/Acme/api/pulls/12/reviews", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	fresh := githubtest.Restarted(t, s, clock, teams)
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
	y := githubtest.Story{
		Deployments: []string{
			of("cart", githubtest.DeploymentJSON("C2", githubtest.SHA("d"), 2*githubtest.Day, githubtest.History("SUCCESS", 2*githubtest.Day-time.Hour)...)), of("shop", githubtest.DeploymentJSON("S2", githubtest.SHA("c"), 3*githubtest.Day, githubtest.History("SUCCESS", 3*githubtest.Day-time.Hour)...)),
			of("cart", githubtest.DeploymentJSON("C1", githubtest.SHA("b"), 8*githubtest.Day, githubtest.History("SUCCESS", 8*githubtest.Day-time.Hour)...)), of("shop", githubtest.DeploymentJSON("S1", githubtest.SHA("a"), 9*githubtest.Day, githubtest.History("SUCCESS", 9*githubtest.Day-time.Hour)...)),
		},
		Compared: map[string]string{"a...c": githubtest.CompareJSON("ahead", "b", "c"), "b...d": githubtest.CompareJSON("ahead", "c", "d")},
		Commits:  map[string][]string{githubtest.SHA("b"): {githubtest.Associated(2, 6*githubtest.Day)}, githubtest.SHA("c"): {githubtest.Associated(3, 6*githubtest.Day)}, githubtest.SHA("d"): {githubtest.Associated(4, 6*githubtest.Day)}},
		Pulls: map[int]string{
			2: githubtest.PullJSON(2, files(1, "services/shop/main.go")), 3: githubtest.PullJSON(3, files(2, "services/cart/a.go", "services/shop/b.go")), 4: githubtest.PullJSON(4, files(101, "docs/a.md")),
		},
	}
	b := deployed(t, func(c *github.Config) {
		c.Delivery.DeploymentServices = []delivery.ServiceRule{{Repository: "acme/api", Task: "deploy:{service}", Paths: []string{"services/{service}/**", "shared/"}}}
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
