package semgrep

import (
	"encoding/json"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

const toolName = "semgrep"

// reading is a report that is being read.
type reading struct {
	format Format
	into   *format.Report
	found  map[record.Class]bool
	// listed says that there is a list of results; results counts those about security.
	listed  bool
	results int
	errors  []runError
	// paths are the files that were scanned, nil where the report does not say.
	paths struct {
		Scanned stream.List `json:"scanned"`
	}
	saysPaths bool
}

// runError is something that went wrong. Semgrep goes on after it, exits well and writes its report.
type runError struct {
	Level stream.Text     `json:"level"`
	Type  json.RawMessage `json:"type"` // a word, or a list that begins with one
	Path  stream.Text     `json:"path"`
}

// Format reads the JSON that the Semgrep command writes.
type Format struct {
	// Quality takes in what is not about security, which is left out and counted otherwise.
	Quality bool
}
