package sonarqube

import (
	"context"
	"fmt"
	"net/url"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// Check asks for the version, the projects and, of the first project, everything that is read.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	_, versionErr := c.securityBy(ctx)
	keys, err := c.projectKeys(ctx)
	if err == nil && len(keys) == 0 {
		err = &record.Error{Reason: record.ReasonPermission, Permission: browse, Err: fmt.Errorf("the token sees no project")}
	}
	results := []collectors.CheckResult{
		{Subject: "version", Err: versionErr, Unknown: "everything this server knows"},
		{Subject: "projects", Err: err, Unknown: "everything this server knows"},
	}
	if len(keys) == 0 {
		return results, ctx.Err()
	}
	try := func(subject, path, parameter, unknown string) {
		query := url.Values{parameter: {keys[0]}, "p": {"1"}, "ps": {"1"}}
		if c.config.Organization != "" {
			query.Set("organization", c.config.Organization)
		}
		_, err := c.Source.Get(ctx, path, query, nil)
		results = append(results, collectors.CheckResult{Subject: "project " + keys[0] + ": " + subject, Err: translate.Needs(err, browse), Unknown: unknown})
	}
	try("issues", issuesPath, c.componentsKey(), "security issues")
	if c.hasDependencies(ctx, keys) {
		query := dependencyQuery(project{key: keys[0]})
		query.Set("pageIndex", "1")
		query.Set("pageSize", "1")
		_, err := c.Source.Get(ctx, dependenciesPath, query, nil)
		results = append(results, collectors.CheckResult{Subject: "project " + keys[0] + ": dependency risks", Err: translate.Needs(err, browse), Unknown: "vulnerable dependencies (class sca)"})
	}
	if !c.config.WithoutHotspots {
		try("hotspots", hotspotsPath, "projectKey", "security hotspots")
	}
	try("analyses", "api/project_analyses/search", "project", "when projects were analysed")
	return results, ctx.Err()
}
