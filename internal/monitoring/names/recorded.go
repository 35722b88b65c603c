package names

// The recording rules, named level:metric:operations. The level names what a series is about: service, group (business unit, team, trust
// tier), team, business_unit, or programme for the whole. They fold replicas, drop labels that boards do not need, and are the only
// place where ratios and joins are made.
const (
	RecOpen          = "group:prodsec_findings_open:sum"
	RecOpenExposure  = "exposure:prodsec_findings_open:sum"
	RecAges          = "team:prodsec_finding_age_seconds:range"
	RecFlow          = "group:prodsec_finding_flow_in_window:signed"
	RecServiceOpen   = "service:prodsec_findings_open:sum"
	RecServiceHeld   = "service:prodsec_findings_open:held"
	RecExceptions    = "group:prodsec_exceptions:sum"
	RecExploited     = "service:prodsec_findings_exploited_open:exposure"
	RecExploitedHeld = "service:prodsec_findings_exploited_open:held"
	RecRisk          = "service:prodsec_risk_score:exposure"
	RecCategories    = "product_area:prodsec_category_findings_in_window:sum"
	RecWrong         = "source:prodsec_tool_false_positive_in_window:sum"
	RecWrongRatio    = "source:prodsec_tool_false_positive_in_window:ratio"

	RecOutcomes           = "group:prodsec_sla_outcomes_in_window:sum"
	RecUnitAttainment     = "business_unit:prodsec_sla_attainment:ratio"
	RecProgrammeAttained  = "programme:prodsec_sla_attainment:ratio"
	RecRemediationBuckets = "team:prodsec_finding_remediation_seconds_bucket:sum"

	RecProtected      = "group:prodsec_protected_repositories:sum"
	RecProtectedRatio = "programme:prodsec_protected_repositories:pass_ratio"
	RecMappedRatio    = "programme:prodsec_unmapped_repositories:mapped_ratio"
	RecScans          = "group:prodsec_scan_repositories:sum"
	RecScanRatio      = "programme:prodsec_scan_repositories:current_ratio"

	RecGranted         = "group:prodsec_exceptions_granted_in_window:sum"
	RecGrantedControl  = "business_unit:prodsec_exceptions_granted_by_control_in_window:sum"
	RecExceptionAge    = "business_unit:prodsec_exception_age_seconds_bucket:sum"
	RecPending         = "business_unit:prodsec_exception_pending_seconds_bucket:sum"
	RecDecision        = "business_unit:prodsec_exception_decision_seconds_bucket:sum"
	RecReviews         = "group:prodsec_reviews_open:sum"
	RecReviewWaiting   = "business_unit:prodsec_review_waiting_seconds_bucket:sum"
	RecFirstResponse   = "programme:prodsec_review_first_response_in_window_seconds_bucket:sum"
	RecFollowups       = "group:prodsec_followups_open:sum"
	RecFollowupAge     = "business_unit:prodsec_followup_age_seconds_bucket:sum"
	RecFollowupClose   = "business_unit:prodsec_followup_close_seconds_bucket:sum"
	RecEscalations     = "group:prodsec_escalations_open:sum"
	RecEscalationsIn   = "group:prodsec_escalations_in_window:sum"
	RecDecisionIn      = "business_unit:prodsec_exception_decision_in_window_seconds_bucket:sum"
	RecFollowupCloseIn = "business_unit:prodsec_followup_close_in_window_seconds_bucket:sum"
	RecOutcomeTotals   = "business_unit:prodsec_sla_outcomes_total:sum"
	RecOutcomeIncrease = "business_unit:prodsec_sla_outcomes:increase"
	RecBurn            = "business_unit:prodsec_sla_outcomes:burn_ratio"

	RecBudgetLeft = "collector:prodsec_api_budget_remaining:ratio"
)

// The recording rules about controls.
const (
	RecControls        = "group:prodsec_control_services:sum"
	RecControlRatio    = "trust_tier:prodsec_control_services:pass_ratio"
	RecBaselines       = "group:prodsec_baseline_services:sum"
	RecBasics          = "group:prodsec_production_basics_services:sum"
	RecBaselineRatio   = "programme:prodsec_baseline_services:pass_ratio"
	RecControlFailures = "control:prodsec_control_failures_in_window:sum"
	RecMissing         = "business_unit:prodsec_control_services:missing_ratio"
	RecUnderProtected  = "business_unit:prodsec_risk_score:under_protected"
	RecAreaMissing     = "product_area:prodsec_product_area_controls:missing_ratio"
	RecAreaUnder       = "product_area:prodsec_product_area_risk_score:under_protected"
)

// The recording rules about how software reaches production.
const (
	RecPaths         = "group:prodsec_deployment_paths:sum"
	RecPathRatio     = "trust_tier:prodsec_deployment_paths:protected_ratio"
	RecDeployments   = "group:prodsec_deployments_in_window:sum"
	RecApproved      = "business_unit:prodsec_deployments_in_window:approved_ratio"
	RecEvidence      = "group:prodsec_release_evidence_in_window:sum"
	RecEvidenceRatio = "programme:prodsec_release_evidence_in_window:present_ratio"
	RecPipelines     = "group:prodsec_privileged_pipelines:sum"
	RecPipelineRatio = "programme:prodsec_privileged_pipelines:present_ratio"
	RecRunners       = "programme:prodsec_runners:sum"
	RecIdentities    = "group:prodsec_cloud_identity_repositories:sum"
	RecIdentityRatio = "programme:prodsec_cloud_identity_repositories:keyless_ratio"

	RecChanges            = "group:prodsec_changes_in_window:sum"
	RecFailures           = "group:prodsec_change_failures_in_window:sum"
	RecFailureRatio       = "business_unit:prodsec_change_failures_in_window:ratio"
	RecLead               = "business_unit:prodsec_change_lead_time_in_window_seconds_bucket:sum"
	RecRestore            = "business_unit:prodsec_restore_in_window_seconds_bucket:sum"
	RecIncidents          = "group:prodsec_incidents_in_window:sum"
	RecRework             = "group:prodsec_deployment_rework_in_window:sum"
	RecBypasses           = "group:prodsec_rule_bypasses_in_window:sum"
	RecPipelineProtection = "group:prodsec_privileged_pipeline_protection:sum"
)

