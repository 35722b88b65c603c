// Package snapshot is the form in which the ledger hands over what it knows: immutable, compact, and free of I/O, so
// that a metric can be a pure function of (snapshot, policy, instant).
//
// Reports by several tools of one weakness are already folded here: a Weakness is what families count. Owners are
// frozen into events and looked up by index, so that a later re-organisation does not rewrite the past.
//
// # Two times
//
// An event has the time its source gives (Event.At) and the time from which it counts (Event.Counted). They differ: the
// first pass over existing data, before the ledger is founded, imports history that counts from the source's
// dates; afterwards an event counts from when it was observed, because that is when the numbers changed; what only the
// calendar decides (an SLA that is missed, an exception that ends) counts from its date. So at any instant t the open
// weaknesses are the sum of the signs of all events counted until t, which makes flows reconcile exactly.
//
// # Counters and windows
//
// A scope that is read for the first time after the founding brings history, too. Windows have it on its dates, as if the scope had been read with the
// others. Counters do not: Prometheus takes every increase of a counter for something that happens now, so they have that weaknesses came
// into view. Event.Sums says which of the two has an event. The open weaknesses are the sum of the signs over the events of either.
//
// The package knows records and policy and does no I/O. To add a kind of record, add a field of Held to Snapshot (and one of Milestone if
// counters count it), fill it in the ledger, and hold it back in imported.go.
package snapshot

