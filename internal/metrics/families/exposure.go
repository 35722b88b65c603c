package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// exposure lists the families of the board "Exposure": which risk grows faster than we reduce it?
var exposure = []*Family{
	{Collect: findingsOpen, Withheld: true, Family: frame.Family{
		Name: "prodsec_findings_open",
		Help: "Open weaknesses after de-duplication: what several tools report about the same weakness counts once, under the highest severity. sla is " +
			"within, due_soon (in the last part of the time to fix), breached, excepted (an approved exception stops the clock) or none (no SLA " +
			"target). Weaknesses in a repository that is archived or that its source host no longer has belong to unattributed, whatever the catalog " +
			"states.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "severity", "class", "sla"),
		Source:  "Finding, Exception, Service",
		Refresh: refreshFindings,
		Example: `sum by (business_unit, severity) (prodsec_findings_open{severity=~"critical|high"})`,
	}},
	{Collect: findingAge, Family: frame.Family{
		Name: "prodsec_finding_age_seconds",
		Help: "Time since each open weakness was first seen by any tool.",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "severity"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: string(policy.BucketsAges),
		Source:  "Finding.FirstSeen",
		Refresh: refreshFindings,
		Example: `histogram_quantile(0.9, sum by (le) (prodsec_finding_age_seconds_bucket{severity="critical"}))`,
	}},
	{Collect: findingOldest, Family: frame.Family{
		Name: "prodsec_finding_oldest_opened_timestamp_seconds",
		Help: "When the oldest open weakness was first seen.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "severity"),
		Source:  "Finding.FirstSeen",
		Refresh: refreshFindings,
		Example: `time() - min by (team) (prodsec_finding_oldest_opened_timestamp_seconds{severity="critical"})`,
		Combine: frame.Least,
	}},
	{Collect: findingsExploited, Withheld: true, Family: frame.Family{
		Name: "prodsec_findings_exploited_open",
		Help: "Open weaknesses that are exploited or likely to be, each under its strongest evidence: kev (a source lists it as known exploited), " +
			"active_secret (a leaked secret that was verified to work), epss (the EPSS score is at or above policy.epss_threshold). Evidence that no " +
			"finding ever carried, and for which no list is read, is absent: its absence proves nothing.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "severity", "evidence"),
		Source:  "Finding.KnownExploited, Finding.ActiveSecret, Finding.EPSS",
		Refresh: refreshFindings,
		Example: `sum by (team, evidence) (prodsec_findings_exploited_open{severity="critical"})`,
	}},
	{Collect: riskScore, Withheld: true, Family: frame.Family{
		Name: "prodsec_risk_score",
		Help: "Sum of the risk weights of open critical and high weaknesses: severity × exposure × criticality × exploitation, with the factors of " +
			"policy.risk. The unit is specific to the organisation: compare services and points in time, not organisations. A source that was never " +
			"read adds nothing: while prodsec_scopes{status=\"never\"} is above 0, the score is a lower bound, and services without a score are absent.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  owner(),
		Source:  "Finding.Severity, Finding.KnownExploited, Finding.ActiveSecret, Finding.EPSS, Service.InternetFacing, Service.CrownJewel, Service.TrustTier",
		Refresh: refreshFindings,
		Example: `topk(10, sum by (service_name) (prodsec_risk_score))`,
	}},
	{Collect: areaRisk, Family: frame.Family{
		Name: "prodsec_product_area_risk_score",
		Help: "prodsec_risk_score by the product area that the catalog has for the service; none is for services without one and for what is unattributed. Absent for a product area " +
			"while the score of one of its services is not known.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"product_area"},
		Unbound: []string{"product_area"},
		Source:  "as prodsec_risk_score, Service.ProductArea",
		Refresh: refreshFindings,
		Example: `topk(10, prodsec_product_area_risk_score)`,
	}},
	{Collect: riskConcentration, Family: frame.Family{
		Name: "prodsec_risk_concentration_ratio",
		Help: "Share of the total risk score (0 to 1) that the top 1, 3 and 10 of a dimension hold: teams and services as they own it, and finding " +
			"categories. Unattributed weaknesses count as one team and one service, weaknesses without a category as one category. Absent while the " +
			"total is 0 or a source is too old for the total to be known. A source that was never read is not part of the total, as in " +
			"prodsec_risk_score.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"dimension", "top"},
		Source:  "as prodsec_risk_score, and Finding.Category",
		Refresh: refreshFindings,
		Example: `prodsec_risk_concentration_ratio{dimension="service", top="10"} > 0.5`,
	}},
	{Collect: findingEvents, Family: frame.Family{
		Name: "prodsec_finding_events_total",
		Help: "Events of weaknesses, with owner, severity and class at the time of the event. opened, reopened, scope_gained, moved_in, severity_raised " +
			"and severity_lowered add one open weakness (the last two at the new severity); severity_left and every event that closes or removes a " +
			"weakness take one away; excepted and exception_ended change neither. History that was imported before the founding counts at the source's " +
			"dates.",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "severity", "class", "event"},
		Source:  "Finding, Exception",
		Refresh: refreshFindings,
		Example: `sum by (event) (increase(prodsec_finding_events_total{severity="critical"}[7d]))`,
	}},
	{Collect: findingFlow, Family: frame.Family{
		Name: "prodsec_finding_flow_in_window",
		Help: "Events of prodsec_finding_events_total in the trailing window, counted exactly. The weaknesses that are open now, minus those that were " +
			"open at the start of the window, are the sum of all events with their signs.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "severity", "event"},
		Source:  "Finding, Exception",
		Refresh: refreshFindings,
		Example: `sum by (event) (prodsec_finding_flow_in_window{window="30d", severity=~"critical|high", event=~"opened|fixed"})`,
	}},
	{Collect: exceptions, Withheld: true, Family: frame.Family{
		Name: "prodsec_exceptions",
		Help: "Exceptions by state and by time until they expire, which depends on the expiry date alone. unscoped is approved and not expired, but does " +
			"not name both where it holds and what it excepts: it covers nothing and stops no clock. category is none where the source has none.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "category", "state", "expires"},
		Unbound: []string{"category"},
		Source:  "Exception.State, Exception.ExpiresAt, Exception.Category",
		Refresh: refreshExceptions,
		Example: `sum by (category) (prodsec_exceptions{state="expired"})`,
	}},
	{Collect: exceptionAge, Family: frame.Family{
		Name: "prodsec_exception_age_seconds",
		Help: "Time since approval of exceptions that are active, unscoped, or expired but still open in their source (time since the request, where the " +
			"source has no approval date).",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "category"},
		Unbound: []string{"category"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: string(policy.BucketsAges),
		Source:  "Exception.DecidedAt, Exception.RequestedAt",
		Refresh: refreshExceptions,
		Example: `histogram_quantile(0.5, sum by (category, le) (prodsec_exception_age_seconds_bucket))`,
	}},
	{Collect: exceptionNextExpiry, Withheld: true, Family: frame.Family{
		Name: "prodsec_exception_next_expiry_timestamp_seconds",
		Help: "When the next active exception expires. Absent where no exception is active or none has an expiry date.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "category"),
		Unbound: []string{"category"},
		Source:  "Exception.ExpiresAt",
		Refresh: refreshExceptions,
		Example: `min by (team) (prodsec_exception_next_expiry_timestamp_seconds) - time() < 7 * 86400`,
		Combine: frame.Least,
	}},
	{Collect: exceptionsGranted, Family: frame.Family{
		Name: "prodsec_exceptions_granted_in_window",
		Help: "Approvals of exceptions in the trailing window, by the source's date. kind is renewal if an exception for the same service and category " +
			"was approved within policy.exceptions.renewal_within before, else first. Each further approval of the same exception counts, too.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "category", "kind"},
		Unbound: []string{"category"},
		Source:  "Exception.DecidedAt, Exception.Category, Exception.Service",
		Refresh: refreshExceptions,
		Example: `sum by (category) (prodsec_exceptions_granted_in_window{window="90d", kind="renewal"})`,
	}},
	{Collect: categoryFindings, Family: frame.Family{
		Name: "prodsec_category_findings_in_window",
		Help: "Weaknesses that opened (new, or repeat if a weakness of the same category had been fixed in the same product area before) or reopened in " +
			"the trailing window, by category (a CWE, else a rule family, else an ecosystem; none where a source has none) and by the product area, as " +
			"the catalog has it now, of the service that owned them then. Weaknesses that a newly added source brought count as neither, because they " +
			"existed before.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "product_area", "category", "kind"},
		Unbound: []string{"product_area", "category"},
		Source:  "Finding.Category, Finding.FirstSeen, Service.ProductArea",
		Refresh: refreshFindings,
		Example: `topk(10, sum by (product_area, category) (prodsec_category_findings_in_window{window="90d", kind=~"repeat|reopened"}))`,
	}},
	{Collect: exceptionsByStandard, Family: frame.Family{
		Name: "prodsec_exceptions_granted_by_control_in_window",
		Help: "Approvals of exceptions in the trailing window, by the control that they except: the controls that the exception names, else those to which " +
			"policy.control_mapping attributes what it covers, else none. An exception from several controls counts for each. kind is as in " +
			"prodsec_exceptions_granted_in_window.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"window", "business_unit", "control", "kind"},
		Source:  "Exception.DecidedAt, Exception.Controls, Exception.Categories, Exception.Rules",
		Refresh: refreshExceptions,
		Example: `sum by (business_unit, control) (prodsec_exceptions_granted_by_control_in_window{window="90d", kind="renewal"})`,
	}},
	{Collect: duplicateFindings, Family: frame.Family{
		Name: "prodsec_duplicate_findings",
		Help: "Findings that de-duplication folded into another finding of the same weakness, open or closed: prodsec_records{kind=\"finding\"} minus the sum " +
			"of this family is the number of weaknesses.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"class"},
		Source:  "Finding.Aliases, Finding.Package, Finding.Category, Finding.Place",
		Refresh: refreshFindings,
		Example: `sum by (class) (prodsec_duplicate_findings)`,
	}},
}

