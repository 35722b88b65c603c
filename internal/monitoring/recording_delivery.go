package monitoring

// The recording rules about how software reaches production.
const (
	recPaths         = "group:prodsec_deployment_paths:sum"
	recPathRatio     = "trust_tier:prodsec_deployment_paths:protected_ratio"
	recDeployments   = "group:prodsec_deployments_in_window:sum"
	recApproved      = "business_unit:prodsec_deployments_in_window:approved_ratio"
	recEvidence      = "group:prodsec_release_evidence_in_window:sum"
	recEvidenceRatio = "programme:prodsec_release_evidence_in_window:present_ratio"
	recPipelines     = "group:prodsec_privileged_pipelines:sum"
	recPipelineRatio = "programme:prodsec_privileged_pipelines:present_ratio"
	recRunners       = "programme:prodsec_runners:sum"
	recIdentities    = "group:prodsec_cloud_identity_repositories:sum"
	recIdentityRatio = "programme:prodsec_cloud_identity_repositories:keyless_ratio"

	recChanges      = "group:prodsec_changes_in_window:sum"
	recFailures     = "group:prodsec_change_failures_in_window:sum"
	recFailureRatio = "business_unit:prodsec_change_failures_in_window:ratio"
	recLead         = "business_unit:prodsec_change_lead_time_in_window_seconds_bucket:sum"
	recRestore      = "business_unit:prodsec_restore_in_window_seconds_bucket:sum"
	recIncidents    = "group:prodsec_incidents_in_window:sum"
)

// deliveryShapes are the labels of the rules about delivery.
var deliveryShapes = []recordingShape{
	{recPaths, groupLabels + ", environment, status"},
	{recPathRatio, "trust_tier"},
	{recDeployments, "window, " + groupLabels + ", environment, approval"},
	{recApproved, "window, business_unit"},
	{recEvidence, "window, " + groupLabels + ", evidence, status"},
	{recEvidenceRatio, "window, evidence"},
	{recPipelines, groupLabels + ", evidence, status"},
	{recPipelineRatio, "evidence"},
	{recRunners, "scope, trust, ephemeral"},
	{recIdentities, groupLabels + ", method"},
	{recIdentityRatio, ""},
	{recChanges, "window, " + groupLabels},
	{recFailures, "window, " + groupLabels + ", cause"},
	{recFailureRatio, "window, business_unit"},
	{recLead, "window, business_unit, security_review, le"},
	{recRestore, "window, business_unit, security_impact, le"},
	{recIncidents, "window, " + groupLabels + ", attribution"},
}

// otherEnvironments is the value of the label environment of every environment that is not production.
const otherEnvironments = "other"

// shareRule records the share of a recorded sum that matches, by the labels of the rule; absent where the sum is nothing.
func shareRule(why, record, of string, matches []string, among ...string) Rule {
	return Rule{
		Why: why, Record: record,
		Expr: sumBy(shape(record), series(of, append(matches, among...)...)) + "\n/\n(" + sumBy(shape(record), series(of, among...)) + " > 0)",
	}
}

func deliveryRecords() Group {
	return Group{Name: "prodsec-delivery-trust", Rules: []Rule{
		foldedRule("Services by whether their path to production is protected, replicas folded.", recPaths, deploymentPaths),
		shareRule("Share of services whose path to production is known to be protected; unknown counts against it.", recPathRatio, recPaths, []string{is("status", "protected")}),
		foldedRule("Successful deployments of the window by how they passed release control, replicas folded.", recDeployments, deploymentsIn),
		shareRule("Share of production deployments that were approved; what nobody can say counts against it.", recApproved, recDeployments,
			[]string{is("approval", "approved")}, isNot("environment", otherEnvironments)),
		foldedRule("Releases and production deployments of the window by the evidence that policy asks of them, replicas folded.", recEvidence, releaseEvidence),
		shareRule("Share with a kind of evidence; present is not verified, and unknown counts against it.", recEvidenceRatio, recEvidence, []string{is("status", "present")}),
		foldedRule("Privileged pipelines by evidence, replicas folded.", recPipelines, privilegedPipelines),
		shareRule("Share of privileged pipelines with a kind of evidence; unknown counts against it.", recPipelineRatio, recPipelines, []string{is("status", "present")}),
		foldedRule("Self-hosted runners by who may use them, replicas folded.", recRunners, runners),
		foldedRule("Repositories by how their pipelines prove who they are to a cloud, replicas folded.", recIdentities, cloudIdentities),
		shareRule("Share of the repositories that speak to a cloud, or may, that need no long-lived key; unknown counts against it.", recIdentityRatio, recIdentities,
			[]string{is("method", "oidc")}, isNot("method", "none")),
	}}
}

func doraRecords() Group {
	const buckets = "_bucket"
	return Group{Name: "prodsec-dora", Rules: []Rule{
		foldedRule("Changes to production of the window, replicas folded.", recChanges, changesIn),
		foldedRule("Changes of the window that failed, by cause, replicas folded.", recFailures, changeFailuresIn),
		{
			Why:    "Change failure rate: failed changes among all changes. Absent where nothing changed.",
			Record: recFailureRatio,
			Expr:   sumBy(shape(recFailureRatio), series(recFailures)) + "\n/\n(" + sumBy(shape(recFailureRatio), series(recChanges)) + " > 0)",
		},
		foldedRule("Lead times of the changes that went live in the window, as buckets: a snapshot.", recLead, leadTimeIn+buckets),
		foldedRule("Times to restore of the incidents restored in the window, as buckets: a snapshot.", recRestore, restoreIn+buckets),
		foldedRule("Incidents opened in the window by what they are blamed on, replicas folded.", recIncidents, incidentsIn),
	}}
}
