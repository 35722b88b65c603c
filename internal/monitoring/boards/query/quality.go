package query

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

// Collectors is 1 for each collector whose last pass worked, 0 for the others.
func Collectors() string {
	return promql.MaxBy(names.JoinLabels(names.LabelsOf(names.CollectorUp)), promql.Once(names.CollectorUp))
}

// NotFresh are the scopes that are not fresh, by name; those beyond the first of their kind are counted together as "other".
func NotFresh() string {
	return promql.Top(settings.TableRows, promql.SumBy("collector, scope, status", promql.Once(names.UnreadScopes)))
}

// FreshScopes counts the fresh scopes by collector.
func FreshScopes() string {
	return promql.SumBy("collector, status", promql.Once(names.Scopes, promql.Is("status", "fresh"))) + " > 0"
}

// SinceSuccess is the time since the longest unread scope of a kind was read, in seconds.
func SinceSuccess() string {
	return fmt.Sprintf("topk(%d, time() - %s)", settings.TableRows, promql.MinBy("collector, scope_kind", promql.Once(names.ScopeLastSuccess)))
}

// EvaluatedAgo is the age of the numbers on the board in seconds.
func EvaluatedAgo() string { return "time() - " + promql.MaxBy("", promql.Once(names.EvaluationTime)) }

// CountingChangesInWindow is how often the way of counting changed in the window. Every kind of change is exposed at 0 from the start.
func CountingChangesInWindow() string { return IncreaseOver("", names.CountingChanges, "$window") }

// PolicyInForce is the time since when the policy is in force, in milliseconds as Grafana's dates want it, labelled with its version.
func PolicyInForce() string {
	return fmt.Sprintf("%s * on () group_left () (1000 * %s > 0)", promql.MaxBy("version", promql.Once(names.PolicyInfo)), promql.MaxBy("", promql.Once(names.PolicyChanged)))
}

// RecordsHeld counts the records in the ledger by kind, those kinds that it holds any of.
func RecordsHeld() string {
	return promql.Top(6, promql.SumBy("kind", promql.Once(names.Records))+" > 0")
}
