package families

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// trend lists the families of the board "Trend": can a trend be trusted, or did the way of counting change?
var trend = []*Family{
	{Collect: func(in *tallies.Tallies, out *frame.Sink) { out.Add(frame.NoEntity, out.Dim(in.Policy.Version()), 1) }, Family: frame.Family{
		Name: "prodsec_policy_info",
		Help: "Version of the policy in force: a hash of everything that decides.",
		Type: frame.Info, Stability: frame.Stable,
		Labels:  []string{"version"},
		Source:  "the configuration, section policy",
		Refresh: refreshPolicy,
		Example: `count by (version) (prodsec_policy_info)`,
		Combine: frame.Once,
	}},
	{Collect: policyChanged, Family: frame.Family{
		Name: "prodsec_policy_changed_timestamp_seconds",
		Help: "When the policy in force came into force.",
		Type: frame.Gauge, Stability: frame.Stable,
		Source:  "the ledger's history of policy versions",
		Refresh: refreshPolicy,
		Example: `time() - prodsec_policy_changed_timestamp_seconds < 86400`,
		Combine: frame.Least,
	}},
	{Collect: targets, Family: frame.Family{
		Name: "prodsec_target_ratio",
		Help: "The share, in 0-1, that policy holds an objective to (policy.targets, and policy.sla.attainment_target for sla_attainment). Rules and boards compare with it. " +
			"concentration is a bound from above, all others from below.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"objective"},
		Source:  "the configuration, section policy",
		Refresh: refreshPolicy,
		Example: `prodsec_target_ratio{objective="sla_attainment"}`,
		Combine: frame.Once,
	}},
	{Collect: minimumOutcomes, Family: frame.Family{
		Name: "prodsec_target_minimum_outcomes",
		Help: "The smallest denominator of a share that is compared with its target (policy.targets.minimum_outcomes).",
		Type: frame.Gauge, Stability: frame.Experimental,
		Source:  "the configuration, section policy",
		Refresh: refreshPolicy,
		Example: `prodsec_target_minimum_outcomes`,
		Combine: frame.Once,
	}},
	{Collect: countingChanges, Family: frame.Family{
		Name: "prodsec_counting_changes_total",
		Help: "Changes in how things are counted: the policy, an added or removed scope, a source, the rules of de-duplication, a migration of the " +
			"ledger. Values before and after a change are not comparable.",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  []string{"kind"},
		Source:  "the ledger's history of counting changes",
		Refresh: refreshAll,
		Example: `sum by (kind) (increase(prodsec_counting_changes_total[30d])) > 0`,
	}},
	{Collect: restated, Family: frame.Family{
		Name: "prodsec_restated",
		Help: "Effect of the last change in counting of each cause on the headline numbers: the value under the new rules minus the value under the old " +
			"ones, at the instant of the change and over the same records. A metric that was unknown under one of them is absent; 0 means that the " +
			"change had no effect.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"metric", "cause"},
		Source:  "the ledger's history of counting changes",
		Refresh: "when counting changes",
		Example: `prodsec_restated{metric="findings_open_critical"} != 0`,
	}},
	{Collect: scopeSize, Family: frame.Family{
		Name: "prodsec_scope_size",
		Help: "Size of what is measured: services in the catalog, repositories of source hosts (without archived ones and forks), scanners that have " +
			"reported anything, and projects (the organisations, products, projects and report files of which findings were read, each of which can " +
			"fail alone). If a rate changes while its denominator does, check the denominator first.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"kind"},
		Source:  "Service, Repository, Finding.Tool, Batch.Scope",
		Refresh: refreshAll,
		Example: `delta(prodsec_scope_size{kind="repositories"}[7d])`,
	}},
	{Collect: toolFalsePositives, Family: frame.Family{
		Name: "prodsec_tool_false_positive_in_window",
		Help: "Triage results of weaknesses in the trailing window, by the tool that reported the weakness first: false_positive was dismissed as a false " +
			"positive; confirmed was fixed, or kept as a real weakness (won't fix, risk accepted). Other closures do not count. A high share of false " +
			"positives means that a tool costs teams time.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "class", "source", "status"},
		Unbound: []string{"source"},
		Source:  "Finding.Tool, Finding.Closure, Finding.ClosedAt",
		Refresh: refreshFindings,
		Example: `sum by (source) (prodsec_tool_false_positive_in_window{window="90d", status="false_positive"}) / sum by (source) (prodsec_tool_false_positive_in_window{window="90d"})`,
	}},
}

