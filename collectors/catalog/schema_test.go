package catalog

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// schema is the published description of catalog files.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("catalog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("catalog.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("catalog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// inSchema says whether an editor would be content with a file.
func inSchema(t *testing.T, s *jsonschema.Schema, file string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(file), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(instance)
}

// TestSchemaAgreesWithTheParser: what the editor accepts the exporter reads, and what is wrong in form neither does.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	s := schema(t)
	for name, tt := range map[string]struct {
		file string
		good bool
	}{
		"empty list":  {"services: []", true},
		"name alone":  {"services: [{name: a}]", true},
		"everything":  {`services: [{name: a, business_unit: b, team: t, trust_tier: tier0, product_area: p, lifecycle: production, crown_jewel: true, internet_facing: false}]`, true},
		"repository":  {`services: [{name: a, repositories: [x/y, {name: github.example.com/x/z, paths: ["services/a/**"]}]}]`, true},
		"controls":    {`services: [{name: a, controls: {logging: true, threat_model: {holds: false, date: "2026-03-01", url: "https://wiki.example.com/x"}}}]`, true},
		"facts":       {"services: [{name: a, facts: {platform: kubernetes}}]", true},
		"no services": {"{}", false},
		"no list":     {"services: {}", false},
		"unknown key": {"services: [{name: a, teem: x}]", false}, "unknown key above": {"services: []\nmore: 1", false},
		"no name": {"services: [{team: x}]", false}, "empty name": {`services: [{name: ""}]`, false},
		"number": {"services: [{name: a, team: 7}]", false}, "spaces": {`services: [{name: " a"}]`, false},
		"yes": {`services: [{name: a, crown_jewel: "yes"}]`, false}, "repository without name": {"services: [{name: a, repositories: [{paths: [x]}]}]", false},
		"control without word": {`services: [{name: a, controls: {l: {date: "2026-01-01"}}}]`, false}, "control as text": {`services: [{name: a, controls: {l: "true"}}]`, false},
		"link that is none": {`services: [{name: a, controls: {l: {holds: true, url: "javascript:x"}}}]`, false},
		"fact as number":    {"services: [{name: a, facts: {level: 7}}]", false},
	} {
		_, parsed := parse([]byte(tt.file), testSource)
		described := inSchema(t, s, tt.file)
		if (parsed == nil) != tt.good || (described == nil) != tt.good {
			t.Errorf("%s: the parser says %v and the schema %v, want both good: %t", name, parsed, described, tt.good)
		}
	}
}
