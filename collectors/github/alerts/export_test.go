package alerts

import (
	"encoding/json"

	"prodsec_exporter/internal/record"
)

// What the tests of this package look into.
const (
	Overlap     = overlap
	ScanHorizon = scanHorizon
)

// Decode turns an alert into a finding.
func (c *Collector) Decode(kind Kind, item json.RawMessage) (record.Finding, error) {
	for _, source := range c.alertSources() {
		if source.kind == kind {
			return source.decode(c, item)
		}
	}
	panic("no such kind")
}
