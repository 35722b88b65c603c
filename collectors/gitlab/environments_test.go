package gitlab

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestEnvironmentsThatGroupsProtect: a group protects the environments of a tier in all projects below it, beside what these do themselves; where a group does not show
// its rules, nobody can say that there are none.
func TestEnvironmentsThatGroupsProtect(t *testing.T) {
	const groups = "GET /api/v4/groups/acme/protected_environments"
	yes, no, unknown := record.AnswerYes, record.AnswerNo, record.AnswerUnknown
	type protection struct {
		Reviewers, Admins record.Answer
		Permission        bool
	}
	for _, c := range []struct {
		name             string
		serve            http.HandlerFunc
		production, live protection
		staging          protection
	}{
		{"none", func(w http.ResponseWriter, _ *http.Request) { collectorstest.WriteJSON(w, list()) }, protection{yes, yes, false}, protection{no, no, false}, protection{no, no, false}},
		{"production", func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, list(`{"name":"production","approval_rules":[{"required_approvals":2}]}`))
		}, protection{yes, yes, false}, protection{yes, yes, false}, protection{no, no, false}},
		{"production, without approvals", func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, list(`{"name":"production","deploy_access_levels":[{"access_level":40}]}`))
		}, protection{yes, yes, false}, protection{no, yes, false}, protection{no, no, false}},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusForbidden) },
			protection{yes, yes, false}, protection{unknown, unknown, true}, protection{unknown, unknown, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			batches, server := gather(t, nil, func(s *collectorstest.Server) { s.Handle(groups, c.serve) })
			var got []protection
			for _, e := range batches["project:7"].Repositories[0].Environments {
				got = append(got, protection{e.RequiredReviewers, e.AdminsBound, e.MissingPermission != ""})
			}
			if diff := cmp.Diff([]protection{c.production, c.live, c.staging}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			asked := 0
			for _, r := range server.Requests() {
				if "GET "+r.Path == groups {
					asked++
				}
			}
			if asked != 1 {
				t.Errorf("the group was asked %d times, want once", asked)
			}
		})
	}
}

// TestEvidenceOfPipelines: a bill of materials that a job of the last successful run reported, and how the last deployment to production was approved.
func TestEvidenceOfPipelines(t *testing.T) {
	yes, no, unknown := record.AnswerYes, record.AnswerNo, record.AnswerUnknown
	for _, c := range []struct {
		name             string
		path, answer     string
		status           int
		sbom, approval   record.Answer
		permissionIsTold bool
	}{
		{"all of it", "x", "[]", 200, yes, yes, false},
		{"an archive alone", "pipelines/1/jobs", `[{"artifacts":[{"file_type":"archive","filename":"sbom.zip"}]}]`, 200, no, yes, false},
		{"the jobs are not shown", "pipelines/1/jobs", `{}`, 403, unknown, yes, true},
		{"nobody was asked", "deployments/12", `{"id":12,"pending_approval_count":0,"approvals":[]}`, 200, yes, no, false},
		{"approvals were missing", "deployments/12", `{"id":12,"pending_approval_count":1,"approvals":[]}`, 200, yes, no, false},
		{"the tier has no approvals", "deployments/12", `{"id":12}`, 200, yes, unknown, true},
		{"nothing was deployed", "deployments", `[]`, 200, yes, unknown, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			batches, _ := gather(t, nil, func(s *collectorstest.Server) {
				s.Handle("GET "+project7+c.path, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(c.answer))
				})
			})
			if err := batches["project:7"].Err; err != nil {
				t.Fatal(err)
			}
			p := batches["project:7"].Pipelines[0]
			if p.Evidence[record.EvidenceSBOM] != c.sbom || p.Evidence[record.EvidenceApproval] != c.approval || (p.MissingPermission != "") != c.permissionIsTold {
				t.Errorf("got %v and the permission %q, want %q, %q and told: %t", p.Evidence, p.MissingPermission, c.sbom, c.approval, c.permissionIsTold)
			}
		})
	}
}
