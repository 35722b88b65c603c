package main

import (
	"bytes"
	"errors"
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
	"prodsec_exporter/internal/web"
)

// steppedClock is a clock that tests move.
type steppedClock struct{ at time.Time }

func (c *steppedClock) now() time.Time { return c.at }

// forecasting is a collector that knows what it costs.
type forecasting struct{ collectors.Collector }

func (forecasting) Forecast() map[string]float64 { return map[string]float64{"core": 120} }

func built(kind, name string) config.Built {
	return config.Built{Kind: collectors.Kind{Name: kind}, Settings: collectors.Common{Name: name}, Collector: forecasting{}}
}

const wantSelf = `
# HELP prodsec_api_budget_limit API requests (or points) per period that the source allows, as stated in its last answer.
# TYPE prodsec_api_budget_limit gauge
prodsec_api_budget_limit{collector="github",instance_name="main",resource="core"} 5000
# HELP prodsec_api_budget_remaining What is left of the API budget in the present period, as stated in the source's last answer.
# TYPE prodsec_api_budget_remaining gauge
prodsec_api_budget_remaining{collector="github",instance_name="main",resource="core"} 4321
# HELP prodsec_api_budget_reset_timestamp_seconds When the present period of the API budget ends, as stated in the source's last answer.
# TYPE prodsec_api_budget_reset_timestamp_seconds gauge
prodsec_api_budget_reset_timestamp_seconds{collector="github",instance_name="main",resource="core"} 1.7000036e+09
# HELP prodsec_api_forecast_requests_per_hour Estimate of the API requests per hour that the configuration costs in a steady state.
# TYPE prodsec_api_forecast_requests_per_hour gauge
prodsec_api_forecast_requests_per_hour{collector="github",instance_name="main",resource="core"} 120
# HELP prodsec_api_requests_total API requests by status code; code "none" means no answer, cached that the source confirmed what was known (304).
# TYPE prodsec_api_requests_total counter
prodsec_api_requests_total{cached="false",code="200",collector="github",instance_name="main"} 2
prodsec_api_requests_total{cached="false",code="none",collector="github",instance_name="main"} 1
prodsec_api_requests_total{cached="true",code="304",collector="github",instance_name="main"} 1
# HELP prodsec_collector_up Whether the last run of the collector could read anything: 1 yes, 0 no. Absent until the first run has ended.
# TYPE prodsec_collector_up gauge
prodsec_collector_up{collector="github",instance_name="main"} 1
prodsec_collector_up{collector="jira",instance_name="main"} 0
# HELP prodsec_config_last_reload_success_timestamp_seconds When the configuration in force was applied.
# TYPE prodsec_config_last_reload_success_timestamp_seconds gauge
prodsec_config_last_reload_success_timestamp_seconds 1.7e+09
# HELP prodsec_config_last_reload_successful Whether the last attempt to apply the configuration file succeeded.
# TYPE prodsec_config_last_reload_successful gauge
prodsec_config_last_reload_successful 0
# HELP prodsec_leader Whether this replica serves the product families. Always 1 with the embedded ledger, which has one user.
# TYPE prodsec_leader gauge
prodsec_leader 1
# HELP prodsec_ledger_bytes Size of the ledger on disk.
# TYPE prodsec_ledger_bytes gauge
prodsec_ledger_bytes 4096
# HELP prodsec_ledger_errors_total Operations on the ledger that failed. What was known before stays served; what was to be stored will be read again.
# TYPE prodsec_ledger_errors_total counter
prodsec_ledger_errors_total 1
# HELP prodsec_records_rejected_total Single items left out because they could not be understood, or are about no weakness (reason not_security), by reason; the rest of their scope was kept.
# TYPE prodsec_records_rejected_total counter
prodsec_records_rejected_total{collector="github",instance_name="main",reason="no_id"} 3
`

