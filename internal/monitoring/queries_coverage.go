package monitoring

import (
	"fmt"

	"prodsec_exporter/internal/policy"
)

// affirmative is the value of the labels privileged, crown_jewel and internet_facing when the answer is yes; what nobody knows is
// "unknown".
const (
	affirmative = "true"
	negative    = "false"
)

// The scopes of checks.
const (
	scopeBranch      = "branch"
	scopeEnvironment = "environment"
)

// protected selects repositories by the result of one check of their branches.
func protected(privileged string, check policy.Check, matchers ...string) string {
	return board(recProtected, append([]string{is("privileged", privileged), is("scope", scopeBranch), is("check", string(check))}, matchers...)...)
}

// protectedShare is the share of repositories that pass a check. Unknown counts against it; an exemption is left out.
func protectedShare(privileged string, check policy.Check) string {
	return sumBy("", protected(privileged, check, is("status", "pass"))) + "\n/\n(" +
		sumBy("", protected(privileged, check, isNot("status", "exempt"))) + " > 0)"
}

// protectedCount is the number of repositories with one result of one check.
func protectedCount(privileged string, check policy.Check, status string) string {
	return sumBy("", protected(privileged, check, is("status", status)))
}

// protectionByCheck is the number of privileged repositories with one of the results, by check.
func protectionByCheck(statuses ...string) string {
	return sumBy("check", board(recProtected, is("privileged", affirmative), is("scope", scopeBranch), in("status", statuses...)))
}

// environmentsBy is the number of privileged repositories with a production environment that have one of the results, by a label.
func environmentsBy(label string, statuses []string, matchers ...string) string {
	return sumBy(label, board(recProtected, append([]string{is("privileged", affirmative), is("scope", scopeEnvironment), in("status", statuses...)}, matchers...)...))
}

// requiredBy is the number of privileged repositories with one of the results of all required checks together, by a label.
func requiredBy(label string, statuses ...string) string {
	return sumBy(label, protected(affirmative, policy.CheckRequired, in("status", statuses...)))
}

// unreadChecks counts the repositories, privileged or not, of which a check could not be read.
func unreadChecks() string {
	return top(8, sumBy("check", board(recProtected, is("scope", scopeBranch), is("status", "unknown")))+" > 0")
}

// gapsByTeam counts the failing or unknown checks of privileged repositories by team.
func gapsByTeam(statuses ...string) string {
	return sumBy("team", oneBoard(protectionGap, in("status", statuses...), isNot("check", "required")))
}

// protectedRatio is the recorded share of privileged repositories that pass one of the checks.
func protectedRatio(checks ...string) string {
	return series(recProtectedRatio, is("privileged", affirmative), is("scope", scopeBranch), in("check", checks...))
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

// disputesByField counts the services of which two catalogs know a fact differently.
func disputesByField() string { return "sort_desc(" + sumBy("field", one(catalogConflicts)) + ")" }

// scansByClass counts repositories with one freshness of their last scan, by class, for every class that a source says anything about.
func scansByClass(status string) string {
	return filled(sumBy("class", oneBoard(scanRepositories, is("status", status))), sumBy("class", oneBoard(scanRepositories)))
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
	return protectedRatio(string(policy.CheckApprovals), string(policy.CheckAdminsBound), string(policy.CheckBypassLimited), string(policy.CheckForcePushBlocked))
}
