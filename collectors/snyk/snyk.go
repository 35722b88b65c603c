// Package snyk reads Snyk's REST API: the issues of an organisation's projects, the ignores with their expiry, and when each
// project was last tested.
//
// To read one more field of issues: issue.go, of projects: project.go. To read another list of an organisation: a file like ignore.go with a scope of its own. README.md has the rows of both.
package snyk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels; tool is the scanner's name in records.
	kindName = "snyk"
	tool     = "snyk"

	defaultURL        = "https://api.snyk.io"
	defaultServiceTag = "service"
	// apiVersion is the version of the REST API that the translation is written for.
	apiVersion = "2024-10-15"

	// The kinds of scope.
	scopeOrganizations = "organizations"
	scopeProjects      = "projects"
	scopeIgnores       = "ignores"
	scopeIssues        = "issues"
	// overlap is how far a delta reaches back before the last change that was seen: changes become visible late.
	overlap = 15 * time.Minute
)

// Config is the section of one Snyk tenant. At least one organisation or group is named.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the base of the API of the tenant's region; https://api.snyk.io if not set.
	URL string `yaml:"url,omitempty"`
	// Token is the API key of a service account.
	Token apiclient.Secret `yaml:"token"`
	// Organizations are ids of organisations, Groups ids of groups whose organisations are all read.
	Organizations []string `yaml:"organizations,omitempty"`
	Groups        []string `yaml:"groups,omitempty"`
	// Hosts gives the host of a project's origin where Snyk's target has no address, e.g. github-enterprise: git.example.com.
	Hosts map[string]string `yaml:"hosts,omitempty"`
	// Projects say where Snyk projects belong, by name; they come before everything else.
	Projects []translate.Project `yaml:"projects,omitempty"`
	// ServiceTag is the key of the project tag whose value names the service; "service" if not set.
	ServiceTag string `yaml:"service_tag,omitempty"`
	// ProjectFilter chooses the projects that are read; all if empty.
	ProjectFilter ProjectFilter `yaml:"project_filter,omitempty"`
	// WithoutLicenses leaves licence issues out.
	WithoutLicenses bool `yaml:"without_licenses,omitempty"`
}

// ProjectFilter chooses projects: those with one of the values of each list that is set.
type ProjectFilter struct {
	// Statuses are active and inactive.
	Statuses []string `yaml:"statuses,omitempty"`
	// Tags are "key:value", or "key" for any value.
	Tags []string `yaml:"tags,omitempty"`
	// Environments and Lifecycles are attributes of projects in Snyk's words, e.g. backend, production.
	Environments []string `yaml:"environments,omitempty"`
	Lifecycles   []string `yaml:"lifecycles,omitempty"`
}

// Collector reads one tenant. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config    Config
	announced sync.Map // what was logged about the end of API versions

	mu sync.Mutex
	// ignores are those of projects as they were read last, by "organisation/project"; policies by organisation.
	ignores  map[string]projectIgnores
	policies map[string]map[string]ignore
	// unread names, by organisation, the projects whose issues did not count as open when issues were read last.
	unread map[string]string
}

// New checks the configuration; it reads neither the API nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	if len(config.Organizations)+len(config.Groups) == 0 {
		return nil, errors.New("snyk: name at least one id under organizations or groups")
	}
	if slices.Contains(config.Organizations, "") || slices.Contains(config.Groups, "") {
		return nil, errors.New("snyk: an id under organizations or groups is empty")
	}
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, DefaultURL: defaultURL, Example: "https://api.eu.snyk.io", Suffix: "/rest",
		Key: "token", Credential: config.Token, Auth: apiclient.Token(config.Token, "token"), MediaType: "application/vnd.api+json",
		Requests: config.Requests, Pages: platform.Pages{Default: 100, Most: 100, Step: 10}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	if config.ServiceTag == "" {
		config.ServiceTag = defaultServiceTag
	}
	return &Collector{
		Base: base, config: config, ignores: map[string]projectIgnores{}, policies: map[string]map[string]ignore{}, unread: map[string]string{},
	}, nil
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(30 * time.Minute), FullInterval: collectors.Duration(24 * time.Hour),
		StaleAfter: collectors.Duration(24 * time.Hour), Timeout: collectors.Duration(25 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "issues, ignores and test dates from Snyk", Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads every organisation: its projects, its ignores and, whole or since the cursor, its issues.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	organizations, complete, err := c.organizations(ctx, emit)
	if err != nil {
		return err
	}
	for _, org := range organizations {
		if err := c.collectOrganization(ctx, org, cursors, emit); err != nil {
			return err
		}
	}
	if complete {
		if err := c.retire(organizations, cursors, emit); err != nil {
			return err
		}
	}
	return collectors.Canceled(ctx)
}

