// Package defectdojo reads findings, risk acceptances and the dates of scans from DefectDojo's API v2.
//
// Each product is a scope of its own, so that one that cannot be read does not stop the others. Between full sweeps a single list of what
// changed lately serves all products.
//
// To read one more field of findings: finding.go. To read one more list: a file like scan.go with a scope of its own, and its call in Collect. README.md has the rows of both.
package defectdojo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
)

const (
	kindName = "defectdojo"
	// acceptanceScope holds the risk acceptances of all products.
	acceptanceScope = "acceptances:all"
	// testScope holds when repositories were scanned, of all products.
	testScope    = "tests:all"
	scopeProduct = "product"
	// testsEvery is how often tests are read besides full sweeps.
	testsEvery = 6 * time.Hour
	// overlap allows for clocks that differ and for changes that were under way during the last poll.
	overlap = time.Hour
)

// Config is the section of one DefectDojo.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is where people open DefectDojo, e.g. https://defectdojo.example.com.
	URL string `yaml:"url"`
	// Token is an API v2 key.
	Token apiclient.Secret `yaml:"token"`
	// Select says which findings are read; all that the user may see if it is empty.
	Select Selection `yaml:"select,omitempty"`
	// Products says which service and repository a product stands for, by the product's name; it comes before what the following say.
	Products map[string]ProductConfig `yaml:"products,omitempty"`
	// ServiceFrom says what names the service of a finding: the first of these that names one. The product if not set.
	ServiceFrom []ServiceSource `yaml:"service_from,omitempty"`
	// ServiceTag and RepositoryTag begin the tags of findings and products that name the service and the repository; "service:" and "repository:" if not set.
	ServiceTag    string `yaml:"service_tag,omitempty"`
	RepositoryTag string `yaml:"repository_tag,omitempty"`
	// WithoutScans leaves out when repositories were scanned, e.g. because another source says so.
	WithoutScans bool `yaml:"without_scans,omitempty"`
}

// ProductConfig says what a product stands for.
type ProductConfig struct {
	Service    string `yaml:"service,omitempty"`
	Repository string `yaml:"repository,omitempty"`
}

// Collector reads one DefectDojo. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config   Config
	products map[string]target
	cost     *cost

	// swept says when products, by number, were last read whole.
	swept map[int64]time.Time
	// undated is how many findings without a date of change there were in the last collection of changes.
	undated int
	// unselected are the keys of the scopes of products that the configuration does not select.
	unselected map[string]bool
}

// target is what a product stands for.
type target struct {
	service    string
	repository record.RepositoryName
}

// New checks the configuration; it sends nothing.
func New(config Config, env collectors.Env) (*Collector, error) {
	counted := &cost{Observer: env.Observer}
	env.Observer = counted
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, Example: "https://defectdojo.example.com", Suffix: "/api/v2",
		Key: "token", Credential: config.Token, Auth: apiclient.Token(config.Token, "Token"), CacheBytes: -1,
		Requests: config.Requests, Pages: platform.Pages{Default: 100, Most: 1000},
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	if err := config.settle(); err != nil {
		return nil, fmt.Errorf("defectdojo: %w", err)
	}
	c := &Collector{Base: base, config: config, products: map[string]target{}, swept: map[int64]time.Time{}, cost: counted}
	for name, p := range config.Products {
		t := target{service: record.Text(p.Service)}
		if p.Repository != "" {
			if t.repository, err = record.ParseRepository(p.Repository); err != nil {
				return nil, fmt.Errorf("defectdojo: products: %s: repository: %w", name, err)
			}
		}
		c.products[folded(name)] = t
	}
	return c, nil
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(10 * time.Minute), FullInterval: collectors.Duration(12 * time.Hour),
		StaleAfter: collectors.Duration(48 * time.Hour), Timeout: collectors.Duration(30 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "findings, risk acceptances and scan dates from DefectDojo", Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads the risk acceptances and each product: those with a cursor from one list of late changes, the others whole.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	started := c.Env.Now()
	defer c.cost.begin(cursors.Sweep())()
	send := collectors.Emitter(ctx, kindName, emit)
	accepted, ran := c.acceptances(ctx, started)
	if err := send(accepted); err != nil {
		return err
	}
	products, err := c.listProducts(ctx)
	if err != nil {
		return fmt.Errorf("defectdojo: list products: %w", err)
	}
	if at, ok := cursors[testScope].Time(); !c.config.WithoutScans && (!ok || started.Sub(at) >= testsEvery) {
		if err := send(c.tests(ctx, products, started)); err != nil {
			return err
		}
	}
	var known []product
	since := started
	for _, p := range products {
		at, ok := cursors[p.scope].Time()
		if ok { // a product without a cursor, or with one that nobody understands, is read whole
			known = append(known, p)
			since = record.Earliest(since, at)
			continue
		}
		if err := c.sendWhole(ctx, p, ran, started, send); err != nil {
			return err
		}
	}
	if len(known) > 0 {
		batches, err := c.changes(ctx, known, ran, since.Add(-overlap), started)
		if errors.Is(err, platform.ErrMoved) {
			for _, p := range known { // many changes at one instant, in another order on each page
				if err := c.sendWhole(ctx, p, ran, started, send); err != nil {
					return err
				}
			}
		}
		for _, b := range batches {
			if err := send(b); err != nil {
				return err
			}
		}
	}
	return c.retire(products, cursors, send)
}

func (c *Collector) sendWhole(ctx context.Context, p product, ran lapsed, started time.Time, send func(record.Batch) error) error {
	if err := send(c.whole(ctx, p, ran, started)); err != nil {
		return err
	}
	c.swept[p.ID] = started
	return nil
}

// retire ends the scopes of products that are gone. DefectDojo does not tell a product that was deleted from one that the user may not see any more, so that what was found in it is
// closed as vanished; one that the configuration does not select is out of scope. Where no product at all is left, it is the user who sees nothing.
func (c *Collector) retire(products []product, known collectors.Cursors, emit func(record.Batch) error) error {
	exists := map[string]bool{}
	visible := false
	for _, p := range products {
		exists[strings.TrimPrefix(p.scope, scopeProduct+":")] = true
		visible = true
	}
	r := platform.Retirement{
		Known: known, Kinds: []string{scopeProduct}, Exists: func(key string) bool { return exists[key] },
		Look: func(key string) (record.Closure, error) {
			switch {
			case c.unselected[key]:
				return record.ClosureOutOfScope, nil
			case !visible && len(c.unselected) == 0:
				return record.ClosureNone, &record.Error{Reason: record.ReasonPermission, Permission: roleReader, Err: fmt.Errorf("the user sees no product any more")}
			default:
				return record.ClosureVanished, nil
			}
		},
	}
	if c.config.WithoutScans {
		r.Unread = []string{"tests"}
	}
	return r.Emit(emit)
}

// Forecast is what the last collection of changes and the last full sweep took, spread over their intervals; before the first, three requests for the
// acceptances, the products and the changes.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.cost.perHour(c.config.Interval.Std(), c.config.FullInterval.Std())}
}
