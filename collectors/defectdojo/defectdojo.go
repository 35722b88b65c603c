// Package defectdojo reads findings, risk acceptances and the dates of scans from DefectDojo's API v2.
//
// Each product is a scope of its own, so that one that cannot be read does not stop the others. Between full sweeps a single list of what
// changed lately serves all products.
package defectdojo

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
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
	testScope = "tests:all"
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
	// Products says which service and repository a product stands for, by the product's name. One that is not named stands for the service
	// of its own name.
	Products map[string]ProductConfig `yaml:"products,omitempty"`
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
	c := &Collector{Base: base, config: config, products: map[string]target{}, swept: map[int64]time.Time{}, cost: counted}
	for name, p := range config.Products {
		t := target{service: record.Text(p.Service)}
		if p.Repository != "" {
			if t.repository, err = record.ParseRepository(p.Repository); err != nil {
				return nil, fmt.Errorf("defectdojo: products: %s: repository: %w", name, err)
			}
		}
		c.products[strings.ToLower(name)] = t
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

// product is a product and the scope it is read as.
type product struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (p product) scope() string { return "product:" + record.Text(p.Name) }

// Collect reads the risk acceptances and each product: those with a cursor from one list of late changes, the others whole.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	started := c.Env.Now()
	defer c.cost.begin(cursors.Sweep())()
	send := collectors.Emitter(ctx, kindName, emit)
	accepted := c.acceptances(ctx)
	if err := send(accepted); err != nil {
		return err
	}
	ran := lapsedAt(accepted.Exceptions, started)
	products, err := c.listProducts(ctx)
	if err != nil {
		return fmt.Errorf("defectdojo: list products: %w", err)
	}
	if at, err := time.Parse(time.RFC3339, string(cursors[testScope])); !c.config.WithoutScans && (err != nil || started.Sub(at) >= testsEvery) {
		if err := send(c.tests(ctx, products, started)); err != nil {
			return err
		}
	}
	var known []product
	since := started
	for _, p := range products {
		at, err := time.Parse(time.RFC3339, string(cursors[p.scope()]))
		if err == nil { // a product without a cursor, or with one that nobody understands, is read whole
			known = append(known, p)
			since = minTime(since, at)
			continue
		}
		if err := send(c.whole(ctx, p, ran, started)); err != nil {
			return err
		}
		c.swept[p.ID] = started
	}
	if len(known) == 0 {
		return nil
	}
	for _, b := range c.changes(ctx, known, ran, since.Add(-overlap), started) {
		if err := send(b); err != nil {
			return err
		}
	}
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func cursorAt(t time.Time) record.Cursor { return record.Cursor(t.UTC().Format(time.RFC3339)) }

// listProducts lists the products, those first that were read whole the longest ago, so that a sweep that ran out of time goes on where it
// ended; else in the order of their numbers. Two of one name cannot be told apart as scopes.
func (c *Collector) listProducts(ctx context.Context) ([]product, error) {
	found, err := list(ctx, c.Base, query[product]{path: "api/v2/products/", values: url.Values{"o": {"id"}}, id: func(p product) int64 { return p.ID }})
	if err != nil {
		return nil, err
	}
	if found.rejected > 0 {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%d products cannot be understood", found.rejected)}
	}
	products := found.items
	slices.SortFunc(products, func(a, b product) int { return cmp.Or(c.swept[a.ID].Compare(c.swept[b.ID]), cmp.Compare(a.ID, b.ID)) })
	scopes := map[string]int64{}
	for _, p := range products {
		if other, dup := scopes[p.scope()]; dup {
			return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("products %d and %d have one name, %q; rename one", other, p.ID, record.Text(p.Name))}
		}
		scopes[p.scope()] = p.ID
	}
	return products, nil
}

