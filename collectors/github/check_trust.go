package github

import (
	"context"
	"encoding/json"

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
	w := &runnerWalk{collector: c, org: org}
	add(c.config.Runners, "self-hosted runners", "which self-hosted runners there are", func() error {
		return c.probeList(ctx, w.path("runners"), "runners", orgRunnersPermission)
	})
	add(c.config.Runners, "runner groups", "which repositories may use a self-hosted runner", func() error {
		return c.probeList(ctx, w.path("runner-groups"), "runner_groups", orgRunnersPermission)
	})
	return results
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

// groupsGuessed is how many groups of runners an organisation is taken to have until they were read.
const groupsGuessed = 3

// forecastTrust adds what reading about building and releasing costs, as far as the last collection saw.
func (c *Collector) forecastTrust(forecast map[string]float64, seen *organisation) {
	posture := perHour(c.config.PostureInterval)
	if c.config.Runners {
		requests := seen.runnerRequests
		if requests == 0 {
			requests = 2 + groupsGuessed
		}
		forecast["core"] += posture * float64(requests)
	}
}
