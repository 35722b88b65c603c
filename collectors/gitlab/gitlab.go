// Package gitlab reads groups of a GitLab instance: their projects and how these are protected and scanned, vulnerability findings, deployments with the merge
// requests they bring, releases, pipelines, runners and how pipelines sign in to clouds.
//
// A file reads one thing and says which scope it fills: projects.go (projects:GROUP), vulnerabilities.go (vulnerabilities:GROUP), runners.go (runners:GROUP),
// posture.go with branches.go, environments.go, scans.go and pipelines.go (project:ID), deployments.go with changes.go (deployments:ID), releases.go
// (releases:ID), bypasses.go (bypasses:ID). surroundings.go is what projects have in common. api.go speaks REST and GraphQL. To read one more thing of each project, add a function to the list in posture.go.
//
// Scopes and records are named by the numbers of projects, which stay the same when a project is renamed or transferred.
package gitlab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels.
	kindName   = "gitlab"
	defaultURL = "https://gitlab.com"

	defaultInterval        = 10 * time.Minute
	defaultPostureInterval = 4 * time.Hour
	defaultHistory         = 90 * 24 * time.Hour
	defaultPerCollection   = 200
)

// Config is the section of one GitLab instance and credential.
type Config struct {
	collectors.Common `yaml:",inline"`
	// URL is the address of the instance, with its relative root if it has one; https://gitlab.com if not set.
	URL string `yaml:"url,omitempty"`
	// Token is an access token (group, project or personal) with the scope read_api.
	Token apiclient.Secret `yaml:"token"`
	// Groups are the full paths of the groups to read, each with its subgroups.
	Groups []string `yaml:"groups"`
	// Exclude are glob patterns of full paths of projects that are left out.
	Exclude []string `yaml:"exclude,omitempty"`
	// Vulnerabilities says whether findings are read; GitLab keeps them in its tier Ultimate. Default true.
	Vulnerabilities *bool `yaml:"vulnerabilities,omitempty"`
	// Bypasses says whether rule bypasses are read, from the audit events of projects; GitLab has them in its tier Ultimate. Default false.
	Bypasses bool `yaml:"bypasses,omitempty"`
	// ReleaseBranches are glob patterns of branches whose protection counts beside the default branch's.
	ReleaseBranches []string `yaml:"release_branches,omitempty"`
	// PostureInterval is how often what is asked of each project is read anew.
	PostureInterval collectors.Duration `yaml:"posture_interval,omitempty"`
	// ProjectsPerCollection bounds how many projects are asked in one collection; the longest unread come first.
	ProjectsPerCollection int `yaml:"projects_per_collection,omitempty"`
	// DeploymentHistory is how far back deployments and releases are read the first time.
	DeploymentHistory collectors.Duration `yaml:"deployment_history,omitempty"`
	// ReviewLabels are labels of merge requests by which the security function says that it looked at a change.
	ReviewLabels []string `yaml:"review_labels,omitempty"`
}

// Collector reads the groups of one instance. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	config Config
	env    collectors.Env
	api    *api
	logger *slog.Logger
	words  *translate.UnknownWords
}

// New checks the configuration; it reads neither the API nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	if config.URL == "" {
		config.URL = defaultURL
	}
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if err := config.Token.Validate(); err != nil {
		fail("token", "%v", err)
	}
	if u, err := url.Parse(config.URL); err != nil || u.Host == "" || strings.Contains(u.Path, "/api/") {
		fail("url", "must be the address of the instance, such as https://gitlab.example.com")
	}
	if len(config.Groups) == 0 {
		fail("groups", "is empty: name at least one group by its full path")
	}
	for i, group := range config.Groups {
		if group == "" || strings.Contains(group, "://") || strings.HasPrefix(group, "/") || strings.HasSuffix(group, "/") {
			fail(fmt.Sprintf("groups[%d]", i), "%q is not the full path of a group, such as acme or acme/platform", group)
		}
	}
	for key, patterns := range map[string][]string{"exclude": config.Exclude, "release_branches": config.ReleaseBranches} {
		for i, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
				fail(fmt.Sprintf("%s[%d]", key, i), "%q is not a glob pattern", pattern)
			}
		}
	}
	setDefaults(&config)
	if stale := config.StaleAfter.Std(); stale > 0 && config.PostureInterval.Std() >= stale {
		fail("posture_interval", "%s must be shorter than stale_after %s, or projects go stale between readings", config.PostureInterval, config.StaleAfter)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	client, err := env.Client(apiclient.Options{BaseURL: config.URL, Auth: apiclient.Bearer(config.Token)})
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	slices.Sort(config.Groups)
	config.Groups = slices.Compact(config.Groups)
	return &Collector{config: config, env: env, api: &api{client: client}, logger: env.Logger, words: translate.NewUnknownWords(env.Logger)}, nil
}

func setDefaults(config *Config) {
	if config.Interval <= 0 {
		config.Interval = collectors.Duration(defaultInterval)
	}
	if config.PostureInterval <= 0 {
		config.PostureInterval = collectors.Duration(defaultPostureInterval)
	}
	if config.DeploymentHistory <= 0 {
		config.DeploymentHistory = collectors.Duration(defaultHistory)
	}
	if config.ProjectsPerCollection <= 0 {
		config.ProjectsPerCollection = defaultPerCollection
	}
	if config.Vulnerabilities == nil {
		yes := true
		config.Vulnerabilities = &yes
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "projects, vulnerability findings, protection, deployments, releases and runners of GitLab groups",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(defaultInterval),
			FullInterval: collectors.Duration(24 * time.Hour),
			StaleAfter:   collectors.Duration(24 * time.Hour),
			Timeout:      collectors.Duration(30 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Forecast estimates the requests per hour. GitLab states its budget per minute and for all calls alike.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.api.perHour(c.config.Interval.Std(), 20*len(c.config.Groups))}
}

// now is the clock of the environment.
func (c *Collector) now() time.Time { return c.env.Now().UTC() }

// canceled is the error of a collection whose context has ended.
func canceled(ctx context.Context) error { return collectors.Canceled(ctx) }
