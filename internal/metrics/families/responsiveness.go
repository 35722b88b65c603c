package families

import (
	"strconv"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// responsiveness lists the families of the board "Responsiveness": are the right teams fixing things in time?
var responsiveness = []*Family{
	{Collect: slaTarget, Family: frame.Family{
		Name: "prodsec_sla_target_seconds",
		Help: "SLA target that the policy sets, as time to fix, by everything it depends on. Absent where the policy sets none.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"severity", "trust_tier", "internet_facing", "crown_jewel", "exploited"},
		Source:  "the configuration, policy.sla.targets",
		Refresh: refreshPolicy,
		Example: `min by (severity, trust_tier) (prodsec_sla_target_seconds) / 86400`,
		Combine: frame.Once,
	}},
	{Collect: slaOutcomes, Family: frame.Family{
		Name: "prodsec_sla_outcomes_total",
		Help: "SLA outcomes, with the owner on the day of the outcome: met if the weakness was fixed by the end of the day on which it was due, missed if " +
			"not, void if the closure means that nothing had to be fixed. A missed outcome is counted once the source was read after the deadline, or " +
			"once its records are too old to be shown. revoked takes back a met outcome when the weakness is reopened, so SLA attainment is (met - " +
			"revoked) / (met - revoked + missed).",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  append(owner(), "severity", "outcome"),
		Source:  "Finding.FirstSeen, Finding.ClosedAt, Finding.Closure, Exception",
		Refresh: refreshFindings,
		Example: `sum by (team) (increase(prodsec_sla_outcomes_total{outcome="missed"}[7d]))`,
	}},
	{Collect: slaOutcomesInWindow, Family: frame.Family{
		Name: "prodsec_sla_outcomes_in_window",
		Help: "SLA outcomes in the trailing window, counted exactly. A met outcome that was revoked since is not counted; the revocation of a met outcome " +
			"from before the window changes nothing in it.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "severity", "outcome"},
		Source:  "Finding.FirstSeen, Finding.ClosedAt, Finding.Closure, Exception",
		Refresh: refreshFindings,
		Example: `sum by (business_unit) (prodsec_sla_outcomes_in_window{window="90d", severity="high", outcome="met"})`,
	}},
	{Collect: findingRemediation, Family: frame.Family{
		Name: "prodsec_finding_remediation_seconds",
		Help: "Time from first seen to fixed. Dismissals are not remediation and are not counted. Buckets, with bounds at the SLA targets, are chosen by " +
			"whole hours, rounded up; the sum is exact.",
		Type: frame.EventHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "severity", "class"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRemediation),
		Buckets: string(policy.BucketsRemediation),
		Source:  "Finding.FirstSeen, Finding.ClosedAt",
		Refresh: refreshFindings,
		Example: `histogram_quantile(0.5, sum by (severity, le) (rate(prodsec_finding_remediation_seconds_bucket[30d])))`,
	}},
	{Collect: reviewsOpen, Withheld: true, Family: frame.Family{
		Name: "prodsec_reviews_open",
		Help: "Open requests for a security review, by state: waiting has no answer yet (a comment or a change of status by a responder who is neither " +
			"the requester nor a bot); in_progress has one; blocked has a status that means blocked, answered or not.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "kind", "state"},
		Source:  "Review.State, Review.FirstResponseAt, Review.ClosedAt",
		Refresh: refreshTickets,
		Example: `sum by (kind) (prodsec_reviews_open{state="waiting"})`,
	}},
	{Collect: reviewWaiting, Withheld: true, Family: frame.Family{
		Name: "prodsec_review_waiting_seconds",
		Help: "Time that reviews in state waiting have waited for their first answer, on the clock of policy.calendars.reviews (calendar time if it is " +
			"not set), or on the source's own where it has one (an SLA of Jira Service Management).",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "kind"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Review.RequestedAt, Review.FirstResponseAt, Review.Response",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.9, sum by (le) (prodsec_review_waiting_seconds_bucket))`,
	}},
	{Collect: reviewFirstResponse, Family: frame.Family{
		Name: "prodsec_review_first_response_seconds",
		Help: "Time from the request for a review to the first answer by a responder who is neither the requester nor a bot, on the clock of " +
			"policy.calendars.reviews (calendar time if it is not set; a change of the calendar recomputes the past), or on the source's own where it " +
			"has one (an SLA of Jira Service Management). Each review counts once, under " +
			"its kind at that time and its first owner, also after its ticket changes or is removed.",
		Type: frame.EventHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "kind"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Review.RequestedAt, Review.FirstResponseAt, Review.Response",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (kind, le) (rate(prodsec_review_first_response_seconds_bucket[30d])))`,
	}},
	{Collect: reviewFirstResponseInWindow, Family: frame.Family{
		Name: "prodsec_review_first_response_in_window_seconds",
		Help: "Times of prodsec_review_first_response_seconds of answers in the trailing window, by the source's date.",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"window", "kind"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Review.RequestedAt, Review.FirstResponseAt, Review.Response",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (le) (prodsec_review_first_response_in_window_seconds_bucket{window="30d"}))`,
	}},
	{Collect: exceptionDecision, Family: frame.Family{
		Name: "prodsec_exception_decision_seconds",
		Help: "Time from the request for an exception to its first approval or rejection, on the clock of policy.calendars.decisions (calendar time if it " +
			"is not set; a change of the calendar recomputes the past). Acceptances that a scanner records have no request and are not counted. Each " +
			"exception counts once, also after its ticket changes or is removed.",
		Type: frame.EventHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "category", "decision"},
		Unbound: []string{"category"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Exception.RequestedAt, Exception.DecidedAt, Exception.State",
		Refresh: refreshExceptions,
		Example: `histogram_quantile(0.9, sum by (business_unit, le) (rate(prodsec_exception_decision_seconds_bucket[30d])))`,
	}},
	{Collect: exceptionDecisionInWindow, Family: frame.Family{
		Name: "prodsec_exception_decision_in_window_seconds",
		Help: "Times of prodsec_exception_decision_seconds of decisions in the trailing window, by the source's date.",
		Type: frame.StateHistogram, Stability: frame.Experimental,
		Labels:  []string{"window", "business_unit", "decision"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Exception.RequestedAt, Exception.DecidedAt, Exception.State",
		Refresh: refreshExceptions,
		Example: `histogram_quantile(0.9, sum by (business_unit, le) (prodsec_exception_decision_in_window_seconds_bucket{window="30d"}))`,
	}},
	{Collect: exceptionPending, Withheld: true, Family: frame.Family{
		Name: "prodsec_exception_pending_seconds",
		Help: "Time since the request of exceptions that are neither approved nor rejected, on the clock of policy.calendars.decisions (calendar time if " +
			"it is not set).",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit", "category"},
		Unbound: []string{"category"},
		Bounds:  policy.DefaultBuckets(policy.BucketsRequests),
		Buckets: string(policy.BucketsRequests),
		Source:  "Exception.State, Exception.RequestedAt",
		Refresh: refreshExceptions,
		Example: `sum by (business_unit) (prodsec_exception_pending_seconds_count)`,
	}},
	{Collect: followupsOpen, Withheld: true, Family: frame.Family{
		Name: "prodsec_followups_open",
		Help: "Open follow-up actions of incidents, by whether they are past their due day; unknown if they have none.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "overdue"},
		Source:  "Followup.DueAt, Followup.ClosedAt",
		Refresh: refreshTickets,
		Example: `sum by (team) (prodsec_followups_open{overdue="true"})`,
	}},
	{Collect: followupAge, Family: frame.Family{
		Name: "prodsec_followup_age_seconds",
		Help: "Time since open follow-up actions of incidents were created.",
		Type: frame.StateHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: string(policy.BucketsAges),
		Source:  "Followup.CreatedAt, Followup.ClosedAt",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (business_unit, le) (prodsec_followup_age_seconds_bucket))`,
	}},
	{Collect: followupClose, Family: frame.Family{
		Name: "prodsec_followup_close_seconds",
		Help: "Time from the creation of a follow-up action of an incident to its first closure. Each action counts once, under its first owner, also " +
			"after it is reopened or leaves its source.",
		Type: frame.EventHistogram, Stability: frame.Stable,
		Labels:  []string{"business_unit"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: string(policy.BucketsAges),
		Source:  "Followup.CreatedAt, Followup.ClosedAt",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (business_unit, le) (rate(prodsec_followup_close_seconds_bucket[90d])))`,
	}},
	{Collect: followupCloseInWindow, Family: frame.Family{
		Name: "prodsec_followup_close_in_window_seconds",
		Help: "Times of prodsec_followup_close_seconds of actions that were closed for the first time in the trailing window, by the source's date.",
		Type: frame.StateHistogram, Stability: frame.Experimental,
		Labels:  []string{"window", "business_unit"},
		Bounds:  policy.DefaultBuckets(policy.BucketsAges),
		Buckets: string(policy.BucketsAges),
		Source:  "Followup.CreatedAt, Followup.ClosedAt",
		Refresh: refreshTickets,
		Example: `histogram_quantile(0.5, sum by (business_unit, le) (prodsec_followup_close_in_window_seconds_bucket{window="90d"}))`,
	}},
	{Collect: escalationsOpen, Withheld: true, Family: frame.Family{
		Name: "prodsec_escalations_open",
		Help: "Open release blocks and urgent escalations.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "kind"},
		Source:  "Escalation.Kind, Escalation.ClosedAt",
		Refresh: refreshTickets,
		Example: `sum by (business_unit) (prodsec_escalations_open{kind="release_block"})`,
	}},
	{Collect: escalationsRaised, Family: frame.Family{
		Name: "prodsec_escalations_total",
		Help: "Release blocks and urgent escalations, each counted once under its first owner, kind and reason. reason is none where the source has none.",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "kind", "reason"},
		Unbound: []string{"reason"},
		Source:  "Escalation.Kind, Escalation.Reason, Escalation.RaisedAt",
		Refresh: refreshTickets,
		Example: `sum by (reason) (increase(prodsec_escalations_total{kind="release_block"}[30d]))`,
	}},
	{Collect: escalationsInWindow, Family: frame.Family{
		Name: "prodsec_escalations_in_window",
		Help: "Release blocks and urgent escalations raised in the trailing window, by the source's date, each counted once under its first owner, kind " +
			"and reason.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"window", "business_unit", "team", "trust_tier", "kind", "reason"},
		Unbound: []string{"reason"},
		Source:  "Escalation.Kind, Escalation.Reason, Escalation.RaisedAt",
		Refresh: refreshTickets,
		Example: `sum by (reason) (prodsec_escalations_in_window{window="30d", kind="release_block"})`,
	}},
}

