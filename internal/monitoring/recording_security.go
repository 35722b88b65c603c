package monitoring

import (
	"strconv"
	"time"
)

// securityRecords are about what waits for the security function: reviews, decisions, follow-ups and escalations.
func securityRecords() Group {
	const buckets = "_bucket"
	return Group{Name: "prodsec-security", Rules: []Rule{
		foldedRule("Open requests for a review by owner group, kind and state, replicas folded.", recReviews, reviewsOpen),
		foldedRule("How long unanswered reviews have waited, as buckets: a snapshot, never to be rated.", recReviewWaiting, reviewWaiting+buckets),
		foldedRule("Time to the first answer over the reviews that were answered in the window, as buckets: a snapshot.", recFirstResponse, firstResponseIn+buckets),
		foldedRule("Exceptions granted in the window, the first of its kind or a renewal, replicas folded.", recGranted, exceptionsGranted),
		foldedRule("Age of granted exceptions, as buckets: a snapshot.", recExceptionAge, exceptionAge+buckets),
		foldedRule("Age of undecided requests for an exception, as buckets: a snapshot.", recPending, exceptionPending+buckets),
		foldedRule("Time to a decision on exceptions over every decision in the ledger, as buckets.", recDecision, exceptionDecision+buckets),
		foldedRule("Open follow-up actions of incidents by whether they are overdue, replicas folded.", recFollowups, followupsOpen),
		foldedRule("Age of open follow-up actions, as buckets: a snapshot.", recFollowupAge, followupAge+buckets),
		foldedRule("Time to close follow-up actions over every closed one in the ledger, as buckets.", recFollowupClose, followupClose+buckets),
		foldedRule("Blocked releases and urgent escalations that are open, replicas folded.", recEscalations, escalationsOpen),
	}}
}

// burnPair is a long window over which the error budget of SLA attainment burns too fast, and a short one over which it still does.
type burnPair struct {
	long, short time.Duration
	// factor is the rate of burning from which it is too fast: 1 spends exactly the budget.
	factor float64
}

// burnPairs are chosen for deadlines, which end by the day: no window is shorter than one. Three times the budget over three days is a sudden failure
// (a team is away, an import fell due), one and a half times over two weeks a slow one; at that rate the target of a quarter is out of reach.
var burnPairs = []burnPair{
	{long: daysOf(3), short: daysOf(1), factor: 3},
	{long: daysOf(14), short: daysOf(3), factor: 1.5},
}

// burnMisses is how many deadlines must have been missed over the long window: one miss among two deadlines is no trend.
const burnMisses = 5

// burnWindows are all windows of the pairs, each once.
func burnWindows() []time.Duration { return []time.Duration{daysOf(1), daysOf(3), daysOf(14)} }

// burnRecords say how fast business units spend the misses that the target of SLA attainment allows.
func burnRecords() Group {
	var rules []Rule
	for i, w := range burnWindows() {
		rule := Rule{
			Record: recOutcomeIncrease, Labels: map[string]string{"window": promDuration(w)},
			Expr: sumBy("business_unit, outcome", "max without ("+joinLabels(replicaLabels)+") (increase("+series(slaOutcomes, severe())+"["+promDuration(w)+"]))"),
		}
		if i == 0 {
			rule.Why = "Outcomes of criticals and highs that fell within one, three and fourteen days, from the counters, by business unit."
		}
		rules = append(rules, rule)
	}
	counted := func(outcomes ...string) string {
		return sumBy("window, business_unit", series(recOutcomeIncrease, in("outcome", outcomes...)))
	}
	revoked := counted("revoked")
	due := "(" + counted("met", "missed") + " - (" + revoked + " or 0 * " + counted("met", "missed") + "))"
	budget := strconv.FormatFloat(1-attainmentTarget, 'g', 3, 64)
	return Group{Name: "prodsec-burn", Rules: append(rules, Rule{
		Why: "How many times faster than allowed deadlines are missed: the share of misses divided by the share that the target allows (" + budget + "). " +
			"Absent where nothing fell due.",
		Record: recBurn,
		Expr: sumBy("window, business_unit", series(recOutcomeIncrease, is("outcome", "missed"))) +
			"\n/\n(" + due + " > 0)\n/ " + budget,
	})}
}

// exporterRecords are about the exporter itself.
func exporterRecords() Group {
	labels := shape(recBudgetLeft)
	return Group{Name: "prodsec-exporter", Rules: []Rule{{
		Why:    "Share of an API's budget that is left in its current period. Replicas share the budget, so the lowest counts.",
		Record: recBudgetLeft,
		Expr:   minBy(labels, one(budgetRemaining)) + "\n/\n(" + maxBy(labels, one(budgetLimit)) + " > 0)",
	}}}
}
