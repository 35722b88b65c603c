// Package github reads repositories, security alerts and branch protection from GitHub: github.com, data residency
// (api.NAME.ghe.com) and GitHub Enterprise Server.
//
// go-github makes the requests (paths, media types, API version); the answers are decoded into structs of our own, because the library's lose
// fields and fail whole pages on values it does not know. README.md lists permissions, cost, and how GitHub's words map to ours.
package github

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// AlertKind names a kind of security alert in the configuration.
type AlertKind string

// The kinds of alert. A kind is also the first part of its scopes' names.
const (
	Dependabot     AlertKind = "dependabot"
	CodeScanning   AlertKind = "code_scanning"
	SecretScanning AlertKind = "secret_scanning"
)

// AlertKinds lists every kind of alert.
func AlertKinds() []AlertKind { return []AlertKind{Dependabot, CodeScanning, SecretScanning} }

// The first parts of the names of the other scopes.
const (
	scopeRepositories = "repositories"
	scopeProtection   = "protection"
	scopeProperties   = "properties"
	scopeEnvironments = "environments"
	scopeSecurity     = "security_configurations"
	scopeScanning     = "scanning"
	scopeActions      = "actions"
	scopeCatalog      = "catalog"
	scopeBypasses     = "bypasses"
	scopeDeployments  = "deployments"
)

// Config is one instance in the configuration file.
type Config struct {
	collectors.Common `yaml:",inline"`
	// URL is the API or, for GitHub Enterprise Server, the host; https://api.github.com by default.
	URL string `yaml:"url,omitempty"`
	// Organizations are read one after the other.
	Organizations []string `yaml:"organizations"`
	// Token is a personal access token; App a GitHub App's installation. Exactly one is set.
	Token apiclient.Secret `yaml:"token,omitempty"`
	App   App              `yaml:"app,omitempty"`
	// Catalog makes custom properties a catalog of services; off unless it names the property of the service.
	Catalog Catalog `yaml:"catalog,omitempty"`
	// Webhook takes deliveries that make a scope be read at once; off without a secret.
	Webhook Webhook `yaml:"webhook,omitempty"`
	// Alerts are the kinds of alert to read; all by default.
	Alerts []AlertKind `yaml:"alerts,omitempty"`
	// Manifests looks whether the default branch still has what open Dependabot alerts are about; on by default.
	Manifests bool `yaml:"manifests"`
	// Repositories and Protection switch the other scopes; both are on by default.
	Repositories bool `yaml:"repositories"`
	Protection   bool `yaml:"protection"`
	// PostureInterval is the time between two readings of repositories and protection, which change more slowly than alerts.
	PostureInterval collectors.Duration `yaml:"posture_interval,omitempty"`
	// ReleaseBranches are glob patterns (* and ?, neither matches a slash) of branches whose protection counts beside the default branch's; none by default.
	ReleaseBranches []string `yaml:"release_branches,omitempty"`
	// Properties, Environments and SecurityConfigurations switch further scopes of organisations, Scanning and Actions those of single
	// repositories. SecurityConfigurations is off by default, because it takes a permission that others do not. Scanning and Actions need Repositories.
	Properties             bool `yaml:"properties"`
	Environments           bool `yaml:"environments"`
	SecurityConfigurations bool `yaml:"security_configurations"`
	Scanning               bool `yaml:"scanning"`
	Actions                bool `yaml:"actions"`
	// Bypasses switches who went past the rules of a repository; it needs Repositories.
	Bypasses bool `yaml:"bypasses"`
	// RepositoryInterval is the time between two readings of the scopes of one repository: four hours, or two thirds of StaleAfter where that is
	// shorter, unless it is set. RepositoriesPerCollection is the number of repositories that one collection
	// reads at most, of each kind of scope.
	RepositoryInterval        collectors.Duration `yaml:"repository_interval,omitempty"`
	RepositoriesPerCollection int                 `yaml:"repositories_per_collection,omitempty"`
	Trust                     `yaml:",inline"`
	DeliveryConfig            `yaml:",inline"`
}

// App is a GitHub App's installation, which belongs to one organisation.
type App struct {
	ID             int64            `yaml:"id,omitempty"`
	InstallationID int64            `yaml:"installation_id,omitempty"`
	PrivateKey     apiclient.Secret `yaml:"private_key,omitempty"`
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(5 * time.Minute), FullInterval: collectors.Duration(24 * time.Hour),
		StaleAfter: collectors.Duration(6 * time.Hour), Timeout: collectors.Duration(30 * time.Minute),
	}
}

// Default is the configuration of an instance that says nothing.
func Default() Config {
	return Config{
		Common: defaults(), URL: "https://api.github.com", Alerts: AlertKinds(), Repositories: true, Protection: true,
		PostureInterval: collectors.Duration(time.Hour), Properties: true, Environments: true, Scanning: true, Actions: true, Bypasses: true,
		RepositoriesPerCollection: 50, Trust: defaultTrust(), DeliveryConfig: defaultDelivery(),
		Manifests: true,
	}
}

// Kind describes the collector to the wiring.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: "github", Summary: "repositories, branch protection and security alerts of GitHub organisations", Defaults: defaults(),
		New: collectors.Builder(Default, New),
	}
}

