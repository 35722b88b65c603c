package catalog

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

var (
	testNow     = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	testWritten = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	testSource  = source{name: "catalog:services.yml", written: testWritten, now: testNow}
)

const wholeCatalog = `
services:
  - name: payments-api
    renamed_from: [payments, payments-api, pay]
    business_unit: Payments
    team: core-payments
    trust_tier: tier0
    product_area: Checkout
    lifecycle: production
    crown_jewel: true
    internet_facing: false
    repositories:
      - Acme/Payments-API
      - name: git@git.example.com:acme/mono.git
        paths: ["services/pay/**", libs/money]
    facts: {platform: kubernetes, "support": "24x7"}
    controls:
      threat_model: {holds: true, date: 2026-03-01, url: "https://wiki.example.com/tm"}
      logging: true
      rollback: {holds: false}
  - name: quiet
`

func TestParse(t *testing.T) {
	got, err := parse([]byte(wholeCatalog), testSource)
	if err != nil {
		t.Fatal(err)
	}
	wantServices := []record.Service{
		{
			Name: "payments-api", RenamedFrom: []string{"payments", "pay"}, BusinessUnit: "Payments", Team: "core-payments", TrustTier: "tier0", ProductArea: "Checkout",
			Lifecycle: "production", CrownJewel: record.AnswerYes, InternetFacing: record.AnswerNo,
			Repositories: []record.RepositoryPath{
				{Repository: "acme/payments-api"},
				{Repository: "git.example.com/acme/mono", Paths: []string{"services/pay/**", "libs/money"}},
			},
			Facts: map[string]string{"platform": "kubernetes", "support": "24x7"},
		},
		{Name: "quiet"},
	}
	if d := cmp.Diff(wantServices, got.services); d != "" {
		t.Errorf("services (-want +got):\n%s", d)
	}
	evidence := func(control string, holds record.Answer, at time.Time, url string) record.Evidence {
		return record.Evidence{
			ID: "payments-api/" + control, Control: control, Service: "payments-api", Holds: holds, ProducedAt: at,
			Source: "catalog:services.yml", URL: url,
		}
	}
	wantEvidence := []record.Evidence{
		evidence("logging", record.AnswerYes, testWritten, ""),
		evidence("rollback", record.AnswerNo, testWritten, ""),
		evidence("threat_model", record.AnswerYes, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "https://wiki.example.com/tm"),
	}
	if d := cmp.Diff(wantEvidence, got.evidence); d != "" {
		t.Errorf("evidence (-want +got):\n%s", d)
	}
}

func TestParseEmptyListSaysThereAreNone(t *testing.T) {
	got, err := parse([]byte("services: []\n"), testSource)
	if err != nil {
		t.Fatal(err)
	}
	if got.services == nil || got.evidence == nil {
		t.Error("an empty catalog must speak of services and evidence: want empty slices, got nil")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want []string // parts of the message
	}{
		"empty file":            {"", []string{"line 1", "empty", `"services"`}},
		"no services key":       {"services:\n", []string{"missing or empty"}},
		"list at top":           {"- name: a\n", []string{"line 1", "a list"}},
		"second document":       {"services: []\n---\nservices: []\n", []string{"line 3", "second document"}},
		"unknown top key":       {"servcies: []\n", []string{"line 1", "servcies"}},
		"unknown service key":   {"services:\n  - name: a\n    teem: x\n", []string{"line 3", "teem", "README"}},
		"unknown control key":   {"services:\n  - name: a\n    controls:\n      l: {holds: true, when: x}\n", []string{"line 4", "when"}},
		"unknown repo key":      {"services:\n  - name: a\n    repositories:\n      - {name: a/b, path: x}\n", []string{"line 4", "path"}},
		"repeated key":          {"services:\n  - name: a\n    name: b\n", []string{"line 3", "name"}},
		"syntax":                {"services:\n  - name: [a\n", []string{"line"}},
		"no name":               {"services:\n  - team: x\n", []string{"line 2", "no name"}},
		"empty name":            {"services:\n  - name: \"\"\n", []string{"line 2", "empty"}},
		"null name":             {"services:\n  - name:\n", []string{"no name"}},
		"number for text":       {"services:\n  - name: a\n    team: 7\n", []string{"line 3", "number", "quotes"}},
		"yes for boolean":       {"services:\n  - name: a\n    crown_jewel: yes\n", []string{"line 3", "true or false"}},
		"spaces around":         {"services:\n  - name: \" a\"\n", []string{"line 2", "space"}},
		"line break in name":    {"services:\n  - name: \"a\\nb\"\n", []string{"line 2", "control characters"}},
		"too long":              {"services:\n  - name: " + strings.Repeat("a", 600) + "\n", []string{"line 2", "512"}},
		"reserved":              {"services:\n  - name: unattributed\n", []string{"line 2", "reserved"}},
		"reserved other":        {"services:\n  - name: other\n", []string{"line 2", "reserved"}},
		"duplicate":             {"services:\n  - name: pay\n  - name: Pay\n", []string{"line 3", "line 2", `"Pay"`}},
		"bad repository":        {"services:\n  - name: a\n    repositories: [nonsense]\n", []string{"line 3", "nonsense", "owner/name"}},
		"repository twice":      {"services:\n  - name: a\n    repositories: [x/y, {name: X/Y, paths: [a]}]\n", []string{"line 3", "x/y", "twice"}},
		"two defaults":          {"services:\n  - name: a\n    repositories: [x/y]\n  - name: b\n    repositories: [x/y]\n", []string{"line 5", `"a"`, `"b"`, "x/y", "paths"}},
		"absolute path":         {"services:\n  - name: a\n    repositories: [{name: x/y, paths: [/etc]}]\n", []string{"line 3", "relative"}},
		"path above":            {"services:\n  - name: a\n    repositories: [{name: x/y, paths: [a/../../b]}]\n", []string{"line 3", "relative"}},
		"bad glob":              {"services:\n  - name: a\n    repositories: [{name: x/y, paths: [\"a[\"]}]\n", []string{"line 3", "glob"}},
		"control without word":  {"services:\n  - name: a\n    controls: {l: {date: 2026-01-01}}\n", []string{"line 3", "holds"}},
		"control null":          {"services:\n  - name: a\n    controls:\n      l:\n", []string{"says nothing"}},
		"fact that is a number": {"services:\n  - name: a\n    facts: {level: 7}\n", []string{"line 3", "want text"}},
		"fact without value":    {"services:\n  - name: a\n    facts:\n      level:\n", []string{"level", "no value"}},
		"fact with space":       {"services:\n  - name: a\n    facts: {level: \" high\"}\n", []string{"line 3", "space around it"}},
		"bad date":              {"services:\n  - name: a\n    controls: {l: {holds: true, date: 01.03.2026}}\n", []string{"line 3", "2026-03-01"}},
		"future date":           {"services:\n  - name: a\n    controls: {l: {holds: true, date: 2027-01-01}}\n", []string{"line 3", "future"}},
		"bad url":               {"services:\n  - name: a\n    controls: {l: {holds: true, url: javascript:x}}\n", []string{"line 3", "link"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse([]byte(tt.file), testSource)
			if err == nil {
				t.Fatalf("parse accepted it: %+v", got)
			}
			if got != nil {
				t.Errorf("parse returned half a catalog with the error: %+v", got)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
		})
	}
}

func TestParseNamesEveryProblemOfAFile(t *testing.T) {
	_, err := parse([]byte("services:\n  - name: a\n  - name: a\n  - name: other\n"), testSource)
	if err == nil || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("want both line 3 and line 4 named, got %v", err)
	}
	_, err = parse([]byte("services:\n"+strings.Repeat("  - name: a\n", 500)), testSource)
	if err == nil || strings.Count(err.Error(), "\n") > maxErrors+1 {
		t.Errorf("want at most %d problems named, got %v", maxErrors, err)
	}
}

