package metrics

// deliveryTrust lists the families of the board "Delivery trust": can we trust how software is built and released?
var deliveryTrust = []*Family{
	{
		Name: "prodsec_deployment_paths",
		Help: "Services by whether their path to a production environment is protected: the environment passes the checks that policy requires, so do the " +
			"branches of the repository, and the last deployments (policy.delivery.path_deployments) were approved and came from a protected branch. " +
			"One part that fails makes it unprotected, else one that could not be read makes it unknown; environment is unknown where environments could not be read. Services without a production environment are not counted.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string(nil), groupLabels...), "environment", "status"),
		Unbound: []string{"environment"},
		Source:  "Repository.Environments, Repository.Branches, Deployment.Approval, Deployment.FromProtectedBranch",
		Refresh: refreshDeliveries,
		Example: `sum by (business_unit, status) (prodsec_deployment_paths{trust_tier="tier0"})`,
		Collect: deploymentPaths,
	},
	{
		Name: "prodsec_deployments_total",
		Help: "Successful deployments, rollbacks included, by how they passed release control. Production environments are named in lower " +
			"case; all others are environment=\"other\".",
		Type: Counter, Stability: Stable,
		Labels:  append(owner(), "environment", "approval"),
		Unbound: []string{"environment"},
		Source:  "Deployment.Status, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (business_unit, approval) (rate(prodsec_deployments_total{environment!="other"}[30d]))`,
		Collect: deployments,
	},
	{
		Name: "prodsec_deployments_in_window",
		Help: "Successful deployments that ended in the trailing window, by how they passed release control.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string{"window"}, groupLabels...), "environment", "approval"),
		Unbound: []string{"environment"},
		Source:  "Deployment.Status, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (approval) (prodsec_deployments_in_window{window="30d", environment!="other"})`,
		Collect: deploymentsInWindow,
	},
	{
		Name: "prodsec_release_evidence_in_window",
		Help: "Releases and successful production deployments of the trailing window by the evidence that policy asks of them " +
			"(policy.delivery.evidence). Present is not verified; unknown is what nobody could look for.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string{"window"}, groupLabels...), "evidence", "status"),
		Source:  "Release.Evidence, Deployment.Evidence, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (evidence, status) (prodsec_release_evidence_in_window{window="30d"})`,
		Collect: releaseEvidence,
	},
	{
		Name: "prodsec_privileged_pipelines",
		Help: "Privileged pipelines (policy.delivery.privileged_pipelines) by the evidence that policy asks of their last successful run; " +
			"required is all of it together.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string(nil), groupLabels...), "evidence", "status"),
		Source:  "Pipeline.Environments, Pipeline.Publishes, Pipeline.Evidence",
		Refresh: refreshPosture,
		Example: `sum by (status) (prodsec_privileged_pipelines{evidence="provenance"})`,
		Collect: privilegedPipelines,
	},
	{
		Name: "prodsec_runners",
		Help: "Self-hosted runners by who may use them. public_exposed: a public repository may, so that a stranger's pull request could " +
			"run on it; dedicated: only listed workflows or few repositories (policy.delivery.dedicated_repositories) may; shared: " +
			"more; unknown: nobody can say. scope is the visibility of the runner's group.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"scope", "trust", "ephemeral"},
		Source:  "Runner.Visibility, Runner.PublicRepositories, Runner.RestrictedToWorkflows, Runner.Repositories, Runner.Ephemeral",
		Refresh: refreshPosture,
		Example: `sum by (trust) (prodsec_runners)`,
		Collect: runners,
	},
	{
		Name: "prodsec_cloud_identity_repositories",
		Help: "Repositories by how their pipelines prove who they are to a cloud: static_key if the name of a secret that they can read is " +
			"that of a long-lived key (policy.delivery.static_keys), whatever else they use; else oidc if workflows ask for a token, none if they do " +
			"not, unknown if workflows or secrets could not be read. Archived repositories and forks are left out.",
		Type: Gauge, Stability: Stable,
		Labels:  append(append([]string(nil), groupLabels...), "method"),
		Source:  "CloudIdentity.OIDC, CloudIdentity.Secrets",
		Refresh: refreshPosture,
		Example: `sum by (business_unit, method) (prodsec_cloud_identity_repositories)`,
		Collect: cloudIdentities,
	},
	{
		Name: "prodsec_rollback_exercise_timestamp_seconds",
		Help: "When a service last brought back an older commit in production, or by evidence or catalog (the control or fact \"rollback\", with " +
			"a date) exercised it. Services that never did are absent.",
		Type: Gauge, Stability: Stable,
		Labels:  ownerLabels,
		Source:  "Deployment.Rollback, Evidence.ProducedAt, Service.Facts",
		Refresh: refreshDeliveries,
		Example: `time() - prodsec_rollback_exercise_timestamp_seconds{trust_tier="tier0"} > 180 * 86400`,
		Combine: Least,
		Collect: rollbackExercise,
	},
	{
		Name: "prodsec_rule_bypasses_total",
		Help: "Pushes and merges that rules looked at, by result: bypass went past a rule. Others (fail was stopped by one) are only there " +
			"where a collector is told to read them.",
		Type: Counter, Stability: Stable,
		Labels:  append(owner(), "result"),
		Source:  "Bypass.Result",
		Refresh: refreshPosture,
		Example: `sum by (team) (increase(prodsec_rule_bypasses_total{result="bypass"}[30d]))`,
		Collect: ruleBypasses,
	},
}
