package query

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
)

// ReviewedLate is the share of the window's changes at which security looked late.
func ReviewedLate(by string) string {
	return "(" + promql.Filled(Observations(by, names.RecLead, promql.InWindow(), promql.Is("security_review", "late")), Observations(by, names.RecLead, promql.InWindow())) + ")\n/\n(" +
		Observations(by, names.RecLead, promql.InWindow()) + " > 0)"
}

// FailureRate is the share of the window's changes that failed, or failed for a cause.
func FailureRate(by string, cause ...string) string {
	return "(" + promql.Filled(Counted(by, names.RecFailures, append(cause, promql.InWindow())...), Counted(by, names.RecChanges, promql.InWindow())) + ")\n/\n(" +
		Counted(by, names.RecChanges, promql.InWindow()) + " > 0)"
}

// DeploymentsPerWeek counts production deployments of the seven days before each moment, from the counters.
func DeploymentsPerWeek() string {
	return IncreaseOver("approval", names.DeploymentsTotal, "7d", Production())
}
