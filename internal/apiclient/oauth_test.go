package apiclient

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// tokenServer is an authorization server that hands out numbered tokens.
type tokenServer struct {
	*httptest.Server
	mu       sync.Mutex
	requests []url.Values
	answer   func(w http.ResponseWriter, n int)
}

func newTokenServer(t *testing.T, answer func(w http.ResponseWriter, n int)) *tokenServer {
	t.Helper()
	s := &tokenServer{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Header.Get("Authorization") != "" || r.Method != http.MethodPost {
			t.Errorf("%s with %q, %v", r.Method, r.Header.Get("Authorization"), err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, r.PostForm)
		n := len(s.requests)
		s.mu.Unlock()
		s.answer(w, n)
	}))
	t.Cleanup(s.Close)
	return s
}

func token(w http.ResponseWriter, n, seconds int) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token": "token-number-%d", "token_type": "Bearer", "expires_in": %d}`, n, seconds)
}

func credentials(t *testing.T, address string) (Auth, string) {
	t.Helper()
	file := tokenFile(t, "client-secret-1")
	auth, err := ClientCredentials{ClientID: "exporter", ClientSecret: file, TokenURL: address + "/oauth/token", Scopes: []string{"read:jira-work", "read:jira-user"}, Audience: "api"}.Auth()
	if err != nil {
		t.Fatal(err)
	}
	return auth, file.File
}

// TestClientCredentials: one token serves many requests, and a rotated secret is used for the next one.
func TestClientCredentials(t *testing.T) {
	server := newTokenServer(t, func(w http.ResponseWriter, n int) { token(w, n, 3600) })
	auth, file := credentials(t, server.URL)
	accepted := "Bearer token-number-1"
	c, _ := newClient(t, Options{Auth: auth}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != accepted || strings.Contains(string(body), "client-secret") || r.Method == http.MethodPost && string(body) != `"payload"` {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	var together sync.WaitGroup
	for range 5 {
		together.Go(func() {
			if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	first := server.requests[0]
	if len(server.requests) != 1 || first.Get("grant_type") != "client_credentials" || first.Get("client_id") != "exporter" || first.Get("client_secret") != "client-secret-1" ||
		first.Get("scope") != "read:jira-work read:jira-user" || first.Get("audience") != "api" {
		t.Errorf("asked %d times for %v", len(server.requests), server.requests)
	}
	// The API revokes the token: it is replaced once, with its body sent again, under the secret that is in the file now.
	accepted = "Bearer token-number-2"
	if err := os.WriteFile(file, []byte("client-secret-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), http.MethodPost, "x", nil, "payload", nil); err != nil {
		t.Errorf("after the token was revoked: %v", err)
	}
	if len(server.requests) != 2 || server.requests[1].Get("client_secret") != "client-secret-2" {
		t.Errorf("asked for %v", server.requests)
	}
	// A refusal that has another cause is told as such, after one attempt with a new token.
	accepted = "nothing"
	if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); record.ReasonOf(err) != record.ReasonUnauthorized || len(server.requests) != 3 {
		t.Errorf("got %v after %d tokens", err, len(server.requests))
	}
}

// TestTokensAreReplacedBeforeTheyEnd: also those that end soon after they were given.
func TestTokensAreReplacedBeforeTheyEnd(t *testing.T) {
	server := newTokenServer(t, func(w http.ResponseWriter, n int) { token(w, n, 1) })
	auth, _ := credentials(t, server.URL)
	c, _ := newClient(t, Options{Auth: auth}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	for range 2 {
		for range 2 {
			if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(600 * time.Millisecond)
	}
	if len(server.requests) != 2 {
		t.Errorf("asked %d times, want once for each half of a second", len(server.requests))
	}
}

// TestNoToken: why there is none is classified, and neither the secret nor what the server repeats of it is shown.
func TestNoToken(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, n int)
		want   record.ErrorReason
		says   string
	}{
		"wrong secret": {func(w http.ResponseWriter, _ int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error": "invalid_client", "error_description": "client-secret-1 is wrong"}`)
		}, record.ReasonUnauthorized, "invalid_client"},
		"wrong scope": {func(w http.ResponseWriter, _ int) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error": "invalid_scope", "sent": "client-secret-1"}`)
		}, record.ReasonUnauthorized, "400"},
		"moved": {func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", "https://elsewhere.invalid/")
			w.WriteHeader(http.StatusFound)
		}, record.ReasonUnauthorized, "302"},
		"down":     {func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusBadGateway) }, record.ReasonServer, "502"},
		"no token": {func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, `{"secret": "client-secret-1"}`) }, record.ReasonDecode, ""},
		"a page":   {func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, `<html>client-secret-1`) }, record.ReasonDecode, ""},
	} {
		server := newTokenServer(t, tt.answer)
		auth, _ := credentials(t, server.URL)
		reached := false
		c, _ := newClient(t, Options{Auth: auth, Retries: -1}, func(http.ResponseWriter, *http.Request) { reached = true })
		_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
		if record.ReasonOf(err) != tt.want || strings.Contains(err.Error(), "client-secret") || !strings.Contains(err.Error(), tt.says) || reached {
			t.Errorf("%s: got %v, want %s; the API was asked: %t", name, err, tt.want, reached)
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	auth, _ := credentials(t, gone.URL)
	c, _ := newClient(t, Options{Auth: auth, Retries: -1}, func(http.ResponseWriter, *http.Request) {})
	if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); record.ReasonOf(err) != record.ReasonTransport {
		t.Errorf("nobody there: %v", err)
	}
}

func TestClientCredentialsRefused(t *testing.T) {
	good := ClientCredentials{ClientID: "a", ClientSecret: Secret{Env: "S"}, TokenURL: "https://auth.example/token"}
	for want, spoil := range map[string]func(*ClientCredentials){
		"client_id":     func(c *ClientCredentials) { c.ClientID = "" },
		"client_secret": func(c *ClientCredentials) { c.ClientSecret = Secret{} },
		"token_url":     func(c *ClientCredentials) { c.TokenURL = "https://u:p@auth.example/token" },
	} {
		c := good
		spoil(&c)
		if _, err := c.Auth(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}
