// Package dependencytrack reads OWASP Dependency-Track 4 and 5: vulnerable components of every active project with what was
// decided about them, policy violations, and how fresh each project's bill of materials is.
//
// Findings are read for the whole portfolio at once and emitted project by project. A project that was deleted or made inactive is retired: what was found in it is out of
// scope, and not taken for fixed. One that is hidden from the credential is a scope that cannot be read.
//
// To read one more field of findings: finding.go, of projects: read.go; with a row in README.md and a case in its test.
package dependencytrack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels.
	kindName = "dependencytrack"
	// tool is the scanner's name in records.
	tool = "dependency-track"

	// The kinds of scope that there is one of for each project.
	scopeFindings   = "findings"
	scopeViolations = "violations"
)

// Config is the section of one Dependency-Track server.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the base of the API server, without /api.
	URL string `yaml:"url"`
	// APIKey is the key of a team with the permissions in README.md.
	APIKey apiclient.Secret `yaml:"api_key"`
	// RepositoryTag is the beginning of the project tag that names the repository, and ServiceTag of the one that names the service; "repository:" and "service:" if not set.
	RepositoryTag string `yaml:"repository_tag,omitempty"`
	ServiceTag    string `yaml:"service_tag,omitempty"`
	// OnlyLatest reads only the version that is marked as the latest, of projects that have one.
	OnlyLatest bool `yaml:"only_latest,omitempty"`
	// Projects say where projects belong; they come before tags and references.
	Projects []translate.Project `yaml:"projects,omitempty"`
	// WithoutViolations leaves policy violations out.
	WithoutViolations bool `yaml:"without_violations,omitempty"`
}

// Collector reads one server. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config Config
}

// New checks the configuration; it reads neither the server nor the key.
func New(config Config, env collectors.Env) (*Collector, error) {
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, Example: "https://dtrack.example.com", Suffix: "/api",
		Key: "api_key", Credential: config.APIKey, Auth: apiclient.Header("X-Api-Key", config.APIKey),
		Requests: config.Requests, Pages: platform.Pages{Default: 100, Most: 1000}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	config.RepositoryTag, config.ServiceTag = cmp.Or(config.RepositoryTag, "repository:"), cmp.Or(config.ServiceTag, "service:")
	return &Collector{Base: base, config: config}, nil
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(time.Hour), FullInterval: collectors.Duration(time.Hour),
		StaleAfter: collectors.Duration(24 * time.Hour), Timeout: collectors.Duration(30 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "vulnerable components, policy violations and bill-of-materials freshness from OWASP Dependency-Track",
		Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads the list of projects and, for all of them, findings and violations. Cursors are not used: fixed findings
// vanish without a trace, so only a whole reading tells what is fixed. Without the list of projects no scope is known.
func (c *Collector) Collect(ctx context.Context, known collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	projects, err := c.readProjects(ctx)
	if err != nil {
		return fmt.Errorf("dependencytrack: read projects: %w", err)
	}
	if err := emit(record.Batch{Scope: "projects:portfolio", Mode: record.Full, Scans: scansOf(projects)}); err != nil {
		return err
	}
	if err := c.collectFindings(ctx, projects, emit); err != nil {
		return err
	}
	if !c.config.WithoutViolations {
		if err := emitAll(scopeViolations+":", projects, c.readViolations(ctx, projects), emit); err != nil {
			return err
		}
	}
	if err := c.retire(ctx, projects, known, emit); err != nil {
		return err
	}
	return collectors.Canceled(ctx)
}

// collectFindings reads the portfolio at once or, on servers that cannot, project by project.
func (c *Collector) collectFindings(ctx context.Context, projects []*project, emit func(record.Batch) error) error {
	portfolio := c.readPortfolio(ctx, projects)
	moved := errors.Is(portfolio.err, platform.ErrMoved)
	if !moved && (record.ReasonOf(portfolio.err) != record.ReasonNotFound || !c.predatesPortfolio(ctx)) {
		return emitAll(scopeFindings+":", projects, portfolio, emit)
	}
	for i, p := range projects {
		single := c.readProject(ctx, p)
		if moved && record.ReasonOf(single.err) == record.ReasonNotFound {
			return emitAll(scopeFindings+":", projects[i:], portfolio, emit) // the server has no call for one project
		}
		if err := emitAll(scopeFindings+":", []*project{p}, single, emit); err != nil {
			return err
		}
	}
	return nil
}

// retire ends the scopes of projects that are deleted or inactive, and of what is no longer read.
func (c *Collector) retire(ctx context.Context, projects []*project, known collectors.Cursors, emit func(record.Batch) error) error {
	byID := index(projects)
	r := platform.Retirement{
		Known: known, Kinds: []string{scopeFindings, scopeViolations}, Exists: func(key string) bool { return byID[key] != nil },
		Look: func(key string) (record.Closure, error) { return c.fateOf(ctx, key) },
	}
	if c.config.WithoutViolations {
		r.Kinds, r.Unread = r.Kinds[:1], r.Kinds[1:]
	}
	return r.Emit(emit)
}

// fateOf is what became of a project that is not listed.
func (c *Collector) fateOf(ctx context.Context, uuid string) (record.Closure, error) {
	var p struct {
		Active *bool `json:"active"`
		Latest bool  `json:"isLatest"`
	}
	_, err := c.Source.Get(ctx, projectsPath+"/"+url.PathEscape(uuid), nil, &p)
	deleted := record.ReasonOf(err) == record.ReasonNotFound
	if err != nil && !deleted {
		return record.ClosureNone, fmt.Errorf("look for project %s, which the list lacks: %w", uuid, translate.Needs(err, viewPortfolio))
	}
	if deleted || p.Active != nil && !*p.Active || c.config.OnlyLatest && !p.Latest {
		return record.ClosureOutOfScope, nil
	}
	return record.ClosureNone, platform.ErrStillThere
}

// reading is what a chain of requests gave for several projects: all of it or an error.
type reading struct {
	findings map[string]*translate.FindingSet // by project
	// doubt says that an item was left out which may be any project's.
	doubt bool
	err   error
}

func newReading(projects []*project) reading {
	r := reading{findings: make(map[string]*translate.FindingSet, len(projects))}
	for _, p := range projects {
		r.findings[p.uuid()] = translate.NewFindingSet()
	}
	return r
}

// emitAll emits one batch per project.
func emitAll(kind string, projects []*project, r reading, emit func(record.Batch) error) error {
	for _, p := range projects {
		b := translate.Failed(kind+p.uuid(), r.err)
		if r.err == nil {
			b = r.findings[p.uuid()].Batch(b.Scope)
			if len(b.Rejected) == 0 && !r.doubt {
				// What is absent is fixed only if everything that is there could be read.
				b.Absence = record.ClosureFixed
			}
		}
		if err := emit(b); err != nil {
			return err
		}
	}
	return nil
}

// Forecast estimates the requests per hour; the server states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 20)}
}
