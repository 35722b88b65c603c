package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// dora lists the families of the board "DORA": delivery performance with security in view.
var dora = []*Family{
	{Collect: changeLeadTime, Family: frame.Family{
		Name: "prodsec_change_lead_time_seconds",
		Help: "Time from the first commit of a change to its first successful production deployment, once for each change. security_review states when " +
			"security reviewed it; late is after the approval or in the last part of the lead time (policy.dora.late_review_ratio). Rollbacks, " +
			"deployments without a known predecessor, and changes whose first commit has no date or one after the deployment have no lead time.",
		Type: frame.EventHistogram, Stability: frame.Experimental,
		Labels:  append(group(), "security_review"),
		Source:  "Deployment.Changes, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `histogram_quantile(0.5, sum by (le, security_review) (rate(prodsec_change_lead_time_seconds_bucket[30d])))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsLeadTime),
		Buckets: string(policy.BucketsLeadTime),
	}},
	{Collect: changeLeadTimeInWindow, Family: frame.Family{
		Name: "prodsec_change_lead_time_in_window_seconds",
		Help: "Lead times of the changes that went live in the trailing window.",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"window", "business_unit", "security_review"},
		Source:  "Deployment.Changes, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `histogram_quantile(0.5, sum by (le) (prodsec_change_lead_time_in_window_seconds_bucket{window="30d"}))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsLeadTime),
		Buckets: string(policy.BucketsLeadTime),
	}},
	{Collect: changes, Family: frame.Family{
		Name: "prodsec_changes_total",
		Help: "Changes to production: deployments to a production environment that ended, successful or not, except rollbacks.",
		Type: frame.Counter, Stability: frame.Experimental,
		Labels:  tallies.GroupLabels,
		Source:  "Deployment.Status, Deployment.Rollback",
		Refresh: refreshDeliveries,
		Example: `sum(rate(prodsec_change_failures_total[30d])) / sum(rate(prodsec_changes_total[30d]))`,
	}},
	{Collect: changesInWindow, Family: frame.Family{
		Name: "prodsec_changes_in_window",
		Help: "Changes to production that ended in the trailing window.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append([]string{"window"}, tallies.GroupLabels...),
		Source:  "Deployment.Status, Deployment.Rollback",
		Refresh: refreshDeliveries,
		Example: `sum(prodsec_change_failures_in_window{window="30d"}) / sum(prodsec_changes_in_window{window="30d"})`,
	}},
	{Collect: changeFailures, Family: frame.Family{
		Name: "prodsec_change_failures_total",
		Help: "Changes to production that failed, each counted once: the deployment did not succeed, or an incident or a rollback is attributed to it. An " +
			"incident is attributed to the latest successful deployment of the same service before it, a rollback to the last attempt in its " +
			"environment, in both cases within policy.dora.failure_window. A failure counts from when it was observed, with the cause that was known " +
			"then; prodsec_change_failures_in_window uses all that is known now.",
		Type: frame.Counter, Stability: frame.Experimental,
		Labels:  append(group(), "cause"),
		Source:  "Deployment.Status, Deployment.Rollback, Incident.OpenedAt, Incident.ControlGap",
		Refresh: refreshDeliveries,
		Example: `sum by (cause) (increase(prodsec_change_failures_total[30d]))`,
	}},
	{Collect: changeFailuresInWindow, Family: frame.Family{
		Name: "prodsec_change_failures_in_window",
		Help: "Changes of prodsec_changes_in_window that failed, by all that is known now. cause is control_gap if an incident attributed to the change " +
			"states that an avoidable gap in a control caused it, other if an incident states that none did, unknown if no incident states either. Absent while a source of incidents was never read or is too old.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(append([]string{"window"}, tallies.GroupLabels...), "cause"),
		Source:  "Deployment.Status, Deployment.Rollback, Incident.OpenedAt, Incident.ControlGap",
		Refresh: refreshDeliveries,
		Example: `sum by (cause) (prodsec_change_failures_in_window{window="30d"})`,
	}},
	{Collect: deploymentRework, Family: frame.Family{
		Name: "prodsec_deployment_rework_in_window",
		Help: "Production deployments that ended in the trailing window, by whether a failure in production made them necessary: rollback deployed an " +
			"older commit, incident went live while an incident of the service was open, planned is every other one. The deployment rework rate (DORA) " +
			"is (rollback + incident) / all. While no source of incidents was read, deployments other than rollbacks are unknown.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  append(append([]string{"window"}, tallies.GroupLabels...), "rework"),
		Source:  "Deployment.Status, Deployment.Rollback, Incident.OpenedAt, Incident.RestoredAt",
		Refresh: refreshDeliveries,
		Example: `sum(prodsec_deployment_rework_in_window{window="30d", rework=~"rollback|incident"}) / sum(prodsec_deployment_rework_in_window{window="30d"})`,
	}},
	{Collect: incidentsInWindow, Family: frame.Family{
		Name: "prodsec_incidents_in_window",
		Help: "Incidents opened in the trailing window, by attribution: to a deployment, or unattributed if the service had none within " +
			"policy.dora.failure_window; an unattributed incident is no change failure.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(append([]string{"window"}, tallies.GroupLabels...), "attribution"),
		Source:  "Incident.OpenedAt, Deployment.FinishedAt",
		Refresh: refreshDeliveries,
		Example: `sum by (attribution) (prodsec_incidents_in_window{window="30d"})`,
	}},
	{Collect: restore, Family: frame.Family{
		Name: "prodsec_restore_seconds",
		Help: "Time from the opening of an incident to the first restoration of service.",
		Type: frame.EventHistogram, Stability: frame.Experimental,
		Labels:  append(group(), "security_impact"),
		Source:  "Incident.OpenedAt, Incident.RestoredAt, Incident.SecurityImpact",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (le, security_impact) (rate(prodsec_restore_seconds_bucket[90d])))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsRestore),
		Buckets: string(policy.BucketsRestore),
	}},
	{Collect: restoreInWindow, Family: frame.Family{
		Name: "prodsec_restore_in_window_seconds",
		Help: "Time to restore of the incidents that were restored in the trailing window. security_impact is as known now.",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"window", "business_unit", "security_impact"},
		Source:  "Incident.OpenedAt, Incident.RestoredAt, Incident.SecurityImpact",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (le) (prodsec_restore_in_window_seconds_bucket{window="90d"}))`,
		Bounds:  policy.DefaultBuckets(policy.BucketsRestore),
		Buckets: string(policy.BucketsRestore),
	}},
}

func changes(in *tallies.Tallies, out *frame.Sink) {
	all := out.Dim()
	for owner := range in.Deployments.Changes {
		if w := &in.Deployments.Changes[owner]; w.Total > 0 {
			out.Add(in.Owners.GroupOf[owner], all, float64(w.Total))
		}
	}
	if !in.Sources.Of(record.KindDeployment).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		out.Zero(group, all)
	}
}

func changesInWindow(in *tallies.Tallies, out *frame.Sink) {
	out.Product(windowNames(in.Policy))
	for owner := range in.Deployments.Changes {
		w := &in.Deployments.Changes[owner]
		for i, n := range w.In {
			out.AddCount(in.Owners.GroupOf[owner], i, n, w.Dropped[i])
		}
	}
	if !in.Sources.Of(record.KindDeployment).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for i := range in.Policy.Windows() {
			out.Zero(group, i)
		}
	}
}

// knownCauses are the causes that can be shown at 0: only incidents state control gaps.
func knownCauses(incidents bool) []policy.FailureCause {
	if incidents {
		return policy.FailureCauses()
	}
	return []policy.FailureCause{policy.CauseUnknown}
}

func changeFailures(in *tallies.Tallies, out *frame.Sink) {
	for _, f := range in.ChangeFailures.Counted {
		if !f.Counted.After(in.At) {
			m := &in.Snapshot.Deployed[f.Deployment]
			out.Add(in.Owners.GroupOf[m.Owner], out.Dim(string(f.Cause)), 1)
		}
	}
	if !in.Sources.Of(record.KindDeployment).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, cause := range knownCauses(in.Sources.Of(record.KindIncident).Ever) {
			out.Zero(group, out.Dim(string(cause)))
		}
	}
}

// changeFailuresInWindow shows nothing while incidents are too old, or a source of them was never read: a failure among them could not be counted.
func changeFailuresInWindow(in *tallies.Tallies, out *frame.Sink) {
	incidents := in.Sources.Of(record.KindIncident)
	if incidents.Partly {
		return
	}
	for _, f := range in.ChangeFailures.Recent {
		m := &in.Snapshot.Deployed[f.Deployment]
		for _, w := range in.WindowsHolding(m.At) {
			dim := out.Dim(w.Name, string(f.Cause))
			out.AddCount(in.Owners.GroupOf[m.WindowOwner()], dim, 1, in.Sources.IsDropped(m.Scope))
		}
	}
	if !in.Sources.Of(record.KindDeployment).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, w := range in.Policy.Windows() {
			for _, cause := range knownCauses(incidents.Ever) {
				out.Zero(group, out.Dim(w.Name, string(cause)))
			}
		}
	}
}

// The values of the label "rework", by tallies.Rework; the last is for what is not known.
var reworkKinds = []string{"planned", "rollback", "incident", "unknown"}

// deploymentRework shows unknown instead of planned while incidents were never read, or those that were are too old.
func deploymentRework(in *tallies.Tallies, out *frame.Sink) {
	out.Product(windowNames(in.Policy), reworkKinds)
	incidents := in.Sources.Of(record.KindIncident)
	incidentsRead := incidents.Ever && !incidents.Partly
	unknown := len(reworkKinds) - 1
	for i := range in.Deployments.Ended {
		d, m := &in.Deployments.Ended[i], &in.Snapshot.Deployed[i]
		if !d.InProduction() {
			continue
		}
		kind := int(in.Rework[i])
		if kind == int(tallies.ReworkNone) && !incidentsRead {
			kind = unknown
		}
		for w := int(d.Window); w < len(in.Policy.Windows()); w++ {
			out.AddCount(in.Owners.GroupOf[m.WindowOwner()], w*len(reworkKinds)+kind, 1, in.Sources.IsDropped(m.Scope))
		}
	}
	if !in.Sources.Of(record.KindDeployment).Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for at := range out.Dims() {
			if kind := at % len(reworkKinds); incidentsRead || kind != int(tallies.ReworkNone) && kind != int(tallies.ReworkIncident) {
				out.Zero(group, at)
			}
		}
	}
}

// The values of the label "attribution".
const (
	attributedDeployment = "deployment"
	attributedToNothing  = record.Unattributed
)

// incidentsInWindow counts as unattributed only once all deployments were read: the one that caused an incident may be among those that were not.
func incidentsInWindow(in *tallies.Tallies, out *frame.Sink) {
	deployments := in.Sources.Of(record.KindDeployment)
	for _, a := range in.ChangeFailures.Incidents {
		m := &in.Snapshot.Opened[a.Incident]
		attribution := attributedToNothing
		if a.Attributed {
			attribution = attributedDeployment
		}
		for _, w := range in.WindowsHolding(m.At) {
			dim, unsure := out.Dim(w.Name, attribution), !a.Attributed && !deployments.Complete()
			out.AddCount(in.Owners.GroupOf[m.WindowOwner()], dim, 1, unsure || in.Sources.IsDropped(m.Scope))
		}
	}
	if !in.Sources.Of(record.KindIncident).Complete() || !deployments.Complete() {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
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
	return tallies.SecondsBetween(m.Record.OpenedAt.Unix(), m.At.Unix()), true
}

func restore(in *tallies.Tallies, out *frame.Sink) {
	times := frame.NewDistributions(out)
	tallies.EachCounted(&in.Input, in.Snapshot.Restored, func(m *snapshot.Milestone[record.Incident]) {
		if took, ok := timeToRestore(m); ok {
			times.Observe(in.Owners.GroupOf[m.Owner], out.Dim(boolean(m.Record.SecurityImpact)), took)
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindIncident).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, impact := range securityImpacts {
			out.Zero(group, out.Dim(impact))
		}
	}
}

func restoreInWindow(in *tallies.Tallies, out *frame.Sink) {
	times, facts := frame.NewDistributions(out), tallies.NewIncidentFacts(in.Snapshot, false)
	tallies.EachCounted(&in.Input, in.Snapshot.Restored, func(m *snapshot.Milestone[record.Incident]) {
		took, ok := timeToRestore(m)
		if !ok {
			return
		}
		for _, w := range in.WindowsHolding(m.At) {
			unit, dim := in.Owners.UnitOf[m.WindowOwner()], out.Dim(w.Name, boolean(facts.Of(&m.Held).SecurityImpact))
			if in.Sources.IsDropped(m.Scope) {
				out.Unknown(unit, dim)
				continue
			}
			times.Observe(unit, dim, took)
		}
	})
	times.Finish()
	if !in.Sources.Of(record.KindIncident).Complete() {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for _, w := range in.Policy.Windows() {
			for _, impact := range securityImpacts {
				out.Zero(unit, out.Dim(w.Name, impact))
			}
		}
	}
}

func changeLeadTime(in *tallies.Tallies, out *frame.Sink) {
	t, n := in.LeadTimes, len(tallies.SecurityReviews)
	out.Product(valuesOf(tallies.SecurityReviews))
	for at, one := range t.Groups {
		if one != nil {
			out.Observe(int32(at/n), at%n, one.Histogram())
		}
	}
	if !in.Sources.Of(record.KindDeployment).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for review := range n {
			out.Zero(group, review)
		}
	}
}

func changeLeadTimeInWindow(in *tallies.Tallies, out *frame.Sink) {
	t, n := in.LeadTimes, len(tallies.SecurityReviews)
	out.Product(windowNames(in.Policy), valuesOf(tallies.SecurityReviews))
	for at, one := range t.Windows {
		if one == nil {
			continue
		}
		unit, dim := int32(at/n%t.Units), at/n/t.Units*n+at%n
		if t.Dropped[at] {
			out.Unknown(unit, dim)
			continue
		}
		out.Observe(unit, dim, one.Histogram())
	}
	if !in.Sources.Of(record.KindDeployment).Complete() {
		return
	}
	for _, unit := range in.Owners.PresentUnits() {
		for dim := range len(in.Policy.Windows()) * n {
			out.Zero(unit, dim)
		}
	}
}