// organizations are those of the configuration and of its groups, each once and in order, and whether these are all. A group that cannot be listed is a
// scope that failed; it is an error if nothing else is left to read.
func (c *Collector) organizations(ctx context.Context, emit func(record.Batch) error) (ids []string, complete bool, err error) {
	ids = slices.Clone(c.config.Organizations)
	var failure error
	for _, group := range c.config.Groups {
		found, err := c.groupOrganizations(ctx, group)
		b := record.Batch{Scope: scopeOrganizations + ":" + group, Mode: record.Full}
		if err != nil {
			failure = fmt.Errorf("snyk: list the organisations of group %s: %w", group, err)
			b = translate.Failed(b.Scope, failure)
		}
		if err := emit(b); err != nil {
			return nil, false, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil, false, failure
	}
	return ids, failure == nil, nil
}

// retire ends the scopes of organisations that left their group or the configuration.
func (c *Collector) retire(organizations []string, known collectors.Cursors, emit func(record.Batch) error) error {
	r := platform.Retirement{
		Known: known, Kinds: []string{scopeProjects, scopeIgnores, scopeIssues},
		Exists: func(key string) bool {
			org, _, _ := strings.Cut(key, "/")
			return slices.Contains(organizations, org)
		},
		Look: func(string) (record.Closure, error) { return record.ClosureOutOfScope, nil },
	}
	if err := r.Emit(emit); err != nil {
		return err
	}
	r.Kinds, r.Exists = []string{scopeOrganizations}, func(key string) bool { return slices.Contains(c.config.Groups, key) }
	return r.Emit(emit)
}

// collectOrganization emits the scopes of one organisation. Without its projects nothing can be attributed. Without the list of what is ignored, an ignored issue
// cannot be told from a dismissed one, so that what fails there fails the issues, too, unless the token may not read it at all.
func (c *Collector) collectOrganization(ctx context.Context, org string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	projects, err := c.readProjects(ctx, org)
	if err != nil {
		return emitFailed(org, fmt.Errorf("read the projects of organisation %s: %w", org, err), cursors, []string{scopeProjects, scopeIgnores, scopeIssues}, emit)
	}
	if err := emit(record.Batch{Scope: scopeProjects + ":" + org, Mode: record.Full, Scans: projects.scans()}); err != nil {
		return err
	}
	ignores, err := c.readIgnores(ctx, org)
	switch {
	case err == nil:
		err = c.emitIgnores(org, ignores, cursors, emit)
	case forbidden(err):
		err = emitFailed(org, fmt.Errorf("read the ignored issues of organisation %s: %w", org, err), cursors, []string{scopeIgnores}, emit)
	default:
		return emitFailed(org, fmt.Errorf("read the ignored issues of organisation %s: %w", org, err), cursors, []string{scopeIgnores, scopeIssues}, emit)
	}
	if err != nil {
		return err
	}
	return emit(c.readIssues(ctx, org, c.cursorFor(org, projects, cursors), &translation{projects: projects, ignores: ignores}))
}

// emitFailed emits the failure of kinds of scope of an organisation.
func emitFailed(org string, err error, known collectors.Cursors, kinds []string, emit func(record.Batch) error) error {
	for _, kind := range kinds {
		scopes := []string{kind + ":" + org}
		if kind == scopeIgnores {
			scopes = append(scopes, known.Gone(kind, func(scope string) bool { return !strings.HasPrefix(scope, kind+":"+org+"/") })...)
		}
		for _, scope := range scopes {
			if err := emit(translate.Failed(scope, err)); err != nil {
				return err
			}
		}
	}
	return nil
}

// emitIgnores emits the exceptions of an organisation, and ends the scopes of projects that ignore nothing any more.
func (c *Collector) emitIgnores(org string, list *ignoreList, known collectors.Cursors, emit func(record.Batch) error) error {
	for _, b := range list.batches(org) {
		if err := emit(b); err != nil {
			return err
		}
	}
	return platform.Retirement{
		Known: known, Kinds: []string{scopeIgnores}, Look: func(string) (record.Closure, error) { return record.ClosureNone, nil },
		Exists: func(key string) bool {
			of, project, single := strings.Cut(key, "/")
			return !single || of != org || list.ignored[project] != nil
		},
	}.Emit(emit)
}

// cursorFor is the cursor of an organisation's issues. Where a project was left out, deactivated or activated since they were read last, there is none: its issues did
// not change and no delta has them.
func (c *Collector) cursorFor(org string, projects projectList, cursors collectors.Cursors) record.Cursor {
	var unread []string
	for id, p := range projects {
		if p.leftOut || p.active == record.AnswerNo {
			unread = append(unread, id)
		}
	}
	slices.Sort(unread)
	now := strings.Join(unread, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.unread[org]
	c.unread[org] = now
	if known && last != now {
		return ""
	}
	return cursors[scopeIssues+":"+org]
}

// forbidden reports whether an error will be the same tomorrow: the token may not read this, or the call is not there.
func forbidden(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonPermission, record.ReasonNotFound, record.ReasonFeatureOff:
		return true
	default:
		return false
	}
}

// Forecast estimates the requests per hour; Snyk states no budget in its answers, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 10*(len(c.config.Organizations)+10*len(c.config.Groups)))}
}
