package rules

import (
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
		foldedRule("Age of granted exceptions, as buckets: a snapshot.", names.RecExceptionAge, names.ExceptionAge+buckets),
		foldedRule("Age of pending exception requests, as buckets: a snapshot.", names.RecPending, names.ExceptionPending+buckets),
		foldedRule("Time to exception decision over every decision in the ledger, as buckets.", names.RecDecision, names.ExceptionDecision+buckets),
		foldedRule("Open follow-up actions of incidents by whether they are overdue, replicas merged.", names.RecFollowups, names.FollowupsOpen),
		foldedRule("Age of open follow-up actions, as buckets: a snapshot.", names.RecFollowupAge, names.FollowupAge+buckets),
		foldedRule("Time to close follow-up actions over every closed one in the ledger, as buckets.", names.RecFollowupClose, names.FollowupClose+buckets),
		foldedRule("Blocked releases and urgent escalations that are open, replicas merged.", names.RecEscalations, names.EscalationsOpen),
	}}
}

// burnRecords say how fast business units spend the misses that the target of SLA attainment allows.
func burnRecords() rulefile.Group {
	var rules []rulefile.Rule
	for i, w := range settings.BurnWindows() {
		rule := rulefile.Rule{
			Record: names.RecOutcomeIncrease, Labels: map[string]string{"window": promql.PromDuration(w)},
			Expr: promql.SumBy("business_unit, outcome", "max without ("+names.JoinLabels(names.ReplicaLabels)+") (increase("+promql.Series(names.SLAOutcomes, promql.Severe())+"["+promql.PromDuration(w)+"]))"),
		}
		if i == 0 {
			rule.Why = "SLA outcomes of criticals and highs within one, three and fourteen days, from the counters, by business unit."
		}
		rules = append(rules, rule)
	}
	counted := func(outcomes ...string) string {
		return promql.SumBy("window, business_unit", promql.Series(names.RecOutcomeIncrease, promql.In("outcome", outcomes...)))
	}
	revoked := counted("revoked")
	due := "(" + counted("met", "missed") + " - (" + revoked + " or 0 * " + counted("met", "missed") + "))"
	// A target of 1 allows no miss: the smallest budget keeps the quotient a number.
	budget := "clamp_min(1 - " + promql.Target(policy.ObjectiveSLAAttainment) + ", 0.001)"
	return rulefile.Group{Name: "prodsec-burn", Rules: append(rules, rulefile.Rule{
		Why: "Burn rate: how many times faster than allowed SLA deadlines are missed, i.e. the share of misses divided by the share that the target allows, which the exporter exposes. " +
			"Absent where nothing fell due.",
		Record: names.RecBurn,
		Expr: promql.SumBy("window, business_unit", promql.Series(names.RecOutcomeIncrease, promql.Is("outcome", "missed"))) +
			"\n/\n(" + due + " > 0)\n/ on () group_left () " + budget,
	})}
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
