package catalog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

type nobody struct{}

func (nobody) Requested(int, bool)                {}
func (nobody) Budget(string, int, int, time.Time) {}

func testEnv() collectors.Env {
	return collectors.Env{Logger: slog.New(slog.DiscardHandler), Observer: nobody{}, Now: func() time.Time { return testNow }}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, testWritten, testWritten); err != nil {
		t.Fatal(err)
	}
	return path
}

func collect(t *testing.T, config Config) ([]record.Batch, error) {
	t.Helper()
	c, err := New(config, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	var batches []record.Batch
	err = c.Collect(t.Context(), nil, func(b record.Batch) error {
		batches = append(batches, b)
		return nil
	})
	return batches, err
}

func TestCollectFile(t *testing.T) {
	path := write(t, t.TempDir(), "services.yml", wholeCatalog)
	batches, err := collect(t, Config{Path: path})
	if err != nil || len(batches) != 1 {
		t.Fatalf("got %d batches and error %v, want 1 and none", len(batches), err)
	}
	b := batches[0]
	if b.Scope != "catalog:services.yml" || b.Mode != record.Full || b.Err != nil || len(b.Services) != 2 || len(b.Evidence) != 3 {
		t.Errorf("got %+v", b)
	}
	if got := b.Evidence[0].ProducedAt; !got.Equal(testWritten) {
		t.Errorf("undated evidence is dated %v, want the file's time %v", got, testWritten)
	}
	again, err := collect(t, Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(batches, again); d != "" {
		t.Errorf("two readings of one file differ:\n%s", d)
	}
}

func TestCollectKeepsScopesApart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/services.yml", "services: [{name: a, repositories: [x/y]}]")
	write(t, dir, "b/services.yml", "services: [{name: b, repositories: [x/y]}]")
	write(t, dir, "c/services.yml", "services: [{name: A}]")
	write(t, dir, "d/services.yml", "servcies: []")
	write(t, dir, "e/services.yml", "services: [{name: e, repositories: [{name: x/y, paths: [e]}]}]")
	batches, err := collect(t, Config{Path: filepath.Join(dir, "*", "services.yml")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{ // parts of the error by scope; none for a good one
		"catalog:a/services.yml": nil,
		"catalog:b/services.yml": {"b/services.yml", "line 1", "x/y", "a/services.yml"},
		"catalog:c/services.yml": {`"A"`, "a/services.yml"},
		"catalog:d/services.yml": {"d/services.yml", "line 1", "servcies"},
		"catalog:e/services.yml": nil,
	}
	if len(batches) != len(want) {
		t.Fatalf("got %d batches, want %d", len(batches), len(want))
	}
	for _, b := range batches {
		parts, known := want[b.Scope]
		switch {
		case !known:
			t.Errorf("unexpected scope %q", b.Scope)
		case parts == nil && (b.Err != nil || len(b.Services) != 1):
			t.Errorf("%s: got error %v and %d services", b.Scope, b.Err, len(b.Services))
		case parts != nil && record.ReasonOf(b.Err) != record.ReasonDecode:
			t.Errorf("%s: got error %v, want a decode error", b.Scope, b.Err)
		}
		for _, part := range parts {
			if b.Err == nil || !strings.Contains(b.Err.Error(), part) {
				t.Errorf("%s: error %v does not contain %q", b.Scope, b.Err, part)
			}
		}
	}
}

func TestCollectMissing(t *testing.T) {
	dir := t.TempDir()
	batches, err := collect(t, Config{Path: filepath.Join(dir, "none.yml")})
	if err != nil || len(batches) != 1 || record.ReasonOf(batches[0].Err) != record.ReasonNotFound {
		t.Errorf("missing file: got %+v, %v; want one batch that fails with not_found", batches, err)
	}
	if _, err := collect(t, Config{Path: filepath.Join(dir, "*.yml")}); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("glob without match: got %v, want not_found", err)
	}
}

func send(w io.Writer, text string) { _, _ = io.WriteString(w, text) } // a client that left is the test's own doing

func TestCollectURL(t *testing.T) {
	const token = "s3cr3t-t0ken"
	secret := write(t, t.TempDir(), "token", token+"\n")
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		reason record.ErrorReason // empty: it works
		dated  time.Time
	}{
		"with time": {answer: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+token || r.URL.RequestURI() != "/raw/services.yml?at=main" {
				http.Error(w, "wrong request", http.StatusBadRequest)
				return
			}
			w.Header().Set("Last-Modified", testWritten.Format(http.TimeFormat))
			send(w, wholeCatalog)
		}, dated: testWritten},
		"without time": {answer: func(w http.ResponseWriter, _ *http.Request) { send(w, wholeCatalog) }},
		"unauthorized": {answer: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusUnauthorized) }, reason: record.ReasonUnauthorized},
		"not found":    {answer: http.NotFound, reason: record.ReasonNotFound},
		"sign-in page": {answer: func(w http.ResponseWriter, _ *http.Request) { send(w, "<html>sign in</html>") }, reason: record.ReasonDecode},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			batches, err := collect(t, Config{URL: server.URL + "/raw/services.yml?at=main", Token: apiclient.Secret{File: secret}})
			if err != nil || len(batches) != 1 {
				t.Fatalf("got %d batches, %v", len(batches), err)
			}
			b := batches[0]
			if want := "catalog:" + strings.TrimPrefix(server.URL, "http://"); b.Scope != want {
				t.Errorf("scope %q, want %q", b.Scope, want)
			}
			if tt.reason != "" {
				if record.ReasonOf(b.Err) != tt.reason || strings.Contains(b.Err.Error(), token) {
					t.Errorf("got %v, want reason %s and no token", b.Err, tt.reason)
				}
				return
			}
			if b.Err != nil || len(b.Services) != 2 || !b.Evidence[0].ProducedAt.Equal(tt.dated) {
				t.Errorf("got %+v", b)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]Config{
		"nothing":        {},
		"both":           {Path: "a.yml", URL: "https://x/y"},
		"token for path": {Path: "a.yml", Token: apiclient.Secret{Env: "T"}},
		"bad glob":       {Path: "a[.yml"},
		"relative url":   {URL: "services.yml"},
		"ftp":            {URL: "ftp://host/x"},
		"password":       {URL: "https://user:hunter2@host/x"},
		"two secrets":    {URL: "https://host/x", Token: apiclient.Secret{Env: "T", File: "f"}},
	} {
		if c, err := New(config, testEnv()); err == nil || c != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, %v; want an error without the password", name, c, err)
		}
	}
}

