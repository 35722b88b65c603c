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

// ClassOfTool is the class of what a tool uploads to code scanning.
func ClassOfTool(tool string) record.Class { return classOfTool(tool) }

// Decode turns an alert into a finding.
func (c *Collector) Decode(kind Kind, item json.RawMessage) (record.Finding, error) {
	for _, source := range alertSources() {
		if source.kind == kind {
			return source.decode(c, item)
		}
	}
	panic("no such kind")
}
