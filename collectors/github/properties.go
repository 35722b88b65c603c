package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// propertiesPermission is what reading custom properties needs.
const propertiesPermission = "organization_custom_properties=read"

// repositoryProperties are the custom properties of a repository.
type repositoryProperties struct {
	FullName   string `json:"repository_full_name"`
	Properties []struct {
		Name  string        `json:"property_name"`
		Value propertyValue `json:"value"`
	} `json:"properties"`
}

// propertyValue is null, a text, or the list of a property with several values, which become one text, sorted and separated by commas.
type propertyValue string

// UnmarshalJSON reads any form of value. A boolean or number, which GitHub does not send today, becomes its text.
func (v *propertyValue) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
		*v = ""
	case []any:
		texts := make([]string, len(value))
		for i, item := range value {
			texts[i] = fmt.Sprint(item)
		}
		slices.Sort(texts)
		*v = propertyValue(strings.Join(texts, ","))
	case map[string]any:
		return fmt.Errorf("a property's value is an object")
	default:
		*v = propertyValue(fmt.Sprint(value))
	}
	return nil
}

// readProperties reads the custom properties of all repositories in an organisation.
func (c *Collector) readProperties(ctx context.Context, org string) record.Batch {
	b := record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.readAt()}
	rejected := map[record.RejectReason]int{}
	seen := map[record.RepositoryName]bool{}
	names := c.namesOf(org)
	_, err := c.api.pages(ctx, "orgs/"+url.PathEscape(org)+"/properties/values", url.Values{"per_page": {pageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			r, err := c.properties(item, names)
			switch {
			case err != nil:
				rejected[reasonOf(err)]++
			case !seen[r.Name]:
				seen[r.Name] = true
				b.Repositories = append(b.Repositories, r)
			}
		}
		return true
	})
	if err != nil {
		return record.Batch{Err: scopeError(err, propertiesPermission)}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	return b
}

func (c *Collector) properties(item json.RawMessage, names map[string]record.RepositoryName) (record.Repository, error) {
	var p repositoryProperties
	if err := json.Unmarshal(item, &p); err != nil {
		return record.Repository{}, err
	}
	name, ok := names[strings.ToLower(p.FullName)]
	if !ok {
		var err error
		if name, err = c.repositoryName("", p.FullName); err != nil {
			return record.Repository{}, rejection{record.RejectNoID, err}
		}
	}
	r := record.Repository{Name: name, Properties: map[string]string{}}
	for _, property := range p.Properties {
		if value := record.Text(string(property.Value)); value != "" {
			r.Properties[record.Text(property.Name)] = value
		}
	}
	return r, nil
}

// namesOf are the names of an organisation's repositories by what paths of the API call them, in lower case: an answer without an address for people does not
// say on which host they are known.
func (c *Collector) namesOf(org string) map[string]record.RepositoryName {
	names := map[string]record.RepositoryName{}
	c.remember(org, func(o *organisation) {
		for _, h := range o.heads {
			names[strings.ToLower(h.fullName)] = h.name
		}
	})
	return names
}
