package jira

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func checker(t *testing.T, s *collectorstest.Server, jql string) *Collector {
	t.Helper()
	c, err := New(Config{
		Common: collectors.Common{Interval: collectors.Duration(5 * time.Minute)},
		URL:    s.URL(), Auth: AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}, Exceptions: &ExceptionsConfig{JQL: jql},
	}, env())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheck(t *testing.T) {
	for name, serve := range map[string]func(*collectorstest.Server, ...string){"cloud": cloud, "data center": dataCenter} {
		s := collectorstest.NewServer(t)
		serve(s, ticket(1, ""))
		results, err := checker(t, s, query).Check(t.Context())
		if err != nil || len(results) != 2 || results[0].Err != nil || results[1].Err != nil {
			t.Errorf("%s: got %+v, %v; want the credential and the query proven", name, results, err)
		}
		s.JSON("GET /rest/api/2/myself", "")
		s.Handle("GET /rest/api/2/myself", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
		results, err = checker(t, s, query).Check(t.Context())
		if err != nil || len(results) != 1 || record.ReasonOf(results[0].Err) != record.ReasonUnauthorized || results[0].Unknown == "" {
			t.Errorf("%s, dead token: got %+v, %v", name, results, err)
		}
	}
}

func TestCheckNamesTheBadQuery(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s)
	s.Handle("GET /rest/api/3/search/jql", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		collectorstest.WriteJSON(w, `{"errorMessages": ["The value 'NOPE' does not exist for the field 'project'."]}`)
	})
	results, err := checker(t, s, "project = NOPE").Check(t.Context())
	if err != nil || len(results) != 2 || record.ReasonOf(results[1].Err) != record.ReasonRejected || !strings.Contains(results[1].Err.Error(), "NOPE") {
		t.Errorf("got %+v, %v; want Jira's own words about the query", results, err)
	}
}

// checked reports whether a result about a subject says all of some words.
func checked(results []collectors.CheckResult, subject string, words ...string) bool {
	for _, r := range results {
		if !strings.Contains(r.Subject, subject) || r.Err == nil {
			continue
		}
		missing := false
		for _, word := range words {
			missing = missing || !strings.Contains(r.Err.Error(), word)
		}
		if !missing {
			return true
		}
	}
	return false
}

func TestForecast(t *testing.T) {
	if got := checker(t, collectorstest.NewServer(t), query).Forecast()[""]; got != 24 {
		t.Errorf("got %v requests per hour, want 2 each 5 minutes: 24", got)
	}
}

func TestDataCenterLongQuery(t *testing.T) {
	s := collectorstest.NewServer(t)
	dataCenter(s)
	s.JSON("POST /rest/api/2/search", `{"total": 1, "issues": [`+ticket(1, "")+`]}`)
	if b := gather(t, s, ExceptionsConfig{JQL: `summary ~ "` + strings.Repeat("x", longestQuery) + `"`}, nil); b.Err != nil || len(b.Exceptions) != 1 {
		t.Errorf("got %d exceptions, %v", len(b.Exceptions), b.Err)
	}
}

func TestDataCenterChangelog(t *testing.T) {
	s := collectorstest.NewServer(t)
	dataCenter(s, strings.TrimSuffix(ticket(1, ""), "}")+`, "changelog": {"histories": [
		{"created": "2026-01-09T10:00:00.000+0000", "items": [{"field": "status", "toString": "Approved"}]},
		{"created": "2026-01-05T10:00:00.000+0000", "items": [{"field": "status", "toString": "In review"}, {"field": "summary", "toString": "Approved"}]}]}}`)
	b := gather(t, s, ExceptionsConfig{JQL: query}, nil)
	if b.Err != nil || len(b.Exceptions) != 1 || !b.Exceptions[0].DecidedAt.Equal(at("2026-01-09T10:00:00Z")) {
		t.Errorf("got %+v, %v", b.Exceptions, b.Err)
	}
}

// TestTokenWithScopesPastTheGateway: a site of Jira Cloud refuses such a token without saying why, so the error does.
func TestTokenWithScopesPastTheGateway(t *testing.T) {
	refused := &record.Error{Reason: record.ReasonUnauthorized}
	for url, hints := range map[string]bool{"https://acme.atlassian.net": true, "https://Acme.Atlassian.Net/": true, "https://jira.acme.example": false} {
		c := &Collector{config: Config{URL: url}}
		if got := c.gatewayHint(refused); strings.Contains(got, "set cloud_id") != hints {
			t.Errorf("%s: %q", url, got)
		}
		c.config.CloudID = "abc"
		if got := c.gatewayHint(refused); got != "" {
			t.Errorf("%s by the gateway: %q", url, got)
		}
		if got := (&Collector{config: Config{URL: url}}).gatewayHint(&record.Error{Reason: record.ReasonServer}); got != "" {
			t.Errorf("%s out of order: %q", url, got)
		}
	}
}