// TestSchemaMatchesStructs fails when a key is in the format and not in the editors' schema, or the other way round.
func TestSchemaMatchesStructs(t *testing.T) {
	data, err := os.ReadFile("catalog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Additional any                        `json:"additionalProperties"`
		Required   []string                   `json:"required"`
		Properties map[string]json.RawMessage `json:"properties"`
		OneOf      []json.RawMessage          `json:"oneOf"`
	}
	var root struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	mapping := func(o object) object {
		var m object
		if err := json.Unmarshal(o.OneOf[1], &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tt := range []struct {
		of     reflect.Type
		schema object
	}{
		{reflect.TypeFor[document](), root.object},
		{reflect.TypeFor[serviceEntry](), root.Defs["service"]},
		{reflect.TypeFor[repositoryEntry](), mapping(root.Defs["repository"])},
		{reflect.TypeFor[controlEntry](), mapping(root.Defs["control"])},
	} {
		var want, got []string
		for i := range tt.of.NumField() {
			if tag := tt.of.Field(i).Tag.Get("yaml"); tag != "" {
				want = append(want, tag)
			}
		}
		for key := range tt.schema.Properties {
			got = append(got, key)
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: keys of the struct (-) and of the schema (+):\n%s", tt.of, d)
		}
		if tt.schema.Additional != false {
			t.Errorf("%s: the schema must refuse unknown keys as the parser does", tt.of)
		}
		for _, key := range tt.schema.Required {
			if !slices.Contains(want, key) {
				t.Errorf("%s: the schema requires %q, which does not exist", tt.of, key)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(wholeCatalog))
	f.Add([]byte("services: []"))
	f.Add([]byte("services:\n- &a {name: x}\n- *a\n"))
	f.Add([]byte("services:\n- {name: x, repositories: [{name: a/b, paths: [\"\"]}], controls: {\"\": true}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse(data, testSource)
		if (got == nil) == (err == nil) {
			t.Fatalf("want a catalog or an error, got %v and %v", got, err)
		}
		if err != nil {
			return
		}
		for _, s := range got.services {
			if s.Name == "" || record.Text(s.Name) != s.Name {
				t.Errorf("service name %q is not fit for a label", s.Name)
			}
			for _, r := range s.Repositories {
				if again, err := record.ParseRepository(string(r.Repository)); err != nil || again != r.Repository {
					t.Errorf("repository %q is not canonical: %q, %v", r.Repository, again, err)
				}
			}
		}
		for _, e := range got.evidence {
			if !e.Holds.Known() || e.Control == "" {
				t.Errorf("evidence says nothing: %+v", e)
			}
		}
	})
}
