package github_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestPostureIsCheckedAndForecast(t *testing.T) {
	_, c, s, _ := githubtest.Posture(t, func(cfg *github.Config) { cfg.Delivery.Deployments = false }, nil)
	// The forecast goes by what the last readings took, and a first one takes more.
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
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
	s.Inject(&collectorstest.Fault{Apply: collectorstest.Status(http.StatusForbidden), Match: func(r collectorstest.Request) bool {
		return r.Path != "/orgs/acme/repos"
	}})
	if results, err = c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for subject, permission := range map[string]string{
		"custom properties": "organization_custom_properties=read", "security configurations": "organization_administration=read", "environments": "actions=read",
		"code scanning analyses": "security_events=read", "Actions policy": "administration=read", "rule suites": "administration=read",
		"manifests of Dependabot alerts": "contents=read", "CODEOWNERS": "contents=read", "Actions policy of the organisation": "organization_administration=read",
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 || !strings.Contains(fmt.Sprint(results[at].Err), permission) || results[at].Unknown == "" {
			t.Errorf("%s does not name %s: %+v", subject, permission, results)
		}
	}
	// Thirteen requests for the three scopes of each of two repositories each 4 h, as their last readings took, one of environments each 24 h, and per hour one page each of repositories, properties,
	// configurations and their repositories, besides 36 for alerts and 4 pages of sweeps a day.
	// The one manifest of the alerts is looked for once a day.
	forecast := c.Forecast()
	if want := 36 + 4 + 13/4.0 + (1+6)/24.0; fmt.Sprintf("%.3f", forecast["core"]) != fmt.Sprintf("%.3f", want) {
		t.Errorf("forecast of core is %v, want %v", forecast["core"], want)
	}
	// A page of protection costs a point, and one of environments eleven.
	if want := 1 + 11 + 1/24.0; fmt.Sprintf("%.6f", forecast["graphql"]) != fmt.Sprintf("%.6f", want) {
		t.Errorf("forecast of GraphQL is %v, want %v", forecast["graphql"], want)
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	c, s, _ := githubtest.Setup(t, nil)
	s.Handle("GET /orgs/acme/secret-scanning/alerts", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	s.JSON("POST /graphql", `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[`+githubtest.ProtectionNode("api", strings.Replace(githubtest.BareRef, `"refUpdateRule":null`, `"refUpdateRule":{"requiredApprovingReviewCount":1}`, 1))+`]}}},"errors":[`+`{"type":"FORBIDDEN","path":["organization","repositories","nodes",0,"defaultBranchRef","branchProtectionRule"],"message":"Resource not accessible by integration"}`+`]}`)
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
		"organisation acme: secret scanning alerts": "secret_scanning_alerts=read", "organisation acme: branch protection": "administration=read",
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

func TestForecast(t *testing.T) {
	c, s, _ := githubtest.Setup(t, nil)
	before := c.Forecast()
	if before["core"] < 36 || before["graphql"] != 1 {
		t.Errorf("Forecast() = %v before the first collection, want 3 kinds of alert in each of 12 collections, and one page of protection", before)
	}
	var items []string
	for i := range 250 {
		items = append(items, githubtest.RepositoryJSON(fmt.Sprintf("r%d", i), ""))
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
