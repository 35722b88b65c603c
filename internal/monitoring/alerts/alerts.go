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
	CredentialExpiring    = "ProdsecCredentialExpiring"
	LedgerErrors          = "ProdsecLedgerErrors"
	ReloadFailed          = "ProdsecConfigReloadFailed"
	NoLeader              = "ProdsecNoLeader"
	TwoLeaders            = "ProdsecTwoLeaders"
	EvaluationStale       = "ProdsecEvaluationStale"
	ClockImplausible      = "ProdsecClockImplausible"
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
			scopeStaleAlert(), collectorDown(), exporterDownAlert(), budgetLow(), credentialExpiring(), ledgerFailing(), reloadFailed(), noLeader(), twoLeaders(), evaluationStale(),
			clockImplausible(), seriesLeftOut(),
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
		Why:    "Critical pages, high creates a ticket. One alert for both, so that a severity change does not create a second one.",
		Expr:   promql.SumBy(names.OwnerLabels+", severity", promql.Series(names.RecServiceOpen, promql.Is("sla", "breached"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Page, Ticket), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: SLABreached, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary: "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are past their SLA deadline",
			Description: oldest() + "Remediate them or get an exception approved; a dismissal does not stop the SLA clock. " +
				"Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board: names.BoardResponsiveness, Panel: names.PanelBreachedTable, Select: names.BoardVariables,
		},
	}
}

func slaDueSoon() rulefile.Rule {
	return rulefile.Rule{
		Why:    "In the last part of the SLA time (policy: due_soon_ratio). A breach of the same service and severity inhibits it.",
		Expr:   promql.SumBy(names.OwnerLabels+", severity", promql.Series(names.RecServiceOpen, promql.Is("sla", "due_soon"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Ticket, Info), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: SLADueSoon, Answers: packrow.List(packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are close to their SLA deadline",
			Description: oldest() + "They are in the last part of their SLA time. Plan the fix now, or request an exception before the deadline.",
			Board:       names.BoardResponsiveness, Panel: names.PanelDueSoonTable, Select: names.BoardVariables,
		},
	}
}

func exceptionExpired() rulefile.Rule {
	return rulefile.Rule{
		Why:    "Expired and still open in its source: the SLA clocks that it paused run again.",
		Expr:   promql.SumBy(names.GroupLabels+", category", promql.Series(names.RecExceptions, promql.Is("state", "expired"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromExceptions},
		Alert: &rulefile.Alert{
			Name: ExceptionExpired, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} exception(s) of category {{ $labels.category }} of team {{ $labels.team }} have expired and are still open",
			Description: "The SLA clocks that they paused run again. Remediate the findings, renew the exception with a reason, or close it.",
			Board:       names.BoardExposure, Panel: names.PanelExceptionHorizon, Select: names.BoardVariables,
		},
	}
}

func exceptionExpiring() rulefile.Rule {
	left := promql.MinBy(names.OwnerLabels+", category", promql.Once(names.ExceptionNextExpiry)) + " - time()"
	return rulefile.Rule{
		Why:    "The next active exception of a service and category expires within two weeks.",
		Expr:   fmt.Sprintf("(%s) < %d\nand\n(%s) > 0", left, int(settings.ExpiringWithin/time.Second), left),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromExceptions},
		Alert: &rulefile.Alert{
			Name: ExceptionExpiring, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "An exception of category {{ $labels.category }} for {{ $labels.service_name }} (team {{ $labels.team }}) expires in {{ $value | humanizeDuration }}",
			Description: "After that the SLA clocks that it paused run again. Remediate the findings, or decide on a renewal before it expires.",
			Board:       names.BoardExposure, Panel: names.PanelNextExpiries, Select: names.BoardVariables,
		},
	}
}

func repositoryUnprotected() rulefile.Rule {
	gap := promql.Once(names.ProtectionGap, promql.Is("check", "required"), promql.Is("status", "fail"))
	return rulefile.Rule{
		Why:    "Counts only checks that fail: a check that could not be read is unknown and shown on the board, and not attributed to a team.",
		Expr:   promql.MaxBy(names.OwnerLabels+", repository, scope", gap) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromRepositories},
		Alert: &rulefile.Alert{
			Name: RepositoryUnprotected, Answers: packrow.List(packrow.TrackProtection), For: settings.SettlePosture, Hold: settings.Hold,
			Summary: "Privileged repository {{ $labels.repository }} ({{ $labels.service_name }}, team {{ $labels.team }}) lacks required {{ $labels.scope }} protection",
			Description: "Policy requires these protections for every privileged repository; at least one required check fails. " +
				"The board lists the failing checks.",
			Board: names.BoardDeliveryTrust, Panel: names.PanelTrustGaps, Select: names.BoardVariables,
		},
	}
}

func scopeStaleAlert() rulefile.Rule {
	return rulefile.Rule{
		Why: "A scope is the smallest unit that is read completely or not at all. stale: the last good data is still shown; dropped: it is so old " +
			"that it is withheld; never: the scope was never read.",
		Expr:   promql.SumBy(names.LabelsWithout(names.JoinLabels(names.LabelsOf(names.Scopes)), "status")+", status", promql.Once(names.Scopes, promql.In("status", "stale", "dropped", "never"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: ScopeStale, For: settings.ScopeStale, Hold: settings.Settle,
			Summary:     "{{ $value | humanize }} scope(s) of collector {{ $labels.collector }} are {{ $labels.status }}",
			Description: "Numbers derived from them are old, or missing and counted as unknown. The exporter's log and landing page name the scopes and the error.",
			Board:       names.BoardExporter, Panel: names.PanelScopes,
		},
	}
}

func collectorDown() rulefile.Rule {
	labels := names.JoinLabels(names.LabelsOf(names.CollectorUp))
	return rulefile.Rule{
		Why:    "The last pass of a collector failed completely. Inhibits the alerts derived from its data, so that an API outage pages nobody.",
		Expr:   promql.MaxBy(labels, promql.Once(names.CollectorUp)) + " == 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: CollectorDown, For: settings.SourceDown, Hold: settings.Settle,
			Summary:     "Collector {{ $labels.collector }} ({{ $labels.instance_name }}) cannot read its source",
			Description: "The last good data is shown until it is too old, then it is withheld. Check credential, network and the status of the source; the exporter's log has the error.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		},
	}
}

func exporterDownAlert() rulefile.Rule {
	return rulefile.Rule{
		Why:    "Nothing is exposed: no other alert of this file can be evaluated. Inhibits them, so that none fires or resolves for that reason.",
		Expr:   "absent(" + promql.Series(names.BuildInfo) + ")",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &rulefile.Alert{
			Name: ExporterDown, For: settings.ExporterDown, Hold: settings.Settle,
			Summary:     "No prodsec_exporter is being scraped",
			Description: "Prometheus cannot scrape any replica, so there are no current numbers. No record is lost: the ledger continues where it stopped.",
			Board:       names.BoardExporter, Panel: names.PanelCollectors,
		},
	}
}
