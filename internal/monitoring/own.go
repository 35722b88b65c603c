package monitoring

import "prodsec_exporter/internal/metrics"

// ownFamilies are the families the exporter exposes about itself. They are gathered while it is scraped, not computed from records. The end-to-end test compares
// this list with what a running exporter exposes.
func ownFamilies() []*metrics.Family {
	own := func(name, help string, kind metrics.Type, labels ...string) *metrics.Family {
		return &metrics.Family{
			Name: name, Help: help, Type: kind, Stability: metrics.Experimental, Labels: labels,
			Source: "the exporter itself", Refresh: "at every scrape",
		}
	}
	return []*metrics.Family{
		own("prodsec_collector_up", "Whether the last pass of a collector could read its source. Absent until its first pass has ended.", metrics.Gauge, "collector", "instance_name"),
		own("prodsec_collection_duration_seconds", "How long passes of a collector took.", metrics.EventHistogram, "collector", "instance_name"),
		own("prodsec_collection_errors_total", "Scopes that could not be read, by reason.", metrics.Counter, "collector", "instance_name", "reason"),
		own("prodsec_records_rejected_total", "Records of a source that could not be understood and were left out alone, by reason.", metrics.Counter, "collector", "instance_name", "reason"),
		own("prodsec_api_requests_total", "Requests sent to a source's API, by status code and by whether the answer was served from the cache.", metrics.Counter, "collector", "instance_name", "code", "cached"),
		own("prodsec_api_budget_limit", "Requests that a source allows in its current period.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_budget_remaining", "Requests left in that period. Absent where the source states no budget.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_budget_reset_timestamp_seconds", "When that period ends.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_api_forecast_requests_per_hour", "Requests an hour that the configured intervals are expected to cost.", metrics.Gauge, "collector", "instance_name", "resource"),
		own("prodsec_webhook_deliveries_total", "Deliveries of a collector's webhook, by what became of them. Absent for a collector that takes none.", metrics.Counter, "collector", "instance_name", "result"),
		own("prodsec_evaluation_duration_seconds", "How long it took to compute all families from the ledger's snapshot the last time.", metrics.Gauge),
		own("prodsec_evaluation_timestamp_seconds", "The instant for which the families that are served were computed.", metrics.Gauge),
		own("prodsec_series_folded", "Services (or teams or business units) of a family that were folded into \"other\" to keep its series budget.", metrics.Gauge, "family"),
		own("prodsec_series_dropped_total", "Series that were left out because they would have made the whole answer invalid, by reason.", metrics.Counter, "reason"),
		own("prodsec_ledger_bytes", "Size of the embedded ledger on disk.", metrics.Gauge),
		own("prodsec_ledger_errors_total", "Operations of the ledger that failed.", metrics.Counter),
		own("prodsec_leader", "Whether this replica is the one that exposes the product families.", metrics.Gauge),
		own("prodsec_config_last_reload_successful", "Whether the last attempt to load the configuration worked.", metrics.Gauge),
		own("prodsec_config_last_reload_success_timestamp_seconds", "When the configuration was loaded last.", metrics.Gauge),
		own("prodsec_exporter_build_info", "Version, revision and Go version of the exporter; always 1.", metrics.Info, "version", "revision", "branch", "goversion", "goos", "goarch", "tags"),
	}
}
