package delivery_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// toEnvironment serves the healthy deployments of acme/api as deployments to an environment of another name, among others that the repositories have.
func toEnvironment(name string, production bool) func(*collectorstest.Server) {
	return func(s *collectorstest.Server) {
		var nodes []string
		for _, node := range githubtest.HealthyDeployments() {
			nodes = append(nodes, strings.ReplaceAll(node, `"production"`, fmt.Sprintf("%q", name)))
		}
		s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
			"query EnvironmentNames(": githubtest.Pages(githubtest.NamesNode("api", name, "staging", "customers-next"), githubtest.NamesNode("web")),
			"query Deployments(":      githubtest.Pages(githubtest.DeploymentsNode("api", nodes...), githubtest.DeploymentsNode("web")),
		}))
		s.Handle("GET /repos/Acme/api/deployments", func(w http.ResponseWriter, r *http.Request) {
			collectorstest.WriteJSON(w, fmt.Sprintf(`[{"id":1,"environment":%q,"production_environment":%t}]`, r.URL.Query().Get("environment"), production && r.URL.Query().Get("environment") == name))
		})
	}
}

// TestEnvironmentsThatAreProductionByTheirDeployments: production_environment counts, whatever the name.
func TestEnvironmentsThatAreProductionByTheirDeployments(t *testing.T) {
	for _, production := range []bool{true, false} {
		batches, c, s, _ := githubtest.Posture(t, nil, toEnvironment("customers", production))
		b := batches["deployments:acme/api"]
		if b.Err != nil || len(b.Deployments) != 3 {
			t.Fatalf("%+v", b)
		}
		for i := range b.Deployments {
			if d := &b.Deployments[i]; (d.Production == record.AnswerYes) != production || d.Environment != "customers" {
				t.Errorf("production_environment %t: deployment to %s is production: %s", production, d.Environment, d.Production)
			}
		}
		asked := map[string]int{}
		for _, r := range s.Requests() {
			if r.Path == "/repos/Acme/api/deployments" {
				asked[r.Query.Get("environment")]++
			}
		}
		if asked["customers"] != 1 || asked["customers-next"] != 1 || asked["staging"] != 0 {
			t.Errorf("asked about names %v, want each once, and none that looks like something else", asked)
		}
		if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProductionByWorkflow: what a named workflow deploys is production, and what others deploy elsewhere is left out.
func TestProductionByWorkflow(t *testing.T) {
	for pattern, want := range map[string]int{"deploy*": 3, "*/workflows/DEPLOY.yml": 3, "release.yml": 0} {
		batches, _, _, _ := githubtest.Posture(t, func(c *github.Config) { c.Delivery.ProductionWorkflows = []string{pattern} }, toEnvironment("customers", false))
		b := batches["deployments:acme/api"]
		if b.Err != nil || len(b.Deployments) != want {
			t.Errorf("%s: error %v, %d deployments, want %d", pattern, b.Err, len(b.Deployments), want)
		}
		for i := range b.Deployments {
			if d := &b.Deployments[i]; d.Production != record.AnswerYes {
				t.Errorf("%s: a deployment by %s is production: %s", pattern, d.Pipeline, d.Production)
			}
		}
	}
}
