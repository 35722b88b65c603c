package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/config"
)

var update = flag.Bool("update", false, "write generated files instead of comparing them")

const (
	examplePath = "../../prodsec.example.yml"
	schemaPath  = "../../prodsec.schema.json"
)

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var privateKey = regexp.MustCompile(`private_key: \{file: \S+\}`)

// planOf loads a configuration and builds its collectors. A GitHub App's key is the one secret that is read that early; the test has
// one of its own.
func planOf(t *testing.T, name string, data []byte) (plan, error) {
	t.Helper()
	if privateKey.Match(data) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
		path := put(t, filepath.Join(t.TempDir(), "app.pem"), string(text))
		data = privateKey.ReplaceAll(data, []byte("private_key: {file: "+path+"}"))
	}
	return newTelemetry(slog.New(slog.DiscardHandler), time.Now).plan(func() (*config.Config, error) { return config.Load(name, data, kinds()) })
}

func TestExampleLoads(t *testing.T) {
	p, err := planOf(t, "prodsec.example.yml", readFile(t, examplePath))
	if err != nil {
		t.Fatal(err)
	}
	configured := map[string]bool{}
	for _, b := range p.built {
		configured[b.Kind.Name] = true
	}
	for _, k := range kinds() {
		if !configured[k.Name] {
			t.Errorf("the example has no %s", k.Name)
		}
	}
}

// TestSchemaIsGenerated also proves that the example explains every key there is: the descriptions are its comments.
func TestSchemaIsGenerated(t *testing.T) {
	schema, err := config.Schema(kinds(), readFile(t, examplePath))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), readFile(t, schemaPath)) {
		t.Error("prodsec.schema.json differs from what the code says; run: make generate")
	}
}

// TestSchemaAgreesWithTheDecoder holds the schema against the example and against each mistake that it should notice.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(readFile(t, schemaPath)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(data []byte) error {
		var value any
		if err := yaml.Unmarshal(data, &value); err != nil {
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
		return schema.Validate(instance)
	}
	example := readFile(t, examplePath)
	if err := validate(example); err != nil {
		t.Errorf("the schema refuses the example: %v", err)
	}
	for _, replace := range [][2]string{
		{"evaluation_interval: 1m", "evaluation_intervall: 1m"},
		{"evaluation_interval: 1m", "evaluation_interval: soon"},
		{"attainment_target: 0.9", "attainment_target: most"},
		{"severity: high, within: 30d", "severity: urgent, within: 30d"},
		{"organizations: [acme]", "organizations: acme"},
		{"  github:\n", "  gitbub:\n"},
		{"    - name: acme-labs\n      organizations", "    - organizations"},
		{"token: {file: /run/secrets/semgrep-token}", "token: secret"},
	} {
		wrong := strings.Replace(string(example), replace[0], replace[1], 1)
		if wrong == string(example) {
			t.Errorf("the example does not hold %q", replace[0])
			continue
		}
		if err := validate([]byte(wrong)); err == nil {
			t.Errorf("the schema accepts %q", replace[1])
		}
		if _, err := planOf(t, "wrong.yml", []byte(wrong)); err == nil {
			t.Errorf("the decoder accepts %q", replace[1])
		}
	}
}

// TestSnippetsLoad loads each configuration that the documentation shows.
func TestSnippetsLoad(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../collectors/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	snippets := 0
	for _, path := range documents {
		rest := string(readFile(t, path))
		for {
			_, after, ok := strings.Cut(rest, "```yaml\n")
			if !ok {
				break
			}
			snippet, remaining, _ := strings.Cut(after, "```")
			rest = remaining
			if !strings.HasPrefix(snippet, "collectors:") && !strings.Contains(snippet, "\ncollectors:") {
				continue
			}
			snippets++
			if _, err := planOf(t, path, []byte(snippet)); err != nil {
				t.Errorf("%v", err)
			}
		}
	}
	if snippets < 5 {
		t.Errorf("found %d configurations in the documentation, want at least 5", snippets)
	}
}

// TestDocumentedDefaults holds the table of kinds in docs/configuration.md against the kinds.
func TestDocumentedDefaults(t *testing.T) {
	document := string(readFile(t, "../../docs/configuration.md"))
	for _, k := range kinds() {
		d := k.Defaults
		row := fmt.Sprintf("| [`%s`](../collectors/%s/README.md) | %s, %s, %s, %s |", k.Name, k.Name, d.Interval, d.FullInterval, d.StaleAfter, d.Timeout)
		if !strings.Contains(document, row) {
			t.Errorf("docs/configuration.md lacks the row\n%s", row)
		}
	}
}
