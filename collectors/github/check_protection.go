package github

import (
	"context"
	"errors"
	"slices"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// checkProtection reads the protection of a few repositories, and who may pass by the first ruleset that it meets there.
func (c *Collector) checkProtection(ctx context.Context, org, subject string) []collectors.CheckResult {
	page, err := protectedRepositories.ask(ctx, c, org, few, "")
	result := collectors.CheckResult{
		Subject: subject + "branch protection", Err: scopeError(err, rulesPermission),
		Unknown: "who is bound by classic branch protection and whether it dismisses stale reviews",
	}
	if err != nil {
		return []collectors.CheckResult{result}
	}
	result.Err = hiddenProtection(page.Organization.Repositories.Nodes)
	results := []collectors.CheckResult{result}
	if fullName, id := anyRuleset(page.Organization.Repositories.Nodes); id != 0 {
		results = append(results, c.checkBypass(ctx, subject, fullName, id))
	}
	return results
}

// hiddenProtection is a missing permission where classic rules are hidden.
func hiddenProtection(nodes []*protectedRepository) error {
	for _, node := range nodes {
		if node == nil || node.DefaultBranchRef == nil {
			continue
		}
		if ref := node.DefaultBranchRef; slices.Contains(node.hidden, "branchProtectionRule") || ref.Classic == nil && ref.Update != nil {
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
func (c *Collector) checkBypass(ctx context.Context, subject, fullName string, id int64) collectors.CheckResult {
	w := &protectionWalk{collector: c, bypass: map[int64]bypass{}, used: map[int64]bool{}}
	known, err := w.bypassOf(ctx, fullName, id)
	result := collectors.CheckResult{Subject: subject + "bypass actors of rulesets", Err: err, Unknown: "whether administrators are bound by rulesets, and whether anybody may pass by them"}
	if err == nil && known.permission != "" {
		result.Optional = true
		result.Err = &record.Error{Reason: record.ReasonPermission, Permission: known.permission, Err: errors.New("who may pass by a ruleset is shown to nobody but who may change it")}
	}
	return result
}
