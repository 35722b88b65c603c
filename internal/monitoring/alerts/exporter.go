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
	return programme(Info, "Numbers before and after are not comparable. For information.",
		increased("kind", names.CountingChanges, settings.CountingRecent)+" > 0",
		rulefile.Alert{
			Name: CountingChanged, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.PackTrend),
			Summary:     "Counting changed: {{ $labels.kind }}",
			Description: "A number that moved at the same time may have moved because of it. prodsec_restated has the effect on each headline, over the same records at the same instant; mention it in the next leadership update.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func budgetLow() rulefile.Rule {
	return programme(Ticket, "Little of an API budget is left for longer than a burst. Other clients of the same credential share the budget.",
		"min by ("+names.RecordedLabels(names.RecBudgetLeft)+") ("+promql.Series(names.RecBudgetLeft)+fmt.Sprintf(") < %g", settings.BudgetReserve),
		rulefile.Alert{
			Name: BudgetLow, For: settings.SourceDown, Hold: settings.Settle,
			Summary: "{{ $value | humanizePercentage }} of the API budget {{ $labels.resource }} of collector {{ $labels.collector }} ({{ $labels.instance_name }}) is left",
			Description: "When it is used up, the collector waits for the next period and its data ages. Poll less often, or use a dedicated credential; " +
				"`prodsec_exporter check --online` prints the forecast.",
			Board: names.BoardExporter, Panel: names.PanelBudgets,
		})
}

