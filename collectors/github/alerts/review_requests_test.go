package alerts_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func requestJSON(number int, status, created, more string) string {
	return fmt.Sprintf(`{"id":%[1]d,"number":%[1]d,"repository":{"id":1,"name":"api","full_name":"Acme/api"},"requester":{"actor_id":12,"actor_name":"mina"},"request_type":"secret_scanning",`+
		`"resource_identifier":"827efc","status":%q,"requester_comment":"c","expires_at":"2026-01-09T00:00:00Z","created_at":%q,"html_url":"https://github.com/Acme/api/exemptions/%[1]d"%[4]s}`, number, status, created, more)
}

const answered = `,"responses":[{"id":1,"reviewer":{"actor_id":4,"actor_name":"ada"},"status":"denied","created_at":"2026-01-03T00:00:00Z"},{"id":2,"status":"approved","created_at":"2026-01-04T00:00:00Z"}]`

// TestRequestsAboutSecretsAreReviews: what waits, what was answered, withdrawn and ran out, of both lists.
func TestRequestsAboutSecretsAreReviews(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	c, s, clock := githubtest.Setup(t, func(c *github.Config) { c.Alerts.ReviewRequests = true })
	s.JSON("GET /orgs/acme/bypass-requests/secret-scanning", collectorstest.Items(
		requestJSON(1, "open", "2026-01-02T00:00:00Z", `,"data":[{"secret_type":"acme_token"}]`), requestJSON(2, "completed", "2026-01-02T00:00:00Z", answered),
		requestJSON(3, "expired", "2026-01-02T00:00:00Z", `,"responses":[]`), requestJSON(4, "pondered", "2026-01-02T00:00:00Z", ""), requestJSON(0, "open", "2026-01-02T00:00:00Z", "")))
	s.JSON("GET /orgs/acme/dismissal-requests/secret-scanning", collectorstest.Items(requestJSON(1, "pending", "2026-01-05T00:00:00Z", "")))
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["review_requests:acme"]
	review := func(id, title string, requested, first, closed time.Time, state record.ReviewState) record.Review {
		number := id[strings.Index(id, "#")+1:]
		updated := requested
		if !closed.IsZero() {
			updated = closed
		}
		return record.Review{
			ID: id, Kind: record.ReviewOther, State: state, Title: title, URL: "https://github.com/Acme/api/exemptions/" + number, Repository: "acme/api",
			RequestedAt: requested, FirstResponseAt: first, ClosedAt: closed, UpdatedAt: updated,
		}
	}
	none := time.Time{}
	want := []record.Review{
		review("bypass:acme/api#1", "Bypass of push protection: acme_token", day(2), none, none, record.ReviewWaiting),
		review("bypass:acme/api#2", "Bypass of push protection", day(2), day(3), day(4), record.ReviewDone),
		review("bypass:acme/api#3", "Bypass of push protection", day(2), none, day(9), record.ReviewDone),
		review("bypass:acme/api#4", "Bypass of push protection", day(2), none, none, record.ReviewWaiting),
		review("dismissal:acme/api#1", "Dismissal of a secret scanning alert", day(5), none, none, record.ReviewWaiting),
	}
	if diff := cmp.Diff(want, b.Reviews); diff != "" || b.Err != nil || b.Mode != record.Full || b.Rejected[record.RejectNoID] != 1 {
		t.Errorf("error %v, mode %s, rejected %v, reviews (-want +got):\n%s", b.Err, b.Mode, b.Rejected, diff)
	}
	for _, r := range s.Requests() {
		if strings.HasSuffix(r.Path, "requests/secret-scanning") && (r.Query.Get("time_period") != "month" || r.Query.Get("request_status") != "all") {
			t.Errorf("%s is asked for with %v", r.Path, r.Query)
		}
	}
	// What GitHub does not show any more stays.
	if err := clock.Sleep(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	later, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"review_requests:acme": b.Cursor})
	if got := later["review_requests:acme"]; err != nil || got.Mode != record.Delta {
		t.Errorf("the next reading: %+v, error %v", got, err)
	}
}

func TestRequestsThatMayNotBeReadAreNamed(t *testing.T) {
	c, s, _ := githubtest.Setup(t, func(c *github.Config) { c.Alerts.ReviewRequests = true })
	s.JSON("GET /orgs/acme/bypass-requests/secret-scanning", "[]")
	s.Handle("GET /orgs/acme/dismissal-requests/secret-scanning", githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if b := batches["review_requests:acme"]; err != nil || record.ReasonOf(b.Err) != record.ReasonPermission || !strings.Contains(b.Err.Error(), "organization_secret_scanning_dismissal_requests=read") {
		t.Errorf("error %v, %v", err, b.Err)
	}
	results, err := c.Check(t.Context())
	if told := fmt.Sprintf("%+v", results); err != nil || !strings.Contains(told, "dismissal requests about secrets") {
		t.Errorf("check: %s, error %v", told, err)
	}
}
