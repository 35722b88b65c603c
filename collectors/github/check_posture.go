package github

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// checkPosture asks for one item of everything that is read about the posture of an organisation's repositories.
func (c *Collector) checkPosture(ctx context.Context, org, subject string) []collectors.CheckResult {
	var results []collectors.CheckResult
	add := func(on bool, what, unknown string, probe func() error) {
		if on && ctx.Err() == nil {
			results = append(results, collectors.CheckResult{Subject: subject + what, Err: probe(), Unknown: unknown})
		}
	}
	path := "orgs/" + url.PathEscape(org)
	add(c.config.Properties, "custom properties", "what custom properties say about owners, tiers and exposure", func() error {
		return c.probe(ctx, path+"/properties/values", nil, propertiesPermission)
	})
	add(c.Describes(), "catalog of services", "owners, tiers and exposure of services, as far as custom properties describe them", func() error {
		return c.readCatalog(ctx, org).Err
	})
	add(c.config.SecurityConfigurations, "security configurations", "which security configuration each repository has", func() error {
		return c.probe(ctx, path+"/code-security/configurations", nil, configurationsPermission)
	})
	manifests := c.config.Manifests && slices.Contains(c.config.Alerts, Dependabot)
	if !c.config.Environments && !manifests && len(c.repositoryScopes()) == 0 {
		return results
	}
	sample, err := c.sample(ctx, org)
	add(c.config.Environments, "environments", "how deployment environments are protected", func() error {
		if err != nil || sample == nil {
			return err
		}
		var page struct{}
		_, err := c.api.get(ctx, "repos/"+escapeName(sample.fullName)+"/environments?per_page=1", &page)
		return scopeError(err, environmentsPermission)
	})
	add(c.config.Environments, "CODEOWNERS", "whether code has owners, and whether their file is free of errors", func() error { return c.probeOwners(ctx, org) })
	add(c.config.Actions && c.config.Repositories, "Actions policy of the organisation", "what the organisation forbids its repositories: only their own answers count", func() error {
		_, err := c.whichActions(ctx, path)
		return scopeError(err, orgActionsPermission)
	})
	add(manifests, "manifests of Dependabot alerts", "whether what open Dependabot alerts are about still exists; they stay open", func() error {
		if err != nil || sample == nil {
			return err
		}
		return c.probeManifests(ctx, sample)
	})
	for _, s := range c.repositoryScopes() {
		if s.among != nil {
			continue // checkTrust knows what such a scope needs.
		}
		add(true, probeSubjects[s.kind].subject, probeSubjects[s.kind].unknown, func() error {
			if err != nil || sample == nil {
				return err
			}
			// That a feature is off in one repository is an answer.
			if err := s.from(ctx, org, *sample, "").Err; record.ReasonOf(err) != record.ReasonFeatureOff {
				return err
			}
			return nil
		})
	}
	return results
}

// probeOwners looks for the CODEOWNERS files of a few repositories; that there is none is an answer.
func (c *Collector) probeOwners(ctx context.Context, org string) error {
	page, err := repositoriesWithEnvironments.ask(ctx, c, org, few, "")
	if err != nil {
		return scopeError(err, contentsPermission)
	}
	for _, node := range page.Organization.Repositories.Nodes {
		if node != nil && node.lacks("codeowners") {
			return &record.Error{Reason: record.ReasonPermission, Permission: contentsPermission, Err: errors.New("CODEOWNERS files are hidden")}
		}
	}
	return nil
}

// probeSubjects say what the scopes of repositories hold.
var probeSubjects = map[string]struct{ subject, unknown string }{
	scopeScanning: {"code scanning analyses", "when code was last scanned"},
	scopeActions:  {"Actions policy", "which actions may run and what their token may do by default"},
	scopeBypasses: {"rule suites", "which pushes and merges went past a rule"},
	scopeRunners:  {"runners of single repositories", "which self-hosted runners are registered to one repository"},
}

// sample is a repository that is not archived, nil when there is none.
func (c *Collector) sample(ctx context.Context, org string) (*head, error) {
	var found *head
	query := url.Values{"type": {"all"}, "sort": {"full_name"}, "direction": {"asc"}, "per_page": {pageSize}}
	_, err := c.api.pages(ctx, "orgs/"+url.PathEscape(org)+"/repos", query, func(items []json.RawMessage) bool {
		for _, item := range items {
			r, fullName, err := c.repositoryRecord(item)
			if err == nil && !r.Archived {
				found = &head{r.Name, fullName, r.DefaultBranch, r.Archived, r.Visibility}
				return false
			}
		}
		return true
	})
	return found, err
}

// forecastPosture adds what further posture costs, as far as the last collection saw.
func (c *Collector) forecastPosture(forecast map[string]float64, seen *organisation) {
	if c.config.Properties {
		forecast["core"] += perHour(c.config.PostureInterval) * seen.pages(100)
	}
	if c.Describes() {
		forecast["core"] += perHour(c.config.PostureInterval) * seen.pages(100)
	}
	if c.config.Environments {
		forecast["graphql"] += perHour(c.config.PostureInterval) * seen.pages(firstPage)
		forecast["core"] += perHour(c.config.FullInterval) * float64(len(seen.environments))
	}
	if c.config.SecurityConfigurations {
		forecast["core"] += perHour(c.config.PostureInterval) * (1 + seen.pages(100))
	}
	alive := 0
	for _, h := range seen.heads {
		if !h.archived {
			alive++
		}
	}
	rate := perHour(c.config.RepositoryInterval) * float64(alive)
	// A large organisation is read as fast as the configuration allows.
	rate = min(rate, perHour(c.config.Interval)*float64(c.config.RepositoriesPerCollection))
	for _, s := range c.repositoryScopes() {
		forecast["core"] += rate * s.requests
	}
}
