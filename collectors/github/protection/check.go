package protection

import (
	"context"
	"errors"
	"slices"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// Check reads the protection of a few branches, environments and CODEOWNERS files, and a rule suite of one repository.
func (c *Collector) Check(ctx context.Context, org string) []collectors.CheckResult {
	var results []collectors.CheckResult
	if c.config.Branches {
		results = append(results, c.checkBranches(ctx, org)...)
	}
	if !c.config.Environments && !c.config.Bypasses {
		return results
	}
	sample, err := c.inventory.Sample(ctx, org)
	probe := func(on bool, subject, unknown string, ask func() error) {
		if on && ctx.Err() == nil {
			results = append(results, collectors.CheckResult{Subject: subject, Err: ask(), Unknown: unknown})
		}
	}
	probe(c.config.Environments, "environments", "how deployment environments are protected", func() error {
		if err != nil || sample == nil {
			return err
		}
		var page struct{}
		_, err := c.API.Get(ctx, "repos/"+api.EscapeName(sample.FullName)+"/environments?per_page=1", &page)
		return api.ScopeError(err, inventory.EnvironmentsPermission)
	})
	probe(c.config.Environments, "CODEOWNERS", "whether code has owners, and whether their file is free of errors", func() error { return c.probeOwners(ctx, org) })
	probe(c.config.Bypasses && c.inventory.Listed(), "rule suites", "rule bypasses", func() error {
		if err != nil || sample == nil {
			return err
		}
		return api.Answered(c.readRuleSuites(ctx, org, *sample, "").Err)
	})
	return results
}

// checkBranches reads the protection of a few repositories, and who may pass by the first ruleset that it meets there.
func (c *Collector) checkBranches(ctx context.Context, org string) []collectors.CheckResult {
	page, err := protectedRepositories.Ask(ctx, c.API, org, api.Few, "")
	result := collectors.CheckResult{
		Subject: "branch protection", Err: api.ScopeError(err, rulesPermission),
		Unknown: "who is bound by classic branch protection and whether it dismisses stale reviews",
	}
	if err != nil {
		return []collectors.CheckResult{result}
	}
	result.Err = hiddenProtection(page.Organization.Repositories.Nodes)
	results := []collectors.CheckResult{result}
	if fullName, id := anyRuleset(page.Organization.Repositories.Nodes); id != 0 {
		results = append(results, c.checkBypass(ctx, org, fullName, id))
	}
	return results
}

// hiddenProtection is a missing permission where classic rules are hidden.
func hiddenProtection(nodes []*protectedRepository) error {
	for _, node := range nodes {
		if node == nil || node.DefaultBranchRef == nil {
			continue
		}
		if ref := node.DefaultBranchRef; slices.Contains(node.Hidden, "branchProtectionRule") || ref.Classic == nil && ref.Update != nil {
			return &record.Error{Reason: record.ReasonPermission, Permission: classicPermission, Err: errors.New("classic branch protection is hidden")}
		}
	}
	return nil
}

// anyRuleset is a ruleset and a repository that it applies to; zero when none is in force.
func anyRuleset(nodes []*protectedRepository) (fullName string, id int64) {
	for _, node := range nodes {
		if node == nil || node.DefaultBranchRef == nil {
			continue
		}
		for _, rule := range node.DefaultBranchRef.Rules.Nodes {
			if rule.Ruleset != nil && rule.Ruleset.ID != 0 {
				return node.NameWithOwner, rule.Ruleset.ID
			}
		}
	}
	return "", 0
}

// checkBypass asks who may pass by a ruleset. That takes the right to change it, which a credential that only reads should not have.
func (c *Collector) checkBypass(ctx context.Context, org, fullName string, id int64) collectors.CheckResult {
	w := &protectionWalk{collector: c, org: org, strict: true, bypass: map[int64]bypass{}, used: map[int64]bool{}, protected: map[record.RepositoryName]bool{}}
	known, err := w.bypassOf(ctx, fullName, id)
	result := collectors.CheckResult{Subject: "bypass actors of rulesets", Err: err, Unknown: "whether administrators are bound by rulesets, and whether anybody may pass by them"}
	if err == nil && known.permission != "" {
		result.Optional = true
		result.Err = &record.Error{Reason: record.ReasonPermission, Permission: known.permission, Err: errors.New("who may pass by a ruleset is shown to nobody but who may change it")}
	}
	return result
}

// probeOwners looks for the CODEOWNERS files of a few repositories; that there is none is an answer.
func (c *Collector) probeOwners(ctx context.Context, org string) error {
	page, err := repositoriesWithEnvironments.Ask(ctx, c.API, org, api.Few, "")
	if err != nil {
		return api.ScopeError(err, api.ContentsPermission)
	}
	for _, node := range page.Organization.Repositories.Nodes {
		if node != nil && node.Lacks("codeowners") {
			return &record.Error{Reason: record.ReasonPermission, Permission: api.ContentsPermission, Err: errors.New("CODEOWNERS files are hidden")}
		}
	}
	return nil
}
