package monitoring

import "fmt"

// collectors is 1 for each collector whose last pass worked, 0 for the others.
func collectors() string { return maxBy(joinLabels(labelsOf(collectorUp)), one(collectorUp)) }

// scopesIn counts scopes by collector for one status.
func scopesIn(status string) string {
	return filled(sumBy("collector", one(scopes, is("status", status))), sumBy("collector", one(scopes)))
}

// sinceSuccess is the time since the longest unread scope of a kind was read, in seconds.
func sinceSuccess() string {
	return fmt.Sprintf("topk(%d, time() - %s)", tableRows, minBy("collector, scope_kind", one(scopeLastSuccess)))
}

// evaluatedAgo is the age of the numbers on the board in seconds.
func evaluatedAgo() string { return "time() - " + maxBy("", one(evaluationTime)) }

// countingChangesInWindow is how often the way of counting changed in the window, by cause.
func countingChangesInWindow() string {
	return sumBy("", fmt.Sprintf("max without (%s) (increase(%s[$window]))", joinLabels(replicaLabels), series(countingChanges)))
}

// policyInForce is the time since when the policy is in force, in milliseconds as Grafana's dates want it, labelled with its version.
func policyInForce() string {
	return fmt.Sprintf("%s * on () group_left () (1000 * %s > 0)", maxBy("version", one(policyInfo)), maxBy("", one(policyChanged)))
}

// recordsHeld counts the records in the ledger by kind, those kinds that it holds any of.
func recordsHeld() string { return top(6, sumBy("kind", one(records))+" > 0") }
