package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// exposure lists the families of the board "Exposure": which risk grows faster than we reduce it?
var exposure = []*Family{
	{
		Name: "prodsec_findings_open",
		Help: "Open weaknesses after de-duplication: what several tools report of the same thing counts once, under the worst " +
			"severity. sla is within, due_soon (the last part of its time), breached, excepted (an approved exception stops the " +
			"clock) or none (no target). What is in a repository that is archived, or that its source host no longer has, belongs to " +
			"unattributed, whatever the catalog says.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "severity", "class", "sla"),
		Source:  "Finding, Exception, Service",
		Refresh: refreshFindings,
		Example: `sum by (business_unit, severity) (prodsec_findings_open{severity=~"critical|high"})`,
		Collect: findingsOpen,
	},
	{
		Name: "prodsec_finding_age_seconds",
		Help: "Time since open weaknesses were first seen by any tool.",
		Type: StateHistogram, Stability: Stable,
		Labels:  []string{"business_unit", "team", "severity"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: policy.BucketsAges,
		Source:  "Finding.FirstSeen",
		Refresh: refreshFindings,
		Example: `histogram_quantile(0.9, sum by (le) (prodsec_finding_age_seconds_bucket{severity="critical"}))`,
		Collect: findingAge,
	},
	{
		Name: "prodsec_finding_oldest_opened_timestamp_seconds",
		Help: "When the open weakness that is oldest was first seen.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "severity"),
		Source:  "Finding.FirstSeen",
		Refresh: refreshFindings,
		Example: `time() - min by (team) (prodsec_finding_oldest_opened_timestamp_seconds{severity="critical"})`,
		Combine: Least,
		Collect: findingOldest,
	},
	{
		Name: "prodsec_findings_exploited_open",
		Help: "Open weaknesses that are used in attacks or likely to be, each under its strongest evidence: kev (a source lists it as known to be " +
			"exploited), active_secret (a leaked secret that was verified to work), epss (the exploit prediction is at or above " +
			"policy.epss_threshold). Evidence that no finding ever carried, and of which no list is read, is absent, because then nobody may have looked.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "severity", "evidence"),
		Source:  "Finding.KnownExploited, Finding.ActiveSecret, Finding.EPSS",
		Refresh: refreshFindings,
		Example: `sum by (team, evidence) (prodsec_findings_exploited_open{severity="critical"})`,
		Collect: findingsExploited,
	},
	{
		Name: "prodsec_risk_score",
		Help: "Sum of the risk weights of open criticals and highs: severity × exposure × criticality × exploitation, the factors of policy.risk. " +
			"The unit is the organisation's own; compare services and times, not programmes. What was never read adds nothing: " +
			"while prodsec_scopes{status=\"never\"} is above 0 the score is what is known at least, and services without any are absent.",
		Type: Gauge, Stability: Stable,
		Labels:  owner(),
		Source:  "Finding.Severity, Finding.KnownExploited, Finding.ActiveSecret, Finding.EPSS, Service.InternetFacing, Service.CrownJewel, Service.TrustTier",
		Refresh: refreshFindings,
		Example: `topk(10, sum by (service_name) (prodsec_risk_score))`,
		Collect: riskScore,
	},
	{
		Name: "prodsec_risk_concentration_ratio",
		Help: "Share of the total risk score that the top 1, 3 and 10 of a dimension hold, in 0 to 1: teams and services as they own it, and finding " +
			"categories. What is unattributed, or has no category, counts as one holder, so that it cannot hide. Absent while there is no risk, " +
			"or a source is too old for the total to be known. What was never read is no part of the total, as in prodsec_risk_score.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"dimension", "top"},
		Source:  "as prodsec_risk_score, and Finding.Category",
		Refresh: refreshFindings,
		Example: `prodsec_risk_concentration_ratio{dimension="service", top="10"} > 0.5`,
		Collect: riskConcentration,
	},
	{
		Name: "prodsec_finding_events_total",
		Help: "Changes in weaknesses, with owner, severity and class as of the change. opened, reopened, scope_gained, moved_in, " +
			"severity_raised and severity_lowered add to the open ones (the last two at the severity entered); severity_left and " +
			"every way to close or leave takes one away; excepted and exception_ended change neither. History found at the " +
			"first pass counts from the source's dates.",
		Type: Counter, Stability: Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "severity", "class", "event"},
		Source:  "Finding, Exception",
		Refresh: refreshFindings,
		Example: `sum by (event) (increase(prodsec_finding_events_total{severity="critical"}[7d]))`,
		Collect: findingEvents,
	},
	{
		Name: "prodsec_finding_flow_in_window",
		Help: "The events of prodsec_finding_events_total that fell into the trailing window, counted exactly. Open now minus open " +
			"at the start of the window is the signed sum over all events.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "severity", "event"},
		Source:  "Finding, Exception",
		Refresh: refreshFindings,
		Example: `sum by (event) (prodsec_finding_flow_in_window{window="30d", severity=~"critical|high", event=~"opened|fixed"})`,
		Collect: findingFlow,
	},
	{
		Name: "prodsec_exceptions",
		Help: "Exceptions by where they stand and how soon they expire, by the date alone. unscoped is approved and unexpired but " +
			"names nothing, so it covers nothing and stops no clock. A category that the source leaves empty is none.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "category", "state", "expires"},
		Unbound: []string{"category"},
		Source:  "Exception.State, Exception.ExpiresAt, Exception.Category",
		Refresh: refreshExceptions,
		Example: `sum by (category) (prodsec_exceptions{state="expired"})`,
		Collect: exceptions,
	},
	{
		Name: "prodsec_exception_age_seconds",
		Help: "Time since exceptions that are active, unscoped, or expired but still open in their source were approved (asked " +
			"for, where the source gives no date of approval).",
		Type: StateHistogram, Stability: Stable,
		Labels:  []string{"business_unit", "category"},
		Unbound: []string{"category"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: policy.BucketsAges,
		Source:  "Exception.DecidedAt, Exception.RequestedAt",
		Refresh: refreshExceptions,
		Example: `histogram_quantile(0.5, sum by (category, le) (prodsec_exception_age_seconds_bucket))`,
		Collect: exceptionAge,
	},
	{
		Name: "prodsec_exception_next_expiry_timestamp_seconds",
		Help: "When the active exception that expires soonest expires. Absent where none is active or none names an end.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "category"),
		Unbound: []string{"category"},
		Source:  "Exception.ExpiresAt",
		Refresh: refreshExceptions,
		Example: `min by (team) (prodsec_exception_next_expiry_timestamp_seconds) - time() < 7 * 86400`,
		Combine: Least,
		Collect: exceptionNextExpiry,
	},
	{
		Name: "prodsec_exceptions_granted_in_window",
		Help: "Approvals of exceptions that fell into the trailing window, by the source's date: a renewal if one for the same service and " +
			"category was approved within policy.exceptions.renewal_within before it, else first. An exception approved anew is a further approval.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "category", "kind"},
		Unbound: []string{"category"},
		Source:  "Exception.DecidedAt, Exception.Category, Exception.Service",
		Refresh: refreshExceptions,
		Example: `sum by (category) (prodsec_exceptions_granted_in_window{window="90d", kind="renewal"})`,
		Collect: exceptionsGranted,
	},
	{
		Name: "prodsec_category_findings_in_window",
		Help: "Weaknesses that opened (new) or came back (reopened) in the trailing window, by the product area of the service that owned them then, as the " +
			"catalog has it now, and by category: a CWE, else a rule family, else an ecosystem; none where a source gives none. " +
			"What a new source brought along was there before, and is in neither kind.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"window", "product_area", "category", "kind"},
		Unbound: []string{"product_area", "category"},
		Source:  "Finding.Category, Finding.FirstSeen, Service.ProductArea",
		Refresh: refreshFindings,
		Example: `topk(10, sum by (product_area, category) (prodsec_category_findings_in_window{window="90d"}))`,
		Collect: categoryFindings,
	},
	{
		Name: "prodsec_duplicate_findings",
		Help: "Reports that are folded into another report of the same weakness, open or closed: prodsec_records{kind=\"finding\"} " +
			"minus their sum is the number of weaknesses.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"class"},
		Source:  "Finding.Aliases, Finding.Package, Finding.Category, Finding.Place",
		Refresh: refreshFindings,
		Example: `sum by (class) (prodsec_duplicate_findings)`,
		Collect: duplicateFindings,
	},
}

// The label values of the enumerations, in index order.
var (
	severityValues = valuesOf(record.Severities())
	classValues    = valuesOf(record.Classes())
	slaValues      = namesOf(policy.SLAs())
	flowValues     = namesOf(flowKinds)
	outcomeValues  = namesOf(outcomeKinds)
)

func valuesOf[T ~string](list []T) []string {
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = string(v)
	}
	return values
}

