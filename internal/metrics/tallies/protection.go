package tallies

import (
	"slices"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The values of the label "scope" of protection checks.
const (
	ScopeBranch      = "branch"
	ScopeEnvironment = "environment"
)

// ProtectionCheck is a check and what it looks at.
type ProtectionCheck struct {
	Check policy.Check
	// Scope is ScopeBranch or ScopeEnvironment.
	Scope string
}

// ProtectionChecks lists all checks; a Posture refers to them by position.
var ProtectionChecks = func() []ProtectionCheck {
	var checks []ProtectionCheck
	for _, c := range append(policy.BranchChecks(), policy.CheckRequired) {
		checks = append(checks, ProtectionCheck{c, ScopeBranch})
	}
	for _, c := range append(policy.EnvironmentChecks(), policy.CheckRequired) {
		checks = append(checks, ProtectionCheck{c, ScopeEnvironment})
	}
	return checks
}()

// ProtectionResult is a position in ProtectionResults.
type ProtectionResult int8

// ProtectionResults are the statuses that a check of a repository can have.
var ProtectionResults = []policy.Status{policy.StatusPass, policy.StatusFail, policy.StatusUnknown}

// NotApplicable is the result of a check that looks at nothing the repository has.
const NotApplicable ProtectionResult = -1

// Posture is how well a repository is protected.
type Posture struct {
	Repository record.RepositoryName
	// Owner is a position in Snapshot.Owners.
	Owner      int32
	Privileged bool
	// Dropped: what is known is too old to be shown.
	Dropped bool
	// Results are by position in ProtectionChecks.
	Results []ProtectionResult
}

// newPostures judges all repositories that a source host knows, without archived ones and forks.
func newPostures(in *Input, sources *Sources) []Posture {
	s := in.Snapshot
	tiers := tiersOf(s)
	reads := ScopesWithEnvironments(s)
	results := make([]ProtectionResult, len(s.Repositories)*len(ProtectionChecks))
	var postures []Posture
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if r.Scope < 0 || r.Archived || r.Fork {
			continue
		}
		p := Posture{
			Repository: r.Name,
			Owner:      s.Services[r.Service].Owner,
			Privileged: in.Policy.Privileged(&r.Repository, append(tiers[r.Name], s.Services[r.Service].TrustTier)...),
			Dropped:    sources.IsDropped(r.Scope),
			Results:    results[:len(ProtectionChecks):len(ProtectionChecks)],
		}
		results = results[len(ProtectionChecks):]
		for at, c := range ProtectionChecks {
			p.Results[at] = c.of(in.Policy, r, reads[r.Scope])
		}
		postures = append(postures, p)
	}
	return postures
}

// of is the result of the check for a repository. A repository whose environments were not read is unknown if its scope reads
// environments at all.
func (c ProtectionCheck) of(p *policy.Policy, r *snapshot.Repository, readsEnvironments bool) ProtectionResult {
	var buffer [8]policy.Status
	all := buffer[:0]
	if c.Scope == ScopeBranch {
		for i := range r.Branches {
			all = append(all, p.Branch(&r.Branches[i], c.Check))
		}
		return resultOf(policy.Worst(all...))
	}
	if r.Environments == nil && readsEnvironments {
		return resultOf(policy.StatusUnknown)
	}
	for i := range r.Environments {
		if p.Production(r.Environments[i].Environment) {
			all = append(all, p.Environment(&r.Environments[i], c.Check))
		}
	}
	if len(all) == 0 {
		return NotApplicable // there is no production environment to protect
	}
	return resultOf(policy.Worst(all...))
}

func resultOf(s policy.Status) ProtectionResult {
	return ProtectionResult(slices.Index(ProtectionResults, s))
}

// tiersOf lists the trust tiers of the services that have a part in each repository.
func tiersOf(s *snapshot.Snapshot) map[record.RepositoryName][]string {
	tiers := make(map[record.RepositoryName][]string, len(s.Repositories))
	for i := range s.Services {
		service := &s.Services[i]
		for _, path := range service.Repositories {
			if !slices.Contains(tiers[path.Repository], service.TrustTier) {
				tiers[path.Repository] = append(tiers[path.Repository], service.TrustTier)
			}
		}
	}
	return tiers
}

// ScopesWithEnvironments marks the scopes that read the environments of at least one repository.
func ScopesWithEnvironments(s *snapshot.Snapshot) []bool {
	reads := make([]bool, len(s.Scopes))
	for i := range s.Repositories {
		if r := &s.Repositories[i]; r.Scope >= 0 && r.Environments != nil {
			reads[r.Scope] = true
		}
	}
	return reads
}

// privilegedRepositories are those that policy calls privileged.
func privilegedRepositories(postures []Posture) map[record.RepositoryName]bool {
	privileged := map[record.RepositoryName]bool{}
	for i := range postures {
		if postures[i].Privileged {
			privileged[postures[i].Repository] = true
		}
	}
	return privileged
}
