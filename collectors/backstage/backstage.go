// Package backstage reads the services of an organisation from the catalog of Backstage: its Component entities, who owns them
// through relations and the hierarchy of groups, which system or domain they belong to, and which part of which repository holds
// their code.
//
// The catalog is taken whole or not at all: two components of one name, or groups that are their own ancestors, fail the scope with
// an error that names them, and the records of the last good reading stay. What Backstage does not say stays unknown.
//
// To read one more fact about services: field.go if a label, an annotation or a tag holds it, service.go if Backstage has a field for it; with a row in README.md and a case in its test.
package backstage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// kindName is the collector's name in configuration and labels.
	kindName = "backstage"
	// scope is the only one: owners are only known when everything was read.
	scope = "services"

	defaultHost   = "github.com"
	defaultGitLab = "gitlab.com"
	defaultType   = "service"
	defaultUnit   = "business-unit"
	// readPermission is what a token needs, in Backstage's words.
	readPermission = "catalog.entity.read"
)

// Config is the section of one Backstage.
type Config struct {
	collectors.Common `yaml:",inline"`
	platform.Requests `yaml:",inline"`
	// URL is the address of Backstage's backend; the catalog is below /api/catalog.
	URL string `yaml:"url"`
	// Token is a static token of Backstage's external access.
	Token apiclient.Secret `yaml:"token"`
	// Types are the values of spec.type whose components are services; "service" if none is named.
	Types []string `yaml:"types,omitempty"`
	// Namespaces are read; all if none is named.
	Namespaces []string `yaml:"namespaces,omitempty"`
	// GitHubHost is the host of the repositories that github.com/project-slug names, and GitLabHost that of gitlab.com/project-slug where the annotation
	// gitlab.com/instance names none; github.com and gitlab.com if not set.
	GitHubHost string `yaml:"github_host,omitempty"`
	GitLabHost string `yaml:"gitlab_host,omitempty"`
	// AzureOrganization is the organisation of the repositories that dev.azure.com/project-repo names where the annotation dev.azure.com/host-org names none,
	// e.g. dev.azure.com/acme.
	AzureOrganization string `yaml:"azure_organization,omitempty"`
	// GroupNames says how teams and business units are called.
	GroupNames GroupNames `yaml:"group_names,omitempty"`
	// BusinessUnitTypes are the values of spec.type of the groups that are business units; "business-unit" if none is named.
	BusinessUnitTypes []string `yaml:"business_unit_types,omitempty"`
	// ProductArea says what a product area is: the system of a component, or the domain of its system.
	ProductArea ProductArea `yaml:"product_area,omitempty"`
	// TrustTier, CrownJewel and InternetFacing say where facts stand for which Backstage has no field.
	TrustTier      Field `yaml:"trust_tier,omitempty"`
	CrownJewel     Field `yaml:"crown_jewel,omitempty"`
	InternetFacing Field `yaml:"internet_facing,omitempty"`
}

// ProductArea says what groups services into product areas.
type ProductArea string

// The choices.
const (
	// ProductAreaSystem is the name of the component's system, the default.
	ProductAreaSystem ProductArea = "system"
	// ProductAreaDomain is the name of the domain of the component's system.
	ProductAreaDomain ProductArea = "domain"
)

// GroupNames says how groups are called.
type GroupNames string

// The choices.
const (
	// GroupNamesDisplay is the display name that people gave a group, the default; of groups that share one, and where there is none, the name.
	GroupNamesDisplay GroupNames = "display_name"
	// GroupNamesName is the name in references.
	GroupNamesName GroupNames = "name"
)

// Collector reads one Backstage. It implements collectors.Collector, collectors.Checker, collectors.Cataloger and
// collectors.Forecaster.
type Collector struct {
	*platform.Base
	config                                Config
	warnings                              warnings
	trustTier, crownJewel, internetFacing field
}

// New checks the configuration; it reads neither Backstage nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	base, err := platform.New(env, platform.Options{
		Kind: kindName, URL: config.URL, Example: "https://backstage.example.com",
		Key: "token", Credential: config.Token, Auth: apiclient.Bearer(config.Token),
		Requests: config.Requests, Pages: platform.Pages{Default: 500, Most: 10_000},
	})
	if err != nil {
		return nil, err
	}
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("backstage: %w", err)
	}
	config.setDefaults()
	c := &Collector{Base: base, config: config}
	for _, f := range []struct {
		name string
		from Field
		into *field
		flag bool
	}{
		{"trust_tier", config.TrustTier, &c.trustTier, false},
		{"crown_jewel", config.CrownJewel, &c.crownJewel, true},
		{"internet_facing", config.InternetFacing, &c.internetFacing, true},
	} {
		compiled, err := newField(f.name, f.from, f.flag)
		if err != nil {
			return nil, fmt.Errorf("backstage: %s: %w", f.name, err)
		}
		*f.into = compiled
	}
	return c, nil
}

