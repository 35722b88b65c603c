// Package sonarqube reads SonarQube Server and SonarQube Cloud: the security issues and security hotspots of every project's main
// branch, what was decided about them, and when each project was last analysed.
//
// To read one more field of issues: issue.go. To read another list of a project: a file like dependency.go with a scope of its own, and its call in sweep.project. README.md has the rows of both.
package sonarqube

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels; tool is the scanner's name in records.
	kindName = "sonarqube"
	tool     = "sonarqube"

	// overlap is how far a delta reaches back before the last change that was seen: the search index follows with a delay.
	overlap = 15 * time.Minute
	browse  = "Browse"

	// The kinds of scope that there is one of for each project.
	scopeIssues   = "issues"
	scopeHotspots = "hotspots"
	// scopeDependencies there is only where the server knows dependency risks.
	scopeDependencies = "dependencies"
)

// SecurityBy says which issues are about security.
type SecurityBy string

// The ways to tell.
const (
	// SecurityByImpact: issues with an impact on security, as from Server 10.2 and on Cloud.
	SecurityByImpact SecurityBy = "impact"
	// SecurityByType: issues of type VULNERABILITY with their own severities, as on older servers and in standard experience mode.
	SecurityByType SecurityBy = "type"
)

// Config is the section of one server or organisation.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the base of the server; https://sonarcloud.io for Cloud.
	URL string `yaml:"url"`
	// Token is a user token, sent as bearer token.
	Token apiclient.Secret `yaml:"token"`
	// Organization is the key of the organisation, on Cloud only.
	Organization string `yaml:"organization,omitempty"`
	// SecurityBy chooses the issues and their severities; by the instance's mode, or the server's version, if not set.
	SecurityBy SecurityBy `yaml:"security_by,omitempty"`
	// WithoutHotspots leaves security hotspots out.
	WithoutHotspots bool `yaml:"without_hotspots,omitempty"`
	// WithoutDependencyRisks leaves dependency risks out.
	WithoutDependencyRisks bool `yaml:"without_dependency_risks,omitempty"`
	// ALMBindings asks the server for the repository that a project is bound to, where no rule of Projects fits.
	ALMBindings bool `yaml:"alm_bindings,omitempty"`
	// Applications lets the name of an application name the service of its projects, where no rule of Projects fits.
	Applications bool `yaml:"applications,omitempty"`
	// Branches are patterns of branches that are read besides the main one, e.g. "release/*".
	Branches []string `yaml:"branches,omitempty"`
	// Projects say where Sonar projects belong, by key.
	Projects []translate.Project `yaml:"projects,omitempty"`
}

// Collector reads one server or organisation. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config Config
	signIn *signIn
	// renamed: the server is new enough for the present names of parameters.
	renamed atomic.Bool

	mu       sync.Mutex
	services map[string]string          // by project, from applications
	rules    map[string]string          // CWE by rule
	bindings map[string]translate.Owner // by project
}

// New checks the configuration; it reads neither the server nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	switch config.SecurityBy {
	case "", SecurityByImpact, SecurityByType:
	default:
		return nil, fmt.Errorf("sonarqube: security_by: %q is neither impact nor type", config.SecurityBy)
	}
	for _, pattern := range config.Branches {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return nil, fmt.Errorf("sonarqube: branches: %q is not a pattern such as release/*", pattern)
		}
	}
	in := newSignIn(config.Token)
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, Example: "https://sonarqube.example.com, or https://sonarcloud.io", Suffix: "/api",
		Key: "token", Credential: config.Token, Auth: in,
		Requests: config.Requests, Pages: platform.Pages{Default: 500, Most: 500}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	return &Collector{Base: base, config: config, signIn: in, rules: map[string]string{}, bindings: map[string]translate.Owner{}}, nil
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(time.Hour), FullInterval: collectors.Duration(24 * time.Hour),
		StaleAfter: collectors.Duration(24 * time.Hour), Timeout: collectors.Duration(45 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "security issues, security hotspots and analysis dates from SonarQube Server and Cloud",
		Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads the list of projects and, for each, its issues (whole or since the cursor), its hotspots and its dependency risks, on its main branch and on those that are
// configured. Without the list no scope is known.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	by, err := c.securityBy(ctx)
	if err != nil {
		return fmt.Errorf("sonarqube: read the server's version: %w", err)
	}
	keys, err := c.projectKeys(ctx)
	if err != nil {
		return fmt.Errorf("sonarqube: list projects: %w", err)
	}
	if err := c.readApplications(ctx); err != nil {
		return fmt.Errorf("sonarqube: %w", err)
	}
	dependencies := c.hasDependencies(ctx, keys)
	s := &sweep{c: c, by: by, dependencies: dependencies, cursors: cursors, emit: emit, exists: map[string]bool{}, unlisted: map[string]bool{}}
	for _, key := range keys {
		if err := s.project(ctx, key); err != nil {
			return err
		}
	}
	if !dependencies && !c.config.WithoutDependencyRisks && len(keys) > 0 {
		if err := c.withoutDependencies(cursors, emit); err != nil {
			return err
		}
	}
	if err := s.retire(ctx); err != nil {
		return err
	}
	return collectors.Canceled(ctx)
}

