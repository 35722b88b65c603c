package github

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/protection"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/apiclient"
)

// Config is one instance in the configuration file. Each part has its keys in a struct of its own.
type Config struct {
	collectors.Common `yaml:",inline"`
	// URL is the API or, for GitHub Enterprise Server, the host; https://api.github.com by default.
	URL string `yaml:"url,omitempty"`
	// Organizations are read one after the other. With an App without an installation they may be left out: all organisations are read in which it is installed.
	Organizations []string `yaml:"organizations"`
	// Token is a personal access token; App a GitHub App: one installation, or all. Exactly one is set.
	Token apiclient.Secret `yaml:"token,omitempty"`
	App   api.App          `yaml:"app,omitempty"`
	// Webhook takes deliveries that make a scope be read at once; off without a secret.
	Webhook Webhook `yaml:"webhook,omitempty"`
	// PostureInterval is the time between two readings of what changes more slowly than alerts, such as repositories and protection.
	PostureInterval collectors.Duration `yaml:"posture_interval,omitempty"`
	// RepositoryInterval is the time between two readings of the scopes of one repository: four hours, or two thirds of StaleAfter where that is
	// shorter, unless it is set. RepositoriesPerCollection is the number of repositories that one collection
	// reads at most, of each kind of scope.
	RepositoryInterval        collectors.Duration `yaml:"repository_interval,omitempty"`
	RepositoriesPerCollection int                 `yaml:"repositories_per_collection,omitempty"`

	Inventory  inventory.Config  `yaml:",inline"`
	Alerts     alerts.Config     `yaml:",inline"`
	Protection protection.Config `yaml:",inline"`
	Trust      trust.Config      `yaml:",inline"`
	Delivery   delivery.Config   `yaml:",inline"`
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
		Common: defaults(), URL: "https://api.github.com", PostureInterval: collectors.Duration(time.Hour), RepositoriesPerCollection: 50,
		Inventory: inventory.Default(), Alerts: alerts.Default(), Protection: protection.Default(), Trust: trust.Default(), Delivery: delivery.Default(),
	}
}

const defaultRepositoryInterval = 4 * time.Hour

// complete fills in what depends on other keys.
func (c *Config) complete() {
	if c.RepositoryInterval != 0 {
		return
	}
	c.RepositoryInterval = collectors.Duration(defaultRepositoryInterval)
	if c.StaleAfter > 0 {
		c.RepositoryInterval = min(c.RepositoryInterval, c.StaleAfter*2/3)
	}
}

// organisationName is what GitHub allows, and what is safe as a part of a path.
var organisationName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)

func (c *Config) validate() error {
	if err := c.validateCredential(); err != nil {
		return err
	}
	if err := c.validateIntervals(); err != nil {
		return err
	}
	for _, part := range []error{
		c.Inventory.Validate(), c.Alerts.Validate(), c.Protection.Validate(), c.Trust.Validate(), c.Delivery.Validate(c.StaleAfter),
	} {
		if part != nil {
			return part
		}
	}
	for i, org := range c.Organizations {
		if !organisationName.MatchString(org) {
			return fmt.Errorf("organizations[%d]: %q is not the name of an organisation", i, org)
		}
		if slices.ContainsFunc(c.Organizations[:i], func(o string) bool { return strings.EqualFold(o, org) }) {
			return fmt.Errorf("organizations[%d]: %s is there twice", i, org)
		}
	}
	return nil
}

func (c *Config) validateCredential() error {
	switch {
	case len(c.Organizations) == 0 && (c.App.ID == 0 || c.App.InstallationID != 0):
		return errors.New("organizations is empty: name at least one organisation, or set app.id and app.private_key alone to read all in which the App is installed")
	case c.Token.IsZero() == (c.App == api.App{}):
		return errors.New("set either token or app")
	case c.App != api.App{} && (c.App.ID <= 0 || c.App.InstallationID < 0 || c.App.PrivateKey.IsZero()):
		return errors.New("app needs id and private_key, and installation_id where one installation alone is to be read")
	case c.App.InstallationID != 0 && len(c.Organizations) > 1:
		return errors.New("organizations: an installation of an App reads one organisation alone; leave app.installation_id out, and each organisation is read by its own installation")
	}
	if !c.Webhook.Secret.IsZero() {
		if err := c.Webhook.Secret.Validate(); err != nil {
			return fmt.Errorf("webhook.secret: %w", err)
		}
	}
	return nil
}

func (c *Config) validateIntervals() error {
	switch {
	case c.PostureInterval <= 0:
		return errors.New("posture_interval must be positive")
	case c.StaleAfter > 0 && c.PostureInterval >= c.StaleAfter:
		return fmt.Errorf("posture_interval %s must be shorter than stale_after %s, or repositories go stale between readings", c.PostureInterval, c.StaleAfter)
	case c.RepositoryInterval < 0:
		return errors.New("repository_interval must not be negative")
	case c.StaleAfter > 0 && c.RepositoryInterval >= c.StaleAfter:
		return fmt.Errorf("repository_interval %s must be shorter than stale_after %s, or repositories go stale between readings", c.RepositoryInterval, c.StaleAfter)
	case c.RepositoriesPerCollection <= 0:
		return errors.New("repositories_per_collection must be positive")
	}
	return nil
}
