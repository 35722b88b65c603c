package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/record"
)

var secretFile = regexp.MustCompile(`/run/secrets/[\w.-]+`)

// TestEveryCollectorTakesHTTPClient: whatever kind of collector asks over HTTP does so by the proxy of its http_client. The sources are those of the example, which
// do not exist.
func TestEveryCollectorTakesHTTPClient(t *testing.T) {
	asked := make(chan struct{}, 1000)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	secret := put(t, filepath.Join(t.TempDir(), "secret"), "not-a-secret-of-anybody")
	text := secretFile.ReplaceAllString(string(readFile(t, examplePath)), secret)
	for _, name := range regexp.MustCompile(`env: (\w+)`).FindAllStringSubmatch(text, -1) {
		t.Setenv(name[1], "not-a-secret-of-anybody")
	}
	p, err := planOf(t, "example", withProxy(t, text, proxy.URL))
	if err != nil {
		t.Fatal(err)
	}
	through := map[string]bool{}
	for _, b := range p.built {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.Collector.Collect(ctx, nil, func(record.Batch) error { return nil }) // nothing can be read, of course
		}()
		select {
		case <-asked:
			through[b.Kind.Name] = true
		case <-ended:
		case <-time.After(5 * time.Second):
		}
		cancel()
		<-ended
		for len(asked) > 0 {
			<-asked
		}
	}
	for _, k := range kinds() {
		if !through[k.Name] {
			t.Errorf("%s asks past its proxy, or not at all", k.Name)
		}
	}
}

// withProxy are the collectors of a configuration, each with the same http_client, but for Apps, whose keys are read when they are made.
func withProxy(t *testing.T, text, proxy string) []byte {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	for _, instances := range document["collectors"].(map[string]any) {
		for _, instance := range instances.([]any) {
			section := instance.(map[string]any)
			if app, ok := section["app"].(map[string]any); ok {
				delete(section, "app")
				section["token"] = app["private_key"]
			}
			delete(section, "credential_expires") // of which this writes a time
			section["http_client"] = map[string]any{"proxy_url": proxy}
		}
	}
	data, err := yaml.Marshal(map[string]any{"collectors": document["collectors"]})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHTTPClientMistakes: each is told with its place, and none shows a password.
func TestHTTPClientMistakes(t *testing.T) {
	const section = "collectors:\n  exploited:\n    - name: a\n      kev: {url: https://kev.example/list.json}\n      http_client: %s\n"
	for settings, want := range map[string]string{
		`{proxy_url: "ftp://u:hunter22@proxy"}`:                     "f.yml:5:32: collectors.exploited[0].http_client.proxy_url: must be an address",
		`{tls_config: {min_version: SSL3}}`:                         "collectors.exploited[0].http_client.tls_config: min_version",
		`{tls_config: {cert_file: a.pem}}`:                          "collectors.exploited[0].http_client.tls_config: exactly one of key",
		`{bearer_token: x}`:                                         "collectors.exploited[0].http_client.bearer_token: unknown key",
		`{proxy_connect_header: {Proxy-Authorization: [hunter22]}}`: "collectors.exploited[0].http_client.proxy_connect_header.Proxy-Authorization[0]: a secret is never written into this file",
	} {
		_, err := newTelemetry(slog.New(slog.DiscardHandler), time.Now).plan(func() (*config.Config, error) {
			return config.Load("f.yml", fmt.Appendf(nil, section, settings), kinds())
		})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: got %v, want %s", settings, err, want)
		}
	}
}
