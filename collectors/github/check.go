package github

import (
	"context"

	"prodsec_exporter/collectors"
)

// Check asks for one item of everything the collector reads.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	if c.installations != nil {
		return c.installations.check(ctx)
	}
	var results []collectors.CheckResult
	for _, org := range c.organizations() {
		for _, p := range c.parts {
			for _, result := range p.Check(ctx, org) {
				result.Subject = "organisation " + org + ": " + result.Subject
				results = append(results, result)
			}
			if err := ctx.Err(); err != nil {
				return results, err
			}
		}
	}
	return results, nil
}

// Forecast estimates requests per hour from what the last collection saw: what each part says of its scopes, and the scopes of single repositories
// with a fixed number of requests, which a large organisation takes as fast as the configuration allows.
func (c *Collector) Forecast() map[string]float64 {
	if c.installations != nil {
		return c.installations.forecast()
	}
	forecast := map[string]float64{}
	for _, org := range c.organizations() {
		for _, p := range c.parts {
			p.Forecast(org, forecast)
		}
		for _, s := range c.repositoryScopes() {
			forecast["core"] += c.readings(org, s) * c.requests(org, s)
		}
	}
	return forecast
}
