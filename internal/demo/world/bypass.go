package world

import (
	"time"
)

// Bypass is a push or merge that bypassed the rules of a repository's default branch.
type Bypass struct {
	ID int64
	At time.Time
	By string
	// Rules are the types of the rules that were passed by, in GitHub's words.
	Rules []string
}

// bypassesPerWeek is how often somebody goes past rules that bind everybody, and those that let administrators pass.
const (
	bypassesPerWeek      = 0.02
	leakyBypassesPerWeek = 0.35
)

// whoBypasses are the people who may, and do.
var whoBypasses = []string{"kai-brandt", "ruth-adeyemi", "release-bot"}

// BypassesBetween lists the rule bypasses of a repository in a span of time, oldest first.
func (w *World) BypassesBetween(r *Repository, from, to time.Time) []*Bypass {
	rules, leaky := r.bypassable()
	if len(rules) == 0 || r.Archived {
		return nil
	}
	var list []*Bypass
	for n := weekOf(from); n <= weekOf(to); n++ {
		random := w.random("bypass", r.FullName(), n)
		mean := bypassesPerWeek
		if leaky {
			mean = leakyBypassesPerWeek
		}
		for i := range min(poisson(random, mean), 9) {
			b := &Bypass{
				ID: int64(r.Index)*100_000 + (n%10_000)*10 + int64(i) + 1, By: whoBypasses[random.IntN(len(whoBypasses))],
				At: startOf(n).Add(time.Duration(i)*18*time.Hour + between(random, 0, 17*time.Hour)), Rules: rules[:1],
			}
			if random.Float64() < 0.4 {
				b.Rules = rules
			}
			if !b.At.Before(from) && !b.At.After(to) {
				list = append(list, b)
			}
		}
	}
	return list
}

// bypassable are the types of the rules that bind a repository's default branch, the one that is in the way most first, and whether somebody may pass by all of them.
func (r *Repository) bypassable() (rules []string, leaky bool) {
	bound := BranchRules{}
	add := func(b BranchRules, passed bool) {
		bound.PullRequest = bound.PullRequest || b.PullRequest
		bound.BlockForcePush = bound.BlockForcePush || b.BlockForcePush
		bound.StatusChecks = append(bound.StatusChecks, b.StatusChecks...)
		leaky = leaky || passed
	}
	for _, ruleset := range r.Protection.Rulesets {
		if ruleset.Enforcement == EnforcementActive {
			always := false
			for _, actor := range ruleset.Bypass {
				always = always || actor.Mode == "always"
			}
			add(ruleset.Rules, always)
		}
	}
	if classic := r.Protection.Classic; classic != nil {
		add(*classic, !classic.IncludingAdmins)
	}
	if bound.PullRequest {
		rules = append(rules, "pull_request")
	}
	if len(bound.StatusChecks) > 0 {
		rules = append(rules, "required_status_checks")
	}
	if bound.BlockForcePush && len(rules) == 0 {
		rules = append(rules, "non_fast_forward")
	}
	return rules, leaky
}
