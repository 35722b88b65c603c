package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// deliveryTrust lists the families of the board "Delivery trust": can we trust how software is built and released?
var deliveryTrust = []*Family{
	{Collect: deploymentPaths, Withheld: true, Family: frame.Family{
		Name: "prodsec_deployment_paths",
		Help: "Services by whether their deployment path to a production environment is protected: the environment and the branches of the repository " +
			"pass the checks that policy requires, and the last deployments (policy.delivery.path_deployments) were approved and came from a protected " +
			"branch. A path is unprotected if one of these fails, else unknown if one could not be read. environment is unknown where environments " +
			"could not be read. Services without a production environment are not counted.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(group(), "environment", "status"),
		Unbound: []string{"environment"},
		Source:  "Repository.Environments, Repository.Branches, Deployment.Approval, Deployment.FromProtectedBranch",
		Refresh: refreshDeliveries,
		Example: `sum by (business_unit, status) (prodsec_deployment_paths{trust_tier="tier0"})`,
	}},
	{Collect: deployments, Family: frame.Family{
		Name: "prodsec_deployments_total",
		Help: "Successful deployments, including rollbacks, by approval. environment is the name of a production environment in lower case; all other " +
			"environments are environment=\"other\".",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  append(owner(), "environment", "approval"),
		Unbound: []string{"environment"},
		Source:  "Deployment.Status, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (business_unit, approval) (rate(prodsec_deployments_total{environment!="other"}[30d]))`,
	}},
	{Collect: deploymentsInWindow, Family: frame.Family{
		Name: "prodsec_deployments_in_window",
		Help: "Successful deployments that ended in the trailing window, by approval.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(append([]string{"window"}, tallies.GroupLabels...), "environment", "approval"),
		Unbound: []string{"environment"},
		Source:  "Deployment.Status, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (approval) (prodsec_deployments_in_window{window="30d", environment!="other"})`,
	}},
	{Collect: releaseEvidence, Family: frame.Family{
		Name: "prodsec_release_evidence_in_window",
		Help: "Releases and successful production deployments of the trailing window, by the evidence that policy requires of them " +
			"(policy.delivery.evidence). present means that the evidence was found, not that it was verified; unknown means that it could not be looked " +
			"up.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(append([]string{"window"}, tallies.GroupLabels...), "evidence", "status"),
		Source:  "Release.Evidence, Deployment.Evidence, Deployment.Approval",
		Refresh: refreshDeliveries,
		Example: `sum by (evidence, status) (prodsec_release_evidence_in_window{window="30d"})`,
	}},
	{Collect: privilegedPipelines, Family: frame.Family{
		Name: "prodsec_privileged_pipelines",
		Help: "Privileged pipelines (policy.delivery.privileged_pipelines) by the evidence that policy requires of their last successful run; " +
			"evidence=\"required\" is all of it together.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(group(), "evidence", "status"),
		Source:  "Pipeline.Environments, Pipeline.Publishes, Pipeline.Evidence",
		Refresh: refreshPosture,
		Example: `sum by (status) (prodsec_privileged_pipelines{evidence="provenance"})`,
	}},
	{Collect: privilegedPipelineProtection, Family: frame.Family{
		Name: "prodsec_privileged_pipeline_protection",
		Help: "Privileged pipelines (policy.delivery.privileged_pipelines) by whether their repository and their environments are protected: " +
			"check=\"branch\" passes if the branches of the repository pass every required check, check=\"environment\" if the production environments that " +
			"the pipeline deploys to do (absent where it deploys to none), check=\"required\" if both do.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  append(group(), "check", "status"),
		Source:  "Pipeline.Environments, Repository.Branches, Repository.Environments",
		Refresh: refreshPosture,
		Example: `sum by (status) (prodsec_privileged_pipeline_protection{check="required"})`,
	}},
	{Collect: runners, Family: frame.Family{
		Name: "prodsec_runners",
		Help: "Self-hosted runners by who may use them. public_exposed: a public repository may, so a pull request from outside the organisation could " +
			"run on it; dedicated: only listed workflows or few repositories (policy.delivery.dedicated_repositories) may; shared: more may; unknown: " +
			"the access could not be read. scope is the visibility of the runner's group.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"scope", "trust", "ephemeral"},
		Source:  "Runner.Visibility, Runner.PublicRepositories, Runner.RestrictedToWorkflows, Runner.Repositories, Runner.Ephemeral",
		Refresh: refreshPosture,
		Example: `sum by (trust) (prodsec_runners)`,
	}},
	{Collect: cloudIdentities, Family: frame.Family{
		Name: "prodsec_cloud_identity_repositories",
		Help: "Repositories by how their pipelines authenticate to clouds: static_key if a secret that they can read is named like a long-lived key " +
			"(policy.delivery.static_keys), whatever else they use; else oidc if workflows request a token, none if they do not, unknown if workflows " +
			"or secrets could not be read. Archived repositories and forks are not counted.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(group(), "method"),
		Source:  "CloudIdentity.OIDC, CloudIdentity.Secrets",
		Refresh: refreshPosture,
		Example: `sum by (business_unit, method) (prodsec_cloud_identity_repositories)`,
	}},
	{Collect: rollbackExercise, Family: frame.Family{
		Name: "prodsec_rollback_exercise_timestamp_seconds",
		Help: "When a service last exercised a rollback: it brought back an older commit in production, or evidence or the catalog (the control or fact " +
			"\"rollback\", with a date) records it. Absent for services that never did.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  tallies.OwnerLabels,
		Source:  "Deployment.Rollback, Evidence.ProducedAt, Service.Facts",
		Refresh: refreshDeliveries,
		Example: `time() - prodsec_rollback_exercise_timestamp_seconds{trust_tier="tier0"} > 180 * 86400`,
		Combine: frame.Least,
	}},
	{Collect: ruleBypasses, Family: frame.Family{
		Name: "prodsec_rule_bypasses_total",
		Help: "Pushes and merges that repository rules evaluated, by result: bypass means that the actor bypassed a rule. The other results (fail means " +
			"that a rule blocked the change) are present only where a collector is configured to read them.",
		Type: frame.Counter, Stability: frame.Stable,
		Labels:  append(owner(), "result"),
		Source:  "Bypass.Result",
		Refresh: refreshPosture,
		Example: `sum by (team) (increase(prodsec_rule_bypasses_total{result="bypass"}[30d]))`,
	}},
	{Collect: ruleBypassesInWindow, Family: frame.Family{
		Name: "prodsec_rule_bypasses_in_window",
		Help: "Pushes and merges of the trailing window that bypassed a repository rule, by the source's date and counted exactly.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"window", "business_unit", "team", "trust_tier"},
		Source:  "Bypass.Result",
		Refresh: refreshPosture,
		Example: `sum by (team) (prodsec_rule_bypasses_in_window{window="30d"})`,
	}},
}

