// Package alerts holds the alerting rules, a file per board whose subject they share. An alert reads recorded series and families by the names in package names, and
// knows neither the rules that record them nor the boards it links to.
//
// To add an alert: its name and a function beside its like, a line in Groups, docs/runbooks/<Alert>.md with the five headings, and deploy/prometheus/tests/<Alert>.yml with
// the minute before it fires, the minute it does, and what happens when its source is gone. Tests fail until all are there. Then run `go run ./cmd/generate`.
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

// Notify says what a notification asks of whoever gets it. It is the label notify, by which Alertmanager routes; the label severity is always
// the severity of findings.
type Notify string

// The ways to notify.
const (
	// Page: somebody acts now.
	Page Notify = "page"
	// Ticket: somebody acts within days.
	Ticket Notify = "ticket"
	// Info: somebody should know.
	Info Notify = "info"
)

// The alerts.
const (
	SLABreached           = "ProdsecSLABreached"
	SLADueSoon            = "ProdsecSLADueSoon"
	ExceptionExpired      = "ProdsecExceptionExpired"
	ExceptionExpiring     = "ProdsecExceptionExpiring"
	RepositoryUnprotected = "ProdsecPrivilegedRepositoryUnprotected"
	ScopeStale            = "ProdsecScopeStale"
	CollectorDown         = "ProdsecCollectorDown"
	ExporterDown          = "ProdsecExporterDown"
	AttainmentLow         = "ProdsecSLAAttainmentLow"
	BudgetBurning         = "ProdsecSLABudgetBurning"
	ExceptionPending      = "ProdsecExceptionPending"
	ReviewWaiting         = "ProdsecReviewWaiting"
	FollowupOverdue       = "ProdsecFollowupOverdue"
	ReleaseBlocked        = "ProdsecReleaseBlocked"
	CountingChanged       = "ProdsecCountingChanged"
	BudgetLow             = "ProdsecAPIBudgetLow"
	LedgerErrors          = "ProdsecLedgerErrors"
	ReloadFailed          = "ProdsecConfigReloadFailed"
	NoLeader              = "ProdsecNoLeader"
	TwoLeaders            = "ProdsecTwoLeaders"
	EvaluationStale       = "ProdsecEvaluationStale"
	SeriesDropped         = "ProdsecSeriesDropped"
	PathUnprotected       = "ProdsecProductionPathUnprotected"
	ControlLost           = "ProdsecCrownJewelControlLost"
	SecretActive          = "ProdsecActiveSecretOpen"
	ExploitedExposed      = "ProdsecKnownExploitedExposed"
)

// Groups are the alerting rules.
func Groups() []rulefile.Group {
	return []rulefile.Group{
		{Name: "prodsec-responsiveness-alerts", Rules: []rulefile.Rule{
			slaBreached(), slaDueSoon(), attainmentLow(), budgetBurning(), exceptionPendingLong(), reviewWaitingLong(), followupOverdue(), releaseBlocked(),
		}},
		{Name: "prodsec-exposure-alerts", Rules: []rulefile.Rule{exceptionExpired(), exceptionExpiring(), secretActive(), exploitedExposed()}},
		{Name: "prodsec-coverage-alerts", Rules: []rulefile.Rule{repositoryUnprotected(), controlLost()}},
		{Name: "prodsec-delivery-trust-alerts", Rules: []rulefile.Rule{pathUnprotected()}},
		{Name: "prodsec-exporter-alerts", Rules: []rulefile.Rule{
			scopeStaleAlert(), collectorDown(), exporterDownAlert(), budgetLow(), ledgerFailing(), reloadFailed(), noLeader(), twoLeaders(), evaluationStale(),
			seriesLeftOut(),
		}},
		{Name: "prodsec-trend-quality-alerts", Rules: []rulefile.Rule{countingChanged()}},
	}
}

// bySeverity chooses how to notify for a critical and for anything else.
func bySeverity(critical, other Notify) string {
	return fmt.Sprintf(`{{ if eq $labels.severity "critical" }}%s{{ else }}%s{{ end }}`, critical, other)
}

// oldest is a template that says since when a service's oldest open finding of the alert's severity is known.
func oldest() string {
	return `{{ with printf "min(` + names.FindingOldest + `{service_name=%q, severity=%q})" $labels.service_name $labels.severity | query }}` +
		`The oldest open one was first seen at {{ . | first | value | humanizeTimestamp }}. {{ end }}`
}

