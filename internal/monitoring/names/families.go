// Package names holds the names that rules, alerts and boards promise each other and the world, and that therefore never change in passing: families and their labels
// (families.go, the exporter's own in own.go), recorded series and theirs (recorded.go), label groups and values (labels.go), uids of boards and ids of panels that
// alerts and runbooks link to (boards.go). A query can name nothing else: a name that no family and no recorded series has is a panic while generating, and so a
// failing test, never an empty panel.
//
// To let a rule, alert or board read one more family: a constant in families.go. To record one more series: its name and labels in recorded.go, its expression in
// package rules.
package names

import (
	"slices"
	"strings"
	"sync"
)

// The families that rules and boards read. A test checks each against metrics.All() and the exporter's own list.
const (
	ServiceInfo           = "prodsec_service_info"
	ProtectedRepositories = "prodsec_protected_repositories"
	ProtectionGap         = "prodsec_repository_protection_gap"
	UnmappedRepositories  = "prodsec_unmapped_repositories"
	ScanRepositories      = "prodsec_scan_repositories"
	CatalogConflicts      = "prodsec_catalog_conflicts"

	FindingsOpen        = "prodsec_findings_open"
	FindingAge          = "prodsec_finding_age_seconds"
	FindingOldest       = "prodsec_finding_oldest_opened_timestamp_seconds"
	FindingEvents       = "prodsec_finding_events_total"
	FindingFlow         = "prodsec_finding_flow_in_window"
	Exceptions          = "prodsec_exceptions"
	ExceptionAge        = "prodsec_exception_age_seconds"
	ExceptionNextExpiry = "prodsec_exception_next_expiry_timestamp_seconds"
	DuplicateFindings   = "prodsec_duplicate_findings"
	FindingsExploited   = "prodsec_findings_exploited_open"
	RiskScore           = "prodsec_risk_score"
	RiskConcentration   = "prodsec_risk_concentration_ratio"
	CategoryFindings    = "prodsec_category_findings_in_window"
	FalsePositives      = "prodsec_tool_false_positive_in_window"

	SLATarget          = "prodsec_sla_target_seconds"
	SLAOutcomes        = "prodsec_sla_outcomes_total"
	SLAOutcomesWindow  = "prodsec_sla_outcomes_in_window"
	FindingRemediation = "prodsec_finding_remediation_seconds"

	ReviewsOpen       = "prodsec_reviews_open"
	ReviewWaiting     = "prodsec_review_waiting_seconds"
	FirstResponse     = "prodsec_review_first_response_seconds"
	FirstResponseIn   = "prodsec_review_first_response_in_window_seconds"
	ExceptionPending  = "prodsec_exception_pending_seconds"
	ExceptionDecision = "prodsec_exception_decision_seconds"
	ExceptionsGranted = "prodsec_exceptions_granted_in_window"
	FollowupsOpen     = "prodsec_followups_open"
	FollowupAge       = "prodsec_followup_age_seconds"
	FollowupClose     = "prodsec_followup_close_seconds"
	EscalationsOpen   = "prodsec_escalations_open"
	EscalationsIn     = "prodsec_escalations_in_window"
	DecisionIn        = "prodsec_exception_decision_in_window_seconds"
	FollowupCloseIn   = "prodsec_followup_close_in_window_seconds"
	GrantedByControl  = "prodsec_exceptions_granted_by_control_in_window"

	ControlServices     = "prodsec_control_services"
	ControlGap          = "prodsec_control_gap"
	BaselineServices    = "prodsec_baseline_services"
	BasicsServices      = "prodsec_production_basics_services"
	ControlEvidenceTime = "prodsec_control_evidence_timestamp_seconds"
	ControlFailures     = "prodsec_control_failures_in_window"
	AreaControls        = "prodsec_product_area_controls"
	AreaRisk            = "prodsec_product_area_risk_score"

	DeploymentPaths     = "prodsec_deployment_paths"
	DeploymentsIn       = "prodsec_deployments_in_window"
	ReleaseEvidence     = "prodsec_release_evidence_in_window"
	PrivilegedPipelines = "prodsec_privileged_pipelines"
	Runners             = "prodsec_runners"
	CloudIdentities     = "prodsec_cloud_identity_repositories"
	RollbackExercised   = "prodsec_rollback_exercise_timestamp_seconds"
	RuleBypasses        = "prodsec_rule_bypasses_total"
	BypassesIn          = "prodsec_rule_bypasses_in_window"
	ChangesIn           = "prodsec_changes_in_window"
	ChangeFailuresIn    = "prodsec_change_failures_in_window"
	LeadTimeIn          = "prodsec_change_lead_time_in_window_seconds"
	RestoreIn           = "prodsec_restore_in_window_seconds"
	IncidentsIn         = "prodsec_incidents_in_window"
	ReworkIn            = "prodsec_deployment_rework_in_window"
	PipelineProtection  = "prodsec_privileged_pipeline_protection"

	MinimumOutcomes = "prodsec_target_minimum_outcomes"

	TargetRatio     = "prodsec_target_ratio"
	TargetMinimum   = "prodsec_target_minimum_outcomes"
	PolicyInfo      = "prodsec_policy_info"
	PolicyChanged   = "prodsec_policy_changed_timestamp_seconds"
	RestatedBy      = "prodsec_restated"
	CountingChanges = "prodsec_counting_changes_total"
	ScopeSize       = "prodsec_scope_size"

	CollectorUp      = "prodsec_collector_up"
	ScopeLastSuccess = "prodsec_scope_last_success_timestamp_seconds"
	Scopes           = "prodsec_scopes"
	RecordScopes     = "prodsec_record_scopes"
	UnreadScopes     = "prodsec_unread_scopes"
	Records          = "prodsec_records"
	EvaluationTime   = "prodsec_evaluation_timestamp_seconds"
	BuildInfo        = "prodsec_exporter_build_info"

	CollectionDuration = "prodsec_collection_duration_seconds"
	CollectionErrors   = "prodsec_collection_errors_total"
	RecordsRejected    = "prodsec_records_rejected_total"
	ApiRequests        = "prodsec_api_requests_total"
	EvaluationDuration = "prodsec_evaluation_duration_seconds"
	SeriesFolded       = "prodsec_series_folded"
	LedgerBytes        = "prodsec_ledger_bytes"
	ReloadTime         = "prodsec_config_last_reload_success_timestamp_seconds"

	BudgetLimit     = "prodsec_api_budget_limit"
	BudgetRemaining = "prodsec_api_budget_remaining"
	BudgetReset     = "prodsec_api_budget_reset_timestamp_seconds"
	ApiForecast     = "prodsec_api_forecast_requests_per_hour"

	CredentialExpiry = "prodsec_credential_expiry_timestamp_seconds"

	SeriesDropped = "prodsec_series_dropped_total"
	LedgerErrors  = "prodsec_ledger_errors_total"
	Leader        = "prodsec_leader"
	ReloadWorked  = "prodsec_config_last_reload_successful"

	ClockOffset = "prodsec_clock_offset_seconds"
	ClockJumps  = "prodsec_clock_jumps_total"
)

