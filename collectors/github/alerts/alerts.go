// Package alerts reads what GitHub's scanners find (Dependabot, code scanning, secret scanning), which of them run in each repository and when they last did.
//
// It may import api, part and inventory. A further field of an alert goes into the file of its kind (dependabot.go, code_scanning.go, secret_scanning.go), with
// a case in its test; a further kind of alert is a file and a line in alertSources.
package alerts

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Kind names a kind of security alert in the configuration.
type Kind string

// The kinds of alert. A kind is also the first part of its scopes' names.
const (
	Dependabot     Kind = "dependabot"
	CodeScanning   Kind = "code_scanning"
	SecretScanning Kind = "secret_scanning"
)

// Kinds lists every kind of alert.
func Kinds() []Kind { return []Kind{Dependabot, CodeScanning, SecretScanning} }

// The first parts of the names of the other scopes.
const (
	scopeAnalyses               = "scanning"
	scopeSecurityConfigurations = "security_configurations"
)

// securityEventsPermission is what reading code scanning needs.
const securityEventsPermission = "security_events=read"

// Config is the part of the configuration about alerts and scans.
type Config struct {
	// Kinds are the kinds of alert to read; all by default.
	Kinds []Kind `yaml:"alerts,omitempty"`
	// GenericSecretTypes are the types of secret that GitHub lists only where they are named: generic patterns and passwords. Those that are known by default.
	GenericSecretTypes []string `yaml:"generic_secret_types,omitempty"`
	// CodeQuality takes in code scanning alerts of rules that are not about security; off by default.
	CodeQuality bool `yaml:"code_quality"`
	// ExcludeClassifications leave out code scanning alerts in code of these kinds, such as test or generated; none by default.
	ExcludeClassifications []string `yaml:"exclude_classifications,omitempty"`
	// Manifests looks whether the default branch still has what open Dependabot alerts are about; on by default.
	Manifests bool `yaml:"manifests"`
	// Scanning switches when each repository was last scanned by what uploads to code scanning; it needs the list of repositories.
	Scanning bool `yaml:"scanning"`
	// SecurityConfigurations is off by default, because it takes a permission that others do not.
	SecurityConfigurations bool `yaml:"security_configurations"`
}

// Default reads all but security configurations.
func Default() Config {
	return Config{Kinds: Kinds(), Manifests: true, Scanning: true, GenericSecretTypes: genericSecretTypes()}
}

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate() error {
	for i, kind := range c.Kinds {
		if !slices.Contains(Kinds(), kind) {
			return fmt.Errorf("alerts[%d]: %q is not one of %v", i, kind, Kinds())
		}
	}
	for i, name := range c.GenericSecretTypes {
		if !secretTypeName.MatchString(name) {
			return fmt.Errorf("generic_secret_types[%d]: %q is not the name of a secret type, such as rsa_private_key", i, name)
		}
	}
	for i, name := range c.ExcludeClassifications {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("exclude_classifications[%d] is empty: name a classification, such as test or generated", i)
		}
	}
	return nil
}

// Collector reads alerts and scans.
type Collector struct {
	part.Env
	config    Config
	inventory *inventory.Inventory
	state     *part.State[organisation]
}

var _ part.Collector = (*Collector)(nil)

// organisation is what is remembered of an organisation.
type organisation struct {
	// sweepPages is how many pages the last full sweep of each kind of alert took.
	sweepPages map[Kind]int
	// deleted are the manifests that were gone at the last sweep, and when they went; manifests is how many were looked for.
	deleted   map[manifest]time.Time
	manifests int
}

// New makes a collector that remembers nothing yet.
func New(config Config, env part.Env, repositories *inventory.Inventory) *Collector {
	return &Collector{
		Env: env, config: config, inventory: repositories,
		state: part.NewState(func() organisation { return organisation{sweepPages: map[Kind]int{}} }),
	}
}

