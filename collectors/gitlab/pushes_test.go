package gitlab

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestDirectPushes: what a deployment brought and no merge request did is a change from its commit on, as long as the commits of the merge requests are known. The base is
// the newest commit that was live, whatever was brought back since.
func TestDirectPushes(t *testing.T) {
	success := func(id int, sha string) string {
		return deploymentJSON(id, "success", sha, "2026-03-02T10:00:00Z", "production", "production")
	}
	request := `{"id":900,"iid":3,"project_id":7,"created_at":"2026-02-20T10:00:00Z","merged_at":"2026-03-01T12:00:00Z","merge_commit_sha":"m","squash_commit_sha":"s"}`
	commits := []string{
		`{"id":"b","parent_ids":["s"],"authored_date":"2026-03-01T18:00:00Z","committed_date":"2026-03-01T19:00:00Z"}`,
		`{"id":"m","parent_ids":["s","x"],"authored_date":"2026-03-01T12:00:00Z"}`, `{"id":"s","parent_ids":["x"],"authored_date":"2026-03-01T12:00:00Z"}`,
		`{"id":"c1","parent_ids":["x"],"authored_date":"2026-02-19T09:00:00Z"}`,
	}
	pushed := []record.Change{{ID: "7@b", FirstCommitAt: at("2026-03-01T18:00:00Z"), SecurityReviewed: record.AnswerNo}}
	for name, c := range map[string]struct {
		ofRequest string
		before    []string
		base      string
		want      []record.Change
	}{
		"beside a merge request":                    {`[{"id":"c1"}]`, []string{success(11, "a")}, "a", pushed},
		"after a rollback":                          {`[{"id":"c1"}]`, []string{success(11, "z"), success(10, "a"), success(9, "z")}, "a", pushed},
		"commits of the merge request without name": {`[{"authored_date":"2026-02-19T09:00:00Z"}]`, []string{success(11, "a")}, "a", nil},
		"the first deployment":                      {`[{"id":"c1"}]`, nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			batches, _ := gather(t, nil, func(s *collectorstest.Server) {
				s.Handle("GET "+project7+"deployments", func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Query().Get("status") == "success" {
						collectorstest.WriteJSON(w, list(append([]string{success(12, "b")}, c.before...)...))
						return
					}
					collectorstest.WriteJSON(w, list(success(12, "b")))
				})
				s.JSON("GET "+project7+"deployments/12/merge_requests", list(request))
				s.JSON("GET "+project7+"merge_requests/3/commits", c.ofRequest)
				s.Handle("GET "+project7+"repository/commits", func(w http.ResponseWriter, r *http.Request) {
					if got := r.URL.Query().Get("ref_name"); got != c.base+"..b" {
						t.Errorf("commits of %q are asked for, want those since %q", got, c.base)
					}
					collectorstest.WriteJSON(w, list(commits...))
				})
			})
			var got []record.Change
			for _, change := range batches["deployments:7"].Deployments[0].Changes {
				if change.ID != "900" {
					got = append(got, change)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("pushes (-want +got):\n%s", diff)
			}
		})
	}
}