// suffixes are what a histogram's family is read by.
var suffixes = []string{"_bucket", "_count", "_sum"}

// Known are the labels of every family and recording rule by name.
var Known = sync.OnceValue(func() map[string][]string {
	labels := map[string][]string{}
	for _, f := range Families() {
		labels[f.Name] = f.Labels
	}
	for _, g := range Recorded {
		labels[g.Record] = SplitLabels(g.labels)
	}
	return labels
})

// LabelsOf are the labels of a family or recording rule. It panics when there is none of that name: what is generated from it would be empty
// for ever.
func LabelsOf(name string) []string {
	labels, ok := Known()[name]
	if !ok {
		panic("monitoring: no family and no recording rule is called " + name)
	}
	return labels
}

// BaseName is a histogram's family for the name of one of its parts, else the name itself.
func BaseName(name string) string {
	for _, s := range suffixes {
		if base, ok := strings.CutSuffix(name, s); ok {
			if _, isFamily := Known()[base]; isFamily {
				return base
			}
		}
	}
	return name
}

// SplitLabels is the list that JoinLabels wrote.
func SplitLabels(labels string) []string {
	if labels == "" {
		return nil
	}
	return strings.Split(labels, ", ")
}

// JoinLabels writes labels as in "by (a, b)".
func JoinLabels(labels []string) string { return strings.Join(labels, ", ") }

// LabelsWithout is a label list with some labels taken out.
func LabelsWithout(labels string, without ...string) string {
	kept := slices.DeleteFunc(SplitLabels(labels), func(l string) bool { return slices.Contains(without, l) })
	return strings.Join(kept, ", ")
}

// Withheld is the companion of a family: what the family withholds while scopes are dropped, at the value last known. It panics when there is none.
func Withheld(family string) string {
	name := "prodsec_withheld_" + strings.TrimPrefix(family, "prodsec_")
	LabelsOf(BaseName(name))
	return name
}