func slaBreached() rulefile.Rule {
	return rulefile.Rule{
		Why:    "Critical pages, high makes a ticket: the same alert, so that a change of severity does not make a second one.",
		Expr:   promql.SumBy(names.OwnerLabels+", severity", promql.Series(names.RecServiceOpen, promql.Is("sla", "breached"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Page, Ticket), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: SLABreached, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary: "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are past their deadline",
			Description: oldest() + "Remediate them or have an exception approved; a dismissal does not stop the clock. " +
				"Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board: names.BoardResponsiveness, Panel: names.PanelBreachedTable, Select: names.BoardVariables,
		},
	}
}

func slaDueSoon() rulefile.Rule {
	return rulefile.Rule{
		Why:    "In the last part of its time (policy: due_soon_ratio). A breach of the same service and severity mutes it.",
		Expr:   promql.SumBy(names.OwnerLabels+", severity", promql.Series(names.RecServiceOpen, promql.Is("sla", "due_soon"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Ticket, Info), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: SLADueSoon, Answers: packrow.List(packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are due soon",
			Description: oldest() + "They are in the last quarter of their SLA time. Plan the fix now, or ask for an exception before the deadline.",
			Board:       names.BoardResponsiveness, Panel: names.PanelDueSoonTable, Select: names.BoardVariables,
		},
	}
}

func exceptionExpired() rulefile.Rule {
	return rulefile.Rule{
		Why:    "Expired and still open in its source: the clocks it stopped run again.",
		Expr:   promql.SumBy(names.GroupLabels+", category", promql.Series(names.RecExceptions, promql.Is("state", "expired"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromExceptions},
		Alert: &rulefile.Alert{
			Name: ExceptionExpired, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} exception(s) of category {{ $labels.category }} of team {{ $labels.team }} have expired and are still open",
			Description: "What they covered counts against its SLA again. Fix it, renew the exception with a reason, or close it.",
			Board:       names.BoardExposure, Panel: names.PanelExceptionHorizon, Select: names.BoardVariables,
		},
	}
}

func exceptionExpiring() rulefile.Rule {
	left := promql.MinBy(names.OwnerLabels+", category", promql.Once(names.ExceptionNextExpiry)) + " - time()"
	return rulefile.Rule{
		Why:    "The soonest active exception of a service and category ends within two weeks.",
		Expr:   fmt.Sprintf("(%s) < %d\nand\n(%s) > 0", left, int(settings.ExpiringWithin/time.Second), left),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromExceptions},
		Alert: &rulefile.Alert{
			Name: ExceptionExpiring, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "An exception of category {{ $labels.category }} for {{ $labels.service_name }} (team {{ $labels.team }}) expires in {{ $value | humanizeDuration }}",
			Description: "After that the SLA clocks it stopped run again. Fix what it covers, or decide on a renewal before it ends.",
			Board:       names.BoardExposure, Panel: names.PanelNextExpiries, Select: names.BoardVariables,
		},
	}
}

func repositoryUnprotected() rulefile.Rule {
	gap := promql.Once(names.ProtectionGap, promql.Is("check", "required"), promql.Is("status", "fail"))
	return rulefile.Rule{
		Why:    "Only what is known to be unprotected: a check that could not be read is unknown and shown on the board, not laid at a team's door.",
		Expr:   promql.MaxBy(names.OwnerLabels+", repository, scope", gap) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromRepositories},
		Alert: &rulefile.Alert{
			Name: RepositoryUnprotected, Answers: packrow.List(packrow.TrackProtection), For: settings.SettlePosture, Hold: settings.Hold,
			Summary: "Privileged repository {{ $labels.repository }} ({{ $labels.service_name }}, team {{ $labels.team }}) lacks required {{ $labels.scope }} protection",
			Description: "Policy requires protection of every privileged repository; one of the required checks is known to fail. " +
				"The board lists which.",
			Board: names.BoardDeliveryTrust, Panel: names.PanelTrustGaps, Select: names.BoardVariables,
		},
	}
}

func scopeStaleAlert() rulefile.Rule {
	return rulefile.Rule{
		Why: "A scope is the smallest thing that is read whole or not at all. stale: last good facts are still shown; dropped: they are so old " +
			"that they are withheld; never: it was never read.",
		Expr:   promql.SumBy(names.LabelsWithout(names.JoinLabels(names.LabelsOf(names.Scopes)), "status")+", status", promql.Once(names.Scopes, promql.In("status", "stale", "dropped", "never"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: ScopeStale, For: settings.ScopeStale, Hold: settings.Settle,
			Summary:     "{{ $value | humanize }} scope(s) of collector {{ $labels.collector }} are {{ $labels.status }}",
			Description: "Numbers that rest on them are old or missing and count as unknown. The exporter's log and its landing page name the scopes and the error.",
			Board:       names.BoardExporter, Panel: names.PanelScopes,
		},
	}
}

func collectorDown() rulefile.Rule {
	labels := names.JoinLabels(names.LabelsOf(names.CollectorUp))
	return rulefile.Rule{
		Why:    "The last pass of a collector failed altogether. It mutes the alerts derived from what it delivers, so that an API's outage pages nobody.",
		Expr:   promql.MaxBy(labels, promql.Once(names.CollectorUp)) + " == 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: CollectorDown, For: settings.SourceDown, Hold: settings.Settle,
			Summary:     "Collector {{ $labels.collector }} ({{ $labels.instance_name }}) cannot read its source",
			Description: "Its last good facts stay until they are too old, then they are withheld. Check credential, network and the source's status; the exporter's log has the error.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		},
	}
}

func exporterDownAlert() rulefile.Rule {
	return rulefile.Rule{
		Why:    "Nothing is exposed at all: every other alert of this file is blind. It mutes them, so that none resolves or fires for that reason.",
		Expr:   "absent(" + promql.Series(names.BuildInfo) + ")",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: ExporterDown, For: settings.ExporterDown, Hold: settings.Settle,
			Summary:     "No prodsec_exporter is being scraped",
			Description: "No replica answers Prometheus, so nothing is known about the programme since. No record is lost: the ledger continues where it stopped.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		},
	}
}
