package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/snapshot"
)

// The recording rules, named level:metric:operations. The level names what a series is about: service, group (business unit, team, trust
// tier), team, business_unit, or programme for the whole. They fold replicas, drop labels that boards do not need, and are the only
// place where ratios and joins are made.
const (
	recOpen         = "group:prodsec_findings_open:sum"
	recOpenExposure = "exposure:prodsec_findings_open:sum"
	recAges         = "team:prodsec_finding_age_seconds:range"
	recFlow         = "group:prodsec_finding_flow_in_window:signed"
	recServiceOpen  = "service:prodsec_findings_open:sum"
	recExceptions   = "group:prodsec_exceptions:sum"
	recExploited    = "service:prodsec_findings_exploited_open:exposure"
	recRisk         = "service:prodsec_risk_score:exposure"
	recCategories   = "product_area:prodsec_category_findings_in_window:sum"
	recWrong        = "source:prodsec_tool_false_positive_in_window:sum"
	recWrongRatio   = "source:prodsec_tool_false_positive_in_window:ratio"

	recOutcomes           = "group:prodsec_sla_outcomes_in_window:sum"
	recUnitAttainment     = "business_unit:prodsec_sla_attainment:ratio"
	recProgrammeAttained  = "programme:prodsec_sla_attainment:ratio"
	recRemediationBuckets = "team:prodsec_finding_remediation_seconds_bucket:sum"

	recProtected      = "group:prodsec_protected_repositories:sum"
	recProtectedRatio = "programme:prodsec_protected_repositories:pass_ratio"
	recMappedRatio    = "programme:prodsec_unmapped_repositories:mapped_ratio"
	recScans          = "group:prodsec_scan_repositories:sum"
	recScanRatio      = "programme:prodsec_scan_repositories:current_ratio"

	recGranted         = "group:prodsec_exceptions_granted_in_window:sum"
	recExceptionAge    = "business_unit:prodsec_exception_age_seconds_bucket:sum"
	recPending         = "business_unit:prodsec_exception_pending_seconds_bucket:sum"
	recDecision        = "business_unit:prodsec_exception_decision_seconds_bucket:sum"
	recReviews         = "group:prodsec_reviews_open:sum"
	recReviewWaiting   = "business_unit:prodsec_review_waiting_seconds_bucket:sum"
	recFirstResponse   = "programme:prodsec_review_first_response_in_window_seconds_bucket:sum"
	recFollowups       = "group:prodsec_followups_open:sum"
	recFollowupAge     = "business_unit:prodsec_followup_age_seconds_bucket:sum"
	recFollowupClose   = "business_unit:prodsec_followup_close_seconds_bucket:sum"
	recEscalations     = "group:prodsec_escalations_open:sum"
	recOutcomeIncrease = "business_unit:prodsec_sla_outcomes:increase"
	recBurn            = "business_unit:prodsec_sla_outcomes:burn_ratio"

	recBudgetLeft = "collector:prodsec_api_budget_remaining:ratio"
)

// Group is a group of recording or alerting rules that is evaluated together.
type Group struct {
	Name  string
	Rules []Rule
}

// Rule is a recording rule or, when Alert is set, an alerting one.
type Rule struct {
	Record string
	Alert  *Alert
	Expr   string
	// Labels are added to the result.
	Labels map[string]string
	// Why is printed above the rule.
	Why string
}

// recordingShape is a recorded series and its labels.
type recordingShape struct{ record, labels string }

// recordingShapes are the labels of each recorded series; queries and board variables rely on them, and a test compares them with the
// rules.
var recordingShapes = slices.Concat([]recordingShape{
	{recOpen, groupLabels + ", severity, sla"},
	{recOpenExposure, groupLabels + ", severity, sla, crown_jewel, internet_facing"},
	{recAges, "business_unit, team, severity, age"},
	{recFlow, "window, " + groupLabels + ", severity, event"},
	{recServiceOpen, ownerLabels + ", severity, sla"},
	{recExceptions, groupLabels + ", category, state, expires"},
	{recExploited, ownerLabels + ", severity, evidence, crown_jewel, internet_facing"},
	{recRisk, ownerLabels + ", crown_jewel, internet_facing"},
	{recCategories, "window, product_area, category, kind"},
	{recWrong, "window, class, source, status"},
	{recWrongRatio, "window, class, source"},
	{recOutcomes, "window, " + groupLabels + ", severity, outcome"},
	{recUnitAttainment, "window, business_unit, severity"},
	{recProgrammeAttained, "window, severity"},
	{recRemediationBuckets, "business_unit, team, severity, le"},
	{recProtected, "check, scope, privileged, " + groupLabels + ", status"},
	{recProtectedRatio, "check, scope, privileged"},
	{recMappedRatio, ""},
	{recScans, "class, " + groupLabels + ", status"},
	{recScanRatio, "class"},
	{recGranted, "window, " + groupLabels + ", category, kind"},
	{recExceptionAge, "business_unit, category, le"},
	{recPending, "business_unit, category, le"},
	{recDecision, "business_unit, category, decision, le"},
	{recReviews, groupLabels + ", kind, state"},
	{recReviewWaiting, "business_unit, kind, le"},
	{recFirstResponse, "window, kind, le"},
	{recFollowups, groupLabels + ", overdue"},
	{recFollowupAge, "business_unit, le"},
	{recFollowupClose, "business_unit, le"},
	{recEscalations, groupLabels + ", kind"},
	{recOutcomeIncrease, "window, business_unit, outcome"},
	{recBurn, "window, business_unit"},
	{recBudgetLeft, "collector, instance_name, resource"},
}, deliveryShapes, controlShapes)

