package monitoring

import "fmt"

// production leaves out deployments to other environments.
func production() string { return isNot("environment", otherEnvironments) }

// share is a part of a recorded sum among all of it, restricted to what is chosen on the board; absent where the sum is nothing.
func share(by, record string, part []string, among ...string) string {
	return sumBy(by, board(record, append(part, among...)...)) + "\n/\n(" + sumBy(by, board(record, among...)) + " > 0)"
}

// counted is a part of a recorded sum.
func counted(by, record string, matchers ...string) string {
	return sumBy(by, board(record, matchers...))
}

// countedBy is a part of a recorded sum by a label, with a 0 for every value that the whole has.
func countedBy(by, record string, part []string, among ...string) string {
	return filled(counted(by, record, append(part, among...)...), counted(by, record, among...))
}

// quantile is a quantile of a recorded snapshot histogram in seconds, and no number where it holds nothing.
func quantile(q float64, by, record string, matchers ...string) string {
	labels := "le"
	if by != "" {
		labels = by + ", le"
	}
	return fmt.Sprintf("histogram_quantile(%g, %s) >= 0", q, sumBy(labels, board(record, matchers...)))
}

// observations is how many a recorded histogram holds.
func observations(by, record string, matchers ...string) string {
	return sumBy(by, board(record, append(matchers, in("le", `\+Inf`))...))
}

// increaseOver is what a counter gained over a time, restricted to what is chosen on the board.
func increaseOver(by, counter, over string, matchers ...string) string {
	return sumBy(by, "max without ("+joinLabels(replicaLabels)+") (increase("+series(counter, append(matchers, chosen(counter)...)...)+"["+over+"]))")
}
