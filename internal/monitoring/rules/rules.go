// Package rules holds the recording rules, named level:metric:operations, a file per board whose numbers they compute. They fold replicas, drop labels that boards do not
// need, and hold all ratios and joins. A rule reads families and recorded series by the names in package names.
//
// To add a rule: its name and labels in names/recorded.go, and a line in its group here. A ratio's denominator is everything that its definition covers; unknown
// is in it and never in the numerator of what is good. Then run `go run ./cmd/generate`.
package rules

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/snapshot"
)

// Groups are the recording rules, in a group per panel of the pack.
func Groups() []rulefile.Group {
	return []rulefile.Group{coverageRecords(), exposureRecords(), responsivenessRecords(), securityRecords(), burnRecords(), deliveryRecords(), doraRecords(), controlRecords(), exporterRecords()}
}

func coverageRecords() rulefile.Group {
	repositories := promql.SumBy("", promql.Once(names.ScopeSize, promql.Is("kind", "repositories")))
	return rulefile.Group{Name: "prodsec-coverage", Rules: []rulefile.Rule{
		{
			Why:    "Repositories by check and result, replicas merged.",
			Record: names.RecProtected, Expr: promql.SumBy(names.RecordedLabels(names.RecProtected), promql.Once(names.ProtectedRepositories)),
		},
		shareRule("Share of repositories that pass a check, among all to which it applies: an exemption is no pass, and unknown is none.", names.RecProtectedRatio, names.RecProtected,
			[]string{promql.Is("status", "pass")}),
		foldedRule("Repositories by class of scan and by how fresh the last one is, replicas merged.", names.RecScans, names.ScanRepositories),
		{
			Why:    "Share of repositories with a current scan of a class; what is unknown or was never scanned counts against it.",
			Record: names.RecScanRatio,
			Expr:   promql.SumBy("class", promql.Series(names.RecScans, promql.Is("status", "current"))) + "\n/\n(" + promql.SumBy("class", promql.Series(names.RecScans)) + " > 0)",
		},
		{
			Why:    "Share of repositories that the catalog assigns to a service with a team, without archived ones and forks. Nobody is notified about findings in the others.",
			Record: names.RecMappedRatio,
			Expr:   "(" + repositories + "\n- " + promql.SumBy("", promql.Once(names.UnmappedRepositories, promql.In("reason", names.UnownedReasons...))) + ")\n/\n(" + repositories + " > 0)",
		},
	}}
}

func exposureRecords() rulefile.Group {
	rules := []rulefile.Rule{
		{
			Why:    "Open weaknesses by owner group, replicas merged.",
			Record: names.RecOpen, Expr: promql.SumBy(names.RecordedLabels(names.RecOpen), promql.Once(names.FindingsOpen)),
		},
		{
			Why:    "Open criticals and highs by service: what alerts and tables read.",
			Record: names.RecServiceOpen, Expr: promql.SumBy(names.RecordedLabels(names.RecServiceOpen), promql.Once(names.FindingsOpen, promql.Severe())),
		},
		{
			Why: "The same for alerts: what is withheld because a scope is dropped counts as it was last known, so that an alert ends when the cause does and not when its source " +
				"goes away.",
			Record: names.RecServiceHeld, Expr: promql.SumBy(names.RecordedLabels(names.RecServiceHeld), promql.OnceHeld(names.FindingsOpen, promql.Severe())),
		},
		{
			Why: "Open criticals and highs by exposure. A service that is in no catalog (or folded into \"other\") counts as unknown, " +
				"never as unexposed.",
			Record: names.RecOpenExposure, Expr: withFacts(names.RecOpenExposure, promql.Series(names.RecServiceOpen)),
		},
		{
			Why:    "Events of the trailing window, signed by their effect on the number of open weaknesses: their sum is the change.",
			Record: names.RecFlow, Expr: signedFlow(),
		},
		{
			Why:    "Exceptions by owner group, replicas merged.",
			Record: names.RecExceptions, Expr: promql.SumBy(names.RecordedLabels(names.RecExceptions), promql.Once(names.Exceptions)),
		},
		{
			Why:    "Known-exploited or likely exploited weaknesses and active secrets, by exposure.",
			Record: names.RecExploited, Expr: withFacts(names.RecExploited, promql.SumBy(names.OwnerLabels+", severity, evidence", promql.Once(names.FindingsExploited))),
		},
		{
			Why:    "The same for alerts, with what is withheld as it was last known.",
			Record: names.RecExploitedHeld,
			Expr:   withFacts(names.RecExploitedHeld, promql.SumBy(names.OwnerLabels+", severity, evidence", promql.OnceHeld(names.FindingsExploited))),
		},
		{
			Why:    "Risk score by service, with its exposure.",
			Record: names.RecRisk, Expr: withFacts(names.RecRisk, promql.SumBy(names.OwnerLabels, promql.Once(names.RiskScore))),
		},
		foldedRule("Weaknesses opened or reopened in the window, by product area and category, replicas merged.", names.RecCategories, names.CategoryFindings),
		foldedRule("Triage results of the weaknesses that a tool found first, replicas merged.", names.RecWrong, names.FalsePositives),
		{
			Why:    "False positives among the triaged reports of a tool. Absent where none was triaged.",
			Record: names.RecWrongRatio,
			Expr: promql.SumBy(names.RecordedLabels(names.RecWrongRatio), promql.Series(names.RecWrong, promql.Is("status", "false_positive"))) + "\n/\n(" +
				promql.SumBy(names.RecordedLabels(names.RecWrongRatio), promql.Series(names.RecWrong)) + " > 0)",
		},
	}
	for i, r := range settings.AgeRanges {
		rule := rulefile.Rule{Record: names.RecAges, Expr: openInRange(r), Labels: map[string]string{"age": r.Label()}}
		if i == 0 {
			rule.Why = "Open weaknesses by age in days: differences of buckets of the snapshot histogram (never use rate() on it)."
		}
		rules = append(rules, rule)
	}
	return rulefile.Group{Name: "prodsec-exposure", Rules: rules}
}

