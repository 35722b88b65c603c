package metrics

import (
	"slices"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The values of the label "scope" of protection checks.
const (
	scopeBranch      = "branch"
	scopeEnvironment = "environment"
)

// protectionCheck is a check and what it looks at.
type protectionCheck struct {
	check policy.Check
	scope string
}

// protectionChecks lists all checks; a posture refers to them by position.
var protectionChecks = func() []protectionCheck {
	var checks []protectionCheck
	for _, c := range append(policy.BranchChecks(), policy.CheckRequired) {
		checks = append(checks, protectionCheck{c, scopeBranch})
	}
	for _, c := range append(policy.EnvironmentChecks(), policy.CheckRequired) {
		checks = append(checks, protectionCheck{c, scopeEnvironment})
	}
	return checks
}()

// result is a position in results.
type result int8

// results are the statuses a repository can have.
var results = []policy.Status{policy.StatusPass, policy.StatusFail, policy.StatusUnknown}

// notApplicable is the result of a check that looks at nothing the repository has.
const notApplicable result = -1

// posture is how well a repository is protected.
type posture struct {
	repository record.RepositoryName
	owner      int32
	privileged bool
	// dropped: what is known is too old to be shown.
	dropped bool
	// status is by position in protectionChecks.
	status []result
}

// newPostures judges all repositories that a source host knows, without archived ones and forks.
func newPostures(in *Input, sources *readState) []posture {
	s := in.Snapshot
	tiers := tiersOf(s)
	speaks := speaksOfEnvironments(s)
	statuses := make([]result, len(s.Repositories)*len(protectionChecks))
	var postures []posture
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if r.Scope < 0 || r.Archived || r.Fork {
			continue
		}
		p := posture{
			repository: r.Name,
			owner:      s.Services[r.Service].Owner,
			privileged: in.Policy.Privileged(&r.Repository, append(tiers[r.Name], s.Services[r.Service].TrustTier)...),
			dropped:    sources.isDropped(r.Scope),
			status:     statuses[:len(protectionChecks):len(protectionChecks)],
		}
		statuses = statuses[len(protectionChecks):]
		for at, c := range protectionChecks {
			p.status[at] = c.of(in.Policy, r, speaks[r.Scope])
		}
		postures = append(postures, p)
	}
	return postures
}

// of is the result of the check for a repository. A repository whose environments were not read is unknown if its scope reads
// environments at all.
func (c protectionCheck) of(p *policy.Policy, r *snapshot.Repository, readsEnvironments bool) result {
	var buffer [8]policy.Status
	all := buffer[:0]
	if c.scope == scopeBranch {
		for i := range r.Branches {
			all = append(all, p.Branch(&r.Branches[i], c.check))
		}
		return resultOf(policy.Worst(all...))
	}
	if r.Environments == nil && readsEnvironments {
		return resultOf(policy.StatusUnknown)
	}
	for i := range r.Environments {
		if p.Production(r.Environments[i].Environment) {
			all = append(all, p.Environment(&r.Environments[i], c.check))
		}
	}
	if len(all) == 0 {
		return notApplicable // there is no production environment to protect
	}
	return resultOf(policy.Worst(all...))
}

func resultOf(s policy.Status) result { return result(slices.Index(results, s)) }

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

// speaksOfEnvironments marks the scopes that read the environments of at least one repository.
func speaksOfEnvironments(s *snapshot.Snapshot) []bool {
	speaks := make([]bool, len(s.Scopes))
	for i := range s.Repositories {
		if r := &s.Repositories[i]; r.Scope >= 0 && r.Environments != nil {
			speaks[r.Scope] = true
		}
	}
	return speaks
}
