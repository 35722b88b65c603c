package packrow

import (
	"prodsec_exporter/internal/monitoring/names"
)

// Trace says what a row of the pack asks and which families answer it. Rules, panels and alerts follow from the code: a recording rule by the
// families it reads, a panel and an alert by the rows they name.
type Trace struct {
	Row Row
	// Asks is the row in the pack's words, drives the decision it should lead to.
	Asks, Drives string
	Families     []string
}

// Sections are the rows of the pack under the headings of docs/traceability.md.
var Sections = []struct {
	Title  string
	Traces []Trace
}{
	{"Weekly operating metrics", []Trace{
		{PackFlow, "Critical and high findings opened against closed", "Is risk intake being reduced or accumulated?", []string{names.FindingFlow, names.FindingEvents}},
		{PackExceptions, "Exception count and aging", "Where is policy debt becoming structural?", []string{names.Exceptions, names.ExceptionAge, names.ExceptionNextExpiry}},
		{PackReviews, "Reviews waiting for first response", "Is security a delivery bottleneck?", []string{names.ReviewsOpen, names.ReviewWaiting}},
		{PackBlocks, "Release blocks and urgent escalations", "Where does risk collide with delivery?", []string{names.EscalationsOpen, "prodsec_escalations_total"}},
		{PackFollowups, "Incident-related follow-up actions aging", "Do lessons become controls?", []string{names.FollowupsOpen, "prodsec_followup_age_seconds"}},
	}},
	{"Monthly programme metrics", []Trace{
		{PackBaselines, "Crown-jewel and internet-facing services with named owners and required baselines", "Where to focus platform standardisation and management attention", []string{"prodsec_baseline_services", "prodsec_control_services", names.ServiceInfo, names.UnmappedRepositories}},
		{PackAdoption, "AppSec, cloud and Kubernetes control adoption by trust tier", "Which domains depend on heroic reviews instead of paved roads", []string{"prodsec_control_services", "prodsec_control_gap", names.ScanRepositories}},
		{PackAttainment, "High-severity remediation SLA attainment by business unit", "Where accountability or staffing is weak", []string{names.SLAOutcomesWindow, names.SLAOutcomes, names.SLATarget}},
		{PackRepeated, "Repeated exception categories", "Is the standard unrealistic, the platform missing a feature, or ownership weak?", []string{names.ExceptionsGranted, names.GrantedByControl}},
		{PackEvidence, "Privileged pipelines with release evidence, provenance and approval", "How much deployment trust is evidence instead of trust", []string{"prodsec_privileged_pipelines"}},
		{PackRecurring, "Recurring finding categories by product area", "Which secure-default investment gives the best return", []string{"prodsec_category_findings_in_window"}},
	}},
	{"Quarterly leadership pack", []Trace{
		{PackUnprotected, "Control coverage", "Where are we materially under-protected relative to our exposure?", []string{names.AreaRisk, names.AreaControls, "prodsec_risk_score", "prodsec_control_gap", "prodsec_control_services", names.FindingsOpen}},
		{PackConcentrated, "Risk concentration", "Which teams, products or platforms carry most of the residual risk?", []string{"prodsec_risk_concentration_ratio", "prodsec_risk_score", "prodsec_findings_exploited_open"}},
		{PackFriction, "Friction against safety", "Where do we create unnecessary pain, and where are we too permissive?", []string{names.ReviewWaiting, names.DecisionIn, names.EscalationsIn, names.FalsePositives, names.FindingsOpen, names.BypassesIn, names.ChangeFailuresIn}},
		{PackInvestment, "Investment case", "Which investments would remove the most repeat work or exception debt?", []string{"prodsec_control_failures_in_window", "prodsec_category_findings_in_window", names.ExceptionsGranted, names.GrantedByControl}},
		{PackTrend, "Trend quality", "Is security healthier, or did counting change?", []string{names.FindingFlow, names.CountingChanges, names.ScopeSize, "prodsec_restated", names.PolicyInfo, names.PolicyChanged, names.DuplicateFindings, names.CatalogConflicts}},
	}},
	{"Coverage panel", []Trace{
		{TrackGoldenPaths, "Services on approved golden paths", "Which services still need a golden path?", []string{"prodsec_control_services"}},
		{TrackDesign, "Critical services with threat model and design review", "Which critical designs were never reviewed?", []string{"prodsec_control_services", "prodsec_control_evidence_timestamp_seconds"}},
		{TrackBaselines, "Production services with logging, ownership and baseline controls", "Which services run without the basics?", []string{names.BasicsServices, "prodsec_control_services", "prodsec_baseline_services", "prodsec_control_gap"}},
		{TrackProtection, "Privileged repositories and pipelines covered by required protections", "Which deployment paths are unprotected?", []string{names.ProtectedRepositories, names.ProtectionGap, names.PipelineProtection}},
	}},
	{"Exposure panel", []Trace{
		{TrackOpen, "Open critical and high findings by age", "What has been open too long?", []string{names.FindingsOpen, names.FindingAge, names.FindingOldest}},
		{TrackExceptions, "Exception inventory by category and expiry horizon", "What has to be decided before it ends?", []string{names.Exceptions, names.ExceptionNextExpiry}},
		{TrackFailures, "Top recurring control failures", "Which control fails again and again?", []string{"prodsec_control_failures_in_window"}},
		{TrackConcentrated, "Concentration of risk in a small number of teams or services", "Who needs help first?", []string{"prodsec_risk_concentration_ratio", "prodsec_risk_score"}},
	}},
	{"Responsiveness panel", []Trace{
		{TrackResponse, "Time to first response for reviews", "Does security respond in time?", []string{"prodsec_review_first_response_seconds", "prodsec_review_first_response_in_window_seconds"}},
		{TrackAttainment, "Remediation SLA attainment by severity and business unit", "Who remediates in time?", []string{names.SLAOutcomesWindow, names.SLATarget, names.FindingRemediation}},
		{TrackDecision, "Time to exception decision", "How long does a team wait for a decision?", []string{"prodsec_exception_decision_seconds", names.ExceptionPending}},
		{TrackFollowups, "Time to close incident follow-up actions", "How long until follow-up actions are closed?", []string{"prodsec_followup_close_seconds"}},
	}},
	{"Delivery trust panel", []Trace{
		{TrackPaths, "Protected deployment paths for higher-trust services", "Which services have an unprotected deployment path?", []string{"prodsec_deployment_paths", names.BypassesIn, "prodsec_rule_bypasses_total"}},
		{TrackEvidence, "Provenance, attestation and release-evidence coverage", "Which releases have provenance?", []string{"prodsec_release_evidence_in_window"}},
		{TrackRunners, "Runner and cloud identity trust-tier compliance", "Where could a build be taken over?", []string{"prodsec_runners", "prodsec_cloud_identity_repositories", "prodsec_control_services"}},
		{TrackRollback, "Rollback readiness for critical services", "Which critical services have no tested rollback?", []string{names.ControlServices, names.ControlGap, "prodsec_rollback_exercise_timestamp_seconds"}},
	}},
	{"DORA and product security", []Trace{
		{DORAFrequency, "Deployment frequency", "Do faster teams still use approved release controls?", []string{"prodsec_deployments_total", "prodsec_deployments_in_window"}},
		{DORALeadTime, "Lead time for changes", "Are reviews and fixes early, or last-minute blockers?", []string{"prodsec_change_lead_time_seconds"}},
		{DORAFailures, "Change failure rate", "How many failed changes came from avoidable control gaps?", []string{"prodsec_changes_total", "prodsec_change_failures_total"}},
		{DORARestore, "Time to restore service", "Can teams recover from security-impacting releases quickly?", []string{"prodsec_restore_seconds"}},
	}},
}
