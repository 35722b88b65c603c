package monitoring

import (
	"fmt"
	"time"
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
	AlertSLABreached           = "ProdsecSLABreached"
	AlertSLADueSoon            = "ProdsecSLADueSoon"
	AlertExceptionExpired      = "ProdsecExceptionExpired"
	AlertExceptionExpiring     = "ProdsecExceptionExpiring"
	AlertRepositoryUnprotected = "ProdsecPrivilegedRepositoryUnprotected"
	AlertScopeStale            = "ProdsecScopeStale"
	AlertCollectorDown         = "ProdsecCollectorDown"
	AlertExporterDown          = "ProdsecExporterDown"
	AlertAttainmentLow         = "ProdsecSLAAttainmentLow"
	AlertBudgetBurning         = "ProdsecSLABudgetBurning"
	AlertExceptionPending      = "ProdsecExceptionPending"
	AlertReviewWaiting         = "ProdsecReviewWaiting"
	AlertFollowupOverdue       = "ProdsecFollowupOverdue"
	AlertReleaseBlocked        = "ProdsecReleaseBlocked"
	AlertCountingChanged       = "ProdsecCountingChanged"
	AlertBudgetLow             = "ProdsecAPIBudgetLow"
	AlertLedgerErrors          = "ProdsecLedgerErrors"
	AlertReloadFailed          = "ProdsecConfigReloadFailed"
	AlertNoLeader              = "ProdsecNoLeader"
	AlertTwoLeaders            = "ProdsecTwoLeaders"
	AlertEvaluationStale       = "ProdsecEvaluationStale"
	AlertSeriesDropped         = "ProdsecSeriesDropped"
	AlertPathUnprotected       = "ProdsecProductionPathUnprotected"
	AlertControlLost           = "ProdsecCrownJewelControlLost"
	AlertSecretActive          = "ProdsecActiveSecretOpen"
	AlertExploitedExposed      = "ProdsecKnownExploitedExposed"
)

// The values of the label derived_from: the facts an alert rests on. Alertmanager mutes it while a collector that delivers them is down, because then
// it would fire, or resolve, on what nobody knows.
const (
	fromFindings     = "findings"
	fromExceptions   = "exceptions"
	fromRepositories = "repositories"
	fromControls     = "controls"
	fromRequests     = "requests" // reviews, follow-up actions and escalations
)

// Alert is what an alerting rule has beyond its expression.
type Alert struct {
	Name string
	// For is how long the expression must hold; Hold keeps the alert firing that long after it held last.
	For, Hold time.Duration
	// Summary names what and where in one line; Description says what it means and what to do. Both are Prometheus templates.
	Summary, Description string
	// Board and Panel are where to look.
	Board BoardUID
	Panel uint32
	// Select are the alert's labels that select on the board.
	Select []string
	// Answers are the rows of the pack that the alert guards.
	Answers []PackRow
}

// AlertGroups are the alerting rules.
func AlertGroups() []Group {
	return []Group{
		{Name: "prodsec-responsiveness-alerts", Rules: []Rule{
			slaBreached(), slaDueSoon(), attainmentLow(), budgetBurning(), exceptionPendingLong(), reviewWaitingLong(), followupOverdue(), releaseBlocked(),
		}},
		{Name: "prodsec-exposure-alerts", Rules: []Rule{exceptionExpired(), exceptionExpiring(), secretActive(), exploitedExposed()}},
		{Name: "prodsec-coverage-alerts", Rules: []Rule{repositoryUnprotected(), controlLost()}},
		{Name: "prodsec-delivery-trust-alerts", Rules: []Rule{pathUnprotected()}},
		{Name: "prodsec-exporter-alerts", Rules: []Rule{
			scopeStaleAlert(), collectorDown(), exporterDownAlert(), budgetLow(), ledgerFailing(), reloadFailed(), noLeader(), twoLeaders(), evaluationStale(),
			seriesLeftOut(),
		}},
		{Name: "prodsec-trend-quality-alerts", Rules: []Rule{countingChanged()}},
	}
}

// bySeverity chooses how to notify for a critical and for anything else.
func bySeverity(critical, other Notify) string {
	return fmt.Sprintf(`{{ if eq $labels.severity "critical" }}%s{{ else }}%s{{ end }}`, critical, other)
}

// oldest is a template that says since when a service's oldest open finding of the alert's severity is known.
func oldest() string {
	return `{{ with printf "min(` + findingOldest + `{service_name=%q, severity=%q})" $labels.service_name $labels.severity | query }}` +
		`The oldest open one was first seen at {{ . | first | value | humanizeTimestamp }}. {{ end }}`
}

