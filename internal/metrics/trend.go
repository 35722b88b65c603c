package metrics

import (
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// trend lists the families that say whether a trend can be trusted: what changed in how things are counted?
var trend = []*Family{
	{
		Name: "prodsec_policy_info",
		Help: "The version of the policy in force, a hash of everything it decides by.",
		Type: Info, Stability: Stable,
		Labels:  []string{"version"},
		Source:  "the configuration, section policy",
		Refresh: refreshPolicy,
		Example: `count by (version) (prodsec_policy_info)`,
		Combine: Once,
		Collect: func(in *Input, out *Sink) { out.Add(noEntity, out.Dim(in.Policy.Version()), 1) },
	},
	{
		Name: "prodsec_policy_changed_timestamp_seconds",
		Help: "Since when the policy in force has been in force.",
		Type: Gauge, Stability: Stable,
		Source:  "the ledger's history of policy versions",
		Refresh: refreshPolicy,
		Example: `time() - prodsec_policy_changed_timestamp_seconds < 86400`,
		Combine: Least,
		Collect: policyChanged,
	},
	{
		Name: "prodsec_counting_changes_total",
		Help: "Changes in how things are counted: the policy, a scope that was added or removed, a source, the rules of " +
			"de-duplication, a migration of the ledger. After one, numbers before and after are not alike.",
		Type: Counter, Stability: Stable,
		Labels:  []string{"kind"},
		Source:  "the ledger's history of counting changes",
		Refresh: refreshAll,
		Example: `sum by (kind) (increase(prodsec_counting_changes_total[30d])) > 0`,
		Collect: countingChanges,
	},
	{
		Name: "prodsec_restated",
		Help: "What the last change of counting of each cause did to the headline numbers: the value under the new rules less the value under the old ones, at " +
			"the instant of the change and over the same records. A metric that was unknown under one of them is absent; 0 says that the " +
			"change moved nothing.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"metric", "cause"},
		Source:  "the ledger's history of counting changes",
		Refresh: "when counting changes",
		Example: `prodsec_restated{metric="findings_open_critical"} != 0`,
		Collect: restated,
	},
	{
		Name: "prodsec_scope_size",
		Help: "What is looked at: services in the catalog, repositories of source hosts (without archived ones and forks), " +
			"scanners that have reported anything, and projects: the organisations, products, projects and report files of which findings were " +
			"read, each of which can fail alone. A rate that moves while its denominator moves needs a second look.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"kind"},
		Source:  "Service, Repository, Finding.Tool, Batch.Scope",
		Refresh: refreshAll,
		Example: `delta(prodsec_scope_size{kind="repositories"}[7d])`,
		Collect: scopeSize,
	},
	{
		Name: "prodsec_tool_false_positive_in_window",
		Help: "Verdicts on weaknesses that fell into the trailing window, by the tool that reported it first: false_positive was dismissed as " +
			"such; confirmed was fixed, or left in place by somebody who took it for real (won't fix, risk accepted). Other closures say " +
			"nothing about the tool. The share of false positives is the friction a tool makes.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"window", "class", "source", "status"},
		Unbound: []string{"source"},
		Source:  "Finding.Tool, Finding.Closure, Finding.ClosedAt",
		Refresh: refreshFindings,
		Example: `sum by (source) (prodsec_tool_false_positive_in_window{window="90d", status="false_positive"}) / sum by (source) (prodsec_tool_false_positive_in_window{window="90d"})`,
		Collect: toolFalsePositives,
	},
}

func policyChanged(in *Input, out *Sink) {
	for _, v := range slices.Backward(in.Snapshot.PolicyVersions) {
		if v.Version == in.Policy.Version() {
			out.Add(noEntity, out.Dim(), float64(v.Since.Unix()))
			return
		}
	}
}

func countingChanges(in *Input, out *Sink) {
	for _, kind := range snapshot.CountingKinds() {
		out.Add(noEntity, out.Dim(string(kind)), 0)
	}
	for _, c := range in.Snapshot.CountingChanges {
		if !c.At.After(in.At) {
			out.Add(noEntity, out.Dim(string(c.Kind)), 1)
		}
	}
}

func restated(in *Input, out *Sink) {
	last := map[snapshot.CountingKind]map[string]float64{}
	for _, c := range in.Snapshot.CountingChanges {
		if !c.At.After(in.At) {
			last[c.Kind] = c.Restated
		}
	}
	for kind, metrics := range last {
		for metric, difference := range metrics {
			out.Add(noEntity, out.Dim(metric, string(kind)), difference)
		}
	}
}

func scopeSize(in *Input, out *Sink) {
	sources := in.shared.sources
	services := out.Dim("services")
	switch read := sources.of(record.KindService); {
	case read.ever && !read.now:
	case read.ever || len(in.Snapshot.Services) > 1:
		out.Add(noEntity, services, float64(len(in.Snapshot.Services)-1))
	}
	if read := sources.of(record.KindRepository); read.ever {
		dim := out.Dim("repositories")
		out.Add(noEntity, dim, 0)
		for _, p := range in.shared.postures {
			if p.dropped {
				out.Unknown(noEntity, dim)
				break
			}
			out.Add(noEntity, dim, 1)
		}
	}
	if read := sources.of(record.KindFinding); read.ever && !in.shared.open.toolsUnknown {
		tools := 0
		for seen := range slices.Chunk(in.shared.open.tools, classCount) {
			if slices.Contains(seen, true) {
				tools++
			}
		}
		out.Add(noEntity, out.Dim("scanners"), float64(tools))
	}
	for i := range in.Snapshot.Scopes {
		if scope := &in.Snapshot.Scopes[i]; len(scope.Classes) > 0 && scope.Freshness(in.At) != snapshot.Never {
			out.Add(noEntity, out.Dim("projects"), 1)
		}
	}
}
