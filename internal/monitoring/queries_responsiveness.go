package monitoring

import "fmt"

// outcomes counts SLA outcomes of the window.
func outcomes(by, outcome string, matchers ...string) string {
	return sumBy(by, board(recOutcomes, append([]string{inWindow(), in("outcome", outcome)}, matchers...)...))
}

// attainment is met / (met + missed) over the window. It is absent where nothing fell due.
func attainment(by string, matchers ...string) string {
	return outcomes(by, "met", matchers...) + "\n/\n(" + outcomes(by, "met|missed", matchers...) + " > 0)"
}

// attainmentOver is attainment over a window other than the one chosen.
func attainmentOver(window, severity string) string {
	part := func(outcome string) string {
		return sumBy("", board(recOutcomes, is("window", window), is("severity", severity), in("outcome", outcome)))
	}
	return part("met") + "\n/\n(" + part("met|missed") + " > 0)"
}

// worstTeams are the teams that miss most, by the share of deadlines kept; a team with nothing due is left out.
func worstTeams() string {
	return "sort(bottomk(12, " + attainment("team", severe()) + "))"
}

// verdicts counts open weaknesses of a severity with one SLA verdict.
func verdicts(sla, severity string) string {
	return filled(sumBy("", board(recOpen, is("severity", severity), is("sla", sla))), sumBy("", board(recOpen, is("severity", severity))))
}

// verdictsByService lists services with findings of one verdict and severity.
func verdictsByService(sla, severity string) string {
	return filled(sumBy(ownerLabels, board(recServiceOpen, is("sla", sla), is("severity", severity)))+" > 0",
		sumBy(ownerLabels, board(recServiceOpen, is("sla", sla)))+" > 0")
}

// oldestByService is the age in days of the oldest open critical or high of the services that have one with a verdict.
func oldestByService(sla string) string {
	return fmt.Sprintf("max by (%s) ((time() - %s) / 86400)\nand on (%s) (%s > 0)", ownerLabels, oneBoard(findingOldest, severe()),
		ownerLabels, sumBy(ownerLabels, board(recServiceOpen, is("sla", sla))))
}

// remediationQuantile is a quantile of the time from first seen to fixed, by severity, in days, over every fix in the ledger.
func remediationQuantile(q float64, by string, matchers ...string) string {
	return fmt.Sprintf("histogram_quantile(%g, %s) / 86400", q, sumBy(by, board(recRemediationBuckets, matchers...)))
}

// remediationTrend is the same over the fixes of the thirty days before each moment, and no number where there was none.
func remediationTrend(q float64) string {
	buckets := fmt.Sprintf("max without (%s) (increase(%s[30d]))", joinLabels(replicaLabels),
		series(findingRemediation+"_bucket", append([]string{severe()}, chosen(findingRemediation)...)...))
	return fmt.Sprintf("histogram_quantile(%g, %s) / 86400", q, sumBy("severity, le", buckets))
}

// targets are the shortest and the longest SLA target of a severity, in days.
func targetShortest() string { return minBy("severity", one(slaTarget)) + " / 86400" }
func targetLongest() string  { return maxBy("severity", one(slaTarget)) + " / 86400" }

// missedPerWeek counts deadlines missed over the last seven days at each moment, from the counters.
func missedPerWeek() string {
	return sumBy("severity", fmt.Sprintf("max without (%s) (increase(%s[7d]))", joinLabels(replicaLabels),
		series(slaOutcomes, append([]string{severe(), is("outcome", "missed")}, chosen(slaOutcomes)...)...)))
}

// breachedOverTime is the number of open criticals and highs past their deadline, by severity.
func breachedOverTime() string {
	return sumBy("severity", board(recOpen, severe(), is("sla", "breached")))
}

// reviewsWaiting counts the reviews that nobody has answered.
func reviewsWaiting() string { return sumBy("", oneBoard(reviewsOpen, is("state", "waiting"))) }

// followups counts open follow-up actions.
func followups(matchers ...string) string { return sumBy("", oneBoard(followupsOpen, matchers...)) }

// escalations counts open escalations of a kind.
func escalations(kind string) string { return sumBy("", oneBoard(escalationsOpen, is("kind", kind))) }

// medianDays is the median of a snapshot histogram of ages, in days; 0 where it is known to hold nothing.
func medianDays(histogram string) string {
	return fmt.Sprintf("histogram_quantile(0.5, %s) / 86400 >= 0\nor\n%s == 0", sumBy("le", oneBoard(histogram+"_bucket")), sumBy("", oneBoard(histogram+"_count")))
}
