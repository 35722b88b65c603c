package platform_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

func options() platform.Options {
	return platform.Options{
		Kind: "vendor", URL: "https://vendor.example.com/api/", Example: "https://vendor.example.com", Suffix: "/api", Key: "token",
		Credential: apiclient.Secret{Env: "VENDOR_TOKEN"}, Pages: platform.Pages{Default: 100, Most: 500, Step: 10},
	}
}

func env() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

// TestNewRefuses: every mistake is told by kind and key.
func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*platform.Options){
		"vendor: url is missing; write it as https://vendor.example.com":   func(o *platform.Options) { o.URL = "" },
		"vendor: url must be absolute, such as https://vendor.example.com": func(o *platform.Options) { o.URL = "vendor.example.com" },
		"vendor: token: ": func(o *platform.Options) { o.Credential = apiclient.Secret{} },
		"vendor: page_size must be between 1 and 500":                        func(o *platform.Options) { o.Requests.PageSize = 510 },
		"vendor: page_size must be a multiple of 10, up to 500":              func(o *platform.Options) { o.Requests.PageSize = 25 },
		"vendor: request_timeout must be at least 1s":                        func(o *platform.Options) { o.Requests.RequestTimeout = collectors.Duration(time.Millisecond) },
		"vendor: requests_per_second must not be negative":                   func(o *platform.Options) { o.Requests.RequestsPerSecond = -1 },
		"vendor: projects, rule 1: set exactly one of name and match":        func(o *platform.Options) { o.Projects = []translate.Project{{}} },
		"vendor: url: the URL of vendor.example.com holds a user or passwor": func(o *platform.Options) { o.URL = "https://u:p@vendor.example.com" },
	} {
		o := options()
		change(&o)
		if _, err := platform.New(env(), o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("New = %v, want an error that begins with %q", err, want)
		}
	}
}

func TestNewSettles(t *testing.T) {
	b, err := platform.New(env(), options())
	if err != nil {
		t.Fatal(err)
	}
	if b.URL != "https://vendor.example.com" || b.PageSize != 100 {
		t.Errorf("url %q and page size %d, want the address without its path and the default", b.URL, b.PageSize)
	}
	o := options()
	o.URL, o.DefaultURL, o.Requests.PageSize = "", "https://vendor.example", 20
	if b, err = platform.New(env(), o); err != nil || b.URL != "https://vendor.example" || b.PageSize != 20 {
		t.Errorf("got %+v (%v), want the default address and the configured page size", b, err)
	}
}

// TestRequestTimeout: a server that is slower than the configured bound is a failed request, and one that is faster is not.
func TestRequestTimeout(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-time.After(1500 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	for bound, want := range map[time.Duration]record.ErrorReason{time.Second: record.ReasonTransport, 10 * time.Second: ""} {
		o := options()
		o.URL, o.Requests.RequestTimeout = server.URL, collectors.Duration(bound)
		o.Auth, o.Credential = apiclient.Anonymous(), collectorstest.Secret(t, "x")
		b, err := platform.New(env(), o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Source.Get(t.Context(), "slow", nil, nil)
		if err == nil && want != "" || err != nil && record.ReasonOf(err) != want {
			t.Errorf("with %s: %v, want reason %q", bound, err, want)
		}
	}
}
