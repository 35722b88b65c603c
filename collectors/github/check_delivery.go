package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// checksQuery asks for one check of the last commit.
const checksQuery = `query Checks($owner:String!,$name:String!){ repository(owner:$owner,name:$name){ defaultBranchRef{ target{...on Commit{
 statusCheckRollup{contexts(first:1){totalCount nodes{__typename}}}} } } } }`

// teamsQuery asks for one team.
const teamsQuery = `query Teams($org:String!){ organization(login:$org){ teams(first:1){totalCount nodes{slug}} } }`

// checkDelivery tries, on one repository, each permission that deployments and their changes need.
func (c *Collector) checkDelivery(ctx context.Context, org, subject string) []collectors.CheckResult {
	if !c.config.Deployments || !c.config.Repositories {
		return nil
	}
	sample, err := c.sample(ctx, org)
	var results []collectors.CheckResult
	add := func(what, unknown string, probe func(path string) error) {
		if ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: subject + what, Err: err, Unknown: unknown}
		if err == nil && sample != nil {
			result.Err = probe("repos/" + escapeName(sample.fullName))
		}
		results = append(results, result)
	}
	add("deployments", "what was deployed where, and all of DORA's measures", func(path string) error {
		return c.probe(ctx, path+"/deployments", nil, deploymentsPermission)
	})
	add("approvals of deployments", "who approved deployments, from which workflow they came", func(path string) error {
		var page struct{}
		_, err := c.api.get(ctx, path+"/actions/runs?per_page=1", &page)
		return scopeError(err, runsPermission)
	})
	add("commits of deployments", "which changes deployments bring, whether they are rollbacks or come from a protected branch", func(path string) error {
		if sample.branch == "" {
			return nil
		}
		var page struct{}
		branch := url.PathEscape(sample.branch)
		_, err := c.api.get(ctx, path+"/compare/"+branch+"..."+branch+"?per_page=1", &page)
		return scopeError(err, contentsPermission)
	})
	add("pull requests of deployments", "the lead time of changes, and whether security looked at them", func(path string) error {
		return c.probe(ctx, path+"/pulls", url.Values{"state": {"closed"}}, pullsPermission)
	})
	if s := &c.config.SecurityReview; s.CodeScanning || len(s.Checks) > 0 {
		add("checks of pull requests", "whether security looked at a change by a scan", func(string) error { return c.probeChecks(ctx, sample) })
	}
	if len(c.config.SecurityReview.Teams) > 0 {
		add("teams of reviewers", "whether security looked at a change by a review on behalf of a team", func(string) error { return c.probeTeams(ctx, org) })
	}
	return results
}

// probeTeams reads a team by GraphQL, as the collector does; that there is none is an answer.
func (c *Collector) probeTeams(ctx context.Context, org string) error {
	var answer struct {
		Organization json.RawMessage `json:"organization"`
	}
	failures, err := c.api.graphql(ctx, teamsQuery, map[string]any{"org": org}, &answer)
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("teams of %s: %w", record.Text(org), queryFailure(failures))
	}
	return scopeError(err, teamsPermission)
}

// probeChecks reads a check by GraphQL, as the collector does; that there is none is an answer.
func (c *Collector) probeChecks(ctx context.Context, sample *head) error {
	owner, name, _ := strings.Cut(sample.fullName, "/")
	var answer struct {
		Repository json.RawMessage `json:"repository"`
	}
	failures, err := c.api.graphql(ctx, checksQuery, map[string]any{"owner": owner, "name": name}, &answer)
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("checks of %s: %w", record.Text(sample.fullName), queryFailure(failures))
	}
	return scopeError(err, checksPermission)
}

// What a look for new deployments costs for fifty repositories, and what each new deployment costs, in GraphQL's points and in REST requests.
const (
	pointsPerLook         = 6
	requestsPerDeployment = 3
	pointsPerDeployment   = 2
)

// forecastDelivery adds what deployments cost: the look for new ones, and the details of as many as there were last week.
func (c *Collector) forecastDelivery(forecast map[string]float64, seen *organisation) {
	if !c.config.Deployments || !c.config.Repositories {
		return
	}
	const week = 7 * 24 * time.Hour
	now, recent := c.env.Now(), 0
	for _, list := range seen.deployed {
		for _, d := range list {
			if now.Sub(d.FinishedAt) < week {
				recent++
			}
		}
	}
	pages := seen.pages(firstPage)
	forecast["graphql"] += perHour(c.config.DeploymentInterval)*pages*pointsPerLook + perHour(c.config.PostureInterval)*pages
	forecast["graphql"] += float64(recent) / week.Hours() * pointsPerDeployment
	forecast["core"] += float64(recent) / week.Hours() * requestsPerDeployment
}
