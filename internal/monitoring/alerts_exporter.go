package monitoring

import (
	"fmt"
	"time"
)

// programme is an alert about the programme's numbers or the exporter itself, not about somebody's services.
func programme(notify Notify, why, expr string, a Alert) Rule {
	return Rule{Why: why, Expr: expr, Labels: map[string]string{"notify": string(notify)}, Alert: &a}
}

// increased counts what a counter gained over a time, replicas folded.
func increased(labels, name string, over time.Duration) string {
	return sumBy(labels, "max without ("+joinLabels(replicaLabels)+") (increase("+series(name)+"["+promDuration(over)+"]))")
}

func countingChanged() Rule {
	return programme(Info, "Numbers before and after are not alike. For information: somebody will ask why a line moved.",
		increased("kind", countingChanges, countingRecent)+" > 0",
		Alert{
			Name: AlertCountingChanged, For: settle, Hold: hold, Answers: answers(PackTrend),
			Summary:     "The way of counting changed: {{ $labels.kind }}",
			Description: "A number that moves at the same time may have moved because of it. prodsec_restated says by how much, same records and same instant; note it beside the next report.",
			Board:       BoardExporter, Panel: panelCounting,
		})
}

func budgetLow() Rule {
	return programme(Ticket, "Little of an API's budget is left, for longer than a burst. What else uses the same credential counts, too.",
		"min by ("+shape(recBudgetLeft)+") ("+series(recBudgetLeft)+fmt.Sprintf(") < %g", budgetReserve),
		Alert{
			Name: AlertBudgetLow, For: sourceDown, Hold: settle,
			Summary: "{{ $value | humanizePercentage }} of the budget {{ $labels.resource }} of collector {{ $labels.collector }} ({{ $labels.instance_name }}) are left",
			Description: "When it is used up the collector waits for the next period and its facts age. Poll less often, or give the exporter a credential of its own; " +
				"`prodsec_exporter check --online` prints the forecast.",
			Board: BoardExporter, Panel: panelBudgets,
		})
}

func ledgerFailing() Rule {
	return programme(Ticket, "What is collected cannot be kept. A single failure is retried with the next pass.",
		increased("job", ledgerErrors, ledgerRecent)+" > 0",
		Alert{
			Name: AlertLedgerErrors, For: settle, Hold: settle,
			Summary:     `{{ $value | printf "%.0f" }} operation(s) of the ledger failed within ` + promDuration(ledgerRecent),
			Description: "Nothing false is shown, but nothing new is kept either: scopes grow stale until it is mended. The exporter's log has the error; disk space and the database come first.",
			Board:       BoardExporter, Panel: panelScopes,
		})
}

func reloadFailed() Rule {
	return programme(Ticket, "A new configuration was refused. The comparison stands inside the fold, so that one replica that refuses it is not hidden by another that took it.",
		"max by (job) (max without ("+joinLabels(replicaLabels)+") ("+series(reloadWorked)+" == bool 0)) > 0",
		Alert{
			Name: AlertReloadFailed, For: settle, Hold: settle,
			Summary:     "The exporter's configuration was not accepted; the one before it is in force",
			Description: "The log of `POST /-/reload` or SIGHUP names file, line and key. `prodsec_exporter check` says the same before a deploy.",
			Board:       BoardExporter, Panel: panelCollectors,
		})
}

func noLeader() Rule {
	return programme(Ticket, "Replicas run and none of them exposes the product's families: every other alert is blind.",
		maxBy("job", one(leader))+" == 0",
		Alert{
			Name: AlertNoLeader, For: leaderGone, Hold: settle,
			Summary:     "No replica of the exporter leads, so nothing about the programme is exposed",
			Description: "A lease that nobody holds is usually a database that nobody reaches. Boards are empty, not good, until one leads.",
			Board:       BoardExporter, Panel: panelCollectors,
		})
}

func twoLeaders() Rule {
	return programme(Ticket, "Rules fold replicas, so nothing is counted twice, but two leaders may show different moments of the same ledger, or two ledgers.",
		"sum by (job) (count without ("+joinLabels(replicaLabels)+") ("+series(leader)+" == 1)) > 1",
		Alert{
			Name: AlertTwoLeaders, For: leaderGone, Hold: settle,
			Summary:     "{{ $value | humanize }} replicas of the exporter lead at once",
			Description: "Either they do not share a ledger, or a clock or a lease is wrong. Numbers may jump between two truths.",
			Board:       BoardExporter, Panel: panelCollectors,
		})
}

func evaluationStale() Rule {
	return programme(Ticket, "The exporter answers, and what it answers was computed long ago: ages and deadlines stand still.",
		"time() - "+maxBy("job", one(evaluationTime))+fmt.Sprintf(" > %d", int(evaluationLate/time.Second)),
		Alert{
			Name: AlertEvaluationStale, For: settle, Hold: settle,
			Summary:     "The numbers that are exposed were computed {{ $value | humanizeDuration }} ago",
			Description: "Nothing new becomes due, breached or fixed on the boards meanwhile. The exporter's log says why evaluation stopped; a restart loses no record.",
			Board:       BoardExporter, Panel: panelCounting,
		})
}

func seriesLeftOut() Rule {
	return programme(Ticket, "Series that would have made the whole answer invalid were left out of it: numbers are missing.",
		increased("reason", seriesDropped, ledgerRecent)+" > 0",
		Alert{
			Name: AlertSeriesDropped, For: settle, Hold: settle,
			Summary:     `{{ $value | printf "%.0f" }} series were left out of what is exposed ({{ $labels.reason }})`,
			Description: "The rest is right, these are missing. It is a defect of the exporter, or of a name that a source delivers: report it with the line of the log.",
			Board:       BoardExporter, Panel: panelCounting,
		})
}
