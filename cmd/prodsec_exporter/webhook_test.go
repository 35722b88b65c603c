package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/web"
)

// deliver sends a delivery as GitHub does and returns the status of the answer.
func (r *running) deliver(path, id, secret string, body []byte) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "dependabot_alert")
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // Read to its end.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode
}

// TestDeliveryMakesItsScopeBeReadSoon runs the program before a GitHub that is polled once an hour and says that something changed.
func TestDeliveryMakesItsScopeBeReadSoon(t *testing.T) {
	t.Parallel()
	updates := make(chan string, 100)
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sort") == "updated" {
			updates <- r.URL.Path
		}
		if !strings.HasSuffix(r.URL.Path, "/alerts") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		const alert = `[{"number":1,"state":"open","html_url":"https://github.com/acme/api/security/dependabot/1","created_at":"2026-01-02T03:04:05Z",` +
			`"updated_at":"2026-02-01T00:00:00Z","repository":{"full_name":"acme/api","html_url":"https://github.com/acme/api"}}]`
		_, _ = io.WriteString(w, alert)
	}))
	defer source.Close()
	dir := t.TempDir()
	secret := put(t, filepath.Join(dir, "secret"), "correct horse")
	file := put(t, filepath.Join(dir, "prodsec.yml"), fmt.Sprintf(`collectors:
  github:
    - name: acme
      url: %s
      organizations: [acme]
      token: {file: %[2]s}
      webhook: {secret: {file: %[2]s}}
      alerts: [dependabot, secret_scanning]
      manifests: false
      interval: 1h
      stale_after: 6h
    - name: deaf
      url: %[1]s
      organizations: [acme]
      token: {file: %[2]s}
      manifests: false
      interval: 1h
`, source.URL, secret))
	r := run(t, "--config.file="+file, "--ledger.path="+filepath.Join(dir, "ledger.db"))
	r.until("/-/ready", "is ready", true)
	body := []byte(`{"action":"created","organization":{"login":"acme"}}`)
	const path = "/-/webhook/github/acme"
	for _, tt := range []struct {
		path, id, secret string
		body             []byte
		want             int
	}{
		{path, "1", "correct horse", body, http.StatusAccepted},
		{path, "1", "correct horse", body, http.StatusAccepted}, // the same again
		{path, "9", "correct horse", body, http.StatusAccepted}, // and under an id that somebody made up
		{path, "2", "battery staple", body, http.StatusUnauthorized},
		{path, "3", "correct horse", []byte("{"), http.StatusBadRequest},
		{path, "4", "correct horse", []byte(`{"organization":{"login":"elsewhere"}}`), http.StatusAccepted},
		{path, "5", "correct horse", bytes.Repeat([]byte(" "), 2<<20), http.StatusRequestEntityTooLarge},
		{"/-/webhook/github/deaf", "6", "correct horse", body, http.StatusNotFound},
		{"/-/webhook/github/nobody", "7", "correct horse", body, http.StatusNotFound},
		{"/-/webhook/jira/acme", "8", "correct horse", body, http.StatusNotFound},
	} {
		if got := r.deliver(tt.path, tt.id, tt.secret, tt.body); got != tt.want {
			t.Errorf("delivery %s to %s is answered %d, want %d", tt.id, tt.path, got, tt.want)
		}
	}
	select {
	case asked := <-updates:
		if asked != "/orgs/acme/dependabot/alerts" {
			t.Errorf("%s was read, want what the delivery was about", asked)
		}
	case <-time.After(time.Minute):
		t.Error("nothing was read")
	}
	_, metrics := r.ask(http.MethodGet, "/metrics")
	for _, want := range []struct {
		result web.DeliveryResult
		n      int
	}{
		{web.DeliveryAccepted, 1}, {web.DeliveryDuplicate, 2}, {web.DeliveryForged, 1}, {web.DeliveryMalformed, 1}, {web.DeliveryIgnored, 1},
		{web.DeliveryTooLarge, 1}, {web.DeliveryFailed, 0},
	} {
		if line := fmt.Sprintf(`prodsec_webhook_deliveries_total{collector="github",instance_name="acme",result=%q} %d`, want.result, want.n); !strings.Contains(metrics, line) {
			t.Errorf("no line %s", line)
		}
	}
	if strings.Contains(metrics, `prodsec_webhook_deliveries_total{collector="github",instance_name="deaf"`) {
		t.Error("deliveries are counted for an instance that takes none")
	}
	if strings.Contains(r.log.String(), "correct horse") {
		t.Error("the log holds the secret")
	}
}

func TestDeliveriesAreRememberedUpToABound(t *testing.T) {
	var d deliveries
	of := func(body string) digest { return sha256.Sum256([]byte(body)) }
	for n := range rememberedDeliveries + 10 {
		if d.before(of(fmt.Sprint(n))) {
			t.Fatalf("delivery %d is new and counts as known", n)
		}
	}
	for _, tt := range []struct {
		id   string
		want bool
	}{{"10", true}, {"11", true}, {fmt.Sprint(rememberedDeliveries + 9), true}, {"9", false}, {"9", true}, {"10", false}} {
		if got := d.before(of(tt.id)); got != tt.want {
			t.Errorf("delivery %q is known: %t, want %t", tt.id, got, tt.want)
		}
	}
	if len(d.seen) != rememberedDeliveries || len(d.order) != rememberedDeliveries {
		t.Errorf("%d and %d are remembered, want %d", len(d.seen), len(d.order), rememberedDeliveries)
	}
}