// Scopes are one for each kind of alert, and the security configurations.
func (c *Collector) Scopes(org string) []part.Scope {
	var list []part.Scope
	for _, source := range c.alertSources() {
		list = append(list, part.Scope{Name: string(source.kind) + ":" + org, Read: func(ctx context.Context, cursor record.Cursor) record.Batch {
			return c.readAlerts(ctx, org, source, cursor)
		}})
	}
	if c.config.SecurityConfigurations {
		list = append(list, part.Scope{Name: scopeSecurityConfigurations + ":" + org, Slow: true, Read: func(ctx context.Context, _ record.Cursor) record.Batch {
			return c.readSecurityConfigurations(ctx, org)
		}})
	}
	return list
}

// RepositoryScopes are the analyses of code scanning.
func (c *Collector) RepositoryScopes() []part.RepositoryScope {
	if !c.config.Scanning {
		return nil
	}
	return []part.RepositoryScope{{
		Kind: scopeAnalyses, Read: c.readAnalyses, Requests: 2,
		Empty: record.Batch{Repositories: []record.Repository{}, Scans: []record.Scan{}},
	}}
}

// Check asks for an alert of each kind, and for what tells of scans in one repository.
func (c *Collector) Check(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	path := "orgs/" + url.PathEscape(org)
	for _, source := range c.alertSources() {
		words := strings.ReplaceAll(string(source.kind), "_", " ")
		result := collectors.CheckResult{Subject: words + " alerts", Unknown: "findings of " + words + " and all that is computed from them"}
		for _, query := range source.queries {
			if result.Err == nil {
				result.Err = source.explain(query, c.API.Probe(ctx, path+"/"+source.path, query, source.permission))
			}
		}
		results = append(results, result)
	}
	if c.config.SecurityConfigurations {
		results = append(results, collectors.CheckResult{
			Subject: "security configurations", Err: c.API.Probe(ctx, path+"/code-security/configurations", nil, configurationsPermission),
			Unknown: "which security configuration each repository has",
		})
	}
	if !c.looksForManifests() && !c.config.Scanning {
		return results
	}
	sample, err := c.inventory.Sample(ctx, org)
	probe := func(on bool, subject, unknown string, ask func() error) {
		if !on || ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: subject, Unknown: unknown, Err: err}
		if sample != nil {
			result.Err = ask()
		}
		results = append(results, result)
	}
	probe(c.looksForManifests(), "manifests of Dependabot alerts", "whether what open Dependabot alerts are about still exists; they stay open", func() error {
		return c.probeManifests(ctx, sample)
	})
	probe(c.config.Scanning && c.inventory.Listed(), "code scanning analyses", "when code was last scanned", func() error {
		return api.Answered(c.readAnalyses(ctx, org, *sample, "").Err)
	})
	return results
}

func (c *Collector) looksForManifests() bool {
	return c.config.Manifests && slices.Contains(c.config.Kinds, Dependabot)
}

// Forecast adds a request for each kind of alert in each collection while little changes, the pages of sweeps, the queries about manifests, and the lists of
// security configurations.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	for _, source := range c.alertSources() {
		requests["core"] += part.PerHour(c.Intervals.Collection) * float64(len(source.queries))
	}
	c.state.With(org, func(o *organisation) {
		for _, pages := range o.sweepPages {
			requests["core"] += part.PerHour(c.Intervals.Full) * float64(pages)
		}
		requests["graphql"] += part.PerHour(c.Intervals.Full) * math.Ceil(float64(o.manifests)/manifestsAtOnce)
	})
	if c.config.SecurityConfigurations {
		requests["core"] += part.PerHour(c.Intervals.Posture) * (1 + c.inventory.Pages(org, 100))
	}
}

// Hints are the events about alerts.
func (c *Collector) Hints() map[string][]string {
	return map[string][]string{
		"dependabot_alert": {string(Dependabot)}, "repository_vulnerability_alert": {string(Dependabot)},
		"code_scanning_alert":   {string(CodeScanning), scopeAnalyses},
		"secret_scanning_alert": {string(SecretScanning)}, "secret_scanning_alert_location": {string(SecretScanning)},
	}
}
