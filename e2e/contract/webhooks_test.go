//go:build e2e

package contract

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/internal/web"
)

// octokitEvents are the events of @octokit/webhooks-examples that concern something that is read, and the kind of scope.
var octokitEvents = map[string]string{
	"dependabot_alert": "dependabot", "repository_vulnerability_alert": "dependabot", "code_scanning_alert": "code_scanning",
	"secret_scanning_alert": "secret_scanning", "secret_scanning_alert_location": "secret_scanning", "branch_protection_rule": "protection",
	"repository": "repositories", "release": "releases",
}

// examples is one kind of event with payloads that GitHub sent.
type examples struct {
	Name     string            `json:"name"`
	Examples []json.RawMessage `json:"examples"`
}

// mailbox passes deliveries to a collector and keeps what it makes of them.
type mailbox struct {
	collector *github.Collector
	hint      collectors.Hint
	result    web.DeliveryResult
}

func (m *mailbox) Refused(result web.DeliveryResult) { m.result = result }

func (m *mailbox) Receive(header http.Header, body []byte) web.DeliveryResult {
	var err error
	m.hint, err = m.collector.Hint(header, body)
	switch {
	case errors.Is(err, collectors.ErrHintForged):
		m.result = web.DeliveryForged
	case err != nil:
		m.result = web.DeliveryMalformed
	case len(m.hint.Scopes) == 0:
		m.result = web.DeliveryIgnored
	default:
		m.result = web.DeliveryAccepted
	}
	return m.result
}

// TestWebhooksExamples delivers every payload that @octokit/webhooks-examples has, signed, over HTTP.
func TestWebhooksExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(packages(t), "node_modules", "@octokit", "webhooks-examples", "*", "index.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	box := &mailbox{}
	server := httptest.NewServer(web.Handler(web.Options{Metrics: http.NotFoundHandler(), Receiver: func(string, string) web.Receiver { return box }}))
	defer server.Close()
	delivered, accepted := 0, map[string]int{}
	for _, file := range files {
		for _, event := range readExamples(t, file) {
			for n, payload := range event.Examples {
				what := fmt.Sprintf("%s %s[%d]", filepath.Base(filepath.Dir(file)), event.Name, n)
				org := organisationOf(payload)
				box.collector, box.result = webhookCollector(t, org), ""
				status := deliver(t, server, event.Name, payload)
				delivered++
				want := web.DeliveryIgnored
				if kind := octokitEvents[event.Name]; kind != "" && org != "" {
					want = web.DeliveryAccepted
					if !slices.Contains(box.hint.Scopes, kind+":"+strings.ToLower(org)) {
						t.Errorf("%s concerns %v", what, box.hint.Scopes)
					}
					accepted[event.Name]++
				}
				if box.result != want || status != http.StatusAccepted {
					t.Errorf("%s is %s with status %d, want %s", what, box.result, status, want)
				}
			}
		}
	}
	t.Logf("%d deliveries; accepted %v", delivered, accepted)
	if delivered < 329 || accepted["dependabot_alert"] < 3 || accepted["code_scanning_alert"] < 6 || accepted["secret_scanning_alert"] == 0 {
		t.Errorf("%d deliveries, accepted %v: fewer than there were", delivered, accepted)
	}
}

func readExamples(t *testing.T, file string) []examples {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []examples
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return list
}

// organisationOf is whose event it is, found without the collector's help.
func organisationOf(payload []byte) string {
	var p map[string]any
	if err := json.Unmarshal(payload, &p); err != nil {
		return ""
	}
	if o, ok := p["organization"].(map[string]any); ok && o["login"] != nil {
		return fmt.Sprint(o["login"])
	}
	r, _ := p["repository"].(map[string]any)
	owner, _ := r["owner"].(map[string]any)
	if owner["login"] == nil {
		return ""
	}
	return fmt.Sprint(owner["login"])
}

const exampleSecret = "example"

func webhookCollector(t *testing.T, org string) *github.Collector {
	t.Helper()
	if org == "" {
		org = "nobody"
	}
	config := github.Default()
	config.Name, config.Organizations, config.Token = "contract", []string{org}, collectorstest.Secret(t, "token")
	config.Webhook.Secret = collectorstest.Secret(t, exampleSecret)
	c, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func deliver(t *testing.T, server *httptest.Server, event string, payload []byte) int {
	t.Helper()
	var body bytes.Buffer
	if err := json.Compact(&body, payload); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(exampleSecret))
	mac.Write(body.Bytes())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/-/webhook/github/contract", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}
