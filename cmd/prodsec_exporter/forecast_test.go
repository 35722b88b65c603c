package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/httpclient"
)

// intervals are the lines of the example that say how often something is done.
var intervals = regexp.MustCompile(`(?m)^ +(interval|full_interval|stale_after|timeout|posture_interval|repository_interval):.*\n`)

// TestForecastsOfTheDefaults: what every kind costs is known before it has run, also where the file leaves out how often it does.
func TestForecastsOfTheDefaults(t *testing.T) {
	example, err := os.ReadFile("../../prodsec.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	app := put(t, filepath.Join(t.TempDir(), "app.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	example = bytes.ReplaceAll(intervals.ReplaceAll(example, nil), []byte("/run/secrets/github-app.pem"), []byte(app))
	c, err := config.Load("example.yml", example, kinds())
	if err != nil {
		t.Fatal(err)
	}
	built, err := c.Build(func(string, string) collectors.Env {
		return collectors.Env{Logger: slog.New(slog.DiscardHandler), Observer: silent{}, Now: time.Now, Transport: httpclient.New}
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, b := range built {
		forecaster, ok := b.Collector.(collectors.Forecaster)
		if !ok {
			t.Errorf("%s says nothing about what it costs", b.Kind.Name)
			continue
		}
		for resource, n := range forecaster.Forecast() {
			if math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
				t.Errorf("%s/%s forecasts %v requests of %q an hour", b.Kind.Name, b.Settings.Name, n, resource)
			}
			asked[b.Kind.Name] = asked[b.Kind.Name] || n > 0
		}
	}
	for _, k := range kinds() {
		if !asked[k.Name] {
			t.Errorf("no instance of %s in the example forecasts any request", k.Name)
		}
	}
}

// silent is an observer of requests that are not made.
type silent struct{}

var _ apiclient.Observer = silent{}

func (silent) Requested(int, bool)                {}
func (silent) Budget(string, int, int, time.Time) {}