func findingsOpen(in *tallies.Tallies, out *frame.Sink) {
	open := in.Weaknesses
	out.Product(severityValues, classValues, slaValues)
	width := out.Dims()
	for i := range in.Snapshot.Services {
		owner := in.Snapshot.Services[i].Owner
		for dim, n := range open.Count[i*width : (i+1)*width] {
			switch {
			case open.CountUnknown != nil && open.CountUnknown[i*width+dim]:
				out.Unknown(owner, dim)
			case n > 0:
				out.Add(owner, dim, float64(n))
			}
		}
	}
	for _, i := range in.Services {
		for _, severity := range tallies.UrgentSeverities {
			for class, read := range in.Sources.Classes {
				if read.Complete() {
					out.Zero(in.Snapshot.Services[i].Owner, (severity*tallies.ClassCount+class)*tallies.SLACount+int(policy.SLAWithin))
				}
			}
		}
	}
}

func findingAge(in *tallies.Tallies, out *frame.Sink) {
	open := in.Weaknesses
	out.Product(severityValues)
	for at, t := range open.Age {
		team, severity := int32(at/tallies.SeverityCount), at%tallies.SeverityCount
		switch {
		case open.AgeUnknown[at]:
			out.Unknown(team, severity)
		case t != nil:
			out.Observe(team, severity, t.Histogram())
		}
	}
	if !in.Sources.Of(record.KindFinding).Complete() {
		return
	}
	for _, owner := range in.Owners.Present {
		for _, severity := range tallies.UrgentSeverities {
			out.Zero(in.Owners.TeamOf[owner], severity)
		}
	}
}