func namesOf[T interface{ String() string }](list []T) []string {
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = v.String()
	}
	return values
}

// windowNames are the values of the label "window".
func windowNames(p *policy.Policy) []string {
	var names []string
	for _, w := range p.Windows() {
		names = append(names, w.Name)
	}
	return names
}

func findingsOpen(in *Input, out *Sink) {
	open := in.shared.open
	out.Product(severityValues, classValues, slaValues)
	width := len(out.dims)
	for i := range in.Snapshot.Services {
		owner := in.Snapshot.Services[i].Owner
		for dim, n := range open.count[i*width : (i+1)*width] {
			switch {
			case open.countUnknown != nil && open.countUnknown[i*width+dim]:
				out.Unknown(owner, dim)
			case n > 0:
				out.Add(owner, dim, float64(n))
			}
		}
	}
	for _, i := range in.shared.inService {
		for _, severity := range urgentSeverities {
			for class, read := range in.shared.sources.classes {
				if read.complete() {
					out.Zero(in.Snapshot.Services[i].Owner, (severity*classCount+class)*slaCount+int(policy.SLAWithin))
				}
			}
		}
	}
}

func findingAge(in *Input, out *Sink) {
	open := in.shared.open
	out.Product(severityValues)
	for at, t := range open.age {
		team, severity := int32(at/severityCount), at%severityCount
		switch {
		case open.ageUnknown[at]:
			out.Unknown(team, severity)
		case t != nil:
			out.Observe(team, severity, t.histogram())
		}
	}
	if !in.shared.sources.of(record.KindFinding).complete() {
		return
	}
	for _, owner := range in.shared.own.present {
		for _, severity := range urgentSeverities {
			out.Zero(in.shared.own.teamOf[owner], severity)
		}
	}
}

