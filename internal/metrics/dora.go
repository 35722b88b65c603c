package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// dora lists the families of delivery performance with a security lens: does speed cost safety?
var dora = []*Family{
	{
		Name: "prodsec_change_lead_time_seconds",
		Help: "From the first commit of a change until it was live, for every change that a successful production deployment brought, once. " +
			"security_review says when security looked at it: late is after the approval or in the last part of the lead time " +
			"(policy.dora.late_review_ratio). Rollbacks carry no changes; what a deployment carries that has no known predecessor, and a " +
			"change whose first commit has no date or one after the deployment, has no lead time.",
		Type: EventHistogram, Stability: Experimental,
		Labels:  append(append([]string(nil), groupLabels...), "security_review"),
		Source:  "Deployment.Changes, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `histogram_quantile(0.5, sum by (le, security_review) (rate(prodsec_change_lead_time_seconds_bucket[30d])))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsLeadTime),
		Buckets: policy.BucketsLeadTime,
		Collect: changeLeadTime,
	},
	{
		Name: "prodsec_change_lead_time_in_window_seconds",
		Help: "The lead times of the changes that went live in the trailing window.",
		Type: StateHistogram, Stability: Stable,
		Labels:  []string{"window", "business_unit", "security_review"},
		Source:  "Deployment.Changes, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `histogram_quantile(0.5, sum by (le) (prodsec_change_lead_time_in_window_seconds_bucket{window="30d"}))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsLeadTime),
		Buckets: policy.BucketsLeadTime,
		Collect: changeLeadTimeInWindow,
	},
	{
		Name: "prodsec_changes_total",
		Help: "Changes to production: deployments to a production environment that ended, well or not, and brought back no older commit.",
		Type: Counter, Stability: Experimental,
		Labels:  groupLabels,
		Source:  "Deployment.Status, Deployment.Rollback",
		Refresh: refreshDeliveries,
		Example: `sum(rate(prodsec_change_failures_total[30d])) / sum(rate(prodsec_changes_total[30d]))`,
		Collect: changes,
	},
	{
		Name: "prodsec_changes_in_window",
		Help: "Changes to production that ended in the trailing window.",
		Type: Gauge, Stability: Stable,
		Labels:  append([]string{"window"}, groupLabels...),
		Source:  "Deployment.Status, Deployment.Rollback",
		Refresh: refreshDeliveries,
		Example: `sum(prodsec_change_failures_in_window{window="30d"}) / sum(prodsec_changes_in_window{window="30d"})`,
		Collect: changesInWindow,
	},
	{
		Name: "prodsec_change_failures_total",
		Help: "Changes to production that failed, each once: the deployment did not succeed, or an incident or a rollback is blamed on it. An incident " +
			"is blamed on the latest successful deployment of the same service before it, a rollback on the last attempt in its environment, " +
			"if that is no longer ago than policy.dora.failure_window. " +
			"Counts from when it was observed, with the cause as it was known then; prodsec_change_failures_in_window knows later findings.",
		Type: Counter, Stability: Experimental,
		Labels:  append(append([]string(nil), groupLabels...), "cause"),
		Source:  "Deployment.Status, Deployment.Rollback, Incident.OpenedAt, Incident.ControlGap",
		Refresh: refreshDeliveries,
		Example: `sum by (cause) (increase(prodsec_change_failures_total[30d]))`,
		Collect: changeFailures,
	},
	{
		Name: "prodsec_change_failures_in_window",
		Help: "Of the changes of prodsec_changes_in_window those that failed, by all that is known now. control_gap: an incident behind it " +
			"says that an avoidable gap in a control caused it; other: one says that none did; unknown: nobody says.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string{"window"}, groupLabels...), "cause"),
		Source:  "Deployment.Status, Deployment.Rollback, Incident.OpenedAt, Incident.ControlGap",
		Refresh: refreshDeliveries,
		Example: `sum by (cause) (prodsec_change_failures_in_window{window="30d"})`,
		Collect: changeFailuresInWindow,
	},
	{
		Name: "prodsec_incidents_in_window",
		Help: "Incidents opened in the trailing window, by what they are blamed on: a deployment, or unattributed if the service had none " +
			"within policy.dora.failure_window, so that it is no change failure.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string{"window"}, groupLabels...), "attribution"),
		Source:  "Incident.OpenedAt, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `sum by (attribution) (prodsec_incidents_in_window{window="30d"})`,
		Collect: incidentsInWindow,
	},
	{
		Name: "prodsec_restore_seconds",
		Help: "From the opening of an incident until the service was restored, for the first time.",
		Type: EventHistogram, Stability: Experimental,
		Labels:  append(append([]string(nil), groupLabels...), "security_impact"),
		Source:  "Incident.OpenedAt, Incident.RestoredAt, Incident.SecurityImpact",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (le, security_impact) (rate(prodsec_restore_seconds_bucket[90d])))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsRestore),
		Buckets: policy.BucketsRestore,
		Collect: restore,
	},
	{
		Name: "prodsec_restore_in_window_seconds",
		Help: "The times to restore of the incidents that were restored in the trailing window; their security impact is as known now.",
		Type: StateHistogram, Stability: Stable,
		Labels:  []string{"window", "business_unit", "security_impact"},
		Source:  "Incident.OpenedAt, Incident.RestoredAt, Incident.SecurityImpact",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (le) (prodsec_restore_in_window_seconds_bucket{window="90d"}))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsRestore),
		Buckets: policy.BucketsRestore,
		Collect: restoreInWindow,
	},
}