func policyChanged(in *tallies.Tallies, out *frame.Sink) {
	for _, v := range slices.Backward(in.Snapshot.PolicyVersions) {
		if v.Version == in.Policy.Version() {
			out.Add(frame.NoEntity, out.Dim(), float64(v.Since.Unix()))
			return
		}
	}
}

func targets(in *tallies.Tallies, out *frame.Sink) {
	for _, objective := range policy.Objectives() {
		out.Add(frame.NoEntity, out.Dim(string(objective)), in.Policy.ObjectiveTarget(objective))
	}
}

func minimumOutcomes(in *tallies.Tallies, out *frame.Sink) {
	out.Add(frame.NoEntity, out.Dim(), float64(in.Policy.MinimumOutcomes()))
}

func countingChanges(in *tallies.Tallies, out *frame.Sink) {
	for _, kind := range snapshot.CountingKinds() {
		out.Add(frame.NoEntity, out.Dim(string(kind)), 0)
	}
	for _, c := range in.Snapshot.CountingChanges {
		if !c.At.After(in.At) {
			out.Add(frame.NoEntity, out.Dim(string(c.Kind)), 1)
		}
	}
}

func restated(in *tallies.Tallies, out *frame.Sink) {
	last := map[snapshot.CountingKind]map[string]float64{}
	for _, c := range in.Snapshot.CountingChanges {
		if !c.At.After(in.At) {
			last[c.Kind] = c.Restated
		}
	}
	for kind, metrics := range last {
		for metric, difference := range metrics {
			out.Add(frame.NoEntity, out.Dim(metric, string(kind)), difference)
		}
	}
}

func scopeSize(in *tallies.Tallies, out *frame.Sink) {
	sources := in.Sources
	services := out.Dim("services")
	switch read := sources.Of(record.KindService); {
	case read.Ever && !read.Now:
	case read.Ever || len(in.Snapshot.Services) > 1:
		out.Add(frame.NoEntity, services, float64(len(in.Snapshot.Services)-1))
	}
	if read := sources.Of(record.KindRepository); read.Ever {
		dim := out.Dim("repositories")
		out.Add(frame.NoEntity, dim, 0)
		for _, p := range in.Postures {
			if p.Dropped {
				out.Unknown(frame.NoEntity, dim)
				break
			}
			out.Add(frame.NoEntity, dim, 1)
		}
	}
	if read := sources.Of(record.KindFinding); read.Ever && !in.Weaknesses.ToolsUnknown {
		tools := 0
		for seen := range slices.Chunk(in.Weaknesses.Tools, tallies.ClassCount) {
			if slices.Contains(seen, true) {
				tools++
			}
		}
		out.Add(frame.NoEntity, out.Dim("scanners"), float64(tools))
	}
	for i := range in.Snapshot.Scopes {
		if scope := &in.Snapshot.Scopes[i]; len(scope.Classes) > 0 && scope.Freshness(in.At) != snapshot.Never {
			out.Add(frame.NoEntity, out.Dim("projects"), 1)
		}
	}
}

// The values of the label "status" of prodsec_tool_false_positive_in_window, by position.
var verdictNames = [tallies.VerdictKinds]string{tallies.VerdictConfirmed: "confirmed", tallies.VerdictFalsePositive: "false_positive"}

func toolFalsePositives(in *tallies.Tallies, out *frame.Sink) {
	r, windows := in.Events.Recurrence, windowNames(in.Policy)
	for at, class := 0, 0; at < len(in.Weaknesses.Tools); at, class = at+1, (class+1)%tallies.ClassCount {
		counts := r.Verdicts(at/tallies.ClassCount, class)
		shown := in.Weaknesses.Tools[at] && in.Sources.Classes[class].Ever
		if !shown && sumOf(counts) == 0 {
			continue
		}
		tool := frame.Named(in.Snapshot.Strings[at/tallies.ClassCount], frame.None)
		for verdict, name := range verdictNames {
			n := uint32(0)
			for window := range windows {
				n += counts[verdict*len(windows)+window]
				dim := out.Dim(windows[window], string(record.Classes()[class]), tool, name)
				if n > 0 {
					out.Add(frame.NoEntity, dim, float64(n))
				} else if shown {
					out.Zero(frame.NoEntity, dim)
				}
			}
		}
	}
}
