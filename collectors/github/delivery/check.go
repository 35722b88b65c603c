package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// checksQuery asks for one check of the last commit.
const checksQuery = `query Checks($owner:String!,$name:String!){ repository(owner:$owner,name:$name){ defaultBranchRef{ target{...on Commit{
 statusCheckRollup{contexts(first:1){totalCount nodes{__typename}}}} } } } }`

// teamsQuery asks for one team.
const teamsQuery = `query Teams($org:String!){ organization(login:$org){ teams(first:1){totalCount nodes{slug}} } }`

// Check tries, on one repository, each permission that deployments and their changes need.
func (c *Collector) Check(ctx context.Context, org string) []collectors.CheckResult {
	if !c.config.Deployments || !c.inventory.Listed() {
		return nil
	}
	sample, err := c.inventory.Sample(ctx, org)
	var results []collectors.CheckResult
	add := func(what, unknown string, probe func(path string) error) {
		if ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: what, Err: err, Unknown: unknown}
		if err == nil && sample != nil {
			result.Err = probe("repos/" + api.EscapeName(sample.FullName))
		}
		results = append(results, result)
	}
	add("deployments", "what was deployed where, and all of DORA's measures", func(path string) error {
		return c.API.Probe(ctx, path+"/deployments", nil, deploymentsPermission)
	})
	add("approvals of deployments", "who approved deployments, from which workflow they came", func(path string) error {
		var page struct{}
		_, err := c.API.Get(ctx, path+"/actions/runs?per_page=1", &page)
		return api.ScopeError(err, api.RunsPermission)
	})
	add("commits of deployments", "which changes deployments bring, whether they are rollbacks or come from a protected branch", func(path string) error {
		if sample.Branch == "" {
			return nil
		}
		var page struct{}
		branch := url.PathEscape(sample.Branch)
		_, err := c.API.Get(ctx, path+"/compare/"+branch+"..."+branch+"?per_page=1", &page)
		return api.ScopeError(err, api.ContentsPermission)
	})
	add("pull requests of deployments", "the lead time of changes, and whether security looked at them", func(path string) error {
		return c.API.Probe(ctx, path+"/pulls", url.Values{"state": {"closed"}}, pullsPermission)
	})
	if s := &c.config.SecurityReview; s.CodeScanning || len(s.Checks) > 0 {
		add("checks of pull requests", "whether security looked at a change by a scan", func(string) error { return c.probeChecks(ctx, sample) })
	}
	if len(c.config.SecurityReview.Teams) > 0 {
		add("teams of reviewers", "whether security looked at a change by a review on behalf of a team", func(string) error { return c.probeTeams(ctx, org) })
	}
	if ctx.Err() == nil {
		results = append(results, c.checkEnvironments(ctx, org))
	}
	return results
}

// probeTeams reads a team by GraphQL, as the collector does; that there is none is an answer.
func (c *Collector) probeTeams(ctx context.Context, org string) error {
	var answer struct {
		Organization json.RawMessage `json:"organization"`
	}
	failures, err := c.API.GraphQL(ctx, teamsQuery, map[string]any{"org": org}, &answer)
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("teams of %s: %w", record.Text(org), api.QueryFailure(failures))
	}
	return api.ScopeError(err, teamsPermission)
}

// probeChecks reads a check by GraphQL, as the collector does; that there is none is an answer.
func (c *Collector) probeChecks(ctx context.Context, sample *api.Repository) error {
	owner, name, _ := strings.Cut(sample.FullName, "/")
	var answer struct {
		Repository json.RawMessage `json:"repository"`
	}
	failures, err := c.API.GraphQL(ctx, checksQuery, map[string]any{"owner": owner, "name": name}, &answer)
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("checks of %s: %w", record.Text(sample.FullName), api.QueryFailure(failures))
	}
	return api.ScopeError(err, checksPermission)
}

// What a look for new deployments costs for fifty repositories, and what each new deployment costs, in GraphQL's points and in REST requests.
const (
	pointsPerLook         = 6
	requestsPerDeployment = 3
	pointsPerDeployment   = 2
)

// Forecast adds what deployments cost: the look for new ones, and the details of as many as there were last week.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	if !c.config.Deployments || !c.inventory.Listed() {
		return
	}
	const week = 7 * 24 * time.Hour
	now, recent := c.Now(), 0
	c.state.With(org, func(o *organisation) {
		for _, list := range o.deployed {
			for _, d := range list {
				if now.Sub(d.FinishedAt) < week {
					recent++
				}
			}
		}
	})
	pages := c.inventory.LivePages(org, api.FirstPage)
	requests["graphql"] += part.PerHour(c.config.DeploymentInterval.Std())*pages*pointsPerLook + part.PerHour(c.Intervals.Posture)*pages
	requests["graphql"] += float64(recent) / week.Hours() * pointsPerDeployment
	requests["core"] += float64(recent) / week.Hours() * requestsPerDeployment
}
