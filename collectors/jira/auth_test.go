package jira

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestOAuthClient: a client's tokens are fetched, used and replaced when Jira takes them no longer; its secret goes to the authorization server alone.
func TestOAuthClient(t *testing.T) {
	issued := 0
	authorization := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != "exporter" || r.PostForm.Get("client_secret") != "secret-of-the-client" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		issued++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "access-%d", "expires_in": 3600}`, issued) //nolint:errcheck // A client that is gone fails the test.
	}))
	t.Cleanup(authorization.Close)
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	config := Config{
		URL: s.URL(), Exceptions: &ExceptionsConfig{JQL: query},
		Auth: AuthConfig{OAuth: &OAuthConfig{ClientID: "exporter", ClientSecret: collectorstest.Secret(t, "secret-of-the-client"), TokenURL: authorization.URL}},
	}
	c, err := New(config, env())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if b := batches["exceptions:default"]; err != nil || b.Err != nil || len(b.Exceptions) != 1 {
			t.Fatalf("got %+v, %v", b, err)
		}
	}
	s.Handle("GET /rest/api/2/myself", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access-2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		collectorstest.WriteJSON(w, map[string]string{"timeZone": "UTC"})
	})
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if b := batches["exceptions:default"]; err != nil || b.Err != nil || issued != 2 {
		t.Errorf("after the first token ended: %v, %v, %d tokens", b.Err, err, issued)
	}
	for _, r := range s.Requests() {
		if got := r.Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer access-") {
			t.Errorf("%s was sent with %q", r.Path, got)
		}
	}
	config.Auth.OAuth.ClientID = "somebody"
	if c, err = New(config, env()); err != nil {
		t.Fatal(err)
	}
	batches, err = collectorstest.Gather(t.Context(), c, nil)
	if b := batches["exceptions:default"]; err != nil || record.ReasonOf(b.Err) != record.ReasonUnauthorized || strings.Contains(b.Err.Error(), "secret-of") {
		t.Errorf("a client that is not known: %v, %v", b.Err, err)
	}
}
