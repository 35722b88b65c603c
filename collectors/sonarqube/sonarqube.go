// Package sonarqube reads SonarQube Server and SonarQube Cloud: the security issues and security hotspots of every project's main
// branch, what was decided about them, and when each project was last analysed.
package sonarqube

import (
	"context"
	"fmt"
	"net/url"
	"slices"
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
	kindName = "sonarqube"
	tool     = "sonarqube"

	// overlap is how far a delta reaches back before the last change that was seen: the search index follows with a delay.
	overlap = 15 * time.Minute
	browse  = "Browse"

	// The kinds of scope that there is one of for each project.
	scopeIssues   = "issues"
	scopeHotspots = "hotspots"
)

// SecurityBy says which issues are about security.
type SecurityBy string

// The ways to tell.
const (
	// SecurityByImpact: issues with an impact on security, as from Server 10.2 and on Cloud.
	SecurityByImpact SecurityBy = "impact"
	// SecurityByType: issues of type VULNERABILITY, as on older servers and in standard experience mode.
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
	// SecurityBy chooses the issues; by the server's version if not set.
	SecurityBy SecurityBy `yaml:"security_by,omitempty"`
	// WithoutHotspots leaves security hotspots out.
	WithoutHotspots bool `yaml:"without_hotspots,omitempty"`
	// ALMBindings asks the server for the GitHub repository that a project is bound to, where no rule of Projects fits.
	ALMBindings bool `yaml:"alm_bindings,omitempty"`
	// Projects say where Sonar projects belong, by key.
	Projects []translate.Project `yaml:"projects,omitempty"`
}

// Collector reads one server or organisation. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config Config

	mu       sync.Mutex
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
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, Example: "https://sonarqube.example.com, or https://sonarcloud.io", Suffix: "/api",
		Key: "token", Credential: config.Token, Auth: apiclient.Bearer(config.Token),
		Requests: config.Requests, Pages: platform.Pages{Default: 500, Most: 500}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	return &Collector{Base: base, config: config, rules: map[string]string{}, bindings: map[string]translate.Owner{}}, nil
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

// Collect reads the list of projects and, for each, its issues (whole or since the cursor) and its hotspots. Without the list no
// scope is known.
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
	for _, key := range keys {
		cursor := cursors["issues:"+key]
		owner, ownerErr := c.ownerOf(ctx, key, cursor == "")
		p := project{key: key, owner: owner, by: by}
		readings := []func() record.Batch{func() record.Batch { return c.readIssues(ctx, p, cursor) }}
		if !c.config.WithoutHotspots {
			readings = append(readings, func() record.Batch { return c.readHotspots(ctx, p) })
		}
		for _, read := range readings {
			b := read()
			if b.Err == nil && ownerErr != nil {
				b = translate.Failed(b.Scope, fmt.Errorf("read the repository of project %s: %w", key, ownerErr))
			}
			if err := emit(b); err != nil {
				return err
			}
		}
	}
	if err := c.retire(ctx, keys, cursors, emit); err != nil {
		return err
	}
	return collectors.Canceled(ctx)
}

// retire ends the scopes of projects that were deleted, and of what is no longer read.
func (c *Collector) retire(ctx context.Context, keys []string, known collectors.Cursors, emit func(record.Batch) error) error {
	r := platform.Retirement{
		Known: known, Kinds: []string{scopeIssues, scopeHotspots}, Exists: func(key string) bool { return slices.Contains(keys, key) },
		Look: func(key string) (record.Closure, error) { return c.fateOf(ctx, key) },
	}
	if c.config.WithoutHotspots {
		r.Kinds, r.Unread = r.Kinds[:1], r.Kinds[1:]
	}
	return r.Emit(emit)
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

// project is a Sonar project while it is read.
type project struct {
	key   string
	owner translate.Owner
	by    SecurityBy
}

// Forecast estimates the requests per hour; the server states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 100)}
}
