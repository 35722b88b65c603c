package inventory

import (
	"context"
	"encoding/json"
	"net/url"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

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