func (c *Config) validate() error {
	for key, words := range map[string][]string{"types": c.Types, "namespaces": c.Namespaces, "business_unit_types": c.BusinessUnitTypes} {
		for _, word := range words {
			// A comma would end a condition of a filter and start another one.
			if word == "" || strings.ContainsAny(word, ",=") {
				return fmt.Errorf("%s: %q is no single word of Backstage", key, word)
			}
		}
	}
	switch c.ProductArea {
	case "", ProductAreaSystem, ProductAreaDomain:
	default:
		return fmt.Errorf("product_area: %q is neither %s nor %s", c.ProductArea, ProductAreaSystem, ProductAreaDomain)
	}
	for key, host := range map[string]string{"github_host": c.GitHubHost, "gitlab_host": c.GitLabHost} {
		if strings.ContainsAny(host, "/ ") {
			return fmt.Errorf("%s: %q is not a host such as git.example.com", key, host)
		}
	}
	if host, organisation, ok := strings.Cut(c.AzureOrganization, "/"); c.AzureOrganization != "" && (!ok || host == "" || organisation == "" || strings.ContainsAny(c.AzureOrganization, ": ")) {
		return fmt.Errorf("azure_organization: %q is not a host and organisation such as dev.azure.com/acme", c.AzureOrganization)
	}
	switch c.GroupNames {
	case "", GroupNamesDisplay, GroupNamesName:
	default:
		return fmt.Errorf("group_names: %q is neither %s nor %s", c.GroupNames, GroupNamesDisplay, GroupNamesName)
	}
	return nil
}

func (c *Config) setDefaults() {
	if len(c.Types) == 0 {
		c.Types = []string{defaultType}
	}
	if c.GitHubHost == "" {
		c.GitHubHost = defaultHost
	}
	if c.GitLabHost == "" {
		c.GitLabHost = defaultGitLab
	}
	if len(c.BusinessUnitTypes) == 0 {
		c.BusinessUnitTypes = []string{defaultUnit}
	}
	if c.ProductArea == "" {
		c.ProductArea = ProductAreaSystem
	}
	c.Common = c.Or(defaults())
}

func defaults() collectors.Common {
	return collectors.Common{
		Interval: collectors.Duration(15 * time.Minute), FullInterval: collectors.Duration(15 * time.Minute),
		StaleAfter: collectors.Duration(7 * 24 * time.Hour), Timeout: collectors.Duration(10 * time.Minute),
	}
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name: kindName, Summary: "services, owners, business units, tiers, exposure and repositories from Backstage's catalog",
		Defaults: defaults(), New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads the catalog whole. Cursors are not used: Backstage cannot be asked for what changed, and a group that moved changes
// services that did not.
func (c *Collector) Collect(ctx context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
	defer c.Source.Begin()()
	b, _ := c.read(ctx)
	return collectors.Emitter(ctx, kindName, emit)(b)
}

// read is the catalog as a batch, and how many groups were visible.
func (c *Collector) read(ctx context.Context) (b record.Batch, groups int) {
	found, err := c.entities(ctx)
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read the catalog of Backstage: %w", translate.Needs(err, readPermission))), 0
	}
	services, err := c.services(found)
	if err != nil {
		return translate.Failed(scope, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the catalog of Backstage: %w", err)}), 0
	}
	return record.Batch{Scope: scope, Mode: record.Full, Services: services, Rejected: found.rejected}, len(found.groups)
}

// Check reads the catalog once, because only the whole of it shows duplicates and cycles; that takes a handful of requests.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	b, groups := c.read(ctx)
	result := collectors.CheckResult{
		Subject: "components of type " + strings.Join(c.config.Types, ", "), Err: b.Err,
		Unknown: "owners, tiers, exposure and repositories of services; everything is unattributed",
	}
	if b.Err == nil && len(b.Services) == 0 {
		result.Err = &record.Error{Reason: record.ReasonNotFound, Err: errors.New("the token sees no such component; see types, namespaces and the token's accessRestrictions")}
	}
	results := []collectors.CheckResult{result}
	if b.Err == nil {
		seen := collectors.CheckResult{Subject: "groups", Unknown: "business units of services"}
		if groups == 0 {
			seen.Err = &record.Error{Reason: record.ReasonNotFound, Err: errors.New("the token sees no group; see whether the organisation's groups are ingested")}
		}
		results = append(results, seen)
	}
	return results, ctx.Err()
}

// Describes is true: that is all that it does.
func (*Collector) Describes() bool { return true }

// Catalog reads the services whole.
func (c *Collector) Catalog(ctx context.Context) ([]record.Service, error) {
	b, _ := c.read(ctx)
	return b.Services, b.Err
}

// Forecast estimates the requests per hour; Backstage states no budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	return map[string]float64{"": c.Source.PerHour(c.config.Interval.Std(), 10)}
}

// oneOf reports whether a word is in a list, without regard to case, as Backstage's own filters compare.
func oneOf(word string, list []string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return strings.EqualFold(w, word) })
}