// sweep is one collection.
type sweep struct {
	c            *Collector
	by           SecurityBy
	dependencies bool
	cursors      collectors.Cursors
	emit         func(record.Batch) error
	// exists are the keys of scopes that there are; unlisted the projects whose branches are not known.
	exists, unlisted map[string]bool
}

// project reads a project and its branches.
func (s *sweep) project(ctx context.Context, key string) error {
	c := s.c
	main := project{key: key, by: s.by}
	cursor := s.cursors[main.scope(scopeIssues)]
	owner, ownerErr := c.ownerOf(ctx, key, cursor == "")
	names, err := c.branches(ctx, key)
	if err != nil {
		s.unlisted[key] = true
		for _, kind := range []string{scopeIssues, scopeHotspots, scopeDependencies} {
			for _, scope := range s.cursors.Gone(kind, func(scope string) bool { return !strings.HasPrefix(scope, kind+":"+key+branchMark) }) {
				if err := s.emit(translate.Failed(scope, err)); err != nil {
					return err
				}
			}
		}
	}
	for _, name := range append([]string{""}, names...) {
		p := project{key: key, branch: name, owner: owner, by: s.by}
		s.exists[strings.TrimPrefix(p.scope(""), ":")] = true
		readings := []func() record.Batch{func() record.Batch { return c.readIssues(ctx, p, s.cursors[p.scope(scopeIssues)]) }}
		if !c.config.WithoutHotspots {
			readings = append(readings, func() record.Batch { return c.readHotspots(ctx, p) })
		}
		if s.dependencies {
			readings = append(readings, func() record.Batch { return c.readDependencies(ctx, p) })
		}
		for _, read := range readings {
			b := read()
			if b.Err == nil && ownerErr != nil {
				b = translate.Failed(b.Scope, fmt.Errorf("read the repository of project %s: %w", key, ownerErr))
			}
			if err := s.emit(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// retire ends the scopes of projects and branches that were deleted, and of what is no longer read.
func (s *sweep) retire(ctx context.Context) error {
	r := platform.Retirement{
		Known: s.cursors, Kinds: []string{scopeIssues}, Exists: func(key string) bool {
			of, _, branch := strings.Cut(key, branchMark)
			return s.exists[key] || branch && s.unlisted[of]
		},
		Look: func(key string) (record.Closure, error) {
			if of, _, branch := strings.Cut(key, branchMark); branch && s.exists[of] {
				return record.ClosureOutOfScope, nil // a branch that is gone, of a project that is there
			} else if branch {
				return s.c.fateOf(ctx, of)
			}
			return s.c.fateOf(ctx, key)
		},
	}
	for kind, without := range map[string]bool{scopeHotspots: s.c.config.WithoutHotspots, scopeDependencies: s.c.config.WithoutDependencyRisks} {
		switch {
		case without:
			r.Unread = append(r.Unread, kind)
		case kind == scopeHotspots || s.dependencies || len(s.exists) == 0:
			r.Kinds = append(r.Kinds, kind)
		}
	}
	slices.Sort(r.Kinds)
	slices.Sort(r.Unread)
	return r.Emit(s.emit)
}

// fateOf is what became of a project that is not listed: the list is a search index, which may lack what is there, and one that the token may not browse is
// left out of it.
func (c *Collector) fateOf(ctx context.Context, key string) (record.Closure, error) {
	_, err := c.Source.Get(ctx, "api/components/show", url.Values{"component": {key}}, nil)
	switch {
	case err == nil:
		return record.ClosureNone, platform.ErrStillThere
	case record.ReasonOf(err) == record.ReasonNotFound:
		return record.ClosureOutOfScope, nil
	default:
		return record.ClosureNone, fmt.Errorf("look for project %s, which the list lacks: %w", key, translate.Needs(err, browse))
	}
}

// Forecast estimates the requests per hour; the server states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 100)}
}
