package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

func TestConformance(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind: github.Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return github.New(githubtest.TrustOn(githubtest.PostureOn(githubtest.Configuration(baseURL, token))), env)
		},
		Serve: func(s *collectorstest.Server) {
			githubtest.Serve(s)
			githubtest.ServePosture(s)
			githubtest.ServeDelivery(s)
			githubtest.ServeTrust(s)
		},
		Scopes: append(slices.Concat(postureScopes(), deliveryScopes(), trustScopes()), []collectorstest.Scope{
			{Name: "repositories:acme", Records: 3, Requests: githubtest.AtPath("/orgs/acme/repos"), Pages: 2, Cursor: true, Links: true, Along: append(needList(), needListOfTrust()...)},
			{Name: "dependabot:acme", Records: 3, Requests: githubtest.AtPath("/orgs/acme/dependabot/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "code_scanning:acme", Records: 2, Requests: githubtest.AtPath("/orgs/acme/code-scanning/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "secret_scanning:acme", Records: 2, Requests: githubtest.AtPath("/orgs/acme/secret-scanning/alerts"), Pages: 2, Cursor: true, Links: true},
			{Name: "protection:acme", Records: 6, Requests: githubtest.Asks("query Protection("), Pages: 2, Steady: "a cursor of GraphQL goes on after the last item that was given", Cursor: true},
		}...),
		Altered: slices.Concat(altered(), alteredPosture(), alteredDelivery(), alteredTrust()),
		Gone: []collectorstest.Gone{{
			Name: "a repository is archived", Retired: []string{"scanning:acme/web"},
			Serve: func(s *collectorstest.Server) {
				s.LinkPages("GET /orgs/acme/repos", "page", collectorstest.Items(githubtest.RepositoryJSON("api", "")),
					collectorstest.Items(githubtest.RepositoryJSON("web", `,"archived":true`), githubtest.RepositoryJSON("old", `,"archived":true`)))
			},
		}},
		Readme: "README.md",
	})
}

func altered() []collectorstest.Altered {
	dependabot := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(items...))
		}
	}
	return []collectorstest.Altered{
		{
			Name: "unknown state, severity and reason", Scope: "dependabot:acme", Records: 2,
			Serve: dependabot(githubtest.DependabotJSON(1, "snoozed", ""), strings.ReplaceAll(githubtest.DependabotJSON(2, "dismissed", `,"dismissed_reason":"moon_phase"`), `"severity":"high"`, `"severity":"spicy"`)),
			Check: func(b record.Batch) error {
				if b.Findings[0].Closure != record.ClosureNone || b.Findings[1].Closure != record.ClosureOther || b.Findings[1].Severity != record.SeverityUnknown {
					return fmt.Errorf("findings %+v, want the first open, the second closed as other and of unknown severity", b.Findings)
				}
				return nil
			},
		},
		{Name: "undecodable item", Scope: "dependabot:acme", Records: 1, Rejected: 1, Serve: dependabot(githubtest.DependabotJSON(1, "open", ""), `{"number":"one"}`)},
		{Name: "item without repository", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(`{"number":1,"state":"open"}`)},
		{Name: "item without number", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(githubtest.DependabotJSON(0, "open", ""))},
		{Name: "time that is none", Scope: "dependabot:acme", Records: 0, Rejected: 1, Serve: dependabot(githubtest.DependabotJSON(1, "open", `,"fixed_at":"yesterday"`))},
		{Name: "no alerts", Scope: "dependabot:acme", Records: 0, Serve: dependabot()},
		{Name: "repository without name", Scope: "repositories:acme", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/repos", collectorstest.Items(githubtest.RepositoryJSON("api", ""), `{"full_name":"nameless"}`))
		}},
		{Name: "repository that GraphQL leaves out", Scope: "protection:acme", Records: 2, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", githubtest.ByQuery(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)+",null")))
		}},
	}
}

// needList are the scopes that need the list of repositories.
func needList() []string {
	return []string{
		"scanning:acme/api", "scanning:acme/web", "actions:acme/api", "actions:acme/web", "security_configurations:acme", "bypasses:acme/api", "bypasses:acme/web",
		"deployments:acme/api", "deployments:acme/web",
	}
}

func postureScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "properties:acme", Records: 2, Requests: githubtest.AtPath("/orgs/acme/properties/values"), Pages: 2, Cursor: true, Links: true},
		{Name: "environments:acme", Records: 2, Requests: githubtest.Asks("query Environments("), Pages: 2, Steady: "a cursor of GraphQL goes on after the last item that was given", Cursor: true},
		{Name: "security_configurations:acme", Records: 3, Requests: githubtest.AtPath("/orgs/acme/code-security/configurations/17/repositories"), Pages: 2, Cursor: true, Links: true},
		{Name: "scanning:acme/api", Records: 3, Requests: githubtest.AtPath("/repos/Acme/api/code-scanning/analyses"), Pages: 2, Cursor: true, Links: true},
		{Name: "scanning:acme/web", Records: 3, Requests: githubtest.AtPath("/repos/Acme/web/code-scanning/analyses"), Pages: 2, Cursor: true, Links: true},
		{Name: "actions:acme/api", Records: 1, Requests: githubtest.AtPath("/repos/Acme/api/actions/permissions"), Pages: 1},
		{Name: "actions:acme/web", Records: 1, Requests: githubtest.AtPath("/repos/Acme/web/actions/permissions/workflow"), Pages: 1},
	}
}

func alteredPosture() []collectorstest.Altered {
	properties := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/properties/values", collectorstest.Items(items...))
		}
	}
	return []collectorstest.Altered{
		{Name: "property that is an object", Scope: "properties:acme", Records: 1, Rejected: 1, Serve: properties(
			`{"repository_full_name":"Acme/api","properties":[{"property_name":"tier","value":{"a":1}}]}`, `{"repository_full_name":"Acme/web","properties":[{"property_name":"gold","value":true}]}`)},
		{Name: "properties of nobody", Scope: "properties:acme", Records: 0, Rejected: 1, Serve: properties(`{"properties":[]}`)},
		{Name: "environments of nobody", Scope: "environments:acme", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", githubtest.Dispatch(map[string]http.HandlerFunc{
				"query Protection(":   githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)),
				"query Environments(": githubtest.Pages(githubtest.EnvironmentNode("web", "null", githubtest.NoEnvironments) + ",null"),
			}))
		}},
		{Name: "configuration in a state that is not known", Scope: "security_configurations:acme", Records: 3, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/code-security/configurations/17/repositories", collectorstest.Items(`{"status":"pondering","repository":{"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}}`))
		}, Check: func(b record.Batch) error {
			if a := b.Repositories[0].Settings[inventory.SettingConfiguration]; a.Known() {
				return fmt.Errorf("security_configuration is %q, want unknown", a)
			}
			return nil
		}},
		{Name: "configuration that cannot be understood", Scope: "security_configurations:acme", Records: 0, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /orgs/acme/code-security/configurations", collectorstest.Items(`{"id":"seventeen"}`))
		}},
		{Name: "analysis that cannot be understood", Scope: "scanning:acme/api", Records: 2, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/code-scanning/analyses", collectorstest.Items(`{"created_at":"soon"}`))
		}},
		{Name: "policy in words that are not known", Scope: "actions:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/permissions", `{"enabled":true,"allowed_actions":"some"}`)
			s.JSON("GET /repos/Acme/api/actions/permissions/workflow", `{"default_workflow_permissions":"append"}`)
		}, Check: func(b record.Batch) error {
			if diff := cmp.Diff(map[string]record.Answer{inventory.SettingActionsEnabled: githubtest.Yes, inventory.SettingTokenCannotApprove: githubtest.Yes}, b.Repositories[0].Settings); diff != "" {
				return fmt.Errorf("settings (-want +got):\n%s", diff)
			}
			return nil
		}},
	}
}

func deliveryScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "bypasses:acme/api", Records: 2, Requests: githubtest.AtPath(githubtest.SuitesOfAPI), Pages: 2, Cursor: true, Links: true},
		{Name: "bypasses:acme/web", Records: 0, Requests: githubtest.AtPath("/repos/Acme/web/rulesets/rule-suites"), Pages: 1, Links: true},
		{Name: "deployments:acme/api", Records: 3, Requests: githubtest.Asks("query Deployments("), Pages: 1, Along: []string{"deployments:acme/web"}},
		{Name: "deployments:acme/web", Records: 0, Requests: githubtest.Asks("query Deployments("), Pages: 2, Steady: "a cursor of GraphQL goes on after the last item that was given", Cursor: true, Along: []string{"deployments:acme/api"}},
	}
}

func alteredDelivery() []collectorstest.Altered {
	suites := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON("GET "+githubtest.SuitesOfAPI, collectorstest.Items(items...)) }
	}
	deployments := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { githubtest.Story{Deployments: items}.Serve(s) }
	}
	pending := func(b record.Batch) error {
		if d := b.Deployments[0]; d.Status != record.DeploymentPending || !d.FinishedAt.IsZero() {
			return fmt.Errorf("%+v, want it pending", d)
		}
		return nil
	}
	return []collectorstest.Altered{
		{Name: "suite that passed", Scope: "bypasses:acme/api", Records: 0, Serve: suites(`{"id":12,"ref":"refs/heads/main","pushed_at":"2026-01-02T03:04:05Z","result":"pass"}`)},
		{Name: "suites that cannot be understood", Scope: "bypasses:acme/api", Records: 1, Rejected: 3, Serve: suites(
			`{"id":"twelve"}`, `{"id":1,"result":"bypass"}`, `{"pushed_at":"2026-01-02T03:04:05Z","result":"bypass"}`, githubtest.SuiteJSON(12, time.Hour, "")), Check: func(b record.Batch) error {
			if b.Bypasses[0].ID != "acme/api:12" {
				return fmt.Errorf("%+v", b.Bypasses)
			}
			return nil
		}},
		{Name: "status that is not known", Scope: "deployments:acme/api", Records: 1, Serve: deployments(githubtest.DeploymentJSON("D1", githubtest.SHA("a"), githubtest.Day, githubtest.StatusJSON("PONDERING", githubtest.Day))), Check: pending},
		{Name: "deployments that cannot be understood", Scope: "deployments:acme/api", Records: 1, Rejected: 5, Serve: deployments(
			"null", githubtest.DeploymentJSON("", githubtest.SHA("a"), githubtest.Day), githubtest.DeploymentJSON("D1", "main", githubtest.Day), strings.ReplaceAll(githubtest.DeploymentJSON("D2", githubtest.SHA("a"), githubtest.Day), `"production"`, `""`),
			strings.Replace(githubtest.DeploymentJSON("D3", githubtest.SHA("a"), githubtest.Day), `"createdAt":"`, `"created":"`, 1), githubtest.DeploymentJSON("D4", githubtest.SHA("a"), githubtest.Day)), Check: pending},
		{Name: "nothing was ever deployed", Scope: "deployments:acme/api", Records: 0, Serve: deployments()},
	}
}

func runnerScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "runners:acme", Records: 4, Requests: githubtest.AtPath("/orgs/acme/actions/runners"), Pages: 2, Items: "runners", Cursor: true, Links: true},
		{Name: "runners:acme/api", Records: 1, Requests: githubtest.AtPath("/repos/Acme/api/actions/runners"), Pages: 1},
		{Name: "runners:acme/web", Records: 0, Requests: githubtest.AtPath("/repos/Acme/web/actions/runners"), Pages: 1},
	}
}

func alteredRunners() []collectorstest.Altered {
	return []collectorstest.Altered{
		{Name: "runner without number", Scope: "runners:acme/api", Records: 0, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/runners", githubtest.NamedList("runners", 1, `{"name":"nameless"}`))
		}},
		{Name: "runner in a state that is not known", Scope: "runners:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/runners", githubtest.NamedList("runners", 1, `{"id":5,"name":"own","status":"asleep"}`))
		}, Check: func(b record.Batch) error {
			if r := b.Runners[0]; r.Online.Known() || r.Ephemeral.Known() {
				return fmt.Errorf("runner %+v, want unknown whether it is online or ephemeral", r)
			}
			return nil
		}},
	}
}

func trustScopes() []collectorstest.Scope {
	hiddenRuns := func(b record.Batch) error {
		for _, p := range b.Pipelines {
			if p.MissingPermission != "actions=read" || !p.LastRunAt.IsZero() || p.Evidence[record.EvidenceApproval].Known() {
				return fmt.Errorf("pipeline %+v", p)
			}
		}
		return nil
	}
	hiddenSecrets := func(b record.Batch) error {
		if i := b.CloudIdentities; len(i) != 1 || i[0].SecretsKnown.Known() || i[0].MissingPermission != "secrets=read" {
			return fmt.Errorf("identities %+v", i)
		}
		return nil
	}
	tolerate := func(unknown func(record.Batch) error) map[string]func(record.Batch) error {
		return map[string]func(record.Batch) error{"403": unknown, "404": unknown}
	}
	return append(runnerScopes(), []collectorstest.Scope{
		{Name: "releases:acme", Records: 2, Requests: githubtest.Either(githubtest.Asks("query Releases("), githubtest.AtPath("/repos/Acme/api/releases")), Pages: 3, Cursor: true, Along: []string{"pipelines:acme/api"}},
		{Name: "workflows:acme", Records: 2, Requests: githubtest.Either(githubtest.Asks("query WorkflowTrees("), githubtest.Asks("query Workflows(")), Pages: 3, Steady: "a cursor of GraphQL goes on after the last item that was given", Cursor: true, Along: needWorkflows()},
		{Name: "pipelines:acme/api", Records: 2, Requests: func(r collectorstest.Request) bool {
			return strings.HasPrefix(r.Path, "/repos/Acme/api/actions/workflows/")
		}, Pages: 1, Tolerates: tolerate(hiddenRuns)},
		{Name: "cloud_identity:acme/api", Records: 1, Requests: githubtest.AtPath("/repos/Acme/api/actions/secrets"), Pages: 1, Tolerates: tolerate(hiddenSecrets)},
	}...)
}

// needWorkflows are the scopes that need the workflows of the organisation.
func needWorkflows() []string { return []string{"pipelines:acme/api", "cloud_identity:acme/api"} }

// needListOfTrust are the scopes that need the list of repositories.
func needListOfTrust() []string {
	return append([]string{"runners:acme/api", "runners:acme/web"}, needWorkflows()...)
}

func alteredTrust() []collectorstest.Altered {
	return append(alteredRunners(), []collectorstest.Altered{
		{Name: "release that cannot be understood", Scope: "releases:acme", Records: 1, Rejected: 2, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/releases", collectorstest.Items(`{"id":"one"}`, githubtest.ReleaseJSON(2, "v2.0", githubtest.Ago(2*githubtest.Day), ""), githubtest.ReleaseJSON(0, "v1", githubtest.Ago(2*githubtest.Day), "")))
		}},
		{Name: "run that cannot be understood", Scope: "pipelines:acme/api", Records: 2, Rejected: 2, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/workflows/ship.yml/runs", githubtest.NamedList("workflow_runs", 2, `{"id":"x"}`, `{"path":"y"}`))
		}},
		{Name: "secret without name", Scope: "cloud_identity:acme/api", Records: 1, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/secrets", githubtest.NamedList("secrets", 1, `{}`))
		}, Check: func(b record.Batch) error {
			if b.CloudIdentities[0].SecretsKnown.Known() {
				return errors.New("one secret was rejected and the names are said to be known")
			}
			return nil
		}},
		{Name: "workflow that is no YAML", Scope: "cloud_identity:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
				"query Workflows(": func(w http.ResponseWriter, _ *http.Request) {
					collectorstest.WriteJSON(w, `{"data":{"nodes":[`+githubtest.WorkflowsNode("api", map[string]string{"a.yml": "jobs: [\t", "b.yml": githubtest.TestWorkflow})+`]}}`)
				},
			}))
		}, Check: func(b record.Batch) error {
			if a := b.CloudIdentities[0].OIDC; a.Known() {
				return fmt.Errorf("OIDC is %q, want unknown", a)
			}
			return nil
		}},
	}...)
}
