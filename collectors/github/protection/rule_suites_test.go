package protection_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/protection"
	"prodsec_exporter/internal/record"
)

func TestBypassesAreReadOnce(t *testing.T) {
	batches, c, s, clock := githubtest.Posture(t, nil, nil)
	b := batches["bypasses:acme/api"]
	if b.Err != nil || b.Mode != record.Full {
		t.Fatalf("%+v", b)
	}
	want := []record.Bypass{
		{ID: "acme/api:12", Repository: "acme/api", Branch: "main", Result: record.BypassBypassed, Rules: []string{"code_scanning", "pull_request"}, At: b.Bypasses[0].At},
		{ID: "acme/api:11", Repository: "acme/api", Branch: "main", Result: record.BypassBypassed, Rules: []string{"non_fast_forward"}, At: b.Bypasses[1].At},
	}
	if diff := cmp.Diff(want, b.Bypasses); diff != "" || b.Bypasses[0].At.IsZero() {
		t.Errorf("bypasses (-want +got):\n%s", diff)
	}
	asked := func(path string) (n int, period string) {
		for _, r := range s.Requests() {
			if r.Path == path {
				n++
				period = r.Query.Get("time_period") + " " + r.Query.Get("rule_suite_result")
			}
		}
		return n, period
	}
	if _, period := asked(githubtest.SuitesOfAPI); period != "month bypass" {
		t.Errorf("the first reading asks for %q", period)
	}

	s.Forget()
	if again, err := collectorstest.Gather(t.Context(), c, nil); err != nil || cmp.Diff(again["bypasses:acme/api"].Bypasses, want) != "" {
		t.Errorf("a whole reading after it: %+v, error %v", again["bypasses:acme/api"], err)
	}
	if n, _ := asked(githubtest.SuitesOfAPI + "/12"); n != 0 {
		t.Errorf("%d requests for a suite that is known", n)
	}

	s.Forget()
	if err := clock.Sleep(t.Context(), 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	s.JSON("GET "+githubtest.SuitesOfAPI, collectorstest.Items(githubtest.SuiteJSON(13, -3*time.Hour, ""), githubtest.SuiteJSON(11, 10*24*time.Hour, "")))
	s.JSON("GET "+githubtest.SuitesOfAPI+"/13", githubtest.SuiteDetail(13, "pull_request:active:fail"))
	delta, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"bypasses:acme/api": b.Cursor})
	if err != nil {
		t.Fatal(err)
	}
	if d := delta["bypasses:acme/api"]; d.Mode != record.Delta || len(d.Bypasses) != 1 || d.Bypasses[0].ID != "acme/api:13" {
		t.Errorf("changes of four hours: %+v", d)
	}
	if _, period := asked(githubtest.SuitesOfAPI); period != "day bypass" {
		t.Errorf("after four hours the reading asks for %q", period)
	}
}

func TestPeriodSince(t *testing.T) {
	for span, want := range map[time.Duration]string{
		time.Minute: "hour", time.Hour: "hour", 61 * time.Minute: "day", 25 * time.Hour: "week", 8 * 24 * time.Hour: "month", 90 * 24 * time.Hour: "month",
	} {
		if got := protection.PeriodSince(span); got != want {
			t.Errorf("protection.PeriodSince(%s) = %s, want %s", span, got, want)
		}
	}
}

// TestBypassFailures: the rules are part of the record, so a detail that cannot be read fails the scope, and one that is gone names no rule.
func TestBypassFailures(t *testing.T) {
	for _, tt := range []struct {
		path   string
		code   int
		reason record.ErrorReason
	}{
		{githubtest.SuitesOfAPI, 403, record.ReasonPermission}, {githubtest.SuitesOfAPI, 404, record.ReasonPermission}, {githubtest.SuitesOfAPI, 500, record.ReasonServer},
		{githubtest.SuitesOfAPI + "/12", 403, record.ReasonPermission}, {githubtest.SuitesOfAPI + "/12", 500, record.ReasonServer}, {githubtest.SuitesOfAPI + "/12", 404, ""},
	} {
		batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
			s.Handle("GET "+tt.path, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.code)
				collectorstest.WriteJSON(w, `{"message":"no"}`)
			})
		})
		b := batches["bypasses:acme/api"]
		if tt.reason == "" {
			if b.Err != nil || len(b.Bypasses) != 2 || len(b.Bypasses[0].Rules) != 0 {
				t.Errorf("%s answers %d: %+v", tt.path, tt.code, b)
			}
			continue
		}
		if record.ReasonOf(b.Err) != tt.reason || tt.reason == record.ReasonPermission && strings.Contains(b.Err.Error(), "missing permission") {
			t.Errorf("%s answers %d: error %v, want %s", tt.path, tt.code, b.Err, tt.reason)
		}
		if other := batches["bypasses:acme/web"]; other.Err != nil || other.Bypasses == nil {
			t.Errorf("%s answers %d: the other repository became %+v", tt.path, tt.code, other)
		}
	}
}

func TestBypassesOfRepositoriesThatAreGone(t *testing.T) {
	_, c, s, _ := githubtest.Posture(t, nil, nil)
	s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("web", "")))
	batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"bypasses:acme/api": "2026-01-02T03:04:05Z"})
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["bypasses:acme/api"]; b.Mode != record.Full || !slices.Equal(b.Kinds(), []record.Kind{record.KindBypass}) || b.Size() != 0 || !strings.HasPrefix(string(b.Cursor), "retired ") {
		t.Errorf("bypasses of a repository that is gone: %+v", b)
	}
}
