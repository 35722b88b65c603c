package alerts

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Scopes are one for each kind of alert, and the security configurations.
func (c *Collector) Scopes(org string) []part.Scope {
	var list []part.Scope
	for _, source := range c.alertSources() {
		list = append(list, part.Scope{Name: string(source.kind) + ":" + org, Read: func(ctx context.Context, cursor record.Cursor) record.Batch {
			return c.readAlerts(ctx, org, source, cursor)
		}})
	}
	if c.config.SecurityConfigurations {
		list = append(list, part.Scope{Name: scopeSecurityConfigurations + ":" + org, Slow: true, Read: func(ctx context.Context, _ record.Cursor) record.Batch {
			return c.readSecurityConfigurations(ctx, org)
		}})
	}
	if c.config.ReviewRequests {
		list = append(list, part.Scope{Name: scopeReviewRequests + ":" + org, Slow: true, Read: func(ctx context.Context, cursor record.Cursor) record.Batch {
			return c.readReviewRequests(ctx, org, cursor)
		}})
	}
	return list
}

// RepositoryScopes are the analyses of code scanning.
func (c *Collector) RepositoryScopes() []part.RepositoryScope {
	if !c.config.Scanning {
		return nil
	}
	return []part.RepositoryScope{{
		Kind: scopeAnalyses, Read: c.readAnalyses, Requests: 2, Pushed: true,
		Empty: record.Batch{Repositories: []record.Repository{}, Scans: []record.Scan{}},
	}}
}

// Check asks for an alert of each kind, and for what tells of scans in one repository.
func (c *Collector) Check(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	path := "orgs/" + url.PathEscape(org)
	for _, source := range c.alertSources() {
		words := strings.ReplaceAll(string(source.kind), "_", " ")
		result := collectors.CheckResult{Subject: words + " alerts", Unknown: "findings of " + words + " and all that is computed from them"}
		for _, query := range source.queries {
			if result.Err == nil {
				result.Err = source.explain(query, c.API.Probe(ctx, path+"/"+source.path, query, source.permission))
			}
		}
		results = append(results, result)
	}
	if c.config.SecurityConfigurations {
		results = append(results, collectors.CheckResult{
			Subject: "security configurations", Err: c.API.Probe(ctx, path+"/code-security/configurations", nil, configurationsPermission),
			Unknown: "which security configuration each repository has",
		})
	}
	if c.config.ReviewRequests {
		for _, list := range requestLists {
			results = append(results, collectors.CheckResult{
				Subject: list.kind + " requests about secrets", Err: c.API.Probe(ctx, path+"/"+list.path, url.Values{"time_period": {requestsPeriod}}, list.permission),
				Unknown: "how many such requests wait for a review, and for how long",
			})
		}
	}
	if !c.looksForManifests() && !c.config.Scanning {
		return results
	}
	sample, err := c.inventory.Sample(ctx, org)
	probe := func(on bool, subject, unknown string, ask func() error) {
		if !on || ctx.Err() != nil {
			return
		}
		result := collectors.CheckResult{Subject: subject, Unknown: unknown, Err: err}
		if sample != nil {
			result.Err = ask()
		}
		results = append(results, result)
	}
	probe(c.looksForManifests(), "manifests of Dependabot alerts", "whether what open Dependabot alerts are about still exists; they stay open", func() error {
		return c.probeManifests(ctx, sample)
	})
	probe(c.config.Scanning && c.inventory.Listed(), "code scanning analyses", "when code was last scanned", func() error {
		return api.Answered(c.readAnalyses(ctx, org, *sample, "").Err)
	})
	return results
}

func (c *Collector) looksForManifests() bool {
	return c.config.Manifests && slices.Contains(c.config.Kinds, Dependabot)
}

// Forecast adds what looks for changes took of late (a list that did not change is free), a request for each list until that is known, the pages of sweeps, the queries about manifests, and the lists of
// security configurations.
func (c *Collector) Forecast(org string, requests map[string]float64) {
	c.state.With(org, func(o *organisation) {
		for _, source := range c.alertSources() {
			look, known := o.spent[source.kind]
			if !known {
				look = float64(len(source.queries))
			}
			requests["core"] += part.PerHour(c.Intervals.Collection) * look
		}
		for _, pages := range o.sweepPages {
			requests["core"] += part.PerHour(c.Intervals.Full) * float64(pages)
		}
		requests["graphql"] += part.PerHour(c.Intervals.Full) * math.Ceil(float64(o.manifests)/manifestsAtOnce)
	})
	if c.config.ReviewRequests {
		requests["core"] += part.PerHour(c.Intervals.Posture) * float64(len(requestLists))
	}
	if c.config.SecurityConfigurations {
		requests["core"] += part.PerHour(c.Intervals.Posture) * (1 + c.inventory.Pages(org, 100))
	}
}

// Hints are the events about alerts.
func (c *Collector) Hints() map[string][]string {
	return map[string][]string{
		"dependabot_alert": {string(Dependabot)}, "repository_vulnerability_alert": {string(Dependabot)},
		"code_scanning_alert":   {string(CodeScanning), scopeAnalyses},
		"secret_scanning_alert": {string(SecretScanning)}, "secret_scanning_alert_location": {string(SecretScanning)},
	}
}
