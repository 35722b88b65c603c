package query

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Production leaves out deployments to other environments.
func Production() string { return promql.IsNot("environment", names.OtherEnvironments) }

// Ratio is a part of a whole; both are sums by the same labels.
type Ratio struct{ Part, Whole string }

// RatioOf is a part of a recorded sum among all of it, restricted to what is chosen on the board.
func RatioOf(by, record string, part []string, among ...string) Ratio {
	return Ratio{Part: promql.SumBy(by, promql.SeriesChosen(record, append(part, among...)...)), Whole: promql.SumBy(by, promql.SeriesChosen(record, among...))}
}

// Expr is the ratio; absent where the whole is nothing.
func (r Ratio) Expr() string { return r.Part + "\n/\n(" + r.Whole + " > 0)" }

// Enough is the ratio where the whole is as large as policy asks for before it compares a share with a target; Few is the rest.
func (r Ratio) Enough() string {
	return "(" + r.Expr() + "\nand\n" + r.Whole + " >= on () group_left () " + promql.MinimumOutcomes() + ")"
}

// Few is the ratio where the whole is too small to compare it.
func (r Ratio) Few() string {
	return "(" + r.Expr() + "\nand\n(" + r.Whole + " < on () group_left () " + promql.MinimumOutcomes() + "))"
}

// Reaches is the ratio where it reaches what policy holds an objective to.
func (r Ratio) Reaches(objective policy.Objective) string {
	return r.Enough() + " >= on () group_left () " + promql.Target(objective)
}

// Near is the ratio where it misses its target by less than settings.Reach.
func (r Ratio) Near(objective policy.Objective) string {
	target := promql.Target(objective)
	return fmt.Sprintf("(%s < on () group_left () %s) >= on () group_left () (%s - %g)", r.Enough(), target, target, settings.Reach)
}

// Misses is the ratio where it misses its target by more.
func (r Ratio) Misses(objective policy.Objective) string {
	return fmt.Sprintf("%s < on () group_left () (%s - %g)", r.Enough(), promql.Target(objective), settings.Reach)
}

// Against is by how much the ratio is above its target, or below, where it is of enough.
func (r Ratio) Against(objective policy.Objective) string {
	return r.Enough() + " - on () group_left () " + promql.Target(objective)
}

// Unread counts the scopes of a kind of record that are dropped or were never read; absent where there are none. While there are, sums over these records are lower bounds.
func Unread(kind record.Kind) string {
	return promql.SumBy("", promql.Once(names.RecordScopes, promql.Is("kind", string(kind)), promql.In("status", "dropped", "never"))) + " > 0"
}

// WithheldOf is what a family withholds because scopes are dropped, at the value last known; absent where nothing is withheld.
func WithheldOf(by, family string, matchers ...string) string {
	return promql.SumBy(by, promql.OnceChosen(names.Withheld(family), matchers...)) + " > 0"
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

// IncreaseOver is what a counter gained over a time. Its series must exist at 0 before they count anything, or the first of each is lost: a test proves it of every counter that
// is read so. Where they do not, the exact ..._in_window families answer.
func IncreaseOver(by, counter, over string, matchers ...string) string {
	return promql.SumBy(by, "max without ("+names.JoinLabels(names.ReplicaLabels)+") (increase("+promql.Series(counter, matchers...)+"["+over+"]))")
}

// GainedOver is by how much the sum of a counter's series is larger than a time ago. A series that was born meanwhile counts whole, so that it needs no 0 before; after the counter was reset
// there is no number for that time.
func GainedOver(by, counter, over string, matchers ...string) string {
	total := func(offset string) string {
		return promql.SumBy(by, "max without ("+names.JoinLabels(names.ReplicaLabels)+") ("+promql.Series(counter, matchers...)+offset+")")
	}
	return "(" + total("") + "\n- " + total(" offset "+over) + ") >= 0"
}
