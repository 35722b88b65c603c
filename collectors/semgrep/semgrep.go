// Package semgrep reads Semgrep AppSec Platform: Code, Supply Chain and Secrets findings with what was decided about them, and
// when each project was last scanned.
//
// To read one more field of findings: finding.go. To read another list of a deployment: a function in read.go and its line in scopes. README.md has the rows of both.
package semgrep

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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
	kindName = "semgrep"
	tool     = "semgrep"

	defaultURL    = "https://semgrep.dev"
	scopeProjects = "projects"
	// webAPI is the permission of a token, in Semgrep's words.
	webAPI = "Web API"
)

// Config is the section of one Semgrep account.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the base of the platform; https://semgrep.dev if not set.
	URL string `yaml:"url,omitempty"`
	// Token is an API token with the scope Web API.
	Token apiclient.Secret `yaml:"token"`
	// Deployments are the slugs to read; all that the token sees if none is named.
	Deployments []string `yaml:"deployments,omitempty"`
	// Products are read: sast, sca, secrets; all if none is named.
	Products []Product `yaml:"products,omitempty"`
	// Ref is the branch to read; the platform's own choice after de-duplication if not set.
	Ref string `yaml:"ref,omitempty"`
	// Projects say where Semgrep projects belong whose name is not their repository's.
	Projects []translate.Project `yaml:"projects,omitempty"`
}

// Product is a part of the platform.
type Product string

// The products.
const (
	ProductSAST    Product = "sast"
	ProductSCA     Product = "sca"
	ProductSecrets Product = "secrets"
)

func products() []Product { return []Product{ProductSAST, ProductSCA, ProductSecrets} }

// Collector reads one account. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config Config

	mu sync.Mutex
	// deployment is the slug of the one that is read, and archived the names of its archived projects, as they were listed last.
	deployment string
	archived   map[projectName]bool
}

// projectName is a project of a deployment.
type projectName struct{ deployment, name string }

// New checks the configuration; it reads neither the platform nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	for _, p := range config.Products {
		if !slices.Contains(products(), p) {
			return nil, fmt.Errorf("semgrep: products: %q is none of %v", p, products())
		}
	}
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, DefaultURL: defaultURL, Example: defaultURL, Suffix: "/api",
		Key: "token", Credential: config.Token, Auth: apiclient.Bearer(config.Token),
		Requests: config.Requests, Pages: platform.Pages{Default: 100, Most: 3000}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	if len(config.Products) == 0 {
		config.Products = products()
	}
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
		Name: kindName, Summary: "Code, Supply Chain and Secrets findings from Semgrep AppSec Platform",
		Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// deployment is an organisation of the platform.
type deployment struct {
	Slug string       `json:"slug"`
	ID   translate.ID `json:"id"`
}

// Collect reads every product of every deployment whole. Cursors are not used: the API can filter by the date of creation, but
// not by that of a change. Without the list of deployments no scope is known.
func (c *Collector) Collect(ctx context.Context, known collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	deployments, err := c.deployments(ctx)
	if err != nil {
		return fmt.Errorf("semgrep: list deployments: %w", err)
	}
	for _, d := range deployments {
		c.mu.Lock()
		c.deployment = d.Slug
		c.mu.Unlock()
		for _, read := range c.scopes(d) {
			if err := emit(read(ctx)); err != nil {
				return err
			}
		}
	}
	return c.retire(deployments, known, emit)
}

// retire ends the scopes of deployments that are not read any more, and of products. Why the token sees a deployment no more the platform does not say.
func (c *Collector) retire(deployments []deployment, known collectors.Cursors, emit func(record.Batch) error) error {
	reason := record.ClosureVanished
	if len(c.config.Deployments) > 0 {
		reason = record.ClosureOutOfScope // the configuration names it no more
	}
	r := platform.Retirement{
		Known: known, Kinds: []string{scopeProjects}, Look: func(string) (record.Closure, error) { return reason, nil },
		Exists: func(slug string) bool {
			return slices.ContainsFunc(deployments, func(d deployment) bool { return d.Slug == slug })
		},
	}
	for _, p := range products() {
		if slices.Contains(c.config.Products, p) {
			r.Kinds = append(r.Kinds, string(p))
		} else {
			r.Unread = append(r.Unread, string(p))
		}
	}
	return r.Emit(emit)
}

// scopes are the readings of one deployment.
func (c *Collector) scopes(d deployment) []func(context.Context) record.Batch {
	readings := []func(context.Context) record.Batch{
		func(ctx context.Context) record.Batch { return c.readProjects(ctx, d) },
	}
	for _, p := range c.config.Products {
		readings = append(readings, func(ctx context.Context) record.Batch {
			if p == ProductSecrets {
				return c.readSecrets(ctx, d)
			}
			return c.readFindings(ctx, d, p)
		})
	}
	return readings
}

// deployments are those of the configuration, or all, ordered by slug. One that is configured and not seen has no id.
func (c *Collector) deployments(ctx context.Context) ([]deployment, error) {
	var list struct {
		Deployments []deployment `json:"deployments"`
	}
	if _, err := c.Source.Get(ctx, "api/v1/deployments", nil, &list); err != nil {
		return nil, translate.Needs(err, webAPI)
	}
	seen := list.Deployments
	if len(c.config.Deployments) > 0 {
		seen = nil
		for _, slug := range c.config.Deployments {
			d := deployment{Slug: slug}
			if at := slices.IndexFunc(list.Deployments, func(l deployment) bool { return l.Slug == slug }); at >= 0 {
				d = list.Deployments[at]
			}
			seen = append(seen, d)
		}
	}
	if len(seen) == 0 {
		return nil, &record.Error{Reason: record.ReasonNotFound, Err: errors.New("the token sees no deployment: see whether it belongs to a Team or Enterprise account")}
	}
	slices.SortFunc(seen, func(a, b deployment) int { return strings.Compare(a.Slug, b.Slug) })
	return seen, nil
}

// path is the address of a list of a deployment by its slug.
func (d deployment) path(list string) string {
	return "api/v1/deployments/" + url.PathEscape(d.Slug) + "/" + list
}

// Check asks for the deployments and one item of each list.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	deployments, err := c.deployments(ctx)
	results := []collectors.CheckResult{{Subject: "deployments", Err: err, Unknown: "everything Semgrep knows"}}
	one := url.Values{"page": {"0"}, "page_size": {"1"}}
	for _, d := range deployments {
		for _, p := range c.config.Products {
			path, query := d.path("findings"), url.Values{"page": {"0"}, "page_size": {"1"}, "issue_type": {string(p)}}
			if p == ProductSecrets {
				path, query = d.secretsPath(), url.Values{"limit": {"1"}}
			}
			_, err := c.Source.Get(ctx, path, query, nil)
			results = append(results, collectors.CheckResult{
				Subject: "deployment " + d.Slug + ": " + string(p), Err: translate.Needs(err, webAPI), Unknown: "Semgrep's findings of " + string(p),
			})
		}
		_, err := c.Source.Get(ctx, d.path("projects"), one, nil)
		results = append(results, collectors.CheckResult{
			Subject: "deployment " + d.Slug + ": projects", Err: translate.Needs(err, webAPI), Unknown: "when Semgrep last scanned a repository",
		})
	}
	return results, ctx.Err()
}

// Forecast estimates the requests per hour; the platform states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 20)}
}
