package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

func teeBody(r *http.Request, to io.Writer) io.Reader { return io.TeeReader(r.Body, to) }

func newBody(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

func appKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// newApp makes a collector that signs in as an App before a GitHub Enterprise Server.
func newApp(t *testing.T, answer http.HandlerFunc) (*github.Collector, *collectorstest.Server) {
	t.Helper()
	s := collectorstest.NewServer(t)
	s.Handle("POST /api/v3/app/installations/42/access_tokens", answer)
	s.Handle("GET /api/v3/orgs/acme/repos", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "token ghs_installation") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		collectorstest.WriteJSON(w, collectorstest.Items(githubtest.RepositoryJSON("api", "")))
	})
	cfg := githubtest.Configuration(s.URL()+"/api/v3", apiclient.Secret{})
	cfg.App = api.App{ID: 7, InstallationID: 42, PrivateKey: collectorstest.Secret(t, appKey(t))}
	cfg.Alerts.Kinds, cfg.Protection.Branches = nil, false
	c, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func TestAppSignsIn(t *testing.T) {
	var calls atomic.Int32
	c, _ := newApp(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		parts := strings.Split(token, ".")
		if !ok || len(parts) != 3 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		claims, err := base64.RawURLEncoding.DecodeString(parts[1])
		var issuer struct {
			Issuer string `json:"iss"`
		}
		if err != nil || json.Unmarshal(claims, &issuer) != nil || issuer.Issuer != "7" {
			t.Errorf("claims %s, error %v; want the App's id", claims, err)
		}
		w.WriteHeader(http.StatusCreated)
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"token":"ghs_installation","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	})
	for range 3 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil || batches["repositories:acme"].Err != nil || len(batches["repositories:acme"].Repositories) != 1 {
			t.Fatalf("batches = %+v, error %v", batches, err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d tokens were asked for, want one for its hour", calls.Load())
	}
}

// TestAppTokensAreRenewed: a token that runs out is replaced, and what one token was answered is not taken for the answer to the next.
func TestAppTokensAreRenewed(t *testing.T) {
	var calls atomic.Int32
	c, s := newApp(t, func(w http.ResponseWriter, _ *http.Request) {
		left := time.Hour
		if calls.Add(1) == 1 {
			left = 10 * time.Second // about to run out
		}
		w.WriteHeader(http.StatusCreated)
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"token":"ghs_installation_%d","expires_at":%q}`, calls.Load(), time.Now().Add(left).Format(time.RFC3339)))
	})
	var asked []string
	s.Handle("GET /api/v3/orgs/acme/repos", func(w http.ResponseWriter, r *http.Request) {
		token, etag := r.Header.Get("Authorization"), fmt.Sprintf("%q", r.Header.Get("Authorization"))
		asked = append(asked, token+" "+r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		collectorstest.WriteJSON(w, collectorstest.Items(githubtest.RepositoryJSON("api", "")))
	})
	for range 3 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if b := batches["repositories:acme"]; err != nil || b.Err != nil || len(b.Repositories) != 1 {
			t.Fatalf("batch = %+v, error %v", b, err)
		}
	}
	const first, second = "token ghs_installation_1 ", "token ghs_installation_2 "
	if want := []string{first, second, second + `"token ghs_installation_2"`}; !slices.Equal(asked, want) || calls.Load() != 2 {
		t.Errorf("asked %q with %d tokens, want %q with 2", asked, calls.Load(), want)
	}
}

func TestAppThatCannotSignIn(t *testing.T) {
	tests := []struct {
		status int
		want   record.ErrorReason
	}{
		{http.StatusUnauthorized, record.ReasonUnauthorized},
		{http.StatusNotFound, record.ReasonUnauthorized},
		{http.StatusForbidden, record.ReasonUnauthorized},
		{http.StatusBadGateway, record.ReasonServer},
		{http.StatusTooManyRequests, record.ReasonRateLimited},
	}
	for _, tt := range tests {
		c, s := newApp(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, `{"message":"`+r.Header.Get("Authorization")+`"}`)
		})
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		got := batches["repositories:acme"].Err
		if err != nil || record.ReasonOf(got) != tt.want || !strings.Contains(got.Error(), "installation_id") {
			t.Errorf("status %d: %v (%v), want %s and the remedy", tt.status, got, err, tt.want)
		}
		for _, r := range s.Requests() {
			if jwt := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); got != nil && strings.Contains(got.Error(), jwt) {
				t.Errorf("the error holds the App's JWT: %v", got)
			}
			if strings.HasSuffix(r.Path, "/repos") {
				t.Error("a request went out without a token")
			}
		}
	}
}

func TestAppWithABadKey(t *testing.T) {
	cfg := githubtest.Configuration("https://api.github.com", apiclient.Secret{})
	for _, key := range []apiclient.Secret{collectorstest.Secret(t, "not a key: hunter2"), {File: "/nonexistent/key.pem"}} {
		cfg.App = api.App{ID: 7, InstallationID: 42, PrivateKey: key}
		_, err := github.New(cfg, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err == nil || !strings.Contains(err.Error(), "private key of app 7") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("github.New() = %v, want an error about the key that does not show it", err)
		}
	}
}