func TestSelfMetrics(t *testing.T) {
	at := &steppedClock{time.Unix(1_700_000_000, 0)}
	telemetry := newTelemetry(slog.New(slog.DiscardHandler), at.now)
	github, jira := built("github", "main"), built("jira", "main")
	telemetry.keep(map[instanceKey]config.Built{keyOf(github): github, keyOf(jira): jira})
	telemetry.reloaded(true)
	at.at = at.at.Add(time.Hour)
	telemetry.reloaded(false)

	client := telemetry.env("github", "main").Observer
	client.Requested(200, false)
	client.Requested(200, false)
	client.Requested(304, true)
	client.Requested(0, false)
	client.Budget("core", 5000, 4321, at.at)

	good := telemetry.observer(github)
	good.Started("github", "main", true)
	good.Batch("github", "main", &record.Batch{Scope: "dependabot:acme", Findings: make([]record.Finding, 2)})
	good.Batch("github", "main", &record.Batch{Scope: "code:acme", Err: &record.Error{Reason: record.ReasonPermission}})
	good.Ended(schedule.Result{
		Started: at.at, Duration: 2 * time.Second, Scopes: 2, Failed: 1, Records: 2,
		Errors: map[record.ErrorReason]int{record.ReasonPermission: 1}, Rejected: map[record.RejectReason]int{record.RejectNoID: 3},
	})
	down := telemetry.observer(jira)
	down.forecaster = nil
	down.Started("jira", "main", true)
	down.Ended(schedule.Result{
		Started: at.at, Duration: time.Second, Err: errors.New("nobody answers"), Errors: map[record.ErrorReason]int{record.ReasonTransport: 1},
	})

	registry := telemetry.registry(func() ledger.Stats { return ledger.Stats{Bytes: 4096, Errors: 1} })
	names := []string{}
	for line := range strings.Lines(wantSelf) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(wantSelf), names...); err != nil {
		t.Error(err)
	}
	errorsByReason, err := testutil.GatherAndCount(registry, "prodsec_collection_errors_total")
	if want := 2 * len(record.ErrorReasons()); err != nil || errorsByReason != want {
		t.Errorf("%d series of prodsec_collection_errors_total (%v), want %d: every reason from the start", errorsByReason, err, want)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}

	status := telemetry.status()
	if status[0].State != web.Partial || !strings.Contains(status[0].LastError, "scope code:acme: permission") {
		t.Errorf("the partly failed collector is shown as %+v", status[0])
	}
	if status[1].State != web.Down || status[1].LastError != "nobody answers" || !status[1].LastSuccess.IsZero() {
		t.Errorf("the failed collector is shown as %+v", status[1])
	}

	telemetry.keep(map[instanceKey]config.Built{keyOf(jira): jira})
	if n, err := testutil.GatherAndCount(registry, "prodsec_collector_up", "prodsec_collection_duration_seconds"); err != nil || n != 2 {
		t.Errorf("%d series (%v) after an instance was removed, want 2: it left ghosts", n, err)
	}
}

func TestLongRunsSayHowFarTheyAre(t *testing.T) {
	at := &steppedClock{time.Unix(1_700_000_000, 0)}
	var log bytes.Buffer
	runs := newTelemetry(slog.New(slog.NewTextHandler(&log, nil)), at.now).observer(built("github", "main"))
	runs.Started("github", "main", true)
	for range 25 {
		at.at = at.at.Add(time.Second)
		runs.Batch("github", "main", &record.Batch{Scope: "a", Findings: make([]record.Finding, 4)})
	}
	if got := strings.Count(log.String(), "msg=Collecting"); got != 2 {
		t.Errorf("%d lines about progress in 25 s, want 2:\n%s", got, &log)
	}
	if !strings.Contains(log.String(), "scopes=20 failed_scopes=0 records=80") {
		t.Errorf("the second line does not say how far the run is:\n%s", &log)
	}
	if s := runs.status(); s.State != web.Waiting || s.Records != 100 {
		t.Errorf("the first run under way is shown as %+v", s)
	}
}
