package monitoring

import (
	"fmt"
	"time"
)

// openNow is the number of open weaknesses of a severity.
func openNow(by string, severities ...string) string {
	return sumBy(by, board(recOpen, in("severity", severities...)))
}

// changeInWindow is how many more there are than at the start of the window: the sum of signed flows, exact on the first day.
func changeInWindow(by string, severities ...string) string {
	return sumBy(by, board(recFlow, inWindow(), in("severity", severities...)))
}

// flowsBy counts the signed events of the given kinds.
func flowsBy(by string, events ...string) string {
	return sumBy(by, board(recFlow, inWindow(), severe(), in("event", events...)))
}

// flowsByEvent is the same for each event that happened at all; the others' bars are empty.
func flowsByEvent(events ...string) string {
	return filled(flowsBy("event", events...)+" != 0", sumBy("event", board(recFlow, inWindow(), severe()))+" != 0")
}

// otherwiseClosed counts what left the open weaknesses without being fixed.
func otherwiseClosed(by string) string {
	return sumBy(by, board(recFlow, inWindow(), severe(), `event=~"dismissed_.*|duplicate|out_of_scope|scope_lost"`))
}

// openWithBlastRadius is the number of open criticals and highs on services that are crown jewels or face the internet.
func openWithBlastRadius() string {
	return filled(sumBy("", board(recOpenExposure, is("crown_jewel", affirmative))+" or "+board(recOpenExposure, is("internet_facing", affirmative))),
		sumBy("", board(recOpenExposure)))
}

// openWithUnknownRadius is the number on services that may be one or the other: nothing says that they are, something is not known.
func openWithUnknownRadius() string {
	return filled(sumBy("", board(recOpenExposure, is("crown_jewel", "unknown"), isNot("internet_facing", affirmative))+
		" or "+board(recOpenExposure, is("internet_facing", "unknown"), isNot("crown_jewel", affirmative))), sumBy("", board(recOpenExposure)))
}

// breachedShare is the share of open criticals and highs that are past their deadline; what an approved exception covers is left out.
func breachedShare() string {
	return sumBy("", board(recOpen, severe(), is("sla", "breached"))) + "\n/\n(" +
		sumBy("", board(recOpen, severe(), isNot("sla", "excepted"))) + " > 0)"
}

// concentration is the share of open criticals and highs in the services that hold most of them.
func concentration() string {
	open := sumBy(ownerLabels, board(recServiceOpen))
	return fmt.Sprintf("sum(topk(%d, %s))\n/\n(sum(%s) > 0)", concentrationTop, open, open)
}

// openByAge is the number of open weaknesses of a severity by range of age.
func openByAge(severity string) string {
	return filled(sumBy("age", board(recAges, is("severity", severity))), sumBy("age", board(recAges)))
}

// worstServices counts the open criticals and highs that match, of the services with most of them.
func worstServices(matchers ...string) string {
	worst := fmt.Sprintf("topk(%d, %s > 0)", tableRows, sumBy(ownerLabels, board(recServiceOpen)))
	return filled(fmt.Sprintf("(%s and on (%s) %s)", sumBy(ownerLabels, board(recServiceOpen, matchers...)), ownerLabels, worst), worst)
}

// oldestOpen is the age in days of the oldest open critical or high of each service.
func oldestOpen() string {
	return top(tableRows, fmt.Sprintf("(time() - %s) / 86400", minBy(ownerLabels+", severity", oneBoard(findingOldest, severe()))))
}

// eventsPerWeek counts events of criticals and highs over the last seven days at each moment, from the counters.
func eventsPerWeek(events ...string) string {
	return sumBy("", fmt.Sprintf("max without (%s) (increase(%s[7d]))", joinLabels(replicaLabels),
		series(findingEvents, append([]string{severe(), in("event", events...)}, chosen(findingEvents)...)...)))
}

// exceptionsNow counts exceptions in a state.
func exceptionsNow(state string) string { return sumBy("", board(recExceptions, is("state", state))) }

// exceptionsEnding counts granted exceptions by category for one horizon of expiry.
func exceptionsEnding(horizon string) string {
	granted := in("state", "active", "expired", "unscoped")
	return filled(sumBy("category", board(recExceptions, granted, is("expires", horizon)))+" > 0", sumBy("category", board(recExceptions, granted))+" > 0")
}

// exceptionAgeQuantile is a quantile of the age of granted exceptions by category, in days.
func exceptionAgeQuantile(q float64) string {
	return fmt.Sprintf("sort_desc(topk(8, histogram_quantile(%g, %s) / 86400 >= 0))", q, sumBy("category, le", oneBoard(exceptionAge+"_bucket")))
}

// nextExpiries are the days left until the soonest expiry of each service and category.
func nextExpiries() string {
	return fmt.Sprintf("bottomk(%d, (%s - time()) / 86400)", tableRows, minBy(ownerLabels+", category", oneBoard(exceptionNextExpiry)))
}

// folded is how many reports were recognised as another tool's report of the same weakness.
func folded() string { return "sort_desc(" + sumBy("class", one(duplicateFindings)) + ")" }

// remediatedIn is the number of fixes of a severity in the ledger that took no longer than a time.
func remediatedIn(severity string, limit time.Duration) string {
	return sumBy("", board(recRemediationBuckets, is("severity", severity), le(limit)))
}

// exploitedOpen counts what is exploited or likely to be, by service and evidence.
func exploitedOpen() string {
	return top(tableRows, sumBy(ownerLabels+", internet_facing, evidence", board(recExploited))+" > 0")
}
