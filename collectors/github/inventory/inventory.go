// Package inventory reads which repositories an organisation has: their list, their custom properties (also as a catalog of services), and the environments
// of one repository. What it learned is shared by all parts, as is the vocabulary of settings and tools in which parts write about repositories.
//
// It may import api and part, and no part that uses it.
//
// A further fact about every repository that the list of an organisation holds goes into repositories.go. A further setting is a constant in settings.go and a
// row in README.md.
package inventory

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// The first parts of the names of scopes.
const (
	scopeRepositories = "repositories"
	scopeProperties   = "properties"
	scopeCatalog      = "catalog"
)

// Config is the part of the configuration about the inventory.
type Config struct {
	// Repositories says which repositories count; false switches their list off, which scopes of single repositories need. All by default.
	Repositories Selection `yaml:"repositories,omitempty"`
	// Properties switches custom properties; on by default.
	Properties bool `yaml:"properties"`
	// Catalog makes custom properties a catalog of services; off unless it names the property of the service.
	Catalog Catalog `yaml:"catalog,omitempty"`
}

// Default reads all but a catalog.
func Default() Config { return Config{Repositories: everyRepository(), Properties: true} }

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate() error {
	if err := c.Repositories.validate(); err != nil {
		return err
	}
	return c.Catalog.validate()
}

// Inventory reads the inventory and answers questions about it.
type Inventory struct {
	part.Env
	config Config
	state  *part.State[organisation]
}

var _ part.Collector = (*Inventory)(nil)

// organisation is what is known of an organisation.
type organisation struct {
	archived map[record.RepositoryName]bool
	// repositories are in the order of their names; nil until they were listed.
	repositories []api.Repository
	// count is the number of repositories that the largest reading met, with which forecasts reckon.
	count int
	// left are the repositories that the configuration leaves out, and why.
	left map[record.RepositoryName]Leaving
	// failure is why the list could not be read.
	failure error
}

// New makes a collector that knows nothing yet.
func New(config Config, env part.Env) *Inventory {
	return &Inventory{Env: env, config: config, state: part.NewState(func() organisation { return organisation{} })}
}

// Listed reports whether the configuration asks for the list of repositories.
func (c *Inventory) Listed() bool { return !c.config.Repositories.off }

// Repositories are those of an organisation as they were listed last, in the order of their names; nil until they were.
func (c *Inventory) Repositories(org string) (list []api.Repository) {
	c.state.With(org, func(o *organisation) { list = o.repositories })
	return list
}

// Repository is one of them, the zero value if it was not listed.
func (c *Inventory) Repository(org string, name record.RepositoryName) api.Repository {
	for _, r := range c.Repositories(org) {
		if r.Name == name {
			return r
		}
	}
	return api.Repository{}
}

// Archived says of each repository that was listed last whether it is archived; nil until they were.
func (c *Inventory) Archived(org string) (archived map[record.RepositoryName]bool) {
	c.state.With(org, func(o *organisation) { archived = o.archived })
	return archived
}

// Saw notes that a reading met so many repositories, for forecasts where the list is not read.
func (c *Inventory) Saw(org string, repositories int) {
	c.state.With(org, func(o *organisation) { o.count = max(o.count, repositories) })
}

// Pages is how many pages of a size the repositories of an organisation fill, at least one.
func (c *Inventory) Pages(org string, size float64) float64 {
	count := 0
	c.state.With(org, func(o *organisation) { count = o.count })
	return max(1, math.Ceil(float64(count)/size))
}

// LivePages is how many pages of a size the repositories that are not archived fill, at least one; all where they were not listed.
func (c *Inventory) LivePages(org string, size float64) float64 {
	list := c.Repositories(org)
	if list == nil {
		return c.Pages(org, size)
	}
	live := 0
	for i := range list {
		if !list[i].Archived {
			live++
		}
	}
	return max(1, math.Ceil(float64(live)/size))
}

// Catalog makes custom properties of repositories a catalog of services: it names the properties that hold each fact.
type Catalog struct {
	// Service is the property that names the services whose code a repository holds. Without it there is no catalog.
	Service string `yaml:"service,omitempty"`
	// The properties that hold facts about these services.
	Team         string `yaml:"team,omitempty"`
	BusinessUnit string `yaml:"business_unit,omitempty"`
	ProductArea  string `yaml:"product_area,omitempty"`
	Lifecycle    string `yaml:"lifecycle,omitempty"`
	// Those whose words may need a translation.
	TrustTier      Fact `yaml:"trust_tier,omitempty"`
	CrownJewel     Fact `yaml:"crown_jewel,omitempty"`
	InternetFacing Fact `yaml:"internet_facing,omitempty"`
}

// Fact is a property and what its values mean.
type Fact struct {
	Property string `yaml:"property,omitempty"`
	// Values translates, without regard to case, into a trust tier or into yes and no.
	Values map[string]string `yaml:"values,omitempty"`
}

func (c *Catalog) validate() error {
	if c.Service == "" {
		if c.Team != "" || c.BusinessUnit != "" || c.ProductArea != "" || c.Lifecycle != "" || c.TrustTier.Property+c.CrownJewel.Property+c.InternetFacing.Property != "" {
			return errors.New("catalog.service is missing: name the custom property that holds a repository's service")
		}
		return nil
	}
	for key, fact := range map[string]*Fact{"trust_tier": &c.TrustTier, "crown_jewel": &c.CrownJewel, "internet_facing": &c.InternetFacing} {
		if fact.Property == "" && len(fact.Values) > 0 {
			return fmt.Errorf("catalog.%s.values translate nothing: name the property", key)
		}
		for word, meaning := range fact.Values {
			if key != "trust_tier" && !yesOrNo[strings.ToLower(meaning)].Known() {
				return fmt.Errorf("catalog.%s.values: %q must mean \"yes\" or \"no\", not %q", key, word, meaning)
			}
		}
	}
	return nil
}

// yesOrNo are the words for answers; GitHub writes true and false.
var yesOrNo = map[string]record.Answer{"true": record.AnswerYes, "yes": record.AnswerYes, "false": record.AnswerNo, "no": record.AnswerNo}

// reservedServices are the names of what no catalog claims, and of what was folded.
var reservedServices = []string{record.Unattributed, "other"}