func changes(in *Input, out *Sink) {
	all := out.Dim()
	for owner := range in.shared.delivery.changes {
		if w := &in.shared.delivery.changes[owner]; w.total > 0 {
			out.Add(in.shared.own.groupOf[owner], all, float64(w.total))
		}
	}
	if !in.shared.sources.of(record.KindDeployment).ever {
		return
	}
	for _, group := range presentGroups(in) {
		out.Zero(group, all)
	}
}

func changesInWindow(in *Input, out *Sink) {
	out.Product(windowNames(in.Policy))
	for owner := range in.shared.delivery.changes {
		w := &in.shared.delivery.changes[owner]
		for i, n := range w.in {
			addKnown(out, in.shared.own.groupOf[owner], i, n, w.dropped[i])
		}
	}
	if !in.shared.sources.of(record.KindDeployment).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for i := range in.Policy.Windows() {
			out.Zero(group, i)
		}
	}
}

// knownCauses are the causes of which zero can be said: only incidents tell of control gaps.
func knownCauses(incidents bool) []policy.FailureCause {
	if incidents {
		return policy.FailureCauses()
	}
	return []policy.FailureCause{policy.CauseUnknown}
}

func changeFailures(in *Input, out *Sink) {
	for _, f := range in.shared.delivery.failures {
		if !f.counted.After(in.At) {
			m := &in.Snapshot.Deployed[f.deployment]
			out.Add(in.shared.own.groupOf[m.Owner], out.Dim(string(f.cause)), 1)
		}
	}
	if !in.shared.sources.of(record.KindDeployment).ever {
		return
	}
	for _, group := range presentGroups(in) {
		for _, cause := range knownCauses(in.shared.sources.of(record.KindIncident).ever) {
			out.Zero(group, out.Dim(string(cause)))
		}
	}
}