// RecordedSeries is a recorded series and its labels.
type RecordedSeries struct{ Record, labels string }

// Recorded are the labels of each recorded series; queries and board variables rely on them, and a test compares them with the
// rules.
var Recorded = []RecordedSeries{
	{RecOpen, GroupLabels + ", severity, sla"},
	{RecOpenExposure, GroupLabels + ", severity, sla, crown_jewel, internet_facing"},
	{RecAges, "business_unit, team, severity, age"},
	{RecFlow, "window, " + GroupLabels + ", severity, event"},
	{RecServiceOpen, OwnerLabels + ", severity, sla"},
	{RecServiceHeld, OwnerLabels + ", severity, sla"},
	{RecExceptions, GroupLabels + ", category, state, expires"},
	{RecExploited, OwnerLabels + ", severity, evidence, crown_jewel, internet_facing"},
	{RecExploitedHeld, OwnerLabels + ", severity, evidence, crown_jewel, internet_facing"},
	{RecRisk, OwnerLabels + ", crown_jewel, internet_facing"},
	{RecCategories, "window, product_area, category, kind"},
	{RecWrong, "window, class, source, status"},
	{RecWrongRatio, "window, class, source"},
	{RecOutcomes, "window, " + GroupLabels + ", severity, outcome"},
	{RecUnitAttainment, "window, business_unit, severity"},
	{RecProgrammeAttained, "window, severity"},
	{RecRemediationBuckets, "business_unit, team, severity, le"},
	{RecProtected, "check, scope, privileged, " + GroupLabels + ", status"},
	{RecProtectedRatio, "check, scope, privileged"},
	{RecMappedRatio, ""},
	{RecScans, "class, " + GroupLabels + ", status"},
	{RecScanRatio, "class"},
	{RecGranted, "window, " + GroupLabels + ", category, kind"},
	{RecGrantedControl, "window, business_unit, control, kind"},
	{RecExceptionAge, "business_unit, category, le"},
	{RecPending, "business_unit, category, le"},
	{RecDecision, "business_unit, category, decision, le"},
	{RecReviews, GroupLabels + ", kind, state"},
	{RecReviewWaiting, "business_unit, kind, le"},
	{RecFirstResponse, "window, kind, le"},
	{RecFollowups, GroupLabels + ", overdue"},
	{RecFollowupAge, "business_unit, le"},
	{RecFollowupClose, "business_unit, le"},
	{RecEscalations, GroupLabels + ", kind"},
	{RecEscalationsIn, "window, " + GroupLabels + ", kind, reason"},
	{RecDecisionIn, "window, business_unit, decision, le"},
	{RecFollowupCloseIn, "window, business_unit, le"},
	{RecOutcomeTotals, "business_unit, outcome"},
	{RecOutcomeIncrease, "window, business_unit, outcome"},
	{RecBurn, "window, business_unit"},
	{RecBudgetLeft, "collector, instance_name, resource"},
	{RecPaths, GroupLabels + ", environment, status"},
	{RecPathRatio, "trust_tier"},
	{RecDeployments, "window, " + GroupLabels + ", environment, approval"},
	{RecApproved, "window, business_unit"},
	{RecEvidence, "window, " + GroupLabels + ", evidence, status"},
	{RecEvidenceRatio, "window, evidence"},
	{RecPipelines, GroupLabels + ", evidence, status"},
	{RecPipelineRatio, "evidence"},
	{RecRunners, "scope, trust, ephemeral"},
	{RecIdentities, GroupLabels + ", method"},
	{RecIdentityRatio, ""},
	{RecChanges, "window, " + GroupLabels},
	{RecFailures, "window, " + GroupLabels + ", cause"},
	{RecFailureRatio, "window, business_unit"},
	{RecLead, "window, business_unit, security_review, le"},
	{RecRestore, "window, business_unit, security_impact, le"},
	{RecIncidents, "window, " + GroupLabels + ", attribution"},
	{RecRework, "window, " + GroupLabels + ", rework"},
	{RecBypasses, "window, " + GroupLabels},
	{RecPipelineProtection, GroupLabels + ", check, status"},
	{RecControls, "control, domain, " + GroupLabels + ", crown_jewel, internet_facing, status"},
	{RecControlRatio, "control, domain, trust_tier"},
	{RecBaselines, GroupLabels + ", crown_jewel, internet_facing, status"},
	{RecBasics, GroupLabels + ", status"},
	{RecBaselineRatio, "crown_jewel, internet_facing"},
	{RecControlFailures, "window, control, source"},
	{RecMissing, "business_unit"},
	{RecUnderProtected, "business_unit"},
	{RecAreaMissing, "product_area"},
	{RecAreaUnder, "product_area"},
}

// RecordedLabels are the labels of a recording rule as a list for "by".
func RecordedLabels(record string) string {
	for _, s := range Recorded {
		if s.Record == record {
			return s.labels
		}
	}
	panic("monitoring: no recording rule is called " + record)
}