func slaTarget(in *tallies.Tallies, out *frame.Sink) {
	for severity, name := range record.Severities() {
		for tier, tierName := range in.Policy.TierNames() {
			for bits := range 8 {
				facing, jewel, exploited := bits&4 != 0, bits&2 != 0, bits&1 != 0
				facts := policy.ServiceFacts{Tier: policy.TierIndex(tier), InternetFacing: facing, CrownJewel: jewel}
				target := in.Policy.Target(policy.SeverityIndex(severity), facts, exploited)
				if target == 0 {
					continue
				}
				dim := out.Dim(string(name), tierName, strconv.FormatBool(facing), strconv.FormatBool(jewel), strconv.FormatBool(exploited))
				out.Add(frame.NoEntity, dim, float64(target))
			}
		}
	}
}

func slaOutcomes(in *tallies.Tallies, out *frame.Sink) {
	out.Product(severityValues, outcomeValues)
	for at, n := range in.Events.Outcomes {
		if n > 0 {
			out.Add(int32(at/out.Dims()), at%out.Dims(), float64(n))
		}
	}
	if !in.Sources.Of(record.KindFinding).Ever {
		return
	}
	for _, owner := range in.Owners.Present {
		for _, severity := range tallies.UrgentSeverities {
			for _, kind := range zeroOutcomes {
				out.Zero(owner, severity*len(tallies.OutcomeKinds)+int(kind-tallies.OutcomeKinds[0]))
			}
		}
	}
}

