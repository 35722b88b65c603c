package derivation

import (
	"maps"
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Snapshot is the state in its immutable form. Tables share what did not change with the snapshot before.
func (s *State) Snapshot() *snapshot.Snapshot {
	h := s.tables
	made := &snapshot.Snapshot{
		At: store.TimeOf(s.at), Founded: s.founded,
		Services: s.catalog.Services, CatalogConflicts: s.catalog.Conflicts, Owners: slices.Clip(s.owners.values), Repositories: slices.Clip(s.listed),
		Strings: slices.Clip(s.texts.values), Scopes: s.listScopes(),
		Weaknesses: s.weaknesses.Freeze(), Events: s.events.Freeze(), Pauses: maps.Clone(s.pauses),
		Exceptions: h.Exceptions.Held, Reviews: h.Reviews.Held, Followups: h.Followups.Held, Incidents: h.Incidents.Held,
		Deployments: h.Deployments.Held, Releases: h.Releases.Held, Escalations: h.Escalations.Held, Evidence: h.Evidence.Held,
		Answered: h.Reviews.Reached[0], Decided: h.Exceptions.Reached[0], Completed: h.Followups.Reached[0], Raised: h.Escalations.Reached[0],
		Deployed: h.Deployments.Reached[0], Opened: h.Incidents.Reached[0], Restored: h.Incidents.Reached[1], Bypassed: h.Bypasses.Reached[0],
		Pipelines: h.Pipelines.Held, Runners: h.Runners.Held, CloudIdentities: h.Identities.Held, Bypasses: h.Bypasses.Held,
		Scans: h.Scans.Held, Records: s.counts(), CountingChanges: slices.Clone(s.countingChanges),
	}
	for _, p := range s.policies {
		made.PolicyVersions = append(made.PolicyVersions, snapshot.PolicyVersion{Version: p.Version, Since: store.TimeOf(p.Since)})
	}
	return made
}

// listScopes is the snapshot's form of the scopes.
func (s *State) listScopes() []snapshot.Scope {
	scopes := make([]snapshot.Scope, 0, len(s.scopeOrder))
	for _, number := range s.scopeOrder {
		sc := &s.scopes[number]
		source := s.configured[sc.Source]
		classes := slices.Concat(sc.Classes, source.Classes)
		slices.Sort(classes)
		scopes = append(scopes, snapshot.Scope{
			Collector: sc.Source.Collector, Instance: sc.Source.Instance, Name: sc.Name, Kind: sc.kind(),
			Classes: slices.Compact(classes), Kinds: slices.Clone(sc.Kinds), LastSuccess: sc.LastSuccess, LastFull: sc.LastFull, LastError: sc.LastError,
			StaleAfter: source.StaleAfter, StaleFrom: source.StaleFrom,
		})
	}
	return scopes
}

// counts are the records held, by kind: findings as reports, open and closed, before folding; repositories once, however many
// scopes cover them.
func (s *State) counts() map[record.Kind]int {
	counts := map[record.Kind]int{}
	for _, h := range s.tables.All() {
		kind, n := h.Size()
		counts[kind] = n
	}
	counts[record.KindFinding] = s.reports.Len()
	counts[record.KindRepository] = len(s.hosts)
	return counts
}
