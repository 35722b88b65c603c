package rules

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
)

// shareRule records the share of a recorded sum that matches, by the labels of the rule; absent where the sum is nothing.
func shareRule(why, record, of string, matches []string, among ...string) rulefile.Rule {
	return rulefile.Rule{
		Why: why, Record: record,
		Expr: promql.SumBy(names.RecordedLabels(record), promql.Series(of, append(matches, among...)...)) + "\n/\n(" + promql.SumBy(names.RecordedLabels(record), promql.Series(of, among...)) + " > 0)",
	}
}

func deliveryRecords() rulefile.Group {
	return rulefile.Group{Name: "prodsec-delivery-trust", Rules: []rulefile.Rule{
		foldedRule("Services by status of their deployment path, replicas merged.", names.RecPaths, names.DeploymentPaths),
		shareRule("Share of services with a protected deployment path; unknown counts against it.", names.RecPathRatio, names.RecPaths, []string{promql.Is("status", "protected")}),
		foldedRule("Successful deployments of the window by release approval, replicas merged.", names.RecDeployments, names.DeploymentsIn),
		shareRule("Share of production deployments that were approved; unknown counts against it.", names.RecApproved, names.RecDeployments,
			[]string{promql.Is("approval", "approved")}, promql.IsNot("environment", names.OtherEnvironments)),
		foldedRule("Releases and production deployments of the window by the evidence that policy requires, replicas merged.", names.RecEvidence, names.ReleaseEvidence),
		shareRule("Share with a kind of evidence; present is not verified, and unknown counts against it.", names.RecEvidenceRatio, names.RecEvidence, []string{promql.Is("status", "present")}),
		foldedRule("Privileged pipelines by evidence, replicas merged.", names.RecPipelines, names.PrivilegedPipelines),
		shareRule("Share of privileged pipelines with a kind of evidence; unknown counts against it.", names.RecPipelineRatio, names.RecPipelines, []string{promql.Is("status", "present")}),
		foldedRule("Privileged pipelines by whether their repository and environments are protected, replicas merged.", names.RecPipelineProtection, names.PipelineProtection),
		foldedRule("Rule bypasses of the window, replicas merged.", names.RecBypasses, names.BypassesIn),
		foldedRule("Self-hosted runners by trust, replicas merged.", names.RecRunners, names.Runners),
		foldedRule("Repositories by how their pipelines authenticate to a cloud, replicas merged.", names.RecIdentities, names.CloudIdentities),
		shareRule("Share of the repositories that deploy to a cloud, or may, without a long-lived key; unknown counts against it.", names.RecIdentityRatio, names.RecIdentities,
			[]string{promql.Is("method", "oidc")}, promql.IsNot("method", "none")),
	}}
}

func doraRecords() rulefile.Group {
	const buckets = "_bucket"
	return rulefile.Group{Name: "prodsec-dora", Rules: []rulefile.Rule{
		foldedRule("Changes to production of the window, replicas merged.", names.RecChanges, names.ChangesIn),
		foldedRule("Changes of the window that failed, by cause, replicas merged.", names.RecFailures, names.ChangeFailuresIn),
		{
			Why: "Change failure rate: failed changes among all changes. Absent where nothing changed, and where no source of incidents was read: without incidents the failures that " +
				"are known are a lower bound.",
			Record: names.RecFailureRatio,
			Expr: promql.SumBy(names.RecordedLabels(names.RecFailureRatio), promql.Series(names.RecFailures)) + "\n/\n(" +
				promql.SumBy(names.RecordedLabels(names.RecFailureRatio), promql.Series(names.RecChanges)) + " > 0)\nand\n" +
				promql.SumBy(names.RecordedLabels(names.RecFailureRatio), promql.Series(names.RecFailures, promql.Is("cause", names.CauseControlGap))),
		},
		foldedRule("Lead times of the changes deployed in the window, as buckets: a snapshot.", names.RecLead, names.LeadTimeIn+buckets),
		foldedRule("Times to restore of the incidents restored in the window, as buckets: a snapshot.", names.RecRestore, names.RestoreIn+buckets),
		foldedRule("Production deployments of the window by whether a failure in production made them necessary, replicas merged.", names.RecRework, names.ReworkIn),
		foldedRule("Incidents opened in the window by attribution, replicas merged.", names.RecIncidents, names.IncidentsIn),
	}}
}
