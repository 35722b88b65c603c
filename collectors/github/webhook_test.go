package github_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

const webhookSecret = "It's a Secret to Everybody" //nolint:gosec // Not a credential.

func mac(algorithm func() hash.Hash, secret, body string) string {
	m := hmac.New(algorithm, []byte(secret))
	m.Write([]byte(body))
	return hex.EncodeToString(m.Sum(nil))
}

func deliveryHeader(event, secret, body string) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	h.Set("X-Hub-Signature-256", "sha256="+mac(sha256.New, secret, body))
	return h
}

func withWebhook(t *testing.T) func(*github.Config) {
	return func(c *github.Config) {
		*c = githubtest.PostureOn(*c)
		c.Trust = github.Default().Trust
		c.Webhook.Secret = collectorstest.Secret(t, webhookSecret)
	}
}

const acmePayload = `{"action":"created","organization":{"login":"Acme"},"repository":{"full_name":"Acme/API","owner":{"login":"Acme"}},"alert":{"number":1}}`

func TestOnlySHA256WithTheSecretProvesADelivery(t *testing.T) {
	c, _, _ := githubtest.Setup(t, withWebhook(t))
	good := deliveryHeader("dependabot_alert", webhookSecret, acmePayload)
	without := func(change func(http.Header)) http.Header {
		h := good.Clone()
		change(h)
		return h
	}
	sha1OfIt := mac(sha1.New, webhookSecret, acmePayload)
	for _, tt := range []struct {
		name   string
		header http.Header
		body   string
		forged bool
	}{
		{"signed", good, acmePayload, false},
		{"upper case digits", without(func(h http.Header) {
			h.Set("X-Hub-Signature-256", "sha256="+strings.ToUpper(strings.TrimPrefix(h.Get("X-Hub-Signature-256"), "sha256=")))
		}), acmePayload, false},
		{"unsigned", without(func(h http.Header) { h.Del("X-Hub-Signature-256") }), acmePayload, true},
		{"another body", good, acmePayload + " ", true},
		{"another secret", deliveryHeader("dependabot_alert", "guess", acmePayload), acmePayload, true},
		{"an empty secret", deliveryHeader("dependabot_alert", "", acmePayload), acmePayload, true},
		{"SHA-1 in its own header", without(func(h http.Header) { h.Del("X-Hub-Signature-256"); h.Set("X-Hub-Signature", "sha1="+sha1OfIt) }), acmePayload, true},
		{"SHA-1 in the header of the other", without(func(h http.Header) { h.Set("X-Hub-Signature-256", "sha1="+sha1OfIt) }), acmePayload, true},
		{"no prefix", without(func(h http.Header) {
			h.Set("X-Hub-Signature-256", strings.TrimPrefix(h.Get("X-Hub-Signature-256"), "sha256="))
		}), acmePayload, true},
		{"half a signature", without(func(h http.Header) { h.Set("X-Hub-Signature-256", h.Get("X-Hub-Signature-256")[:30]) }), acmePayload, true},
		{"no signature after the prefix", without(func(h http.Header) { h.Set("X-Hub-Signature-256", "sha256=") }), acmePayload, true},
	} {
		hint, err := c.Hint(tt.header, []byte(tt.body))
		if forged := errors.Is(err, collectors.ErrHintForged); forged != tt.forged || (err == nil) == tt.forged {
			t.Errorf("%s: error %v, want forged %t", tt.name, err, tt.forged)
		}
		if !tt.forged && !slices.Equal(hint.Scopes, []string{"dependabot:acme"}) {
			t.Errorf("%s: hint = %+v", tt.name, hint)
		}
	}
}

// TestSignatureOfTheDocumentation checks the vector that GitHub's documentation gives.
func TestSignatureOfTheDocumentation(t *testing.T) {
	const want = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if !github.Signed(want, webhookSecret, []byte("Hello, World!")) {
		t.Error("the documented signature is refused")
	}
}

func TestDeliveriesConcernScopes(t *testing.T) {
	c, _, _ := githubtest.Setup(t, withWebhook(t))
	for _, tt := range []struct {
		event, body string
		want        []string
	}{
		{"code_scanning_alert", acmePayload, []string{"code_scanning:acme", "scanning:acme/api"}},
		{"secret_scanning_alert", acmePayload, []string{"secret_scanning:acme"}},
		{"branch_protection_rule", acmePayload, []string{"protection:acme"}},
		{"repository_ruleset", `{"organization":{"login":"acme"}}`, []string{"protection:acme"}},
		{"repository", `{"repository":{"full_name":"acme/new","owner":{"login":"acme"}}}`, []string{"repositories:acme"}},
		{"custom_property_values", acmePayload, []string{"properties:acme"}},
		{"release", acmePayload, []string{"releases:acme"}},
		{"ping", acmePayload, nil},
		{"star", acmePayload, nil},
		{"", acmePayload, nil},
		{"dependabot_alert", `{"organization":{"login":"other"}}`, nil},
		{"dependabot_alert", `{}`, nil},
	} {
		hint, err := c.Hint(deliveryHeader(tt.event, webhookSecret, tt.body), []byte(tt.body))
		if err != nil || !slices.Equal(hint.Scopes, tt.want) {
			t.Errorf("%s of %s concerns %v, error %v, want %v", tt.event, tt.body, hint.Scopes, err, tt.want)
		}
	}
	few, _, _ := githubtest.Setup(t, func(c *github.Config) {
		c.Alerts.Kinds, c.Webhook.Secret = []alerts.Kind{alerts.SecretScanning}, collectorstest.Secret(t, webhookSecret)
	})
	if hint, err := few.Hint(deliveryHeader("dependabot_alert", webhookSecret, acmePayload), []byte(acmePayload)); err != nil || hint.Scopes != nil {
		t.Errorf("a kind of alert that is not read gives the hint %+v, error %v", hint, err)
	}
}

