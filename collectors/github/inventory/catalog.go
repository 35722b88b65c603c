package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

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

// Describes reports whether custom properties are a catalog here.
func (c *Inventory) Describes() bool { return c.config.Catalog.Service != "" }

// Services reads the services that the custom properties of an organisation's repositories describe. The error wraps a *record.Error.
func (c *Inventory) Services(ctx context.Context, org string) ([]record.Service, error) {
	b := c.readCatalog(ctx, org)
	return b.Services, b.Err
}

// readCatalog reads the services that the custom properties of an organisation's repositories describe.
func (c *Inventory) readCatalog(ctx context.Context, org string) record.Batch {
	found := &serviceTable{collector: c, byName: map[string]*record.Service{}, rejected: map[record.RejectReason]int{}}
	names := c.namesOf(org)
	seen := map[record.RepositoryName]bool{}
	_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/properties/values", url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			name, values, err := c.propertyValues(item, names)
			switch {
			case err != nil:
				found.rejected[api.RejectReasonOf(err)]++
			case !seen[name]:
				seen[name] = true
				found.rows = append(found.rows, propertyRow{name, values})
			}
		}
		return true
	})
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, propertiesPermission)}
	}
	b := record.Batch{Mode: record.Full, Services: found.services(), Cursor: c.ReadAt()}
	if len(found.rejected) > 0 {
		b.Rejected = found.rejected
	}
	return b
}

// propertyRow is a repository and what its properties say.
type propertyRow struct {
	repository record.RepositoryName
	values     map[string]propertyValue
}

// serviceTable makes services of repositories.
type serviceTable struct {
	collector *Inventory
	rows      []propertyRow
	byName    map[string]*record.Service
	rejected  map[record.RejectReason]int
}

// services are ordered by name. Repositories are taken in the order of their names, so that the order in which GitHub lists them makes no difference.
func (t *serviceTable) services() []record.Service {
	slices.SortFunc(t.rows, func(a, b propertyRow) int { return cmp.Compare(a.repository, b.repository) })
	for _, row := range t.rows {
		for _, name := range row.values[t.collector.config.Catalog.Service] {
			t.add(record.Text(name), row)
		}
	}
	services := make([]record.Service, 0, len(t.byName))
	for _, name := range slices.Sorted(maps.Keys(t.byName)) {
		services = append(services, *t.byName[name])
	}
	return services
}

// add takes up what one repository says about one of its services.
func (t *serviceTable) add(name string, row propertyRow) {
	if name == "" {
		return
	}
	folded := strings.ToLower(name)
	s := t.byName[folded]
	switch {
	case slices.Contains(reservedServices, folded):
		t.refuse(name, row, "the name is reserved for what no catalog claims")
		return
	case s != nil && s.Name != name:
		t.refuse(name, row, "another repository names the service "+s.Name)
		return
	case s == nil:
		s = &record.Service{Name: name}
		t.byName[folded] = s
	}
	s.Repositories = append(s.Repositories, record.RepositoryPath{Repository: row.repository})
	config := &t.collector.config.Catalog
	take := func(field record.ServiceField, into *string, values []string) {
		for _, value := range values {
			if value = record.Text(value); *into == "" {
				*into = value
			} else if value != "" && value != *into {
				s.Contradict(field, *into, value)
			}
		}
	}
	take(record.FieldTeam, &s.Team, row.values[config.Team])
	take(record.FieldBusinessUnit, &s.BusinessUnit, row.values[config.BusinessUnit])
	take(record.FieldProductArea, &s.ProductArea, row.values[config.ProductArea])
	take(record.FieldLifecycle, &s.Lifecycle, row.values[config.Lifecycle])
	take(record.FieldTrustTier, &s.TrustTier, config.TrustTier.texts(row.values))
	t.answer(s, record.FieldCrownJewel, &s.CrownJewel, &config.CrownJewel, row)
	t.answer(s, record.FieldInternetFacing, &s.InternetFacing, &config.InternetFacing, row)
}

// refuse leaves a name out, and says so.
func (t *serviceTable) refuse(name string, row propertyRow, why string) {
	t.rejected[record.RejectOutOfRange]++
	t.collector.Logger.Warn("A custom property names a service that is left out", "service", name, "repository", row.repository, "why", why)
}

// texts are the values of a fact in the organisation's words.
func (f *Fact) texts(values map[string]propertyValue) []string {
	texts := make([]string, 0, 1)
	for _, value := range values[f.Property] {
		if meaning, ok := f.meaning(value); ok {
			value = meaning
		}
		texts = append(texts, value)
	}
	return texts
}

func (f *Fact) meaning(value string) (string, bool) {
	for word, meaning := range f.Values {
		if strings.EqualFold(word, value) {
			return meaning, true
		}
	}
	return "", false
}

// answer takes up a yes or no. Where repositories of one service differ it is yes: what one of them exposes, the service exposes.
func (t *serviceTable) answer(s *record.Service, field record.ServiceField, into *record.Answer, f *Fact, row propertyRow) {
	for _, value := range f.texts(row.values) {
		answer, known := yesOrNo[strings.ToLower(value)]
		switch {
		case !known:
			t.collector.UnknownValue("custom property "+f.Property, value)
		case *into != record.AnswerUnknown && answer != *into:
			s.Contradict(field, string(record.AnswerYes), string(record.AnswerNo))
			*into = record.AnswerYes
		default:
			*into = answer
		}
	}
}