func responsivenessRecords() rulefile.Group {
	ratio := func(record string) string {
		return promql.SumBy(names.RecordedLabels(record), promql.Series(names.RecOutcomes, promql.Is("outcome", "met"))) +
			"\n/\n(" + promql.SumBy(names.RecordedLabels(record), promql.Series(names.RecOutcomes, promql.In("outcome", "met", "missed"))) + " > 0)"
	}
	return rulefile.Group{Name: "prodsec-responsiveness", Rules: []rulefile.Rule{
		{
			Why:    "SLA outcomes of the trailing window by owner group, replicas merged.",
			Record: names.RecOutcomes, Expr: promql.SumBy(names.RecordedLabels(names.RecOutcomes), promql.Once(names.SLAOutcomesWindow)),
		},
		{
			Why:    "Attainment = met / (met + missed). Absent where nothing fell due: no outcome is not met.",
			Record: names.RecUnitAttainment, Expr: ratio(names.RecUnitAttainment),
		},
		{Record: names.RecProgrammeAttained, Expr: ratio(names.RecProgrammeAttained)},
		{
			Why:    "Time to remediate, as buckets by team and severity, replicas merged.",
			Record: names.RecRemediationBuckets, Expr: promql.SumBy(names.RecordedLabels(names.RecRemediationBuckets), promql.Once(names.FindingRemediation+"_bucket")),
		},
	}}
}

// withFacts joins series that carry the owner labels with two facts about their service and sums them by the labels of a rule.
func withFacts(record, values string) string {
	// One per owner even while two replicas disagree about a catalog that just changed: a join with two would fail as a whole.
	facts := fmt.Sprintf("topk by (%s) (1, %s)", names.OwnerLabels, promql.MaxBy(names.OwnerLabels+", crown_jewel, internet_facing", promql.Once(names.ServiceInfo)))
	bare := fmt.Sprintf("%s unless on (%s) %s", values, names.OwnerLabels, promql.Once(names.ServiceInfo))
	for _, label := range []string{"crown_jewel", "internet_facing"} {
		bare = fmt.Sprintf(`label_replace(%s, "%s", "unknown", "", "")`, bare, label)
	}
	return promql.SumBy(names.RecordedLabels(record), fmt.Sprintf("\n  %s * on (%s) group_left (crown_jewel, internet_facing) %s\n  or %s\n",
		values, names.OwnerLabels, facts, bare))
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
	return promql.SumBy(names.RecordedLabels(names.RecFlow), promql.Once(names.FindingFlow, promql.In("event", adds...))) +
		"\nor\n0 - " + promql.SumBy(names.RecordedLabels(names.RecFlow), promql.Once(names.FindingFlow, promql.In("event", takes...)))
}

// openInRange is the number of open weaknesses in a range of ages.
func openInRange(r settings.AgeRange) string {
	below := func(days int) string {
		return promql.SumBy("business_unit, team, severity", promql.Once(names.FindingAge+"_bucket", promql.Le(settings.DaysOf(days))))
	}
	all := promql.SumBy("business_unit, team, severity", promql.Once(names.FindingAge+"_bucket", promql.In("le", `\+Inf`)))
	switch {
	case r.From == 0:
		return below(r.To)
	case r.To == 0:
		return all + " - " + below(r.From)
	default:
		return below(r.To) + " - " + below(r.From)
	}
}
