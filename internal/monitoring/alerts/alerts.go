// Package alerts holds the alerting rules, a file per board whose subject they share. An alert reads recorded series and families by the names in package names, and
// knows neither the rules that record them nor the boards it links to.
//
// To add an alert: its name and a function in the file of its board, a line in groups.go, docs/runbooks/<Alert>.md with the five headings, and deploy/prometheus/tests/<Alert>.yml with
// the minute before it fires, the minute in which it does, and what happens when its source is gone. Tests fail until all are there. Then run `go run ./cmd/generate`.
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

// bySeverity chooses how to notify for a critical and for anything else.
func bySeverity(critical, other Notify) string {
	return fmt.Sprintf(`{{ if eq $labels.severity "critical" }}%s{{ else }}%s{{ end }}`, critical, other)
}

// oldest is a template that says since when a service's oldest open finding of the alert's severity is known.
func oldest() string {
	return `{{ with printf "min(` + names.FindingOldest + `{service_name=%q, severity=%q})" $labels.service_name $labels.severity | query }}` +
		`The oldest open one was first seen at {{ . | first | value | humanizeTimestamp }}. {{ end }}`
}

// owned is an alert about somebody's services. It goes to their owner, is derived from facts of a kind, and its board is opened restricted to what selects. Its expression reads
// what is withheld as it was last known (promql.OnceHeld and what is recorded with it), so that it does not end because a source went away.
func owned(notify, derivedFrom, why, expr string, selects []string, a rulefile.Alert) rulefile.Rule {
	a.Select = selects
	return rulefile.Rule{Why: why, Expr: expr, Labels: map[string]string{"notify": notify, "derived_from": derivedFrom}, Alert: &a}
}

// lastKnown is a template that says if a part of what an alert about a service's findings counts is withheld, and so is as it was last known.
func lastKnown() string {
	return `{{ with printf "sum(` + names.Withheld(names.FindingsOpen) + `{service_name=%q})" $labels.service_name | query }}` +
		`Some of this service's findings are as they were last known: a source of them is not read any more. {{ end }}`
}

// openWithStanding counts a service's open criticals and highs with an SLA standing.
func openWithStanding(standing string) string {
	return promql.SumBy(names.OwnerLabels+", severity", promql.Series(names.RecServiceHeld, promql.Is("sla", standing))) + " > 0"
}

func slaBreached() rulefile.Rule {
	return owned(bySeverity(Page, Ticket), names.FromFindings,
		"Critical pages, high creates a ticket. One alert for both, so that a severity change does not create a second one.",
		openWithStanding("breached"), names.BoardVariables,
		rulefile.Alert{
			Name: SLABreached, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary: "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are past their SLA deadline",
			Description: oldest() + lastKnown() + "Remediate them or get an exception approved; a dismissal does not stop the SLA clock. " +
				"Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board: names.BoardResponsiveness, Panel: names.PanelBreachedTable,
		})
}

func slaDueSoon() rulefile.Rule {
	return owned(bySeverity(Ticket, Info), names.FromFindings,
		"In the last part of the SLA time (policy: due_soon_ratio). A breach of the same service and severity inhibits it.",
		openWithStanding("due_soon"), names.BoardVariables,
		rulefile.Alert{
			Name: SLADueSoon, Answers: packrow.List(packrow.TrackAttainment), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are close to their SLA deadline",
			Description: oldest() + lastKnown() + "They are in the last part of their SLA time. Plan the fix now, or request an exception before the deadline.",
			Board:       names.BoardResponsiveness, Panel: names.PanelDueSoonTable,
		})
}

func exceptionExpired() rulefile.Rule {
	return owned(string(Ticket), names.FromExceptions,
		"Expired and still open in its source: the SLA clocks that it paused run again.",
		promql.SumBy(names.GroupLabels+", category", promql.OnceHeld(names.Exceptions, promql.Is("state", "expired")))+" > 0", names.BoardVariables,
		rulefile.Alert{
			Name: ExceptionExpired, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "{{ $value | humanize }} exception(s) of category {{ $labels.category }} of team {{ $labels.team }} have expired and are still open",
			Description: "The SLA clocks that they paused run again. Remediate the findings, renew the exception with a reason, or close it.",
			Board:       names.BoardExposure, Panel: names.PanelExceptionHorizon,
		})
}

func exceptionExpiring() rulefile.Rule {
	left := promql.MinBy(names.OwnerLabels+", category", promql.OnceHeld(names.ExceptionNextExpiry)) + " - time()"
	return owned(string(Ticket), names.FromExceptions,
		"The next active exception of a service and category expires within two weeks.",
		fmt.Sprintf("(%s) < %d\nand\n(%s) > 0", left, int(settings.ExpiringWithin/time.Second), left), names.BoardVariables,
		rulefile.Alert{
			Name: ExceptionExpiring, Answers: packrow.List(packrow.PackExceptions, packrow.TrackExceptions), For: settings.Settle, Hold: settings.Hold,
			Summary:     "An exception of category {{ $labels.category }} for {{ $labels.service_name }} (team {{ $labels.team }}) expires in {{ $value | humanizeDuration }}",
			Description: "After that the SLA clocks that it paused run again. Remediate the findings, or decide on a renewal before it expires.",
			Board:       names.BoardExposure, Panel: names.PanelNextExpiries,
		})
}

func repositoryUnprotected() rulefile.Rule {
	return owned(string(Ticket), names.FromRepositories,
		"Counts only checks that fail: a check that could not be read is unknown and shown on the board, and not attributed to a team.",
		promql.MaxBy(names.OwnerLabels+", repository, scope", promql.OnceHeld(names.ProtectionGap, promql.Is("check", "required"), promql.Is("status", "fail")))+" > 0",
		names.BoardVariables,
		rulefile.Alert{
			Name: RepositoryUnprotected, Answers: packrow.List(packrow.TrackProtection), For: settings.SettlePosture, Hold: settings.Hold,
			Summary: "Privileged repository {{ $labels.repository }} ({{ $labels.service_name }}, team {{ $labels.team }}) lacks required {{ $labels.scope }} protection",
			Description: "Policy requires these protections for every privileged repository; at least one required check fails. " +
				"The board lists the failing checks.",
			Board: names.BoardDeliveryTrust, Panel: names.PanelTrustGaps,
		})
}
