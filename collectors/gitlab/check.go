package gitlab

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// Check proves what the token may read, by one request for each thing, on the first project of each group.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	var results []collectors.CheckResult
	add := func(subject string, err error, permission, unknown string, optional bool) {
		results = append(results, collectors.CheckResult{Subject: subject, Err: needs(err, permission), Unknown: unknown, Optional: optional})
	}
	for _, group := range c.config.Groups {
		subject := "group " + group
		var projects []project
		response, err := c.api.get(ctx, "groups/"+segment(group)+"/projects", url.Values{"include_subgroups": {"true"}, "per_page": {"1"}}, &projects)
		counted := subject + ": projects"
		if err == nil && response.Header.Get(totalHeader) != "" {
			counted += fmt.Sprintf(" (%s are visible)", record.Text(response.Header.Get(totalHeader)))
		}
		add(counted, err, asReporter, "everything of the group", false)
		if *c.config.Vulnerabilities {
			var page vulnerabilityPage
			err := c.api.query(ctx, vulnerabilityQuery(c.unsupported(ctx, group)), map[string]any{"group": group, "first": 1, "after": nil}, &page)
			if err == nil {
				err = vulnerabilitiesShown(&page)
			}
			add(subject+": vulnerabilities", err, asDeveloper+", and the tier Ultimate", "the findings of the group; set vulnerabilities: false if the tier has none", false)
		}
		_, err = c.api.get(ctx, "groups/"+segment(group)+"/runners", url.Values{"per_page": {"1"}}, nil)
		add(subject+": runners", err, asGroupOwner, "who may use the group's runners", true)
		if len(projects) > 0 {
			c.checkProject(ctx, &projects[0], add)
		}
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
	}
	return results, nil
}

// unsupported are the fields of a vulnerability that this version of GitLab does not have.
func (c *Collector) unsupported(ctx context.Context, group string) map[string]bool {
	without := map[string]bool{}
	for range optionalFields {
		var page vulnerabilityPage
		field := missingField(c.api.query(ctx, vulnerabilityQuery(without), map[string]any{"group": group, "first": 1, "after": nil}, &page))
		if field == "" || without[field] {
			break
		}
		without[field] = true
	}
	return without
}

// checkProject tries what is asked of each project.
func (c *Collector) checkProject(ctx context.Context, p *project, add func(subject string, err error, permission, unknown string, optional bool)) {
	for _, one := range []struct{ what, path, permission, unknown string }{
		{"protected branches", "protected_branches", asMaintainer, "how branches are protected"},
		{"approval rules", "approval_rules", premiumOrRole, "how many approvals a change needs"},
		{"protected environments", "protected_environments", premiumOrRole, "how environments are protected"},
		{"audit events", "audit_events", premiumOrRole, "rule bypasses"},
		{"deployments", "deployments", asReporter, "deployments, and DORA's measures"},
		{"releases", "releases", asReporter, "releases and their evidence"},
		{"names of variables", "variables", asMaintainer, "whether pipelines keep long-lived keys of clouds"},
	} {
		if one.path == "audit_events" && !c.config.Bypasses {
			continue
		}
		_, err := c.api.get(ctx, numbered(p.ID, one.path), url.Values{"per_page": {"1"}}, nil)
		add("project "+strings.TrimSpace(p.Path)+" ("+strconv.FormatInt(p.ID, 10)+"): "+one.what, err, one.permission, one.unknown, true)
	}
}