func TestFormsAndWhatIsNoDelivery(t *testing.T) {
	c, _, _ := githubtest.Setup(t, withWebhook(t))
	form := "payload=" + url.QueryEscape(acmePayload)
	header := deliveryHeader("dependabot_alert", webhookSecret, form)
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	if hint, err := c.Hint(header, []byte(form)); err != nil || len(hint.Scopes) != 1 {
		t.Errorf("a form gives %+v, error %v", hint, err)
	}
	for name, tt := range map[string]struct{ contentType, body string }{
		"no JSON": {"application/json", "hello"}, "a list": {"application/json", "[]"}, "nothing": {"application/json", ""},
		"another type": {"text/plain", acmePayload}, "no type": {"", acmePayload}, "a form without payload": {"application/x-www-form-urlencoded", "a=b"},
	} {
		header := deliveryHeader("dependabot_alert", webhookSecret, tt.body)
		header.Set("Content-Type", tt.contentType)
		if _, err := c.Hint(header, []byte(tt.body)); !errors.Is(err, collectors.ErrHintMalformed) {
			t.Errorf("%s: error %v, want malformed", name, err)
		}
	}
}

func TestWebhookNeedsASecret(t *testing.T) {
	off, _, _ := githubtest.Setup(t, nil)
	if off.TakesHints() {
		t.Error("hints are taken without a secret")
	}
	path := collectorstest.Secret(t, webhookSecret)
	c, _, _ := githubtest.Setup(t, func(c *github.Config) { c.Webhook.Secret = path })
	if err := os.WriteFile(path.File, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := c.Hint(deliveryHeader("dependabot_alert", "", acmePayload), []byte(acmePayload))
	if err == nil || errors.Is(err, collectors.ErrHintForged) || !strings.Contains(err.Error(), "empty") {
		t.Errorf("with an empty secret a delivery ends as %v, want that the secret is empty", err)
	}
	cfg := githubtest.Configuration("https://api.github.com", path)
	cfg.Webhook.Secret = apiclient.Secret{File: "a", Env: "B"}
	if _, err := github.New(cfg, collectors.Env{}); err == nil || !strings.Contains(err.Error(), "webhook.secret") {
		t.Errorf("github.New() = %v, want a complaint about webhook.secret", err)
	}
}

func TestCollectScopesReadsNothingElse(t *testing.T) {
	_, c, s, clock := githubtest.Posture(t, nil, nil) // everything was read a moment ago, so nothing is due
	s.Forget()
	cursors := collectors.Cursors{"dependabot:acme": "2026-01-01T00:00:00Z", "protection:acme": record.Cursor(clock.Now().Format(time.RFC3339))}
	var read []string
	err := c.CollectScopes(t.Context(), []string{"protection:acme", "dependabot:acme", "scanning:acme/api", "scanning:acme/gone", "other:acme"}, cursors,
		func(b record.Batch) error {
			read = append(read, b.Scope+" "+string(b.Mode))
			return b.Err
		})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"dependabot:acme delta", "protection:acme full", "scanning:acme/api full"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	for _, r := range s.Requests() {
		if r.Path == "/orgs/acme/repos" || strings.Contains(r.Path, "secret-scanning") {
			t.Errorf("%s was asked for", r.Path)
		}
	}
}

func FuzzWebhook(f *testing.F) {
	f.Add("dependabot_alert", "application/json", acmePayload)
	f.Add("repository", "application/x-www-form-urlencoded", "payload="+url.QueryEscape(acmePayload))
	f.Add("ping", "text/html", "<html>")
	f.Add("code_scanning_alert", "application/json; charset=utf-8", `{"organization":null,"repository":{"full_name":7}}`)
	secret := apiclient.Secret{Env: "PRODSEC_FUZZ_WEBHOOK"}
	f.Setenv(secret.Env, webhookSecret)
	cfg := githubtest.PostureOn(githubtest.Configuration("http://localhost", secret))
	cfg.Webhook.Secret = secret
	c, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event, contentType, body string) {
		header := deliveryHeader(event, webhookSecret, body)
		header.Set("Content-Type", contentType)
		hint, err := c.Hint(header, []byte(body))
		if err != nil && !errors.Is(err, collectors.ErrHintMalformed) {
			t.Fatalf("error %v of a signed delivery", err)
		}
		for _, scope := range hint.Scopes {
			if !strings.Contains(scope, ":acme") && !strings.Contains(scope, "/") {
				t.Errorf("scope %q is of no configured organisation", scope)
			}
		}
		if _, err := c.Hint(deliveryHeader(event, "wrong", body), []byte(body)); !errors.Is(err, collectors.ErrHintForged) {
			t.Errorf("a forged delivery ends as %v", err)
		}
	})
}
