package names

import "prodsec_exporter/internal/snapshot"

// ReplicaLabels are the target labels that tell two replicas of the exporter apart. Every query folds them with max, so that a
// fail-over during which both expose a series, or two scrapes of the same ledger, count once. The label job is kept: two jobs are two programmes.
var ReplicaLabels = []string{"instance", "pod", "container", "endpoint", "node"}

// The label groups that families share (see docs/metrics.md).
const (
	OwnerLabels = "business_unit, team, service_name, trust_tier"
	GroupLabels = "business_unit, team, trust_tier"
)

// BoardVariables are the labels a board can be restricted by; the variables have the same names.
var BoardVariables = []string{"business_unit", "team", "trust_tier"}

// affirmative is the value of the labels privileged, crown_jewel and internet_facing when the answer is yes; what nobody knows is
// "unknown".
const (
	Affirmative = "true"
	Negative    = "false"
)

// The scopes of checks.
const (
	ScopeBranch      = "branch"
	ScopeEnvironment = "environment"
)

// OtherEnvironments is the value of the label environment of every environment that is not production.
const OtherEnvironments = "other"

// The values of the label derived_from: the facts an alert rests on. Alertmanager mutes it while a collector that delivers them is down, because then
// it would fire, or resolve, on what nobody knows.
const (
	FromFindings     = "findings"
	FromExceptions   = "exceptions"
	FromRepositories = "repositories"
	FromControls     = "controls"
	FromRequests     = "requests" // reviews, follow-up actions and escalations
)

// CauseControlGap is the value of the label cause of changes that failed for a control gap. It is present, be it at 0, only where a source of incidents was read: nothing else
// states causes.
const CauseControlGap = "control_gap"

// UnownedReasons are the reasons for which a repository that counts has no owner. Archived repositories, forks and those that no source host lists are no part of
// the repositories that are counted, and so of no share of them.
var UnownedReasons = []string{string(snapshot.UnmappedNoCatalogEntry), string(snapshot.UnmappedNoOwner)}