func TestCollectStops(t *testing.T) {
	path := write(t, t.TempDir(), "services.yml", wholeCatalog)
	c, err := New(Config{Path: path}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Collect(ctx, nil, func(record.Batch) error { return nil }); record.ReasonOf(err) != record.ReasonCanceled {
		t.Errorf("after cancel: got %v", err)
	}
	refusal := fmt.Errorf("disk full")
	if err := c.Collect(t.Context(), nil, func(record.Batch) error { return refusal }); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("emit failed: got %v", err)
	}
}

// TestFileThatLeaves: a file that the pattern no longer matches is retired; while nothing matches, nobody knows what left.
func TestFileThatLeaves(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yml", "services: [{name: a}]")
	c, err := New(Config{Path: filepath.Join(dir, "*.yml")}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	known := collectors.Cursors{"catalog:a.yml": "", "catalog:b.yml": ""}
	batches, err := collectorstest.Gather(t.Context(), c, known)
	if err != nil || len(batches) != 2 || batches["catalog:a.yml"].Retired || !batches["catalog:b.yml"].Retired {
		t.Errorf("got %+v, %v; want the file that is gone retired", batches, err)
	}
	if err := os.Remove(filepath.Join(dir, "a.yml")); err != nil {
		t.Fatal(err)
	}
	if batches, err := collectorstest.Gather(t.Context(), c, known); err == nil || len(batches) > 0 {
		t.Errorf("nothing matches: %+v, %v; want an error alone", batches, err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yml", wholeCatalog)
	write(t, dir, "b.yml", "x: 1")
	c, err := New(Config{Path: filepath.Join(dir, "*.yml")}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 2 || results[0].Err != nil || results[1].Err == nil || results[1].Unknown == "" {
		t.Errorf("got %+v, %v", results, err)
	}
}

// section decodes as the configuration file does.
type section []byte

func (s section) Decode(into any) error { return yaml.UnmarshalWithOptions(s, into, yaml.Strict()) }

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestReadme decodes the README's samples strictly: the configuration and the file.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := yamlBlock.FindAllSubmatch(readme, -1)
	if len(blocks) != 2 {
		t.Fatalf("README.md has %d YAML samples, want the configuration and the file", len(blocks))
	}
	var sample struct {
		Collectors struct {
			Catalog []any `yaml:"catalog"`
		} `yaml:"collectors"`
	}
	if err := yaml.UnmarshalWithOptions(blocks[0][1], &sample, yaml.Strict()); err != nil {
		t.Fatalf("sample configuration: %v", err)
	}
	for i, instance := range sample.Collectors.Catalog {
		text, err := yaml.Marshal(instance)
		if err != nil {
			t.Fatal(err)
		}
		collector, common, err := Kind().New(section(text), testEnv())
		if err != nil || collector == nil || common.Name == "" {
			t.Errorf("sample %d: got %v, %+v, %v", i, collector, common, err)
		}
	}
	if len(sample.Collectors.Catalog) == 0 {
		t.Error("the sample configures no catalog")
	}
	if got, err := parse(blocks[1][1], testSource); err != nil || len(got.services) == 0 {
		t.Errorf("sample file: %v", err)
	}
	if _, _, err := Kind().New(section("name: x\npath: a.yml\npaht: b"), testEnv()); err == nil {
		t.Error("an unknown key in the configuration was accepted")
	}
}
