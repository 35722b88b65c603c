package github_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

func services(rules ...delivery.ServiceRule) func(*github.Config) {
	return func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentServices = true, rules }
}

func TestConfigIsChecked(t *testing.T) {
	token := collectorstest.Secret(t, "x")
	tests := []struct {
		name   string
		change func(*github.Config)
		want   string
	}{
		{"no organisation", func(c *github.Config) { c.Organizations = nil }, "organizations is empty"},
		{"a path as organisation", func(c *github.Config) { c.Organizations = []string{"acme/../other"} }, "is not the name"},
		{"twice", func(c *github.Config) { c.Organizations = []string{"acme", "ACME"} }, "there twice"},
		{"no credential", func(c *github.Config) { c.Token = apiclient.Secret{} }, "either token or app"},
		{"two credentials", func(c *github.Config) { c.App.ID = 1 }, "either token or app"},
		{"half an app", func(c *github.Config) { c.Token, c.App.ID = apiclient.Secret{}, 1 }, "app needs id and private_key"},
		{"an installation for two organisations", func(c *github.Config) {
			c.Token, c.Organizations = apiclient.Secret{}, []string{"acme", "acme-labs"}
			c.App = api.App{ID: 1, InstallationID: 2, PrivateKey: token}
		}, "leave app.installation_id out"},
		{"unknown alert", func(c *github.Config) { c.Alerts.Kinds = []alerts.Kind{"licence"} }, "is not one of"},
		{"stale between readings", func(c *github.Config) { c.PostureInterval = c.StaleAfter }, "must be shorter than stale_after"},
		{"single repositories stale between readings", func(c *github.Config) { c.RepositoryInterval = c.StaleAfter }, "repository_interval"},
		{"no repository in a collection", func(c *github.Config) { c.RepositoriesPerCollection = 0 }, "repositories_per_collection"},
		{"a pattern for any branch", func(c *github.Config) { c.Protection.ReleaseBranches = []string{"*"} }, "release_branches[0]"},
		{"a class in a pattern", func(c *github.Config) { c.Protection.ReleaseBranches = []string{"release/*", "v[12]"} }, "release_branches[1]"},
		{"a pattern twice", func(c *github.Config) { c.Protection.ReleaseBranches = []string{"release/*", "release/*"} }, "there twice"},
		{"no environment", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentEnvironments = true, nil }, "deployment_environments is empty"},
		{"an environment without name", func(c *github.Config) {
			c.Delivery.Deployments, c.Delivery.DeploymentEnvironments = true, []string{"a", " "}
		}, "deployment_environments[1]"},
		{"deployments stale between readings", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentInterval = true, c.StaleAfter }, "deployment_interval"},
		{"deployments without interval", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentInterval = true, 0 }, "deployment_interval must be positive"},
		{"no history", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentHistory = true, 0 }, "deployment_history"},
		{"no deployment in a collection", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.DeploymentsPerCollection = true, 0 }, "deployments_per_collection"},
		{"services of any repository", services(delivery.ServiceRule{Repository: "mono", Task: "{service}"}), "deployment_services[0]: repository"},
		{"a pattern that is none", services(delivery.ServiceRule{Repository: "acme/[", Task: "{service}"}), "deployment_services[0]: repository"},
		{"services told apart by nothing", services(delivery.ServiceRule{Repository: "acme/mono", Service: "x"}), "set environment or task"},
		{"no service", services(delivery.ServiceRule{Repository: "acme/mono", Task: "deploy"}), "0 times"},
		{"two services", services(delivery.ServiceRule{Repository: "acme/mono", Task: "{service}", Environment: "{service}"}), "2 times"},
		{"a service by name and by pattern", services(delivery.ServiceRule{Repository: "acme/mono", Task: "{service}", Service: "x"}), "no place"},
		{"an empty path", services(delivery.ServiceRule{Repository: "acme/mono", Task: "{service}", Paths: []string{""}}), "paths is empty"},
		{"a team of nowhere", func(c *github.Config) {
			c.Delivery.Deployments, c.Delivery.SecurityReview.Teams = true, []string{"security"}
		}, "security_review.teams[0]"},
		{"a check by no pattern", func(c *github.Config) { c.Delivery.Deployments, c.Delivery.SecurityReview.Checks = true, []string{"["} }, "security_review.checks[0]"},
		{"no URL", func(c *github.Config) { c.URL = "github.example.com" }, "must be the address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := githubtest.Configuration("https://api.github.com", token)
			tt.change(&cfg)
			_, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("github.New() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestEnterpriseServerPaths(t *testing.T) {
	s := collectorstest.NewServer(t)
	s.JSON("GET /api/v3/orgs/acme/repos", collectorstest.Items(strings.ReplaceAll(githubtest.RepositoryJSON("api", ""), "https://github.com", "https://ghe.example.com")))
	s.Handle("POST /api/graphql", githubtest.Pages(strings.ReplaceAll(githubtest.ProtectionNode("api", githubtest.BareRef), "https://github.com", "https://ghe.example.com")))
	cfg := githubtest.Configuration(s.URL()+"/api/v3", collectorstest.Secret(t, "token-of-ghes"))
	cfg.Alerts.Kinds = nil
	c, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"repositories:acme", "protection:acme"} {
		b := batches[scope]
		if b.Err != nil || len(b.Repositories) != 1 || b.Repositories[0].Name != "ghe.example.com/acme/api" {
			t.Errorf("%s = %+v, want ghe.example.com/acme/api", scope, b)
		}
	}
}

func TestSlowScopesFollowThePostureInterval(t *testing.T) {
	c, s, clock := githubtest.Setup(t, nil)
	first, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	cursors := collectors.Cursors{}
	for scope, b := range first {
		if b.Cursor == "" {
			t.Errorf("scope %s has no cursor", scope)
		}
		cursors[scope] = b.Cursor
	}
	s.Forget()
	second, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	if len(second) != 3 || len(s.Requests()) != 6 {
		t.Errorf("%d scopes by %d requests within the posture interval, want the 3 of alerts by 6", len(second), len(s.Requests()))
	}
	restarted := githubtest.Restarted(t, s, clock, nil)
	if batches, err := collectorstest.Gather(t.Context(), restarted, cursors); err != nil || len(batches) != 4 || batches["repositories:acme"].Mode != record.Full {
		t.Errorf("%d scopes, error %v after a restart, want repositories with the 3 of alerts: nothing is known of archived ones", len(batches), err)
	}
	if err := clock.Sleep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	third, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil || len(third) != 5 {
		t.Errorf("%d scopes, error %v after the posture interval, want 5", len(third), err)
	}
}

func TestUnknownValuesAreLoggedOnce(t *testing.T) {
	var logged strings.Builder
	s := collectorstest.NewServer(t)
	githubtest.Serve(s)
	s.JSON("GET /orgs/acme/dependabot/alerts", collectorstest.Items(githubtest.DependabotJSON(1, "snoozed", ""), githubtest.DependabotJSON(2, "snoozed", "")))
	c, err := github.New(githubtest.Configuration(s.URL(), collectorstest.Secret(t, "token")), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(logged.String(), "value=snoozed"); got != 1 {
		t.Errorf("logged %d times, want once:\n%s", got, logged.String())
	}
}
