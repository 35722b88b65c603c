package rules

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
)

// foldedRule records a family summed over the labels of the rule, replicas folded: what boards and alerts read instead of the family.
func foldedRule(why, record, family string) rulefile.Rule {
	return rulefile.Rule{Why: why, Record: record, Expr: promql.SumBy(names.RecordedLabels(record), promql.Once(family))}
}
