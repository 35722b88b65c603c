// Package snyk reads Snyk's REST API: the issues of an organisation's projects, the ignores with their expiry, and when each
// project was last tested.
package snyk

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	kindName = "snyk"
	tool     = "snyk"

	defaultURL = "https://api.snyk.io"
	// apiVersion is the version of the REST API that the translation is written for.
	apiVersion = "2024-10-15"
	// overlap is how far a delta reaches back before the last change that was seen: changes become visible late.
	overlap = 15 * time.Minute
)

// Config is the section of one Snyk tenant. At least one organisation or group is named.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the base of the API of the tenant's region; https://api.snyk.io if not set.
	URL string `yaml:"url,omitempty"`
	// Token is the API key of a service account.
	Token apiclient.Secret `yaml:"token"`
	// Organizations are ids of organisations, Groups ids of groups whose organisations are all read.
	Organizations []string `yaml:"organizations,omitempty"`
	Groups        []string `yaml:"groups,omitempty"`
	// Hosts gives the host of a project's origin where Snyk's target has no address, e.g. github-enterprise: git.example.com.
	Hosts map[string]string `yaml:"hosts,omitempty"`
	// Projects say where Snyk projects belong, by name; they come before everything else.
	Projects []translate.Project `yaml:"projects,omitempty"`
}

// Collector reads one tenant. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	*platform.Base
	config    Config
	announced sync.Map // what was logged about the end of API versions
}

// New checks the configuration; it reads neither the API nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	if len(config.Organizations)+len(config.Groups) == 0 {
		return nil, errors.New("snyk: name at least one id under organizations or groups")
	}
	if slices.Contains(config.Organizations, "") || slices.Contains(config.Groups, "") {
		return nil, errors.New("snyk: an id under organizations or groups is empty")
	}
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, DefaultURL: defaultURL, Example: "https://api.eu.snyk.io", Suffix: "/rest",
		Key: "token", Credential: config.Token, Auth: apiclient.Token(config.Token, "token"), MediaType: "application/vnd.api+json",
		Requests: config.Requests, Pages: platform.Pages{Default: 100, Most: 100, Step: 10}, Projects: config.Projects,
	})
	if err != nil {
		return nil, err
	}
	config.Common = config.Or(defaults())
	return &Collector{Base: base, config: config}, nil
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(30 * time.Minute), FullInterval: collectors.Duration(24 * time.Hour),
		StaleAfter: collectors.Duration(24 * time.Hour), Timeout: collectors.Duration(25 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "issues, ignores and test dates from Snyk", Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads every organisation: its projects, its ignores and, whole or since the cursor, its issues.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	emit = collectors.Emitter(ctx, kindName, emit)
	organizations, err := c.organizations(ctx, emit)
	if err != nil {
		return err
	}
	for _, org := range organizations {
		if err := c.collectOrganization(ctx, org, cursors["issues:"+org], emit); err != nil {
			return err
		}
	}
	return collectors.Canceled(ctx)
}

// organizations are those of the configuration and of its groups, each once and in order. A group that cannot be listed is a
// scope that failed; it is an error if nothing else is left to read.
func (c *Collector) organizations(ctx context.Context, emit func(record.Batch) error) ([]string, error) {
	ids := slices.Clone(c.config.Organizations)
	var failure error
	for _, group := range c.config.Groups {
		found, err := c.groupOrganizations(ctx, group)
		b := record.Batch{Scope: "organizations:" + group, Mode: record.Full}
		if err != nil {
			failure = fmt.Errorf("snyk: list the organisations of group %s: %w", group, err)
			b = translate.Failed(b.Scope, failure)
		}
		if err := emit(b); err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil, failure
	}
	return ids, nil
}

// collectOrganization emits the scopes of one organisation. Without its projects nothing can be attributed; without knowing why
// issues are ignored, an ignored issue cannot be told from a dismissed one, so that what fails there fails the issues, too,
// unless the token may not read ignores at all.
func (c *Collector) collectOrganization(ctx context.Context, org string, cursor record.Cursor, emit func(record.Batch) error) error {
	projects, err := c.readProjects(ctx, org)
	scopes := []record.Batch{{Scope: "projects:" + org, Mode: record.Full}, {Scope: "ignores:" + org, Mode: record.Full}, {Scope: "issues:" + org}}
	if err != nil {
		for i := range scopes {
			scopes[i] = translate.Failed(scopes[i].Scope, fmt.Errorf("read the projects of organisation %s: %w", org, err))
		}
		return emitAll(scopes, emit)
	}
	scopes[0].Scans = projects.scans()
	ignores, err := c.readIgnores(ctx, org)
	if err != nil {
		err = fmt.Errorf("read the ignores of organisation %s: %w", org, err)
		scopes[1] = translate.Failed(scopes[1].Scope, err)
	} else {
		scopes[1].Exceptions, scopes[1].Rejected = ignores.exceptions, ignores.rejected
	}
	if err != nil && !forbidden(err) {
		scopes[2] = translate.Failed(scopes[2].Scope, err)
	} else {
		scopes[2] = c.readIssues(ctx, org, cursor, &translation{projects: projects, ignores: ignores})
	}
	return emitAll(scopes, emit)
}

// forbidden reports whether an error will be the same tomorrow: the token may not read this, or the call is not there.
func forbidden(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonPermission, record.ReasonNotFound, record.ReasonFeatureOff:
		return true
	default:
		return false
	}
}

func emitAll(batches []record.Batch, emit func(record.Batch) error) error {
	for _, b := range batches {
		if err := emit(b); err != nil {
			return err
		}
	}
	return nil
}

// Forecast estimates the requests per hour; Snyk states no budget in its answers, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 10*(len(c.config.Organizations)+10*len(c.config.Groups)))}
}
