package gitlab

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestBypasses: who went around a rule, in which project and for which branch. Events of a policy's own project name the project that was pushed to.
func TestBypasses(t *testing.T) {
	batches, _ := gather(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET "+project7+"audit_events", list(
			`{"id":1,"created_at":"2026-03-01T08:00:00Z","details":{"event_name":"security_policy_service_account_push_bypass","project_id":8,"branch_name":"release/1"}}`,
			`{"id":2,"created_at":"2026-03-01T07:00:00Z","details":{"event_name":"merge_request_branch_bypassed_by_security_policy","project_id":7,"source_branch":"fix","target_branch":"main"}}`,
			`{"id":3,"created_at":"2026-03-01T06:00:00Z","details":{"event_name":"security_policy_merge_request_bypass","branch_name":"main"}}`,
			`{"id":4,"created_at":"2026-03-01T05:00:00Z","details":{"event_name":"security_policy_user_push_bypass","project_id":99,"branch_name":"main"}}`,
			`{"id":5,"created_at":"2026-03-01T04:00:00Z","details":{"custom_message":"Changed visibility"}}`,
			`{"id":6,"created_at":"soon","details":{"event_name":"security_policy_user_push_bypass","project_id":7}}`,
			`{"created_at":"2026-03-01T04:00:00Z","details":{"event_name":"security_policy_user_push_bypass","project_id":7}}`))
	})
	const api, old = record.RepositoryName("gitlab.example.com/acme/api"), record.RepositoryName("gitlab.example.com/acme/old")
	b := batches["bypasses:7"]
	if diff := cmp.Diff([]record.Bypass{
		{ID: "audit_event:1", Repository: old, Branch: "release/1", Result: record.BypassBypassed, Rules: []string{"pull_request"}, At: at("2026-03-01T08:00:00Z")},
		{ID: "audit_event:2", Repository: api, Branch: "main", Result: record.BypassBypassed, Rules: []string{"approval_policy"}, At: at("2026-03-01T07:00:00Z")},
		{ID: "audit_event:3", Repository: api, Branch: "main", Result: record.BypassBypassed, Rules: []string{"approval_policy"}, At: at("2026-03-01T06:00:00Z")},
	}, b.Bypasses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[record.RejectReason]int{record.RejectTimestamp: 1, record.RejectNoID: 1}, b.Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	if b.Mode != record.Full {
		t.Errorf("the first reading is %q, want a full one", b.Mode)
	}
}

// TestBypassesGoOnAfterTheLastReading: with what was written late, and in a span that nothing can be added to while it is read.
func TestBypassesGoOnAfterTheLastReading(t *testing.T) {
	last := collectorstest.NewClock().Now().Add(-5 * time.Hour)
	var after, before string
	batches, _ := gather(t, collectors.Cursors{"bypasses:7": record.CursorAt(last)}, func(s *collectorstest.Server) {
		s.Handle("GET "+project7+"audit_events", func(w http.ResponseWriter, r *http.Request) {
			after, before = r.URL.Query().Get("created_after"), r.URL.Query().Get("created_before")
			collectorstest.WriteJSON(w, list())
		})
	})
	b := batches["bypasses:7"]
	if b.Mode != record.Delta || b.Cursor != record.Cursor(before) || after != string(record.CursorAt(last.Add(-time.Hour))) {
		t.Errorf("got a %q batch with the cursor %s of the span from %s to %s", b.Mode, b.Cursor, after, before)
	}
}