func deployments(in *tallies.Tallies, out *frame.Sink) {
	t := in.Deployments
	out.Product(t.Environments.Labels, valuesOf(tallies.Approvals))
	eachEnvironment(in, func(owner int32, c *tallies.EnvironmentCounts, present bool) {
		for a := range c.ByApproval {
			dim := int(c.Environment)*len(tallies.Approvals) + a
			if n := c.ByApproval[a].Total; n > 0 {
				out.Add(owner, dim, float64(n))
			} else if present && in.Sources.Of(record.KindDeployment).Ever {
				out.Zero(owner, dim)
			}
		}
	})
}

func deploymentsInWindow(in *tallies.Tallies, out *frame.Sink) {
	t, complete := in.Deployments, in.Sources.Of(record.KindDeployment).Complete()
	out.Product(windowNames(in.Policy), t.Environments.Labels, valuesOf(tallies.Approvals))
	dim := func(window int, environment int32, approval int) int {
		return (window*len(t.Environments.Labels)+int(environment))*len(tallies.Approvals) + approval
	}
	groups := make(tallies.ByEnvironment, len(in.Owners.Groups.Labels))
	eachEnvironment(in, func(owner int32, c *tallies.EnvironmentCounts, present bool) {
		group := in.Owners.GroupOf[owner]
		to := groups.Of(group, c.Environment)
		for a := range c.ByApproval {
			to.ByApproval[a].Join(&c.ByApproval[a])
			for i := range in.Policy.Windows() {
				if present && complete {
					out.Zero(group, dim(i, c.Environment, a))
				}
			}
		}
	})
	for group := range groups {
		for _, c := range groups[group] {
			for a := range c.ByApproval {
				for i, n := range c.ByApproval[a].In {
					out.AddCount(int32(group), dim(i, c.Environment, a), n, c.ByApproval[a].Dropped[i])
				}
			}
		}
	}
}

// eachEnvironment calls with the deployments of every owner to every environment, and whether the owner has a service now, so that zeros are
// shown.
func eachEnvironment(in *tallies.Tallies, call func(owner int32, c *tallies.EnvironmentCounts, present bool)) {
	succeeded := in.Deployments.Succeeded
	present := make([]bool, len(succeeded))
	for _, owner := range in.Owners.Present {
		present[owner] = true
	}
	for owner := range succeeded {
		for i := range succeeded[owner] {
			call(int32(owner), &succeeded[owner][i], present[owner])
		}
	}
}

func ruleBypasses(in *tallies.Tallies, out *frame.Sink) {
	tallies.EachCounted(&in.Input, in.Snapshot.Bypassed, func(m *snapshot.Milestone[record.Bypass]) {
		out.Add(m.Owner, out.Dim(bypassResult(m.Record.Result)), 1)
	})
	if !in.Sources.Of(record.KindBypass).Ever {
		return
	}
	for _, owner := range in.Owners.Present {
		out.Zero(owner, out.Dim(string(record.BypassBypassed)))
	}
}

func ruleBypassesInWindow(in *tallies.Tallies, out *frame.Sink) {
	windows := in.Policy.Windows()
	tallies.EachCounted(&in.Input, in.Snapshot.Bypassed, func(m *snapshot.Milestone[record.Bypass]) {
		held := in.WindowsHolding(m.At)
		if m.Record.Result != record.BypassBypassed || len(held) == 0 {
			return
		}
		group := in.Owners.GroupOf[m.Owner]
		for _, w := range held {
			out.Add(group, out.Dim(w.Name), 1)
		}
		for _, w := range windows { // shorter windows that do not hold it show 0
			out.Zero(group, out.Dim(w.Name))
		}
	})
	if !in.Sources.Of(record.KindBypass).Ever {
		return
	}
	for _, group := range in.Owners.PresentGroups() {
		for _, w := range windows {
			out.Zero(group, out.Dim(w.Name))
		}
	}
}

// bypassResult is the label value of a result; an unexpected value is other.
func bypassResult(r record.BypassResult) string {
	switch r {
	case record.BypassBypassed, record.BypassFailed, record.BypassOther:
		return string(r)
	default:
		return string(record.BypassOther)
	}
}
