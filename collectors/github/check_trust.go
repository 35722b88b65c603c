package github

import (
	"context"
	"encoding/json"
	"net/url"

	"prodsec_exporter/collectors"
)

// checkTrust asks for one item of everything that is read about how an organisation builds and releases.
func (c *Collector) checkTrust(ctx context.Context, org, subject string) []collectors.CheckResult {
	var results []collectors.CheckResult
	add := func(on bool, what, unknown string, probe func() error) {
		if on && ctx.Err() == nil {
			results = append(results, collectors.CheckResult{Subject: subject + what, Err: probe(), Unknown: unknown})
		}
	}
	if c.config.Releases {
		results = append(results, c.checkReleases(ctx, org, subject)...)
	}
	results = append(results, c.checkWorkflows(ctx, org, subject)...)
	w := &runnerWalk{collector: c, org: org}
	add(c.config.Runners, "self-hosted runners", "which self-hosted runners there are", func() error {
		return c.probeList(ctx, w.path("runners"), "runners", orgRunnersPermission)
	})
	add(c.config.Runners, "runner groups", "which repositories may use a self-hosted runner", func() error {
		return c.probeList(ctx, w.path("runner-groups"), "runner_groups", orgRunnersPermission)
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

// probeList asks for one item of a list that is held by an object.
func (c *Collector) probeList(ctx context.Context, path, name, permission string) error {
	page := map[string]json.RawMessage{}
	if _, err := c.api.get(ctx, path+"?per_page=1", &page); err != nil {
		return scopeError(err, permission)
	}
	if page[name] == nil {
		return lacking(path, name)
	}
	return nil
}

// few is how many repositories a probe by GraphQL reads.
const few = 5

// checkReleases asks for a page of releases and for the list of repositories with attestations.
func (c *Collector) checkReleases(ctx context.Context, org, subject string) []collectors.CheckResult {
	_, err := repositoriesWithReleases.ask(ctx, c, org, few, "")
	results := []collectors.CheckResult{{
		Subject: subject + "releases", Err: scopeError(err, contentsPermission), Unknown: "which releases there are",
	}}
	if c.config.Attestations {
		results = append(results, collectors.CheckResult{
			Subject: subject + "attestations", Err: c.probe(ctx, "orgs/"+url.PathEscape(org)+"/attestations/repositories", nil, attestationsPermission),
			Unknown: "which releases have provenance, and whether an SBOM was attested",
		})
	}
	return results
}

// checkWorkflows asks for the workflows of a few repositories, and of one that has some for its runs, secrets and tokens.
func (c *Collector) checkWorkflows(ctx context.Context, org, subject string) []collectors.CheckResult {
	if !c.config.Pipelines && !c.config.CloudIdentity {
		return nil
	}
	page, err := repositoriesWithWorkflows.ask(ctx, c, org, few, "")
	results := []collectors.CheckResult{{
		Subject: subject + "workflows", Err: scopeError(err, contentsPermission), Unknown: "which pipelines there are and whether they ask for OpenID Connect tokens",
	}}
	sample, err := c.sample(ctx, org)
	environment := ""
	if page != nil {
		if name, found := deployable(page.Organization.Repositories.Nodes); name != "" {
			sample, environment = &head{fullName: name}, found
		}
	}
	add := func(on bool, what, unknown string, probe func(path string) error) {
		if !on || ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: subject + what, Unknown: unknown, Err: err}
		if sample != nil {
			result.Err = probe("repos/" + escapeName(sample.fullName))
		}
		results = append(results, result)
	}
	add(c.config.Pipelines, "runs of workflows", "when pipelines ran and who approved that", func(path string) error {
		return c.probeList(ctx, path+"/actions/runs", "workflow_runs", runsPermission)
	})
	add(c.config.CloudIdentity, "names of secrets", "whether pipelines use long-lived keys of clouds", func(path string) error {
		return c.probeList(ctx, path+"/actions/secrets", "secrets", secretsPermission)
	})
	add(c.config.CloudIdentity && environment != "", "names of secrets of environments", "whether deployments use long-lived keys of clouds", func(path string) error {
		return c.probeList(ctx, path+"/environments/"+url.PathEscape(environment)+"/secrets", "secrets", environmentSecretsPermission)
	})
	add(c.config.CloudIdentity, "subject of tokens", "whether the subject of OpenID Connect tokens is customised", func(path string) error {
		_, err := c.api.get(ctx, path+"/actions/oidc/customization/sub", &struct{}{})
		return scopeError(err, oidcPermission)
	})
	add(c.config.CloudIdentity, "subject of tokens of the organisation", "the subject of tokens of repositories that take over the organisation's", func(string) error {
		_, err := c.api.get(ctx, "orgs/"+url.PathEscape(org)+"/actions/oidc/customization/sub", &struct{}{})
		return scopeError(err, orgOIDCPermission)
	})
	return results
}

// groupsGuessed is how many groups of runners an organisation is taken to have until they were read.
const groupsGuessed = 3

// forecastTrust adds what reading about building and releasing costs, as far as the last collection saw.
func (c *Collector) forecastTrust(forecast map[string]float64, seen *organisation) {
	posture := perHour(c.config.PostureInterval)
	if c.config.Releases {
		forecast["graphql"] += posture * seen.pages(firstPage)
		for _, releasing := range seen.releasing {
			if releasing {
				forecast["core"] += perHour(c.config.FullInterval)
			}
		}
		if c.config.Attestations {
			forecast["core"] += posture * float64(1+len(predicates()))
		}
	}
	if c.config.Pipelines || c.config.CloudIdentity {
		forecast["graphql"] += posture * seen.pages(firstPage)
		c.forecastPipelines(forecast, seen)
	}
	if c.config.Runners {
		requests := seen.runnerRequests
		if requests == 0 {
			requests = 2 + groupsGuessed
		}
		forecast["core"] += posture * float64(requests)
	}
}

// requestsPerPipeline bounds what reading a pipeline takes while it does not run: its last runs, and the last of them that succeeded.
const requestsPerPipeline = 2

// requestsPerIdentity is what reading the cloud identity of a repository takes, besides one per environment: two lists of secrets and the subject of tokens.
const requestsPerIdentity = 3

// forecastPipelines adds the scopes of repositories with workflows.
func (c *Collector) forecastPipelines(forecast map[string]float64, seen *organisation) {
	var pipelines, identities, environments, pipelineScopes float64
	for _, w := range seen.workflows {
		if w.tree == "" {
			continue
		}
		identities++
		environments += float64(len(w.environments))
		if c.hasPipelines(w) {
			pipelineScopes++
		}
		for i := range w.files {
			if c.looksAt(&w.files[i]) {
				pipelines++
			}
		}
	}
	// A large organisation is read as fast as the configuration allows.
	atMost := perHour(c.config.Interval) * float64(c.config.RepositoriesPerCollection)
	rate := func(scopes, requests float64) float64 {
		if scopes == 0 {
			return 0
		}
		return min(perHour(c.config.RepositoryInterval)*scopes, atMost) * requests / scopes
	}
	if c.config.Pipelines {
		forecast["core"] += rate(pipelineScopes, pipelines*requestsPerPipeline)
	}
	if c.config.CloudIdentity {
		forecast["core"] += rate(identities, identities*requestsPerIdentity+environments)
	}
}
