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
	// Alerts are the kinds of alert to read; all by default.
	Alerts []AlertKind `yaml:"alerts,omitempty"`
	// Repositories and Protection switch the other scopes; both are on by default.
	Repositories bool `yaml:"repositories"`
	Protection   bool `yaml:"protection"`
	// PostureInterval is the time between two readings of repositories and protection, which change more slowly than alerts.
	PostureInterval collectors.Duration `yaml:"posture_interval,omitempty"`
}

// App is a GitHub App's installation.
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
		PostureInterval: collectors.Duration(time.Hour),
	}
}

// Kind describes the collector to the wiring.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: "github", Summary: "repositories, branch protection and security alerts of GitHub organisations", Defaults: defaults(),
		New: func(section collectors.Section, env collectors.Env) (collectors.Collector, collectors.Common, error) {
			config := Default()
			if err := section.Decode(&config); err != nil {
				return nil, collectors.Common{}, err
			}
			c, err := New(config, env)
			if err != nil {
				return nil, collectors.Common{}, err
			}
			return c, config.Common, nil
		},
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
	case c.PostureInterval <= 0:
		return errors.New("posture_interval must be positive")
	case c.StaleAfter > 0 && c.PostureInterval >= c.StaleAfter:
		return fmt.Errorf("posture_interval %s must be shorter than stale_after %s, or repositories go stale between readings", c.PostureInterval, c.StaleAfter)
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

// Collector reads organisations of one GitHub. It is made by New.
type Collector struct {
	config Config
	env    collectors.Env
	api    *api

	mu sync.Mutex
	// seen is what the last readings taught about each organisation.
	seen    map[string]*organisation
	unknown map[string]bool
}

// organisation is what outlives one collection.
type organisation struct {
	archived     map[record.RepositoryName]bool
	repositories int
	bypass       map[int64]bypass
	sweepPages   map[string]int
}

var (
	_ collectors.Collector  = (*Collector)(nil)
	_ collectors.Checker    = (*Collector)(nil)
	_ collectors.Forecaster = (*Collector)(nil)
)

// New checks the configuration and builds the collector. Of the secrets it only reads an App's private key.
func New(config Config, env collectors.Env) (*Collector, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	api, err := newAPI(&config, env)
	if err != nil {
		return nil, err
	}
	return &Collector{config: config, env: env, api: api, seen: map[string]*organisation{}, unknown: map[string]bool{}}, nil
}

// Collect reads the organisations one after the other: GitHub asks for serial requests.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	for _, org := range c.config.Organizations {
		for _, s := range c.scopes(org) {
			cursor := cursors[s.name]
			if s.slow && !c.due(strings.ToLower(org), cursor) {
				continue
			}
			batch := s.read(ctx, cursor)
			if err := ctx.Err(); err != nil {
				return &record.Error{Reason: record.ReasonCanceled, Err: fmt.Errorf("read %s: %w", s.name, err)}
			}
			batch.Scope = s.name
			if err := emit(batch); err != nil {
				return err
			}
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
	if c.config.Protection {
		list = append(list, scope{scopeProtection + ":" + org, true, func(ctx context.Context, _ record.Cursor) record.Batch {
			return c.readProtection(ctx, org)
		}})
	}
	return list
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
		o = &organisation{sweepPages: map[string]int{}}
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
