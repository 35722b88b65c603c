// Package dependencytrack reads OWASP Dependency-Track 4 and 5: vulnerable components of every active project with what was
// decided about them, policy violations, and how fresh each project's bill of materials is.
//
// Findings are read for the whole portfolio at once and emitted project by project: a project that is deleted, made inactive
// or hidden stops being spoken of, so that its findings are not taken for fixed.
package dependencytrack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels.
	kindName = "dependencytrack"
	// tool is the scanner's name in records.
	tool = "dependency-track"

	defaultPageSize = 100
	maxPageSize     = 1000
	defaultInterval = time.Hour
	defaultTag      = "repository:"
)

// Config is the section of one Dependency-Track server.
type Config struct {
	collectors.Common `yaml:",inline"`
	// URL is the base of the API server, without /api.
	URL string `yaml:"url"`
	// APIKey is the key of a team with the permissions in README.md.
	APIKey apiclient.Secret `yaml:"api_key"`
	// PageSize is the number of items to ask for at once; 100 if not set.
	PageSize int `yaml:"page_size,omitempty"`
	// RepositoryTag is the beginning of the project tag that names the repository; "repository:" if not set.
	RepositoryTag string `yaml:"repository_tag,omitempty"`
	// Projects say where projects belong; they come before tags and references.
	Projects []translate.Project `yaml:"projects,omitempty"`
	// WithoutViolations leaves policy violations out.
	WithoutViolations bool `yaml:"without_violations,omitempty"`
}

// Collector reads one server. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	config    Config
	env       collectors.Env
	source    *translate.Source
	projects  *translate.Projects
	strangers *translate.Strangers
}

// New checks the configuration; it reads neither the server nor the key.
func New(config Config, env collectors.Env) (*Collector, error) {
	switch {
	case config.URL == "":
		return nil, errors.New("dependencytrack: url is missing: set it to the API server, such as https://dtrack.example.com")
	case config.PageSize < 0 || config.PageSize > maxPageSize:
		return nil, fmt.Errorf("dependencytrack: page_size must be between 1 and %d", maxPageSize)
	}
	if err := config.APIKey.Validate(); err != nil {
		return nil, fmt.Errorf("dependencytrack: api_key: %w", err)
	}
	projects, err := translate.NewProjects(config.Projects)
	if err != nil {
		return nil, fmt.Errorf("dependencytrack: %w", err)
	}
	if config.PageSize == 0 {
		config.PageSize = defaultPageSize
	}
	if config.RepositoryTag == "" {
		config.RepositoryTag = defaultTag
	}
	config.URL = strings.TrimSuffix(strings.TrimRight(config.URL, "/"), "/api")
	client, err := env.Client(apiclient.Options{BaseURL: config.URL, Auth: apiclient.Header("X-Api-Key", config.APIKey)})
	if err != nil {
		return nil, fmt.Errorf("dependencytrack: url: %w", err)
	}
	return &Collector{
		config: config, env: env, source: translate.NewSource(client), projects: projects,
		strangers: translate.NewStrangers(env.Logger),
	}, nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "vulnerable components, policy violations and bill-of-materials freshness from OWASP Dependency-Track",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(defaultInterval),
			FullInterval: collectors.Duration(defaultInterval),
			StaleAfter:   collectors.Duration(24 * time.Hour),
			Timeout:      collectors.Duration(30 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads the list of projects and, for all of them, findings and violations. Cursors are not used: fixed findings
// vanish without a trace, so only a whole reading tells what is fixed. Without the list of projects no scope is known.
func (c *Collector) Collect(ctx context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
	defer c.source.Begin()()
	projects, err := c.readProjects(ctx)
	if err != nil {
		return fmt.Errorf("dependencytrack: read projects: %w", err)
	}
	if err := emit(record.Batch{Scope: "projects:portfolio", Mode: record.Full, Scans: scansOf(projects)}); err != nil {
		return fmt.Errorf("dependencytrack: emit projects: %w", err)
	}
	if err := c.collectFindings(ctx, projects, emit); err != nil {
		return err
	}
	if c.config.WithoutViolations {
		return translate.Canceled(ctx)
	}
	return c.emitAll(ctx, "violations:", projects, c.readViolations(ctx, projects), emit)
}

// collectFindings reads the portfolio at once or, on servers that cannot, project by project.
func (c *Collector) collectFindings(ctx context.Context, projects []*project, emit func(record.Batch) error) error {
	portfolio := c.readPortfolio(ctx, projects)
	if portfolio.err == nil || record.ReasonOf(portfolio.err) != record.ReasonNotFound || !c.predatesPortfolio(ctx) {
		return c.emitAll(ctx, "findings:", projects, portfolio, emit)
	}
	for _, p := range projects {
		single := c.readProject(ctx, p)
		if err := c.emitAll(ctx, "findings:", []*project{p}, single, emit); err != nil {
			return err
		}
	}
	return nil
}

// reading is what a chain of requests gave for several projects: all of it or an error.
type reading struct {
	piles map[string]*translate.Pile // by project
	// doubt says that an item was left out which may be any project's.
	doubt bool
	err   error
}

func newReading(projects []*project) reading {
	r := reading{piles: make(map[string]*translate.Pile, len(projects))}
	for _, p := range projects {
		r.piles[p.uuid()] = translate.NewPile()
	}
	return r
}

// emitAll emits one batch per project.
func (c *Collector) emitAll(ctx context.Context, kind string, projects []*project, r reading, emit func(record.Batch) error) error {
	if err := translate.Canceled(ctx); err != nil {
		return err
	}
	for _, p := range projects {
		b := translate.Failed(kind+p.uuid(), r.err)
		if r.err == nil {
			b = r.piles[p.uuid()].Batch(b.Scope)
			if len(b.Rejected) == 0 && !r.doubt {
				// What is absent is fixed only if everything that is there could be read.
				b.Absence = record.ClosureFixed
			}
		}
		if err := emit(b); err != nil {
			return fmt.Errorf("dependencytrack: emit %s: %w", b.Scope, err)
		}
	}
	return nil
}

// Forecast estimates the requests per hour; the server states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	interval := c.config.Interval.Std()
	if interval <= 0 {
		interval = defaultInterval
	}
	return map[string]float64{"": c.source.PerHour(interval, 20)}
}
