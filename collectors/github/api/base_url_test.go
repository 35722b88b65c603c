package api_test

import (
	"log/slog"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/apiclient"
)

func TestBaseURL(t *testing.T) {
	tests := []struct{ raw, rest, graphql string }{
		{"https://api.github.com", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://api.github.com/", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://github.com", "https://api.github.com", "https://api.github.com/graphql"},
		{"https://ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"},
		{"https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"},
		{"https://api.octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"},
		{"https://octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"},
		{"http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/graphql"},
	}
	for _, tt := range tests {
		c, err := api.New(tt.raw, apiclient.Secret{Env: "UNUSED"}, api.App{}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Errorf("github.New(%q): %v", tt.raw, err)
			continue
		}
		rest, graphql, err := c.Addresses()
		if rest != tt.rest {
			t.Errorf("%q: REST at %q, want %q", tt.raw, rest, tt.rest)
		}
		if err != nil || graphql != tt.graphql {
			t.Errorf("%q: GraphQL at %v (%v), want %q", tt.raw, graphql, err, tt.graphql)
		}
	}
}