// changeFailuresInWindow shows nothing while incidents that were once read are too old or missing: a failure among them could not be counted.
func changeFailuresInWindow(in *Input, out *Sink) {
	incidents := in.shared.sources.of(record.KindIncident)
	if incidents.ever && incidents.partly {
		return
	}
	for _, f := range in.shared.delivery.recent {
		m := &in.Snapshot.Deployed[f.deployment]
		for _, w := range windowsOf(in, m.At) {
			dim := out.Dim(w.Name, string(f.cause))
			addKnown(out, in.shared.own.groupOf[m.Owner], dim, 1, in.shared.sources.isDropped(m.Scope))
		}
	}
	if !in.shared.sources.of(record.KindDeployment).complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, w := range in.Policy.Windows() {
			for _, cause := range knownCauses(incidents.ever) {
				out.Zero(group, out.Dim(w.Name, string(cause)))
			}
		}
	}
}

// The values of the label "attribution".
const (
	attributedDeployment = "deployment"
	attributedToNothing  = record.Unattributed
)

// incidentsInWindow counts as unattributed only once all deployments were read: the one to blame may be among those that were not.
func incidentsInWindow(in *Input, out *Sink) {
	deployments := in.shared.sources.of(record.KindDeployment)
	for _, a := range in.shared.delivery.incidents {
		m := &in.Snapshot.Opened[a.incident]
		attribution := attributedToNothing
		if a.blamed {
			attribution = attributedDeployment
		}
		for _, w := range windowsOf(in, m.At) {
			dim, unsure := out.Dim(w.Name, attribution), !a.blamed && !deployments.complete()
			addKnown(out, in.shared.own.groupOf[m.Owner], dim, 1, unsure || in.shared.sources.isDropped(m.Scope))
		}
	}
	if !in.shared.sources.of(record.KindIncident).complete() || !deployments.complete() {
		return
	}
	for _, group := range presentGroups(in) {
		for _, w := range in.Policy.Windows() {
			out.Zero(group, out.Dim(w.Name, attributedDeployment))
			out.Zero(group, out.Dim(w.Name, attributedToNothing))
		}
	}
}

// securityImpacts are the values of the label "security_impact".
var securityImpacts = []string{"true", "false", "unknown"}

// timeToRestore is the time to restore in whole seconds; ok is false where a date is missing or they contradict each other.
func timeToRestore(m *snapshot.Milestone[record.Incident]) (seconds uint32, ok bool) {
	if m.Record.OpenedAt.IsZero() || m.At.Before(m.Record.OpenedAt) {
		return 0, false
	}
	return secondsBetween(m.Record.OpenedAt.Unix(), m.At.Unix()), true
}

func restore(in *Input, out *Sink) {
	times := newDistributions(out)
	eachCounted(in, in.Snapshot.Restored, func(m *snapshot.Milestone[record.Incident]) {
		if took, ok := timeToRestore(m); ok {
			times.observe(in.shared.own.groupOf[m.Owner], out.Dim(boolean(m.Record.SecurityImpact)), took)
		}
	})
	times.finish()
	if !in.shared.sources.of(record.KindIncident).ever {
		return
	}
	for _, group := range presentGroups(in) {
		for _, impact := range securityImpacts {
			out.Zero(group, out.Dim(impact))
		}
	}
}

func restoreInWindow(in *Input, out *Sink) {
	times, says := newDistributions(out), newTestimony(in.Snapshot, false)
	eachCounted(in, in.Snapshot.Restored, func(m *snapshot.Milestone[record.Incident]) {
		took, ok := timeToRestore(m)
		if !ok {
			return
		}
		for _, w := range windowsOf(in, m.At) {
			unit, dim := in.shared.own.unitOf[m.Owner], out.Dim(w.Name, boolean(says.of(&m.Held).SecurityImpact))
			if in.shared.sources.isDropped(m.Scope) {
				out.Unknown(unit, dim)
				continue
			}
			times.observe(unit, dim, took)
		}
	})
	times.finish()
	if !in.shared.sources.of(record.KindIncident).complete() {
		return
	}
	for _, unit := range presentUnits(in) {
		for _, w := range in.Policy.Windows() {
			for _, impact := range securityImpacts {
				out.Zero(unit, out.Dim(w.Name, impact))
			}
		}
	}
}
