package query

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/record"
)

// Range is a ratio of which a part is not known: it is at least Low and at most High.
type Range struct{ Low, High Ratio }

// ReviewedLate is the share of the window's changes whose security review was one of some values, e.g. late. Changes of which that is unknown may be among them.
func ReviewedLate(by string, values ...string) Range {
	reviews := func(which ...string) string {
		return promql.Filled(Observations(by, names.RecLead, promql.InWindow(), promql.In("security_review", which...)), Observations(by, names.RecLead, promql.InWindow()))
	}
	all := Observations(by, names.RecLead, promql.InWindow())
	return Range{Low: Ratio{"(" + reviews(values...) + ")", all}, High: Ratio{"(" + reviews(append(values, "unknown")...) + ")", all}}
}

// FailureRatio is the window's changes that failed among all changes. It is absent where failures are: while a source of incidents that was read is not read any more, nobody knows
// how many changes failed. Where no source of incidents was ever read it is a lower bound: see IncidentsRead.
func FailureRatio(by string) Ratio {
	return Ratio{Counted(by, names.RecFailures, promql.InWindow()), Counted(by, names.RecChanges, promql.InWindow())}
}

// IncidentsRead holds where a source of incidents was read. Only incidents state causes, so the cause is present then, be it at 0.
func IncidentsRead(by string) string {
	return Counted(by, names.RecFailures, promql.InWindow(), promql.Is("cause", names.CauseControlGap))
}

// FailedByControlGap is the share of the window's changes that failed for an avoidable gap in a control; failures of unknown cause may have. It is absent where no source of incidents was
// read.
func FailedByControlGap(by string) Range {
	gap, unknown := Counted(by, names.RecFailures, promql.InWindow(), promql.Is("cause", names.CauseControlGap)), Counted(by, names.RecFailures, promql.InWindow(), promql.Is("cause", "unknown"))
	changes := Counted(by, names.RecChanges, promql.InWindow())
	return Range{Low: Ratio{gap, changes}, High: Ratio{"(" + gap + "\n+ (" + promql.Filled(unknown, gap) + "))", changes}}
}

// DeploymentsInWindow counts production deployments of the window before each moment.
func DeploymentsInWindow() string {
	return Counted("approval", names.RecDeployments, promql.InWindow(), Production())
}

// UnreadIncidents counts the scopes of incidents that are not read.
func UnreadIncidents() string { return Unread(record.KindIncident) }

// Rework is the share of the window's production deployments that a failure in production made necessary. While incidents are not read, deployments that are no rollback may be some.
func Rework(by string) Range {
	all := Counted(by, names.RecRework, promql.InWindow())
	rework := func(kinds ...string) string {
		return "(" + promql.Filled(Counted(by, names.RecRework, promql.InWindow(), promql.In("rework", kinds...)), all) + ")"
	}
	return Range{Low: Ratio{rework("rollback", "incident"), all}, High: Ratio{rework("rollback", "incident", "unknown"), all}}
}
