package inventory

import (
	"encoding/json"

	"prodsec_exporter/internal/record"
)

// Decode turns an item of the list of repositories into a record.
func (c *Inventory) Decode(item json.RawMessage) (record.Repository, error) {
	r, _, _, err := c.repositoryRecord(item)
	return r, err
}
