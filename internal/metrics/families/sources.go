package families

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
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
	{Collect: recordScopes, Family: frame.Family{
		Name: "prodsec_record_scopes",
		Help: "Scopes by the kind of record that they deliver (a scope that delivers several counts for each) and by freshness, as in prodsec_scopes. While one is dropped or " +
			"never, sums over records of the kind are lower bounds. A scope that was never read counts for the kinds that are known of it, or of its like. A scope about an " +
			"archived repository has ended and is not counted.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"kind", "status"},
		Source:  "Batch.Scope, Batch.Err",
		Refresh: refreshAll,
		Example: `sum by (kind) (prodsec_record_scopes{status=~"dropped|never"}) > 0`,
	}},
	{Collect: unreadScopes, Family: frame.Family{
		Name: "prodsec_unread_scopes",
		Help: "Scopes that are not fresh, by name. Of each collector, kind of scope and status, the " + strconv.Itoa(namedScopes) + " that were read least recently are named, the " +
			"rest is counted together under scope=\"other\". Absent while all are fresh.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"collector", "instance_name", "scope_kind", "scope", "status"},
		Unbound: []string{"scope"},
		Source:  "Batch.Scope, Batch.Err",
		Refresh: refreshAll,
		Example: `prodsec_unread_scopes{status!="stale"}`,
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
		Help: "Records in the ledger. Findings are counted one by one, open and closed, before de-duplication.",
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

func recordScopes(in *tallies.Tallies, out *frame.Sink) {
	for _, kind := range record.Kinds() {
		read := in.Sources.Of(kind)
		if len(read.Scopes) == 0 {
			continue
		}
		for _, f := range []snapshot.Freshness{snapshot.Fresh, snapshot.Stale, snapshot.Dropped, snapshot.Never} {
			out.Add(frame.NoEntity, out.Dim(string(kind), string(f)), float64(read.Scopes[f]))
		}
	}
}

// namedScopes bounds the scopes that prodsec_unread_scopes names: when a whole source is away, its name says enough.
const namedScopes = 20

func unreadScopes(in *tallies.Tallies, out *frame.Sink) {
	type like struct {
		collector, instance, kind string
		status                    snapshot.Freshness
	}
	unread := map[like][]*snapshot.Scope{}
	for i := range in.Snapshot.Scopes {
		scope := &in.Snapshot.Scopes[i]
		if now := scope.Freshness(in.At); now != snapshot.Fresh {
			of := like{scope.Collector, scope.Instance, scope.Kind, now}
			unread[of] = append(unread[of], scope)
		}
	}
	for of, scopes := range unread {
		slices.SortFunc(scopes, func(a, b *snapshot.Scope) int {
			return cmp.Or(a.LastSuccess.Compare(b.LastSuccess), strings.Compare(a.Name, b.Name))
		})
		for i, scope := range scopes {
			name := scope.Name
			if i >= namedScopes {
				name = frame.Other
			}
			out.Add(frame.NoEntity, out.Dim(of.collector, of.instance, of.kind, name, string(of.status)), 1)
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
