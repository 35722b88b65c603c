// Package github reads repositories, security alerts, protection, releases, pipelines and deployments from GitHub: github.com, data residency
// (api.NAME.ghe.com) and GitHub Enterprise Server.
//
// This package is the face: configuration (config.go), when each scope is read (github.go, repository_scopes.go), check and forecast (check.go), and webhooks
// (webhook.go). What is read is in parts, a folder each:
//
//   - api: requests, pages, GraphQL, what a failure means; part: the contract of parts
//   - inventory: repositories, custom properties, the catalog that these are
//   - alerts: Dependabot, code scanning, secret scanning, and which scanners run
//   - protection: branches, rulesets, environments, bypasses
//   - trust: workflows, pipelines, releases and their evidence, runners, cloud identity
//   - delivery: deployments, approvals, changes
//
// Imports run one way: the face knows all parts; a part knows api, part and inventory, and no other part. A new part is a folder and a line in New; package
// part says how. go-github makes the requests (paths, media types, API version); the answers are decoded into structs of our own, because the library's lose
// fields and fail whole pages on values it does not know. README.md lists permissions, cost, and how GitHub's words map to ours.
package github

import (
	"context"
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/collectors/github/protection"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/record"
)

// Kind describes the collector to the wiring.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: "github", Summary: "repositories, branch protection and security alerts of GitHub organisations", Defaults: defaults(),
		New: collectors.Builder(Default, New),
	}
}

// Collector reads organisations of one GitHub. It is made by New.
type Collector struct {
	config    Config
	env       part.Env
	inventory *inventory.Inventory
	parts     []part.Collector
	// attempts are when each scope of a repository was last read or tried.
	attempts *part.State[map[string]time.Time]
	// costs are how many requests the last reading of each scope of a repository took.
	costs *part.State[map[string]int]
	// installations, if there are some, read all organisations in which an App is installed; nothing else here is set then.
	installations *installations
}

var (
	_ collectors.Collector  = (*Collector)(nil)
	_ collectors.Checker    = (*Collector)(nil)
	_ collectors.Forecaster = (*Collector)(nil)
	_ collectors.Cataloger  = (*Collector)(nil)
	_ collectors.Hinted     = (*Collector)(nil)
)

// New checks the configuration and builds the collector. Of the secrets it only reads an App's private key.
func New(config Config, env collectors.Env) (*Collector, error) {
	config.complete()
	if err := config.validate(); err != nil {
		return nil, err
	}
	if config.App.ID != 0 && config.App.InstallationID == 0 {
		all, err := newInstallations(config, env)
		if err != nil {
			return nil, err
		}
		return &Collector{config: config, installations: all}, nil
	}
	client, err := api.New(config.URL, config.Token, config.App, env)
	if err != nil {
		return nil, err
	}
	given := part.Env{
		API: client, Questions: api.NewQuestions(env.Now, env.Logger, config.PostureInterval.Std(), config.Interval.Std()), Logger: env.Logger, Now: env.Now,
		Intervals: part.Intervals{
			Collection: config.Interval.Std(), Posture: config.PostureInterval.Std(), Repository: config.RepositoryInterval.Std(), Full: config.FullInterval.Std(),
		},
		RepositoriesPerCollection: config.RepositoriesPerCollection,
	}
	repositories := inventory.New(config.Inventory, given)
	client.Selected = repositories.Selected
	c := &Collector{
		config: config, env: given, inventory: repositories, costs: part.NewState(func() map[string]int { return map[string]int{} }),
		attempts: part.NewState(func() map[string]time.Time { return map[string]time.Time{} }),
	}
	// Scopes of organisations are read in this order, then those of single repositories.
	c.parts = []part.Collector{
		repositories,
		alerts.New(config.Alerts, given, repositories),
		protection.New(config.Protection, given, repositories),
		trust.New(config.Trust, given, repositories),
		delivery.New(config.Delivery, given, repositories, config.Protection.ReleaseBranches),
	}
	return c, nil
}

// organizations are those of the configuration, in lower case.
func (c *Collector) organizations() []string {
	list := make([]string, len(c.config.Organizations))
	for i, org := range c.config.Organizations {
		list[i] = strings.ToLower(org)
	}
	return list
}

// Collect reads the organisations one after the other: GitHub asks for serial requests.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	if c.installations != nil {
		return c.installations.collect(ctx, cursors, emit)
	}
	for _, org := range c.organizations() {
		for _, s := range c.scopes(org) {
			cursor := cursors[s.Name]
			if s.Ended && cursor == "" || s.Slow && !c.due(org, cursor) {
				continue
			}
			if unknown := c.inventory.Unselected(org); unknown != nil && s.Name != inventory.Scope(org) {
				if err := emit(record.Batch{Scope: s.Name, Err: fmt.Errorf("which repositories count is unknown: %w", unknown)}); err != nil {
					return err
				}
				continue
			}
			if err := read(ctx, s, cursor, emit); err != nil {
				return err
			}
		}
		if err := c.collectRepositories(ctx, org, cursors, emit); err != nil {
			return err
		}
	}
	return nil
}

// read reads a scope and emits what it holds.
func read(ctx context.Context, s part.Scope, cursor record.Cursor, emit func(record.Batch) error) error {
	batch := s.Read(ctx, cursor)
	if err := ctx.Err(); err != nil {
		return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("read %s: %w", s.Name, err)}
	}
	batch.Scope = s.Name
	return emit(batch)
}

// scopes are those of an organisation, part by part.
func (c *Collector) scopes(org string) []part.Scope {
	var list []part.Scope
	for _, p := range c.parts {
		list = append(list, p.Scopes(org)...)
	}
	return list
}

// due says whether a slow scope is to be read again; its cursor is the time of its last reading. A collector that does not yet know which repositories
// are archived reads at once: it could not tell which alerts that closes.
func (c *Collector) due(org string, cursor record.Cursor) bool {
	if c.inventory.Listed() && c.inventory.Archived(org) == nil {
		return true
	}
	last, ok := cursor.Time()
	return !ok || c.env.Now().Sub(last) >= c.env.Intervals.Posture
}

// Describes reports whether custom properties are a catalog here.
func (c *Collector) Describes() bool { return c.config.Inventory.Catalog.Service != "" }

// Catalog reads the services of all organisations.
func (c *Collector) Catalog(ctx context.Context) ([]record.Service, error) {
	if c.installations != nil {
		return c.installations.catalog(ctx)
	}
	var services []record.Service
	for _, org := range c.organizations() {
		list, err := c.inventory.Services(ctx, org)
		if err != nil {
			return nil, err
		}
		services = append(services, list...)
	}
	return services, nil
}
