package github

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
)

// Check asks for one item of everything the collector reads.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	var results []collectors.CheckResult
	for _, org := range c.config.Organizations {
		org = strings.ToLower(org)
		subject := "organisation " + org + ": "
		if c.config.Repositories {
			results = append(results, collectors.CheckResult{
				Subject: subject + "repositories", Err: c.probe(ctx, "orgs/"+url.PathEscape(org)+"/repos", nil, ""),
				Unknown: "which repositories exist, their visibility and which scanners are switched on",
			})
		}
		for _, source := range alertSources() {
			if slices.Contains(c.config.Alerts, source.kind) {
				results = append(results, collectors.CheckResult{
					Subject: subject + strings.ReplaceAll(string(source.kind), "_", " ") + " alerts",
					Err:     c.probe(ctx, "orgs/"+url.PathEscape(org)+"/"+source.path, source.query, source.permission),
					Unknown: "findings of " + strings.ReplaceAll(string(source.kind), "_", " ") + " and all that is computed from them",
				})
			}
		}
		if c.config.Protection {
			results = append(results, c.checkProtection(ctx, org, subject)...)
		}
		results = append(results, c.checkPosture(ctx, org, subject)...)
		results = append(results, c.checkTrust(ctx, org, subject)...)
		results = append(results, c.checkDelivery(ctx, org, subject)...)
		if err := ctx.Err(); err != nil {
			return results, err
		}
	}
	return results, nil
}

func (c *Collector) probe(ctx context.Context, path string, more url.Values, permission string) error {
	query := url.Values{"per_page": {"1"}}
	for key, values := range more {
		query[key] = values
	}
	var items []json.RawMessage
	_, err := c.api.get(ctx, path+"?"+query.Encode(), &items)
	if permission == "" {
		return err
	}
	return scopeError(err, permission)
}

// Forecast estimates requests per hour: one per kind of alert and organisation in each collection while little changes, the
// sweeps' pages, the pages of repositories, protection and other posture in each posture interval, the scopes of single repositories, and deployments.
func (c *Collector) Forecast() map[string]float64 {
	forecast := map[string]float64{}
	for _, org := range c.config.Organizations {
		var seen organisation
		c.remember(strings.ToLower(org), func(o *organisation) {
			seen = *o
			seen.sweepPages = maps.Clone(o.sweepPages)
		})
		pages := seen.pages
		forecast["core"] += perHour(c.config.Interval) * float64(len(c.config.Alerts))
		for _, n := range seen.sweepPages {
			forecast["core"] += perHour(c.config.FullInterval) * float64(n)
		}
		forecast["graphql"] += perHour(c.config.FullInterval) * math.Ceil(float64(seen.manifests)/manifestsAtOnce)
		if c.config.Repositories {
			forecast["core"] += perHour(c.config.PostureInterval) * pages(100)
		}
		c.forecastPosture(forecast, &seen)
		c.forecastTrust(forecast, &seen)
		c.remember(strings.ToLower(org), func(o *organisation) { c.forecastDelivery(forecast, o) })
		if c.config.Protection {
			forecast["graphql"] += perHour(c.config.PostureInterval) * pages(firstPage) * float64(1+len(c.config.ReleaseBranches))
			forecast["core"] += perHour(c.config.FullInterval) * float64(len(seen.bypass))
		}
	}
	return forecast
}

func perHour(every collectors.Duration) float64 {
	if every <= 0 {
		return 0
	}
	return float64(time.Hour) / float64(every.Std())
}

// pages is how many pages of a size the repositories fill.
func (o *organisation) pages(size float64) float64 {
	return max(1, math.Ceil(float64(o.repositories)/size))
}
