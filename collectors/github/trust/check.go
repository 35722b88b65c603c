package trust

import (
	"cmp"
	"context"
	"net/url"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
)

// Check asks for one item of everything that is read about how an organisation builds and releases.
func (c *Collector) Check(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	add := func(on bool, what, unknown string, probe func() error) {
		if on && ctx.Err() == nil {
			results = append(results, collectors.CheckResult{Subject: what, Err: probe(), Unknown: unknown})
		}
	}
	if c.config.Releases {
		results = append(results, c.checkReleases(ctx, org)...)
	}
	results = append(results, c.checkWorkflows(ctx, org)...)
	w := &runnerWalk{collector: c, org: org}
	add(c.config.Runners, "self-hosted runners", "which self-hosted runners there are", func() error {
		return c.API.ProbeList(ctx, w.path("runners"), "runners", orgRunnersPermission)
	})
	add(c.config.Runners, "runner groups", "which repositories may use a self-hosted runner", func() error {
		return c.API.ProbeList(ctx, w.path("runner-groups"), "runner_groups", orgRunnersPermission)
	})
	return append(results, c.checkRepository(ctx, org)...)
}

// checkRepository asks one repository for what is read of single ones besides workflows.
func (c *Collector) checkRepository(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	if !c.inventory.Listed() || !c.config.Actions && !c.config.RepositoryRunners {
		return nil
	}
	add := func(on bool, subject, unknown string, probe func() error) {
		if on && ctx.Err() == nil {
			results = append(results, collectors.CheckResult{Subject: subject, Err: probe(), Unknown: unknown})
		}
	}
	sample, err := c.inventory.Sample(ctx, org)
	add(c.config.Actions, "Actions policy of the organisation", "what the organisation forbids its repositories: only their own answers count", func() error {
		_, err := c.whichActions(ctx, "orgs/"+url.PathEscape(org))
		return api.ScopeError(err, orgActionsPermission)
	})
	add(c.config.Actions, "Actions policy", "which actions may run and what their token may do by default", func() error {
		if err != nil || sample == nil {
			return err
		}
		return api.Answered(c.readActions(ctx, org, *sample, "").Err)
	})
	add(c.config.RepositoryRunners, "runners of single repositories", "which self-hosted runners are registered to one repository", func() error {
		if err != nil || sample == nil {
			return err
		}
		return api.Answered(c.readRepositoryRunners(ctx, org, *sample, "").Err)
	})
	return results
}

// deployable is a repository with workflows, one with an environment if there is any.
func deployable(nodes []*workflowRepository) (fullName, environment string) {
	for _, node := range nodes {
		if node == nil || node.Tree == nil {
			continue
		}
		if names, _ := node.environmentNames(); len(names) > 0 {
			return node.NameWithOwner, names[0]
		}
		fullName = node.NameWithOwner
	}
	return fullName, ""
}

// checkReleases asks for a page of releases and for the list of repositories with attestations.
func (c *Collector) checkReleases(ctx context.Context, org string) []collectors.CheckResult {
	_, err := repositoriesWithReleases.Ask(ctx, c.API, org, api.Few, "")
	results := []collectors.CheckResult{{
		Subject: "releases", Err: api.ScopeError(err, api.ContentsPermission), Unknown: "which releases there are",
	}}
	if c.config.Attestations {
		results = append(results, collectors.CheckResult{
			Subject: "attestations", Err: c.API.Probe(ctx, "orgs/"+url.PathEscape(org)+"/attestations/repositories", nil, attestationsPermission),
			Unknown: "which releases have provenance, and whether an SBOM was attested",
		})
	}
	return results
}

// checkWorkflows asks for the workflows of a few repositories, and of one that has some for its runs, secrets and tokens.
func (c *Collector) checkWorkflows(ctx context.Context, org string) []collectors.CheckResult {
	if !c.config.Pipelines && !c.config.CloudIdentity {
		return nil
	}
	page, err := repositoriesWithWorkflows.Ask(ctx, c.API, org, api.Few, "")
	results := []collectors.CheckResult{{
		Subject: "workflows", Err: api.ScopeError(err, api.ContentsPermission), Unknown: "which pipelines there are and whether they ask for OpenID Connect tokens",
	}}
	sample, err := c.inventory.Sample(ctx, org)
	environment := ""
	if page != nil {
		if name, found := deployable(page.Organization.Repositories.Nodes); name != "" {
			sample, environment = &api.Repository{FullName: name}, found
		}
	}
	add := func(on bool, what, unknown string, probe func(path string) error) {
		if !on || ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: what, Unknown: unknown, Err: err}
		if sample != nil {
			result.Err = probe("repos/" + api.EscapeName(sample.FullName))
		}
		results = append(results, result)
	}
	add(c.config.Pipelines, "runs of workflows", "when pipelines ran and who approved that", func(path string) error {
		return c.API.ProbeList(ctx, path+"/actions/runs", "workflow_runs", api.RunsPermission)
	})
	add(c.config.CloudIdentity, "names of secrets", "whether pipelines use long-lived keys of clouds", func(path string) error {
		return c.API.ProbeList(ctx, path+"/actions/secrets", "secrets", secretsPermission)
	})
	add(c.config.CloudIdentity && environment != "", "names of secrets of environments", "whether deployments use long-lived keys of clouds", func(path string) error {
		return c.API.ProbeList(ctx, path+"/environments/"+url.PathEscape(environment)+"/secrets", "secrets", environmentSecretsPermission)
	})
	add(c.config.CloudIdentity, "subject of tokens", "whether the subject of OpenID Connect tokens is customised", func(path string) error {
		_, err := c.API.Get(ctx, path+"/actions/oidc/customization/sub", &struct{}{})
		return api.ScopeError(err, oidcPermission)
	})
	add(c.config.CloudIdentity, "subject of tokens of the organisation", "the subject of tokens of repositories that take over the organisation's", func(string) error {
		_, err := c.API.Get(ctx, "orgs/"+url.PathEscape(org)+"/actions/oidc/customization/sub", &struct{}{})
		return api.ScopeError(err, orgOIDCPermission)
	})
	return results
}

// groupsGuessed is how many groups of runners an organisation is taken to have until they were read.
const groupsGuessed = 3

// Forecast adds what reading about building and releasing costs, as far as the last collection saw.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	var seen organisation
	c.state.With(org, func(o *organisation) { seen = *o })
	pages := c.inventory.Pages(org, api.FirstPage)
	posture := part.PerHour(c.Intervals.Posture)
	if c.config.Releases {
		requests["graphql"] += posture * pages
		for _, releasing := range seen.releasing {
			if releasing {
				requests["core"] += part.PerHour(c.Intervals.Full)
			}
		}
		if c.config.Attestations {
			requests["core"] += posture * float64(1+len(predicates()))
		}
	}
	if c.config.Pipelines || c.config.CloudIdentity {
		requests["graphql"] += posture * c.inventory.LivePages(org, api.FirstPage)
	}
	if c.config.Runners {
		requests["core"] += posture * float64(cmp.Or(seen.runnerRequests, 2+groupsGuessed))
	}
}

// requestsPerPipeline bounds what reading a pipeline takes while it does not run: its last runs, and the last of them that succeeded.
const requestsPerPipeline = 2

// requestsPerIdentity is what reading the cloud identity of a repository takes, besides one per environment: two lists of secrets and the subject of tokens.
const requestsPerIdentity = 3