func findingOldest(in *tallies.Tallies, out *frame.Sink) {
	open := in.Weaknesses
	out.Product(severityValues)
	for at, oldest := range open.Oldest {
		owner, severity := in.Snapshot.Services[at/tallies.SeverityCount].Owner, at%tallies.SeverityCount
		switch {
		case open.OldestUnknown[at]:
			out.Unknown(owner, severity)
		case oldest != 0:
			out.Add(owner, severity, float64(oldest))
		}
	}
}

func findingEvents(in *tallies.Tallies, out *frame.Sink) {
	events := in.Events
	out.Product(severityValues, classValues, flowValues)
	for at, n := range events.Flows {
		if n == 0 {
			continue
		}
		kind, cell := at%tallies.KindCount, at/tallies.KindCount
		group, rest := cell/(tallies.SeverityCount*tallies.ClassCount), cell%(tallies.SeverityCount*tallies.ClassCount)
		out.Add(int32(group), rest*len(tallies.FlowKinds)+kind, float64(n))
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, severity := range tallies.UrgentSeverities {
			for class, read := range in.Sources.Classes {
				for _, kind := range zeroFlows {
					if read.Ever {
						out.Zero(group, (severity*tallies.ClassCount+class)*len(tallies.FlowKinds)+int(kind))
					}
				}
			}
		}
	}
}

