package query

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

// OpenNow is the number of open weaknesses of a severity.
func OpenNow(by string, severities ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(names.RecOpen, promql.In("severity", severities...)))
}

// ChangeInWindow is how many more there are than at the start of the window: the sum of signed flows, exact on the first day.
func ChangeInWindow(by string, severities ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.In("severity", severities...)))
}

// FlowsBy counts the signed events of the given kinds.
func FlowsBy(by string, events ...string) string {
	return promql.SumBy(by, promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe(), promql.In("event", events...)))
}

// FlowsByEvent is the same for each event that happened at all; the others' bars are empty.
func FlowsByEvent(events ...string) string {
	return promql.Filled(FlowsBy("event", events...)+" != 0", promql.SumBy("event", promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe()))+" != 0")
}

// OtherwiseClosed counts what left the open weaknesses without being fixed.
func OtherwiseClosed(by string) string {
	return promql.SumBy(by, promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe(), `event=~"dismissed_.*|duplicate|out_of_scope|scope_lost"`))
}

// OpenWithBlastRadius is the number of open criticals and highs on services that are crown jewels or face the internet.
func OpenWithBlastRadius(by string) string {
	return promql.Filled(promql.SumBy(by, promql.SeriesChosen(names.RecOpenExposure, promql.Is("crown_jewel", names.Affirmative))+" or "+promql.SeriesChosen(names.RecOpenExposure, promql.Is("internet_facing", names.Affirmative))),
		promql.SumBy(by, promql.SeriesChosen(names.RecOpenExposure)))
}

// OpenWithUnknownRadius is the number on services that may be one or the other: nothing says that they are, something is not known.
func OpenWithUnknownRadius() string {
	return promql.Filled(promql.SumBy("", promql.SeriesChosen(names.RecOpenExposure, promql.Is("crown_jewel", "unknown"), promql.IsNot("internet_facing", names.Affirmative))+
		" or "+promql.SeriesChosen(names.RecOpenExposure, promql.Is("internet_facing", "unknown"), promql.IsNot("crown_jewel", names.Affirmative))), promql.SumBy("", promql.SeriesChosen(names.RecOpenExposure)))
}

// BreachedRatio is the open criticals and highs that are past their deadline, among those that no approved exception covers: a waiver takes away from both.
func BreachedRatio() Ratio {
	return Ratio{promql.SumBy("", promql.SeriesChosen(names.RecOpen, promql.Severe(), promql.Is("sla", "breached"))),
		promql.SumBy("", promql.SeriesChosen(names.RecOpen, promql.Severe(), promql.IsNot("sla", "excepted")))}
}

// Concentration is the open criticals and highs in the services that hold most of them.
func Concentration() Ratio {
	open := promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen))
	return Ratio{fmt.Sprintf("sum(topk(%d, %s))", settings.ConcentrationTop, open), "sum(" + open + ")"}
}

// OpenByAge is the number of open weaknesses of a severity by range of age.
func OpenByAge(severity string) string {
	return promql.Filled(promql.SumBy("age", promql.SeriesChosen(names.RecAges, promql.Is("severity", severity))), promql.SumBy("age", promql.SeriesChosen(names.RecAges)))
}

// WorstServices counts the open criticals and highs that match, of the services with most of them.
func WorstServices(matchers ...string) string {
	worst := fmt.Sprintf("topk(%d, %s > 0)", settings.TableRows, promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen)))
	return promql.Filled(fmt.Sprintf("(%s and on (%s) %s)", promql.SumBy(names.OwnerLabels, promql.SeriesChosen(names.RecServiceOpen, matchers...)), names.OwnerLabels, worst), worst)
}

// OldestOpen is the age in days of the oldest open critical or high of each service.
func OldestOpen() string {
	return promql.Top(settings.TableRows, fmt.Sprintf("(time() - %s) / 86400", promql.MinBy(names.OwnerLabels+", severity", promql.OnceChosen(names.FindingOldest, promql.Severe()))))
}

// EventsInWindow counts events of criticals and highs in the window before each moment. The recorded flow has the sign of each event's effect.
func EventsInWindow(sign string, events ...string) string {
	return sign + promql.SumBy("", promql.SeriesChosen(names.RecFlow, promql.InWindow(), promql.Severe(), promql.In("event", events...)))
}

// ExceptionsNow counts exceptions in a state.
func ExceptionsNow(state string) string {
	return promql.SumBy("", promql.SeriesChosen(names.RecExceptions, promql.Is("state", state)))
}

// ExceptionsEnding counts granted exceptions by category for one horizon of expiry.
func ExceptionsEnding(horizon string) string {
	granted := promql.In("state", "active", "expired", "unscoped")
	return promql.Filled(promql.SumBy("category", promql.SeriesChosen(names.RecExceptions, granted, promql.Is("expires", horizon)))+" > 0", promql.SumBy("category", promql.SeriesChosen(names.RecExceptions, granted))+" > 0")
}

// ExceptionAgeQuantile is a quantile of the age of granted exceptions by category, in days.
func ExceptionAgeQuantile(q float64) string {
	return fmt.Sprintf("sort_desc(topk(8, histogram_quantile(%g, %s) / 86400 >= 0))", q, promql.SumBy("category, le", promql.OnceChosen(names.ExceptionAge+"_bucket")))
}

// NextExpiries are the days left until the soonest expiry of each service and category.
func NextExpiries() string {
	return fmt.Sprintf("bottomk(%d, (%s - time()) / 86400)", settings.TableRows, promql.MinBy(names.OwnerLabels+", category", promql.OnceChosen(names.ExceptionNextExpiry)))
}

// Folded is how many reports were recognised as another tool's report of the same weakness.
func Folded() string {
	return "sort_desc(" + promql.SumBy("class", promql.Once(names.DuplicateFindings)) + ")"
}

// RemediatedIn is the number of fixes of a severity in the ledger that took no longer than a time.
func RemediatedIn(severity string, limit time.Duration) string {
	return promql.SumBy("", promql.SeriesChosen(names.RecRemediationBuckets, promql.Is("severity", severity), promql.Le(limit)))
}

// ExploitedOpen counts what is exploited or likely to be, by service and evidence.
func ExploitedOpen() string {
	return promql.Top(settings.TableRows, promql.SumBy(names.OwnerLabels+", internet_facing, evidence", promql.SeriesChosen(names.RecExploited))+" > 0")
}
