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
		foldedRule("Services by whether their path to production is protected, replicas folded.", names.RecPaths, names.DeploymentPaths),
		shareRule("Share of services whose path to production is known to be protected; unknown counts against it.", names.RecPathRatio, names.RecPaths, []string{promql.Is("status", "protected")}),
		foldedRule("Successful deployments of the window by how they passed release control, replicas folded.", names.RecDeployments, names.DeploymentsIn),
		shareRule("Share of production deployments that were approved; what nobody can say counts against it.", names.RecApproved, names.RecDeployments,
			[]string{promql.Is("approval", "approved")}, promql.IsNot("environment", names.OtherEnvironments)),
		foldedRule("Releases and production deployments of the window by the evidence that policy asks of them, replicas folded.", names.RecEvidence, names.ReleaseEvidence),
		shareRule("Share with a kind of evidence; present is not verified, and unknown counts against it.", names.RecEvidenceRatio, names.RecEvidence, []string{promql.Is("status", "present")}),
		foldedRule("Privileged pipelines by evidence, replicas folded.", names.RecPipelines, names.PrivilegedPipelines),
		shareRule("Share of privileged pipelines with a kind of evidence; unknown counts against it.", names.RecPipelineRatio, names.RecPipelines, []string{promql.Is("status", "present")}),
		foldedRule("Self-hosted runners by who may use them, replicas folded.", names.RecRunners, names.Runners),
		foldedRule("Repositories by how their pipelines prove who they are to a cloud, replicas folded.", names.RecIdentities, names.CloudIdentities),
		shareRule("Share of the repositories that speak to a cloud, or may, that need no long-lived key; unknown counts against it.", names.RecIdentityRatio, names.RecIdentities,
			[]string{promql.Is("method", "oidc")}, promql.IsNot("method", "none")),
	}}
}

func doraRecords() rulefile.Group {
	const buckets = "_bucket"
	return rulefile.Group{Name: "prodsec-dora", Rules: []rulefile.Rule{
		foldedRule("Changes to production of the window, replicas folded.", names.RecChanges, names.ChangesIn),
		foldedRule("Changes of the window that failed, by cause, replicas folded.", names.RecFailures, names.ChangeFailuresIn),
		{
			Why:    "Change failure rate: failed changes among all changes. Absent where nothing changed.",
			Record: names.RecFailureRatio,
			Expr:   promql.SumBy(names.RecordedLabels(names.RecFailureRatio), promql.Series(names.RecFailures)) + "\n/\n(" + promql.SumBy(names.RecordedLabels(names.RecFailureRatio), promql.Series(names.RecChanges)) + " > 0)",
		},
		foldedRule("Lead times of the changes that went live in the window, as buckets: a snapshot.", names.RecLead, names.LeadTimeIn+buckets),
		foldedRule("Times to restore of the incidents restored in the window, as buckets: a snapshot.", names.RecRestore, names.RestoreIn+buckets),
		foldedRule("Incidents opened in the window by what they are blamed on, replicas folded.", names.RecIncidents, names.IncidentsIn),
	}}
}
