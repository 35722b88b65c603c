package monitoring

import (
	"fmt"

	"prodsec_exporter/internal/policy"
)

// affirmative is the value of the labels privileged, crown_jewel and internet_facing when the answer is yes; what nobody knows is
// "unknown".
const affirmative = "true"

// The scopes of protection.
const (
	scopeBranch      = "branch"
	scopeEnvironment = "environment"
)

// protected selects privileged repositories by the result of one check.
func protected(scope, check string, matchers ...string) string {
	return board(recProtected, append([]string{is("privileged", affirmative), is("scope", scope), is("check", check)}, matchers...)...)
}

// protectedShare is the share of privileged repositories that pass a check. Unknown counts against it; an exemption is left out.
func protectedShare(scope, check string) string {
	return sumBy("", protected(scope, check, is("status", "pass"))) + "\n/\n(" +
		sumBy("", protected(scope, check, isNot("status", "exempt"))) + " > 0)"
}

// protectedCount is the number of privileged repositories with one result of one check.
func protectedCount(scope, check, status string) string {
	return sumBy("", protected(scope, check, is("status", status)))
}

// protectionByCheck is the number of privileged repositories with one of the results, by check.
func protectionByCheck(scope string, statuses ...string) string {
	return sumBy("check", board(recProtected, is("privileged", affirmative), is("scope", scope), in("status", statuses...)))
}

// requiredBy is the number of privileged repositories with one of the results of all required checks together, by a label.
func requiredBy(label, scope string, statuses ...string) string {
	return sumBy(label, protected(scope, string(policy.CheckRequired), in("status", statuses...)))
}

// protectedRatio is the recorded share of privileged repositories that pass one of the checks.
func protectedRatio(checks ...string) string {
	return series(recProtectedRatio, is("privileged", affirmative), in("check", checks...))
}

// gapsByRepository counts the failing or unknown checks of each privileged repository.
func gapsByRepository(status string) string {
	gaps := func(matchers ...string) string {
		return sumBy(ownerLabels+", repository", oneBoard(protectionGap, append(matchers, isNot("check", "required"))...))
	}
	return filled(gaps(is("status", status)), gaps())
}

// gapChecks lists every failing or unknown check of each privileged repository.
func gapChecks() string {
	return top(4*tableRows, maxBy(ownerLabels+", repository, scope, check, status", oneBoard(protectionGap, isNot("check", "required"))))
}

// ownedShare is the share of repositories that a service of the catalog answers for.
func ownedShare() string {
	return fmt.Sprintf("1 - %s\n/\n(%s > 0)", unmapped(), sumBy("", one(scopeSize, is("kind", "repositories"))))
}

func unmapped() string { return sumBy("", one(unmappedRepositories)) }
func unmappedByReason() string {
	return "sort_desc(" + sumBy("reason", one(unmappedRepositories)) + ")"
}

// services counts services of the catalog that match.
func services(by string, matchers ...string) string {
	return sumBy(by, oneBoard(serviceInfo, append(matchers, isNot("service_name", "unattributed"))...))
}

// servicesByTier counts services that match in every tier that has a service.
func servicesByTier(matchers ...string) string {
	return filled(services("trust_tier", matchers...), services("trust_tier"))
}

// factsKnown are the matchers of a service about which everything that policy decides by is known.
func factsKnown() []string {
	return []string{
		isNot("trust_tier", "unknown"), isNot("crown_jewel", "unknown"), isNot("internet_facing", "unknown"), isNot("team", "unattributed"),
	}
}

func factsKnownShare() string {
	return services("", factsKnown()...) + "\n/\n(" + services("") + " > 0)"
}

// factsUnknown counts the services about which something is unknown; every service is either in this number or known.
func factsUnknown(by string) string {
	return fmt.Sprintf("(%s - (%s or 0 * %s))", services(by), services(by, factsKnown()...), services(by))
}

// guaranteesOverTime are the recorded shares behind the headlines of Delivery trust.
func guaranteesOverTime() string {
	on := func(scope string, checks ...policy.Check) string {
		names := make([]string, len(checks))
		for i, c := range checks {
			names[i] = string(c)
		}
		return series(recProtectedRatio, is("privileged", affirmative), is("scope", scope), in("check", names...))
	}
	return on(scopeBranch, policy.CheckApprovals, policy.CheckAdminsBound, policy.CheckBypassLimited) +
		"\nor\n" + on(scopeEnvironment, policy.CheckRequiredReviewers)
}
