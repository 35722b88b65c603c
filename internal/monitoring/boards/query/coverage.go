package query

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// protected selects repositories by the result of one check of their branches.
func protected(privileged string, check policy.Check, matchers ...string) string {
	return promql.SeriesChosen(names.RecProtected, append([]string{promql.Is("privileged", privileged), promql.Is("scope", names.ScopeBranch), promql.Is("check", string(check))}, matchers...)...)
}

// ProtectedRatio is the repositories that pass a check, among all to which it applies.
func ProtectedRatio(privileged string, check policy.Check) Ratio {
	return Ratio{Part: promql.SumBy("", protected(privileged, check, promql.Is("status", "pass"))), Whole: promql.SumBy("", protected(privileged, check))}
}

// ProtectedCount is the number of repositories with one result of one check.
func ProtectedCount(privileged string, check policy.Check, status string) string {
	return promql.SumBy("", protected(privileged, check, promql.Is("status", status)))
}

// ProtectionByCheck is the number of privileged repositories with one of the results, by check.
func ProtectionByCheck(statuses ...string) string {
	return promql.SumBy("check", promql.SeriesChosen(names.RecProtected, promql.Is("privileged", names.Affirmative), promql.Is("scope", names.ScopeBranch), promql.In("status", statuses...)))
}

// EnvironmentsBy is the number of privileged repositories with a production environment that have one of the results, by a label.
func EnvironmentsBy(label string, statuses []string, matchers ...string) string {
	return promql.SumBy(label, promql.SeriesChosen(names.RecProtected, append([]string{promql.Is("privileged", names.Affirmative), promql.Is("scope", names.ScopeEnvironment), promql.In("status", statuses...)}, matchers...)...))
}

// RequiredBy is the number of privileged repositories with one of the results of all required checks together, by a label.
func RequiredBy(label string, statuses ...string) string {
	return promql.SumBy(label, protected(names.Affirmative, policy.CheckRequired, promql.In("status", statuses...)))
}

// UnreadChecks counts the repositories, privileged or not, of which a check could not be read.
func UnreadChecks() string {
	return promql.Top(8, promql.SumBy("check", promql.SeriesChosen(names.RecProtected, promql.Is("scope", names.ScopeBranch), promql.Is("status", "unknown")))+" > 0")
}

// GapsByTeam counts the failing or unknown checks of privileged repositories by team.
func GapsByTeam(statuses ...string) string {
	return promql.SumBy("team", promql.OnceChosen(names.ProtectionGap, promql.In("status", statuses...), promql.IsNot("check", "required")))
}

// ProtectedOverTime is the recorded share of privileged repositories that pass one of the checks.
func ProtectedOverTime(checks ...string) string {
	return promql.Series(names.RecProtectedRatio, promql.Is("privileged", names.Affirmative), promql.Is("scope", names.ScopeBranch), promql.In("check", checks...))
}

// GapsByRepository counts the failing or unknown checks of each privileged repository.
func GapsByRepository(status string) string {
	gaps := func(matchers ...string) string {
		return promql.SumBy(names.OwnerLabels+", repository", promql.OnceChosen(names.ProtectionGap, append(matchers, promql.IsNot("check", "required"))...))
	}
	return promql.Filled(gaps(promql.Is("status", status)), gaps())
}

// GapChecks lists every failing or unknown check of each privileged repository.
func GapChecks() string {
	return promql.Top(4*settings.TableRows, promql.MaxBy(names.OwnerLabels+", repository, scope, check, status", promql.OnceChosen(names.ProtectionGap, promql.IsNot("check", "required"))))
}

// OwnedRatio is the repositories that a service of the catalog owns, among all that are neither archived nor forks.
func OwnedRatio() Ratio {
	all := promql.SumBy("", promql.Once(names.ScopeSize, promql.Is("kind", "repositories")))
	return Ratio{Part: "(" + all + "\n- " + Unmapped() + ")", Whole: all}
}

// Unmapped counts the repositories that no service owns, of those that OwnedRatio is about.
func Unmapped() string {
	return promql.SumBy("", promql.Once(names.UnmappedRepositories, promql.In("reason", names.UnownedReasons...)))
}

// UnmappedByReason is the same by reason.
func UnmappedByReason() string {
	return "sort_desc(" + promql.SumBy("reason", promql.Once(names.UnmappedRepositories)) + ")"
}

// DisputesByField counts the services of which two catalogs know a fact differently.
func DisputesByField() string {
	return "sort_desc(" + promql.SumBy("field", promql.Once(names.CatalogConflicts)) + ")"
}

// ScansByClass counts repositories with one freshness of their last scan, by class, for every class that a source says anything about.
func ScansByClass(status string) string {
	return promql.Filled(promql.SumBy("class", promql.OnceChosen(names.ScanRepositories, promql.Is("status", status))), promql.SumBy("class", promql.OnceChosen(names.ScanRepositories)))
}

// services counts services of the catalog that match.
func services(by string, matchers ...string) string {
	return promql.SumBy(by, promql.OnceChosen(names.ServiceInfo, append(matchers, promql.IsNot("service_name", "unattributed"))...))
}

// ServicesByTier counts services that match in every tier that has a service.
func ServicesByTier(matchers ...string) string {
	return promql.Filled(services("trust_tier", matchers...), services("trust_tier"))
}

// factsKnown are the matchers of a service about which everything that policy decides by is known.
func factsKnown() []string {
	return []string{
		promql.IsNot("trust_tier", "unknown"), promql.IsNot("crown_jewel", "unknown"), promql.IsNot("internet_facing", "unknown"), promql.IsNot("team", "unattributed"),
	}
}

// FactsKnownRatio is their share of all services.
func FactsKnownRatio() Ratio { return Ratio{Part: services("", factsKnown()...), Whole: services("")} }

// FactsUnknown counts the services about which something is unknown; every service is either in this number or known.
func FactsUnknown(by string) string {
	return fmt.Sprintf("(%s - (%s or 0 * %s))", services(by), services(by, factsKnown()...), services(by))
}

// GuaranteesOverTime are the recorded shares behind the headlines of Delivery trust.
func GuaranteesOverTime() string {
	return ProtectedOverTime(string(policy.CheckApprovals), string(policy.CheckAdminsBound), string(policy.CheckBypassLimited), string(policy.CheckForcePushBlocked))
}
