package trust_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestOrganisationSettlesTheActionsToken(t *testing.T) {
	batches, _, s, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/actions/permissions", `{"enabled_repositories":"all","allowed_actions":"local_only","sha_pinning_required":true}`)
		s.JSON("GET /orgs/acme/actions/permissions/workflow", `{"default_workflow_permissions":"read","can_approve_pull_request_reviews":false}`)
		s.JSON("GET /repos/Acme/api/actions/permissions", `{"enabled":true,"allowed_actions":"all"}`)
	})
	want := map[string]record.Answer{
		"actions_enabled": githubtest.Yes, "actions_restricted": githubtest.Yes, "actions_pinned": githubtest.Yes, "actions_token_read_only": githubtest.Yes, "actions_token_cannot_approve": githubtest.Yes,
	}
	if diff := cmp.Diff(want, batches["actions:acme/api"].Repositories[0].Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	organisation := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/repos/") && strings.HasSuffix(r.Path, "/workflow") {
			t.Errorf("%s was read although the organisation settles it", r.Path)
		}
		if strings.HasPrefix(r.Path, "/orgs/acme/actions/") {
			organisation++
		}
	}
	if organisation != 2 {
		t.Errorf("the organisation's policy took %d requests for two repositories, want 2", organisation)
	}
}