// shape is the labels of a recording rule as a list for "by".
func shape(record string) string {
	for _, s := range recordingShapes {
		if s.record == record {
			return s.labels
		}
	}
	panic("monitoring: no recording rule is called " + record)
}

// RecordingGroups are the recording rules, in a group per panel of the pack.
func RecordingGroups() []Group {
	return []Group{coverageRecords(), exposureRecords(), responsivenessRecords(), securityRecords(), burnRecords(), deliveryRecords(), doraRecords(), controlRecords(), exporterRecords()}
}

// foldedRule records a family summed over the labels of the rule, replicas folded: what boards and alerts read instead of the family.
func foldedRule(why, record, family string) Rule {
	return Rule{Why: why, Record: record, Expr: sumBy(shape(record), one(family))}
}

func coverageRecords() Group {
	return Group{Name: "prodsec-coverage", Rules: []Rule{
		{
			Why:    "Repositories by check and result, replicas folded.",
			Record: recProtected, Expr: sumBy(shape(recProtected), one(protectedRepositories)),
		},
		{
			Why:    "Share of repositories that pass a check; unknown counts against it, an exemption does not.",
			Record: recProtectedRatio,
			Expr: sumBy(shape(recProtectedRatio), series(recProtected, is("status", "pass"))) +
				"\n/\n" + sumBy(shape(recProtectedRatio), series(recProtected, isNot("status", "exempt"))),
		},
		foldedRule("Repositories by class of scan and by how fresh the last one is, replicas folded.", recScans, scanRepositories),
		{
			Why:    "Share of repositories with a current scan of a class; what is unknown or was never scanned counts against it.",
			Record: recScanRatio,
			Expr:   sumBy("class", series(recScans, is("status", "current"))) + "\n/\n(" + sumBy("class", series(recScans)) + " > 0)",
		},
		{
			Why:    "Share of repositories that the catalog gives to a service. Findings in the others reach nobody.",
			Record: recMappedRatio,
			Expr:   "1 - " + sumBy("", one(unmappedRepositories)) + "\n/\n(" + sumBy("", one(scopeSize, is("kind", "repositories"))) + " > 0)",
		},
	}}
}

func exposureRecords() Group {
	rules := []Rule{
		{
			Why:    "Open weaknesses by owner group, replicas folded.",
			Record: recOpen, Expr: sumBy(shape(recOpen), one(findingsOpen)),
		},
		{
			Why:    "Open criticals and highs by service: what alerts and tables read.",
			Record: recServiceOpen, Expr: sumBy(shape(recServiceOpen), one(findingsOpen, severe())),
		},
		{
			Why: "Open criticals and highs by what they could hurt. A service that is in no catalog (or folded into \"other\") counts as unknown, " +
				"never as unexposed.",
			Record: recOpenExposure, Expr: withFacts(recOpenExposure, series(recServiceOpen)),
		},
		{
			Why:    "Events of the trailing window, signed by what they add to or take from the open weaknesses: their sum is the change.",
			Record: recFlow, Expr: signedFlow(),
		},
		{
			Why:    "Exceptions by owner group, replicas folded.",
			Record: recExceptions, Expr: sumBy(shape(recExceptions), one(exceptions)),
		},
		{
			Why:    "Weaknesses that are used in attacks or likely to be, by what they could hurt.",
			Record: recExploited, Expr: withFacts(recExploited, sumBy(ownerLabels+", severity, evidence", one(findingsExploited))),
		},
		{
			Why:    "Risk score by service, with its exposure.",
			Record: recRisk, Expr: withFacts(recRisk, sumBy(ownerLabels, one(riskScore))),
		},
		foldedRule("Weaknesses that opened or came back in the window, by product area and category, replicas folded.", recCategories, categoryFindings),
		foldedRule("Verdicts on what a tool reported, replicas folded.", recWrong, falsePositives),
		{
			Why:    "Share of a tool's reports that were judged and turned out wrong. Absent where none was judged.",
			Record: recWrongRatio,
			Expr: sumBy(shape(recWrongRatio), series(recWrong, is("status", "false_positive"))) + "\n/\n(" +
				sumBy(shape(recWrongRatio), series(recWrong)) + " > 0)",
		},
	}
	for i, r := range ageRanges {
		rule := Rule{Record: recAges, Expr: openInRange(r), Labels: map[string]string{"age": r.label()}}
		if i == 0 {
			rule.Why = "Open weaknesses by age in days: differences of the buckets of the snapshot histogram, which must never be rated."
		}
		rules = append(rules, rule)
	}
	return Group{Name: "prodsec-exposure", Rules: rules}
}

