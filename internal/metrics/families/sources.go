package families

import (
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// sources lists the families about the records themselves: how fresh is what all others are computed from?
var sources = []*Family{
	{Collect: scopes, Family: frame.Family{
		Name: "prodsec_scopes",
		Help: "Scopes (the smallest units that are read whole or fail alone) by freshness: records of stale scopes are still shown, records of dropped " +
			"scopes are not, never was not read yet.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"collector", "status"},
		Source:  "Batch.Scope, Batch.Err",
		Refresh: refreshAll,
		Example: `sum by (collector) (prodsec_scopes{status!="fresh"}) > 0`,
	}},
	{Collect: scopeLastSuccess, Family: frame.Family{
		Name: "prodsec_scope_last_success_timestamp_seconds",
		Help: "When the scope whose last success is oldest was last read whole, for each kind of scope. Scopes that were never read are counted in " +
			"prodsec_scopes.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"collector", "instance_name", "scope_kind"},
		Source:  "Batch.Scope",
		Refresh: refreshAll,
		Example: `time() - prodsec_scope_last_success_timestamp_seconds > 6 * 3600`,
		Combine: frame.Least,
	}},
	{Collect: records, Family: frame.Family{
		Name: "prodsec_records",
		Help: "Records in the ledger. Findings are counted as reports, open and closed, before de-duplication.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"kind"},
		Source:  "all records",
		Refresh: refreshAll,
		Example: `prodsec_records{kind="finding"}`,
	}},
}

func scopes(in *tallies.Tallies, out *frame.Sink) {
	for i := range in.Snapshot.Scopes {
		scope := &in.Snapshot.Scopes[i]
		now := scope.Freshness(in.At)
		for _, f := range []snapshot.Freshness{snapshot.Fresh, snapshot.Stale, snapshot.Dropped, snapshot.Never} {
			value := 0.0
			if f == now {
				value = 1
			}
			out.Add(frame.NoEntity, out.Dim(scope.Collector, string(f)), value)
		}
	}
}

func scopeLastSuccess(in *tallies.Tallies, out *frame.Sink) {
	for i := range in.Snapshot.Scopes {
		scope := &in.Snapshot.Scopes[i]
		if !scope.LastSuccess.IsZero() {
			at := float64(scope.LastSuccess.UnixMilli()) / float64(time.Second/time.Millisecond)
			out.Add(frame.NoEntity, out.Dim(scope.Collector, scope.Instance, scope.Kind), at)
		}
	}
}

func records(in *tallies.Tallies, out *frame.Sink) {
	for _, kind := range record.Kinds() {
		if n, ok := in.Snapshot.Records[kind]; ok {
			out.Add(frame.NoEntity, out.Dim(string(kind)), float64(n))
		}
	}
}
