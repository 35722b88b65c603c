package main

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"prodsec_exporter/internal/ledger"
)

// The metrics about the exporter itself. Those about evaluations are in package exposition.
var (
	upDesc = prometheus.NewDesc("prodsec_collector_up",
		"Whether the last run of the collector could read anything: 1 yes, 0 no. Absent until the first run has ended.",
		[]string{"collector", "instance_name"}, nil)
	errorsDesc = prometheus.NewDesc("prodsec_collection_errors_total",
		"Scopes, and whole runs, that could not be read, by reason.",
		[]string{"collector", "instance_name", "reason"}, nil)
	rejectedDesc = prometheus.NewDesc("prodsec_records_rejected_total",
		"Single items left out because they could not be understood, or are about no weakness (reason not_security), by reason; the rest of their scope was kept.",
		[]string{"collector", "instance_name", "reason"}, nil)
	requestsDesc = prometheus.NewDesc("prodsec_api_requests_total",
		"API requests by status code; code \"none\" means no answer, cached that the source confirmed what was known (304).",
		[]string{"collector", "instance_name", "code", "cached"}, nil)
	budgetLimitDesc = prometheus.NewDesc("prodsec_api_budget_limit",
		"API requests (or points) per period that the source allows, as stated in its last answer.",
		[]string{"collector", "instance_name", "resource"}, nil)
	budgetRemainingDesc = prometheus.NewDesc("prodsec_api_budget_remaining",
		"What is left of the API budget in the present period, as stated in the source's last answer.",
		[]string{"collector", "instance_name", "resource"}, nil)
	budgetResetDesc = prometheus.NewDesc("prodsec_api_budget_reset_timestamp_seconds",
		"When the present period of the API budget ends, as stated in the source's last answer.",
		[]string{"collector", "instance_name", "resource"}, nil)
	forecastDesc = prometheus.NewDesc("prodsec_api_forecast_requests_per_hour",
		"Estimate of the API requests per hour that the configuration costs in a steady state.",
		[]string{"collector", "instance_name", "resource"}, nil)
	deliveriesDesc = prometheus.NewDesc("prodsec_webhook_deliveries_total",
		"Deliveries of a collector's webhook, by what became of them. Absent for a collector that takes none.",
		[]string{"collector", "instance_name", "result"}, nil)
	credentialExpiryDesc = prometheus.NewDesc("prodsec_credential_expiry_timestamp_seconds",
		"When the first credential of the collector ends, as its source or credential_expires says. Absent where neither does.",
		[]string{"collector", "instance_name"}, nil)
	ledgerBytesDesc = prometheus.NewDesc("prodsec_ledger_bytes",
		"Size of the ledger on disk.", nil, nil)
	ledgerErrorsDesc = prometheus.NewDesc("prodsec_ledger_errors_total",
		"Operations on the ledger that failed. What was known before stays served; what was to be stored will be read again.", nil, nil)
	leaderDesc = prometheus.NewDesc("prodsec_leader",
		"Whether this replica serves the product families. Always 1 with the embedded ledger, which has one user.", nil, nil)
	clockOffsetDesc = prometheus.NewDesc("prodsec_clock_offset_seconds",
		"How far the wall clock is ahead of the time by which deadlines pass; 0 while it is plausible against the last evaluation and the dates of API answers.", nil, nil)
	clockJumpsDesc = prometheus.NewDesc("prodsec_clock_jumps_total",
		"Times that the wall clock was found to be wrong. Nothing is recorded by a clock that is.", nil, nil)
	reloadGoodDesc = prometheus.NewDesc("prodsec_config_last_reload_successful",
		"Whether the last attempt to apply the configuration file succeeded.", nil, nil)
	reloadTimeDesc = prometheus.NewDesc("prodsec_config_last_reload_success_timestamp_seconds",
		"When the configuration in force was applied.", nil, nil)
)

// self makes the metrics about the exporter at each scrape.
type self struct {
	telemetry *telemetry
	ledger    func() ledger.Stats
}

// registry holds everything about the exporter itself; stats is asked at each scrape.
func (t *telemetry) registry(stats func() ledger.Stats) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		self{t, stats}, t.duration, t.panicked,
		versioncollector.NewCollector(programName),
		newGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{}),
	)
	return r
}

// Describe implements prometheus.Collector.
func (s self) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		upDesc, errorsDesc, rejectedDesc, requestsDesc, budgetLimitDesc, budgetRemainingDesc, budgetResetDesc, forecastDesc, deliveriesDesc, credentialExpiryDesc,
		ledgerBytesDesc, ledgerErrorsDesc, leaderDesc, clockOffsetDesc, clockJumpsDesc, reloadGoodDesc, reloadTimeDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s self) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(leaderDesc, 1)
	stats := s.ledger()
	gauge(ledgerBytesDesc, float64(stats.Bytes))
	ch <- prometheus.MustNewConstMetric(ledgerErrorsDesc, prometheus.CounterValue, float64(stats.Errors))
	gauge(clockOffsetDesc, s.telemetry.clock.Offset().Seconds())
	ch <- prometheus.MustNewConstMetric(clockJumpsDesc, prometheus.CounterValue, float64(s.telemetry.clock.Jumps()))
	s.telemetry.mu.Lock()
	good, since := s.telemetry.reloadGood, s.telemetry.reloadGoodSince
	s.telemetry.mu.Unlock()
	gauge(reloadGoodDesc, zeroOrOne(good))
	gauge(reloadTimeDesc, seconds(since))
	for _, i := range s.telemetry.sorted() {
		i.collect(ch, gauge)
	}
}

func (i *instance) collect(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	counter := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{i.key.kind, i.key.name}, labels...)...)
	}
	if !i.last.Started.IsZero() {
		gauge(upDesc, zeroOrOne(i.last.Err == nil), i.key.kind, i.key.name)
	}
	for reason, n := range i.errors {
		counter(errorsDesc, n, string(reason))
	}
	for reason, n := range i.rejected {
		counter(rejectedDesc, n, string(reason))
	}
	for k, n := range i.requests {
		counter(requestsDesc, n, k.code, strconv.FormatBool(k.cached))
	}
	for result, n := range i.deliveries.counted() {
		counter(deliveriesDesc, n, string(result))
	}
	for resource, b := range i.budgets {
		gauge(budgetLimitDesc, float64(b.limit), i.key.kind, i.key.name, resource)
		gauge(budgetRemainingDesc, float64(b.remaining), i.key.kind, i.key.name, resource)
		if !b.reset.IsZero() {
			gauge(budgetResetDesc, seconds(b.reset), i.key.kind, i.key.name, resource)
		}
	}
	if at := i.credentials.expiry(); !at.IsZero() {
		gauge(credentialExpiryDesc, seconds(at), i.key.kind, i.key.name)
	}
	for _, resource := range slices.Sorted(maps.Keys(i.forecast)) {
		gauge(forecastDesc, i.forecast[resource], i.key.kind, i.key.name, resource)
	}
}

func zeroOrOne(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
