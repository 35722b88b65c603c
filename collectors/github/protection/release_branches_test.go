package protection_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestReleaseBranches(t *testing.T) {
	ref := func(name, rules string) string {
		return fmt.Sprintf(`{"name":%q,"refUpdateRule":null,"branchProtectionRule":null,"rules":{"totalCount":1,"nodes":[%s]}}`, name, rules)
	}
	deletion := ruleJSON("DELETION", "ACTIVE", 1, "null")
	var asked []string
	batches, _, _, _ := githubtest.Posture(t, func(cfg *github.Config) { cfg.Protection.ReleaseBranches = []string{"release/*", "lts-?"} }, func(s *collectorstest.Server) {
		s.JSON("GET /repos/Acme/api/rulesets/1", noActors)
		s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
			"query Protection(":   githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)),
			"query Environments(": githubtest.Pages(githubtest.EnvironmentNode("api", "null", githubtest.NoEnvironments)),
			"query Manifests(":    githubtest.NewFiles("acme/api web/package-lock.json", "acme/api README.md").Answer,
			"query ReleaseBranches(": func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					Variables struct{ Match string }
				}
				_ = json.NewDecoder(r.Body).Decode(&q)
				asked = append(asked, q.Variables.Match)
				refs := `{"pageInfo":{"hasNextPage":false},"nodes":[` + ref("release/1.0", deletion) + "," + ref("old/release/1", deletion) + "," + ref("main", deletion) + `]}`
				if q.Variables.Match == "lts-" {
					refs = `{"pageInfo":{"hasNextPage":true},"nodes":[]}`
				}
				collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[{"nameWithOwner":"Acme/api","url":"https://github.com/Acme/api","refs":`+refs+`}]}}}}`)
			},
		}))
	})
	b := batches["protection:acme"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	if diff := cmp.Diff([]string{"release/", "lts-"}, asked); diff != "" {
		t.Errorf("branches asked for (-want +got):\n%s", diff)
	}
	release := nothing()
	release.Branch, release.Default, release.DeletionBlocked = "release/1.0", false, githubtest.Yes
	release.AdminsBound, release.BypassLimited = githubtest.Yes, githubtest.Yes
	more := record.BranchProtection{Branch: "lts-?", Approvals: record.ApprovalsUnknown}
	if diff := cmp.Diff([]record.BranchProtection{nothing(), release, more}, b.Repositories[0].Branches); diff != "" {
		t.Errorf("branches (-want +got):\n%s", diff)
	}
}