func findingOldest(in *Input, out *Sink) {
	open := in.shared.open
	out.Product(severityValues)
	for at, oldest := range open.oldest {
		owner, severity := in.Snapshot.Services[at/severityCount].Owner, at%severityCount
		switch {
		case open.oldestUnknown[at]:
			out.Unknown(owner, severity)
		case oldest != 0:
			out.Add(owner, severity, float64(oldest))
		}
	}
}

func findingEvents(in *Input, out *Sink) {
	events := in.shared.events
	out.Product(severityValues, classValues, flowValues)
	for at, n := range events.flows {
		if n == 0 {
			continue
		}
		kind, cell := at%kindCount, at/kindCount
		group, rest := cell/(severityCount*classCount), cell%(severityCount*classCount)
		out.Add(int32(group), rest*len(flowKinds)+kind, float64(n))
	}
	for _, group := range presentGroups(in) {
		for _, severity := range urgentSeverities {
			for class, read := range in.shared.sources.classes {
				for _, kind := range zeroFlows {
					if read.ever {
						out.Zero(group, (severity*classCount+class)*len(flowKinds)+int(kind))
					}
				}
			}
		}
	}
}

// zeroFlows are the events that are shown at 0 where none happened.
var zeroFlows = []snapshot.EventKind{snapshot.EventOpened, snapshot.EventFixed, snapshot.EventReopened}

// presentGroups are the groups that own a service now, each once.
func presentGroups(in *Input) []int32 { return in.shared.own.presentOf(in.shared.own.groupOf) }

// presentUnits are the business units that own a service now, each once.
func presentUnits(in *Input) []int32 { return in.shared.own.presentOf(in.shared.own.unitOf) }

func findingFlow(in *Input, out *Sink) {
	out.Product(windowNames(in.Policy), severityValues, flowValues)
	dim := func(window, severity, kind int) int { return (window*severityCount+severity)*len(flowKinds) + kind }
	for window, flows := range in.shared.events.windows {
		for at, ever := range in.shared.events.longest() {
			if kind := at % kindCount; ever > 0 && kind < len(flowKinds) {
				cell := at / kindCount
				out.AddOrZero(int32(cell/severityCount), dim(window, cell%severityCount, kind), float64(flows[at]))
			}
		}
	}
	if !in.shared.sources.of(record.KindFinding).ever {
		return
	}
	for _, group := range presentGroups(in) {
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

func duplicateFindings(in *Input, out *Sink) {
	open := in.shared.open
	out.Product(classValues)
	for class, n := range open.duplicates {
		switch {
		case open.duplicatesUnknown[class]:
			out.Unknown(noEntity, class)
		case n > 0:
			out.Add(noEntity, class, float64(n))
		}
		if in.shared.sources.classes[class].complete() {
			out.Zero(noEntity, class)
		}
	}
}