import (
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Snapshot is all that the ledger knew at an instant. It is never changed after it was made; readers share it.
type Snapshot struct {
	// At is the instant up to which time-driven events were settled.
	At time.Time
	// Founded is when the first full pass ended; zero before that.
	Founded time.Time
	// PolicyVersions are the versions outcomes were frozen under, in order of use; the last is in force.
	PolicyVersions []PolicyVersion

	// Services are merged over the catalogs. Index 0 is the service record.Unattributed.
	Services []Service
	// CatalogConflicts are what catalogs know differently about services, ordered by the service's name and field.
	CatalogConflicts []CatalogConflict
	// Owners are the distinct owners that services have or had; events refer to them.
	Owners []Owner
	// Repositories are known to a source host, a catalog or a finding.
	Repositories []Repository
	// Strings are interned texts (categories, tools, rules); index 0 is the empty string.
	Strings []string
	// Scopes are all scopes that were ever emitted and not removed from the configuration.
	Scopes []Scope

	// Weaknesses, open and closed. Positions are stable for the life of a ledger.
	Weaknesses Table[Weakness]
	// Events in the order in which they were derived.
	Events Table[Event]
	// Pauses are the spans in which an exception stops a weakness's clock, by position in Weaknesses, ordered by start and disjoint.
	Pauses map[int32][]policy.Pause
	// Base are the events that compaction removed, as sums; counters start from them.
	Base []BaseCount

	Exceptions  []Held[record.Exception]
	Reviews     []Held[record.Review]
	Followups   []Held[record.Followup]
	Incidents   []Held[record.Incident]
	Deployments []Held[record.Deployment]
	Releases    []Held[record.Release]
	Escalations []Held[record.Escalation]
	Evidence    []Held[record.Evidence]
	Scans       []Held[record.Scan]
	Pipelines   []Held[record.Pipeline]
	Runners     []Held[record.Runner]
	// CloudIdentities are by repository.
	CloudIdentities []Held[record.CloudIdentity]
	Bypasses        []Held[record.Bypass]

	// Answered, Decided, Completed, Raised and those below are what is counted of records, each once and in the order in which it was observed:
	// the first answer to a review, the first decision on an exception, the first closing of a follow-up, an escalation. They stay
	// when the record leaves its source.
	Answered  []Milestone[record.Review]
	Decided   []Milestone[record.Exception]
	Completed []Milestone[record.Followup]
	Raised    []Milestone[record.Escalation]
	// Deployed are deployments that succeeded or failed, Opened incidents as they were opened, Restored as they were restored, Bypassed
	// rule bypasses, and pushes that a rule stopped.
	Deployed []Milestone[record.Deployment]
	Opened   []Milestone[record.Incident]
	Restored []Milestone[record.Incident]
	Bypassed []Milestone[record.Bypass]

	// Records counts what is held, by kind; findings are counted as reports, before folding.
	Records map[record.Kind]int
	// CountingChanges lists the changes in how things are counted, oldest first.
	CountingChanges []CountingChange
}

// PolicyVersion is a policy and since when it was in force.
type PolicyVersion struct {
	Version string
	Since   time.Time
}

// CountingChange is a change in how things are counted.
type CountingChange struct {
	Kind CountingKind
	At   time.Time
	// Restated is, by metric, the value under the new rules less the value under the old ones, at the same instant and over the same
	// records; nil when it was not computed. A metric that is not in it was unknown under one of them.
	Restated map[string]float64
}

// CountingKind is the label "kind" of prodsec_counting_changes_total.
type CountingKind string

// The kinds of counting change.
const (
	CountingPolicy        CountingKind = "policy"
	CountingScope         CountingKind = "scope"
	CountingSource        CountingKind = "source"
	CountingDeduplication CountingKind = "deduplication"
	CountingMigration     CountingKind = "migration"
)

// CountingKinds lists the kinds of counting change.
func CountingKinds() []CountingKind {
	return []CountingKind{CountingPolicy, CountingScope, CountingSource, CountingDeduplication, CountingMigration}
}

// Owner is who answered for a service at some time. Its fields are the OWNER labels.
type Owner struct {
	BusinessUnit string
	Team         string
	Service      string
	TrustTier    string
}

// UnattributedOwner owns what no catalog claims.
var UnattributedOwner = Owner{
	BusinessUnit: record.Unattributed, Team: record.Unattributed, Service: record.Unattributed, TrustTier: string(policy.TierUnknown),
}

// Service is a service as merged over the catalogs.
type Service struct {
	record.Service
	// Owner is its present owner, an index into Snapshot.Owners.
	Owner int32
	// Tier is the position of its trust tier in the policy's table, for SLA targets.
	Facts policy.ServiceFacts
}

// Repository is a repository and the service that its contents belong to by default.
type Repository struct {
	record.Repository
	// Service is an index into Snapshot.Services; 0 when no catalog claims the repository.
	Service int32
	// Unmapped is why no team owns it; empty if one does, or if every service that has a part of it has a team. A service without a team leaves it
	// UnmappedNoOwner.
	Unmapped UnmappedReason
	// Scope is an index into Snapshot.Scopes, -1 when only a catalog or a finding names the repository.
	Scope int32
}

// UnmappedReason is the label "reason" of prodsec_unmapped_repositories.
type UnmappedReason string

// The reasons why a repository belongs to no service.
const (
	// UnmappedNoCatalogEntry: no catalog mentions it.
	UnmappedNoCatalogEntry UnmappedReason = "no_catalog_entry"
	// UnmappedNoOwner: its service, or one that has a part of it, names no team.
	UnmappedNoOwner UnmappedReason = "no_owner"
	// UnmappedArchived and UnmappedFork: it has no owner, and is archived or a fork.
	UnmappedArchived UnmappedReason = "archived"
	UnmappedFork     UnmappedReason = "fork"
	// UnmappedNoHost: it has no owner, and no source host lists it; findings name it.
	UnmappedNoHost UnmappedReason = "no_source_host"
)

// UnmappedReasons lists every reason.
func UnmappedReasons() []UnmappedReason {
	return []UnmappedReason{UnmappedNoCatalogEntry, UnmappedNoOwner, UnmappedArchived, UnmappedFork, UnmappedNoHost}
}

// Held is a record with where it came from and what it belongs to.
type Held[T any] struct {
	Record T
	// Instance is the collector instance, "kind/name".
	Instance string
	// Scope is an index into Snapshot.Scopes.
	Scope int32
	// Service is an index into Snapshot.Services, 0 when unattributed.
	Service int32
	// Owner is the owner frozen when the record was first observed, an index into Snapshot.Owners.
	Owner int32
	// LaterOwner is who owns it by a catalog that was read for the first time later, where nobody was known to when it was first observed; 0 for none. Counters
	// stay with Owner, because they never fall.
	LaterOwner int32
	// FirstObserved is when the ledger first held it.
	FirstObserved time.Time
}

// WindowOwner is the owner in trailing windows.
func (h *Held[T]) WindowOwner() int32 {
	if h.LaterOwner != 0 {
		return h.LaterOwner
	}
	return h.Owner
}

// Milestone is a record as it was when it first reached what its kind is counted by, whatever happened to it since: counters that
// are sums over milestones never fall.
type Milestone[T any] struct {
	Held[T]
	// At is when it was reached by the source, zero if it gives no date. Counted is from when it counts, as of an Event.
	At, Counted time.Time
	// Observed is when the ledger learned of it. Milestones are in that order, so what is concluded from those up to one of them is
	// never overturned by a later one.
	Observed time.Time
}

// Scope is a scope and how fresh it is.
type Scope struct {
	Collector string
	// Instance is the name of the collector instance, the label instance_name.
	Instance string
	Name     string
	// Kind is the part of the name before the first colon.
	Kind string
	// Classes are the finding classes the scope has ever yielded, and those it can yield.
	Classes []record.Class
	// Kinds are the kinds of record that the scope has ever delivered, so that "it has none" and "it does not deliver them" differ.
	Kinds []record.Kind
	// LastSuccess is when it was last read whole (Full or Delta); zero if never. LastFull likewise for Full.
	LastSuccess time.Time
	LastFull    time.Time
	// LastError is why the last attempt failed; empty after a success.
	LastError record.ErrorReason
	// StaleAfter is how long its records are shown after LastSuccess.
	StaleAfter time.Duration
	// StaleFrom is how long after LastSuccess it counts as stale (missed polls) although still shown.
	StaleFrom time.Duration
}

// Freshness is the label "status" of prodsec_scopes.
type Freshness string

// The freshness of a scope.
const (
	Fresh   Freshness = "fresh"
	Stale   Freshness = "stale"
	Dropped Freshness = "dropped"
	Never   Freshness = "never"
)

// Freshness is how fresh the scope is at an instant. A stale scope's records are still shown; a dropped one's are not.
func (s *Scope) Freshness(at time.Time) Freshness {
	switch age := at.Sub(s.LastSuccess); {
	case s.LastSuccess.IsZero():
		return Never
	case s.StaleAfter > 0 && age > s.StaleAfter:
		return Dropped
	case s.LastError != "" || (s.StaleFrom > 0 && age > s.StaleFrom):
		return Stale
	default:
		return Fresh
	}
}
