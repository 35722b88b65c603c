package defectdojo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// Selection chooses findings. Of each list that is set, one value has to fit.
type Selection struct {
	// ProductTypes are names of product types, and ProductTags tags of products.
	ProductTypes []string `yaml:"product_types,omitempty"`
	ProductTags  []string `yaml:"product_tags,omitempty"`
	// Branches are branches of tests or engagements. What was found in none is read, too.
	Branches []string `yaml:"branches,omitempty"`
	// FindingTags are tags of findings.
	FindingTags []string `yaml:"finding_tags,omitempty"`
	// VerifiedOnly leaves out what nobody has verified.
	VerifiedOnly bool `yaml:"verified_only,omitempty"`
}

// ServiceSource is something that may name the service of a finding.
type ServiceSource string

// The sources of a service.
const (
	// ServiceFromFinding is the field "service" of a finding.
	ServiceFromFinding ServiceSource = "finding_service"
	// ServiceFromTag is a tag of the finding, else of its product.
	ServiceFromTag ServiceSource = "tag"
	// ServiceFromProduct and ServiceFromProductType are the names of its product and of that one's type.
	ServiceFromProduct     ServiceSource = "product"
	ServiceFromProductType ServiceSource = "product_type"
)

func serviceSources() []ServiceSource {
	return []ServiceSource{ServiceFromFinding, ServiceFromTag, ServiceFromProduct, ServiceFromProductType}
}

// settle fills in the defaults. The error begins with the key.
func (c *Config) settle() error {
	for _, from := range c.ServiceFrom {
		if !slices.Contains(serviceSources(), from) {
			return fmt.Errorf("service_from: %q is none of %v", from, serviceSources())
		}
	}
	if len(c.ServiceFrom) == 0 {
		c.ServiceFrom = []ServiceSource{ServiceFromProduct}
	}
	c.ServiceTag, c.RepositoryTag = cmp.Or(c.ServiceTag, "service:"), cmp.Or(c.RepositoryTag, "repository:")
	return nil
}

// folded makes names equal that differ in case or white space.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// product is a product and the scope it is read as.
type product struct {
	ID   int64       `json:"id"`
	Name string      `json:"name"`
	Tags []string    `json:"tags"`
	Type productType `json:"prod_type"`

	scope string
}

// productType is a product type: a number in the list of products, and whole beside findings.
type productType struct {
	ID   int64
	Name string
}

// UnmarshalJSON reads both forms; anything else is none.
func (t *productType) UnmarshalJSON(data []byte) error {
	*t = productType{}
	if json.Unmarshal(data, &t.ID) == nil {
		return nil
	}
	var whole struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if json.Unmarshal(data, &whole) == nil {
		t.ID, t.Name = whole.ID, whole.Name
	}
	return nil
}

// listProducts lists the selected products, those first that were read whole the longest ago, so that a sweep that ran out of time goes on where it
// ended; else in the order of their numbers.
func (c *Collector) listProducts(ctx context.Context) ([]product, error) {
	found, err := list(ctx, c.Base, query[product]{path: "api/v2/products/", values: url.Values{"o": {"id"}}})
	if err != nil {
		return nil, err
	}
	if found.rejected > 0 {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%d products cannot be understood", found.rejected)}
	}
	types := map[int64]string{}
	if len(c.config.Select.ProductTypes) > 0 || slices.Contains(c.config.ServiceFrom, ServiceFromProductType) {
		if types, err = c.productTypes(ctx); err != nil {
			return nil, err
		}
	}
	products := found.items
	slices.SortFunc(products, func(a, b product) int { return cmp.Compare(a.ID, b.ID) })
	taken := map[string]bool{}
	selected := products[:0:0]
	c.unselected = map[string]bool{}
	for _, p := range products {
		key := record.Text(p.Name)
		if taken[key] { // names that differ in white space alone
			key = fmt.Sprintf("%s #%d", key, p.ID)
		}
		taken[key] = true
		p.scope = scopeProduct + ":" + key
		p.Type.Name = cmp.Or(p.Type.Name, types[p.Type.ID])
		if !c.config.Select.wantsProduct(&p) {
			c.unselected[key] = true
			continue
		}
		selected = append(selected, p)
	}
	slices.SortStableFunc(selected, func(a, b product) int { return c.swept[a.ID].Compare(c.swept[b.ID]) })
	return selected, nil
}

// productTypes are the names of product types by number.
func (c *Collector) productTypes(ctx context.Context) (map[int64]string, error) {
	found, err := list(ctx, c.Base, query[product]{path: "api/v2/product_types/"})
	if err != nil {
		return nil, fmt.Errorf("list product types: %w", err)
	}
	if found.rejected > 0 {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: errors.New("a product type cannot be understood")}
	}
	types := map[int64]string{}
	for _, t := range found.items {
		types[t.ID] = t.Name
	}
	return types, nil
}

// oneOf reports whether a list is not set or shares a value with another one.
func oneOf(wanted []string, values ...string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return folded(v) == folded(w) })
	})
}

func (s *Selection) wantsProduct(p *product) bool {
	return oneOf(s.ProductTypes, p.Type.Name) && oneOf(s.ProductTags, p.Tags...)
}

func (s *Selection) wants(f *finding) bool {
	branch := f.branch()
	return (!s.VerifiedOnly || f.Verified) && oneOf(s.FindingTags, f.Tags...) && (branch == "" || oneOf(s.Branches, branch))
}

// branch is where the finding was found: its test's, else its engagement's.
func (f *finding) branch() string {
	return cmp.Or(f.Related.Test.Branch, f.Related.Test.Engagement.Branch)
}

// targetOf is what a finding of a product belongs to; f is nil for what is about the product alone.
func (c *Collector) targetOf(p product, f *finding) target {
	t := c.products[folded(p.Name)]
	tags := p.Tags
	if f != nil {
		tags = append(slices.Clone(f.Tags), p.Tags...)
	}
	for _, from := range c.config.ServiceFrom {
		if t.service != "" {
			break
		}
		switch from {
		case ServiceFromFinding:
			if f != nil {
				t.service = record.Text(f.Service)
			}
		case ServiceFromTag:
			t.service = record.Text(tagged(tags, c.config.ServiceTag))
		case ServiceFromProduct:
			t.service = record.Text(p.Name)
		case ServiceFromProductType:
			t.service = record.Text(p.Type.Name)
		}
	}
	if t.repository == "" {
		if name, err := record.ParseRepository(tagged(tags, c.config.RepositoryTag)); err == nil {
			t.repository = name
		}
	}
	return t
}

// tagged is what follows the beginning of the first tag that has it.
func tagged(tags []string, prefix string) string {
	for _, tag := range tags {
		if len(tag) > len(prefix) && strings.EqualFold(tag[:len(prefix)], prefix) {
			return strings.TrimSpace(tag[len(prefix):])
		}
	}
	return ""
}
