package rules

import (
	"fmt"
	"strings"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// securityRecords are about what waits for the security function: reviews, decisions, follow-ups and escalations.
func securityRecords() rulefile.Group {
	const buckets = "_bucket"
	return rulefile.Group{Name: "prodsec-security", Rules: []rulefile.Rule{
		foldedRule("Open requests for a review by owner group, kind and state, replicas merged.", names.RecReviews, names.ReviewsOpen),
		foldedRule("Waiting time of reviews without a first response, as buckets: a snapshot, never use rate() on it.", names.RecReviewWaiting, names.ReviewWaiting+buckets),
		foldedRule("Time to first response of the reviews answered in the window, as buckets: a snapshot.", names.RecFirstResponse, names.FirstResponseIn+buckets),
		foldedRule("Exceptions granted in the window, first grant or renewal, replicas merged.", names.RecGranted, names.ExceptionsGranted),
		foldedRule("Exceptions granted in the window by the control that they except, replicas merged.", names.RecGrantedControl, names.GrantedByControl),
		foldedRule("Age of granted exceptions, as buckets: a snapshot.", names.RecExceptionAge, names.ExceptionAge+buckets),
		foldedRule("Age of pending exception requests, as buckets: a snapshot.", names.RecPending, names.ExceptionPending+buckets),
		foldedRule("Time to exception decision over every decision in the ledger, as buckets.", names.RecDecision, names.ExceptionDecision+buckets),
		foldedRule("Open follow-up actions of incidents by whether they are overdue, replicas merged.", names.RecFollowups, names.FollowupsOpen),
		foldedRule("Age of open follow-up actions, as buckets: a snapshot.", names.RecFollowupAge, names.FollowupAge+buckets),
		foldedRule("Time to close follow-up actions over every closed one in the ledger, as buckets.", names.RecFollowupClose, names.FollowupClose+buckets),
		foldedRule("Blocked releases and urgent escalations that are open, replicas merged.", names.RecEscalations, names.EscalationsOpen),
		foldedRule("Blocked releases and urgent escalations raised in the window, by reason, replicas merged.", names.RecEscalationsIn, names.EscalationsIn),
		foldedRule("Time to exception decision of the decisions in the window, as buckets: a snapshot.", names.RecDecisionIn, names.DecisionIn+buckets),
		foldedRule("Time to close of the follow-up actions closed in the window, as buckets: a snapshot.", names.RecFollowupCloseIn, names.FollowupCloseIn+buckets),
	}}
}

// burnRecords say how fast business units spend the misses that the target of SLA attainment allows.
func burnRecords() rulefile.Group {
	rules := []rulefile.Rule{{
		Why: "SLA outcomes of criticals and highs that were ever counted, by business unit, replicas merged; 0 for an outcome that a business unit with others has none of, so that the " +
			"first of an outcome is seen as an increase.",
		Record: names.RecOutcomeTotals, Expr: outcomeTotals(),
	}}
	for i, w := range settings.BurnWindows() {
		total := promql.Series(names.RecOutcomeTotals)
		rule := rulefile.Rule{
			Record: names.RecOutcomeIncrease, Labels: map[string]string{"window": promql.PromDuration(w)},
			Expr: promql.SumBy("business_unit, outcome", total+" - min_over_time("+total+"["+promql.PromDuration(w)+"])"),
		}
		if i == 0 {
			rule.Why = "SLA outcomes of criticals and highs within one, three and fourteen days, by business unit. The totals never fall, so the difference is exact."
		}
		rules = append(rules, rule)
	}
	counted := func(outcomes ...string) string {
		return promql.SumBy("window, business_unit", promql.Series(names.RecOutcomeIncrease, promql.In("outcome", outcomes...)))
	}
	due := "(" + counted("met", "missed") + " - " + counted("revoked") + ")"
	return rulefile.Group{Name: "prodsec-burn", Rules: append(rules, rulefile.Rule{
		Why: "Burn rate: how many times faster than allowed SLA deadlines are missed, i.e. the share of misses divided by the share that the policy's target allows. " +
			"Absent where nothing fell due.",
		Record: names.RecBurn,
		Expr:   counted("missed") + "\n/\n(" + due + " > 0)\n/ on () group_left ()\nclamp_min(1 - " + promql.Target(policy.ObjectiveSLAAttainment) + ", 0.001)", // a target of 1 leaves a number
	})}
}

// outcomeTotals are the outcomes that were ever counted, with a 0 for those that a business unit has none of.
func outcomeTotals() string {
	parts := []string{promql.SumBy("business_unit, outcome", promql.Once(names.SLAOutcomes, promql.Severe()))}
	for _, outcome := range []string{"met", "missed", "revoked"} {
		parts = append(parts, fmt.Sprintf(`label_replace(0 * %s, "outcome", %q, "", "")`, promql.SumBy("business_unit", promql.Once(names.SLAOutcomes, promql.Severe())), outcome))
	}
	return strings.Join(parts, "\nor\n")
}

// exporterRecords are about the exporter itself.
func exporterRecords() rulefile.Group {
	labels := names.RecordedLabels(names.RecBudgetLeft)
	return rulefile.Group{Name: "prodsec-exporter", Rules: []rulefile.Rule{{
		Why:    "Share of an API's budget that is left in its current period. Replicas share the budget, so the lowest counts.",
		Record: names.RecBudgetLeft,
		Expr:   promql.MinBy(labels, promql.Once(names.BudgetRemaining)) + "\n/\n(" + promql.MaxBy(labels, promql.Once(names.BudgetLimit)) + " > 0)",
	}}}
}
