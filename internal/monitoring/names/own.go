package names

import "prodsec_exporter/internal/metrics"

// ownExamples are queries by family.
var ownExamples = map[string]string{
	"prodsec_collector_up":                                 `max by (collector, instance_name) (prodsec_collector_up) == 0`,
	"prodsec_collection_duration_seconds":                  `histogram_quantile(0.9, sum by (collector, le) (rate(prodsec_collection_duration_seconds_bucket[1d])))`,
	"prodsec_collection_errors_total":                      `sum by (collector, reason) (increase(prodsec_collection_errors_total[1h])) > 0`,
	"prodsec_records_rejected_total":                       `sum by (collector, reason) (increase(prodsec_records_rejected_total[1d])) > 0`,
	"prodsec_api_requests_total":                           `sum by (collector, code) (rate(prodsec_api_requests_total{cached="false"}[1h])) * 3600`,
	"prodsec_api_budget_limit":                             `prodsec_api_budget_remaining / prodsec_api_budget_limit < 0.1`,
	"prodsec_api_budget_remaining":                         `prodsec_api_budget_remaining == 0`,
	"prodsec_api_budget_reset_timestamp_seconds":           `prodsec_api_budget_reset_timestamp_seconds - time()`,
	"prodsec_api_forecast_requests_per_hour":               `sum by (collector, instance_name, resource) (prodsec_api_forecast_requests_per_hour)`,
	"prodsec_webhook_deliveries_total":                     `sum by (collector, result) (increase(prodsec_webhook_deliveries_total[1h]))`,
	"prodsec_credential_expiry_timestamp_seconds":          `(prodsec_credential_expiry_timestamp_seconds - time()) / 86400`,
	"prodsec_evaluation_duration_seconds":                  `max_over_time(prodsec_evaluation_duration_seconds[1d])`,
	"prodsec_evaluation_timestamp_seconds":                 `abs(time() - prodsec_evaluation_timestamp_seconds) > 600`,
	"prodsec_series_folded":                                `prodsec_series_folded > 0`,
	"prodsec_series_dropped_total":                         `sum by (reason) (increase(prodsec_series_dropped_total[1d])) > 0`,
	"prodsec_ledger_bytes":                                 `deriv(prodsec_ledger_bytes[1d]) * 86400`,
	"prodsec_ledger_errors_total":                          `increase(prodsec_ledger_errors_total[1h]) > 0`,
	"prodsec_clock_offset_seconds":                         `max by (job) (abs(prodsec_clock_offset_seconds)) > 60`,
	"prodsec_clock_jumps_total":                            `increase(prodsec_clock_jumps_total[1h]) > 0`,
	"prodsec_leader":                                       `sum by (job) (prodsec_leader) != 1`,
	"prodsec_http_panics_total":                            `increase(prodsec_http_panics_total[1d]) > 0`,
	"prodsec_config_last_reload_successful":                `prodsec_config_last_reload_successful == 0`,
	"prodsec_config_last_reload_success_timestamp_seconds": `time() - prodsec_config_last_reload_success_timestamp_seconds`,
	"prodsec_exporter_build_info":                          `count by (version) (prodsec_exporter_build_info)`,
}

// ownFamilies are the families the exporter exposes about itself. They are gathered while it is scraped, not computed from records. The end-to-end test compares
// this list with what a running exporter exposes.
func ownFamilies() []*metrics.Family {
	own := func(name, help string, kind metrics.Type, labels ...string) *metrics.Family {
		return &metrics.Family{
			Name: name, Help: help, Type: kind, Stability: metrics.Experimental, Labels: labels,
			Source: "the exporter itself", Refresh: "at every scrape", Example: ownExamples[name],
		}
	}
	return []*metrics.Family{
		own("prodsec_collector_up", "Whether the last pass of a collector could read its source. Absent until its first pass has ended.", metrics.Gauge, "collector", "instance_name"),
		own("prodsec_collection_duration_seconds", "Duration of a collector's passes, failed ones included.", metrics.EventHistogram, "collector", "instance_name"),
		own("prodsec_collection_errors_total", "Scopes that could not be read, by reason.", metrics.Counter, "collector", "instance_name", "reason"),
		own("prodsec_records_rejected_total", "Records of a source that could not be parsed, or are about no weakness (reason not_security), and were rejected one by one, by reason.", metrics.Counter, "collector", "instance_name", "reason"),
		own("prodsec_api_requests_total", "Requests to a source's API, by status code and by whether the response came from the cache.", metrics.Counter, "collector", "instance_name", "code", "cached"),
		own("prodsec_api_budget_limit", "Requests that a source allows in its current rate-limit period.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_budget_remaining", "Requests left in the current rate-limit period. Absent where the source reports no limit.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_budget_reset_timestamp_seconds", "When the current rate-limit period ends.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_forecast_requests_per_hour", "Requests per hour that the configured intervals are expected to need.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_webhook_deliveries_total", "Webhook deliveries to a collector, by result. Absent for collectors without a webhook.", metrics.Counter, "collector", "instance_name", "result"),
		own("prodsec_credential_expiry_timestamp_seconds", "When the first credential of a collector expires, by its source or by credential_expires in the configuration. Absent where neither tells.", metrics.Gauge, "collector", "instance_name"),
		own("prodsec_evaluation_duration_seconds", "Duration of the last evaluation of all families.", metrics.Gauge),
		own("prodsec_evaluation_timestamp_seconds", "Instant of the evaluation that is served.", metrics.Gauge),
		own("prodsec_series_folded", "Services (or teams or business units), and values of unbounded labels, of a family that were folded into \"other\" to keep its series budget.", metrics.Gauge, "family"),
		own("prodsec_series_dropped_total", "Series that were left out because they would have made the exposition invalid, by reason. Each evaluation counts.", metrics.Counter, "reason"),
		own("prodsec_ledger_bytes", "Size of the embedded ledger on disk.", metrics.Gauge),
		own("prodsec_ledger_errors_total", "Operations of the ledger that failed.", metrics.Counter),
		own("prodsec_clock_offset_seconds", "By how much the wall clock is ahead of the time by which deadlines pass. It is 0 while the wall clock is plausible against the last evaluation and the dates of API responses.", metrics.Gauge),
		own("prodsec_clock_jumps_total", "Times that the wall clock was found to be wrong. Nothing is recorded by a clock that is wrong.", metrics.Counter),
		own("prodsec_leader", "Whether this replica is the one that exposes the product families.", metrics.Gauge),
		own("prodsec_http_panics_total", "Requests to the exporter's own pages whose handler panicked, which is a bug. The log has the stack.", metrics.Counter),
		own("prodsec_config_last_reload_successful", "Whether the last attempt to load the configuration worked.", metrics.Gauge),
		own("prodsec_config_last_reload_success_timestamp_seconds", "When the configuration was loaded last.", metrics.Gauge),
		own("prodsec_exporter_build_info", "Version, revision and Go version of the exporter; always 1.", metrics.Info, "version", "revision", "branch", "goversion", "goos", "goarch", "tags"),
	}
}
