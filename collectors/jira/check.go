package jira

import (
	"context"
	"encoding/json"
	"fmt"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// sampleSize is how many issues of a query the check looks into.
const sampleSize = 50

// Check proves the credential, the fields and each query by the cheapest requests, and looks whether what a few issues hold is understood.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	s, err := c.open(ctx, true)
	results := []collectors.CheckResult{{Subject: "jira: credential", Err: err, Unknown: "everything read from Jira"}}
	if err != nil {
		return results, ctx.Err()
	}
	c.lookAround(ctx, s)
	for _, m := range c.mappings {
		issues, err := c.sample(ctx, s, m)
		if more, ok := m.(completer); ok && err == nil {
			err = more.prepare(ctx, c, s, true)
		}
		results = append(results, collectors.CheckResult{Subject: "jira: " + m.scope(), Err: err, Unknown: m.unknown()})
		if count, first := warnings(issues); count > 0 {
			results = append(results, collectors.CheckResult{
				Subject:  "jira: " + m.scope() + ": what issues hold",
				Err:      &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%d of %d issues are not understood, or not wholly: %s", count, len(issues), first)},
				Unknown:  "which service or repository those issues are about",
				Optional: true,
			})
		}
	}
	return results, ctx.Err()
}

// samplePage is the first page of a search, with what it tells of how many there are.
type samplePage struct {
	Issues []json.RawMessage `json:"issues"`
	Total  *int              `json:"total"`
	IsLast bool              `json:"isLast"`
}

// sample reads the first issues of a mapping, as a collection would but for their changelogs.
func (c *Collector) sample(ctx context.Context, s *session, m mapping) ([]*issue, error) {
	resolved, err := c.resolve(s, m.fields())
	if err != nil {
		return nil, err
	}
	var page samplePage
	jql, fields := restricted(m.jql(), ""), fieldList(resolved)
	if s.cloud {
		err = c.cloudPage(ctx, jql, fields, "", sampleSize, &page)
	} else {
		err = c.dataCenterPage(ctx, jql, fields, 0, sampleSize, &page)
	}
	if err != nil {
		return nil, err
	}
	c.countIssues(ctx, s, m, &page)
	issues, _ := c.understand(page.Issues, resolved, s.followedBy(m, resolved))
	if err := c.nameAssets(ctx, m.fields(), issues, true); err != nil {
		return nil, err
	}
	var b record.Batch
	for _, i := range issues {
		m.add(i, &b) // rejected issues are counted when they are collected
	}
	return issues, nil
}