func credentialExpiring() rulefile.Rule {
	return programme(Ticket, "Two weeks before a credential expires there is time to replace it; afterwards its source cannot be read.",
		promql.MinBy("collector, instance_name", promql.Once(names.CredentialExpiry))+fmt.Sprintf(" - time() < %d", int(settings.ExpiringWithin.Seconds())),
		rulefile.Alert{
			Name: CredentialExpiring, For: settings.Settle, Hold: settings.Settle,
			Summary: "{{ if gt $value 0.0 }}The credential of collector {{ $labels.collector }} ({{ $labels.instance_name }}) expires in {{ $value | humanizeDuration }}" +
				"{{ else }}The credential of collector {{ $labels.collector }} ({{ $labels.instance_name }}) has expired{{ end }}",
			Description: "Create a new one and write it into its file: the next pass reads it. Without it the source cannot be read, and its data is withheld after stale_after. " +
				"`prodsec_exporter check --online` tells what each credential sees and when it expires.",
			Board: names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func ledgerFailing() rulefile.Rule {
	return programme(Ticket, "Collected data cannot be stored. A single failure is retried with the next pass.",
		increased("job", names.LedgerErrors, settings.LedgerRecent)+" > 0",
		rulefile.Alert{
			Name: LedgerErrors, For: settings.Settle, Hold: settings.Settle,
			Summary:     `{{ $value | printf "%.0f" }} operation(s) of the ledger failed within ` + promql.PromDuration(settings.LedgerRecent),
			Description: "The exposed numbers stay correct, but no new data is stored: scopes become stale until this is fixed. The exporter's log has the error; check disk space and database first.",
			Board:       names.BoardExporter, Panel: names.PanelScopes,
		})
}

func reloadFailed() rulefile.Rule {
	return programme(Ticket, "A new configuration was rejected. The comparison is made before replicas are merged, so that a replica that rejects it is not hidden by one that accepts it.",
		"max by (job) (max without ("+names.JoinLabels(names.ReplicaLabels)+") ("+promql.Series(names.ReloadWorked)+" == bool 0)) > 0",
		rulefile.Alert{
			Name: ReloadFailed, For: settings.Settle, Hold: settings.Settle,
			Summary:     "The exporter rejected its new configuration; the previous one is in force",
			Description: "The log of `POST /-/reload` or SIGHUP names file, line and key. `prodsec_exporter check` says the same before a deploy.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func noLeader() rulefile.Rule {
	return programme(Ticket, "Replicas run and none of them exposes the product families: no other alert can be evaluated.",
		promql.MaxBy("job", promql.Once(names.Leader))+" == 0",
		rulefile.Alert{
			Name: NoLeader, For: settings.LeaderGone, Hold: settings.Settle,
			Summary:     "No replica of the exporter is the leader, so no product families are exposed",
			Description: "If no replica holds the lease, the database is usually unreachable. Boards are empty until a replica leads.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func twoLeaders() rulefile.Rule {
	return programme(Ticket, "Rules merge replicas, so nothing is counted twice, but two leaders may expose different states of one ledger, or two ledgers.",
		"sum by (job) (count without ("+names.JoinLabels(names.ReplicaLabels)+") ("+promql.Series(names.Leader)+" == 1)) > 1",
		rulefile.Alert{
			Name: TwoLeaders, For: settings.LeaderGone, Hold: settings.Settle,
			Summary:     "{{ $value | humanize }} replicas of the exporter are leader at the same time",
			Description: "Either they do not share a ledger, or a clock or a lease is wrong. Numbers may jump between two states.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func evaluationStale() rulefile.Rule {
	return programme(Ticket, "The exporter is up, but its numbers were computed long ago, or for an instant that lies ahead: ages and deadlines do not advance.",
		"abs(time() - "+promql.MaxBy("job", promql.Once(names.EvaluationTime))+fmt.Sprintf(") > %d", int(settings.EvaluationLate/time.Second)),
		rulefile.Alert{
			Name: EvaluationStale, For: settings.Settle, Hold: settings.Settle,
			Summary:     "The exposed numbers are those of an instant {{ $value | humanizeDuration }} away",
			Description: "Until the next evaluation nothing becomes due, breached or fixed on the boards. The exporter's log says why evaluation stopped; a restart loses no record.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func clockImplausible() rulefile.Rule {
	return programme(Ticket, "The wall clock of the exporter contradicts the last evaluation or the dates of API responses. Deadlines do not follow it, but logs and tokens do.",
		promql.MaxBy("job", "max without ("+names.JoinLabels(names.ReplicaLabels)+") (abs("+promql.Series(names.ClockOffset)+"))")+fmt.Sprintf(" > %d", int(settings.ClockOff/time.Second))+
			"\nor\n"+increased("job", names.ClockJumps, settings.ClockRecent)+" > 0",
		rulefile.Alert{
			Name: ClockImplausible, For: settings.Settle, Hold: settings.Settle,
			Summary:     "The clock of the machine on which the exporter runs is wrong, or was within the last hour",
			Description: "Nothing was recorded by the wrong clock: time goes on by the monotonic clock and by the dates of API responses until the wall clock agrees. Synchronise the clock of the machine; the exporter's log has by how much it was off.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func seriesLeftOut() rulefile.Rule {
	return programme(Ticket, "Series that would make the whole exposition invalid were dropped: numbers are missing.",
		increased("reason", names.SeriesDropped, settings.LedgerRecent)+" > 0",
		rulefile.Alert{
			Name: SeriesDropped, For: settings.Settle, Hold: settings.Settle,
			Summary:     `{{ $value | printf "%.0f" }} series were dropped from the exposition ({{ $labels.reason }})`,
			Description: "The remaining series are correct, these are missing. The cause is a bug of the exporter or an unexpected name from a source: report it with the log line.",
			Board:       names.BoardExporter, Panel: names.PanelCounting,
		})
}

func scopeStaleAlert() rulefile.Rule {
	labels := names.JoinLabels(names.LabelsOf(names.Scopes))
	return programme(Ticket, "A scope is the smallest unit that is read completely or not at all. stale: the last good data is still shown; dropped: it is so old "+
		"that it is withheld; never: the scope was never read.",
		promql.SumBy(labels, promql.Once(names.Scopes, promql.In("status", "stale", "dropped", "never")))+" > 0",
		rulefile.Alert{
			Name: ScopeStale, For: settings.ScopeStale, Hold: settings.Settle,
			Summary: "{{ $value | humanize }} scope(s) of collector {{ $labels.collector }} are {{ $labels.status }}",
			Description: "Numbers derived from them are old, or missing and counted as unknown; alerts derived from them hold. The board and the exporter's landing page name the scopes, its log " +
				"has the error.",
			Board: names.BoardExporter, Panel: names.PanelScopes,
		})
}

func collectorDown() rulefile.Rule {
	return programme(Ticket, "The last pass of a collector failed completely. Inhibits the alerts derived from its data, so that an API outage pages nobody.",
		promql.MaxBy(names.JoinLabels(names.LabelsOf(names.CollectorUp)), promql.Once(names.CollectorUp))+" == 0",
		rulefile.Alert{
			Name: CollectorDown, For: settings.SourceDown, Hold: settings.Settle,
			Summary:     "Collector {{ $labels.collector }} ({{ $labels.instance_name }}) cannot read its source",
			Description: "The last good data is shown until it is too old, then it is withheld. Check credential, network and the status of the source; the exporter's log has the error.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}

func exporterDownAlert() rulefile.Rule {
	now := promql.Once(names.BuildInfo)
	before := fmt.Sprintf("max without (%s) (max_over_time(%s[%s]))", names.JoinLabels(names.ReplicaLabels), promql.Series(names.BuildInfo), promql.PromDuration(settings.JobGone))
	return programme(Ticket, "Nothing is exposed: no other alert of this file can be evaluated. Inhibits them, so that none fires or resolves for that reason. While another job is scraped the alert names the job that "+
		"is not, and inhibits nothing.",
		promql.MaxBy("job", before)+"\nunless on (job)\n"+now+"\nand on ()\n"+now+"\nor\nabsent("+promql.Series(names.BuildInfo)+")",
		rulefile.Alert{
			Name: ExporterDown, For: settings.ExporterDown, Hold: settings.Settle,
			Summary:     "No prodsec_exporter{{ with $labels.job }} of job {{ . }}{{ end }} is being scraped",
			Description: "Prometheus cannot scrape any replica, so there are no current numbers. No record is lost: the ledger continues where it stopped.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		})
}