// organisationName is what GitHub allows, and what is safe as a part of a path.
var organisationName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)

func (c *Config) validate() error {
	switch {
	case len(c.Organizations) == 0:
		return errors.New("organizations is empty: name at least one organisation")
	case c.Token.IsZero() == (c.App == App{}):
		return errors.New("set either token or app")
	case c.App != App{} && (c.App.ID <= 0 || c.App.InstallationID <= 0 || c.App.PrivateKey.IsZero()):
		return errors.New("app needs id, installation_id and private_key")
	case c.App != App{} && len(c.Organizations) > 1:
		return errors.New("organizations: the installation of an App reads one organisation alone; make one instance for each, with its own name and app.installation_id")
	case c.PostureInterval <= 0:
		return errors.New("posture_interval must be positive")
	case c.StaleAfter > 0 && c.PostureInterval >= c.StaleAfter:
		return fmt.Errorf("posture_interval %s must be shorter than stale_after %s, or repositories go stale between readings", c.PostureInterval, c.StaleAfter)
	}
	if err := c.Catalog.validate(); err != nil {
		return err
	}
	if !c.Webhook.Secret.IsZero() {
		if err := c.Webhook.Secret.Validate(); err != nil {
			return fmt.Errorf("webhook.secret: %w", err)
		}
	}
	if err := errors.Join(c.validatePosture(), c.Trust.validate()); err != nil {
		return err
	}
	if err := c.DeliveryConfig.validate(c.StaleAfter); err != nil {
		return err
	}
	for i, org := range c.Organizations {
		if !organisationName.MatchString(org) {
			return fmt.Errorf("organizations[%d]: %q is not the name of an organisation", i, org)
		}
		if slices.ContainsFunc(c.Organizations[:i], func(o string) bool { return strings.EqualFold(o, org) }) {
			return fmt.Errorf("organizations[%d]: %s is there twice", i, org)
		}
	}
	for i, kind := range c.Alerts {
		if !slices.Contains(AlertKinds(), kind) {
			return fmt.Errorf("alerts[%d]: %q is not one of %v", i, kind, AlertKinds())
		}
	}
	return nil
}

const defaultRepositoryInterval = 4 * time.Hour