func responsivenessRecords() Group {
	ratio := func(record string) string {
		return sumBy(shape(record), series(recOutcomes, is("outcome", "met"))) +
			"\n/\n(" + sumBy(shape(record), series(recOutcomes, in("outcome", "met", "missed"))) + " > 0)"
	}
	return Group{Name: "prodsec-responsiveness", Rules: []Rule{
		{
			Why:    "SLA outcomes of the trailing window by owner group, replicas folded.",
			Record: recOutcomes, Expr: sumBy(shape(recOutcomes), one(slaOutcomesWindow)),
		},
		{
			Why:    "Attainment = met / (met + missed). Absent where nothing fell due: no outcome is not a good outcome.",
			Record: recUnitAttainment, Expr: ratio(recUnitAttainment),
		},
		{Record: recProgrammeAttained, Expr: ratio(recProgrammeAttained)},
		{
			Why:    "Time to remediate, as buckets by team and severity, replicas folded.",
			Record: recRemediationBuckets, Expr: sumBy(shape(recRemediationBuckets), one(findingRemediation+"_bucket")),
		},
	}}
}

// withFacts joins series that carry the owner labels with two facts about their service and sums them by the labels of a rule.
func withFacts(record, values string) string {
	// One per owner even while two replicas disagree about a catalog that just changed: a join with two would fail as a whole.
	facts := fmt.Sprintf("topk by (%s) (1, %s)", ownerLabels, maxBy(ownerLabels+", crown_jewel, internet_facing", one(serviceInfo)))
	bare := fmt.Sprintf("%s unless on (%s) %s", values, ownerLabels, one(serviceInfo))
	for _, label := range []string{"crown_jewel", "internet_facing"} {
		bare = fmt.Sprintf(`label_replace(%s, "%s", "unknown", "", "")`, bare, label)
	}
	return sumBy(shape(record), fmt.Sprintf("\n  %s * on (%s) group_left (crown_jewel, internet_facing) %s\n  or %s\n",
		values, ownerLabels, facts, bare))
}

// signedFlow gives each event the sign with which it changes the number of open weaknesses. Events that change it by nothing (an exception stops a
// clock, not a weakness) are left out.
func signedFlow() string {
	var adds, takes []string
	for _, kind := range snapshot.FlowKinds() {
		switch kind.Sign() {
		case 1:
			adds = append(adds, kind.String())
		case -1:
			takes = append(takes, kind.String())
		}
	}
	return sumBy(shape(recFlow), one(findingFlow, in("event", adds...))) +
		"\nor\n0 - " + sumBy(shape(recFlow), one(findingFlow, in("event", takes...)))
}

// openInRange is the number of open weaknesses in a range of ages.
func openInRange(r ageRange) string {
	below := func(days int) string {
		return sumBy("business_unit, team, severity", one(findingAge+"_bucket", le(daysOf(days))))
	}
	all := sumBy("business_unit, team, severity", one(findingAge+"_bucket", in("le", `\+Inf`)))
	switch {
	case r.from == 0:
		return below(r.to)
	case r.to == 0:
		return all + " - " + below(r.from)
	default:
		return below(r.to) + " - " + below(r.from)
	}
}

// by is a label list with some labels taken out.
func by(labels string, without ...string) string {
	kept := slices.DeleteFunc(splitLabels(labels), func(l string) bool { return slices.Contains(without, l) })
	return strings.Join(kept, ", ")
}