func slaBreached() Rule {
	return Rule{
		Why:    "Critical pages, high makes a ticket: the same alert, so that a change of severity does not make a second one.",
		Expr:   sumBy(ownerLabels+", severity", series(recServiceOpen, is("sla", "breached"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Page, Ticket), "derived_from": fromFindings},
		Alert: &Alert{
			Name: AlertSLABreached, Answers: answers(PackAttainment, TrackAttainment), For: settle, Hold: hold,
			Summary: "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are past their deadline",
			Description: oldest() + "Remediate them or have an exception approved; a dismissal does not stop the clock. " +
				"Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board: BoardResponsiveness, Panel: panelBreachedTable, Select: boardVariables,
		},
	}
}

func slaDueSoon() Rule {
	return Rule{
		Why:    "In the last part of its time (policy: due_soon_ratio). A breach of the same service and severity mutes it.",
		Expr:   sumBy(ownerLabels+", severity", series(recServiceOpen, is("sla", "due_soon"))) + " > 0",
		Labels: map[string]string{"notify": bySeverity(Ticket, Info), "derived_from": fromFindings},
		Alert: &Alert{
			Name: AlertSLADueSoon, Answers: answers(TrackAttainment), For: settle, Hold: hold,
			Summary:     "{{ $value | humanize }} {{ $labels.severity }} finding(s) in {{ $labels.service_name }} (team {{ $labels.team }}) are due soon",
			Description: oldest() + "They are in the last quarter of their SLA time. Plan the fix now, or ask for an exception before the deadline.",
			Board:       BoardResponsiveness, Panel: panelDueSoonTable, Select: boardVariables,
		},
	}
}

func exceptionExpired() Rule {
	return Rule{
		Why:    "Expired and still open in its source: the clocks it stopped run again.",
		Expr:   sumBy(groupLabels+", category", series(recExceptions, is("state", "expired"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromExceptions},
		Alert: &Alert{
			Name: AlertExceptionExpired, Answers: answers(PackExceptions, TrackExceptions), For: settle, Hold: hold,
			Summary:     "{{ $value | humanize }} exception(s) of category {{ $labels.category }} of team {{ $labels.team }} have expired and are still open",
			Description: "What they covered counts against its SLA again. Fix it, renew the exception with a reason, or close it.",
			Board:       BoardExposure, Panel: panelExceptionHorizon, Select: boardVariables,
		},
	}
}

func exceptionExpiring() Rule {
	left := minBy(ownerLabels+", category", one(exceptionNextExpiry)) + " - time()"
	return Rule{
		Why:    "The soonest active exception of a service and category ends within two weeks.",
		Expr:   fmt.Sprintf("(%s) < %d\nand\n(%s) > 0", left, int(expiringWithin/time.Second), left),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromExceptions},
		Alert: &Alert{
			Name: AlertExceptionExpiring, Answers: answers(PackExceptions, TrackExceptions), For: settle, Hold: hold,
			Summary:     "An exception of category {{ $labels.category }} for {{ $labels.service_name }} (team {{ $labels.team }}) expires in {{ $value | humanizeDuration }}",
			Description: "After that the SLA clocks it stopped run again. Fix what it covers, or decide on a renewal before it ends.",
			Board:       BoardExposure, Panel: panelNextExpiries, Select: boardVariables,
		},
	}
}

func repositoryUnprotected() Rule {
	gap := one(protectionGap, is("check", "required"), is("status", "fail"))
	return Rule{
		Why:    "Only what is known to be unprotected: a check that could not be read is unknown and shown on the board, not laid at a team's door.",
		Expr:   maxBy(ownerLabels+", repository, scope", gap) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromRepositories},
		Alert: &Alert{
			Name: AlertRepositoryUnprotected, Answers: answers(TrackProtection), For: settlePosture, Hold: hold,
			Summary: "Privileged repository {{ $labels.repository }} ({{ $labels.service_name }}, team {{ $labels.team }}) lacks required {{ $labels.scope }} protection",
			Description: "Policy requires protection of every privileged repository; one of the required checks is known to fail. " +
				"The board lists which.",
			Board: BoardDeliveryTrust, Panel: panelTrustGaps, Select: boardVariables,
		},
	}
}

func scopeStaleAlert() Rule {
	return Rule{
		Why: "A scope is the smallest thing that is read whole or not at all. stale: last good facts are still shown; dropped: they are so old " +
			"that they are withheld; never: it was never read.",
		Expr:   sumBy(by(joinLabels(labelsOf(scopes)), "status")+", status", one(scopes, in("status", "stale", "dropped", "never"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &Alert{
			Name: AlertScopeStale, For: scopeStale, Hold: settle,
			Summary:     "{{ $value | humanize }} scope(s) of collector {{ $labels.collector }} are {{ $labels.status }}",
			Description: "Numbers that rest on them are old or missing and count as unknown. The exporter's log and its landing page name the scopes and the error.",
			Board:       BoardExporter, Panel: panelScopes,
		},
	}
}

func collectorDown() Rule {
	labels := joinLabels(labelsOf(collectorUp))
	return Rule{
		Why:    "The last pass of a collector failed altogether. It mutes the alerts derived from what it delivers, so that an API's outage pages nobody.",
		Expr:   maxBy(labels, one(collectorUp)) + " == 0",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &Alert{
			Name: AlertCollectorDown, For: sourceDown, Hold: settle,
			Summary:     "Collector {{ $labels.collector }} ({{ $labels.instance_name }}) cannot read its source",
			Description: "Its last good facts stay until they are too old, then they are withheld. Check credential, network and the source's status; the exporter's log has the error.",
			Board:       BoardExporter, Panel: panelCollectors,
		},
	}
}

func exporterDownAlert() Rule {
	return Rule{
		Why:    "Nothing is exposed at all: every other alert of this file is blind. It mutes them, so that none resolves or fires for that reason.",
		Expr:   "absent(" + series(buildInfo) + ")",
		Labels: map[string]string{"notify": string(Ticket)},
		Alert: &Alert{
			Name: AlertExporterDown, For: exporterDown, Hold: settle,
			Summary:     "No prodsec_exporter is being scraped",
			Description: "No replica answers Prometheus, so nothing is known about the programme since. No record is lost: the ledger continues where it stopped.",
			Board:       BoardExporter, Panel: panelCollectors,
		},
	}
}
