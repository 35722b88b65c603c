package alerts

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
)

// programme is an alert about the programme's numbers or the exporter itself, not about somebody's services.
func programme(notify Notify, why, expr string, a rulefile.Alert) rulefile.Rule {
	return rulefile.Rule{Why: why, Expr: expr, Labels: map[string]string{"notify": string(notify)}, Alert: &a}
}

// increased counts what a counter gained over a time, replicas folded.
func increased(labels, name string, over time.Duration) string {
	return promql.SumBy(labels, "max without ("+names.JoinLabels(names.ReplicaLabels)+") (increase("+promql.Series(name)+"["+promql.PromDuration(over)+"]))")
}

func countingChanged() rulefile.Rule {
	return programme(Info, "Numbers before and after are not alike. For information: somebody will ask why a line moved.",
		increased("kind", names.CountingChanges, settings.CountingRecent)+" > 0",
		rulefile.Alert{
			Name: CountingChanged, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.PackTrend),
			Summary:     "The way of counting changed: {{ $labels.kind }}",
			Description: "A number that moves at the same time may have moved because of it. prodsec_restated says by how much, same records and same instant; note it beside the next report.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func budgetLow() rulefile.Rule {
	return programme(Ticket, "Little of an API's budget is left, for longer than a burst. What else uses the same credential counts, too.",
		"min by ("+names.RecordedLabels(names.RecBudgetLeft)+") ("+promql.Series(names.RecBudgetLeft)+fmt.Sprintf(") < %g", settings.BudgetReserve),
		rulefile.Alert{
			Name: BudgetLow, For: settings.SourceDown, Hold: settings.Settle,
			Summary: "{{ $value | humanizePercentage }} of the budget {{ $labels.resource }} of collector {{ $labels.collector }} ({{ $labels.instance_name }}) are left",
			Description: "When it is used up the collector waits for the next period and its facts age. Poll less often, or give the exporter a credential of its own; " +
				"`prodsec_exporter check --online` prints the forecast.",
			Board: names.BoardExporter, Panel: names.PanelBudgets,
		})
}

func ledgerFailing() rulefile.Rule {
	return programme(Ticket, "What is collected cannot be kept. A single failure is retried with the next pass.",
		increased("job", names.LedgerErrors, settings.LedgerRecent)+" > 0",
		rulefile.Alert{
			Name: LedgerErrors, For: settings.Settle, Hold: settings.Settle,
			Summary:     `{{ $value | printf "%.0f" }} operation(s) of the ledger failed within ` + promql.PromDuration(settings.LedgerRecent),
			Description: "Nothing false is shown, but nothing new is kept either: scopes grow stale until it is mended. The exporter's log has the error; disk space and the database come first.",
			Board:       names.BoardExporter, Panel: names.PanelScopes,
		})
}

func reloadFailed() rulefile.Rule {
	return programme(Ticket, "A new configuration was refused. The comparison stands inside the fold, so that one replica that refuses it is not hidden by another that took it.",
		"max by (job) (max without ("+names.JoinLabels(names.ReplicaLabels)+") ("+promql.Series(names.ReloadWorked)+" == bool 0)) > 0",
		rulefile.Alert{
			Name: ReloadFailed, For: settings.Settle, Hold: settings.Settle,
			Summary:     "The exporter's configuration was not accepted; the one before it is in force",
			Description: "The log of `POST /-/reload` or SIGHUP names file, line and key. `prodsec_exporter check` says the same before a deploy.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func noLeader() rulefile.Rule {
	return programme(Ticket, "Replicas run and none of them exposes the product's families: every other alert is blind.",
		promql.MaxBy("job", promql.Once(names.Leader))+" == 0",
		rulefile.Alert{
			Name: NoLeader, For: settings.LeaderGone, Hold: settings.Settle,
			Summary:     "No replica of the exporter leads, so nothing about the programme is exposed",
			Description: "A lease that nobody holds is usually a database that nobody reaches. Boards are empty, not good, until one leads.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func twoLeaders() rulefile.Rule {
	return programme(Ticket, "Rules fold replicas, so nothing is counted twice, but two leaders may show different moments of the same ledger, or two ledgers.",
		"sum by (job) (count without ("+names.JoinLabels(names.ReplicaLabels)+") ("+promql.Series(names.Leader)+" == 1)) > 1",
		rulefile.Alert{
			Name: TwoLeaders, For: settings.LeaderGone, Hold: settings.Settle,
			Summary:     "{{ $value | humanize }} replicas of the exporter lead at once",
			Description: "Either they do not share a ledger, or a clock or a lease is wrong. Numbers may jump between two truths.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func evaluationStale() rulefile.Rule {
	return programme(Ticket, "The exporter answers, and what it answers was computed long ago: ages and deadlines stand still.",
		"time() - "+promql.MaxBy("job", promql.Once(names.EvaluationTime))+fmt.Sprintf(" > %d", int(settings.EvaluationLate/time.Second)),
		rulefile.Alert{
			Name: EvaluationStale, For: settings.Settle, Hold: settings.Settle,
			Summary:     "The numbers that are exposed were computed {{ $value | humanizeDuration }} ago",
			Description: "Nothing new becomes due, breached or fixed on the boards meanwhile. The exporter's log says why evaluation stopped; a restart loses no record.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func seriesLeftOut() rulefile.Rule {
	return programme(Ticket, "Series that would have made the whole answer invalid were left out of it: numbers are missing.",
		increased("reason", names.SeriesDropped, settings.LedgerRecent)+" > 0",
		rulefile.Alert{
			Name: SeriesDropped, For: settings.Settle, Hold: settings.Settle,
			Summary:     `{{ $value | printf "%.0f" }} series were left out of what is exposed ({{ $labels.reason }})`,
			Description: "The rest is right, these are missing. It is a defect of the exporter, or of a name that a source delivers: report it with the line of the log.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}