// zeroOutcomes are the outcomes that are shown at 0 where none fell.
var zeroOutcomes = []snapshot.EventKind{snapshot.EventMet, snapshot.EventMissed}

// windowOutcomes are the outcomes that are left once revocations are taken off.
var windowOutcomes = tallies.OutcomeKinds[:3]

func slaOutcomesInWindow(in *tallies.Tallies, out *frame.Sink) {
	out.Product(windowNames(in.Policy), severityValues, namesOf(windowOutcomes))
	dim := func(window, severity int, kind snapshot.EventKind) int {
		return (window*tallies.SeverityCount+severity)*len(windowOutcomes) + int(kind-windowOutcomes[0])
	}
	for window, events := range in.Events.Windows {
		for group := range int32(len(in.Owners.Groups.Labels)) {
			for severity := range tallies.SeverityCount {
				for _, kind := range windowOutcomes {
					if at := in.Events.WindowAt(group, severity, kind); in.Events.Longest()[at] > 0 {
						out.AddOrZero(group, dim(window, severity, kind), float64(events[at]))
					}
				}
			}
		}
	}
	if !in.Sources.Of(record.KindFinding).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for window := range in.Policy.Windows() {
			for _, severity := range tallies.UrgentSeverities {
				for _, kind := range zeroOutcomes {
					out.Zero(group, dim(window, severity, kind))
				}
			}
		}
	}
}

func findingRemediation(in *tallies.Tallies, out *frame.Sink) {
	out.Product(severityValues, classValues)
	width := out.Dims()
	for at, t := range in.Events.Remediation {
		if t != nil {
			out.Observe(int32(at/width), at%width, t.Histogram())
		}
	}
	for _, owner := range in.Owners.Present {
		for _, severity := range tallies.UrgentSeverities {
			for class, read := range in.Sources.Classes {
				if read.Ever {
					out.Zero(in.Owners.TeamOf[owner], severity*tallies.ClassCount+class)
				}
			}
		}
	}
}
