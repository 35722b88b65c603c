package query

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
)

// Production leaves out deployments to other environments.
func Production() string { return promql.IsNot("environment", names.OtherEnvironments) }

// Share is a part of a recorded sum among all of it, restricted to what is chosen on the board; absent where the sum is nothing.
func Share(by, record string, part []string, among ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(record, append(part, among...)...)) + "\n/\n(" + promql.SumBy(by, promql.SeriesChosen(record, among...)) + " > 0)"
}

// Counted is a part of a recorded sum.
func Counted(by, record string, matchers ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(record, matchers...))
}

// CountedBy is a part of a recorded sum by a label, with a 0 for every value that the whole has.
func CountedBy(by, record string, part []string, among ...string) string {
	return promql.Filled(Counted(by, record, append(part, among...)...), Counted(by, record, among...))
}

// Quantile is a quantile of a recorded snapshot histogram in seconds, and no number where it holds nothing.
func Quantile(q float64, by, record string, matchers ...string) string {
	labels := "le"
	if by != "" {
		labels = by + ", le"
	}
	return fmt.Sprintf("histogram_quantile(%g, %s) >= 0", q, promql.SumBy(labels, promql.SeriesChosen(record, matchers...)))
}

// Observations is how many a recorded histogram holds.
func Observations(by, record string, matchers ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(record, append(matchers, promql.In("le", `\+Inf`))...))
}

// IncreaseOver is what a counter gained over a time, restricted to what is chosen on the board.
func IncreaseOver(by, counter, over string, matchers ...string) string {
	return promql.SumBy(by, "max without ("+names.JoinLabels(names.ReplicaLabels)+") (increase("+promql.Series(counter, append(matchers, promql.ChosenMatchers(counter)...)...)+"["+over+"]))")
}
