package inventory

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"prodsec_exporter/collectors/github/api"
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

// readProperties reads the custom properties of all repositories in an organisation.
func (c *Inventory) readProperties(ctx context.Context, org string) record.Batch {
	b := record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Cursor: c.ReadAt()}
	rejected := map[record.RejectReason]int{}
	seen := map[record.RepositoryName]bool{}
	names := c.namesOf(org)
	_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/properties/values", url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			r, err := c.properties(item, names)
			switch {
			case err != nil:
				rejected[api.RejectReasonOf(err)]++
			case !seen[r.Name]:
				seen[r.Name] = true
				b.Repositories = append(b.Repositories, r)
			}
		}
		return true
	})
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, propertiesPermission)}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	return b
}

// properties are those of one repository as a record; several values become one text, sorted and separated by commas.
func (c *Inventory) properties(item json.RawMessage, names map[string]record.RepositoryName) (record.Repository, error) {
	name, values, err := c.propertyValues(item, names)
	if err != nil {
		return record.Repository{}, err
	}
	r := record.Repository{Name: name, Properties: map[string]string{}}
	for property, value := range values {
		if text := record.Text(strings.Join(value, ",")); text != "" {
			r.Properties[record.Text(property)] = text
		}
	}
	return r, nil
}

// propertyValues are the values of a repository's properties by their names.
func (c *Inventory) propertyValues(item json.RawMessage, names map[string]record.RepositoryName) (record.RepositoryName, map[string]propertyValue, error) {
	var p repositoryProperties
	if err := json.Unmarshal(item, &p); err != nil {
		return "", nil, err
	}
	name, ok := names[strings.ToLower(p.FullName)]
	if !ok {
		var err error
		if name, err = c.API.RepositoryName("", p.FullName); err != nil {
			return "", nil, api.Reject(record.RejectNoID, err)
		}
	}
	if err := c.Selected(name, p.FullName); err != nil {
		return "", nil, err
	}
	values := make(map[string]propertyValue, len(p.Properties))
	for _, property := range p.Properties {
		values[property.Name] = property.Value
	}
	return name, values, nil
}

// namesOf are the names of an organisation's repositories by what paths of the API call them, in lower case: an answer without an address for people does not
// say on which host they are known.
func (c *Inventory) namesOf(org string) map[string]record.RepositoryName {
	names := map[string]record.RepositoryName{}
	for _, r := range c.Repositories(org) {
		names[strings.ToLower(r.FullName)] = r.Name
	}
	return names
}
