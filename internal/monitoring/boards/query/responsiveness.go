package query

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
)

// Outcomes counts SLA outcomes of the window.
func Outcomes(by, outcome string, matchers ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(names.RecOutcomes, append([]string{promql.InWindow(), promql.In("outcome", outcome)}, matchers...)...))
}

// Attainment is met / (met + missed) over the window. It is absent where nothing fell due.
func Attainment(by string, matchers ...string) Ratio {
	return Ratio{Outcomes(by, "met", matchers...), Outcomes(by, "met|missed", matchers...)}
}

// AttainmentOver is attainment over a window other than the one chosen.
func AttainmentOver(by, window string, matchers ...string) Ratio {
	part := func(outcome string) string {
		return promql.SumBy(by, promql.SeriesChosen(names.RecOutcomes, append([]string{promql.Is("window", window), promql.In("outcome", outcome)}, matchers...)...))
	}
	return Ratio{part("met"), part("met|missed")}
}

// Verdicts counts open weaknesses of a severity with one SLA verdict.
func Verdicts(sla, severity string) string {
	return promql.Filled(promql.SumBy("", promql.SeriesChosen(names.RecOpen, promql.Is("severity", severity), promql.Is("sla", sla))), promql.SumBy("", promql.SeriesChosen(names.RecOpen, promql.Is("severity", severity))))
}

// VerdictsByService lists services with findings of one verdict and severity.
func VerdictsByService(sla, severity string) string {
	return promql.Filled(promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen, promql.Is("sla", sla), promql.Is("severity", severity)))+" > 0",
		promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen, promql.Is("sla", sla)))+" > 0")
}

// OldestByService is the age in days of the oldest open critical or high of the services that have one with a verdict.
func OldestByService(sla string) string {
	return fmt.Sprintf("max by (%s) ((time() - %s) / 86400)\nand on (%s) (%s > 0)", names.OwnerLabels, promql.OnceChosen(names.FindingOldest, promql.Severe()),
		names.OwnerLabels, promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen, promql.Is("sla", sla))))
}

// RemediationQuantile is a quantile of the time from first seen to fixed, by severity, in days, over every fix in the ledger.
func RemediationQuantile(q float64, by string, matchers ...string) string {
	return fmt.Sprintf("histogram_quantile(%g, %s) / 86400", q, promql.SumBy(by, promql.SeriesChosen(names.RecRemediationBuckets, matchers...)))
}

// RemediationTrend is the same over the fixes of the thirty days before each moment, and no number where there was none. It is a difference of totals, so that the first fix of a team
// counts, too; it begins once Prometheus has thirty days of history.
func RemediationTrend(q float64) string {
	total := func(offset string) string {
		return promql.SumBy("severity, le", promql.SeriesChosen(names.RecRemediationBuckets, promql.Severe())+offset)
	}
	return fmt.Sprintf("histogram_quantile(%g, %s\n- %s) / 86400 >= 0", q, total(""), total(" offset 30d"))
}

// TargetShortest is the shortest SLA target of a severity, in days.
func TargetShortest() string {
	return promql.MinBy("severity", promql.Once(names.SLATarget)) + " / 86400"
}

// TargetLongest is the longest.
func TargetLongest() string {
	return promql.MaxBy("severity", promql.Once(names.SLATarget)) + " / 86400"
}

// MissedInWindow counts the deadlines missed in the window before each moment.
func MissedInWindow() string { return Outcomes("severity", "missed", promql.Severe()) }

// BreachedOverTime is the number of open criticals and highs past their deadline, by severity.
func BreachedOverTime() string {
	return promql.SumBy("severity", promql.SeriesChosen(names.RecOpen, promql.Severe(), promql.Is("sla", "breached")))
}

// ReviewsWaiting counts the reviews that nobody has answered.
func ReviewsWaiting() string {
	return promql.SumBy("", promql.OnceChosen(names.ReviewsOpen, promql.Is("state", "waiting")))
}

// Followups counts open follow-up actions.
func Followups(matchers ...string) string {
	return promql.SumBy("", promql.OnceChosen(names.FollowupsOpen, matchers...))
}

// Escalations counts open escalations of a kind.
func Escalations(kind string) string {
	return promql.SumBy("", promql.OnceChosen(names.EscalationsOpen, promql.Is("kind", kind)))
}

// MedianDays is the median of a snapshot histogram of ages, in days; 0 where it is known to hold nothing.
func MedianDays(histogram string) string {
	return fmt.Sprintf("histogram_quantile(0.5, %s) / 86400 >= 0\nor\n%s == 0", promql.SumBy("le", promql.OnceChosen(histogram+"_bucket")), promql.SumBy("", promql.OnceChosen(histogram+"_count")))
}