func (c *Config) validatePosture() error {
	switch {
	case c.RepositoryInterval < 0:
		return errors.New("repository_interval must not be negative")
	case c.StaleAfter > 0 && c.RepositoryInterval >= c.StaleAfter:
		return fmt.Errorf("repository_interval %s must be shorter than stale_after %s, or repositories go stale between readings", c.RepositoryInterval, c.StaleAfter)
	case c.RepositoriesPerCollection <= 0:
		return errors.New("repositories_per_collection must be positive")
	}
	for i, pattern := range c.ReleaseBranches {
		if literalPart(pattern) == "" || strings.ContainsAny(pattern, `[]\`) {
			return fmt.Errorf("release_branches[%d]: %q is not the name of a branch in which * and ? may stand for a part", i, pattern)
		}
		if slices.Contains(c.ReleaseBranches[:i], pattern) {
			return fmt.Errorf("release_branches[%d]: %s is there twice", i, pattern)
		}
	}
	return nil
}

// Collector reads organisations of one GitHub. It is made by New.
type Collector struct {
	config Config
	env    collectors.Env
	api    *api
	// services tell services apart that share a repository; environments match those that deployments are read of.
	services     serviceRules
	environments []*regexp.Regexp

	mu sync.Mutex
	// seen is what the last readings taught about each organisation.
	seen    map[string]*organisation
	unknown map[string]bool
}

// organisation is what outlives one collection.
type organisation struct {
	archived map[record.RepositoryName]bool
	// heads are the repositories in the order of their names; nil until they were listed.
	heads        []head
	repositories int
	environments map[record.RepositoryName]environmentDetails
	actions      orgActions
	// swept is when each scope of a repository was last read or tried.
	swept  map[string]time.Time
	bypass map[int64]bypass
	// bypasses are the rule suites of which the detail was read, by repository and number.
	bypasses   map[record.RepositoryName]map[int64]record.Bypass
	sweepPages map[string]int

	// workflows are what the last walk found, nil before there was one; workflowsCut says that it met repositories that it could not name.
	workflows    map[record.RepositoryName]repositoryWorkflows
	workflowsCut bool
	refusals     map[string]refusals
	attested     attestedRepositories
	// attestable is what is known about whether the credential sees the attestations of a repository.
	attestable map[record.RepositoryName]attestationAccess
	// approvals are those of the runs that made releases; runs the evidence of the last successful run of pipelines.
	approvals map[string]record.Answer
	runs      map[string]runEvidence
	// releasing are the repositories that have releases, nil before they were looked for; evidence is that of the releases that were read.
	releasing map[record.RepositoryName]bool
	evidence  map[string]runEvidence
	// runnerRequests is what the last reading of runners took.
	runnerRequests int
	// deleted are the manifests that were gone at the last sweep, and when they went; manifests is how many were looked for.
	deleted   map[manifest]time.Time
	manifests int
	deliveries
}

var (
	_ collectors.Collector  = (*Collector)(nil)
	_ collectors.Checker    = (*Collector)(nil)
	_ collectors.Forecaster = (*Collector)(nil)
)

// New checks the configuration and builds the collector. Of the secrets it only reads an App's private key.
func New(config Config, env collectors.Env) (*Collector, error) {
	if config.RepositoryInterval == 0 {
		config.RepositoryInterval = collectors.Duration(defaultRepositoryInterval)
		if config.StaleAfter > 0 {
			config.RepositoryInterval = min(config.RepositoryInterval, config.StaleAfter*2/3)
		}
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	api, err := newAPI(&config, env)
	if err != nil {
		return nil, err
	}
	c := &Collector{
		config: config, env: env, api: api, seen: map[string]*organisation{}, unknown: map[string]bool{}, services: newServiceRules(config.DeploymentServices),
	}
	for _, pattern := range config.environmentPatterns() {
		c.environments = append(c.environments, namePattern(pattern))
	}
	return c, nil
}

// Collect reads the organisations one after the other: GitHub asks for serial requests.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	for _, org := range c.config.Organizations {
		scopes := c.scopes(org)
		if ended := c.endedCatalog(strings.ToLower(org), cursors[scopeCatalog+":"+strings.ToLower(org)]); ended != nil {
			scopes = append(scopes, *ended)
		}
		for _, s := range scopes {
			cursor := cursors[s.name]
			if s.slow && !c.due(strings.ToLower(org), cursor) {
				continue
			}
			if err := visit(ctx, s, cursor, emit); err != nil {
				return err
			}
		}
		if err := c.sweepRepositories(ctx, strings.ToLower(org), cursors, emit); err != nil {
			return err
		}
		if err := c.collectDeployments(ctx, strings.ToLower(org), cursors, emit); err != nil {
			return err
		}
	}
	return nil
}

// scope is one scope and how it is read.
type scope struct {
	name string
	// slow scopes are read once per posture interval.
	slow bool
	read func(ctx context.Context, cursor record.Cursor) record.Batch
}

// visit reads a scope and emits what it holds.
func visit(ctx context.Context, s scope, cursor record.Cursor, emit func(record.Batch) error) error {
	batch := s.read(ctx, cursor)
	if err := ctx.Err(); err != nil {
		return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("read %s: %w", s.name, err)}
	}
	batch.Scope = s.name
	return emit(batch)
}

func (c *Collector) scopes(org string) []scope {
	org = strings.ToLower(org)
	var list []scope
	if c.config.Repositories {
		list = append(list, scope{scopeRepositories + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch {
			return c.readRepositories(ctx, org)
		}})
	}
	for _, source := range alertSources() {
		if slices.Contains(c.config.Alerts, source.kind) {
			list = append(list, scope{string(source.kind) + ":" + org, false, func(ctx context.Context, cursor record.Cursor) record.Batch {
				return c.readAlerts(ctx, org, source, cursor)
			}})
		}
	}
	for _, slow := range []struct {
		on   bool
		kind string
		read func(context.Context, string) record.Batch
	}{
		{c.config.Protection, scopeProtection, c.readProtection},
		{c.config.Environments, scopeEnvironments, c.readEnvironments},
		{c.config.Properties, scopeProperties, c.readProperties},
		{c.Describes(), scopeCatalog, c.readCatalog},
		{c.config.SecurityConfigurations, scopeSecurity, c.readSecurityConfigurations},
	} {
		if slow.on {
			list = append(list, scope{slow.kind + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch { return slow.read(ctx, org) }})
		}
	}
	return append(list, c.trustScopes(org)...)
}

// due says whether a slow scope is to be read again; its cursor is the time of its last reading. A collector that does not yet know which repositories
// are archived reads at once: it could not tell which alerts that closes.
func (c *Collector) due(org string, cursor record.Cursor) bool {
	known := !c.config.Repositories
	c.remember(org, func(o *organisation) { known = known || o.archived != nil })
	if !known {
		return true
	}
	last, err := time.Parse(time.RFC3339, string(cursor))
	return err != nil || c.env.Now().Sub(last) >= c.config.PostureInterval.Std()
}

func (c *Collector) readAt() record.Cursor {
	return record.Cursor(c.env.Now().UTC().Format(time.RFC3339))
}

// remember changes what is known about an organisation.
func (c *Collector) remember(org string, change func(*organisation)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.seen[org]
	if o == nil {
		o = &organisation{sweepPages: map[string]int{}, swept: map[string]time.Time{}, deliveries: newDeliveries()}
		c.seen[org] = o
	}
	change(o)
}

// unknownValue logs a value of an enumeration that is not known here, once.
func (c *Collector) unknownValue(field, value string) {
	value = record.Text(value)
	c.mu.Lock()
	known := c.unknown[field+"\x00"+value]
	if len(c.unknown) < 1000 {
		c.unknown[field+"\x00"+value] = true
	}
	c.mu.Unlock()
	if !known {
		c.env.Logger.Warn("GitHub uses a value that is not known here", "field", field, "value", value)
	}
}
