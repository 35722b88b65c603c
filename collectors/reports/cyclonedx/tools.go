package cyclonedx

import (
	"encoding/json"

	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// toolNames are the tools that made a document: a list until version 1.4, an object with components since.
type toolNames []stream.Text

// UnmarshalJSON never fails on valid JSON.
func (t *toolNames) UnmarshalJSON(data []byte) error {
	type tool struct {
		Name stream.Text `json:"name"`
	}
	var (
		list    []tool
		current struct {
			Components []tool `json:"components"`
		}
	)
	*t = nil
	if json.Unmarshal(data, &list) != nil && json.Unmarshal(data, &current) == nil {
		list = current.Components
	}
	for _, named := range list {
		*t = append(*t, named.Name)
	}
	return nil
}

// name is the first tool that is known, else the first.
func (t toolNames) name() string {
	for _, name := range t {
		if tool := record.ToolNamed(string(name)); tool.Class != "" {
			return tool.Name
		}
	}
	if len(t) > 0 {
		return record.ToolNamed(string(t[0])).Name
	}
	return "cyclonedx"
}