// whole reads all findings of a product, in the order of their numbers, which does not change while they are read.
func (c *Collector) whole(ctx context.Context, p product, ran lapsed, started time.Time) record.Batch {
	b := record.Batch{Scope: p.scope(), Mode: record.Full, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, Cursor: cursorAt(started)}
	found, err := list(ctx, c.Base, findingsBy(url.Values{"test__engagement__product": {fmt.Sprint(p.ID)}, "o": {"id"}}))
	if err != nil {
		return record.Batch{Scope: b.Scope, Err: fmt.Errorf("defectdojo %s: %w", b.Scope, err)}
	}
	b.Rejected[record.RejectDecode] += found.rejected
	for i := range found.items {
		found.items[i].locate(found.beside)
		c.add(&b, &found.items[i], p, ran)
	}
	return b
}

// findingsBy asks for findings with their tests inlined and their endpoints beside them.
func findingsBy(values url.Values) query[finding] {
	values.Set("related_fields", "true")
	values.Set("prefetch", "endpoints")
	return query[finding]{path: "api/v2/findings/", values: values, id: func(f finding) int64 { return f.ID }}
}

// add takes up a finding of a product. One whose acceptance has run out is open again, whether or not DefectDojo's own job has run.
func (c *Collector) add(b *record.Batch, f *finding, p product, ran lapsed) {
	if f.ID == 0 {
		b.Rejected[record.RejectNoID]++
		return
	}
	r, ok := f.record(c.URL, c.targetOf(p))
	if !ok {
		b.Rejected[record.RejectTimestamp]++
		return
	}
	if r.Closure == record.ClosureRiskAccepted && ran[r.ID] {
		r.Closure, r.ClosedAt = record.ClosureNone, time.Time{}
	}
	b.Findings = append(b.Findings, r)
}

func (c *Collector) targetOf(p product) target {
	t := c.products[strings.ToLower(p.Name)]
	if t.service == "" {
		t.service = record.Text(p.Name)
	}
	return t
}

// changes reads what changed lately, newest first, until what is older than since, and yields a Delta for every product. A change that leaves the
// status alone is found by the next full sweep.
func (c *Collector) changes(ctx context.Context, products []product, ran lapsed, since, started time.Time) []record.Batch {
	batches := make([]record.Batch, len(products))
	byProduct := map[int64]int{}
	for i, p := range products {
		byProduct[p.ID] = i
		batches[i] = record.Batch{
			Scope: p.scope(), Mode: record.Delta, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, Cursor: cursorAt(started),
		}
	}
	lately := findingsBy(url.Values{"o": {"-last_status_update"}})
	lately.enough = func(f finding) bool { return !f.LastStatusUpdate.IsZero() && f.LastStatusUpdate.Before(since) }
	found, err := list(ctx, c.Base, lately)
	for i := range batches {
		switch {
		case err != nil:
			batches[i] = record.Batch{Scope: batches[i].Scope, Err: fmt.Errorf("defectdojo %s: list of changes: %w", batches[i].Scope, err)}
		case i == 0:
			// What cannot be understood does not say whose it is; it is counted once.
			batches[i].Rejected[record.RejectDecode] += found.rejected
		}
	}
	if err != nil {
		return batches
	}
	for i := range found.items {
		f := &found.items[i]
		if at, ok := byProduct[f.Related.Test.Engagement.Product.ID]; ok {
			f.locate(found.beside)
			c.add(&batches[at], f, products[at], ran)
		}
	}
	return batches
}

// Check proves the credential for each sort of thing that is read.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	one := url.Values{"limit": {"1"}}
	var results []collectors.CheckResult
	for _, try := range []struct{ subject, path, unknown string }{
		{"products", "api/v2/products/", "everything read from DefectDojo"},
		{"findings", "api/v2/findings/", "the findings of all products"},
		{"tests", "api/v2/tests/", "when repositories were last scanned"},
		{"risk acceptances", "api/v2/risk_acceptance/", "accepted risks; findings with one count as closed without an exception"},
	} {
		_, err := c.Source.Get(ctx, try.path, one, nil)
		results = append(results, collectors.CheckResult{Subject: "defectdojo: " + try.subject, Err: err, Unknown: try.unknown})
	}
	return results, ctx.Err()
}

// Forecast is what the last collection of changes and the last full sweep took, spread over their intervals; before the first, three requests for the
// acceptances, the products and the changes.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.cost.perHour(c.config.Interval.Std(), c.config.FullInterval.Std())}
}