// zeroFlows are the events that are shown at 0 where none happened.
var zeroFlows = []snapshot.EventKind{snapshot.EventOpened, snapshot.EventFixed, snapshot.EventReopened}

func findingFlow(in *tallies.Tallies, out *frame.Sink) {
	out.Product(windowNames(in.Policy), severityValues, flowValues)
	dim := func(window, severity, kind int) int {
		return (window*tallies.SeverityCount+severity)*len(tallies.FlowKinds) + kind
	}
	for window, flows := range in.Events.Windows {
		for at, ever := range in.Events.Longest() {
			if kind := at % tallies.KindCount; ever > 0 && kind < len(tallies.FlowKinds) {
				cell := at / tallies.KindCount
				out.AddOrZero(int32(cell/tallies.SeverityCount), dim(window, cell%tallies.SeverityCount, kind), float64(flows[at]))
			}
		}
	}
	if !in.Sources.Of(record.KindFinding).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for window := range in.Policy.Windows() {
			for severity, name := range record.Severities() {
				for _, kind := range zeroFlows {
					if name != record.SeverityUnknown {
						out.Zero(group, dim(window, severity, int(kind)))
					}
				}
			}
		}
	}
}

func duplicateFindings(in *tallies.Tallies, out *frame.Sink) {
	open := in.Weaknesses
	out.Product(classValues)
	for class, n := range open.Duplicates {
		switch {
		case open.DuplicatesUnknown[class]:
			out.Unknown(frame.NoEntity, class)
		case n > 0:
			out.Add(frame.NoEntity, class, float64(n))
		}
		if in.Sources.Classes[class].Complete() {
			out.Zero(frame.NoEntity, class)
		}
	}
}

// The values of the label "kind" of prodsec_category_findings_in_window, by position.
var categoryKinds = [tallies.RecurrenceKinds]string{tallies.RecurrenceNew: "new", tallies.RecurrenceRepeat: "repeat", tallies.RecurrenceReopened: "reopened"}

func categoryFindings(in *tallies.Tallies, out *frame.Sink) {
	r, windows := in.Events.Recurrence, windowNames(in.Policy)
	names := make([]string, len(in.Snapshot.Strings))
	for at, pair := range r.Pairs {
		if !r.Occurred(at) {
			continue // it was fixed long ago, and nothing of it fell into a window
		}
		category := &names[pair.Category]
		if *category == "" {
			*category = frame.Named(in.Snapshot.Strings[pair.Category], frame.None)
		}
		labels := make([]string, 0, 4*tallies.RecurrenceKinds*len(windows))
		for kind, name := range categoryKinds {
			n := uint32(0)
			for window, more := range r.Categories(at, kind) {
				n += more // a longer window holds the shorter ones
				labels = append(labels, windows[window], pair.Area, *category, name)
				if dim := out.NewDim(labels[len(labels)-4:]...); n > 0 {
					out.Add(frame.NoEntity, dim, float64(n))
				} else {
					out.Zero(frame.NoEntity, dim)
				}
			}
		}
	}
}
