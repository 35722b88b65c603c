package monitoring

import (
	"strings"
	"sync"
)

// The families that rules and boards read. A test checks each against metrics.All() and the exporter's own list.
const (
	serviceInfo           = "prodsec_service_info"
	protectedRepositories = "prodsec_protected_repositories"
	protectionGap         = "prodsec_repository_protection_gap"
	unmappedRepositories  = "prodsec_unmapped_repositories"
	scanRepositories      = "prodsec_scan_repositories"
	catalogConflicts      = "prodsec_catalog_conflicts"

	findingsOpen        = "prodsec_findings_open"
	findingAge          = "prodsec_finding_age_seconds"
	findingOldest       = "prodsec_finding_oldest_opened_timestamp_seconds"
	findingEvents       = "prodsec_finding_events_total"
	findingFlow         = "prodsec_finding_flow_in_window"
	exceptions          = "prodsec_exceptions"
	exceptionAge        = "prodsec_exception_age_seconds"
	exceptionNextExpiry = "prodsec_exception_next_expiry_timestamp_seconds"
	duplicateFindings   = "prodsec_duplicate_findings"
	findingsExploited   = "prodsec_findings_exploited_open"
	riskScore           = "prodsec_risk_score"
	riskConcentration   = "prodsec_risk_concentration_ratio"
	categoryFindings    = "prodsec_category_findings_in_window"
	falsePositives      = "prodsec_tool_false_positive_in_window"

	slaTarget          = "prodsec_sla_target_seconds"
	slaOutcomes        = "prodsec_sla_outcomes_total"
	slaOutcomesWindow  = "prodsec_sla_outcomes_in_window"
	findingRemediation = "prodsec_finding_remediation_seconds"

	reviewsOpen       = "prodsec_reviews_open"
	reviewWaiting     = "prodsec_review_waiting_seconds"
	firstResponse     = "prodsec_review_first_response_seconds"
	firstResponseIn   = "prodsec_review_first_response_in_window_seconds"
	exceptionPending  = "prodsec_exception_pending_seconds"
	exceptionDecision = "prodsec_exception_decision_seconds"
	exceptionsGranted = "prodsec_exceptions_granted_in_window"
	followupsOpen     = "prodsec_followups_open"
	followupAge       = "prodsec_followup_age_seconds"
	followupClose     = "prodsec_followup_close_seconds"
	escalationsOpen   = "prodsec_escalations_open"
	escalationsTotal  = "prodsec_escalations_total"

	controlServices     = "prodsec_control_services"
	controlGap          = "prodsec_control_gap"
	baselineServices    = "prodsec_baseline_services"
	controlEvidenceTime = "prodsec_control_evidence_timestamp_seconds"
	controlFailures     = "prodsec_control_failures_in_window"

	deploymentPaths     = "prodsec_deployment_paths"
	deploymentsTotal    = "prodsec_deployments_total"
	deploymentsIn       = "prodsec_deployments_in_window"
	releaseEvidence     = "prodsec_release_evidence_in_window"
	privilegedPipelines = "prodsec_privileged_pipelines"
	runners             = "prodsec_runners"
	cloudIdentities     = "prodsec_cloud_identity_repositories"
	rollbackExercised   = "prodsec_rollback_exercise_timestamp_seconds"
	ruleBypasses        = "prodsec_rule_bypasses_total"
	changesIn           = "prodsec_changes_in_window"
	changeFailuresIn    = "prodsec_change_failures_in_window"
	leadTimeIn          = "prodsec_change_lead_time_in_window_seconds"
	restoreIn           = "prodsec_restore_in_window_seconds"
	incidentsIn         = "prodsec_incidents_in_window"

	policyInfo      = "prodsec_policy_info"
	policyChanged   = "prodsec_policy_changed_timestamp_seconds"
	restatedBy      = "prodsec_restated"
	countingChanges = "prodsec_counting_changes_total"
	scopeSize       = "prodsec_scope_size"

	collectorUp      = "prodsec_collector_up"
	scopeLastSuccess = "prodsec_scope_last_success_timestamp_seconds"
	scopes           = "prodsec_scopes"
	records          = "prodsec_records"
	evaluationTime   = "prodsec_evaluation_timestamp_seconds"
	buildInfo        = "prodsec_exporter_build_info"

	collectionDuration = "prodsec_collection_duration_seconds"
	collectionErrors   = "prodsec_collection_errors_total"
	recordsRejected    = "prodsec_records_rejected_total"
	apiRequests        = "prodsec_api_requests_total"
	evaluationDuration = "prodsec_evaluation_duration_seconds"
	seriesFolded       = "prodsec_series_folded"
	ledgerBytes        = "prodsec_ledger_bytes"
	reloadTime         = "prodsec_config_last_reload_success_timestamp_seconds"

	budgetLimit     = "prodsec_api_budget_limit"
	budgetRemaining = "prodsec_api_budget_remaining"
	budgetReset     = "prodsec_api_budget_reset_timestamp_seconds"
	apiForecast     = "prodsec_api_forecast_requests_per_hour"
	seriesDropped   = "prodsec_series_dropped_total"
	ledgerErrors    = "prodsec_ledger_errors_total"
	leader          = "prodsec_leader"
	reloadWorked    = "prodsec_config_last_reload_successful"
)

// suffixes are what a histogram's family is read by.
var suffixes = []string{"_bucket", "_count", "_sum"}

// known are the labels of every family and recording rule by name.
var known = sync.OnceValue(func() map[string][]string {
	labels := map[string][]string{}
	for _, f := range families() {
		labels[f.Name] = f.Labels
	}
	for _, g := range recordingShapes {
		labels[g.record] = splitLabels(g.labels)
	}
	return labels
})

// labelsOf are the labels of a family or recording rule. It panics when there is none of that name: what is generated from it would be empty
// for ever.
func labelsOf(name string) []string {
	labels, ok := known()[name]
	if !ok {
		panic("monitoring: no family and no recording rule is called " + name)
	}
	return labels
}

// baseName is a histogram's family for the name of one of its parts, else the name itself.
func baseName(name string) string {
	for _, s := range suffixes {
		if base, ok := strings.CutSuffix(name, s); ok {
			if _, isFamily := known()[base]; isFamily {
				return base
			}
		}
	}
	return name
}

func splitLabels(labels string) []string {
	if labels == "" {
		return nil
	}
	return strings.Split(labels, ", ")
}

func joinLabels(labels []string) string { return strings.Join(labels, ", ") }
