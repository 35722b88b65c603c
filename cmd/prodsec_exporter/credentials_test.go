package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/schedule"
)

// reporting is a collector that knows its credentials.
type reporting struct{ knows []collectors.Credential }

func (reporting) Collect(context.Context, collectors.Cursors, func(record.Batch) error) error {
	return nil
}
func (r reporting) Credentials() []collectors.Credential { return r.knows }

var march = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)

// TestCredentialExpiry: the metric is the end of the first credential by the source, else by the configuration, else absent.
func TestCredentialExpiry(t *testing.T) {
	const name = "prodsec_credential_expiry_timestamp_seconds"
	for what, tt := range map[string]struct {
		configured time.Time
		reported   []collectors.Credential
		want       string
	}{
		"nobody knows":              {time.Time{}, nil, ""},
		"the source does not end":   {time.Time{}, []collectors.Credential{{Sees: []collectors.Sight{{What: "projects", Count: 3}}}}, ""},
		"the configuration":         {march, nil, "1.8038592e+09"},
		"the source":                {time.Time{}, []collectors.Credential{{ExpiresAt: march}}, "1.8038592e+09"},
		"the source goes before":    {march.AddDate(1, 0, 0), []collectors.Credential{{ExpiresAt: march}}, "1.8038592e+09"},
		"the first of several ends": {time.Time{}, []collectors.Credential{{Name: "a", ExpiresAt: march.AddDate(0, 1, 0)}, {Name: "b", ExpiresAt: march}, {Name: "c"}}, "1.8038592e+09"},
	} {
		telemetry := newTelemetry(slog.New(slog.DiscardHandler), time.Now)
		b := built("jira", "main")
		b.Collector, b.CredentialExpiry = reporting{tt.reported}, tt.configured
		telemetry.keep(map[instanceKey]config.Built{keyOf(b): b})
		telemetry.observer(b).Ended(schedule.Result{Started: time.Now()})
		want := ""
		if tt.want != "" {
			want = "# HELP " + name + " When the first credential of the collector ends, as its source or credential_expires says. Absent where neither does.\n# TYPE " + name +
				" gauge\n" + name + `{collector="jira",instance_name="main"} ` + tt.want + "\n"
		}
		if err := testutil.GatherAndCompare(telemetry.registry(func() ledger.Stats { return ledger.Stats{} }), strings.NewReader(want), name); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestConfiguredExpiryIsThere before the first run has ended, and covers the whole of its day in the policy's zone.
func TestConfiguredExpiry(t *testing.T) {
	telemetry := newTelemetry(slog.New(slog.DiscardHandler), time.Now)
	plan, err := telemetry.plan(func() (*config.Config, error) {
		return config.Load("f.yml", []byte("policy: {time_zone: America/New_York}\ncollectors:\n  exploited:\n    - {name: a, kev: {url: \"https://kev.example/list.json\"}, credential_expires: 2027-03-01}\n"), kinds())
	})
	if err != nil {
		t.Fatal(err)
	}
	telemetry.keep(map[instanceKey]config.Built{keyOf(plan.built[0]): plan.built[0]})
	telemetry.observer(plan.built[0])
	if got, want := telemetry.instance(keyOf(plan.built[0])).credentials.expiry(), time.Date(2027, 3, 2, 5, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("ends at %v, want %v", got, want)
	}
}

// TestCheckTellsWhatCredentialsSee: how much each sees, and when it ends, with a word where that is soon.
func TestCheckTellsWhatCredentialsSee(t *testing.T) {
	now := march.Add(-10*24*time.Hour - time.Minute)
	var b strings.Builder
	writeCredentials(&b, credentials{reported: []collectors.Credential{
		{Name: "acme", Sees: []collectors.Sight{{What: "organisations", Count: 1}, {What: "repositories", Count: 42}}, ExpiresAt: march},
		{ExpiresAt: now.AddDate(1, 0, 0)}, {ExpiresAt: now.Add(-time.Hour)},
	}}, now)
	writeCredentials(&b, credentials{configured: march, reported: []collectors.Credential{{Sees: []collectors.Sight{{What: "projects"}}}}}, now)
	writeCredentials(&b, credentials{}, now)
	want := "  sees\tacme: 1 organisations, 42 repositories\n" +
		"  SOON\tacme: credential ends in 10 days, at 2027-03-01T00:00:00Z\n" +
		"  ok\tcredential ends in 365 days, at 2028-02-18T23:59:00Z\n" +
		"  SOON\tcredential has been over since 2027-02-18T22:59:00Z\n" +
		"  sees\t0 projects\n" +
		"  SOON\tcredential ends in 10 days, at 2027-03-01T00:00:00Z, as the configuration says\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
